"""On which scale values are: natural logarithms of counts scaled per cell, or something else.

Two properties of counts survive everything that is done to them gene by gene and cell by cell, and
tell what was done:

- Counts scaled to equal depth add up to the same number in every cell, once the logarithm is undone
  the right way, and only then.
- Within a cell, scaled counts are whole multiples of the smallest, which is one count in nearly
  every cell. This holds for some of the genes as well as for all.

Where neither is seen (genes chosen, imputed, corrected) nothing is known, and only values that no
counts can have are told.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numba import njit
from scipy import sparse

NATURAL, LINEAR, BASE_2, BASE_10, TWICE = range(5)
_FEWEST_CELLS = 10  # cells with values; fewer add up to the same by chance
_FEWEST_RATIOS = 200  # values that are not the smallest of their cell
_STEADY = 0.02  # spread of equal totals: rounding, and genes dropped after scaling
# To refuse: spread of equal totals, and how many times more spread they have as natural logarithms.
# Totals that happen to be alike, as those of one gene up to x, have up to x times more.
_EQUAL, _TIMES = 1e-3, 100.0
_WHOLE = 0.9  # share of ratios that are whole numbers; a count of 1 is missing in some cells
_TOLERANCE = 0.01  # of a whole number; ratios up to _LARGEST_RATIO are exact to this in float32
_LARGEST_RATIO = 50.0
# Spread of totals of whole numbers: 1 and more in cells as they are counted. Less is left in
# corrected counts, or comes from populations at one depth.
_UNSCALED = 0.5
_MOST_COUNTS = 1e7  # counts per cell; usual depths are 100 to a million
# Ratio of the totals of cells, 90th to 10th percentile: of all genes, and of those chosen.
_ALL_GENES, _RATIO_ALL, _RATIO_SOME = 10_000, 2.0, 30.0
_FEWEST_GENES = 50  # values per cell below which totals differ by chance


@dataclass(frozen=True)
class Scale:
    """What is surely wrong with the scale of a matrix, and what is doubtful; '' if nothing."""

    wrong: str = ""
    doubtful: str = ""


@njit(nogil=True, cache=True, error_model="numpy")
def _undone(value, how):
    """Counts that a value stands for."""
    if how == NATURAL:
        return np.expm1(value)
    if how == BASE_2:
        return np.exp2(value) - 1.0
    if how == BASE_10:
        return 10.0**value - 1.0
    if how == TWICE:
        return np.expm1(np.expm1(value))
    return value


@njit(nogil=True, cache=True, error_model="numpy")
def _add_up(indptr, data, how, totals):
    """Total of each cell."""
    for cell in range(totals.shape[0]):
        for entry in range(indptr[cell], indptr[cell + 1]):
            if data[entry] > 0:
                totals[cell] += _undone(np.float64(data[entry]), how)


@njit(nogil=True, cache=True, error_model="numpy")
def _compare(indptr, data, how, smallest):
    """Smallest value of each cell; whole ratios of the others to it, and all ratios."""
    n_whole = n_ratios = 0
    for cell in range(smallest.shape[0]):
        least = np.inf
        for entry in range(indptr[cell], indptr[cell + 1]):
            if data[entry] > 0:
                least = min(least, np.float64(data[entry]))
        smallest[cell] = _undone(least, how)
        for entry in range(indptr[cell], indptr[cell + 1]):
            if data[entry] > 0:
                ratio = _undone(np.float64(data[entry]), how) / smallest[cell]
                if 1.5 <= ratio <= _LARGEST_RATIO:
                    n_ratios += 1
                    n_whole += abs(ratio - np.rint(ratio)) <= _TOLERANCE
    return n_whole, n_ratios


@dataclass(frozen=True)
class _View:
    """A matrix, undone in one way; what is asked for is computed."""

    matrix: sparse.csr_matrix
    how: int

    @cached_property
    def totals(self) -> np.ndarray:
        """Counts of each cell that has some."""
        totals = np.zeros(self.matrix.shape[0])
        _add_up(self.matrix.indptr, self.matrix.data, self.how, totals)
        return totals[totals > 0]

    @cached_property
    def spread(self) -> float:
        """90th less 10th percentile of the totals, over their median."""
        if not np.isfinite(self.totals).all():
            return float("inf")
        low, middle, high = np.quantile(self.totals, [0.1, 0.5, 0.9])
        return float((high - low) / middle)

    @cached_property
    def _ratios(self) -> tuple[np.ndarray, int, int]:
        smallest = np.zeros(self.matrix.shape[0])
        found = _compare(self.matrix.indptr, self.matrix.data, self.how, smallest)
        return smallest[np.isfinite(smallest)], *found

    @property
    def smallest(self) -> np.ndarray:
        """Smallest count of each cell that has some."""
        return self._ratios[0]

    @property
    def lattice(self) -> bool:
        """Whether counts are whole multiples of the smallest of their cell."""
        _, n_whole, n_ratios = self._ratios
        return n_ratios >= _FEWEST_RATIOS and n_whole >= _WHOLE * n_ratios


def find_scale(matrix: sparse.csr_matrix) -> Scale:
    """Tell whether values are natural logarithms of 1 + counts scaled to equal depth.

    Parameters
    ----------
    matrix
        Cells x genes: finite values from 0 to 50.

    Returns
    -------
    Surely wrong are values whose cells add up to the same number without a logarithm, or with one
    to base 2 or 10, or taken twice; and whole multiples, undone with such a logarithm. Doubtful are
    whole numbers; multiples without a logarithm; logarithms of counts that were not scaled; and
    values that, undone, are more counts than a cell has, or very different ones in its cells.
    """
    values = matrix.data
    if not values.any():
        return Scale()
    few = values[:1000]  # most often enough to tell
    if np.array_equal(few, np.rint(few)) and np.array_equal(values, np.rint(values)):
        return Scale(doubtful=_whole_numbers(values[values > 0]))
    if np.count_nonzero(np.diff(matrix.indptr)) < _FEWEST_CELLS:
        return Scale()
    natural = _View(matrix, NATURAL)
    linear = _View(matrix, LINEAR)
    if _steadier(linear, natural):
        return Scale(wrong=_not_logged(linear))
    if natural.spread <= _STEADY:
        return Scale()
    if natural.lattice:
        return Scale(doubtful=_unscaled(natural))
    for how in (BASE_2, BASE_10, TWICE):
        view = _View(matrix, how)
        if _steadier(view, natural) or view.lattice:
            return Scale(wrong=_other_logarithm(view, how))
    if linear.lattice:
        return Scale(doubtful=_multiples(linear))
    return Scale(doubtful=_strange_totals(matrix, natural))


def _steadier(view: _View, natural: _View) -> bool:
    """Whether cells add up to the same number in this way, and do not as natural logarithms."""
    return view.spread <= _EQUAL and natural.spread > _TIMES * view.spread


_LOG1P = "the natural logarithm of 1 + counts scaled per cell"


def _short(number: float) -> str:
    return f"{number:,.0f}" if number >= 1000 else f"{number:.4g}"


def _whole_numbers(values: np.ndarray) -> str:
    return (
        f"all {len(values):,} values of X above 0 are whole numbers (up to {values.max():g}): "
        "they look like counts. Scores are made for log-normalised expression (sc.pp."
        "normalize_total, then sc.pp.log1p)"
    )


def _not_logged(view: _View) -> str:
    return (
        f"the values of each cell of X add up to {_short(np.median(view.totals))}: they are scaled "
        f"to equal depth, but no logarithms. Scores are made for {_LOG1P} (sc.pp.log1p)"
    )


def _multiples(view: _View) -> str:
    return (
        "the values of a cell of X are whole multiples of its smallest (from "
        f"{view.smallest.min():.3g} to {view.smallest.max():.3g}): they look like counts that were "
        f"scaled, without a logarithm. Scores are made for {_LOG1P} (sc.pp.log1p)"
    )


def _other_logarithm(view: _View, how: int) -> str:
    what, undo, repair = {
        BASE_2: ("logarithms to base 2", "2^x - 1", "adata.X = adata.X * np.log(2)"),
        BASE_10: ("logarithms to base 10", "10^x - 1", "adata.X = adata.X * np.log(10)"),
        TWICE: (
            "logarithms of logarithms",
            "exp(exp(x) - 1) - 1",
            "leave out the second sc.pp.log1p",
        ),
    }[how]
    seen = (
        f"cells add up to {_short(np.median(view.totals))} each"
        if view.spread <= _EQUAL
        else "the values of a cell are whole multiples of its smallest"
    )
    return (
        f"X holds {what}: undone with {undo}, {seen}; undone with exp(x) - 1 they do not. Scores "
        f"are made for {_LOG1P} ({repair})"
    )


def _unscaled(view: _View) -> str:
    """What to say of multiples of a smallest count; '' if cells were scaled, or equal anyway."""
    of_one = np.abs(view.smallest - 1) <= _TOLERANCE
    if of_one.mean() < _WHOLE or view.spread <= _UNSCALED:
        return ""
    low, high = np.quantile(view.totals, [0.1, 0.9])
    return (
        f"X holds logarithms of whole numbers that add up to {low:,.0f} to {high:,.0f} in a cell "
        "(10th to 90th percentile): counts that were not scaled to equal depth, unless they are "
        "corrected counts (SCTransform). Scores then follow the depth of cells. Scale first "
        "(sc.pp.normalize_total, then sc.pp.log1p)"
    )


def _strange_totals(matrix: sparse.csr_matrix, view: _View) -> str:
    """What to say of cells that would have had too many counts, or too different ones."""
    most = view.totals.max()
    advice = f"Scores are made for {_LOG1P} (sc.pp.normalize_total, then sc.pp.log1p)"
    if most > _MOST_COUNTS:
        return (
            f"values of X are up to {matrix.data.max():.4g}: as natural logarithms they would "
            f"stand for {most:.1e} counts in a cell. They look like counts with decimals, or "
            f"logarithms to base 2. {advice}"
        )
    n_genes = len(np.unique(matrix.indices[matrix.data > 0]))
    low, high = np.quantile(view.totals, [0.1, 0.9])
    limit = _RATIO_ALL if n_genes >= _ALL_GENES else _RATIO_SOME
    if np.median(np.diff(matrix.indptr)) < _FEWEST_GENES or high <= limit * low:
        return ""
    return (
        f"as natural logarithms, the values of X would stand for {low:,.0f} to {high:,.0f} counts "
        f"in a cell (10th to 90th percentile; {n_genes:,} genes): cells were not scaled to equal "
        f"depth, or no logarithm was taken. {advice}"
    )
