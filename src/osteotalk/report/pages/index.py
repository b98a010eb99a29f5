"""The first page: the question, what holds, the cohorts, the verdict on every claim, the limits."""

from collections.abc import Mapping

import pandas as pd

from osteotalk.report.model import Column, Page, Section, Table
from osteotalk.report.pages.cohort import simulated_banner
from osteotalk.report.sections.origin import status_words
from osteotalk.report.sections.therapies import therapies_section
from osteotalk.report.sections.verdicts import summary_section, verdicts_section
from osteotalk.report.tables.cohort import STAMP
from osteotalk.report.words.text import (
    enumerate_words,
    page_name,
    plural,
    words,
)
from osteotalk.report.words.wording import (
    QUESTION,
    REVIEW,
    circular_sentence,
    limits_text,
    resource_sentence,
)


def build_index_page(
    *,
    datasets: pd.DataFrame,
    samples: pd.DataFrame,
    claims: pd.DataFrame,
    verdicts: pd.DataFrame,
    evidence: pd.DataFrame,
    frame: pd.DataFrame,
    cohort_summary: pd.DataFrame,
    provenance: Mapping[str, object],
    interactions: pd.DataFrame | None = None,
    calibration: pd.DataFrame | None = None,
    therapies: pd.DataFrame | None = None,
    missing: Mapping[str, str] | None = None,
) -> Page:
    """Build the first page of the report.

    Parameters
    ----------
    datasets, samples
        Rows of the analysed cohorts; rows of other cohorts must have been left out of `datasets`.
    claims
        Table of the analysis.
    verdicts, evidence
        Result tables: claims over all cohorts, claims by cohort.
    frame
        From `osteotalk.report.tables.claims.with_verdicts`, for all cohorts together.
    cohort_summary
        One row per cohort from ``cohort_summary_row``; absent numbers are shown as such.
    provenance
        Content of ``provenance.json``.
    interactions
        Table of the analysis. With it the limits name the pairs that were added to the resource or
        dropped from it.
    calibration
        Result table; where it is absent, the page says so.
    therapies
        Result table; without it there is no section on drugs.
    missing
        Cohorts that were asked for and are not in the report, with the reason.
    """
    stamp, banner = simulation_marks(datasets)
    drugs = None if therapies is None else therapies_section(therapies, claims, stamp=stamp)
    return Page(
        file="index.html",
        title="osteotalk: claims on osteosarcoma cell-cell interaction against single-cell data",
        lead=(QUESTION, REVIEW),
        sections=(
            summary_section(frame, calibration, stamp=stamp),
            _cohorts(datasets, samples, cohort_summary),
            *([_missing(missing)] if missing else []),
            verdicts_section(frame, evidence, datasets=datasets),
            *([drugs] if drugs else []),
            _limits(claims, verdicts, interactions, provenance),
        ),
        banner=banner,
        nav="Verdicts",
    )


def simulation_marks(datasets: pd.DataFrame) -> tuple[str, str | None]:
    """Words to print into figures and over the pages where cohorts are simulated."""
    made_up = datasets[datasets["source"].map(words) == "simulated"]
    if made_up.empty:
        return "", None
    titles = [words(row["title"]) or str(row["dataset"]) for row in made_up.to_dict("records")]
    stamp = STAMP if len(made_up) == len(datasets) else f"INCLUDES {STAMP}"
    return stamp, simulated_banner(titles)


def partial_warning(missing: Mapping[str, str] | None) -> tuple[str, ...]:
    """Warn on every page that cohorts are missing."""
    if not missing:
        return ()
    return (
        f"PARTIAL REPORT: {plural(len(missing), 'cohort')} of this run "
        f"{'is' if len(missing) == 1 else 'are'} not in it ({enumerate_words(list(missing))}). "
        "Verdicts and counts rest on the others alone.",
    )


def _missing(missing: Mapping[str, str]) -> Section:
    frame = pd.DataFrame({"dataset": list(missing), "reason": list(missing.values())})
    return Section(
        anchor="missing",
        title="Cohorts that are missing",
        question="What was asked for and is not here, and why?",
        tables=(
            Table(
                "table-missing",
                frame,
                "Cohorts of the run without results, with the reason.",
                (Column("dataset", "Cohort", "code"), Column("reason", "Reason", wide=True)),
                download="assets/missing.tsv",
            ),
        ),
        caveats=(
            "Genes and pairs of the claims are checked against all cohorts together, once all have "
            "been read; as long as one is missing, that check is still to come.",
        ),
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
