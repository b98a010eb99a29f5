"""Where a cohort is from, how sure that is, and how its files were read."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from osteotalk.measured import not_measured
from osteotalk.report.inputs import Cohort
from osteotalk.report.model import Column, Section, Table
from osteotalk.report.tables.left_out import genes_named, left_out_table
from osteotalk.report.words.text import enumerate_words, plural, words

STATUS: Mapping[str, str] = {
    "verified": "verified",
    "inferred": "inferred (INF)",
    "secondary": "second-hand (SEC)",
    "unverified": "UNVERIFIED",
}
_FACTS = (
    ("accession", "Accession"),
    ("species", "Species"),
    ("doi", "DOI of the paper"),
    ("patients_of", "Patients are those of"),
    ("terms", "Licence or terms"),
    ("confounded", "Confounded"),
    ("status", "How sure these facts are"),
    ("sources", "Facts are from"),
    ("note", "Note"),
)
OUT_OF_COMBINED = "Kept out of the combined verdicts."


def status_words(value: object) -> str:
    """Say how sure a row of the catalogue is; '' if it does not tell."""
    name = words(value)
    return STATUS.get(name, name)


def section(cohort: Cohort) -> Section:
    """The section of a cohort's page."""
    dataset_row, samples, dataset = cohort.row, cohort.samples, cohort.dataset
    ingest, retired = cohort.results.ingest, cohort.retired
    facts = [
        (label, status_words(dataset_row.get(key)) if key == "status" else text)
        for key, label in _FACTS
        if (text := words(dataset_row.get(key)))
    ]
    if words(dataset_row.get("combine")) == "no":
        facts.append(("Combined verdicts", OUT_OF_COMBINED))
    tables = [_sample_table(samples, dataset=dataset)]
    if facts:
        tables.insert(0, _fact_table(facts, dataset=dataset))
    if ingest:
        left_out = left_out_table(
            ingest,
            not_measured(cohort.adata.uns),
            named=genes_named(cohort.tables.claims),
            dataset=dataset,
        )
        tables += [left_out] if left_out else []
        tables.append(_reading_table(ingest, dataset=dataset))
    return Section(
        anchor="origin",
        title="Origin",
        question="Where are the data from, and how sure is what is said of them?",
        tables=tuple(tables),
        caveats=(
            *_left_out(cohort.results.left_out),
            *_caveats(dataset_row, samples, retired, ingest),
        ),
    )


def _left_out(rows: Sequence[Mapping[str, str]]) -> tuple[str, ...]:
    return tuple(
        f"Left out, as it could not be read: sample {row['sample']} of patient {row['patient']} "
        f"({row['condition']}; {row['file']}). {' '.join(row['reason'].split())}"
        for row in rows
    )


def _caveats(
    row: Mapping[Any, Any],
    samples: pd.DataFrame,
    retired: pd.DataFrame,
    ingest: Sequence[Mapping[str, Any]],
) -> tuple[str, ...]:
    caveats = []
    if text := words(row.get("confounded")):
        caveats.append(f"Confounded: {text.rstrip('.')}.")
    status = samples["status"].map(words)
    for name in ("inferred", "secondary", "unverified"):
        unsure = samples.loc[status == name, "sample"].astype(str).tolist()
        if unsure:
            caveats.append(
                f"Facts of {plural(len(unsure), 'sample')} are {STATUS[name]}, see the notes: "
                f"{enumerate_words(unsure)}."
            )
    if len(retired):
        names = [
            f"{r['sample']} ({words(r['note']) or 'no reason given'})"
            for r in retired.to_dict("records")
        ]
        caveats.append(f"Retired samples, not analysed: {enumerate_words(names)}.")
    for record in ingest:
        labelled = record.get("n_author_label")
        if labelled is not None and labelled < record["n_droplets"] / 2:
            caveats.append(
                f"Sample {record['sample']}: only {labelled} of {record['n_droplets']} droplets "
                "have a label of the authors."
            )
    lost = sum(len(record["genes"]["unmapped"]) for record in ingest)
    if lost:
        caveats.append(
            "Some genes have an Ensembl id but no symbol; they are kept under the id and match no "
            "marker and no pair. They are listed in genes.tsv of the cohort."
        )
    if any(record["genes"]["no_ortholog"] for record in ingest):
        caveats.append(
            "Genes without a one-to-one human ortholog were left out; they are listed in "
            "genes.tsv of the cohort."
        )
    return tuple(caveats)


