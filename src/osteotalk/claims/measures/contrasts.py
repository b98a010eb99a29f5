"""Tests on one value per patient: between conditions, and along another quantity."""

import itertools
import math
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


@dataclass(frozen=True)
class Split:
    """Values of the patients of two conditions.

    Attributes
    ----------
    first, second
        Those of patients with one of the two (patients x anything).
    pairs
        First less second of patients with both (patients x anything).
    """

    first: np.ndarray
    second: np.ndarray
    pairs: np.ndarray


def attainable(first: int, second: int, *, pairs: int = 0) -> float:
    """Smallest one-sided p-value that so many patients in two groups, and pairs, can give."""
    return 1 / (math.comb(first + second, first) * 2**pairs)


def share_of_pairs(split: Split) -> float:
    """Weight of the pairs in the difference; the rest is that of the groups.

    By how well each would be known if all values were independent and equally spread: a pair counts
    as one patient on either side. It depends on numbers of patients only, so that a test may
    relabel them.
    """
    n, a, b = len(split.pairs), len(split.first), len(split.second)
    return (n / 2) / (n / 2 + a * b / (a + b)) if a and b else 1.0


def compare(split: Split, *, sign: int, seed: int) -> Outcome:
    """Compare two conditions by the difference of their means.

    Parameters
    ----------
    split
        One value per patient, and one difference per patient with both; groups of two or more each,
        or none, and two or more pairs, or none.
    sign
        1 if the first is expected higher, -1 if lower.
    seed
        Of the relabellings, where there are more than 20,000.

    Returns
    -------
    First less second, with Welch's interval, or Student's of pairs alone; the p-value is that of
    the exact permutation test. Patients with one condition exchange their conditions among each
    other, patients with both exchange their own two.

    References
    ----------
    Welch 1947, Biometrika 34, 28, doi:10.1093/biomet/34.1-2.28; Fisher-Pitman permutation tests of
    two samples and of pairs as in `scipy.stats.permutation_test`.
    """
    share = share_of_pairs(split)
    parts = [(share, split.pairs), (1 - share, split.first), (share - 1, split.second)]
    parts = [(weight, values) for weight, values in parts if len(values)]
    effect = float(sum(weight * values.mean() for weight, values in parts))
    rng = np.random.default_rng(seed)
    p = (
        _exchanged(split, share, sign=sign, rng=rng)
        if len(split.pairs)
        else _dealt(split, sign, rng)
    )
    errors = np.array([weight**2 * values.var(ddof=1) / len(values) for weight, values in parts])
    if errors.sum() == 0:
        return Outcome(effect, effect, effect, p)
    freedom = errors.sum() ** 2 / sum(
        error**2 / (len(values) - 1) for error, (_, values) in zip(errors, parts, strict=True)
    )
    width = float(stats.t.ppf(0.975, freedom) * math.sqrt(errors.sum()))
    return Outcome(effect, effect - width, effect + width, p)


def _dealt(split: Split, sign: int, rng: np.random.Generator) -> float:
    """One-sided p-value of two groups."""
    return float(
        stats.permutation_test(
            (split.first, split.second),
            lambda x, y, axis: sign * (x.mean(axis=axis) - y.mean(axis=axis)),
            vectorized=True,
            alternative="greater",
            n_resamples=MOST_RELABELLINGS,
            rng=rng,
        ).pvalue
    )


def _exchanged(split: Split, share: float, *, sign: int, rng: np.random.Generator) -> float:
    """One-sided p-value of pairs, and of groups beside them.

    Every way to turn the pairs with every way to deal the groups, or as many as are drawn.
    """
    n, a = len(split.pairs), len(split.first)
    both = np.concatenate([split.first, split.second])
    every = 2**n * math.comb(len(both), a) <= MOST_RELABELLINGS
    if every:
        turns = np.array(list(itertools.product((1, -1), repeat=n)))
        chosen = np.array(list(itertools.combinations(range(len(both)), a)), dtype=int)
        dealt = np.zeros((len(chosen), len(both)), dtype=bool)
        np.put_along_axis(dealt, chosen, values=True, axis=1)
    else:
        turns = rng.choice((1, -1), size=(MOST_RELABELLINGS, n))
        dealt = rng.random((MOST_RELABELLINGS, len(both))).argsort(axis=1) < a
    turned = share * (turns @ split.pairs) / n
    groups = np.zeros(len(dealt))
    if len(both):
        first = dealt @ both
        groups = (1 - share) * (first / a - (both.sum() - first) / (len(both) - a))
    found = sign * ((turned[:, None] + groups).ravel() if every else turned + groups)
    seen = sign * float(
        share * split.pairs.mean()
        + ((1 - share) * (split.first.mean() - split.second.mean()) if len(both) else 0.0)
    )
    slack = 1e-9 * max(np.abs(split.pairs).max(), np.abs(both).max(initial=0.0))
    as_strong = int((found >= seen - slack).sum())
    return as_strong / len(found) if every else (1 + as_strong) / (1 + len(found))


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
