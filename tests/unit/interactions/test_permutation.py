"""Shuffles against a plain loop, and what is made of p-values."""

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from osteotalk.interactions.nulls import permutation
from osteotalk.interactions.nulls.p_values import add_p_values, last_passing
from osteotalk.interactions.nulls.permutation import BATCH, count_exceedances
from osteotalk.interactions.nulls.places import Places, locate
from osteotalk.interactions.sample import read_sample


@pytest.fixture(scope="module")
def matrix():
    rng = np.random.default_rng(5)
    dense = rng.gamma(2, 0.5, (40, 6)) * (rng.random((40, 6)) < 0.6)
    return sparse.csr_matrix(dense, dtype=np.float32)


@pytest.fixture(scope="module")
def places():
    rng = np.random.default_rng(6)
    edges = [(a, b, g, h) for a in range(3) for b in range(3) for g in range(3) for h in (3, 4, 5)]
    return Places(rng.permutation(np.repeat(range(3), (10, 12, 18))), *np.array(edges).T.copy())


def in_a_loop(matrix, places, *, n_perms, seed):
    """Deal the labels anew, one shuffle and one edge at a time."""
    dense, rng = matrix.toarray().astype(np.float64), np.random.default_rng(seed)
    cells = np.arange(len(dense))

    def strengths(order):
        found = []
        for a, b, g, h in zip(
            places.source, places.target, places.ligand, places.receptor, strict=True
        ):
            # cell order[i] has the label of position i
            left = dense[order[places.codes == a], g].mean()
            found.append((left + dense[order[places.codes == b], h].mean()) / 2)
        return np.array(found)

    observed = strengths(cells)
    shuffled = [strengths(rng.permutation(cells)) for _ in range(n_perms)]
    return sum(values >= observed for values in shuffled)


@pytest.mark.parametrize("n_perms", [1, BATCH, 37])
def test_shuffles_against_a_plain_loop(matrix, places, n_perms):
    found = count_exceedances(matrix, places, n_perms=n_perms, seed=5, like_liana=True)
    np.testing.assert_array_equal(found, in_a_loop(matrix, places, n_perms=n_perms, seed=5))


def all_deals(sizes):
    """Every way to deal the labels to the cells."""
    labels = np.repeat(range(len(sizes)), sizes)
    return np.array(sorted(set(itertools.permutations(labels.tolist()))))


@pytest.mark.parametrize("values", [(1.0,), (0.3, 0.6, 0.9), (0.1, 0.7, 1.3)])
def test_ties_count_as_in_all_deals(values):
    """Eight cells of few values: whole sums tie, which rounding must not undo."""
    sizes, n_perms = (3, 2, 3), 20_000
    deals = all_deals(sizes)
    rng = np.random.default_rng(len(values))
    dense = rng.choice(values, (8, 4)) * (rng.random((8, 4)) < 0.7)
    dense = np.log1p(10 * dense).astype(np.float32)
    codes = rng.permutation(np.repeat(range(3), sizes))
    edges = [(a, b, g, h) for a in range(3) for b in range(3) for g in range(2) for h in (2, 3)]
    places = Places(codes, *np.array(edges).T.copy())
    found = count_exceedances(sparse.csr_matrix(dense), places, n_perms=n_perms, seed=1) / n_perms
    # sums of 24-bit numbers of one size are exact in double precision; sizes are put over 6
    for (a, b, g, h), share in zip(edges, found, strict=True):
        x, y = dense[:, g].astype(float), dense[:, h].astype(float)
        weights = 6 // sizes[a], 6 // sizes[b]
        sums = [weights[0] * (d == a) @ x + weights[1] * (d == b) @ y for d in (codes, *deals)]
        p = np.mean(np.array(sums[1:]) >= sums[0] * (1 - 1e-12))
        assert abs(share - p) <= 4.5 * np.sqrt(p * (1 - p) / n_perms)


