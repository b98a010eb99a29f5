"""Cells against profiles: the likelihood by scipy and loops, planted strangers."""

import math
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse, stats

from osteotalk.annotate.cells import (
    CellFits,
    Profiles,
    alike,
    contradictions,
    fit_cells,
    group_profiles,
    likelihood,
)

N_GENES = 1200


def profile(k, *, strength=12.0):
    """Every lineage has a hundred and twenty genes of its own."""
    rate = np.full(N_GENES, 1.0)
    rate[120 * k : 120 * (k + 1)] = strength
    return rate / rate.sum()


def cells_of(kinds, *, depth=500, seed=0):
    """Counts of cells; of several profiles, those of as many cells."""
    rng = np.random.default_rng(seed)
    x = [rng.poisson(depth * np.sum([profile(k) for k in kind], axis=0)) for kind in kinds]
    return AnnData(
        sparse.csr_matrix(np.array(x)), layers={"counts": sparse.csr_matrix(np.array(x))}
    )


def nothing_skipped():
    return np.zeros(N_GENES, dtype=bool)


def depth_that_shows(rates, n_seen):
    """Counts at which a profile shows so many genes, by bisection."""
    low, high = 0.0, math.log(1e6)
    for _ in range(100):
        middle = (low + high) / 2
        shown = sum(1 - math.exp(-math.exp(middle) * rate) for rate in rates)
        low, high = (middle, high) if shown < n_seen else (low, middle)
    return math.exp(low)


def test_the_likelihood_is_that_of_one_draw_per_gene():
    rng = np.random.default_rng(4)
    rates = rng.dirichlet(np.full(50, 0.7), 3)
    seen = (rng.random((7, 50)) < 0.3).astype(float)
    n_seen = 15.0
    found = likelihood(sparse.csr_matrix(seen), rates, n_seen)
    # few depths are tried: take the depth as found, then the draws are exact
    for j, rate in enumerate(rates):
        depths = np.geomspace(1, 1e6, 24)
        shown = [sum(1 - math.exp(-depth * r) for r in rate) for depth in depths]
        depth = math.exp(np.interp(n_seen, shown, np.log(depths)))
        assert depth == pytest.approx(depth_that_shows(rate, n_seen), rel=0.25)
        chance = 1 - np.exp(-np.clip(depth * rate, 1e-9, 50))
        expected = stats.binom.logpmf(seen, 1, chance).sum(axis=1)
        np.testing.assert_allclose(found[:, j], expected, rtol=1e-8)


def test_profiles_are_of_groups_with_five_cells_and_of_genes_that_tell():
    adata = cells_of([(0,)] * 20 + [(1,)] * 5 + [(2,)] * 4)
    groups = np.repeat([0, 1, 2], [20, 5, 4])
    skip = nothing_skipped()
    skip[3] = True
    found = group_profiles(adata, groups, n_groups=3, skip=skip)
    assert found.known.tolist() == [0, 1]
    assert len(set(range(120)) & set(found.genes)) >= 110
    assert 3 not in found.genes
    x = adata.layers["counts"].toarray()
    usual = x[:25].sum(axis=0) / x[:25].sum()
    for row, cells in zip(found.rates, (x[:20], x[20:25]), strict=True):
        expected = 0.95 * cells.sum(axis=0) / cells.sum() + 0.05 * usual
        np.testing.assert_allclose(row, expected[found.genes])


def test_cells_of_a_bin_show_about_as_many_genes_and_none_is_left_out():
    n_seen = np.random.default_rng(1).integers(10, 300, 500).astype(float)
    bins = alike(n_seen)
    assert sorted(np.concatenate(bins).tolist()) == list(range(500))
    edges = sorted((n_seen[rows].min(), n_seen[rows].max()) for rows in bins)
    assert all(high < low for (_, high), (low, _) in pairwise(edges))
    assert len(alike(np.full(9, 3.0))) == 1


def test_each_cell_fits_its_own_lineage_by_the_better_of_its_groups():
    kinds = [(k,) for k in range(4) for _ in range(25)]
    adata = cells_of(kinds)
    groups = np.repeat(np.arange(4), 25)
    lineage = np.array([0, 0, 1, 2])
    found = fit_cells(adata, groups, lineage=lineage, skip=nothing_skipped())
    assert (found.fit.argmax(axis=1) == lineage[groups]).all()
    own = found.group[np.arange(100), lineage[groups]]
    assert (own == groups).all()
    assert (found.fit <= 0).all()  # logarithms of probabilities


def test_lineages_without_a_profile_fit_nothing_and_alone_nothing_is_compared():
    adata = cells_of([(0,)] * 20 + [(1,)] * 20 + [(2,)] * 3)
    groups = np.repeat([0, 1, 2], [20, 20, 3])
    found = fit_cells(adata, groups, lineage=np.arange(3), skip=nothing_skipped())
    assert np.isneginf(found.fit[:, 2]).all()
    assert (contradictions(found, groups) == -1).all()
    alone = fit_cells(adata, np.zeros(43, int), lineage=np.array([0]), skip=nothing_skipped())
    assert not alone.profiles.tell
    assert alone.fit.tolist() == [[0.0]] * 43
    assert (contradictions(alone, np.zeros(43, int)) == -1).all()


@pytest.mark.parametrize(
    ("fit", "mine", "other"),
    [
        ([-100, -94, -120], 0, 1),
        ([-100, -94.1, -120], 0, -1),
        ([-100, -94, -90], 0, 2),
        ([-94, -100, -120], 0, -1),
        ([-np.inf, -94, -120], 0, -1),  # nobody knows how well it fits its own
        ([-100, -np.inf, -np.inf], 0, -1),
    ],
)
def test_contradictions_by_hand(fit, mine, other):
    profiles = Profiles(np.arange(3), np.arange(5), np.ones((3, 5)))
    found = CellFits(np.array([fit]), np.zeros((1, 3), dtype=int), profiles)
    assert contradictions(found, np.array([mine])).tolist() == [other]


def test_a_cell_of_another_lineage_in_a_cluster_is_found_and_no_other():
    adata = cells_of([(0,)] * 60 + [(1,)] * 60)
    groups = np.repeat([0, 1], 60)
    groups[[3, 17]] = 1
    groups[[70]] = 0
    found = fit_cells(adata, groups, lineage=np.arange(2), skip=nothing_skipped())
    other = contradictions(found, groups)
    assert np.flatnonzero(other >= 0).tolist() == [3, 17, 70]
    assert other[[3, 17, 70]].tolist() == [0, 0, 1]


def test_order_of_cells_and_genes_and_how_often_a_gene_is_counted_do_not_matter():
    adata = cells_of([(0,)] * 40 + [(1,)] * 40 + [(2,)] * 30)
    groups = np.repeat([0, 1, 2], [40, 40, 30])
    found = fit_cells(adata, groups, lineage=np.arange(3), skip=nothing_skipped())
    rng = np.random.default_rng(1)
    rows, genes = rng.permutation(110), rng.permutation(N_GENES)
    turned = adata[rows, genes].copy()
    other = fit_cells(turned, groups[rows], lineage=np.arange(3), skip=nothing_skipped())
    np.testing.assert_allclose(other.fit, found.fit[rows], rtol=1e-9)
    np.testing.assert_array_equal(
        contradictions(other, groups[rows]), contradictions(found, groups)[rows]
    )
    assert pd.Series(found.fit.argmax(axis=1)).eq(groups).all()
