"""What a count is: whole, not negative, in range, and distributed as counts are."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import sparse

from osteotalk.ingest.errors import IngestError

MAX_COUNT = 2**31 - 1
_BLOCK = 2**16  # values
_CELLS = 500  # looked at for the distribution
_MIN_CELLS, _MIN_GENES = 20, 50  # below these, a distribution says nothing
_MOST_CELLS = 0.95
_EQUAL = 0.01  # relative difference of totals that count as equal
_LOG_MAX, _LOG_MEAN, _LOG_GENES, _LOG_RATIO = 30, 2.0, 3, 0.5
KEEP = "keep"  # value of the column odd_counts


def count_problem(matrix: Any) -> str:
    """Say why the values of a matrix cannot be counts; '' if they can.

    Parameters
    ----------
    matrix
        Sparse or dense, any shape.
    """
    values = matrix.data if sparse.issparse(matrix) else np.asarray(matrix)
    if values.dtype.kind not in "iufb":
        return f"values of type {values.dtype}; raw counts are needed"
    if not values.size:
        return ""
    low, high, example = _range(values.ravel(order="K"))
    if not (np.isfinite(low) and np.isfinite(high)):
        return "values that are not finite numbers; raw counts are needed"
    if low < 0:
        return f"negative values (lowest: {low:.4g}); raw counts are needed"
    if example is not None:
        return (
            f"values that are not whole numbers (for example {example:.4g}; range {low:.4g} to "
            f"{high:.4g}); raw counts are needed, not normalised ones (counts that were corrected "
            "for ambient RNA, as SoupX, DecontX and CellBender write them, may be rounded)"
        )
    if high > MAX_COUNT:
        return (
            f"a value of {high:.10g}, above {MAX_COUNT} (2^31 - 1), which no count of molecules in "
            "a cell can be"
        )
    return ""


def _range(values: np.ndarray) -> tuple[Any, Any, Any]:
    """Lowest and highest value (NaN if there is one), and one that is not whole, or None."""
    low, high, example = values[0], values[0], None
    for start in range(0, len(values), _BLOCK):  # of a size that stays in the processor's cache
        part = values[start : start + _BLOCK]
        low, high = np.minimum(low, part.min()), np.maximum(high, part.max())
        if values.dtype.kind == "f" and example is None:
            whole = np.rint(part)
            if not np.array_equal(part, whole):
                example = part[part != whole][0]
    return low, high, example


def odd_distribution(counts: sparse.csr_matrix) -> str:
    """Say in what way whole numbers are not distributed as counts are; '' if they are.

    Counts of molecules have cells with different totals, a value of 1 in nearly every cell, larger
    values in some genes, and vary between cells at least about as much as their mean (Poisson).
    Fewer than 20 cells with 50 genes say nothing.

    Parameters
    ----------
    counts
        Cells x genes, whole and non-negative.
    """
    chosen = np.flatnonzero(np.diff(counts.indptr) >= _MIN_GENES)
    if len(chosen) < _MIN_CELLS:
        return ""
    step = max(1, len(chosen) // _CELLS)
    part = sparse.csr_matrix(counts[chosen[::step]], dtype=np.float64)
    part.eliminate_zeros()
    filled = np.diff(part.indptr) > 0
    part = part[filled]
    if part.shape[0] < _MIN_CELLS:
        return ""
    if part.data.max() == 1:
        return "every value is 1: presence and absence, not counts"
    lowest = np.minimum.reduceat(part.data, part.indptr[:-1])
    if (lowest > 1).mean() > _MOST_CELLS:
        return (
            f"the smallest value of nearly every cell is above 1 (for example {lowest[0]:.0f}), as "
            "in counts that were scaled and rounded"
        )
    totals = np.asarray(part.sum(axis=1)).ravel()
    middle = float(np.median(totals))
    if (np.abs(totals - middle) <= _EQUAL * middle).mean() > _MOST_CELLS:
        return f"nearly every cell sums to about {middle:,.0f}, as in counts that were normalised"
    return _underdispersed(part)


def _underdispersed(part: sparse.csr_matrix) -> str:
    if part.data.max() > _LOG_MAX:
        return ""
    mean = np.asarray(part.mean(axis=0)).ravel()
    variance = np.asarray(part.multiply(part).mean(axis=0)).ravel() - mean**2
    high = mean >= _LOG_MEAN
    if high.sum() < _LOG_GENES:
        return ""
    ratio = float(np.median(variance[high] / mean[high]))
    if ratio >= _LOG_RATIO:
        return ""
    return (
        f"the {int(high.sum())} highest genes vary between cells by {ratio:.2f} of their mean "
        f"(counts by 1 or more), and no value is above {part.data.max():.0f}, as in rounded "
        "logarithms"
    )


def check_counts(matrix: Any, *, where: str, odd_counts: str, added: Sequence[str] = ()) -> None:
    """Refuse a matrix that does not hold counts.

    Parameters
    ----------
    matrix
        Cells x genes.
    where
        Name of the file, for messages.
    odd_counts
        'keep' to take counts of an odd distribution.
    added
        Genes whose rows were added up, for messages.

    Raises
    ------
    IngestError
        Saying what was found, and how to take it nevertheless where that can be meant.
    """
    if problem := count_problem(matrix):
        of = f" after rows of the same gene were added up ({', '.join(added[:5])})" if added else ""
        msg = f"{where} holds {problem}{of}"
        raise IngestError(msg)
    if odd_counts != KEEP and (odd := odd_distribution(sparse.csr_matrix(matrix))):
        msg = (
            f"{where} holds whole numbers that do not look like counts: {odd}. Give the raw "
            "counts; if these are the raw counts, write keep into the column odd_counts of the "
            "table of datasets"
        )
        raise IngestError(msg)
