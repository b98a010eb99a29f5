"""Copy number from expression: windows along the genome, gained and lost arms, scores of cells.

All functions look at the cells of one sample. Which of them are normal (the reference) is decided
elsewhere.
"""

import io
import logging
import warnings
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr
from dataclasses import dataclass

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from osteotalk.ingest.gtf import AUTOSOMES, arms

log = logging.getLogger(__name__)

STEP = 10  # genes from one window to the next
DETECTED = 0.02  # least share of the cohort's cells that show a gene
FOLDS = 5  # reference cells are judged in so many parts, each against the others
MIN_LINEAGE = 10  # cells; smaller reference lineages are taken together
CHUNK = 1000  # cells that are dense at a time
# An arm counts as gained or lost in a group of cells if the median of its genes differs from that
# of all genes by MIN_SHIFT (log2; one copy more than two is 0.58, one less -1) and by MIN_Z
# standard errors.
MIN_SHIFT, MIN_Z = 0.15, 4.0
MIN_ARM_GENES = 20
ARM_DETECTED = 0.1  # least share of the cells compared that show a gene
PSEUDO = 0.1  # added to mean counts per 10,000 before the logarithm


def usable_genes(adata: AnnData) -> np.ndarray:
    """Positions in `var` of the autosomal genes that enough cells show, in genomic order.

    Parameters
    ----------
    adata
        Cells x genes, with chromosome and start in `var`.
    """
    detected = sparse.csr_matrix(adata.X).getnnz(axis=0) / max(adata.n_obs, 1)
    order = {name: place for place, name in enumerate(AUTOSOMES)}
    rank = adata.var["chromosome"].astype(str).map(order).to_numpy(float)
    kept = np.flatnonzero(np.isfinite(rank) & (detected >= DETECTED))
    names = adata.var_names.to_numpy(str)
    start = adata.var["start"].to_numpy()
    return kept[np.lexsort((names[kept], start[kept], rank[kept]))]


