"""One rank out of several scores.

LIANA 1.10 ranks a score column twice if two of its methods share it, and the second pass turns it
round; its `magnitude_rank` is wrong for that reason. Here every distinct column counts once.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.special import betainc
from scipy.stats import rankdata

from osteotalk.interactions.methods import P_VALUE


def _ranks(scores: pd.DataFrame, columns: Sequence[str]) -> np.ndarray:
    """Rank each column from strong to weak, with the mean rank of a tie for all of it."""
    values = scores[list(columns)].to_numpy(dtype=np.float64)
    bad = [name for name, column in zip(columns, values.T, strict=True) if np.isnan(column).any()]
    if bad:
        msg = f"scores that are not numbers cannot be ranked: {', '.join(bad)}"
        raise ValueError(msg)
    # Of all scores a high value is strong, but for the p-value.
    signs = np.array([1 if name == P_VALUE else -1 for name in columns])
    return rankdata(values * signs, method="average", axis=0)


def robust_rank_aggregate(scores: pd.DataFrame, columns: Sequence[str]) -> np.ndarray:
    """Aggregate the ranks of several scores.

    For an interaction with normalised ranks r(1) <= ... <= r(k), the result is k times the smallest
    of the probabilities that the j-th smallest of k uniform numbers is below r(j), at most 1. Ranks
    are averaged over ties and divided by the largest rank of their column, as LIANA does.

    Parameters
    ----------
    scores
        One row per interaction.
    columns
        Score columns; each is ranked once.

    Returns
    -------
    One value per row, 0 to 1; low is strong. NaN if there is no column.

    Raises
    ------
    ValueError
        If a score is not a number.

    References
    ----------
    Kolde et al. 2012, Bioinformatics 28, 573, doi:10.1093/bioinformatics/btr709.
    """
    if scores.empty or not columns:
        return np.full(len(scores), np.nan)
    ranks = _ranks(scores, columns)
    ordered = np.sort(ranks / ranks.max(axis=0), axis=1)
    k = ordered.shape[1]
    position = np.arange(1, k + 1)
    probabilities = betainc(position, k - position + 1, ordered)
    return np.minimum(probabilities.min(axis=1) * k, 1.0)


def mean_rank(scores: pd.DataFrame, columns: Sequence[str]) -> np.ndarray:
    """Mean of the ranks of several scores over the number of rows.

    Parameters, ties and errors as in `robust_rank_aggregate`.

    Returns
    -------
    One value per row, above 0 and up to 1; low is strong. NaN if there is no column.
    """
    if scores.empty or not columns:
        return np.full(len(scores), np.nan)
    return _ranks(scores, columns).mean(axis=1) / len(scores)


CONSENSUS = {"rra": robust_rank_aggregate, "mean": mean_rank}
