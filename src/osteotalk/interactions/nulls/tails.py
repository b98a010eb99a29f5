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
COUNTED = -1.0  # instead of an effective number of cells
# Standard error of log10(p) of the approximation, measured against a million shuffles
# (benchmarks/null.py): it falls with the effective number of cells.
ERROR_OF_ONE, ERROR_WITHOUT_SADDLEPOINT = 0.27, 0.3
_STEPS, _NEWTON_STEPS = 60, 25
_LEAST = 1e-300  # of a counted probability; no strength that was observed has less
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
def _step_error(t, u, v, values, others, weight, share, other_share):
    """Error of log10(p) because `values` are so alike that the sum goes in steps.

    By the first term of the Fourier series of a stepwise distribution: half a step in the tail,
    times how much of the steps the differences between cells leave.
    """
    own, other = share * math.exp(u), other_share * math.exp(v)
    share_0 = 1.0 - share - other_share
    mean = total_weight = 0.0
    for i in range(values.shape[0]):
        a, b = own * math.exp(t * values[i]), other * math.exp(t * others[i])
        p = a / (share_0 + a + b)
        influence = weight[i] * p * (1 - p) * values[i] * values[i]
        mean += influence * abs(values[i])
        total_weight += influence
    if total_weight <= 0.0:
        return 0.0
    step = mean / total_weight
    left = 0.0
    for i in range(values.shape[0]):
        a, b = own * math.exp(t * values[i]), other * math.exp(t * others[i])
        total = share_0 + a + b
        turn, other_turn = 2 * math.pi * values[i] / step, 2 * math.pi * others[i] / step
        real = (share_0 + a * math.cos(turn) + b * math.cos(other_turn)) / total
        imaginary = (a * math.sin(turn) + b * math.sin(other_turn)) / total
        left += weight[i] * 0.5 * math.log(max(real * real + imaginary * imaginary, 1e-30))
    return abs(t) * step / 2 * math.exp(left) / math.log(10.0)


@njit(nogil=True, cache=True, error_model="numpy")
def _log_normal_tail(z):
    """Logarithm of the upper tail of the normal distribution, however far out."""
    if z < 20.0:
        return math.log(0.5 * math.erfc(z / math.sqrt(2.0)))
    series = 1 - 1 / z**2 + 3 / z**4 - 15 / z**6
    return -z * z / 2 - math.log(z * math.sqrt(2 * math.pi)) + math.log(series)


@njit(nogil=True, cache=True, error_model="numpy")
def _within(step, limit):
    return min(max(step, -limit), limit)


@njit(nogil=True, cache=True, error_model="numpy")
def _profile(t, u, v, x, y, weight, rest, n_a, n_b, n_cells):
    """Give u and v that keep the sizes of the samples at this t, and the mean of the sum."""
    share_a, share_b = n_a / n_cells, n_b / n_cells
    mean = 0.0
    for _ in range(_STEPS):
        mean, k_u, k_v, _, k_uu, k_vv, k_uv, _, _ = evaluate(
            t, u, v, x, y, weight, rest, share_a, share_b
        )
        off_a, off_b = n_a - k_u, n_b - k_v
        determinant = k_uu * k_vv - k_uv * k_uv
        if (abs(off_a) < 1e-6 * n_a and abs(off_b) <= 1e-6 * n_b) or not determinant > 0.0:
            break
        u += _within((k_vv * off_a - k_uv * off_b) / determinant, 1.0)
        v += _within((k_uu * off_b - k_uv * off_a) / determinant, 1.0)
    return u, v, mean


@njit(nogil=True, cache=True, error_model="numpy")
def _bracket(x, y, weight, rest, n_a, n_b, n_cells, threshold, spread):
    """Find the saddlepoint to a thousandth by halving, slowly and surely: the mean grows with t."""
    top = max(np.abs(x).max(), np.abs(y).max())
    u = v = low = 0.0
    mean = _profile(0.0, u, v, x, y, weight, rest, n_a, n_b, n_cells)[2]
    sign = 1.0 if threshold > mean else -1.0
    high = sign * 0.5 / spread
    while abs(high) * top < _LARGEST_EXPONENT:
        u, v, mean = _profile(high, u, v, x, y, weight, rest, n_a, n_b, n_cells)
        if sign * (mean - threshold) >= 0:
            break
        low, high = high, 2 * high
    middle = high
    for _ in range(_STEPS):
        middle = (low + high) / 2
        u, v, mean = _profile(middle, u, v, x, y, weight, rest, n_a, n_b, n_cells)
        if abs(mean - threshold) < 1e-3 * spread:
            break
        if sign * (mean - threshold) > 0:
            high = middle
        else:
            low = middle
    return middle, u, v


