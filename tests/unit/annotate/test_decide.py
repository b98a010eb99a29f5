import numpy as np
import pandas as pd
import pytest

from osteotalk.annotate.decide import Limits, decide, means_by_group
from osteotalk.annotate.tree import build_tree

LIMITS = Limits(min_score=0.25, min_margin=0.1, min_markers=0.6)
POPULATIONS = pd.DataFrame(
    [("my", ""), ("tam", "my"), ("dc", "my"), ("rare", "my"), ("t", ""), ("cd4", "t"), ("ec", "")],
    columns=["population", "parent"],
).assign(level="")
GENES = {"tam": 3, "dc": 3, "rare": 1, "t": 3, "cd4": 3, "ec": 3}
MARKERS = pd.DataFrame(
    [(name, f"{name}_{i}") for name, n in GENES.items() for i in range(n)],
    columns=["population", "gene"],
)


def call(limits=LIMITS, shown=None, wide=False, **scores):
    markers = MARKERS
    if wide:  # five markers instead of three
        more = pd.DataFrame({"population": "ec", "gene": ["ec_3", "ec_4"]})
        markers = pd.concat([MARKERS, more], ignore_index=True)
    tree = build_tree(
        POPULATIONS, markers=markers, measured=pd.Index(markers["gene"]), min_measured=3
    )
    scores = dict.fromkeys(GENES, 0.0) | scores
    return decide(scores, dict.fromkeys(GENES, 1.0) | (shown or {}), tree=tree, limits=limits)


def test_a_clear_population():
    found = call(tam=2.0, dc=0.5, t=0.3)
    assert (found.population, found.major, found.reason) == ("tam", "my", "")
    assert (found.best, found.runner_up) == ("tam", "dc")
    assert (found.score, found.margin) == (2.0, 1.5)
    assert (found.major_score, found.major_margin) == (2.0, 1.7)


def test_two_fine_populations_leave_the_name_of_their_major():
    found = call(tam=1.0, dc=0.95)
    assert found.population == "my"
    assert found.reason == "tam is only 0.05 ahead of dc; named as my"
    assert found.major_margin == 1.0  # the other is no rival of the major


def test_the_lists_of_a_parent_speak_for_it_too():
    found = call(t=1.0, cd4=0.1)
    assert found.population == "t"
    assert found.reason == "best score 0.10 (cd4) is below 0.25; named as t"


def test_two_majors_leave_a_cluster_unassigned():
    found = call(tam=1.0, t=0.95)
    assert (found.population, found.major) == ("unassigned", "my")
    assert found.reason == "my is only 0.05 ahead of t"


@pytest.mark.parametrize(("score", "name"), [(0.25, "ec"), (0.24, "unassigned")])
def test_the_least_score_is_a_bound(score, name):
    assert call(ec=score).population == name


@pytest.mark.parametrize(("rival", "name"), [(0.75, "ec"), (0.76, "unassigned")])
def test_the_least_lead_is_a_bound(rival, name):
    limits = Limits(min_score=0.25, min_margin=0.25, min_markers=0.6)
    assert call(limits=limits, ec=1.0, t=rival).population == name


def test_a_population_without_a_sibling_leads_by_its_score():
    found = call(cd4=1.5)
    assert (found.population, found.runner_up, found.margin) == ("cd4", "", 1.5)


@pytest.mark.parametrize("short", ["top", "middle"])
def test_a_parent_with_too_few_measured_markers_does_not_stop_the_way_down(short):
    line = {"top": "", "middle": "top", "low": "middle", "other": ""}
    populations = pd.DataFrame(
        {"population": list(line), "parent": list(line.values()), "level": ""}
    )
    markers = pd.DataFrame(
        [(name, f"{name}_{i}") for name in line for i in range(3)], columns=["population", "gene"]
    )
    measured = pd.Index(markers["gene"]).drop(f"{short}_0")
    tree = build_tree(populations, markers=markers, measured=measured, min_measured=3)
    scores = {"top": 1.0, "middle": 1.0, "low": 1.0, "other": 0.0}
    found = decide(scores, dict.fromkeys(line, 1.0), tree=tree, limits=LIMITS)
    assert (found.population, found.reason) == ("low", "")


@pytest.mark.parametrize(("share", "name"), [(0.6, "ec"), (0.59, "unassigned")])
def test_the_share_of_markers_is_a_bound(share, name):
    found = call(wide=True, ec=2.0, shown={"ec": share})
    assert found.population == name
    assert found.reason == ("" if name == "ec" else "only 59% of the markers of ec are detected")


def test_three_markers_must_be_detected_whatever_their_share():
    found = call(ec=2.0, shown={"ec": 2 / 3})
    assert found.population == "unassigned"
    assert found.reason == "only 2 markers of ec are detected"


def test_a_population_with_too_few_measured_markers_is_named_as_its_parent():
    found = call(rare=1.0, tam=0.5)
    assert found.population == "my"
    assert found.reason == "only 1 of 1 markers of rare are measured; named as my"


def test_too_few_measured_markers_name_nothing():
    found = call(rare=1.0)
    assert found.population == "unassigned"
    assert found.reason.startswith("best score 0.00 (")


def test_a_major_with_too_few_measured_markers_is_not_named():
    tree = build_tree(
        POPULATIONS,
        markers=MARKERS,
        measured=pd.Index(MARKERS["gene"]).drop("ec_0"),
        min_measured=3,
    )
    scores = dict.fromkeys(GENES, 0.0) | {"ec": 2.0}
    found = decide(scores, dict.fromkeys(GENES, 1.0), tree=tree, limits=LIMITS)
    assert found.population == "unassigned"
    assert found.reason == "only 2 of 3 markers of ec are measured"


def test_means_by_group_are_those_of_a_loop():
    rng = np.random.default_rng(0)
    values, codes = rng.random((50, 4)).astype(np.float32), rng.permutation(np.arange(50) % 5)
    found = means_by_group(values, codes, 5)
    for group in range(5):
        np.testing.assert_allclose(found[group], values[codes == group].mean(axis=0), rtol=1e-6)
