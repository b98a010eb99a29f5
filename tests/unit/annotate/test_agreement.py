"""Agreement with others' labels: by hand, and against scikit-learn on the cells themselves."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import adjusted_rand_score, precision_score, recall_score

from osteotalk.annotate.agreement import (
    FINE,
    MAJOR,
    adjusted_rand,
    agreement_table,
    of_source,
    population_scores,
    reliability,
    share_right,
)
from osteotalk.contract_checks import check_frame

POPULATIONS = pd.DataFrame(
    [
        ("malignant", "", ""),
        ("t_nk", "", ""),
        ("cd4_t", "t_nk", ""),
        ("cd8_t", "t_nk", ""),
        ("myeloid", "", ""),
        ("tam", "myeloid", ""),
        ("t_exhausted", "t_nk", "state"),
    ],
    columns=["population", "parent", "level"],
)
LABELS = pd.DataFrame(
    [
        ("Tumour", "malignant"),
        ("T cells", "t_nk"),
        ("CD8", "cd8_t"),
        ("Macrophages", "tam"),
        ("Lung", ""),
    ],
    columns=["label", "population"],
)


def table(cells, labels=LABELS):
    obs = pd.DataFrame(cells, columns=["author_label", "population"])
    return agreement_table(obs, labels=labels, populations=POPULATIONS)


def test_every_cell_is_counted_once_and_labels_are_translated():
    obs = pd.DataFrame(
        {
            "author_label": ["T cells", "T cells", "", "Lung", "New", "tam"],
            "reference_label": ["cd8_t", "cd4_t", "cd8_t", "t_exhausted", "Lung", ""],
            "population": ["cd8_t", "cd8_t", "cd8_t", "unassigned", "tam", "tam"],
        }
    ).astype("category")
    found = agreement_table(obs, labels=LABELS, populations=POPULATIONS)
    check_frame(found, table="agreement", where="x")
    assert list(found.itertuples(index=False, name=None)) == [
        ("author", "", "", "cd8_t", 1),
        ("author", "Lung", "", "unassigned", 1),
        ("author", "New", "", "tam", 1),
        ("author", "T cells", "t_nk", "cd8_t", 2),
        ("author", "tam", "tam", "tam", 1),
        ("reference", "", "", "tam", 1),
        ("reference", "Lung", "", "tam", 1),
        ("reference", "cd4_t", "cd4_t", "cd8_t", 1),
        ("reference", "cd8_t", "cd8_t", "cd8_t", 2),
        ("reference", "t_exhausted", "", "unassigned", 1),
    ]
    assert of_source(found, "author")["n_cells"].sum() == 5
    turned = agreement_table(obs[::-1], labels=LABELS.to_dict("records"), populations=POPULATIONS)
    pd.testing.assert_frame_equal(found, turned)


@pytest.mark.parametrize("dtype", ["object", "category"])
def test_a_missing_label_is_no_label(dtype):
    obs = pd.DataFrame({"author_label": ["CD8", np.nan, None, ""], "population": "cd8_t"})
    obs["author_label"] = obs["author_label"].astype(dtype)
    found = agreement_table(obs, labels=LABELS, populations=POPULATIONS)
    assert found[["label", "n_cells"]].to_numpy().tolist() == [["", 3], ["CD8", 1]]


def test_a_label_that_the_table_denies_stays_without_population():
    labels = pd.DataFrame([("tam", "")], columns=["label", "population"])
    assert list(table([("tam", "tam")], labels)["expected"]) == [""]


def test_nobody_else_named_the_cells():
    found = agreement_table(
        pd.DataFrame({"population": ["tam"]}), labels=[], populations=POPULATIONS
    )
    assert found.empty
    check_frame(found, table="agreement", where="x")


@pytest.fixture
def cells():
    rng = np.random.default_rng(6)
    labels = rng.choice(["Tumour", "CD8", "Macrophages"], 300, p=[0.5, 0.3, 0.2])
    own = pd.Series(labels).map(dict(LABELS.itertuples(index=False)))
    wrong = rng.random(300) < 0.25
    own[wrong] = rng.choice(["malignant", "cd4_t", "tam", "unassigned"], wrong.sum())
    return pd.DataFrame({"author_label": labels, "population": own})


def test_scores_equal_those_of_sklearn_cell_by_cell(cells):
    found = table(cells)
    expected = cells["author_label"].map(dict(LABELS.itertuples(index=False)))
    for assigned_only in (True, False):
        kept = cells["population"] != "unassigned" if assigned_only else slice(None)
        index = adjusted_rand_score(cells["author_label"][kept], cells["population"][kept])
        assert adjusted_rand(found, assigned_only=assigned_only) == pytest.approx(index)
    scores = population_scores(found, populations=POPULATIONS, level=FINE)
    names = list(scores["population"])
    assert names == ["malignant", "cd8_t", "tam"]
    for name, measure in (("precision", precision_score), ("recall", recall_score)):
        theirs = measure(expected, cells["population"], labels=names, average=None)
        np.testing.assert_allclose(scores[name], theirs)
    told = share_right(found, populations=POPULATIONS, level=FINE)
    assigned = cells["population"] != "unassigned"
    assert told["n_right"] == (expected == cells["population"])[assigned].sum()
    assert told["n_judged"] == told["n_assigned"] == assigned.sum()


def test_parents_by_hand():
    """A coarse label, a population told only at the parent, and a wrong major."""
    found = table(
        [("T cells", "cd8_t")] * 4
        + [("T cells", "t_nk")] * 2
        + [("CD8", "cd8_t")] * 3
        + [("CD8", "t_nk")] * 5
        + [("CD8", "cd4_t")]
        + [("Macrophages", "cd8_t")]
        + [("Macrophages", "unassigned")] * 2
        + [("Lung", "cd8_t")] * 7
    )
    fine = population_scores(found, populations=POPULATIONS, level=FINE).set_index("population")
    assert fine.loc["t_nk"].tolist() == [15, 16, 15, 0, 0, 15 / 16, 1.0]
    # called CD8: 4 with a coarse label, 3 right, 1 macrophage
    assert fine.loc["cd8_t"].tolist() == [9, 8, 3, 0, 4, 3 / 4, 3 / 9]
    assert fine.loc["tam"].drop("precision").tolist() == [3, 0, 0, 2, 0, 0.0]
    assert np.isnan(fine.loc["tam", "precision"])
    major = population_scores(found, populations=POPULATIONS, level=MAJOR).set_index("population")
    assert list(major.index) == ["t_nk", "myeloid"]
    assert major.loc["t_nk", ["n_expected", "n_right"]].tolist() == [15, 15]
    assert major.loc["myeloid", "recall"] == 0
    told = share_right(found, populations=POPULATIONS, level=FINE)
    # known 18 of 25, assigned 16; 5 CD8 cells named as their parent are not judged
    assert told.tolist() == [25, 18, 16, 11, 9]
    assert share_right(found, populations=POPULATIONS, level=MAJOR).tolist() == [25, 18, 16, 16, 15]


def test_nothing_to_compare():
    found = table([("Lung", "unassigned")])
    assert np.isnan(adjusted_rand(found, assigned_only=True))
    assert population_scores(found, populations=POPULATIONS, level=MAJOR).empty
    assert share_right(found, populations=POPULATIONS, level=FINE).tolist() == [1, 0, 0, 0, 0]


def test_unknown_level_is_refused():
    with pytest.raises(ValueError, match="level 'middle' is not known; choose one of major, fine"):
        population_scores(table([]), populations=POPULATIONS, level="middle")


def test_agreement_by_stated_probability_by_hand():
    rows = [
        ("CD8", "t_nk", 0.85, "0"),  # right at the major level
        ("CD8", "tam", 0.89, "1"),
        ("Macrophages", "tam", 0.9, "1"),  # a border belongs to the range above it
        ("Macrophages", "tam", 1.0, "2"),
        ("Tumour", "tam", 0.99, "2"),
        ("Tumour", "tam", np.nan, "2"),  # named by copy number
        ("Tumour", "unassigned", 0.7, "3"),
        ("Lung", "tam", 0.95, "3"),
        ("", "tam", 0.95, "3"),
    ]
    columns = ["author_label", "population", "major_probability", "cluster"]
    obs = pd.DataFrame(rows, columns=columns).astype(
        dict.fromkeys(("author_label", "population", "cluster"), "category")
    )
    found = reliability(obs, labels=LABELS, populations=POPULATIONS, source="author")
    expected = pd.DataFrame(
        {
            "least": [0.85, 0.9, 0.99],
            "most": [0.9, 0.95, 1.0],
            "n_clusters": [2, 1, 1],
            "n_judged": [2, 1, 2],
            "n_right": [1, 1, 1],
            "stated": [0.87, 0.9, 0.995],
            "share_right": [0.5, 1.0, 0.5],
        }
    )
    pd.testing.assert_frame_equal(found, expected, check_dtype=False)


def test_without_a_judged_cell_nothing_is_said_of_probabilities():
    obs = pd.DataFrame(
        {"author_label": [""], "population": ["tam"], "major_probability": 0.9, "cluster": "0"}
    )
    found = reliability(obs, labels=LABELS, populations=POPULATIONS, source="author")
    assert len(found) == 0
