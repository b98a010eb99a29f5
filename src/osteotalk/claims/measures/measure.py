"""One claim in one cohort: its values, those of its decoys, and where it is active."""

import itertools
import math
from dataclasses import dataclass, field

import numpy as np
from scipy import stats

from osteotalk.claims.claim import COMPOSITION, EXPRESSION, INTERACTION, SIGNATURE, Claim
from osteotalk.claims.controls.candidates import (
    Ledger,
    Settings,
    draw_pairs,
    items_of,
    other_populations,
)
from osteotalk.claims.controls.decoys import (
    FLOOR,
    MIN_POOL,
    claim_rng,
)
from osteotalk.claims.measures.cohort import Cohort
from osteotalk.claims.measures.programmes import MIN_GENES
from osteotalk.claims.measures.values import (
    compared,
    complex_values,
    gene_values,
    informative,
    interaction_elsewhere,
    interaction_values,
    logit,
    programme_level,
    programme_values,
    shares_of,
    sides,
)


@dataclass(frozen=True)
class Match:
    """How well decoys match what they replace; see table `decoys`."""

    control: str
    quantity: str
    claim: float
    decoys: np.ndarray


@dataclass(frozen=True)
class Measurement:
    """A claim measured in the informative samples of a cohort (n).

    Attributes
    ----------
    reason
        Why it could not be measured; '' if it could.
    samples
        Positions of the informative samples.
    value
        The claim's value (n).
    controls
        Those of its matched decoys (n x decoys).
    elsewhere
        How much of the pairs lies between the populations of the claim, in the first column, and
        of its population decoys (n x 1 + sets); None for other kinds than interactions.
    active
        Whether it is active (n).
    best_edge
        Strongest edge.
    n_pool
        Fewest candidates for a decoy.
    matches
        How well the decoys match.
    """

    reason: str = ""
    samples: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=int))
    value: np.ndarray = field(default_factory=lambda: np.zeros(0))
    controls: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))
    elsewhere: np.ndarray | None = None
    active: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=bool))
    best_edge: str = ""
    n_pool: int = 0
    matches: tuple[Match, ...] = ()


def measure(claim: Claim, cohort: Cohort, ledger: Ledger, settings: Settings) -> Measurement:
    """Measure a claim of any kind that can be tested."""
    if claim.kind == COMPOSITION:
        return measure_composition(claim, cohort, settings)
    on_genes = {
        INTERACTION: measure_interaction,
        EXPRESSION: measure_genes,
        SIGNATURE: measure_programme,
    }
    return on_genes[claim.kind](claim, cohort, ledger, settings)


def measure_interaction(
    claim: Claim, cohort: Cohort, ledger: Ledger, settings: Settings
) -> Measurement:
    """Measure ligand-receptor pairs between populations, with pair and population decoys."""
    items = items_of(claim, cohort, ledger)
    rows = items.rows
    if not len(rows):
        lost = ", ".join(claim.pairs)
        return Measurement(f"no pair could be scored: not measured, or not in the resource: {lost}")
    own = sides(claim, cohort)
    reason = _absent(claim, len(own.source), len(own.target))
    if reason:
        return Measurement(reason)
    measured = cohort.pair_measured[:, rows]
    samples, level = informative(cohort, own, measured), bool(claim.contrast)
    rng = claim_rng(settings.seed, cohort.dataset, claim.claim_id)
    decoys, n_pool = draw_pairs(items, cohort, settings, rng)
    members = other_populations(claim, cohort, ledger, n_decoys=settings.n_decoys, rng=rng)
    cells = cohort.sizes.sum(axis=0)
    ends = np.ix_(samples, rows, own.source, own.target)
    matches = [
        *_pair_matches(cohort, rows, decoys),
        Match(
            "populations", "source cells", float(cells[own.source].sum()), members[0][1:] @ cells
        ),
        Match(
            "populations", "target cells", float(cells[own.target].sum()), members[1][1:] @ cells
        ),
    ]
    return Measurement(
        samples=samples,
        value=interaction_values(cohort, samples, own, rows[None], level=level)[:, 0],
        controls=complex_values(cohort, samples, own, decoys, level=level),
        elsewhere=interaction_elsewhere(cohort, samples, members, rows, level=level),
        active=cohort.active[ends].any(axis=(1, 2, 3)),
        best_edge=_best_edge(cohort, samples, own.source, own.target, rows),
        n_pool=n_pool,
        matches=tuple(matches),
    )


def measure_genes(claim: Claim, cohort: Cohort, ledger: Ledger, settings: Settings) -> Measurement:
    """Measure genes in populations, with genes of the same detection as controls."""
    lost = [gene for gene in claim.genes if gene not in cohort.genes]
    if lost:
        return Measurement(f"not measured: {', '.join(lost)}")
    own = sides(claim, cohort)
    reason = _absent(claim, len(own.source), len(own.target))
    if reason:
        return Measurement(reason)
    items = items_of(claim, cohort, ledger)
    samples = informative(cohort, own, cohort.measured[:, items.rows])
    draws = items.draw(settings, claim_rng(settings.seed, cohort.dataset, claim.claim_id))
    values = gene_values(cohort, samples, own, level=bool(claim.contrast))
    return Measurement(
        samples=samples,
        value=values[:, items.rows].mean(axis=1),
        controls=values[:, draws.rows].mean(axis=2),
        active=_tested(claim, cohort, samples),
        n_pool=draws.n_pool,
        matches=_matches("genes", "gene", cohort.detection, items.rows, draws.rows),
    )


