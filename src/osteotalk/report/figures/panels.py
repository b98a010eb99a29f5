"""Figures in the panel of a claim: its patients one by one, and its decoys."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure as Drawing
from matplotlib.lines import Line2D

from osteotalk.report.figures.base import WIDTH, legend_label, outline, row_labels, row_lines
from osteotalk.report.html.svg import drawing_style, to_svg
from osteotalk.report.words.text import shorten

_ACTIVE, _DECOY, _SHAPE = "#1E6349", "#8A8F96", "#B9C6D6"
_CLAIM = "#B3420B"
_LINE = 0.2  # inches between two patients of a row
_MOST_LINES = 12  # patients above one another in a row, then closer
_MARKERS = "osD^vP*X<>"
_BINS = 40


def patients_figure(
    rows: Sequence[tuple[str, pd.DataFrame]], *, unit: str, plain: bool, uid: str, **mark: str
) -> str:
    """One dot per patient, rows of patients below one another.

    Parameters
    ----------
    rows
        Label and rows of table `values`, from top to bottom; every value is a number.
    unit
        What the value is.
    plain
        Whether the claim is plain: filled dots are then active patients, hollow ones are not.
    """
    lines = [min(len(own), _MOST_LINES) for _, own in rows]
    height = sum(lines) * _LINE + 0.25 * len(rows) + 0.2
    with drawing_style():
        drawing = Drawing(figsize=(WIDTH, height))
        axes = drawing.add_axes((0.3, 0.0, 0.68, 1.0))
        deep = np.array(lines) * _LINE
        top = np.append(0.0, np.cumsum(deep + 0.25))
        ordered = _ordered([own for _, own in rows])
        places = np.concatenate(
            [
                start + tall * (np.arange(len(own)) + 0.5) / len(own)
                for (_, own), start, tall in zip(rows, top[:-1], deep, strict=True)
            ]
        )
        paired = not plain and _link_pairs(axes, ordered, places)
        _dots(axes, ordered, places, plain=plain)
        means = [float(np.mean(own["value"].to_numpy(float))) for _, own in rows]
        axes.vlines(means, top[:-1], top[:-1] + deep, color="#1C1F23", lw=1.4, zorder=1)
        row_lines(axes, top[1:] - 0.125, color="#E3E5E8", lw=0.7)
        row_labels(axes, top[:-1] + deep / 2, [shorten(label, 34) for label, _ in rows])
        axes.set_ylim(top[-1] - 0.125, -0.1)
        axes.set_xlabel(unit)
        _patients_legend(drawing, height, plain=plain, paired=paired)
        return to_svg(drawing, uid=uid, **mark)


def _ordered(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Rows of all parts, one part after the other, the highest value of each first."""
    part = np.repeat(np.arange(len(parts)), [len(own) for own in parts])
    together = pd.concat(parts, ignore_index=True).assign(_part=part)
    return together.sort_values(
        ["_part", "value", "patient"], ascending=[True, False, False], kind="stable"
    )


def _dots(axes: Axes, own: pd.DataFrame, places: np.ndarray, *, plain: bool) -> None:
    values = own["value"].to_numpy(float)
    filled = (own["active"] == "yes").to_numpy() if plain else np.ones(len(own), dtype=bool)
    decoys = own["decoys"].to_numpy(float)
    axes.scatter(decoys, places, marker="|", s=42, color=_DECOY, lw=1.5, zorder=2)
    for part, face in ((filled, _ACTIVE), (~filled, "#FFFFFF")):
        axes.scatter(
            values[part], places[part], s=30, facecolor=face, edgecolor=_ACTIVE, lw=1.2, zorder=3
        )


def _link_pairs(axes: Axes, own: pd.DataFrame, places: np.ndarray) -> bool:
    """Draw a line between the two dots of a patient with both conditions; tell if there is one."""
    rows = own.assign(_place=places).groupby(["dataset", "patient"], sort=True)
    pairs = [pair for _, pair in rows[["value", "_place"]] if len(pair) > 1]
    for pair in pairs:
        axes.plot(pair["value"], pair["_place"], color=_SHAPE, lw=1.0, zorder=0.5)
    return bool(pairs)


def _patients_legend(drawing: Drawing, height: float, *, plain: bool, paired: bool) -> None:
    dot: dict[str, Any] = {"ls": "", "marker": "o", "markeredgecolor": _ACTIVE, "ms": 5.5}
    shown = [
        (Line2D([], [], color=_ACTIVE, **dot), "active patient" if plain else "patient"),
        *([(Line2D([], [], color="#FFFFFF", **dot), "not active")] if plain else []),
        (Line2D([], [], ls="", marker="|", color=_DECOY, ms=8, mew=1.5), "mean of its decoys"),
        (Line2D([], [], color="#1C1F23", lw=1.4), "mean of the patients"),
        *([(Line2D([], [], color=_SHAPE, lw=1.0), "the same patient")] if paired else []),
    ]
    drawing.legend(
        [handle for handle, _ in shown],
        [label for _, label in shown],
        loc="upper left",
        bbox_to_anchor=(0.0, -0.5 / height),
        ncols=4,
        frameon=False,
        fontsize=8.5,
    )


