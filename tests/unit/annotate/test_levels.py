"""How far genes are on in groups of cells, against plain loops."""

import math

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse

from osteotalk.annotate import levels
from osteotalk.annotate.levels import (
    On,
    Reference,
    group_counts,
    how_far_on,
    numbered,
    reference_levels,
)


@pytest.fixture
def counts():
    """Seven clusters of different depth, 60 genes of different levels, some silent."""
    rng = np.random.default_rng(1)
    mean = rng.gamma(0.5, 20, 60) * rng.choice([0.0, 1.0, 5.0], (7, 60), p=[0.3, 0.5, 0.2])
    return rng.poisson(mean * np.array([1, 3, 10, 0.2, 2, 1, 5])[:, None]).astype(float)


def quantile(values, q):
    """Linear interpolation between the ordered values, by hand."""
    ordered = sorted(values)
    place = q * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


def naive_reference(counts):
    n_groups, n_genes = counts.shape
    levels_ = [[counts[i, g] / sum(counts[i]) * 10000 for g in range(n_genes)] for i in range(7)]
    low = [quantile([levels_[i][g] for i in range(n_groups)], 0.15) for g in range(n_genes)]
    most = quantile([value for value in low if value > 0], 0.75)
    total = sum(sum(row) for row in counts)
    off = []
    for g in range(n_genes):
        cohort = sum(counts[i, g] for i in range(n_groups)) / total * 10000
        off.append(max(min(low[g], most), 0.05 * cohort))
    return off, [max(levels_[i][g] for i in range(n_groups)) for g in range(n_genes)]


def naive_on(counts, off, high, total):
    """One gene in one group."""
    level, least = counts / total * 10000, 0.2 + 10000 / total
    top = math.log2((max(high, level) + least) / (off + least))
    half = min(max(top / 2, 0.5), 1.5)
    above = math.log2((level + least) / (off + least))
    tells = min(max((top - 0.8) / 1.0, 0), 1)
    return 1 / (1 + math.exp(-3 * (above - half))), tells


def test_group_counts_against_a_loop_whatever_the_layout_of_the_matrix():
    rng = np.random.default_rng(0)
    x = rng.poisson(0.7, (40, 9))
    groups = rng.integers(-1, 4, 40)
    expected = np.zeros((5, 9))  # of the last there is no cell
    for row, group in zip(x, groups, strict=True):
        if group >= 0:
            expected[group] += row
    for kind in (np.asarray, sparse.csr_matrix, sparse.csc_matrix):
        adata = AnnData(sparse.csr_matrix(x), layers={"counts": kind(x)})
        found = group_counts(adata, groups, 5)
        assert found.dtype == np.float64
        np.testing.assert_array_equal(found, expected)


def test_reference_levels_against_a_loop(counts):
    off, high = naive_reference(counts)
    found = reference_levels(counts)
    np.testing.assert_allclose(found.off, off, rtol=1e-12)
    np.testing.assert_allclose(found.high, high, rtol=1e-12)


def test_a_loud_marker_of_the_only_population_is_not_off_where_it_is(counts):
    """In one cluster the lowest level is that of the cluster: it is cut at that of other genes."""
    one = counts[2:3]
    found = reference_levels(one)
    level = one[0] / one.sum() * 1e4
    most = quantile(level[level > 0], 0.75)
    assert found.off.max() == pytest.approx(max(most, 0.05 * level.max()))
    assert found.off[level.argmax()] < level.max()


def test_how_far_on_against_a_loop(counts):
    reference = reference_levels(counts)
    found = how_far_on(counts, reference)
    for i in range(len(counts)):
        for g in range(counts.shape[1]):
            on, tells = naive_on(counts[i, g], reference.off[g], reference.high[g], counts[i].sum())
            assert found.on[i, g] == pytest.approx(on, abs=1e-12)
            assert found.tells[i, g] == pytest.approx(tells, abs=1e-12)


def test_some_of_the_genes_with_the_totals_of_all(counts):
    reference, genes = reference_levels(counts), np.array([5, 2, 30])
    part = Reference(reference.off[genes], reference.high[genes])
    found = how_far_on(counts[:, genes], part, totals=counts.sum(axis=1))
    expected = how_far_on(counts, reference).columns(genes)
    np.testing.assert_allclose(found.on, expected.on)
    np.testing.assert_allclose(found.tells, expected.tells)


def test_both_are_between_0_and_1_and_more_counts_are_further_on(counts):
    reference = reference_levels(counts)
    empty = how_far_on(np.zeros((2, 60)), reference)  # groups without a count say nothing wrong
    found = how_far_on(counts, reference)
    for values in (empty.on, empty.tells, found.on, found.tells):
        assert np.isfinite(values).all()
        assert values.min() >= 0
        assert values.max() <= 1
    assert (empty.tells == 0).all()
    gene = int(reference.high.argmax())
    steps = [
        how_far_on(np.array([[n]]), Reference(np.ones(1), np.full(1, 50.0)), totals=np.array([1e4]))
        for n in (0.0, 1.0, 5.0, 20.0, 100.0)
    ]
    assert all(np.diff([step.on[0, 0] for step in steps]) > 0)
    assert found.on[:, gene].max() > 0.5


def test_a_gene_tells_less_in_a_shallow_group_and_nothing_if_it_hardly_differs():
    reference = Reference(off=np.array([1.0, 1.0]), high=np.array([10.0, 1.5]))
    deep, shallow = (
        how_far_on(np.array([[t * 1e-3, t * 1e-4]]), reference, totals=np.array([t]))
        for t in (1e6, 2e3)
    )
    assert deep.tells[0, 0] == 1
    assert shallow.tells[0, 0] < 0.5
    assert deep.tells[0, 1] == 0


def test_depth_is_no_level():
    """Ten times the counts of a deep group leave it where it was."""
    reference = Reference(off=np.array([1.0, 2.0]), high=np.array([20.0, 9.0]))
    counts = np.array([[3000.0, 400.0]])
    once, ten = (how_far_on(counts * k, reference, totals=np.array([1e7 * k])).on for k in (1, 10))
    np.testing.assert_allclose(once, ten, atol=1e-3)


def test_names_of_groups_are_numbered_in_order_and_none_is_minus_one():
    code, names = numbered(pd.Series(["b", "", "a", "b", "10", "9"]))
    assert names == ["10", "9", "a", "b"]
    assert code.tolist() == [3, -1, 2, 3, 0, 1]


def test_columns_keep_groups():
    state = On(np.arange(6.0).reshape(2, 3), np.ones((2, 3)))
    assert state.columns(np.array([2, 0])).on.tolist() == [[2, 0], [5, 3]]
    assert levels.SCALE == 1e4
