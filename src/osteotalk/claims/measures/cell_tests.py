"""Is a gene or a programme higher in the cells of a claim than in others of the same sample?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse, stats

from osteotalk.claims.claim import EXPRESSION, SIGNATURE, Claim
from osteotalk.contract import UNASSIGNED


@dataclass(frozen=True)
class CellTest:
    """Claims to test between cells, and the limits; see `active_claims`."""

    claims: Sequence[Claim]
    signatures: pd.DataFrame
    expr_prop: float
    alpha: float
    min_cells: int


def active_claims(
    tests: CellTest,
    matrix: sparse.csr_matrix,
    genes: pd.Index,
    population: np.ndarray,
    scores: Mapping[str, np.ndarray],
) -> frozenset[str]:
    """Claims on genes or programmes that are active in one sample.

    Cells of the claim's populations are compared with those of the populations it is compared with
    by a one-sided Mann-Whitney test, q-values are Benjamini-Hochberg over all tests of the sample.
    Populations of fewer than `min_cells` cells take no part. A claim on genes is active if every
    gene passes and is expressed in `expr_prop` of the cells of one of the claim's populations; one
    on a programme if its score passes.

    Parameters
    ----------
    tests
        Claims and limits.
    matrix
        log1p expression, cells x genes.
    genes
        Names of its columns.
    population
        Of each cell.
    scores
        From `osteotalk.claims.measures.programmes.cell_scores`.

    Returns
    -------
    Ids of the active claims.

    References
    ----------
    Mann and Whitney 1947, Ann. Math. Stat. 18, 50, doi:10.1214/aoms/1177730491.
    """
    names, counts = np.unique(population.astype(str), return_counts=True)
    there = {n for n, k in zip(names, counts, strict=True) if k >= tests.min_cells} - {UNASSIGNED}
    by_column = sparse.csc_matrix(matrix)
    found: list[tuple[str, float]] = []
    for claim in tests.claims:
        if claim.kind not in (EXPRESSION, SIGNATURE) or claim.contrast:
            continue
        own = set(claim.source) & there
        others = (set(claim.target) or there) & there - set(claim.source)
        if not own or not others:
            continue
        inside, outside = np.isin(population, list(own)), np.isin(population, list(others))
        if claim.kind == SIGNATURE:
            values = [scores[claim.signature]] if claim.signature in scores else []
        else:
            at = genes.get_indexer(pd.Index(claim.genes))
            values = [by_column[:, [i]].toarray().ravel() for i in at if i >= 0]
        for value in values:
            seen = claim.kind == SIGNATURE or any(
                (value[population == name] > 0).mean() >= tests.expr_prop for name in own
            )
            found.append((claim.claim_id, _higher(value, inside, outside) if seen else 1.0))
    if not found:
        return frozenset()
    passed = stats.false_discovery_control([p for _, p in found]) <= tests.alpha
    missed = {name for (name, _), ok in zip(found, passed, strict=True) if not ok}
    return frozenset(name for name, _ in found) - missed


def _higher(value: np.ndarray, inside: np.ndarray, outside: np.ndarray) -> float:
    """One-sided Mann-Whitney p; 1 where all values are the same."""
    if np.ptp(value[inside | outside]) == 0:
        return 1.0
    return float(
        stats.mannwhitneyu(
            value[inside], value[outside], alternative="greater", method="asymptotic"
        ).pvalue
    )
