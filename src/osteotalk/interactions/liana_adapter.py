"""The one place that calls LIANA.

Every argument is given explicitly, because defaults differ between LIANA 1.x and 2.x.
"""

import contextlib
import io
import math
import warnings

import pandas as pd
from anndata import AnnData

KEYS = ["source", "target", "ligand_complex", "receptor_complex"]
SCORES = ["lr_means", "expr_prod", "lrscore", "scaled_weight", "lr_logfc", "spec_weight"]


def liana_scores(
    adata: AnnData,
    *,
    groupby: str,
    resource: pd.DataFrame,
    expr_prop: float,
    min_cells: int,
) -> pd.DataFrame:
    """Scores of the five methods of LIANA's rank aggregate.

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

    Returns
    -------
    One row per source, target and pair that passes `expr_prop`: the four keys and LIANA's score
    columns, unchanged. LIANA's ranks are left out (see `consensus`), and so is its p-value, which
    `permutation` computes in a fraction of the memory.

    References
    ----------
    Dimitrov et al. 2022, Nat. Commun. 13, 3224, doi:10.1038/s41467-022-30755-0.
    """
    with warnings.catch_warnings():
        # LIANA 1.10 makes deprecated calls to pandas and anndata; none concerns the result.
        warnings.simplefilter("ignore")
        import liana

        with contextlib.redirect_stdout(io.StringIO()):
            result = liana.mt.rank_aggregate(
                adata,
                groupby=groupby,
                resource_name="consensus",  # not used: `resource` is given
                resource=resource[["ligand", "receptor"]].copy(),
                interactions=None,
                groupby_pairs=None,
                expr_prop=expr_prop,
                min_cells=min_cells,
                base=math.e,
                aggregate_method="rra",
                return_all_lrs=False,
                use_raw=False,
                layer=None,
                de_method="t-test",
                n_perms=None,
                seed=0,  # not used without shuffles
                n_jobs=1,
                spatial_key=None,
                inplace=False,
                verbose=False,
            )
    scores: pd.DataFrame = result[[*KEYS, *SCORES]]
    return scores.sort_values(KEYS).reset_index(drop=True)
