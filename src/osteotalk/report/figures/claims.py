"""Figure of the verdicts: the support of every claim that was tested."""

import pandas as pd
from matplotlib.figure import Figure as Drawing
from matplotlib.lines import Line2D

from osteotalk.report.figures.base import WIDTH, points_with_intervals, row_labels
from osteotalk.report.html.svg import drawing_style, to_svg
from osteotalk.report.words.claims import short_name
from osteotalk.report.words.text import VERDICTS, number, shorten


def support_figure(claims: pd.DataFrame, *, threshold: float, uid: str, **mark: str) -> str:
    """Support with its Wilson interval, one row per claim.

    Parameters
    ----------
    claims
        In drawing order: ``claim_id``, ``verdict``, ``support``, ``support_low``,
        ``support_high``, ``n_active``, ``n_informative`` and what names a claim (``pairs``,
        ``genes``, ``signature``, ``statement``); support is a number in every row.
    threshold
        Least support of a positive verdict, drawn as a line.
    """
    with drawing_style():
        height = 1.1 + 0.215 * len(claims)
        drawing = Drawing(figsize=(WIDTH, height))
        axes = drawing.add_axes((0.4, 0.0, 0.52, 1.0))
        axes.axvline(threshold, color="#8A8F96", lw=0.8, ls="--", zorder=0)
        rows = claims.to_dict("records")
        points_with_intervals(axes, rows, "support", clip_on=False)
        for place, claim in enumerate(rows):
            seen = f"{int(number(claim['n_active']))}/{int(number(claim['n_informative']))}"
            axes.text(1.05, place, seen, va="center", fontsize=8)
        labels = [f"{shorten(str(row['claim_id']), 14)}  {short_name(row)}" for row in rows]
        row_labels(axes, range(len(claims)), labels, fontsize=8)
        axes.set_ylim(len(claims) - 0.4, -0.6)
        axes.set_xlim(-0.02, 1.02)
        axes.set_xlabel("support: active / informative patients, 95 % Wilson interval")
        axes.text(1.05, -0.95, "patients", fontsize=8, va="bottom")
        shown = set(claims["verdict"])
        looks = [look for look in VERDICTS if look.name in shown]
        axes.legend(
            [Line2D([], [], marker=look.marker, color=look.colour, lw=1.6) for look in looks],
            [look.name for look in looks],
            loc="upper center",
            bbox_to_anchor=(0.2, -0.5 / height),
            ncols=3,
            frameon=False,
            fontsize=8.5,
        )
        return to_svg(drawing, uid=uid, **mark)
