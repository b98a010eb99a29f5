"""What each file between the stages holds: fields, columns and their types.

One place to look a field up, and one check that every reader and writer runs. A table may not
carry columns that are not listed here, so this page is also the documentation of the results.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

TEXT, INTEGER, NUMBER = "text", "integer", "number"

_EDGE = {
    "source": TEXT,
    "target": TEXT,
    "ligand_complex": TEXT,
    "receptor_complex": TEXT,
}
_EVIDENCE = {
    "claim_id": TEXT,
    "dataset": TEXT,
    "kind": TEXT,
    "contrast": TEXT,
    "verdict": TEXT,
    "reason": TEXT,
    "n_informative": INTEGER,
    "n_active": INTEGER,
    "support": NUMBER,
    "support_low": NUMBER,
    "support_high": NUMBER,
    "best_edge": TEXT,
    "effect": NUMBER,
    "effect_low": NUMBER,
    "effect_high": NUMBER,
    "direction_p": NUMBER,  # contrasts: one-sided
    "decoy_p": NUMBER,  # against other pairs, genes or gene sets
    "decoy_q": NUMBER,
    "population_p": NUMBER,  # of interactions: against other populations
    "n_decoys": INTEGER,
    "n_population_decoys": INTEGER,
    "response_effect": NUMBER,  # Spearman's rho with the programme of the receivers
    "response_low": NUMBER,
    "response_high": NUMBER,
    "n_response": INTEGER,
    "circular": TEXT,
}
_RATE = {"rate": NUMBER, "rate_low": NUMBER, "rate_high": NUMBER}
TABLES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "interactions": {
            "dataset": TEXT,
            "sample": TEXT,
            "condition": TEXT,
            **_EDGE,
            "ligand": TEXT,
            "receptor": TEXT,
            "ligand_props": NUMBER,
            "receptor_props": NUMBER,
            "n_source": INTEGER,
            "n_target": INTEGER,
            "lr_means": NUMBER,
            "expr_prod": NUMBER,
            "lrscore": NUMBER,
            "scaled_weight": NUMBER,
            "lr_logfc": NUMBER,
            "spec_weight": NUMBER,
            "p_value": NUMBER,
            "p_error": NUMBER,  # standard error of log10(p_value)
            "q_value": NUMBER,
            "magnitude_rank": NUMBER,
            "specificity_rank": NUMBER,
        },
        "cross_check": {  # against squidpy; see osteotalk.interactions.cross_check
            "dataset": TEXT,
            "sample": TEXT,
            "n_edges": INTEGER,
            "n_complex": INTEGER,
            "n_only_ours": INTEGER,
            "n_only_squidpy": INTEGER,
            "max_mean_difference": NUMBER,
            "p_correlation": NUMBER,
            "max_p_difference": NUMBER,
            "n_calls_differ": INTEGER,
            "share_calls_agree": NUMBER,
        },
        "support": {
            "dataset": TEXT,
            **_EDGE,
            "n_informative": INTEGER,
            "n_detected": INTEGER,  # informative patients with both genes detected: active or not
            "n_active": INTEGER,
            "support": NUMBER,
            "support_low": NUMBER,
            "support_high": NUMBER,
            "median_magnitude_rank": NUMBER,
            "median_specificity_rank": NUMBER,
            "patients": TEXT,
        },
        "members": {
            "sample": TEXT,
            "key": TEXT,
            "kind": TEXT,
            "role": TEXT,
            "archive": TEXT,
            "inner": TEXT,
            "member": TEXT,
            "bytes": INTEGER,
        },
        "samples_found": dict.fromkeys(
            (
                "dataset",
                "sample",
                "patient",
                "condition",
                "histology",
                "site",
                "treatment",
                "suspension",
                "accession",
                "member",
                "min_counts",
                "min_genes",
                "max_pct_mito",
                "doublet_rate",
                "status",
                "sources",
                "note",
            ),
            TEXT,
        ),
        "genes": {"outcome": TEXT, "gene": TEXT, "symbol": TEXT, "n_samples": INTEGER},
        "resource": {"ligand": TEXT, "receptor": TEXT, "origin": TEXT},
        "annotation": {
            "cluster": TEXT,
            "n_cells": INTEGER,
            "population": TEXT,
            "score": NUMBER,
            "margin": NUMBER,
            "best": TEXT,
            "runner_up": TEXT,
            "major": TEXT,
            "major_score": NUMBER,
            "major_margin": NUMBER,
            "share_agree": NUMBER,
            "n_unassigned": INTEGER,
            "n_lineage_doublets": INTEGER,
            "reason": TEXT,
        },
        "malignancy": {
            "sample": TEXT,
            "patient": TEXT,
            "cluster": TEXT,
            "population": TEXT,
            "n_cells": INTEGER,
            "n_reference": INTEGER,
            "copy_number": TEXT,  # computed, no change (no arm gained or lost), or not computed
            "cnv_score": NUMBER,
            "cnv_limit": NUMBER,
            "patient_share": NUMBER,
            "malignant": TEXT,
            "n_yes": INTEGER,
            "n_no": INTEGER,
            "n_undetermined": INTEGER,
            "reason": TEXT,
        },
        "agreement": {
            "source": TEXT,
            "label": TEXT,
            "expected": TEXT,
            "population": TEXT,
            "n_cells": INTEGER,
        },
        "evidence": _EVIDENCE,
        "verdicts": {
            **_EVIDENCE,
            "n_datasets": INTEGER,
            "i_squared": NUMBER,  # heterogeneity of the effect over cohorts
            "cohorts": TEXT,  # the verdict of each
        },
        "decoys": {
            "claim_id": TEXT,
            "dataset": TEXT,
            "control": TEXT,  # pairs, populations or genes
            "quantity": TEXT,
            "n_pool": INTEGER,
            "n_decoys": INTEGER,
            "claim": NUMBER,
            "decoy_low": NUMBER,  # 5 %
            "decoy_median": NUMBER,
            "decoy_high": NUMBER,  # 95 %
            "difference": NUMBER,  # mean of log2(decoy / claim)
        },
        "values": {  # what entered the tests of the claims, by patient
            "claim_id": TEXT,
            "dataset": TEXT,
            "patient": TEXT,
            "condition": TEXT,  # of the samples that entered, joined by ;
            "value": NUMBER,
            "decoys": NUMBER,  # mean over the matched decoys
            "active": TEXT,  # yes or no; empty for contrasts
            "along": NUMBER,  # the other quantity of a correlation
        },
        "decoy_statistics": {  # behind decoy_p and population_p
            "claim_id": TEXT,
            "dataset": TEXT,
            "control": TEXT,  # matched or populations
            "role": TEXT,  # claim or decoy
            "statistic": NUMBER,
        },
        "programmes": {
            "dataset": TEXT,
            "signature": TEXT,
            "sample": TEXT,
            "patient": TEXT,
            "condition": TEXT,
            "population": TEXT,
            "n_cells": INTEGER,
            "score": NUMBER,
        },
        "calibration": {
            "dataset": TEXT,
            "control": TEXT,  # shuffled labels, pair decoys, population decoys
            "theme": TEXT,
            "verdict": TEXT,
            "k_real": INTEGER,
            "n_real": INTEGER,
            "k_control": INTEGER,
            "n_control": INTEGER,
            **_RATE,  # of the control
            "ratio": NUMBER,  # share of real claims / share of controls
            "ratio_low": NUMBER,
            "ratio_high": NUMBER,
        },
        "therapies": {
            "drug": TEXT,
            "target_gene": TEXT,
            "claim_id": TEXT,
            "named_in_review": TEXT,
            "source": TEXT,
            "verdict": TEXT,
            "n_informative": INTEGER,
            "n_active": INTEGER,
            "support": NUMBER,
            "support_low": NUMBER,
            "support_high": NUMBER,
            "note": TEXT,
        },
        "sensitivity": {
            "dataset": TEXT,
            "setting": TEXT,
            "value": TEXT,
            "claim_id": TEXT,
            "baseline": TEXT,
            "verdict": TEXT,
            "moved": TEXT,
        },
    }
)
# Columns that a table has only if they were asked for.
OPTIONAL: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {"interactions": {"lr_probs": NUMBER, "lr_gmeans": NUMBER}}
)

_SAMPLE_OBS = {"dataset": TEXT, "sample": TEXT, "patient": TEXT, "condition": TEXT}
_QC_OBS = {"n_counts": NUMBER, "n_genes": INTEGER, "pct_mito": NUMBER, "doublet_score": NUMBER}
OBS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "counts": _SAMPLE_OBS,
        "filtered": {**_SAMPLE_OBS, **_QC_OBS},
        "integrated": {**_SAMPLE_OBS, **_QC_OBS, "cluster": TEXT},
        "annotated": {
            **_SAMPLE_OBS,
            **_QC_OBS,
            "cluster": TEXT,
            "population": TEXT,
            "population_major": TEXT,
            "population_state": TEXT,
            "population_score": NUMBER,
            "population_margin": NUMBER,
            "population_reason": TEXT,
            "lineage_doublet": TEXT,
            "malignant": TEXT,
            "malignant_reason": TEXT,
            "cnv_score": NUMBER,
        },
        "cnv": {
            "sample": TEXT,
            "patient": TEXT,
            "cluster": TEXT,
            "population": TEXT,
            "malignant": TEXT,
            "reference": TEXT,
        },
    }
)
# Columns of obs in all stages of a cohort whose authors' labels or quality control are known.
AUTHOR_OBS = {"author_label": TEXT, "author_qc": TEXT}
# Second opinions on the populations, in the stage annotated, where they were asked for.
OPINION_OBS = {"celltypist_label": TEXT, "reference_label": TEXT}
OBSM = ("X_pca", "X_umap")  # in the stages integrated and annotated
UNASSIGNED = "unassigned"


class ContractError(ValueError):
    """A file between the stages does not hold what it should."""


def dtypes(table: str) -> dict[str, str]:
    """Pandas types of the columns of `table`; integers are nullable."""
    names = {TEXT: "object", INTEGER: "Int64", NUMBER: "float64"}
    return {column: names[kind] for column, kind in TABLES[table].items()}


def text_columns(table: str) -> list[str]:
    """Columns of `table` that hold text."""
    return [column for column, kind in TABLES[table].items() if kind == TEXT]


def number_columns(table: str) -> list[str]:
    """Columns of `table` that hold numbers, whole or not."""
    return [column for column, kind in TABLES[table].items() if kind != TEXT]


def empty_frame(table: str) -> pd.DataFrame:
    """Give a frame with the columns of `table` and no row."""
    return pd.DataFrame({c: pd.Series(dtype=t) for c, t in dtypes(table).items()})


def conform(frame: pd.DataFrame, *, table: str) -> pd.DataFrame:
    """Put the columns of `frame` in the order and types of `table`; other columns are left out."""
    types = dtypes(table) | {name: "float64" for name in OPTIONAL.get(table, {}) if name in frame}
    return frame[list(types)].astype(types).reset_index(drop=True)


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
