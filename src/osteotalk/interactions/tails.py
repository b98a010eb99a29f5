"""Tail of the null distribution of one edge, without shuffles.

Under label shuffles with fixed group sizes, the strength of an edge is the mean of the ligand over
a random sample of cells plus the mean of the receptor over another one. That is a sum over
independent cells, conditioned on the sizes of the two samples: its tail follows from the double
saddlepoint approximation (Skovgaard 1987, J. Appl. Probab. 24, 875, doi:10.2307/3214212) in the
form of Barndorff-Nielsen (1986, Biometrika 73, 307, doi:10.1093/biomet/73.2.307). It knows that
populations are finite and disjoint, and that one cell may express ligand and receptor. Genes that
only a handful of cells express give distributions of few steps; for these, all placements of their
cells are counted.

Everything here is compiled. Values come divided by the size of their sample: `x` is the ligand of
each expressing cell over the size of the source, `y` the receptor over the size of the target. A
single sample (source and target are the same) has `y` = 0 and `n_b` = 0.
"""

import math

import numpy as np
from numba import njit

ENUMERATE_ALL = 9  # expressing cells of both genes up to which all placements are counted
ENUMERATE_ONE = 4  # the same for the rarer gene alone
SLACK = 1e-9  # relative; equal sums may differ by rounding
COUNTED, PARTLY_COUNTED = -1.0, -2.0  # instead of an effective number of cells
_STEPS = 60
_ROUNDING = 1e-12  # of a variance
_FIRST_STEP_BACK = 0.01  # of the way to the mean
_LARGEST_EXPONENT = 400.0  # half as much again, the next step at most, can still be raised to e
_CENTRE = 0.02  # standard deviations around the mean, where the formula is 0 / 0


@njit(nogil=True, cache=True, error_model="numpy")
def evaluate(t, u, v, x, y, weight, rest, share_a, share_b):
    """Gradient (3) and curvature (tt, uu, vv, uv, tu, tv) of the cumulant generating function."""
    in_a, in_b = share_a * math.exp(u), share_b * math.exp(v)
    share_0 = 1.0 - share_a - share_b
    total = share_0 + in_a + in_b
    p, q = in_a / total, in_b / total
    k_t = k_tt = k_tu = k_tv = 0.0
    k_u, k_v = rest * p, rest * q
    k_uu, k_vv, k_uv = rest * p * (1 - p), rest * q * (1 - q), -rest * p * q
    for i in range(x.shape[0]):
        xi, yi, w = x[i], y[i], weight[i]
        a = in_a * math.exp(t * xi) if xi != 0 else in_a
        b = in_b * math.exp(t * yi) if yi != 0 else in_b
        total = share_0 + a + b
        p, q = a / total, b / total
        mean = p * xi + q * yi
        k_t += w * mean
        k_u += w * p
        k_v += w * q
        k_tt += w * (p * xi * xi + q * yi * yi - mean * mean)
        k_uu += w * p * (1 - p)
        k_vv += w * q * (1 - q)
        k_uv -= w * p * q
        k_tu += w * p * (xi - mean)
        k_tv += w * q * (yi - mean)
    if share_b == 0.0:
        k_vv = 1.0
    return k_t, k_u, k_v, k_tt, k_uu, k_vv, k_uv, k_tu, k_tv


@njit(nogil=True, cache=True, error_model="numpy")
def cumulant(t, u, v, x, y, weight, rest, share_a, share_b):
    """Cumulant generating function, and the effective number of cells that make the tail vary."""
    in_a, in_b = share_a * math.exp(u), share_b * math.exp(v)
    share_0 = 1.0 - share_a - share_b
    k = rest * math.log(share_0 + in_a + in_b)
    variance = squares = 0.0
    for i in range(x.shape[0]):
        xi, yi, w = x[i], y[i], weight[i]
        a, b = in_a * math.exp(t * xi), in_b * math.exp(t * yi)
        total = share_0 + a + b
        k += w * math.log(total)
        mean = (a * xi + b * yi) / total
        own = (a * xi * xi + b * yi * yi) / total - mean * mean
        variance += w * own
        squares += w * own * own
    return k, variance * variance / squares if squares > 0 else 0.0


@njit(nogil=True, cache=True, error_model="numpy")
def _within(step, limit):
    return min(max(step, -limit), limit)


