"""The cells of a pair against dense columns, and drawn p-values against all assignments."""

import itertools
import math

import numpy as np
import pytest
from scipy import sparse

from osteotalk.interactions.nulls.draws import FIRST_LOOK, drawn_tail
from osteotalk.interactions.nulls.moments import drawing_error
from osteotalk.interactions.nulls.pair_cells import MAX_POINTS, bins, expressing
from osteotalk.interactions.nulls.tails import edge_tail


def matrix(rng, n_cells, shares):
    """Expression of some genes, the given shares of zeros apart."""
    columns = [rng.gamma(2, 0.5, n_cells) * (rng.random(n_cells) < share) for share in shares]
    return np.column_stack(columns)


def edge_p(*edge):
    """P-value of an edge."""
    return math.exp(min(edge_tail(*edge)[0], 0))


@pytest.mark.parametrize("pair", list(itertools.product(range(5), range(5))))
def test_expressing_cells_are_those_of_the_dense_columns(pair):
    dense = matrix(np.random.default_rng(1), 80, (0.0, 0.02, 0.4, 0.9, 1.0))
    columns = sparse.csc_matrix(dense)
    x, y = dense[:, pair[0]], dense[:, pair[1]]
    on = (x > 0) | (y > 0)
    found = expressing(columns.indptr, columns.indices, columns.data, *pair)
    np.testing.assert_array_equal(found, (x[on], y[on]))


@pytest.mark.parametrize("shares", [(0.5, 0.4), (0.03, 0.9), (1.0, 1.0), (0.2, 0.0)])
def test_bins_keep_cells_sums_variances_and_covariance(shares):
    dense = matrix(np.random.default_rng(2), 3000, shares)
    x, y = dense[(dense > 0).any(axis=1)].T.copy()
    point_x, point_y, weight = bins(x, y)
    assert len(weight) <= min(MAX_POINTS, len(x))
    assert (weight > 0).all()
    assert weight.sum() == pytest.approx(len(x))
    assert (weight * point_x).sum() == pytest.approx(x.sum())
    assert (weight * point_y).sum() == pytest.approx(y.sum())
    assert (weight * point_x**2).sum() == pytest.approx((x**2).sum(), rel=1e-3)
    assert (weight * point_y**2).sum() == pytest.approx((y**2).sum(), rel=1e-3)
    assert (weight * point_x * point_y).sum() == pytest.approx((x * y).sum(), rel=1e-3)
    # cells of one gene, of the other and of both are kept apart
    for in_x, in_y in ((True, True), (True, False), (False, True)):
        expected = (((x > 0) == in_x) & ((y > 0) == in_y)).sum()
        found = weight[((point_x > 0) == in_x) & ((point_y > 0) == in_y)].sum()
        assert found == pytest.approx(expected)


def test_a_bin_of_equal_cells_is_one_point():
    x, y = np.repeat([[1.0, 2.0], [0.0, 0.3]], 150, axis=1)
    np.testing.assert_allclose(
        sorted(zip(*bins(x, y), strict=True)), [(1.0, 0.0, 150), (2.0, 0.3, 150)]
    )


@pytest.mark.parametrize("shares", [(0.5, 0.4), (0.05, 0.9), (1.0, 1.0), (0.1, 0.1)])
@pytest.mark.parametrize(
    ("n_a", "n_b", "same"), [(40, 300, False), (60, 60, True), (12, 15, False)]
)
def test_bins_hardly_change_a_p_value(shares, n_a, n_b, same):
    """Also for a gene with itself. A thousandth of log10 p is a quarter of a percent of p."""
    dense = matrix(np.random.default_rng(3), 3000, shares)
    for both in (dense, dense[:, [0, 0]]):
        x, y = both[(both > 0).any(axis=1)].T.copy()
        a, b = both[:, 0] / n_a**0.5, both[:, 1] / n_b**0.5
        spread = (a + b).std() if same else math.hypot(a.std(), b.std())
        for deviations in (-1, 0, 1, 2, 3, 4):
            sizes = (n_a, n_b, same, 3000, both.mean(axis=0).sum() + deviations * spread)
            exact = edge_p(x, y, np.ones(len(x)), *sizes)
            binned = edge_p(*bins(x, y), *sizes)
            assert abs(math.log10(binned / exact)) < 0.005 * max(deviations, 1)


