"""Label shuffles of one sample: LIANA's and ours, in the same run, on the same data.

Run from the repository: python benchmarks/shuffles.py [results folder of the simulated cohort]
"""

import resource
import sys
import time
import warnings
from multiprocessing import get_context
from pathlib import Path

import pandas as pd

from osteotalk import io
from osteotalk.interactions.groups import group_statistics, limiting_subunits
from osteotalk.interactions.permutation import count_exceedances

N_PERMS = 300


def load(folder: Path):
    """Cells of one sample, in populations of ten or more, and the pairs."""
    adata = io.read_stage(folder / "simulated_os" / "annotated.h5ad", stage="annotated")
    adata = adata[adata.obs["sample"] == "LM1"].copy()
    sizes = adata.obs["population"].value_counts().to_dict()
    adata = adata[adata.obs["population"].astype(str).map(sizes) >= 10].copy()
    adata = adata[adata.obs["population"] != "unassigned"].copy()
    adata.obs["population"] = adata.obs["population"].astype(str).astype("category")
    return adata, io.read_tsv(folder / "resource.tsv", table="resource")


def cellphonedb(adata, pairs, n_perms):
    """LIANA's CellPhoneDB scores, with n_perms shuffles or with none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import liana

        return liana.mt.cellphonedb(
            adata,
            groupby="population",
            resource=pairs[["ligand", "receptor"]].copy(),
            expr_prop=0.1,
            min_cells=10,
            use_raw=False,
            n_perms=n_perms,
            seed=0,
            n_jobs=1,
            inplace=False,
            verbose=False,
        )


def measure(kind: str, folder: Path, queue) -> None:
    """Time and peak memory of one way, in a process of its own."""
    adata, pairs = load(folder)
    table = cellphonedb(adata, pairs, None)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    if kind == "LIANA":
        base = time.perf_counter()
        cellphonedb(adata, pairs, None)
        base = time.perf_counter() - base
        start = time.perf_counter()
        table = cellphonedb(adata, pairs, N_PERMS)
        seconds = time.perf_counter() - start - base  # the shuffles alone
        p = table["cellphone_pvals"]
    else:
        means, _ = group_statistics(adata, "population")
        for side, population in (("ligand", "source"), ("receptor", "target")):
            table[side] = limiting_subunits(table[f"{side}_complex"], table[population], means)
        counts = count_exceedances(adata, table, groupby="population", n_perms=N_PERMS, seed=0)
        seconds = time.perf_counter() - start
        p = pd.Series(counts / N_PERMS, index=table.index)
    keys = ["source", "target", "ligand_complex", "receptor_complex"]
    added = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    queue.put((seconds, added, table[keys].assign(p=p).sort_values(keys).reset_index(drop=True)))


def main() -> None:
    """Print both, and whether the p-values are the same."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "results")
    found = {}
    for kind in ("LIANA", "osteotalk"):
        context = get_context("spawn")
        queue = context.Queue()
        process = context.Process(target=measure, args=(kind, folder, queue))
        process.start()
        found[kind] = queue.get()
        process.join()
    rows = len(found["LIANA"][2])
    print(f"{N_PERMS} shuffles, {rows:,} edges of one simulated sample")
    for kind, (seconds, memory, _) in found.items():
        print(f"  {kind:<10} {seconds:6.1f} s, {memory:6.0f} MB on top of the data")
    print(f"  ratio of times: {found['LIANA'][0] / found['osteotalk'][0]:.1f}")
    print(f"  equal p-values: {found['LIANA'][2]['p'].equals(found['osteotalk'][2]['p'])}")


if __name__ == "__main__":
    main()
