"""Populations from marker genes, decided per cluster."""

import logging
import warnings
from importlib.metadata import version

import numpy as np
import pandas as pd
import scanpy as sc
from anndata import AnnData

from osteotalk.contract import UNASSIGNED, conform
from osteotalk.tables import leaves

log = logging.getLogger(__name__)

# A marker counts as detected in a cluster if this share of its cells has a count of it.
DETECTED = 0.1


def marker_scores(adata: AnnData, markers: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """Score every cell for every population.

    The score is the mean log-normalised expression of the markers less that of random genes of
    the same expression level, so that large cells do not score higher.

    Parameters
    ----------
    adata
        Log-normalised expression, cells x genes.
    markers
        Columns population and gene. Genes that were not measured are left out.
    seed
        Seed of the random genes.

    Raises
    ------
    ValueError
        If the data hold too few genes to compare the markers with (a small gene panel).

    Returns
    -------
    Cells x populations, in log1p units; NaN for a population none of whose markers was measured.

    References
    ----------
    Tirosh et al. 2016, Science 352, 189, doi:10.1126/science.aad0501, as in scanpy.tl.score_genes.
    """
    scores = {}
    for population, rows in markers.groupby("population", sort=False):
        genes = [gene for gene in rows["gene"] if gene in adata.var_names]
        missing = sorted(set(rows["gene"]) - set(genes))
        if missing:
            log.warning("markers of %s that were not measured: %s", population, ", ".join(missing))
        if not genes:
            scores[population] = np.full(adata.n_obs, np.nan)
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", category=FutureWarning)
            try:
                sc.tl.score_genes(
                    adata,
                    genes,
                    score_name="_score",
                    random_state=seed,
                    use_raw=False,
                    ctrl_as_ref=False,
                )
            except RuntimeError as error:
                msg = (
                    f"the markers of {population} cannot be scored: too few genes of similar "
                    f"expression to compare them with among {adata.n_vars} genes ({error})"
                )
                raise ValueError(msg) from error
        scores[population] = adata.obs.pop("_score").to_numpy(dtype=np.float64)
    return pd.DataFrame(scores, index=adata.obs_names)


def detected_markers(adata: AnnData, markers: pd.DataFrame, clusters: pd.Series) -> pd.DataFrame:
    """Share of each population's markers, measured or not, that are detected in each cluster.

    A score can be high through one gene alone (XBP1 in breast epithelium and plasma cells); a
    population has to show more of its markers.

    Returns
    -------
    Clusters x populations, 0 to 1.
    """
    known = markers[markers["gene"].isin(adata.var_names)]
    listed = markers["population"].value_counts()
    genes = list(known["gene"].unique())
    counts = pd.DataFrame((adata[:, genes].X > 0).toarray(), columns=genes)
    detected = counts.groupby(clusters.to_numpy()).mean() >= DETECTED
    return pd.DataFrame(
        {
            population: detected[list(rows["gene"])].sum(axis=1) / listed[population]
            for population, rows in known.groupby("population", sort=False)
        }
    )


def decide_clusters(
    scores: pd.DataFrame,
    clusters: pd.Series,
    detected: pd.DataFrame,
    *,
    min_score: float,
    min_margin: float,
    min_markers: float,
) -> pd.DataFrame:
    """Name each cluster by its best population, or leave it unassigned.

    Parameters
    ----------
    scores
        Cells x populations, from `marker_scores`.
    clusters
        Cluster of each cell.
    detected
        Clusters x populations, from `detected_markers`.
    min_score
        Lowest mean score of the best population.
    min_margin
        Least lead over the second.
    min_markers
        Least share of detected markers of the best population.

    Returns
    -------
    One row per cluster, largest first: cluster, n_cells, population (or unassigned), score, margin,
    best, runner_up, reason (empty if assigned).
    """
    means = scores.groupby(clusters, observed=True).mean()
    sizes = clusters.value_counts()
    rows = []
    for cluster in sorted(means.index, key=lambda c: (-sizes[c], c)):
        ranked = means.loc[cluster].dropna().sort_values(ascending=False, kind="stable")
        best, second = ranked.index[0], ranked.index[1]
        score, margin = float(ranked.iloc[0]), float(ranked.iloc[0] - ranked.iloc[1])
        reason = ""
        if score < min_score:
            reason = f"best score {score:.2f} is below {min_score:g}"
        elif margin < min_margin:
            reason = f"only {margin:.2f} ahead of {second}"
        elif (share := detected.loc[cluster, best]) < min_markers:
            reason = f"only {share:.0%} of the markers of {best} are detected"
        rows.append(
            {
                "cluster": str(cluster),
                "n_cells": int(sizes[cluster]),
                "population": UNASSIGNED if reason else best,
                "score": score,
                "margin": margin,
                "best": best,
                "runner_up": second,
                "reason": reason,
            }
        )
    return conform(pd.DataFrame(rows), table="annotation")


def annotate(
    adata: AnnData,
    *,
    markers: pd.DataFrame,
    populations: pd.DataFrame,
    min_score: float,
    min_margin: float,
    min_markers: float,
    seed: int,
) -> tuple[AnnData, pd.DataFrame]:
    """Name the population of every cell by that of its cluster.

    Parameters
    ----------
    adata
        Integrated cohort with `obs["cluster"]`; not changed.
    markers, populations
        Tables of markers and of the vocabulary.
    min_score, min_margin, min_markers
        Thresholds, see `decide_clusters`.
    seed
        Seed of the scores.

    Returns
    -------
    The cohort with population, population_major, population_score and population_margin in `obs`
    (score of the cell for the population of its cluster, and its lead over the cell's next best;
    NaN if unassigned), and the table of clusters.

    Raises
    ------
    ValueError
        If the markers of fewer than two populations were measured.
    """
    adata = adata.copy()
    scores = marker_scores(adata, markers, seed=seed)
    measured = scores.columns[scores.notna().any()]
    if len(measured) < 2:
        msg = (
            f"markers of only {len(measured)} populations are among the {adata.n_vars} genes of "
            "the data; are the gene names human symbols?"
        )
        raise ValueError(msg)
    clusters = decide_clusters(
        scores,
        adata.obs["cluster"],
        detected_markers(adata, markers, adata.obs["cluster"]),
        min_score=min_score,
        min_margin=min_margin,
        min_markers=min_markers,
    )
    label = adata.obs["cluster"].map(clusters.set_index("cluster")["population"]).astype(str)
    adata.obs["population"] = label
    adata.obs["population_major"] = label.map(_majors(populations)).fillna(UNASSIGNED)
    own, margin = _cell_scores(scores, label)
    adata.obs["population_score"], adata.obs["population_margin"] = own, margin
    adata.uns["osteotalk"]["annotate"] = {
        "min_score": min_score,
        "min_margin": min_margin,
        "min_markers": min_markers,
        "n_unassigned": int((label == UNASSIGNED).sum()),
        "versions": {"scanpy": version("scanpy")},
    }
    log.info(
        "%d populations in %d cells; %d cells unassigned",
        label[label != UNASSIGNED].nunique(),
        len(label),
        (label == UNASSIGNED).sum(),
    )
    return adata, clusters


def _majors(populations: pd.DataFrame) -> dict[str, str]:
    """Topmost ancestor of every fine population."""
    tops = populations.loc[populations["parent"] == "", "population"]
    return {leaf: top for top in tops for leaf in leaves(populations, top)}


def _cell_scores(scores: pd.DataFrame, label: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    values = scores.to_numpy()
    column = scores.columns.get_indexer(pd.Index(label))
    rows = np.arange(len(label))
    own = np.where(column >= 0, values[rows, column], np.nan)
    others = np.where(np.isnan(values), -np.inf, values)
    others[rows, column] = -np.inf
    return own, np.where(column >= 0, own - others.max(axis=1), np.nan)
