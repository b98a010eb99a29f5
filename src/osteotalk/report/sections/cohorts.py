"""The section of the first page on the cohorts."""

import pandas as pd

from osteotalk.report.inputs import Run
from osteotalk.report.model import Column, Section, Table
from osteotalk.report.sections.origin import status_words
from osteotalk.report.words.text import enumerate_words, page_name, plural, words


def section(run: Run) -> Section:
    """The section of the first page; numbers that a cohort lacks are shown as such."""
    samples = run.samples
    summary = {str(part.summary["dataset"]): part.summary for part in run.cohorts}
    numbers = ["n_cells_raw", "n_cells", "n_unassigned", "n_populations", "n_edges"]
    numbers.append("n_supported_edges")
    rows = []
    for row in run.datasets.to_dict("records"):
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
