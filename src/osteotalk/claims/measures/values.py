"""The number that a claim is judged by, sample by sample, for the claim and for its decoys."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from osteotalk.claims.claim import EXPRESSION, SIGNATURE, Claim, Quantity
from osteotalk.claims.measures.cohort import Cohort
from osteotalk.claims.measures.programmes import MIN_GENES


@dataclass(frozen=True)
class Sides:
    """Populations of a claim that the cohort has, by position."""

    source: np.ndarray
    target: np.ndarray


def sides(claim: Claim, cohort: Cohort) -> Sides:
    """Populations of a claim; where none is named to compare with, all others."""
    source = cohort.columns(claim.source)
    target = compared(claim, cohort)
    if claim.kind in (EXPRESSION, SIGNATURE):
        target = np.setdiff1d(target, source)
    return Sides(source, target)


def compared(claim: Claim, cohort: Cohort) -> np.ndarray:
    """Positions of the populations that a claim compares with; all, if it names none."""
    return cohort.columns(claim.target) if claim.target else np.arange(len(cohort.populations))


def informative(cohort: Cohort, own: Sides, measured: np.ndarray) -> np.ndarray:
    """Positions of samples that measured what is asked for and in which both sides have cells.

    Parameters
    ----------
    cohort, own
        Cohort; populations, of each side one of which needs enough cells.
    measured
        Whether a sample measured each pair or gene of the claim (S x items).
    """
    there = cohort.enough[:, own.source].any(axis=1) & cohort.enough[:, own.target].any(axis=1)
    there &= measured.all(axis=1)
    return np.flatnonzero(there)


def interaction_values(
    cohort: Cohort, samples: np.ndarray, own: Sides, pairs: np.ndarray, *, level: bool
) -> np.ndarray:
    """Strength of sets of pairs between the populations of a claim.

    Of each pair the strongest edge counts; over the pairs the mean is taken. An edge's specificity
    is the source's share of the ligand times the target's share of the receptor (`spec_weight` of
    NATMI with the lowest subunit for a complex), its level the geometric mean of the two means; 0
    where one is detected in too few cells.

    Parameters
    ----------
    cohort, samples, own
        Cohort, positions of samples, populations.
    pairs
        Rows of pairs: sets x pairs.
    level
        Level instead of specificity.

    Returns
    -------
    Samples x sets.

    References
    ----------
    NATMI: Hou et al. 2020, Nat. Commun. 11, 5011, doi:10.1038/s41467-020-18873-z.
    """
    complexes = (cohort.ligands[pairs], cohort.receptors[pairs])
    return complex_values(cohort, samples, own, complexes, level=level)


def complex_values(
    cohort: Cohort,
    samples: np.ndarray,
    own: Sides,
    complexes: tuple[np.ndarray, np.ndarray],
    *,
    level: bool,
) -> np.ndarray:
    """Strength of ligands with receptors that need be no pair of the resource.

    As `interaction_values`, with the positions of ligands and receptors in `Cohort.complexes`
    (sets x pairs each) instead of rows of pairs.
    """
    table = cohort.levels if level else cohort.weights
    send = table[np.ix_(samples, own.source)].max(axis=1)
    receive = table[np.ix_(samples, own.target)].max(axis=1)
    ligands, receptors = complexes
    total = np.zeros((len(samples), len(ligands)))
    for ligand, receptor in zip(ligands.T, receptors.T, strict=True):
        product = send[:, ligand] * receive[:, receptor]
        total += np.sqrt(product) if level else product
    return total / max(ligands.shape[1], 1)


def interaction_elsewhere(
    cohort: Cohort,
    samples: np.ndarray,
    members: tuple[np.ndarray, np.ndarray],
    pairs: np.ndarray,
    *,
    level: bool,
) -> np.ndarray:
    """Strength of the claim's pairs between sets of populations.

    Other than in `interaction_values`, the mean is taken over all edges between populations of the
    two sides that have enough cells: it tells how much of a pair lies between these populations.

    Parameters
    ----------
    cohort, samples
        Cohort, positions of samples.
    members
        Membership of sources and targets: sets x K.
    pairs
        Rows of the claim's pairs.
    level
        Level instead of specificity.

    Returns
    -------
    Samples x sets; NaN where a set has no source or no target with enough cells.
    """
    table = (np.sqrt(cohort.levels) if level else cohort.weights)[samples]
    source, target = (member.T.astype(float) for member in members)
    total = np.zeros((len(samples), source.shape[1]))
    for pair in pairs:
        send, receive = table[:, :, cohort.ligands[pair]], table[:, :, cohort.receptors[pair]]
        total += (send @ source) * (receive @ target)
    enough = cohort.enough[samples].astype(float)
    n_edges = (enough @ source) * (enough @ target) * max(len(pairs), 1)
    return np.where(n_edges > 0, total / np.maximum(n_edges, 1), np.nan)


def gene_values(cohort: Cohort, samples: np.ndarray, own: Sides, *, level: bool) -> np.ndarray:
    """How far a gene belongs to the populations of a claim, for every gene.

    The mean over the claim's populations of the mean log1p expression is m, that over the
    populations compared with is c. The value is m / (m + c), or m itself as a level; 0 where the
    gene is detected in too few cells of each of the claim's populations.

    Returns
    -------
    Samples x G.
    """
    inside = _mean_over(cohort, samples, own.source)
    seen = (cohort.shares[np.ix_(samples, own.source)] >= cohort.expr_prop).any(axis=1)
    if level:
        return inside
    outside = _mean_over(cohort, samples, own.target)
    total = inside + outside
    return np.where(seen & (total > 0), inside / np.where(total > 0, total, 1.0), 0.0)


def programme_values(
    cohort: Cohort, samples: np.ndarray, own: Sides, *, level: bool
) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """Score of gene sets in the populations of a claim, less that in those compared with.

    Returns
    -------
    Function of genes (sets x genes, positions) and their weights that gives samples x sets; as a
    level nothing is subtracted.
    """
    inside = _mean_over(cohort, samples, own.source)
    difference = inside if level else inside - _mean_over(cohort, samples, own.target)

    def score(genes: np.ndarray, weights: np.ndarray) -> np.ndarray:
        total = np.zeros((len(samples), len(genes)))
        for column, weight in zip(genes.T, weights, strict=True):
            total += weight * difference[:, column]
        return total / np.abs(weights).sum()

    return score


def _mean_over(cohort: Cohort, samples: np.ndarray, populations: np.ndarray) -> np.ndarray:
    """Mean of the populations' means, over those with enough cells: samples x G."""
    on = cohort.enough[np.ix_(samples, populations)].astype(float)
    n = on.sum(axis=1)[:, None]
    total = np.einsum("sk,skg->sg", on, cohort.means[np.ix_(samples, populations)])
    return np.where(n > 0, total / np.maximum(n, 1), 0.0)


