"""Heat map of copy number along the chromosomes."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from anndata import AnnData
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure as Drawing
from matplotlib.patches import Patch

from osteotalk.report.figures.base import legend_label
from osteotalk.report.html.svg import drawing_style, to_svg
from osteotalk.report.words.text import count, shorten
from osteotalk.report.words.vocabulary import Vocabulary

_WIDTH = 7.6
_DPI = 110
_REFERENCE = "reference"
# Groups of rows in drawing order, with their words and colours (Okabe and Ito's palette).
_GROUPS = {
    _REFERENCE: ("reference", "#BBBBBB"),
    "no": ("not malignant", "#56B4E9"),
    "undetermined": ("undetermined", "#F0E442"),
    "yes": ("malignant", "#D55E00"),
}
_ROW_HEIGHT = 0.004  # inches
_MIN_PATIENT = 0.16  # inches, so that the name of each patient can be read
_BELOW = 0.9  # inches, for the names of chromosomes and the legend
_LABEL_GAP = 0.022  # share of the width between the names of two chromosomes
_CLIP = 98  # percentile of the absolute values at which the colours end


def cnv_heatmap(cnv: AnnData, *, words: Vocabulary, uid: str, **mark: str) -> str:
    """Expression along the genome, relative to reference cells; one row per cell.

    Parameters
    ----------
    cnv
        Cells x windows as `call_malignant` gives them: `obs` patient, population, malignant and
        reference; `var` chromosome, windows in genomic order.
    words
        Labels and colours of populations.
    mark
        ``alt`` and ``stamp`` of :func:`osteotalk.report.html.svg.to_svg`.

    Returns
    -------
    SVG; '' if there is no cell. Rows are grouped by patient, within it by call (reference, not
    malignant, undetermined, malignant), then by population in the order of the vocabulary.
    """
    if not cnv.n_obs or not cnv.n_vars:
        return ""
    rows = row_order(cnv.obs, words)
    patients = cnv.obs["patient"].astype(str).to_numpy()[rows]
    values = np.asarray(cnv.X[rows].toarray(), dtype=float)
    bound = max(float(np.percentile(np.abs(values), _CLIP)), 1e-6)
    names = list(dict.fromkeys(patients))
    height = float(np.clip(len(rows) * _ROW_HEIGHT, max(2.0, len(names) * _MIN_PATIENT), 9.0))
    with drawing_style():
        drawing = Drawing(figsize=(_WIDTH, height + _BELOW), dpi=_DPI)
        base, tall = _BELOW / (height + _BELOW), height / (height + _BELOW)
        strips = drawing.add_axes((0.13, base, 0.035, tall))
        axes = drawing.add_axes((0.17, base, 0.75, tall))
        image = axes.imshow(
            values, aspect="auto", cmap="RdBu_r", vmin=-bound, vmax=bound, interpolation="nearest"
        )
        _strips(strips, group_of(cnv.obs)[rows], cnv.obs["population"].to_numpy()[rows], words)
        _lines(axes, cnv.var["chromosome"].astype(str).tolist(), patients, names)
        ends = np.flatnonzero(np.append(patients[1:] != patients[:-1], [True]))
        starts = np.append(0, ends[:-1] + 1)
        strips.set_yticks((starts + ends) / 2, [shorten(name, 14) for name in names])
        bar = drawing.colorbar(image, cax=drawing.add_axes((0.935, base, 0.015, tall * 0.4)))
        bar.set_label("relative to reference", fontsize=8)
        present = group_of(cnv.obs)
        shown = [key for key in _GROUPS if (present == key).any()]
        drawing.legend(
            [Patch(facecolor=_GROUPS[key][1]) for key in shown],
            [legend_label(f"{_GROUPS[key][0]} ({count((present == key).sum())})") for key in shown],
            loc="upper left",
            bbox_to_anchor=(0.1, base * 0.2),
            ncols=4,
            frameon=False,
            fontsize=8,
            handlelength=1.0,
        )
        return to_svg(drawing, uid=uid, **mark)


def group_of(obs: pd.DataFrame) -> np.ndarray:
    """Group of each row: reference, or the call."""
    reference = obs["reference"].astype(str).to_numpy() == "yes"
    return np.where(reference, _REFERENCE, obs["malignant"].astype(str).to_numpy(object))


def row_order(obs: pd.DataFrame, words: Vocabulary) -> np.ndarray:
    """Rows by patient, group, population in the order of the vocabulary, and name."""
    populations = obs["population"].astype(str)
    rank = {name: i for i, name in enumerate(words.order(populations))}
    group = {name: i for i, name in enumerate(_GROUPS)}
    keys = (
        obs.index.to_numpy(str),
        populations.map(rank).to_numpy(),
        np.array([group[name] for name in group_of(obs)]),
        obs["patient"].astype(str).to_numpy(str),
    )
    return np.lexsort(keys)


def _strips(axes: Axes, groups: np.ndarray, populations: np.ndarray, words: Vocabulary) -> None:
    """Two columns beside the map: the call, and the population."""
    colours = [
        [to_rgb(_GROUPS[group][1]), to_rgb(words.colour(str(population)))]
        for group, population in zip(groups, populations, strict=True)
    ]
    axes.imshow(np.array(colours), aspect="auto", interpolation="nearest")
    axes.set_xticks([0, 1], ["call", "population"], rotation=90, fontsize=7.5)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _lines(
    axes: Axes, chromosomes: Sequence[str], patients: np.ndarray, names: Sequence[str]
) -> None:
    """Lines between chromosomes and between patients, and the names of chromosomes."""
    centres: list[float] = []
    labels: list[str] = []
    for name in dict.fromkeys(chromosomes):
        inside = np.flatnonzero(np.array(chromosomes) == name)
        middle = float(inside.mean())
        if not centres or middle - centres[-1] > _LABEL_GAP * len(chromosomes):
            centres.append(middle)  # names of small chromosomes would overlap
            labels.append(name.removeprefix("chr"))
        if inside[-1] + 1 < len(chromosomes):
            axes.axvline(inside[-1] + 0.5, color="#333333", linewidth=0.4)
    for name in names[:-1]:
        last = np.flatnonzero(patients == name)[-1]
        axes.axhline(last + 0.5, color="#000000", linewidth=0.8)
    axes.set_xticks(centres, labels, fontsize=7)
    axes.set_yticks([])
    axes.set_xlabel("chromosome (windows of genes, in genomic order)")
