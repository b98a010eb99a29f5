"""RNA from the fluid around the cells: how much of the counts it makes up, and its removal.

The idea is SoupX's (Young & Behjati 2020, GigaScience 9, giaa151, doi:10.1093/gigascience/giaa151):
a gene that one kind of cell makes and another does not tells, by its counts in the second, how much
of the fluid is in every droplet. Two things differ. No empty droplets are needed, since the mean of
all cells stands in for the fluid where the file holds none. And a low, even level of transcription
that has nothing to do with the fluid is fitted beside the share, so that it is not taken for it.
"""

import logging
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import scanpy as sc
from anndata import AnnData
from scipy import sparse
from scipy.optimize import nnls

from osteotalk.clusters import group_sums, leiden

log = logging.getLogger(__name__)

MIN_CELLS = 50
MIN_GENES = 10  # genes that must fit one line
MIN_FIT = 1 / 3  # share of the candidate genes that must fit it
MAX_GENES = 200  # candidates, the most abundant in the fluid
OFF_LEVEL = 0.1  # a cluster does not make a gene if its mean is below this share of the highest
ON_LEVEL = 0.5  # means between the two levels are graded expression
MAX_GRADED = 0.1  # share of the counts that may lie in clusters of graded expression
MIN_OFF = 0.2  # share of the counts that must lie in clusters that do not make the gene
MIN_DETECTED = 0.25  # of the cells of the cluster with the highest mean
MAX_SHARE = 0.5  # above this an estimate is not believed
MAX_WIDTH = 0.2  # an interval wider than this tells nothing
MIN_SOUP = 10_000  # counts in empty droplets, to take them for the fluid
BOOTSTRAP = 200
_SPREAD = (0.05, 0.5)  # bounds of the relative spread around the line beyond counting noise
_OUTLIER = 2.0  # standard deviations above the line at which a gene is made after all
_ROUNDS = 50


@dataclass(frozen=True)
class Ambient:
    """Share of ambient RNA, with what is needed to subtract it.

    `soup` is the profile of the fluid (genes, sums to 1), `clusters` the quick cluster of each
    cell; both are in the order of the cells and genes that were given.
    """

    record: dict[str, Any]
    soup: np.ndarray
    clusters: np.ndarray


def estimate_ambient(
    adata: AnnData, *, empty_profile: np.ndarray | None = None, seed: int
) -> Ambient:
    """Share of the counts of a sample that is ambient RNA.

    Cells are clustered quickly. For each gene that some clusters make and others do not, the mean
    share of its counts in the latter is compared with its share in the fluid. Over the genes these
    lie on a line: the slope is the share of ambient RNA, the intercept a level of transcription
    that does not depend on the fluid. Genes that lie above the line by more than two standard
    deviations are made after all and are left out, until the line stays. The interval is the
    central 95 % of 200 draws of genes with replacement.

    Parameters
    ----------
    adata
        Counts of the kept cells of one sample, cells x genes.
    empty_profile
        Counts per gene in droplets without a cell, if the file holds them; used from 10,000 counts.
    seed
        Seed of the clustering and of the draws.

    Returns
    -------
    `record` holds share, share_low, share_high (0 to 1; None where they cannot be told), n_genes
    (that fit), n_candidates, n_clusters, soup ('empty droplets' or 'all cells') and reason ('' or
    why there is no share).
    """
    counts = adata.X
    total = float(counts.sum())
    use_empty = empty_profile is not None and float(empty_profile.sum()) >= MIN_SOUP
    soup = empty_profile if use_empty else np.asarray(counts.sum(axis=0)).ravel()
    soup = np.asarray(soup, dtype=np.float64)
    soup = soup / max(soup.sum(), 1.0)
    record: dict[str, Any] = {
        **dict.fromkeys(("share", "share_low", "share_high")),
        **dict.fromkeys(("n_genes", "n_candidates", "n_clusters"), 0),
        "soup": "empty droplets" if use_empty else "all cells",
        "reason": "",
    }
    nothing = np.zeros(adata.n_obs, dtype=np.int64)
    if adata.n_obs < MIN_CELLS or total == 0:
        return Ambient(record | {"reason": f"fewer than {MIN_CELLS} cells"}, soup, nothing)
    clusters = quick_clusters(adata, seed=seed)
    record["n_clusters"] = int(clusters.max()) + 1
    if record["n_clusters"] < 2:
        reason = "the cells form one cluster, so no gene is made by some cells only"
        return Ambient(record | {"reason": reason}, soup, clusters)
    means, weights, fluid = _candidates(counts, clusters, soup)
    return Ambient(record | _line(means, weights, fluid, seed=seed), soup, clusters)


