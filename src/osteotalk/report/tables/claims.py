"""The table of claims with their results, the same for all cohorts together and for each."""

import pandas as pd

from osteotalk.report.model import Column, Table
from osteotalk.report.words.claims import (
    NOT_EVALUATED,
    NOT_TESTABLE,
    Names,
    combined_words,
    edge_words,
    kind_words,
    matched_words,
    measured_words,
    plain_effect_words,
    population_words,
    response_words,
    result_order,
    result_words,
    theme_words,
)
from osteotalk.report.words.routes import claim_route
from osteotalk.report.words.text import count, enumerate_words, verdict, words

# Columns of the table of claims whose value in the result table counts.
_OF_RESULTS = ("kind", "contrast", "reason")
_WORDED = ("theme", "route", "drugs", "evidence_tier", "sources", "caveat", "best_edge", "circular")
CAPTION = (
    "Result: of a plain claim its support, the patients in whom it is active of those who could "
    "show it, with a 95 % Wilson interval; of a contrast the difference between the groups of "
    "patients or Spearman's rho, with a 95 % interval and the one-sided p of the stated direction. "
    "Decoy q: low where matched decoys do not do as well."
)
IN_PANEL = (
    "The id of a claim leads to its panel: what was measured, patient by patient, the decoys, the "
    "best edges, sources and caveats."
)
FOLDED = "'Details' below a statement has what was measured, the decoys, sources and caveats."


def with_verdicts(claims: pd.DataFrame, results: pd.DataFrame, *, names: Names) -> pd.DataFrame:
    """Every claim with its result, in the order of the table of claims.

    A claim without a result has the verdict ``not evaluated``; a result without a claim comes
    last, with a statement that says so.

    Returns
    -------
    Columns of both tables, and columns for printing whose name starts with ``_``.

    Raises
    ------
    ValueError
        If a claim stands twice in one of the tables.
    """
    for what, table in (("table of claims", claims), ("result table", results)):
        _refuse_twice(table["claim_id"].astype(str), what)
    untold = sorted(set(results["claim_id"].astype(str)) - set(claims["claim_id"].astype(str)))
    stray = pd.DataFrame({"claim_id": untold}).assign(statement="Not in the table of claims.")
    known = pd.concat([claims, stray], ignore_index=True) if untold else claims
    frame = known.merge(results, on="claim_id", how="left", sort=False, suffixes=("_claim", ""))
    for name in _OF_RESULTS:
        frame[name] = _from_both(frame, name)
    frame = frame.drop(columns=[name for name in frame if str(name).endswith("_claim")])
    frame["verdict"] = [verdict(name).name for name in frame["verdict"]]
    for name in _WORDED:
        values = frame[name] if name in frame else pd.Series("", index=frame.index)
        frame[name] = values.map(words)
    return _printed(frame, names)


def _refuse_twice(ids: pd.Series, what: str) -> None:
    twice = sorted(set(ids[ids.duplicated()]))
    if twice:
        msg = (
            f"the {what} holds {enumerate_words(twice)} more than once: the report shows each "
            f"claim once; leave one row of each ({count(len(ids))} rows in all)"
        )
        raise ValueError(msg)


def _from_both(frame: pd.DataFrame, name: str) -> pd.Series:
    """Values of the result table, and where it has no row those of the table of claims."""
    if f"{name}_claim" not in frame:
        return frame[name].map(words) if name in frame else pd.Series("", index=frame.index)
    missing = frame["verdict"].map(words) == ""
    return frame[name].map(words).mask(missing, frame[f"{name}_claim"].map(words))


def _printed(frame: pd.DataFrame, names: Names) -> pd.DataFrame:
    rows = frame.to_dict("records")
    return frame.assign(
        _kind=[kind_words(row) for row in rows],
        _tested=[measured_words(row, names) for row in rows],
        _result=[result_words(row) for row in rows],
        _result_order=[result_order(row) for row in rows],
        _effect=[plain_effect_words(row) for row in rows],
        _matched=[matched_words(row) for row in rows],
        _populations=[population_words(row) for row in rows],
        _response=[response_words(row, names) for row in rows],
        _combined=[combined_words(row) for row in rows],
        _best_edge=[edge_words(row["best_edge"], names.palette) for row in rows],
        _theme=[theme_words(row.get("theme")) for row in rows],
        _route=[claim_route(row["route"]) for row in rows],
    )


def claims_table(
    frame: pd.DataFrame,
    *,
    anchor: str,
    caption: str,
    download: str,
    cohorts: tuple[Column, ...] = (),
    panels: bool = True,
) -> Table:
    """Table of claims by theme: what matters in the row, the rest in the panel of the claim.

    Parameters
    ----------
    frame
        From `with_verdicts`.
    anchor, caption, download
        Of the table.
    cohorts
        Columns with the verdict of each cohort.
    panels
        Whether the claims have panels of their own; if not, the rest is folded below the statement.
    """
    return Table(
        anchor,
        frame,
        f"{caption} {CAPTION} {IN_PANEL if panels else FOLDED}",
        (
            Column("claim_id", "Claim", "claim" if panels else "code"),
            Column("statement", "Statement", wide=True, details=() if panels else _details()),
            Column("verdict", "Verdict", "verdict"),
            *cohorts,
            Column("_kind", "Kind", missing="none given"),
            Column("_result", "Result", "result", sort="_result_order", missing="not measured"),
            Column("decoy_q", "Decoy q", "probability", missing="no decoy test"),
            Column("reason", "Reason", wide=True, missing="none given"),
        ),
        download=download,
        filters=("verdict", "_theme", "_kind") if panels else ("verdict", "theme", "_kind"),
        group=Column("_theme", "Theme") if panels else None,
        row_id="claim_id" if panels else "",
    )


def _details() -> tuple[Column, ...]:
    return (
        Column("_tested", "Measured"),
        Column("_best_edge", "Best edge"),
        Column("_effect", "Effect: the claim's value less that of its decoys (95 % interval)"),
        Column("_matched", "Against matched decoys"),
        Column("_populations", "Against population decoys"),
        Column("_response", "Response check (supports at most, never proves signalling)"),
        Column("per_cohort", "Result by cohort", "list"),
        Column("_combined", "Cohorts combined"),
        Column("circular", "Named by its own gene"),
        Column("caveat", "Caveat"),
        Column("theme", "Theme"),
        Column("_route", "Route"),
        Column("drugs", "Drugs on the axis", "list"),
        Column("evidence_tier", "Tier of the statement's source (A best, D unverified)"),
        Column("sources", "Sources of the statement", "sources"),
    )


def untested(frame: pd.DataFrame) -> pd.Series:
    """Whether a claim could not be tested, or has no result."""
    return frame["verdict"].isin([NOT_TESTABLE, NOT_EVALUATED])
