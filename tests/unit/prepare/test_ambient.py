"""Ambient RNA: planted shares are found, and subtracted where they are."""

import numpy as np
import pytest
from anndata import AnnData
from scipy import sparse

from osteotalk.prepare.ambient import (
    Ambient,
    _candidates,
    _fit,
    _line,
    _weighted_line,
    estimate_ambient,
    quick_clusters,
    subtract_ambient,
)


@pytest.mark.parametrize("leak", [0.0, 0.02])
@pytest.mark.parametrize("share", [0.05, 0.1, 0.2])
def test_planted_share_is_found(soup_sample, share, leak):
    adata, _ = soup_sample(share, leak=leak)
    record = estimate_ambient(adata, seed=0).record
    assert record["share"] == pytest.approx(share, abs=0.01 + 0.06 * share)
    assert record["share_low"] <= record["share"] <= record["share_high"]
    assert record["share_high"] - record["share_low"] < 0.05
    assert record["n_genes"] >= 50
    assert record["reason"] == ""


def test_no_ambient_is_near_nothing_even_where_genes_leak(soup_sample):
    for leak in (0.0, 0.02):
        adata, _ = soup_sample(0.0, leak=leak)
        assert estimate_ambient(adata, seed=0).record["share"] < 0.005


def test_the_fluid_of_empty_droplets_is_used(soup_sample):
    adata, fluid = soup_sample(0.1)
    empty = np.random.default_rng(1).poisson(fluid * 50_000)
    record = estimate_ambient(adata, empty_profile=empty, seed=0).record
    assert record["soup"] == "empty droplets"
    assert record["share"] == pytest.approx(0.1, abs=0.015)
    few = estimate_ambient(adata, empty_profile=empty // 10, seed=0).record
    assert few["soup"] == "all cells"


def test_more_ambient_is_more(soup_sample):
    shares = [estimate_ambient(soup_sample(s)[0], seed=0).record["share"] for s in (0.02, 0.08)]
    assert shares[0] < shares[1]


def test_what_cannot_be_told_has_a_reason(soup_sample):
    adata, _ = soup_sample(0.1, cells=40)
    assert estimate_ambient(adata, seed=0).record["reason"] == "fewer than 50 cells"
    rng = np.random.default_rng(0)
    alike = AnnData(sparse.csr_matrix(rng.poisson(3, (80, 40)).astype(np.int32)))
    record = estimate_ambient(alike, seed=0).record
    assert record["share"] is record["share_low"] is record["share_high"] is None
    assert "0 genes are made by some clusters only; 10 are needed" in record["reason"] or (
        "one cluster" in record["reason"]
    )
    empty = AnnData(sparse.csr_matrix((0, 5), dtype=np.int32))
    assert estimate_ambient(empty, seed=0).record["reason"] == "fewer than 50 cells"


def test_clusters_of_cells_that_are_all_alike():
    same = AnnData(sparse.csr_matrix(np.ones((60, 8), dtype=np.int32)))
    assert (quick_clusters(same, seed=0) == 0).all()
    record = estimate_ambient(same, seed=0).record
    assert record["reason"] == "the cells form one cluster, so no gene is made by some cells only"


def test_line_equals_numpy_and_stays_non_negative():
    rng = np.random.default_rng(0)
    x, weight = rng.uniform(1, 2, 30), rng.uniform(1, 9, 30)
    y = 0.5 + 0.3 * x + rng.normal(0, 0.01, 30)
    slope, level = np.polyfit(x, y, 1, w=np.sqrt(weight))
    assert _weighted_line(x, y, weight) == pytest.approx((level, slope))
    assert _weighted_line(x, 2 - x / 2, weight)[1] == 0  # falling: no share
    level, slope = _weighted_line(x, x - 0.5, weight)  # negative level: through the origin
    assert (level, slope) == pytest.approx(
        (0, (weight * x * (x - 0.5)).sum() / (weight * x * x).sum())
    )


def test_candidates_by_hand():
    """Clusters of 10, 5, 4 and 1 cells with 200 counts each; one gene of each sort."""
    clusters = np.repeat([0, 1, 2, 3], [10, 5, 4, 1])
    genes = {
        "made by one": (20, 1, 1, 1),
        "made by one, graded in few cells": (20, 1, 1, 9),
        "graded in many cells": (20, 9, 1, 1),
        "made by all": (20, 20, 20, 20),
        "made by nearly all": (20, 20, 20, 1),
        "seen in few cells": (2, 0, 0, 0),
    }
    counts = np.array([[genes[name][k] for name in genes] for k in clusters])
    column = list(genes).index("seen in few cells")
    counts[:, column] = 0
    counts[:2, column] = 10
    rest = 200 - counts.sum(axis=1, keepdims=True)
    counts = sparse.csr_matrix(np.hstack([counts, rest]))
    soup = np.array([0.2, 0.1, 0.2, 0.2, 0.1, 0.1, 0.1])
    means, weights, fluid = _candidates(counts, clusters, soup)
    # 10 counts of the first gene lie in the 2,000 of the other clusters; the cluster in which the
    # second is graded takes no part
    np.testing.assert_allclose(means, [10 / 2000, 9 / 1800])
    np.testing.assert_array_equal(weights, [2000, 1800])
    np.testing.assert_array_equal(fluid, [0.2, 0.1])


@pytest.fixture
def fluid():
    return np.random.default_rng(0).uniform(1e-4, 1e-2, 60)


def test_genes_on_a_line_give_its_slope(fluid):
    found = _line(0.1 * fluid, np.full(60, 1e7), fluid, seed=0)
    assert found["share"] == pytest.approx(0.1)
    assert found["n_genes"] == found["n_candidates"] == 60


@pytest.mark.parametrize(("on_line", "told"), [(20, True), (19, False)])
def test_a_third_of_the_genes_must_fit_the_line(fluid, on_line, told):
    means = 0.1 * fluid
    means[on_line:] *= np.random.default_rng(1).uniform(4, 9, 60 - on_line)
    found = _line(means, np.full(60, 1e7), fluid, seed=0)
    assert found["n_genes"] == on_line
    assert ("share" in found) == told
    if not told:
        assert found["reason"] == "only 19 of 60 genes agree on one level"


def test_a_gene_below_the_line_takes_part(fluid):
    means = 0.1 * fluid
    means[0], means[1] = 0, 5 * means[1]
    slope, fits = _fit(means, np.full(60, 1e7), fluid)
    assert slope < 0.1
    assert fits[0]
    assert np.flatnonzero(~fits).tolist() == [1]


def test_estimates_that_are_not_believed(fluid):
    found = _line(0.7 * fluid, np.full(60, 1e7), fluid, seed=0)
    assert found["reason"] == "the estimate of 70% is not plausible"
    rng = np.random.default_rng(2)
    few = rng.uniform(1e-4, 1e-3, 12)
    found = _line(few * rng.uniform(0, 0.6, 12), np.full(12, 1e5), few, seed=0)
    assert found["reason"].startswith("the interval is too wide (")
    assert "share" not in found


def ambient(share, *, soup, clusters):
    return Ambient({"share": share}, np.asarray(soup), np.asarray(clusters))


def test_subtraction_by_hand():
    counts = sparse.csr_matrix(np.array([[8, 2, 0], [8, 2, 0], [0, 10, 10]], dtype=np.int32))
    # cluster 0 has 20 counts: 0.5 x 20 x (0.4, 0.4, 0.2) = (4, 4, 2) of (16, 4, 0) are ambient
    # cluster 1 has 20: (4, 4, 2) of (0, 10, 10)
    result = subtract_ambient(
        counts, ambient(0.5, soup=[0.4, 0.4, 0.2], clusters=[0, 0, 1]), seed=0
    )
    np.testing.assert_array_equal(result.toarray(), [[6, 0, 0], [6, 0, 0], [0, 6, 8]])
    assert result.dtype == np.int32
    assert result.format == "csr"
    assert 0 not in result.data


def test_fractions_are_right_on_average():
    counts = sparse.csr_matrix(np.full((4000, 1), 3, dtype=np.int32))
    result = subtract_ambient(
        counts, ambient(0.1, soup=[1.0], clusters=np.zeros(4000, dtype=int)), seed=0
    )
    assert set(np.unique(result.toarray())) == {2, 3}  # 3 x 0.9 = 2.7
    assert result.toarray().mean() == pytest.approx(2.7, abs=0.03)


def test_nothing_is_subtracted_without_a_share():
    counts = sparse.csr_matrix(np.array([[1, 2]], dtype=np.int32))
    for share in (None, 0.0):
        result = subtract_ambient(counts, ambient(share, soup=[0.5, 0.5], clusters=[0]), seed=0)
        np.testing.assert_array_equal(result.toarray(), counts.toarray())


def test_subtraction_takes_the_foreign_counts_and_leaves_the_own(soup_sample):
    adata, _ = soup_sample(0.1, cells=600)
    kind = adata.obs["kind"].to_numpy().astype(int)
    found = estimate_ambient(adata, seed=0)
    clean = subtract_ambient(adata.X, found, seed=0).toarray()
    before = adata.X.toarray()
    assert (clean <= before).all()
    assert clean.min() == 0
    genes = np.arange(500)
    foreign = (genes >= 200)[None, :] & ((genes - 200) // 50 != kind[:, None])
    own = (genes >= 200)[None, :] & ~foreign
    assert clean[foreign].sum() < 0.15 * before[foreign].sum()
    assert clean[own].sum() > 0.9 * before[own].sum()
    assert 1 - clean.sum() / before.sum() == pytest.approx(0.1, abs=0.02)


def test_same_seed_same_result(soup_sample):
    adata, _ = soup_sample(0.1)
    one, two = (estimate_ambient(adata, seed=3) for _ in range(2))
    assert one.record == two.record
    first, second = (subtract_ambient(adata.X, a, seed=3) for a in (one, two))
    np.testing.assert_array_equal(first.toarray(), second.toarray())