@pytest.mark.parametrize("threads", [2, 5])
@pytest.mark.parametrize("n_perms", [3, 101])
def test_threads_do_not_matter(matrix, places, threads, n_perms):
    one = count_exceedances(matrix, places, n_perms=n_perms, seed=5)
    many = count_exceedances(matrix, places, n_perms=n_perms, seed=5, threads=threads)
    np.testing.assert_array_equal(one, many)
    assert one.max() <= n_perms


def test_size_of_batches_does_not_matter(matrix, places, monkeypatch):
    one = count_exceedances(matrix, places, n_perms=50, seed=5)
    monkeypatch.setattr(permutation, "BATCH", 7)
    np.testing.assert_array_equal(count_exceedances(matrix, places, n_perms=50, seed=5), one)
    other = count_exceedances(matrix, places, n_perms=50, seed=6)
    assert (other != one).any()


def test_edges_are_found_by_name():
    edges = pd.DataFrame(
        [("b", "a", "G2", "G0"), ("a", "a", "G1", "G1")],
        columns=["source", "target", "ligand", "receptor"],
    )
    found = locate(
        edges, labels=pd.Index(["a", "b"]), genes=pd.Index(["G0", "G1", "G2"]), codes=[0, 1, 1]
    )
    assert found.codes.tolist() == [0, 1, 1]
    assert found.source.tolist() == [1, 0]
    assert found.target.tolist() == [0, 0]
    assert found.ligand.tolist() == [2, 1]
    assert found.receptor.tolist() == [0, 1]


EDGES = pd.DataFrame(
    [(a, b, f"G{i}", f"G{i + 20}") for a in "abcd" for b in "abcd" for i in range(6)],
    columns=["source", "target", "ligand", "receptor"],
)


@pytest.fixture
def sample(toy, toy_pairs):
    return read_sample(toy, "population", toy_pairs, min_cells=10, groupby_pairs=None)


def add(sample, null, edges=EDGES, n_perms=99):
    settings = {"n_perms": n_perms, "seed": 4, "alpha": 0.05, "threads": 1}
    return add_p_values(edges, sample, null=null, **settings)


@pytest.mark.parametrize("null", ["moments", "permutation"])
def test_q_values_by_hand(sample, null):
    found = add(sample, null)
    p = found["p_value"].to_numpy()
    order = np.argsort(p)
    expected, smallest = np.empty(len(p)), 1.0
    for rank in range(len(p), 0, -1):
        smallest = min(smallest, p[order[rank - 1]] * len(p) / rank)
        expected[order[rank - 1]] = smallest
    np.testing.assert_allclose(found["q_value"], expected, rtol=1e-12)
    assert 0 < p.min() < p.max() <= 1
    pd.testing.assert_frame_equal(found[list(EDGES)], EDGES)


def test_drawn_p_values_count_the_data_as_one_shuffle(sample):
    found = add(sample, "permutation")
    p = found["p_value"].to_numpy()
    np.testing.assert_allclose(p * 100, np.rint(p * 100))
    assert p.min() == 0.01
    np.testing.assert_allclose(found["p_error"], np.sqrt((1 - p) / (p * 99)) / np.log(10))


def test_p_values_of_liana_are_used_if_there(sample):
    edges = EDGES.assign(cellphone_pvals=np.arange(len(EDGES)) / 100)
    found = add(sample, "permutation", edges, n_perms=100)
    np.testing.assert_allclose(found["p_value"], (np.arange(len(EDGES)) + 1) / 101)


def test_without_a_null_there_is_no_p_value(sample):
    found = add(sample, "none")
    assert found[["p_value", "p_error", "q_value"]].isna().all(axis=None)


def test_the_p_value_that_decides():
    p = np.array([0.001, 0.008, 0.039, 0.041, 0.9])
    # Benjamini-Hochberg at 0.05: bounds 0.01, 0.02, 0.03, 0.04, 0.05
    assert last_passing(p, alpha=0.05) == 0.008
    assert last_passing(p[::-1], alpha=0.05) == 0.008
    # with none, the bound of the smallest
    assert last_passing(np.array([0.2, 0.5]), alpha=0.05) == 0.025
    assert last_passing(np.array([0.01, 0.02]), alpha=0.05) == 0.02
