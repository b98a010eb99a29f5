"""The section on drugs and the claims that bear on them."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from osteotalk.report.inputs import Run
from osteotalk.report.model import Column, Section, Table
from osteotalk.report.words.claims import NOT_EVALUATED, NOT_TESTABLE, listed_ids
from osteotalk.report.words.text import DASH, count, number, plural, support_text, verdict, words

NO_ADVICE = "This is not treatment advice."
YES = "yes"


def section(run: Run) -> Section | None:
    """The section of the first page; None where no drug is listed."""
    therapies, claims = run.overall.therapies, run.tables.claims
    if therapies is None or therapies.empty:
        return None
    statements = dict(zip(claims["claim_id"].astype(str), claims["statement"], strict=True))
    rows = therapies.to_dict("records")
    frame = therapies.assign(
        statement=[words(statements.get(str(row["claim_id"]))) for row in rows],
        _support=[_support(row) for row in rows],
    )
    return Section(
        anchor="therapies",
        title="Drugs and the claims behind them",
        question="Which drug targets lie on an axis that recurs in these patients?",
        body=(
            f"{NO_ADVICE} The table sets drugs beside the claims that bear on their targets; it "
            "says whether the axis is seen in tumours, not whether a drug acts on them.",
            _counts(frame, run.stamp),
        ),
        tables=(_table(frame),),
        caveats=(
            f"{NO_ADVICE} Expression of a target is not response to a drug: whether a tumour "
            "depends on the target, whether the drug reaches it, at which dose and with what harm "
            "cannot be seen in RNA.",
            "Most drugs act on several targets, and most claims stand for an axis rather than for "
            "a gene: a verdict on a claim is none on a drug. 'Not supported' does not show that a "
            "drug fails, nor 'supported' that it helps.",
            "Some drugs are not named in the review but were added from the literature or from "
            "general knowledge; the column says which, and notes marked UNVERIFIED were not "
            "checked. That the index of the review does not name a drug is no evidence about it.",
        ),
    )


def _support(row: Mapping[Any, Any]) -> str:
    unknown = verdict(row["verdict"]).name in {NOT_TESTABLE, NOT_EVALUATED}
    if (unknown and not number(row["n_informative"]) > 0) or not pd.notna(row["support"]):
        return ""
    told = support_text(row)
    return "" if told == DASH else told


def _counts(frame: pd.DataFrame, stamp: str) -> str:
    named = frame[frame["named_in_review"].map(words) == YES]
    best = frame[frame["verdict"] == "supported"]
    head = f"{stamp.capitalize()}: " if stamp else ""
    text = (
        f"{head}{plural(frame['drug'].nunique(), 'drug')}, "
        f"{count(named['drug'].nunique())} of them named by the index of the review. At least one "
        f"claim that bears on it is supported for {plural(best['drug'].nunique(), 'drug')}"
    )
    of_review = [
        f"{drug} ({listed_ids(list(rows['claim_id']))})"
        for drug, rows in best[best["drug"].isin(named["drug"])].groupby("drug", sort=False)
    ]
    return f"{text}; of those that the review names: {listed_ids(of_review) or 'none'}."


def _table(frame: pd.DataFrame) -> Table:
    return Table(
        "table-therapies",
        frame,
        "Drugs, their targets, and the verdict on each claim that bears on them. Support in "
        "patients is that of the claim; a contrast has none. " + NO_ADVICE,
        (
            Column("drug", "Drug"),
            Column("target_gene", "Target", "list", missing="no single gene"),
            Column("claim_id", "Claim", "claim"),
            Column("verdict", "Verdict", "verdict"),
            Column("_support", "Support in patients", sort="support", missing="none to give"),
            Column("named_in_review", "Named in the review", missing="not stated"),
            Column("source", "Source of the target", "sources", missing="none"),
            Column(
                "note",
                "Note",
                wide=True,
                missing="none",
                details=(Column("statement", "Statement of the claim"),),
            ),
        ),
        download="assets/therapies.tsv",
        filters=("verdict", "named_in_review", "drug"),
    )
