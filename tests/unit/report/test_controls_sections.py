"""Sections on controls and uses: decoys, calibration, sensitivity, published findings, drugs."""

import re

import numpy as np
import pandas as pd
import pytest

from osteotalk.contract import TABLES, conform, empty_frame
from osteotalk.interactions.support import wilson_interval
from osteotalk.report import Page, Report, render
from osteotalk.report.figures.decoys import decoy_match_figure, outside
from osteotalk.report.sections import calibration as calibration_of_run
from osteotalk.report.sections import decoys as decoys_of_cohort
from osteotalk.report.sections import sensitivity as sensitivity_of_run
from osteotalk.report.sections import therapies as therapies_of_run
from osteotalk.report.sections import truth as truth_of_cohort
from osteotalk.report.sections.calibration import ratio_words
from osteotalk.report.sections.decoys import GENES, INTERACTIONS
from osteotalk.report.sections.published import ELSEWHERE, NOT_INDEPENDENT, standings
from osteotalk.report.words.claims import Names
from osteotalk.report.words.vocabulary import vocabulary

NAN = float("nan")


def html_of(section):
    page = Page(file="index.html", title="t", lead=(), sections=(section,))
    return render(Report(index=page, datasets=()))["index.html"]


def text_of(html):
    body = html[html.index("<main") : html.index("</main>")]
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


@pytest.fixture
def decoys():
    rows = [
        ("C001", "pairs", "ligand detection", 300, 0.06, 0.03, 0.05, 0.11, -0.1),
        ("C001", "pairs", "receptor detection", 300, 0.2, 0.1, 0.19, 0.4, 0.05),
        ("C001", "populations", "source cells", 900, 1200.0, 100.0, 300.0, 1100.0, -1.5),
        ("C001", "populations", "target cells", 900, 150.0, 100.0, 160.0, 900.0, 0.4),
        ("C003", "genes", "gene detection", 40, 0.01, 0.011, 0.013, 0.019, 0.3),
    ]
    names = [name for name in TABLES["decoys"] if name not in {"dataset", "n_pool"}]
    order = ["claim_id", "control", "quantity", "n_decoys", "claim", "decoy_low", "decoy_median",
             "decoy_high", "difference"]  # fmt: skip
    assert sorted(names) == sorted(order)
    own = pd.DataFrame(rows, columns=order).assign(dataset="toy", n_pool=50)
    return conform(pd.concat([own, own.head(1).assign(dataset="two", difference=-9.0)]),
                   table="decoys")  # fmt: skip


def test_match_of_decoys_is_told(decoys, inputs):
    section = decoys_of_cohort.section(inputs.having(decoys=decoys).view())
    html = html_of(section)
    text = text_of(html)
    assert list(outside(decoys[decoys["dataset"] == "toy"])) == [False, False, True, False, True]
    assert "2 claims have decoys. In 2 of 5 comparisons the claim lies outside" in text
    assert "is -1.5 on the scale of log2, a factor of 2.8: in source cells, decoys of C001" in text
    assert "-9" not in text  # another cohort's
    (table,) = section.tables
    assert len(table.frame) == 5
    assert list(table.frame["_outside"]).count("outside") == 2
    assert [figure.anchor for figure in section.figures] == ["figure-decoys", "figure-decoy-genes"]
    assert "source cells 1 of 1 outside" in section.figures[0].alt
    assert "gene detection 1 of 1 outside" in section.figures[1].alt


def test_claims_without_decoys_are_named(decoys, inputs):
    text = text_of(html_of(decoys_of_cohort.section(inputs.having(decoys=decoys).view())))
    # C005 was tested and has none; C006 was not tested.
    assert "1 tested claim without matched decoys: C005." in text
    assert "1 tested claim without population decoys: C005." in text
    bare = decoys_of_cohort.section(inputs.having(decoys=empty_frame("decoys")).view())
    assert bare.body[0] == "No claim of this cohort has decoys."
    assert bare.figures == bare.tables == ()


def test_figure_of_decoys_has_an_axis_per_quantity(decoys):
    own = decoys[(decoys["dataset"] == "toy") & decoys["quantity"].isin(INTERACTIONS)]
    svg = decoy_match_figure(own, quantities=INTERACTIONS, uid="d", alt="x")
    assert all(f">{name}<" in svg for name in INTERACTIONS)
    assert svg.count(">share of all cells<") == 2
    assert "mathdefault" not in svg  # labels of a logarithmic axis are plain numbers
    assert ">1000<" in svg
    zero = own.assign(decoy_low=0.0)
    assert ">C001<" in decoy_match_figure(zero, quantities=INTERACTIONS[2:], uid="d", alt="x")
    genes = decoys[decoys["quantity"].isin(GENES)]
    assert ">C003<" in decoy_match_figure(genes, quantities=GENES, uid="d", alt="x")


