"""The p-value of every edge of a sample under label shuffles, and its q-value."""

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control

from osteotalk.interactions.liana_adapter import P_VALUE as LIANA_P_VALUE
from osteotalk.interactions.nulls.moments import drawing_error, null_tails
from osteotalk.interactions.nulls.permutation import count_exceedances
from osteotalk.interactions.nulls.places import locate
from osteotalk.interactions.sample import Sample

NULLS = ("moments", "permutation", "like_liana", "none")


def add_p_values(
    edges: pd.DataFrame,
    sample: Sample,
    *,
    null: str,
    n_perms: int,
    seed: int,
    alpha: float,
    threads: int,
) -> pd.DataFrame:
    """Add the columns p_value, log_p, p_error and q_value.

    Parameters
    ----------
    edges
        source, target, ligand, receptor, lr_means; a column of LIANA's p-values is used if there.
    sample
        The cells.
    null, n_perms, seed, alpha, threads
        See `osteotalk.interactions.score`.

    Returns
    -------
    The edges with p_value; log_p, its natural logarithm, which has no lower bound; p_error, the
    standard error of log10(p_value); and q_value (Benjamini-Hochberg over the edges of the sample).
    All are missing if `null` is "none".
    """
    if null == "none":
        return edges.assign(p_value=np.nan, log_p=np.nan, p_error=np.nan, q_value=np.nan)
    groups = sample.groups
    genes = pd.Index(sorted({*edges["ligand"], *edges["receptor"]}))
    matrix, codes = sample.columns(genes)
    places = locate(edges, labels=groups.labels, genes=genes, codes=codes)
    if null == "moments":
        means = groups.means[:, groups.genes.get_indexer(genes)]
        strengths = means[places.source, places.ligand] + means[places.target, places.receptor]
        tails = null_tails(
            matrix,
            places,
            strengths,
            cut=lambda p: last_passing(p, alpha=alpha),
            seed=seed,
            threads=threads,
        )
        p, log_p, error = tails.p, tails.log_p, tails.error
    else:
        if LIANA_P_VALUE in edges:
            reached = np.rint(edges[LIANA_P_VALUE].to_numpy(dtype=np.float64) * n_perms)
        else:
            shuffles = {"n_perms": n_perms, "seed": seed, "threads": threads}
            like_liana = null == "like_liana"
            reached = count_exceedances(matrix, places, like_liana=like_liana, **shuffles)
        p = (reached + 1) / (n_perms + 1)
        log_p, error = np.log(p), drawing_error(p, n_perms)
    q = false_discovery_control(p, method="bh")
    return edges.assign(p_value=p, log_p=log_p, p_error=error, q_value=q)


def last_passing(p: np.ndarray, *, alpha: float) -> float:
    """Largest p-value with a false discovery rate of at most `alpha`; the smallest that would."""
    passing = p[false_discovery_control(p, method="bh") <= alpha]
    return float(passing.max()) if len(passing) else alpha / len(p)
