"""The first page: the question, the cohorts, the verdict on every claim, how far to trust it."""

from collections.abc import Mapping

import pandas as pd

from osteotalk.report.calibration_section import calibration_section
from osteotalk.report.claim_words import Names, programme_labels
from osteotalk.report.cohort_tables import STAMP
from osteotalk.report.dataset_page import simulated_banner
from osteotalk.report.methods import methods_text
from osteotalk.report.model import Column, Page, Section, Table
from osteotalk.report.origin_section import status_words
from osteotalk.report.provenance import provenance_section
from osteotalk.report.published_section import published_section
from osteotalk.report.sensitivity_section import sensitivity_section
from osteotalk.report.text import (
    enumerate_words,
    page_name,
    plural,
    words,
)
from osteotalk.report.therapies_section import therapies_section
from osteotalk.report.verdicts_section import verdicts_section
from osteotalk.report.vocabulary import vocabulary
from osteotalk.report.wording import (
    QUESTION,
    REVIEW,
    circular_sentence,
    limits_text,
    resource_sentence,
    term_definitions,
    verdict_definitions,
)


def build_index_page(
    *,
    datasets: pd.DataFrame,
    samples: pd.DataFrame,
    claims: pd.DataFrame,
    verdicts: pd.DataFrame,
    evidence: pd.DataFrame,
    cohort_summary: pd.DataFrame,
    populations: pd.DataFrame,
    parameters: Mapping[str, object],
    provenance: Mapping[str, object],
    interactions: pd.DataFrame | None = None,
    signatures: pd.DataFrame | None = None,
    calibration: pd.DataFrame | None = None,
    therapies: pd.DataFrame | None = None,
    findings: pd.DataFrame | None = None,
    published: pd.DataFrame | None = None,
    sensitivity: pd.DataFrame | None = None,
) -> Page:
    """Build the first page of the report.

    Parameters
    ----------
    datasets, samples
        Rows of the analysed cohorts; rows of other cohorts must have been left out of `datasets`.
    claims, populations
        Tables of the analysis.
    verdicts, evidence
        Result tables: claims over all cohorts, claims by cohort.
    cohort_summary
        One row per cohort from ``cohort_summary_row``; absent numbers are shown as such.
    parameters
        Merged config.
    provenance
        Content of ``provenance.json``.
    interactions
        Table of the analysis. With it the limits name the pairs that were added to the resource or
        dropped from it.
    signatures
        Table of the analysis, for the labels of gene programmes.
    calibration, sensitivity
        Result tables; where one is absent, its section says so.
    therapies
        Result table; without it there is no section on drugs.
    findings, published
        Table of published findings and their verdicts; without both there is no section on them.
    """
    names = Names(vocabulary(populations), programme_labels(signatures))
    made_up = datasets[datasets["source"].map(words) == "simulated"]
    titles = [words(row["title"]) or str(row["dataset"]) for row in made_up.to_dict("records")]
    stamp = STAMP if len(made_up) == len(datasets) and len(datasets) else ""
    if titles and not stamp:
        stamp = f"INCLUDES {STAMP}"
    drugs = None if therapies is None else therapies_section(therapies, claims, stamp=stamp)
    title_of = {str(row["dataset"]): words(row["title"]) for row in datasets.to_dict("records")}
    return Page(
        file="index.html",
        title="osteotalk: claims on osteosarcoma cell-cell interaction against single-cell data",
        lead=(QUESTION, REVIEW),
        sections=(
            _cohorts(datasets, samples, cohort_summary),
            verdicts_section(
                claims,
                verdicts,
                evidence,
                datasets=datasets,
                names=names,
                parameters=parameters,
                stamp=stamp,
            ),
            calibration_section(calibration, titles=title_of, stamp=stamp),
            sensitivity_section(sensitivity, stamp=stamp),
            *_published(findings, published, datasets, names, stamp=stamp),
            *([drugs] if drugs else []),
            _reading(parameters),
            _limits(claims, verdicts, interactions, provenance),
            Section(
                anchor="methods",
                title="Methods",
                question="What was done, with which settings?",
                body=methods_text(
                    parameters=parameters,
                    provenance=provenance,
                    datasets=datasets,
                    samples=samples,
                ),
            ),
            provenance_section(provenance, parameters),
        ),
        banner=simulated_banner(titles) if titles else None,
    )


