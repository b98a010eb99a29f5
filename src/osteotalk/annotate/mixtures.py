"""Find mixtures of two lineages that lie together, so that they make groups of their own.

Droplets with two cells of the same two lineages are alike: they form a cluster, which gets the name
of one of the two, and then fit the profile of that cluster as single cells do. So groups whose
profile is one between those of two others are taken for mixtures first; then each cell is compared
with single lineages and with mixtures of the groups that are left.
"""

from itertools import combinations

import numpy as np
import pandas as pd
from anndata import AnnData

from osteotalk.annotate.cells import CellFits, alike, fit_cells, likelihood, shown_genes
from osteotalk.annotate.majors import Groups
from osteotalk.annotate.settle import lineages_of
from osteotalk.annotate.tree import Tree
from osteotalk.contract import UNASSIGNED

# A group is a mixture if its profile lies so much nearer to one between two others than to any
# single other (ratio of the relative entropies), with each of the two making up this share of it.
NEARER, SHARES = 0.7, np.linspace(0.25, 0.75, 6)
# It has at most half of the cells of its lineage, and those mixed are no less than a quarter of it.
MOST, LEAST = 0.5, 0.25
# Shares of the first lineage in a cell of two, and the most of the other in a single cell (fluid).
MIXED, FLUID = (0.3, 0.5, 0.7), 0.15
# A cell is a mixture if that fits better by so much (natural logarithm) than any single lineage;
# by so much if it has fewer counts than is usual for its lineage, as few droplets of two cells do.
LEAD, LEAD_SMALL = 10.0, 30.0


def leave_out_mixtures(adata: AnnData, cells: pd.DataFrame, groups: Groups, *, tree: Tree) -> None:
    """Leave named cells of two lineages unassigned, in place, with a reason and `lineage_doublet`.

    Parameters
    ----------
    adata
        Cells x genes with `layers["counts"]` and `obs` sample and n_counts.
    cells
        One row per cell, after `settle.check_cells`; changed.
    groups
        Groups with their major populations.
    tree
        Vocabulary and markers.
    """
    real, lineage = lineages_of(groups)
    if len(real) < 2:
        return
    size = np.log1p(adata.obs["n_counts"].to_numpy(dtype=float))
    size = size - _median_of(size, adata.obs["sample"].astype(str).to_numpy())
    size = size - _median_of(size, cells["population"].to_numpy(str))
    skip = np.isin(adata.var_names, tree.cycle_genes)
    as_named = cells["population"].to_numpy(str) == groups.of_cells(
        [d.population for d in groups.decisions]
    ).astype(str)
    code = np.where(as_named, groups.code, -1)
    found = fit_cells(adata, code, lineage=lineage, skip=skip)
    doubtful = mixture_groups(found, code, lineage, n_real=len(real), size=size)
    if len(doubtful):
        code = np.where(np.isin(code, doubtful), -1, code)
        found = fit_cells(adata, code, lineage=lineage, skip=skip)
    first, second = mixtures(adata, found, lineage, n_real=len(real), size=size)
    twice = (second >= 0) & (cells["population"] != UNASSIGNED).to_numpy()
    for column in ("population", "population_major"):
        cells.loc[twice, column] = UNASSIGNED
    for column in ("population_probability", "major_probability"):
        cells.loc[twice, column] = np.nan
    cells.loc[twice, "population_reason"] = [
        f"looks like {real[min(a, b)]} and {real[max(a, b)]} at once"
        for a, b in zip(first[twice], second[twice], strict=True)
    ]
    cells.loc[twice, "lineage_doublet"] = "yes"


def _median_of(values: np.ndarray, groups: np.ndarray) -> np.ndarray:
    return pd.Series(values).groupby(groups).transform("median").to_numpy()


def mixture_groups(
    found: CellFits, code: np.ndarray, lineage: np.ndarray, *, n_real: int, size: np.ndarray
) -> np.ndarray:
    """Find groups of cells whose profile lies between those of two lineages.

    Parameters
    ----------
    found
        From `cells.fit_cells`.
    code
        Number of each cell's group; -1 for none.
    lineage
        Number of the lineage of each group; from `n_real` on it has no name.
    size
        Logarithm of the counts of each cell, over what is usual for its sample and population.

    Returns
    -------
    Numbers of the groups. The cells of a mixture are not smaller than others of their lineage, nor
    most of them: RNA from around gives small ones, and what most cells are is no mixture.
    """
    known = found.profiles.known
    if not found.profiles.tell:
        return known[:0]
    rates = found.profiles.rates / found.profiles.rates.sum(axis=1, keepdims=True)
    of = lineage[known]
    n = np.array([(code == k).sum() for k in known])
    self_ = (rates * np.log(rates)).sum(axis=1)
    single = self_[:, None] - rates @ np.log(rates).T
    np.fill_diagonal(single, np.inf)
    doubtful = []
    for i, k in enumerate(known):
        if np.median(size[code == k]) < 0:
            continue
        if of[i] < n_real and n[i] > MOST * n[of == of[i]].sum():
            continue
        others = np.flatnonzero((of < n_real) & (n >= LEAST * n[i]) & (np.arange(len(n)) != i))
        between = [
            self_[i] - rates[i] @ np.log(share * rates[a] + (1 - share) * rates[b])
            for a, b in combinations(others, 2)
            if of[a] != of[b]
            for share in SHARES
        ]
        if min(between, default=np.inf) < NEARER * single[i].min():
            doubtful.append(k)
    return np.array(doubtful, dtype=int)


def mixtures(
    adata: AnnData, found: CellFits, lineage: np.ndarray, *, n_real: int, size: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Find cells that two lineages at once fit better than any alone.

    Parameters
    ----------
    adata
        As for `cells.fit_cells`.
    found
        From `cells.fit_cells`, without the groups that are mixtures.
    lineage, n_real, size
        As for `mixture_groups`.

    Returns
    -------
    Numbers of the lineage that fits the cell best, and of the other; -1 twice for a single cell.
    """
    first, second = np.full(adata.n_obs, -1), np.full(adata.n_obs, -1)
    lead = np.where(size >= 0, LEAD, LEAD_SMALL)
    profiles = found.profiles
    real = np.unique(lineage[profiles.known])
    real = real[real < n_real]
    if not profiles.tell or len(real) < 2:
        return first, second
    place = np.zeros(len(lineage), dtype=int)
    place[profiles.known] = np.arange(len(profiles.known))
    seen, n_seen = shown_genes(adata, profiles.genes)
    best = real[found.fit[:, real].argmax(axis=1)]
    for rows in alike(n_seen):
        n = float(np.median(n_seen[rows]))
        for mine, other in ((a, b) for a in real for b in real if a != b):
            cells = rows[best[rows] == mine]
            pairs, which = np.unique(
                place[found.group[np.ix_(cells, [mine, other])]], axis=0, return_inverse=True
            )
            for k, (a, b) in enumerate(pairs):
                here = cells[which.ravel() == k]
                fit = likelihood(seen[here], _between(profiles.rates[a], profiles.rates[b]), n)
                alone = np.maximum(fit[:, len(MIXED) :].max(axis=1), found.fit[here].max(axis=1))
                gain = fit[:, : len(MIXED)].max(axis=1) - alone
                better = gain >= lead[here]
                first[here[better]], second[here[better]] = mine, other
                lead[here[better]] = gain[better]
    return first, second


def _between(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Profiles of cells of both, then of single ones with the other's RNA around."""
    shares = np.array([*MIXED, 1 - FLUID, FLUID])[:, None]
    return shares * first + (1 - shares) * second
