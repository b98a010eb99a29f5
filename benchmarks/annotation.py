"""How well populations are named: simulated truth, real cells, and controls that must fail.

Run from the repository: python benchmarks/annotation.py [folder of a run of the workflow]
The folder (default: .) holds results/ and resources/ of the simulated cohort. Without it, or
without ../shared/data, the rows that need them are left out, and this is said.
"""

import logging
import sys
import warnings
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import yaml
from scipy import sparse

from osteotalk import io
from osteotalk.annotate import annotate
from osteotalk.contract import UNASSIGNED
from osteotalk.prepare.integrate import integrate

REPOSITORY = Path(__file__).resolve().parents[1]
NSCLC = REPOSITORY.parent / "shared" / "data" / "nsclc_zilionis_300.h5ad"
# Authors' labels of the lung cancer cells and our majors. Tumour and ciliated cells are not in
# the vocabulary; `ND` is no label.
NSCLC_MAJORS = {
    "tMoMacDC": "myeloid",
    "bMonocytes": "myeloid",
    "bMyeloid precursor-like": "myeloid",
    "tpDC": "myeloid",
    "bBasophils": "myeloid",
    "tMast cells": "myeloid",
    "bNeutrophils": "myeloid",
    "tNeutrophils": "myeloid",
    "tT cells": "t_nk",
    "bT cells": "t_nk",
    "tNK cells": "t_nk",
    "bNK cells": "t_nk",
    "tB cells": "b_plasma",
    "bB cells": "b_plasma",
    "tPlasma cells": "b_plasma",
    "Fibroblasts": "stromal",
    "Smooth muscle cells": "stromal",
    "Endothelial cells": "endothelial",
}
SEEDS = range(10)
THINNED = 1 / 3


def table(name: str) -> pd.DataFrame:
    """Read one of the tables of the analysis as text."""
    lines = (REPOSITORY / "config" / f"{name}.tsv").read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if line and not line.startswith("#")]
    return pd.DataFrame(rows[1:], columns=rows[0], dtype=object)


def settings() -> tuple[dict, dict]:
    """Give the shipped settings of integration and of the naming of populations."""
    config = yaml.safe_load((REPOSITORY / "config" / "config.yaml").read_text(encoding="utf-8"))
    names = ("min_probability", "min_measured")
    return config["integration"], {name: config["annotation"][name] for name in names}


