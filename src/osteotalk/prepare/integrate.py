"""Merge the samples of a cohort, normalise, and find clusters in a common space."""

import logging
import warnings
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
import scanpy as sc
from anndata import AnnData
from scipy import sparse

from osteotalk.clusters import leiden
from osteotalk.ingest.gene_tables import some
from osteotalk.ingest.gtf import COLUMNS, clean_positions
from osteotalk.left_out import analysed
from osteotalk.measured import KEY, partly_measured
from osteotalk.prepare.align import NONE, align, method_version, need_method
from osteotalk.prepare.mixing import choose_cells, measure_mixing

log = logging.getLogger(__name__)

TARGET_SUM = 1e4  # counts per cell after scaling
MIN_CELLS = 20  # below this no neighbour graph makes sense
MIN_GENES = 2  # below this there is no principal component
# Cells of the map before aligning; it serves one figure, and the map of all cells is the slow step.
MAX_BEFORE = 20_000
# What is known of a gene and kept through the stages, where the files have it.
ID = "ensembl_id"
_VAR = (ID, *COLUMNS)


def merge_samples(samples: Sequence[AnnData]) -> AnnData:
    """Merge samples with all genes that at least one of them measured.

    What a sample did not measure is 0 in its cells, and its genes are named in
    `uns["not_measured"]` by sample (see `osteotalk.measured`). Samples without cells are left out
    and named in `uns["merge"]`, with the number of genes that some samples lack, the samples
    without positions of genes, and the numbers of genes whose ids and whose positions differ
    between samples.

    Ids and positions are merged gene by gene: the known one counts. Where samples differ it is
    unknown.

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
    merged, missing = _join(filled)
    lacking = len(partly_measured(missing))
    if lacking == merged.n_vars:
        msg = "no gene name is in all samples; are some of them of another species or id type?"
        raise ValueError(msg)
    merged.uns[KEY] = missing
    kept = set(merged.obs["sample"])
    reports = [dict(s.uns["ingest"]) for s in samples if not s.n_obs]
    empty = [str(report["sample"]) for report in analysed(reports)]
    merged.uns["merge"] = {
        "empty_samples": empty,
        "genes_not_in_all_samples": lacking,
        "genes_with_differing_ids": _merge_ids(merged, filled),
        **_merge_positions(merged, filled),
    }
    log.info(
        "merged %d cells of %d samples; %d genes in all of them, %d more in only some",
        merged.n_obs,
        len(kept),
        merged.n_vars - lacking,
        lacking,
    )
    for sample, genes in missing.items():
        log.warning("sample %s did not measure %d genes: %s", sample, len(genes), some(genes))
    for sample in empty:
        log.warning("sample %s has no cell left after quality control and is left out", sample)
    return merged


def _join(samples: Sequence[AnnData]) -> tuple[AnnData, dict[str, list[str]]]:
    """Matrix of all genes, in the order in which they appear; what each sample lacks, if any."""
    genes = list(dict.fromkeys(gene for sample in samples for gene in sample.var_names))
    missing = {}
    for sample in samples:
        if sample.n_vars < len(genes):
            own = set(sample.var_names)
            name = str(sample.obs["sample"].iloc[0])
            missing[name] = [gene for gene in genes if gene not in own]
    if not missing:
        return ad.concat(samples, join="inner", merge="same"), {}
    merged = ad.concat(samples, join="outer", merge="same", fill_value=0)
    return merged[:, genes].copy(), missing


def _merge_ids(merged: AnnData, samples: Sequence[AnnData]) -> int:
    """Put the ids that the samples agree on into `var`, '' for the others; count those."""
    columns = [s.var[ID].astype(str) for s in samples if ID in s.var]
    if not columns:
        return 0
    known = pd.concat(columns)
    genes = known[known != ""].groupby(level=0).agg(["first", "nunique"])
    agreed = genes.loc[genes["nunique"] == 1, "first"]
    merged.var[ID] = agreed.reindex(merged.var_names, fill_value="").astype(str)
    n_differ = len(genes) - len(agreed)
    if n_differ:
        log.warning("ids of %d genes differ between samples and count as unknown", n_differ)
    return n_differ


def _merge_positions(merged: AnnData, samples: Sequence[AnnData]) -> dict[str, Any]:
    """Put the positions that the samples agree on into `var`; tell what is missing or differs."""
    columns = list(COLUMNS)
    having = [sample for sample in samples if set(columns) <= set(sample.var.columns)]
    lacking = [
        str(s.obs["sample"].iloc[0]) for s in samples if not set(columns) <= set(s.var.columns)
    ]
    merged.var = merged.var.drop(columns=columns, errors="ignore")
    n_differ = 0
    if having:
        rows = pd.concat([clean_positions(s.var[columns]) for s in having])
        known = rows[rows["chromosome"] != ""].reset_index(names="gene").drop_duplicates()
        counts = known["gene"].value_counts()
        n_differ = int((counts > 1).sum())
        agreed = known[known["gene"].map(counts) == 1].set_index("gene").reindex(merged.var_names)
        merged.var[columns] = clean_positions(agreed.fillna({"chromosome": ""}))
    found = {"samples_without_positions": lacking, "genes_with_differing_positions": n_differ}
    if n_differ or (having and lacking):
        log.warning(
            "positions of %d genes differ between samples and count as unknown; samples "
            "without positions: %s",
            n_differ,
            ", ".join(lacking) or "none",
        )
    return found


def integrate(
    samples: Sequence[AnnData],
    *,
    n_top_genes: int,
    n_pcs: int,
    method: str,
    n_neighbors: int,
    resolution: float,
    seed: int,
) -> AnnData:
    """Normalise, reduce, align and cluster the cells of a cohort, and measure the mixing.

    Parameters
    ----------
    samples
        Filtered counts per sample.
    n_top_genes
        Highly variable genes, chosen within samples and combined, among those that all samples
        measured.
    n_pcs
        Principal components of the log-normalised variable genes.
    method
        How the samples are aligned (see `osteotalk.prepare.align`); only if two or more have cells.
    n_neighbors
        Size of the neighbourhoods of the graph.
    resolution
        Resolution of Leiden.
    seed
        Seed of PCA, aligning, neighbours, Leiden, UMAP and the measures of mixing.

    Returns
    -------
    Cells x genes: `X` log1p of counts scaled to 1e4 per cell (float32), `layers["counts"]`,
    `obs["cluster"]`, `obsm["X_pca"]` (aligned, if the samples were) and `obsm["X_umap"]`; where
    they were aligned also `obsm["X_pca_unaligned"]` and `obsm["X_umap_unaligned"]` (of at most
    20,000 cells, NaN for the others). `uns["osteotalk"]["not_measured"]` has the genes that a
    sample lacks, if one does. `uns["osteotalk"]["integrate"]` tells what was done; its
    `mixing` is that of `osteotalk.prepare.mixing.measure_mixing`.

    Raises
    ------
    osteotalk.prepare.align.MethodError
        If the method cannot run here.
    ValueError
        If fewer than 20 cells are left in all, or the samples share fewer than 2 genes with
        counts, or fewer than 2 of these are chosen as variable.

    References
    ----------
    Traag et al. 2019, Sci. Rep. 9, 5233, doi:10.1038/s41598-019-41695-z (Leiden).
    """
    need_method(method)
    adata = merge_samples(samples)
    if adata.n_obs < MIN_CELLS:
        msg = f"only {adata.n_obs} cells are left in all samples; at least {MIN_CELLS} are needed"
        raise ValueError(msg)
    aligned = method != NONE and len(set(adata.obs["sample"])) > 1
    with warnings.catch_warnings():
        _ignore_library_warnings()
        n_pcs = _reduce(adata, n_top_genes=n_top_genes, n_pcs=n_pcs, seed=seed)
        near = min(n_neighbors, adata.n_obs - 1)
        before = np.asarray(adata.obsm["X_pca"], dtype=np.float32)
        if aligned:
            adata.obsm["X_pca"] = align(adata, method=method, seed=seed)
            log.info("aligned with %s", method)
            adata.obsm["X_pca_unaligned"] = before
            adata.obsm["X_umap_unaligned"] = _map_before(adata, n_neighbors=near, seed=seed)
        _cluster_and_map(adata, n_neighbors=near, resolution=resolution, seed=seed)
        mixing = measure_mixing(
            adata,
            before=before,
            after=adata.obsm["X_pca"] if aligned else None,
            n_neighbors=near,
            seed=seed,
        )
    done = {
        "n_cells": adata.n_obs,
        "n_genes": adata.n_vars,
        "n_pcs": n_pcs,
        "n_neighbors": near,
        "method": method,
        "aligned": "yes" if aligned else "no",
        "n_clusters": int(adata.obs["cluster"].nunique()),
        "mixing": mixing,
        **adata.uns["merge"],
    }
    how = f"aligned with {method}" if aligned else "not aligned"
    log.info("%d clusters; samples were %s", done["n_clusters"], how)
    for name, metric in mixing["metrics"].items():
        log.info("%s: %s", name, {k: round(v, 3) for k, v in metric.items() if k in _TIMES})
    return _tidy(adata, done)


_TIMES = ("before", "after")


def _reduce(adata: AnnData, *, n_top_genes: int, n_pcs: int, seed: int) -> int:
    """Normalise, choose genes and reduce, in place; tells how many components there are."""
    counts = sparse.csr_matrix(adata.X, dtype=np.int32)
    adata.layers["counts"] = counts
    adata.X = counts.astype(np.float32)
    sc.pp.normalize_total(adata, target_sum=TARGET_SUM)
    sc.pp.log1p(adata)
    log.info("normalised")
    shared = ~adata.var_names.isin(partly_measured(adata.uns.get(KEY, {})))
    seen = shared & (counts.getnnz(axis=0) > 0)
    if seen.sum() < MIN_GENES:
        msg = (
            f"the samples share {shared.sum()} of {adata.n_vars} genes, and cells have counts of "
            f"{seen.sum()} of these ({some(adata.var_names[seen]) or 'none'}); at least "
            f"{MIN_GENES} are needed to compare cells. Are some samples of another species, id "
            "type or panel? Leave them out or map their genes"
        )
        raise ValueError(msg)
    part = adata if shared.all() else adata[:, shared].copy()
    big_enough = adata.obs["sample"].value_counts().min() >= MIN_CELLS
    sc.pp.highly_variable_genes(
        part,
        n_top_genes=min(n_top_genes, part.n_vars),
        batch_key="sample" if big_enough else None,
    )
    variable = part.var["highly_variable"].reindex(adata.var_names, fill_value=False)
    adata.var["highly_variable"] = variable.to_numpy(dtype=bool)
    n_variable = int(adata.var["highly_variable"].sum())
    if n_variable < MIN_GENES:
        msg = (
            f"{n_variable} of the {shared.sum()} genes that all samples share is chosen as "
            f"variable; at least {MIN_GENES} are needed (integration.n_top_genes: {n_top_genes})"
        )
        raise ValueError(msg)
    n_pcs = min(n_pcs, adata.n_obs - 1, n_variable - 1)
    sc.pp.pca(adata, n_comps=n_pcs, mask_var="highly_variable", random_state=seed)
    log.info("%d principal components", n_pcs)
    return n_pcs


def cluster(adata: AnnData, *, n_neighbors: int, resolution: float, seed: int) -> pd.Series:
    """Cluster cells on their (aligned) components again.

    Parameters
    ----------
    adata
        Cells with `obsm["X_pca"]`.
    n_neighbors, resolution, seed
        See `integrate`.

    Returns
    -------
    Cluster of each cell.
    """
    cells = AnnData(sparse.csr_matrix((adata.n_obs, 1), dtype=np.float32), obs=adata.obs[[]])
    cells.obsm["X_pca"] = adata.obsm["X_pca"]
    with warnings.catch_warnings():
        _ignore_library_warnings()
        near = min(n_neighbors, adata.n_obs - 1)
        _cluster(cells, n_neighbors=near, resolution=resolution, seed=seed)
    clusters: pd.Series = cells.obs["cluster"].astype(str)
    return clusters


def _cluster_and_map(adata: AnnData, *, n_neighbors: int, resolution: float, seed: int) -> None:
    """Neighbour graph, Leiden clusters and UMAP of all cells, in place."""
    _cluster(adata, n_neighbors=n_neighbors, resolution=resolution, seed=seed)
    sc.tl.umap(adata, random_state=seed)
    log.info("mapped")


def _cluster(adata: AnnData, *, n_neighbors: int, resolution: float, seed: int) -> None:
    sc.pp.neighbors(adata, n_neighbors=n_neighbors, use_rep="X_pca", random_state=seed)
    log.info("neighbours found")
    leiden(adata, resolution=resolution, seed=seed, key="cluster")
    log.info("clustered")


def _map_before(adata: AnnData, *, n_neighbors: int, seed: int) -> np.ndarray:
    """UMAP of the cells before they were aligned (cells x 2); NaN for cells left out."""
    chosen = choose_cells(adata.obs["sample"], most=MAX_BEFORE, seed=seed)
    cells = AnnData(sparse.csr_matrix((len(chosen), 1), dtype=np.float32))
    cells.obsm["X_pca"] = adata.obsm["X_pca_unaligned"][chosen]
    sc.pp.neighbors(cells, n_neighbors=n_neighbors, use_rep="X_pca", random_state=seed)
    sc.tl.umap(cells, random_state=seed)
    points = np.full((adata.n_obs, 2), np.nan, dtype=np.float32)
    points[chosen] = cells.obsm["X_umap"]
    log.info("mapped before aligning: %d cells", len(chosen))
    return points


def _ignore_library_warnings() -> None:
    """Silence deprecation notes that libraries raise about their own calls."""
    for category in (FutureWarning, DeprecationWarning, PendingDeprecationWarning):
        warnings.simplefilter("ignore", category=category)
    # UMAP says that a fixed seed means one thread, which is what is wanted.
    warnings.filterwarnings("ignore", message="n_jobs value .* overridden")


def _tidy(adata: AnnData, done: Mapping[str, Any]) -> AnnData:
    """Keep what the contract names; graphs and intermediate results go."""
    kept = [
        k for k in ("X_pca", "X_umap", "X_pca_unaligned", "X_umap_unaligned") if k in adata.obsm
    ]
    result = AnnData(
        adata.X.tocsr(),
        obs=adata.obs.copy(),
        var=adata.var[[c for c in _VAR if c in adata.var]].copy(),
        layers={"counts": adata.layers["counts"]},
        obsm={key: np.asarray(adata.obsm[key], dtype=np.float32) for key in kept},
    )
    result.obs["cluster"] = result.obs["cluster"].astype(str)
    result.uns["log1p"] = {}
    versions = {name: version(name) for name in ("scanpy", "anndata")}
    result.uns["osteotalk"] = {
        "integrate": {**done, "versions": versions | method_version(str(done["method"]))}
    }
    if adata.uns[KEY]:
        result.uns["osteotalk"][KEY] = {
            sample: np.array(genes, dtype=object) for sample, genes in adata.uns[KEY].items()
        }
    return result
