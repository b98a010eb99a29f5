"""Name the population of every cell: by cluster, then checked cell by cell."""

import logging
from collections.abc import Mapping
from dataclasses import asdict, replace
from importlib.metadata import version
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData

from osteotalk.annotate.cells import (
    MIN_GROUP,
    CellEvidence,
    cell_evidence,
    contradictions,
    lineage_doublets,
    shares_agree,
)
from osteotalk.annotate.decide import Decision, Limits, decide, means_by_group
from osteotalk.annotate.scores import (
    is_seen,
    list_scores,
    marker_excess,
    shares_detected,
)
from osteotalk.annotate.states import cell_states
from osteotalk.annotate.tree import Tree, build_tree
from osteotalk.contract import UNASSIGNED, conform

log = logging.getLogger(__name__)


def annotate(
    adata: AnnData,
    *,
    markers: pd.DataFrame,
    populations: pd.DataFrame,
    min_score: float,
    min_margin: float,
    min_markers: float,
    min_agree: float,
    min_measured: int,
) -> tuple[AnnData, pd.DataFrame]:
    """Name the population and state of every cell, or leave it unassigned.

    Clusters are named first, see `decide`. Then each cell is checked: one that shows two majors at
    once is a likely doublet and left unassigned; cells that clearly show another major than their
    cluster are named as a group of their own if there are five or more of them in the cluster, and
    else left unassigned.

    Parameters
    ----------
    adata
        Integrated cohort with `obs["cluster"]`; not changed.
    markers, populations
        Tables of markers and of the vocabulary.
    min_score, min_margin, min_markers
        Limits of a decision, see `decide`.
    min_agree
        Least share of a cluster's cells whose strongest major is that of the cluster; below it the
        cluster is mixed and unassigned. Noise makes some cells of another kind agree with anything,
        so it should be more than half.
    min_measured
        Positive markers that must be measured; a population with fewer is named as its parent, if
        the markers of the parent or of other populations below it say so.

    Returns
    -------
    The cohort with population, population_major, population_state, population_score (of the cell's
    own markers), population_margin (lead over its best other population that is neither above nor
    below), population_reason and lineage_doublet in `obs`; and the table of clusters, largest
    first.

    Raises
    ------
    ValueError
        If too few markers or too few other genes are measured.
    """
    tree = build_tree(
        populations, markers=markers, measured=adata.var_names, min_measured=min_measured
    )
    limits = Limits(min_score=min_score, min_margin=min_margin, min_markers=min_markers)
    genes = tree.genes()
    clusters = adata.obs["cluster"].astype(str)
    excess = marker_excess(adata, genes, others=list(markers["gene"]), groups=clusters)
    seen = is_seen(adata, genes)
    scores = list_scores(excess, tree.lists())
    evidence = cell_evidence(scores, seen, tree=tree)
    decisions = decide_groups(excess, seen, clusters, tree=tree, limits=limits)
    agree = shares_agree(evidence, clusters, decisions, min_score=min_score)
    decisions = {
        name: _hold_to_majority(d, agree[name], least=min_agree) for name, d in decisions.items()
    }
    cells = _cluster_names(clusters, decisions)
    majors = cells["population"].map(tree.major)
    doublets = lineage_doublets(
        evidence,
        cluster_major=majors,
        n_counts=adata.obs["n_counts"],
        samples=adata.obs["sample"],
    )
    against = np.where(doublets >= 0, -1, contradictions(evidence, cluster_major=majors))
    groups = _group_names(clusters, against, evidence, majors=majors)
    named = decide_groups(excess, seen, groups, tree=tree, limits=limits, least=MIN_GROUP)
    _apply_groups(cells, groups, named)
    _apply_doublets(cells, doublets, evidence, majors=majors)
    cells["population_state"] = cell_states(excess, seen, cells["population"], tree=tree)
    result = adata.copy()
    _write_obs(result, cells, scores, tree=tree)
    record = _record(cells, groups, named, tree=tree) | asdict(limits)
    record |= {"min_agree": min_agree, "min_measured": min_measured}
    record["versions"] = {"scanpy": version("scanpy")}
    result.uns["osteotalk"]["annotate"] = record
    return result, _cluster_table(clusters, decisions, cells, agree)


