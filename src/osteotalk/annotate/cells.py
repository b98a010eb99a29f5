"""Check each cell against the name of its cluster: other lineages, and two lineages at once."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from osteotalk.annotate.decide import Decision
from osteotalk.annotate.tree import Tree
from osteotalk.contract import UNASSIGNED

# A cell shows a population if it has counts of this share of its measured markers, and of two.
CELL_SHOWN = 0.5
# A cell contradicts its cluster if another lineage leads by so much, in log1p units.
CELL_LEAD = 0.5
# So many cells of a cluster that agree on another lineage are named as a group of their own.
MIN_GROUP = 5
# A likely doublet has this share of the usual score of both lineages.
DOUBLET_SHARE = 0.5
# Two lineages can be told apart, so that doublets of them can be seen, if cells of the one show at
# most this share of the usual score of the other.
DOUBLET_LEAK = 0.25


@dataclass(frozen=True)
class CellEvidence:
    """What each cell shows of each major population; cells x majors.

    `strength` is the best score of a marker list in or below the major; `shown` is the same over
    lists that the cell shows (see CELL_SHOWN), minus infinity if it shows none, and `best_list` is
    the name of that list, '' if there is none.
    """

    majors: tuple[str, ...]
    strength: np.ndarray
    shown: np.ndarray
    best_list: np.ndarray


def cell_evidence(scores: pd.DataFrame, seen: pd.DataFrame, *, tree: Tree) -> CellEvidence:
    """Give the evidence for each major in each cell.

    Parameters
    ----------
    scores
        Cells x populations, from `list_scores`.
    seen
        Cells x markers, from `is_seen`.
    tree
        Vocabulary and markers.
    """
    majors = tuple(name for name in tree.children("") if tree.below(name))
    strength = np.full((len(scores), len(majors)), -np.inf)
    shown = strength.copy()
    best_list = np.full(strength.shape, "", dtype=object)
    for i, major in enumerate(majors):
        for name in tree.below(major):
            values = scores[name].to_numpy()
            positive = list(tree.markers[name].positive)
            counted = seen[positive].to_numpy().sum(axis=1)
            enough = counted >= max(2, CELL_SHOWN * len(positive))
            strength[:, i] = np.maximum(strength[:, i], values)
            better = enough & (values > shown[:, i])
            shown[better, i], best_list[better, i] = values[better], name
    return CellEvidence(majors, strength, shown, best_list)


def shares_agree(
    evidence: CellEvidence,
    clusters: pd.Series,
    decisions: Mapping[str, Decision],
    *,
    min_score: float,
) -> dict[str, float]:
    """Share of each cluster's cells whose strongest major is that of the cluster.

    A few loud cells can lift the mean of a cluster of other cells; the count of cells shows that.
    A cell whose strongest score is below `min_score` agrees with nothing.
    """
    strongest = np.array(evidence.majors, dtype=object)[evidence.strength.argmax(axis=1)]
    strongest[evidence.strength.max(axis=1) < min_score] = ""
    return {
        name: float((strongest[(clusters == name).to_numpy()] == decision.major).mean())
        for name, decision in decisions.items()
    }


def own_major(evidence: CellEvidence, cluster_major: pd.Series) -> np.ndarray:
    """Column of each cell's major: that of its cluster, else its own strongest."""
    column = pd.Index(evidence.majors).get_indexer(pd.Index(cluster_major))
    return np.where(column >= 0, column, evidence.strength.argmax(axis=1))


def lineage_doublets(
    evidence: CellEvidence,
    *,
    cluster_major: pd.Series,
    n_counts: pd.Series,
    samples: pd.Series,
) -> np.ndarray:
    """Find the cells that look like two major populations at once.

    Such a cell has half or more of the usual score of its own major and of another one, shows
    half of the other's markers, and has no fewer counts than is usual for either. Usual is the
    median over the cells of clusters with that name. Pairs of majors whose cells usually show each
    other's markers, such as osteoclasts and macrophages, cannot be judged and are left alone.

    Parameters
    ----------
    evidence
        From `cell_evidence`.
    cluster_major
        Major of the cluster of each cell, or unassigned.
    n_counts
        Counts of each cell, compared within its sample.
    samples
        Sample of each cell.

    Returns
    -------
    Column of the other major for each cell; -1 where the cell is no likely doublet.
    """
    own = own_major(evidence, cluster_major)
    named = cluster_major.to_numpy() != UNASSIGNED
    size = np.log1p(n_counts.to_numpy(dtype=float))
    size = size - pd.Series(size).groupby(samples.to_numpy()).transform("median").to_numpy()
    n = len(evidence.majors)
    usual, usual_size = np.full((n, n), np.nan), np.full(n, np.nan)
    for i in range(n):
        cells = named & (own == i)
        if cells.any():
            usual[i] = np.median(evidence.strength[cells], axis=0)
            usual_size[i] = np.median(size[cells])
    found = np.full(len(own), -1)
    best = np.full(len(own), -np.inf)
    for i, j in ((i, j) for i in range(n) for j in range(n) if i != j):
        apart = (
            usual[i, j] <= DOUBLET_LEAK * usual[j, j] and usual[j, i] <= DOUBLET_LEAK * usual[i, i]
        )
        if not apart:  # also where one of them is in no cluster
            continue
        both = (
            (own == i)
            & (evidence.strength[:, i] >= DOUBLET_SHARE * usual[i, i])
            & (evidence.shown[:, j] >= DOUBLET_SHARE * usual[j, j])
            & (size >= max(usual_size[i], usual_size[j]))
            & (evidence.shown[:, j] > best)
        )
        found[both], best[both] = j, evidence.shown[both, j]
    return found


def contradictions(evidence: CellEvidence, *, cluster_major: pd.Series) -> np.ndarray:
    """Find the cells whose own markers clearly speak for another major than their cluster's.

    In a cluster without a name, the cells whose best major clearly leads their second.

    Returns
    -------
    Column of that major for each cell; -1 where nothing speaks against the cluster.
    """
    column = pd.Index(evidence.majors).get_indexer(pd.Index(cluster_major))
    rows = np.arange(len(column))
    rivals = evidence.strength.copy()
    shown = evidence.shown.copy()
    named = column >= 0
    shown[rows[named], column[named]] = -np.inf
    best = shown.argmax(axis=1)
    rivals[rows, best] = -np.inf
    against = np.where(named, evidence.strength[rows, column], rivals.max(axis=1))
    lead = shown[rows, best] - np.maximum(against, 0)
    return np.where(lead >= CELL_LEAD, best, -1)
