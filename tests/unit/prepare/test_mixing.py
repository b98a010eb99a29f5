"""Measures of mixing against harmonypy's own, scikit-learn, values by hand and planted truth."""

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from harmonypy.lisi import compute_lisi
from scipy import sparse
from sklearn.metrics import silhouette_score

from osteotalk.prepare import mixing
from osteotalk.prepare.mixing import choose_cells, lisi, measure_mixing


def blobs(*, cells=240, shift=0.0, seed=0):
    """Two cell types and two samples in a plane; `shift` moves the second sample away."""
    rng = np.random.default_rng(seed)
    kind = np.arange(cells) % 2
    sample = (np.arange(cells) // 2) % 2
    space = rng.normal(scale=0.5, size=(cells, 4))
    space[:, 0] += 10 * kind
    space[:, 1] += shift * sample
    return space, np.array(["a", "b"])[kind], np.array(["S1", "S2"])[sample]


def cohort(sample, label=None, *, kind, seed=0):
    """Log expression in which the types differ, whatever the space."""
    rng = np.random.default_rng(seed)
    rate = np.full((len(sample), 60), 0.5)
    rate[kind == "a", :30] = 4
    rate[kind == "b", 30:] = 4
    x = sparse.csr_matrix(np.log1p(rng.poisson(rate)).astype(np.float32))
    obs = pd.DataFrame({"sample": sample}, index=[str(i) for i in range(len(sample))])
    if label is not None:
        obs["author_label"] = label
    return AnnData(x, obs=obs)


def test_lisi_equals_that_of_the_authors_of_harmony():
    rng = np.random.default_rng(1)
    labels = rng.choice(list("abc"), 400, p=[0.6, 0.3, 0.1])
    space = rng.normal(size=(400, 5)) + 0.7 * (labels == "a")[:, None]
    theirs = compute_lisi(space, pd.DataFrame({"l": labels}), ["l"])[:, 0]
    np.testing.assert_allclose(lisi(space, labels), theirs, atol=1e-4)


def test_lisi_by_hand():
    # Neighbours all equally far: three of each of two labels among seven points of a simplex.
    space = np.eye(7)
    values = lisi(space, np.array(list("aaabbbb")))
    # a cell of label a sees 2 a and 4 b: 1 / ((2/6)^2 + (4/6)^2)
    np.testing.assert_allclose(values[:3], 1 / (4 / 36 + 16 / 36))
    np.testing.assert_allclose(values[3:], 1 / (9 / 36 + 9 / 36))


def test_lisi_bounds_and_order_of_cells():
    rng = np.random.default_rng(2)
    space, labels = rng.normal(size=(300, 3)), rng.choice(list("abcd"), 300)
    values = lisi(space, labels)
    assert values.min() >= 1
    assert values.max() <= 4
    turned = rng.permutation(300)
    np.testing.assert_allclose(lisi(space[turned], labels[turned]), values[turned])
    np.testing.assert_allclose(lisi(7 * space, labels), values, rtol=1e-6)


def test_lisi_of_one_label_and_of_equal_points():
    space = np.random.default_rng(0).normal(size=(50, 2))
    np.testing.assert_allclose(lisi(space, np.full(50, "a")), 1)
    assert np.isfinite(lisi(np.zeros((50, 2)), np.array(["a", "b"] * 25))).all()


@pytest.mark.parametrize(("cells", "labels"), [(3, 3), (10, 9)])
def test_lisi_refuses_what_it_cannot_measure(cells, labels):
    with pytest.raises(ValueError, match=f"at least 4 cells and a label for each: {cells}"):
        lisi(np.zeros((cells, 2)), np.array(["a"] * labels))


def test_chosen_cells_keep_each_samples_share():
    samples = pd.Series(["a"] * 9000 + ["b"] * 990 + ["c"] * 10)
    chosen = choose_cells(samples, most=100, seed=3)
    assert list(samples[chosen].value_counts()) == [90, 9, 1]
    assert list(chosen) == sorted(set(chosen))
    np.testing.assert_array_equal(chosen, choose_cells(samples, most=100, seed=3))
    assert len(choose_cells(samples, most=10_000, seed=3)) == len(samples)


def measured(*, shift, label=None, after=0.0):
    before, kind, sample = blobs(shift=shift)
    adata = cohort(sample, label, kind=kind)
    space = None if after is None else blobs(shift=after)[0]
    return measure_mixing(adata, before=before, after=space, n_neighbors=15, seed=0)


def test_samples_that_are_aligned_score_better():
    kind = blobs()[1]
    result = measured(shift=30, label=kind)
    metrics = result["metrics"]
    assert metrics["ilisi"]["before"] == pytest.approx(1, abs=1e-6)
    assert metrics["ilisi"]["after"] > 1.7
    assert "1 to 2.00 if cells lay at random" in metrics["ilisi"]["what"]
    assert metrics["author_clisi"]["after"] == pytest.approx(1, abs=1e-6)
    assert metrics["sample_silhouette"]["before"] < 0.2
    assert metrics["sample_silhouette"]["after"] > 0.9
    assert result["notes"] == []


def test_labels_that_are_lost_show():
    """Aligning that puts all cells into one heap mixes samples and loses the types."""
    before, kind, sample = blobs(shift=0)
    heap = np.random.default_rng(5).normal(size=before.shape)
    adata = cohort(sample, kind, kind=kind)
    metrics = measure_mixing(adata, before=before, after=heap, n_neighbors=15, seed=0)["metrics"]
    for name in ("own_ari", "own_nmi", "author_ari", "author_nmi", "author_silhouette"):
        assert metrics[name]["better"] == "higher"
        assert metrics[name]["after"] < metrics[name]["before"] - 0.1, name
    for name in ("own_clisi", "author_clisi"):
        assert metrics[name]["better"] == "lower"
        assert metrics[name]["after"] > metrics[name]["before"] + 0.5, name


def test_silhouette_is_that_of_sklearn():
    before, kind, _ = blobs(shift=3)
    metrics = measured(shift=3, label=kind)["metrics"]
    expected = (silhouette_score(before, kind) + 1) / 2
    assert metrics["author_silhouette"]["before"] == pytest.approx(expected)


def test_what_cannot_be_measured_is_said():
    before, kind, _ = blobs(cells=120)
    one = cohort(np.full(120, "S1"), kind=kind)
    result = measure_mixing(one, before=before, after=None, n_neighbors=15, seed=0)
    assert result["notes"] == [
        "the cohort has one sample, so there is nothing to mix",
        "the cohort has no labels of its authors to compare with",
    ]
    assert "ilisi" not in result["metrics"]
    assert all("after" not in metric for metric in result["metrics"].values())
    small = cohort(np.array(["S1", "S2", "S3"] * 40), kind=kind)
    result = measure_mixing(small, before=before, after=None, n_neighbors=15, seed=0)
    assert result["notes"][0] == "3 samples of fewer than 50 cells were not clustered alone"
    assert list(result["metrics"]) == ["ilisi"]


def test_cells_without_a_label_of_the_authors_are_counted():
    before, kind, sample = blobs()
    label = kind.copy()
    label[:20] = ""
    label[20:24] = "c"
    notes = measure_mixing(
        cohort(sample, label, kind=kind), before=before, after=None, n_neighbors=15, seed=0
    )["notes"]
    assert notes == [
        "24 cells without an author's label, or with one of fewer than 10 cells, took no part in "
        "the comparison with the authors"
    ]
    none = cohort(sample, np.full(len(kind), "a"), kind=kind)
    notes = measure_mixing(none, before=before, after=None, n_neighbors=15, seed=0)["notes"]
    assert notes == ["fewer than two of the authors' labels have 10 cells"]


def test_large_cohorts_are_measured_on_some_cells(monkeypatch):
    monkeypatch.setattr(mixing, "MAX_CELLS", 120)
    result = measured(shift=0)
    assert (result["n_cells"], result["n_cells_all"]) == (120, 240)
    assert result == measured(shift=0)
