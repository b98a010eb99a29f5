"""The populations of cells as text, whatever the type of the column, and the pairs asked for."""

from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData

from osteotalk.contract import UNASSIGNED
from osteotalk.interactions.checks.settings import ScoringError, listed, only_column, some

# They separate the parts of an edge in print: source>target:ligand^receptor.
SEPARATORS = (">", ":", "^", ";", "\t", "\n")
# What missing values are called once they are turned into text.
LOST = ("nan", "NaN", "None", "NaT", "<NA>")


def as_text(value: Any) -> str:
    """Name of a label: whole numbers without a decimal point, anything else as Python prints it.

    A column of whole numbers gets decimals as soon as one value is missing; 1 and 1.0 are equal.
    """
    if isinstance(value, (float, np.floating)) and np.isfinite(value) and value == np.rint(value):
        return str(int(value))
    return str(value)


def text_labels(column: pd.Series, where: str) -> pd.Series:
    """Give labels of any type as text, '' where they are missing.

    Parameters
    ----------
    column
        Numbers, truth values, text, categories, or a mixture of these.
    where
        What the labels are of, for the message.

    Raises
    ------
    ScoringError
        If values of different types have the same text (1 and '1'), or if a text is that of a
        missing value ('nan').
    """
    codes, values = _distinct(column)
    named = [as_text(value) for value in values]
    types: dict[str, set[str]] = {}
    for name, value in zip(named, values, strict=True):
        types.setdefault(name, set()).add(_kind(value))
    problems = []
    mixed = sorted(name for name, kinds in types.items() if len(kinds) > 1)
    if mixed:
        kinds = " and ".join(sorted(set().union(*(types[name] for name in mixed))))
        problems.append(
            f"{some(len(mixed), 'label')} of {where} in more than one type ({kinds}): "
            f"{listed(mixed)}. They would be taken for one population: make all labels text, with "
            "a name of its own for each population"
        )
    lost = sorted({name for name in named if name in LOST})
    if lost:
        problems.append(
            f"{some(len(lost), 'label')} of {where} that {'is' if len(lost) == 1 else 'are'} a "
            f"missing value turned into text: {listed(lost)}. Make them missing (np.nan), and the "
            "cells take no part, or give the population another name"
        )
    if problems:
        raise ScoringError("\n".join(problems))
    names = np.array([*named, ""], dtype=object)
    return pd.Series(names[codes], index=column.index, dtype=object)


def _distinct(column: pd.Series) -> tuple[np.ndarray, list[Any]]:
    """Position of each value among the distinct values, -1 where missing; and these.

    Values of two types are two values, even if they are equal.
    """
    if isinstance(column.dtype, pd.CategoricalDtype):
        codes = column.cat.codes.to_numpy(dtype=np.int64)
        return codes, list(column.cat.categories)
    codes = np.full(len(column), -1, dtype=np.int64)
    rows = np.flatnonzero(column.notna())
    if column.dtype != object:
        codes[rows], found = pd.factorize(column.iloc[rows])
        return codes, list(found)
    known: dict[tuple[type, str], int] = {}
    values: list[Any] = []
    for row, value in zip(rows, column.to_numpy()[rows], strict=True):
        codes[row] = known.setdefault((type(value), str(value)), len(known))
        if len(known) > len(values):
            values.append(value)
    return codes, values


def _kind(value: Any) -> str:
    """Type of a label in words; numbers of all sizes are one type."""
    if isinstance(value, (bool, np.bool_)):
        return "truth value"
    if isinstance(value, (int, float, np.integer, np.floating)):
        return "number"
    return "text" if isinstance(value, str) else type(value).__name__


def checked_labels(adata: AnnData, groupby: str) -> pd.Series:
    """Give the group of each cell as text; '' for cells without one, or unassigned.

    Raises
    ------
    ScoringError
        If there is no such column, or more than one, a label is not what it seems (see
        `text_labels`), or holds a character that separates the parts of an edge in print.
    """
    if not isinstance(groupby, str):
        msg = f"groupby is {groupby!r}; it must be the name of one column of obs"
        raise ScoringError(msg)
    if groupby not in adata.obs:
        msg = f"obs has no column '{groupby}'; it has: {', '.join(map(str, adata.obs)) or 'none'}"
        raise ScoringError(msg)
    label = text_labels(only_column(adata.obs, groupby, "obs"), f"'{groupby}'")
    bad = sorted(name for name in label.unique() if any(sign in name for sign in SEPARATORS))
    if bad:
        signs = " ".join(repr(sign) for sign in SEPARATORS if any(sign in name for name in bad))
        msg = (
            f"{some(len(bad), 'label')} of '{groupby}' with a character that separates the parts "
            f"of an edge in print ({signs}): {listed(bad)}. Rename them"
        )
        raise ScoringError(msg)
    return label.where(label != UNASSIGNED, "")


def checked_groupby_pairs(pairs: pd.DataFrame, label: pd.Series) -> pd.DataFrame:
    """Give the populations to score with each other as text, if they are there.

    Parameters
    ----------
    pairs
        Columns source and target; labels of any type, as in `checked_labels`.
    label
        Of the cells, as text.

    Raises
    ------
    ScoringError
        If a column is missing or doubled, or a population is no label.
    """
    missing = [end for end in ("source", "target") if end not in pairs]
    if missing:
        msg = f"groupby_pairs has no column {' and no column '.join(missing)}"
        raise ScoringError(msg)
    asked = pd.DataFrame(
        {
            end: text_labels(only_column(pairs, end, "groupby_pairs"), f"groupby_pairs ({end})")
            for end in ("source", "target")
        }
    )
    n_empty = int((asked == "").any(axis=1).sum())
    if n_empty:
        msg = f"groupby_pairs has no source or no target in {some(n_empty, 'row')}: fill or remove"
        raise ScoringError(msg)
    known = set(label) - {""}
    unknown = sorted({*asked["source"], *asked["target"]} - known)
    if unknown:
        msg = (
            f"groupby_pairs names populations that no cell has: {listed(unknown)}; there are "
            f"{', '.join(sorted(known))}"
        )
        raise ScoringError(msg)
    return asked


def only_value(obs: pd.DataFrame, name: str) -> str:
    """Give the value of a column of `obs` if all cells have the same, as text; else ''."""
    if name not in obs:
        return ""
    column = only_column(obs, name, "obs")
    texts = {as_text(value) for value in column[column.notna()].unique()}
    return texts.pop() if len(texts) == 1 and column.notna().all() else ""