def calibration_of(dataset, *rows):
    frame = pd.DataFrame(
        rows, columns=["control", "theme", "verdict", "k_real", "n_real", "k_control", "n_control"]
    )
    low, high = wilson_interval(frame["k_control"].to_numpy(), frame["n_control"].to_numpy())
    rate = frame["k_control"] / frame["n_control"]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = (frame["k_real"] / frame["n_real"]) / rate
    frame = frame.assign(dataset=dataset, rate=rate, rate_low=low, rate_high=high, ratio=ratio,
                         ratio_low=ratio / 2, ratio_high=ratio * 2)  # fmt: skip
    return conform(frame, table="calibration")


@pytest.fixture
def calibration():
    return calibration_of(
        "toy",
        ("shuffled labels", "all", "supported", 30, 77, 2, 770),
        ("shuffled labels", "all", "not supported", 20, 77, 700, 770),
        ("shuffled labels", "all", "contradicted", 0, 77, 0, 770),
        ("population decoys", "all", "supported", 30, 60, 15, 300),
        ("shuffled labels", "immune", "supported", 10, 20, 0, 200),
    )


@pytest.mark.parametrize("table", [None, empty_frame("calibration")])
def test_calibration_that_was_not_run_is_said(table, inputs):
    section = calibration_of_run.section(inputs.run(calibration=table))
    assert "The calibration was not run" in section.body[0]
    assert section.tables == section.figures == ()


def test_calibration_sets_chance_beside_real_claims(calibration, simulated):
    section = calibration_of_run.section(simulated.run(calibration=calibration))
    # Wilson interval of 2 of 770 from its formula.
    z, n, p = 1.959964, 770, 2 / 770
    centre, half = p + z**2 / (2 * n), z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    low, high = (100 * (centre + side * half) / (1 + z**2 / n) for side in (-1, 1))
    assert section.body[0] == (
        "Simulated data: Toy cohort: with shuffled labels 2 of 770 claims come out as supported "
        f"(0.3 %; 95 % interval {low:.1f} % to {high:.1f} %), of the real ones 30 of 77; with "
        "population decoys 15 of 300 claims come out as supported (5.0 %; 95 % interval 3.1 % to "
        "8.1 %), of the real ones 30 of 60."
    )
    every, themes = section.tables
    assert list(every.frame["theme"].unique()) == ["all"]
    assert list(every.frame["verdict"]) == [*["supported"] * 2, "not supported", "contradicted"]
    assert themes.collapsed
    assert list(themes.frame["theme"]) == ["immune"]
    (figure,) = section.figures
    assert "supported, population decoys: 30 of 60 real, 15 of 300 by chance" in figure.alt
    assert "contradicted" not in figure.alt  # never given
    assert "Claims whose pairs" not in text_of(html_of(section))  # no such control
    assert "SIMULATED DATA" in figure.svg


def test_each_cohort_has_its_calibration(calibration, inputs):
    both = pd.concat([calibration, calibration.assign(dataset="two")], ignore_index=True)
    two = inputs.datasets.assign(dataset="two", title="Two")
    cohorts = inputs.having(datasets=pd.concat([inputs.datasets, two], ignore_index=True))
    section = calibration_of_run.section(cohorts.run(calibration=both))
    assert [figure.anchor for figure in section.figures] == [
        "figure-calibration-0", "figure-calibration-1"
    ]  # fmt: skip
    assert section.body[1].startswith("Two: with shuffled labels")
    html_of(section)


@pytest.mark.parametrize(
    ("k_real", "ratio", "low", "high", "text"),
    [
        (30, 12.345, 5.01, 40.2, "12 (5 to 40)"),
        (30, float("inf"), 8.5, float("inf"), "above 8.5: never by chance"),
        (0, 0.0, -4.7e-15, 3.4, "0 (0 to 3.4)"),
        (0, NAN, NAN, NAN, ""),
        (1, float("inf"), NAN, NAN, "never by chance"),
        (1, 2.0, 0.5, float("inf"), "2 (0.5 to ∞)"),
    ],
)
def test_ratios_in_words(k_real, ratio, low, high, text):
    row = {"k_real": k_real, "ratio": ratio, "ratio_low": low, "ratio_high": high}
    assert ratio_words(row) == text


