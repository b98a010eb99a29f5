"""Support of edges over 60 samples: read one source population at a time, and all at once.

Run from the repository: python benchmarks/support.py
"""

import resource
import tempfile
import time
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd

from osteotalk import io
from osteotalk.contract import TABLES
from osteotalk.interactions.support import EDGE, summarise_support, support_of_files

SAMPLES, POPULATIONS, PAIRS = 60, 20, 400
LISTED = 0.6  # share of the edges that a sample lists
RULES = {"min_cells": 10, "alpha": 0.05}


def write_samples(folder):
    """Tables of interactions with random numbers, and the cells they stand for."""
    rng = np.random.default_rng(0)
    names = [f"p{i:02d}" for i in range(POPULATIONS)]
    edges = [(a, b, f"L{k}", f"R{k}") for a in names for b in names for k in range(PAIRS)]
    edges = pd.DataFrame(edges, columns=EDGE)
    fill = {"text": "x", "integer": 12}
    for i in range(SAMPLES):
        table = edges[rng.random(len(edges)) < LISTED].assign(dataset="d", sample=f"S{i:02d}")
        for name, kind in TABLES["interactions"].items():
            if name not in table:
                table[name] = fill.get(kind, rng.random(len(table)))
        columns = list(TABLES["interactions"])
        io.write_parquet(table[columns], folder / f"S{i:02d}.parquet", table="interactions")
    rows = [
        (f"S{i:02d}", f"P{i // 2}", p) for i in range(SAMPLES) for p in names for _ in range(12)
    ]
    return pd.DataFrame(rows, columns=["sample", "patient", "population"])


def measure(how, files, obs, queue):
    """Summarise in a process of its own: seconds, peak memory in MB, edges and a digest."""
    start = time.perf_counter()
    if how == "one source population at a time":
        table = support_of_files(files, obs, **RULES)
    else:
        table = summarise_support(io.read_parquets(files, table="interactions"), obs, **RULES)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    digest = int(pd.util.hash_pandas_object(table).sum() % 10**9)
    queue.put((seconds, peak, len(table), digest))


def main():
    """Print time and memory of both ways."""
    context = get_context("spawn")
    queue = context.Queue()
    with tempfile.TemporaryDirectory() as name:
        obs = write_samples(Path(name))
        files = sorted(Path(name).iterdir())
        for how in ("one source population at a time", "all at once"):
            process = context.Process(target=measure, args=(how, files, obs, queue))
            process.start()
            seconds, peak, edges, digest = queue.get()
            process.join()
            print(f"{how}: {seconds:.1f} s, {peak:,.0f} MB, {edges:,} edges, digest {digest}")


if __name__ == "__main__":
    main()
