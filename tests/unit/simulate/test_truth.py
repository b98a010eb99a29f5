import numpy as np
import pandas as pd
import pytest

from osteotalk.simulate import controls, truth
from osteotalk.simulate.claim_truth import claim_truth

CONDITIONS = ["primary", "metastasis"]


@pytest.fixture
def elevated(populations, markers, planted):
    return truth.elevation_by_condition(
        populations, markers=markers, planted=planted, conditions=CONDITIONS
    )


def test_raised_genes_come_from_markers_and_planted_edges(elevated):
    primary = elevated["primary"]
    assert list(primary.index) == ["tumour_a", "tumour_b", "macrophage"]
    assert list(primary.columns) == ["L1", "L2", "MA", "MB", "MM", "R1", "R2", "R3"]
    raised = {name: set(primary.columns[row]) for name, row in primary.iterrows()}
    assert raised == {
        "tumour_a": {"MA", "L1"},
        "tumour_b": {"MB"},
        "macrophage": {"MM", "R1"},
    }


def test_markers_of_parents_states_and_negative_ones(populations, make_table):
    states = make_table(
        """
        population parent level cnv_role
        cycling macrophage state -
        """
    )
    markers = make_table(
        """
        population gene sign
        tumour SHARED -
        tumour TOLD +
        tumour_a TOLD +
        tumour_b AWAY minus
        macrophage MM +
        cycling MKI67 +
        """
    ).replace({"sign": {"minus": "-", "+": ""}})
    frame = truth.elevation(
        pd.concat([populations, states], ignore_index=True),
        markers=markers,
        planted=make_table("claim_id source target ligand receptor where"),
        condition="primary",
    )
    raised = {name: set(frame.columns[row]) for name, row in frame.iterrows()}
    assert raised == {"tumour_a": {"SHARED", "TOLD"}, "tumour_b": {"SHARED"}, "macrophage": {"MM"}}
    assert {"AWAY", "MKI67"} <= set(frame.columns)  # measured, at the level of background


def test_edges_of_one_condition_raise_genes_only_there(elevated):
    metastasis = elevated["metastasis"]
    assert set(metastasis.columns[metastasis.loc["tumour_b"]]) == {"MB", "R2", "R3"}
    assert set(metastasis.columns[metastasis.loc["macrophage"]]) == {"MM", "R1", "L2"}


def test_planted_edges_are_listed_once_and_parents_are_opened(planted, populations):
    edges = truth.edge_truth(planted, populations=populations)
    assert edges.to_numpy().tolist() == [
        ["tumour_a", "macrophage", "L1", "R1", "all", "K1;K2"],
        ["macrophage", "tumour_a", "L2", "R2_R3", "metastasis", "K3"],
        ["macrophage", "tumour_b", "L2", "R2_R3", "metastasis", "K3"],
    ]


def test_everywhere_wins_over_a_condition(planted, populations):
    edges = truth.edge_truth(
        planted.assign(where=["metastasis", "all", "primary"]), populations=populations
    )
    assert edges["where"].tolist() == ["all", "primary", "primary"]


def test_claim_truth(elevated, populations, make_table):
    claims = make_table(
        """
        claim_id kind pairs source target
        K1 interaction L1^R1 tumour macrophage
        K3 interaction L2^R2_R3;L9^R9 macrophage tumour_b
        half interaction L1^R2_R3 tumour_a tumour_a
        reversed interaction L1^R1 macrophage tumour
        gene not_testable - - -
        """
    )
    found = claim_truth(claims, populations=populations, elevated={"primary": elevated["primary"]})
    assert found.to_numpy().tolist() == [
        ["K1", True, "all"],
        ["K3", False, ""],
        ["half", False, ""],
        ["reversed", False, ""],
    ]
    both = claim_truth(claims, populations=populations, elevated=elevated)
    # In metastases L1 is raised in tumour_a, and so are R2 and R3.
    assert both.to_numpy().tolist() == [
        ["K1", True, "all"],
        ["K3", True, "metastasis"],
        ["half", True, "metastasis"],
        ["reversed", False, ""],
    ]


def test_controls_avoid_raised_genes_and_match_detection(elevated, planted, populations):
    edges = truth.edge_truth(planted.iloc[:1], populations=populations)
    resource = pd.DataFrame(
        [("L1", "R1"), ("A", "R1"), ("A", "B"), ("C", "D"), ("E", "F_G"), ("A", "B")],
        columns=["ligand", "receptor"],
    )
    rates = {"L1": 0.1, "R1": 0.2, "A": 0.5, "B": 0.5, "C": 0.1, "D": 0.02, "E": 0.12}
    detection = pd.Series(rates | {"F": 0.9, "G": 0.22})
    found = controls.matched_controls(
        edges, resource=resource, elevated=elevated, detection=detection, k=2
    )
    assert found[["ligand_complex", "receptor_complex"]].to_numpy().tolist() == [
        ["E", "F_G"],  # log10 distance 0.079, 0.041
        ["A", "B"],  # 0.70, 0.40 = 0.80, nearer than C-D: 0, 1.0
    ]
    expected = [np.hypot(np.log10(1.2), np.log10(1.1)), np.hypot(np.log10(5), np.log10(2.5))]
    assert found["distance"].tolist() == pytest.approx(expected)
    assert found["where"].tolist() == ["all", "all"]
    assert found["matched_ligand"].tolist() == ["L1", "L1"]


def test_controls_do_not_repeat(elevated, planted, populations):
    edges = truth.edge_truth(planted.iloc[:1], populations=populations)
    twice = pd.concat([edges, edges], ignore_index=True)
    resource = pd.DataFrame([("A", "B"), ("C", "D")], columns=["ligand", "receptor"])
    found = controls.matched_controls(
        twice, resource=resource, elevated=elevated, detection=pd.Series({"A": 0.1}), k=2
    )
    assert len(found) == 2
    assert not found.duplicated(truth.EDGE).any()


def test_detection_of_a_complex_is_its_rarest_subunit():
    detection = pd.Series({"A": 0.3, "B": 0.1})
    rates = controls.complex_detection(["A_B", "A", "A_C"], detection=detection)
    assert rates.tolist() == [0.1, 0.3, 0.0]


def test_what_is_below_a_drawn_population_is_left_out():
    rows = [
        ("myeloid", "", ""), ("dc", "myeloid", ""), ("pdc", "dc", ""), ("rare", "pdc", ""),
        ("tam", "myeloid", ""), ("mast", "myeloid", ""), ("mregdc", "dc", "state"),
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["population", "parent", "level"])
    drawn = truth.drawn_populations(frame, shares=pd.DataFrame({"population": ["dc", "tam"]}))
    assert list(drawn["population"]) == ["myeloid", "dc", "tam", "mast", "mregdc"]
    assert truth.leaf_populations(drawn) == ["dc", "tam", "mast"]
    both = pd.DataFrame({"population": ["dc", "pdc", "tam"]})
    assert "pdc" in set(truth.drawn_populations(frame, shares=both)["population"])
