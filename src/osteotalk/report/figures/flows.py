"""Edges between populations as flows: a ring of populations with chords, and from side to side."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path
from matplotlib.projections.polar import PolarAxes

from osteotalk.report.figures.base import spread
from osteotalk.report.figures.network import connected_pairs
from osteotalk.report.html.svg import drawing_style, to_svg
from osteotalk.report.words.text import count, shorten
from osteotalk.report.words.vocabulary import Vocabulary

CHORDS = 60
_GAP, _GAPS = 0.012, 0.3  # between two bars of a side, and most of all together; of its height
_LINE = 0.15  # inches from label to label, a little more than they are high
_BAR = 0.03  # width of a bar, of the width
_CURVE = [Path.MOVETO, *[Path.CURVE4] * 3, Path.LINETO, *[Path.CURVE4] * 3, Path.CLOSEPOLY]


def strongest_flows(
    matrix: pd.DataFrame, *, limit: int = CHORDS
) -> tuple[list[tuple[str, str, int]], list[tuple[str, str, int]]]:
    """Ordered pairs of populations with the most edges first, and those beyond the limit."""
    flows = connected_pairs(matrix)[::-1]
    return flows[:limit], flows[limit:]


def chord_figure(
    flows: Sequence[tuple[str, str, int]], *, words: Vocabulary, uid: str, **mark: str
) -> str:
    """Draw populations as arcs of a ring and each flow as a band with a point at its target.

    Parameters
    ----------
    flows
        Source, target and number of edges, at least one.
    words
        Order, labels and colours of populations.
    """
    with drawing_style():
        return to_svg(chord_drawing(flows, words=words), uid=uid, **mark)


def chord_drawing(flows: Sequence[tuple[str, str, int]], *, words: Vocabulary) -> Drawing:
    """Give the drawing of `chord_figure`, larger where many labels need the room."""
    from pycirclize import Circos  # slow to import

    sizes = _sizes(flows)
    names = words.order(sizes)
    hatches = words.hatches(names)
    side = max(6.4, _LINE * 2 * len(names) / np.pi)  # half of the ring is left for gaps
    gap = min(2.5, 180 / len(names)) if len(names) > 1 else 0
    drawing = Drawing(figsize=(side, side))
    axes = drawing.add_axes((0.0, 0.0, 1.0, 1.0), projection="polar")
    assert isinstance(axes, PolarAxes)
    circos = Circos({name: sizes[name] for name in names}, space=gap)
    for sector in circos.sectors:
        sector.add_track((93, 100)).axis(
            fc=words.colour(sector.name), ec="white", lw=0.5, hatch=hatches[sector.name]
        )
        sector.text(
            shorten(words.label(sector.name), 28),
            r=104,
            size=8.5,
            orientation="vertical",
            adjust_rotation=True,
        )
    used = dict.fromkeys(names, 0)
    for name in names:  # leaving bands first, then those that arrive
        for end in (0, 1):
            for place, flow in enumerate(flows):
                if flow[end] == name:
                    used[f"{end} {place}"] = used[name]
                    used[name] += flow[2]
    for place, (source, target, edges) in reversed(list(enumerate(flows))):
        start, stop = used[f"0 {place}"], used[f"1 {place}"]
        circos.link(
            (source, start, start + edges),
            (target, stop, stop + edges),
            color=words.colour(source),
            alpha=0.6,
            direction=1,
            allow_twist=False,
            lw=0,
        )
    circos.plotfig(ax=axes)
    return drawing


def _sizes(flows: Sequence[tuple[str, str, int]]) -> dict[str, int]:
    """Edges that leave a population or arrive at it."""
    sizes: dict[str, int] = {}
    for source, target, edges in flows:
        for name in (source, target):
            sizes[name] = sizes.get(name, 0) + edges
    return sizes


def sankey_figure(matrix: pd.DataFrame, *, words: Vocabulary, uid: str, **mark: str) -> str:
    """Draw bands from the populations of the ligands, left, to those of the receptors, right.

    Parameters
    ----------
    matrix
        Number of supported edges, sources in rows, targets in columns, at least one.
    words
        Labels and colours.
    """
    with drawing_style():
        return to_svg(sankey_drawing(matrix, words=words), uid=uid, **mark)


def sankey_drawing(matrix: pd.DataFrame, *, words: Vocabulary) -> Drawing:
    """Give the drawing of `sankey_figure`, as high as its labels need."""
    sent = {str(name): int(n) for name, n in matrix.sum(axis=1).items() if n}
    received = {str(name): int(n) for name, n in matrix.sum(axis=0).items() if n}
    most = max(len(sent), len(received))
    gap = min(_GAP, _GAPS / max(most - 1, 1))
    scale = (1 - gap * (most - 1)) / int(matrix.to_numpy().sum())
    left, right = _tops(sent, scale, gap), _tops(received, scale, gap)
    tall = max(2.4, 0.32 * most)
    drawing = Drawing(figsize=(7.0, tall))
    axes = drawing.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_axis_off()
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    from_left, from_right = dict(left), dict(right)
    for source in matrix.index:
        for target in matrix.columns:
            height = scale * int(matrix.loc[source, target])
            if height:
                ends = (from_left[str(source)], from_right[str(target)])
                _band(axes, ends=ends, height=height, colour=words.colour(str(source)))
                from_left[str(source)] -= height
                from_right[str(target)] -= height
    for tops, sizes, place in ((left, sent, 0.0), (right, received, 1.0 - _BAR)):
        _bars(axes, tops, sizes, scale=scale, place=place, line=_LINE / tall, words=words)
    for text, place, side in (("ligand from", 0.0, "right"), ("receptor on", 1.0, "left")):
        axes.text(place, 1.02, text, ha=side, va="bottom", weight="bold", fontsize=9)
    return drawing


def _tops(sizes: Mapping[str, int], scale: float, gap: float) -> dict[str, float]:
    """Upper ends of the bars of one side, from the top down."""
    tops, here = {}, 1.0
    for name, size in sizes.items():
        tops[name] = here
        here -= scale * size + gap
    return tops


def _band(axes: Axes, *, ends: tuple[float, float], height: float, colour: str) -> None:
    start, stop = _BAR, 1 - _BAR
    (top, other) = ends
    points = [
        (start, top),
        (0.5, top),
        (0.5, other),
        (stop, other),
        (stop, other - height),
        (0.5, other - height),
        (0.5, top - height),
        (start, top - height),
        (start, top),
    ]
    axes.add_patch(PathPatch(Path(points, _CURVE), fc=colour, ec="none", alpha=0.45))


def _bars(
    axes: Axes,
    tops: Mapping[str, float],
    sizes: Mapping[str, int],
    *,
    scale: float,
    place: float,
    line: float,
    words: Vocabulary,
) -> None:
    """Draw the bars of one side with their labels, which keep the height of a line apart."""
    side, rim, away = ("right", 0.0, -1) if place == 0 else ("left", 1.0, 1)
    hatches = words.hatches(tops)
    middles = np.array([top - scale * sizes[name] / 2 for name, top in tops.items()])
    at = -spread(-middles, gap=line, low=line / 2 - 1, high=-line / 2)
    for name, middle, level in zip(tops, middles, at, strict=True):
        height = scale * sizes[name]
        axes.add_patch(
            Rectangle(
                (place, middle - height / 2),
                _BAR,
                height,
                fc=words.colour(name),
                ec="white",
                lw=0.5,
                hatch=hatches[name],
            )
        )
        ends = [rim + away * 0.004, rim + away * 0.03]
        axes.plot(ends, [middle, level], color="#9AA0A6", lw=0.5, clip_on=False)
        axes.text(
            rim + away * 0.036,
            level,
            f"{shorten(words.label(name), 28)} ({count(sizes[name])})",
            ha=side,
            va="center",
            fontsize=8.5,
        )
