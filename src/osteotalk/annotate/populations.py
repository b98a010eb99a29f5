"""Name the population of every cell: by cluster, then checked cell by cell, then finer."""

import logging
from importlib.metadata import version
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData

from osteotalk.annotate.decide import Decision, only_as_parent
from osteotalk.annotate.finer import name_finer
from osteotalk.annotate.group_table import fine_rows, major_rows
from osteotalk.annotate.majors import Groups, name_majors
from osteotalk.annotate.mixtures import leave_out_mixtures
from osteotalk.annotate.settle import check_cells, settle_groups
from osteotalk.annotate.states import cell_states
from osteotalk.annotate.tree import Tree, build_tree
from osteotalk.contract import UNASSIGNED, conform

log = logging.getLogger(__name__)


def annotate(
    adata: AnnData,
    *,
    markers: pd.DataFrame,
    populations: pd.DataFrame,
    min_probability: float,
    min_measured: int,
    seed: int = 0,
) -> tuple[AnnData, pd.DataFrame]:
    """Name the population and state of every cell, or leave it unassigned.

    The major population of each cluster is named by all markers at once (`evidence`), after parts
    of the cluster that are of another lineage got a group of their own (`majors`), if they say more
    than permuted lists would (`permuted`), and with what groups like it say (`alike`). Each cell is
    then compared with the others: one that fits another lineage joins that (`cells`), one that a
    mixture of two fits better is a likely doublet and left unassigned (`mixtures`). At last the
    cells of each major population are parted again and named finer, as far down the tree as that is
    sure (`finer`).

    Parameters
    ----------
    adata
        Integrated cohort with `obs["cluster"]`; not changed.
    markers, populations
        Tables of markers and of the vocabulary.
    min_probability
        Least probability of a name; a cluster without a population that likely is unassigned, or
        named as the population above.
    min_measured
        Positive markers that must be measured; a population with fewer is named as its parent, if
        the markers of the parent or of other populations below it say so.
    seed
        Of the parts of clusters.

    Returns
    -------
    The cohort with population, population_major, population_state, cycling, population_probability
    (that of the name; NaN without one), major_probability, subcluster (the group of cells that got
    the name), best_match (the likeliest population of the group where it was not likely enough, and
    the cells are unassigned or named as its parent; else ''), population_reason and lineage_doublet
    in `obs`; and the table of groups.

    Raises
    ------
    ValueError
        If too few markers are measured.
    """
    tree = build_tree(
        populations, markers=markers, measured=adata.var_names, min_measured=min_measured
    )
    groups = name_majors(adata, tree=tree, min_probability=min_probability, seed=seed)
    log.info("%d clusters in %d groups", len(set(groups.cluster)), len(groups.names))
    groups = settle_groups(adata, groups, tree=tree, min_probability=min_probability)
    cells = _major_names(groups, index=adata.obs_names)
    check_cells(adata, cells, groups, tree=tree)
    leave_out_mixtures(adata, cells, groups, tree=tree, seed=seed)
    open_ = (cells["population"] == UNASSIGNED) & (cells["lineage_doublet"] == "no")
    cells.loc[~open_, "best_match"] = ""
    tops = sorted(set(cells["population"]) - {UNASSIGNED})
    rows = [major_rows(groups, cells, tree=tree)]
    rows += [
        _name_below(
            adata, cells, groups, top, tree=tree, min_probability=min_probability, seed=seed
        )
        for top in tops
        if tree.children(top)
    ]
    states, cycling = cell_states(adata, cells["population"], tree=tree)
    cells["population_state"], cells["cycling"] = states, cycling
    result = adata.copy()
    for column in cells:
        result.obs[column] = cells[column].to_numpy()
    record = _record(cells, groups, tree=tree)
    record |= {"min_probability": min_probability, "min_measured": min_measured, "seed": seed}
    record["versions"] = {"scanpy": version("scanpy")}
    result.uns["osteotalk"]["annotate"] = record
    return result, conform(pd.concat(rows, ignore_index=True), table="annotation")


