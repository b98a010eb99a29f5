"""How well the samples are mixed, and whether cell types are still told apart.

Everything is measured in the space before and after the samples are aligned, with labels that do
not come from either space: the authors' where a cohort has them, and clusters of each sample alone.
"""

import logging
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import scanpy as sc
from anndata import AnnData
from harmonypy.lisi import compute_lisi
from scipy import sparse
from sklearn.metrics import (
    adjusted_rand_score,
    normalized_mutual_info_score,
    silhouette_samples,
)

from osteotalk.clusters import leiden
from osteotalk.measured import KEY

log = logging.getLogger(__name__)

MAX_CELLS = 10_000  # cells that are measured, of all samples
MAX_SILHOUETTE = 3_000  # cells whose silhouette is measured; its cost grows with their square
PERPLEXITY = 30  # effective number of neighbours, as in the paper
# Fewest cells of a sample for clusters of its own, and of a label to be measured.
MIN_SAMPLE, MIN_LABEL = 50, 10
# Resolution of every clustering that is compared here, alone or joint.
RESOLUTION = 1.0
COMPONENTS, GENES = 20, 1000  # of a sample alone

Metric = dict[str, Any]
_INDICES: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {
    "ari": adjusted_rand_score,
    "nmi": normalized_mutual_info_score,
}
_WORDS = {"ari": "adjusted Rand index", "nmi": "normalised mutual information"}


