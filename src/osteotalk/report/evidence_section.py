"""The claims in one cohort: figure of support and table of the evidence."""

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from osteotalk.report.claim_figures import support_figure
from osteotalk.report.model import Column, Figure, Section, Table
from osteotalk.report.text import (
    VERDICTS,
    count,
    enumerate_words,
    interval_text,
    number,
    number_setting,
    plural,
    support_text,
    verdict,
    words,
)
from osteotalk.report.vocabulary import Vocabulary

NOT_TESTABLE = "not testable"


def evidence_section(
    evidence: pd.DataFrame,
    claims: pd.DataFrame,
    *,
    palette: Vocabulary,
    dataset: str,
    parameters: Mapping[str, object],
    stamp: str,
) -> Section:
    """Section with every claim of the table, whether the cohort has evidence on it or not."""
    own = evidence[evidence["dataset"].astype(str) == dataset]
    frame = with_verdicts(claims, own, palette=palette)
    return Section(
        anchor="claims",
        title="Claims in this cohort",
        question="Which statements do these patients bear out?",
        body=(headline(frame["verdict"], mark=stamp),),
        figures=support_figures(frame, parameters=parameters, stamp=stamp),
        tables=(
            Table(
                "table-claims",
                frame,
                "Evidence for every claim in this cohort. Effect: the claim's specificity weight "
                "less that of its decoys, with a 95 % interval over patients.",
                (
                    Column("claim_id", "Claim", "code"),
                    Column("statement", "Statement", wide=True),
                    Column("verdict", "Verdict", "verdict"),
                    Column(
                        "_support_text",
                        "Support",
                        "estimate",
                        sort="support",
                        missing="not measured",
                    ),
                    Column("_best_edge", "Best edge", missing="none"),
                    Column(
                        "_effect_text", "Effect", "estimate", sort="effect", missing="not measured"
                    ),
                    Column("decoy_p", "Decoy p", "probability", missing="no decoy test"),
                    Column("decoy_q", "Decoy q", "probability", missing="no decoy test"),
                    Column("n_decoys", "Decoys", "integer", missing="no decoy test"),
                    Column("reason", "Reason", wide=True, missing="none given"),
                    Column("circular", "Named by its own gene", wide=True, missing="no"),
                    Column("caveat", "Caveat", wide=True, missing="none given"),
                ),
                download=f"assets/{dataset}_claims.tsv",
                filters=("verdict",),
            ),
        ),
        caveats=undecoyed(frame),
    )


def with_verdicts(
    claims: pd.DataFrame, results: pd.DataFrame, *, palette: Vocabulary
) -> pd.DataFrame:
    """Every claim with its result, in the order of the table of claims.

    A claim without a result has the verdict ``not evaluated``; a result without a claim comes
    last, with a statement that says so.

    Returns
    -------
    Columns of both tables, and ``_support_text``, ``_effect_text``, ``_best_edge`` for printing.
    """
    known = claims[[name for name in claims if name not in {"reason", "kind"}]]
    untold = sorted(set(results["claim_id"].astype(str)) - set(claims["claim_id"].astype(str)))
    stray = pd.DataFrame({"claim_id": untold}).assign(statement="Not in the table of claims.")
    known = pd.concat([known, stray], ignore_index=True) if untold else known
    frame = known.merge(results.drop_duplicates("claim_id"), on="claim_id", how="left", sort=False)
    frame["verdict"] = [verdict(name).name for name in frame["verdict"]]
    for name in (
        "theme",
        "drugs",
        "evidence_tier",
        "sources",
        "caveat",
        "reason",
        "best_edge",
        "circular",
    ):
        values = frame[name] if name in frame else pd.Series("", index=frame.index)
        frame[name] = values.map(words)
    rows = frame.to_dict("records")
    frame["_support_text"] = [_measured(row) for row in rows]
    frame["_effect_text"] = [interval_text(row, "effect") for row in rows]
    frame["_best_edge"] = [edge_text(row["best_edge"], palette) for row in rows]
    return frame


