"""One rank out of several scores.

LIANA 1.10 ranks a score column twice if two of its methods share it, and the second pass turns it
round; its `magnitude_rank` is wrong for that reason. Here every distinct column counts once.
"""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import pandas as pd
from scipy.stats import beta, rankdata

# Score column to whether a low value is a strong interaction.
MAGNITUDE: Mapping[str, bool] = MappingProxyType(
    {"lr_means": False, "expr_prod": False, "lrscore": False}
)
SPECIFICITY: Mapping[str, bool] = MappingProxyType(
    {"p_value": True, "scaled_weight": False, "lr_logfc": False, "spec_weight": False}
)


def robust_rank_aggregate(scores: pd.DataFrame, columns: Mapping[str, bool]) -> np.ndarray:
    """Aggregate the ranks of several scores.

    For an interaction with normalised ranks r(1) <= ... <= r(k), the result is k times the smallest
    of the probabilities that the j-th smallest of k uniform numbers is below r(j), at most 1. Ranks
    are averaged over ties and divided by the largest rank of their column, as LIANA does.

    Parameters
    ----------
    scores
        One row per interaction.
    columns
        Score column to whether low values are strong. Each is ranked once.

    Returns
    -------
    One value per row, 0 to 1; low is strong.

    Raises
    ------
    ValueError
        If a score is not a number.

    References
    ----------
    Kolde et al. 2012, Bioinformatics 28, 573, doi:10.1093/bioinformatics/btr709.
    """
    if scores.empty:
        return np.empty(0)
    values = scores[list(columns)].to_numpy(dtype=np.float64)
    bad = [name for name, column in zip(columns, values.T, strict=True) if np.isnan(column).any()]
    if bad:
        msg = f"scores that are not numbers cannot be ranked: {', '.join(bad)}"
        raise ValueError(msg)
    ranks = np.column_stack(
        [
            rankdata(column if low_is_strong else -column, method="average")
            for column, low_is_strong in zip(values.T, columns.values(), strict=True)
        ]
    )
    ordered = np.sort(ranks / ranks.max(axis=0), axis=1)
    k = ordered.shape[1]
    position = np.arange(1, k + 1)
    probabilities = beta.cdf(ordered, position, k - position + 1)
    return np.minimum(probabilities.min(axis=1) * k, 1.0)
