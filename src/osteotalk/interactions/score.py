"""Score the ligand-receptor pairs of one sample."""

import logging

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy.stats import false_discovery_control

from osteotalk.contract import UNASSIGNED, conform, empty_frame
from osteotalk.interactions import consensus
from osteotalk.interactions.groups import group_statistics, limiting_subunits
from osteotalk.interactions.liana_adapter import SCORES, liana_scores
from osteotalk.interactions.permutation import count_exceedances
from osteotalk.interactions.resource import measured, subunits

log = logging.getLogger(__name__)


def score_sample(
    adata: AnnData,
    *,
    resource: pd.DataFrame,
    expr_prop: float,
    min_cells: int,
    n_perms: int,
    seed: int,
) -> pd.DataFrame:
    """Score every pair between all populations of one sample that have enough cells.

    The p-value is (b + 1) / (n + 1), with b of n label shuffles at least as strong, as CellPhoneDB
    shuffles but never 0. It says how specific a pair is to two populations among the
    cells of this sample. It says nothing about patients.

    Parameters
    ----------
    adata
        Cells of one sample, log-normalised; `obs` holds dataset, sample, condition, population.
    resource
        Pairs: ligand, receptor.
    expr_prop, min_cells
        See `liana_adapter.liana_scores`.
    n_perms, seed
        See `permutation.count_exceedances`.

    Returns
    -------
    The table `interactions` (see `osteotalk.contract`), sorted by its keys. It has no row if fewer
    than two populations have `min_cells` cells; unassigned cells take no part.
    """
    label = adata.obs["population"].astype(str)
    sizes = label[label != UNASSIGNED].value_counts().sort_index()
    kept = sizes[sizes >= min_cells]
    _report_populations(sizes, kept, int((label == UNASSIGNED).sum()), min_cells)
    pairs = measured(resource, adata.var_names)
    log.info("%d of %d pairs have all their genes measured", len(pairs), len(resource))
    if len(kept) < 2 or pairs.empty:
        log.warning("nothing to score: two populations and one pair are needed")
        return empty_frame("interactions")

    chosen = adata[label.isin(kept.index)].copy()
    chosen.obs["population"] = chosen.obs["population"].astype("category")
    genes = subunits([*pairs["ligand"], *pairs["receptor"]])
    means, shares = group_statistics(chosen[:, genes], "population")
    pairs = _detectable(pairs, shares, expr_prop)
    log.info("%d pairs are detected in %g of some population", len(pairs), expr_prop)
    if pairs.empty:
        log.warning("nothing to score: no pair is detected")
        return empty_frame("interactions")
    scores = liana_scores(
        chosen,
        groupby="population",
        resource=pairs,
        expr_prop=expr_prop,
        min_cells=min_cells,
    )
    for side, population in (("ligand", "source"), ("receptor", "target")):
        gene = limiting_subunits(scores[f"{side}_complex"], scores[population], means)
        scores[side] = gene
        scores[f"{side}_props"] = shares.to_numpy()[
            shares.index.get_indexer(pd.Index(scores[population])),
            shares.columns.get_indexer(pd.Index(gene)),
        ]
        scores[f"n_{population}"] = scores[population].map(kept)
    exceedances = count_exceedances(
        chosen, scores, groupby="population", n_perms=n_perms, seed=seed
    )
    scores["p_value"] = (exceedances + 1) / (n_perms + 1)
    scores["q_value"] = false_discovery_control(scores["p_value"], method="bh")
    scores["magnitude_rank"] = consensus.robust_rank_aggregate(scores, consensus.MAGNITUDE)
    scores["specificity_rank"] = consensus.robust_rank_aggregate(scores, consensus.SPECIFICITY)
    scores[SCORES] = scores[SCORES].astype(np.float64)
    for column in ("dataset", "sample", "condition"):
        scores[column] = str(adata.obs[column].iloc[0])
    log.info("%d edges scored between %d populations", len(scores), len(kept))
    return conform(scores, table="interactions")


def _report_populations(sizes: pd.Series, kept: pd.Series, unassigned: int, least: int) -> None:
    small = sizes[~sizes.index.isin(kept.index)]
    if len(small):
        listed = ", ".join(f"{name} ({n})" for name, n in small.items())
        log.warning("populations with fewer than %d cells take no part: %s", least, listed)
    if unassigned:
        log.warning("%d unassigned cells take no part", unassigned)


def _detectable(pairs: pd.DataFrame, shares: pd.DataFrame, expr_prop: float) -> pd.DataFrame:
    """Pairs whose ligand passes `expr_prop` in some population, and whose receptor does.

    LIANA would list no other pair, and no score of one pair depends on another: leaving them out
    saves most of its time.
    """
    passing = shares >= expr_prop

    def somewhere(name: str) -> bool:
        return bool(passing[name.split("_")].all(axis=1).any())

    found = {name: somewhere(name) for name in {*pairs["ligand"], *pairs["receptor"]}}
    keep = pairs["ligand"].map(found) & pairs["receptor"].map(found)
    return pairs[keep].reset_index(drop=True)
