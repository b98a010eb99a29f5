"""The tools that `scoring.py` measures, and the cells they are given."""

import math
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# A tool may be in an environment of its own, without the others: imported where they are used.

DETECTED = 250  # genes per cell
N_PERMS = 1000
EXPR_PROP, MIN_CELLS, SEED = 0.1, 10, 0


def draw(folder: Path, *, cells: int, populations: int) -> dict:
    """Draw the cells and write them with the pairs; give the genes detected per cell."""
    import anndata as ad
    import liana
    import numpy as np
    import pandas as pd
    from scipy import sparse

    pairs = liana.rs.select_resource("consensus")[["ligand", "receptor"]]
    genes = sorted({gene for names in pairs.to_numpy().ravel() for gene in names.split("_")})
    rng = np.random.default_rng(SEED)
    # Mean counts per gene span three orders of magnitude. In a population, every gene varies a
    # little, and one in 20 is eight times as strong.
    mean = rng.lognormal(0, 2.0, len(genes)) * rng.lognormal(0, 0.3, (populations, len(genes)))
    mean[rng.random(mean.shape) < 0.05] *= 8
    share = 1 / np.arange(1, populations + 1)  # the first is as large as all far ones together
    ends = np.rint(np.cumsum(share) / share.sum() * cells).astype(int)
    label = rng.permutation(np.searchsorted(ends, np.arange(cells), side="right"))
    depth = rng.lognormal(0, 0.4, cells).astype(np.float32)
    some = depth[:50, None, None]
    low, high = -20.0, 20.0  # log of the factor that gives the wanted number of detected genes
    for _ in range(40):
        middle = (low + high) / 2
        found = -np.expm1(-np.exp(middle) * some * mean)
        found = (found.mean(axis=0).sum(axis=1) * share).sum() / share.sum()
        low, high = (middle, high) if found < DETECTED else (low, middle)
    mean = (mean * math.exp(low)).astype(np.float32)
    parts = []
    for first in range(0, cells, 5000):
        part = slice(first, min(first + 5000, cells))
        expected = mean[label[part]] * depth[part, None]
        # Poisson counts above 0: wait for the first molecule, then count the others.
        wait = rng.standard_exponential(expected.shape, dtype=np.float32)
        row, gene = np.nonzero(wait < expected)
        counts = 1 + rng.poisson((expected - wait)[row, gene])
        # Counts of all genes, of which these are a small part, grow with the depth.
        value = np.log1p(counts * (1e4 / 6000) / depth[part][row]).astype(np.float32)
        parts.append(sparse.csr_matrix((value, (row, gene)), shape=expected.shape))
    matrix = sparse.vstack(parts, format="csr")
    names = [f"population_{i:02d}" for i in range(populations)]
    obs = pd.DataFrame(
        {"population": pd.Categorical.from_codes(label, names)},
        index=[f"cell_{i:06d}" for i in range(cells)],
    )
    ad.AnnData(matrix, obs=obs, var=pd.DataFrame(index=genes)).write_h5ad(folder / "cells.h5ad")
    pairs.to_csv(folder / "pairs.tsv", sep="\t", index=False)
    n_single = int((~(pairs["ligand"] + pairs["receptor"]).str.contains("_", regex=False)).sum())
    return {
        "genes": len(genes),
        "detected": matrix.nnz / cells,
        "pairs": len(pairs),
        "single": n_single,
    }


@dataclass(frozen=True)
class Tool:
    """A tool.

    Attributes
    ----------
    module
        What is imported before its call.
    prepare
        Takes the cells, a folder with the pairs, and threads; gives the call, without arguments.
    rows
        Takes what the call gives; counts the rows.
    """

    module: str
    prepare: Callable[[Any, Path, int], Callable[[], Any]]
    rows: Callable[[Any], int] = len


def ours(null: str) -> Callable[[Any, Path, int], Callable[[], Any]]:
    """Our scores, with p-values by `null`."""

    def prepare(adata, folder: Path, threads: int):
        from osteotalk.interactions import score

        del folder
        return lambda: score(
            adata,
            "population",
            resource="consensus",
            expr_prop=EXPR_PROP,
            min_cells=MIN_CELLS,
            engine="fast",
            null=null,
            n_perms=N_PERMS,
            seed=SEED,
            threads=threads,
        )

    return prepare


def liana(adata, folder: Path, threads: int):
    """LIANA's rank aggregate of five methods."""
    from liana.mt import rank_aggregate

    del folder, threads  # more than one job is slower
    return lambda: rank_aggregate(
        adata,
        groupby="population",
        resource_name="consensus",
        resource=None,
        interactions=None,
        groupby_pairs=None,
        expr_prop=EXPR_PROP,
        min_cells=MIN_CELLS,
        base=math.e,
        de_method="t-test",
        aggregate_method="rra",
        return_all_lrs=False,
        use_raw=False,
        layer=None,
        n_perms=N_PERMS,
        seed=SEED,
        n_jobs=1,
        spatial_key=None,
        inplace=False,
        verbose=False,
    )


