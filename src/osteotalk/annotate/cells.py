"""Check each cell against the others of its cohort: does it fit another lineage better?

Each named group of cells gives an expression profile, and a cell fits a lineage as well as it fits
the best profile of that lineage. How well it fits is the likelihood of which genes it shows and
which it does not, given how many it shows. Whether a gene is shown, not how often, so that a few
loud genes can neither decide nor take the place of all others, as antibodies do in plasma cells.
"""

from dataclasses import dataclass

import numpy as np
from anndata import AnnData
from scipy import sparse

from osteotalk.annotate.levels import group_counts

# Profiles are of genes with so many counts in the cohort, which one profile has so many times as
# high as the others on average; the MOST_GENES that tell most of each profile. Each profile has
# this share of the cohort in it: RNA from other cells.
MIN_COUNTS, MIN_FOLD, MOST_GENES, SHARED = 20, 1.5, 400, 0.05
# A profile needs so many cells.
MIN_PROFILE = 5
# A cell is of another lineage than its group if that fits better by so much (natural logarithm).
LEAD = 6.0
# Cells are compared in so many bins of the number of genes they show; depths that are tried.
BINS, DEPTHS = 12, 24


@dataclass(frozen=True)
class Profiles:
    """Expression profiles of the groups that have enough cells.

    `rates` is groups x genes: share of a cell's counts; `known` the numbers of these groups and
    `genes` the columns of the genes that tell them apart.
    """

    known: np.ndarray
    genes: np.ndarray
    rates: np.ndarray

    @property
    def tell(self) -> bool:
        """Whether there is anything to compare."""
        return len(self.known) > 1 and len(self.genes) > 1


@dataclass(frozen=True)
class CellFits:
    """How well each cell fits the best profile of each lineage; natural logarithms.

    `fit` is cells x lineages, minus infinity where a lineage has no profile; `group` is the one of
    its groups that fits best.
    """

    fit: np.ndarray
    group: np.ndarray
    profiles: Profiles


def fit_cells(
    adata: AnnData,
    groups: np.ndarray,
    *,
    lineage: np.ndarray,
    skip: np.ndarray,
    typical: np.ndarray | None = None,
) -> CellFits:
    """Compare each cell with the profiles of the groups.

    Parameters
    ----------
    adata
        Cells x genes with `layers["counts"]`.
    groups
        Number of each cell's group.
    lineage
        Number of the lineage of each group; those without a name have a lineage of their own, so
        that their cells fit somewhere.
    skip
        Genes to leave out (those of the cell cycle), boolean.
    typical
        Cells that make up the profile of their group, where it has enough of them; else all do.
    """
    members = groups if typical is None else _typical_members(groups, typical)
    profiles = group_profiles(adata, members, n_groups=len(lineage), skip=skip)
    fit = np.full((adata.n_obs, int(lineage.max()) + 1), -np.inf)
    group = np.zeros(fit.shape, dtype=int)
    if not profiles.tell:
        fit[:, np.unique(lineage)] = 0.0
        return CellFits(fit, group, profiles)
    of = lineage[profiles.known]
    seen, n_seen = shown_genes(adata, profiles.genes)
    for rows in alike(n_seen):
        single = likelihood(seen[rows], profiles.rates, float(np.median(n_seen[rows])))
        for name in np.unique(of):
            columns = np.flatnonzero(of == name)
            best = columns[single[:, columns].argmax(axis=1)]
            fit[rows, name] = single[np.arange(len(rows)), best]
            group[rows, name] = profiles.known[best]
    return CellFits(fit, group, profiles)


def shown_genes(adata: AnnData, genes: np.ndarray) -> tuple[sparse.csr_matrix, np.ndarray]:
    """Whether each cell shows each of the genes (0 or 1), and how many of them."""
    seen = sparse.csr_matrix(adata.layers["counts"])[:, genes]
    seen.data = (seen.data > 0).astype(np.float64)
    return seen, np.asarray(seen.sum(axis=1)).ravel()


def _typical_members(groups: np.ndarray, typical: np.ndarray) -> np.ndarray:
    """Group of each cell for the profiles; -1 for the untypical ones of groups that have others."""
    enough = np.bincount(groups[typical], minlength=int(groups.max()) + 1) >= MIN_PROFILE
    return np.where(typical | ~enough[groups], groups, -1)


def group_profiles(
    adata: AnnData, groups: np.ndarray, *, n_groups: int, skip: np.ndarray
) -> Profiles:
    """Profiles of groups of cells (-1 for none), of the genes that tell them apart."""
    sizes = np.bincount(groups[groups >= 0], minlength=n_groups)
    known = np.flatnonzero(sizes >= MIN_PROFILE)
    counts = group_counts(adata, groups, n_groups)[known]
    cohort = counts.sum(axis=0)
    usual = cohort / max(cohort.sum(), 1)
    rates = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    rates = (1 - SHARED) * rates + SHARED * usual
    allowed = (cohort >= MIN_COUNTS) & ~skip
    chosen: set[int] = set()
    mean = np.maximum(rates.mean(axis=0), 1e-12) if len(rates) else usual
    for row in rates:
        fold = np.where(allowed, row / mean, 0)
        gain = np.where(fold >= MIN_FOLD, row * np.log(np.maximum(fold, 1)), 0)
        best = np.argsort(-gain, kind="stable")[:MOST_GENES]
        chosen.update(best[gain[best] > 0].tolist())
    genes = np.array(sorted(chosen), dtype=int)
    return Profiles(known, genes, rates[:, genes])


def alike(n_seen: np.ndarray) -> list[np.ndarray]:
    """Cells that show about as many genes, by quantiles."""
    edges = np.unique(np.quantile(n_seen, np.linspace(0, 1, BINS + 1)[1:-1]))
    bins = np.searchsorted(edges, n_seen, side="left")
    return [np.flatnonzero(bins == k) for k in np.unique(bins)]


def likelihood(seen: sparse.csr_matrix, rates: np.ndarray, n_seen: float) -> np.ndarray:
    """Likelihood of which genes the cells show: cells x profiles, natural logarithm.

    Parameters
    ----------
    seen
        Cells x genes, 0 or 1.
    rates
        Profiles x genes.
    n_seen
        Genes that such cells show; the depth of each profile is chosen so that it shows as many.
    """
    depths = np.geomspace(1, 1e6, DEPTHS)
    shown = np.stack([(-np.expm1(-depth * rates)).sum(axis=1) for depth in depths], axis=1)
    target = min(n_seen, seen.shape[1] - 1)
    depth = np.exp([np.interp(target, row, np.log(depths)) for row in shown])
    expected = np.clip(depth[:, None] * rates, 1e-9, 50)
    return np.asarray(seen @ np.log(np.expm1(expected)).T - expected.sum(axis=1))


def contradictions(found: CellFits, lineage: np.ndarray) -> np.ndarray:
    """Find the cells that fit another lineage than that of their group.

    Parameters
    ----------
    found
        From `fit_cells`.
    lineage
        Number of the lineage of each cell's group.

    Returns
    -------
    Number of the other lineage for each cell; -1 where it fits its own.
    """
    rows = np.arange(len(lineage))
    best = found.fit.argmax(axis=1)
    own = found.fit[rows, lineage]
    lead = np.where(np.isfinite(own), found.fit[rows, best] - own, -np.inf)
    return np.where((best != lineage) & (lead >= LEAD), best, -1)
