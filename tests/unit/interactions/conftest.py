import warnings

import numpy as np
import pandas as pd
import pytest
import scanpy as sc
from anndata import AnnData
from scipy import sparse


@pytest.fixture
def pbmc() -> AnnData:
    """LIANA's own toy data: 700 blood cells, log-normalised, shipped with scanpy."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        adata = sc.datasets.pbmc68k_reduced().raw.to_adata()
    result = AnnData(
        sparse.csr_matrix(adata.X, dtype=np.float32),
        obs=pd.DataFrame(
            {
                "dataset": "pbmc",
                "sample": "S1",
                "patient": "P1",
                "condition": "healthy",
                "population": adata.obs["bulk_labels"].astype(str).to_numpy(),
            },
            index=adata.obs_names,
        ),
        var=pd.DataFrame(index=adata.var_names),
    )
    result.uns["log1p"] = {}
    return result


@pytest.fixture
def toy() -> AnnData:
    """120 cells in four populations, 41 genes of which one is never seen, log-normalised."""
    rng = np.random.default_rng(8)
    population = rng.permutation(np.repeat(["a", "b", "c", "d"], [20, 25, 30, 45]))
    rates = rng.gamma(0.7, 1.2, size=(4, 41))
    rates[:, 40] = 0
    of_cell = rates[pd.Categorical(population).codes]
    counts = rng.poisson(of_cell * rng.lognormal(0, 0.3, size=(120, 1)))
    values = np.log1p(counts / counts.sum(axis=1, keepdims=True) * 30)
    return AnnData(
        sparse.csr_matrix(values),
        obs=pd.DataFrame({"population": population}, index=[f"cell{i}" for i in range(120)]),
        var=pd.DataFrame(index=[f"G{i}" for i in range(40)] + ["SILENT"]),
    )


@pytest.fixture
def toy_pairs() -> pd.DataFrame:
    """Pairs of the genes of `toy`: single genes, complexes, a gene with itself, unseen genes."""
    single = [(f"G{i}", f"G{i + 20}") for i in range(15)]
    complexes = [("G15_G16", "G35"), ("G17", "G36_G37"), ("G0_G1_G2", "G20_G21"), ("G3", "G3")]
    others = [("SILENT", "G1"), ("G1", "G2_ABSENT")]
    return pd.DataFrame([*single, *complexes, *others], columns=["ligand", "receptor"])
