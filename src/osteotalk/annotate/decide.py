"""Name a group of cells by its marker scores: first the major population, then down the tree."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from osteotalk.annotate.tree import Tree
from osteotalk.contract import UNASSIGNED

# Markers of a population that a group must show, whatever their share; all if fewer are measured.
MIN_DETECTED = 3


@dataclass(frozen=True)
class Limits:
    """What a population must reach to be named, see `decide`."""

    min_score: float
    min_margin: float
    min_markers: float


@dataclass(frozen=True)
class Decision:
    """Name of a group of cells, and what it rests on.

    `best` and `runner_up` were compared last: two majors if the major already failed, else two
    populations of one parent. `score` and `margin` are those of `best`.
    """

    population: str
    score: float
    margin: float
    best: str
    runner_up: str
    major: str
    major_score: float
    major_margin: float
    reason: str


@dataclass(frozen=True)
class _Level:
    """The best of several populations, by any marker list in or below each."""

    best: str
    runner_up: str
    score: float
    margin: float
    source: str  # whose marker list gave the score


def decide(
    scores: Mapping[str, float],
    shown: Mapping[str, float],
    *,
    tree: Tree,
    limits: Limits,
) -> Decision:
    """Name one group of cells.

    The majors are compared first; a major is as strong as the strongest list of markers in or
    below it, so that two populations of one major that cannot be told apart do not put their
    major in doubt. Then the populations of the winner are compared in the same way, and so on
    down. Where that fails, the name of the parent stays.

    Parameters
    ----------
    scores
        Score of each population's markers, from `list_scores`.
    shown
        Share of these markers that the group shows, from `shares_detected`.
    tree
        Vocabulary and markers.
    limits
        Least score of the best, least lead over the second, least share of markers shown (and no
        fewer than MIN_DETECTED).
    """
    majors = [name for name in tree.children("") if tree.below(name)]
    top = _compare(majors, scores, tree=tree)
    reason = _doubt(top, shown, tree=tree, limits=limits)
    if not reason and top.best in tree.short and not tree.children(top.best):
        reason = _too_few(top.best, tree=tree)
    name, level = UNASSIGNED, top
    while not reason:
        name = level.best
        below = [child for child in tree.children(name) if tree.below(child)]
        if not below:
            break
        level = _compare(below, scores, tree=tree)
        doubt = _doubt(level, shown, tree=tree, limits=limits)
        if not doubt and level.best in tree.short and not tree.children(level.best):
            doubt = _too_few(level.best, tree=tree)
        reason = doubt and f"{doubt}; named as {name}"
    return Decision(
        population=name,
        score=level.score,
        margin=level.margin,
        best=level.best,
        runner_up=level.runner_up,
        major=top.best,
        major_score=top.score,
        major_margin=top.margin,
        reason=reason,
    )


def _compare(names: Sequence[str], scores: Mapping[str, float], *, tree: Tree) -> _Level:
    """Find the best of `names`, and its lead over the second (over no score if alone)."""
    strongest = {name: max(tree.below(name), key=lambda n: scores[n]) for name in names}
    ranked = sorted(names, key=lambda name: -scores[strongest[name]])
    score = scores[strongest[ranked[0]]]
    second = scores[strongest[ranked[1]]] if len(ranked) > 1 else 0.0
    return _Level(
        best=ranked[0],
        runner_up=ranked[1] if len(ranked) > 1 else "",
        score=float(score),
        margin=float(score - second),
        source=strongest[ranked[0]],
    )


def _doubt(level: _Level, shown: Mapping[str, float], *, tree: Tree, limits: Limits) -> str:
    """Say why the best population of a level cannot be named, or nothing."""
    if level.score < limits.min_score:
        return f"best score {level.score:.2f} ({level.source}) is below {limits.min_score:g}"
    if level.margin < limits.min_margin:
        return f"{level.best} is only {level.margin:.2f} ahead of {level.runner_up or 'none'}"
    share, markers = shown[level.source], tree.markers[level.source]
    if share < limits.min_markers:
        return f"only {share:.0%} of the markers of {level.source} are detected"
    found = round(share * markers.listed)
    if found < min(MIN_DETECTED, len(markers.positive)):
        return f"only {found} markers of {level.source} are detected"
    return ""


def _too_few(name: str, *, tree: Tree) -> str:
    found = len(tree.markers[name].positive)
    return f"only {found} of {tree.markers[name].listed} markers of {name} are measured"


def means_by_group(values: np.ndarray, codes: np.ndarray, n_groups: int) -> np.ndarray:
    """Mean of each column in each group: groups x columns, float64."""
    order = np.argsort(codes, kind="stable")
    starts = np.searchsorted(codes[order], np.arange(n_groups))
    sums = np.add.reduceat(values[order].astype(np.float64), starts, axis=0)
    return np.asarray(sums / np.bincount(codes, minlength=n_groups)[:, None])