@njit(nogil=True, cache=True, error_model="numpy")
def _solve(x, y, weight, rest, n_a, n_b, n_cells, threshold):
    """Saddlepoint (t, u, v), the curvature along t and of (u, v), the spread, and success."""
    start, spread = (0.0, 0.0, 0.0), 0.0
    result = _newton(start, spread, x, y, weight, rest, n_a, n_b, n_cells, threshold)
    if not result[6] and result[5] > 0:
        spread = result[5]
        start = _bracket(x, y, weight, rest, n_a, n_b, n_cells, threshold, spread)
        result = _newton(start, spread, x, y, weight, rest, n_a, n_b, n_cells, threshold)
    return result


@njit(nogil=True, cache=True, error_model="numpy")
def _newton(start, spread, x, y, weight, rest, n_a, n_b, n_cells, threshold):
    """Newton's method from a start; as `_solve`. The spread at t = 0 is found if it is 0."""
    share_a, share_b = n_a / n_cells, n_b / n_cells
    t, u, v = start
    determinant = 0.0
    top = max(np.abs(x).max(), np.abs(y).max())
    for _ in range(_NEWTON_STEPS):
        k_t, k_u, k_v, k_tt, k_uu, k_vv, k_uv, k_tu, k_tv = evaluate(
            t, u, v, x, y, weight, rest, share_a, share_b
        )
        determinant = k_uu * k_vv - k_uv * k_uv
        if not determinant > 0.0:
            break
        along_u = (k_vv * k_tu - k_uv * k_tv) / determinant
        along_v = (k_uu * k_tv - k_uv * k_tu) / determinant
        curvature = k_tt - along_u * k_tu - along_v * k_tv
        if spread == 0.0:
            if not curvature > _ROUNDING * k_tt:
                break
            spread = math.sqrt(curvature)
        off_a, off_b = n_a - k_u, n_b - k_v
        step_u = (k_vv * off_a - k_uv * off_b) / determinant
        step_v = (k_uu * off_b - k_uv * off_a) / determinant
        off = threshold - k_t - k_tu * step_u - k_tv * step_v
        close = abs(off) < 1e-5 * spread and abs(off_a) < 1e-5 * n_a
        bent = curvature > 1e-12 * spread * spread  # else near the largest sum
        if close and bent and abs(off_b) <= 1e-5 * n_b:
            # one more step: near the mean the formula divides by small numbers
            move = off / curvature
            u, v = u + step_u - move * along_u, v + step_v - move * along_v
            return t + move, u, v, curvature, determinant, spread, True
        if not bent or abs(t) * top > _LARGEST_EXPONENT:
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
    """Logarithm of the tail by the saddlepoint, 1 at the mean; the effective number of cells."""
    t, u, v, curvature, determinant, spread, found = _solve(
        x, y, weight, rest, n_a, n_b, n_cells, threshold
    )
    if spread == 0.0:
        return 0.0, COUNTED  # the same sum for all labels
    share_a, share_b = n_a / n_cells, n_b / n_cells
    above_mean = threshold - (weight * (share_a * x + share_b * y)).sum()
    if not found and above_mean <= 0:
        return 0.0, 0.0  # near the smallest sum
    # Near the largest sum no saddlepoint is found: a lower sum is at least as probable.
    back, exact, highest = _FIRST_STEP_BACK, found, threshold
    while not found and back < 1:
        threshold = highest - back * above_mean
        t, u, v, curvature, determinant, _, found = _solve(
            x, y, weight, rest, n_a, n_b, n_cells, threshold
        )
        back *= 2
    if not found:
        return 0.0, 0.0
    k, effective = cumulant(t, u, v, x, y, weight, rest, share_a, share_b)
    first = n_cells * share_a * (1 - share_a)
    if share_b > 0:
        first = first * n_cells * share_b * (1 - share_b) - (n_cells * share_a * share_b) ** 2
    ratio = determinant / first
    square = max(2 * (t * threshold + u * n_a + v * n_b - k), 0.0)
    if not exact:
        effective = 0.0
    elif t > 0 and effective > 0:
        steps = _step_error(t, u, v, x, y, weight, share_a, share_b)
        if share_b > 0:
            steps = math.hypot(steps, _step_error(t, v, u, y, x, weight, share_b, share_a))
        effective = ERROR_OF_ONE / math.hypot(ERROR_OF_ONE / effective, steps)
    w = math.copysign(math.sqrt(square), t)
    if abs(w) < _CENTRE:
        return 1.0, effective
    z = w + math.log(t * math.sqrt(curvature * ratio) / w) / w
    return _log_normal_tail(z), effective


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
    Logarithm of the probability, and the effective number of cells that make it vary: fewer where
    cells are so alike that the sum goes in steps, 0 if there is no saddlepoint.
    """
    if n_b > 0 and n_a + n_b == n_cells:
        # two samples that make up everything: the second is what the first leaves over
        threshold = threshold - (weight * y).sum()
        x, y, n_b = x - y, np.zeros_like(y), 0
    log_p, effective = _approximate(x, y, weight, rest, n_a, n_b, n_cells, threshold)
    if log_p > 0:
        # the mean itself: between two neighbours
        shift = 5 * _CENTRE * _solve(x, y, weight, rest, n_a, n_b, n_cells, threshold)[5]
        above = _approximate(x, y, weight, rest, n_a, n_b, n_cells, threshold + shift)[0]
        below = _approximate(x, y, weight, rest, n_a, n_b, n_cells, threshold - shift)[0]
        log_p = math.log((math.exp(min(above, 0.0)) + math.exp(min(below, 0.0))) / 2)
    return log_p, effective


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
    Its logarithm; 1 if `threshold` is lower, if a sample has no room for its cells or if a cell has
    as much in both.
    """
    in_a = in_b = largest = 0.0
    for i in range(x.shape[0]):
        if x[i] == y[i]:
            return 1.0
        largest += weight[i] * max(x[i], y[i])
        if x[i] > y[i]:
            in_a += weight[i]
        else:
            in_b += weight[i]
    if in_a > n_a or in_b > n_b or threshold < largest * (1 - SLACK):
        return 1.0
    placed = _log_falling(n_a, in_a) + _log_falling(n_b, in_b)
    return placed - _log_falling(n_cells, in_a + in_b)


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
def _sample_saddlepoint(values, weight, rest, n, n_cells, threshold):
    """Probability of one sample by the saddlepoint, and the estimated error of its log10."""
    zeros = np.zeros(values.shape[0])
    log_p, effective = saddlepoint_tail(values, zeros, weight, rest, n, 0, n_cells, threshold)
    if effective == COUNTED:
        return math.exp(log_p), 0.0
    error = ERROR_OF_ONE / effective if effective > 0 else ERROR_WITHOUT_SADDLEPOINT
    return math.exp(min(log_p, 0.0)), error


