"""Figure of the calibration: how often a verdict is given, to real claims and by chance."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from matplotlib.lines import Line2D

from osteotalk.interactions.support import wilson_interval
from osteotalk.report.figures.base import WIDTH
from osteotalk.report.html.svg import drawing_style, to_svg
from osteotalk.report.words.text import shorten, verdict

_ROW = 0.27  # inches
_CHANCE = "#767B84"


def calibration_figure(
    rows: pd.DataFrame, *, controls: Sequence[str], uid: str, **mark: str
) -> str:
    """Shares of the verdicts with 95 % intervals, verdicts in rows, one axis per control.

    Parameters
    ----------
    rows
        Rows of table `calibration` of one cohort and theme ``all``, in the order of the verdicts.
    controls
        Those to draw, from left to right.
    """
    names = list(dict.fromkeys(rows["verdict"].astype(str)))
    height = 0.3 + _ROW * len(names)
    with drawing_style():
        drawing = Drawing(figsize=(WIDTH, height))
        left, gap = 0.23, 0.03
        wide = (1 - left - gap * (len(controls) - 1)) / len(controls)
        for column, control in enumerate(controls):
            axes = drawing.add_axes((left + column * (wide + gap), 0.0, wide, 1.0))
            own = rows[rows["control"] == control].set_index("verdict")
            _draw(axes, own.reindex(names))
            looks = [verdict(name) for name in names]
            labels = [f"{look.symbol} {shorten(look.name, 26)}" for look in looks]
            axes.set_yticks(range(len(names)) if column == 0 else [], labels if column == 0 else [])
            axes.set_title(shorten(control, 30), fontsize=9, loc="left")
            axes.set_xlabel("share of claims", fontsize=8.5)
        _legend(drawing, height)
        return to_svg(drawing, uid=uid, **mark)


def _draw(axes: Axes, own: pd.DataFrame) -> None:
    names, places = list(own.index), np.arange(len(own), dtype=float)
    known = (own["n_real"].fillna(0) > 0).to_numpy()
    k, n = (own[c].fillna(0).to_numpy(np.int64) for c in ("k_real", "n_real"))
    low, high = wilson_interval(k, n)
    for row in np.flatnonzero(known):
        look = verdict(names[row])
        at = places[row] - 0.17
        axes.plot([low[row], high[row]], [at, at], color=look.colour, lw=1.6, alpha=0.75)
        axes.plot([k[row] / n[row]], [at], look.marker, color=look.colour, ms=5.5, clip_on=False)
    rate, least, most = (own[c].to_numpy(float) for c in ("rate", "rate_low", "rate_high"))
    axes.hlines(places + 0.17, least, most, color=_CHANCE, lw=1.6, alpha=0.75)
    axes.plot(rate, places + 0.17, "o", color=_CHANCE, mfc="#FFFFFF", ms=5, clip_on=False)
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(len(own) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", labelsize=8)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "¼", "½", "¾", "1"])
    axes.hlines(places[:-1] + 0.5, -0.02, 1.02, color="#ECEAE4", lw=0.5, zorder=0)


def _legend(drawing: Drawing, height: float) -> None:
    marks: list[dict[str, Any]] = [
        {
            "marker": "s",
            "color": "#25272C",
            "lw": 1.6,
            "label": "real claims (shape of the verdict)",
        },
        {"marker": "o", "color": _CHANCE, "mfc": "#FFFFFF", "lw": 1.6, "label": "by chance"},
    ]
    drawing.legend(
        handles=[Line2D([], [], **look) for look in marks],
        loc="upper center",
        bbox_to_anchor=(0.6, -0.5 / height),
        ncols=2,
        frameon=False,
        fontsize=8.5,
    )
