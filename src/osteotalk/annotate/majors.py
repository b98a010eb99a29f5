"""Major populations of the clusters, and of parts of a cluster that are of another lineage."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from anndata import AnnData

from osteotalk.annotate.alike import group_correlation, weigh_with_alike
from osteotalk.annotate.decide import Decision, decide_majors, say_what_changed
from osteotalk.annotate.evidence import (
    NONE_PRIOR,
    Evidence,
    Speaker,
    Standards,
    probabilities,
    speakers,
    weigh,
    weigh_again,
)
from osteotalk.annotate.levels import (
    On,
    Reference,
    group_counts,
    how_far_on,
    numbered,
    reference_levels,
)
from osteotalk.annotate.permuted import permutation_odds
from osteotalk.annotate.pieces import part
from osteotalk.annotate.tree import Tree

# Clusters are parted at this resolution of Leiden.
RESOLUTION = 1.0
# A part of a cluster may be anything with this probability, else it is what the cluster is.
ANYTHING = 0.2
# A part leaves its cluster if the major of the cluster has less than this probability in it.
STAYS = 0.5
NONE = ""


@dataclass(frozen=True)
class Groups:
    """Groups of cells with their names.

    `code` is the group of each cell, `names` its id, `cluster` the cluster it lies in. `state` has
    the genes of `genes`, which are the markers; `reference` is that of the same genes.
    """

    code: np.ndarray
    names: tuple[str, ...]
    cluster: tuple[str, ...]
    decisions: tuple[Decision, ...]
    evidence: Evidence
    state: On
    genes: pd.Index
    reference: Reference

    def of_cells(self, values: Sequence[object]) -> np.ndarray:
        """Spread a value per group over the cells."""
        return np.array(values, dtype=object)[self.code]


def name_majors(adata: AnnData, *, tree: Tree, min_probability: float, seed: int) -> Groups:
    """Name the major population of each cluster, after parts of another lineage were taken out.

    Parameters
    ----------
    adata
        Cells with `obs["cluster"]` and `layers["counts"]`.
    tree
        Vocabulary and markers.
    min_probability
        Least probability of a name.
    seed
        Of the parts.
    """
    clusters = adata.obs["cluster"].astype(str)
    code, names = numbered(clusters)
    counts = group_counts(adata, code, len(names))
    genes = pd.Index(tree.genes(), dtype=object)
    columns = adata.var_names.get_indexer(genes)
    whole = reference_levels(counts)
    reference = Reference(off=whole.off[columns], high=whole.high[columns])
    majors = [name for name in tree.children("") if tree.below(name)]
    lists = speakers(tree, [n for major in majors for n in tree.below(major)], genes)
    state = how_far_on(counts[:, columns], reference, totals=counts.sum(axis=1))
    found, standards = weigh(state, lists)
    rules = _Rules(tree, lists, standards, reference, columns, majors)
    code, names, of = _take_out(adata, (code, names), found, rules, seed=seed)
    final, evidence = rules.weigh(adata, code, len(names))
    none = np.maximum(standards.none, permutation_odds(final, lists, seed=seed))
    beyond = replace(evidence, probability=probabilities(evidence.ratio, none=none))
    skip = np.isin(adata.var_names, tree.cycle_genes)
    alike = group_correlation(group_counts(adata, code, len(names)), skip=skip)
    together = weigh_with_alike(evidence, alike, tree=tree, none=none)
    steps = [
        decide_majors(found, tree=tree, min_probability=min_probability)
        for found in (evidence, beyond, together)
    ]
    decisions = [say_what_changed(*of_group) for of_group in zip(*steps, strict=True)]
    return Groups(
        code, tuple(names), tuple(of), tuple(decisions), together, final, genes, reference
    )


@dataclass(frozen=True)
class _Rules:
    """What groups are judged by; `columns` are those of the markers in the data."""

    tree: Tree
    lists: Sequence[Speaker]
    standards: Standards
    reference: Reference
    columns: np.ndarray
    majors: Sequence[str]

    def weigh(self, adata: AnnData, code: np.ndarray, n_groups: int) -> tuple[On, Evidence]:
        """How far the markers are on in groups of cells, and what that says."""
        depth = adata.obs["n_counts"].to_numpy(dtype=float)
        totals = np.bincount(code, weights=depth, minlength=n_groups)
        counts = group_counts(adata[:, self.columns], code, n_groups)
        state = how_far_on(counts, self.reference, totals=totals)
        return state, weigh_again(state, self.lists, self.standards)


def _take_out(
    adata: AnnData,
    clusters: tuple[np.ndarray, list[str]],
    found: Evidence,
    rules: _Rules,
    *,
    seed: int,
) -> tuple[np.ndarray, list[str], list[str]]:
    """Give parts of clusters that are clearly of another lineage a group of their own.

    Returns
    -------
    Group of each cell, id of each group, and the cluster it lies in.
    """
    code, names = clusters
    pieces, owner = _pieces(adata, code, len(names), seed=seed)
    _, evidence = rules.weigh(adata, pieces, len(owner))
    flat = probabilities(np.zeros((1, len(rules.lists))), none=NONE_PRIOR)
    prior = (1 - ANYTHING) * found.probability[owner] + ANYTHING * flat
    log_prior = np.log(prior)
    judged = Evidence(
        evidence.names,
        evidence.ratio,
        probabilities(evidence.ratio + log_prior[:, :-1], none=log_prior[:, -1]),
    )
    chances, cluster_chances = _chances(judged, rules), _chances(found, rules)
    names_of = np.array([*rules.majors, NONE], dtype=object)
    cluster_top = cluster_chances.argmax(axis=1)[owner]
    leaves = chances[np.arange(len(owner)), cluster_top] < STAYS
    piece_top = names_of[chances.argmax(axis=1)]
    label = np.array(
        [
            f"{names[own]} {top or 'other'}" if out else names[own]
            for own, top, out in zip(owner, piece_top, leaves, strict=True)
        ],
        dtype=object,
    )
    # where all parts leave, nothing of the cluster is left
    new, ids = numbered(pd.Series(label[pieces]))
    of = {str(text): names[own] for text, own in zip(label, owner, strict=True)}
    return new, ids, [of[text] for text in ids]


def _pieces(
    adata: AnnData, code: np.ndarray, n_clusters: int, *, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Part of each cell, and the cluster of each part."""
    pieces = np.zeros(len(code), dtype=int)
    owner: list[int] = []
    for cluster in range(n_clusters):
        rows = np.flatnonzero(code == cluster)
        parts = part(adata, rows, resolution=RESOLUTION, seed=seed)
        pieces[rows] = len(owner) + parts
        owner += [cluster] * (int(parts.max()) + 1)
    return pieces, np.array(owner)


def _chances(found: Evidence, rules: _Rules) -> np.ndarray:
    """Probability of each major, and of none of them, in each group."""
    columns = [found.of(rules.tree.within(name)) for name in rules.majors]
    return np.column_stack([*columns, found.probability[:, -1]])
