"""Counts of a toy cohort with planted populations, states and doublets."""

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from osteotalk.annotate import annotate

POPULATIONS = pd.DataFrame(
    [
        ("mal", "", ""),
        ("my", "", ""),
        ("tam", "my", ""),
        ("mono", "my", ""),
        ("dc", "my", ""),
        ("dc1", "dc", "state"),
        ("spp1", "tam", "state"),
        ("t", "", ""),
        ("cd4", "t", ""),
        ("cd8", "t", ""),
        ("ec", "", ""),
        ("cycling", "", "state"),
    ],
    columns=["population", "parent", "level"],
)
LISTS = {
    name: [f"{name.upper()}.{i}" for i in range(n)]
    for name, n in {
        "mal": 8,
        "my": 6,
        "tam": 8,
        "mono": 8,
        "dc": 6,
        "spp1": 5,
        "t": 6,
        "cd4": 6,
        "cd8": 6,
        "ec": 8,
        "cycling": 8,
    }.items()
}
LISTS["dc1"] = [*LISTS["dc"][:1], *(f"DC1.{i}" for i in range(5))]
MARKERS = pd.DataFrame(
    [(p, g, "") for p, genes in LISTS.items() for g in genes]
    + [("cd4", "CD8.0", "-"), ("cd8", "CD4.0", "-")],
    columns=["population", "gene", "sign"],
)
LISTED = sorted(set(MARKERS["gene"]))
# What cells of a population express beside its markers.
OTHERS = {
    name: [f"{name}_{i}" for i in range(150)] for name in ("mal", "my", "t", "ec", "foreign")
} | {name: [f"{name}_{i}" for i in range(20)] for name in ("tam", "mono", "dc", "cd4", "cd8")}
USUAL = [f"G{i}" for i in range(400)]
GENES = [*LISTED, *(gene for genes in OTHERS.values() for gene in genes), *USUAL]
LINE = {"tam": "my", "mono": "my", "dc": "my", "cd4": "t", "cd8": "t"}
LEVEL = np.random.default_rng(99).gamma(0.6, 3, len(USUAL))


def rates(kind: str) -> np.ndarray:
    """Share of the counts of each gene in a kind of cell: `tam`, `tam spp1 cycling`, `foreign`."""
    mean = pd.Series(0.02, index=GENES)
    mean[USUAL] = LEVEL
    names = kind.split()
    for name in [*names, *(LINE[name] for name in names if name in LINE)]:
        mean[OTHERS.get(name, [])] += 1.0
        mean[LISTS.get(name, [])] += 3.0
    return (mean / mean.sum()).to_numpy()


def cohort(groups, *, depth=2500, seed=0):
    """Groups of cells: (cluster, kind, number); kinds joined by `+` are of two cells each."""
    rng = np.random.default_rng(seed)
    blocks, clusters, kinds = [], [], []
    for cluster, kind, n in groups:
        mean = sum(rates(one) for one in kind.split("+"))
        size = depth * rng.lognormal(0, 0.2, (n, 1))
        blocks.append(rng.poisson(size * mean))
        clusters += [cluster] * n
        kinds += [kind] * n
    return with_counts(np.vstack(blocks), clusters, kinds)


def with_counts(counts, clusters, kinds):
    """Cells with their counts and log-normalised expression."""
    total = counts.sum(axis=1, keepdims=True)
    x = np.log1p(counts / total * 1e4).astype(np.float32)
    adata = AnnData(sparse.csr_matrix(x), var=pd.DataFrame(index=GENES))
    adata.layers["counts"] = sparse.csr_matrix(counts.astype(np.int32))
    adata.obs_names = [f"cell{i}" for i in range(len(counts))]
    adata.obs["cluster"], adata.obs["kind"] = clusters, kinds
    adata.obs["n_counts"] = total.ravel().astype(float)
    adata.obs["sample"] = [f"s{i % 2}" for i in range(len(counts))]
    adata.uns["osteotalk"] = {}
    return adata


ALL = [
    ("0", "tam", 60),
    ("1", "cd8", 60),
    ("2", "ec", 40),
    ("3", "mal", 80),
    ("4", "mono", 50),
    ("5", "cd4", 50),
]


def named(adata, **changes):
    """Name the cells with the markers of the toy."""
    options = {"markers": MARKERS, "populations": POPULATIONS}
    limits = {"min_probability": 0.85, "min_measured": 3}
    return annotate(adata, **options | limits | changes)


def calls(annotated, column="population"):
    """Names that the cells of each kind got."""
    return {
        kind: sorted(set(obs[column])) for kind, obs in annotated.obs.groupby("kind", sort=True)
    }
