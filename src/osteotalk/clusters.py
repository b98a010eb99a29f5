"""Groups of cells: found in a graph of neighbours, and added up."""

from typing import Any

import numpy as np
from anndata import AnnData
from scipy import sparse


def leiden(cells: AnnData, *, resolution: float, seed: int, key: str = "leiden") -> np.ndarray:
    """Cluster cells whose neighbours are known.

    Parameters
    ----------
    cells
        With the graph of neighbours of scanpy; gets the clusters as column `key` of `obs`.
    resolution, seed
        Of Leiden.

    Returns
    -------
    Number of the cluster of each cell, from 0.

    References
    ----------
    Traag et al. 2019, Sci. Rep. 9, 5233, doi:10.1038/s41598-019-41695-z.
    """
    import scanpy as sc  # here: it takes seconds to import

    sc.tl.leiden(
        cells,
        resolution=resolution,
        key_added=key,
        flavor="igraph",
        n_iterations=2,
        directed=False,
        random_state=seed,
    )
    return cells.obs[key].to_numpy().astype(np.int64)


def group_sums(matrix: Any, groups: np.ndarray, *, n_groups: int) -> np.ndarray:
    """Add up the rows of each group.

    Parameters
    ----------
    matrix
        Cells x anything, sparse or not; or one number per cell.
    groups
        Number of the group of each cell; -1 for none.
    n_groups
        How many groups there are.

    Returns
    -------
    Groups x anything, float64.
    """
    used = np.flatnonzero(groups >= 0)
    shape = (n_groups, matrix.shape[0])
    member = sparse.csr_matrix((np.ones(len(used)), (groups[used], used)), shape=shape)
    sums = member @ matrix
    return np.asarray(sums.toarray() if sparse.issparse(sums) else sums, dtype=np.float64)
