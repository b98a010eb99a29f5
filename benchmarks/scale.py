"""A large cohort from filtered counts to annotated cells: time and memory of each step.

python benchmarks/scale.py                             100,000 cells x 20,000 genes
python benchmarks/scale.py --cells 5000 --samples 4    a trial

The cohort is that of the embedded simulation (its genes, populations and copy number changes), with
genes added that are expressed alike everywhere. Each step runs in a process of its own, as in the
workflow, with one thread. Its log is printed with the seconds since the line before.
"""

import argparse
import gzip
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import psutil
import yaml
from scipy import sparse

ROOT = Path(__file__).parents[1]
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
PAD_MEAN = 0.08  # counts per cell of an added gene: with 14,000 of them, 1,100 counts a cell


def draw(folder: Path, *, cells: int, genes: int, samples: int) -> None:
    """Write the table of samples, simulate the cohort, and read and filter each sample."""
    config = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
    table = pd.read_csv(ROOT / config["tables"]["samples"], sep="\t", dtype=str).fillna("")
    files = pd.read_csv(ROOT / config["tables"]["files"], sep="\t", dtype=str).fillna("")
    embedded = table[table["dataset"] == "simulated_os"].sort_values("sample").to_dict("records")
    roles = files[(files["dataset"] == "simulated_os") & (files["sample"] == embedded[0]["sample"])]
    shared = files[(files["dataset"] == "simulated_os") & (files["sample"] == "")]
    names = [f"S{i:02d}" for i in range(samples)]
    own = [
        roles.assign(sample=name, path=[f"resources/{name}/{role}.gz" for role in roles["role"]])
        for name in names
    ]
    rows = [
        embedded[i % len(embedded)] | {"sample": name, "patient": f"P{name}"}
        for i, name in enumerate(names)
    ]
    pd.DataFrame(rows).to_csv(folder / "samples.tsv", sep="\t", index=False)
    pd.concat([*own, shared]).to_csv(folder / "files.tsv", sep="\t", index=False)
    settings = {
        "tables": {"samples": "samples.tsv", "files": "files.tsv"},
        "simulation": {"cells": cells, "genes": 6000},
    }
    (folder / "scale.yaml").write_text(yaml.safe_dump(settings))
    wanted = [f"results/simulated_os/samples/{name}/counts.h5ad" for name in names]
    command = [sys.executable, "-m", "snakemake", "-s", str(ROOT / "Snakefile")]
    command += ["--cores", "2", "--quiet", "all", "--notemp", *wanted]
    subprocess.run([*command, "--configfile", "scale.yaml"], cwd=folder, check=True)
    for i, path in enumerate(wanted):
        filter_and_pad(folder / path, genes=genes, seed=i)
    place_added(folder / shared.loc[shared["role"] == "gtf", "path"].item(), genes=genes)


def place_added(path: Path, *, genes: int) -> None:
    """Give the added genes positions, spread over the chromosomes, so that none is left out."""
    rng = np.random.default_rng(0)
    with gzip.open(path, "at") as gtf:
        for j in range(genes):
            start = int(rng.integers(1, 40_000_000))
            gtf.write(
                f"chr{j % 22 + 1}\tadded\tgene\t{start}\t{start + 1000}\t.\t+\t.\t"
                f'gene_id "ADDED{j:05d}"; gene_name "ADDED{j:05d}";\n'
            )