@njit(nogil=True, cache=True, error_model="numpy")
def _solve(x, y, weight, rest, n_a, n_b, n_cells, threshold):
    """Saddlepoint (t, u, v), the curvature along t and of (u, v), the spread, and success."""
    share_a, share_b = n_a / n_cells, n_b / n_cells
    t = u = v = spread = 0.0
    top = max(np.abs(x).max(), np.abs(y).max())
    for step in range(_STEPS):
        k_t, k_u, k_v, k_tt, k_uu, k_vv, k_uv, k_tu, k_tv = evaluate(
            t, u, v, x, y, weight, rest, share_a, share_b
        )
        determinant = k_uu * k_vv - k_uv * k_uv
        if not determinant > 0.0:
            break
        along_u = (k_vv * k_tu - k_uv * k_tv) / determinant
        along_v = (k_uu * k_tv - k_uv * k_tu) / determinant
        curvature = k_tt - along_u * k_tu - along_v * k_tv
        if step == 0:
            if not curvature > _ROUNDING * k_tt:
                break
            spread = math.sqrt(curvature)
        off_a, off_b = n_a - k_u, n_b - k_v
        step_u = (k_vv * off_a - k_uv * off_b) / determinant
        step_v = (k_uu * off_b - k_uv * off_a) / determinant
        off = threshold - k_t - k_tu * step_u - k_tv * step_v
        close = abs(off) < 1e-5 * spread and abs(off_a) < 1e-5 * n_a
        if close and abs(off_b) <= 1e-5 * n_b:
            # one more step: near the mean the formula divides by small numbers
            move = off / curvature
            u, v = u + step_u - move * along_u, v + step_v - move * along_v
            return t + move, u, v, curvature, determinant, spread, True
        if not curvature > 1e-12 * spread * spread or abs(t) * top > _LARGEST_EXPONENT:
            break
        # Newton, in steps that keep the exponentials in bounds
        limit = max(1.5 / spread, 0.5 * abs(t))
        move = _within(off / curvature, limit)
        t += move
        u += _within(step_u - move * along_u, 1.5)
        v += _within(step_v - move * along_v, 1.5)
    return t, u, v, 0.0, max(determinant, 1e-300), spread, False


@njit(nogil=True, cache=True, error_model="numpy")
def _approximate(x, y, weight, rest, n_a, n_b, n_cells, threshold):
    """Tail by the saddlepoint; its effective number of cells, 0 if no saddlepoint was found."""
    t, u, v, curvature, determinant, spread, found = _solve(
        x, y, weight, rest, n_a, n_b, n_cells, threshold
    )
    if spread == 0.0:
        return 1.0, COUNTED  # the same sum for all labels
    share_a, share_b = n_a / n_cells, n_b / n_cells
    above_mean = threshold - (weight * (share_a * x + share_b * y)).sum()
    if not found and above_mean <= 0:
        return 1.0, 0.0  # near the smallest sum
    # Near the largest sum no saddlepoint is found: a lower sum is at least as probable.
    back, exact, highest = _FIRST_STEP_BACK, found, threshold
    while not found and back < 1:
        threshold = highest - back * above_mean
        t, u, v, curvature, determinant, _, found = _solve(
            x, y, weight, rest, n_a, n_b, n_cells, threshold
        )
        back *= 2
    if not found:
        return 1.0, 0.0
    k, effective = cumulant(t, u, v, x, y, weight, rest, share_a, share_b)
    first = n_cells * share_a * (1 - share_a)
    if share_b > 0:
        first = first * n_cells * share_b * (1 - share_b) - (n_cells * share_a * share_b) ** 2
    ratio = determinant / first
    square = max(2 * (t * threshold + u * n_a + v * n_b - k), 0.0)
    if not exact:
        effective = 0.0
    w = math.copysign(math.sqrt(square), t)
    if abs(w) < _CENTRE:
        return -1.0, effective
    z = w + math.log(t * math.sqrt(curvature * ratio) / w) / w
    return 0.5 * math.erfc(z / math.sqrt(2.0)), effective


