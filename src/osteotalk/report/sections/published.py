"""The section on what others found in the very cohorts of this report."""

import re

import pandas as pd

from osteotalk.report.inputs import Run
from osteotalk.report.model import Column, Section
from osteotalk.report.tables.claims import claims_table, untested, with_verdicts
from osteotalk.report.words.text import VERDICTS, count, enumerate_words, plural, words

NOT_INDEPENDENT = "not independent: found on these same samples"
ELSEWHERE = "found on samples that are not in this report"


def section(run: Run) -> Section | None:
    """The section of the page on how sure the verdicts are; None without published findings."""
    findings, results = run.tables.published, run.overall.published
    if findings is None or results is None or findings.empty:
        return None
    frame = with_verdicts(findings, results, names=run.tables.names)
    frame = frame.assign(standing=standings(frame["caveat"], run.datasets))
    return Section(
        anchor="published",
        title="Published findings",
        question="Does this analysis find again what others reported on the same samples?",
        body=(
            _counts(frame, run.stamp),
            "That a finding comes up again on the samples it was made on shows that two ways of "
            "computing agree, not that it holds in other patients. None of these findings is in a "
            "count, figure or calibration of the claims above.",
        ),
        tables=(
            claims_table(
                frame,
                anchor="table-published",
                caption="Published findings. Standing: whether the samples of the finding are "
                "among those of this report.",
                download="assets/published.tsv",
                cohorts=(Column("standing", "Standing"),),
                panels=False,
            ),
        ),
        caveats=(
            "Agreement is to be expected where the same pairs are scored on the same cells. A "
            "finding that is not borne out here may rest on other names of the cells, on counts of "
            "cells instead of patients, or on pairs that are no stronger than matched decoys.",
        ),
    )


def standings(caveats: pd.Series, datasets: pd.DataFrame) -> list[str]:
    """Tell of each finding whether it was made on samples of this report.

    The caveat of a finding names its cohorts; those of the report are known by their accession,
    their id, and the id of the cohort whose patients they are.
    """
    columns = [name for name in ("accession", "dataset", "patients_of") if name in datasets]
    known = [words(value) for name in columns for value in datasets[name]]
    pattern = "|".join(rf"\b{re.escape(name)}\b" for name in known if name)
    found = [bool(pattern) and bool(re.search(pattern, text, re.I)) for text in caveats.map(words)]
    return [NOT_INDEPENDENT if same else ELSEWHERE for same in found]


def _counts(frame: pd.DataFrame, stamp: str) -> str:
    tested = frame[~untested(frame)]
    sizes = tested["verdict"].value_counts()
    parts = [
        f"{count(sizes[look.name])} {look.name}" for look in VERDICTS if look.name in sizes.index
    ]
    head = f"{stamp.capitalize()}: " if stamp else ""
    told = f": {enumerate_words(parts)}" if parts else ""
    same = int((frame["standing"] == NOT_INDEPENDENT).sum())
    return (
        f"{head}{count(len(tested))} of {plural(len(frame), 'published finding')} could be "
        f"tested{told}. Of all findings, {count(same)} {NOT_INDEPENDENT}, "
        f"{count(len(frame) - same)} {ELSEWHERE}."
    )
