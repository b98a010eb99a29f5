"""States: programmes that cells of a population may run, cell by cell."""

import logging

import numpy as np
import pandas as pd
from anndata import AnnData

from osteotalk.annotate.scores import is_seen, marker_excess
from osteotalk.annotate.tree import CYCLING, Tree
from osteotalk.contract import UNASSIGNED

log = logging.getLogger(__name__)

# A cell is in a state if the score of the state's markers reaches this, in log1p units,
STATE_SCORE = 0.5
# leads that of every other state of its population by this,
STATE_MARGIN = 0.2
# and the cell has counts of so many of the markers.
STATE_SEEN = 2
# A cell cycles if it has counts of so many of the genes, and their score reaches this.
CYCLING_SEEN, CYCLING_SCORE = 3, 0.25


def cell_states(
    adata: AnnData, population: pd.Series, *, tree: Tree
) -> tuple[pd.Series, pd.Series]:
    """Name the state of each cell among those of its population and its ancestors.

    Parameters
    ----------
    adata
        Log-normalised expression (CSR), cells x genes, with `obs["cluster"]`.
    population
        Population of each cell, or unassigned.
    tree
        Vocabulary and markers.

    Returns
    -------
    State of each cell, '' for none; and whether it cycles, 'yes' or 'no'. A named cell that cycles
    and is in no other state is in the state `cycling`.
    """
    found = pd.Series("", index=population.index, dtype=object)
    cycles = pd.Series("no", index=population.index, dtype=object)
    genes = tree.genes()
    try:
        excess = marker_excess(adata, genes, others=genes, groups=adata.obs["cluster"].astype(str))
    except ValueError as error:
        log.warning("no states are told: %s", error)
        return found, cycles
    seen = is_seen(adata, genes)
    for name in sorted(set(population)):
        if states := tree.states_of(name):
            cells = np.flatnonzero((population == name).to_numpy())
            found[population == name] = _best_state(excess, seen, cells, states, tree=tree)
    if CYCLING in tree.markers and CYCLING not in tree.short:
        own = excess.columns.get_indexer(pd.Index(tree.markers[CYCLING].positive))
        score, counted = _score(excess, seen, np.arange(len(excess)), own)
        cycles[(score >= CYCLING_SCORE) & (counted >= CYCLING_SEEN)] = "yes"
        free = (cycles == "yes") & (found == "") & (population.to_numpy() != UNASSIGNED)
        found[free] = CYCLING
    return found, cycles


def _score(
    excess: pd.DataFrame, seen: pd.DataFrame, cells: np.ndarray, genes: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Mean score of some genes in some cells, and how many of them each cell shows."""
    part = np.ix_(cells, genes)
    return excess.to_numpy()[part].mean(axis=1), seen.to_numpy()[part].sum(axis=1)


def _best_state(
    excess: pd.DataFrame, seen: pd.DataFrame, cells: np.ndarray, states: list[str], *, tree: Tree
) -> np.ndarray:
    """State of each of the cells, '' where none is clear."""
    scores = np.full((len(cells), len(states)), -np.inf)
    counted = np.zeros(scores.shape, dtype=int)
    for i, state in enumerate(states):
        genes = excess.columns.get_indexer(pd.Index(tree.markers[state].positive))
        scores[:, i], counted[:, i] = _score(excess, seen, cells, genes)
    best = scores.argmax(axis=1)
    rows = np.arange(len(cells))
    top, enough = scores[rows, best], counted[rows, best] >= STATE_SEEN
    scores[rows, best] = -np.inf
    sure = (top >= STATE_SCORE) & enough & (top - scores.max(axis=1) >= STATE_MARGIN)
    return np.where(sure, np.array(states, dtype=object)[best], "")
