"""The scores of a sample against those of squidpy, a program written independently.

squidpy's `ligrec` computes the strength and the shuffled p-value of CellPhoneDB, as the table
`interactions` does. Only pairs of single genes are compared: of a complex, squidpy takes the
subunit with the lowest mean over all cells, osteotalk that with the lowest in the population.
"""

import logging
import warnings

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy.stats import spearmanr

from osteotalk.contract import UNASSIGNED, conform
from osteotalk.interactions.cell_order import order_of
from osteotalk.interactions.pairs.resource import measured
from osteotalk.needs import need_squidpy

log = logging.getLogger(__name__)

KEYS = ["source", "target", "ligand", "receptor"]
CALL = 0.05  # p-value at which the two are compared as calls


def cross_check_sample(
    adata: AnnData,
    interactions: pd.DataFrame,
    *,
    dataset: str,
    sample: str,
    resource: pd.DataFrame,
    expr_prop: float,
    min_cells: int,
    n_perms: int,
    seed: int,
) -> pd.DataFrame:
    """Score the pairs of one sample with squidpy and compare.

    Parameters
    ----------
    adata
        Cells of one sample, log-normalised, with `obs["population"]`.
    interactions
        Its table `interactions`.
    dataset, sample
        Their names.
    resource
        The pairs that were scored: ligand, receptor.
    expr_prop
        Share of cells of its population in which a gene must be detected.
    min_cells
        Fewest cells of a population; smaller ones and unassigned cells take no part.
    n_perms, seed
        Shuffles of squidpy and their seed.

    Returns
    -------
    One row: the table `cross_check` (see `osteotalk.contract`).

    Raises
    ------
    osteotalk.needs.MissingPackageError
        If squidpy is not installed.
    """
    need_squidpy()  # the environment of the job may be another than that of the workflow
    label = adata.obs["population"].astype(str)
    sizes = label[label != UNASSIGNED].value_counts()
    chosen = adata[label.isin(sizes.index[sizes >= min_cells])]
    pairs = measured(resource, adata.var_names)
    pairs = pairs[~_with_complex(pairs["ligand"], pairs["receptor"])]
    found = run_squidpy(chosen, pairs=pairs, expr_prop=expr_prop, n_perms=n_perms, seed=seed)
    row = compare(interactions, found, dataset=dataset, sample=sample)
    log.info("agreement with squidpy: %s", row.iloc[0].drop(["dataset", "sample"]).to_dict())
    return row


def run_squidpy(
    adata: AnnData, *, pairs: pd.DataFrame, expr_prop: float, n_perms: int, seed: int
) -> pd.DataFrame:
    """Score pairs of single genes with `squidpy.gr.ligrec`.

    Parameters
    ----------
    adata
        Log-normalised expression, cells x genes; all cells have a population in
        `obs["population"]` and take part in the shuffles.
    pairs
        ligand, receptor: genes of `adata`, no complexes.
    expr_prop
        Share of cells of its population in which a gene must be detected, at least.
    n_perms, seed
        Shuffles and their seed.

    Returns
    -------
    One row per source, target and pair that squidpy tested, sorted: source, target, ligand,
    receptor, squidpy_mean (mean of the ligand's mean in the source and the receptor's in the
    target) and squidpy_p (share of the shuffles that are stronger; it can be 0). No row with fewer
    than two populations or without pairs.

    References
    ----------
    Palla et al. 2022, Nat. Methods 19, 171, doi:10.1038/s41592-021-01358-2.
    """
    label = adata.obs["population"].astype(str)
    if label.nunique() < 2 or pairs.empty:
        log.warning("nothing for squidpy to score: two populations and one pair are needed")
        names = pd.DataFrame(columns=KEYS, dtype=object)
        return names.assign(**dict.fromkeys(("squidpy_mean", "squidpy_p"), np.empty(0)))
    genes = sorted({*pairs["ligand"], *pairs["receptor"]})
    # squidpy turns names into upper case, where two genes may fall together; these stay apart.
    code = {gene: f"G{place}" for place, gene in enumerate(genes)}
    order = order_of(adata[:, genes], label)  # squidpy deals labels in the order of the cells
    cells = AnnData(
        adata[order, genes].X.copy(),
        obs=pd.DataFrame({"population": label.iloc[order].astype("category")}),
        var=pd.DataFrame(index=list(code.values())),
    )
    asked = pd.DataFrame(
        {"source": pairs["ligand"].map(code), "target": pairs["receptor"].map(code)}
    ).drop_duplicates()
    with warnings.catch_warnings():
        # squidpy and what it imports make deprecated calls; none concerns the result.
        warnings.simplefilter("ignore")
        from squidpy.gr import ligrec

        result = ligrec(
            cells,
            "population",
            interactions=asked,
            complex_policy="min",  # not used: there are no complexes
            threshold=expr_prop,
            n_perms=n_perms,
            seed=seed,
            corr_method=None,
            use_raw=False,
            copy=True,
            n_jobs=1,  # the shuffles depend on the number of jobs
            numba_parallel=False,
            show_progress_bar=False,
        )
        means = result["means"].to_numpy(dtype=np.float64)
        p_values = result["pvalues"].to_numpy(dtype=np.float64)
    gene = dict(zip(code.values(), code, strict=True))
    pair, populations = np.nonzero(~np.isnan(p_values))
    table = pd.DataFrame(
        {
            "source": result["means"].columns.get_level_values(0)[populations],
            "target": result["means"].columns.get_level_values(1)[populations],
            "ligand": result["means"].index.get_level_values(0).map(gene)[pair],
            "receptor": result["means"].index.get_level_values(1).map(gene)[pair],
            "squidpy_mean": means[pair, populations],
            "squidpy_p": p_values[pair, populations],
        }
    )
    return table.sort_values(KEYS).reset_index(drop=True)


