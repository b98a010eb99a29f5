"""Tails against all assignments of labels, against drawn labels, and what must not matter."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from osteotalk.interactions.nulls.moments import _error, _fill
from osteotalk.interactions.nulls.tails import (
    COUNTED,
    edge_tail,
    placements_tail,
    sample_tail,
)

VALUES = np.array([0.4, 0.7, 0.7, 1.1, 1.3, 2.0])


def all_labels(n_cells, n_a, n_b, same):
    """Every choice of the cells of both populations, by position (rows)."""
    rows = []
    for a in itertools.combinations(range(n_cells), n_a):
        others = sorted(set(range(n_cells)) - set(a))
        rows += [(a, a)] if same else [(a, b) for b in itertools.combinations(others, n_b)]
    first, second = zip(*rows, strict=True)
    return np.array(first), np.array(second)


def drawn_labels(n_cells, n_a, n_b, same, *, draws, seed):
    """Random choices of the cells of both populations."""
    order = np.random.default_rng(seed).random((draws, n_cells)).argsort(axis=1)
    first = order[:, :n_a]
    return first, first if same else order[:, n_a : n_a + n_b]


def share_of(labels, x, y, strength):
    """Share of the choices in which the edge is at least this strong."""
    sums = x[labels[0]].mean(axis=1) + y[labels[1]].mean(axis=1)
    return (sums >= strength * (1 - 1e-9)).mean()


def tail(x, y, n_a, n_b, same, strength):
    """P-value and its error from the values of all cells."""
    on = (x > 0) | (y > 0)
    p, effective = edge_p(x[on], y[on], n_a, n_b, same, len(x), strength)
    return p, effective, _error(np.array([effective]))[0]


def edge_p(x, y, n_a, n_b, same, n_cells, strength):
    """P-value of one edge from its expressing cells, and the effective number of cells."""
    rest = n_cells - n_a if same else n_cells - n_a - n_b
    sizes = np.array([n_a, rest] if same else [n_a, n_b, rest])
    ends = np.array([0]), np.array([0 if same else 1])
    log_p, effective = np.empty(1), np.empty(1)
    _fill(x, y, sizes, *ends, np.array([float(strength)]), log_p, effective, tied=False)
    return math.exp(log_p[0]), effective[0]


def cells(rng, n, *, shares, values=None):
    """Expression of two genes; some cells express both."""
    drawn = [rng.gamma(2, 0.5, n) if values is None else rng.choice(values, n) for _ in range(2)]
    return [value * (rng.random(n) < share) for value, share in zip(drawn, shares, strict=True)]


@pytest.mark.parametrize(
    ("n_cells", "n_a", "n_b", "same"),
    [
        *((7, 2, 3, False), (7, 3, 3, True), (8, 3, 2, False), (8, 3, 5, False)),
        *((9, 4, 5, False), (9, 2, 2, True), (9, 3, 4, False)),
    ],
)
def test_up_to_nine_cells_every_assignment_counts(n_cells, n_a, n_b, same):
    """Also two populations that make up everything (8 = 3 + 5, 9 = 4 + 5)."""
    labels = all_labels(n_cells, n_a, n_b, same)
    for seed in range(6):
        x, y = cells(np.random.default_rng(seed), n_cells, shares=(0.7, 0.6), values=VALUES)
        sums = x[labels[0]].mean(axis=1) + y[labels[1]].mean(axis=1)
        for strength in np.unique(sums)[1:]:  # every sum there is, but nothing at all
            p, effective, error = tail(x, y, n_a, n_b, same, strength)
            assert (effective, error) == (COUNTED, 0)
            assert p == pytest.approx(share_of(labels, x, y, strength), rel=1e-12)


@pytest.mark.parametrize("n_rare", [1, 3, 4])
@pytest.mark.parametrize(
    ("n_a", "n_b", "same"), [(4, 4, False), (4, 8, False), (5, 5, True), (3, 6, False)]
)
def test_placements_of_a_rare_gene_and_counted_rest(n_rare, n_a, n_b, same):
    """12 cells; at most 9 express only the other gene, so both parts are exact."""
    labels = all_labels(12, n_a, n_b, same)
    for seed in range(4):
        rng = np.random.default_rng([n_rare, seed])
        x, y = np.zeros(12), np.zeros(12)
        x[:n_rare] = rng.choice(VALUES, n_rare)
        y[n_rare - 1 : n_rare + 9] = rng.choice(VALUES, min(10, 13 - n_rare))
        sums = x[labels[0]].mean(axis=1) + y[labels[1]].mean(axis=1)
        for strength in np.unique(sums.round(12))[1::7]:
            expected = share_of(labels, x, y, strength)
            p, effective, _ = tail(x, y, n_a, n_b, same, strength)
            assert effective != 0
            assert p == pytest.approx(expected, rel=1e-9)
            # the roles of the two genes
            turned = tail(y, x, n_b, n_a, same, strength)
            assert turned[:2] == pytest.approx((p, effective), rel=1e-12)


def test_a_sum_that_the_rare_cells_reach_alone():
    """Rounding must not ask the other cells for the last bit of it."""
    x, y = np.zeros(12), np.full(12, 0.1)
    x[:2], y[0] = (0.7, 1.1), 0.3
    y[1] = 0.0
    labels = all_labels(12, 2, 2, same=True)
    for strength in (0.7 / 2 + 1.1 / 2 + 0.3 / 2, (0.7 + 0.3 + 1.1) / 2, np.nextafter(1.05, 2)):
        expected = share_of(labels, x, y, strength)
        assert expected == pytest.approx(1 / 66)
        assert tail(x, y, 2, 2, True, strength)[0] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("share", [0.3, 0.7, 1.0])
@pytest.mark.parametrize(
    ("n_a", "n_b", "same"),
    [(10, 15, False), (20, 20, True), (20, 40, False), (12, 12, True), (45, 10, False)],
)
def test_sixty_cells_against_drawn_labels(n_a, n_b, same, share):
    draws = 40_000
    labels = drawn_labels(60, n_a, n_b, same, draws=draws, seed=5)
    rng = np.random.default_rng([n_a, int(10 * share)])
    x, y = cells(rng, 60, shares=(share, 0.6))
    sums = x[labels[0]].mean(axis=1) + y[labels[1]].mean(axis=1)
    for level in (0.02, 0.3, 0.5, 0.7, 0.9, 0.99, 0.999):
        strength = np.quantile(sums, level)
        p, effective, error = tail(x, y, n_a, n_b, same, strength)
        expected = share_of(labels, x, y, strength)
        drawing = math.sqrt((1 - expected) / (expected * draws)) / math.log(10)
        assert effective > 1
        assert abs(math.log10(p / expected)) < 3 * math.hypot(error, drawing)


def test_mutually_exclusive_and_identical_genes_against_drawn_labels():
    """A gene with itself, and two genes that no cell has both of: the covariances are opposite."""
    draws = 40_000
    rng = np.random.default_rng(11)
    x, _ = cells(rng, 60, shares=(0.6, 1))
    exclusive = np.where(x > 0, 0, rng.gamma(2, 0.5, 60))
    for same, n_b in ((True, 15), (False, 20), (False, 45)):
        labels = drawn_labels(60, 15, n_b, same, draws=draws, seed=6)
        for y in (x, exclusive):
            sums = x[labels[0]].mean(axis=1) + y[labels[1]].mean(axis=1)
            strength = np.quantile(sums, 0.98)
            p, _, error = tail(x, y, 15, n_b, same, strength)
            expected = share_of(labels, x, y, strength)
            assert abs(math.log10(p / expected)) < 3 * math.hypot(error, 0.016)


@st.composite
def edges(draw, least=10):
    """Values of two genes in the cells of a sample, sizes of populations, two of its strengths."""
    n_cells = draw(st.integers(2 * least, 60))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    x, y = cells(rng, n_cells, shares=(draw(st.floats(0.05, 1)), draw(st.floats(0.05, 1))))
    n_a = draw(st.integers(5, n_cells - 5))
    same = draw(st.booleans())
    n_b = n_a if same else draw(st.integers(5, n_cells - n_a))
    labels = drawn_labels(n_cells, n_a, n_b, same, draws=50, seed=rng)
    strengths = np.sort(x[labels[0]].mean(axis=1) + y[labels[1]].mean(axis=1))
    return (
        x,
        y,
        n_a,
        n_b,
        same,
        strengths[draw(st.lists(st.integers(0, 49), min_size=2, max_size=2))],
    )


def usable(x, y, strength):
    return x.any() and y.any() and strength > 0


@settings(max_examples=300, deadline=None)
@given(edges())
def test_a_p_value_is_a_probability_and_orders_do_not_matter(edge):
    x, y, n_a, n_b, same, (strength, _) = edge
    if not usable(x, y, strength):
        return
    p, _, error = tail(x, y, n_a, n_b, same, strength)
    assert 0 < p <= 1 + 1e-9
    assert error >= 0
    order = np.random.default_rng(0).permutation(len(x))
    assert tail(x[order], y[order], n_a, n_b, same, strength)[0] == pytest.approx(p, rel=1e-4)
    scaled = tail(7.3 * x, 7.3 * y, n_a, n_b, same, 7.3 * strength)
    assert scaled[0] == pytest.approx(p, rel=1e-4)
    turned = tail(y, x, n_b, n_a, same, strength)
    tolerance = 3 * error + 1e-4
    assert abs(math.log10(turned[0] / p)) <= tolerance


@settings(max_examples=150, deadline=None)
@given(edges())
def test_a_stronger_edge_has_no_larger_p_value(edge):
    x, y, n_a, n_b, same, strengths = edge
    weak, strong = sorted(strengths)
    if not usable(x, y, weak):
        return
    p, effective, error = tail(x, y, n_a, n_b, same, weak)
    stronger, other, other_error = tail(x, y, n_a, n_b, same, strong)
    slack = 1e-12 if effective == other == COUNTED else 1e-4 + error + other_error
    assert math.log10(stronger / p) <= slack


@settings(max_examples=100, deadline=None)
@given(edges(least=20))
def test_a_cell_of_weight_two_is_two_cells(edge):
    x, y, n_a, n_b, same, (strength, _) = edge
    on = (x > 0) | (y > 0)
    x, y = x[on], y[on]
    if min((x > 0).sum(), (y > 0).sum()) < 5:
        return
    n_cells = 3 * len(x)
    sizes = (2 * n_a, 2 * n_b, same, n_cells + 2 * len(on))
    twice = edge_tail(np.repeat(x, 2), np.repeat(y, 2), np.ones(2 * len(x)), *sizes, strength)
    weighted = edge_tail(x, y, np.full(len(x), 2.0), *sizes, strength)
    assert weighted[0] == pytest.approx(twice[0], rel=1e-6)
    assert weighted[1] == pytest.approx(twice[1], rel=1e-4)


@pytest.mark.parametrize(
    ("n_cells", "n_a", "n_b", "in_a", "in_b"),
    [
        *((60, 12, 15, 8, 8), (700, 10, 10, 6, 9), (3000, 10, 2000, 8, 8)),
        *((3000, 100, 400, 60, 80), (5000, 2500, 2500, 30, 40), (50_000, 500, 900, 3, 90)),
        (20_000, 15_000, 60, 9, 40),
    ],
)
def test_the_largest_sum_has_the_probability_of_its_placement(n_cells, n_a, n_b, in_a, in_b):
    rng = np.random.default_rng(2)
    x = np.concatenate([rng.uniform(0.5, 2, in_a), np.zeros(in_b)])
    y = np.concatenate([np.zeros(in_a), rng.uniform(0.5, 2, in_b)])
    # all cells of the first gene in a, then those of the second in b
    expected = stats.hypergeom.logpmf(in_a, n_cells, in_a, n_a)
    expected += stats.hypergeom.logpmf(in_b, n_cells - in_a, in_b, n_b)
    ones, strength = np.ones(in_a + in_b), x.sum() / n_a + y.sum() / n_b
    log_p = edge_tail(x, y, ones, n_a, n_b, False, n_cells, strength)[0]
    assert log_p == pytest.approx(expected, rel=1e-6)
    if in_a + in_b <= n_a:
        log_p = edge_tail(x, y, ones, n_a, n_a, True, n_cells, (x + y).sum() / n_a)[0]
        expected = stats.hypergeom.logpmf(in_a + in_b, n_cells, in_a + in_b, n_a)
        assert log_p == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("n", [3, 12, 30])
def test_the_largest_sum_of_one_sample(n):
    """More cells than places, as many, and fewer; four of them are the highest."""
    values = np.array([2.0] * 4 + [1.0] * 8)
    padded = np.concatenate([values, np.zeros(38)])
    largest = np.sort(padded)[::-1][:n].sum()
    ways = {3: math.comb(4, 3), 12: 1, 30: math.comb(38, 18)}[n]
    found, error = sample_tail(values, np.ones(12), n, 50, largest, 1e-9)
    assert error == 0
    assert found == pytest.approx(ways / math.comb(50, n), rel=1e-9)
    assert sample_tail(values, np.ones(12), n, 50, largest + 1e-3, 1e-9)[0] == 0
    assert sample_tail(values, np.ones(12), n, 50, 0.0, 0.0)[0] == 1
    assert sample_tail(values, np.ones(12), 0, 50, 0.1, 0.0)[0] == 0


def test_far_tails_are_numbers_above_zero():
    rng = np.random.default_rng(4)
    x, y = cells(rng, 3000, shares=(0.05, 0.06))
    low = 1.0
    for times in (2, 4, 8, 12):
        strength = times * (x.mean() + y.mean())
        p, effective, _ = tail(x, y, 100, 400, False, strength)
        assert 0 < p < low
        assert effective > 0
        low = p
    assert low < 1e-20


@pytest.mark.parametrize(
    ("n_a", "n_b", "same"), [(30, 40, False), (30, 30, True), (60, 140, False)]
)
def test_nothing_jumps_at_the_mean(n_a, n_b, same):
    x, y = cells(np.random.default_rng(9), 200, shares=(0.6, 0.8))
    mean = x.mean() + y.mean()
    p = [tail(x, y, n_a, n_b, same, mean * (1 + d))[0] for d in np.linspace(-0.02, 0.02, 401)]
    steps = -np.diff(p)
    assert np.abs(steps - np.median(steps)).max() < 1e-3
    assert 0.3 < p[200] < 0.7


def test_a_gene_that_does_not_vary_changes_nothing():
    """Neither do two of them: every assignment is as strong as the one observed."""
    _, y = cells(np.random.default_rng(3), 60, shares=(1, 0.7))
    constant = np.full(60, 1.3)
    strength = 1.3 * y.mean()
    with_constant = tail(constant, y, 12, 15, False, strength + 1.3)
    other = tail(np.full(60, 0.2), y, 12, 15, False, strength + 0.2)
    assert with_constant[0] == pytest.approx(other[0], rel=1e-4)
    for same in (False, True):
        p, effective, error = tail(constant, constant / 3, 12, 12, same, 1.3 + 1.3 / 3)
        assert (p, effective, error) == (1, COUNTED, 0)


@pytest.mark.parametrize("seed", range(8))
def test_small_populations_of_the_highest_cells_have_tiny_p_values(seed):
    """The sum is the largest, or nearly; no saddlepoint is found there."""
    rng = np.random.default_rng(seed)
    for n_cells, expressing, n in ((700, 60, 10), (3000, 100, 30), (200, 60, 10), (300, 150, 60)):
        x, y = np.zeros(n_cells), np.zeros(n_cells)
        x[:expressing], y[:expressing] = rng.gamma(2, 0.5, (2, expressing))
        for noise in (0, 0.05):
            top = np.argsort(-(x + y + noise * rng.random(n_cells)))[:n]
            strength = (x + y)[top].mean()
            p, _, error = tail(x, y, n, n, True, strength)
            assert 0 < p < 1e-8
            assert error > 0


def test_the_smallest_sum_has_probability_one():
    x = np.random.default_rng(6).gamma(2, 0.5, 40) + 0.1
    smallest = np.sort(x)[:10].mean()
    assert tail(x, np.where(x > 1, x, 0), 10, 10, True, smallest)[0] > 0.99


def test_no_combination_of_sizes_and_values_gives_nonsense():
    """Sums up to the largest, samples from 5 cells to nearly all, few and many expressing cells."""
    rng = np.random.default_rng(12)
    for _ in range(3000):
        n_cells = int(rng.choice([30, 60, 300, 3000, 50_000]))
        n_a = int(rng.integers(5, n_cells // 2))
        n_b = int(rng.integers(5, n_cells - n_a + 1))
        m = int(rng.integers(10, min(n_cells, 190) + 1))
        x, y = cells(rng, m, shares=rng.random(2), values=VALUES if rng.random() < 0.5 else None)
        on = (x > 0) | (y > 0)
        if not usable(x, y, 1):
            continue
        weight = np.ones(on.sum())
        x_a, y_b = np.sort(x)[::-1], np.sort(y)[::-1]
        largest = x_a[:n_a].sum() / n_a + y_b[:n_b].sum() / n_b
        strength = largest * rng.choice([1, 0.999, 0.9, 0.5, 0.1])
        for same in (False, True):
            other = n_a if same else n_b
            log_p, effective = edge_tail(x[on], y[on], weight, n_a, other, same, n_cells, strength)
            assert -1e5 < log_p <= 1e-9
            assert math.isfinite(effective)
            if strength > 1.01 * (x.sum() / n_cells + y.sum() / n_cells) and effective == 0:
                # without a saddlepoint the strength is near the largest: never likely
                assert log_p < math.log(0.5)


def test_placements_of_nothing_and_of_one_cell():
    nothing = np.empty(0)
    assert placements_tail(nothing, nothing, 3, 2, 9, 0.0) == 1
    one = np.array([1.0])
    assert placements_tail(one, one * 0, 3, 2, 9, 1.0) == pytest.approx(3 / 9)
    assert placements_tail(one, one, 3, 2, 9, 1.0) == pytest.approx(5 / 9)
    assert placements_tail(one, one, 3, 2, 9, 1.1) == 0


@pytest.mark.parametrize(
    ("n_rare", "share", "hits"), [(1, 0.95, 1), (2, 1.0, 1), (3, 0.9, 1), (5, 1.0, 1), (5, 0.9, 2)]
)
def test_a_rare_gene_with_one_of_nearly_all_cells(n_rare, share, hits):
    """No smooth distribution: a few large steps and many small ones."""
    rng = np.random.default_rng(n_rare)
    x, y = np.zeros(3000), rng.gamma(4, 0.3, 3000) * (rng.random(3000) < share)
    x[:hits], x[2000 : 2000 + n_rare - hits] = 1.0, 1.1
    strength = x[:60].mean() + y[1000:1600].mean()
    p, _, error = tail(x, y, 60, 600, False, strength)
    labels = drawn_labels(3000, 60, 600, False, draws=5000, seed=1)
    expected = share_of(labels, x, y, strength)
    assert expected > 5e-4
    drawing = math.sqrt(1 / (expected * 5000)) / math.log(10)
    assert abs(math.log10(p / expected)) < 3 * (error + drawing)
    if n_rare <= 3:
        assert error < 0.05


def test_equal_values_are_known_to_go_in_steps():
    """Of cells with one value each the sum is a count; the error says how far off that can be."""
    for n_cells, expressing, n, hits in ((3000, 300, 20, 8), (700, 20, 15, 3), (2000, 400, 30, 12)):
        x = np.zeros(n_cells)
        x[:expressing] = 1.0
        p, _, error = tail(x, x, n, n, True, 2 * hits / n)
        exact = stats.hypergeom.sf(hits - 1, n_cells, expressing, n)
        off = abs(math.log10(p / exact))
        assert off > 0.1
        assert off < 2 * error
        rng = np.random.default_rng(0)
        x[:expressing] *= rng.lognormal(0, 0.5, expressing)
        assert tail(x, x, n, n, True, 2 * hits / n)[2] < error / 3


def test_p_values_of_strong_edges_do_not_tie():
    rng = np.random.default_rng(2)
    logs = []
    for share in (0.5, 0.6, 0.7):
        x = rng.gamma(3, 0.4, 20_000) * (rng.random(20_000) < 0.02)
        x[:2000] = rng.gamma(3, 0.4, 2000) * (rng.random(2000) < share)
        y = np.roll(x, 2000)
        sizes, ends = np.array([2000, 2000, 16_000]), (np.array([0]), np.array([1]))
        strength = np.array([x[:2000].mean() + y[2000:4000].mean()])
        log_p, effective = np.empty(1), np.empty(1)
        on = (x > 0) | (y > 0)
        _fill(x[on], y[on], sizes, *ends, strength, log_p, effective, tied=False)
        logs.append(log_p[0])
    assert logs[0] < -1000
    assert logs[2] < logs[1] < logs[0]
