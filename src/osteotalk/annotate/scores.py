"""Marker scores: expression of markers beyond other genes of a similar level."""

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from osteotalk.clusters import group_sums

# Genes are compared with those of the same of so many bins of their level, as in scanpy.
BINS = 25
# The level of a gene is this quantile of its means over the clusters,
LOW = 0.1
# of which each has so many cells.
MIN_CELLS = 10
# No marker is compared with genes above this quantile of the levels of expressed genes.
HIGHEST = 0.75
# Cells looked at at once.
CHUNK = 10_000


def marker_excess(
    adata: AnnData, genes: list[str], *, others: list[str], groups: pd.Series
) -> pd.DataFrame:
    """Expression of each marker beyond other genes of a similar level.

    This is the score of Tirosh et al. for one gene at a time, with three choices. The level of a
    gene is not its mean over all cells: that of a marker grows with the share of its population,
    which would make the markers of an abundant population be compared with loud genes. It is the
    level in the clusters that show the gene least, see `levels`. The genes compared with are never
    markers themselves, and all of the same bin are used instead of a random draw, which needs no
    seed. The score of a list is the mean over its genes, so every list comes from one pass over
    the data. Unlike enrichment scores it stays in log1p units, which do not depend on the length
    of the list or on which other populations are there, so that one threshold serves all of them.

    Where one population is nearly all there is, no cluster shows the level without it. So no
    marker is compared with genes of a higher level than HIGHEST of the expressed genes have.

    Parameters
    ----------
    adata
        Log-normalised expression (CSR), cells x genes.
    genes
        Measured markers.
    others
        All markers of the vocabulary: none of them is a gene to compare with.
    groups
        Cluster of each cell.

    Returns
    -------
    Cells x `genes`, in log1p units.

    Raises
    ------
    ValueError
        If the data hold too few other genes to compare with (a small gene panel).

    References
    ----------
    Tirosh et al. 2016, Science 352, 189, doi:10.1126/science.aad0501.
    """
    pool = np.flatnonzero(~adata.var_names.isin([*genes, *others]))
    size = round((len(pool) + 1) / (BINS - 1))
    if size < 2:
        msg = (
            "the markers cannot be scored: too few genes of similar expression to compare them "
            f"with among {adata.n_vars} genes, of which {len(pool)} are no markers"
        )
        raise ValueError(msg)
    columns = adata.var_names.get_indexer(genes)
    level = levels(adata, groups)
    pool_level = level[pool]
    expressed = pool_level[pool_level > 0]
    highest = np.quantile(expressed, HIGHEST) if len(expressed) else 0.0
    rank = 1 + np.searchsorted(np.sort(pool_level), pool_level, side="left")
    controls = [
        _controls(pool_level, rank, value=min(level[column], highest), size=size)
        for column in columns
    ]
    bins: dict[bytes, int] = {}
    which = [bins.setdefault(chosen.tobytes(), len(bins)) for chosen in controls]
    weights = np.zeros((adata.n_vars, len(bins)))
    for chosen, i in zip(controls, which, strict=True):
        weights[pool[chosen], i] = 1 / chosen.sum()
    excess = np.empty((adata.n_obs, len(genes)), dtype=np.float32)
    for start in range(0, adata.n_obs, CHUNK):
        rows = sparse.csr_matrix(adata.X[start : start + CHUNK])
        similar = np.asarray(rows @ weights)[:, which]
        excess[start : start + CHUNK] = rows[:, columns].toarray() - similar
    return pd.DataFrame(excess, index=adata.obs_names, columns=genes)


def levels(adata: AnnData, groups: pd.Series) -> np.ndarray:
    """Level of each gene in the clusters that show it least, whatever their sizes.

    Parameters
    ----------
    adata
        Log-normalised expression (CSR), cells x genes.
    groups
        Cluster of each cell. Those with fewer than MIN_CELLS cells are left out; if all are,
        the cells are one group.

    Returns
    -------
    For each gene, the LOW quantile of its means over the clusters; in log1p units.
    """
    names = groups.astype(str)
    counts = names.value_counts()
    kept = sorted(counts.index[counts >= MIN_CELLS])
    codes = pd.Index(kept).get_indexer(pd.Index(names)) if kept else np.zeros(len(names), dtype=int)
    sums = np.zeros((max(len(kept), 1), adata.n_vars))
    for start in range(0, adata.n_obs, CHUNK):
        rows = sparse.csr_matrix(adata.X[start : start + CHUNK])
        sums += group_sums(rows, codes[start : start + CHUNK], n_groups=len(sums))
    means = sums / np.bincount(codes[codes >= 0], minlength=len(sums))[:, None]
    # Rounded, so that the order of the cells cannot move a gene from bin to bin.
    return np.asarray(np.quantile(means, LOW, axis=0).round(9))


def _controls(pool: np.ndarray, rank: np.ndarray, *, value: float, size: int) -> np.ndarray:
    """Which genes of the pool are in the bin of a gene of level `value`; boolean.

    Bins hold `size` genes in order of their level, the gene itself included. A gene alone in its
    bin, which can only be the first or the last, takes the one beside it.
    """
    cut = (1 + int((pool < value).sum())) // size
    bins = (rank + (value < pool)) // size
    nearest = bins[np.argmin(np.abs(bins - cut))]
    return np.asarray(bins == nearest)


def is_seen(adata: AnnData, genes: list[str]) -> pd.DataFrame:
    """Whether a cell has a count of a marker: cells x `genes`, boolean."""
    matrix = sparse.csr_matrix(adata.X)[:, adata.var_names.get_indexer(genes)]
    return pd.DataFrame((matrix > 0).toarray(), index=adata.obs_names, columns=genes)