def test_bins_and_two_populations_that_are_everything():
    """Then the difference of the two genes counts, which bins must not blur."""
    dense = matrix(np.random.default_rng(3), 3000, (1.0, 1.0))
    for both in (dense, dense[:, [0, 0]]):
        x, y = both.T.copy()
        spread = (x / 1000 - y / 2000).std() * math.sqrt(1000 * 2000 / 3000)
        for deviations in (-1, 1, 2, 4):
            sizes = (1000, 2000, False, 3000, both.mean(axis=0).sum() + deviations * spread)
            exact = edge_p(x, y, np.ones(3000), *sizes)
            binned = edge_p(*bins(x, y), *sizes)
            assert abs(math.log10(binned / exact)) < 0.005 * max(deviations, 1)


def sample():
    """Two genes in 8 cells, populations of 3 and 2 cells, and all assignments of these."""
    x = np.array([0.5, 1.0, 1.0, 0.0, 2.0, 0.0, 0.0, 0.0])
    y = np.array([0.0, 0.7, 0.0, 0.7, 0.3, 1.1, 0.0, 0.0])
    sums = []
    for a in itertools.combinations(range(8), 3):
        others = [cell for cell in range(8) if cell not in a]
        sums += [x[list(a)].mean() + y[list(b)].mean() for b in itertools.combinations(others, 2)]
    return x[:6], y[:6], np.array(sums)


@pytest.mark.parametrize("level", [0.1, 0.5, 0.9, 0.99])
def test_draws_agree_with_all_assignments(level):
    x, y, sums = sample()
    strength = np.quantile(sums, level, method="nearest")
    expected = (sums >= strength - 1e-9).mean()
    p, n = drawn_tail(x, y, 3, 2, False, 8, strength, expected, 100, 20_000, 1)
    assert n == 20_000  # the p-value is that which decides, so it never is clear
    assert abs(p - expected) < 4 * math.sqrt(expected * (1 - expected) / n)
    pairs = itertools.combinations(range(8), 3)
    both = np.append(x + y, [0, 0])
    same = np.array([both[list(a)].mean() for a in pairs])
    strength = np.quantile(same, level, method="nearest")
    expected = (same >= strength - 1e-9).mean()
    p, n = drawn_tail(x, y, 3, 3, True, 8, strength, expected, 100, 20_000, 1)
    assert abs(p - expected) < 4 * math.sqrt(expected * (1 - expected) / n)


def test_draws_follow_the_seed():
    x, y, sums = sample()
    edge = (x, y, 3, 2, False, 8, np.quantile(sums, 0.8), 0.2, 100, 3000)
    found = [drawn_tail(*edge, seed) for seed in (1, 2, 1, 3)]
    assert found[0] == found[2]
    assert len(set(found)) == 3


def test_drawing_stops_when_it_is_clear():
    x, y, sums = sample()
    often, never = np.quantile(sums, 0.3), sums.max() * 1.01

    def draw(strength, *, cut, wanted):
        return drawn_tail(x, y, 3, 2, False, 8, strength, cut, wanted, 10_000, 5)

    assert draw(often, cut=1e-4, wanted=100)[1] == FIRST_LOOK
    # enough were seen, but not yet where the p-value is
    assert draw(often, cut=(sums >= often).mean(), wanted=100)[1] == 10_000
    # clear, but more of them are wanted: looks are at 200, 400, 800, 1,600 draws
    assert draw(often, cut=1e-4, wanted=700)[1] == 1600
    assert draw(never, cut=0.5, wanted=1) == (1 / 10_001, 10_000)


def test_the_error_of_a_share_is_its_spread():
    rng = np.random.default_rng(7)
    p, n = 0.03, 5000
    shares = rng.binomial(n, p, 20_000) / n
    assert drawing_error(p, n) == pytest.approx(np.log10(shares).std(), rel=0.03)
    assert drawing_error(1.0, n) == 0
