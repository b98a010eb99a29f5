"""The table of rules: every branch, and words for every row."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from osteotalk.claims.verdicts import VERDICTS, Rules, verdict
from osteotalk.interactions.support import wilson_interval

RULES = Rules(
    min_patients=3, min_support=0.5, max_decoy_q=0.05, max_direction_p=0.05, max_population_p=0.04
)
NAN = float("nan")


def plain(informative, active, q=NAN, **other):
    high = wilson_interval(np.array([active]), np.array([informative]))[1][0]
    row = {"reason": "", "kind": "expression", "contrast": "", "population_p": NAN}
    row |= {"n_informative": informative, "n_active": active, "support_high": high, "decoy_q": q}
    return verdict(row | other, rules=RULES)


@pytest.mark.parametrize(
    ("informative", "active", "q", "name", "reason"),
    [
        (0, 0, NAN, "not testable", "too few patients: 0 informative, 3 are needed"),
        (2, 2, 0.01, "not testable", "too few patients: 2 informative, 3 are needed"),
        (4, 2, 0.05, "supported",
         "active in 2 of 4 informative patients; stronger than matched decoys (q = 0.05)"),
        (4, 2, 0.0501, "present, not specific",
         "active in 2 of 4 informative patients; matched decoys are as strong (q = 0.05)"),
        (4, 4, NAN, "present, not specific",
         "active in 4 of 4 informative patients; too few matched decoys to test specificity"),
        (5, 2, 0.01, "partly", "active in 2 of 5 informative patients"),
        (3, 0, 1.0, "inconclusive",
         "active in 0 of 3 informative patients: too few to rule it out"),
        (4, 0, 0.001, "not supported", "active in 0 of 4 informative patients"),
    ],
)  # fmt: skip
def test_plain_claims(informative, active, q, name, reason):
    assert plain(informative, active, q) == (name, reason)


@pytest.mark.parametrize(
    ("q", "p", "name", "end"),
    [
        (0.05, 0.04, "supported",
         "stronger than matched pairs (q = 0.05) and than between other populations (p = 0.04)"),
        (0.01, 0.041, "present, not specific", "as strong between other populations (p = 0.041)"),
        (0.01, NAN, "present, not specific", "too few other populations to test specificity"),
        (0.06, 0.01, "present, not specific", "matched decoys are as strong (q = 0.06)"),
        (NAN, 0.01, "present, not specific", "too few matched decoys to test specificity"),
    ],
)  # fmt: skip
def test_an_interaction_has_to_beat_both_kinds_of_decoys(q, p, name, end):
    told = plain(8, 7, q, kind="interaction", population_p=p)
    assert told == (name, f"active in 7 of 8 informative patients; {end}")
    row = contrast_row(q=q) | {"kind": "interaction", "population_p": p}
    got, reason = verdict(row, rules=RULES)
    assert got == name
    assert reason.endswith(f"p = 0.01; {end}")


@pytest.mark.parametrize("kind", ["expression", "signature", "composition"])
def test_other_kinds_have_no_other_populations_to_beat(kind):
    assert plain(8, 7, 0.01, kind=kind, population_p=1.0)[0] == "supported"


def test_a_reason_comes_first():
    told = "population absent from the cohort"
    assert plain(9, 9, 0.001, reason=told) == ("not testable", told)
    row = contrast_row() | {"reason": told, "given": "not supported", "reason_given": "x"}
    assert verdict(row, rules=RULES) == ("not testable", told)


def contrast_row(effect=1.0, low=0.5, high=1.5, p=0.01, q=0.01, sign=1):
    return {
        "reason": "", "kind": "signature", "population_p": NAN, "contrast": "conditions",
        "given": "", "reason_given": "", "sign": sign,
        "n_sides": "4 patients with a, 5 with b", "n_informative": 9, "n_active": 0,
        "effect": effect, "effect_low": low, "effect_high": high, "direction_p": p, "decoy_q": q,
    }  # fmt: skip


AS_STATED = "the direction is as stated, but no difference is not ruled out"
NOT_SHOWN = "the direction is not shown: no difference is not ruled out"


@pytest.mark.parametrize(
    ("row", "name", "end"),
    [
        ({}, "supported", ", p = 0.01; stronger than matched decoys (q = 0.01)"),
        ({"p": 0.05, "q": 0.05}, "supported", "matched decoys (q = 0.05)"),
        ({"q": 0.051}, "present, not specific", "matched decoys are as strong (q = 0.051)"),
        ({"q": NAN}, "present, not specific", "too few matched decoys to test specificity"),
        ({"p": 0.0501}, "inconclusive", AS_STATED),
        ({"effect": 0.1, "low": -1.0, "high": 1.2, "p": 0.4}, "inconclusive", AS_STATED),
        ({"effect": -0.1, "low": -1.2, "high": 1.0, "p": 0.6}, "inconclusive", NOT_SHOWN),
        ({"effect": -1.0, "low": -1.5, "high": -0.1, "p": 1.0}, "contradicted",
         ": the other direction"),
        ({"effect": -1.0, "low": -1.5, "high": 0.0, "p": 0.9}, "inconclusive", NOT_SHOWN),
        ({"effect": -1.0, "low": -1.5, "high": -0.1, "sign": -1}, "supported", "(q = 0.01)"),
        ({"sign": -1, "p": 1.0}, "contradicted", ": the other direction"),
        ({"sign": -1, "low": -0.1, "p": 0.9}, "inconclusive", NOT_SHOWN),
        ({"sign": -1, "effect": -1.0, "low": -2, "high": 0.2, "p": 0.06}, "inconclusive",
         AS_STATED),
        # no interval, as where cohorts of one patient are combined: nothing is contradicted
        ({"low": NAN, "high": NAN, "p": 0.3}, "inconclusive", "not ruled out"),
        ({"low": NAN, "high": NAN}, "supported", "(q = 0.01)"),
    ],
)  # fmt: skip
def test_contrasts(row, name, end):
    got, reason = verdict(contrast_row(**row), rules=RULES)
    assert got == name
    assert reason.endswith(end)


def test_words_of_a_contrast_hold_its_numbers():
    _, reason = verdict(contrast_row(effect=0.123, low=0.0456, p=0.0321), rules=RULES)
    assert reason.startswith("effect 0.12 (0.046 to 1.5) in 4 patients with a, 5 with b, p = 0.032")


def test_what_is_certain_without_the_rules():
    row = contrast_row(p=NAN) | {"given": "inconclusive", "reason_given": "no variation"}
    assert verdict(row, rules=RULES) == ("inconclusive", "no variation")


effects = st.one_of(
    st.lists(st.floats(-10, 10), min_size=3, max_size=3).map(sorted),
    st.floats(-10, 10).map(lambda effect: [NAN, effect, NAN]),  # one without an interval
    st.just([NAN] * 3),
)
shares = st.one_of(st.just(NAN), st.floats(0, 1))


@given(
    reason=st.sampled_from(["", "absent"]),
    contrast=st.sampled_from(["", "conditions", "correlation"]),
    n=st.integers(0, 60),
    share=st.floats(0, 1),
    effects=effects,
    p=shares,
    q=shares,
    kind=st.sampled_from(["interaction", "expression"]),
    other_p=shares,
    sign=st.sampled_from([1, -1]),
)
def test_any_row_gives_a_known_verdict_with_words(
    reason, contrast, n, share, effects, p, q, kind, other_p, sign
):
    low, effect, high = effects
    active = int(share * n)
    upper = wilson_interval(np.array([active]), np.array([n]))[1][0]
    row = contrast_row(effect, low, high, p=p, q=q, sign=sign) | {
        "reason": reason, "contrast": contrast, "n_informative": n, "n_active": active,
        "support_high": upper, "kind": kind, "population_p": other_p,
    }  # fmt: skip
    before = dict(row)
    name, words = verdict(row, rules=RULES)
    assert name in VERDICTS
    assert words.strip()
    assert repr(row) == repr(before)  # a pure function
    assert (name, words) == verdict(row, rules=RULES)
    if name == "supported":
        assert not reason
        assert q <= RULES.max_decoy_q
        assert kind == "expression" or other_p <= RULES.max_population_p
        assert p <= RULES.max_direction_p if contrast else active >= 0.5 * n >= 1.5
    if name == "contradicted":
        assert contrast
        assert max(sign * low, sign * high) < 0


@given(st.integers(3, 60), st.data())
def test_more_active_patients_never_weaken_a_verdict(n, data):
    order = ("not supported", "inconclusive", "partly", "present, not specific", "supported")
    q = data.draw(shares)
    ranks = [order.index(plain(n, active, q)[0]) for active in range(n + 1)]
    assert ranks == sorted(ranks)
    assert math.isnan(q) or (order[ranks[-1]] == "supported") == (q <= 0.05)
