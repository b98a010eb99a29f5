"""A made-up finished run for benchmarks/report.py: every file that the report reads.

Nothing is computed from cells: the numbers are drawn, within the contracts of the result tables.
"""

from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import yaml
from report_claims import combined, write_claims, write_overall
from scipy import sparse

from osteotalk import io
from osteotalk.contract import conform, empty_frame
from osteotalk.interactions.network import to_graphml
from osteotalk.interactions.support import wilson_interval
from osteotalk.report.figures.network import supported_edges
from osteotalk.tables import Tables, load_tables, split

ROOT = Path(__file__).parents[1]
CLUSTERS = 40
WINDOWS = 100  # along the chromosomes
CNV_CELLS = 200  # of each sample
REASONS = ("low_counts", "low_genes", "high_mito", "doublet")


def config_of(names: list[str]) -> dict:
    """The config of the project, for these cohorts."""
    config = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
    return config | {"datasets": names}


def tables_of(size: dict) -> Tables:
    """The tables of the project, with cohorts, samples and populations added."""
    paths = {name: ROOT / path for name, path in config_of([])["tables"].items()}
    known = load_tables(paths, ROOT / "workflow" / "schemas", datasets=[], workdir=ROOT)
    names = cohort_names(size)
    datasets = [
        {"dataset": name, "title": f"Made-up cohort {i:02d}", "source": "public"}
        for i, name in enumerate(names, start=1)
    ]
    samples = [
        {
            "dataset": names[i % len(names)],
            "sample": f"S{i:03d}",
            "patient": f"P{i:03d}",
            "condition": "lung_metastasis" if (i // len(names)) % 2 else "primary",
            "suspension": "cell",
        }
        for i in range(size["samples"])
    ]
    samples.sort(key=lambda row: (row["dataset"], row["sample"]))
    added = [
        {"population": name, "label": name.replace("_", " "), "colour": f"#{50 + i:02X}8090"}
        for i, name in enumerate(population_names(known.populations, size))
        if name not in set(known.populations["population"])
    ]
    fields = {name: getattr(known, name) for name in Tables.__dataclass_fields__}
    return Tables(
        **fields
        | {
            "datasets": frame_like(known.datasets, datasets),
            "samples": frame_like(known.samples, samples),
            "retired": known.retired.iloc[:0],
            "populations": pd.concat(
                [known.populations, frame_like(known.populations, added)], ignore_index=True
            ),
        }
    )


def frame_like(table: pd.DataFrame, rows: list[dict]) -> pd.DataFrame:
    """Rows with the columns of a table; what is not given is empty."""
    return pd.DataFrame(rows, columns=list(table)).fillna("")


def cohort_names(size: dict) -> list[str]:
    """Ids of the cohorts."""
    return [f"cohort_{i:02d}" for i in range(1, size["cohorts"] + 1)]


def population_names(populations: pd.DataFrame, size: dict) -> list[str]:
    """Populations that cells have: those of the table that are no states, and added ones."""
    known = populations.loc[populations["level"] != "state", "population"].tolist()
    known += [f"added_{i}" for i in range(1, size["populations"] + 1)]
    return known[: size["populations"]]


def draw(folder: Path, size: dict) -> dict:
    """Write the files of a finished run below a folder; say how large they are."""
    tables = tables_of(size)
    names = population_names(tables.populations, size)
    pairs = pair_pool(tables)
    found = []
    for place, dataset in enumerate(cohort_names(size)):
        rng = np.random.default_rng([size["seed"], place])
        samples = tables.samples[tables.samples["dataset"] == dataset]
        own = folder / dataset
        own.mkdir(parents=True)
        obs = write_cells(own, dataset, samples, names, tables, size, rng)
        edges = size["edges"] // size["cohorts"]
        write_edges(own, dataset, samples, names, pairs, edges, obs, tables, rng)
        found.append(write_claims(own, dataset, samples, tables, size, rng))
        for row in samples.to_dict("records"):
            write_sample(own, row, size, rng)
        io.write_json({"left_out": []}, own / "left_out.json")
    verdicts = combined(found, cohort_names(size))
    write_overall(folder, tables, found, verdicts, cohort_names(size), size)
    return {"megabytes": sum(p.stat().st_size for p in folder.rglob("*") if p.is_file()) / 1e6}


def pair_pool(tables: Tables) -> list[tuple[str, str]]:
    """Pairs of the claims, and ligands of the table of routes with their receptors."""
    claimed = sorted({pair for cell in tables.claims["pairs"] for pair in split(cell)})
    pairs = [tuple(pair.split("^")) for pair in claimed]
    receptors = [pair[1] for pair in pairs]
    ligands = list(dict.fromkeys(tables.routes["ligand"]))
    return pairs + [(name, receptors[i % len(receptors)]) for i, name in enumerate(ligands)]


def write_cells(
    own: Path,
    dataset: str,
    samples: pd.DataFrame,
    names: list[str],
    tables: Tables,
    size: dict,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Write the annotated cells, their clusters, the calls and the copy number profiles."""
    obs = cells_of(dataset, samples, names, size["cells"], rng)
    genes = list(dict.fromkeys(tables.markers["gene"]))
    counts = sparse.random(
        len(obs), len(genes), density=0.15, format="csr", random_state=rng, dtype=np.float32
    )
    counts.data = np.ceil(counts.data * 5).astype(np.float32)
    adata = ad.AnnData(counts.log1p(), obs=obs, var=pd.DataFrame(index=genes))
    adata.layers["counts"] = counts
    codes = pd.Categorical(obs["population"]).codes
    places = np.random.default_rng(0).normal(scale=6, size=(codes.max() + 1, 2))[codes]
    adata.obsm["X_umap"] = places + rng.normal(size=places.shape)
    adata.obsm["X_umap_unaligned"] = places + rng.normal(scale=2, size=places.shape)
    adata.obsm["X_pca"] = places
    adata.uns["osteotalk"] = notes(len(obs), samples)
    io.write_stage(adata, own / "annotated.h5ad", stage="annotated")
    io.write_tsv(cluster_table(obs, rng), own / "annotation.tsv", table="annotation")
    io.write_tsv(call_table(obs, rng), own / "malignancy.tsv", table="malignancy")
    io.write_tsv(empty_frame("clone_genes"), own / "clone_genes.tsv", table="clone_genes")
    io.write_tsv(agreement_table(obs), own / "agreement.tsv", table="agreement")
    shown = obs.groupby("sample", observed=True).head(CNV_CELLS)
    shown = shown[["sample", "patient", "cluster", "population", "malignant"]]
    shown = shown.assign(reference=np.where(shown["malignant"] == "yes", "no", "yes"))
    profile = rng.normal(scale=0.1, size=(len(shown), WINDOWS)).astype(np.float32)
    var = pd.DataFrame(
        {"chromosome": [f"chr{1 + i // 5}" for i in range(WINDOWS)], "start": range(WINDOWS)},
        index=[f"window_{i}" for i in range(WINDOWS)],
    )
    profiles = ad.AnnData(sparse.csr_matrix(profile), obs=shown, var=var)
    io.write_stage(profiles, own / "cnv.h5ad", stage="cnv")
    return obs


def cells_of(
    dataset: str, samples: pd.DataFrame, names: list[str], cells: int, rng: np.random.Generator
) -> pd.DataFrame:
    """`obs` of the annotated cohort: populations of unequal size in all samples."""
    weights = 1 / np.arange(1, len(names) + 2) ** 0.7
    rows = samples.loc[samples.index.repeat(cells), ["sample", "patient", "condition"]]
    which = rng.choice(len(names) + 1, size=len(rows), p=weights / weights.sum())
    population = np.array([*names, "unassigned"], dtype=object)[which]
    cluster = which % CLUSTERS + len(names) * (rng.random(len(rows)) < 0.3)
    malignant = np.char.startswith(population.astype(str), "malignant")
    obs = pd.DataFrame(
        {
            "dataset": dataset,
            **{name: rows[name].to_numpy() for name in rows},
            "n_counts": rng.lognormal(8, 0.4, len(rows)),
            "n_genes": rng.integers(500, 3000, len(rows)),
            "pct_mito": rng.random(len(rows)) * 10,
            "doublet_score": rng.random(len(rows)) * 0.2,
            "cluster": cluster.astype(str),
            "subcluster": cluster.astype(str),
            "best_match": "",
            "cycling": np.where(rng.random(len(rows)) < 0.1, "yes", "no"),
            "population": population,
            "population_major": population,
            "author_label": population,
            "population_state": np.where(rng.random(len(rows)) < 0.1, "tam_spp1", ""),
            "population_probability": rng.random(len(rows)),
            "major_probability": rng.random(len(rows)),
            "population_reason": "",
            "lineage_doublet": np.where(population == "unassigned", "yes", "no"),
            "malignant": np.where(malignant, "yes", "no"),
            "malignant_probability": np.where(malignant, 0.99, 0.01),
            "clone": "",
            "malignant_reason": "of a normal lineage by its markers",
            "cnv_score": rng.normal(size=len(rows)),
        },
        index=[f"{name}_{i}" for i, name in enumerate(rows["sample"])],
    )
    texts = obs.select_dtypes("object").columns
    return obs.astype(dict.fromkeys(texts, "category"))


def notes(cells: int, samples: pd.DataFrame) -> dict:
    """What the steps noted with the cells."""
    metric = {"before": 1.5, "after": 3.2, "better": "higher", "what": "samples around a cell"}
    state = {"gained": "1p;8q", "lost": "3p", "limit": 0.55, "floor": 0.45, "problem": ""}
    return {
        "integrate": {
            "method": "harmony",
            "aligned": "yes",
            "mixing": {
                "n_cells": cells,
                "n_cells_all": cells,
                "notes": ["the cohort has no labels of its authors to compare with"],
                "metrics": {"ilisi": metric, "own_ari": metric, "own_clisi": metric},
            },
        },
        "annotate": {"n_unassigned": 50, "n_lineage_doublets": 48, "too_few_markers": ""},
        "malignancy": {
            "renamed": {"unassigned to malignant": 3},
            "samples": {str(name): state for name in samples["sample"]},
        },
    }


def cluster_table(obs: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Table `annotation`: every cluster with its most frequent population."""
    rows = []
    for name, own in obs.groupby("cluster", observed=True):
        best, other = [*own["population"].value_counts().index[:2], ""][:2]
        first, second = np.sort(rng.random(2))[::-1]
        rows.append(
            {"cluster": name, "level": "major", "within": name, "n_cells": len(own),
             "population": best, "probability": first, "best": best, "best_probability": first,
             "runner_up": other, "runner_up_probability": second, "markers_for": "CD68, C1QA",
             "markers_against": "no VWF", "n_unassigned": 3, "n_lineage_doublets": 1,
             "n_moved": 2, "reason": ""}
        )  # fmt: skip
    return conform(pd.DataFrame(rows), table="annotation")


def call_table(obs: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Table `malignancy`: every cluster of every sample."""
    rows = []
    for (sample, cluster), own in obs.groupby(["sample", "cluster"], observed=True):
        call = own["malignant"].iloc[0]
        rows.append(
            {"sample": sample, "patient": own["patient"].iloc[0], "cluster": cluster,
             "population": own["population"].iloc[0], "n_cells": len(own), "n_reference": 400,
             "copy_number": "computed", "cnv_score": rng.random(), "cnv_limit": 0.5,
             "patient_share": rng.random(), "clone": "", "arms": "",
             "malignant": call, "malignant_probability": float(call == "yes"),
             "n_yes": int((own["malignant"] == "yes").sum()),
             "n_no": int((own["malignant"] == "no").sum()), "n_undetermined": 0,
             "reason": "of a normal lineage by its markers"}
        )  # fmt: skip
    return conform(pd.DataFrame(rows), table="malignancy")


def agreement_table(obs: pd.DataFrame) -> pd.DataFrame:
    """Table `agreement`: the authors would have named all cells alike."""
    sizes = obs["population"].value_counts()
    rows = [
        {"source": "author", "label": name, "expected": name, "population": name, "n_cells": n}
        for name, n in sizes.items()
    ]
    return conform(pd.DataFrame(rows), table="agreement")


def write_edges(
    own: Path,
    dataset: str,
    samples: pd.DataFrame,
    names: list[str],
    pairs: list[tuple[str, str]],
    edges: int,
    obs: pd.DataFrame,
    tables: Tables,
    rng: np.random.Generator,
) -> None:
    """Write the support table and the graph of its supported edges, 3 % of all."""
    patients = samples["patient"].unique()
    whole = len(names) ** 2 * len(pairs)
    code = np.sort(rng.choice(whole, size=min(edges, whole), replace=False))
    ends, pair = np.divmod(code, len(pairs))
    informative = rng.integers(max(1, len(patients) - 2), len(patients) + 1, len(code))
    active = rng.binomial(informative, rng.beta(0.2, 4, len(code)))
    low, high = wilson_interval(active, informative)
    frame = pd.DataFrame(
        {
            "dataset": dataset,
            "source": np.array(names, dtype=object)[ends // len(names)],
            "target": np.array(names, dtype=object)[ends % len(names)],
            "ligand_complex": [pairs[i][0] for i in pair],
            "receptor_complex": [pairs[i][1] for i in pair],
            "n_informative": informative,
            "n_detected": informative,
            "n_active": active,
            "support": active / informative,
            "support_low": low,
            "support_high": high,
            "median_magnitude_rank": rng.random(len(code)),
            "median_specificity_rank": rng.random(len(code)),
            "patients": [";".join(patients[:n]) for n in active],
        }
    )
    support = conform(frame, table="support")
    io.write_parquet(support, own / "support.parquet", table="support")
    cells = {str(name): int(n) for name, n in obs["population"].value_counts().items()}
    graph = to_graphml(
        supported_edges(support, min_support=0.5, min_patients=3),
        cells=cells,
        populations=tables.populations,
    )
    io.write_text(graph, own / "network.graphml")


def write_sample(own: Path, row: dict, size: dict, rng: np.random.Generator) -> None:
    """Write what quality control and reading noted of one sample."""
    spans = {"n_counts": (100, 50_000), "n_genes": (40, 6000), "pct_mito": (0.5, 40)}
    dropped = {reason: int(rng.integers(10, 200)) for reason in REASONS}
    shapes = {
        name: {
            "edges": np.geomspace(*span, 41).tolist(),
            "droplets": rng.integers(0, 200, 40).tolist(),
            "below": 0,
            "above": 0,
        }
        for name, span in spans.items()
    }
    score = {
        "edges": np.linspace(-4, 4, 41).tolist(),
        "observed": rng.random(40).tolist(),
        "simulated": rng.random(40).tolist(),
        "threshold": 1.0,
    }
    named = {key: row[key] for key in ("dataset", "sample", "patient", "condition", "suspension")}
    quality = named | {
        "n_cells_raw": size["cells"] + sum(dropped.values()),
        "n_cells_kept": size["cells"],
        "dropped": dropped,
        "limits": {"n_counts": [500, 20000], "n_genes": [200, 5000], "pct_mito_max": 12.5},
        "overrides": {},
        "distributions": shapes,
        "doublets": {"expected_share": 0.02, "called_share": 0.03, "threshold": 0.3,
                     "rule": "scrublet", "histogram": score},
        "ambient": {"share": 0.04, "share_low": 0.03, "share_high": 0.06, "n_genes": 80,
                    "soup": "all cells", "counts_removed": None, "reason": ""},
        "notes": [],
        "median_counts": 2100.0,
        "median_genes": 1100.0,
        "median_pct_mito": 4.2,
    }  # fmt: skip
    genes = {"n_genes_file": 33538, "n_genes": 33500, "renamed": 41, "summed": 38}
    genes |= {name: [] for name in ("unmapped", "no_ortholog", "ambiguous", "conflicts")}
    read = {"dataset": row["dataset"], "sample": row["sample"], "file": f"{row['sample']}.mtx.gz",
            "format": "matrix", "n_droplets": size["cells"], "empty_droplets": 0,
            "genes": genes}  # fmt: skip
    folder = own / "samples" / row["sample"]
    io.write_json(quality, folder / "qc.json")
    io.write_json(read, folder / "ingest.json")