def squidpy(adata, folder: Path, threads: int):
    """Give squidpy's ligrec the pairs of single genes."""
    import pandas as pd
    from squidpy.gr import ligrec

    del threads  # the shuffles depend on the number of jobs
    pairs = pd.read_csv(folder / "pairs.tsv", sep="\t")
    single = pairs[~(pairs["ligand"] + pairs["receptor"]).str.contains("_", regex=False)]
    return lambda: ligrec(
        adata,
        "population",
        interactions=single.set_axis(["source", "target"], axis=1),
        complex_policy="min",  # not used: there are no complexes
        threshold=EXPR_PROP,
        n_perms=N_PERMS,
        seed=SEED,
        corr_method=None,
        use_raw=False,
        copy=True,
        n_jobs=1,
        numba_parallel=False,
        show_progress_bar=False,
    )


def fastccc(adata, folder: Path, threads: int):
    """FastCCC's single statistic: mean, smallest subunit, arithmetic mean of both sides."""
    from fastccc import statistical_analysis_method

    del threads
    database, out = write_database(folder), Path(tempfile.mkdtemp(dir=folder))

    def call() -> Path:
        statistical_analysis_method(
            database_file_path=str(database),
            celltype_file_path=None,
            counts_file_path=adata,
            convert_type="hgnc_symbol",
            single_unit_summary="Mean",
            complex_aggregation="Minimum",
            LR_combination="Arithmetic",
            min_percentile=EXPR_PROP,
            meta_key="population",
            save_path=str(out),
        )
        return out

    return call


def fastccc_rows(out: Path) -> int:
    """Edges with both sides above the threshold."""
    import pandas as pd

    (path,) = out.glob("*percents_analysis.tsv")
    return int(pd.read_csv(path, sep="\t", index_col=0).to_numpy().sum())


def cellphonedb(adata, folder: Path, threads: int):
    """CellPhoneDB's statistical method."""
    from cellphonedb.src.core.methods import cpdb_statistical_analysis_method as method

    del threads  # with more than one it repeats shuffles
    database, out = write_database(folder), Path(tempfile.mkdtemp(dir=folder))
    label = adata.obs["population"].rename("cell_type").rename_axis("Cell")
    label.to_csv(out / "meta.tsv", sep="\t")
    return lambda: method.call(
        cpdb_file_path=f"{database}.zip",
        meta_file_path=str(out / "meta.tsv"),
        counts_file_path=adata,
        counts_data="hgnc_symbol",
        output_path=str(out),
        iterations=N_PERMS,
        threshold=EXPR_PROP,
        threads=1,
        debug_seed=SEED,
    )


def write_database(folder: Path) -> Path:
    """Write the pairs as tables of CellPhoneDB, into a folder (FastCCC) and a zip (CellPhoneDB)."""
    import pandas as pd

    database = folder / "database"
    if (folder / "database.zip").exists():
        return database
    database.mkdir(exist_ok=True)
    pairs = pd.read_csv(folder / "pairs.tsv", sep="\t")
    names = sorted({*pairs["ligand"], *pairs["receptor"]})
    complexes = [name for name in names if "_" in name]
    genes = sorted({gene for name in names for gene in name.split("_")})
    ids = {name: i for i, name in enumerate([*genes, *complexes])}
    parts = [
        (ids[name], ids[gene], len(name.split("_")))
        for name in complexes
        for gene in name.split("_")
    ]
    own = list(range(len(genes)))
    receptors = {ids[name] for name in pairs["receptor"]}
    multi = pd.DataFrame({"id_multidata": list(ids.values()), "name": list(ids)})
    multi["is_complex"] = [name in complexes for name in ids]
    multi["receptor"] = multi["id_multidata"].isin(receptors)
    for column in ("other", "secreted_highlight", "transmembrane", "secreted", "peripheral"):
        multi[column] = False
    multi["integrin"] = False
    gene = {"id_gene": own, "protein_id": own, "hgnc_symbol": genes, "gene_name": genes}
    pair = {
        "id_interaction": pairs.index,
        "id_cp_interaction": [f"CPI-{i:05d}" for i in pairs.index],
        "multidata_1_id": pairs["ligand"].map(ids),
        "multidata_2_id": pairs["receptor"].map(ids),
        "annotation_strategy": "curated",
    }
    tables = {
        "multidata_table": multi,
        "gene_table": pd.DataFrame(gene | {"ensembl": genes}),
        "protein_table": pd.DataFrame(
            {"id_protein": own, "protein_multidata_id": own, "protein_name": genes}
        ),
        "complex_table": pd.DataFrame({"complex_multidata_id": [ids[name] for name in complexes]}),
        "complex_composition_table": pd.DataFrame(
            parts, columns=["complex_multidata_id", "protein_multidata_id", "total_protein"]
        ).rename_axis("id_complex_composition"),
        "interaction_table": pd.DataFrame(pair),
    }
    for name, table in tables.items():
        table.to_csv(database / f"{name}.csv", index=name == "complex_composition_table")
    shutil.make_archive(str(database), "zip", database)
    return database


TOOLS = {
    "liana": Tool("liana", liana),
    "moments": Tool("osteotalk.interactions.scoring", ours("moments")),
    "permutation": Tool("osteotalk.interactions.scoring", ours("permutation")),
    "squidpy": Tool(
        "squidpy", squidpy, lambda found: int(found["pvalues"].notna().to_numpy().sum())
    ),
    "fastccc": Tool("fastccc", fastccc, fastccc_rows),
    "cellphonedb": Tool(
        "cellphonedb.src.core.methods.cpdb_statistical_analysis_method",
        cellphonedb,
        lambda found: int(found["pvalues"].filter(like="population_").notna().to_numpy().sum()),
    ),
}
