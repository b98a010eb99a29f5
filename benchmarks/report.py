"""The report of a large run: time, memory, and size and opening time of its pages.

python benchmarks/report.py                            20 cohorts, 100 samples, 500,000 edges
python benchmarks/report.py --open                     also opens three pages in headless Chromium
python benchmarks/report.py --cohorts 2 --samples 10 --edges 50000      a trial

The run is made up: all its result files are drawn (report_run.py), with the claims of config/,
cells of few genes and 1,000 decoys of each claim. A process of its own then reads them, builds the
report and writes it, with --jobs processes below it; time of the processor and peak memory are
those of all of them together.

--open needs selenium, Chromium and its driver; nothing is downloaded.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import psutil
from peak import resident

# A process starts with the peak memory of the one that starts it: the main process, which must stay
# small. It imports no large library.

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
SIZES = {
    "cohorts": 20,
    "samples": 100,
    "populations": 25,
    "edges": 500_000,
    "cells": 3000,
    "decoys": 1000,
    "seed": 0,
}
PAGES = ("index.html", "cohort_01.html", "claims/C001.html")


def child(job: dict) -> None:
    """Do what the main process asked for, and write what was found."""
    folder, size = Path(job["folder"]), job["size"]
    if job["do"] == "draw":
        from report_run import draw

        found = draw(folder / "results", size)
    elif job["do"] == "build":
        found = build(folder, size, jobs=job["jobs"], profile=job["profile"])
    else:
        found = open_pages(folder / "report")
    Path(job["out"]).write_text(json.dumps(found))


def build(folder: Path, size: dict, *, jobs: int, profile: str | None) -> dict:
    """Build and write the report of the run; seconds of each step."""
    import cProfile

    from report_run import cohort_names, config_of, tables_of

    from osteotalk.report import ConfigTables, assemble, read_overall, render, write_report

    tables = tables_of(size)
    fields = ConfigTables.__dataclass_fields__
    chosen = ConfigTables(**{name: getattr(tables, name) for name in fields})
    profiler = cProfile.Profile()
    times = [time.perf_counter()]
    if profile:
        profiler.enable()
    cohorts, overall = files_of(folder / "results", cohort_names(size))
    report = assemble(
        cohorts,
        read_overall(overall),
        tables=chosen,
        parameters=config_of(cohort_names(size)),
        jobs=jobs,
    )
    times.append(time.perf_counter())
    pages = render(report)
    times.append(time.perf_counter())
    write_report(pages, folder / "report", copies=report.copies())
    times.append(time.perf_counter())
    if profile:
        profiler.disable()
        profiler.dump_stats(profile)
    steps = zip(("assemble", "render", "write"), pairwise(times), strict=True)
    return {name: end - start for name, (start, end) in steps}


def files_of(results: Path, names: list[str]) -> tuple[dict, dict]:
    """Files of the cohorts, and those over all of them."""
    from osteotalk.report.inputs import OVERALL_TABLES
    from osteotalk.results import SIMULATED, SQUIDPY, cohort_paths

    cohorts = {}
    for name in names:
        samples = sorted(path.name for path in (results / name / "samples").iterdir())
        paths = cohort_paths(name, samples, without={SIMULATED, SQUIDPY})
        cohorts[name] = {
            key: [str(results.parent / path) for path in listed] for key, listed in paths.items()
        }
    overall = {name: str(results / f"{name}.tsv") for name in OVERALL_TABLES}
    return cohorts, overall | {"provenance": str(results / "provenance.json")}


def open_pages(report: Path) -> dict:
    """Seconds from the start of navigation to the load event, in Chromium without a window."""
    from selenium.webdriver import Chrome, ChromeOptions
    from selenium.webdriver.chrome.service import Service

    programs = {name: shutil.which(name) for name in ("chromedriver", "chromium")}
    if absent := [name for name, path in programs.items() if path is None]:
        return {"failed": f"{' and '.join(absent)} not found; install Debian's chromium-driver"}
    options = ChromeOptions()
    options.binary_location = programs["chromium"]
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    driver = Chrome(options=options, service=Service(programs["chromedriver"]))
    try:
        driver.get("about:blank")
        found = {}
        for name in PAGES:
            driver.get((report / name).as_uri())
            timing = "performance.getEntriesByType('navigation')[0].loadEventEnd"
            found[name] = driver.execute_script(f"return {timing}") / 1000
    finally:
        driver.quit()
    return found


def run(job: dict) -> dict:
    """Do a job in a process of its own; give what it found, with time and memory of all below."""
    job["out"] = str(Path(job["folder"]) / "found.json")
    environment = os.environ | dict.fromkeys(THREADS, "1")
    command = [sys.executable, str(Path(__file__).resolve()), "--child", json.dumps(job)]
    running = subprocess.Popen(command, env=environment)
    process, peak, seconds = psutil.Process(running.pid), 0, {}
    while running.poll() is None:
        try:
            peak = max(peak, resident(process))
            seconds |= processor_seconds(process)
        except psutil.Error:  # it has just ended
            break
        time.sleep(0.1)
    if code := running.wait():
        sys.exit(f"{job['do']}: failed with code {code}")
    found = json.loads(Path(job["out"]).read_text())
    return {"found": found, "peak": peak / 1e6, "cpu": sum(seconds.values())}


def processor_seconds(process: psutil.Process) -> dict[int, float]:
    """Seconds of the processor so far of a process and all below it, by their id."""
    found = {}
    for member in [process, *process.children(recursive=True)]:
        try:
            used = member.cpu_times()
        except psutil.Error:
            continue
        found[member.pid] = used.user + used.system
    return found


def sizes_of(report: Path) -> tuple[dict[str, float], float]:
    """Megabytes of each page, and of all files together."""
    pages = {str(p.relative_to(report)): p.stat().st_size / 1e6 for p in report.rglob("*.html")}
    return pages, sum(p.stat().st_size for p in report.rglob("*") if p.is_file()) / 1e6


def options() -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, value in SIZES.items():
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--jobs", type=int, default=2, help="processes that build (default: 2)")
    parser.add_argument("--open", action="store_true", help="open pages in Chromium")
    parser.add_argument("--folder", type=Path, help="keep the files here; drawn anew if empty")
    parser.add_argument("--profile", help="file for the profile of the building")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    """Draw the run, build its report, print what it took."""
    chosen = options()
    if chosen.child:
        child(json.loads(chosen.child))
        return
    size = {name: getattr(chosen, name) for name in SIZES}
    with tempfile.TemporaryDirectory() as scratch:
        folder = (chosen.folder or Path(scratch)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        job = {"folder": str(folder), "size": size, "jobs": chosen.jobs, "profile": chosen.profile}
        if not (folder / "results").exists():
            drawn = run(job | {"do": "draw"})["found"]
            print(f"made-up run: {drawn['megabytes']:.0f} MB of result files", flush=True)
        used = run(job | {"do": "build"})
        found = used["found"]
        pages, total = sizes_of(folder / "report")
        largest = max(pages, key=pages.__getitem__)
        print(
            f"{sum(found.values()):.0f} s (wanted: 120): assemble {found['assemble']:.0f}, render "
            f"{found['render']:.0f}, write {found['write']:.0f}; {used['cpu']:.0f} s of the "
            f"processor; peak {used['peak'] / 1e3:.2f} GB (wanted: 2)"
        )
        print(
            f"{len(pages)} pages, the largest {largest} with {pages[largest]:.1f} MB (wanted: 8); "
            f"{total:.0f} MB in all"
        )
        if chosen.open:
            for name, opened in run(job | {"do": "open"})["found"].items():
                shown = opened if name == "failed" else f"{opened:.2f} s (wanted: 3)"
                print(f"{name}: {shown}")


if __name__ == "__main__":
    main()
