"""What the figures of the report share: width, inks, labels of legends.

Each module of figures returns SVG text. What a figure shows is decided by the tables that stand
beside it; captions are written where the page is built.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb
from scipy.optimize import isotonic_regression

from osteotalk.report.words.text import Verdict, number, shorten, verdict

Places = Sequence[float] | np.ndarray
RASTER_ABOVE = 3000
WIDTH = 7.6
_LABEL_PAD = 3.5  # points between a label and the axes, as of ticks


def ink(colour: str) -> str:
    """Black or white, whichever reads better on the colour (WCAG relative luminance)."""
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#000000" if luminance > 0.18 else "#FFFFFF"


def spread(wanted: Places, *, gap: float, low: float, high: float) -> np.ndarray:
    """Places nearest to those wanted (least squares) that keep a distance and their order.

    Parameters
    ----------
    wanted
        In ascending order.
    gap
        Least distance of neighbours.
    low, high
        Ends of the room. Where it is too small for all, the upper end gives way.
    """
    steps = gap * np.arange(len(wanted))
    if not len(steps):
        return steps
    free = isotonic_regression(np.asarray(wanted, dtype=float) - steps).x
    return np.asarray(np.clip(free, low, max(low, high - steps[-1])) + steps)


def legend_label(text: str, width: int = 42) -> str:
    """Label safe for a matplotlib legend, which hides labels that begin with ``_``."""
    short = shorten(text, width)
    return "\u2009" + short if short.startswith("_") else short


def row_labels(axes: Axes, places: Places, labels: Sequence[str], *, fontsize: float = 9.0) -> None:
    """Name rows at the left of the axes: where tick labels would stand, and drawn faster.

    Parameters
    ----------
    axes
        At their final place. Loses its ticks and tick labels of the y axis.
    places
        Of the rows, in data units.
    labels
        One for each row.
    """
    axes.set_yticks([])
    width = axes.bbox.width / axes.figure.dpi * 72
    for place, label in zip(places, labels, strict=True):
        axes.text(
            -_LABEL_PAD / width,
            place,
            label,
            transform=axes.get_yaxis_transform(),
            ha="right",
            va="center_baseline",
            fontsize=fontsize,
        )


def row_lines(axes: Axes, places: Places, *, color: str, lw: float, zorder: float = 0.5) -> None:
    """Lines across the axes, at places in data units, behind everything unless told otherwise."""
    axes.add_collection(
        LineCollection(
            [[(0.0, place), (1.0, place)] for place in places],
            transform=axes.get_yaxis_transform(),
            colors=color,
            linewidths=lw,
            zorder=zorder,
        ),
        autolim=False,
    )


def points_with_intervals(
    axes: Axes, rows: Sequence[Mapping[Any, Any]], name: str, *, clip_on: bool = True
) -> None:
    """Draw an estimate per row with its interval, in the colour and mark of the verdict.

    Parameters
    ----------
    rows
        Of tables `evidence` or `verdicts`, from place 0 on. The interval is that of the columns
        ``<name>_low`` and ``<name>_high``, left out where it is not known.
    name
        Column of the estimate, a number in every row.
    clip_on
        Whether marks end at the border of the axes.
    """
    by_look: dict[Verdict, list[int]] = {}
    for place, row in enumerate(rows):
        by_look.setdefault(verdict(row["verdict"]), []).append(place)
    for look, places in by_look.items():
        low, middle, high = (
            np.array([number(rows[place][key]) for place in places])
            for key in (f"{name}_low", name, f"{name}_high")
        )
        at = np.array(places)
        known = np.isfinite(low) & np.isfinite(high)
        axes.hlines(
            at[known], low[known], high[known], color=look.colour, lw=1.6, alpha=0.75, zorder=2
        )
        axes.plot(middle, at, look.marker, color=look.colour, ms=5.5, clip_on=clip_on, zorder=2)


def outline(sizes: Places, edges: Places, *, base: float, height: float) -> np.ndarray:
    """Outline of a histogram on a base line, for an axis that points downwards.

    Parameters
    ----------
    sizes, edges
        Of the bars; one edge more than bars.
    base
        Place of the base line.
    height
        Of the highest bar; none is drawn higher.

    Returns
    -------
    Corners x 2.
    """
    bars = np.asarray(sizes, dtype=float)
    tall = np.repeat(height * bars / max(float(bars.max(initial=0.0)), 1e-9), 2)
    return np.column_stack([np.repeat(edges, 2), base - np.concatenate([[0.0], tall, [0.0]])])
