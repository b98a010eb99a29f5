"""What could stand in the place of a claim: its decoys in one cohort."""

from dataclasses import dataclass

import numpy as np

from osteotalk.claims.claim import INTERACTION, SIGNATURE, Claim
from osteotalk.claims.controls.decoys import Draws, draw_matched, population_sets
from osteotalk.claims.measures.cohort import Cohort
from osteotalk.claims.measures.values import sides


@dataclass(frozen=True)
class Settings:
    """How many decoys, from pools of which size, and the seed; section `claims` of the config."""

    n_decoys: int
    decoy_pool: int
    seed: int


@dataclass(frozen=True)
class Ledger:
    """What all claims together name; none of it is a decoy of any.

    Attributes
    ----------
    pairs
        Per measured pair: some claim names it (P).
    edges
        Edges between populations (K x K) that a claim names for a pair, by row of the pair.
    genes
        Per measured gene: some claim on genes names it (G).
    signatures
        Weight of each measured gene, by signature: positions and weights.
    """

    pairs: np.ndarray
    edges: dict[int, np.ndarray]
    genes: np.ndarray
    signatures: dict[str, tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Items:
    """What decoys of a claim replace: pairs or genes.

    Attributes
    ----------
    rows, weights
        Those of the claim, and their weights in a programme.
    detection
        Of all pairs (ligand, receptor) or genes.
    forbidden, claimed
        Per pair or gene: may not be a decoy; some claim names it.
    names
        Of all pairs or genes.
    """

    rows: np.ndarray
    weights: np.ndarray
    detection: np.ndarray
    forbidden: np.ndarray
    claimed: np.ndarray
    names: np.ndarray

    def draw(self, settings: Settings, rng: np.random.Generator) -> Draws:
        """Draw decoys, see `osteotalk.claims.controls.decoys.draw_matched`."""
        return draw_matched(
            self.rows,
            self.detection,
            forbidden=self.forbidden,
            pool_size=settings.decoy_pool,
            n_decoys=settings.n_decoys,
            rng=rng,
        )


def items_of(claim: Claim, cohort: Cohort, ledger: Ledger) -> Items:
    """Measured pairs or genes of a claim, and all that could replace them.

    What a sample did not measure replaces nothing, as it would count as absent there.

    Pairs that share a ligand or a receptor with the claim are no decoys of it: they may be true
    with it.
    """
    if claim.kind == INTERACTION:
        rows = cohort.pairs_of(claim.pairs)
        forbidden = ledger.pairs | ~cohort.pair_measured.all(axis=0)
        for part in (cohort.ligands, cohort.receptors):
            forbidden |= np.isin(part, part[rows])
        names = (cohort.pairs["ligand"] + "^" + cohort.pairs["receptor"]).to_numpy(dtype=object)
        return Items(
            rows, np.ones(len(rows)), cohort.pair_detection, forbidden, ledger.pairs, names
        )
    if claim.kind == SIGNATURE:
        nothing = (np.zeros(0, dtype=int), np.zeros(0))
        rows, weights = ledger.signatures.get(claim.signature, nothing)
    else:
        rows = np.array(
            [cohort.genes.get_loc(g) for g in claim.genes if g in cohort.genes], dtype=int
        )
        weights = np.ones(len(rows))
    forbidden = ledger.genes | ~cohort.measured.all(axis=0)
    forbidden[rows] = True
    detection = cohort.detection[:, None]
    names = cohort.genes.to_numpy(dtype=object)
    return Items(rows, weights, detection, forbidden, ledger.genes, names)


def draw_pairs(
    items: Items, cohort: Cohort, settings: Settings, rng: np.random.Generator
) -> tuple[tuple[np.ndarray, np.ndarray], int]:
    """Pair decoys of an interaction claim.

    Returns
    -------
    Positions of ligands and of receptors in `Cohort.complexes` (decoys x pairs), and the fewest
    candidates. Pairs that share nothing are replaced by other pairs of the resource. Where some
    share a ligand or a receptor, each distinct ligand is replaced by another ligand of the resource
    and each receptor by another receptor, so that decoys share what the claim shares; decoys with
    a pair that some claim names are left out.
    """
    own = cohort.ligands[items.rows], cohort.receptors[items.rows]
    if all(len(set(side)) == len(side) for side in own):
        draws = items.draw(settings, rng)
        return (cohort.ligands[draws.rows], cohort.receptors[draws.rows]), draws.n_pool
    sides, pools = [], []
    for side, all_of_side in zip(own, (cohort.ligands, cohort.receptors), strict=True):
        distinct, place = np.unique(side, return_inverse=True)
        other = np.ones(len(cohort.complexes), dtype=bool)
        other[all_of_side] = False
        other |= ~cohort.complex_measured.all(axis=0)
        other[distinct] = True
        drawn = draw_matched(
            distinct,
            cohort.complex_detection[:, None],
            forbidden=other,
            pool_size=settings.decoy_pool,
            n_decoys=settings.n_decoys,
            rng=rng,
            exhaust=False,
        )
        sides.append(drawn.rows[:, place])
        pools.append(drawn.n_pool)
    n = min(len(side) for side in sides)
    named = np.zeros((len(cohort.complexes), len(cohort.complexes)), dtype=bool)
    named[cohort.ligands[items.claimed], cohort.receptors[items.claimed]] = True
    free = ~named[sides[0][:n], sides[1][:n]].any(axis=1)
    return (sides[0][:n][free], sides[1][:n][free]), min(pools)


def other_populations(
    claim: Claim, cohort: Cohort, ledger: Ledger, *, n_decoys: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Population decoys of an interaction claim, see `population_sets`; the claim comes first.

    Edges that another claim names for one of its pairs are in no decoy; populations that have too
    few cells in every sample take no part.
    """
    own = sides(claim, cohort)
    usable = np.flatnonzero(cohort.enough.any(axis=0))
    ends = tuple(np.flatnonzero(np.isin(usable, side)) for side in (own.source, own.target))
    rows = cohort.pairs_of(claim.pairs)
    taken = np.logical_or.reduce([ledger.edges[row] for row in rows])
    taken[np.ix_(own.source, own.target)] = False
    sets = population_sets(
        cohort.sizes.sum(axis=0)[usable],
        (ends[0], ends[1]),
        forbidden=taken[np.ix_(usable, usable)],
        n_decoys=n_decoys,
        rng=rng,
    )
    full = [np.zeros((len(part), len(cohort.populations)), dtype=bool) for part in sets]
    for member, part in zip(full, sets, strict=True):
        member[:, usable] = part
    return full[0], full[1]
