"""Second opinions on the populations: a CellTypist model, and labels of an annotated data set.

They are shown beside the populations and never change them.
"""

import importlib
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
import scanpy as sc
from anndata import AnnData
from scipy import sparse
from sklearn.neighbors import KNeighborsClassifier

from osteotalk.contract import UNASSIGNED

log = logging.getLogger(__name__)

# Genes that a model or a reference must share with the data.
MIN_SHARED = 200
# Cells looked at at once.
CHUNK = 10_000
# The reference: variable genes, components, cells of each label that are used, and neighbours.
N_TOP_GENES, N_PCS, PER_LABEL, N_NEIGHBORS = 2000, 30, 500, 15
# A label needs this share of a cell's neighbours.
MIN_VOTES = 0.5
TARGET_SUM = 1e4
# No log1p of counts scaled to 1e4 is larger.
HIGHEST_LOG = 9.3


class OpinionError(ValueError):
    """A second opinion cannot be had from its file."""


def add_opinions(
    adata: AnnData,
    *,
    celltypist: str | Path | None,
    reference: str | Path | None,
    reference_label: str,
) -> AnnData:
    """Add the labels of a CellTypist model and of a reference to `obs`, where they are asked for.

    Both files are read and checked before any cell is labelled. Nothing of the annotation is
    needed, so this can come before it.

    Parameters
    ----------
    adata
        Cohort with log1p of counts scaled to 1e4 per cell in `X` (CSR); not changed.
    celltypist
        File of a CellTypist model (a pickle: use only files you trust), or None.
    reference
        Annotated h5ad file, or None.
    reference_label
        Column of its `obs` with the labels.

    Returns
    -------
    The cohort with `celltypist_label` or `reference_label` or neither added to `obs`, and what was
    done in `uns["osteotalk"]["opinions"]`.

    Raises
    ------
    OpinionError
        If a file cannot be used; the message says why.
    """
    model = _read_model(celltypist, measured=adata.var_names) if celltypist else None
    known = None
    if reference:
        known = _read_reference(reference, column=reference_label, measured=adata.var_names)
    result = adata.copy()
    done: dict[str, Any] = {}
    if model:
        labels, done["celltypist"] = _celltypist_labels(adata, model)
        result.obs["celltypist_label"] = labels
    if known:
        labels, done["reference"] = _reference_labels(adata, known)
        result.obs["reference_label"] = labels
    if done:
        result.uns.setdefault("osteotalk", {})["opinions"] = done
    return result


@dataclass(frozen=True)
class _Model:
    """A CellTypist model, the package to run it with, and the genes it shares with the data."""

    package: Any
    model: Any
    shared: int
    genes: int


@dataclass(frozen=True)
class _Reference:
    """The cells of a reference that are used, with the genes it shares with the data.

    `cells` holds log1p of counts scaled to 1e4 (CSR); `labels` has one for each cell; `genes` is
    the number of genes in the file.
    """

    cells: AnnData
    labels: np.ndarray
    genes: int


def _read_model(path: str | Path, *, measured: pd.Index) -> _Model:
    """Load a CellTypist model that can label cells with the `measured` genes."""
    try:
        package = importlib.import_module("celltypist")
    except ImportError as error:
        msg = f"the model {path} needs CellTypist, which is not installed (pip install celltypist)"
        raise OpinionError(msg) from error
    try:
        model = package.models.Model.load(str(path))
        features = pd.Index(model.features)
    except Exception as error:  # a pickle may raise anything
        msg = f"{path} cannot be read as a CellTypist model: {error}"
        raise OpinionError(msg) from error
    shared = _shared(measured, features, what=f"the CellTypist model {path}")
    return _Model(package, model, shared, len(features))


def _celltypist_labels(adata: AnnData, model: _Model) -> tuple[pd.Series, dict[str, Any]]:
    """Label each cell with a CellTypist model, without majority voting.

    References
    ----------
    Dominguez Conde et al. 2022, Science 376, eabl5197, doi:10.1126/science.abl5197.
    """
    found: list[str] = []
    for start in range(0, adata.n_obs, CHUNK):
        part = AnnData(
            sparse.csr_matrix(adata.X[start : start + CHUNK]),
            obs=pd.DataFrame(index=adata.obs_names[start : start + CHUNK]),
            var=pd.DataFrame(index=adata.var_names),
        )
        predicted = model.package.annotate(part, model=model.model, majority_voting=False)
        found += predicted.predicted_labels["predicted_labels"].astype(str).tolist()
    labels = pd.Series(found, index=adata.obs_names, dtype=object)
    log.info("CellTypist: %d labels from %d shared genes", labels.nunique(), model.shared)
    return labels, {"shared_genes": model.shared, "model_genes": model.genes}


