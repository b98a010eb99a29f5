"""Ranks against the binomial distribution and by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from osteotalk.interactions.consensus import CONSENSUS, mean_rank, robust_rank_aggregate

ROWS = st.lists(
    st.tuples(*[st.floats(-5, 5, allow_nan=False)] * 3), min_size=1, max_size=30, unique=True
)
BOTH = pytest.mark.parametrize("aggregate", CONSENSUS.values(), ids=CONSENSUS)


def naive_rra(ranks):
    """Robust rank aggregation for one row at a time, from the order statistics' binomial tail."""
    results = []
    for row in ranks:
        k, best = len(row), 1.0
        for j, r in enumerate(sorted(row), start=1):
            # the j-th smallest of k uniform numbers is at most r if at least j of them are
            best = min(best, sum(stats.binom.pmf(i, k, r) for i in range(j, k + 1)))
        results.append(min(best * k, 1.0))
    return results


def test_ranks_of_three_rows_by_hand():
    scores = pd.DataFrame({"up": [3.0, 2.0, 1.0], "p_value": [0.1, 0.2, 0.3]})
    # normalised ranks 1/3, 2/3, 1 in both columns; P(both < r) = r^2, P(one < r) = 1 - (1 - r)^2
    expected = [min(1, 2 * min(1 - (1 - r) ** 2, r**2)) for r in (1 / 3, 2 / 3, 1)]
    np.testing.assert_allclose(robust_rank_aggregate(scores, list(scores)), expected)
    np.testing.assert_allclose(mean_rank(scores, list(scores)), [1 / 3, 2 / 3, 1])


@given(ROWS)
def test_robust_ranks_by_the_binomial_tail(rows):
    scores = pd.DataFrame(rows, columns=["a", "p_value", "c"])
    ranks = np.column_stack(
        [stats.rankdata(sign * scores[c]) for c, sign in zip(scores, (-1, 1, -1), strict=True)]
    )
    found = robust_rank_aggregate(scores, list(scores))
    np.testing.assert_allclose(found, naive_rra(ranks / ranks.max(axis=0)), rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(mean_rank(scores, list(scores)), ranks.mean(axis=1) / len(rows))


def test_ties_get_their_mean_rank():
    scores = pd.DataFrame({"a": [5.0, 5.0, 1.0, 0.0], "b": [1.0, 2.0, 2.0, 2.0]})
    np.testing.assert_allclose(
        mean_rank(scores, ["a", "b"]), np.array([1.5 + 4, 1.5 + 2, 3 + 2, 4 + 2]) / 2 / 4
    )
    # of all equal values the mean rank is also the largest: all are last
    np.testing.assert_array_equal(robust_rank_aggregate(pd.DataFrame({"a": [2.0] * 4}), ["a"]), 1)


@BOTH
@given(rows=ROWS)
def test_ranks_are_bounded_and_follow_the_rows(aggregate, rows):
    frame = pd.DataFrame(rows, columns=["a", "b", "c"])
    found = aggregate(frame, list(frame))
    assert ((found > 0) & (found <= 1)).all()
    np.testing.assert_allclose(aggregate(frame[::-1], list(frame))[::-1], found)
    np.testing.assert_allclose(aggregate(frame, ["c", "a", "b"]), found)
    np.testing.assert_allclose(aggregate(frame.assign(a=frame["a"] * 8), list(frame)), found)


@BOTH
def test_missing_scores_are_refused(aggregate):
    scores = pd.DataFrame({"a": [1.0], "b": [np.nan], "p_value": [np.nan], "unused": [np.nan]})
    with pytest.raises(
        ValueError, match="^scores that are not numbers cannot be ranked: b, p_value$"
    ):
        aggregate(scores, ["a", "b", "p_value"])


@BOTH
def test_nothing_to_rank(aggregate):
    assert aggregate(pd.DataFrame({"a": []}), ["a"]).size == 0
    np.testing.assert_array_equal(aggregate(pd.DataFrame({"a": [1.0, 2.0]}), []), [np.nan] * 2)
