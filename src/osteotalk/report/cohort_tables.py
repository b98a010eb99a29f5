"""Tables of samples and cells that several parts of the report share."""

import math
from collections.abc import Mapping, Sequence

import pandas as pd

from osteotalk.report.model import Column, Table
from osteotalk.report.network import supported_edges
from osteotalk.report.text import count, number, number_setting, significant, words
from osteotalk.report.vocabulary import UNASSIGNED, Vocabulary

STAMP = "SIMULATED DATA"
REASONS: Mapping[str, str] = {
    "low_counts": "too few counts",
    "high_counts": "too many counts",
    "low_genes": "too few genes",
    "high_genes": "too many genes",
    "high_mito": "mitochondrial share",
    "doublet": "doublet",
}


def order_samples(samples: pd.DataFrame, dataset: str) -> pd.DataFrame:
    """Put the samples of a cohort by condition in order of appearance, then patient and sample."""
    own = samples[samples["dataset"].astype(str) == dataset].copy()
    if "condition" not in own:
        own["condition"] = ""
    rank = {name: place for place, name in enumerate(dict.fromkeys(own["condition"]))}
    own["_rank"] = own["condition"].map(rank)
    own = own.sort_values(["_rank", "patient", "sample"], kind="stable")
    return own.drop(columns="_rank").reset_index(drop=True)


def qc_table(
    samples: pd.DataFrame, qc: Sequence[Mapping[str, object]]
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Quality control of every sample, and the reasons for which cells were dropped.

    Returns
    -------
    One row per sample, in the order of `samples`, with ``label``, the counts and one column per
    reason; and the words for each reason column. Samples without a record have zero cells.
    """
    records = {str(record["sample"]): record for record in qc}
    seen = {
        str(reason)
        for record in qc
        for reason in (record.get("dropped") or {})  # type: ignore[attr-defined]
    }
    names = [reason for reason in REASONS if reason in seen] + sorted(seen - set(REASONS))
    reasons = {name: REASONS.get(name, name.replace("_", " ")) for name in names}
    rows = []
    for sample in samples.to_dict("records"):
        record = records.get(str(sample["sample"]), {})
        dropped = record.get("dropped") or {}
        row = {
            "sample": str(sample["sample"]),
            "patient": words(sample.get("patient")),
            "condition": words(sample.get("condition")),
            "histology": words(sample.get("histology")),
            "label": f"{words(sample.get('patient'))} · {sample['sample']}",
            "n_cells_raw": _whole(record.get("n_cells_raw")),
            "n_cells_kept": _whole(record.get("n_cells_kept")),
        }
        row |= {name: _whole(dropped.get(name)) for name in names}  # type: ignore[attr-defined]
        row |= {
            name: number(record.get(name))
            for name in ("median_counts", "median_genes", "median_pct_mito")
        }
        rows.append(row | {"limits": _limits(record)})
    columns = ["sample", "patient", "condition", "histology", "label", "n_cells_raw"]
    columns += ["n_cells_kept", *names, "median_counts", "median_genes", "median_pct_mito"]
    return pd.DataFrame(rows, columns=[*columns, "limits"]), reasons


def _whole(value: object) -> int:
    parsed = number(value)
    return int(parsed) if math.isfinite(parsed) else 0


def _limits(record: Mapping[str, object]) -> str:
    limits = record.get("limits")
    if not isinstance(limits, Mapping):
        return ""
    parts = []
    for name, label in (("n_counts", "counts"), ("n_genes", "genes")):
        bounds = limits.get(name)
        if isinstance(bounds, Sequence) and len(bounds) == 2:
            parts.append(f"{label} {count(bounds[0])} to {count(bounds[1])}")
    if math.isfinite(number(limits.get("pct_mito_max"))):
        parts.append(f"mito. up to {significant(limits['pct_mito_max'])} %")
    threshold = number(record.get("doublet_threshold"))
    parts.append(
        f"doublet score up to {significant(threshold)}"
        if math.isfinite(threshold)
        else "no doublet threshold"
    )
    return "; ".join(parts)


def population_cells(cells: pd.DataFrame) -> dict[str, int]:
    """Count cells by population."""
    sizes = cells["population"].astype(str).value_counts()
    return {str(name): int(size) for name, size in sizes.items()}


def composition_tables(
    samples: pd.DataFrame, cells: pd.DataFrame, palette: Vocabulary, *, dataset: str
) -> tuple[Table, ...]:
    """Cells per population and sample, populations in rows."""
    counts = pd.crosstab(cells["population"].astype(str), cells["sample"].astype(str))
    names = palette.order(counts.index)
    columns = [str(name) for name in samples["sample"]]
    counts = counts.reindex(index=names, columns=columns, fill_value=0)
    keys = [f"sample {name}" for name in columns]
    body = {key: counts[name].to_numpy() for key, name in zip(keys, columns, strict=True)}
    frame = pd.DataFrame(
        {
            "number": range(1, len(names) + 1),
            "population": names,
            "label": [palette.label(name) for name in names],
            "cells": counts.sum(axis=1).to_numpy(),
            "samples": (counts > 0).sum(axis=1).to_numpy(),
            **body,
        }
    )
    return (
        Table(
            "table-composition",
            frame,
            "Cells per population and sample. The number is that of the figures.",
            (
                Column("number", "No.", "integer"),
                Column("label", "Population"),
                Column("cells", "Cells", "integer"),
                Column("samples", "Samples with it", "integer"),
                *[Column(key, name, "integer") for key, name in zip(keys, columns, strict=True)],
            ),
            download=f"assets/{dataset}_composition.tsv",
        ),
    )


def cohort_summary_row(
    *,
    dataset: str,
    qc: Sequence[Mapping[str, object]],
    cells: pd.DataFrame,
    support: pd.DataFrame,
    parameters: Mapping[str, object],
) -> dict[str, object]:
    """One row of the index's table of cohorts.

    Parameters
    ----------
    dataset
        Id of the cohort.
    qc
        Content of each sample's ``qc.json``.
    cells
        ``obs`` of the annotated cohort.
    support
        Support table of the cohort.
    parameters
        Merged config, for the limits of a supported edge.

    Returns
    -------
    dataset, n_cells_raw, n_cells, n_unassigned, n_populations, n_samples_kept, n_edges,
    n_supported_edges.
    """
    names = cells["population"].astype(str)
    strong = supported_edges(
        support,
        min_support=number_setting(parameters, "claims.min_support", 0.5),
        min_patients=number_setting(parameters, "claims.min_patients", 3),
    )
    return {
        "dataset": dataset,
        "n_cells_raw": sum(_whole(record.get("n_cells_raw")) for record in qc),
        "n_cells": len(cells),
        "n_unassigned": int((names == UNASSIGNED).sum()),
        "n_populations": int(names[names != UNASSIGNED].nunique()),
        "n_samples_kept": int(cells["sample"].astype(str).nunique()),
        "n_edges": len(support),
        "n_supported_edges": len(strong),
    }