@njit(nogil=True, cache=True, error_model="numpy")
def sample_tail(values, weight, n, n_cells, threshold, slack):
    """Probability that `n` of `n_cells` cells, some of which have `values`, reach a sum.

    `weight` is how many cells have each value. Sums that miss `threshold` by no more than `slack`
    count. Gives the probability and the estimated error of its log10.
    """
    if threshold <= slack:
        return 1.0, 0.0
    if n == 0:
        return 0.0, 0.0
    m = values.shape[0]
    if weight.sum() != m:
        rest = n_cells - weight.sum()
        if (weight * values).sum() < threshold - slack:
            return 0.0, 0.0
        return _sample_saddlepoint(values, weight, rest, n, n_cells, threshold)
    ordered = np.sort(values)[::-1]
    largest = ordered[:n].sum()
    if largest < threshold - slack:
        return 0.0, 0.0
    if m <= ENUMERATE_ALL:
        return placements_tail(values, values, n, 0, n_cells, threshold - slack), 0.0
    if largest <= threshold + slack:
        # the cells above the lowest of the sample, and some of those that have as much as it
        lowest = ordered[n - 1] if n <= m else 0.0
        above = (values > lowest).sum()
        equal = (values == lowest).sum() if n <= m else n_cells - m
        picked = n - above
        ways = _log_falling(equal, picked) - math.lgamma(picked + 1.0)
        return math.exp(ways - _log_falling(n_cells, n) + math.lgamma(n + 1.0)), 0.0
    rest = float(n_cells - m)
    return _sample_saddlepoint(values, weight, rest, n, n_cells, threshold)


