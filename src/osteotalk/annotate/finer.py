"""Finer populations: the cells of each major population, parted by their own variable genes."""

import numpy as np
import pandas as pd
from anndata import AnnData

from osteotalk.annotate.decide import Decision, decide_finer
from osteotalk.annotate.evidence import set_apart, speakers, weigh, with_mixtures
from osteotalk.annotate.levels import SCALE, On, Reference, group_counts, how_far_on
from osteotalk.annotate.pieces import part
from osteotalk.annotate.tree import Tree

# The cells of a major population are parted at this resolution of Leiden.
RESOLUTION = 2.0
# Odds (natural logarithm) of being none of the finer populations against being a certain one: even.
NO_FINER = 0.0


def name_finer(
    adata: AnnData,
    rows: np.ndarray,
    *,
    top: str,
    tree: Tree,
    genes: pd.Index,
    off: np.ndarray,
    min_probability: float,
    seed: int,
) -> tuple[np.ndarray, list[Decision], On]:
    """Name the finer populations of cells whose major population is known.

    How far a marker is on is measured between where it is off in the cohort and its highest level
    in these cells: CD4 in T cells is not compared with CD4 in macrophages.

    Parameters
    ----------
    adata
        Cells x genes: log-normalised `X`, `layers["counts"]`, `obs["n_counts"]`.
    rows
        The cells.
    top
        Their major population.
    tree
        Vocabulary and markers.
    genes
        Markers; `off` is the level of each where it is off.
    min_probability
        Least probability of a name, given the major population.
    seed
        Of the parts.

    Returns
    -------
    Part of each of the cells, the decision on each part, and how far the markers are on in it.
    """
    names = [name for child in tree.children(top) for name in tree.below(child)]
    if not names:
        return np.zeros(len(rows), dtype=int), [], On(np.zeros((0, 0)), np.zeros((0, 0)))
    parts = part(adata, rows, resolution=RESOLUTION, seed=seed)
    n_parts = int(parts.max()) + 1
    depth = adata.obs["n_counts"].to_numpy(dtype=float)[rows]
    totals = np.bincount(parts, weights=depth, minlength=n_parts)
    counts = group_counts(adata[rows, genes], parts, n_parts)
    level = counts / np.maximum(totals, 1)[:, None] * SCALE
    reference = Reference(off=off, high=level.max(axis=0))
    state = how_far_on(counts, reference, totals=totals)
    lists = speakers(tree, names, genes, top=top)
    apart = set_apart(state, tree, names, genes, top=top)
    found, standards = weigh(apart, lists, trust_all=True, none=NO_FINER)
    found = with_mixtures(found, lists, apart, standards=standards, tree=tree)
    return parts, decide_finer(found, top=top, tree=tree, min_probability=min_probability), state
