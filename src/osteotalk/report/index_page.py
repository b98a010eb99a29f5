"""The first page: the question, the cohorts, the verdict on every claim, how far to trust it."""

from collections.abc import Mapping

import pandas as pd

from osteotalk.report.claim_figures import verdict_counts_figure
from osteotalk.report.cohort_tables import STAMP
from osteotalk.report.dataset_page import simulated_banner
from osteotalk.report.evidence_section import (
    NOT_TESTABLE,
    headline,
    support_figures,
    undecoyed,
    with_verdicts,
)
from osteotalk.report.methods import methods_text
from osteotalk.report.model import Column, Figure, Page, Section, Table
from osteotalk.report.origin_section import status_words
from osteotalk.report.provenance import provenance_section
from osteotalk.report.text import (
    VERDICTS,
    enumerate_words,
    page_name,
    plural,
    support_text,
    verdict,
    words,
)
from osteotalk.report.vocabulary import Vocabulary, vocabulary
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
    """
    palette = vocabulary(populations)
    made_up = datasets[datasets["source"].map(words) == "simulated"]
    titles = [words(row["title"]) or str(row["dataset"]) for row in made_up.to_dict("records")]
    stamp = STAMP if len(made_up) == len(datasets) and len(datasets) else ""
    if titles and not stamp:
        stamp = f"INCLUDES {STAMP}"
    return Page(
        file="index.html",
        title="osteotalk: claims on osteosarcoma cell-cell interaction against single-cell data",
        lead=(QUESTION, REVIEW),
        sections=(
            _cohorts(datasets, samples, cohort_summary),
            _verdicts(
                claims, verdicts, evidence, datasets, palette, parameters=parameters, stamp=stamp
            ),
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


def _verdicts(
    claims: pd.DataFrame,
    verdicts: pd.DataFrame,
    evidence: pd.DataFrame,
    datasets: pd.DataFrame,
    palette: Vocabulary,
    *,
    parameters: Mapping[str, object],
    stamp: str,
) -> Section:
    frame = with_verdicts(claims, verdicts, palette=palette)
    several = len(datasets) > 1
    frame["per_cohort"] = _per_cohort(frame["claim_id"], evidence, datasets)
    sizes = frame["verdict"].value_counts()
    extra = sorted(set(sizes.index) - {look.name for look in VERDICTS})
    counts = pd.Series(
        {name: int(sizes.get(name, 0)) for name in [*[look.name for look in VERDICTS], *extra]}
    )
    alt = "Claims per verdict: " + "; ".join(f"{name}: {n}" for name, n in counts.items())
    figure = Figure(
        "figure-verdicts",
        verdict_counts_figure(counts, uid="verdicts", alt=alt, stamp=stamp),
        alt,
        "Number of claims per verdict. Each claim counts once, however well it is founded; claims "
        "share genes and patients, so they are not independent of one another. 'Not testable' is "
        "no verdict against a claim.",
        table="table-verdicts",
    )
    return Section(
        anchor="verdicts",
        title="The verdict on every claim",
        question="Which statements do the data bear out, which not, and which can they not judge?",
        body=(
            headline(frame["verdict"], mark=stamp),
            "Of the claims that could not be tested, each names its reason in the table. The "
            "table keeps the order of the table of claims, not that of the verdicts.",
        ),
        figures=(
            figure,
            *support_figures(frame, parameters=parameters, stamp=stamp, table="table-verdicts"),
        ),
        tables=(_verdict_table(frame, several=several),),
        caveats=undecoyed(frame),
    )


def _per_cohort(claim_ids: pd.Series, evidence: pd.DataFrame, datasets: pd.DataFrame) -> list[str]:
    """Verdict and support of each claim in every cohort, in words."""
    names = [str(name) for name in datasets["dataset"]]
    found = {
        (str(row["claim_id"]), str(row["dataset"])): row for row in evidence.to_dict("records")
    }
    cells = []
    for claim_id in claim_ids:
        parts = []
        for name in names:
            row = found.get((str(claim_id), name))
            look = verdict(row["verdict"] if row else None)
            silent = row is None or look.name in {NOT_TESTABLE, "not evaluated"}
            detail = "" if row is None or silent else f", {support_text(row)}"
            parts.append(f"{name}: {look.symbol} {look.name}{detail}")
        cells.append("; ".join(parts))
    return cells


def _verdict_table(frame: pd.DataFrame, *, several: bool) -> Table:
    cohorts = (Column("per_cohort", "By cohort", wide=True),) if several else ()
    return Table(
        "table-verdicts",
        frame,
        "All claims. Support: patients in whom the claim is active, of those who could show it, "
        "with a 95 % Wilson interval. Decoy q: low where matched pairs are less concentrated. "
        "Tier: how far the source of the statement was checked, A best, D unverified.",
        (
            Column("claim_id", "Claim", "code"),
            Column("statement", "Statement", wide=True),
            Column("verdict", "Verdict", "verdict"),
            Column("theme", "Theme", missing="none"),
            Column("_support_text", "Support", "estimate", sort="support", missing="not measured"),
            Column("decoy_q", "Decoy q", "probability", missing="no decoy test"),
            *cohorts,
            Column("reason", "Reason", wide=True, missing="none given"),
            Column("circular", "Named by its own gene", wide=True, missing="no"),
            Column("caveat", "Caveat", wide=True, missing="none given"),
            Column("_best_edge", "Best edge", missing="none"),
            Column("evidence_tier", "Tier", missing="none given"),
            Column("drugs", "Drugs on the axis", "list", missing="none named"),
            Column("sources", "Sources of the statement", "sources", missing="none"),
        ),
        download="assets/verdicts.tsv",
        filters=("verdict", "theme"),
    )


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