@njit(nogil=True, cache=True, error_model="numpy")
def rare_tail(x, y, others, weight, n_a, n_b, n_cells, threshold):
    """Probability of a sum of at least `threshold` if few cells express the first gene.

    Their placements are counted, and for each the tail of the sum of the second gene over the
    other cells.

    Parameters
    ----------
    x, y
        Values of the two genes in the cells that express the first.
    others, weight
        Values of the second gene in the others, and how many cells have them.
    n_a, n_b, n_cells, threshold
        As in `saddlepoint_tail`; with `n_b` = 0 both genes are summed over the first sample.

    Returns
    -------
    The probability, and the estimated error of its log10.
    """
    slack = SLACK * abs(threshold)
    m = x.shape[0]
    last = 2 if n_b > 0 else 1
    place = np.zeros(m, np.int64)
    p = errors = 0.0
    while True:
        in_a = in_b = 0
        total = 0.0
        for i in range(m):
            if place[i] == 1:
                in_a += 1
                total += x[i] if n_b > 0 else x[i] + y[i]
            elif place[i] == 2:
                in_b += 1
                total += y[i]
        ways = _falling(n_a, in_a) * _falling(n_b, in_b)
        ways *= _falling(n_cells - n_a - n_b, m - in_a - in_b)
        if ways > 0:
            n = n_b - in_b if n_b > 0 else n_a - in_a
            own, error = sample_tail(others, weight, n, n_cells - m, threshold - total, slack)
            p += ways * own
            errors += ways * own * error
        i = 0
        while i < m and place[i] == last:
            place[i] = 0
            i += 1
        if i == m:
            return p / _falling(n_cells, m), errors / p if p > 0 else 0.0
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
    Logarithm of the probability; the effective number of cells that make it vary (0: no
    saddlepoint), or `COUNTED`.
    """
    m = x.shape[0]
    x, y = x / n_a, y / n_b
    second = 0 if same else n_b
    if same:
        x, y = x + y, np.zeros(m)
    if m <= ENUMERATE_ALL and weight.sum() == m:  # one cell each
        p = placements_tail(x, y, n_a, second, n_cells, strength)
        return math.log(max(p, _LEAST)), COUNTED
    log_p = largest_tail(x, y, weight, n_a, second, n_cells, strength)
    if log_p <= 0:
        return log_p, COUNTED
    rest = n_cells - weight.sum()
    return saddlepoint_tail(x, y, weight, rest, n_a, second, n_cells, strength)


@njit(nogil=True, cache=True, error_model="numpy")
def edge_tails(x, y, weight, sizes, source, target, strength, log_p, effective):
    """Fill in `edge_tail` of edges of one pair of genes; `sizes` are those of all populations."""
    n_cells = sizes.sum()
    for i in range(source.shape[0]):
        a, b = source[i], target[i]
        log_p[i], effective[i] = edge_tail(
            x, y, weight, sizes[a], sizes[b], a == b, n_cells, strength[i]
        )


@njit(nogil=True, cache=True, error_model="numpy")
def rare_tails(x, y, others, weight, sizes, own, other, strength, log_p, effective):
    """Fill in `rare_tail` of edges; `own` is the population of the rare gene."""
    n_cells = sizes.sum()
    for i in range(own.shape[0]):
        n_a, n_b = sizes[own[i]], sizes[other[i]]
        second = 0 if own[i] == other[i] else n_b
        p, error = rare_tail(
            x / n_a, y / n_b, others / n_b, weight, n_a, second, n_cells, strength[i]
        )
        log_p[i] = math.log(max(p, _LEAST))
        effective[i] = ERROR_OF_ONE / error if error > 0 else COUNTED
