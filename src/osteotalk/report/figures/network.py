"""The interactome of a cohort: supported edges between populations, as network and as matrix."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from matplotlib.patches import Circle, FancyArrowPatch

from osteotalk.report.figures.base import spread
from osteotalk.report.html.svg import drawing_style, to_svg
from osteotalk.report.words.text import count, number, shorten
from osteotalk.report.words.vocabulary import Vocabulary

# Inches: of the circle's radius, from the circle to the labels, and from label to label by their
# number of lines. Up to so many populations the number of cells has a line of its own.
_UNIT, _AWAY, _LINE, _TWO_LINES = 2.07, 0.6, {1: 0.17, 2: 0.33}, 16


def supported_edges(
    support: pd.DataFrame, *, min_support: float = 0.5, min_patients: float = 1
) -> pd.DataFrame:
    """Edges active in enough patients to be drawn.

    Parameters
    ----------
    support
        Support table of one cohort.
    min_support
        Least share of informative patients in which the edge is active.
    min_patients
        Least number of informative patients. Without it an edge seen in the only patient who
        could show it would count as fully supported.

    Returns
    -------
    The rows that pass both limits.
    """
    enough = support["n_informative"].map(number) >= min_patients
    return support[enough & (support["support"].map(number) >= min_support)]


def population_matrix(edges: pd.DataFrame, *, populations: Sequence[str]) -> pd.DataFrame:
    """Count edges from each source (rows) to each target (columns), zeros included."""
    table = pd.DataFrame(0, index=list(populations), columns=list(populations), dtype=int)
    if len(edges):
        sizes = edges.groupby(["source", "target"], observed=True).size()
        for key, size in sizes.to_dict().items():
            table.loc[key] = int(size)
    return table


def network_figure(
    matrix: pd.DataFrame, *, cells: Mapping[str, int], words: Vocabulary, uid: str, **mark: str
) -> str:
    """Draw populations on a circle, an arrow per ordered pair of populations with supported edges.

    Parameters
    ----------
    matrix
        Number of supported edges, sources in rows, targets in columns.
    cells
        Number of cells by population; the area of a node grows with its square root.
    words
        Colours and labels.
    """
    with drawing_style():
        return to_svg(network_drawing(matrix, cells=cells, words=words), uid=uid, **mark)


def network_drawing(
    matrix: pd.DataFrame, *, cells: Mapping[str, int], words: Vocabulary
) -> Drawing:
    """Give the drawing of `network_figure`, larger where many labels need the room."""
    names = [str(name) for name in matrix.index]
    lines = 2 if len(names) <= _TWO_LINES else 1
    half = -(-len(names) // 2)
    unit = max(_UNIT, half * _LINE[lines] / 2)  # inches of the circle's radius
    angles = np.pi / 2 - 2 * np.pi * np.arange(len(names)) / max(len(names), 1)
    places = {
        name: np.array([np.cos(angle), np.sin(angle)])
        for name, angle in zip(names, angles, strict=True)
    }
    small = min(1.0, 35 / max(len(names), 1))  # circles of neighbours do not touch
    most_cells = max([cells.get(name, 0) for name in names], default=0) or 1
    radius = {
        name: small * (0.035 + 0.055 * (cells.get(name, 0) / most_cells) ** 0.25) for name in names
    }
    top = max(int(matrix.to_numpy().max(initial=0)), 1)
    drawing = Drawing(figsize=(3.8 * unit, 3 * unit))
    axes = drawing.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_axis_off()
    axes.set_aspect("equal")
    axes.set_xlim(-1.9, 1.9)
    axes.set_ylim(-1.5, 1.5)
    for source, target, size in connected_pairs(matrix):
        look = {"color": words.colour(source), "alpha": 0.35 + 0.5 * size / top}
        thick = 0.5 + 4.5 * size / top
        if source == target:
            _self_loop(
                axes,
                place=places[source],
                radius=radius[source],
                size=0.07 * small,
                thick=thick,
                look=look,
            )
        else:
            pair = (source, target)
            _arrow(axes, places=places, radius=radius, pair=pair, thick=thick, look=look)
    _nodes(axes, names, places=places, radius=radius, words=words)
    end = "\n{} cells" if lines == 2 else " ({})"
    texts = {
        name: shorten(words.label(name), 28) + end.format(count(cells.get(name, 0)))
        for name in names
    }
    for side, members in ((1, names[:half][::-1]), (-1, names[half:])):
        _labels(
            axes, side, members, places=places, texts=texts, line=_LINE[lines] / unit, unit=unit
        )
    return drawing


def _nodes(
    axes: Axes,
    names: Sequence[str],
    *,
    places: Mapping[str, np.ndarray],
    radius: Mapping[str, float],
    words: Vocabulary,
) -> None:
    hatches = words.hatches(names)
    for name in names:
        axes.add_patch(
            Circle(
                (places[name][0], places[name][1]),
                radius[name],
                facecolor=words.colour(name),
                edgecolor="white",
                hatch=hatches[name],
                lw=min(1.5, 25 * radius[name]),
                zorder=5,
            )
        )


def _labels(
    axes: Axes,
    side: int,
    members: Sequence[str],
    *,
    places: Mapping[str, np.ndarray],
    texts: Mapping[str, str],
    line: float,
    unit: float,
) -> None:
    """Write the labels of one half of the circle, from the lowest up, with a line to each node."""
    reach = 1 + _AWAY / unit
    wanted = [float(places[name][1]) * reach for name in members]
    at = spread(wanted, gap=line, low=-reach, high=reach)
    for name, level in zip(members, at, strict=True):
        out = side * max(float(np.sqrt(max(reach**2 - level**2, 0.0))), 0.1 / unit)
        rim = places[name]
        axes.plot([rim[0], out], [rim[1], level], color="#9AA0A6", lw=0.5, zorder=0, clip_on=False)
        axes.text(
            out + side * 0.05 / unit,
            float(level),
            texts[name],
            ha="left" if side > 0 else "right",
            va="center",
            fontsize=9,
            zorder=6,
        )


def matrix_figure(matrix: pd.DataFrame, *, words: Vocabulary, uid: str, **mark: str) -> str:
    """Heat map of supported edges, sources in rows, targets in columns, with the numbers."""
    names = [shorten(words.label(str(name)), 32) for name in matrix.index]
    values = matrix.to_numpy(float)
    top = max(float(values.max(initial=0.0)), 1.0)
    with drawing_style():
        side = max(2.0, 0.4 * len(names))
        drawing = Drawing(figsize=(side, side))
        axes = drawing.add_axes((0.0, 0.0, 1.0, 1.0))
        axes.pcolormesh(
            values, cmap="Blues", vmin=0, vmax=top * 1.15, edgecolors="white", linewidth=1.0
        )
        for (row, column), value in np.ndenumerate(values):
            dark = value / top > 0.6
            axes.text(
                column + 0.5,
                row + 0.5,
                f"{int(value)}" if value else "·",
                ha="center",
                va="center",
                fontsize=8,
                color="#FFFFFF" if dark else "#1C1E21",
            )
        steps = np.arange(len(names)) + 0.5
        axes.set_xticks(steps, names, rotation=45, ha="left", rotation_mode="anchor", fontsize=8.5)
        axes.set_yticks(steps, names, fontsize=8.5)
        axes.xaxis.tick_top()
        axes.xaxis.set_label_position("top")
        axes.set_xlabel("target (receptor)", weight="bold", labelpad=8)
        axes.set_ylabel("source (ligand)", weight="bold", labelpad=8)
        axes.tick_params(length=0)
        axes.set_ylim(len(names), 0)
        axes.set_xlim(0, len(names))
        for spine in axes.spines.values():
            spine.set_visible(False)
        return to_svg(drawing, uid=uid, **mark)


def connected_pairs(matrix: pd.DataFrame) -> list[tuple[str, str, int]]:
    """Give pairs with at least one edge, the thickest last so that it lies on top."""
    found = [
        (str(source), str(target), int(matrix.loc[source, target]))
        for source in matrix.index
        for target in matrix.columns
        if matrix.loc[source, target] > 0
    ]
    return sorted(found, key=lambda pair: pair[2])


def _arrow(
    axes: Axes,
    *,
    places: Mapping[str, np.ndarray],
    radius: Mapping[str, float],
    pair: tuple[str, str],
    thick: float,
    look: Mapping[str, Any],
) -> None:
    start, end = places[pair[0]], places[pair[1]]
    way = (end - start) / max(float(np.linalg.norm(end - start)), 1e-9)
    axes.add_patch(
        FancyArrowPatch(
            start + way * radius[pair[0]],
            end - way * radius[pair[1]] * 1.15,
            connectionstyle="arc3,rad=0.18",
            arrowstyle=f"-|>,head_length={3 + thick * 0.9:.2f},head_width={1.5 + thick * 0.5:.2f}",
            shrinkA=0,
            shrinkB=0,
            linewidth=thick,
            **look,
        )
    )


def _self_loop(
    axes: Axes,
    *,
    place: np.ndarray,
    radius: float,
    size: float,
    thick: float,
    look: Mapping[str, Any],
) -> None:
    centre = place * (1 + radius + 0.43 * size)
    axes.add_patch(Circle((centre[0], centre[1]), size, fill=False, linewidth=thick, **look))
