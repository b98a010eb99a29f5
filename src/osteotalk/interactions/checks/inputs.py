"""The front door of scoring: all that is checked of the cells, their labels and the resource."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd
from anndata import AnnData
from scipy import sparse

from osteotalk.interactions.checks.labels import checked_groupby_pairs, checked_labels, only_value
from osteotalk.interactions.checks.matrix import checked_matrix
from osteotalk.interactions.checks.settings import ScoringError, check_pairs

_SAMPLE = ("dataset", "sample", "condition")


@dataclass(frozen=True)
class Inputs:
    """What is scored, checked.

    Attributes
    ----------
    matrix
        Log-normalised expression, cells x genes, float32 or float64.
    label
        Population of each cell as text; '' for cells that take no part.
    groupby_pairs
        Populations to score with each other as text; None for all.
    origin
        Dataset, sample and condition of the cells, '' where unknown.
    doubt
        What is to be warned of; '' if nothing.
    """

    matrix: sparse.csr_matrix
    label: pd.Series
    groupby_pairs: pd.DataFrame | None
    origin: dict[str, str]
    doubt: str


def checked_input(
    adata: AnnData, groupby: str, resource: pd.DataFrame, groupby_pairs: pd.DataFrame | None
) -> Inputs:
    """Check the cells, their labels and the resource; all problems at once.

    Parameters
    ----------
    adata, groupby, groupby_pairs
        See `osteotalk.interactions.score`.
    resource
        Columns ligand and receptor.

    Raises
    ------
    ScoringError
        If something cannot be used.
    """
    if not isinstance(adata, AnnData):
        msg = f"the cells are a {type(adata).__name__}; they must be an AnnData, cells x genes"
        if type(adata).__name__ == "Raw":
            msg += " (adata.raw.to_adata())"
        raise ScoringError(msg)
    problems: list[str] = []

    def attempt(check: Callable[..., Any], *given: Any) -> Any:
        try:
            return check(*given)
        except ScoringError as error:
            problems.append(str(error))

    label = attempt(checked_labels, adata, groupby)
    asked = None
    if groupby_pairs is not None and label is not None:
        asked = attempt(checked_groupby_pairs, groupby_pairs, label)
    origin = {name: attempt(only_value, adata.obs, name) for name in _SAMPLE}
    found = attempt(checked_matrix, adata)
    beside = None if adata.raw is None else adata.raw.var_names
    attempt(check_pairs, resource, adata.var_names, beside)
    if problems:
        raise ScoringError("\n".join(dict.fromkeys(problems)))
    matrix, doubt = found
    return Inputs(matrix, label, asked, origin, doubt)
