"""Scoring one sample: osteotalk, LIANA, squidpy, FastCCC and CellPhoneDB, in the same run.

python benchmarks/scoring.py                        10,000 and 50,000 cells, 15 populations
python benchmarks/scoring.py --full                 also 200,000 cells, and 30 populations
python benchmarks/scoring.py --cells 10000 --tools liana moments permutation

The cells are drawn: the 1,876 genes of LIANA's consensus resource, about 250 of them detected in a
cell, populations of unequal size with genes of their own, log-normalised. All tools read the same
file and score the same 4,620 pairs; squidpy is given the 3,523 of them without complexes.

Every tool runs in a process of its own, with one thread unless told otherwise (--threads, of which
osteotalk alone makes use). "seconds" is its call alone; "CPU s" is what the call took of the
processor, which other work on the machine changes less. Before it, the tool is imported ("import
s") and called once with 300 cells ("warm-up s"), so that nothing is imported or compiled in the
call; what osteotalk compiles once and keeps on disk is measured apart. The peak memory is that of
the whole process; "added" is the peak less what the process held before the call. LIANA, squidpy
and CellPhoneDB shuffle 1,000 times. "rows" are those of the result: of FastCCC the edges with both
sides above the threshold, of CellPhoneDB all edges. These two also write their results to disk, and
cannot do without.

FastCCC 1.0.1 wants an older numpy, and CellPhoneDB's own database is a download. They may be in
another environment, and get the pairs of all others in CellPhoneDB's format:

python benchmarks/scoring.py --python fastccc=/path/to/python cellphonedb=/path/to/python
"""

import argparse
import importlib
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

# A process starts with the peak memory of the one that starts it: the main process, which must stay
# small. It imports nothing outside the standard library.

TITLES = {
    "liana": "LIANA",
    "moments": "fast+moments",
    "permutation": "fast+permutation",
    "squidpy": "squidpy ligrec",
    "fastccc": "FastCCC, one statistic",
    "cellphonedb": "CellPhoneDB",
}
OURS = ("moments", "permutation")
FULL = ([10_000, 50_000, 200_000], [15, 30])
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
WARM_UP = 100  # cells of each of three populations
HEADER = (
    f"{'cells':>8}{'populations':>13}  {'tool':<24}{'seconds':>9}{'CPU s':>8}{'LIANA/it':>10}"
    f"{'peak MB':>9}{'it/LIANA':>10}{'added MB':>10}{'rows':>11}{'import s':>10}{'warm-up s':>11}"
)


def few(adata):
    """Some cells of the three largest populations."""
    import numpy as np

    code = adata.obs["population"].cat.codes.to_numpy()
    return adata[np.concatenate([np.flatnonzero(code == i)[:WARM_UP] for i in range(3)])].copy()


def compile_ours(folder: Path, threads: int) -> dict:
    """Seconds of first calls with a few cells, which put compiled code into numba's cache."""
    import anndata as ad
    from scoring_tools import TOOLS

    importlib.import_module(TOOLS["moments"].module)
    small, seconds = few(ad.read_h5ad(folder / "cells.h5ad")), 0.0
    for tool in OURS:
        start = time.perf_counter()
        TOOLS[tool].prepare(small, folder, threads)()
        seconds += time.perf_counter() - start
    return {"seconds": seconds}