def window_table(var: pd.DataFrame, *, window: int) -> pd.DataFrame:
    """Windows that infercnvpy makes of genes in genomic order.

    Parameters
    ----------
    var
        Columns chromosome and start, in genomic order.
    window
        Genes in a window; a chromosome with no more genes than that is one window.

    Returns
    -------
    One row per window: chromosome, start (of its first gene), arm (of its middle gene).
    """
    rows = []
    chromosomes = var["chromosome"].astype(str).to_numpy()
    start = var["start"].to_numpy()
    arm = arms(var["chromosome"].astype(str), var["start"])
    for name in dict.fromkeys(chromosomes):
        genes = np.flatnonzero(chromosomes == name)
        size = min(window, len(genes))
        firsts = range(0, len(genes) - window + 1, STEP) if window < len(genes) else (0,)
        rows += [
            (name, int(start[genes[i]]), str(arm[genes[min(i + size // 2, len(genes) - 1)]]))
            for i in firsts
        ]
    table = pd.DataFrame(rows, columns=["chromosome", "start", "arm"])
    return table.astype({"start": np.int64})  # also without a row


def pooled_lineages(lineages: np.ndarray) -> np.ndarray:
    """Lineage of each reference cell; those with few cells are taken together, or with the largest.

    Each lineage counts the same in the reference, so none may rest on a handful of cells.
    """
    names, sizes = np.unique(lineages.astype(str), return_counts=True)
    small = names[sizes < MIN_LINEAGE]
    large = names[sizes >= MIN_LINEAGE]
    pool = "small lineages"
    if sizes[sizes < MIN_LINEAGE].sum() < MIN_LINEAGE and len(large):
        pool = str(large[np.argmax(sizes[sizes >= MIN_LINEAGE])])
    return np.where(np.isin(lineages.astype(str), small), pool, lineages.astype(str))


def lineage_means(matrix: sparse.csr_matrix, lineages: np.ndarray) -> np.ndarray:
    """Mean of each lineage (sorted by name), lineages x genes."""
    return np.vstack(
        [
            np.asarray(matrix[np.flatnonzero(lineages == name)].mean(axis=0)).ravel()
            for name in np.unique(lineages)
        ]
    )


def fold_of(names: Sequence[str], lineages: np.ndarray, *, seed: int) -> np.ndarray:
    """Part of each reference cell, the lineages spread evenly; the order of cells does not matter.

    Parameters
    ----------
    names
        Names of the cells, unique.
    lineages
        Lineage of each cell.
    seed
        Seed of the parts.
    """
    fold = np.zeros(len(lineages), dtype=int)
    rng = np.random.default_rng(seed)
    key = np.asarray(names, dtype=str)
    shift = 0
    for name in np.unique(lineages):
        cells = np.flatnonzero(lineages == name)
        cells = rng.permutation(cells[np.argsort(key[cells], kind="stable")])
        fold[cells] = (np.arange(len(cells)) + shift) % FOLDS
        shift += len(cells)
    return fold


def infer_windows(
    adata: AnnData, *, reference: np.ndarray, lineages: np.ndarray, window: int, seed: int
) -> np.ndarray:
    """Smoothed expression along the genome, relative to reference cells of the same sample.

    infercnvpy does it: difference from the reference, clipped, in moving averages over genes, less
    the median of the cell. Its filter of small values is not used, as scores add up windows. A
    reference cell is never compared with itself: reference cells are judged in parts, each against
    the other parts.

    Parameters
    ----------
    adata
        Log-normalised expression of one sample (CSR), genes as `usable_genes` orders them.
    reference
        True for reference cells.
    lineages
        Lineage of each cell; each counts the same in the reference.
    window
        Genes in a window.
    seed
        Seed of the parts.

    Returns
    -------
    Cells x windows (those of `window_table`), float32.

    References
    ----------
    Tirosh et al. 2016, Science 352, 189, doi:10.1126/science.aad0501. Sturm et al., infercnvpy.
    """
    place = np.flatnonzero(reference)
    lineage = pooled_lineages(lineages[place])
    fold = fold_of(adata.obs_names[place].tolist(), lineage, seed=seed)
    tasks = [(np.flatnonzero(~reference), np.ones(len(place), dtype=bool))]
    tasks += [(place[fold == k], fold != k) for k in range(FOLDS)]
    result: np.ndarray | None = None
    for judged, against in tasks:
        if not len(judged):
            continue
        means = lineage_means(adata.X[place[against]], lineage[against]).mean(axis=0)
        found = _infercnv(adata[judged], means=means, window=window)
        if result is None:
            result = np.zeros((adata.n_obs, found.shape[1]), dtype=np.float32)
        result[judged] = found
    if result is None:
        msg = "the sample has no cell"
        raise ValueError(msg)
    return result


def _infercnv(adata: AnnData, *, means: np.ndarray, window: int) -> np.ndarray:
    import infercnvpy

    small = AnnData(
        sparse.csr_matrix(adata.X),
        obs=pd.DataFrame(index=adata.obs_names),
        var=adata.var[["chromosome", "start", "end"]].copy(),
    )
    with warnings.catch_warnings(), redirect_stderr(io.StringIO()):  # a bar of progress
        warnings.simplefilter("ignore")
        _, found, _ = infercnvpy.tl.infercnv(
            small,
            reference=means.astype(np.float32),
            window_size=window,
            step=STEP,
            dynamic_threshold=None,
            exclude_chromosomes=None,
            chunksize=CHUNK,
            n_jobs=1,
            inplace=False,
        )
    return np.asarray(found.toarray(), dtype=np.float32)


def reference_level(counts: sparse.csr_matrix, lineages: np.ndarray) -> np.ndarray:
    """Mean over lineages of log2 of the mean counts per 10,000, genes."""
    return np.asarray(np.log2(lineage_means(counts, lineages) + PSEUDO).mean(axis=0))


def arm_shifts(
    counts: sparse.csr_matrix, *, level: np.ndarray, shown: np.ndarray, arm: np.ndarray
) -> pd.DataFrame:
    """Tell which arms a group of cells has gained or lost.

    A gain or loss moves all genes of an arm, while another cell type changes some genes a lot, in
    both directions. So the median gene of each arm is compared with the median of all genes.

    Parameters
    ----------
    counts
        Counts per 10,000 of the group, cells x genes.
    level
        Of the reference, see `reference_level`.
    shown
        Genes that enough reference cells show.
    arm
        Arm of each gene.

    Returns
    -------
    One row per arm with at least 20 genes: arm, n_genes, shift (log2, of the median), z (shift over
    its standard error by the median absolute deviation of all genes), change (gain, loss or '').
    """
    seen = counts.getnnz(axis=0) / max(counts.shape[0], 1) >= ARM_DETECTED
    used = (seen | shown) & (arm != "")
    ratio = np.log2(np.asarray(counts.mean(axis=0)).ravel() + PSEUDO) - level
    columns = ["arm", "n_genes", "shift", "z", "change"]
    if not used.any():
        return pd.DataFrame(columns=columns)
    middle = np.median(ratio[used])
    spread = 1.4826 * np.median(np.abs(ratio[used] - middle))
    rows = []
    for name in dict.fromkeys(arm[used].tolist()):
        inside = ratio[used & (arm == name)]
        if len(inside) < MIN_ARM_GENES:
            continue
        shift = float(np.median(inside) - middle)
        error = 1.2533 * spread / np.sqrt(len(inside))
        z = shift / error if error > 0 else 0.0
        changed = abs(shift) >= MIN_SHIFT and abs(z) >= MIN_Z
        change = ("gain" if shift > 0 else "loss") if changed else ""
        rows.append((name, len(inside), shift, float(z), change))
    return pd.DataFrame(rows, columns=columns)


@dataclass(frozen=True)
class Profile:
    """Gains and losses that the tumour cells of a sample share.

    `weights` has one number per window: that of its arm in the tumour, 0 in unchanged arms.
    """

    changes: Mapping[str, str]  # arm: gain or loss
    weights: np.ndarray


def tumour_profile(
    windows: np.ndarray, *, window_arm: np.ndarray, changes: Mapping[str, str]
) -> Profile | None:
    """Level of each changed arm in the cells that show the change.

    Parameters
    ----------
    windows
        Of those cells, cells x windows.
    window_arm
        Arm of each window.
    changes
        Changed arms, gain or loss.

    Returns
    -------
    None if no window lies in a changed arm, or none moves the way its arm does.
    """
    mean = windows.mean(axis=0)
    weights = np.zeros(len(window_arm))
    kept = {}
    for name, change in changes.items():
        inside = window_arm == name
        value = float(np.median(mean[inside])) if inside.any() else 0.0
        if value and (value > 0) == (change == "gain"):
            weights[inside] = value
            kept[name] = change
    return Profile(changes=kept, weights=weights) if kept else None


def score_cells(windows: np.ndarray, profile: Profile) -> np.ndarray:
    """How much of the tumour's gains and losses each cell has: 0 none, 1 as the tumour on average.

    The projection of the cell on the profile, over that of the profile on itself. It joins strength
    and agreement of the signal, which were used side by side before.

    References
    ----------
    Patel et al. 2014, Science 344, 1396, doi:10.1126/science.1254257. Tirosh et al. 2016, Science
    352, 189, doi:10.1126/science.aad0501. Neftel et al. 2019, Cell 178, 835,
    doi:10.1016/j.cell.2019.06.024.
    """
    weights = profile.weights
    return np.asarray(windows @ weights / (weights @ weights), dtype=np.float64)
