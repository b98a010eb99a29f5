"""Parts of a group of cells."""

import numpy as np
import pytest

from osteotalk.annotate.pieces import part


def same_part(parts, kinds):
    """Share of the cells that are in a part of mostly their kind."""
    right = 0
    for number in set(parts):
        right += max(np.sum((parts == number) & (kinds == kind)) for kind in set(kinds))
    return right / len(kinds)


def test_cells_of_two_kinds_are_parted(toy):
    adata = toy.cohort([("0", "tam", 60), ("0", "cd8", 60), ("1", "ec", 30)])
    parts = part(adata, np.arange(120), resolution=1.0, seed=0)
    assert sorted(set(parts)) == list(range(parts.max() + 1))
    assert parts.max() >= 1
    assert same_part(parts, adata.obs["kind"].to_numpy()[:120]) == 1


def test_parts_have_enough_cells_and_counts(toy):
    adata = toy.cohort([("0", "tam", 60), ("0", "cd8", 60)], depth=600)
    least = int(np.ceil(8000 / np.median(adata.obs["n_counts"])))
    sizes = np.bincount(part(adata, np.arange(120), resolution=2.0, seed=0))
    assert (np.sort(sizes)[1:] >= least).all()  # what is left over may be one smaller part


@pytest.mark.parametrize(("n", "depth"), [(10, 2500), (60, 250)])
def test_few_or_shallow_cells_are_one_part(toy, n, depth):
    adata = toy.cohort([("0", "tam", n // 2), ("0", "cd8", n // 2)], depth=depth)
    assert set(part(adata, np.arange(n), resolution=1.0, seed=0)) == {0}


def test_shallow_cells_are_parted_coarsely_not_thrown_together(toy):
    """At this resolution all parts are too small; a lower one still parts the two kinds."""
    adata = toy.cohort([("0", "tam", 100), ("0", "cd8", 100)], depth=130)
    least = int(np.ceil(8000 / np.median(adata.obs["n_counts"])))
    assert 200 >= 3 * least > 150
    parts = part(adata, np.arange(200), resolution=8.0, seed=0)
    assert parts.max() >= 1
    assert same_part(parts, adata.obs["kind"].to_numpy()) >= 0.95


def test_the_same_cells_give_the_same_parts(toy):
    adata = toy.cohort([("0", "tam", 60), ("0", "cd8", 60)])
    first, again = (part(adata.copy(), np.arange(120), resolution=2.0, seed=3) for _ in range(2))
    np.testing.assert_array_equal(first, again)
