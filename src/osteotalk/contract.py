"""What each file between the stages holds: fields, columns and their types.

One place to look a field up. A table may not carry columns that are not listed here
(`osteotalk.contract_checks`), so this page is also the documentation of the results.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import pandas as pd

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
                "sample_value",
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
            "cluster": TEXT,  # a cluster, a part of it of another lineage, or a part of a major
            "level": TEXT,  # major or fine: which of the two names was given to the group
            "within": TEXT,  # the cluster, or the major population, that the group lies in
            "n_cells": INTEGER,
            "population": TEXT,
            "probability": NUMBER,  # of `population`; of a fine group given its major
            "best": TEXT,
            "best_probability": NUMBER,
            "runner_up": TEXT,  # empty: none of the populations, or the parent and no finer one
            "runner_up_probability": NUMBER,
            "markers_for": TEXT,
            "markers_against": TEXT,
            "n_unassigned": INTEGER,
            "n_lineage_doublets": INTEGER,
            "n_moved": INTEGER,
            "reason": TEXT,
        },
        "malignancy": {
            "sample": TEXT,
            "patient": TEXT,
            "cluster": TEXT,
            "population": TEXT,
            "n_cells": INTEGER,
            "n_reference": INTEGER,
            # computed; no clone: one arm, arms not weighed, no change; not computed
            "copy_number": TEXT,
            "cnv_score": NUMBER,
            "cnv_limit": NUMBER,
            "patient_share": NUMBER,
            "clone": TEXT,  # of its malignant cells
            "arms": TEXT,  # of these clones, or the only changed one
            "malignant": TEXT,
            "malignant_probability": NUMBER,  # mean of the cells
            "n_yes": INTEGER,
            "n_no": INTEGER,
            "n_undetermined": INTEGER,
            "reason": TEXT,
        },
        "clone_genes": {
            "sample": TEXT,
            "patient": TEXT,
            "clone": TEXT,
            "gene": TEXT,
            "role": TEXT,  # ligand, receptor or both
            "arm": TEXT,  # empty: position not known
            "n_cells": INTEGER,  # malignant cells of the clone
            "n_others": INTEGER,  # of the other clones of the sample
            "detected": NUMBER,
            "detected_others": NUMBER,
            "log2_fold": NUMBER,
            "auc": NUMBER,
            "q": NUMBER,  # over cells, not over patients
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
            "cycling": TEXT,
            "population_probability": NUMBER,
            "major_probability": NUMBER,
            "subcluster": TEXT,
            "best_match": TEXT,  # of cells whose group was not sure enough for it; else empty
            "population_reason": TEXT,
            "lineage_doublet": TEXT,
            "malignant": TEXT,
            "malignant_probability": NUMBER,  # missing: nothing is known
            "malignant_reason": TEXT,
            "clone": TEXT,  # of the sample, by copy number; empty: none
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


def table_of(rows: Sequence[Mapping[str, Any]], *, table: str) -> pd.DataFrame:
    """Give the table of these rows, which may be none."""
    return conform(pd.DataFrame(rows), table=table) if rows else empty_frame(table)