def decide_groups(
    excess: pd.DataFrame,
    seen: pd.DataFrame,
    groups: pd.Series,
    *,
    tree: Tree,
    limits: Limits,
    least: int = 1,
) -> dict[str, Decision]:
    """Decide each group of cells by its means.

    Parameters
    ----------
    excess, seen
        Cells x markers, from `marker_excess` and `is_seen`.
    groups
        Group of each cell; '' for none.
    tree, limits
        See `decide`.
    least
        Groups with fewer cells are left out.
    """
    counts = groups[groups != ""].value_counts()
    names = sorted(counts.index[counts >= least])
    if not names:
        return {}
    inside = groups.isin(names).to_numpy()
    codes = pd.Index(names).get_indexer(pd.Index(groups[inside]))

    def mean(frame: pd.DataFrame) -> pd.DataFrame:
        values = means_by_group(frame.to_numpy()[inside], codes, len(names))
        return pd.DataFrame(values, index=names, columns=frame.columns)

    lists = tree.lists()
    scores = list_scores(mean(excess), lists)
    shown = shares_detected(mean(seen), lists)
    return {
        name: decide(
            scores.loc[name].to_dict(), shown.loc[name].to_dict(), tree=tree, limits=limits
        )
        for name in names
    }


def _hold_to_majority(decision: Decision, agree: float, *, least: float) -> Decision:
    """Take the name back where too few of the cells agree: a mixed cluster."""
    if decision.population == UNASSIGNED or agree >= least:
        return decision
    reason = f"only {agree:.0%} of its cells show {decision.major} most"
    return replace(decision, population=UNASSIGNED, reason=reason)


def _cluster_names(clusters: pd.Series, decisions: Mapping[str, Decision]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "population": clusters.map({c: d.population for c, d in decisions.items()}),
            "population_reason": clusters.map({c: d.reason for c, d in decisions.items()}),
            "lineage_doublet": "no",
        },
        dtype=object,
    )


def _group_names(
    clusters: pd.Series, against: np.ndarray, evidence: CellEvidence, *, majors: pd.Series
) -> pd.Series:
    """Cluster and major of the cells that contradict their cluster, as 'cluster major'.

    In a cluster without a name the list that the cell shows most stands for the major:
    populations of one major (B and plasma cells) that share a cluster cancel each other there.
    """
    names = np.array([*evidence.majors, ""], dtype=object)[against]
    lists = evidence.best_list[np.arange(len(against)), against]
    names = np.where((majors == UNASSIGNED) & (names != ""), lists, names)
    joined = [
        f"{cluster} {name}" if name else "" for cluster, name in zip(clusters, names, strict=True)
    ]
    return pd.Series(joined, index=clusters.index, dtype=object)


def _apply_groups(
    cells: pd.DataFrame,
    groups: pd.Series,
    named: Mapping[str, Decision],
) -> None:
    """Rename cells that contradict their cluster, in place."""
    for group in sorted(set(groups) - {""}):
        rows = groups == group
        cluster, major = group.rsplit(" ", 1)
        before = cells.loc[rows, "population"].iloc[0]
        where = f"its cluster {cluster} is {before}"
        decision = named.get(group)
        if decision is not None and decision.population != UNASSIGNED:
            cells.loc[rows, "population"] = decision.population
            cells.loc[rows, "population_reason"] = (
                f"one of {rows.sum()} cells whose own markers say {decision.population}; {where}"
            ) + (f"; {decision.reason}" if decision.reason else "")
        elif before != UNASSIGNED:
            cells.loc[rows, "population"] = UNASSIGNED
            cells.loc[rows, "population_reason"] = f"its own markers say {major}; {where}"


