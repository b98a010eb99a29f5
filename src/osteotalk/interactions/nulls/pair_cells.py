"""The cells that express one or both genes of a pair, as few weighted points. Compiled."""

import math

import numpy as np
from numba import njit

MAX_POINTS = 192  # above this many cells, cells of similar expression are put together
_BINS_ONE, _BINS_BOTH = 20, 5
_TINY = 1e-300  # instead of 0, to divide by


@njit(nogil=True, cache=True, error_model="numpy")
def expressing(indptr, indices, data, ligand, receptor):
    """Values of ligand and receptor in the cells that express one of them (CSC matrix)."""
    i, end_i = indptr[ligand], indptr[ligand + 1]
    j, end_j = indptr[receptor], indptr[receptor + 1]
    x = np.zeros(end_i - i + end_j - j)
    y = np.zeros(end_i - i + end_j - j)
    n = 0
    while i < end_i or j < end_j:
        cell_i = indices[i] if i < end_i else np.iinfo(np.int64).max
        cell_j = indices[j] if j < end_j else np.iinfo(np.int64).max
        if cell_i <= cell_j:
            x[n] = data[i]
            i += 1
        if cell_j <= cell_i:
            y[n] = data[j]
            j += 1
        n += 1
    return x[:n], y[:n]


@njit(nogil=True, cache=True, error_model="numpy")
def in_order(x, y):
    """Cells in the order of their own values, so that nothing depends on the order they came in."""
    order = np.argsort(y, kind="mergesort")
    order = order[np.argsort(x[order], kind="mergesort")]
    return x[order], y[order]


@njit(nogil=True, cache=True, error_model="numpy")
def merged(x, y):
    """Different cells in their own order: `x`, `y` and the number of cells of each."""
    x, y = in_order(x, y)
    n = np.zeros(x.shape[0])
    last = -1
    for i in range(x.shape[0]):
        if last < 0 or x[i] != x[last] or y[i] != y[last]:
            last += 1
            x[last], y[last] = x[i], y[i]
        n[last] += 1
    return x[: last + 1], y[: last + 1], n[: last + 1]


@njit(nogil=True, cache=True, error_model="numpy")
def _bin(value, top, number):
    """Bin of a value: 0 for zero, else 1 to `number`."""
    return min(int(value / top * number) + 1, number) if value > 0 else 0


@njit(nogil=True, cache=True, error_model="numpy")
def _moments(x, y):
    """Number of cells and means of x, y, x * x, y * y and x * y in each bin that has cells.

    Shares of the largest value are added up as whole numbers, whose sum no order changes.
    """
    size = max(_BINS_ONE, _BINS_BOTH) + 1
    sums = np.zeros((size * size, 6), np.int64)
    top_x, top_y = max(x.max(), _TINY), max(y.max(), _TINY)
    unit = 2.0 ** (62 - math.ceil(math.log2(x.shape[0] + 1)))
    for k in range(x.shape[0]):
        number = _BINS_BOTH if x[k] > 0 and y[k] > 0 else _BINS_ONE
        row = sums[_bin(x[k], top_x, number) * size + _bin(y[k], top_y, number)]
        of_x, of_y = x[k] / top_x, y[k] / top_y
        row[0] += 1
        row[1] += np.int64(np.rint(of_x * unit))
        row[2] += np.int64(np.rint(of_y * unit))
        row[3] += np.int64(np.rint(of_x * of_x * unit))
        row[4] += np.int64(np.rint(of_y * of_y * unit))
        row[5] += np.int64(np.rint(of_x * of_y * unit))
    sums = sums[np.flatnonzero(sums[:, 0])]
    means = sums / unit
    means[:, 1:] /= sums[:, :1]
    means[:, 0] = sums[:, 0]
    means[:, 1:] *= np.array([top_x, top_y, top_x * top_x, top_y * top_y, top_x * top_y])
    return means


@njit(nogil=True, cache=True, error_model="numpy")
def _spread(square, mean):
    """Standard deviation, but not more than the mean; 0 if it is mere rounding."""
    spread = math.sqrt(max(square - mean * mean, 0.0))
    return min(spread, 0.9 * mean) if spread > 1e-6 * mean else 0.0


@njit(nogil=True, cache=True, error_model="numpy")
def bins(x, y):
    """Put cells of similar expression together.

    Cells that express one gene are grouped more finely than those that express both, which are
    fewer. A group becomes up to four points, a standard deviation above and below its means, so
    that means, variances and covariance of the two genes stay as they are.

    Returns
    -------
    `x`, `y` and number of cells of each point; the numbers need not be whole.
    """
    groups = _moments(x, y)
    points, n_points = np.empty((3, 4 * groups.shape[0])), 0
    for n, mean_x, mean_y, xx, yy, xy in groups:
        off_x, off_y = _spread(xx, mean_x), _spread(yy, mean_y)
        r = 0.0
        if off_x > 0 and off_y > 0:
            r = min(max((xy - mean_x * mean_y) / (off_x * off_y), -1.0), 1.0)
        for i in range(4):
            side_x, side_y = 2 * (i % 2) - 1, 2 * (i // 2) - 1
            share = (1 + side_x * side_y * r) / 4
            if (off_x == 0 and side_x < 0) or (off_y == 0 and side_y < 0) or share < 1e-9:
                continue
            share *= (2 if off_x == 0 else 1) * (2 if off_y == 0 else 1)
            points[0, n_points] = mean_x + side_x * off_x
            points[1, n_points] = mean_y + side_y * off_y
            points[2, n_points] = n * share
            n_points += 1
    return points[0, :n_points], points[1, :n_points], points[2, :n_points]
