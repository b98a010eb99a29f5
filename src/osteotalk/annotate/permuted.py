"""What lists of markers say of groups of cells once their genes are permuted.

A list whose genes have nothing to do with each other can be on in a group by chance, the more
easily the more of all markers the group shows. A name has to say more than that.
"""

from collections.abc import Sequence

import numpy as np
from scipy.special import logsumexp

from osteotalk.annotate.evidence import Speaker, weigh
from osteotalk.annotate.levels import On

# Permutations of the genes; in at most this share of them the lists may say more than `none`.
N_PERMS, BY_CHANCE = 100, 0.1
# In fewer groups it is not seen which genes go together, and permutations tell nothing: any list of
# genes of the one population that is there would do.
LEAST_GROUPS = 5


def permutation_odds(state: On, lists: Sequence[Speaker], *, seed: int) -> np.ndarray:
    """Odds of being none of the populations that permuted lists seldom beat.

    The genes of all lists are permuted, which keeps how long the lists are and which they share.

    Parameters
    ----------
    state
        Groups x genes.
    lists
        From `speakers`.
    seed
        Of the permutations.

    Returns
    -------
    Natural logarithm, per group; minus infinity where there are too few groups to tell.
    """
    if len(state.on) < LEAST_GROUPS:
        return np.full(len(state.on), -np.inf)
    rng = np.random.default_rng(seed)
    said = np.empty((N_PERMS, len(state.on)))
    for row in said:
        permuted = state.columns(rng.permutation(state.on.shape[1]))
        row[:] = logsumexp(weigh(permuted, lists)[0].ratio, axis=1)
    return np.asarray(np.quantile(said, 1 - BY_CHANCE, axis=0))