def _measured(row: Mapping[Any, Any]) -> str:
    """Support in words; a claim that could not be measured at all has none."""
    if verdict(row["verdict"]).name == NOT_TESTABLE and number(row["n_informative"]) == 0:
        return ""
    return support_text(row)


def edge_text(edge: str, palette: Vocabulary) -> str:
    """Edge for reading: ``tam>malignant:SPP1^CD44`` becomes labels, arrow and pair."""
    populations, colon, pair = edge.partition(":")
    source, arrow, target = populations.partition(">")
    if not colon or not arrow:
        return edge
    return f"{palette.label(source)} → {palette.label(target)}: {pair}"


def headline(verdicts: pd.Series, *, mark: str = "") -> str:
    """Give the counts of all verdicts in one sentence, those without a test included.

    `mark` goes before it, so that a sentence on simulated data says so wherever it is quoted.
    """
    sizes = {str(name): int(size) for name, size in verdicts.value_counts().items()}
    unknown = sizes.pop("not evaluated", 0)
    untestable = sizes.pop(NOT_TESTABLE, 0)
    tested = sum(sizes.values())
    order = [look.name for look in VERDICTS if look.name != NOT_TESTABLE]
    names = [*order, *sorted(set(sizes) - set(order))]
    parts = [f"{count(sizes[name])} {name}" for name in names[1:] if sizes.get(name)]
    text = f"{mark.capitalize()}: " if mark else ""
    text += (
        f"{count(sizes.get('supported', 0))} of {plural(tested, 'testable claim')} "
        f"{'is' if sizes.get('supported', 0) == 1 else 'are'} supported"
        f"{' (the others: ' + enumerate_words(parts) + ')' if parts else ''}; "
        f"{count(untestable)} of {plural(len(verdicts), 'claim')} could not be tested"
    )
    return text + (f", and {count(unknown)} have no result at all." if unknown else ".")


def support_figures(
    frame: pd.DataFrame,
    *,
    parameters: Mapping[str, object],
    stamp: str,
    table: str = "table-claims",
) -> tuple[Figure, ...]:
    """Figure of the support of every testable claim, by verdict and support; none if none."""
    rank = {look.name: place for place, look in enumerate(VERDICTS)}
    tested = frame[~frame["verdict"].isin([NOT_TESTABLE, "not evaluated"])]
    shown = tested[[math.isfinite(number(value)) for value in tested["support"]]]
    if shown.empty:
        return ()
    shown = shown.assign(
        _rank=[rank.get(name, len(rank)) for name in shown["verdict"]],
        _support=[-number(value) for value in shown["support"]],
    ).sort_values(["_rank", "_support", "claim_id"], kind="stable")
    missing = len(tested) - len(shown)
    alt = f"Support of {plural(len(shown), 'testable claim')}: " + "; ".join(
        f"{row['claim_id']} {row['verdict']}, {support_text(row)}"
        for row in shown.to_dict("records")
    )
    svg = support_figure(
        shown,
        threshold=number_setting(parameters, "claims.min_support", 0.5),
        uid="support",
        alt=alt,
        stamp=stamp,
    )
    caption = (
        "Support of each claim that could be tested, with its 95 % Wilson interval; the dashed "
        "line is the least support of a positive verdict. A claim is named by its first pair and "
        "the number of others. Shape and colour give the verdict. "
        f"Claims that could not be tested ({count((frame['verdict'] == NOT_TESTABLE).sum())}) are "
        "in the table only. Wide bars mean few patients; the same support can be specific or not."
    )
    if missing:
        caption += f" {plural(missing, 'testable claim')} without a number of support not drawn."
    return (Figure("figure-support", svg, alt, caption, table=table),)


def undecoyed(frame: pd.DataFrame) -> tuple[str, ...]:
    """Warning on supported claims that no decoy test stands behind."""
    bare = frame[(frame["verdict"] == "supported") & frame["decoy_q"].map(number).isna()]
    if bare.empty:
        return ()
    ids = enumerate_words([str(name) for name in bare["claim_id"]])
    return (
        f"No decoy test stands behind {plural(len(bare), 'supported claim')}: {ids}. Nothing "
        "shows that matched pairs would not do as well.",
    )