def quick_clusters(adata: AnnData, *, seed: int) -> np.ndarray:
    """Leiden clusters of one sample, from 0 on; all 0 if the cells cannot be told apart."""
    quick = AnnData(sparse.csr_matrix(adata.X, dtype=np.float32))
    with warnings.catch_warnings():
        for category in (FutureWarning, RuntimeWarning, UserWarning, DeprecationWarning):
            warnings.simplefilter("ignore", category=category)
        sc.pp.filter_genes(quick, min_cells=3)
        sc.pp.normalize_total(quick, target_sum=1e4)
        sc.pp.log1p(quick)
        if quick.n_vars < 3:
            return np.zeros(quick.n_obs, dtype=np.int64)
        try:
            sc.pp.highly_variable_genes(quick, n_top_genes=min(1000, quick.n_vars))
        except (ValueError, IndexError) as error:  # no gene varies at all
            log.warning("no variable genes: %s", error)
            return np.zeros(quick.n_obs, dtype=np.int64)
        n_pcs = min(20, quick.n_obs - 1, int(quick.var["highly_variable"].sum()) - 1)
        if n_pcs < 1:
            return np.zeros(quick.n_obs, dtype=np.int64)
        sc.pp.pca(quick, n_comps=n_pcs, mask_var="highly_variable", random_state=seed)
        # Exact neighbours and Gaussian weights need no compiling, which takes longer than that.
        sc.pp.neighbors(
            quick, n_neighbors=15, method="gauss", transformer="sklearn", random_state=seed
        )
        return leiden(quick, resolution=1.0, seed=seed)


def subtract_ambient(
    counts: sparse.csr_matrix, ambient: Ambient, *, seed: int
) -> sparse.csr_matrix:
    """Take the expected ambient counts away, cluster by cluster.

    Of a gene's counts in a cluster, `share` x counts of the cluster x the gene's share of the fluid
    are expected to be ambient, but not more than there are. Every count of the gene in the cluster
    shrinks by the same factor; fractions are rounded up with a probability equal to their size, so
    that sums are right on average.

    Parameters
    ----------
    counts
        Whole counts, cells x genes.
    ambient
        From :func:`estimate_ambient` on the same cells and genes; without a share nothing changes.
    seed
        Seed of the rounding.

    Returns
    -------
    Whole counts of the same shape and type, none above what it was or below 0.
    """
    share = ambient.record["share"]
    if not share:
        return counts.copy()
    sums = _per_cluster(counts, ambient.clusters)
    expected = share * sums.sum(axis=1)[:, None] * ambient.soup
    left = 1 - np.minimum(1.0, np.divide(expected, sums, out=np.ones_like(sums), where=sums > 0))
    result = counts.copy()
    rows = np.repeat(ambient.clusters, np.diff(result.indptr))
    exact = result.data * left[rows, result.indices]
    whole = np.floor(exact)
    up = np.random.default_rng(seed).random(len(exact)) < exact - whole
    result.data = (whole + up).astype(counts.dtype)
    result.eliminate_zeros()
    return result


def _per_cluster(matrix: sparse.csr_matrix, clusters: np.ndarray) -> np.ndarray:
    """Sum of the rows of each cluster: clusters x genes."""
    return group_sums(matrix, clusters, n_groups=int(clusters.max()) + 1)