def _apply_doublets(
    cells: pd.DataFrame, doublets: np.ndarray, evidence: CellEvidence, *, majors: pd.Series
) -> None:
    """Leave likely doublets unassigned, in place."""
    found = doublets >= 0
    own = np.array(evidence.majors, dtype=object)[evidence.strength.argmax(axis=1)]
    own = np.where(majors == UNASSIGNED, own, majors)
    other = np.array(evidence.majors, dtype=object)[doublets]
    reasons = [f"looks like {a} and {b} at once" for a, b in zip(own, other, strict=True)]
    cells.loc[found, "lineage_doublet"] = "yes"
    cells.loc[found, "population"] = UNASSIGNED
    cells.loc[found, "population_reason"] = np.array(reasons, dtype=object)[found]


def _cluster_table(
    clusters: pd.Series,
    decisions: Mapping[str, Decision],
    cells: pd.DataFrame,
    agree: Mapping[str, float],
) -> pd.DataFrame:
    rows = []
    for cluster, decision in decisions.items():
        here = (clusters == cluster).to_numpy()
        rows.append(
            {
                "cluster": cluster,
                "n_cells": int(here.sum()),
                **asdict(decision),
                "share_agree": agree[cluster],
                "n_unassigned": int((cells.loc[here, "population"] == UNASSIGNED).sum()),
                "n_lineage_doublets": int((cells.loc[here, "lineage_doublet"] == "yes").sum()),
            }
        )
    rows.sort(key=lambda row: (-row["n_cells"], row["cluster"]))
    return conform(pd.DataFrame(rows), table="annotation")


def _write_obs(adata: AnnData, cells: pd.DataFrame, scores: pd.DataFrame, *, tree: Tree) -> None:
    """Put the names and each cell's own score and margin into `obs`."""
    for column in ("population", "population_state", "population_reason", "lineage_doublet"):
        adata.obs[column] = cells[column].astype(str).to_numpy()
    adata.obs["population_major"] = cells["population"].map(tree.major).astype(str).to_numpy()
    own, margin = np.full(len(cells), np.nan), np.full(len(cells), np.nan)
    for name in sorted(set(cells["population"]) - {UNASSIGNED}):
        rows = (cells["population"] == name).to_numpy()
        inside = tree.below(name)
        related = {*tree.line(name), *tree.within(name)}
        others = [column for column in scores if column not in related]
        own[rows] = scores.loc[rows, inside].to_numpy().max(axis=1)
        margin[rows] = own[rows] - scores.loc[rows, others].to_numpy().max(axis=1)
    adata.obs["population_score"], adata.obs["population_margin"] = own, margin


def _record(
    cells: pd.DataFrame, groups: pd.Series, named: Mapping[str, Decision], *, tree: Tree
) -> dict[str, Any]:
    """Count what was named and what was not, and log it."""
    unassigned = cells["population"] == UNASSIGNED
    doublet = cells["lineage_doublet"] == "yes"
    done = {g for g, decision in named.items() if decision.population != UNASSIGNED}
    parents = [name for name in set(cells["population"]) - {UNASSIGNED} if tree.children(name)]
    record = {
        "n_unassigned": int(unassigned.sum()),
        "n_lineage_doublets": int(doublet.sum()),
        "n_parent_only": int(cells["population"].isin(parents).sum()),
        "n_contradict_cluster": int((groups != "").sum()),
        "n_renamed_against_cluster": int(groups.isin(done).sum()),
        "n_with_state": int((cells["population_state"] != "").sum()),
    }
    log.info(
        "%d populations in %d cells; %d cells unassigned, %d of them likely doublets of two "
        "lineages; %d cells named as a parent only; %d cells contradict their cluster, %d of them "
        "renamed; %d cells in a state",
        cells.loc[~unassigned, "population"].nunique(),
        len(cells),
        *record.values(),
    )
    short = [name for name in tree.parent if name in tree.short]
    return record | {"too_few_markers": ", ".join(short)}
