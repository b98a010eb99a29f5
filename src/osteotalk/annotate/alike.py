"""What groups of cells that express alike say of each other.

Groups whose whole expression is alike are nearly always of one lineage, so the name of each leans
on what the markers of those like it say, as in a Potts model. It is asked once: asked again and
again, two groups that are alike and unsure would talk each other into a name.

References
----------
Zhang, Brady & Smith 2001, IEEE Transactions on Medical Imaging 20, 45-57, doi:10.1109/42.906424
(labels that depend on neighbours, hidden Markov random fields).
"""

import numpy as np

from osteotalk.annotate.evidence import Evidence, probabilities
from osteotalk.annotate.levels import LEAST, SCALE
from osteotalk.annotate.tree import Tree

# Genes compared: those with so many counts, the MOST_GENES that vary most over the groups.
LEAST_COUNTS, MOST_GENES = 20, 1000
# Correlation of two groups from which they begin to count as alike, and count in full. Of groups of
# two lineages in canine, lung and ovarian cells 99 % are at 0.51, 0.27 and 0.31 or less
# (benchmarks/alike.py).
ALIKE = (0.4, 0.8)
# What the groups like one say together (natural logarithm), if all are sure of the same. Of 61
# pairs of groups of those cells that are alike by 0.7 or more 58 are of one lineage: 19 to one that
# it is the same, against any of about seven others.
SAY = 5.0


def group_correlation(counts: np.ndarray, *, skip: np.ndarray) -> np.ndarray:
    """Tell how alike groups of cells are in what sets them apart from the mean of all groups.

    Parameters
    ----------
    counts
        Groups x genes, from `group_counts`.
    skip
        Genes to leave out (those of the cell cycle), boolean.

    Returns
    -------
    Groups x groups: correlations of log2 levels, less the mean of each gene; 0 with itself.
    """
    depth = np.maximum(counts.sum(axis=1, keepdims=True), 1)
    used = np.flatnonzero((counts.sum(axis=0) >= LEAST_COUNTS) & ~skip)
    level = np.log2(counts[:, used] / depth * SCALE + LEAST + SCALE / depth)
    level -= level.mean(axis=0)
    level = level[:, np.argsort(-level.var(axis=0), kind="stable")[:MOST_GENES]]
    if not level.size:
        return np.zeros((len(counts), len(counts)))
    level -= level.mean(axis=1, keepdims=True)
    level /= np.maximum(np.linalg.norm(level, axis=1, keepdims=True), 1e-12)
    alike = level @ level.T
    np.fill_diagonal(alike, 0)
    return np.asarray(alike)


def weigh_with_alike(
    found: Evidence, alike: np.ndarray, *, tree: Tree, none: float | np.ndarray
) -> Evidence:
    """Weigh what the markers say of a group with the names of the groups like it.

    What a group like it says for a major population is said for all lists of that; a group that is
    none of them speaks for none.

    Parameters
    ----------
    found
        Groups x lists.
    alike
        From `group_correlation`.
    tree
        Vocabulary.
    none
        Odds (natural logarithm) of being none of the populations, without what others say.
    """
    majors = [name for name in tree.children("") if tree.below(name)]
    major_of = {name: i for i, major in enumerate(majors) for name in tree.within(major)}
    column = np.array([*(major_of[name] for name in found.names), len(majors)])
    member = np.eye(len(majors) + 1)[column]
    begin, full = ALIKE
    weight = np.clip((alike - begin) / (full - begin), 0, 1)
    weight /= np.maximum(weight.sum(axis=1, keepdims=True), 1)
    own = probabilities(found.ratio, none=none)
    said = SAY * (weight @ (own @ member))[:, column]
    chance = probabilities(found.ratio + said[:, :-1], none=none + said[:, -1])
    return Evidence(found.names, found.ratio, chance)
