"""The section of the first page with the verdict on each claim."""

import pandas as pd

from osteotalk.report.inputs import Run
from osteotalk.report.model import Column, Section
from osteotalk.report.tables.claims import claims_table
from osteotalk.report.words.claims import NOT_EVALUATED, NOT_TESTABLE, result_words
from osteotalk.report.words.text import verdict, words


def section(run: Run) -> Section:
    """The section of the first page."""
    frame, evidence, datasets = run.frame, run.overall.evidence, run.datasets
    several = len(datasets) > 1
    frame = frame.assign(per_cohort=per_cohort(frame["claim_id"], evidence, datasets))
    found = _verdicts(evidence)
    names = [str(name) for name in datasets["dataset"]]
    keys = {name: f"verdict in {name}" for name in names} if several else {}
    for name, key in keys.items():
        frame[key] = [found.get((str(claim), name), "") for claim in frame["claim_id"]]
    return Section(
        anchor="verdicts",
        title="The verdict on every claim",
        question="What do the cohorts say together, what each by itself, and why?",
        body=(
            "Claims stand under their theme, in the order of the table of claims, not in that of "
            "the verdicts. The table can be sorted, searched, and narrowed to a verdict, a theme "
            "or a kind of claim; a claim that could not be tested names its reason."
            + (" A symbol stands for the verdict of one cohort by itself." if several else ""),
        ),
        tables=(
            claims_table(
                frame,
                anchor="table-verdicts",
                caption="All claims, all cohorts together.",
                download="assets/verdicts.tsv",
                cohorts=tuple(Column(key, name, "symbol") for name, key in keys.items()),
            ),
        ),
    )


def _verdicts(evidence: pd.DataFrame) -> dict[tuple[str, str], str]:
    return {
        (str(row["claim_id"]), str(row["dataset"])): words(row["verdict"])
        for row in evidence.to_dict("records")
    }


def per_cohort(claim_ids: pd.Series, evidence: pd.DataFrame, datasets: pd.DataFrame) -> list[str]:
    """Verdict and result of each claim in every cohort, in words."""
    found = {
        (str(row["claim_id"]), str(row["dataset"])): row for row in evidence.to_dict("records")
    }
    cells = []
    for claim_id in claim_ids:
        parts = []
        for name in map(str, datasets["dataset"]):
            row = found.get((str(claim_id), name))
            look = verdict(row["verdict"] if row else None)
            silent = row is None or look.name in {NOT_TESTABLE, NOT_EVALUATED}
            detail = "" if row is None or silent else result_words(row)
            parts.append(f"{name}: {look.symbol} {look.name}{', ' if detail else ''}{detail}")
        cells.append("; ".join(parts))
    return cells
