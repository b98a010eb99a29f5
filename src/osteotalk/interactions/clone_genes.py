"""Ligands and receptors in which the clones of a tumour differ, sample by sample."""

import numpy as np
import pandas as pd
import scipy.stats
from anndata import AnnData
from scipy import sparse

from osteotalk.contract import conform, empty_frame
from osteotalk.ingest.gtf import arms
from osteotalk.interactions.pairs.resource import subunits

MIN_CELLS = 10  # of a clone, and of the other clones of its sample
LEVEL = 0.1  # added to mean counts per 10,000 before the logarithm of their ratio


def compare_clones(
    adata: AnnData, *, resource: pd.DataFrame, expr_prop: float, alpha: float
) -> pd.DataFrame:
    """Compare each clone with the other clones of its sample, gene by gene.

    Only malignant cells take part, each with the clone whose copy number it is nearest to. Clones
    of two samples are not compared, as the samples differ in more than that. The test is over cells
    of one sample: it says that these cells differ, and nothing about other patients.

    Parameters
    ----------
    adata
        Annotated cohort, log-normalised.
    resource
        Pairs: ligand and receptor, complexes joined by underscores.
    expr_prop
        Least share of the cells of the clone, or of the others, that show a gene.
    alpha
        False discovery rate, over the genes of a clone, at which a gene is said to differ.

    Returns
    -------
    Table `clone_genes`: a row per clone and gene that differs, smallest q first; `auc` is the
    probability that a cell of the clone has more of it than one of the others (ties count half),
    `log2_fold` that of the means. Without a sample of two clones it has no row.

    References
    ----------
    Mann & Whitney 1947, doi:10.1214/aoms/1177730491 (test). Benjamini & Hochberg 1995,
    doi:10.1111/j.2517-6161.1995.tb02031.x (q).
    """
    roles = _roles(resource)
    genes = adata.var_names[adata.var_names.isin(roles.index)]
    names = genes.to_numpy(dtype=object)
    obs = adata.obs[["sample", "patient", "clone", "malignant"]].astype(str)
    tumour = ((obs["malignant"] == "yes") & (obs["clone"] != "")).to_numpy()
    found = []
    for _, cells in obs[tumour].groupby("sample", sort=True):
        x = sparse.csr_matrix(adata[cells.index, genes].X).toarray().astype(float)
        for clone in sorted(set(cells["clone"])):
            own = (cells["clone"] == clone).to_numpy()
            if min(own.sum(), (~own).sum()) < MIN_CELLS:
                continue
            shown = [(x[side] > 0).mean(axis=0) for side in (own, ~own)]
            kept = (np.array(shown) >= expr_prop).any(axis=0)
            if kept.any():
                rows = _differences(x[own][:, kept], x[~own][:, kept], names[kept])
                first = cells[["sample", "patient"]].iloc[0].to_dict()
                found.append(rows[rows["q"] <= alpha].assign(**first, clone=clone))
    if not found:
        return empty_frame("clone_genes")
    table = pd.concat(found, ignore_index=True)
    table["role"] = table["gene"].map(roles)
    table["arm"] = table["gene"].map(_arms(adata.var)).fillna("")
    table = table.sort_values(["sample", "clone", "q", "gene"], kind="stable")
    return conform(table, table="clone_genes")


def _roles(resource: pd.DataFrame) -> pd.Series:
    """Role of each gene of the pairs: ligand, receptor or both."""
    ligands, receptors = (set(subunits(resource[side])) for side in ("ligand", "receptor"))
    words = dict.fromkeys(ligands, "ligand") | dict.fromkeys(receptors, "receptor")
    return pd.Series(words | dict.fromkeys(ligands & receptors, "both"), dtype=object)


def _arms(var: pd.DataFrame) -> pd.Series:
    """Chromosome arm of each gene; '' where its position is not known."""
    if not {"chromosome", "start"} <= {*var}:
        return pd.Series("", index=var.index, dtype=object)
    return pd.Series(arms(var["chromosome"].astype(str), var["start"]), index=var.index)


def _differences(own: np.ndarray, others: np.ndarray, genes: np.ndarray) -> pd.DataFrame:
    """Compare the genes, which are the columns."""
    tested = scipy.stats.mannwhitneyu(own, others, axis=0, method="asymptotic")
    mean, of_others = (np.expm1(side).mean(axis=0) for side in (own, others))
    return pd.DataFrame(
        {
            "gene": genes,
            "n_cells": len(own),
            "n_others": len(others),
            "detected": (own > 0).mean(axis=0),
            "detected_others": (others > 0).mean(axis=0),
            "log2_fold": np.log2((mean + LEVEL) / (of_others + LEVEL)),
            "auc": tested.statistic / (len(own) * len(others)),
            "q": scipy.stats.false_discovery_control(np.nan_to_num(tested.pvalue, nan=1.0)),
        }
    )
