"""Checks of tables and AnnData objects against `osteotalk.contract`, by every reader and writer."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from osteotalk.contract import (
    AUTHOR_OBS,
    INTEGER,
    OBS,
    OBSM,
    OPINION_OBS,
    OPTIONAL,
    TABLES,
    TEXT,
    ContractError,
)


def _fits(column: pd.Series, kind: str) -> bool:
    if kind == TEXT:
        if isinstance(column.dtype, pd.CategoricalDtype):
            return all(isinstance(value, str) for value in column.cat.categories)
        return pd.api.types.infer_dtype(column, skipna=False) in ("string", "empty")
    if kind == INTEGER:
        return pd.api.types.is_integer_dtype(column.dtype)
    return pd.api.types.is_float_dtype(column.dtype)


def _column_problems(frame: pd.DataFrame, wanted: Mapping[str, str]) -> list[str]:
    problems = [f"column '{name}' is missing" for name in wanted if name not in frame]
    problems += [
        f"column '{name}' should hold {kind} but is of type {frame[name].dtype}"
        for name, kind in wanted.items()
        if name in frame and not _fits(frame[name], kind)
    ]
    return problems


def _raise(where: str, what: str, problems: list[str]) -> None:
    if problems:
        lines = "".join(f"\n  {problem}" for problem in problems)
        msg = f"{where} does not follow the contract of {what}:{lines}"
        raise ContractError(msg)


def check_frame(frame: pd.DataFrame, *, table: str, where: str) -> None:
    """Check that a result table has exactly the columns of its contract.

    Raises
    ------
    ContractError
        Naming every missing, unknown or wrongly typed column.
    """
    wanted = dict(TABLES[table])
    wanted |= {name: kind for name, kind in OPTIONAL.get(table, {}).items() if name in frame}
    problems = _column_problems(frame, wanted)
    problems += [f"column '{name}' is not known" for name in frame if name not in wanted]
    _raise(where, f"table '{table}'", problems)


def check_columns(frame: pd.DataFrame, columns: Sequence[str], *, table: str, where: str) -> None:
    """Check some columns of a result table only.

    Raises
    ------
    ContractError
        Naming every missing or wrongly typed column.
    """
    wanted = {name: TABLES[table][name] for name in columns}
    _raise(where, f"table '{table}'", _column_problems(frame, wanted))


def check_adata(adata: AnnData, *, stage: str, where: str) -> None:
    """Check an AnnData object against the contract of a stage.

    Stages `counts` and `filtered` hold whole, non-negative counts in `X`. Stages `integrated` and
    `annotated` hold log1p of counts scaled to 1e4 per cell in `X` (CSR, float32) and the counts in
    `layers["counts"]`. Stage `cnv` holds windows along the chromosomes (CSR), with `chromosome`
    and `start` in `var`.

    Raises
    ------
    ContractError
        Naming every field that is missing or wrong.
    """
    may_be = {**AUTHOR_OBS, **OPINION_OBS}
    optional = {name: kind for name, kind in may_be.items() if name in adata.obs}
    problems = _column_problems(adata.obs, {**OBS[stage], **optional})
    if not adata.var_names.is_unique:
        problems.append("gene names are not unique")
    if stage in ("counts", "filtered"):
        problems += _count_problems(adata.X, "X")
    elif stage == "cnv":
        problems += _column_problems(adata.var, {"chromosome": TEXT, "start": INTEGER})
    else:
        problems += [f"obsm['{key}'] is missing" for key in OBSM if key not in adata.obsm]
        problems += _expression_problems(adata.X)
        if "counts" in adata.layers:
            problems += _count_problems(adata.layers["counts"], "layers['counts']")
        else:
            problems.append("layers['counts'] is missing")
    _raise(where, f"stage '{stage}'", problems)


def check_obs(obs: pd.DataFrame, *, stage: str, where: str) -> None:
    """Check `obs` of a stage only.

    Raises
    ------
    ContractError
        Naming every missing or wrongly typed column.
    """
    _raise(where, f"stage '{stage}'", _column_problems(obs, OBS[stage]))


def check_expression(adata: AnnData, *, stage: str, where: str) -> None:
    """Check `obs`, the gene names and the log-normalised `X` of some cells of a cohort.

    Raises
    ------
    ContractError
        Naming every field that is missing or wrong.
    """
    problems = _column_problems(adata.obs, OBS[stage]) + _expression_problems(adata.X)
    if not adata.var_names.is_unique:
        problems.append("gene names are not unique")
    _raise(where, f"stage '{stage}'", problems)


def _expression_problems(matrix: Any) -> list[str]:
    if not (sparse.issparse(matrix) and matrix.format == "csr"):
        return ["X is not a CSR matrix"]
    return [] if matrix.dtype == np.float32 else [f"X is {matrix.dtype}, not float32"]


def _count_problems(matrix: Any, name: str) -> list[str]:
    if not (sparse.issparse(matrix) and matrix.format == "csr"):
        return [f"{name} is not a CSR matrix"]
    data = matrix.data
    if data.size and (data.min() < 0 or not np.array_equal(data, np.rint(data))):
        return [f"{name} does not hold whole, non-negative counts"]
    return []
