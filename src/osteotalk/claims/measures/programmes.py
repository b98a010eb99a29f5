"""Gene programmes: one score per cell and signature."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

# A programme of fewer measured genes is not scored.
MIN_GENES = 5


def measured_genes(signatures: pd.DataFrame, genes: pd.Index) -> dict[str, pd.Series]:
    """Weights of the measured genes of each signature, by signature; index: genes."""
    own = signatures[signatures["gene"].isin(genes)]
    return {
        str(name): rows.set_index("gene")["weight"].astype(float)
        for name, rows in own.groupby("signature", sort=True)
    }


def cell_scores(adata: AnnData, signatures: pd.DataFrame) -> Mapping[str, np.ndarray]:
    """Score every signature in every cell: the weighted mean of the log1p expression of its genes.

    The mean over cells of such a score is the score of their mean expression, which is why decoys
    of a programme can be scored on the means of populations.

    Parameters
    ----------
    adata
        Cells; `X` log1p.
    signatures
        Columns signature, gene, weight.

    Returns
    -------
    Score per cell, by signature; those of fewer than five measured genes are left out.

    References
    ----------
    decoupler, method waggr: Badia-i-Mompel et al. 2022, Bioinform. Adv. 2, vbac016,
    doi:10.1093/bioadv/vbac016.
    """
    weights = {
        name: own
        for name, own in measured_genes(signatures, adata.var_names).items()
        if len(own) >= MIN_GENES
    }
    if not weights or not adata.n_obs:
        return {}
    import decoupler  # here: it takes seconds to import

    genes = sorted({gene for own in weights.values() for gene in own.index})
    dense = AnnData(
        sparse.csr_matrix(adata[:, genes].X, dtype=np.float64).toarray(),
        obs=pd.DataFrame(index=[str(i) for i in range(adata.n_obs)]),
        var=pd.DataFrame(index=genes),
    )
    net = pd.concat(
        pd.DataFrame({"source": name, "target": own.index, "weight": own.to_numpy()})
        for name, own in weights.items()
    )
    decoupler.mt.waggr(dense, net, fun="wmean", times=0, tmin=MIN_GENES, empty=False)
    found = dense.obsm["score_waggr"]
    return {name: found[name].to_numpy(dtype=np.float64) for name in weights}
