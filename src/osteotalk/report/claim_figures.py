"""Figures of the verdicts: how many of each, and the support of every claim that was tested."""

import math

import numpy as np
import pandas as pd
from matplotlib.figure import Figure as Drawing
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from osteotalk.report.claim_words import short_name
from osteotalk.report.svg import drawing_style, to_svg
from osteotalk.report.text import VERDICTS, number, shorten, verdict

_WIDTH = 7.6


def verdict_counts_figure(counts: pd.Series, *, uid: str, **mark: str) -> str:
    """Bars of the number of claims per verdict.

    Parameters
    ----------
    counts
        Number of claims by verdict, in drawing order; zeros are drawn as well.
    """
    with drawing_style():
        drawing = Drawing(figsize=(_WIDTH, 0.5 + 0.3 * len(counts)))
        axes = drawing.add_subplot()
        rows = np.arange(len(counts))
        looks = [verdict(name) for name in counts.index]
        axes.barh(rows, counts.to_numpy(float), color=[look.colour for look in looks], height=0.7)
        top = max(float(counts.max()), 1.0)
        for row, value in enumerate(counts):
            axes.text(value + top * 0.012, row, str(int(value)), va="center")
        axes.set_yticks(rows, [f"{look.symbol} {shorten(look.name, 30)}" for look in looks])
        axes.invert_yaxis()
        axes.set_xlim(0, top * 1.08)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xlabel("claims")
        return to_svg(drawing, uid=uid, **mark)


def support_figure(claims: pd.DataFrame, *, threshold: float, uid: str, **mark: str) -> str:
    """Support with its Wilson interval, one row per claim.

    Parameters
    ----------
    claims
        In drawing order: ``claim_id``, ``verdict``, ``support``, ``support_low``,
        ``support_high``, ``n_active``, ``n_informative`` and what names a claim (``pairs``,
        ``genes``, ``signature``, ``statement``); support is a number in every row.
    threshold
        Least support of a positive verdict, drawn as a line.
    """
    with drawing_style():
        height = 1.1 + 0.215 * len(claims)
        drawing = Drawing(figsize=(_WIDTH, height))
        axes = drawing.add_axes((0.4, 0.0, 0.52, 1.0))
        axes.axvline(threshold, color="#8A8F96", lw=0.8, ls="--", zorder=0)
        for row, claim in enumerate(claims.to_dict("records")):
            look = verdict(claim["verdict"])
            middle = number(claim["support"])
            low, high = number(claim["support_low"]), number(claim["support_high"])
            if math.isfinite(low) and math.isfinite(high):
                axes.plot([low, high], [row, row], color=look.colour, lw=1.6, alpha=0.75)
            axes.plot([middle], [row], look.marker, color=look.colour, ms=5.5, clip_on=False)
            seen = f"{int(number(claim['n_active']))}/{int(number(claim['n_informative']))}"
            axes.text(1.05, row, seen, va="center", fontsize=8)
        labels = [
            f"{shorten(str(claim['claim_id']), 14)}  {short_name(claim)}"
            for claim in claims.to_dict("records")
        ]
        axes.set_yticks(range(len(claims)), labels, fontsize=8)
        axes.tick_params(axis="y", length=0)
        axes.set_ylim(len(claims) - 0.4, -0.6)
        axes.set_xlim(-0.02, 1.02)
        axes.set_xlabel("support: active / informative patients, 95 % Wilson interval")
        axes.text(1.05, -0.95, "patients", fontsize=8, va="bottom")
        shown = set(claims["verdict"])
        looks = [look for look in VERDICTS if look.name in shown]
        axes.legend(
            [Line2D([], [], marker=look.marker, color=look.colour, lw=1.6) for look in looks],
            [look.name for look in looks],
            loc="upper center",
            bbox_to_anchor=(0.2, -0.5 / height),
            ncols=3,
            frameon=False,
            fontsize=8.5,
        )
        return to_svg(drawing, uid=uid, **mark)
