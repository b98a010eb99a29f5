"""The one place that calls LIANA.

Every argument is given explicitly, because defaults differ between LIANA 1.x and 2.x.
"""

import contextlib
import io
import math
import warnings
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData

KEYS = ["source", "target", "ligand_complex", "receptor_complex"]
SCORES = ["lr_means", "expr_prod", "lrscore", "scaled_weight", "lr_logfc", "spec_weight"]
P_VALUE = "cellphone_pvals"
# Methods outside LIANA's rank aggregate: name of the method in LIANA, and its score.
EXTRA = {"cellchat": ("cellchat", "lr_probs"), "geometric_mean": ("geometric_mean", "lr_gmeans")}


def liana_scores(
    adata: AnnData,
    *,
    groupby: str,
    resource: pd.DataFrame,
    expr_prop: float,
    min_cells: int,
    groupby_pairs: pd.DataFrame | None = None,
    extra: tuple[str, ...] = (),
    n_perms: int | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Scores of the five methods of LIANA's rank aggregate, and of others if asked for.

    Parameters
    ----------
    adata
        Log-normalised expression (natural logarithm), cells x genes, of two or more populations.
    groupby
        Column of `obs` with the population.
    resource
        Columns ligand and receptor; complexes joined by '_'.
    expr_prop
        Share of cells of its population in which each subunit must be detected.
    min_cells
        Fewest cells of a population.
    groupby_pairs
        Columns source and target: the populations to score with each other; None for all.
    extra
        Names of `EXTRA`.
    n_perms, seed
        Shuffles for LIANA's own p-value; None for no p-value. LIANA keeps all of them in memory.

    Returns
    -------
    One row per source, target and pair that passes `expr_prop`: the four keys and LIANA's score
    columns, unchanged; with shuffles also its p-value, ``cellphone_pvals``, a multiple of
    1 / n_perms. LIANA's ranks are left out (see `consensus`).

    References
    ----------
    Dimitrov et al. 2022, Nat. Commun. 13, 3224, doi:10.1038/s41467-022-30755-0.
    """
    arguments: dict[str, Any] = {
        "groupby": groupby,
        "resource_name": "consensus",  # not used: `resource` is given
        "interactions": None,
        "groupby_pairs": groupby_pairs,
        "expr_prop": expr_prop,
        "min_cells": min_cells,
        "base": math.e,
        "de_method": "t-test",
        "return_all_lrs": False,
        "use_raw": False,
        "layer": None,
        "seed": seed,
        "n_jobs": 1,
        "spatial_key": None,
        "inplace": False,
        "verbose": False,
    }
    adata = AnnData(
        adata.X, obs=adata.obs[[groupby]].copy(), var=pd.DataFrame(index=adata.var_names)
    )
    adata.obs[groupby] = adata.obs[groupby].astype("category")
    with warnings.catch_warnings():
        # LIANA 1.10 makes deprecated calls to pandas and anndata; none concerns the result.
        warnings.simplefilter("ignore")
        import liana

        def pairs() -> pd.DataFrame:
            return resource[["ligand", "receptor"]].copy()  # LIANA adds columns to it

        with contextlib.redirect_stdout(io.StringIO()):
            result = liana.mt.rank_aggregate(
                adata,
                resource=pairs(),
                aggregate_method="rra",
                n_perms=n_perms,
                **arguments,
            )
            for name in extra:
                method, column = EXTRA[name]
                more = getattr(liana.mt, method)(adata, resource=pairs(), n_perms=None, **arguments)
                result = result.merge(more[[*KEYS, column]], on=KEYS, how="left", validate="1:1")
    columns = [*SCORES, *(EXTRA[name][1] for name in extra)]
    result[columns] = result[columns].astype(np.float64)
    if n_perms is not None:
        columns.append(P_VALUE)
    return result[[*KEYS, *columns]].sort_values(KEYS).reset_index(drop=True)
