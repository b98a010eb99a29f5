"""Score the ligand-receptor pairs of one sample."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from osteotalk.contract import UNASSIGNED, conform, empty_frame
from osteotalk.interactions.cell_order import cell_order
from osteotalk.interactions.checks import settings as checks
from osteotalk.interactions.consensus import CONSENSUS
from osteotalk.interactions.edges import detected_edges, limiting_subunits, sides_of
from osteotalk.interactions.groups import trimeans
from osteotalk.interactions.liana_adapter import EXTRA, liana_scores
from osteotalk.interactions.methods import DEFAULT, METHODS, rank_columns
from osteotalk.interactions.nulls.p_values import NULLS, add_p_values
from osteotalk.interactions.pairs.resource import measured
from osteotalk.interactions.pairs.resource_files import liana_names, load_source
from osteotalk.interactions.sample import Sample, read_sample
from osteotalk.tables.model import TableError

log = logging.getLogger(__name__)

ENGINES = ("fast", "liana")


def score(
    adata: AnnData,
    groupby: str = "population",
    *,
    resource: str | Path | pd.DataFrame = "consensus",
    expr_prop: float = 0.1,
    min_cells: int = 10,
    engine: str = "fast",
    null: str = "moments",
    n_perms: int = 1000,
    seed: int = 0,
    methods: Sequence[str] = DEFAULT,
    consensus: str = "rra",
    groupby_pairs: pd.DataFrame | None = None,
    alpha: float = 0.05,
    threads: int = 1,
) -> pd.DataFrame:
    """Score every ligand-receptor pair between all populations of one sample.

    Give the cells of one sample: cells of different lesions cannot talk to each other. The p-value
    says how specific a pair is to two populations among these cells. It says nothing
    about patients; for that, score each sample and count (`osteotalk.interactions.support`).

    Parameters
    ----------
    adata
        Cells x genes; `X` is log-normalised (natural logarithm of 1 + counts scaled per cell),
        sparse, dense or backed by a file, and is not changed; `raw` is not used. If `obs` has the
        columns dataset, sample or condition with one value, it is copied to the result.
    groupby
        Column of `obs` with the population: text, categories, numbers or truth values. Cells that
        are unassigned or have none take no part.
    resource
        Name of one of LIANA's resources, a file with the columns ligand and receptor, or a table
        with these columns. Subunits of complexes are joined by '_'. Pairs are scored as listed: if
        one of LIANA's resources lists a binding in both directions, both are scored. The workflow
        keeps one (`osteotalk.interactions.pairs.resource.build_resource`).
    expr_prop
        Share of cells of its population in which each subunit must be detected, above 0.
    min_cells
        Fewest cells of a population; smaller ones take no part.
    engine
        "fast", or "liana" for LIANA's own code. Both give the same scores.
    null
        Where p-values come from: "moments" computes what infinitely many label shuffles would give
        (see `nulls.tails`), "permutation" shuffles and prints (b + 1) / (n + 1),
        "like_liana" does so with LIANA's order of cells and its rounding, which counts only a part
        of the shuffles that tie with the data (`nulls.permutation`), "none" leaves them out.
    n_perms, seed
        Shuffles, and the seed of all that is drawn.
    methods
        Methods whose scores enter the two ranks (`osteotalk.interactions.methods.METHODS`). Naming
        cellchat or geometric_mean adds their columns ``lr_probs`` and ``lr_gmeans``.
    consensus
        "rra" for robust rank aggregation, "mean" for the mean rank.
    groupby_pairs
        Columns source and target: the populations to score with each other; None for all. Others
        take no part at all, as in LIANA.
    alpha
        False discovery rate near which p-values are made more exact ("moments").
    threads
        Threads; they do not change the result.

    Returns
    -------
    One row per source, target and pair whose genes are detected, sorted by these, with the columns
    of the table `interactions` (see `osteotalk.contract`); without a row if no pair is detected.

    Raises
    ------
    osteotalk.interactions.checks.settings.ScoringError
        If the matrix, the labels, the resource or a setting cannot be used.

    Warns
    -----
    UserWarning
        If `X` may not be log-normalised (`osteotalk.interactions.checks.scale.find_scale`).

    Examples
    --------
    >>> import scanpy as sc
    >>> from osteotalk.interactions import score
    >>> adata = sc.datasets.pbmc68k_reduced().raw.to_adata()
    >>> edges = score(adata, groupby="bulk_labels")
    >>> best = edges.sort_values("magnitude_rank").iloc[0]
    >>> best["source"], best["target"], best["ligand_complex"], best["receptor_complex"]
    ('Dendritic', 'CD4+/CD45RO+ Memory', 'HLA-DRA', 'CD4')

    References
    ----------
    Dimitrov et al. 2022, Nat. Commun. 13, 3224, doi:10.1038/s41467-022-30755-0 (LIANA).
    """
    checks.check_choices(
        engine=(engine, ENGINES), null=(null, NULLS), consensus=(consensus, tuple(CONSENSUS))
    )
    checks.check_settings(
        expr_prop=expr_prop,
        alpha=alpha,
        min_cells=min_cells,
        n_perms=n_perms,
        threads=threads,
        seed=seed,
    )
    magnitude, specificity = rank_columns(methods, p_value=null != "none")
    extra = tuple(name for name in methods if name in EXTRA)
    pairs = resource if isinstance(resource, pd.DataFrame) else _pairs_of(resource)
    sample = read_sample(adata, groupby, pairs, min_cells=min_cells, groupby_pairs=groupby_pairs)
    if engine == "fast":
        edges = _by_groups(sample, expr_prop=expr_prop, methods=methods)
    else:
        edges = _by_liana(
            sample,
            expr_prop=expr_prop,
            extra=extra,
            min_cells=min_cells,
            groupby_pairs=sample.groupby_pairs,
            in_own_order=null != "like_liana",
            n_perms=n_perms if null == "like_liana" else None,
            seed=seed,
        )
    if edges.empty:
        log.warning("nothing to score: no pair is detected in %g of two populations", expr_prop)
        return empty_frame("interactions")
    edges = add_p_values(
        edges, sample, null=null, n_perms=n_perms, seed=seed, alpha=alpha, threads=threads
    )
    aggregate = CONSENSUS[consensus]
    edges["magnitude_rank"] = aggregate(edges, magnitude)
    # the order of p-values too small to print is that of their logarithms
    edges["specificity_rank"] = aggregate(edges.assign(p_value=edges["log_p"]), specificity)
    log.info("%d edges scored between %d populations", len(edges), len(sample.groups.labels))
    edges = edges.assign(**sample.origin)
    return conform(edges, table="interactions")


def score_sample(
    adata: AnnData, *, resource: pd.DataFrame, settings: Mapping[str, Any], seed: int
) -> pd.DataFrame:
    """Score one sample of a cohort with the settings of the config.

    Parameters
    ----------
    adata
        Cells of one sample, stage `annotated`.
    resource
        Table `resource`.
    settings
        Section `interactions` of the config; without n_perms where nothing is shuffled.
    seed
        Seed of all that is drawn.

    Returns
    -------
    The table `interactions`. It has no row if fewer than two populations have `min_cells` cells,
    or no pair is measured: a sample must not stop the cohort.
    """
    label = adata.obs["population"].astype(str)
    sizes = label[label != UNASSIGNED].value_counts()
    if (sizes >= settings["min_cells"]).sum() < 2:
        log.warning(
            "nothing to score: fewer than two populations have %d cells", settings["min_cells"]
        )
        return empty_frame("interactions")
    if measured(resource, adata.var_names).empty:
        log.warning("nothing to score: no pair of the resource has all its genes measured")
        return empty_frame("interactions")
    names = ("expr_prop", "min_cells", "engine", "null", "n_perms", "methods", "consensus", "alpha")
    chosen = {name: settings[name] for name in names if name in settings}
    return score(adata, "population", resource=resource, seed=seed, **chosen)


def _pairs_of(resource: str | Path) -> pd.DataFrame:
    """Pairs of a resource of LIANA, or of a file.

    Raises
    ------
    osteotalk.interactions.checks.settings.ScoringError
        If there is no such resource, or the file has problems.
    """
    name = str(resource)
    is_file = name not in liana_names() and Path(name).is_file()
    try:
        return load_source(name, name if is_file else None).pairs
    except TableError as error:
        raise checks.ScoringError(str(error)) from None


def _by_groups(sample: Sample, *, expr_prop: float, methods: Sequence[str]) -> pd.DataFrame:
    """Edges and scores from the statistics of the populations."""
    groups, allowed = sample.groups, sample.allowed
    edges = detected_edges(sample.pairs, groups, expr_prop=expr_prop, allowed=allowed)
    if edges.empty:
        return edges
    middle = trimeans(sample.matrix, sample.var_names, groups) if "cellchat" in methods else None
    sides = sides_of(edges, groups, allowed=allowed, trimeans=middle)
    for name in dict.fromkeys([*DEFAULT, *methods]):
        edges = edges.assign(**METHODS[name].function(sides))
    return _described(edges, sample)


def _by_liana(
    sample: Sample, *, expr_prop: float, in_own_order: bool, **settings: Any
) -> pd.DataFrame:
    """Edges and scores by LIANA's own code.

    It gets every pair that is expressed and finds by itself which are detected. Ours are the
    limiting subunits, which LIANA's rank aggregate does not give, and the end if nothing is
    detected: LIANA 1.10 fails then. It adds up in the order of cells and genes, so it gets them in
    an order of their own.
    """
    matrix, label, genes = sample.matrix, sample.label, sample.var_names
    if in_own_order:
        by_name = np.argsort(genes.to_numpy(dtype=str), kind="stable")
        columns = sparse.csc_matrix(matrix, copy=True)[:, by_name]
        columns.eliminate_zeros()
        order = cell_order(columns, pd.factorize(label, sort=True)[0])
        matrix, label, genes = columns.tocsr()[order], label.iloc[order], genes[by_name]
    adata = AnnData(
        matrix,
        obs=pd.DataFrame({"label": label.to_numpy()}, index=label.index),
        var=pd.DataFrame(index=genes),
    )
    pairs = sample.pairs
    ours = detected_edges(pairs, sample.groups, expr_prop=expr_prop, allowed=sample.allowed)
    if ours.empty:
        return ours
    edges = liana_scores(adata, groupby="label", resource=pairs, expr_prop=expr_prop, **settings)
    return _described(limiting_subunits(edges, sample.groups), sample)


def _described(edges: pd.DataFrame, sample: Sample) -> pd.DataFrame:
    """Add how many cells the populations have, and the share of them that express the genes."""
    groups = sample.groups
    for side, end in (("ligand", "source"), ("receptor", "target")):
        population = groups.labels.get_indexer(pd.Index(edges[end]))
        gene = groups.genes.get_indexer(pd.Index(edges[side]))
        edges[f"{side}_props"] = groups.shares[population, gene]
        edges[f"n_{end}"] = groups.sizes[population]
    return edges
