"""Compare groups and cells with what the named ones express, beyond the markers."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from osteotalk.annotate.cells import contradictions, fit_cells
from osteotalk.annotate.decide import settle
from osteotalk.annotate.majors import Groups
from osteotalk.annotate.tree import Tree
from osteotalk.contract import UNASSIGNED

# Standard deviations by which a cell clearly shows the markers of another lineage more.
CLEARLY = 1.0
ROUNDS = 3  # cells are compared with profiles of which the cells of others were taken out


def lineages_of(groups: Groups) -> tuple[list[str], np.ndarray]:
    """Names of the lineages found, and the number of that of each group.

    A group without a name is a lineage of its own, with a number above those of the names.
    """
    names = [d.population for d in groups.decisions]
    real = sorted(set(names) - {UNASSIGNED})
    number = {name: i for i, name in enumerate(real)}
    found = [number.get(name, len(real) + i) for i, name in enumerate(names)]
    return real, np.array(found, dtype=int)


def settle_groups(adata: AnnData, groups: Groups, *, tree: Tree, min_probability: float) -> Groups:
    """Name groups whose markers leave a few lineages open by what else their cells express."""
    real, lineage = lineages_of(groups)
    skip = np.isin(adata.var_names, tree.cycle_genes)
    fits = fit_cells(adata, groups.code, lineage=lineage, skip=skip)
    if not real or not np.isfinite(fits.fit[:, : len(real)]).any():
        return groups
    closest = fits.fit[:, : len(real)].argmax(axis=1)
    decisions = list(groups.decisions)
    for number, decision in enumerate(decisions):
        if decision.population == UNASSIGNED:
            votes = np.bincount(closest[groups.code == number], minlength=len(real))
            shares = dict(zip(real, votes / votes.sum(), strict=True))
            decisions[number] = settle(
                decision,
                groups.evidence,
                number,
                shares=shares,
                tree=tree,
                min_probability=min_probability,
            )
    return replace(groups, decisions=tuple(decisions))


def _typical(
    adata: AnnData, groups: Groups, lineages: Sequence[str], own: np.ndarray, *, tree: Tree
) -> np.ndarray:
    """Which cells do not show the markers of another lineage clearly more than those of their own.

    Parameters
    ----------
    adata
        Cells x genes with `layers["counts"]`.
    groups
        Groups with their markers.
    lineages
        Major populations found.
    own
        Number of the lineage of each cell; groups without a name have numbers above these.
    tree
        Vocabulary and markers.
    """
    if not lineages:
        return np.ones(adata.n_obs, dtype=bool)
    seen = sparse.csr_matrix(adata.layers["counts"])[:, adata.var_names.get_indexer(groups.genes)]
    seen.data = (seen.data > 0).astype(np.float64)
    tells = groups.state.tells.mean(axis=0)
    rate = np.asarray(seen.mean(axis=0)).ravel()
    depth = adata.obs["n_counts"].to_numpy(dtype=float)
    excess = np.full((adata.n_obs, len(lineages)), -np.inf)
    for i, name in enumerate(lineages):
        for part in tree.below(name):
            weight = tells * groups.genes.isin(tree.markers[part].positive)
            expected = float(rate @ weight) * depth / depth.mean()
            more = (seen @ weight - expected) / np.sqrt(expected + 0.5)
            excess[:, i] = np.maximum(excess[:, i], more)
    mine = excess[np.arange(adata.n_obs), np.minimum(own, len(lineages) - 1)]
    return (own >= len(lineages)) | (mine >= excess.max(axis=1) - CLEARLY)


def check_cells(adata: AnnData, cells: pd.DataFrame, groups: Groups, *, tree: Tree) -> None:
    """Rename cells that fit another lineage, in place.

    Parameters
    ----------
    adata
        Cells x genes with `layers["counts"]` and `obs["n_counts"]`.
    cells
        One row per cell: population, population_major, the two probabilities and
        population_reason; changed.
    groups
        Groups with their major populations.
    tree
        Vocabulary and markers.
    """
    real, lineage = lineages_of(groups)
    skip = np.isin(adata.var_names, tree.cycle_genes)
    start, code = lineage[groups.code], groups.code.copy()
    typical = _typical(adata, groups, real, start, tree=tree)
    for _ in range(ROUNDS):
        fits = fit_cells(adata, code, lineage=lineage, skip=skip, typical=typical)
        other = contradictions(fits, lineage[code])
        # what a group of a few cells looks like is not known: none of them fits it badly
        rows = np.flatnonzero((other >= 0) & np.isin(code, fits.profiles.known))
        code[rows] = fits.group[rows, other[rows]]
        typical[rows] = True
    of_cell = lineage[code]
    labels = np.array([*real, *[UNASSIGNED] * (int(lineage.max()) + 1 - len(real))], dtype=object)
    where = cells["population"].to_numpy(copy=True)
    usual = cells.groupby("population")["major_probability"].mean()
    moved = labels[of_cell] != labels[start]
    reasons = [
        f"fits {to} better than its cluster, which is {before}"
        if to != UNASSIGNED
        else f"fits a cluster without a name better than its own, which is {before}"
        for to, before in zip(labels[of_cell[moved]], where[moved], strict=True)
    ]
    _rename(cells, moved, labels[of_cell[moved]], reasons, usual)


def _rename(
    cells: pd.DataFrame,
    rows: np.ndarray,
    names: np.ndarray,
    reasons: list[str],
    usual: pd.Series,
) -> None:
    """Give some cells another major population, in place; sure as its cells usually are."""
    for column in ("population", "population_major"):
        cells.loc[rows, column] = names
    cells.loc[rows, "population_reason"] = np.array(reasons, dtype=object)
    chance = pd.Series(names, dtype=object).map(usual).to_numpy(dtype=float)
    for column in ("population_probability", "major_probability"):
        cells.loc[rows, column] = chance
