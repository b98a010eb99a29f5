"""A toy sample of two cell types."""

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse


@pytest.fixture
def make_sample():
    """Two cell types, told apart by the halves of the genes; the last two genes are MT-."""

    def make(name="S1", *, cells=60, genes=80, seed=0, shift=1.0):
        rng = np.random.default_rng(seed)
        rate = np.full((cells, genes), 2.0)
        rate[: cells // 2, : genes // 2] = 8.0 * shift
        rate[cells // 2 :, genes // 2 :] = 8.0 * shift
        rate[:, -2:] = 2.0
        counts = sparse.csr_matrix(rng.poisson(rate).astype(np.int32))
        names = [f"G{i}" for i in range(genes - 2)] + ["MT-CO1", "MT-CO2"]
        obs = pd.DataFrame(index=[f"{name}_{i}" for i in range(cells)])
        for column, value in {"dataset": "d", "sample": name, "patient": name}.items():
            obs[column] = value
        obs["condition"] = "primary"
        adata = AnnData(counts, obs=obs, var=pd.DataFrame(index=names))
        # the keys that osteotalk.ingest writes and this stage reads
        adata.uns["ingest"] = {"file": f"{name}.h5", "sample": name, "n_droplets": cells}
        return adata

    return make


@pytest.fixture
def soup_sample():
    """Four cell types with genes of their own, in a fluid of known share.

    Each cell's counts are Poisson with mean size x ((1 - share) x profile + share x fluid); `leak`
    is a low level of the others' genes that has nothing to do with the fluid.
    """

    def make(share, *, leak=0.0, cells=400, seed=0):
        rng = np.random.default_rng(seed)
        kind = rng.choice(4, cells, p=[0.4, 0.3, 0.2, 0.1])
        profile = np.full((4, 500), leak)
        profile[:, :200] = rng.gamma(1, 2, 200)
        for k in range(4):
            profile[k, 200 + 50 * k : 250 + 50 * k] = rng.gamma(2, 2, 50)
        fluid = profile[kind].mean(axis=0)
        fluid /= fluid.sum()
        profile /= profile.sum(axis=1, keepdims=True)
        size = rng.lognormal(7.5, 0.4, cells)
        mean = size[:, None] * ((1 - share) * profile[kind] + share * fluid)
        counts = sparse.csr_matrix(rng.poisson(mean).astype(np.int32))
        obs = pd.DataFrame({"kind": kind.astype(str)}, index=[f"c{i}" for i in range(cells)])
        return AnnData(
            counts, obs=obs, var=pd.DataFrame(index=[f"G{i}" for i in range(500)])
        ), fluid

    return make
