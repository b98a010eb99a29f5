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
