"""Decoys: what may be drawn, how, and what they say."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from osteotalk.claims.controls import decoys as d
from osteotalk.claims.controls.decoys import (
    claim_rng,
    decoy_p_value,
    draw_matched,
    pool_of,
    population_sets,
)

NONE = np.zeros(60, dtype=bool)
FLAT = np.full((60, 2), 0.2)


def draw(own, detection=FLAT, *, forbidden=None, pool_size=100, n_decoys=50, seed=0):
    own = np.array(own)
    if forbidden is None:
        forbidden = NONE.copy()
        forbidden[own] = True
    return draw_matched(
        own,
        detection,
        forbidden=forbidden,
        pool_size=pool_size,
        n_decoys=n_decoys,
        rng=claim_rng(seed, "d", "C1"),
    )


def test_pool_keeps_to_a_factor_of_two_on_both_sides_nearest_first():
    detection = np.array(
        [[0.2, 0.2], [0.11, 0.2], [0.2, 0.39], [0.09, 0.2], [0.2, 0.41], [0.2, 0.2], [0.4, 0.1]]
    )
    forbidden = np.array([True] + [False] * 6)
    assert list(pool_of(0, detection, forbidden=forbidden, size=9)) == [5, 1, 2, 6]  # 6: just in
    assert list(pool_of(0, detection, forbidden=forbidden, size=2)) == [5, 1]
    forbidden[1] = True
    assert list(pool_of(0, detection, forbidden=forbidden, size=9)) == [5, 2, 6]


def test_genes_of_one_cell_in_a_thousand_are_all_the_same():
    detection = np.array([[0.0], [1e-3], [1e-7], [2.1e-3], [1.9e-3]])
    forbidden = np.zeros(5, dtype=bool)
    assert sorted(pool_of(0, detection, forbidden=forbidden, size=9)) == [0, 1, 2, 4]


def test_the_pool_of_one_item_is_used_up_each_item_once():
    drawn = draw([7], n_decoys=100)
    assert drawn.n_pool == 59
    assert drawn.rows.shape == (59, 1)
    assert set(drawn.rows[:, 0]) == set(range(60)) - {7}
    # one item may have a pool as large as the number of decoys, whatever pool_size is
    assert len(draw([7], pool_size=25, n_decoys=40).rows) == 40


def test_what_is_forbidden_is_never_drawn():
    forbidden = NONE.copy()
    forbidden[[0, 1, 7, 8]] = True
    assert set(draw([0], forbidden=forbidden, n_decoys=100).rows[:, 0]) == set(range(60)) - {
        0,
        1,
        7,
        8,
    }
    several = draw([0, 1], forbidden=forbidden, n_decoys=3000)
    # of the forbidden, only what the claim itself names, as one of the draws chance could make
    assert set(np.unique(several.rows)) == set(range(60)) - {7, 8}


def test_no_item_twice_in_a_decoy():
    detection = np.full((60, 2), 0.9)
    detection[:24] = 0.2  # 20 to draw from, four items
    drawn = draw([0, 1, 2, 3], detection, n_decoys=2000)
    assert drawn.n_pool == 20
    assert all(len(set(row)) == 4 for row in drawn.rows)
    assert len({tuple(row) for row in drawn.rows}) > 1900


def test_each_item_is_replaced_from_its_own_pool():
    detection = np.full((60, 2), 0.05)
    detection[30:] = 0.5
    rows = draw([0, 30], detection, n_decoys=500).rows
    assert (rows[:, 0] < 31).all()  # those like item 0, or item 30 itself
    assert set(np.unique(rows[:, 1])) - {0} <= set(range(30, 60))
    assert {30, 0} <= set(np.unique(rows))


@given(
    n=st.integers(30, 60),
    items=st.integers(1, 4),
    seed=st.integers(0, 9),
    pool_size=st.integers(20, 60),
)
def test_every_decoy_lies_in_the_caliper(n, items, seed, pool_size):
    rng = np.random.default_rng(seed)
    detection = rng.choice([0.05, 0.08, 0.12, 0.3], size=(n, 2))
    own = rng.choice(n, size=items, replace=False)
    forbidden = np.zeros(n, dtype=bool)
    forbidden[own] = True
    drawn = draw(own, detection, forbidden=forbidden, pool_size=pool_size, n_decoys=60)
    inside = [
        {
            j
            for j in range(n)
            if j not in own and all(0.5 <= detection[j, c] / detection[i, c] <= 2 for c in (0, 1))
        }
        for i in own
    ]
    limit = 60 if items == 1 else pool_size
    assert drawn.n_pool == min(limit, *(len(pool) for pool in inside))
    assert len(drawn.rows) == (0 if drawn.n_pool < 20 else drawn.n_pool if items == 1 else 60)
    for column, pool in enumerate(inside):
        assert set(drawn.rows[:, column]) <= pool | (set(own) if items > 1 else set())


def test_fewer_than_twenty_candidates_of_one_item_are_none():
    detection = FLAT.copy()
    detection[20:] = 0.9  # 19 left beside item 0
    few = draw([0], detection)
    assert (few.rows.shape, few.n_pool) == ((0, 1), 19)
    assert draw([0, 30], detection).rows.shape == (0, 2)
    detection[20] = 0.2
    assert len(draw([0], detection).rows) == 20


def test_draws_depend_on_seed_and_names_and_on_nothing_else():
    one, two = draw([0, 1]), draw([0, 1])
    np.testing.assert_array_equal(one.rows, two.rows)
    assert (draw([0, 1], seed=1).rows != one.rows).any()
    numbers = {
        claim_rng(0, *names).integers(1 << 40) for names in (("d", "C1"), ("d", "C2"), ("C1", "d"))
    }
    assert len(numbers) == 3


# ---- populations


def all_sets(cells, own, forbidden):
    """Every allowed set other than the claim, by brute force."""
    found = set()
    for source in itertools.combinations(range(len(cells)), len(own[0])):
        for target in itertools.combinations(range(len(cells)), len(own[1])):
            ratios = [
                sum(cells[list(new)]) / sum(cells[list(old)])
                for new, old in ((source, own[0]), (target, own[1]))
            ]
            if (
                not any(forbidden[a, b] for a in source for b in target)
                and (list(source), list(target)) != tuple(map(list, own))
                and all(0.1 <= ratio <= 10 for ratio in ratios)
            ):
                found.add((source, target))
    return found


def as_pairs(members):
    return [
        tuple(tuple(np.flatnonzero(row).tolist()) for row in both)
        for both in zip(*members, strict=True)
    ]


def sets_of(cells, own, *, forbidden=(), n_decoys=300, seed=0):
    k = len(cells)
    taken = np.zeros((k, k), dtype=bool)
    for edge in forbidden:
        taken[edge] = True
    return population_sets(
        np.array(cells),
        tuple(np.array(side, dtype=int) for side in own),
        forbidden=taken,
        n_decoys=n_decoys,
        rng=np.random.default_rng(seed),
    )


CELLS = np.array([400, 90, 55, 210, 33, 77, 9])


@pytest.mark.parametrize(
    "own", [([0], [1]), ([0, 3], [1]), ([2], [2]), ([0, 1, 2], [4, 5]), ([6], [0])]
)
def test_population_sets_by_brute_force(own):
    taken = [(5, 0), (3, 4), (2, 6)]
    got = as_pairs(sets_of(CELLS, own, forbidden=taken))
    forbidden = np.zeros((7, 7), dtype=bool)
    forbidden[tuple(zip(*taken, strict=True))] = True
    assert got[0] == tuple(tuple(side) for side in own)  # the claim itself comes first
    assert len(set(got)) == len(got)
    assert set(got[1:]) == all_sets(CELLS, own, forbidden)
    assert len(got) > 20


def test_all_sets_are_taken_whatever_the_number_of_decoys():
    assert len(sets_of(np.full(9, 50), ([0], [1]), n_decoys=25)[0]) == 81


def test_too_few_population_sets_are_none_and_the_claim_stays():
    def count(k, taken):
        edges = [(i // k, i % k) for i in range(k * k) if i][:taken]
        members = sets_of([9] * k, ([0], [0]), forbidden=edges)
        assert as_pairs(members)[0] == ((0,), (0,))
        return len(members[0]) - 1

    assert count(5, 4) == 20
    assert count(5, 5) == 0
    assert count(4, 0) == 0


def test_populations_of_very_different_size_are_no_decoys():
    cells = [100] * 5 + [10, 1000, 9, 1001]
    got = as_pairs(sets_of(cells, ([0], [1])))[1:]
    assert {k for both in got for side in both for k in side} == set(range(7))


def test_too_many_sets_are_drawn_each_once():
    cells = np.random.default_rng(1).integers(20, 900, size=20)
    own = ([0, 5, 6, 7], [1, 2, 3])
    assert math.comb(20, 4) * math.comb(20, 3) > d.MOST_SETS
    taken = [(10, k) for k in range(20)]
    source, target = sets_of(cells, own, forbidden=taken)
    assert source.shape == target.shape == (301, 20)
    assert (source.sum(axis=1) == 4).all()
    assert (target.sum(axis=1) == 3).all()
    assert not source[:, 10].any()
    assert len(set(as_pairs((source, target)))) == 301
    np.testing.assert_array_equal(source, sets_of(cells, own, forbidden=taken)[0])
    assert (source != sets_of(cells, own, forbidden=taken, seed=1)[0]).any()
    # no population is preferred: 19 may send, in 4 of 19 sets each
    share = source[1:].mean(axis=0)[np.arange(20) != 10]
    assert abs(share - 4 / 19).max() < 0.1


def test_sets_that_are_drawn_twice_count_once():
    own = ([0, 1, 2], [3, 4, 5])  # 14,400 sets, of which 10,000 are drawn
    got = as_pairs(sets_of(np.full(10, 50), own, n_decoys=14_400))
    assert 6000 < len(got) == len(set(got)) < 9000


# ---- p-values


def test_p_value_by_hand():
    assert decoy_p_value(3.0, np.array([1.0, 2.0, 3.0, 4.0])) == 3 / 5  # the tie counts
    assert decoy_p_value(99.0, np.arange(19.0)) == 1 / 20
    assert decoy_p_value(-1.0, np.arange(19.0)) == 1.0
    assert decoy_p_value(2.0, np.array([np.nan, 1.0, np.nan, 3.0])) == 2 / 3
    assert decoy_p_value(0.1 + 0.2, np.array([0.3, 0.0])) == 2 / 3  # equal but for rounding


@pytest.mark.parametrize(
    ("claim", "decoys"), [(1.0, []), (1.0, [np.nan] * 3), (float("nan"), [1.0, 2.0])]
)
def test_p_value_of_nothing_is_unknown(claim, decoys):
    assert math.isnan(decoy_p_value(claim, np.array(decoys)))


@given(st.lists(st.integers(0, 5), min_size=1, max_size=30), st.integers(0, 5))
def test_p_value_is_a_share_above_0(decoys, claim):
    p = decoy_p_value(float(claim), np.array(decoys, dtype=float))
    assert p == (1 + sum(x >= claim for x in decoys)) / (1 + len(decoys))
    assert 1 / (1 + len(decoys)) <= p <= 1


@pytest.mark.parametrize("k", [1, 2, 4])
def test_p_values_of_null_claims_are_not_too_small(k):
    """Claims of k random items, nothing special about them, at every small level."""
    rng, p = np.random.default_rng(0), []
    for trial in range(600):
        strength = rng.random(60)
        claim = rng.choice(60, size=k, replace=False)
        drawn = draw(claim, n_decoys=300, seed=trial)
        p.append(decoy_p_value(strength[claim].mean(), strength[drawn.rows].mean(axis=1)))
    for level in (0.01, 0.02, 0.05, 0.2):
        allowed = level + 3 * math.sqrt(level * (1 - level) / len(p))
        assert np.mean(np.array(p) <= level) <= allowed


def test_the_limits_are_those_of_the_documents():
    assert (d.CALIPER, d.MIN_POOL) == (2.0, 20)
    assert 1 / (d.MIN_POOL + 1) < 0.05 < 1 / d.MIN_POOL + 1e-12
