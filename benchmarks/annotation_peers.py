"""Other ways to name populations, on the same clusters and with the same markers.

`naive`: each marker's mean per cluster as a z-score over the clusters, the mean over a list; the
best list wins. `ulm`: decoupler's univariate linear model of each cluster's mean expression on the
lists. Both name every cluster. `celltypist_by_patient`: a CellTypist model trained on the labelled
cells of all other patients; it knows the right answer of these, so it is the best to be hoped for.
"""

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse


def cluster_means(adata: AnnData) -> pd.DataFrame:
    """Mean log-normalised expression: clusters x genes."""
    codes, names = pd.factorize(adata.obs["cluster"].astype(str), sort=True)
    member = sparse.csr_matrix(
        (1 / np.bincount(codes)[codes], (codes, np.arange(len(codes)))),
        shape=(len(names), adata.n_obs),
    )
    return pd.DataFrame((member @ adata.X).toarray(), index=names, columns=adata.var_names)


def usable(adata: AnnData, markers: pd.DataFrame, populations: pd.DataFrame) -> pd.DataFrame:
    """Measured positive markers of populations, states left out."""
    states = populations.loc[populations["level"] == "state", "population"]
    kept = (markers["sign"] != "-") & ~markers["population"].isin(states)
    return markers[kept & markers["gene"].isin(adata.var_names)]


def naive(adata: AnnData, markers: pd.DataFrame, populations: pd.DataFrame) -> pd.Series:
    """Population of each cell: the list with the highest mean z-score in its cluster."""
    means = cluster_means(adata)
    z = (means - means.mean()) / means.std().replace(0, 1)
    lists = usable(adata, markers, populations).groupby("population")["gene"]
    scores = pd.DataFrame({name: z[list(genes)].mean(axis=1) for name, genes in lists})
    return adata.obs["cluster"].astype(str).map(scores.idxmax(axis=1))


def ulm(adata: AnnData, markers: pd.DataFrame, populations: pd.DataFrame) -> pd.Series:
    """Population of each cell: the list with the highest activity in its cluster."""
    import decoupler

    rows = usable(adata, markers, populations)
    net = rows[["population", "gene"]].set_axis(["source", "target"], axis=1)
    scores, _ = decoupler.mt.ulm(cluster_means(adata), net.assign(weight=1.0), tmin=3)
    return adata.obs["cluster"].astype(str).map(scores.idxmax(axis=1))


def celltypist_by_patient(adata: AnnData, truth: pd.Series) -> pd.Series:
    """Label of each cell by a model trained on the cells of all other patients."""
    import celltypist

    found = pd.Series("", index=adata.obs_names, dtype=object)
    patients = adata.obs["patient"].astype(str)
    for patient in sorted(set(patients)):
        own = (patients == patient).to_numpy()
        model = celltypist.train(
            adata[~own].copy(), labels=truth[~own].to_numpy(), use_SGD=True, n_jobs=1
        )
        labels = celltypist.annotate(adata[own].copy(), model=model).predicted_labels
        found[own] = labels["predicted_labels"].astype(str).to_numpy()
    return found