def measure_programme(
    claim: Claim, cohort: Cohort, ledger: Ledger, settings: Settings
) -> Measurement:
    """Measure a gene programme, with sets of genes matched one by one as controls."""
    items = items_of(claim, cohort, ledger)
    if claim.signature not in cohort.programmes:
        return Measurement(
            f"only {len(items.rows)} genes of the signature {claim.signature} are measured, "
            f"{MIN_GENES} are needed"
        )
    own = sides(claim, cohort)
    reason = _absent(claim, len(own.source), len(own.target))
    if reason:
        return Measurement(reason)
    measured = cohort.measured[:, items.rows]
    samples, level = informative(cohort, own, measured), bool(claim.contrast)
    draws = items.draw(settings, claim_rng(settings.seed, cohort.dataset, claim.claim_id))
    value = programme_level(cohort, claim.signature, own.source)
    if not level:
        value = value - programme_level(cohort, claim.signature, own.target)
    return Measurement(
        samples=samples,
        value=value[samples],
        controls=programme_values(cohort, samples, own, level=level)(draws.rows, items.weights),
        active=_tested(claim, cohort, samples),
        n_pool=draws.n_pool,
        matches=_matches("genes", "gene", cohort.detection, items.rows, draws.rows),
    )


def measure_composition(claim: Claim, cohort: Cohort, settings: Settings) -> Measurement:
    """Measure a share of cells, with other populations (or states) as controls.

    Plain, it is active in a sample if the share is above that of an equal split, by an exact
    binomial test.
    """
    of_states = [name for name in claim.source if name in cohort.states]
    whole_columns = compared(claim, cohort)
    if of_states:
        parents = {cohort.state_parents[name] for name in of_states}
        items = [name for name in cohort.states if cohort.state_parents[name] in parents]
        counts = np.column_stack([cohort.states[name] for name in items])
        own = np.array([name in of_states for name in items])
    else:
        counts = cohort.sizes[:, whole_columns]
        own = np.isin(whole_columns, cohort.columns(claim.source))
    if not own.any() or counts[:, own].sum() == 0:
        return Measurement(f"population absent from the cohort: {', '.join(claim.named_source)}")
    samples, part, whole = shares_of(cohort, claim)
    others = np.flatnonzero(~own)
    n = int(own.sum())
    step = max(math.ceil(math.comb(len(others), n) / settings.n_decoys), 1)  # not only the first
    sets = list(itertools.islice(itertools.combinations(others, n), 0, None, step))
    enough = sets if len(sets) >= MIN_POOL else []
    decoys = np.zeros((len(samples), len(enough)))
    for column, members in enumerate(enough):
        decoys[:, column] = counts[np.ix_(samples, members)].sum(axis=1)
    if claim.contrast:
        value, controls = logit(part, whole), logit(decoys, whole[:, None])
    else:
        value, controls = part / whole, decoys / whole[:, None]
    even = own.sum() / len(own)
    p = [
        stats.binomtest(int(cells), int(total), even, alternative="greater").pvalue
        for cells, total in zip(part, whole, strict=True)
    ]
    return Measurement(
        samples=samples,
        value=value,
        controls=controls,
        active=np.array(p) <= cohort.alpha,
        n_pool=len(sets),
    )


def _absent(claim: Claim, n_source: int, n_target: int) -> str:
    names = (("source", claim.named_source, n_source), ("target", claim.named_target, n_target))
    for side, named, n in names:
        if not n:
            told = ", ".join(named) or "any other population"
            return f"population absent from the cohort: none of the {side}s ({told}) was found"
    return ""


def _tested(claim: Claim, cohort: Cohort, samples: np.ndarray) -> np.ndarray:
    return np.array([claim.claim_id in cohort.tested[s] for s in samples], dtype=bool)


def _pair_matches(
    cohort: Cohort, rows: np.ndarray, decoys: tuple[np.ndarray, np.ndarray]
) -> tuple[Match, ...]:
    """Detection of ligands and of receptors (geometric mean over the pairs)."""
    own = (cohort.ligands[rows], cohort.receptors[rows])
    return tuple(
        match
        for side, name in enumerate(("ligand", "receptor"))
        for match in _matches("pairs", name, cohort.complex_detection, own[side], decoys[side])
    )


def _matches(
    control: str, name: str, detection: np.ndarray, own: np.ndarray, decoys: np.ndarray
) -> tuple[Match, ...]:
    if not len(decoys):
        return ()
    logs = np.log2(np.maximum(detection, FLOOR))
    claim = float(2 ** logs[own].mean())
    return (Match(control, f"{name} detection", claim, 2 ** logs[decoys].mean(axis=1)),)


def _best_edge(
    cohort: Cohort, samples: np.ndarray, source: np.ndarray, target: np.ndarray, rows: np.ndarray
) -> str:
    """The claim's edge that is active in most patients, then the most specific one."""
    if not len(samples):
        return ""
    send = cohort.weights[np.ix_(samples, source)][:, :, cohort.ligands[rows]]
    receive = cohort.weights[np.ix_(samples, target)][:, :, cohort.receptors[rows]]
    mean = np.einsum("sap,sbp->pab", send, receive) / len(samples)
    active = cohort.active[np.ix_(samples, rows, source, target)].astype(float)
    seen, _ = cohort.by_patient(active, samples)
    patients = (seen > 0).sum(axis=0)
    if patients.max() == 0 and mean.max() == 0:
        return ""
    best = np.lexsort((-mean.ravel(), -patients.ravel()))[0]
    pair, a, b = np.unravel_index(best, mean.shape)
    names = cohort.populations
    row = cohort.pairs.iloc[rows[pair]]
    return f"{names[source[a]]}>{names[target[b]]}:{row['ligand']}^{row['receptor']}"
