"""Second opinions on the populations: a CellTypist model, and labels of an annotated data set.

They are shown beside the populations and never change them.
"""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import scanpy as sc
from anndata import AnnData
from scipy import sparse
from sklearn.neighbors import KNeighborsClassifier

from osteotalk.annotate.model_file import Model, read_model
from osteotalk.annotate.opinion_errors import OpinionError
from osteotalk.annotate.reference_file import Reference, read_reference
from osteotalk.contract import UNASSIGNED
from osteotalk.ingest.gene_tables import SymbolTable

__all__ = ["OpinionError", "add_opinions"]

log = logging.getLogger(__name__)

# Cells looked at at once.
CHUNK = 10_000
# The reference: variable genes, components, and neighbours.
N_TOP_GENES, N_PCS, N_NEIGHBORS = 2000, 30, 15
# A label needs this share of a cell's neighbours.
MIN_VOTES = 0.5


def add_opinions(
    adata: AnnData,
    *,
    celltypist: str | Path | None,
    reference: str | Path | None,
    reference_label: str,
    symbols: SymbolTable,
) -> AnnData:
    """Add the labels of a CellTypist model and of a reference to `obs`, where they are asked for.

    Both files are read and checked before any cell is labelled. Nothing of the annotation is
    needed, so this can come before it.

    Parameters
    ----------
    adata
        Cohort with log1p of counts scaled to 1e4 per cell in `X` (CSR); not changed.
    celltypist
        File of a CellTypist model, or None.
    reference
        Annotated h5ad file, or None.
    reference_label
        Column of its `obs` with the labels.
    symbols
        Approved gene symbols, by which both are named.

    Returns
    -------
    The cohort with `celltypist_label` or `reference_label` or neither added to `obs`, and what was
    done in `uns["osteotalk"]["opinions"]`.

    Raises
    ------
    OpinionError
        If a file cannot be used; the message says why.
    """
    genes = {"measured": adata.var_names, "symbols": symbols}
    model = read_model(celltypist, **genes) if celltypist else None
    known = read_reference(reference, column=reference_label, **genes) if reference else None
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


def _celltypist_labels(adata: AnnData, model: Model) -> tuple[pd.Series, dict[str, Any]]:
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


def _reference_labels(adata: AnnData, reference: Reference) -> tuple[pd.Series, dict[str, Any]]:
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
        "values": reference.taken,
        "reference_cells": known.n_obs,
        "labels": len(votes.classes_),
        "n_unassigned": found.count(UNASSIGNED),
    }
    return pd.Series(found, index=adata.obs_names, dtype=object), record
