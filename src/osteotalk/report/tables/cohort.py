"""Tables of samples and cells that several parts of the report share."""

from collections.abc import Mapping, Sequence

import pandas as pd

from osteotalk.report.figures.network import supported_edges
from osteotalk.report.model import Column, Table
from osteotalk.report.words.text import number_setting, whole
from osteotalk.report.words.vocabulary import UNASSIGNED, Vocabulary


def order_samples(samples: pd.DataFrame, dataset: str) -> pd.DataFrame:
    """Put the samples of a cohort by condition in order of appearance, then patient and sample."""
    own = samples[samples["dataset"].astype(str) == dataset].copy()
    if "condition" not in own:
        own["condition"] = ""
    rank = {name: place for place, name in enumerate(dict.fromkeys(own["condition"]))}
    own["_rank"] = own["condition"].map(rank)
    own = own.sort_values(["_rank", "patient", "sample"], kind="stable")
    return own.drop(columns="_rank").reset_index(drop=True)


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
        "n_cells_raw": sum(whole(record.get("n_cells_raw")) for record in qc),
        "n_cells": len(cells),
        "n_unassigned": int((names == UNASSIGNED).sum()),
        "n_populations": int(names[names != UNASSIGNED].nunique()),
        "n_samples_kept": int(cells["sample"].astype(str).nunique()),
        "n_edges": len(support),
        "n_supported_edges": len(strong),
    }
