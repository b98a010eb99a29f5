from dataclasses import replace

import pandas as pd
import pytest

from osteotalk.annotate.tree import build_tree

POPULATIONS = pd.DataFrame(
    [
        ("myeloid", "", ""),
        ("tam", "myeloid", ""),
        ("dc", "myeloid", ""),
        ("kind", "dc", "state"),
        ("cycling", "dc", "state"),
        ("nk", "", ""),
    ],
    columns=["population", "parent", "level"],
)
MARKERS = pd.DataFrame(
    [
        ("tam", "A1", ""),
        ("tam", "A2", "+"),
        ("tam", "B1", "-"),
        ("dc", "B1", ""),
        ("dc", "B2", ""),
        ("kind", "B2", ""),
        ("kind", "B3", ""),
        ("cycling", "M1", ""),
        ("cycling", "M2", ""),
        ("nk", "N1", ""),
        ("nk", "N2", ""),
        ("nk", "ABSENT", ""),
    ],
    columns=["population", "gene", "sign"],
)
GENES = pd.Index(["A1", "A2", "B1", "B2", "B3", "M1", "M2", "N1", "N2", "X"])


def tree(genes=GENES, least=2):
    return build_tree(POPULATIONS, markers=MARKERS, measured=genes, min_measured=least)


def test_the_vocabulary_is_a_tree_without_its_states():
    found = tree()
    assert found.children("") == ["myeloid", "nk"]
    assert found.children("myeloid") == ["tam", "dc"]
    assert found.children("dc") == []
    assert found.line("kind") == ["kind", "dc", "myeloid"]
    assert found.major("dc") == "myeloid"
    assert found.major("unassigned") == "unassigned"
    assert found.line("unassigned") == []


def test_markers_are_split_by_sign_and_kept_where_measured():
    found = tree().markers
    assert found["tam"].positive == ("A1", "A2")
    assert found["tam"].negative == ("B1",)
    assert found["nk"].positive == ("N1", "N2")
    assert found["nk"].listed == 3
    assert "myeloid" not in found
    assert {name for name, markers in found.items() if markers.kind} == {"kind"}


def test_all_measured_markers_and_the_genes_of_the_cell_cycle():
    assert tree().genes() == ["A1", "A2", "B1", "B2", "B3", "M1", "M2", "N1", "N2"]
    assert tree().cycle_genes == ("M1", "M2")
    assert tree(GENES.drop(["M1", "M2"])).cycle_genes == ()


def test_own_list_of_a_top_population_with_others_below_needs_enough_markers():
    own = pd.DataFrame([("myeloid", "X", ""), ("myeloid", "GONE", "")], columns=MARKERS.columns)
    more = pd.concat([MARKERS, own])
    short = build_tree(POPULATIONS, markers=more, measured=GENES, min_measured=2)
    assert short.short == {"myeloid"}
    assert short.below("myeloid") == ["tam", "dc", "kind"]
    measured = GENES.append(pd.Index(["GONE"]))
    enough = build_tree(POPULATIONS, markers=more, measured=measured, min_measured=2)
    assert enough.below("myeloid") == ["myeloid", "tam", "dc", "kind"]


def test_a_state_speaks_for_its_population_only_if_it_is_a_kind_of_it():
    found = tree()
    assert found.kinds("dc") == ["kind"]  # shares B2; cycling shares nothing
    assert found.below("myeloid") == ["tam", "dc", "kind"]
    assert found.states_of("dc") == ["kind", "cycling"]
    assert found.states_of("tam") == []


def test_too_few_measured_markers_are_reported(caplog):
    genes = GENES.append(pd.Index(["ABSENT"]))
    found = tree(genes.drop("A2"), least=3)  # one fewer for tam and dc, which are below another
    assert found.short == {"tam", "kind", "cycling"}
    assert "only 1 of 2 markers of tam are measured (at least 2 are needed)" in caplog.text
    assert tree(GENES.drop("N2")).short == {"nk"}
    assert "only 1 of 3 markers of nk are measured (at least 2 are needed)" in caplog.text


def test_one_measured_marker_does_not_speak_for_the_parent():
    found = tree(GENES.drop("A2"))
    assert found.below("myeloid") == ["dc", "kind"]
    assert found.within("myeloid") == ["tam", "dc", "kind"]
    assert found.below("tam") == ["tam"]  # it still competes with dc
    assert "tam" in found.lists()


def test_two_do_though_more_are_needed_for_its_own_name():
    found = replace(tree(), short=frozenset({"tam"}))
    assert found.below("myeloid") == ["tam", "dc", "kind"]


def test_names_of_another_species_are_refused():
    with pytest.raises(ValueError, match="markers of only 0 populations.*human symbols"):
        tree(GENES.str.lower())
