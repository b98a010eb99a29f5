"""Parts of a group of cells, by its own variable genes."""

import warnings

import numpy as np
import scanpy as sc
from anndata import AnnData
from scipy import sparse

from osteotalk.clusters import leiden

# A part has at least so many cells and so many counts; what is in smaller ones is one part.
LEAST_CELLS, LEAST_COUNTS = 5, 8000
# A group is parted if it could have so many parts.
LEAST_PARTS = 3
# A gene is looked at if so many cells of the group show it.
LEAST_SHOWN = 3
# The resolution is halved while parts that are large enough have less than this share of the
# cells, down to LEAST_RESOLUTION: shallow cells are parted coarsely, not thrown together.
LEAST_PARTED, LEAST_RESOLUTION = 0.5, 0.25
GENES, COMPONENTS, NEIGHBOURS = 500, 10, 15


def part(adata: AnnData, rows: np.ndarray, *, resolution: float, seed: int) -> np.ndarray:
    """Cluster some cells by their own variable genes.

    Parameters
    ----------
    adata
        Cells x genes: log-normalised `X`, and `obs["n_counts"]`.
    rows
        The cells.
    resolution
        Of Leiden, at most.
    seed
        Seed of PCA, neighbours and Leiden.

    Returns
    -------
    Number of the part of each of the cells, from 0.
    """
    counts = adata.obs["n_counts"].to_numpy(dtype=float)[rows]
    least = max(LEAST_CELLS, int(np.ceil(LEAST_COUNTS / max(float(np.median(counts)), 1.0))))
    if len(rows) < LEAST_PARTS * least:
        return np.zeros(len(rows), dtype=int)
    x = sparse.csr_matrix(adata.X[rows])
    shown = np.flatnonzero(x.getnnz(axis=0) >= LEAST_SHOWN)
    cells = AnnData(x[:, shown])
    n_components = min(COMPONENTS, len(rows) - 2, len(shown) - 1)
    if n_components < 2:
        return np.zeros(len(rows), dtype=int)
    near = int(min(NEIGHBOURS, max(LEAST_PARTS, least)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sc.pp.highly_variable_genes(cells, n_top_genes=min(GENES, len(shown)))
        if int(cells.var["highly_variable"].sum()) <= n_components:
            return np.zeros(len(rows), dtype=int)
        sc.pp.pca(cells, n_comps=n_components, mask_var="highly_variable", random_state=seed)
        sc.pp.neighbors(cells, n_neighbors=near, random_state=seed)
        while True:
            found = leiden(cells, resolution=resolution, seed=seed)
            sizes = np.bincount(found)
            large = np.flatnonzero(sizes >= least)
            if sizes[large].sum() >= LEAST_PARTED * len(rows) or resolution <= LEAST_RESOLUTION:
                break
            resolution /= 2
    number = np.full(len(sizes), len(large))
    number[large] = np.arange(len(large))
    return np.unique(number[found], return_inverse=True)[1]