@pytest.fixture
def sensitivity():
    rows = [
        ("alpha", "0.01", "C001", "supported", "present, not specific", "yes"),
        ("alpha", "0.01", "C002", "partly", "partly", "no"),
        ("alpha", "0.1", "C001", "supported", "supported", "no"),
        ("alpha", "0.1", "C002", "partly", "supported", "yes"),
        ("min_cells", "20", "C001", "supported", "supported", "no"),
        ("min_cells", "20", "C003", "partly", "partly", "no"),
    ]
    names = ["setting", "value", "claim_id", "baseline", "verdict", "moved"]
    return conform(pd.DataFrame(rows, columns=names).assign(dataset="toy"), table="sensitivity")


def test_sensitivity_counts_what_moves(sensitivity, inputs):
    section = sensitivity_of_run.section(inputs.run(sensitivity=sensitivity))
    assert section.body[0] == (
        "3 changes of a setting tried: 2 of 6 verdicts moved. 1 of 3 claims kept their verdict "
        "under all of them."
    )
    counts, moved = (table.frame for table in section.tables)
    assert counts[["value", "n_claims", "n_moved", "n_gained", "n_lost"]].to_numpy().tolist() == [
        ["0.01", 2, 1, 0, 1], ["0.1", 2, 1, 1, 0], ["20", 2, 0, 0, 0]
    ]  # fmt: skip
    assert list(zip(moved["claim_id"], moved["value"], strict=True)) == [
        ("C001", "0.01"), ("C002", "0.1")
    ]  # fmt: skip
    assert "● supported" in text_of(html_of(section))


def test_settings_that_were_not_varied_are_said(sensitivity, inputs):
    assert "not varied in this run" in sensitivity_of_run.section(inputs.run()).body[0]
    still = sensitivity.assign(moved="no", verdict=sensitivity["baseline"])
    section = sensitivity_of_run.section(inputs.run(sensitivity=still))
    assert "0 of 6 verdicts moved. 3 of 3 claims" in section.body[0]
    assert "No row." in html_of(section)


@pytest.fixture
def therapies():
    rows = [
        ("denosumab", "TNFSF11", "C004", "yes", "PMC6265790", "supported", 7, 5, 5 / 7, 0.36, 0.92),
        ("denosumab", "TNFSF11", "C001", "yes", "PMC6265790", "partly", 7, 2, 2 / 7, 0.08, 0.64),
        ("new drug", "A;B", "C004", "no", "", "supported", 7, 5, 5 / 7, 0.36, 0.92),
        ("old drug", "", "C006", "yes", "", "not testable", 0, 0, NAN, NAN, NAN),
        ("old drug", "", "C999", "yes", "", "contradicted", 8, 0, NAN, NAN, NAN),
    ]
    names = [name for name in TABLES["therapies"] if name != "note"]
    return conform(pd.DataFrame(rows, columns=names).assign(note="UNVERIFIED: x"),
                   table="therapies")  # fmt: skip


def test_drugs_are_no_advice(therapies, simulated):
    section = therapies_of_run.section(simulated.run(therapies=therapies))
    text = text_of(html_of(section))
    assert section.body[0].startswith("This is not treatment advice.")
    assert "Expression of a target is not response to a drug" in section.caveats[0]
    assert section.body[1] == (
        "Simulated data: 3 drugs, 2 of them named by the index of the review. At least one claim "
        "that bears on it is supported for 2 drugs; of those that the review names: denosumab "
        "(C004)."
    )
    (table,) = section.tables
    assert list(table.frame["_support"]) == [
        "5 of 7 patients (0.36–0.92)", "2 of 7 patients (0.08–0.64)",
        "5 of 7 patients (0.36–0.92)", "", "",
    ]  # fmt: skip
    assert "TNFSF11 acts on RANK." in text
    assert "UNVERIFIED: x" in text
    assert len(re.findall("not treatment advice", text)) >= 3
    assert therapies_of_run.section(simulated.run(therapies=therapies.head(0))) is None


def test_findings_on_the_same_samples_are_marked():
    datasets = pd.DataFrame(
        {"dataset": ["a", "b"], "accession": ["GSE12", "OS_GSE9"], "patients_of": ["", "gse9"]}
    )
    caveats = pd.Series(["seen on GSE12 (CellChat)", "on GSE123", "on GSE9 and others", ""])
    assert standings(caveats, datasets) == [NOT_INDEPENDENT, ELSEWHERE, NOT_INDEPENDENT, ELSEWHERE]
    assert standings(caveats, datasets.head(0)) == [ELSEWHERE] * 4


