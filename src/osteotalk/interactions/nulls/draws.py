"""P-values of single edges by drawing labels for their expressing cells only. Compiled."""

import numpy as np
from numba import njit

# Relative; equal sums may differ by rounding. As in `tails`: numba looks for changes in one file.
SLACK = 1e-9
FIRST_LOOK = 200  # draws before the first decision whether to stop


@njit(nogil=True, cache=True, error_model="numpy")
def _draw(x, y, n_a, n_b, same, n_cells):
    """Strength of an edge after one shuffle of the labels."""
    left_a, left_b, left = n_a, 0 if same else n_b, n_cells
    total = 0.0
    for i in range(x.shape[0]):
        place = np.random.random() * left  # noqa: NPY002
        if place < left_a:
            left_a -= 1
            total += x[i] / n_a
            if same:
                total += y[i] / n_a
        elif place < left_a + left_b:
            left_b -= 1
            total += y[i] / n_b
        left -= 1
    return total


@njit(nogil=True, cache=True, error_model="numpy")
def drawn_tail(x, y, n_a, n_b, same, n_cells, strength, cut, exceedances, most, seed):
    """P-value of one edge by drawing, until it is clear on which side of `cut` it is.

    Parameters
    ----------
    x, y, n_a, n_b, same, n_cells, strength
        See `osteotalk.interactions.nulls.tails.edge_tail`; one value per expressing cell.
    cut
        The p-value that decides. Drawing stops when the p-value is 3.3 standard errors away from
        it (which chance alone does once in a thousand times) and `exceedances` were seen.
    exceedances
        Draws at least as strong as observed that are wanted.
    most
        Most draws.
    seed
        Seed of the draws of this edge.

    Returns
    -------
    (b + 1) / (n + 1) with b of n draws at least as strong, and n.
    """
    # Compiled code has no other seeded generator that is quick to make; its state is the thread's.
    np.random.seed(seed)  # noqa: NPY002, TID251
    reached, n = 0, 0
    least = strength * (1 - SLACK)
    look = FIRST_LOOK
    while n < most:
        while n < min(look, most):
            reached += _draw(x, y, n_a, n_b, same, n_cells) >= least
            n += 1
        p = (reached + 1) / (n + 1)
        error = np.sqrt(p * (1 - p) / n)
        if reached >= exceedances and abs(p - cut) > 3.3 * error:
            break
        look *= 2
    return (reached + 1) / (n + 1), n
