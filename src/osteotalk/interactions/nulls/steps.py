"""Continuity correction of edges whose cells tie. Compiled.

Where many cells have the same value (equal depth, presence and absence), the strength of an edge
goes in steps, and the one observed has a probability of its own, which counts as a whole; the
approximation of `tails`, which knows no steps, counts half of it. The other
half is the density times half a step (Feller 1971, An Introduction to Probability Theory and Its
Applications II, XVI.4). The step is that of the edge and of its two populations: the probability of
the observed strength over the density there, both from the characteristic function of the strength,
tilted to the one observed.
"""

import math

import numpy as np
from numba import njit

_STEPS = 60  # of Newton's method
_STEP, _N_FREQUENCIES = 0.35, 300  # frequencies, in 1 / spread
_MAIN_LOBE = 3.0  # below, the strength varies as if it had no steps
_FAINT = -16.0  # logarithm of a characteristic function that adds nothing


@njit(nogil=True, cache=True, error_model="numpy")
def _shares(t, u, v, x, y, share_a, share_b, p, q):
    """Fill in the tilted probabilities that a cell is in the first and in the second sample."""
    for i in range(x.shape[0]):
        a, b = share_a * math.exp(u + t * x[i]), share_b * math.exp(v + t * y[i])
        total = 1.0 - share_a - share_b + a + b
        p[i], q[i] = a / total, b / total


@njit(nogil=True, cache=True, error_model="numpy")
def _sums(x, y, weight, p, q, single):
    """Means (3) and covariances (ss, aa, bb, ab, sa, sb) of the strength and the two sizes."""
    mean = p * x + q * y
    s, a, b = (weight * mean).sum(), (weight * p).sum(), (weight * q).sum()
    ss = (weight * (p * x * x + q * y * y - mean * mean)).sum()
    aa, bb, ab = (
        (weight * p * (1 - p)).sum(),
        (weight * q * (1 - q)).sum(),
        -(weight * p * q).sum(),
    )
    sa, sb = (weight * p * (x - mean)).sum(), (weight * q * (y - mean)).sum()
    return s, a, b, ss, aa, 1.0 if single else bb, ab, sa, sb


@njit(nogil=True, cache=True, error_model="numpy")
def _within(step, limit):
    return min(max(step, -limit), limit)


@njit(nogil=True, cache=True, error_model="numpy")
def _tilted(x, y, weight, n_a, n_b, share_a, share_b, threshold, p, q):
    """Find the tilt at which the means are the sizes and the threshold.

    Gives t, u, v, the spread of the strength, the determinant of the sizes, and success.
    """
    t = u = v = spread = determinant = 0.0
    for _ in range(_STEPS):
        _shares(t, u, v, x, y, share_a, share_b, p, q)
        s, a, b, ss, aa, bb, ab, sa, sb = _sums(x, y, weight, p, q, n_b == 0)
        determinant = aa * bb - ab * ab
        if not determinant > 1e-280:
            break
        along_a, along_b = (bb * sa - ab * sb) / determinant, (aa * sb - ab * sa) / determinant
        variance = ss - along_a * sa - along_b * sb
        if not variance > 1e-12 * ss:
            break
        spread = math.sqrt(variance)
        off_a, off_b = n_a - a, n_b - b
        step_a, step_b = (
            (bb * off_a - ab * off_b) / determinant,
            (aa * off_b - ab * off_a) / determinant,
        )
        off = threshold - s - sa * step_a - sb * step_b
        if abs(off_a) + abs(off_b) < 1e-7 * n_a and abs(off) < 1e-5 * spread:
            return t, u, v, spread, determinant, True
        move = _within(off / variance, 1.0 / spread)
        t += move
        u += _within(step_a - move * along_a, 1.5)
        v += _within(step_b - move * along_b, 1.5)
    return t, u, v, spread, determinant, False


@njit(nogil=True, cache=True, error_model="numpy")
def _commonest(values, weight):
    """Value with the largest weight."""
    best, most = 0.0, -1.0
    for value in values:
        own = (weight * (values == value)).sum()
        if own > most:
            best, most = value, own
    return best


