"""Why a claim lacks cells: groups that stayed without the name that would have served it."""

import numpy as np
import pandas as pd
import pytest

from osteotalk.claims.measures.samples import unnamed_cells
from osteotalk.claims.unnamed import tell_unnamed

SOURCE_TARGET = {"pairs": "A^B", "source": "fibroblast", "target": "tam"}


def cohort(kit, fibroblasts, **given):
    """Three patients with enough macrophages, and these numbers of fibroblasts."""
    sizes = np.column_stack([[50] * len(fibroblasts), fibroblasts])
    means = np.ones((len(fibroblasts), 2, 2))
    pairs = [("G0", "G1")]
    return kit.light_cohort(
        means, populations=["tam", "fibroblast"], sizes=sizes, pairs=pairs, **given
    )


def told(kit, given, row, verdict="not testable", **other):
    claim = kit.read(kit.INTERACTION | SOURCE_TARGET | row)[0]
    return tell_unnamed(claim, given, verdict=verdict, min_patients=3, **other)


def test_cells_and_patients_that_are_missing(kit):
    unnamed = kit.unnamed(
        ("P00", "4", "fibroblast", "unassigned", 77),  # has enough as it is
        ("P01", "4", "fibroblast", "unassigned", 200),
        ("P02", "10", "stromal", "unassigned", 40),
        ("P02", "7", "tam", "unassigned", 9),
    )
    given = cohort(kit, [10, 4, 0], unnamed=unnamed)
    assert told(kit, given, {}) == (
        "; fibroblast has 10 cells in 1 of 3 patients, 2 more are needed (at the least 16 more "
        "cells in all); 240 cells of groups 4 and 10 stayed unassigned with fibroblast and stromal "
        "as the best match (patients P01, P02)"
    )


def test_cells_that_bear_the_name_of_the_parent(kit):
    unnamed = kit.unnamed(
        ("P01", "stromal 2", "fibroblast", "stromal", 1),
        ("P02", "stromal 2", "fibroblast", "malignant", 30),  # by copy number
    )
    given = cohort(kit, [10, 10, 0], unnamed=unnamed)
    assert told(kit, given, {}) == (
        "; fibroblast has 10 cells in 2 of 3 patients, 1 more is needed (at the least 10 more "
        "cells in all)"
    )
    given = cohort(kit, [10, 0, 0], unnamed=unnamed)
    assert told(kit, given, {}).endswith(
        "; 1 cell of group stromal 2 kept the name stromal with fibroblast as the best match "
        "(patient P01)"
    )
    # a claim on the parent counts them
    assert "as the best match" not in told(kit, given, {"source": "stromal"})


def test_a_cohort_that_is_too_small(kit):
    assert told(kit, cohort(kit, [0, 10]), {}) == (
        "; fibroblast has 10 cells in 1 of 2 patients, 2 more are needed"
    )


def test_samples_of_a_patient_and_conditions(kit):
    given = cohort(
        kit,
        [10, 0, 10, 10, 0, 10],
        patients=("a", "a", "b", "c", "d", "e"),
        conditions=("primary",) * 4 + ("lung_metastasis",) * 2,
    )
    assert told(kit, given, {}) == ""  # four of five have it
    assert told(kit, given, kit.HIGHER) == (
        "; fibroblast has 10 cells in 1 of 2 patients with lung_metastasis, 2 more are needed"
    )
    assert told(kit, given, kit.ALONG | {"contrast_with": "gene:G0@tam"}) == (
        "; fibroblast has 10 cells in 4 of 5 patients, 1 more is needed (at the least 10 more "
        "cells in all)"
    )


def test_two_populations_that_no_patient_has_together(kit):
    sizes = [[50, 0], [50, 0], [50, 0], [0, 50], [0, 50], [0, 50]]
    given = cohort(kit, [0] * 6)
    given = kit.replace(given, sizes=np.array(sizes))
    assert told(kit, given, {}) == (
        "; fibroblast has 10 cells in 3 of 6 patients; tam has 10 cells in 3 of 6 patients"
    )


@pytest.mark.parametrize("verdict", ["supported", "inconclusive"])
def test_other_verdicts_say_nothing(kit, verdict):
    assert told(kit, cohort(kit, [0, 0, 0]), {}, verdict) == ""


def test_what_cannot_be_seen_or_has_enough_says_nothing(kit):
    claim = kit.read({"kind": "not_testable", "reason": "x", "source": "fibroblast"})[0]
    given = cohort(kit, [0, 0, 0])
    assert tell_unnamed(claim, given, verdict="not testable", min_patients=3) == ""
    assert told(kit, cohort(kit, [10, 10, 10]), {}) == ""


def test_a_composition_needs_its_whole(kit):
    claim = kit.read(kit.COMPOSITION | {"source": "tam", "target": "stromal"})[0]
    given = cohort(kit, [0, 10, 6])
    assert tell_unnamed(claim, given, verdict="not testable", min_patients=3) == (
        "; stromal has 10 cells in 1 of 3 patients, 2 more are needed (at the least 14 more cells "
        "in all)"
    )


def test_the_reason_in_the_evidence(kit):
    unnamed = kit.unnamed(("P01", "4", "fibroblast", "unassigned", 200))
    given = cohort(kit, [10, 4, 0], unnamed=unnamed)
    table = kit.claims_table(kit.INTERACTION | SOURCE_TARGET | {"pairs": "G0^G1"})
    row = kit.findings_of(given, table).evidence.iloc[0]
    assert row["reason"].startswith(
        "too few patients: 1 informative, 3 are needed; fibroblast has 10 cells in 1 of 3 patients"
    )
    assert row["reason"].endswith("as the best match (patient P01)")


def test_unnamed_cells_are_counted():
    rows = [
        ("P1", "4", "tam", "unassigned"),
        ("P1", "4", "tam", "unassigned"),
        ("P0", "4", "tam", "unassigned"),
        ("P1", "5", "", "tam"),
        ("P1", "6", "", "unassigned"),
    ]
    names = ["patient", "subcluster", "best_match", "population"]
    found = unnamed_cells(pd.DataFrame(rows, columns=names).astype("category"))
    assert found.to_numpy().tolist() == [
        ["P0", "4", "tam", "unassigned", 1],
        ["P1", "4", "tam", "unassigned", 2],
    ]
