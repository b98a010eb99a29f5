"""Measures of mixing against scikit-learn, values by hand and planted truth."""

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse
from sklearn.metrics import adjusted_rand_score, silhouette_score

from osteotalk.prepare import mixing
from osteotalk.prepare.mixing import choose_cells, clusters_alone, lisi, measure_mixing


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


@pytest.mark.parametrize("cells", range(5, 11))
def test_lisi_by_hand(cells):
    """Points of a simplex are equally far from each other, so all others count the same."""
    labels = np.array(list("ababbbabab"))[:cells]
    expected = []
    for i in range(cells):
        share = np.mean(np.delete(labels, i) == "a")
        expected.append(1 / (share**2 + (1 - share) ** 2))
    np.testing.assert_allclose(lisi(np.eye(cells), labels), expected)
    np.testing.assert_allclose(lisi(np.zeros((cells, 3)), labels), expected)


def test_lisi_of_labels_that_are_mixed_and_that_are_apart():
    places = np.repeat(np.random.default_rng(1).normal(size=(100, 4)), 3, axis=0)
    labels = np.array(list("abc") * 100)  # one cell of each label at every place
    np.testing.assert_allclose(lisi(places, labels), 3, atol=0.3)
    places[:, 0] += 100 * (labels == "a")
    values = lisi(places, labels)
    np.testing.assert_allclose(values[labels == "a"], 1)
    np.testing.assert_allclose(values[labels != "a"], 2, atol=0.3)


def test_lisi_looks_at_about_thirty_neighbours():
    space = np.random.default_rng(3).normal(size=(240, 3))
    for size, label_alone in ((40, True), (20, False)):  # enough neighbours of one label or not
        heap = np.arange(240) // size
        values = lisi(space + 1000 * heap[:, None], heap % 2)
        assert (values.max() < 1.001) == label_alone
        assert (values.min() > 1.2) != label_alone


def test_lisi_bounds_and_order_of_cells():
    rng = np.random.default_rng(2)
    space, labels = rng.normal(size=(300, 3)), rng.choice(list("abcd"), 300)
    values = lisi(space, labels)
    assert values.min() >= 1
    assert values.max() <= 4
    turned = rng.permutation(300)
    np.testing.assert_allclose(lisi(space[turned], labels[turned]), values[turned])
    np.testing.assert_allclose(lisi(7 * space, labels), values, rtol=1e-4)


def test_lisi_of_one_label_and_of_equal_points():
    space = np.random.default_rng(0).normal(size=(50, 2))
    np.testing.assert_allclose(lisi(space, np.full(50, "a")), 1)
    assert np.isfinite(lisi(np.zeros((50, 2)), np.array(["a", "b"] * 25))).all()


@pytest.mark.parametrize(("cells", "labels"), [(4, 4), (10, 9)])
def test_lisi_refuses_what_it_cannot_measure(cells, labels):
    with pytest.raises(ValueError, match=f"at least 5 cells and a label for each: {cells}"):
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


@pytest.mark.parametrize(("cells", "left_out"), [(9, 29), (10, 20)])
def test_a_label_of_ten_cells_takes_part(cells, left_out):
    before, kind, sample = blobs()
    label = kind.copy()
    label[:20] = ""
    label[20 : 20 + cells] = "c"
    notes = measure_mixing(
        cohort(sample, label, kind=kind), before=before, after=None, n_neighbors=15, seed=0
    )["notes"]
    assert notes[0].startswith(f"{left_out} cells without an author's label")


def test_a_sample_of_fifty_cells_is_clustered_alone():
    kind = np.array(["a", "b"])[np.arange(99) % 2]
    adata = cohort(np.repeat(["S1", "S2"], [50, 49]), kind=kind)
    found = clusters_alone(adata, n_neighbors=15, seed=0)
    assert (found[50:] == "").all()
    assert all(name.startswith("S1:") for name in found[:50])
    assert adjusted_rand_score(kind[:50], found[:50]) > 0.3


def test_samples_count_by_their_cells():
    own = np.array(["S1:0", "S1:1"] * 50 + ["S2:0", "S2:1"] * 30)
    sample = np.array([name[:2] for name in own])
    joint = np.array([name[3] if name[1] == "1" else "2" for name in own])  # S2 is in one heap
    space = np.random.default_rng(0).normal(size=(160, 2))
    metrics = mixing._own_metrics(
        own, sample, spaces={"before": space}, joint={"before": joint}, notes=[]
    )
    assert metrics["own_ari"]["before"] == pytest.approx(100 / 160)  # 1 in S1, 0 in S2
    assert metrics["own_nmi"]["before"] == pytest.approx(100 / 160)


def test_silhouette_of_samples_by_hand():
    """On a line at 0, 1, 2 and 3: samples S1, S2, S2, S1."""
    space = np.arange(4.0)[:, None]
    sample = np.array(["S1", "S2", "S2", "S1"])
    # at 0: 3 from its own, 1.5 from the others, so -0.5; at 1: 1 and 1.5, so 1/3
    expected = np.mean([1 - 0.5, 1 - 1 / 3])
    groups = [np.arange(4)]
    assert mixing._sample_silhouette(space, groups, sample) == pytest.approx(expected)


def test_labels_of_one_sample_are_not_compared_between_samples():
    label = np.array(list("aaabbcc"))
    sample = np.array(["S1", "S2", "S2", "S1", "S1", "S1", "S2"])
    (group,) = mixing._shared_labels(label, sample)  # b is in one sample, c has one cell in each
    assert group.tolist() == [0, 1, 2]


def test_large_cohorts_are_measured_on_some_cells(monkeypatch):
    monkeypatch.setattr(mixing, "MAX_CELLS", 120)
    result = measured(shift=0)
    assert (result["n_cells"], result["n_cells_all"]) == (120, 240)
    assert result == measured(shift=0)
