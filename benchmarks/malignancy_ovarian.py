"""Real cells of two ovarian carcinomas, for `benchmarks/malignancy.py`.

The vocabulary has no markers of carcinoma, so only copy number can find the tumour. Positions of
the genes came with the counts. Integrated, named and called with the shipped settings.
"""

from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import yaml
from scipy import sparse
from sklearn.metrics import roc_auc_score

from osteotalk.annotate import add_positions, annotate, call_malignant
from osteotalk.prepare.integrate import integrate

REPOSITORY = Path(__file__).resolve().parents[1]
CELLS = REPOSITORY.parent / "shared" / "data" / "ovarian_two_patients.h5ad"
TUMOUR = "Carcinoma"
MAJORS = {
    "Endothelial": "endothelial",
    "Fibroblast": "stromal",
    "Macrophage": "myeloid",
    "T_cell": "t_nk",
    "B_cell": "b_plasma",
}


def table(name: str) -> pd.DataFrame:
    """Read one of the tables of the analysis as text."""
    lines = (REPOSITORY / "config" / f"{name}.tsv").read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if line and not line.startswith("#")]
    return pd.DataFrame(rows[1:], columns=rows[0], dtype=object)


def samples(cells: ad.AnnData) -> list[ad.AnnData]:
    """Give the counts of each sample as they come out of quality control."""
    found = []
    for name in sorted(set(cells.obs["sample"])):
        part = cells[cells.obs["sample"] == name]
        x = sparse.csr_matrix(part.X).astype(np.int32)
        obs = pd.DataFrame(
            {
                "dataset": "ovarian",
                "sample": name,
                "patient": part.obs["patient"].astype(str),
                "condition": "primary",
                "n_counts": np.asarray(x.sum(axis=1), dtype=float).ravel(),
                "n_genes": np.asarray((x > 0).sum(axis=1)).ravel(),
                "pct_mito": 0.0,
                "doublet_score": 0.0,
                "author_label": part.obs["author_label"].astype(str),
            },
            index=part.obs_names,
        )
        var = part.var[["chromosome", "start", "end"]].copy()
        var["chromosome"] = var["chromosome"].astype(object).fillna("").astype(str)
        var[["start", "end"]] = var[["start", "end"]].fillna(-1).astype(np.int64)
        sample = ad.AnnData(x, obs=obs, var=var)
        sample.uns["ingest"] = {"sample": name}
        found.append(sample)
    return found


def judge(cells: ad.AnnData) -> ad.AnnData:
    """Integrate, name and call the cells with the shipped settings."""
    config = yaml.safe_load((REPOSITORY / "config" / "config.yaml").read_text(encoding="utf-8"))
    names = ("min_probability", "min_measured")
    populations = table("populations")
    adata = integrate(samples(cells), **config["integration"], seed=0)
    adata, _ = annotate(
        adata,
        markers=table("markers"),
        populations=populations,
        **{name: config["annotation"][name] for name in names},
        seed=0,
    )
    adata = add_positions(adata)
    return call_malignant(adata, populations=populations, **config["malignancy"], seed=0)[0]


def main(path: Path = CELLS) -> None:
    """Print how many names and calls are right."""
    if not path.is_file():
        print(f"\nno ovarian cells: {path} is missing")
        return
    obs = judge(ad.read_h5ad(path)).obs
    truth = obs["author_label"].astype(str)
    normal, tumour = truth.isin(MAJORS), (truth == TUMOUR).to_numpy()
    right = (obs["population_major"] == truth.map(MAJORS))[normal]
    named = (obs["population_major"] != "unassigned")[normal]
    yes = (obs["malignant"] == "yes").to_numpy()
    print(f"\novarian carcinomas, {len(obs)} cells, {tumour.sum()} of them tumour")
    print(f"  normal cells: right major {right.mean():.3f}, of the named {right[named].mean():.3f}")
    print(f"  score: area under the curve {roc_auc_score(tumour, obs['cnv_score']):.4f}")
    print(f"  calls: recall {yes[tumour].mean():.3f}, precision {tumour[yes].mean():.3f}")
    said = obs.loc[obs["malignant_probability"].notna()]
    wrong = abs(said["malignant_probability"] - tumour[obs.index.get_indexer(said.index)])
    print(
        f"  probability: off by {wrong.mean():.4f} on average, {len(obs) - len(said)} without one"
    )
    print("  " + pd.crosstab(truth, obs["malignant"]).to_string().replace("\n", "\n  "))
    print("  " + pd.crosstab(truth, obs["clone"]).to_string().replace("\n", "\n  "))


if __name__ == "__main__":
    main()
