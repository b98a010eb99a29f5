"""What lists of markers would say of groups of cells if their genes were dealt out at random.

A list whose genes have nothing to do with each other can be on in a group by chance, the more
easily the more of all markers the group shows. A name has to say more than that.
"""

from collections.abc import Sequence

import numpy as np
from scipy.special import logsumexp

from osteotalk.annotate.evidence import Speaker, weigh
from osteotalk.annotate.levels import On

# So often the genes are dealt out; at most this share of the deals may say more than `none`.
DEALS, BY_CHANCE = 100, 0.1
# In fewer groups it is not seen which genes go together, and the deals tell nothing: any list of
# genes of the one population that is there would do.
LEAST_GROUPS = 5


def odds_by_chance(state: On, lists: Sequence[Speaker], *, seed: int) -> np.ndarray:
    """Odds of being none of the populations that lists of random markers seldom beat.

    The genes of all lists are exchanged for each other, which keeps how long the lists are and
    which genes they share.

    Parameters
    ----------
    state
        Groups x genes.
    lists
        From `speakers`.
    seed
        Of the deals.

    Returns
    -------
    Natural logarithm, per group; minus infinity where there are too few groups to tell.
    """
    if len(state.on) < LEAST_GROUPS:
        return np.full(len(state.on), -np.inf)
    rng = np.random.default_rng(seed)
    said = np.empty((DEALS, len(state.on)))
    for row in said:
        dealt = state.columns(rng.permutation(state.on.shape[1]))
        found, _ = weigh(dealt, lists)
        row[:] = logsumexp(found.ratio, axis=1)
    return np.asarray(np.quantile(said, 1 - BY_CHANCE, axis=0))