def measure(name: str, folder: Path, threads: int) -> dict:
    """Import a tool, call it with a few cells, and measure its call with all; in a new process."""
    from scoring_tools import TOOLS

    tool, start = TOOLS[name], time.perf_counter()
    try:
        importlib.import_module(tool.module)
    except ModuleNotFoundError as error:
        if error.name != tool.module.split(".", maxsplit=1)[0]:
            raise
        return {"absent": f"not installed ({error.name})"}
    found = {"import": time.perf_counter() - start}
    import anndata as ad
    import psutil

    adata = ad.read_h5ad(folder / "cells.h5ad")
    warm_up = tool.prepare(few(adata), folder, threads)
    start = time.perf_counter()
    warm_up()
    found["warm-up"] = time.perf_counter() - start
    call = tool.prepare(adata, folder, threads)
    before = psutil.Process().memory_info().rss / 1e6
    start, cpu = time.perf_counter(), time.process_time()
    result = call()
    found["seconds"] = time.perf_counter() - start
    found["cpu"] = time.process_time() - cpu
    found["peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6  # Linux: kB
    return found | {"added": found["peak"] - before, "rows": tool.rows(result)}


def child(job: dict) -> None:
    """Do what the main process asked for, and write what was found."""
    warnings.simplefilter("ignore")  # other tools make deprecated calls; none concerns the result
    folder = Path(job["folder"])
    if job["do"] == "draw":
        from scoring_tools import draw

        found = draw(folder, cells=job["cells"], populations=job["populations"])
    elif job["do"] == "compile":
        found = compile_ours(folder, job["threads"])
    else:
        found = measure(job["tool"], folder, job["threads"])
    Path(job["out"]).write_text(json.dumps(found))


def run(job: dict, *, python: str, limit: float) -> dict:
    """Do a job in a process of its own; give what it found, or why it has not."""
    folder = Path(job["folder"])
    job["out"] = str(folder / "found.json")
    Path(job["out"]).unlink(missing_ok=True)
    environment = os.environ | dict.fromkeys(THREADS, str(job["threads"]))
    if job["do"] != "draw":
        environment["NUMBA_CACHE_DIR"] = str(folder.parent / "numba")
    with (folder / "log.txt").open("w") as log:
        process = subprocess.Popen(
            [python, str(Path(__file__).resolve()), "--child", json.dumps(job)],
            cwd=folder,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            process.wait(timeout=limit)
        except subprocess.TimeoutExpired:
            return {"failed": f"stopped after {limit:.0f} s"}
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
    if process.returncode == -signal.SIGKILL:
        return {"failed": "killed by the system: out of memory"}
    if process.returncode:
        lines = (folder / "log.txt").read_text(errors="replace").strip().splitlines()
        last = lines[-1] if lines else "without a message"
        return {"failed": f"failed with code {process.returncode}: {last}"}
    return json.loads(Path(job["out"]).read_text())


def line(cells: int, populations: int, tool: str, found: dict, liana: dict) -> str:
    """Row of the table."""
    start = f"{cells:8,}{populations:13}  {TITLES[tool]:<24}"
    if "seconds" not in found:
        return f"{start}  {found.get('absent') or found['failed']}"
    faster = f"{liana['seconds'] / found['seconds']:.1f}" if "seconds" in liana else "-"
    share = f"{found['peak'] / liana['peak']:.2f}" if "seconds" in liana else "-"
    return (
        f"{start}{found['seconds']:9.2f}{found['cpu']:8.1f}{faster:>10}{found['peak']:9,.0f}{share:>10}"
        f"{found['added']:10,.0f}{found['rows']:11,}{found['import']:10.1f}{found['warm-up']:11.1f}"
    )


def compared(all_found: dict) -> list[str]:
    """Seconds per 10,000 cells at each size, and what was asked for at each size."""
    lines = []
    for tool in OURS:
        for populations in sorted({key[1] for key in all_found}):
            per = [
                f"{cells:,}: {found['seconds'] / cells * 1e4:.2f}"
                for (cells, n, name), found in all_found.items()
                if (n, name) == (populations, tool) and "seconds" in found
            ]
            if per:
                text = "; ".join(per)
                lines.append(
                    f"{TITLES[tool]}, {populations} populations, s per 10,000 cells at {text}"
                )
    for cells, populations in sorted({key[:2] for key in all_found}):
        known = {
            tool: all_found[cells, populations, tool]
            for tool in TITLES
            if "seconds" in all_found.get((cells, populations, tool), {})
        }
        wanted = []
        for tool, factor in (("moments", 20), ("permutation", 10)):
            if tool in known and "liana" in known:
                ratio = known["liana"]["seconds"] / known[tool]["seconds"]
                share = known[tool]["peak"] / known["liana"]["peak"]
                wanted += [
                    f"{TITLES[tool]} {ratio:.1f} times faster than LIANA (wanted: {factor})",
                    f"its peak {share:.2f} of LIANA's (wanted: at most 0.33)",
                ]
        if "moments" in known and "fastccc" in known:
            ratio = known["fastccc"]["seconds"] / known["moments"]["seconds"]
            wanted.append(f"fast+moments {ratio:.1f} times faster than FastCCC (wanted: 1)")
        lines += [f"{cells:,} x {populations}: {text}" for text in wanted]
    return lines


def options() -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cells", type=int, nargs="+", default=[10_000, 50_000])
    parser.add_argument("--populations", type=int, nargs="+", default=[15])
    parser.add_argument("--tools", nargs="+", choices=TITLES, default=list(TITLES))
    parser.add_argument("--full", action="store_true", help="all sizes")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--limit", type=float, default=900, help="seconds for each tool")
    parser.add_argument(
        "--python", nargs="+", default=[], metavar="TOOL=PYTHON", help="environment of a tool"
    )
    parser.add_argument("--child", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.full:
        chosen.cells, chosen.populations = FULL
    chosen.python = dict(text.split("=", 1) for text in chosen.python)
    if unknown := sorted(set(chosen.python) - set(TITLES)):
        parser.error(f"--python: no tool {', '.join(unknown)}; there are {', '.join(TITLES)}")
    return chosen


def first_lines(drawn: dict, settings: dict, limit: float) -> None:
    """Say what is scored; compile osteotalk's functions, and say how long it took."""
    print(
        "{genes:,} genes, {detected:.0f} of them detected per cell; {pairs:,} pairs, {single:,} of "
        "them without complexes".format(**drawn)
    )
    compiled = run(settings | {"do": "compile"}, python=sys.executable, limit=limit)
    seconds = f"{compiled['seconds']:.0f} s" if "seconds" in compiled else compiled["failed"]
    print(f"osteotalk compiles once, kept on disk: {seconds}")
    print(HEADER, flush=True)


def measure_all(chosen: argparse.Namespace, folder: Path, size: tuple[int, int]) -> dict:
    """Draw cells, measure every tool on them, and print its row."""
    cells, populations = size
    settings = {"folder": str(folder), "threads": chosen.threads}
    folder.mkdir()
    job = settings | {"do": "draw", "cells": cells, "populations": populations}
    drawn = run(job, python=sys.executable, limit=chosen.limit)
    if "failed" in drawn:
        sys.exit(f"no cells were drawn: {drawn['failed']}")
    if not (folder.parent / "numba").exists():
        first_lines(drawn, settings, chosen.limit)
    found = {}
    for tool in (name for name in TITLES if name in chosen.tools):  # LIANA first, for the ratios
        job = settings | {"do": "measure", "tool": tool}
        python = chosen.python.get(tool, sys.executable)
        found[cells, populations, tool] = run(job, python=python, limit=chosen.limit)
        liana = found.get((cells, populations, "liana"), {})
        print(line(*size, tool, found[cells, populations, tool], liana), flush=True)
    shutil.rmtree(folder)
    return found


def main() -> None:
    """Measure, and print the table and what was asked for."""
    chosen = options()
    if chosen.child:
        child(json.loads(chosen.child))
        return
    found = {}
    with tempfile.TemporaryDirectory() as scratch:
        for populations in chosen.populations:
            for cells in chosen.cells:
                folder = Path(scratch) / f"{cells}x{populations}"
                found |= measure_all(chosen, folder, (cells, populations))
    print("\n".join(compared(found)))


if __name__ == "__main__":
    main()