def _cohorts(
    datasets: pd.DataFrame, samples: pd.DataFrame, cohort_summary: pd.DataFrame
) -> Section:
    summary = {str(row["dataset"]): row for row in cohort_summary.to_dict("records")}
    numbers = ["n_cells_raw", "n_cells", "n_unassigned", "n_populations", "n_edges"]
    numbers.append("n_supported_edges")
    rows = []
    for row in datasets.to_dict("records"):
        name = str(row["dataset"])
        own = samples[samples["dataset"].astype(str) == name]
        per = own.groupby("condition", sort=False)["patient"].nunique()
        rows.append(
            {
                "dataset": name,
                "title": words(row.get("title")) or name,
                "_page": page_name(name),
                "source": words(row.get("source")),
                "n_patients": int(own["patient"].nunique()),
                "n_samples": int(own["sample"].nunique()),
                "conditions": "; ".join(
                    f"{words(condition) or 'not given'}: {plural(size, 'patient')}"
                    for condition, size in per.items()
                ),
                **{key: summary.get(name, {}).get(key) for key in numbers},
                "doi": words(row.get("doi")),
                "accession": words(row.get("accession")),
                "status": status_words(row.get("status")),
                "confounded": words(row.get("confounded")),
                "combine": words(row.get("combine")),
                "patients_of": words(row.get("patients_of")),
                "note": words(row.get("note")),
            }
        )
    again = [str(row["title"]) for row in rows if row["patients_of"]]
    apart = [str(row["title"]) for row in rows if row["combine"] == "no"]
    caveats = [
        f"{row['title']}: {str(row['confounded']).rstrip('.')}."
        for row in rows
        if row["confounded"]
    ]
    if again:
        same = enumerate_words(again)
        caveats.append(f"Not independent, the patients being those of another cohort: {same}.")
    if apart:
        alone = " No other cohort is left to combine." * (len(apart) == len(rows))
        caveats.append(f"Kept out of the combined verdicts: {enumerate_words(apart)}.{alone}")
    return Section(
        anchor="cohorts",
        title="Cohorts at a glance",
        question="Whose cells are these, and how many?",
        tables=(_cohort_table(pd.DataFrame(rows)),),
        caveats=tuple(caveats),
    )


def _cohort_table(frame: pd.DataFrame) -> Table:
    lacking = "not reported"
    return Table(
        "table-cohorts",
        frame,
        "The cohorts; each title leads to its page. Edges are those found in at least one sample; "
        "supported edges recur in enough patients, and are not tested against decoys.",
        (
            Column("title", "Cohort", "page", sort="title"),
            Column("accession", "Accession", "code", missing="none"),
            Column("source", "Source"),
            Column("n_patients", "Patients", "integer"),
            Column("n_samples", "Samples", "integer"),
            Column("conditions", "Conditions"),
            Column("n_cells_raw", "Droplets", "integer", missing=lacking),
            Column("n_cells", "Cells kept", "integer", missing=lacking),
            Column("n_unassigned", "Unassigned", "integer", missing=lacking),
            Column("n_populations", "Populations", "integer", missing=lacking),
            Column("n_edges", "Edges", "integer", missing=lacking),
            Column("n_supported_edges", "Supported edges", "integer", missing=lacking),
            Column("doi", "DOI", "sources", missing="none"),
            Column("status", "How sure", missing="not stated"),
            Column("note", "Note", wide=True, missing="none"),
        ),
        download="assets/cohorts.tsv",
    )


def _published(
    findings: pd.DataFrame | None,
    published: pd.DataFrame | None,
    datasets: pd.DataFrame,
    names: Names,
    *,
    stamp: str,
) -> tuple[Section, ...]:
    if findings is None or published is None or findings.empty:
        return ()
    return (published_section(findings, published, datasets=datasets, names=names, stamp=stamp),)


def _reading(parameters: Mapping[str, object]) -> Section:
    return Section(
        anchor="reading",
        title="How to read it",
        question="What do the words mean?",
        definitions=(*verdict_definitions(parameters), *term_definitions(parameters)),
    )


def _limits(
    claims: pd.DataFrame,
    verdicts: pd.DataFrame,
    interactions: pd.DataFrame | None,
    provenance: Mapping[str, object],
) -> Section:
    return Section(
        anchor="limits",
        title="Limits",
        question="What can this report not say?",
        caveats=limits_text(
            claims=claims,
            circular=circular_sentence(verdicts),
            resource=resource_sentence(provenance, interactions),
        ),
    )
