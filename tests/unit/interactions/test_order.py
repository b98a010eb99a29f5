"""No order of cells, genes, pairs or threads changes a bit of a table whose p-values are drawn."""

import math

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import sparse

from osteotalk.interactions import score
from osteotalk.interactions.cell_order import cell_order
from osteotalk.interactions.groups import gather
from osteotalk.interactions.nulls import moments
from osteotalk.interactions.nulls.pair_cells import MAX_POINTS, bins

PAIRS = pd.DataFrame(
    [(f"G{i}", f"G{i + 6}") for i in range(6)] + [("G0_G1", "G9"), ("G3", "G3"), ("G4", "G10_G11")],
    columns=["ligand", "receptor"],
)
LONG = {"moments": {}, "permutation": {"n_perms": 200}}


def cells(seed, kind, n=90):
    """Four populations and 12 genes: counts of unequal or equal depth, or presence alone."""
    rng = np.random.default_rng(seed)
    population = rng.permutation(np.repeat(["a", "b", "c", "d"], [7, 13, 20, n - 40]))
    rates = rng.gamma(0.6, 1.0, (4, 12)) + 0.05
    counts = rng.poisson(rates[pd.Categorical(population).codes])
    if kind == "unequal depth":
        values = np.log1p(counts * rng.lognormal(0, 0.4, (n, 1)))
    else:
        values = np.log1p(counts) if kind == "equal depth" else 0.7 * (counts > 0)
    obs = pd.DataFrame({"population": population}, index=[f"cell{i}" for i in range(n)])
    var = pd.DataFrame(index=[f"G{i}" for i in range(12)])
    return AnnData(sparse.csr_matrix(values, dtype=np.float32), obs=obs, var=var)


def turned(adata, rng):
    """The same cells in another order, with genes in another order."""
    return adata[rng.permutation(adata.n_obs)][:, rng.permutation(adata.n_vars)].copy()


@pytest.mark.parametrize("null", list(LONG))
@pytest.mark.parametrize("kind", ["unequal depth", "equal depth", "presence"])
def test_orders_and_threads_change_no_byte(null, kind, monkeypatch):
    monkeypatch.setattr(moments, "LARGE_ERROR", 0.02)  # draws more, and fewer times
    monkeypatch.setattr(moments, "MOST_DRAWS", 10_000)
    arguments = {"resource": PAIRS, "null": null, "min_cells": 5, "expr_prop": 0.01, **LONG[null]}

    @settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
    @given(seed=st.integers(0, 10**6), threads=st.sampled_from([1, 2, 5]))
    def check(seed, threads):
        adata, rng = cells(seed, kind), np.random.default_rng(seed)
        expected = score(adata, **arguments)
        pairs = PAIRS.sample(frac=1, random_state=seed)
        found = score(turned(adata, rng), **arguments | {"resource": pairs, "threads": threads})
        pd.testing.assert_frame_equal(found, expected, check_exact=True)
        backwards = score(adata[::-1].copy(), **arguments)
        pd.testing.assert_frame_equal(backwards, expected, check_exact=True)
        other = score(adata, **arguments, seed=1)
        assert (other["p_value"] != expected["p_value"]).any()  # something was drawn

    check()


def test_the_order_does_not_matter_to_the_engine_liana():
    adata = cells(3, "unequal depth")
    arguments = {"resource": PAIRS, "engine": "liana", "min_cells": 5, "null": "permutation"}
    expected = score(adata, n_perms=20, **arguments)
    found = score(turned(adata, np.random.default_rng(0)), n_perms=20, **arguments)
    pd.testing.assert_frame_equal(found, expected, check_exact=True)


def test_another_order_of_cells_is_what_liana_counts():
    """The mode that repeats LIANA keeps its order of cells, in which other shuffles are drawn."""
    adata = cells(3, "unequal depth")
    arguments = {"resource": PAIRS, "min_cells": 5, "null": "like_liana", "n_perms": 200}
    found, other = (score(x, **arguments) for x in (adata, adata[::-1].copy()))
    assert (found["p_value"] != other["p_value"]).any()


@pytest.mark.parametrize("scale", [1.0, 1e-30, 40.0])
def test_sums_of_whole_numbers_are_as_exact_as_fractions(scale):
    """Against sums without rounding, for values of any size."""
    rng = np.random.default_rng(2)
    dense = rng.gamma(1, 1, (500, 3)) * (rng.random((500, 3)) < 0.7)
    dense *= scale / dense.max()
    codes = rng.integers(-1, 3, 500)
    names = pd.Index(["x", "y", "z"])
    settings_ = {"labels": list("abc"), "genes": list(names)}
    groups = gather(sparse.csr_matrix(dense), names, codes=codes, **settings_)
    for k in range(3):
        for gene in range(3):
            own = dense[codes == k, gene]
            assert groups.means[k, gene] == pytest.approx(math.fsum(own) / len(own), rel=1e-14)
    total = math.fsum(dense[codes >= 0].ravel()) / dense[codes >= 0].size
    assert groups.matrix_mean == pytest.approx(total, rel=1e-14)
    order = rng.permutation(500)
    again = gather(sparse.csr_matrix(dense[order]), names, codes=codes[order], **settings_)
    for name in ("means", "shares", "zscores", "logfc", "matrix_mean", "matrix_max"):
        np.testing.assert_array_equal(getattr(again, name), getattr(groups, name))


def test_bins_do_not_depend_on_the_order():
    rng = np.random.default_rng(4)
    x, y = rng.gamma(2, 0.5, (2, 5 * MAX_POINTS)) * (rng.random((2, 5 * MAX_POINTS)) < 0.6)
    order = rng.permutation(len(x))
    np.testing.assert_array_equal(bins(x[order], y[order]), bins(x, y))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_cells_are_ordered_by_label_and_values(dtype):
    rng = np.random.default_rng(5)
    dense = rng.integers(0, 3, (200, 4)).astype(dtype)  # many equal cells
    codes = rng.integers(0, 3, 200)
    order = rng.permutation(200)
    first = cell_order(sparse.csc_matrix(dense), codes)
    second = order[cell_order(sparse.csc_matrix(dense[order]), codes[order])]
    np.testing.assert_array_equal(dense[first], dense[second])
    np.testing.assert_array_equal(codes[first], np.sort(codes))
    # equal cells of a label are together: as many blocks as there are different cells
    rows = np.column_stack([codes, dense])[first]
    assert 1 + (np.diff(rows, axis=0) != 0).any(axis=1).sum() == len(np.unique(rows, axis=0))