def _reference_labels(adata: AnnData, reference: _Reference) -> tuple[pd.Series, dict[str, Any]]:
    """Carry labels over from an annotated data set.

    The cells are projected on the principal components of the reference, as `scanpy.tl.ingest`
    does, and take the label of most of their 15 nearest cells there by cosine distance; with less
    than half of them they are unassigned. At most 500 cells of each label, evenly spaced in the
    file, are used, so that frequent labels have no more votes than others.
    """
    known = reference.cells.copy()
    shared = known.n_vars
    sc.pp.highly_variable_genes(known, n_top_genes=min(N_TOP_GENES, shared))
    known = known[:, known.var["highly_variable"].to_numpy()].copy()
    n_pcs = min(N_PCS, known.n_obs - 1, known.n_vars - 1)
    sc.pp.pca(known, n_comps=n_pcs, random_state=0)
    loadings = np.asarray(known.varm["PCs"])
    centre = np.asarray(known.X.mean(axis=0)).ravel() @ loadings
    votes = KNeighborsClassifier(n_neighbors=min(N_NEIGHBORS, known.n_obs), metric="cosine")
    votes.fit(known.obsm["X_pca"], reference.labels)
    columns = adata.var_names.get_indexer(known.var_names)
    found: list[str] = []
    for start in range(0, adata.n_obs, CHUNK):
        rows = sparse.csr_matrix(adata.X[start : start + CHUNK])[:, columns]
        share = votes.predict_proba(np.asarray(rows @ loadings) - centre)
        best = votes.classes_[share.argmax(axis=1)]
        found += np.where(share.max(axis=1) >= MIN_VOTES, best, UNASSIGNED).tolist()
    log.info(
        "reference: %d cells with %d labels, %d shared genes",
        known.n_obs,
        len(votes.classes_),
        shared,
    )
    record = {
        "shared_genes": shared,
        "reference_genes": reference.genes,
        "reference_cells": known.n_obs,
        "labels": len(votes.classes_),
        "n_unassigned": found.count(UNASSIGNED),
    }
    return pd.Series(found, index=adata.obs_names, dtype=object), record


def _read_reference(path: str | Path, *, column: str, measured: pd.Index) -> _Reference:
    """Read a reference whose cells can be compared with cells of the `measured` genes."""
    try:
        whole = ad.read_h5ad(path)
    except Exception as error:
        msg = f"the reference {path} cannot be read as h5ad: {error}"
        raise OpinionError(msg) from error
    if column not in whole.obs:
        columns = ", ".join(map(str, whole.obs.columns)) or "none"
        msg = f"the reference {path} has no column '{column}' in obs (columns: {columns})"
        raise OpinionError(msg)
    matrix = whole.layers.get("counts", whole.X)
    if matrix is None:
        msg = f"the reference {path} holds no matrix: neither X nor a layer 'counts'"
        raise OpinionError(msg)
    chosen, labels = _labelled_cells(whole.obs[column], path=path, column=column)
    part = AnnData(
        sparse.csr_matrix(matrix[chosen], dtype=np.float32),
        obs=pd.DataFrame(index=whole.obs_names[chosen]),
        var=pd.DataFrame(index=whole.var_names.astype(str)),
    )
    part = part[:, ~part.var_names.duplicated()].copy()
    _shared(measured, part.var_names, what=f"the reference {path}")
    n_genes = part.n_vars
    part = part[:, part.var_names.intersection(measured, sort=False)].copy()
    part.X = _log_normalised(part.X, path=path)
    return _Reference(part, labels, n_genes)


def _labelled_cells(
    given: pd.Series, *, path: str | Path, column: str
) -> tuple[list[int], np.ndarray]:
    """Choose at most PER_LABEL cells of each label; their rows and labels."""
    missing = given.isna().to_numpy()
    labels = given.astype(str).to_numpy(dtype=object)
    missing |= np.isin(labels, ["", UNASSIGNED])
    names = sorted(set(labels[~missing]))
    if len(names) < 2:
        msg = f"the reference {path} has fewer than two labels in its column '{column}'"
        raise OpinionError(msg)
    chosen: list[int] = []
    for label in names:
        cells = np.flatnonzero((labels == label) & ~missing)
        evenly = np.linspace(0, len(cells) - 1, min(PER_LABEL, len(cells))).round().astype(int)
        chosen += cells[evenly].tolist()
    chosen.sort()
    return chosen, labels[chosen]


def _log_normalised(matrix: Any, *, path: str | Path) -> sparse.csr_matrix:
    """Give log1p of counts scaled to 1e4, from counts or from that itself."""
    data = matrix.data
    if not np.isfinite(data).all():
        msg = (
            f"the reference {path} holds values that are no numbers (NaN or infinite); "
            "counts or log1p of counts scaled to 10,000 are needed"
        )
        raise OpinionError(msg)
    if data.size and data.min() < 0:
        msg = (
            f"the reference {path} holds negative values (scaled data?); "
            "counts or log1p of counts scaled to 10,000 are needed"
        )
        raise OpinionError(msg)
    if np.array_equal(data, np.rint(data)):
        cells = AnnData(matrix)
        sc.pp.normalize_total(cells, target_sum=TARGET_SUM)
        sc.pp.log1p(cells)
        return sparse.csr_matrix(cells.X)
    if data.max() > HIGHEST_LOG:
        msg = (
            f"the reference {path} holds values up to {data.max():g}, which are neither counts "
            "nor log1p of counts scaled to 10,000"
        )
        raise OpinionError(msg)
    return sparse.csr_matrix(matrix)


def _shared(measured: pd.Index, wanted: pd.Index, *, what: str) -> int:
    """Count the genes that both have, or say that they are too few."""
    shared = len(wanted.unique().intersection(measured))
    if shared < MIN_SHARED:
        msg = (
            f"{what} shares only {shared} of its {len(wanted)} genes with the {len(measured)} of "
            f"the data; at least {MIN_SHARED} are needed. Are both named by human gene symbols?"
        )
        raise OpinionError(msg)
    return shared
