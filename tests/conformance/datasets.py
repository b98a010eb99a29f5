"""The data that the conformance tests and benchmarks/null.py score.

Each function gives log-normalised cells with the label in ``obs["population"]``, and pairs.
"""

import tempfile
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import scanpy as sc
import yaml
from anndata import AnnData
from scipy import sparse

from osteotalk import workflow
from osteotalk.interactions.pairs.resource import subunits
from osteotalk.interactions.pairs.resource_files import liana_resource
from osteotalk.simulate import simulate_cohort

REPOSITORY = Path(__file__).parents[2]
CELLS = 800  # droplets of the simulated sample


def _cells(matrix, genes, labels) -> AnnData:
    return AnnData(
        sparse.csr_matrix(matrix, dtype=np.float32),
        obs=pd.DataFrame(
            {"population": np.asarray(labels, dtype=str)},
            index=[f"cell{i}" for i in range(matrix.shape[0])],
        ),
        var=pd.DataFrame(index=pd.Index(genes, dtype=object)),
    )


def _normalised(counts: AnnData) -> AnnData:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        counts.X = counts.X.astype(np.float32)
        sc.pp.normalize_total(counts, target_sum=1e4)
        sc.pp.log1p(counts)
    return counts


def blood() -> tuple[AnnData, pd.DataFrame]:
    """700 blood cells, 765 genes: LIANA's toy data, shipped with scanpy."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        raw = sc.datasets.pbmc68k_reduced().raw.to_adata()
    return _cells(raw.X, raw.var_names, raw.obs["bulk_labels"]), liana_resource("consensus")


def lung_cancer(folder: Path) -> tuple[AnnData, pd.DataFrame]:
    """300 cells of lung cancers, few of each population, few genes per cell (Zilionis 2019)."""
    counts = _normalised(sc.read_h5ad(folder / "nsclc_zilionis_300.h5ad"))
    labels = counts.obs["author_major_cell_type"]
    return _cells(counts.X, counts.var_names, labels), liana_resource("consensus")


def embedded() -> tuple[AnnData, pd.DataFrame]:
    """One sample of the simulated cohort, with its true populations."""
    config = yaml.safe_load((REPOSITORY / "config" / "config.yaml").read_text(encoding="utf-8"))
    tables = workflow.load(config, REPOSITORY)
    samples = tables.samples[tables.samples["sample"] == "LM1"]
    pairs = liana_resource("consensus")
    added = tables.interactions[tables.interactions["action"] == "add"]
    pairs = pd.concat([pairs, added[["ligand", "receptor"]]]).drop_duplicates()
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        roles = {
            "matrix": "matrix.mtx.gz",
            "barcodes": "barcodes.tsv.gz",
            "features": "features.tsv.gz",
        }
        files = pd.DataFrame(
            [("LM1", role, str(here / "counts" / name)) for role, name in roles.items()],
            columns=["sample", "role", "path"],
        )
        simulate_cohort(
            samples=samples,
            files=files,
            populations=tables.populations,
            markers=tables.markers,
            shares=tables.simulation_populations,
            planted=tables.simulation_edges,
            resource_genes=subunits([*pairs["ligand"], *pairs["receptor"]]),
            cells=CELLS,
            genes=config["simulation"]["genes"],
            seed=config["simulation"]["seed"],
            **{f"truth_{name}": here / f"{name}.tsv" for name in ("cells", "edges", "cnv")},
        )
        counts = sc.read_10x_mtx(here / "counts")
        truth = pd.read_csv(here / "cells.tsv", sep="\t").set_index("barcode")
    truth = truth.loc[counts.obs_names]
    single = truth["state"] == "single"
    counts = _normalised(counts[single.to_numpy()].copy())
    return _cells(counts.X, counts.var_names, truth.loc[single, "population"]), pairs
