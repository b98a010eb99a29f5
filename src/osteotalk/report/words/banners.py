"""Words over pages and in figures: simulated data, cohorts and samples that are not there."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from osteotalk.report.words.text import enumerate_words, plural, words

STAMP = "SIMULATED DATA"


def is_simulated(row: Mapping[Any, Any]) -> bool:
    """Whether a row of the table of datasets is of made-up cells."""
    return words(row.get("source")) == "simulated"


def simulated_banner(titles: Sequence[str]) -> str:
    """Warning that the data of these cohorts are made up."""
    listed = enumerate_words([f"'{title}'" for title in titles])
    return (
        f"SIMULATED DATA: the cells of {listed} were generated and their interactions planted by "
        "osteotalk. Nothing below that rests on them says anything about patients."
    )


def simulation_marks(datasets: pd.DataFrame) -> tuple[str, str | None]:
    """Words to print into figures and over the pages where cohorts are simulated."""
    rows = datasets.to_dict("records")
    titles = [words(row["title"]) or str(row["dataset"]) for row in rows if is_simulated(row)]
    if not titles:
        return "", None
    stamp = STAMP if len(titles) == len(rows) else f"INCLUDES {STAMP}"
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


def left_out_warning(cohorts: Mapping[str, Sequence[Mapping[str, str]]]) -> tuple[str, ...]:
    """Warn on every page of samples that could not be read, by title of their cohort."""
    gone = [
        f"{enumerate_words([row['sample'] for row in rows])} of '{title}'"
        for title, rows in cohorts.items()
        if rows
    ]
    if not gone:
        return ()
    return (
        f"SAMPLES LEFT OUT: {'; '.join(gone)} could not be read. Nothing below rests on them; the "
        "section Origin on the page of the cohort has the reasons.",
    )
