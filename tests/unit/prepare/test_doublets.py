"""Doublets: expected share, the check of the threshold, the rule that stands in for it."""

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse

from osteotalk.prepare import doublets as module
from osteotalk.prepare.doublets import (
    call_doublets,
    expected_share,
    log_odds,
    neighbour_share,
    score_histogram,
    valley,
)


def test_expected_share_follows_the_number_of_droplets():
    assert expected_share(5000, per_1000=0.008) == pytest.approx(0.04)
    assert expected_share(300, per_1000=0.008) == 0.005
    assert expected_share(10**6, per_1000=0.008) == 0.25
    assert expected_share(5000, per_1000=0) == 0


def with_doublets(soup_sample, n=25):
    """500 singlets of four kinds and `n` droplets with two cells of different kinds."""
    singlets, _ = soup_sample(0.0, cells=500)
    kind = singlets.obs["kind"].to_numpy()
    rng = np.random.default_rng(1)
    first, second = rng.integers(0, 500, 40 * n), rng.integers(0, 500, 40 * n)
    mixed = np.flatnonzero(kind[first] != kind[second])[:n]
    pairs = sparse.csr_matrix(singlets.X[first[mixed]] + singlets.X[second[mixed]])
    obs = singlets.obs.iloc[:n].copy()
    obs.index = [f"doublet_{i}" for i in range(n)]
    return AnnData(
        sparse.vstack([singlets.X, pairs]).tocsr(),
        obs=pd.concat([singlets.obs, obs]),
        var=singlets.var,
    )


def test_made_doublets_are_found(soup_sample):
    adata = with_doublets(soup_sample)
    made = adata.obs_names.str.startswith("doublet_")
    found = call_doublets(adata, expected=0.06, seed=0)
    assert found.called[made].sum() >= 23
    assert found.called[~made].sum() <= 5
    record = found.record
    assert record["called_share"] == found.called.mean()
    assert record["threshold"] > 0
    histogram = record["histogram"]
    assert len(histogram["edges"]) - 1 <= 50
    for name, n in (("observed", 525), ("simulated", 1050)):
        assert sum(histogram[name]) == pytest.approx(n, abs=0.5)


def test_called_cells_are_those_above_the_threshold(soup_sample):
    found = call_doublets(with_doublets(soup_sample), expected=0.06, seed=0)
    np.testing.assert_array_equal(found.called, found.scores > found.record["threshold"])


def test_too_few_cells_are_noted(make_sample):
    found = call_doublets(make_sample(), expected=0.05, seed=0)
    assert found.notes == ("doublets were not called: fewer than 100 cells",)
    assert np.isnan(found.scores).all()
    assert not found.called.any()
    assert found.record["rule"] == "none"


def test_turned_off(make_sample):
    found = call_doublets(make_sample(cells=200), expected=0, seed=0)
    assert found.notes == ("doublet calling is off",)


@pytest.mark.parametrize("matrix", [np.ones((150, 40)), np.eye(150)])
def test_cells_that_scrublet_cannot_handle_are_kept(matrix):
    adata = AnnData(sparse.csr_matrix(matrix.astype(np.int32)))
    found = call_doublets(adata, expected=0.05, seed=0)
    assert not found.called.any() or found.record["called_share"] <= 0.05
    if found.record["rule"] == "none":
        assert "Scrublet failed" in found.notes[0]


def score_of(share, *, rho=0.06, r=2.0):
    """Scrublet's posterior with r simulated doublets per cell, as its paper gives it."""
    return share * rho / r / (1 - rho - share * (1 - rho - rho / r))


def test_share_among_the_neighbours_is_what_scrublets_score_comes_from():
    share = np.array([0.1, 0.5, 0.9])
    for rho in (0.06, 0.2):
        np.testing.assert_allclose(neighbour_share(score_of(share, rho=rho), expected=rho), share)


