"""Figure of the contrasts: effects with intervals, on one axis per unit."""

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from matplotlib.lines import Line2D

from osteotalk.claims.claim import COMPOSITION, CORRELATION, parse_conditions
from osteotalk.report.figures.base import WIDTH, points_with_intervals, row_labels
from osteotalk.report.html.svg import drawing_style, to_svg
from osteotalk.report.words.claims import short_name, wants_lower
from osteotalk.report.words.text import VERDICTS, count, number, shorten, words

_ROW, _GAP = 0.235, 0.75  # inches: a row, and between two axes
LEVELS = "difference of the mean log1p expression"
SHARES = "difference of the logit of the share of cells"
RHO = "Spearman's rho over patients"


def panel_names(claims: pd.DataFrame) -> list[str]:
    """Axes that the contrasts need, in drawing order."""
    found = {_panel(row) for row in claims.to_dict("records")}
    return [name for name in (LEVELS, SHARES, RHO) if name in found]


def _panel(row: Mapping[Any, Any]) -> str:
    if words(row.get("contrast")) == CORRELATION:
        return RHO
    return SHARES if words(row.get("kind")) == COMPOSITION else LEVELS


def contrast_figure(claims: pd.DataFrame, *, uid: str, **mark: str) -> str:
    """Effect with its interval, one row per contrast, one axis per unit.

    Parameters
    ----------
    claims
        In drawing order: ``claim_id``, ``kind``, ``contrast``, ``direction``, ``contrast_with``,
        ``verdict``, ``effect``, ``effect_low``, ``effect_high``, ``n_informative`` and what names a
        claim (``pairs``, ``genes``, ``signature``, ``statement``); effect is a number in every row.
    """
    rows = claims.to_dict("records")
    panels = {name: [r for r in rows if _panel(r) == name] for name in panel_names(claims)}
    height = sum(_ROW * len(own) + 0.1 for own in panels.values()) + _GAP * len(panels)
    with drawing_style():
        drawing = Drawing(figsize=(WIDTH, height))
        top = height - 0.35
        for name, own in panels.items():
            tall = _ROW * len(own) + 0.1
            axes = drawing.add_axes((0.4, (top - tall) / height, 0.46, tall / height))
            _draw(axes, own, name, first=name == next(iter(panels)))
            top -= tall + _GAP
        _legend(drawing, set(claims["verdict"]))
        return to_svg(drawing, uid=uid, **mark)


def _draw(axes: Axes, rows: list[dict[Any, Any]], name: str, *, first: bool) -> None:
    axes.axvline(0, color="#8A8F96", lw=0.8, ls="--", zorder=0)
    points_with_intervals(axes, rows, "effect")
    side = axes.get_yaxis_transform()
    for place, row in enumerate(rows):
        wanted = "← lower" if wants_lower(row) else "→ higher"
        axes.text(1.04, place, wanted, transform=side, va="center", fontsize=8)
        n = count(row["n_informative"])
        axes.text(1.29, place, n, transform=side, va="center", ha="right", fontsize=8)
    labels = [f"{shorten(str(row['claim_id']), 14)}  {short_name(row, width=26)}" for row in rows]
    row_labels(axes, range(len(rows)), labels, fontsize=8)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    if name == RHO:
        axes.set_xlim(-1.02, 1.02)
        axes.set_xticks([-1, -0.5, 0, 0.5, 1])
    else:
        _around_zero(axes, rows)
    axes.set_xlabel(name + _sides(rows))
    if first:
        for x, text, ha in ((1.04, "stated", "left"), (1.29, "patients", "right")):
            axes.text(x, 1.0, text, transform=axes.transAxes, fontsize=8, va="bottom", ha=ha)


def _around_zero(axes: Axes, rows: list[dict[Any, Any]]) -> None:
    """Limits with room on both sides of zero, so that both directions can be seen."""
    values = [number(row[key]) for row in rows for key in ("effect", "effect_low", "effect_high")]
    finite = [abs(value) for value in values if math.isfinite(value)]
    widest = max(finite, default=0.0) or 1.0
    axes.set_xlim(-1.08 * widest, 1.08 * widest)


def _sides(rows: list[dict[Any, Any]]) -> str:
    """Which patients are compared, where it is the same in all rows."""
    compared = {words(row.get("contrast_with")) for row in rows}
    if len(compared) != 1 or ">" not in (only := compared.pop()):
        return ""
    first, second = (" or ".join(side) for side in parse_conditions(only))
    return f",\n{shorten(first, 34)} less {shorten(second, 34)}"


def _legend(drawing: Drawing, shown: set[str]) -> None:
    looks = [look for look in VERDICTS if look.name in shown]
    drawing.legend(
        [Line2D([], [], marker=look.marker, color=look.colour, lw=1.6) for look in looks],
        [look.name for look in looks],
        loc="upper center",
        bbox_to_anchor=(0.5, 0.0),
        ncols=3,
        frameon=False,
        fontsize=8.5,
    )