def lisi(space: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Effective number of labels among the neighbours of each cell, as harmonypy computes it.

    Parameters
    ----------
    space
        Coordinates, cells x dimensions.
    labels
        Label of each cell: the sample (iLISI) or the cell type (cLISI).

    Returns
    -------
    One value per cell, from 1 (neighbours of one label) to the number of labels. The perplexity is
    30, or less where there are not enough cells.

    Raises
    ------
    ValueError
        If there are fewer than five cells, or labels of another number.

    References
    ----------
    Korsunsky et al. 2019, Nat. Methods 16, 1289, doi:10.1038/s41592-019-0619-0.
    """
    if len(space) < 5 or len(labels) != len(space):
        msg = f"LISI needs at least 5 cells and a label for each: {len(space)} and {len(labels)}"
        raise ValueError(msg)
    frame = pd.DataFrame({"label": pd.Categorical(np.asarray(labels, dtype=object))})
    perplexity = min(PERPLEXITY, (len(space) - 1) / 3)
    values = compute_lisi(space, frame, ["label"], perplexity=perplexity)[:, 0]
    return np.asarray(np.maximum(values, 1.0))  # rounding may take it just below


def choose_cells(samples: pd.Series, *, most: int, seed: int) -> np.ndarray:
    """Positions of at most `most` cells, each sample's share kept, drawn with the seed.

    Returns
    -------
    Sorted positions; all cells if they are few enough. A sample keeps at least one cell.
    """
    if len(samples) <= most:
        return np.arange(len(samples))
    rng = np.random.default_rng(seed)
    names = samples.astype(str).to_numpy()
    chosen = []
    for name in sorted(set(names)):
        own = np.flatnonzero(names == name)
        size = max(1, int(len(own) * most / len(samples)))
        chosen.append(rng.choice(own, size=size, replace=False))
    return np.sort(np.concatenate(chosen))


def cluster_space(space: np.ndarray, *, n_neighbors: int, seed: int) -> np.ndarray:
    """Leiden clusters of cells in a space, as text."""
    cells = AnnData(sparse.csr_matrix((len(space), 1), dtype=np.float32))
    cells.obsm["X"] = np.asarray(space, dtype=np.float32)
    near = min(n_neighbors, len(space) - 1)
    sc.pp.neighbors(  # exact neighbours, which at this number of cells are also the quicker ones
        cells, n_neighbors=near, use_rep="X", transformer="sklearn", random_state=seed
    )
    return leiden(cells, resolution=RESOLUTION, seed=seed).astype(str)


def clusters_alone(adata: AnnData, *, n_neighbors: int, seed: int) -> np.ndarray:
    """Cluster each sample by itself, on its own variable genes and components.

    Parameters
    ----------
    adata
        Log-normalised cells x genes with ``obs["sample"]``, and in ``uns["not_measured"]`` the
        genes that a sample lacks.

    Returns
    -------
    Cluster of each cell as ``<sample>:<number>``; '' for samples of fewer than 50 cells.
    """
    sample = adata.obs["sample"].astype(str).to_numpy()
    missing = adata.uns.get(KEY, {})
    found = np.full(adata.n_obs, "", dtype=object)
    for name in sorted(set(sample)):
        own = np.flatnonzero(sample == name)
        if len(own) < MIN_SAMPLE:
            continue
        measured = ~adata.var_names.isin(list(missing.get(name, ())))
        cells = AnnData(adata.X[own][:, measured].copy())
        sc.pp.highly_variable_genes(cells, n_top_genes=min(GENES, cells.n_vars))
        n_comps = min(COMPONENTS, len(own) - 1, int(cells.var["highly_variable"].sum()) - 1)
        sc.pp.pca(cells, n_comps=n_comps, mask_var="highly_variable", random_state=seed)
        clusters = cluster_space(cells.obsm["X_pca"], n_neighbors=n_neighbors, seed=seed)
        found[own] = [f"{name}:{cluster}" for cluster in clusters]
    return found


def measure_mixing(
    adata: AnnData, *, before: np.ndarray, after: np.ndarray | None, n_neighbors: int, seed: int
) -> dict[str, Any]:
    """Measure how well samples are mixed and cell types kept, before and after aligning.

    Parameters
    ----------
    adata
        Log-normalised cells x genes with ``obs["sample"]`` and perhaps ``obs["author_label"]``.
    before, after
        Coordinates of the cells, cells x dimensions; `after` None if nothing was aligned.
    n_neighbors
        Size of the neighbourhoods of the graphs that are clustered.
    seed
        Seed of the choice of cells and of the clusterings.

    Returns
    -------
    ``n_cells`` measured (at most 10,000), ``n_cells_all``, ``notes`` (a list of words on what
    could not be measured) and ``metrics``: name to ``before``, ``after`` (absent if nothing was
    aligned), ``better`` (higher or lower) and ``what`` it is.

    References
    ----------
    Korsunsky et al. 2019, doi:10.1038/s41592-019-0619-0 (LISI).
    Luecken et al. 2022, Nat. Methods 19, 41, doi:10.1038/s41592-021-01336-8 (the other measures).
    """
    chosen = choose_cells(adata.obs["sample"], most=MAX_CELLS, seed=seed)
    cells = adata[chosen]
    spaces = {"before": before[chosen]} | ({} if after is None else {"after": after[chosen]})
    sample = cells.obs["sample"].astype(str).to_numpy(dtype=object)
    notes: list[str] = []
    metrics: dict[str, Metric] = {}
    joint = {
        when: cluster_space(space, n_neighbors=n_neighbors, seed=seed)
        for when, space in spaces.items()
    }
    if len(set(sample)) > 1:
        most = 1 / float(((pd.Series(sample).value_counts() / len(sample)) ** 2).sum())
        what = f"samples around a cell (iLISI, median; 1 to {most:.2f} if cells lay at random)"
        values = {when: np.median(lisi(space, sample)) for when, space in spaces.items()}
        metrics["ilisi"] = _metric(what, values)
    else:
        notes.append("the cohort has one sample, so there is nothing to mix")
    own = clusters_alone(cells, n_neighbors=n_neighbors, seed=seed)
    metrics |= _own_metrics(own, sample, spaces=spaces, joint=joint, notes=notes)
    if "author_label" in cells.obs:
        label = cells.obs["author_label"].astype(str).to_numpy(dtype=object)
        metrics |= _author_metrics(
            label, sample, spaces=spaces, joint=joint, notes=notes, seed=seed
        )
    else:
        notes.append("the cohort has no labels of its authors to compare with")
    log.info("mixing measured on %d of %d cells", len(chosen), adata.n_obs)
    return {
        "n_cells": len(chosen),
        "n_cells_all": adata.n_obs,
        "notes": notes,
        "metrics": metrics,
    }


def _metric(what: str, values: dict[str, Any], *, better: str = "higher") -> Metric:
    return {
        **{when: float(value) for when, value in values.items()},
        "better": better,
        "what": what,
    }


def _own_metrics(
    own: np.ndarray,
    sample: np.ndarray,
    *,
    spaces: dict[str, np.ndarray],
    joint: dict[str, np.ndarray],
    notes: list[str],
) -> dict[str, Metric]:
    """Compare with clusters of each sample alone, sample by sample, weighted by cells."""
    parts = [np.flatnonzero((sample == name) & (own != "")) for name in sorted(set(sample))]
    parts = [part for part in parts if len(part)]
    small = len(set(sample)) - len(parts)
    if small:
        notes.append(f"{small} samples of fewer than {MIN_SAMPLE} cells were not clustered alone")
    if not parts:
        return {}
    sizes = [len(part) for part in parts]

    def mean(values: list[float]) -> float:
        return float(np.average(values, weights=sizes))

    around = {
        when: mean([float(np.mean(lisi(space[part], own[part]))) for part in parts])
        for when, space in spaces.items()
    }
    what = "clusters of the sample alone around a cell, among its own sample (cLISI, mean)"
    metrics = {"own_clisi": _metric(what, around, better="lower")}
    for name, measure in _INDICES.items():
        values = {
            when: mean([measure(own[part], found[part]) for part in parts])
            for when, found in joint.items()
        }
        what = f"joint clusters against those of each sample alone ({_WORDS[name]})"
        metrics[f"own_{name}"] = _metric(what, values)
    return metrics


def _author_metrics(
    label: np.ndarray,
    sample: np.ndarray,
    *,
    spaces: dict[str, np.ndarray],
    joint: dict[str, np.ndarray],
    notes: list[str],
    seed: int,
) -> dict[str, Metric]:
    """Compare with the authors' labels; cells without one, or of a rare one, are left out."""
    sizes = pd.Series(label[label != ""]).value_counts()
    known = sorted(sizes.index[sizes >= MIN_LABEL])
    rows = np.flatnonzero(np.isin(label, known))
    if len(known) < 2:
        notes.append(f"fewer than two of the authors' labels have {MIN_LABEL} cells")
        return {}
    if len(rows) < len(label):
        notes.append(
            f"{len(label) - len(rows)} cells without an author's label, or with one of fewer than "
            f"{MIN_LABEL} cells, took no part in the comparison with the authors"
        )
    values = {when: np.median(lisi(space[rows], label[rows])) for when, space in spaces.items()}
    what = "authors' labels around a cell (cLISI, median)"
    metrics = {"author_clisi": _metric(what, values, better="lower")}
    for name, measure in _INDICES.items():
        values = {when: measure(label[rows], found[rows]) for when, found in joint.items()}
        what = f"joint clusters against the authors' labels ({_WORDS[name]})"
        metrics[f"author_{name}"] = _metric(what, values)
    few = rows[choose_cells(pd.Series(sample[rows]), most=MAX_SILHOUETTE, seed=seed)]
    if len(set(label[few])) > 1:
        widths = {w: silhouette_samples(space[few], label[few]) for w, space in spaces.items()}
        values = {when: (width.mean() + 1) / 2 for when, width in widths.items()}
        what = "authors' labels kept apart (silhouette, 0 to 1)"
        metrics["author_silhouette"] = _metric(what, values)
    if groups := _shared_labels(label[few], sample[few]):
        what = "samples mixed inside the authors' labels (1 - |silhouette|, 0 to 1)"
        values = {w: _sample_silhouette(s[few], groups, sample[few]) for w, s in spaces.items()}
        metrics["sample_silhouette"] = _metric(what, values)
    return metrics


def _shared_labels(label: np.ndarray, sample: np.ndarray) -> list[np.ndarray]:
    """Cells of each label that several samples have, some with more than one cell."""
    groups = [np.flatnonzero(label == name) for name in sorted(set(label))]
    return [own for own in groups if 1 < len(set(sample[own])) < len(own)]


def _sample_silhouette(space: np.ndarray, groups: list[np.ndarray], sample: np.ndarray) -> float:
    """Mean over labels of 1 - |silhouette of the samples inside the label|."""
    return float(
        np.mean(
            [np.mean(1 - np.abs(silhouette_samples(space[own], sample[own]))) for own in groups]
        )
    )