def test_histogram_has_no_gaps_between_discrete_values():
    values = (np.arange(30) + 1) / 32
    edges, heights = score_histogram(np.repeat(values, 10))
    assert heights.sum() == pytest.approx(300)
    assert (heights > 0).all()
    assert edges[0] < log_odds(values[:1])[0]
    assert edges[-1] > log_odds(values[-1:])[0]


def test_valley_by_eye():
    two = np.array([0, 1, 5, 20, 40, 20, 5, 1, 1, 1, 5, 20, 40, 20, 5, 1, 0])
    one = np.array([0, 1, 5, 20, 40, 60, 70, 60, 40, 20, 10, 5, 2, 1, 0, 0, 0])
    assert valley(two, 8) < 0.3
    assert valley(two, 4) > 0.85
    assert min(valley(one, i) for i in range(len(one))) > 0.85
    assert valley(two, 0) == float("inf")


def decide(scores, simulated, *, automatic, expected=0.06):
    return module._decide(
        np.asarray(scores), np.asarray(simulated), automatic=automatic, expected=expected
    )


@pytest.fixture
def shares():
    """Neighbour shares with n = 40: cells low; simulated doublets low and high."""
    rng = np.random.default_rng(0)

    def draw(place, n):
        return (rng.binomial(40, place, n) + 1) / 42

    own = np.concatenate([draw(0.3, 950), draw(0.9, 50)])
    made = np.concatenate([draw(0.35, 900), draw(0.92, 1100)])

    return own, made


@pytest.fixture
def modes(shares):
    return tuple(score_of(share) for share in shares)


def test_threshold_in_a_valley_is_taken(modes):
    own, made = modes
    found = decide(own, made, automatic=score_of(0.66))
    assert found.record["rule"] == "scrublet"
    assert found.record["automatic_ok"]
    assert found.notes == ()
    assert found.called.sum() == 50
    assert found.record["called_share"] == 0.05
    assert found.record["detectable_share"] == (made > score_of(0.66)).mean() > 0.5


@pytest.mark.parametrize(
    ("expected", "rule"),
    [(0.011, "scrublet"), (0.009, "expected share")],  # called: 5 %; at most 5.3 % and 4.7 %
)
def test_the_plausible_share_is_a_bound(shares, expected, rule):
    own, made = (score_of(share, rho=expected) for share in shares)
    at = score_of(0.66, rho=expected)
    assert decide(own, made, automatic=at, expected=expected).record["rule"] == rule


@pytest.mark.parametrize(
    ("share", "why"),
    [
        (0.3, "it calls"),
        (0.99, "fewer than 10% of the simulated doublets score above it"),
        (0.91, "it does not lie in a valley"),
    ],
)
def test_threshold_elsewhere_gives_way_to_the_expected_share(modes, share, why):
    own, made = modes
    found = decide(own, made, automatic=score_of(share))
    assert found.record["rule"] == "expected share"
    assert not found.record["automatic_ok"]
    assert found.record["automatic_threshold"] == score_of(share)
    assert why in found.record["why_not_automatic"]
    assert why in found.notes[0]
    # as many as expected at most, and fewer only by those that share the first score left out
    assert found.called.sum() <= 60
    assert (own >= own[~found.called].max()).sum() > 60
    assert own[found.called].min() > own[~found.called].max()


def test_no_threshold_at_all(modes):
    found = decide(*modes, automatic=None)
    assert (found.record["rule"], found.record["why_not_automatic"]) == (
        "expected share",
        "Scrublet found none",
    )


def test_ties_are_left_in():
    same = np.full(200, 0.2)
    found = decide(same, np.full(400, 0.3), automatic=None)
    assert found.called.sum() == 0


def test_order_of_cells_does_not_change_the_calls(modes):
    own, made = modes
    order = np.random.default_rng(0).permutation(len(own))
    one, two = decide(own, made, automatic=0.3), decide(own[order], made, automatic=0.3)
    np.testing.assert_array_equal(one.called[order], two.called)
    assert one.record == two.record
