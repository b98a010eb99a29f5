"""How far each gene is on in groups of cells, compared with the other groups of the cohort."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from osteotalk.clusters import group_sums

SCALE = 1e4  # levels are counts per 10,000
# The level of a gene where it is off: this quantile of its levels over the clusters, but no more
# than genes at this quantile of those levels have: where nearly all cells are of one population, no
# cluster shows a marker of it off.
LOW, HIGHEST = 0.15, 0.75
# RNA from other cells: so much of the level in the whole cohort may be in any cluster.
AMBIENT = 0.05
# Level below which nothing can be told, added to all levels, with one count of the group.
LEAST = 0.2
# A gene is half on where it is half the way up, in log2, from off to its highest level, but at
# least and at most by so much above off; SLOPE is that of the logistic curve.
HALF_LEAST, HALF_MOST, SLOPE = 0.5, 1.5, 3.0
# Range, in log2, of what lies between off and the highest level from which a gene tells nothing to
# where it tells all.
INFORMATIVE = (0.8, 1.8)


@dataclass(frozen=True)
class Reference:
    """Levels of each gene in the cohort: where it is off, and its highest; counts per 10,000."""

    off: np.ndarray
    high: np.ndarray


@dataclass(frozen=True)
class On:
    """Groups x genes: how far a gene is on, and how much that tells; both from 0 to 1."""

    on: np.ndarray
    tells: np.ndarray

    def columns(self, genes: np.ndarray) -> "On":
        """Keep some of the genes."""
        return On(self.on[:, genes], self.tells[:, genes])


def group_counts(adata: AnnData, groups: np.ndarray, n_groups: int) -> np.ndarray:
    """Sum of the counts of each gene in each group.

    Parameters
    ----------
    adata
        Cells x genes with `layers["counts"]`.
    groups
        Number of the group of each cell; -1 for none.
    n_groups
        How many groups there are.

    Returns
    -------
    Groups x genes, float64.
    """
    return group_sums(sparse.csr_matrix(adata.layers["counts"]), groups, n_groups=n_groups)


def reference_levels(counts: np.ndarray) -> Reference:
    """Level of each gene where it is off, and its highest, over the clusters of a cohort.

    Parameters
    ----------
    counts
        Clusters x genes, from `group_counts`.

    References
    ----------
    Young & Behjati 2020, GigaScience 9, giaa151, doi:10.1093/gigascience/giaa151 (RNA from other
    cells).
    """
    level = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1) * SCALE
    low = np.quantile(level, LOW, axis=0)
    shown = low[low > 0]
    most = np.quantile(shown, HIGHEST) if len(shown) else 0.0
    cohort = counts.sum(axis=0) / max(counts.sum(), 1) * SCALE
    off = np.maximum(np.minimum(low, most), AMBIENT * cohort)
    return Reference(off=off, high=level.max(axis=0))


def how_far_on(counts: np.ndarray, reference: Reference, *, totals: np.ndarray | None = None) -> On:
    """Tell how far each gene is on in each group.

    A gene that hardly differs over the cohort, or that the group has too few counts to show, tells
    nothing.

    Parameters
    ----------
    counts
        Groups x genes.
    reference
        Of these genes.
    totals
        Counts of each group in all genes, if `counts` has only some of them.
    """
    depth = np.maximum(counts.sum(axis=1) if totals is None else totals, 1.0)[:, None]
    level = counts / depth * SCALE
    least = LEAST + SCALE / depth
    base = np.log2(reference.off + least)
    range_ = np.log2(np.maximum(reference.high, level) + least) - base
    half = np.clip(range_ / 2, HALF_LEAST, HALF_MOST)
    above = np.log2(level + least) - base
    low, all_ = INFORMATIVE
    return On(
        on=1 / (1 + np.exp(-SLOPE * (above - half))),
        tells=np.clip((range_ - low) / (all_ - low), 0, 1),
    )


def numbered(names: pd.Series) -> tuple[np.ndarray, list[str]]:
    """Number of each cell's group, and the sorted names of the groups; '' has number -1."""
    kept = sorted(set(names) - {""})
    return pd.Index(kept, dtype=object).get_indexer(pd.Index(names)), kept
