"""How often shuffled cell labels give a pair as strong as the one observed.

The numbers are those of LIANA's CellPhoneDB p-value, for the same seed: same generator, same order
of shuffles, same single precision. LIANA keeps the means of all shuffles for all rows at once,
which takes gigabytes for a tumour of 20 populations; here they are counted as they come.
"""

import logging

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

log = logging.getLogger(__name__)

REPORT_EVERY = 250  # shuffles between two lines in the log


def count_exceedances(
    adata: AnnData, edges: pd.DataFrame, *, groupby: str, n_perms: int, seed: int
) -> np.ndarray:
    """Count the shuffles in which an edge is at least as strong as observed.

    The strength of an edge is the mean of two means: of the ligand in the source and of the
    receptor in the target. A shuffle deals the labels anew to all cells; populations keep their
    sizes, and of a complex the subunit that is limiting in the real data is followed.

    Parameters
    ----------
    adata
        Log-normalised expression (float32), cells x genes, all cells labelled.
    edges
        source, target, ligand, receptor (gene symbols), lr_means (observed strength).
    groupby
        Column of `obs` with the labels.
    n_perms
        Shuffles.
    seed
        Seed of numpy's default generator.

    Returns
    -------
    Whole numbers from 0 to `n_perms`, one per edge.

    References
    ----------
    Efremova et al. 2020, Nat. Protoc. 15, 1484, doi:10.1038/s41596-020-0292-x (CellPhoneDB).
    """
    genes = pd.Index(sorted({*edges["ligand"], *edges["receptor"]}))
    matrix = sparse.csr_matrix(adata[:, genes].X, dtype=np.float32)
    labels, codes = np.unique(adata.obs[groupby].astype(str), return_inverse=True)
    labels = pd.Index(labels)
    source, target = (labels.get_indexer(edges[side]) for side in ("source", "target"))
    ligand, receptor = (genes.get_indexer(edges[side]) for side in ("ligand", "receptor"))
    observed = edges["lr_means"].to_numpy(dtype=np.float64)

    sizes = np.bincount(codes)
    positions = np.argsort(codes, kind="stable")  # cells of one label after the other
    weights = np.repeat(np.float32(1.0) / sizes.astype(np.float32), sizes).astype(np.float32)
    starts = np.concatenate([[0], np.cumsum(sizes)])
    rng = np.random.default_rng(seed)
    cells = np.arange(len(codes))
    exceedances = np.zeros(len(edges), dtype=np.int64)
    for done in range(1, n_perms + 1):
        shuffled = rng.permutation(cells)
        membership = sparse.csr_matrix(
            (weights, shuffled[positions], starts), shape=(len(labels), len(cells))
        )
        means = (membership @ matrix).toarray().astype(np.float64)
        strength = (means[source, ligand] + means[target, receptor]) / 2
        exceedances += strength >= observed
        if done % REPORT_EVERY == 0:
            log.info("%d of %d shuffles", done, n_perms)
    return exceedances
