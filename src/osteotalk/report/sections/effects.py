"""Figures of the results of claims: support of plain claims, effects of contrasts."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from osteotalk.report.figures.claims import support_figure
from osteotalk.report.figures.contrasts import contrast_figure, panel_names
from osteotalk.report.inputs import Run
from osteotalk.report.model import Figure, Section
from osteotalk.report.tables.claims import untested
from osteotalk.report.words.claims import is_contrast, result_words
from osteotalk.report.words.text import (
    VERDICTS,
    count,
    number,
    number_setting,
    plural,
)


def section(run: Run) -> Section:
    """The section of the page on how sure the verdicts are."""
    return Section(
        anchor="effects",
        title="Support and effects",
        question="How wide are the intervals behind the verdicts?",
        figures=forests(run.frame, parameters=run.parameters, stamp=run.stamp, table=""),
    )


def forests(
    frame: pd.DataFrame, *, parameters: Mapping[str, object], stamp: str, table: str
) -> tuple[Figure, ...]:
    """Figures of the claims that could be tested; those of which none could are left out.

    Parameters
    ----------
    frame
        From `osteotalk.report.tables.claims.with_verdicts`.
    parameters
        Merged config.
    stamp
        Words to print into the figures.
    table
        Anchor of the table behind them on the same page, empty if it is on another.
    """
    contrast = np.array([is_contrast(row) for row in frame.to_dict("records")], dtype=bool)
    return (
        *_support(frame[~contrast], parameters=parameters, stamp=stamp, table=table),
        *_contrasts(frame[contrast], stamp=stamp, table=table),
    )


def _shown(frame: pd.DataFrame, column: str) -> tuple[pd.DataFrame, int]:
    """Tested claims with a number in `column`, by verdict and number; how many have none."""
    rank = {look.name: place for place, look in enumerate(VERDICTS)}
    tested = frame[~untested(frame)]
    known = tested[np.isfinite([number(value) for value in tested[column]]).astype(bool)]
    ordered = known.assign(
        _rank=[rank.get(name, len(rank)) for name in known["verdict"]],
        _size=[-number(value) for value in known[column]],
    ).sort_values(["_rank", "_size", "claim_id"], kind="stable")
    return ordered, len(tested) - len(known)


def _alt(head: str, shown: pd.DataFrame) -> str:
    return f"{head}: " + "; ".join(
        f"{row['claim_id']} {row['verdict']}, {result_words(row)}"
        for row in shown.to_dict("records")
    )


def _support(
    frame: pd.DataFrame, *, parameters: Mapping[str, object], stamp: str, table: str
) -> tuple[Figure, ...]:
    shown, missing = _shown(frame, "support")
    if shown.empty:
        return ()
    alt = _alt(f"Support of {plural(len(shown), 'plain claim')}", shown)
    svg = support_figure(
        shown,
        threshold=number_setting(parameters, "claims.min_support", 0.5),
        uid="support",
        alt=alt,
        stamp=stamp,
    )
    caption = (
        "Support of each plain claim that could be tested, with its 95 % Wilson interval; the "
        "dashed line is the least support of a positive verdict. A claim is named by its first "
        "pair or gene and the number of others. Shape and colour give the verdict. "
        f"Claims that could not be tested ({count(untested(frame).sum())}) are "
        "in the table only. Wide bars mean few patients; the same support can be specific or not."
    )
    if missing:
        caption += f" {plural(missing, 'testable claim')} without a number of support not drawn."
    return (Figure("figure-support", svg, alt, caption, table=table or None),)


def _contrasts(frame: pd.DataFrame, *, stamp: str, table: str) -> tuple[Figure, ...]:
    shown, missing = _shown(frame, "effect")
    if shown.empty:
        return ()
    alt = _alt(f"Effects of {plural(len(shown), 'contrast')}", shown)
    several = " Each axis has its own unit." if len(panel_names(shown)) > 1 else ""
    out = int(untested(frame).sum())
    caption = (
        "Contrasts that could be tested: differences between groups of patients, and rank "
        "correlations over patients, with 95 % intervals. The dashed line is no effect; the arrow "
        f"at the right is the direction that the claim states.{several} An interval that crosses "
        "the line does not show the direction, one wholly on the wrong side contradicts it. With "
        "so few patients intervals are wide, and a correlation does not say what causes what."
    )
    if missing:
        caption += (
            f" {plural(missing, 'contrast')} without an effect, as nothing was found or nothing "
            "varies, not drawn."
        )
    if out:
        caption += f" {plural(out, 'contrast')} could not be tested, see the table."
    svg = contrast_figure(shown, uid="contrasts", alt=alt, stamp=stamp)
    return (Figure("figure-contrasts", svg, alt, caption, table=table or None),)
