"""Reading of clean files, against another version in the same run; and a raw 10x h5 file.

    git worktree add ../old 7b030d4
    python benchmarks/ingest.py --against ../old/src     # ratios of the times
    python benchmarks/ingest.py --raw                    # 700,000 droplets x 33,000 genes

Each reading is a process of its own, the two versions in turn, and the smallest time of the
repeats counts, without the start of Python and the imports.
"""

import argparse
import gzip
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import anndata as ad
import h5py
import numpy as np
import pandas as pd
from scipy import sparse
from scipy.io import mmwrite

HERE = Path(__file__).parents[1]
SEED = 0
READ = """
import json, resource, sys, time
from osteotalk.ingest.gene_tables import read_symbols
from osteotalk.ingest.sample import read_sample
import anndata, scanpy, scipy.io
files, symbols = json.loads(sys.argv[1]), read_symbols(sys.argv[2])
getattr(symbols, "known", None)
row = dict.fromkeys(("dataset", "sample", "patient", "condition", "accession"), "S1")
start = time.perf_counter()
adata, _ = read_sample(files, sample_row=row, symbols=symbols)
seconds = time.perf_counter() - start
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(json.dumps([seconds, peak, list(adata.shape), int(adata.X.sum())]))
"""


def made_counts(n_cells: int, n_genes: int, per_cell: int) -> sparse.csr_matrix:
    """Counts of cells with about so many counts each."""
    rng = np.random.default_rng(SEED)
    weight = rng.lognormal(0, 2, n_genes)
    sizes = rng.poisson(per_cell * rng.lognormal(0, 0.4, n_cells))
    columns = rng.choice(n_genes, size=sizes.sum(), p=weight / weight.sum())
    rows = np.repeat(np.arange(n_cells), sizes)
    ones = np.ones(len(rows), dtype=np.int32)
    counts = sparse.csr_matrix((ones, (rows, columns)), shape=(n_cells, n_genes))
    counts.sum_duplicates()
    return counts


def names_of(n_genes: int) -> list[str]:
    """Known symbols first, then made-up ones."""
    table = pd.read_csv(HERE / "config" / "gene_symbols.tsv", sep="\t", dtype=str)
    known = sorted(set(table["symbol"]))[:n_genes]
    return [*known, *(f"AC{i:06d}.1" for i in range(n_genes - len(known)))]


def write_h5(path: Path, counts: sparse.csr_matrix, genes: list[str], cells: list[str]) -> None:
    """Write a 10x HDF5 file of version 3."""
    with h5py.File(path, "w") as file:
        group = file.create_group("matrix")
        for name in ("data", "indices", "indptr"):
            values = getattr(counts, name)
            group.create_dataset(name, data=values, compression="gzip", compression_opts=1)
        group["shape"] = np.array(counts.shape[::-1], dtype=np.int32)
        group["barcodes"] = np.array(cells, dtype="S")
        features = {"id": [f"ENSG9{i:010d}" for i in range(len(genes))], "name": genes}
        features |= {"feature_type": ["Gene Expression"] * len(genes)}
        features |= {"genome": ["GRCh38"] * len(genes)}
        for name, values in features.items():
            group[f"features/{name}"] = np.array(values, dtype="S")


