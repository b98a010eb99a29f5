"""Figure of the verdicts by theme: one bar per theme, shared out among the verdicts."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure as Drawing
from matplotlib.patches import Patch

from osteotalk.report.figures.base import WIDTH
from osteotalk.report.html.svg import drawing_style, to_svg
from osteotalk.report.words.text import shorten, verdict


def themes_figure(counts: pd.DataFrame, *, uid: str, **mark: str) -> str:
    """Bars of the same length, one per theme, with the share of its claims per verdict.

    Parameters
    ----------
    counts
        Number of claims, themes in rows and verdicts in columns, both in drawing order.
    """
    with drawing_style():
        height = 0.32 * len(counts) + 1.0
        drawing = Drawing(figsize=(WIDTH, height))
        axes = drawing.add_axes((0.28, 0.62 / height, 0.7, 1 - 0.65 / height))
        rows = range(len(counts))
        left = np.zeros(len(counts))
        totals = counts.sum(axis=1).to_numpy(float)
        for name in counts:
            look = verdict(name)
            numbers = counts[name].to_numpy(int)
            sizes = 100 * numbers / np.maximum(totals, 1)
            axes.barh(
                rows, sizes, left=left, color=look.colour, height=0.74, edgecolor="white", lw=0.8
            )
            for row in (row for row in rows if sizes[row]):
                wide = sizes[row] > 8
                axes.text(
                    left[row] + sizes[row] / 2,
                    row,
                    f"{look.symbol} {numbers[row]}" if wide else f"{numbers[row]}",
                    ha="center",
                    va="center",
                    color="white",
                    fontsize=8,
                )
            left += sizes
        labels = [
            f"{shorten(str(name), 28)}  ({int(n)})"
            for name, n in zip(counts.index, totals, strict=True)
        ]
        axes.set_yticks(rows, labels)
        axes.tick_params(axis="y", length=0)
        axes.invert_yaxis()
        axes.set_xlim(0, 100)
        axes.set_xlabel("share of the claims, %; numbers are claims")
        shown = [verdict(name) for name in counts if counts[name].sum()]
        axes.legend(
            [Patch(color=look.colour) for look in shown],
            [f"{look.symbol} {look.name}" for look in shown],
            loc="upper left",
            bbox_to_anchor=(-0.38, -0.42 / (height - 0.65)),
            ncols=4,
            frameon=False,
            fontsize=8.5,
        )
        return to_svg(drawing, uid=uid, **mark)