def programme_level(cohort: Cohort, name: str, populations: np.ndarray) -> np.ndarray:
    """Mean score of a programme over populations with enough cells: samples, NaN without one."""
    scores = cohort.programmes[name][:, populations]
    known = ~np.isnan(scores) & cohort.enough[:, populations]
    n = known.sum(axis=1)
    return np.where(n > 0, np.where(known, scores, 0.0).sum(axis=1) / np.maximum(n, 1), np.nan)


def shares_of(cohort: Cohort, claim: Claim) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cells of a composition claim.

    Returns
    -------
    Samples in which the denominator has `min_cells` cells, cells of the claim there, and cells of
    the denominator there.
    """
    states = [name for name in claim.source if name in cohort.states]
    own = cohort.sizes[:, cohort.columns(claim.source)].sum(axis=1)
    own = own + sum(cohort.states[name] for name in states)
    whole = cohort.sizes[:, compared(claim, cohort)].sum(axis=1)
    samples = np.flatnonzero(whole >= cohort.min_cells)
    return samples, own[samples], whole[samples]


def logit(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Logit of a share, with half a cell added to both sides (Haldane 1956)."""
    return np.log((part + 0.5) / (whole - part + 0.5))


def quantity_values(cohort: Cohort, quantity: Quantity) -> tuple[np.ndarray, str]:
    """What a claim is correlated with: a value per sample, and why there is none, if so.

    Returns
    -------
    Values (S; NaN where it cannot be measured), reason.
    """
    nothing = np.full(len(cohort.samples), np.nan)
    columns = cohort.columns(quantity.populations)
    if not len(columns):
        return nothing, f"population absent from the cohort: {', '.join(quantity.populations)}"
    if quantity.form == "share":
        whole = cohort.sizes.sum(axis=1)
        part = cohort.sizes[:, columns].sum(axis=1)
        return np.where(whole >= cohort.min_cells, logit(part, whole), np.nan), ""
    if quantity.form == "signature":
        if quantity.name not in cohort.programmes:
            return nothing, f"fewer than {MIN_GENES} genes of {quantity.name} are measured"
        return programme_level(cohort, quantity.name, columns), ""
    if quantity.name not in cohort.genes:
        return nothing, f"not measured: {quantity.name}"
    samples = np.arange(len(cohort.samples))
    gene = cohort.genes.get_loc(quantity.name)
    level = _mean_over(cohort, samples, columns)[:, gene]
    known = cohort.enough[:, columns].any(axis=1) & cohort.measured[:, gene]
    return np.where(known, level, np.nan), ""
