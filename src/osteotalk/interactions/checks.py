"""Is this a matrix, and are these groups, that can be scored?"""

import warnings
from collections.abc import Sequence
from numbers import Integral, Real

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from osteotalk.contract import UNASSIGNED
from osteotalk.interactions.resource import require_measured

# They separate the parts of an edge in print: source>target:ligand^receptor.
SEPARATORS = (">", ":", "^", ";", "\t", "\n")
_LISTED = 5  # examples in a message
LARGEST = 50.0  # a natural logarithm above it would be of 5e21 counts in a cell


class ScoringError(ValueError):
    """The input cannot be scored; the message says what was found and what to do."""


def checked_matrix(adata: AnnData) -> sparse.csr_matrix:
    """Give `X` as CSR, cells x genes, if it can be log-normalised expression.

    Warns if it holds whole numbers only, which are counts most likely.

    Raises
    ------
    ScoringError
        If values are missing, infinite, negative or above `LARGEST`, or gene names are not unique.
    """
    if adata.X is None:
        msg = "X is empty. Put log-normalised expression into it"
        raise ScoringError(msg)
    matrix = sparse.csr_matrix(adata.X)
    values = matrix.data
    if not np.issubdtype(values.dtype, np.number):
        msg = f"X holds {values.dtype}, not numbers"
        raise ScoringError(msg)
    problems = _value_problems(values)
    doubled = adata.var_names[adata.var_names.duplicated()].unique()
    if len(doubled):
        problems.append(
            f"{_some(len(doubled), 'gene name')} twice or more: {_listed(doubled)}. Sum or rename "
            "them (adata.var_names_make_unique() keeps both)"
        )
    if problems:
        raise ScoringError("\n".join(problems))
    n_positive = np.count_nonzero(values)
    if n_positive and np.array_equal(values, np.rint(values)):
        warnings.warn(
            f"all {n_positive:,} values of X above 0 are whole numbers (up to {values.max():g}): "
            "they look like counts. Scores are made for log-normalised expression (sc.pp."
            "normalize_total, then sc.pp.log1p)",
            stacklevel=4,  # whoever called `score`
        )
    if not matrix.has_canonical_format:
        matrix = matrix.copy()
        matrix.sum_duplicates()
    if matrix.dtype not in (np.float32, np.float64):
        matrix = matrix.astype(np.float64)
    return matrix


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
            f"{LARGEST:g}: X looks like counts themselves. Put log-normalised expression (sc.pp."
            "normalize_total, then sc.pp.log1p) into X"
        )
    return problems


def checked_labels(adata: AnnData, groupby: str) -> pd.Series:
    """Give the group of each cell as text; '' for cells without one, or unassigned.

    Raises
    ------
    ScoringError
        If there is no such column, or a label holds a character that separates the parts of an
        edge in print.
    """
    if groupby not in adata.obs:
        msg = f"obs has no column '{groupby}'; it has: {', '.join(map(str, adata.obs)) or 'none'}"
        raise ScoringError(msg)
    column = adata.obs[groupby]
    label = column.astype(object).where(column.notna(), "").astype(str)
    bad = sorted(name for name in label.unique() if any(sign in name for sign in SEPARATORS))
    if bad:
        signs = " ".join(repr(sign) for sign in SEPARATORS if any(sign in name for name in bad))
        msg = (
            f"{_some(len(bad), 'label')} of '{groupby}' with a character that separates the parts "
            f"of an edge in print ({signs}): {_listed(bad)}. Rename them"
        )
        raise ScoringError(msg)
    return label.where(label != UNASSIGNED, "")


def check_pairs(resource: pd.DataFrame, genes: pd.Index) -> None:
    """Check that a resource has the columns ligand and receptor, and pairs that are measured.

    Raises
    ------
    ScoringError
        If not; the message says which organism or naming the genes look like. Also if names are
        missing, or a complex has a subunit twice.
    """
    missing = [side for side in ("ligand", "receptor") if side not in resource]
    if missing:
        msg = (
            f"the resource has no column {' and no column '.join(missing)}; it has: "
            f"{', '.join(map(str, resource)) or 'none'}"
        )
        raise ScoringError(msg)
    names = pd.concat([resource["ligand"], resource["receptor"]], ignore_index=True)
    is_name = np.array([isinstance(name, str) and name != "" for name in names], dtype=bool)
    problems = []
    if not is_name.all():
        rows = sorted({int(row) % len(resource) for row in np.flatnonzero(~is_name)})
        problems.append(
            f"the resource has no name of a ligand or receptor in {_some(len(rows), 'row')} "
            f"(counted from 0): {_listed(list(map(str, rows)))}. Fill or remove them"
        )
    repeated = sorted({name for name in names[is_name] if _repeats(name.split("_"))})
    if repeated:
        problems.append(
            f"{_some(len(repeated), 'complex name')} of the resource with a subunit more than once"
            f": {_listed(repeated)}. Write each subunit once"
        )
    if problems:
        raise ScoringError("\n".join(problems))
    try:
        require_measured(resource, genes)
    except ValueError as error:
        raise ScoringError(str(error)) from None


def check_settings(*, expr_prop: float, alpha: float, seed: int, **positive: int) -> None:
    """Check the numbers; all problems at once.

    Parameters
    ----------
    expr_prop, alpha, seed
        See `osteotalk.interactions.score`.
    **positive
        Whole numbers of 1 or more, by name.

    Raises
    ------
    ScoringError
        If one is out of bounds.
    """
    problems = [
        f"{name} is {value!r}; it must be a number above 0 and at most 1"
        for name, value in (("expr_prop", expr_prop), ("alpha", alpha))
        if not _is_number(value, Real) or not 0 < value <= 1
    ]
    problems += [
        f"{name} is {value!r}; it must be a whole number of {least} or more"
        for name, value, least in (*((*item, 1) for item in positive.items()), ("seed", seed, 0))
        if not _is_number(value, Integral) or value < least
    ]
    if problems:
        raise ScoringError("\n".join(problems))


def _repeats(parts: Sequence[str]) -> bool:
    return len(set(parts)) < len(parts)


def _is_number(value: object, kind: type) -> bool:
    """Whether it is a number of this kind; True and False are none."""
    return isinstance(value, kind) and not isinstance(value, bool)


def _some(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def _listed(names: Sequence[str] | pd.Index) -> str:
    shown = ", ".join(repr(str(name)) for name in names[:_LISTED])
    return shown + (", ..." if len(names) > _LISTED else "")


def check_choices(**choices: tuple[str, Sequence[str]]) -> None:
    """Check settings that are one of several words; all problems at once.

    Raises
    ------
    ScoringError
        Naming each setting, what was given and what is known.
    """
    problems = [
        f"{name} is '{given}'; it must be one of {', '.join(known)}"
        for name, (given, known) in choices.items()
        if given not in known
    ]
    if problems:
        raise ScoringError("\n".join(problems))


def check_groupby_pairs(pairs: pd.DataFrame, label: pd.Series) -> None:
    """Check that the populations to score with each other are there.

    Raises
    ------
    ScoringError
        If a column is missing, or a population is no label.
    """
    missing = [end for end in ("source", "target") if end not in pairs]
    if missing:
        msg = f"groupby_pairs has no column {' and no column '.join(missing)}"
        raise ScoringError(msg)
    known = set(label) - {""}
    unknown = sorted({*pairs["source"], *pairs["target"]} - known, key=str)
    if unknown:
        msg = (
            f"groupby_pairs names populations that no cell has: {_listed(unknown)}; there are "
            f"{', '.join(sorted(known))}"
        )
        raise ScoringError(msg)
