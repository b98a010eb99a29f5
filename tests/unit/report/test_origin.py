"""The section on the origin of a cohort, and what was left out of its files."""

import pandas as pd

from osteotalk import io
from osteotalk.report.sections.origin import section
from osteotalk.report.tables.left_out import genes_named, left_out_table
from osteotalk.results import CohortResults


def catalogue(inputs, **row):
    return inputs.having(datasets=inputs.datasets.assign(**row))


def test_origin_and_what_is_not_sure(inputs):
    samples = inputs.samples.assign(
        site=["femur", "", "tibia", "lung", "lung"],
        status=["verified", "inferred", "verified", "unverified", "verified"],
        note=["", "Histology INF", "", "Patient UNVERIFIED", ""],
    )
    html = catalogue(
        inputs.having(samples=samples),
        accession="GSE1",
        species="human",
        terms="GEO <terms>",
        confounded="Treatment and cohort cannot be told apart",
        status="inferred",
        sources="doi:10.1000/toy",
        combine="no",
    ).dataset_html()
    assert "GEO &lt;terms&gt;" in html
    assert "Confounded: Treatment and cohort cannot be told apart." in html
    assert "Facts of 1 sample are inferred (INF), see the notes: S2." in html
    assert "Facts of 1 sample are UNVERIFIED, see the notes: S4." in html
    assert "Histology INF" in html
    assert "What is said of this cohort is inferred (INF)." in html
    assert "Kept out of the combined verdicts." in html
    assert "femur" in html


def test_a_cohort_of_ones_own_says_only_what_it_has(inputs):
    html = inputs.dataset_html()
    assert "Accession" not in html
    assert "Confounded" not in html
    assert "Treatment" not in html
    assert "Where are the data from" in html


def test_retired_samples_are_named_with_their_reason(inputs):
    retired = inputs.samples.iloc[:1].assign(sample="S9", note="xenograft", status="retired")
    html = inputs.having(retired=retired).dataset_html()
    assert "Retired samples, not analysed: S9 (xenograft)." in html


def test_genes_that_were_lost_are_said(inputs):
    genes = {**inputs.ingest[0]["genes"], "unmapped": ["ENSG1"], "no_ortholog": ["DLA-88"]}
    ingest = [{**inputs.ingest[0], "genes": genes, "n_author_label": 12}, *inputs.ingest[1:]]
    html = inputs.having(ingest=ingest).dataset_html()
    assert "Some genes have an Ensembl id but no symbol" in html
    assert "without a one-to-one human ortholog were left out" in html
    assert "Sample S1: only 12 of 90 droplets have a label of the authors." in html
    assert "Authors' labels" in html or "Authors&#39; labels" in html


def test_what_was_left_out_stands_by_sample_and_reason(inputs):
    genes = {
        **inputs.ingest[0]["genes"],
        "names_lost": {"genes whose name a spreadsheet turned into a date": 2},
        "names_lost_examples": {"genes whose name a spreadsheet turned into a date": ["1-Mar"]},
    }
    left_out = {"cells of 'S3', which is not in the table of samples": 30}
    ingest = [{**inputs.ingest[0], "genes": genes, "left_out": left_out}, *inputs.ingest[1:]]
    html = inputs.having(ingest=ingest).dataset_html()
    assert "What was left out, and why." in html
    assert "cells of &#x27;S3&#x27;, which is not in the table of samples" in html.replace(
        "&#39;", "&#x27;"
    )
    assert "genes whose name a spreadsheet turned into a date" in html
    assert "1-Mar" in html


def test_genes_of_claims_among_the_lost_are_named_and_counted():
    claims = pd.DataFrame({"pairs": ["CXCL12^CXCR4;SPP1^ITGAV_ITGB1", ""], "genes": ["", "RUNX2"]})
    named = genes_named(claims)
    assert named == {"CXCL12", "CXCR4", "SPP1", "ITGAV", "ITGB1", "RUNX2"}
    record = {"sample": "S1", "empty_droplets": 0, "genes": {"no_ortholog": []}}
    assert left_out_table([record], {}, named=named, dataset="d") is None
    missing = {"S1": ["A", "CXCL12", "RUNX2"]}
    table = left_out_table([record], missing, named=named, dataset="d")
    assert table.frame.iloc[0].tolist() == [
        "S1",
        "genes that other samples of the cohort measured and this one did not",
        3,
        "2 genes of claims: CXCL12 and RUNX2",
    ]
    table = left_out_table([record], {"S1": ["A"]}, named=named, dataset="d")
    assert table.frame["examples"].tolist() == ["none that a claim names; A"]


def test_the_index_names_accessions_and_confounding(inputs):
    html = catalogue(
        inputs, accession="GSE1", status="secondary", confounded="Age and cohort", combine="no"
    ).html()
    assert "GSE1" in html
    assert "second-hand (SEC)" in html
    assert "Toy cohort: Age and cohort." in html
    assert "Kept out of the combined verdicts: Toy cohort. No other cohort is left" in html


def test_samples_that_could_not_be_read_are_told_on_every_page(inputs):
    gone = inputs.samples.iloc[0]
    row = {name: str(gone[name]) for name in ("dataset", "sample", "patient", "condition")}
    row |= {"file": "a.h5", "reason": "a.h5 is cut off;\ncopy it again"}
    without = inputs.having(left_out=[row])
    title = inputs.datasets["title"].iloc[0]
    warning = (
        f"SAMPLES LEFT OUT: {row['sample']} of '{title}' could not be read. Nothing below rests on "
        "them; the section Origin on the page of the cohort has the reasons."
    )
    pages = without.report().pages()
    assert len(pages) > 4
    assert all(warning in page.warnings for page in pages)
    assert not any(warning in page.warnings for page in inputs.report().pages())
    view = without.view()
    assert row["sample"] not in set(view.samples["sample"])
    assert row["sample"] not in set(without.run().samples["sample"])
    assert len(without.run().samples) == len(inputs.run().samples) - 1
    assert section(view).caveats[0] == (
        f"Left out, as it could not be read: sample {row['sample']} of patient {row['patient']} "
        f"({row['condition']}; a.h5). a.h5 is cut off; copy it again"
    )


def test_results_of_samples_that_could_not_be_read_are_not_counted(tmp_path):
    told = {"sample": "A", "unreadable": "a.h5 is cut off"}
    kept = {"sample": "B", "left_out": {"antibodies": 3}}
    files = {
        "ingest": [told, kept],
        "qc": [{"sample": "A", "ingest": told}, {"sample": "B", "ingest": kept}],
        "left_out": [{"left_out": [{"sample": "A"}]}],
    }
    paths = {}
    for name, records in files.items():
        paths[name] = [str(tmp_path / f"{name}{i}.json") for i in range(len(records))]
        for path, record in zip(paths[name], records, strict=True):
            io.write_json(record, path)
    results = CohortResults("mine", paths)
    assert results.ingest == [kept]
    assert [record["sample"] for record in results.qc] == ["B"]
    assert results.left_out == [{"sample": "A"}]
    assert CohortResults("mine", {}).left_out == []
