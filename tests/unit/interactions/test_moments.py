"""P-values of the edges of a sample, computed."""

import math

import numpy as np
import pytest
from scipy import sparse, stats

from osteotalk.interactions.nulls import moments
from osteotalk.interactions.nulls.moments import LOWEST_P, null_tails
from osteotalk.interactions.nulls.pair_cells import expressing
from osteotalk.interactions.nulls.permutation import count_exceedances
from osteotalk.interactions.nulls.places import Places
from osteotalk.interactions.nulls.tails import ENUMERATE_ALL, ENUMERATE_ONE, edge_tail

SIZES = (12, 20, 38)


def by_name(p):
    """No edge is near the cut."""
    return LOWEST_P


@pytest.fixture(scope="module")
def matrix():
    """70 cells x 12 genes; the first are expressed by few cells."""
    rng = np.random.default_rng(3)
    shares = [0.03, 0.06, 0.12, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]
    columns = [rng.gamma(2, 0.5, 70) * (rng.random(70) < share) for share in shares]
    return sparse.csr_matrix(np.column_stack(columns))


@pytest.fixture(scope="module")
def places():
    """All edges of 20 pairs between three populations."""
    rng = np.random.default_rng(4)
    pairs = rng.choice(144, 20, replace=False)
    edges = [(a, b, p // 12, p % 12) for a in range(3) for b in range(3) for p in pairs]
    codes = rng.permutation(np.repeat(range(3), SIZES))
    return Places(codes, *np.array(edges).T.copy())


@pytest.fixture(scope="module")
def strengths(matrix, places):
    means = np.array([matrix[places.codes == k].toarray().mean(axis=0) for k in range(3)])
    return means[places.source, places.ligand] + means[places.target, places.receptor]


def part(places, rows):
    names = ("source", "target", "ligand", "receptor")
    return Places(places.codes, *(getattr(places, name)[rows] for name in names))


def test_p_values_are_the_tails_of_the_edges(matrix, places, strengths):
    found = null_tails(matrix, places, strengths, cut=by_name, seed=0)
    columns = sparse.csc_matrix(matrix)
    arrays = (columns.indptr, columns.indices, columns.data)
    for i in np.flatnonzero(~found.drawn):
        a, b = places.source[i], places.target[i]
        x, y = expressing(*arrays, places.ligand[i], places.receptor[i])
        sizes = (SIZES[a], SIZES[b], a == b, 70, strengths[i])
        if min((x > 0).sum(), (y > 0).sum()) <= ENUMERATE_ONE < ENUMERATE_ALL < len(x):
            continue  # counted for the rarer gene, see test_tails
        log_p, _ = edge_tail(x, y, np.ones(len(x)), *sizes)
        assert found.p[i] == pytest.approx(math.exp(min(log_p, 0)), rel=1e-6)
    assert (~found.drawn).sum() > 100


def test_p_values_and_their_errors_against_shuffles(matrix, places, strengths):
    """The error is a standard error: few edges are off by more than three of them."""
    n = 20_000
    reached = count_exceedances(matrix, places, n_perms=n, seed=9)
    found = null_tails(matrix, places, strengths, cut=by_name, seed=0)
    often = reached >= 20
    expected = reached[often] / n
    off = np.log10(found.p[often] / expected)
    error = np.hypot(found.error[often], moments.drawing_error(expected, n))
    assert often.sum() > 120
    assert (np.abs(off) > 3 * error + 1e-9).mean() < 0.05
    assert np.sqrt(np.mean((off / error) ** 2)) < 1.5
    rare = reached < 20
    assert (found.p[rare] < 0.01).all()


def test_threads_and_the_order_of_edges_do_not_matter(matrix, places, strengths, monkeypatch):
    monkeypatch.setattr(moments, "_BLOCK", 3)
    settings = {"cut": lambda p: 0.05, "seed": 3}
    found = null_tails(matrix, places, strengths, threads=1, **settings)
    assert 0 < found.drawn.sum() < len(strengths)
    others = null_tails(matrix, places, strengths, threads=3, **settings)
    order = np.random.default_rng(0).permutation(len(strengths))
    turned = null_tails(matrix, part(places, order), strengths[order], **settings)
    for name in ("p", "error", "drawn"):
        np.testing.assert_array_equal(getattr(others, name), getattr(found, name))
        np.testing.assert_array_equal(getattr(turned, name), getattr(found, name)[order])


def test_an_edge_has_the_same_p_value_whatever_else_is_scored(matrix, places, strengths):
    settings = {"cut": lambda p: 0.05, "seed": 3}
    found = null_tails(matrix, places, strengths, **settings)
    rows = np.r_[0:20:3, 40:60:7]
    alone = null_tails(matrix, part(places, rows), strengths[rows], **settings)
    np.testing.assert_array_equal(alone.p, found.p[rows])


def test_the_seed_moves_drawn_p_values_only(matrix, places, strengths):
    found, other = (
        null_tails(matrix, places, strengths, cut=lambda p: 0.05, seed=seed) for seed in (1, 2)
    )
    np.testing.assert_array_equal(found.drawn, other.drawn)
    moved = found.p != other.p
    assert moved[found.drawn].mean() > 0.9
    assert not moved[~found.drawn].any()
    off = np.abs(np.log10(found.p / other.p))
    assert (off <= 4 * np.hypot(found.error, other.error)).all()


def test_edges_are_drawn_where_that_is_more_exact(matrix, places, strengths, monkeypatch, caplog):
    settings = {"cut": lambda p: 0.05, "seed": 3}
    with monkeypatch.context() as patch, caplog.at_level("INFO"):
        patch.setattr(moments, "_refined", lambda tails, *_, **__: tails)
        computed = null_tails(matrix, places, strengths, **settings)
    assert not computed.drawn.any()
    with caplog.at_level("INFO"):
        found = null_tails(matrix, places, strengths, **settings)
    text = f"{found.drawn.sum()} of {len(strengths)} p-values are drawn, the others computed"
    assert text in caplog.text
    best = moments.drawing_error(computed.p, moments.MOST_DRAWS)
    assert (computed.error[found.drawn] > best[found.drawn]).all()
    large = (computed.error > moments.LARGE_ERROR) & (computed.p < moments.LARGE_P)
    near = np.abs(np.log10(computed.p / 0.05)) < moments.UNSURE * computed.error
    np.testing.assert_array_equal(found.drawn, (computed.error > best) & (large | near))
    assert near[found.drawn & ~large].all()
    np.testing.assert_array_equal(found.p[~found.drawn], computed.p[~found.drawn])
    np.testing.assert_array_equal(found.error[~found.drawn], computed.error[~found.drawn])


def test_no_edge(matrix, places):
    found = null_tails(matrix, part(places, slice(0, 0)), np.empty(0), cut=by_name, seed=0)
    assert found.p.size == found.error.size == found.drawn.size == 0


def test_explicit_zeros_and_unsorted_rows_are_no_cells(matrix, places, strengths):
    expected = null_tails(matrix, places, strengths, cut=by_name, seed=0)
    dense = matrix.toarray()
    stored = sparse.csr_matrix(np.where(dense == 0, -1.0, dense))
    stored.data[stored.data < 0] = 0.0
    found = null_tails(stored[:, ::-1][:, ::-1], places, strengths, cut=by_name, seed=0)
    np.testing.assert_array_equal(found.p, expected.p)


def test_p_values_beyond_the_smallest_number_stay_above_zero():
    dense = np.zeros((3000, 2))
    dense[:400, 0], dense[400:800, 1] = 5.0, 5.0
    codes = np.repeat([0, 1, 2], [400, 400, 2200])
    one = np.zeros(1, dtype=np.int64)
    places = Places(codes, one, one + 1, one, one + 1)
    found = null_tails(sparse.csr_matrix(dense), places, np.array([10.0]), cut=by_name, seed=0)
    assert found.p == [LOWEST_P]


@pytest.mark.parametrize("same", [False, True])
def test_p_values_of_shuffled_labels_are_uniform(same):
    rng = np.random.default_rng(8)
    dense = rng.gamma(2, 0.5, (90, 2)) * (rng.random((90, 2)) < (0.5, 0.7))
    on = dense.any(axis=1)
    p = []
    for _ in range(500):
        order = rng.permutation(90)
        first = order[:20]
        second = first if same else order[20:50]
        strength = dense[first, 0].mean() + dense[second, 1].mean()
        sizes = (20, len(second), same, 90, strength)
        p.append(math.exp(edge_tail(*dense[on].T.copy(), np.ones(on.sum()), *sizes)[0]))
    assert stats.kstest(p, "uniform").pvalue > 0.05
    assert math.isclose(np.mean(np.array(p) <= 0.05), 0.05, abs_tol=0.03)


def test_a_rare_gene_beside_one_of_every_cell_is_not_said_to_be_exact():
    """Seven cells of the receptor: the error that is given covers the one that is made."""
    rng = np.random.default_rng(0)
    codes = np.repeat([0, 1, 2], [23, 6, 250])
    dense = np.column_stack([rng.normal(4, 0.7, 279), np.zeros(279)])
    dense[[25, 100, 130, 160, 190, 220, 250], 1] = rng.normal(2, 0.4, 7)
    places = Places(codes, *(np.array([i]) for i in (0, 1, 0, 1)))
    strength = np.array([dense[codes == 0, 0].mean() + dense[codes == 1, 1].mean()])
    found = null_tails(sparse.csc_matrix(dense), places, strength, cut=by_name, seed=0)
    order = rng.random((20_000, 279)).argsort(axis=1)
    shuffled = dense[order[:, :23], 0].mean(axis=1) + dense[order[:, 23:29], 1].mean(axis=1)
    off = abs(np.log10(found.p[0] / (shuffled >= strength[0] * (1 - 1e-9)).mean()))
    assert not found.drawn[0]
    assert off < 3 * found.error[0]
    assert found.error[0] >= moments.ERROR_OF_ONE / 7
