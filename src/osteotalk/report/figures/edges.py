"""The best supported ligand-receptor pairs as dots: which populations they join, how surely."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_hex
from matplotlib.figure import Figure as Drawing
from matplotlib.lines import Line2D

from osteotalk.report.html.svg import drawing_style, to_svg
from osteotalk.report.words.text import number, shorten
from osteotalk.report.words.vocabulary import Vocabulary

PAIRS = 25
JOINS = 16
_PURPLES = LinearSegmentedColormap.from_list("edges", ["#EDE8F2", "#9E7FB8", "#3B1463"])
_NO_RANK = "#FFFFFF"
_EDGE = "#5A6470"
_DOT = 95.0  # area of the dot of an edge with full support, points squared
_LOWEST = 1e-12  # ranks below it are drawn like it


def chosen_edges(
    support: pd.DataFrame, strong: pd.DataFrame, *, min_patients: float
) -> pd.DataFrame:
    """Edges of the best supported pairs.

    Supported edges are gone through by support, then by specificity rank. Each adds its pair and
    its two populations (source, target) as long as there are at most 16 of the latter, until there
    are 25 pairs.

    Parameters
    ----------
    support, strong
        Support table of the cohort, and its supported edges.
    min_patients
        Fewest informative patients of an edge that is shown.

    Returns
    -------
    All active edges of the pairs between the populations, supported or not: rows of `support` with
    ``pair``, ``join`` (source, target) and ``strength`` (-log10 of the specificity rank), in the
    order in which pairs and joins were added.
    """
    best = _keyed(strong).sort_values(
        ["_support", "_rank", "pair", "join"], ascending=[False, True, True, True], kind="stable"
    )
    pairs: dict[str, int] = {}
    joins: dict[tuple[str, str], int] = {}
    for pair, join in zip(best["pair"], best["join"], strict=True):
        if len(pairs) == PAIRS:
            break
        if pair not in pairs and (join in joins or len(joins) < JOINS):
            pairs[pair] = len(pairs)
            joins.setdefault(join, len(joins))
    enough = support["n_informative"].map(number) >= min_patients
    shown = _keyed(support[enough & (support["n_active"].map(number) > 0)])
    shown = shown[shown["pair"].isin(pairs) & shown["join"].isin(joins)]
    shown = shown.assign(_row=shown["pair"].map(pairs), _column=shown["join"].map(joins))
    shown = shown.sort_values(["_row", "_column"], kind="stable")
    shown = shown.assign(strength=-np.log10(shown["_rank"].clip(lower=_LOWEST)))
    own = [name for name in shown if str(name).startswith("_")]
    return shown.drop(columns=own).reset_index(drop=True)


def _keyed(edges: pd.DataFrame) -> pd.DataFrame:
    ligand, receptor = edges["ligand_complex"].astype(str), edges["receptor_complex"].astype(str)
    ends = zip(edges["source"].astype(str), edges["target"].astype(str), strict=True)
    return edges.assign(
        pair=ligand + " – " + receptor,
        join=pd.Series(list(ends), index=edges.index, dtype=object),
        _support=edges["support"].map(number),
        _rank=edges["median_specificity_rank"].map(number),
    )


def edges_figure(edges: pd.DataFrame, *, words: Vocabulary, uid: str, **mark: str) -> str:
    """Draw pairs in rows, source and target in columns: support as size, specificity as shade.

    Parameters
    ----------
    edges
        From `chosen_edges`, at least one.
    words
        Labels of populations.
    """
    pairs = list(dict.fromkeys(edges["pair"]))
    joins = words_order(edges, words)
    known = edges["strength"].dropna()
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)
    levels = np.linspace(low, high, 3).tolist() if len(known) else []
    shades = [
        _shade(value, low, high) if np.isfinite(value) else _NO_RANK for value in edges["strength"]
    ]
    with drawing_style():
        drawing = Drawing(figsize=(max(1.2, 0.36 * len(joins)), 0.2 * len(pairs) + 0.2))
        axes = drawing.add_axes((0.0, 0.0, 1.0, 1.0))
        axes.scatter(
            [joins.index(join) for join in edges["join"]],
            [pairs.index(pair) for pair in edges["pair"]],
            s=_DOT * edges["support"].map(number).to_numpy(float),
            c=shades,
            edgecolors=_EDGE,
            linewidths=0.5,
        )
        axes.set_xlim(-0.6, len(joins) - 0.4)
        axes.set_ylim(len(pairs) - 0.4, -0.6)
        axes.set_axisbelow(True)
        axes.grid(color="#ECEAE4", lw=0.6)
        axes.tick_params(length=0)
        for spine in axes.spines.values():
            spine.set_visible(False)
        axes.set_yticks(range(len(pairs)), [shorten(pair, 40) for pair in pairs], fontsize=8)
        axes.xaxis.tick_top()
        axes.set_xticks(
            range(len(joins)),
            [" → ".join(shorten(words.label(name), 22) for name in join) for join in joins],
            rotation=60,
            ha="left",
            rotation_mode="anchor",
            fontsize=8,
        )
        _legend(axes, levels, height=drawing.get_figheight())
        return to_svg(drawing, uid=uid, **mark)


def words_order(edges: pd.DataFrame, words: Vocabulary) -> list[tuple[str, str]]:
    """Put source and target in the order of the vocabulary, those of one source together."""
    ends = {name for join in edges["join"] for name in join}
    rank = {name: place for place, name in enumerate(words.order(ends))}
    joins = list(dict.fromkeys(edges["join"]))
    return sorted(joins, key=lambda join: (rank[join[0]], rank[join[1]]))


def _shade(value: float, low: float, high: float) -> str:
    return to_hex(_PURPLES((value - low) / (high - low) if high > low else 1.0))


def _legend(axes: Axes, levels: list[float], *, height: float) -> None:
    looks = [
        ("o", (_DOT * share) ** 0.5, "#9E7FB8", f"active in {share:.0%} of patients")
        for share in (0.2, 0.6, 1.0)
    ]
    looks += [
        ("s", 8.0, _shade(value, levels[0], levels[-1]), f"specificity rank {10**-value:.2g}")
        for value in dict.fromkeys(levels)
    ]
    axes.legend(
        handles=[
            Line2D([], [], marker=shape, ls="", ms=size, mfc=fill, mec=_EDGE, mew=0.5, label=text)
            for shape, size, fill, text in looks
        ],
        loc="upper left",
        bbox_to_anchor=(0.0, -0.05 / height),
        ncols=2,
        frameon=False,
        fontsize=8,
    )
