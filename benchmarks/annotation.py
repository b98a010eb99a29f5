"""How well populations are named: simulated truth, real cells, and controls that must fail.

Run from the repository: python benchmarks/annotation.py [folder of a run] [rows ...]
The folder (default: .) holds results/ and resources/ of the simulated cohort. Without it, or
without ../shared/data, the rows that need them are left out, and this is said. Rows are simulated,
canine, lung and ovarian; all of them if none is named.

Constants of `osteotalk.annotate` were chosen by looking at the canine cells, the lung cancer cells,
the ovarian cells and their thinned versions, which are the rows of this table: it is no test on
data that were never seen. What is not seen here are the markers of other species and tumours.
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
DATA = REPOSITORY.parent / "shared" / "data"
NSCLC = DATA / "nsclc_zilionis_300.h5ad"
CANINE = DATA / "canine_osteosarcoma_standin.h5ad"
OVARIAN = DATA / "ovarian_two_patients.h5ad"
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
OVARIAN_MAJORS = {
    "Fibroblast": "stromal",
    "Endothelial": "endothelial",
    "Macrophage": "myeloid",
    "T_cell": "t_nk",
    "B_cell": "b_plasma",
}
# Canine types that the vocabulary has a finer name for, with the names that are right.
CANINE_FINE = {
    "CD4_act": "cd4_t",
    "CD4_fh": "cd4_t",
    "CD4_naive": "cd4_t",
    "CD4_reg": "treg",
    "CD8_SPP1_hi": "cd8_t",
    "CD8_eff": "cd8_t",
    "CD8_ex": "cd8_t",
    "NK": "nk",
    "T_IFN": "cd4_t;cd8_t",
    "T_cycling": "cd4_t;cd8_t;treg",
    "cDC1": "dc",
    "cDC2": "dc",
    "mregDC": "dc",
    "pDC": "pdc",
    "preDC": "dc;pdc",
    "Mast cell": "mast",
    "Neutrophil": "neutrophil",
}
SEEDS = range(10)
THINNED = 1 / 3
DEPTHS = (0.5, 0.25)
SURE = 0.9


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


def cohort(
    cells: ad.AnnData, *, dataset: str, sample: str, label: str, keep: float = 1.0, seed: int = 0
) -> ad.AnnData:
    """Integrate cells without quality control, with a part of their counts.

    Parameters
    ----------
    cells
        Counts; `obs` patient and the columns `sample` and `label`.
    dataset
        Name of the cohort.
    sample, label
        Columns of `obs` with the sample and the authors' label.
    keep
        Share of the counts that are kept, drawn at random.
    seed
        Of the draw.
    """
    rng = np.random.default_rng(seed)
    samples = []
    for name in sorted(set(cells.obs[sample].astype(str))):
        part = cells[cells.obs[sample].astype(str) == name]
        x = sparse.csr_matrix(part.X).astype(np.int32)
        if keep < 1:
            x.data = rng.binomial(x.data, keep).astype(np.int32)
            x.eliminate_zeros()
        obs = pd.DataFrame(
            {
                "dataset": dataset,
                "sample": name,
                "patient": part.obs["patient"].astype(str).to_numpy(),
                "condition": "primary",
                "n_counts": np.asarray(x.sum(axis=1), dtype=float).ravel(),
                "n_genes": np.asarray((x > 0).sum(axis=1)).ravel(),
                "pct_mito": 0.0,
                "doublet_score": 0.0,
                "author_label": part.obs[label].astype(str).to_numpy(),
            },
            index=part.obs_names,
        )
        found = ad.AnnData(x, obs=obs, var=pd.DataFrame(index=part.var_names))
        found.uns["ingest"] = {"sample": name}
        samples.append(found)
    return integrate(samples, **settings()[0], seed=0)


def lung_cohort(*, keep: float = 1.0) -> ad.AnnData:
    """Integrate the lung cancer cells, one sample per patient."""
    return cohort(
        ad.read_h5ad(NSCLC),
        dataset="nsclc",
        sample="patient",
        label="author_major_cell_type",
        keep=keep,
    )


def canine_cohort(*, keep: float = 1.0) -> ad.AnnData:
    """Integrate the canine stand-in; `obs["truth"]` is our major population."""
    cells = ad.read_h5ad(CANINE)
    found = cohort(cells, dataset="canine", sample="sample", label="author_label", keep=keep)
    found.obs["truth"] = cells.obs["major"].astype(str).reindex(found.obs_names)
    return found


def ovarian_cohort() -> ad.AnnData:
    """Integrate the ovarian cells; their carcinoma cells are in no population."""
    return cohort(ad.read_h5ad(OVARIAN), dataset="ovarian", sample="sample", label="author_label")


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


def major_rates(obs: pd.DataFrame, truth: pd.Series) -> dict[str, float]:
    """Shares of the cells whose major population is known, and of sure names that are right."""
    called, known = obs["population_major"].astype(str), truth.notna()
    assigned = called != UNASSIGNED
    right = called == truth
    sure = known & assigned & (obs["major_probability"] >= SURE)
    rates = {
        "right of all": float(right[known].mean()),
        "unassigned": float((~assigned)[known].mean()),
        "right of assigned": float(right[known & assigned].mean()),
        f"named with {SURE} or more": float(sure.sum() / max((known & assigned).sum(), 1)),
        "right of these": float(right[sure].mean()),
    }
    tumour = truth == "malignant"
    if tumour.any():
        rates |= {
            "malignant recall": float((called[tumour] == "malignant").mean()),
            "malignant precision": float(tumour[called == "malignant"].mean()),
        }
    return rates


def fine_rates(obs: pd.DataFrame) -> dict[str, float]:
    """Finer names of the canine types that the vocabulary knows, where they were given one."""
    known = obs["author_label"].isin(CANINE_FINE)
    parents = set(table("populations")["parent"]) - {"dc"} | {UNASSIGNED}
    named = known & ~obs["population"].isin(parents)
    right = [
        name in CANINE_FINE[label].split(";")
        for name, label in zip(obs["population"][named], obs["author_label"][named], strict=True)
    ]
    return {
        "finer name": float(named.sum() / known.sum()),
        "right of these": float(np.mean(right)),
    }


def reliability(obs: pd.DataFrame, truth: pd.Series) -> dict[str, float]:
    """Share of right names by their probability."""
    called, chance = obs["population_major"].astype(str), obs["major_probability"]
    found = {}
    for low, high in ((0.85, 0.9), (0.9, 0.95), (0.95, 0.99), (0.99, 1.001)):
        here = truth.notna() & (chance >= low) & (chance < high)
        if here.any():
            found[f"{low:g} to {min(high, 1):g} ({int(here.sum())} cells)"] = float(
                (called == truth)[here].mean()
            )
    return found


def show_all(title: str, adata: ad.AnnData, rates) -> None:
    """Print the rates with the shipped markers, with thinned and with shuffled ones."""
    markers = table("markers")
    show(title, rates(name_cells(adata, markers).obs))
    dropped = [rates(name_cells(adata, thinned(markers, seed=seed)).obs) for seed in SEEDS]
    first = next(iter(dropped[0]))
    values = [row[first] for row in dropped]
    show(
        "  a third of the markers dropped",
        {f"{first}, worst of {len(values)}": min(values)} | {"median": float(np.median(values))},
    )
    shares = []
    for seed in SEEDS:
        called = name_cells(adata, shuffled(markers, seed=seed)).obs["population"]
        shares.append(float((called == UNASSIGNED).mean()))
    show("  markers shuffled", {"unassigned, mean": float(np.mean(shares)), "least": min(shares)})


def peers(adata: ad.AnnData, truth: pd.Series, *, trained: bool) -> None:
    """Print what other ways make of the same clusters."""
    import annotation_peers

    markers, populations = table("markers"), table("populations")
    top = tops(populations)
    for name in ("naive", "ulm"):
        called = getattr(annotation_peers, name)(adata, markers, populations).map(top)
        show(f"  {name}", {"right of all": float((called == truth)[truth.notna()].mean())})
    if trained:
        called = annotation_peers.celltypist_by_patient(adata, truth)
        show("  celltypist, other patients", {"right of all": float((called == truth).mean())})


def canine() -> None:
    """Print all rows of the canine stand-in."""
    adata = canine_cohort()
    truth = adata.obs["truth"]
    obs = name_cells(adata, table("markers")).obs
    show_all("canine osteosarcomas, majors", adata, lambda found: major_rates(found, truth))
    show("  finer", fine_rates(obs))
    show("  reliability", reliability(obs, truth))
    peers(adata, truth, trained=True)
    for part in DEPTHS:
        less = canine_cohort(keep=part)
        named = name_cells(less, table("markers")).obs
        show(f"  {part:g} of the counts", major_rates(named, less.obs["truth"]))


def lung() -> None:
    """Print all rows of the lung cancer cells."""
    adata = lung_cohort()
    truth = adata.obs["author_label"].astype(str).map(NSCLC_MAJORS)
    show_all("lung cancer, 300 cells", adata, lambda obs: major_rates(obs, truth))
    obs = name_cells(adata, table("markers")).obs
    show("  tumour", lung_rates(obs))
    show("  reliability", reliability(obs, truth))
    peers(adata, truth, trained=False)
    for part in DEPTHS:
        less = lung_cohort(keep=part)
        named = name_cells(less, table("markers")).obs
        expected = named["author_label"].astype(str).map(NSCLC_MAJORS)
        show(f"  {part:g} of the counts", major_rates(named, expected))


def ovarian() -> None:
    """Print all rows of the ovarian cells, by markers alone."""
    adata = ovarian_cohort()
    truth = adata.obs["author_label"].astype(str).map(OVARIAN_MAJORS)
    show_all("ovarian cancer, normal cells", adata, lambda obs: major_rates(obs, truth))
    obs = name_cells(adata, table("markers")).obs
    tumour = obs.loc[truth.isna(), "population_major"].value_counts(normalize=True)
    show("  carcinoma cells, by markers alone", tumour.round(3).to_dict())
    peers(adata, truth, trained=False)


def simulated(folder: Path) -> None:
    """Print the rows of the embedded cohort, of a run of the workflow."""
    integrated = folder / "results" / "simulated_os" / "integrated.h5ad"
    truths = sorted((folder / "resources" / "simulated_os").glob("truth_cells.tsv*"))
    if not (integrated.exists() and truths):
        print(f"no simulated cohort in {folder}: run the workflow there first")
        return
    adata = io.read_stage(integrated, stage="integrated")
    truth = simulated_truth(adata, truths[0])
    show_all("simulated cohort", adata, lambda obs: truth_rates(obs, truth))


def main(folder: Path, chosen: list[str]) -> None:
    """Print the rows of the chosen data, of all if none is chosen."""
    if not chosen or "simulated" in chosen:
        simulated(folder)
    for name, path, rows in (
        ("canine", CANINE, canine),
        ("lung", NSCLC, lung),
        ("ovarian", OVARIAN, ovarian),
    ):
        if chosen and name not in chosen:
            continue
        if path.exists():
            rows()
        else:
            print(f"no {path.name} in ../shared/data: its rows are left out")


if __name__ == "__main__":
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.disable(logging.WARNING)  # the same lines for each of many tables
        main(Path(sys.argv[1] if len(sys.argv) > 1 else "."), sys.argv[2:])
