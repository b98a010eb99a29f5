"""What permuted lists of markers say of groups of cells."""

import numpy as np
import pytest
from scipy.special import logsumexp

from osteotalk.annotate.evidence import Speaker, weigh
from osteotalk.annotate.levels import On
from osteotalk.annotate.permuted import BY_CHANCE, LEAST_GROUPS, permutation_odds

N_LISTS, N_MARKERS = 8, 6


def lists():
    none = np.array([], dtype=int)
    genes = np.arange(N_LISTS * N_MARKERS).reshape(N_LISTS, N_MARKERS)
    return [Speaker(f"p{i}", own, (), none) for i, own in enumerate(genes)]


def state(seed=0, n_groups=12, off=()):
    """Groups that each show the markers of one list; those of `off` show none."""
    rng = np.random.default_rng(seed)
    on = rng.uniform(0, 0.1, (n_groups, N_LISTS * N_MARKERS))
    for row in set(range(n_groups)) - set(off):
        first = row % N_LISTS * N_MARKERS
        on[row, first : first + N_MARKERS] = 0.95
    return On(on, np.ones_like(on))


def test_other_permutations_say_more_as_seldom_as_promised():
    made = state()
    limit = permutation_odds(made, lists(), seed=0)
    rng = np.random.default_rng(1)
    beaten = []
    for _ in range(300):
        permuted = made.columns(rng.permutation(made.on.shape[1]))
        beaten.append(logsumexp(weigh(permuted, lists())[0].ratio, axis=1) > limit)
    assert np.mean(beaten) == pytest.approx(BY_CHANCE, abs=0.05)  # of 100


def test_real_lists_say_far_more_and_groups_that_show_nothing_little():
    made = state(off=[3])
    limit = permutation_odds(made, lists(), seed=0)
    said = weigh(made, lists())[0].ratio.max(axis=1)
    shown = np.arange(12) != 3
    assert (said > limit + 5)[shown].all()
    assert limit[3] < limit[shown].min()


def test_the_more_a_group_shows_the_more_is_chance():
    made = state()
    more = made.on.copy()
    more[0, : 3 * N_MARKERS] = 0.95
    limit = permutation_odds(On(more, made.tells), lists(), seed=0)
    assert limit[0] > limit[8]  # the same list, and two more


def test_few_groups_tell_nothing():
    few = state(n_groups=LEAST_GROUPS - 1)
    np.testing.assert_array_equal(permutation_odds(few, lists(), seed=0), -np.inf)
    assert np.isfinite(permutation_odds(state(n_groups=LEAST_GROUPS), lists(), seed=0)).all()


def test_the_order_of_groups_does_not_matter():
    made = state()
    order = np.random.default_rng(2).permutation(12)
    turned = On(made.on[order], made.tells[order])
    np.testing.assert_allclose(
        permutation_odds(turned, lists(), seed=0), permutation_odds(made, lists(), seed=0)[order]
    )