def _candidates(
    counts: sparse.csr_matrix, clusters: np.ndarray, soup: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Genes that some clusters make and others do not.

    Returns, per gene: its share of the counts of the clusters that do not make it, the number of
    all counts in these clusters, and its share of the fluid.
    """
    sums = _per_cluster(counts, clusters)
    size = sums.sum(axis=1, keepdims=True)
    means = sums / np.maximum(size, 1.0)
    highest = means.max(axis=0)
    detected = _per_cluster((counts > 0).astype(np.float64), clusters)
    detected /= np.bincount(clusters)[:, None]
    at_top = detected[means.argmax(axis=0), np.arange(len(soup))]
    off = means < OFF_LEVEL * highest
    graded = (means >= OFF_LEVEL * highest) & (means < ON_LEVEL * highest)
    off_counts = (off * size).sum(axis=0)
    good = (at_top >= MIN_DETECTED) & (soup > 0)
    good &= off_counts >= MIN_OFF * size.sum()
    good &= (graded * size).sum(axis=0) <= MAX_GRADED * size.sum()
    genes = np.flatnonzero(good)
    genes = genes[np.argsort(-soup[genes] * off_counts[genes], kind="stable")][:MAX_GENES]
    seen = (off * sums).sum(axis=0)[genes]
    return seen / off_counts[genes], off_counts[genes], soup[genes]


def _line(
    means: np.ndarray, weights: np.ndarray, fluid: np.ndarray, *, seed: int
) -> dict[str, Any]:
    """Slope with its interval, or the reason why there is none."""
    n = len(means)
    found: dict[str, Any] = {"n_candidates": n}
    if n < MIN_GENES:
        reason = f"{n} genes are made by some clusters only; {MIN_GENES} are needed"
        return found | {"reason": reason}
    slope, fits = _fit(means, weights, fluid)
    found["n_genes"] = int(fits.sum())
    if found["n_genes"] < max(MIN_GENES, MIN_FIT * n):
        reason = f"only {found['n_genes']} of {n} genes agree on one level"
        return found | {"reason": reason}
    rng = np.random.default_rng(seed)
    draws = []
    for _ in range(BOOTSTRAP):
        drawn = rng.integers(0, n, n)
        draws.append(_fit(means[drawn], weights[drawn], fluid[drawn])[0])
    low, high = (float(value) for value in np.quantile(draws, [0.025, 0.975]))
    if slope > MAX_SHARE:
        return found | {"reason": f"the estimate of {slope:.0%} is not plausible"}
    if high - low > MAX_WIDTH:
        return found | {"reason": f"the interval is too wide ({low:.0%} to {high:.0%})"}
    return found | {"share": slope, "share_low": min(low, slope), "share_high": max(high, slope)}


def _fit(means: np.ndarray, weights: np.ndarray, fluid: np.ndarray) -> tuple[float, np.ndarray]:
    """Robust line through the lower edge of the genes: slope, and which genes lie on it.

    Genes that are made after all only ever lie above the line, so the spread is taken from those
    below it. The start is the first quartile of the ratio, weighted by the expected counts.
    """
    ratio = means / fluid
    order = np.argsort(ratio, kind="stable")
    mass = np.cumsum((weights * fluid)[order])
    slope = max(float(ratio[order][np.searchsorted(mass, 0.25 * mass[-1])]), 1e-4)
    level, spread = 0.0, _SPREAD[0]
    fits = np.ones(len(means), dtype=bool)
    for _ in range(_ROUNDS):
        line = np.maximum(level + slope * fluid, 1e-12)
        variance = line / weights + (spread * line) ** 2
        fits = means - line < _OUTLIER * np.sqrt(variance)
        before = level, slope
        level, slope = _weighted_line(fluid[fits], means[fits], 1 / variance[fits])
        line = np.maximum(level + slope * fluid, 1e-12)
        below = means < line
        beyond = ((means - line) ** 2 - line / weights)[below].sum()
        scale = (line[below] ** 2).sum()
        spread = float(np.sqrt(np.clip(beyond / max(scale, 1e-30), *np.square(_SPREAD))))
        if np.allclose(before, (level, slope), rtol=1e-4, atol=1e-9):
            break
    return slope, fits


def _weighted_line(x: np.ndarray, y: np.ndarray, weight: np.ndarray) -> tuple[float, float]:
    """Weighted least squares with intercept and slope of at least 0."""
    if len(x) == 0:
        return 0.0, 0.0
    root = np.sqrt(weight)
    # Columns of one size, so that the solver does not take a small share for 0.
    scale = np.array([1.0, max(float(np.abs(x).max()), 1e-30)])
    level, slope = nnls(np.column_stack([root, root * x / scale[1]]), root * y)[0] / scale
    return float(level), float(slope)
