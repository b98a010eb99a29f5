"""Marker scores: expression of markers beyond genes of the same level."""

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from osteotalk.annotate.tree import Markers

# Genes are compared with those of the same of so many bins of mean expression, as in scanpy.
BINS = 25
# A marker counts as detected in a group of cells if this share of them has a count of it.
DETECTED = 0.1
# Cells looked at at once.
CHUNK = 10_000


def marker_excess(adata: AnnData, genes: list[str], *, others: list[str]) -> pd.DataFrame:
    """Expression of each marker beyond genes of the same mean expression.

    This is the score of Tirosh et al. as `scanpy.tl.score_genes` computes it, for one gene at a
    time, with two choices: the genes compared with are never markers themselves, and all of the
    same bin are used instead of a random draw, which needs no seed. The score of a list is the
    mean over its genes, so every list comes from one pass over the data. Unlike enrichment scores
    it stays in log1p units, which do not depend on the length of the list or on which other
    populations are there, so that one threshold serves all of them.

    Parameters
    ----------
    adata
        Log-normalised expression (CSR), cells x genes.
    genes
        Measured markers.
    others
        All markers of the vocabulary: none of them is a gene to compare with.

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
    means = np.asarray(adata.X.mean(axis=0, dtype=np.float64)).ravel()
    pool = np.flatnonzero(~adata.var_names.isin([*genes, *others]))
    size = round((len(pool) + 1) / (BINS - 1))
    if size < 2:
        msg = (
            "the markers cannot be scored: too few genes of similar expression to compare them "
            f"with among {adata.n_vars} genes, of which {len(pool)} are no markers"
        )
        raise ValueError(msg)
    columns = adata.var_names.get_indexer(genes)
    pool_means = means[pool]
    rank = 1 + np.searchsorted(np.sort(pool_means), pool_means, side="left")
    controls = [_controls(pool_means, rank, value=means[column], size=size) for column in columns]
    unique, which = np.unique(np.array(controls), axis=0, return_inverse=True)
    weights = np.zeros((adata.n_vars, len(unique)))
    for i, chosen in enumerate(unique):
        weights[pool[chosen], i] = 1 / chosen.sum()
    excess = np.empty((adata.n_obs, len(genes)), dtype=np.float32)
    for start in range(0, adata.n_obs, CHUNK):
        rows = sparse.csr_matrix(adata.X[start : start + CHUNK])
        level = np.asarray(rows @ weights)[:, which.ravel()]
        excess[start : start + CHUNK] = rows[:, columns].toarray() - level
    return pd.DataFrame(excess, index=adata.obs_names, columns=genes)


def _controls(pool: np.ndarray, rank: np.ndarray, *, value: float, size: int) -> np.ndarray:
    """Which genes of the pool are in the bin of a gene of mean `value`; boolean.

    Bins hold `size` genes in order of their mean, the gene itself included. A gene alone in its
    bin, which can only be the first or the last, takes the one beside it.
    """
    cut = (1 + int((pool < value).sum())) // size
    bins = (rank + (value < pool)) // size
    nearest = bins[np.argmin(np.abs(bins - cut))]
    return np.asarray(bins == nearest)


def list_scores(excess: pd.DataFrame, lists: dict[str, Markers]) -> pd.DataFrame:
    """Score of each marker list: the mean over its markers, less what negative markers show.

    Parameters
    ----------
    excess
        Cells, or groups of cells, x markers.
    lists
        Population to its markers. What the negative ones show on average is subtracted; their
        absence is no evidence for the population.

    Returns
    -------
    Same rows x populations, in log1p units.
    """
    scores = {}
    for name, markers in lists.items():
        score = excess[list(markers.positive)].to_numpy().mean(axis=1)
        if markers.negative:
            against = excess[list(markers.negative)].to_numpy().mean(axis=1)
            score = score - np.clip(against, 0, None)
        scores[name] = score
    return pd.DataFrame(scores, index=excess.index)


def is_seen(adata: AnnData, genes: list[str]) -> pd.DataFrame:
    """Whether a cell has a count of a marker: cells x `genes`, boolean."""
    matrix = sparse.csr_matrix(adata.X)[:, adata.var_names.get_indexer(genes)]
    return pd.DataFrame((matrix > 0).toarray(), index=adata.obs_names, columns=genes)


def shares_detected(rates: pd.DataFrame, lists: dict[str, Markers]) -> pd.DataFrame:
    """Share of each list's positive markers, measured or not, that a group of cells shows.

    A score can be high through one gene alone (XBP1 in breast epithelium and plasma cells); a
    population has to show more of its markers.

    Parameters
    ----------
    rates
        Groups x markers: share of the cells with a count.
    lists
        Population to its markers.

    Returns
    -------
    Groups x populations, 0 to 1.
    """
    detected = rates >= DETECTED
    return pd.DataFrame(
        {
            name: detected[list(markers.positive)].sum(axis=1) / markers.listed
            for name, markers in lists.items()
        }
    )