def _major_names(groups: Groups, *, index: pd.Index) -> pd.DataFrame:
    """Give each cell what its group got."""
    decided = groups.decisions
    names = groups.of_cells([d.population for d in decided])
    chance = groups.of_cells([d.probability for d in decided]).astype(float)
    return pd.DataFrame(
        {
            "population": names,
            "population_major": names,
            "population_state": "",
            "cycling": "no",
            "population_probability": np.where(names == UNASSIGNED, np.nan, chance),
            "major_probability": np.where(names == UNASSIGNED, np.nan, chance),
            "subcluster": groups.of_cells(groups.names),
            "best_match": groups.of_cells([_unsure(d) for d in decided]),
            "population_reason": groups.of_cells([d.reason for d in decided]),
            "lineage_doublet": "no",
        },
        index=index,
    ).astype(dict.fromkeys(("population", "population_major", "subcluster", "best_match"), object))


def _unsure(decision: Decision) -> str:
    """Population that was likeliest, but not likely enough to be the name.

    Of a group that is named as the parent only if it is no less likely than none of the finer ones.
    """
    told = decision.population != UNASSIGNED
    told &= decision.best_probability < decision.runner_up_probability
    return "" if told or decision.best == decision.population else decision.best


def _name_below(
    adata: AnnData,
    cells: pd.DataFrame,
    groups: Groups,
    top: str,
    *,
    tree: Tree,
    min_probability: float,
    seed: int,
) -> pd.DataFrame:
    """Name the cells of a major population finer, in place; give the rows of the table."""
    inside = (cells["population"] == top).to_numpy()
    parts, decisions, state = name_finer(
        adata,
        np.flatnonzero(inside),
        top=top,
        tree=tree,
        genes=groups.genes,
        off=groups.reference.off,
        min_probability=min_probability,
        seed=seed,
    )
    if not decisions:
        return pd.DataFrame()

    def of_cells(values: list[str]) -> np.ndarray:
        return np.array(values, dtype=object)[parts]

    names = [f"{top} {number}" for number in range(len(decisions))]
    cells.loc[inside, "population"] = of_cells([d.population for d in decisions])
    cells.loc[inside, "subcluster"] = of_cells(names)
    cells.loc[inside, "best_match"] = of_cells([_unsure(d) for d in decisions])
    chance = np.array([d.probability for d in decisions])[parts]
    cells.loc[inside, "population_probability"] = chance * cells.loc[inside, "major_probability"]
    reasons = zip(
        cells.loc[inside, "population_reason"], of_cells([d.reason for d in decisions]), strict=True
    )
    joined = ["; ".join(part for part in both if part) for both in reasons]
    cells.loc[inside, "population_reason"] = np.array(joined, dtype=object)
    return fine_rows(names, decisions, parts, state, top=top, genes=groups.genes, tree=tree)


def _record(cells: pd.DataFrame, groups: Groups, *, tree: Tree) -> dict[str, Any]:
    """Count what was named and what was not, and log it."""
    unassigned = cells["population"] == UNASSIGNED
    parents = [name for name in set(cells["population"]) - {UNASSIGNED} if tree.children(name)]
    open_ = only_as_parent(cells["population_reason"])  # one with others below may be sure itself
    moved = cells["population_reason"].str.contains("fits .* better than its", regex=True)
    record = {
        "n_unassigned": int(unassigned.sum()),
        "n_lineage_doublets": int((cells["lineage_doublet"] == "yes").sum()),
        "n_parent_only": int((cells["population"].isin(parents) & open_).sum()),
        "n_moved": int(moved.sum()),
        "n_groups_taken_out": len(groups.names) - len(set(groups.cluster)),
        "n_with_state": int((cells["population_state"] != "").sum()),
        "n_cycling": int((cells["cycling"] == "yes").sum()),
    }
    log.info(
        "%d populations in %d cells; %d cells unassigned, %d of them likely doublets of two "
        "lineages; %d cells named as a parent only; %d cells moved to another lineage than their "
        "cluster's; %d parts of clusters named apart; %d cells in a state, %d cycling",
        cells.loc[~unassigned, "population"].nunique(),
        len(cells),
        *record.values(),
    )
    short = [name for name in tree.parent if name in tree.short]
    return record | {"too_few_markers": ", ".join(short)}