def correlation_figure(
    rows: Sequence[tuple[str, pd.DataFrame]], *, unit: str, along: str, uid: str, **mark: str
) -> str:
    """Scatter of the claim's value over the other quantity, one dot per patient.

    Parameters
    ----------
    rows
        Label of each cohort and its rows of table `values`; both quantities are numbers.
    unit, along
        What the value and the other quantity are.
    """
    with drawing_style():
        drawing = Drawing(figsize=(WIDTH * 0.72, 3.6))
        axes = drawing.add_subplot()
        for place, (label, own) in enumerate(rows):
            axes.scatter(
                own["along"].to_numpy(float),
                own["value"].to_numpy(float),
                s=34,
                marker=_MARKERS[place % len(_MARKERS)],
                facecolor=_ACTIVE if place % 2 == 0 else "#FFFFFF",
                edgecolor=_ACTIVE,
                label=legend_label(label),
            )
        axes.set_xlabel(along)
        axes.set_ylabel(unit)
        if len(rows) > 1:
            axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), frameon=False, fontsize=8.5)
        return to_svg(drawing, uid=uid, **mark)


def decoys_figure(
    rows: Sequence[tuple[str, Mapping[str, pd.DataFrame]]],
    *,
    controls: Mapping[str, str],
    uid: str,
    **mark: str,
) -> str:
    """Histogram of the decoys' statistic with the claim's, cohorts in rows, a panel per control.

    Parameters
    ----------
    rows
        Label of each cohort and its rows of table `decoy_statistics` by control.
    controls
        Title of each control to draw, in order.
    """
    height = 0.62 * len(rows) + 0.1
    with drawing_style():
        drawing = Drawing(figsize=(WIDTH, height))
        left, gap = 0.3, 0.04
        wide = (1 - left - gap * (len(controls) - 1)) / len(controls)
        for column, (control, title) in enumerate(controls.items()):
            axes = drawing.add_axes((left + column * (wide + gap), 0.0, wide, 1.0))
            drawn = {
                row + 0.9: by_control[control]
                for row, (_, by_control) in enumerate(rows)
                if control in by_control
            }
            _ridges(axes, drawn)
            axes.set_yticks([])
            if column == 0:
                labels = [shorten(label, 34) for label, _ in rows]
                row_labels(axes, np.arange(len(rows)) + 0.55, labels)
            axes.set_ylim(len(rows), 0)
            axes.set_title(title, fontsize=8.5, loc="left")
            axes.set_xlabel("statistic, larger is stronger", fontsize=8)
            axes.spines["left"].set_visible(False)
        handles = [
            Line2D([], [], color=_SHAPE, lw=6),
            Line2D([], [], color=_CLAIM, marker="D", ms=5, lw=1.2),
        ]
        drawing.legend(
            handles,
            ["decoys", "the claim"],
            loc="upper left",
            bbox_to_anchor=(0.0, -0.5 / height),
            ncols=2,
            frameon=False,
            fontsize=8.5,
        )
        return to_svg(drawing, uid=uid, **mark)


def _ridges(axes: Axes, parts: Mapping[float, pd.DataFrame]) -> None:
    """Draw a histogram of the decoys on each base line, with the claim as a line and a diamond."""
    shapes, claims, bases = [], [], []
    for base, own in parts.items():
        values = own["statistic"].to_numpy(float)
        role = (own["role"] == "claim").to_numpy()
        if not role.all():
            shapes.append(_hill(values[~role], base))
        claims += list(values[role])
        bases += [base] * int(role.sum())
    axes.add_collection(PolyCollection(shapes, facecolors=_SHAPE, linewidths=0, zorder=1))
    row_lines(axes, list(parts), color="#C9CDD2", lw=0.6, zorder=1.5)
    tops = np.array(bases) - 0.8
    axes.vlines(claims, tops, bases, color=_CLAIM, lw=1.2, zorder=2)
    axes.plot(claims, tops, "D", color=_CLAIM, ms=4.5, clip_on=False)


def _hill(values: np.ndarray, base: float) -> np.ndarray:
    """Outline of a histogram that stands on a base line, corners x 2; downwards is larger."""
    span = [float(values.min()), float(values.max())]
    if math.isclose(span[0], span[1]):
        span = [span[0] - 1e-3, span[1] + 1e-3]
    sizes, edges = np.histogram(values, bins=_BINS, range=(span[0], span[1]))
    return outline(sizes, edges, base=base, height=0.75)