@njit(nogil=True, cache=True, error_model="numpy")
def saddlepoint_tail(x, y, weight, rest, n_a, n_b, n_cells, threshold):
    """Probability of a sum of at least `threshold`, by the saddlepoint approximation.

    Parameters
    ----------
    x, y, weight
        Values of ligand and receptor of the expressing cells, each divided by the size of its
        sample, and how many cells have them.
    rest
        Cells that express neither.
    n_a, n_b, n_cells
        Sizes of the two samples and of the whole; `n_b` is 0 for a single sample.
    threshold
        Sum of `x` over the first sample and `y` over the second.

    Returns
    -------
    The probability, and the effective number of cells that make it vary (0: no saddlepoint).
    """
    if n_b > 0 and n_a + n_b == n_cells:
        # two samples that make up everything: the second is what the first leaves over
        threshold = threshold - (weight * y).sum()
        x, y, n_b = x - y, np.zeros_like(y), 0
    p, effective = _approximate(x, y, weight, rest, n_a, n_b, n_cells, threshold)
    if p < 0:
        # the mean itself: between two neighbours
        shift = 5 * _CENTRE * _solve(x, y, weight, rest, n_a, n_b, n_cells, threshold)[5]
        above = _approximate(x, y, weight, rest, n_a, n_b, n_cells, threshold + shift)[0]
        below = _approximate(x, y, weight, rest, n_a, n_b, n_cells, threshold - shift)[0]
        p = (above + below) / 2
    return p, effective


@njit(nogil=True, cache=True, error_model="numpy")
def _falling(n, k):
    """Ways to place `k` different cells among `n`."""
    product = 1.0
    for i in range(k):
        product *= n - i
    return product


@njit(nogil=True, cache=True, error_model="numpy")
def _log_falling(n, k):
    """Logarithm of `_falling`, of any size."""
    return math.lgamma(n + 1.0) - math.lgamma(n - k + 1.0)


@njit(nogil=True, cache=True, error_model="numpy")
def largest_tail(x, y, weight, n_a, n_b, n_cells, threshold):
    """Probability of the largest sum: each cell is in the sample where it has more.

    Parameters as in `saddlepoint_tail`.

    Returns
    -------
    -1 if `threshold` is lower, if a sample has no room for its cells or if a cell has as much in
    both.
    """
    in_a = in_b = largest = 0.0
    for i in range(x.shape[0]):
        if x[i] == y[i]:
            return -1.0
        largest += weight[i] * max(x[i], y[i])
        if x[i] > y[i]:
            in_a += weight[i]
        else:
            in_b += weight[i]
    if in_a > n_a or in_b > n_b or threshold < largest * (1 - SLACK):
        return -1.0
    placed = _log_falling(n_a, in_a) + _log_falling(n_b, in_b)
    return math.exp(placed - _log_falling(n_cells, in_a + in_b))


@njit(nogil=True, cache=True, error_model="numpy")
def placements_tail(x, y, n_a, n_b, n_cells, threshold):
    """Probability of a sum of at least `threshold`, by all placements of the expressing cells.

    Parameters as in `saddlepoint_tail`, one value per cell.
    """
    m = x.shape[0]
    last = 2 if n_b > 0 else 1
    reached = threshold - SLACK * abs(threshold)
    place = np.zeros(m, np.int64)  # 0: elsewhere, 1: in the first sample, 2: in the second
    ways = 0.0
    while True:
        in_a = in_b = 0
        total = 0.0
        for i in range(m):
            if place[i] == 1:
                in_a += 1
                total += x[i]
            elif place[i] == 2:
                in_b += 1
                total += y[i]
        if total >= reached:
            elsewhere = _falling(n_cells - n_a - n_b, m - in_a - in_b)
            ways += _falling(n_a, in_a) * _falling(n_b, in_b) * elsewhere
        i = 0
        while i < m and place[i] == last:
            place[i] = 0
            i += 1
        if i == m:
            return ways / _falling(n_cells, m)
        place[i] += 1


