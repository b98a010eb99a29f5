"""Do verdicts hang on a setting? The same cohort with one setting changed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
from anndata import AnnData

from osteotalk import io
from osteotalk.annotate import add_positions, annotate, call_malignant
from osteotalk.claims.controls.rescore import rescored
from osteotalk.claims.run import Basis
from osteotalk.interactions.pairs.resource import measured
from osteotalk.measured import not_measured, only_measured
from osteotalk.prepare.integrate import cluster

# What is done again for each setting.
ONLY_CALLS, SCORES, PAIRS, LABELS = "alpha", ("expr_prop", "min_cells"), "resource", "resolution"


def variant_evidence(
    claims: pd.DataFrame,
    basis: Basis,
    *,
    setting: str,
    value: float | str,
    interactions: Sequence[str | Path],
    resource: pd.DataFrame | None = None,
    cells: AnnData | None = None,
) -> pd.DataFrame:
    """Evidence of a cohort with one setting changed.

    Parameters
    ----------
    claims
        Table of claims.
    basis
        Of the cohort.
    setting, value
        alpha, expr_prop, min_cells, resource or resolution, and its new value.
    interactions
        Tables of the samples as they were scored, used where scores stay.
    resource
        The other pairs, for `resource`.
    cells
        The cohort with its other populations, for `resolution`.

    Returns
    -------
    The table `evidence`.
    """
    changed = basis
    if setting in (ONLY_CALLS, *SCORES):
        changed = replace(basis, scoring={**basis.scoring, setting: value})
    elif setting == PAIRS and resource is not None:
        changed = replace(basis, resource=measured(resource, io.read_var_names(basis.annotated)))
    elif setting != LABELS or cells is None:
        msg = f"what {setting} {value} changes is not given"
        raise ValueError(msg)
    if setting == ONLY_CALLS:
        samples = changed.from_files(interactions)
    elif cells is None:
        samples = rescored(changed, changed.cells())
    else:
        samples = rescored(changed, _by_sample(cells, changed.samples))
    return changed.evidence(claims, changed.cohort(samples, claims)).evidence


def _by_sample(cells: AnnData, samples: Sequence[str]) -> Iterator[AnnData]:
    """Cells of each sample, with the genes that it measured."""
    name, missing = cells.obs["sample"].astype(str), not_measured(cells.uns)
    for sample in samples:
        yield only_measured(cells[name == sample].copy(), missing.get(sample, ()))


def relabelled(
    adata: AnnData,
    *,
    resolution: float,
    n_neighbors: int,
    populations: pd.DataFrame,
    markers: pd.DataFrame,
    annotation: Mapping[str, Any],
    malignancy: Mapping[str, Any],
    positions: Mapping[str, str | Path | None],
    symbols: Any,
    seed: int,
) -> AnnData:
    """Cluster a cohort at another resolution and name its populations again.

    Parameters
    ----------
    adata
        Stage `integrated`.
    resolution
        Of Leiden.
    n_neighbors, populations, markers, annotation, malignancy, symbols, seed
        As for the rules `integrate_cohort` and `annotate_cells`.
    positions
        Parameters gtf and shared of `osteotalk.annotate.add_positions`.

    Returns
    -------
    Stage `annotated`.
    """
    adata.obs["cluster"] = cluster(
        adata, n_neighbors=n_neighbors, resolution=resolution, seed=seed
    ).to_numpy()
    named, _ = annotate(adata, markers=markers, populations=populations, **annotation, seed=seed)
    named = add_positions(named, **positions, symbols=symbols)
    return call_malignant(named, populations=populations, **malignancy, seed=seed)[0]
