"""Edges of cells that tie, against distributions that are known and against dealt labels."""

import numpy as np
import pytest
from scipy import stats

from osteotalk.interactions.nulls.moments import _error, _fill
from osteotalk.interactions.nulls.pair_cells import merged
from osteotalk.interactions.nulls.tails import ERROR_WITHOUT_SADDLEPOINT


def computed(x, y, sizes, source, target, strength, *, tied):
    """P-value of one edge, and its error, from the values of all cells."""
    on = (x > 0) | (y > 0)
    ends, log_p, effective = (np.array([source]), np.array([target])), np.empty(1), np.empty(1)
    edge = (np.array(sizes), *ends, np.array([float(strength)]), log_p, effective)
    _fill(x[on], y[on], *edge, tied=tied)
    return np.exp(min(log_p[0], 0.0)), _error(effective)[0]


@pytest.mark.parametrize(("n", "expressing"), [(10, 60), (25, 40), (40, 150)])
def test_presence_of_one_gene_is_hypergeometric(n, expressing):
    """A gene with itself: the strength goes up by 2 / n with each cell that has it."""
    x = (np.arange(200) < expressing).astype(float)
    mean = n * expressing / 200
    off, before = [], []
    for found in range(int(mean) + 1, min(n, int(mean + 3 * mean**0.5)) - 1):
        exact = stats.hypergeom.sf(found - 1, 200, expressing, n)
        for errors, tied in ((off, True), (before, False)):
            p, error = computed(x, x, (n, 200 - n), 0, 0, 2 * found / n, tied=tied)
            errors.append(np.log10(p / exact))
            assert not tied or abs(errors[-1]) < 2 * error
    assert len(off) >= 3
    assert np.abs(off).max() < 0.03
    assert np.abs(np.mean(off)) < 0.3 * np.abs(np.mean(before))


@pytest.mark.parametrize("values", [(1.0, 1.0), (1.0, 1.3), (3.0, 3.7)])
@pytest.mark.parametrize(("n_a", "n_b"), [(12, 15), (8, 30)])
def test_two_genes_of_few_values_against_dealt_labels(values, n_a, n_b):
    rng = np.random.default_rng(n_a)
    x, y = (value * (rng.random(120) < 0.3) for value in values)
    order = rng.random((40_000, 120)).argsort(axis=1)
    sums = x[order[:, :n_a]].mean(axis=1) + y[order[:, n_a : n_a + n_b]].mean(axis=1)
    for level in (0.8, 0.95, 0.99):
        strength = np.quantile(sums, level, method="nearest")
        share = (sums >= strength * (1 - 1e-9)).mean()
        p, error = computed(x, y, (n_a, n_b, 120 - n_a - n_b), 0, 1, strength, tied=True)
        drawing = np.sqrt((1 - share) / (share * len(sums))) / np.log(10)
        assert abs(np.log10(p / share)) < 3 * np.hypot(error, drawing)


def test_the_largest_sum_of_cells_that_tie_has_no_saddlepoint():
    """All cells of both populations express; this was no number."""
    x, y = np.zeros(281), np.zeros(281)
    x[:21], y[10:144] = 1.0, 1.0
    p, error = computed(x, y, (13, 8, 260), 0, 1, 2.0, tied=True)
    assert 0 < p < 1e-10
    assert error == ERROR_WITHOUT_SADDLEPOINT


def test_equal_cells_are_merged():
    x, y = np.array([2.0, 1.0, 2.0, 0.0, 2.0]), np.array([0.0, 1.0, 0.0, 3.0, 1.0])
    found = np.column_stack(merged(x, y)).tolist()
    assert found == [[0, 3, 1], [1, 1, 1], [2, 0, 2], [2, 1, 1]]
