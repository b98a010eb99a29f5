"""Reads the expression that is scored, of any type that can be read, and refuses the others."""

from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from osteotalk.interactions.checks.scale import Scale, find_scale
from osteotalk.interactions.checks.settings import ScoringError, listed, some

LARGEST = 50.0  # a natural logarithm above it would be of 5e21 counts in a cell
_PUT = "Put log-normalised expression (sc.pp.normalize_total, then sc.pp.log1p) into X"


def checked_matrix(adata: AnnData) -> tuple[sparse.csr_matrix, str]:
    """Give `X` as CSR, cells x genes, if it can be log-normalised expression.

    `X` may be dense, sparse or backed by a file, of whole or real numbers of any precision, or an
    array of objects that are numbers.

    Returns
    -------
    The matrix, of float32 or float64; and what is to be warned of, '' if nothing.

    Raises
    ------
    ScoringError
        If `X` cannot be read as numbers; if values are missing, infinite, negative or above
        `LARGEST`; if it is surely not the natural logarithm of 1 + counts (`scale.find_scale`), or
        gene names are not unique. Tells what `adata.raw` holds, if there is one.
    """
    try:
        matrix = _as_csr(adata.X)
    except ScoringError as error:
        raise ScoringError(str(error) + _about_raw(adata)) from None
    problems = _value_problems(matrix.data)
    found = Scale() if problems else find_scale(matrix)
    if found.wrong:
        problems.append(found.wrong)
    if problems:
        problems[-1] += _about_raw(adata)
    doubled = adata.var_names[adata.var_names.duplicated()].unique()
    if len(doubled):
        problems.append(
            f"{some(len(doubled), 'gene name')} twice or more: {listed(doubled)}. Sum or rename "
            "them (adata.var_names_make_unique() keeps both)"
        )
    if problems:
        raise ScoringError("\n".join(problems))
    return matrix, found.doubtful + _about_raw(adata) if found.doubtful else ""


def _as_csr(stored: Any) -> sparse.csr_matrix:
    """Read `X` as CSR of float32 or float64, in memory, each value stored once; X is not changed.

    Raises
    ------
    ScoringError
        If it is empty, lies somewhere else than in memory or a file, or holds no real numbers.
    """
    if stored is None:
        msg = f"X is empty. {_PUT}"
        raise ScoringError(msg)
    if hasattr(stored, "to_memory"):  # sparse, backed by a file
        stored = stored.to_memory()
    elif type(stored).__module__.startswith("h5py"):
        stored = stored[()]
    if isinstance(stored, np.ma.MaskedArray):
        msg = "X is a masked array: what is masked is neither a value nor 0. Fill it (X.filled(0))"
        raise ScoringError(msg)
    if not (sparse.issparse(stored) or isinstance(stored, np.ndarray)):
        kind = f"{type(stored).__module__}.{type(stored).__qualname__}"
        msg = f"X is a {kind}, which is not in memory. Load it (adata = adata.to_memory())"
        raise ScoringError(msg)
    matrix = sparse.csr_matrix(_real(stored))
    if not matrix.has_canonical_format:
        matrix = matrix.copy()
        matrix.sum_duplicates()
    return matrix


def _real(stored: Any) -> Any:
    """Give a matrix or array of float32 or float64, in the byte order of the machine.

    Raises
    ------
    ScoringError
        If it holds anything but real numbers.
    """
    kind = stored.dtype
    if kind.kind == "O":
        return _of_objects(stored)
    if np.issubdtype(kind, np.complexfloating):
        n = int(np.count_nonzero((stored.data if sparse.issparse(stored) else stored).imag))
        msg = f"X holds {kind}, {some(n, 'value')} with an imaginary part, not real numbers. {_PUT}"
        raise ScoringError(msg)
    if not np.issubdtype(kind, np.number):
        msg = f"X holds {kind}, not numbers. {_PUT}"
        raise ScoringError(msg)
    small = kind in (np.float16, np.float32)
    return stored.astype(np.float32 if small else np.float64, copy=False)


def _of_objects(stored: np.ndarray) -> np.ndarray:
    """Numbers of an array of objects.

    Raises
    ------
    ScoringError
        If some are no real numbers; shows the first of them.
    """
    values = np.asarray(stored).ravel()
    number = (int, float, np.integer, np.floating)
    is_number = np.array(
        [isinstance(value, number) and not isinstance(value, bool) for value in values], dtype=bool
    )
    if not is_number.all():
        others = pd.unique(pd.Series([repr(value) for value in values[~is_number]]))
        msg = (
            f"X holds objects, and {(~is_number).sum():,} of {values.size:,} are no real numbers: "
            f"{', '.join(others[:5])}{', ...' if len(others) > 5 else ''}. {_PUT}"
        )
        raise ScoringError(msg)
    return values.astype(np.float64).reshape(stored.shape)


def _value_problems(values: np.ndarray) -> list[str]:
    """What is wrong with the stored values of a matrix that should be log-normalised."""
    problems = []
    finite = np.isfinite(values)
    if not finite.all():
        problems.append(
            f"{(~finite).sum():,} of {values.size:,} values of X are not finite (NaN or infinite): "
            "fill or remove them"
        )
        values = values[finite]
    negative = values < 0
    if negative.any():
        problems.append(
            f"{negative.sum():,} values of X are negative, the lowest is {values.min():g}: "
            "X looks scaled or centred. Put log-normalised expression (log1p of counts scaled per "
            "cell) into X"
        )
    largest = values.max(initial=0)
    if largest > LARGEST:
        problems.append(
            f"the largest value of X is {largest:g}, and no logarithm of counts per cell is above "
            f"{LARGEST:g}: X looks like counts themselves. {_PUT}"
        )
    return problems


def _refused(values: np.ndarray) -> bool:
    """Whether values are neither counts nor logarithms."""
    return not np.isfinite(values).all() or bool((values < 0).any())


def _about_raw(adata: AnnData) -> str:
    """What can be done with `adata.raw`, for a message; '' if there is none."""
    if adata.raw is None:
        return ""
    try:
        values = _as_csr(adata.raw.X).data
    except ScoringError:
        return ""
    if not values.size or _refused(values):
        return ""
    counts = np.array_equal(values, np.rint(values))
    return (
        f". adata.raw has {'counts' if counts else 'values that may be log-normalised'} of "
        f"{adata.raw.shape[1]:,} genes: adata = adata.raw.to_adata()"
        f"{', then normalise them' if counts else ''}"
    )
