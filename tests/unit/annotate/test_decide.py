"""Names from probabilities, by hand."""

import numpy as np
import pandas as pd
import pytest

from osteotalk.annotate.decide import Decision, decide_finer, decide_majors, settle
from osteotalk.annotate.evidence import Evidence
from osteotalk.annotate.tree import build_tree

POPULATIONS = pd.DataFrame(
    [
        ("my", "", ""),
        ("tam", "my", ""),
        ("dc", "my", ""),
        ("pdc", "dc", ""),
        ("cdc", "dc", ""),
        ("t", "", ""),
        ("ec", "", ""),
        ("kind", "ec", "state"),
        ("silent", "", ""),
    ],
    columns=["population", "parent", "level"],
)
LISTS = {
    "my": ["M1", "M2", "M3"],
    "tam": ["T1", "T2", "T3"],
    "dc": ["C1", "C2", "C3"],
    "pdc": ["P1", "P2", "P3"],
    "cdc": ["D1", "D2", "D3"],
    "t": ["X1", "X2", "X3"],
    "ec": ["E1", "E2", "E3"],
    "kind": ["E1", "K1", "K2"],
}
MARKERS = pd.DataFrame(
    [(p, g) for p, own in LISTS.items() for g in own], columns=["population", "gene"]
)


def tree(without=()):
    measured = MARKERS.loc[~MARKERS["gene"].isin(without), "gene"]
    return build_tree(POPULATIONS, markers=MARKERS, measured=measured, min_measured=3)


def evidence(**chances):
    """One group; what is left is none of them."""
    values = [*chances.values(), 1 - sum(chances.values())]
    return Evidence(tuple(chances), np.zeros((1, len(chances))), np.array([values]))


def major(found, least=0.85, **options):
    return decide_majors(found, tree=tree(**options), min_probability=least)[0]


def finer(found, least=0.85, **options):
    return decide_finer(found, top="my", tree=tree(**options), min_probability=least)[0]


def test_a_population_has_the_probability_of_all_lists_below_it():
    found = major(evidence(my=0.2, tam=0.3, pdc=0.4, t=0.05, ec=0.0, kind=0.0))
    assert found.population == "my"
    assert found.probability == pytest.approx(0.9)
    assert (found.runner_up, found.reason) == ("t", "")
    kind = major(evidence(my=0.02, t=0.0, ec=0.3, kind=0.65))
    assert kind.population == "ec"
    assert kind.probability == pytest.approx(0.95)


@pytest.mark.parametrize(("least", "name"), [(0.7, "t"), (0.71, "unassigned")])
def test_the_least_probability_decides(least, name):
    assert major(evidence(t=0.7, ec=0.2), least).population == name


@pytest.mark.parametrize(
    ("chances", "reason"),
    [
        ({"t": 0.6, "ec": 0.3}, "t 60%, ec 30%"),
        ({"t": 0.6, "ec": 0.1}, "t 60%, none of the populations 30%"),
        ({"t": 0.2, "ec": 0.1}, "none of the populations 70%, t 20%"),
    ],
)
def test_what_is_left_open_is_said(chances, reason):
    found = major(evidence(**chances))
    assert (found.population, found.reason) == ("unassigned", reason)
    assert (found.best, found.probability) == ("t", chances["t"])


def test_finer_names_go_down_as_far_as_they_are_sure():
    found = finer(evidence(tam=0.02, pdc=0.9, cdc=0.05))
    assert (found.population, found.reason) == ("pdc", "")
    assert found.probability == pytest.approx(0.9)
    found = finer(evidence(tam=0.02, pdc=0.5, cdc=0.45))
    assert (found.population, found.best, found.runner_up) == ("dc", "pdc", "cdc")
    assert found.probability == pytest.approx(0.95)
    assert found.reason == "pdc 50%, cdc 45%; named as dc"
    found = finer(evidence(tam=0.5, pdc=0.3, cdc=0.15))
    assert (found.population, found.probability) == ("my", 1)
    assert found.reason == "tam 50%, dc 45%; named as my"
    found = finer(evidence(tam=0.1, pdc=0.1))
    assert found.reason == "other my 80%, tam 10%; named as my"


def test_a_population_with_others_below_can_be_sure_itself():
    found = finer(evidence(tam=0.02, dc=0.9, pdc=0.01, cdc=0.01))
    assert (found.population, found.best, found.reason) == ("dc", "dc", "")
    assert found.probability == pytest.approx(0.92)
    open_ = finer(evidence(tam=0.02, dc=0.5, pdc=0.42))
    assert (open_.population, open_.reason) == ("dc", "other dc 50%, pdc 42%; named as dc")


def test_a_short_list_names_the_parent_only():
    found = finer(evidence(tam=0.95, pdc=0.01, cdc=0.01), without=["T2", "T3"])
    assert (found.population, found.best) == ("my", "tam")
    assert found.reason == "only 1 of 3 markers of tam are measured; named as my"
    assert finer(evidence(tam=0.95, pdc=0.01, cdc=0.01), without=["T3"]).population == "tam"
    at_top = major(evidence(my=0.02, t=0.95, ec=0.01), without=["X1"])
    assert at_top.population == "unassigned"
    assert at_top.reason == "only 2 of 3 markers of t are measured"


def test_a_population_without_a_list_is_never_named():
    assert "silent" not in major(evidence(t=0.5, ec=0.4)).reason


def settled(shares, least=0.85, **chances):
    found = evidence(**chances)
    before = decide_majors(found, tree=tree(), min_probability=least)[0]
    return before, settle(before, found, 0, shares=shares, tree=tree(), min_probability=least)


def test_cells_decide_between_what_the_markers_leave_open():
    before, after = settled({"t": 0.9, "ec": 0.1}, t=0.4, ec=0.5)
    assert before.population == "unassigned"
    assert after.population == "unassigned"  # 0.4 x 0.95 against 0.5 x 0.15 of 0.9 is 0.75
    before, after = settled({"t": 1.0, "ec": 0.0}, t=0.48, ec=0.48)
    # none of them (0.04) is half as likely, as all cells fit the same one
    chance = 0.98 * 0.48 * 1.05 / (0.48 * 1.05 + 0.48 * 0.05)
    assert after.population == "t"
    assert after.probability == pytest.approx(chance)
    assert after.reason == "by markers t 48%, ec 48%; 100% of its cells fit it best"


@pytest.mark.parametrize(
    ("shares", "chances"),
    [
        ({"t": 1.0, "ec": 0.0}, {"t": 0.4, "ec": 0.34, "least": 0.6}),  # perhaps none of them
        ({"t": 1.0}, {"t": 0.48, "ec": 0.48}),  # of ec there is nothing to compare with
        ({"t": 0.5, "ec": 0.5}, {"t": 0.48, "ec": 0.48}),  # the cells do not say either
    ],
)
def test_and_leave_it_open_where_they_cannot(shares, chances):
    before, after = settled(shares, **chances)
    assert after == before
    assert isinstance(after, Decision)
