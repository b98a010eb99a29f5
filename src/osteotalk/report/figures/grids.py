"""Figures in rows and columns: markers in groups of cells, sureness of names, labels and ours."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PatchCollection
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure as Drawing
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from osteotalk.interactions.support import wilson_interval
from osteotalk.report.figures.base import WIDTH, legend_label, row_labels, row_lines
from osteotalk.report.html.svg import drawing_style, to_svg
from osteotalk.report.words.text import shorten
from osteotalk.report.words.vocabulary import Vocabulary

# Light to dark blue; it also reads in grey.
_BLUES = LinearSegmentedColormap.from_list("osteotalk", ["#F1F4F8", "#7FA6CC", "#0B2E59"])
_ROW = 0.185  # inches
_DOT = 95.0  # area of the dot of a gene that all cells have, points squared
_SIZES = 25  # sizes of dots
_LINE = "#8A1538"
_HOLLOW = "#777C84"
_DASHES = (0, (4, 2))
_COMPARED = {"best match": "#DDEFD9", "runner-up": "#FBE6C8"}  # backgrounds of markers


def dot_plot(
    dots: pd.DataFrame,
    *,
    columns: Mapping[str, str],
    words: Vocabulary,
    uid: str,
    compared: Mapping[str, tuple[str, str]] | None = None,
    **mark: str,
) -> str:
    """Markers in rows, groups of cells in columns: detection as size, expression as shade.

    Parameters
    ----------
    dots
        One row per marker and group: ``marker_of``, ``gene``, ``column``, ``level`` (mean
        expression over the highest of the gene, 0 to 1) and ``detected`` (share of cells). Markers
        are in drawing order, those of one population together.
    columns
        Groups in drawing order, with their titles.
    compared
        Populations whose markers are shaded in a column: best match and runner-up.
    """
    rows = list(dict.fromkeys(zip(dots["marker_of"], dots["gene"], strict=True)))
    height = {row: place for place, row in enumerate(rows)}
    place_of = {name: place for place, name in enumerate(columns)}
    with drawing_style():
        drawing = Drawing(figsize=(WIDTH, _ROW * len(rows) + 0.2))
        axes = drawing.add_axes((0.33, 0.0, 0.67, 1.0))
        _shade(axes, [group for group, _ in rows], place_of, compared or {})
        _detection_dots(
            axes,
            np.array([place_of[name] for name in dots["column"]]),
            np.array([height[row] for row in zip(dots["marker_of"], dots["gene"], strict=True)]),
            detected=dots["detected"].to_numpy(float),
            level=dots["level"].to_numpy(float),
        )
        _frame(axes, n_rows=len(rows), n_columns=len(columns))
        row_labels(axes, range(len(rows)), [gene for _, gene in rows], fontsize=7.5)
        _titles_above(axes, list(columns.values()))
        _marker_groups(axes, [group for group, _ in rows], words)
        _dot_legend(axes, height=drawing.get_figheight(), shaded=bool(compared))
        return to_svg(drawing, uid=uid, **mark)


def _shade(
    axes: Axes,
    blocks: Sequence[str],
    place_of: Mapping[str, int],
    compared: Mapping[str, tuple[str, str]],
) -> None:
    """Shade the markers of what was compared in each column."""
    for side, colour in enumerate(_COMPARED.values()):
        cells = [
            Rectangle((place_of[column] - 0.5, row - 0.5), 1, 1)
            for column, names in compared.items()
            for row, block in enumerate(blocks)
            if block == names[side]
        ]
        axes.add_collection(
            PatchCollection(cells, facecolor=colour, edgecolor="none", zorder=0), autolim=False
        )


def _detection_dots(
    axes: Axes, x: np.ndarray, y: np.ndarray, *, detected: np.ndarray, level: np.ndarray
) -> None:
    """Dots of at most `_SIZES` sizes: the file then holds each shape once, not once per dot."""
    steps = np.ceil(np.round(detected * _SIZES, 9))
    for step in np.unique(steps[steps > 0]):
        chosen = steps == step
        axes.scatter(
            x[chosen],
            y[chosen],
            s=_DOT * step / _SIZES,
            c=_BLUES(level[chosen]),
            edgecolors="#5A6470",
            linewidths=0.4,
        )


def _frame(axes: Axes, *, n_rows: int, n_columns: int) -> None:
    axes.set_xlim(-0.6, n_columns - 0.4)
    axes.set_ylim(n_rows - 0.4, -0.6)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _titles_above(axes: Axes, titles: Sequence[str], *, middle: float = 0.0) -> None:
    axes.xaxis.tick_top()
    axes.set_xticks(
        np.arange(len(titles)) + middle,
        [shorten(title, 34) for title in titles],
        rotation=60,
        ha="left",
        rotation_mode="anchor",
        fontsize=8,
    )


def _marker_groups(axes: Axes, groups: Sequence[str], words: Vocabulary) -> None:
    """Name the population of each block of markers at the left, with a line between blocks."""
    starts = [i for i, name in enumerate(groups) if i == 0 or groups[i - 1] != name]
    between = [[(-0.5, start - 0.5), (1.0, start - 0.5)] for start in starts]
    lines = LineCollection(
        between,
        transform=axes.get_yaxis_transform(),
        colors="#D6D3CB",
        linewidths=0.6,
        clip_on=False,
    )
    axes.add_collection(lines, autolim=False)
    for start, end in zip(starts, [*starts[1:], len(groups)], strict=True):
        name = groups[start]
        axes.text(
            -0.5,
            (start + end - 1) / 2,
            shorten(words.label(name), 24),
            transform=axes.get_yaxis_transform(),
            ha="left",
            va="center",
            fontsize=8,
            clip_on=False,
        )


def _dot_legend(axes: Axes, *, height: float, shaded: bool) -> None:
    sizes = [
        Line2D(
            [],
            [],
            marker="o",
            ls="",
            markersize=(_DOT * share) ** 0.5,
            mfc="#7FA6CC",
            mec="#5A6470",
            mew=0.4,
            label=f"{share:.0%} of cells",
        )
        for share in (0.1, 0.5, 1.0)
    ]
    shades = [
        Line2D(
            [],
            [],
            marker="s",
            ls="",
            markersize=8,
            mfc=_BLUES(level),
            mec="#5A6470",
            mew=0.4,
            label=f"{level:.0%} of the gene's highest mean",
        )
        for level in (0.0, 0.5, 1.0)
    ]
    grounds = [
        Line2D([], [], marker="s", ls="", markersize=8, color=colour, label=f"marker of the {name}")
        for name, colour in _COMPARED.items()
        if shaded
    ]
    axes.legend(
        handles=[*sizes, *shades, *grounds],
        loc="upper center",
        bbox_to_anchor=(0.25, -0.1 / height),
        ncols=3 if shaded else 2,
        frameon=False,
        fontsize=8,
    )


def probability_figure(
    groups: pd.DataFrame, *, limit: float, words: Vocabulary, uid: str, **mark: str
) -> str:
    """Probability of the best match and of the runner-up of groups of cells, against the limit.

    Parameters
    ----------
    groups
        One row per group in drawing order: ``cluster``, ``population``, ``best``,
        ``best_probability`` and ``runner_up_probability``.
    limit
        Least probability of a name; NaN where the config has none.
    """
    rows = np.arange(len(groups))
    best, next_ = (groups[f"{n}_probability"].to_numpy(float) for n in ("best", "runner_up"))
    with drawing_style():
        drawing = Drawing(figsize=(WIDTH, _ROW * len(rows) + 0.2))
        axes = drawing.add_axes((0.36, 0.0, 0.62, 1.0))
        axes.hlines(rows, next_, best, color="#C9CCD1", lw=1.2, zorder=1)
        axes.plot(next_, rows, ls="", marker="o", ms=5, mfc="white", mec=_HOLLOW, zorder=2)
        for sure, marker in ((True, "o"), (False, "X")):
            chosen = (groups["population"] == groups["best"]).to_numpy() == sure
            colours = [words.colour(str(name)) for name in groups.loc[chosen, "best"]]
            axes.scatter(best[chosen], rows[chosen], s=36, c=colours, marker=marker, zorder=3)
        if np.isfinite(limit):
            axes.axvline(limit, color=_LINE, lw=0.9, ls=_DASHES, zorder=1)
        axes.set_xlim(-0.03, 1.03)
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.set_xlabel("probability", fontsize=8.5)
        axes.tick_params(axis="x", labelsize=7.5)
        row_labels(axes, rows, _group_names(groups, words), fontsize=7.5)
        row_lines(axes, rows, color="#ECEAE4", lw=0.6)
        _probability_legend(drawing)
        return to_svg(drawing, uid=uid, **mark)


def _group_names(groups: pd.DataFrame, words: Vocabulary) -> list[str]:
    return [
        legend_label(f"{shorten(words.label(str(name)), 26)} · {cluster}", 44)
        for name, cluster in zip(groups["population"], groups["cluster"], strict=True)
    ]


def _probability_legend(drawing: Drawing) -> None:
    grey = "#5A5F66"
    drawing.legend(
        handles=[
            Line2D([], [], marker="o", ls="", color=grey, label="best match, which is the name"),
            Line2D([], [], marker="X", ls="", color=grey, label="best match, not sure enough"),
            Line2D([], [], marker="o", ls="", mfc="white", mec=_HOLLOW, label="runner-up"),
            Line2D([], [], color=_LINE, lw=0.9, ls=_DASHES, label="limit"),
        ],
        loc="upper left",
        bbox_to_anchor=(0.0, -0.5 / drawing.get_figheight()),
        ncols=4,
        frameon=False,
        fontsize=8,
        columnspacing=1.2,
    )


def reliability_figure(frame: pd.DataFrame, *, uid: str, **mark: str) -> str:
    """Share of names that agree with labels against their stated probability.

    Parameters
    ----------
    frame
        From `osteotalk.annotate.agreement.reliability`.
    """
    right, judged = (frame[c].to_numpy(np.int64) for c in ("n_right", "n_judged"))
    low, high = wilson_interval(right, judged)
    stated, share = frame["stated"].to_numpy(float), frame["share_right"].to_numpy(float)
    least = max(min(float(stated.min()), float(low.min())) - 0.03, 0.0)
    with drawing_style():
        drawing = Drawing(figsize=(0.5 * WIDTH, 0.42 * WIDTH))
        axes = drawing.add_axes((0.14, 0.0, 0.86, 1.0))
        axes.plot([least, 1], [least, 1], color=_HOLLOW, lw=1, dashes=(4, 2), zorder=1)
        axes.vlines(stated, low, high, color=_LINE, lw=1.6, alpha=0.75, zorder=2)
        axes.plot(stated, share, "o", color=_LINE, ms=5.5, clip_on=False, zorder=3)
        axes.set_xlim(least, 1.01)
        axes.set_ylim(least, 1.01)
        axes.set_xlabel("stated probability (mean of the range)", fontsize=8.5)
        axes.set_ylabel("share that agrees", fontsize=8.5)
        axes.tick_params(labelsize=8)
        return to_svg(drawing, uid=uid, **mark)


def confusion_figure(
    shares: pd.DataFrame, *, cells: pd.Series, words: Vocabulary, uid: str, **mark: str
) -> str:
    """Labels in rows, our populations in columns: share of the label's cells.

    Parameters
    ----------
    shares
        Labels x populations, in drawing order; each row sums to 1.
    cells
        Cells of each label.
    """
    with drawing_style():
        drawing = Drawing(figsize=(WIDTH, 0.24 * len(shares) + 0.2))
        axes = drawing.add_axes((0.36, 0.0, 0.64, 1.0))
        values = shares.to_numpy(float)
        axes.pcolormesh(values, cmap=_BLUES, vmin=0, vmax=1, edgecolors="white", linewidth=0.5)
        for row, column in np.argwhere(values >= 0.005):
            share = values[row, column]
            axes.text(
                column + 0.5,
                row + 0.5,
                f"{100 * share:.0f}",
                ha="center",
                va="center",
                fontsize=7,
                color="white" if share > 0.45 else "#1C1F23",
                in_layout=False,  # inside the axes: need not be measured
            )
        axes.set_ylim(len(shares), 0)
        labels = [f"{shorten(str(name), 30)} ({cells[name]:,})" for name in shares.index]
        row_labels(axes, np.arange(len(shares)) + 0.5, labels, fontsize=8)
        _titles_above(axes, [words.label(str(name)) for name in shares.columns], middle=0.5)
        axes.tick_params(length=0)
        for spine in axes.spines.values():
            spine.set_visible(False)
        return to_svg(drawing, uid=uid, **mark)
