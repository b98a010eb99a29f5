"""The section of the first page with the verdict on every claim."""

from collections.abc import Mapping

import pandas as pd

from osteotalk.report.claim_figures import verdict_counts_figure
from osteotalk.report.claim_words import (
    NOT_EVALUATED,
    NOT_TESTABLE,
    Names,
    headline,
    result_words,
)
from osteotalk.report.claims_table import claims_table, with_verdicts
from osteotalk.report.evidence_section import few_patients, undecoyed
from osteotalk.report.forests import forests
from osteotalk.report.model import Column, Figure, Section
from osteotalk.report.text import VERDICTS, verdict


def verdicts_section(
    claims: pd.DataFrame,
    verdicts: pd.DataFrame,
    evidence: pd.DataFrame,
    *,
    datasets: pd.DataFrame,
    names: Names,
    parameters: Mapping[str, object],
    stamp: str,
) -> Section:
    """Build the section.

    Parameters
    ----------
    claims
        Table of claims.
    verdicts, evidence
        Result tables: claims over all cohorts, claims by cohort.
    datasets
        Rows of the analysed cohorts.
    names
        Labels of populations and programmes.
    parameters
        Merged config.
    stamp
        Words to print into figures and before the counts.
    """
    frame = with_verdicts(claims, verdicts, names=names)
    several = len(datasets) > 1
    if several:
        frame["per_cohort"] = per_cohort(frame["claim_id"], evidence, datasets)
        frame["_symbols"] = per_cohort(frame["claim_id"], evidence, datasets, brief=True)
    return Section(
        anchor="verdicts",
        title="The verdict on every claim",
        question="Which statements do the data bear out, which not, and which can they not judge?",
        body=(
            headline(frame, mark=stamp),
            "A claim that could not be tested names its reason in the table. The table keeps the "
            "order of the table of claims, not that of the verdicts; it can be narrowed to a "
            "verdict, a theme or a kind of claim."
            + (" A symbol stands for the verdict of each cohort." if several else ""),
        ),
        figures=(
            _counts(frame["verdict"], stamp=stamp),
            *forests(frame, parameters=parameters, stamp=stamp, table="table-verdicts"),
        ),
        tables=(
            claims_table(
                frame,
                anchor="table-verdicts",
                caption="All claims.",
                download="assets/verdicts.tsv",
                cohorts=Column("_symbols", "By cohort") if several else None,
            ),
        ),
        caveats=(*undecoyed(frame), *few_patients(frame)),
    )


def _counts(verdicts: pd.Series, *, stamp: str) -> Figure:
    sizes = verdicts.value_counts()
    known = [look.name for look in VERDICTS]
    extra = sorted(set(sizes.index) - set(known))
    counts = pd.Series({name: int(sizes.get(name, 0)) for name in [*known, *extra]})
    alt = "Claims per verdict: " + "; ".join(f"{name}: {n}" for name, n in counts.items())
    return Figure(
        "figure-verdicts",
        verdict_counts_figure(counts, uid="verdicts", alt=alt, stamp=stamp),
        alt,
        "Number of claims per verdict. Each claim counts once, however well it is founded; claims "
        "share genes and patients, so they are not independent of one another. 'Not testable' and "
        "'inconclusive' are no verdicts against a claim.",
        table="table-verdicts",
    )


def per_cohort(
    claim_ids: pd.Series, evidence: pd.DataFrame, datasets: pd.DataFrame, *, brief: bool = False
) -> list[str]:
    """Verdict and result of each claim in every cohort, in words; or its symbol only."""
    found = {
        (str(row["claim_id"]), str(row["dataset"])): row for row in evidence.to_dict("records")
    }
    cells = []
    for claim_id in claim_ids:
        parts = []
        for name in map(str, datasets["dataset"]):
            row = found.get((str(claim_id), name))
            look = verdict(row["verdict"] if row else None)
            if brief:
                parts.append(f"{look.symbol}\u00a0{name}")
                continue
            silent = row is None or look.name in {NOT_TESTABLE, NOT_EVALUATED}
            detail = "" if row is None or silent else result_words(row)
            parts.append(f"{name}: {look.symbol} {look.name}{', ' if detail else ''}{detail}")
        cells.append("; ".join(parts))
    return cells
