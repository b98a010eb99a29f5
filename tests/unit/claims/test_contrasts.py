"""Tests on one value per patient, against enumeration and the formulas of the papers."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from osteotalk.claims.measures.contrasts import (
    MOST_RELABELLINGS,
    Split,
    attainable,
    compare,
    correlate,
    mean_interval,
    rank_correlations,
    spearman_interval,
)

numbers = st.integers(-50, 50).map(lambda i: i / 8)


def groups(first, second, pairs=()):
    return Split(np.array(first, float), np.array(second, float), np.array(pairs, float))


def relabelled(first, second, sign):
    """One-sided p-value over every way to deal the patients to two groups."""
    both = [*first, *second]
    seen = sign * (np.mean(first) - np.mean(second))
    counted = []
    for chosen in itertools.combinations(range(len(both)), len(first)):
        rest = [both[i] for i in range(len(both)) if i not in chosen]
        value = sign * (np.mean([both[i] for i in chosen]) - np.mean(rest))
        counted.append(value >= seen - 1e-9)
    return sum(counted) / len(counted)


@given(
    st.lists(numbers, min_size=3, max_size=5),
    st.lists(numbers, min_size=3, max_size=5),
    st.sampled_from([1, -1]),
)
def test_p_value_by_enumeration(first, second, sign):
    got = compare(groups(first, second), sign=sign, seed=0)
    assert got.p_value == pytest.approx(relabelled(first, second, sign))
    assert got.effect == pytest.approx(np.mean(first) - np.mean(second))
    assert got.low <= got.effect <= got.high


def test_welchs_interval_by_the_formula():
    first, second = np.array([3.0, 4.5, 5.0, 4.0]), np.array([1.0, 2.5, 0.0])
    a, b = first.var(ddof=1) / 4, second.var(ddof=1) / 3
    freedom = (a + b) ** 2 / (a**2 / 3 + b**2 / 2)
    width = stats.t.ppf(0.975, freedom) * math.sqrt(a + b)
    got = compare(groups(first, second), sign=1, seed=0)
    difference = first.mean() - second.mean()
    assert (got.low, got.high) == pytest.approx((difference - width, difference + width))
    assert got.p_value == 1 / 35  # perfectly ordered
    assert compare(groups(first, second), sign=-1, seed=0).p_value == 1.0


def test_groups_without_spread():
    got = compare(groups(np.ones(3), np.zeros(4)), sign=1, seed=0)
    assert (got.effect, got.low, got.high, got.p_value) == (1, 1, 1, 1 / 35)
    one_side = compare(groups(np.ones(3), np.array([0.0, 0.5, 0.1])), sign=1, seed=0)
    assert one_side.low < 0.8 < one_side.high
    same = compare(groups(np.ones(3), np.ones(3)), sign=1, seed=0)
    assert (same.effect, same.p_value) == (0, 1)


def test_many_patients_are_drawn_and_the_seed_tells():
    rng = np.random.default_rng(0)
    first, second = rng.normal(0.5, size=12), rng.normal(size=12)
    assert math.comb(24, 12) > MOST_RELABELLINGS
    p = [compare(groups(first, second), sign=1, seed=s).p_value for s in (0, 0, 1)]
    assert p[0] == p[1] != p[2]
    exact = stats.ttest_ind(first, second, alternative="greater").pvalue
    assert p == pytest.approx([exact] * 3, rel=0.15)


def turned(pairs, sign):
    """One-sided p-value over every way to turn the pairs."""
    seen = sign * np.mean(pairs)
    turns = itertools.product((1, -1), repeat=len(pairs))
    return np.mean([sign * np.mean(np.multiply(turn, pairs)) >= seen - 1e-9 for turn in turns])


@given(st.lists(numbers, min_size=3, max_size=8), st.sampled_from([1, -1]))
def test_pairs_by_enumeration_and_scipy(pairs, sign):
    got = compare(groups([], [], pairs), sign=sign, seed=0)
    assert got.p_value == pytest.approx(turned(pairs, sign))
    flipped = stats.permutation_test(
        (sign * np.array(pairs),), np.mean, permutation_type="samples", alternative="greater"
    )
    assert got.p_value == pytest.approx(flipped.pvalue)
    mean = (float(np.mean(pairs)),)
    assert (got.effect, got.low, got.high) == pytest.approx(
        mean_interval(np.array(pairs)), abs=1e-9
    )
    assert got.effect == pytest.approx(mean[0])


def test_differences_that_are_ranks_give_wilcoxons_test():
    rng = np.random.default_rng(2)
    for _ in range(10):
        ranks = rng.permutation(np.arange(1, 10)) * rng.choice([-1, 1], 9)
        got = compare(groups([], [], ranks), sign=1, seed=0).p_value
        expected = stats.wilcoxon(ranks, alternative="greater", method="exact").pvalue
        assert got == pytest.approx(expected)


@given(
    st.lists(numbers, min_size=2, max_size=4),
    st.lists(numbers, min_size=2, max_size=4),
    st.lists(numbers, min_size=2, max_size=4),
    st.sampled_from([1, -1]),
)
def test_pairs_beside_groups_by_enumeration(first, second, pairs, sign):
    """The test of both at once turns pairs and deals groups; the weights are those of numbers."""
    got = compare(groups(first, second, pairs), sign=sign, seed=0)
    n, a, b = len(pairs), len(first), len(second)
    share = (n / 2) / (n / 2 + a * b / (a + b))
    both = [*first, *second]

    def effect(turn, chosen):
        rest = [both[i] for i in range(a + b) if i not in chosen]
        dealt = np.mean([both[i] for i in chosen]) - np.mean(rest)
        return share * np.mean(np.multiply(turn, pairs)) + (1 - share) * dealt

    seen = effect(np.ones(n), range(a))
    found = [
        sign * effect(turn, chosen) >= sign * seen - 1e-9
        for turn in itertools.product((1, -1), repeat=n)
        for chosen in itertools.combinations(range(a + b), a)
    ]
    assert got.p_value == pytest.approx(np.mean(found))
    assert got.effect == pytest.approx(seen)
    parts = [(share, pairs), (1 - share, first), (1 - share, second)]
    errors = [w**2 * np.var(x, ddof=1) / len(x) for w, x in parts]
    if sum(errors) > 0:
        freedom = sum(errors) ** 2 / sum(
            e**2 / (len(x) - 1) for e, (_, x) in zip(errors, parts, strict=True)
        )
        width = stats.t.ppf(0.975, freedom) * math.sqrt(sum(errors))
        assert (got.low, got.high) == pytest.approx((seen - width, seen + width), abs=1e-9)


def test_many_pairs_are_drawn():
    rng = np.random.default_rng(1)
    pairs, first, second = rng.normal(0.4, size=20), rng.normal(0.3, size=5), rng.normal(size=5)
    for split in (groups([], [], pairs), groups(first, second, pairs)):
        p = [compare(split, sign=1, seed=seed).p_value for seed in (0, 0, 1)]
        assert p[0] == p[1] != p[2]
        assert p[2] == pytest.approx(p[0], abs=0.01)
    exact = stats.ttest_1samp(pairs, 0, alternative="greater").pvalue
    assert compare(groups([], [], pairs), sign=1, seed=0).p_value == pytest.approx(exact, abs=0.003)


@pytest.mark.parametrize(("n", "a", "b"), [(6, 0, 0), (4, 3, 3), (20, 0, 0)])
def test_p_values_of_exchanged_pairs_are_uniform(n, a, b):
    """Patients differ tenfold more than their two samples; no p-value comes too often."""
    rng = np.random.default_rng(9)
    p = []
    for seed in range(400):
        split = groups(
            rng.normal(0, 10, a), rng.normal(0, 10, b), rng.normal(size=n) - rng.normal(size=n)
        )
        p.append(compare(split, sign=1, seed=seed).p_value)
    for limit in (0.05, 0.1, 0.25, 0.5):
        share = np.mean(np.array(p) <= limit)
        assert share <= limit + 3 * math.sqrt(limit * (1 - limit) / len(p))
        assert share >= limit - 0.02 - 3 * math.sqrt(limit * (1 - limit) / len(p))


@pytest.mark.parametrize(("pairs", "p"), [(3, 1 / 8), (5, 1 / 32), (6, 1 / 64)])
def test_the_smallest_p_that_pairs_allow(pairs, p):
    assert attainable(0, 0, pairs=pairs) == p
    assert attainable(3, 3, pairs=pairs) == pytest.approx(p / 20)
    assert compare(groups([], [], np.arange(1, pairs + 1)), sign=1, seed=0).p_value == p


@pytest.mark.parametrize(
    ("first", "second", "p"), [(2, 4, 1 / 15), (3, 3, 1 / 20), (4, 4, 1 / 70), (2, 2, 1 / 6)]
)
def test_the_smallest_p_that_patients_allow(first, second, p):
    assert attainable(first, second) == pytest.approx(p)


@pytest.mark.parametrize("n", [5, 6, 7])
@pytest.mark.parametrize("sign", [1, -1])
def test_correlation_by_enumeration(n, sign):
    rng = np.random.default_rng(n)
    x, y = rng.integers(0, 9, n).astype(float), rng.normal(size=n)  # with ties
    got = correlate(x, y, sign=sign, seed=0)
    assert got.effect == pytest.approx(stats.spearmanr(x, y).statistic)
    ranks, orders = stats.rankdata(x), np.array(list(itertools.permutations(stats.rankdata(y))))
    rho = (orders - orders.mean()) @ (ranks - ranks.mean()) / n / ranks.std() / orders[0].std()
    expected = np.mean(sign * rho >= sign * got.effect - 1e-9)
    assert got.p_value == pytest.approx(expected)
    assert got.low <= got.effect <= got.high


def test_interval_of_rho_by_the_formula():
    low, high = spearman_interval(0.6, 12)
    z, width = math.atanh(0.6), 1.959963985 * math.sqrt((1 + 0.36 / 2) / 9)
    assert (low, high) == pytest.approx((math.tanh(z - width), math.tanh(z + width)))
    for rho in (-1.0, -0.7, 0.0, 1.0):
        low, high = spearman_interval(rho, 5)
        assert -1 <= low <= rho + 1e-9
        assert rho - 1e-9 <= high <= 1


def test_columns_of_rank_correlations():
    rng = np.random.default_rng(0)
    along = rng.integers(0, 4, size=9).astype(float)
    values = rng.integers(0, 4, size=(9, 6)).astype(float)
    values[:, 4], values[2, 5] = 7.0, np.nan
    got = rank_correlations(values, along)
    expected = [stats.spearmanr(values[:, i], along).statistic for i in range(4)]
    np.testing.assert_allclose(got[:4], expected)
    assert np.isnan(got[4:]).all()  # without variation; not known for every patient


def test_interval_of_a_mean():
    values = np.array([1.0, 2.0, 4.0, 9.0])
    low, high = stats.t.interval(0.95, 3, loc=4.0, scale=stats.sem(values))
    assert mean_interval(values) == pytest.approx((4.0, low, high))
    mean, low, high = mean_interval(np.array([2.5]))
    assert (mean, math.isnan(low), math.isnan(high)) == (2.5, True, True)
    assert mean_interval(np.full(3, 2.0)) == (2.0, 2.0, 2.0)
