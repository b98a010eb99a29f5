"""Edges between populations as flows: a ring of populations with chords, and from side to side."""

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path
from matplotlib.projections.polar import PolarAxes

from osteotalk.report.network import connected_pairs
from osteotalk.report.svg import drawing_style, to_svg
from osteotalk.report.text import count, shorten
from osteotalk.report.vocabulary import Vocabulary

CHORDS = 60
_GAP = 0.012  # between the bars of a side, of its height
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
    from pycirclize import Circos  # slow to import

    sizes = _sizes(flows)
    names = words.order(sizes)
    with drawing_style():
        drawing = Drawing(figsize=(6.4, 6.4))
        axes = drawing.add_axes((0.0, 0.0, 1.0, 1.0), projection="polar")
        assert isinstance(axes, PolarAxes)
        gap = min(2.5, 90 / len(names)) if len(names) > 1 else 0
        circos = Circos({name: sizes[name] for name in names}, space=gap)
        for sector in circos.sectors:
            sector.add_track((93, 100)).axis(fc=words.colour(sector.name), ec="white", lw=0.5)
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
        return to_svg(drawing, uid=uid, **mark)


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
    sent = {str(name): int(n) for name, n in matrix.sum(axis=1).items() if n}
    received = {str(name): int(n) for name, n in matrix.sum(axis=0).items() if n}
    most = max(len(sent), len(received))
    scale = (1 - _GAP * (most - 1)) / int(matrix.to_numpy().sum())
    left, right = _tops(sent, scale), _tops(received, scale)
    with drawing_style():
        drawing = Drawing(figsize=(7.0, max(2.4, 0.32 * most)))
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
            _bars(axes, tops, sizes, scale=scale, place=place, words=words)
        for text, place, side in (("ligand from", 0.0, "right"), ("receptor on", 1.0, "left")):
            axes.text(place, 1.02, text, ha=side, va="bottom", weight="bold", fontsize=9)
        return to_svg(drawing, uid=uid, **mark)


def _tops(sizes: Mapping[str, int], scale: float) -> dict[str, float]:
    """Upper ends of the bars of one side, from the top down."""
    tops, here = {}, 1.0
    for name, size in sizes.items():
        tops[name] = here
        here -= scale * size + _GAP
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
    words: Vocabulary,
) -> None:
    side = "right" if place == 0 else "left"
    for name, top in tops.items():
        height = scale * sizes[name]
        axes.add_patch(
            Rectangle(
                (place, top - height), _BAR, height, fc=words.colour(name), ec="white", lw=0.5
            )
        )
        axes.text(
            -0.012 if side == "right" else 1.012,
            top - height / 2,
            f"{shorten(words.label(name), 28)} ({count(sizes[name])})",
            ha=side,
            va="center",
            fontsize=8.5,
        )
