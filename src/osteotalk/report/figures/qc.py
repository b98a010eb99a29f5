"""Figures of quality control: what was dropped, distributions and limits, doublets, ambient RNA."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.figure import Figure as Drawing
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from osteotalk.report.figures.base import WIDTH, legend_label, outline, row_labels, row_lines
from osteotalk.report.html.svg import drawing_style, to_svg
from osteotalk.report.words.text import count, shorten

_REASON_LOOK = {
    "low_counts": ("#C8A15A", "///"),
    "high_counts": ("#E0C9A0", "|||"),
    "low_genes": ("#8FA8BF", "\\\\\\"),
    "high_genes": ("#C6D3DF", "+++"),
    "high_mito": ("#C97B84", "..."),
    "doublet": ("#9C8AB5", "xxx"),
}
_SPARE_LOOK = ("#B0B0B0", "---")
_KEPT = "#2B5C7D"
_HILL = 0.85  # height of the highest bar, of a row
_SHAPE, _LIMIT, _MADE = "#9DB4C6", "#8A1538", "#B36B00"
_SHARES = (0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 0.98)
_TICKS = (1, 10, 100, 1_000, 10_000, 100_000, 1_000_000)
_METRICS = (
    ("n_counts", "counts per droplet"),
    ("n_genes", "genes per droplet"),
    ("pct_mito", "mitochondrial counts, %"),
)


def qc_figure(counts: pd.DataFrame, *, reasons: Mapping[str, str], uid: str, **mark: str) -> str:
    """Stacked bars of cells kept and dropped, one bar per sample.

    Parameters
    ----------
    counts
        One row per sample: ``label``, ``n_cells_raw``, ``n_cells_kept`` and one column per
        reason with the number of cells dropped for it.
    reasons
        Column of each reason and the words for it, in drawing order.
    mark
        ``alt`` and ``stamp`` of :func:`osteotalk.report.html.svg.to_svg`.
    """
    with drawing_style():
        drawing = Drawing(figsize=(WIDTH, 1.0 + 0.34 * len(counts)))
        axes = drawing.add_subplot()
        rows = np.arange(len(counts))
        left = counts["n_cells_kept"].to_numpy(float)
        axes.barh(rows, left, color=_KEPT, height=0.7)
        handles, labels = [Patch(facecolor=_KEPT)], ["kept"]
        for reason, wording in reasons.items():
            colour, hatch = _REASON_LOOK.get(reason, _SPARE_LOOK)
            values = counts[reason].to_numpy(float)
            look: dict[str, Any] = {
                "facecolor": colour,
                "hatch": hatch,
                "edgecolor": "#3A3A3A",
                "linewidth": 0.5,
            }
            axes.barh(rows, values, left=left, height=0.7, **look)
            handles.append(Patch(**look))
            labels.append(legend_label(f"dropped: {wording}"))
            left = left + values
        edge = max(float(left.max(initial=0.0)), 1.0)
        for row, kept in enumerate(counts["n_cells_kept"]):
            text = f"{count(kept)} of {count(left[row])}"
            axes.text(left[row] + edge * 0.01, row, text, va="center")
        row_labels(axes, rows, [shorten(label, 34) for label in counts["label"]])
        axes.invert_yaxis()
        axes.set_xlim(0, edge * 1.2)
        axes.set_xlabel("cells")
        _legend_below(axes, handles=handles, labels=labels, height=drawing.get_figheight())
        return to_svg(drawing, uid=uid, **mark)


def distributions_figure(
    records: Sequence[Mapping[str, Any]], *, labels: Sequence[str], uid: str, **mark: str
) -> str:
    """Counts, genes and mitochondrial share of the droplets before filtering, with the limits.

    Parameters
    ----------
    records
        One per sample, in drawing order: ``distributions`` and ``limits`` of ``qc.json``.
    labels
        Words for each sample.
    """
    with drawing_style():
        high = 0.5 * len(records) + 0.5
        drawing = Drawing(figsize=(WIDTH, high))
        drawing.subplots_adjust(0.22, 0.42 / high, 0.99, 1 - 0.05 / high, wspace=0.08, hspace=0.12)
        for column, (metric, wording) in enumerate(_METRICS):
            axes = drawing.add_subplot(1, 3, column + 1)
            shapes = [record["distributions"][metric] for record in records]
            limits = [_limits_of(record["limits"], metric) for record in records]
            span = (
                min(shape["edges"][0] for shape in shapes),
                max(shape["edges"][-1] for shape in shapes),
            )
            if metric != "pct_mito":
                axes.set_xscale("log")
                ticks = [tick for tick in _TICKS if span[0] <= tick <= span[1]]
                axes.set_xticks(ticks, [count(tick) for tick in ticks])
            _rows_of_shapes(axes, shapes, limits)
            axes.set_xlim(*span)
            axes.set_ylim(len(records), 0)
            _quiet(axes)
            if column == 0:
                names = [shorten(label, 24) for label in labels]
                row_labels(axes, np.arange(len(records)) + 0.5, names, fontsize=8)
            axes.set_xlabel(wording, fontsize=8.5)
        return to_svg(drawing, uid=uid, **mark)


def _rows_of_shapes(
    axes: Axes, shapes: Sequence[Mapping[str, Any]], limits: Sequence[Sequence[float]]
) -> None:
    """Histograms below one another, each as high as its row, with their limits as lines."""
    bases = np.arange(len(shapes)) + 1.0
    hills = [
        outline(shape["droplets"], shape["edges"], base=base, height=_HILL)
        for shape, base in zip(shapes, bases, strict=True)
    ]
    axes.add_collection(PolyCollection(hills, facecolors=_SHAPE, linewidths=0), autolim=False)
    row_lines(axes, bases[:-1], color="#000000", lw=0.8, zorder=2.5)
    where = [(x, base) for own, base in zip(limits, bases, strict=True) for x in own]
    ends = [[(x, base), (x, base - _HILL - 0.05)] for x, base in where]
    lines = LineCollection(ends, colors=_LIMIT, linewidths=1.1, zorder=2)
    axes.add_collection(lines, autolim=False)


def doublet_figure(
    records: Sequence[Mapping[str, Any]], *, labels: Sequence[str], uid: str, **mark: str
) -> str:
    """Scores of the cells and of simulated doublets with the threshold, one panel per sample.

    Parameters
    ----------
    records
        One per sample, in drawing order: ``doublets`` of ``qc.json`` with its ``histogram``.
    labels
        Title of each panel.
    """
    columns = min(3, max(2, len(records)))
    rows = -(-len(records) // columns)
    with drawing_style():
        high = 1.35 * rows + 0.75
        drawing = Drawing(figsize=(WIDTH, high))
        drawing.subplots_adjust(0.02, 0.75 / high, 0.99, 1 - 0.2 / high, wspace=0.08, hspace=0.55)
        for place, (record, label) in enumerate(zip(records, labels, strict=True)):
            shape = record["histogram"]
            axes = drawing.add_subplot(rows, columns, place + 1)
            edges = shape["edges"]
            _steps(axes, edges, shape["observed"])
            made = np.asarray(shape["simulated"], dtype=float)
            top = max(float(np.max(shape["observed"], initial=0.0)), 1e-9)
            made = made * top / max(float(made.max(initial=0.0)), 1e-9)
            axes.stairs(made, edges, color=_MADE, lw=1.2)
            axes.axvline(shape["threshold"], color=_LIMIT, lw=1.1)
            axes.set_title(shorten(label, 34), fontsize=8, loc="left", pad=3)
            odds = {share: float(np.log(share / (1 - share))) for share in _SHARES}
            ticks = {s: x for s, x in odds.items() if edges[0] <= x <= edges[-1]}
            axes.set_xticks(list(ticks.values()), [f"{share:g}" for share in ticks])
            axes.set_xlim(edges[0], max(edges[-1], shape["threshold"]))
            _quiet(axes)
        drawing.text(
            0.5,
            0.4 / high,
            "share of simulated doublets among the neighbours (log odds)",
            ha="center",
            fontsize=8.5,
        )
        drawing.legend(
            [Patch(facecolor=_SHAPE), Line2D([], [], color=_MADE), Line2D([], [], color=_LIMIT)],
            ["cells", "simulated doublets (scaled)", "threshold"],
            loc="lower center",
            ncols=3,
            frameon=False,
            fontsize=8.5,
        )
        return to_svg(drawing, uid=uid, **mark)


def ambient_figure(table: pd.DataFrame, *, uid: str, **mark: str) -> str:
    """Share of ambient RNA with its interval, one row per sample; a cross where it is not known.

    Parameters
    ----------
    table
        In drawing order: ``label``, ``ambient_share``, ``ambient_low``, ``ambient_high`` (0 to 1,
        NaN where it cannot be told).
    """
    with drawing_style():
        drawing = Drawing(figsize=(WIDTH, 0.7 + 0.26 * len(table)))
        axes = drawing.add_subplot()
        top = 100 * float(np.nanmax([*table["ambient_high"], 0.05]))
        at = np.arange(len(table))
        middle, low, high = (
            table[f"ambient_{name}"].to_numpy(float) for name in ("share", "low", "high")
        )
        known = np.isfinite(middle)
        ranges = (at[known], 100 * low[known], 100 * high[known])
        axes.hlines(*ranges, color=_KEPT, lw=2, alpha=0.6, zorder=2)
        axes.plot(100 * middle[known], at[known], "o", color=_KEPT, ms=5, clip_on=False)
        for row in at[~known]:
            axes.text(top * 0.01, row, "✕ cannot be told", va="center", fontsize=8)
        row_labels(axes, at, [shorten(label, 34) for label in table["label"]])
        axes.set_ylim(len(table) - 0.4, -0.6)
        axes.set_xlim(0, top * 1.08)
        axes.set_xlabel("ambient RNA, % of the counts of the kept cells; range over genes")
        return to_svg(drawing, uid=uid, **mark)


def _limits_of(limits: Mapping[str, Any], metric: str) -> list[float]:
    return [limits["pct_mito_max"]] if metric == "pct_mito" else list(limits[metric])


def _steps(axes: Axes, edges: Sequence[float], heights: Sequence[float]) -> None:
    axes.stairs(heights, edges, fill=True, color=_SHAPE)


def _quiet(axes: Axes) -> None:
    """No heights, which differ between samples."""
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="x", which="major", labelsize=7.5)
    axes.tick_params(axis="x", which="minor", labelbottom=False)


def _legend_below(axes: Axes, *, handles: list[Patch], labels: list[str], height: float) -> None:
    axes.legend(
        handles,
        labels,
        loc="upper left",
        bbox_to_anchor=(0.0, -0.5 / max(height - 0.6, 0.5)),
        ncols=3,
        frameon=False,
        fontsize=8.5,
        handlelength=1.6,
        handleheight=1.1,
    )
