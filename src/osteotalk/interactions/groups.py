"""Mean expression and detection of genes per population."""

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse


def group_statistics(adata: AnnData, groupby: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Mean and share of cells with a count, per population and gene.

    Parameters
    ----------
    adata
        Expression, cells x genes (sparse).
    groupby
        Column of `obs` with the population.

    Returns
    -------
    Two frames, populations (sorted) x genes: mean of `X`, and share of cells with `X` > 0.
    """
    labels, codes = np.unique(adata.obs[groupby].astype(str), return_inverse=True)
    membership = sparse.csr_matrix(
        (np.ones(adata.n_obs), (codes, np.arange(adata.n_obs))), shape=(len(labels), adata.n_obs)
    )
    sizes = np.bincount(codes)[:, None]
    matrix = sparse.csr_matrix(adata.X, dtype=np.float64)
    means = np.asarray((membership @ matrix).todense()) / sizes
    shares = np.asarray((membership @ (matrix > 0).astype(np.float64)).todense()) / sizes
    genes = adata.var_names
    return (
        pd.DataFrame(means, index=labels, columns=genes),
        pd.DataFrame(shares, index=labels, columns=genes),
    )


def limiting_subunits(
    complexes: pd.Series, populations: pd.Series, means: pd.DataFrame
) -> pd.Series:
    """Subunit of each complex with the lowest mean in its population; on a tie the first.

    Parameters
    ----------
    complexes, populations
        One per row.
    means
        Populations x genes.

    Returns
    -------
    Gene symbol per row, with the index of `complexes`.
    """
    values = means.to_numpy()
    limiting = {}
    for name in complexes.unique():
        genes = name.split("_")
        lowest = values[:, means.columns.get_indexer(genes)].argmin(axis=1)
        limiting[name] = dict(zip(means.index, (genes[i] for i in lowest), strict=True))
    return pd.Series(
        [limiting[name][p] for name, p in zip(complexes, populations, strict=True)],
        index=complexes.index,
        dtype=object,
    )


def detection(adata: AnnData) -> pd.Series:
    """Share of all cells of a cohort in which each gene is detected, by gene symbol."""
    return pd.Series(
        np.asarray((adata.X > 0).sum(axis=0)).ravel() / adata.n_obs, index=adata.var_names
    )