def test_published_findings_stand_apart(inputs):
    findings = inputs.claims.head(2).assign(
        claim_id=["P001", "P002"], caveat=["on GSE1", "on GSE2"], statement="Others saw this pair."
    )
    results = inputs.verdicts.head(2).assign(claim_id=["P001", "P002"], verdict="supported")
    datasets = inputs.datasets.assign(accession="GSE1")
    with_them = inputs.having(datasets=datasets).report(findings=findings, published=results)
    without = inputs.having(datasets=datasets).report()
    found, bare = (
        {section.anchor: section for page in (report.index, *report.background)
         for section in page.sections}
        for report in (with_them, without)
    )  # fmt: skip
    assert "published" not in bare
    assert "published" not in [section.anchor for section in with_them.index.sections]
    # The findings change nothing of the claims.
    assert found["verdicts"].body == bare["verdicts"].body
    assert found["summary"] == bare["summary"]
    assert found["effects"] == bare["effects"]
    assert found["published"].body[0] == (
        "2 of 2 published findings could be tested: 2 supported. Of all findings, 1 not "
        "independent: found on these same samples, 1 found on samples that are not in this report."
    )
    (table,) = found["published"].tables
    assert list(table.frame["standing"]) == [NOT_INDEPENDENT, ELSEWHERE]
    assert [column.label for column in table.columns].count("Standing") == 1


def test_report_takes_all_optional_tables(inputs, calibration, sensitivity, therapies):
    report = inputs.report(calibration=calibration, sensitivity=sensitivity, therapies=therapies)
    anchors = {
        page.file: [section.anchor for section in page.sections]
        for page in (report.index, *report.background)
    }
    assert anchors == {
        "index.html": ["summary", "cohorts", "verdicts", "therapies", "limits"],
        "confidence.html": ["effects", "calibration", "sensitivity"],
        "methods.html": ["reading", "methods", "references"],
        "provenance.html": ["provenance"],
    }
    files = render(report)
    for name in ("calibration", "calibration_themes", "sensitivity", "sensitivity_settings",
                 "therapies"):  # fmt: skip
        assert f"assets/{name}.tsv" in files
    assert not re.search(r">\s*(nan|NaN|None|<NA>|inf)\s*<", files["index.html"])
    bare = inputs.report()
    assert "therapies" not in [section.anchor for section in bare.index.sections]
    # they say that they were not run
    (confidence,) = [page for page in bare.background if page.file == "confidence.html"]
    assert [section.anchor for section in confidence.sections] == [
        "effects", "calibration", "sensitivity"
    ]  # fmt: skip
    assert "was not computed" in bare.index.sections[0].body[1]


def test_decoys_are_on_the_page_of_a_cohort(inputs, decoys):
    page = inputs.having(decoys=decoys).dataset_page()
    assert "decoys" in [section.anchor for section in page.sections]
    assert "decoys" not in [section.anchor for section in inputs.dataset_page().sections]


def test_truth_is_set_against_verdicts(simulated):
    truth = {
        "claims": {
            "planted": {"claims": 11, "verdicts": {"supported": 9, "partly": 1, "not testable": 1}},
            "planted_partly": {"claims": 1, "verdicts": {"partly": 1}},
            "unplanted": {"claims": 20, "verdicts": {"not supported": 19, "inconclusive": 1}},
        }
    }
    section = truth_of_cohort.section(simulated.having(truth=truth).view())
    table = section.tables[0].frame.set_index("verdict")
    assert table.loc["supported"].tolist() == [9, 0, 0]
    assert table.loc["partly"].tolist() == [1, 1, 0]
    assert table.loc["inconclusive"].tolist() == [0, 0, 1]
    assert int(table.to_numpy().sum()) == 32
    low, high = wilson_interval(np.array([9]), np.array([10]))
    assert section.body == (
        "Claims that hold in the simulated cohort: 9 of 10 tested are supported (90%; 95 % "
        f"interval {low[0]:.0%} to {high[0]:.0%}); 1 more could not be tested.",
        "Claims that hold in some of its conditions only: 0 of 1 tested are supported (0%; 95 % "
        "interval 0% to 79%).",
        "Claims that do not hold in it: 0 of 20 tested are supported (0%; 95 % interval 0% to "
        "16%).",
    )


def test_names_fall_back_to_ids(inputs):
    names = Names(vocabulary(inputs.populations))
    assert names.programme("emt") == "emt"
    assert names.populations("tam+zeta") == "Tumour-associated macrophage and zeta"
