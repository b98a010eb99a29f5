"""Figures of the populations of a cohort: maps of the cells, and composition of the samples.

Each function returns SVG text. What the figure shows is decided by the tables that stand beside
it; captions are written where the page is built.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgba_array
from matplotlib.figure import Figure as Drawing
from matplotlib.patches import Patch

from osteotalk.report.figures.base import RASTER_ABOVE, WIDTH, ink, legend_label, row_labels
from osteotalk.report.html.svg import drawing_style, to_svg
from osteotalk.report.words.text import count, shorten
from osteotalk.report.words.vocabulary import UNASSIGNED, Vocabulary

# Colours of samples, told apart by most readers with a colour vision deficiency (Paul Tol's).
SAMPLE_COLOURS = (
    "#4477AA", "#EE6677", "#228833", "#CCBB44", "#66CCEE", "#AA3377",
    "#332288", "#DDCC77", "#117733", "#882255", "#44AA99", "#999933",
)  # fmt: skip
_DARK, _PALE = "#1F4E79", "#D9DCE0"


class _Look(TypedDict):
    size: float
    raster: bool


def population_umap(
    points: np.ndarray, populations: Sequence[str], *, words: Vocabulary, uid: str, **mark: str
) -> str:
    """UMAP coloured by population, each population numbered where its cells lie.

    Parameters
    ----------
    points
        Coordinates, cells x 2.
    populations
        Population of each cell.
    """
    names = words.order(populations)
    label_of = np.asarray(populations, dtype=object)
    with drawing_style():
        tall = WIDTH * 0.66 * _aspect(points)
        drawing = Drawing(figsize=(WIDTH, max(tall, 0.2 * len(names))), dpi=150)
        axes = drawing.add_axes((0.0, 0.0, 0.66, 1.0))
        _bare(axes)
        order = np.random.default_rng(0).permutation(len(points))
        colours = np.array([words.colour(str(name)) for name in label_of], dtype=object)
        _dots(axes, points[order], list(colours[order]), **_look(len(points)))
        handles, labels = [], []
        for position, name in enumerate(names, start=1):
            chosen = points[label_of == name]
            if name != UNASSIGNED:  # these lie everywhere
                axes.text(
                    float(np.median(chosen[:, 0])),
                    float(np.median(chosen[:, 1])),
                    str(position),
                    ha="center",
                    va="center",
                    fontsize=9,
                    weight="bold",
                    bbox={"boxstyle": "round,pad=0.15", "fc": "#FFFFFFD0", "ec": "none"},
                    in_layout=False,  # inside the axes: need not be measured
                )
            handles.append(Patch(facecolor=words.colour(name)))
            labels.append(legend_label(f"{position}  {words.label(name)} ({count(len(chosen))})"))
        _legend(axes, handles, labels, loc="center left", bbox_to_anchor=(1.0, 0.5))
        return to_svg(drawing, uid=uid, **mark)


def facet_umap(
    points: np.ndarray,
    groups: Sequence[str],
    *,
    labels: Mapping[str, str],
    colours: Mapping[str, str] | None = None,
    uid: str,
    **mark: str,
) -> str:
    """One small UMAP per group: its cells dark, all others grey.

    Parameters
    ----------
    points
        Coordinates, cells x 2.
    groups
        Group of each cell, such as its sample.
    labels
        Title of each panel by group, in drawing order; groups without a cell get no panel.
    colours
        Colour of each group's cells; dark blue where none is given.
    """
    group_of = np.asarray(groups, dtype=object)
    present = set(group_of)
    shown = [name for name in labels if name in present]
    columns = min(4, max(2, len(shown)))
    rows = max(1, -(-len(shown) // columns))
    look = _look(len(points), scale=0.45)
    with drawing_style():
        tall = (WIDTH / columns) * _aspect(points) + 0.45
        drawing = Drawing(figsize=(WIDTH, rows * tall), dpi=110)
        drawing.subplots_adjust(0.0, 0.0, 1.0, 1.0, wspace=0.05, hspace=0.5 / (tall - 0.45))
        for position, name in enumerate(shown, start=1):
            axes = drawing.add_subplot(rows, columns, position)
            _bare(axes)
            inside = group_of == name
            _dots(axes, points[~inside], [_PALE], **look)
            _dots(axes, points[inside], [(colours or {}).get(name, _DARK)], **look)
            axes.set_title(
                f"{shorten(labels[name], 26)}\n{count(inside.sum())} cells", fontsize=8.5
            )
        return to_svg(drawing, uid=uid, **mark)


def before_after_umap(
    spaces: Mapping[str, np.ndarray],
    *,
    samples: Sequence[str],
    sample_order: Sequence[str],
    populations: Sequence[str],
    words: Vocabulary,
    uid: str,
    **mark: str,
) -> str:
    """Maps of the same cells, a column each, coloured by sample above and population below.

    Parameters
    ----------
    spaces
        Coordinates (cells x 2) by the title of the column.
    samples, populations
        Of each cell.
    sample_order
        Samples in the order of the legend; more than twelve have no legend.
    """
    order = np.random.default_rng(0).permutation(len(samples))
    names = list(sample_order)
    colour_of = {name: SAMPLE_COLOURS[i % len(SAMPLE_COLOURS)] for i, name in enumerate(names)}
    rows = {
        "by sample": [colour_of[name] for name in samples],
        "by population": [words.colour(name) for name in populations],
    }
    with drawing_style():
        tall = 0.4 * WIDTH * max(_aspect(points) for points in spaces.values())
        drawing = Drawing(figsize=(WIDTH, 2 * tall + 0.5), dpi=110)
        drawing.subplots_adjust(0.03, 0.0, 0.8, 0.95, wspace=0.05, hspace=0.08)
        for row, (title, colours) in enumerate(rows.items()):
            for column, (when, points) in enumerate(spaces.items()):
                axes = drawing.add_subplot(2, len(spaces), 1 + row * len(spaces) + column)
                _bare(axes)
                chosen = [colours[place] for place in order]
                _dots(axes, points[order], chosen, **_look(len(points), scale=0.5))
                if row == 0:
                    axes.set_title(when, fontsize=9, weight="bold")
                if column == 0:
                    axes.set_ylabel(title, fontsize=9)
        if len(names) <= len(SAMPLE_COLOURS):
            _legend(
                drawing,
                [Patch(facecolor=colour_of[name]) for name in names],
                [legend_label(name, 18) for name in names],
                loc="upper left",
                bbox_to_anchor=(0.81, 0.95),
                fontsize=8,
            )
        return to_svg(drawing, uid=uid, **mark)


def composition_figure(
    shares: pd.DataFrame,
    *,
    labels: Mapping[str, str],
    groups: Mapping[str, str],
    words: Vocabulary,
    uid: str,
    **mark: str,
) -> str:
    """Stacked bars of population shares, one bar per sample, samples grouped by condition.

    Parameters
    ----------
    shares
        Samples x populations; each row sums to 1. Rows and columns are in drawing order, rows of
        one condition together. Segments of at least 4 % carry the number of their population.
    labels
        Words for each sample.
    groups
        Condition of each sample.
    """
    heights, ticks, headings = _grouped_rows(list(shares.index), groups)
    with drawing_style():
        drawing = Drawing(figsize=(WIDTH, 0.6 + 0.34 * (max(heights.values(), default=0) + 1)))
        axes = drawing.add_axes((0.0, 0.0, 0.62, 1.0))
        rows = np.array([heights[name] for name in shares.index])
        _stacked(axes, shares, rows, words)
        handles = [Patch(facecolor=words.colour(name)) for name in shares.columns]
        names = [
            legend_label(f"{position}  {words.label(name)}")
            for position, name in enumerate(shares.columns, start=1)
        ]
        row_labels(axes, rows, [shorten(labels[name], 26) for name in ticks])
        for height, heading in headings:
            axes.text(0.008, height, shorten(heading, 48), va="center", weight="bold")
        axes.set_ylim(max(heights.values(), default=0) + 0.6, -0.6)
        axes.set_xlim(0, 1)
        axes.set_xlabel("share of the sample's kept cells")
        _legend(axes, handles, names, loc="upper left", bbox_to_anchor=(1.02, 1.0))
        return to_svg(drawing, uid=uid, **mark)


def _stacked(axes: Axes, shares: pd.DataFrame, rows: np.ndarray, words: Vocabulary) -> None:
    """Draw a bar for each sample in its row, and the number of a population in its segment."""
    values = shares.to_numpy(float)
    ends = np.cumsum(values, axis=1)
    colours = [words.colour(name) for name in shares.columns]
    boxes, fills = [], []
    for (row, column), value in np.ndenumerate(values):
        right, middle = ends[row, column], float(rows[row])
        left, low, high = right - value, middle - 0.39, middle + 0.39
        boxes.append([(left, low), (right, low), (right, high), (left, high)])
        fills.append(colours[column])
        if value >= 0.04:
            axes.text(
                left + value / 2,
                middle,
                str(column + 1),
                ha="center",
                va="center",
                fontsize=8,
                color=ink(colours[column]),
                in_layout=False,  # inside the axes: need not be measured
            )
    bars = PolyCollection(boxes, facecolors=fills, edgecolors="white", linewidths=0.5, zorder=1)
    axes.add_collection(bars, autolim=False)


def _grouped_rows(
    samples: Sequence[str], groups: Mapping[str, str]
) -> tuple[dict[str, int], list[str], list[tuple[int, str]]]:
    """Row of each sample, leaving a row for the heading of each group."""
    heights: dict[str, int] = {}
    headings: list[tuple[int, str]] = []
    row, current = 0, None
    for sample in samples:
        if groups.get(sample, "") != current:
            current = groups.get(sample, "")
            headings.append((row, current or "condition not given"))
            row += 1
        heights[sample] = row
        row += 1
    return heights, list(heights), headings


def _dots(
    axes: Axes, points: np.ndarray, colours: Sequence[str], *, size: float, raster: bool
) -> None:
    names, which = np.unique(np.asarray(colours, dtype=str), return_inverse=True)
    axes.scatter(
        points[:, 0],
        points[:, 1],
        c=to_rgba_array(list(names))[which],
        s=size,
        linewidths=0,
        rasterized=raster,
    )


def _legend(
    target: Axes | Drawing,
    handles: Sequence[Patch],
    labels: Sequence[str],
    **place: Any,
) -> None:
    """Draw a legend of colours beside the axes or the whole drawing."""
    look = {"frameon": False, "fontsize": 8.5, "handlelength": 1.0, **place}
    target.legend(list(handles), list(labels), **look)


def _bare(axes: Axes) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_aspect("equal", adjustable="datalim")
    for spine in axes.spines.values():
        spine.set_visible(False)


def _aspect(points: np.ndarray) -> float:
    """Height of the cloud over its width, kept between 0.6 and 1.2."""
    spread = np.ptp(points, axis=0)
    return float(np.clip(spread[1] / max(float(spread[0]), 1e-9), 0.6, 1.2))


def _look(cells: int, *, scale: float = 1.0) -> _Look:
    """Size of the points, and whether they are drawn as pixels."""
    size = float(np.clip(9000 / max(cells, 1), 1.2, 14.0)) * scale
    return {"size": size, "raster": cells > RASTER_ABOVE}
