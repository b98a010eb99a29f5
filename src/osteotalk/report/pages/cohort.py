"""The page of one cohort."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from osteotalk.report.inputs import Cohort
from osteotalk.report.model import Copy, Page
from osteotalk.report.registry import COHORT, sections_of
from osteotalk.report.sections.origin import OUT_OF_COMBINED, status_words
from osteotalk.report.tables.positions import CohortPositions, cohort_positions, reference_warning
from osteotalk.report.words.banners import simulated_banner
from osteotalk.report.words.text import page_name, plural, words
from osteotalk.results import CohortResults

# Result files that the page offers: name, words of the link, and the name it gets beside the page.
_COPIES = (
    ("support", "edges", "Download all edges (parquet)", "support.parquet"),
    (
        "network",
        "network",
        "Download the network of supported edges (GraphML, for Cytoscape)",
        "network.graphml",
    ),
)


def cohort_page(cohort: Cohort) -> Page:
    """Build the page of one cohort.

    Raises
    ------
    ValueError
        If the id of the cohort cannot name a page.
    """
    return Page(
        file=page_name(cohort.dataset),
        title=cohort.title,
        lead=_lead(cohort.row, cohort.samples, cohort.cells),
        sections=sections_of(cohort, COHORT),
        banner=simulated_banner([cohort.title]) if cohort.simulated else None,
        nav=cohort.title,
        warnings=reference_warning(positions_of(cohort)),
        copies=_copies(cohort.results),
    )


def positions_of(cohort: Cohort) -> CohortPositions | None:
    """Where its genes lie; None if that is not recorded."""
    return cohort_positions(cohort.adata.uns.get("osteotalk", {}), cohort.row)


def _copies(results: CohortResults) -> tuple[Copy, ...]:
    return tuple(
        Copy(anchor, label, f"assets/{results.dataset}_{beside}", path)
        for name, anchor, label, beside in _COPIES
        if (path := results.path(name))
    )


def _lead(row: Mapping[Any, Any], samples: pd.DataFrame, cells: pd.DataFrame) -> tuple[str, ...]:
    patients, n = samples["patient"].nunique(), samples["sample"].nunique()
    text = [
        f"{plural(patients, 'patient')}, {plural(n, 'sample')}, {plural(len(cells), 'cell')} kept."
    ]
    if doi := words(row.get("doi")):
        text.append(f"Source: doi:{doi}")
    if same := words(row.get("patients_of")):
        text.append(f"The patients are those of {same}: the two are not independent.")
    if words(row.get("combine")) == "no":
        text.append(OUT_OF_COMBINED)
    if words(row.get("status")) not in ("", "verified"):
        text.append(f"What is said of this cohort is {status_words(row['status'])}.")
    if note := words(row.get("note")):
        text.append(note.rstrip(".") + ".")
    return tuple(text)
