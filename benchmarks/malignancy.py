"""How well copy number tells tumour cells from normal ones, in real and in simulated cells.

Run from the repository: python benchmarks/malignancy.py [results folder of the simulated cohort]

The real cells are oligodendrogliomas (Tirosh 2016, doi:10.1038/nature20123) that come with
infercnvpy: 142 malignant cells of four patients and 23 oligodendrocytes, with 19 microglia as the
only reference. Neither markers nor the names of the cells are used. They are judged with the
oligodendrocytes among the tumour cells, in a cluster of their own, and without the tumour cells.
Two ovarian carcinomas (`malignancy_ovarian.py`; ../shared/data), simulated clones
(`malignancy_clones.py`, some minutes) and the simulated cohort follow.
"""

import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import scanpy as sc
from anndata import AnnData
from scipy import sparse
from sklearn.metrics import roc_auc_score

from osteotalk.annotate.malignancy import call_malignant
from osteotalk.annotate.positions import add_positions

REFERENCE, NORMAL = "Microglia/Macrophage", "Oligodendrocytes (non-malignant)"
POPULATIONS = pd.DataFrame(
    {
        "population": ["tumour", "microglia"],
        "parent": ["", ""],
        "cnv_role": ["malignant", "reference"],
    }
)
SEEDS = 5


def oligodendroglioma() -> AnnData:
    """Give the cells as one sample, all but the microglia in one cluster and without a name."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import infercnvpy

        adata = infercnvpy.datasets.oligodendroglioma()
        sc.pp.normalize_total(adata, target_sum=1e4)
        sc.pp.log1p(adata)
    adata.X = sparse.csr_matrix(adata.X, dtype=np.float32)
    adata.obs["truth"] = adata.obs["cell_type"].astype(str)
    microglia = adata.obs["truth"] == REFERENCE
    adata.obs["sample"] = "oligodendroglioma"
    adata.obs["patient"] = adata.obs_names.str.split("_").str[0].astype(object)
    adata.obs["cluster"] = np.where(microglia, "1", "0").astype(object)
    adata.obs["population"] = np.where(microglia, "microglia", "unassigned").astype(object)
    adata.obs["population_major"] = adata.obs["population"]
    for column in ("population_state", "population_reason"):
        adata.obs[column] = ""
    adata.obs["lineage_doublet"] = "no"
    adata.obs["population_probability"] = np.where(microglia, 1.0, np.nan)
    adata.obs["major_probability"] = adata.obs["population_probability"]
    return add_positions(adata)


def apart(adata: AnnData) -> AnnData:
    """Give the oligodendrocytes a cluster of their own."""
    adata = adata.copy()
    own = adata.obs["truth"] == NORMAL
    adata.obs["cluster"] = np.where(own, "2", adata.obs["cluster"]).astype(object)
    return adata


def without_tumour(adata: AnnData) -> AnnData:
    """Leave the tumour cells out."""
    return adata[adata.obs["truth"].isin([REFERENCE, NORMAL])].copy()


def plain_auc(adata: AnnData, truth: np.ndarray, judged: np.ndarray) -> float:
    """Score by the spread of infercnvpy's windows, without its filter of small values."""
    import infercnvpy

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _, windows, _ = infercnvpy.tl.infercnv(
            adata,
            reference_key="truth",
            reference_cat=REFERENCE,
            dynamic_threshold=None,
            n_jobs=1,
            inplace=False,
        )
    spread = (windows.toarray() ** 2).mean(axis=1)
    return float(roc_auc_score(truth[judged], spread[judged]))


def real_cells() -> None:
    """Print the area under the ROC curve, and the calls."""
    adata = oligodendroglioma()
    truth = adata.obs["truth"].str.startswith("malignant").to_numpy()
    judged = (adata.obs["truth"] != REFERENCE).to_numpy()
    print("infercnvpy's oligodendroglioma cells, microglia as the only reference")
    print(f"  spread of infercnvpy's windows: AUC {plain_auc(adata, truth, judged):.4f}")
    for seed in range(SEEDS):
        called = judge(adata, seed=seed)
        score = called.obs["cnv_score"].to_numpy()
        auc = roc_auc_score(truth[judged], score[judged])
        print(f"  osteotalk, seed {seed}: AUC {auc:.4f}")
    print_calls("all in one cluster but the microglia", called)
    print_calls("oligodendrocytes in a cluster of their own", judge(apart(adata), seed=0))
    print_calls("without the tumour cells", judge(without_tumour(adata), seed=0))


def judge(adata: AnnData, *, seed: int) -> AnnData:
    """Call the tumour cells by copy number alone."""
    called, _, _ = call_malignant(
        adata, populations=POPULATIONS, window=100, min_reference=10, min_genes=1000, seed=seed
    )
    return called


def print_calls(title: str, called: AnnData) -> None:
    """Print the calls against the truth, and the arms."""
    table = pd.crosstab(called.obs["truth"], called.obs["malignant"])
    print(f"  {title}:\n    " + table.to_string().replace("\n", "\n    "))
    found = called.uns["osteotalk"]["malignancy"]["samples"]["oligodendroglioma"]
    arms = f"gained: {found['gained'] or 'none'}; lost: {found['lost'] or 'none'}"
    limit = f"; limit {found['limit']:.2f}" if np.isfinite(found["limit"]) else ""
    print(f"    copy number: {found['copy_number']}; {arms}{limit}")


def simulated_cells(folder: Path) -> None:
    """Print precision and recall of the calls in the simulated cohort."""
    from osteotalk import io

    truth = io.read_json(folder / "simulated_os" / "truth.json")["malignancy"]
    print("\nsimulated cohort, kept true single cells")
    for name, value in truth.items():
        print(f"  {name}: {value}")


def main() -> None:
    """Print all."""
    import malignancy_clones
    import malignancy_ovarian

    real_cells()
    malignancy_ovarian.main()
    malignancy_clones.main()
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "results")
    if (folder / "simulated_os" / "truth.json").is_file():
        simulated_cells(folder)
    else:
        print(f"\nno simulated_os/truth.json in {folder}: run snakemake first for that cohort")


if __name__ == "__main__":
    main()
