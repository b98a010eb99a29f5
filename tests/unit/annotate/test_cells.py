"""What single cells show, by hand: agreement, contradictions, and two lineages at once."""

import numpy as np
import pandas as pd
import pytest

from osteotalk.annotate.cells import (
    CellEvidence,
    cell_evidence,
    contradictions,
    lineage_doublets,
    shares_agree,
)
from osteotalk.annotate.decide import Decision
from osteotalk.annotate.tree import build_tree

MAJORS = ("a", "b", "c")


def evidence(strength, shown=None):
    strength = np.asarray(strength, dtype=float)
    shown = strength if shown is None else np.asarray(shown, dtype=float)
    return CellEvidence(MAJORS, strength, shown, np.full(strength.shape, "", dtype=object))


def decision(major):
    return Decision(major, 1.0, 1.0, major, "", major, 1.0, 1.0, "")


def test_a_cell_shows_a_population_by_half_of_its_markers_and_no_fewer_than_two():
    populations = pd.DataFrame(
        [("a", ""), ("two", "a"), ("b", "")], columns=["population", "parent"]
    ).assign(level="")
    genes = {"two": ["T1", "T2"], "a": ["A1", "A2", "A3", "A4", "A5"], "b": ["B1", "B2"]}
    markers = pd.DataFrame(
        [(name, gene) for name, own in genes.items() for gene in own],
        columns=["population", "gene"],
    )
    tree = build_tree(populations, markers=markers, measured=markers["gene"], min_measured=2)
    seen = pd.DataFrame(False, index=range(4), columns=markers["gene"])
    seen.loc[0, ["T1"]] = True
    seen.loc[1, ["T1", "T2"]] = True
    seen.loc[2, ["A1", "A2"]] = True
    seen.loc[3, ["A1", "A2", "A3", "T1", "T2"]] = True
    scores = pd.DataFrame({"a": [1, 1, 1, 1], "two": [3, 3, 3, 0.5], "b": [0, 0, 0, 0]})
    found = cell_evidence(scores.astype(float), seen, tree=tree)
    assert found.majors == ("a", "b")
    np.testing.assert_array_equal(found.strength[:, 0], [3, 3, 3, 1])
    np.testing.assert_array_equal(found.shown[:, 0], [-np.inf, 3, -np.inf, 1])
    assert found.best_list[:, 0].tolist() == ["", "two", "", "a"]
    np.testing.assert_array_equal(found.shown[:, 1], [-np.inf] * 4)


def test_cells_agree_by_their_strongest_major_from_the_least_score_on():
    cells = evidence([[0.5, 0.1, 0], [0.25, 0.1, 0], [0.2, 0.1, 0], [0.5, 0.6, 0], [0, 1, 0]])
    clusters = pd.Series(["0", "0", "0", "0", "1"])
    shares = shares_agree(cells, clusters, {"0": decision("a"), "1": decision("b")}, min_score=0.25)
    assert shares == {"0": 0.5, "1": 1.0}


@pytest.mark.parametrize(
    ("major", "strength", "shown", "found"),
    [
        ("a", [1, 1.5, 0], [1, 1.5, 0], 1),  # leads by 0.5
        ("a", [1, 1.4, 0], [1, 1.4, 0], -1),
        ("a", [-1, 0.4, 0], [-1, 0.4, 0], -1),  # clear of its own, but hardly there
        ("a", [1, 2, 0], [1, -np.inf, 0], -1),  # strong, but not shown
        ("unassigned", [0.4, 1, 0.5], [0.4, 1, 0.5], 1),
        ("unassigned", [0.4, 1, 0.6], [0.4, 1, 0.6], -1),  # the second is too near
    ],
)
def test_contradictions_by_hand(major, strength, shown, found):
    cells = evidence([strength], [shown])
    assert contradictions(cells, cluster_major=pd.Series([major])).tolist() == [found]


def others_of(strength, *, size=3000.0, b_shows_a=0.0, sample="s1"):
    """Column of the other major of one cell of cluster a, beside nine usual cells of each major.

    Usual cells have a strength of 2 in their own major; those of b have 2,000 counts, others 1,000.
    In sample s2 everything is a third as large.
    """
    usual = np.repeat(2 * np.eye(3), 9, axis=0)
    usual[9:18, 0] = b_shows_a
    counts = np.repeat([1000.0, 2000.0, 1000.0], 9)
    samples = pd.Series(["s1"] * 27 + ["s2"] * 27 + [sample])
    found = lineage_doublets(
        evidence([*usual, *usual, strength]),
        cluster_major=pd.Series([*np.repeat(MAJORS, 9), *np.repeat(MAJORS, 9), "a"]),
        n_counts=pd.Series([*counts, *counts / 3, size]),
        samples=samples,
    )
    assert (found[:-1] == -1).all()
    return found[-1]


@pytest.mark.parametrize(
    ("strength", "changed", "other"),
    [
        ([1, 1, 0], {}, 1),
        ([0.9, 1, 0], {}, -1),  # less than half of its own
        ([1, 0.9, 0], {}, -1),  # less than half of the other
        ([1, 1, 0], {"size": 1900}, -1),  # usual for a, too small for b
        ([1, 0, 1], {"size": 1900}, 2),
        ([1, 1, 0], {"size": 1000, "sample": "s2"}, 1),  # large in its sample
        ([1, 1, 1.5], {}, 2),  # the stronger of two
        ([1, 1.5, 1], {}, 1),
        ([1, 1, 0], {"b_shows_a": 0.5}, 1),
        ([1, 1, 0], {"b_shows_a": 0.6}, -1),  # b often shows a, so they cannot be told
    ],
)
def test_two_lineages_by_hand(strength, changed, other):
    assert others_of(strength, **changed) == other