def compare(
    interactions: pd.DataFrame, squidpy: pd.DataFrame, *, dataset: str, sample: str
) -> pd.DataFrame:
    """Compare the scores of one sample with squidpy's.

    Parameters
    ----------
    interactions
        Table `interactions` of the sample.
    squidpy
        From `run_squidpy`.
    dataset, sample
        Names for the row.

    Returns
    -------
    One row, the table `cross_check`: n_edges (of single genes, in both), n_complex (ours with a
    complex, not compared), n_only_ours and n_only_squidpy (edges of single genes in one only);
    over the edges in both, max_mean_difference (largest difference of the strengths, as a share of
    the larger one), p_correlation (Spearman), max_p_difference, n_calls_differ (on different sides
    of p = 0.05, or without a p-value of ours) and share_calls_agree. A measure that cannot be
    computed is missing.
    """
    with_complex = _with_complex(interactions["ligand_complex"], interactions["receptor_complex"])
    single = interactions.loc[
        ~with_complex, ["source", "target", "ligand_complex", "receptor_complex"]
    ].set_axis(KEYS, axis=1)
    ours = single.assign(**interactions.loc[~with_complex, ["lr_means", "p_value"]])
    both = ours.merge(squidpy, on=KEYS, how="outer", indicator="found", validate="one_to_one")
    where = both["found"].value_counts()
    both = both[both["found"] == "both"]
    mean, other_mean, p, other_p = (
        both[name].astype(np.float64)
        for name in ("lr_means", "squidpy_mean", "p_value", "squidpy_p")
    )
    larger = mean.abs().clip(lower=other_mean.abs())
    differ = ((p <= CALL) != (other_p <= CALL)) | p.isna()
    row = {
        "dataset": dataset,
        "sample": sample,
        "n_edges": len(both),
        "n_complex": int(with_complex.sum()),
        "n_only_ours": int(where["left_only"]),
        "n_only_squidpy": int(where["right_only"]),
        "max_mean_difference": ((mean - other_mean).abs() / larger.where(larger > 0, 1.0)).max(),
        "p_correlation": _rank_correlation(p, other_p),
        "max_p_difference": (p - other_p).abs().max(),
        "n_calls_differ": int(differ.sum()),
        "share_calls_agree": 1 - differ.mean(),
    }
    return conform(pd.DataFrame([row]), table="cross_check")


def _with_complex(ligands: pd.Series, receptors: pd.Series) -> pd.Series:
    """Whether the ligand or the receptor has several subunits."""
    names = ligands.astype(str) + receptors.astype(str)
    return names.str.contains("_", regex=False)


def _rank_correlation(ours: pd.Series, others: pd.Series) -> float:
    """Spearman's correlation over the rows with both values; NaN where one side is constant."""
    known = ours.notna() & others.notna()
    if min(ours[known].nunique(), others[known].nunique()) < 2:
        return np.nan
    return float(spearmanr(ours[known], others[known]).statistic)
