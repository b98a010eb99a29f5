"""The edges of one sample: which pairs are detected in which populations, and by which subunit."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from osteotalk.interactions.groups import Groups
from osteotalk.interactions.methods import Sides


@dataclass(frozen=True)
class _Complexes:
    """Complexes in populations: limiting subunit and lowest share of cells (complexes x K)."""

    names: pd.Index
    limiting: np.ndarray
    shares: np.ndarray


def _complexes(names: pd.Series, groups: Groups) -> _Complexes:
    """Find the subunit with the lowest mean in each population; on a tie the first one."""
    unique = pd.Index(sorted(set(names)))
    place = {gene: i for i, gene in enumerate(groups.genes)}
    limiting = np.empty((len(unique), len(groups.labels)), dtype=np.int64)
    shares = np.empty(limiting.shape)
    for row, name in enumerate(unique):
        genes = np.array([place[gene] for gene in name.split("_")])
        limiting[row] = genes[groups.means[:, genes].argmin(axis=1)]
        shares[row] = groups.shares[:, genes].min(axis=1)
    return _Complexes(unique, limiting, shares)


def detected_edges(
    pairs: pd.DataFrame, groups: Groups, *, expr_prop: float, allowed: np.ndarray
) -> pd.DataFrame:
    """List the edges whose subunits are all detected in enough cells.

    Parameters
    ----------
    pairs
        Unique pairs: ligand, receptor; all their genes are in `groups`.
    groups
        Statistics of the sample.
    expr_prop
        Share of cells of its population in which each subunit must be detected.
    allowed
        Which populations are scored with each other (K x K, source by target).

    Returns
    -------
    Sorted by source, target, ligand_complex and receptor_complex, with these and the limiting
    subunits ligand and receptor.
    """
    pairs = pairs.sort_values(["ligand", "receptor"])
    sides = {side: _complexes(pairs[side], groups) for side in ("ligand", "receptor")}
    rows = {side: known.names.get_indexer(pd.Index(pairs[side])) for side, known in sides.items()}
    passing = {side: (known.shares >= expr_prop)[rows[side]].T for side, known in sides.items()}
    both = passing["ligand"][:, None, :] & passing["receptor"][None, :, :] & allowed[:, :, None]
    source, target, pair = np.nonzero(both)
    edges = {
        "source": groups.labels.to_numpy()[source],
        "target": groups.labels.to_numpy()[target],
        "ligand_complex": pairs["ligand"].to_numpy()[pair],
        "receptor_complex": pairs["receptor"].to_numpy()[pair],
    }
    for side, population in (("ligand", source), ("receptor", target)):
        gene = sides[side].limiting[rows[side][pair], population]
        edges[side] = groups.genes.to_numpy()[gene]
    return pd.DataFrame(edges)


def limiting_subunits(edges: pd.DataFrame, groups: Groups) -> pd.DataFrame:
    """Add the limiting subunits ligand and receptor to edges."""
    found = {}
    for side, end in (("ligand", "source"), ("receptor", "target")):
        known = _complexes(edges[f"{side}_complex"], groups)
        rows = known.names.get_indexer(pd.Index(edges[f"{side}_complex"]))
        gene = known.limiting[rows, groups.labels.get_indexer(pd.Index(edges[end]))]
        found[side] = groups.genes.to_numpy()[gene]
    return edges.assign(**found)


def sides_of(
    edges: pd.DataFrame,
    groups: Groups,
    *,
    allowed: np.ndarray,
    trimeans: np.ndarray | None = None,
) -> Sides:
    """Look up what the scores of edges are made of.

    Parameters
    ----------
    edges
        Table with source, target, ligand and receptor.
    groups
        Statistics of the sample.
    allowed
        Which populations are scored with each other (source by target).
    trimeans
        From `osteotalk.interactions.groups.trimeans`, if a method needs them.
    """
    source, target = (
        groups.labels.get_indexer(pd.Index(edges[end])) for end in ("source", "target")
    )
    ligand, receptor = (
        groups.genes.get_indexer(pd.Index(edges[side])) for side in ("ligand", "receptor")
    )
    weights = allowed.astype(np.float64)
    ligand_sums, receptor_sums = weights.T @ groups.means, weights @ groups.means
    lowest: dict[str, np.ndarray] = {}
    if trimeans is not None:
        lowest = {
            side: _lowest(edges[f"{side}_complex"], population, groups, trimeans)
            for side, population in (("ligand", source), ("receptor", target))
        }
    return Sides(
        ligand=groups.means[source, ligand],
        receptor=groups.means[target, receptor],
        ligand_sum=ligand_sums[target, ligand],
        receptor_sum=receptor_sums[source, receptor],
        ligand_z=groups.zscores[source, ligand],
        receptor_z=groups.zscores[target, receptor],
        ligand_logfc=groups.logfc[source, ligand],
        receptor_logfc=groups.logfc[target, receptor],
        ligand_trimean=lowest.get("ligand"),
        receptor_trimean=lowest.get("receptor"),
        matrix_mean=groups.matrix_mean,
    )


def _lowest(
    complexes: pd.Series, populations: np.ndarray, groups: Groups, values: np.ndarray
) -> np.ndarray:
    """Lowest value of the subunits of each complex in its population."""
    names = pd.Index(sorted(set(complexes)))
    place = {gene: i for i, gene in enumerate(groups.genes)}
    table = np.array(
        [values[:, [place[gene] for gene in name.split("_")]].min(axis=1) for name in names]
    )
    return table[names.get_indexer(pd.Index(complexes)), populations]
