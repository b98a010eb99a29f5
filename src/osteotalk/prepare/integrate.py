"""Merge the samples of a cohort, normalise, and find clusters in a common space."""

import logging
import warnings
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

import anndata as ad
import harmonypy
import numpy as np
import scanpy as sc
from anndata import AnnData
from scipy import sparse

log = logging.getLogger(__name__)

TARGET_SUM = 1e4  # counts per cell after scaling
MIN_CELLS = 20  # below this no neighbour graph makes sense


def merge_samples(samples: Sequence[AnnData]) -> AnnData:
    """Merge samples on the genes that all of them measured.

    Samples without cells are left out and named in `uns["merge"]`, with the number of genes that
    some samples lack.

    Raises
    ------
    ValueError
        If no sample has cells, or the samples share no gene.
    """
    filled = [sample for sample in samples if sample.n_obs]
    if not filled:
        reasons = "; ".join(
            f"{s.uns['ingest']['file']}: {s.uns['ingest']['n_droplets']} droplets" for s in samples
        )
        msg = (
            "no sample has a cell left after quality control, so there is nothing to analyse; "
            f"look at qc.json of each sample and at quality_control in the config ({reasons})"
        )
        raise ValueError(msg)
    merged = ad.concat(filled, join="inner", merge="same")
    if merged.n_vars == 0:
        msg = "the samples share no gene name; are some of them of another species or id type?"
        raise ValueError(msg)
    lacking = len(set().union(*(s.var_names for s in filled))) - merged.n_vars
    kept = set(merged.obs["sample"])
    empty = [str(s.uns["ingest"]["sample"]) for s in samples if not s.n_obs]
    merged.uns["merge"] = {"empty_samples": empty, "genes_not_in_all_samples": lacking}
    log.info(
        "merged %d cells of %d samples; %d genes in all of them, %d genes in only some left out",
        merged.n_obs,
        len(kept),
        merged.n_vars,
        lacking,
    )
    for sample in empty:
        log.warning("sample %s has no cell left after quality control and is left out", sample)
    return merged


def integrate(
    samples: Sequence[AnnData],
    *,
    n_top_genes: int,
    n_pcs: int,
    harmony: bool,
    n_neighbors: int,
    resolution: float,
    seed: int,
) -> AnnData:
    """Normalise, reduce, align and cluster the cells of a cohort.

    Parameters
    ----------
    samples
        Filtered counts per sample.
    n_top_genes
        Highly variable genes, chosen within samples and combined.
    n_pcs
        Principal components of the log-normalised variable genes.
    harmony
        Whether Harmony aligns the samples; done only if two or more have cells.
    n_neighbors
        Size of the neighbourhoods of the graph.
    resolution
        Resolution of Leiden.
    seed
        Seed of PCA, Harmony, neighbours, Leiden and UMAP.

    Returns
    -------
    Cells x genes: `X` log1p of counts scaled to 1e4 per cell (float32), `layers["counts"]`,
    `obs["cluster"]`, `obsm["X_pca"]` (aligned if Harmony ran), `obsm["X_umap"]`,
    `uns["osteotalk"]["integrate"]` with what was done.

    Raises
    ------
    ValueError
        If fewer than 20 cells are left in all.

    References
    ----------
    Korsunsky et al. 2019, Nat. Methods 16, 1289, doi:10.1038/s41592-019-0619-0 (Harmony).
    Traag et al. 2019, Sci. Rep. 9, 5233, doi:10.1038/s41598-019-41695-z (Leiden).
    """
    adata = merge_samples(samples)
    if adata.n_obs < MIN_CELLS:
        msg = f"only {adata.n_obs} cells are left in all samples; at least {MIN_CELLS} are needed"
        raise ValueError(msg)
    counts = sparse.csr_matrix(adata.X, dtype=np.int32)
    adata.layers["counts"] = counts
    adata.X = counts.astype(np.float32)
    with warnings.catch_warnings():
        _ignore_library_warnings()
        sc.pp.normalize_total(adata, target_sum=TARGET_SUM)
        sc.pp.log1p(adata)
        big_enough = adata.obs["sample"].value_counts().min() >= MIN_CELLS
        sc.pp.highly_variable_genes(
            adata,
            n_top_genes=min(n_top_genes, adata.n_vars),
            batch_key="sample" if big_enough else None,
        )
        n_pcs = min(n_pcs, adata.n_obs - 1, int(adata.var["highly_variable"].sum()) - 1)
        sc.pp.pca(adata, n_comps=n_pcs, mask_var="highly_variable", random_state=seed)
        aligned = harmony and adata.obs["sample"].nunique() > 1
        if aligned:
            adata.obsm["X_pca"] = _harmony(adata, seed=seed)
        neighbors = min(n_neighbors, adata.n_obs - 1)
        sc.pp.neighbors(adata, n_neighbors=neighbors, use_rep="X_pca", random_state=seed)
        sc.tl.leiden(
            adata,
            resolution=resolution,
            key_added="cluster",
            flavor="igraph",
            n_iterations=2,
            directed=False,
            random_state=seed,
        )
        sc.tl.umap(adata, random_state=seed)
    done = {
        "n_cells": adata.n_obs,
        "n_genes": adata.n_vars,
        "n_pcs": n_pcs,
        "n_neighbors": neighbors,
        "harmony": bool(aligned),
        "n_clusters": int(adata.obs["cluster"].nunique()),
        **adata.uns["merge"],
    }
    log.info("%d clusters; Harmony %s", done["n_clusters"], "ran" if aligned else "did not run")
    return _tidy(adata, done)


def _harmony(adata: AnnData, *, seed: int) -> np.ndarray:
    """Principal components aligned over samples (cells x components, float32)."""
    start = np.asarray(adata.obsm["X_pca"], dtype=np.float64)
    result = harmonypy.run_harmony(
        start, adata.obs[["sample"]], "sample", random_state=seed, ncores=1, verbose=False
    )
    aligned = np.asarray(result.Z_corr)
    # harmonypy gave components x cells before 2.0, and cells x components since
    return (aligned if aligned.shape == start.shape else aligned.T).astype(np.float32)


def _ignore_library_warnings() -> None:
    """Silence deprecation notes that libraries raise about their own calls."""
    for category in (FutureWarning, DeprecationWarning, PendingDeprecationWarning):
        warnings.simplefilter("ignore", category=category)
    # UMAP says that a fixed seed means one thread, which is what is wanted.
    warnings.filterwarnings("ignore", message="n_jobs value .* overridden")


def _tidy(adata: AnnData, done: Mapping[str, Any]) -> AnnData:
    """Keep what the contract names; graphs and intermediate results go."""
    result = AnnData(
        adata.X.tocsr(),
        obs=adata.obs.copy(),
        var=adata.var[[c for c in ("ensembl_id",) if c in adata.var]].copy(),
        layers={"counts": adata.layers["counts"]},
        obsm={key: np.asarray(adata.obsm[key], dtype=np.float32) for key in ("X_pca", "X_umap")},
    )
    result.obs["cluster"] = result.obs["cluster"].astype(str)
    result.uns["log1p"] = {}
    result.uns["osteotalk"] = {
        "integrate": {
            **done,
            "versions": {name: version(name) for name in ("scanpy", "anndata", "harmonypy")},
        }
    }
    return result