def clean_files(folder: Path) -> dict[str, dict[str, str]]:
    """One clean file of each format: 4,000 cells x 30,000 genes."""
    counts, genes = made_counts(4_000, 30_000, 3_000), names_of(30_000)
    cells = [f"{i:016b}".replace("0", "A").replace("1", "C") + "-1" for i in range(4_000)]
    ids = [f"ENSG9{i:010d}" for i in range(len(genes))]
    lines = [f"{i}\t{g}\tGene Expression" for i, g in zip(ids, genes, strict=True)]
    with gzip.open(folder / "matrix.mtx.gz", "wb", compresslevel=4) as stream:
        mmwrite(stream, sparse.coo_matrix(counts.T), field="integer")
    for name, rows in (("barcodes", cells), ("features", lines)):
        with gzip.open(folder / f"{name}.tsv.gz", "wt") as stream:
            stream.write("\n".join(rows) + "\n")
    write_h5(folder / "x.h5", counts, genes, cells)
    obs, var = pd.DataFrame(index=cells), pd.DataFrame({"gene_ids": ids}, index=genes)
    ad.AnnData(counts.astype(np.float32), obs=obs, var=var).write_h5ad(folder / "x.h5ad")
    few = counts[:500].toarray().T
    with gzip.open(folder / "x.csv.gz", "wt", compresslevel=4) as stream:
        stream.write(",".join(["", *cells[:500]]) + "\n")
        stream.writelines(
            f"{gene},{','.join(map(str, row))}\n" for gene, row in zip(genes, few, strict=True)
        )
    triplet = dict.fromkeys(("barcodes", "features"), "tsv") | {"matrix": "mtx"}
    return {
        "triplet": {role: str(folder / f"{role}.{end}.gz") for role, end in triplet.items()},
        "10x h5": {"h5": str(folder / "x.h5")},
        "h5ad": {"h5ad": str(folder / "x.h5ad")},
        "table": {"table": str(folder / "x.csv.gz")},
    }


def time_of(files: dict[str, str], source: Path) -> tuple[float, float, list[int], int]:
    """Seconds, bytes at most in memory, shape and sum of one reading."""
    symbols = str(HERE / "config" / "gene_symbols.tsv")
    environment = {**os.environ, "PYTHONPATH": str(source), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-W", "ignore", "-c", READ, json.dumps(files), symbols]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return tuple(json.loads(done.stdout.splitlines()[-1]))


def compare(folder: Path, against: Path, repeats: int) -> None:
    """Print the times of both versions, format by format."""
    for name, files in clean_files(folder).items():
        found = [
            [time_of(files, source) for source in (against, HERE / "src")] for _ in range(repeats)
        ]
        old, new = (min(pair[i][0] for pair in found) for i in (0, 1))
        same = found[0][0][2:] == found[0][1][2:]
        print(
            f"{name:8} {old:6.2f} s before, {new:6.2f} s now, ratio {new / old:.2f}; "
            f"peak {found[0][0][1] / 1e9:.2f} and {found[0][1][1] / 1e9:.2f} GB; "
            f"{'same counts' if same else 'OTHER COUNTS'}"
        )


def raw(folder: Path) -> None:
    """Time a raw matrix of 700,000 droplets, 10,000 of which hold a cell."""
    genes, n_cells, n_empty = names_of(33_000), 10_000, 690_000
    counts = sparse.vstack(
        [made_counts(n_cells, len(genes), 4_000), made_counts(n_empty, len(genes), 40)]
    ).tocsr()
    numbers = np.arange(counts.shape[0], dtype=np.uint64)[:, None] * np.uint64(6_151)
    digits = (numbers // np.uint64(4) ** np.arange(16, dtype=np.uint64)) % np.uint64(4)
    cells = ["".join(row) + "-1" for row in np.array(list("ACGT"))[digits]]
    write_h5(folder / "raw.h5", counts, genes, cells)
    size = (folder / "raw.h5").stat().st_size
    seconds, peak, shape, _ = time_of({"h5": str(folder / "raw.h5")}, HERE / "src")
    print(
        f"raw 10x h5 of {counts.shape[0]:,} droplets x {counts.shape[1]:,} genes "
        f"({counts.nnz:,} values, {size / 1e6:.0f} MB): {seconds:.1f} s, {peak / 1e9:.2f} GB; "
        f"{shape[0]:,} droplets x {shape[1]:,} genes read"
    )


def main() -> None:
    """Run what the arguments ask for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--against", type=Path, help="folder src of another version")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--raw", action="store_true", help="the raw matrix")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if args.against:
            compare(Path(folder), args.against, args.repeats)
        if args.raw:
            raw(Path(folder))


if __name__ == "__main__":
    main()
