"""Figures of the report: quality control, populations, composition.

Each function returns SVG text. What the figure shows is decided by the tables that stand beside
it; captions are written where the page is built.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure as Drawing
from matplotlib.patches import Patch

from osteotalk.report.svg import drawing_style, to_svg
from osteotalk.report.text import count, shorten
from osteotalk.report.vocabulary import Vocabulary

RASTER_ABOVE = 3000
_WIDTH = 7.6
_REASON_LOOK = {
    "low_counts": ("#C8A15A", "///"),
    "low_genes": ("#8FA8BF", "\\\\\\"),
    "high_mito": ("#C97B84", "..."),
    "doublet": ("#9C8AB5", "xxx"),
}
_SPARE_LOOK = ("#B0B0B0", "---")
_KEPT = "#2B5C7D"


def ink(colour: str) -> str:
    """Black or white, whichever reads better on the colour (WCAG relative luminance)."""
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#000000" if luminance > 0.18 else "#FFFFFF"


def legend_label(text: str, width: int = 42) -> str:
    """Label safe for a matplotlib legend, which hides labels that begin with ``_``."""
    short = shorten(text, width)
    return "\u2009" + short if short.startswith("_") else short


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
        ``alt`` and ``stamp`` of :func:`osteotalk.report.svg.to_svg`.
    """
    with drawing_style():
        drawing = Drawing(figsize=(_WIDTH, 1.0 + 0.34 * len(counts)))
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
        for row, (kept, raw) in enumerate(
            zip(counts["n_cells_kept"], counts["n_cells_raw"], strict=True)
        ):
            axes.text(left[row] + edge * 0.01, row, f"{count(kept)} of {count(raw)}", va="center")
        axes.set_yticks(rows, [shorten(label, 34) for label in counts["label"]])
        axes.invert_yaxis()
        axes.set_xlim(0, edge * 1.2)
        axes.set_xlabel("cells")
        _legend_below(
            axes, handles=handles, labels=labels, columns=3, height=drawing.get_figheight()
        )
        return to_svg(drawing, uid=uid, **mark)


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
        tall = _WIDTH * 0.66 * _aspect(points)
        drawing = Drawing(figsize=(_WIDTH, max(tall, 0.2 * len(names))), dpi=150)
        axes = drawing.add_axes((0.0, 0.0, 0.66, 1.0))
        _bare(axes)
        order = np.random.default_rng(0).permutation(len(points))
        colours = np.array([words.colour(str(name)) for name in label_of], dtype=object)
        axes.scatter(
            points[order, 0],
            points[order, 1],
            c=list(colours[order]),
            s=_point_size(len(points)),
            linewidths=0,
            rasterized=len(points) > RASTER_ABOVE,
        )
        handles, labels = [], []
        for position, name in enumerate(names, start=1):
            chosen = points[label_of == name]
            axes.text(
                float(np.median(chosen[:, 0])),
                float(np.median(chosen[:, 1])),
                str(position),
                ha="center",
                va="center",
                fontsize=9,
                weight="bold",
                bbox={"boxstyle": "round,pad=0.15", "fc": "#FFFFFFD0", "ec": "none"},
            )
            handles.append(Patch(facecolor=words.colour(name)))
            labels.append(legend_label(f"{position}  {words.label(name)} ({count(len(chosen))})"))
        axes.legend(
            handles,
            labels,
            loc="center left",
            bbox_to_anchor=(1.0, 0.5),
            frameon=False,
            fontsize=8.5,
            handlelength=1.0,
        )
        return to_svg(drawing, uid=uid, **mark)


def sample_umap(
    points: np.ndarray, samples: Sequence[str], *, labels: Mapping[str, str], uid: str, **mark: str
) -> str:
    """One small UMAP per sample: its cells dark, all others grey.

    Parameters
    ----------
    points
        Coordinates, cells x 2.
    samples
        Sample of each cell.
    labels
        Title of each panel by sample, in drawing order; samples without a cell get no panel.
    """
    sample_of = np.asarray(samples, dtype=object)
    present = set(sample_of)
    shown = [name for name in labels if name in present]
    columns = min(4, max(2, len(shown)))
    rows = max(1, -(-len(shown) // columns))
    raster = len(points) > RASTER_ABOVE
    size = _point_size(len(points)) * 0.45
    with drawing_style():
        tall = (_WIDTH / columns) * _aspect(points) + 0.45
        drawing = Drawing(figsize=(_WIDTH, rows * tall), dpi=110)
        drawing.subplots_adjust(0.0, 0.0, 1.0, 1.0, wspace=0.05, hspace=0.5 / (tall - 0.45))
        for position, name in enumerate(shown, start=1):
            axes = drawing.add_subplot(rows, columns, position)
            _bare(axes)
            inside = sample_of == name
            axes.scatter(
                points[~inside, 0],
                points[~inside, 1],
                c="#D9DCE0",
                s=size,
                linewidths=0,
                rasterized=raster,
            )
            axes.scatter(
                points[inside, 0],
                points[inside, 1],
                c="#1F4E79",
                s=size,
                linewidths=0,
                rasterized=raster,
            )
            axes.set_title(
                f"{shorten(labels[name], 26)}\n{count(inside.sum())} cells", fontsize=8.5
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
        drawing = Drawing(figsize=(_WIDTH, 0.6 + 0.34 * (max(heights.values(), default=0) + 1)))
        axes = drawing.add_axes((0.0, 0.0, 0.62, 1.0))
        left = pd.Series(0.0, index=shares.index)
        rows = np.array([heights[name] for name in shares.index])
        handles, names = [], []
        for position, population in enumerate(shares.columns, start=1):
            values = shares[population]
            colour = words.colour(population)
            axes.barh(rows, values, left=left, color=colour, height=0.78, ec="white", lw=0.5)
            for row, value, start in zip(rows, values, left, strict=True):
                if value >= 0.04:
                    axes.text(
                        start + value / 2,
                        row,
                        str(position),
                        ha="center",
                        va="center",
                        fontsize=8,
                        color=ink(colour),
                    )
            left = left + values
            handles.append(Patch(facecolor=colour))
            names.append(legend_label(f"{position}  {words.label(population)}"))
        axes.set_yticks(rows, [shorten(labels[name], 26) for name in ticks])
        for height, heading in headings:
            axes.text(0.008, height, shorten(heading, 48), va="center", weight="bold")
        axes.set_ylim(max(heights.values(), default=0) + 0.6, -0.6)
        axes.set_xlim(0, 1)
        axes.set_xlabel("share of the sample's kept cells")
        axes.legend(
            handles,
            names,
            loc="upper left",
            bbox_to_anchor=(1.02, 1.0),
            frameon=False,
            fontsize=8.5,
            handlelength=1.0,
        )
        return to_svg(drawing, uid=uid, **mark)


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


def _point_size(cells: int) -> float:
    return float(np.clip(9000 / max(cells, 1), 1.2, 14.0))


def _legend_below(
    axes: Axes, *, handles: list[Patch], labels: list[str], columns: int, height: float
) -> None:
    axes.legend(
        handles,
        labels,
        loc="upper left",
        bbox_to_anchor=(0.0, -0.5 / max(height - 0.6, 0.5)),
        ncols=columns,
        frameon=False,
        fontsize=8.5,
        handlelength=1.6,
        handleheight=1.1,
    )
