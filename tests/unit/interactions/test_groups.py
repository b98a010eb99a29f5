"""Statistics of populations against pandas, scanpy and numpy."""

import numpy as np
import pandas as pd
import pytest
import scanpy as sc
from anndata import AnnData
from scipy import sparse

from osteotalk.interactions.groups import detection, gather, trimeans

GENES = ["G1", "G5", "G20", "G33", "SILENT"]
LABELS = ["a", "b", "c"]


@pytest.fixture
def codes(toy):
    """Population d takes no part."""
    return pd.Index(LABELS).get_indexer(pd.Index(toy.obs["population"]))


@pytest.fixture
def found(toy, codes):
    return gather(toy.X, toy.var_names, codes=codes, labels=LABELS, genes=GENES)


@pytest.fixture
def frame(toy, codes):
    """Dense expression of the cells that take part."""
    return pd.DataFrame(toy.X.toarray(), columns=toy.var_names)[codes >= 0]


@pytest.fixture
def label(toy, codes):
    return toy.obs["population"].to_numpy()[codes >= 0]


def same(left, right, rtol=1e-12):
    assert list(left.genes) == list(right.genes)
    for name in ("means", "shares", "zscores", "logfc", "matrix_mean", "matrix_max"):
        np.testing.assert_allclose(getattr(left, name), getattr(right, name), rtol, 1e-12, name)


def test_means_and_shares_by_pandas(found, frame, label):
    assert list(found.genes) == GENES[:-1]  # no cell expresses the last
    grouped = frame[GENES[:-1]].groupby(label)
    assert list(found.labels) == list(grouped.mean().index)
    assert list(found.sizes) == list(grouped.size())
    np.testing.assert_allclose(found.means, grouped.mean(), rtol=1e-12)
    np.testing.assert_allclose(found.shares, grouped.agg(lambda x: (x > 0).mean()), rtol=1e-12)


def test_zscores_by_scanpy(found, frame, label):
    scaled = AnnData(frame.to_numpy())
    sc.pp.scale(scaled)
    expected = pd.DataFrame(scaled.X, columns=frame.columns)[GENES[:-1]].groupby(label).mean()
    np.testing.assert_allclose(found.zscores, expected, rtol=1e-9, atol=1e-12)


