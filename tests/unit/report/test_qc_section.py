"""The section on samples: numbers, figures and words equal the records."""

import copy
import re

import pandas as pd
import pytest

from osteotalk.report.sections import qc
from osteotalk.report.sections.qc import limits_text, qc_table, shared_notes


@pytest.fixture
def section(inputs):
    """Build the section from changed records."""

    def build(change=lambda records: None):
        records = copy.deepcopy(inputs.qc)
        change(records)
        made_up = inputs.datasets.assign(source="simulated")
        return qc.section(inputs.having(qc=records, datasets=made_up).view())

    return build


def test_figures_of_a_full_record(section):
    made = section()
    assert [figure.anchor for figure in made.figures] == [
        "figure-qc",
        "figure-qc-limits",
        "figure-doublets",
        "figure-ambient",
    ]
    for figure in made.figures:
        assert "SIMULATED DATA" in figure.svg
        assert figure.table == "table-qc"
    assert "P1 · S1: 4.0 % (3.0 to 6.1)" in made.figures[3].alt
    assert "P1 · S1: 3.1% called, 2.0% expected, threshold Scrublet's" in made.figures[2].alt
    assert "passed the check in 5 of 5 samples" in made.figures[2].caption
    assert "counts 500 to 20,000, genes 200 to 5,000, mito. up to 12.5 %" in made.figures[1].alt


def test_limits_are_drawn_where_they_are(section):
    """Lines of the limits: two for counts, two for genes, one for mitochondria, per sample."""
    svg = section().figures[1].svg
    assert len(re.findall(r"stroke: #8a1538", svg)) == 5 * 5


def test_old_records_without_the_new_parts_still_give_a_table(section):
    def strip(records):
        for record in records:
            for name in ("distributions", "doublets", "ambient", "suspension", "overrides"):
                del record[name]

    made = section(strip)
    assert [figure.anchor for figure in made.figures] == ["figure-qc"]
    assert made.tables[0].frame["doublets"].tolist() == [""] * 5


def test_sample_without_scores_has_no_panel(section):
    def strip(records):
        records[1]["doublets"] = {"expected_share": 0.02, "rule": "none", "histogram": None}
        records[1]["ambient"] = {"share": None, "reason": "fewer than 50 cells"}

    made = section(strip)
    assert "S2" not in made.figures[2].svg
    assert "4 of 4 samples" in made.figures[2].caption
    assert "P2 · S2: cannot be told" in made.figures[3].alt
    assert "✕ cannot be told" in made.figures[3].svg
    row = made.tables[0].frame.iloc[1]
    assert (row["doublets"], row["doublet_rule"], row["ambient"]) == ("", "not called", "")


def test_nothing_known_about_ambient_anywhere(section):
    def strip(records):
        for record in records:
            record["ambient"] = {"share": None}

    made = section(strip)
    assert "figure-ambient" not in [figure.anchor for figure in made.figures]
    assert "Ambient" not in made.body[0]


def test_empty_droplets_are_counted_but_not_drawn(section):
    def add(records):
        for record in records:
            record["dropped"] = {"empty": 1_000_000} | record["dropped"]
            record["n_cells_raw"] += 1_000_000

    made, plain = section(add), section()
    assert "5,000,000 of the droplets hold no cell" in made.body[0]
    assert made.figures[0].svg.count("<path") == plain.figures[0].svg.count("<path")
    assert "empty droplet" not in made.figures[0].svg
    assert made.tables[0].frame["empty"].tolist() == [1_000_000] * 5
    assert "Dropped: empty droplet" in [column.label for column in made.tables[0].columns]


def test_subtracted_counts_are_said(section):
    def subtract(records):
        records[0]["ambient"]["counts_removed"] = 1200
        records[2]["ambient"]["counts_removed"] = 34

    made = section(subtract)
    assert "1,234 counts were subtracted as ambient RNA in 2 samples: S1 and S3." in made.body[0]


def test_notes_are_grouped_by_what_they_say():
    records = [
        {"sample": "A", "notes": ["x", "y"]},
        {"sample": "B", "notes": ["x"]},
        {"sample": "C", "notes": ["x", "z"]},
        {"sample": "D", "notes": ["z"]},
    ]
    assert shared_notes(["A", "B", "C"], records[:3]) == [
        "All samples: x.",
        "Sample A: y.",
        "Sample C: z.",
    ]
    assert shared_notes(["A", "B", "C", "D"], records)[2] == "Samples C and D: z."


def test_overrides_are_in_the_limits():
    record = {
        "limits": {"n_counts": [300, 9000], "pct_mito_max": 12.0},
        "doublets": {"threshold": 0.25},
        "overrides": {"min_counts": 300.0, "max_pct_mito": 12.0},
    }
    assert limits_text(record) == (
        "counts 300 to 9,000; mito. up to 12 %; doublet score up to 0.25; from the table of "
        "samples: min_counts 300, max_pct_mito 12"
    )
    assert limits_text({}) == ""


def test_table_equals_the_records(inputs):
    frame, reasons = qc_table(inputs.samples, inputs.qc)
    assert list(reasons) == ["low_counts", "low_genes", "high_mito", "doublet"]
    for row, record in zip(frame.to_dict("records"), inputs.qc, strict=True):
        assert row["n_cells_kept"] == record["n_cells_kept"]
        assert row["ambient_share"] == record["ambient"]["share"]
        assert row["doublet_called"] == record["doublets"]["called_share"]
    missing, _ = qc_table(inputs.samples, inputs.qc[:4])
    assert missing.iloc[4]["n_cells_raw"] == 0
    assert pd.isna(missing.iloc[4]["ambient_share"])


def test_same_records_same_bytes(section):
    one, two = section(), section()
    assert [f.svg for f in one.figures] == [f.svg for f in two.figures]