def shuffled(markers: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """Deal the genes of the table out to its rows at random; no gene twice in a population."""
    rng = np.random.default_rng(seed)
    dealt = markers.assign(gene=rng.permutation(markers["gene"].to_numpy()))
    return dealt.drop_duplicates(["population", "gene"])


def thinned(markers: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """Drop a random third of each population's positive and negative markers, rounded down."""
    rng = np.random.default_rng(seed)
    negative = markers["sign"] == "-"
    dropped = [
        rng.choice(rows, int(len(rows) * THINNED), replace=False)
        for rows in markers.groupby(["population", negative], sort=False).indices.values()
    ]
    return markers.drop(markers.index[np.concatenate(dropped)])


def tops(populations: pd.DataFrame) -> dict[str, str]:
    """Major population of each population."""
    parent = dict(zip(populations["population"], populations["parent"], strict=True))

    def top(name: str) -> str:
        return top(parent[name]) if parent[name] else name

    return {name: top(name) for name in parent} | {UNASSIGNED: UNASSIGNED}


def lung_cohort() -> ad.AnnData:
    """Integrate the lung cancer cells, one sample per patient, without quality control."""
    cells = ad.read_h5ad(NSCLC)
    samples = []
    for patient in sorted(set(cells.obs["patient"])):
        part = cells[cells.obs["patient"] == patient]
        x = sparse.csr_matrix(part.X).astype(np.int32)
        obs = pd.DataFrame(
            {
                "dataset": "nsclc",
                "sample": patient,
                "patient": patient,
                "condition": "primary",
                "n_counts": np.asarray(x.sum(axis=1), dtype=float).ravel(),
                "n_genes": np.asarray((x > 0).sum(axis=1)).ravel(),
                "pct_mito": 0.0,
                "doublet_score": 0.0,
                "author_label": part.obs["author_major_cell_type"].astype(str),
            },
            index=part.obs_names,
        )
        sample = ad.AnnData(x, obs=obs, var=pd.DataFrame(index=part.var_names))
        sample.uns["ingest"] = {"sample": patient}
        samples.append(sample)
    return integrate(samples, **settings()[0], seed=0)


def name_cells(adata: ad.AnnData, markers: pd.DataFrame) -> ad.AnnData:
    """Name populations with the shipped vocabulary and settings."""
    annotated, _ = annotate(
        adata, markers=markers, populations=table("populations"), **settings()[1]
    )
    return annotated


def truth_rates(obs: pd.DataFrame, truth: pd.Series) -> dict[str, float]:
    """Shares of simulated single cells.

    Parameters
    ----------
    obs
        Annotated cells.
    truth
        True population of the single cells, with the index of `obs`; other cells are absent.
    """
    called = obs.loc[truth.index, "population"].astype(str)
    top = tops(table("populations"))
    assigned = called != UNASSIGNED
    right = called.map(top) == truth.map(top)
    parents = set(truth.map(top)) - set(truth)
    fine = assigned & ~called.isin(parents)
    return {
        "right major": float(right.mean()),
        "right fine of assigned": float((called == truth)[assigned].mean()),
        "named as a parent": float((assigned & ~fine).mean()),
        "right of those named finer": float((called == truth)[fine].mean()),
        "unassigned": float((~assigned).mean()),
    }


def lung_rates(obs: pd.DataFrame) -> dict[str, float]:
    """Shares of the lung cancer cells, against the authors' labels."""
    expected = obs["author_label"].astype(str).map(NSCLC_MAJORS)
    called = obs["population_major"].astype(str)
    known = expected.notna()
    assigned = called != UNASSIGNED
    normal = assigned & (called != "malignant")
    foreign = ~known & (obs["author_label"].astype(str) != "ND")
    return {
        "cells of known type": int(known.sum()),
        "assigned": float(assigned[known].mean()),
        "right of assigned": float((called == expected)[known & assigned].mean()),
        "tumour and ciliated cells": int(foreign.sum()),
        "of them in a normal population": int(normal[foreign].sum()),
    }


def simulated_truth(adata: ad.AnnData, path: Path) -> pd.Series:
    """True population of the single cells among those of a cohort."""
    cells = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)
    cells = cells[cells["state"] == "single"]
    known = dict(zip(cells["sample"] + " " + cells["barcode"], cells["population"], strict=True))
    barcode = adata.obs_names.str.extract(r"([ACGT]{8,}-\d+)", expand=False)
    keys = pd.Series(adata.obs["sample"].astype(str) + " " + barcode, index=adata.obs_names)
    return keys.map(known).dropna()


def show(title: str, rates: dict[str, float]) -> None:
    """Print one row."""
    words = [f"{k} {v:.3f}" if isinstance(v, float) else f"{k} {v}" for k, v in rates.items()]
    print(f"{title:34}", "; ".join(words), flush=True)


def show_all(title: str, adata: ad.AnnData, rates) -> None:
    """Print the rates with the shipped markers, with thinned and with shuffled ones."""
    markers = table("markers")
    show(title, rates(name_cells(adata, markers).obs))
    for seed in SEEDS:
        show(
            f"  a third dropped, seed {seed}",
            rates(name_cells(adata, thinned(markers, seed=seed)).obs),
        )
    for seed in SEEDS:
        called = name_cells(adata, shuffled(markers, seed=seed)).obs["population"]
        show(
            f"  markers shuffled, seed {seed}", {"unassigned": float((called == UNASSIGNED).mean())}
        )


def main(folder: Path) -> None:
    """Print the table."""
    integrated = folder / "results" / "simulated_os" / "integrated.h5ad"
    truths = sorted((folder / "resources" / "simulated_os").glob("truth_cells.tsv*"))
    if integrated.exists() and truths:
        adata = io.read_stage(integrated, stage="integrated")
        truth = simulated_truth(adata, truths[0])
        show_all("simulated cohort", adata, lambda obs: truth_rates(obs, truth))
    else:
        print(f"no simulated cohort in {folder}: run the workflow there first")
    if NSCLC.exists():
        show_all("lung cancer, 300 cells", lung_cohort(), lung_rates)
    else:
        print(f"no {NSCLC}: the real cells are left out")


if __name__ == "__main__":
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.disable(logging.WARNING)  # the same lines for each of 40 tables
        main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