def filter_and_pad(path: Path, *, genes: int, seed: int) -> None:
    """Filter a sample by counts alone, and add genes until there are enough."""
    adata = ad.read_h5ad(path)
    rng = np.random.default_rng(seed)
    extra = max(genes - adata.n_vars, 0)
    mean = PAD_MEAN * rng.gamma(0.5, 2.0, extra)
    draws = [
        np.column_stack([np.flatnonzero(hit), np.full(hit.sum(), j)])
        for j, m in enumerate(mean)
        if (hit := rng.random(adata.n_obs) < 1 - np.exp(-m)).any()
    ]
    at = np.concatenate(draws) if draws else np.empty((0, 2), dtype=int)
    pad = sparse.csr_matrix(
        (np.ones(len(at), dtype=np.int32), (at[:, 0], at[:, 1])), shape=(adata.n_obs, extra)
    )
    var = pd.DataFrame(index=[*adata.var_names, *(f"ADDED{j:05d}" for j in range(extra))])
    var["ensembl_id"] = ""
    whole = ad.AnnData(
        sparse.hstack([adata.X, pad], format="csr", dtype=np.int32), obs=adata.obs, var=var
    )
    total = np.asarray(adata.X.sum(axis=1)).ravel()
    whole.obs["n_counts"] = total.astype(float)
    whole.obs["n_genes"] = np.diff(whole.X.indptr).astype(int)
    whole.obs["pct_mito"] = 5.0
    whole.obs["doublet_score"] = 0.1
    whole.uns["ingest"] = adata.uns["ingest"]
    whole = whole[total > 1500].copy()
    whole.write_h5ad(path.with_name("filtered.h5ad"), compression="lzf")
    path.unlink()


def run(folder: Path, target: str) -> tuple[float, float]:
    """Let the workflow make one file; give seconds and peak memory of all its processes, GB."""
    command = [sys.executable, "-m", "snakemake", "-s", str(ROOT / "Snakefile"), "--cores", "1"]
    command += ["--quiet", "all", "--rerun-triggers", "mtime", "--notemp"]
    command += ["--allowed-rules", "integrate_cohort", "annotate_cells", "--", target]
    done = [*command[:-2], "--configfile", "scale.yaml", "--", target]
    environment = {k: v for k, v in os.environ.items() if k not in THREADS}
    start, peak = time.perf_counter(), 0
    running = subprocess.Popen(done, cwd=folder, env=environment)
    process = psutil.Process(running.pid)
    stop = threading.Event()
    while running.poll() is None:
        total = 0
        for member in [process, *process.children(recursive=True)]:
            try:
                total += member.memory_info().rss
            except psutil.Error:
                continue
        peak = max(peak, total)
        stop.wait(0.5)
    if running.wait():
        sys.exit(f"{target} was not made; see {folder / 'logs'}")
    return time.perf_counter() - start, peak / 1e9


def steps(log: Path) -> list[str]:
    """Lines of a job's log, each with the seconds since the one before."""
    lines, before = [], None
    for line in log.read_text().splitlines():
        try:
            now = pd.Timestamp(f"2000-01-01 {line[:8]}")
        except ValueError:
            continue
        passed = 0 if before is None else int((now - before).total_seconds()) % 86400
        lines.append(f"  {passed:5d} s  {line[9:]}")
        before = now
    return lines


def main() -> None:
    """Draw the cohort, run both steps, print what they took."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cells", type=int, default=100_000)
    parser.add_argument("--genes", type=int, default=20_000)
    parser.add_argument("--samples", type=int, default=20)
    parser.add_argument("--folder", type=Path, help="keep the files here; drawn anew if empty")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.folder or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "scale.yaml").exists():
            draw(folder, cells=options.cells, genes=options.genes, samples=options.samples)
        total = 0.0
        for rule, name in (("integrate_cohort", "integrated"), ("annotate_cells", "annotated")):
            seconds, peak = run(folder, f"results/simulated_os/{name}.h5ad")
            total += seconds
            print(f"{rule}: {seconds:.0f} s, peak {peak:.1f} GB", flush=True)
            print("\n".join(steps(folder / "logs" / rule / "simulated_os.log")), flush=True)
        obs = ad.read_h5ad(folder / "results/simulated_os/annotated.h5ad", backed="r").obs
        print(f"{len(obs)} cells in all: {total:.0f} s")


if __name__ == "__main__":
    main()