@njit(nogil=True, cache=True, error_model="numpy")
def sample_tail(values, n, n_cells, threshold, slack):
    """Probability that `n` of `n_cells` cells, some of which have `values`, reach a sum.

    Sums that miss `threshold` by no more than `slack` count.
    """
    if threshold <= slack:
        return 1.0
    m = values.shape[0]
    ordered = np.sort(values)[::-1]
    largest = ordered[:n].sum()
    if n == 0 or largest < threshold - slack:
        return 0.0
    if m <= ENUMERATE_ALL:
        return placements_tail(values, values, n, 0, n_cells, threshold - slack)
    if largest <= threshold + slack:
        # the cells above the lowest of the sample, and some of those that have as much as it
        lowest = ordered[n - 1] if n <= m else 0.0
        above = (values > lowest).sum()
        equal = (values == lowest).sum() if n <= m else n_cells - m
        picked = n - above
        ways = _log_falling(equal, picked) - math.lgamma(picked + 1.0)
        return math.exp(ways - _log_falling(n_cells, n) + math.lgamma(n + 1.0))
    rest = float(n_cells - m)
    return saddlepoint_tail(values, np.zeros(m), np.ones(m), rest, n, 0, n_cells, threshold)[0]


@njit(nogil=True, cache=True, error_model="numpy")
def rare_tail(x, y, n_a, n_b, n_cells, threshold):
    """Probability of a sum of at least `threshold` if few cells express `x`.

    Their placements are counted, and for each the tail of the sum of `y` over the other cells.
    Parameters as in `saddlepoint_tail`, one value per cell; with `n_b` = 0 both genes are summed
    over the first sample.
    """
    slack = SLACK * abs(threshold)
    rare = np.flatnonzero(x > 0)
    others = y[x == 0]
    m = rare.shape[0]
    last = 2 if n_b > 0 else 1
    place = np.zeros(m, np.int64)
    p = 0.0
    while True:
        in_a = in_b = 0
        total = 0.0
        for i in range(m):
            if place[i] == 1:
                in_a += 1
                total += x[rare[i]] if n_b > 0 else x[rare[i]] + y[rare[i]]
            elif place[i] == 2:
                in_b += 1
                total += y[rare[i]]
        ways = _falling(n_a, in_a) * _falling(n_b, in_b)
        ways *= _falling(n_cells - n_a - n_b, m - in_a - in_b)
        if ways > 0:
            n = n_b - in_b if n_b > 0 else n_a - in_a
            p += ways * sample_tail(others, n, n_cells - m, threshold - total, slack)
        i = 0
        while i < m and place[i] == last:
            place[i] = 0
            i += 1
        if i == m:
            return p / _falling(n_cells, m)
        place[i] += 1


@njit(nogil=True, cache=True, error_model="numpy")
def edge_tail(x, y, weight, n_a, n_b, same, n_cells, strength):
    """Probability that shuffled labels give an edge of at least this strength.

    Parameters
    ----------
    x, y, weight
        Expression of ligand and receptor in the expressing cells, and how many cells have it.
    n_a, n_b, n_cells
        Cells of the source, the target and in all.
    same
        Whether source and target are one population.
    strength
        Mean of the ligand in the source plus mean of the receptor in the target.

    Returns
    -------
    The probability; the effective number of cells that make it vary (0: no saddlepoint), or
    `COUNTED` or `PARTLY_COUNTED`.
    """
    m = x.shape[0]
    x, y = x / n_a, y / n_b
    second = 0 if same else n_b
    if weight.sum() == m:  # one cell each
        if m <= ENUMERATE_ALL:
            own = x + y if same else x
            return placements_tail(own, y, n_a, second, n_cells, strength), COUNTED
        n_x, n_y = (x > 0).sum(), (y > 0).sum()
        if n_x <= min(n_y, ENUMERATE_ONE):
            return rare_tail(x, y, n_a, second, n_cells, strength), PARTLY_COUNTED
        if n_y <= ENUMERATE_ONE:
            third = 0 if same else n_a
            return rare_tail(y, x, n_b, third, n_cells, strength), PARTLY_COUNTED
    if same:
        x, y = x + y, np.zeros(m)
    p = largest_tail(x, y, weight, n_a, second, n_cells, strength)
    if p >= 0:
        return p, COUNTED
    rest = n_cells - weight.sum()
    return saddlepoint_tail(x, y, weight, rest, n_a, second, n_cells, strength)


@njit(nogil=True, cache=True, error_model="numpy")
def edge_tails(x, y, weight, sizes, source, target, strength, p, effective):
    """Fill in `edge_tail` of edges of one pair of genes; `sizes` are those of all populations."""
    n_cells = sizes.sum()
    for i in range(source.shape[0]):
        a, b = source[i], target[i]
        p[i], effective[i] = edge_tail(
            x, y, weight, sizes[a], sizes[b], a == b, n_cells, strength[i]
        )
