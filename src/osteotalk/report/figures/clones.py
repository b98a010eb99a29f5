"""Gained and lost arms of the clones of each patient, shared by them or private to one."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from matplotlib.patches import Patch, Rectangle

from osteotalk.report.figures.base import legend_label, row_labels
from osteotalk.report.html.svg import drawing_style, to_svg

_LOOK = {"gained": ("#B5421A", "+"), "lost": ("#1F4E79", "\u2212")}
_SIDE = 0.22  # inches of a square


def arm_order(arm: str) -> tuple[int, str]:
    """Key that sorts arms along the genome: 1p, 1q, 2p, ..., Xp."""
    chromosome = arm.rstrip("pq")
    return (int(chromosome) if chromosome.isdigit() else 99, arm)


def private_arms(
    changes: Mapping[str, Mapping[str, str]], patients: Mapping[str, str]
) -> set[tuple[str, str]]:
    """Clones with the arms whose change no other clone of the patient has.

    Parameters
    ----------
    changes
        Arms of each clone with their changes, gained or lost.
    patients
        Patient of each clone. That with one clone has no private arms: nothing to compare.
    """
    found = set()
    for clone, own in changes.items():
        others = [c for c in changes if c != clone and patients[c] == patients[clone]]
        for arm, change in own.items():
            if others and all(changes[other].get(arm) != change for other in others):
                found.add((clone, arm))
    return found


def clones_figure(
    changes: Mapping[str, Mapping[str, str]],
    *,
    patients: Mapping[str, str],
    labels: Sequence[str],
    uid: str,
    **mark: str,
) -> str:
    """Draw a row per clone and a column per changed arm; private changes are framed.

    Parameters
    ----------
    changes, patients
        See `private_arms`; clones in drawing order, those of a patient together.
    labels
        Words for each clone.
    """
    arms = sorted({arm for own in changes.values() for arm in own}, key=arm_order)
    private = private_arms(changes, patients)
    with drawing_style():
        drawing = Drawing(figsize=(max(_SIDE * len(arms), 2.0), _SIDE * len(changes)))
        axes = drawing.add_axes((0.0, 0.0, 1.0, 1.0))
        axes.set_xlim(0, max(len(arms), 2.0 / _SIDE))
        axes.set_ylim(len(changes), 0)
        for row, (clone, own) in enumerate(changes.items()):
            for arm, change in own.items():
                colour, sign = _LOOK[change]
                place = arms.index(arm)
                framed = (clone, arm) in private
                axes.add_patch(
                    Rectangle(
                        (place + 0.08, row + 0.08),
                        0.84,
                        0.84,
                        fc=colour,
                        ec="#000000" if framed else "none",
                        lw=1.6 if framed else 0,
                    )
                )
                axes.text(
                    place + 0.5, row + 0.5, sign, ha="center", va="center", color="white", size=9
                )
        ends = [patients[clone] for clone in changes]
        for row in range(1, len(ends)):
            if ends[row] != ends[row - 1]:
                axes.axhline(row, color="#000000", lw=0.8)
        row_labels(
            axes, np.arange(len(changes)) + 0.5, [legend_label(x) for x in labels], fontsize=8
        )
        axes.set_xticks(np.arange(len(arms)) + 0.5, arms, rotation=90, fontsize=7.5)
        axes.xaxis.tick_top()
        axes.tick_params(length=0)
        for spine in axes.spines.values():
            spine.set_visible(False)
        _legend(axes, below=0.1 / (_SIDE * len(changes)))
        return to_svg(drawing, uid=uid, **mark)


def _legend(axes: Axes, *, below: float) -> None:
    handles = [Patch(fc=colour, label=f"{sign} {name}") for name, (colour, sign) in _LOOK.items()]
    frame = Patch(fc="white", ec="#000000", lw=1.6, label="in this clone of the patient only")
    axes.legend(
        handles=[*handles, frame],
        loc="upper left",
        bbox_to_anchor=(0.0, -below),
        ncols=3,
        frameon=False,
        fontsize=8,
    )
