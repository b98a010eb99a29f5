"""Tests on one value per patient: between conditions, and along another quantity."""

import math
import warnings
from dataclasses import dataclass

import numpy as np
from scipy import stats

# Relabellings up to which the test is exact; beyond, as many are drawn.
MOST_RELABELLINGS = 20_000
# With four patients not even a perfect order of a correlation is convincing.
MIN_CORRELATED = 5


@dataclass(frozen=True)
class Outcome:
    """Effect with its 95 % interval, and the one-sided p-value of the direction."""

    effect: float
    low: float
    high: float
    p_value: float


def attainable(first: int, second: int) -> float:
    """Smallest one-sided p-value that so many patients on the two sides can give."""
    return 1 / math.comb(first + second, first)


def compare(first: np.ndarray, second: np.ndarray, *, sign: int, seed: int) -> Outcome:
    """Compare two groups of patients by the difference of their means.

    Parameters
    ----------
    first, second
        One value per patient.
    sign
        1 if the first is expected higher, -1 if lower.
    seed
        Of the relabellings, where there are more than 20,000.

    Returns
    -------
    First less second, with Welch's interval; the p-value is that of the exact permutation test.

    References
    ----------
    Welch 1947, Biometrika 34, 28, doi:10.1093/biomet/34.1-2.28; Fisher-Pitman permutation test as
    in `scipy.stats.permutation_test`.
    """
    effect = float(first.mean() - second.mean())
    p = stats.permutation_test(
        (first, second),
        lambda x, y, axis: sign * (x.mean(axis=axis) - y.mean(axis=axis)),
        vectorized=True,
        alternative="greater",
        n_resamples=MOST_RELABELLINGS,
        rng=np.random.default_rng(seed),
    ).pvalue
    spread = first.var(ddof=1) / len(first) + second.var(ddof=1) / len(second)
    if spread == 0:
        return Outcome(effect, effect, effect, float(p))
    with warnings.catch_warnings():  # one side without any spread is no reason to warn
        warnings.simplefilter("ignore", RuntimeWarning)
        interval = stats.ttest_ind(first, second, equal_var=False).confidence_interval()
    return Outcome(effect, float(interval.low), float(interval.high), float(p))


def correlate(values: np.ndarray, along: np.ndarray, *, sign: int, seed: int) -> Outcome:
    """Rank correlation over patients.

    Parameters
    ----------
    values, along
        One value per patient, both with some variation.
    sign
        1 if a positive correlation is expected, -1 if a negative one.
    seed
        Of the pairings, where there are more than 20,000.

    Returns
    -------
    Spearman's rho, with the interval of Bonett and Wright on Fisher's scale; the p-value is that of
    the permutation test.

    References
    ----------
    Bonett and Wright 2000, Psychometrika 65, 23, doi:10.1007/BF02294183.
    """
    x, y = stats.rankdata(values), stats.rankdata(along)
    rho = float(np.corrcoef(x, y)[0, 1])
    p = stats.permutation_test(
        (x,),
        lambda z, axis: sign * (z * (y - y.mean())).sum(axis=axis),
        vectorized=True,
        permutation_type="pairings",
        alternative="greater",
        n_resamples=MOST_RELABELLINGS,
        rng=np.random.default_rng(seed),
    ).pvalue
    low, high = spearman_interval(rho, len(x))
    return Outcome(rho, low, high, float(p))


def spearman_interval(rho: float, n: int) -> tuple[float, float]:
    """95 % interval of Spearman's rho (Bonett and Wright 2000)."""
    centre, error = on_fishers_scale(rho, n)
    width = stats.norm.ppf(0.975) * error
    return min(math.tanh(centre - width), rho), max(math.tanh(centre + width), rho)


def on_fishers_scale(rho: float, n: int) -> tuple[float, float]:
    """Fisher's z of a rank correlation of `n` patients, and its standard error.

    A perfect order is taken as half a step of rho below it (two neighbours swapped change rho by
    12 / (n (n^2 - 1))): otherwise z is infinite and the interval has no width.
    """
    most = 1 - 6 / (n * (n**2 - 1))
    return math.atanh(min(max(rho, -most), most)), math.sqrt((1 + rho**2 / 2) / (n - 3))


def rank_correlations(values: np.ndarray, along: np.ndarray) -> np.ndarray:
    """Spearman's rho of each column with `along`; NaN for a column that does not vary.

    Parameters
    ----------
    values
        Patients x columns.
    along
        Patients.
    """
    x = stats.rankdata(values, axis=0)
    x = x - x.mean(axis=0)
    y = stats.rankdata(along)
    y = y - y.mean()
    scale = np.sqrt((x**2).sum(axis=0) * (y**2).sum())
    result: np.ndarray = np.where(scale > 0, x.T @ y / np.where(scale > 0, scale, 1.0), np.nan)
    return result


def mean_interval(values: np.ndarray) -> tuple[float, float, float]:
    """Mean and 95 % t interval; the interval is NaN for fewer than two values."""
    mean = float(values.mean())
    if len(values) < 2:
        return mean, float("nan"), float("nan")
    width = float(stats.t.ppf(0.975, len(values) - 1) * stats.sem(values))
    return mean, mean - width, mean + width
