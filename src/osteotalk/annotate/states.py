"""States: programmes that cells of a population may run, cell by cell."""

import numpy as np
import pandas as pd

from osteotalk.annotate.tree import Tree

# A cell is in a state if the score of the state's markers reaches this, in log1p units,
STATE_SCORE = 0.5
# leads that of every other state of its population by this,
STATE_MARGIN = 0.2
# and the cell has counts of so many of the markers.
STATE_SEEN = 2


def cell_states(
    excess: pd.DataFrame, seen: pd.DataFrame, population: pd.Series, *, tree: Tree
) -> pd.Series:
    """Name the state of each cell among those of its population and its ancestors.

    Parameters
    ----------
    excess
        Cells x markers, from `marker_excess`.
    seen
        Cells x markers, from `is_seen`.
    population
        Population of each cell, or unassigned.
    tree
        Vocabulary and markers.

    Returns
    -------
    State of each cell, '' for none.
    """
    found = np.full(len(population), "", dtype=object)
    for name in sorted(set(population)):
        states = tree.states_of(name)
        if not states:
            continue
        cells = np.flatnonzero((population == name).to_numpy())
        scores = np.full((len(cells), len(states)), -np.inf)
        counted = np.zeros(scores.shape, dtype=int)
        for i, state in enumerate(states):
            genes = excess.columns.get_indexer(pd.Index(tree.markers[state].positive))
            scores[:, i] = excess.to_numpy()[np.ix_(cells, genes)].mean(axis=1)
            counted[:, i] = seen.to_numpy()[np.ix_(cells, genes)].sum(axis=1)
        best = scores.argmax(axis=1)
        rows = np.arange(len(cells))
        top, enough = scores[rows, best], counted[rows, best] >= STATE_SEEN
        scores[rows, best] = -np.inf
        sure = (top >= STATE_SCORE) & enough & (top - scores.max(axis=1) >= STATE_MARGIN)
        found[cells[sure]] = np.array(states, dtype=object)[best[sure]]
    return pd.Series(found, index=population.index)
