"""Figure of the match of decoys: each claim over the range of its decoys."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from matplotlib.lines import Line2D
from matplotlib.ticker import NullFormatter

from osteotalk.report.figures.base import WIDTH, row_labels, row_lines
from osteotalk.report.html.svg import drawing_style, to_svg
from osteotalk.report.words.text import shorten

_ROW = 0.17  # inches
_BAR, _INSIDE, _OUTSIDE = "#B9C6D6", "#1C1F23", "#B3420B"


def outside(rows: pd.DataFrame) -> pd.Series:
    """Whether a claim lies outside the range of 5 to 95 % of its decoys."""
    return (rows["claim"] < rows["decoy_low"]) | (rows["claim"] > rows["decoy_high"])


def decoy_match_figure(
    rows: pd.DataFrame, *, quantities: Sequence[str], uid: str, **mark: str
) -> str:
    """Each claim as a point over the bar of its decoys, claims in rows, one axis per quantity.

    Parameters
    ----------
    rows
        Rows of table `decoys`, in the order of the claims.
    quantities
        Those to draw, in order from left to right.
    """
    claims = list(dict.fromkeys(rows["claim_id"].astype(str)))
    place = {name: position for position, name in enumerate(claims)}
    height = 0.3 + _ROW * len(claims)
    with drawing_style():
        drawing = Drawing(figsize=(WIDTH, height))
        left, gap = 0.09, 0.025
        wide = (1 - left - gap * (len(quantities) - 1)) / len(quantities)
        for column, quantity in enumerate(quantities):
            axes = drawing.add_axes((left + column * (wide + gap), 0.0, wide, 1.0))
            own = rows[rows["quantity"] == quantity]
            _draw(axes, own, [place[str(name)] for name in own["claim_id"]])
            axes.set_yticks([])
            row_lines(axes, range(len(claims)) if column == 0 else [], color="#ECEAE4", lw=0.5)
            if column == 0:
                names = [shorten(name, 10) for name in claims]
                row_labels(axes, range(len(claims)), names, fontsize=7)
            axes.set_ylim(len(claims) - 0.4, -0.6)
            axes.set_title(quantity, fontsize=8.5, loc="left")
            unit = "cells" if quantity.endswith("cells") else "share of all cells"
            axes.set_xlabel(unit, fontsize=8)
        _legend(drawing, height)
        return to_svg(drawing, uid=uid, **mark)


def _draw(axes: Axes, own: pd.DataFrame, places: Sequence[int]) -> None:
    values = own[["claim", "decoy_low", "decoy_median", "decoy_high"]].to_numpy(float)
    positive = values[values > 0]
    least = float(positive.min()) / 1.3 if positive.size else 0.1
    claim, low, median, high = np.maximum(values, least).T
    at = np.array(places, dtype=float)
    axes.set_xscale("log")
    axes.hlines(at, low, high, color=_BAR, lw=5)
    axes.plot(median, at, "|", color="#4A5A6E", ms=6, mew=1.2)
    out = outside(own).to_numpy()
    axes.plot(claim[~out], at[~out], "o", color=_INSIDE, ms=3.4)
    axes.plot(claim[out], at[out], "^", color=_OUTSIDE, ms=5)
    axes.tick_params(axis="x", labelsize=7.5)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.xaxis.set_minor_formatter(NullFormatter())


def _legend(drawing: Drawing, height: float) -> None:
    marks: list[dict[str, Any]] = [
        {"marker": "o", "ls": "", "color": _INSIDE, "ms": 4, "label": "claim"},
        {"marker": "^", "ls": "", "color": _OUTSIDE, "ms": 5, "label": "claim outside the bar"},
        {"color": _BAR, "lw": 5, "label": "5 to 95 % of its decoys"},
        {"marker": "|", "ls": "", "color": "#4A5A6E", "ms": 7, "label": "their median"},
    ]
    drawing.legend(
        handles=[Line2D([], [], **look) for look in marks],
        loc="upper center",
        bbox_to_anchor=(0.5, -0.42 / height),
        ncols=4,
        frameon=False,
        fontsize=8,
    )