def test_log_fold_changes_by_hand(found, frame, label):
    counts = np.expm1(frame[GENES[:-1]].to_numpy())
    for row, name in enumerate(LABELS):
        inside, outside = counts[label == name].mean(axis=0), counts[label != name].mean(axis=0)
        expected = np.log2(inside + 1) - np.log2(outside + 1)
        np.testing.assert_allclose(found.logfc[row], expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("top", [30.0, 42.0, 49.9])
def test_log_fold_changes_keep_their_digits(top):
    """A population of huge values among others of small ones; the sums of the others are exact."""
    values = np.full((12, 2), 0.5)
    values[:3, 0] = values[9:, 1] = top
    label = np.repeat(LABELS, [3, 6, 3])
    codes = pd.Index(LABELS).get_indexer(pd.Index(label))
    found = gather(
        sparse.csr_matrix(values),
        pd.Index(["X", "Y"]),
        codes=codes,
        labels=LABELS,
        genes=["X", "Y"],
    )
    small, large = np.expm1(0.5), np.expm1(top)
    up = np.log2(large + 1) - np.log2(small + 1)
    middle = np.log2(small + 1) - np.log2((large + small) / 2 + 1)
    down = np.log2(small + 1) - np.log2((3 * large + 6 * small) / 9 + 1)
    expected = [[up, down], [middle, middle], [down, up]]
    np.testing.assert_allclose(found.logfc, expected, rtol=1e-12)


def test_matrix_mean_and_largest_value(found, frame):
    assert found.matrix_mean == pytest.approx(frame.drop(columns="SILENT").to_numpy().mean())
    assert found.matrix_max == frame.to_numpy().max()


def test_genes_that_only_cells_left_out_express_count_in_the_matrix_mean(toy, codes):
    """LIANA takes genes away before it takes small populations away."""
    left_out = np.flatnonzero(codes < 0)
    changed = toy.X.tolil()
    changed[left_out[0], 40] = 9.0
    matrix = changed.tocsr()
    found = gather(matrix, toy.var_names, codes=codes, labels=LABELS, genes=GENES)
    assert "SILENT" in found.genes
    assert not found.means[:, -1].any()
    assert not found.zscores[:, -1].any()
    dense = matrix.toarray()[codes >= 0]
    assert found.matrix_mean == pytest.approx(dense.mean())
    assert found.matrix_max == dense.max() < 9


def test_explicit_zeros_are_zeros(toy, codes, found):
    changed = toy.X.tolil()
    changed[:, 40] = 1.0
    matrix = changed.tocsr()
    matrix.data[matrix.indices == 40] = 0.0
    assert matrix.nnz > toy.X.nnz
    again = gather(matrix, toy.var_names, codes=codes, labels=LABELS, genes=GENES)
    same(again, found)
    np.testing.assert_array_equal(
        trimeans(matrix, toy.var_names, again), trimeans(toy.X, toy.var_names, found)
    )


def test_order_of_entries_and_single_precision(toy, codes, found):
    turned = toy.X[:, ::-1]  # indices of a row are not sorted
    same(gather(turned, toy.var_names[::-1], codes=codes, labels=LABELS, genes=GENES), found)
    single = sparse.csr_matrix(toy.X, dtype=np.float32)
    double = sparse.csr_matrix(single, dtype=np.float64)
    both = [
        gather(matrix, toy.var_names, codes=codes, labels=LABELS, genes=GENES)
        for matrix in (single, double)
    ]
    same(*both)


def test_a_gene_without_variance_has_no_zscore():
    matrix = sparse.csr_matrix(np.column_stack([np.full(30, 0.1), np.arange(30) / 10]))
    codes = np.repeat([0, 1, 2], 10)
    found = gather(matrix, pd.Index(["A", "B"]), codes=codes, labels=LABELS, genes=["A", "B"])
    np.testing.assert_allclose(found.zscores[:, 0], 0, atol=1e-6)
    np.testing.assert_allclose(found.logfc[:, 0], 0, atol=1e-12)


@pytest.mark.parametrize("stored", [True, False])
def test_an_empty_matrix(stored):
    matrix = sparse.csr_matrix(np.ones((6, 3)))
    matrix.data[:] = 0.0
    if not stored:
        matrix.eliminate_zeros()
    names = pd.Index(["A", "B", "C"])
    found = gather(matrix, names, codes=[0, 0, 0, 1, 1, 1], labels=["x", "y"], genes=["A", "B"])
    assert found.genes.empty
    assert found.matrix_mean == found.matrix_max == 0
    assert found.means.shape == trimeans(matrix, names, found).shape == (2, 0)


@pytest.mark.parametrize("n", [1, 2, 3, 5, 10, 45])
def test_trimeans_by_quantiles(n):
    rng = np.random.default_rng(n)
    dense = rng.gamma(1, 1, (2 * n, 8)) * (rng.random((2 * n, 8)) < np.arange(8) / 7)
    dense[0] = 5.0
    names = pd.Index([f"G{i}" for i in range(8)])
    codes = np.tile([0, 1], n)
    matrix = sparse.csr_matrix(dense)
    groups = gather(matrix, names, codes=codes, labels=["x", "y"], genes=list(names))
    for code, row in enumerate(trimeans(matrix, names, groups)):
        low, middle, high = np.quantile(dense[codes == code], [0.25, 0.5, 0.75], axis=0)
        np.testing.assert_allclose(row, (low + 2 * middle + high) / 4 / dense.max(), rtol=1e-12)


def test_trimeans_where_only_cells_left_out_express():
    matrix = sparse.csr_matrix([[0.0], [0.0], [2.0]])
    groups = gather(matrix, pd.Index(["A"]), codes=[0, 1, -1], labels=["x", "y"], genes=["A"])
    np.testing.assert_array_equal(trimeans(matrix, pd.Index(["A"]), groups), [[0.0], [0.0]])


def test_detection_is_the_share_of_all_cells(toy):
    np.testing.assert_allclose(detection(toy), (toy.X.toarray() > 0).mean(axis=0))
    assert list(detection(toy).index) == list(toy.var_names)