def _fact_table(facts: Sequence[tuple[str, str]], *, dataset: str) -> Table:
    return Table(
        "table-origin",
        pd.DataFrame(facts, columns=["fact", "value"]),
        "What is known of the cohort. INF marks what was inferred, SEC what one second-hand "
        "source says, UNVERIFIED what was not found in any.",
        (Column("fact", "What"), Column("value", "Value", wide=True)),
        download=f"assets/{dataset}_origin.tsv",
    )


def _sample_table(samples: pd.DataFrame, *, dataset: str) -> Table:
    frame = samples.copy()
    frame["status_words"] = frame["status"].map(status_words)
    columns = [
        Column("sample", "Sample", "code"),
        Column("patient", "Patient"),
        Column("condition", "Condition"),
    ]
    columns += [
        Column(key, label, missing="not stated")
        for key, label in (
            ("site", "Site"),
            ("histology", "Histology"),
            ("treatment", "Treatment"),
            ("suspension", "Suspension"),
            ("accession", "Accession"),
        )
        if frame[key].map(words).ne("").any()
    ]
    columns += [
        Column("status_words", "How sure", missing="not stated"),
        Column("note", "Note", wide=True, missing="none"),
    ]
    return Table(
        "table-sheet",
        frame,
        "The samples as the table of samples has them.",
        tuple(columns),
        download=f"assets/{dataset}_sheet.tsv",
    )


def _reading_table(ingest: Sequence[Mapping[str, Any]], *, dataset: str) -> Table:
    rows = []
    for record in ingest:
        genes = record["genes"]
        rows.append(
            {
                "sample": record["sample"],
                "file": record["file"],
                "format": record["format"],
                "n_droplets": record["n_droplets"],
                "empty_droplets": record["empty_droplets"],
                "n_genes_file": genes["n_genes_file"],
                "n_genes": genes["n_genes"],
                "renamed": genes["renamed"],
                "names_changed": sum(genes.get("names_changed", {}).values()),
                "summed": genes["summed"],
                "unmapped": len(genes["unmapped"]),
                "no_ortholog": len(genes["no_ortholog"]),
                "ambiguous": len(genes["ambiguous"]) + len(genes["conflicts"]),
                "n_author_label": record.get("n_author_label"),
            }
        )
    frame = pd.DataFrame(rows)
    labelled = frame["n_author_label"].notna().any()
    return Table(
        "table-reading",
        frame,
        "What was read, and how genes were named. Spelling restored: quotes, genome, id or other "
        "additions taken off, hyphens put back. Renamed: a previous symbol was replaced by the "
        "approved one. Summed: rows added to another of the same symbol.",
        (
            Column("sample", "Sample", "code"),
            Column("format", "Format"),
            Column("n_droplets", "Droplets", "integer"),
            Column("empty_droplets", "Without counts", "integer"),
            Column("n_genes_file", "Genes in the file", "integer"),
            Column("n_genes", "Genes kept", "integer"),
            Column("names_changed", "Spelling restored", "integer"),
            Column("renamed", "Renamed", "integer"),
            Column("summed", "Summed", "integer"),
            Column("unmapped", "Without symbol", "integer"),
            Column("no_ortholog", "Without ortholog", "integer"),
            Column("ambiguous", "Ambiguous", "integer"),
            *(
                [Column("n_author_label", "Authors' labels", "integer", missing="none")]
                if labelled
                else []
            ),
            Column("file", "File", "code", wide=True),
        ),
        download=f"assets/{dataset}_reading.tsv",
        collapsed=True,
    )