@njit(nogil=True, cache=True, error_model="numpy")
def _characteristic(theta, x, y, weight, p, q, strength):
    """Real part of the characteristic function of the strength less the observed one."""
    log, turn = 0.0, -theta * strength
    for i in range(x.shape[0]):
        if weight[i] == 0.0:
            continue
        real = 1.0 - p[i] - q[i] + p[i] * math.cos(theta * x[i]) + q[i] * math.cos(theta * y[i])
        imaginary = p[i] * math.sin(theta * x[i]) + q[i] * math.sin(theta * y[i])
        log += 0.5 * weight[i] * math.log(max(real * real + imaginary * imaginary, 1e-300))
        turn += weight[i] * math.atan2(imaginary, real)
        if log < _FAINT:
            return 0.0
    return math.exp(log) * math.cos(turn)


@njit(nogil=True, cache=True, error_model="numpy")
def _step(x, y, weight, p, q, strength, spread):
    """Step at the observed strength: its probability over the density there."""
    near, far, windows = 0.5, 0.0, 0.5
    for k in range(1, _N_FREQUENCIES):
        window = math.cos(math.pi * k / (2 * _N_FREQUENCIES)) ** 2
        windows += window
        value = window * _characteristic(k * _STEP / spread, x, y, weight, p, q, strength)
        if k * _STEP <= _MAIN_LOBE:
            near += value
        else:
            far += value
    if far <= 0.0:
        return 0.0
    # the main lobe is a part of a stepwise distribution, and all of one without steps
    atom = far * (1 + max(near, 0.0) / (far + max(near, 0.0))) / windows
    return atom * math.sqrt(2 * math.pi) * spread


@njit(nogil=True, cache=True, error_model="numpy")
def half_step(x, y, weight, rest, n_a, n_b, same, n_cells, strength):
    """Logarithm of half the probability of the observed strength.

    Parameters
    ----------
    x, y, weight
        Expression of ligand and receptor in the expressing cells, and how many cells have it.
    rest
        Cells that express neither.
    n_a, n_b, same, n_cells, strength
        See `osteotalk.interactions.nulls.tails.edge_tail`.

    Returns
    -------
    Minus infinity if the strength has no steps, plus infinity if there is no saddlepoint.
    """
    m = x.shape[0]
    x, y = np.append(x / n_a, 0.0), np.append(y / n_b, 0.0)
    weight = np.append(weight, float(rest))
    if same:
        x, y, n_b = x + y, np.zeros(m + 1), 0
    elif n_a + n_b == n_cells:
        strength = strength - (weight * y).sum()
        x, y, n_b = x - y, np.zeros(m + 1), 0
    share_a, share_b = n_a / n_cells, n_b / n_cells
    p, q = np.empty(m + 1), np.empty(m + 1)
    # values are counted from the commonest: sizes do not vary
    zero_x = _commonest(x, weight)
    zero_y = _commonest(y, weight) if n_b > 0 else 0.0
    x, y, strength = x - zero_x, y - zero_y, strength - n_a * zero_x - n_b * zero_y
    sizes = (n_a, n_b, share_a, share_b, strength, p, q)
    t, u, v, spread, determinant, found = _tilted(x, y, weight, *sizes)
    if not found:
        return math.inf
    mean = p * x + q * y
    own_spread = math.sqrt((weight * (p * x * x + q * y * y - mean * mean)).sum())
    step = _step(x, y, weight, p, q, strength, own_spread)
    if step <= 0.0:
        return -math.inf
    cumulant = 0.0
    for i in range(m + 1):
        a, b = share_a * math.exp(u + t * x[i]), share_b * math.exp(v + t * y[i])
        cumulant += weight[i] * math.log(1.0 - share_a - share_b + a + b)
    first = n_cells * share_a * (1 - share_a)
    if n_b > 0:
        first = first * n_cells * share_b * (1 - share_b) - (n_cells * share_a * share_b) ** 2
    log_density = cumulant - t * strength - u * n_a - v * n_b
    log_density += 0.5 * math.log(first / determinant) - math.log(math.sqrt(2 * math.pi) * spread)
    # Euler and Maclaurin's first two terms; the density falls by t
    second = max(1 + t * step * spread / own_spread / 6, 0.5)
    return math.log(0.5 * step * second) + log_density


@njit(nogil=True, cache=True, error_model="numpy")
def half_steps(x, y, weight, sizes, source, target, strength, result):
    """Fill in `half_step` of edges of one pair of genes; `sizes` are those of all populations."""
    n_cells = sizes.sum()
    rest = n_cells - weight.sum()
    for i in range(source.shape[0]):
        a, b = source[i], target[i]
        result[i] = half_step(x, y, weight, rest, sizes[a], sizes[b], a == b, n_cells, strength[i])
