"""Memory and time of every rule beside what it asks for, on the simulated cohort of some size.

python benchmarks/resources.py                                    6,000 droplets x 6,000 genes
python benchmarks/resources.py --cells 30000 --genes 14000        a cohort of usual size
python benchmarks/resources.py --timings FOLDER                   of a run with --benchmark-extended

Runs the workflow with `--benchmark-extended` in a folder of its own, and prints, for each rule, the
job that came closest to the memory it asked for: megabytes of its input, the most memory that its
processes had together, seconds of the processor, and what workflow/rules/resources.smk asks. With
`--out FILE` the table is written, which tests/workflow/test_resources.py holds the formulas to.
"""

import argparse
import ast
import runpy
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import yaml

ROOT = Path(__file__).parents[1]
RULES = ROOT / "workflow" / "rules" / "resources.smk"


def run(folder: Path, *, cells: int, genes: int, cores: int) -> Path:
    """Run the workflow on a simulated cohort; give the folder of its timings."""
    overlay = folder / "size.yaml"
    overlay.write_text(yaml.safe_dump({"simulation": {"cells": cells, "genes": genes, "seed": 1}}))
    command = [sys.executable, "-m", "snakemake", "-s", str(ROOT / "Snakefile")]
    command += ["--directory", str(folder), "--cores", str(cores), "--benchmark-extended"]
    subprocess.run([*command, "--configfile", str(overlay)], check=True)
    return folder / "benchmarks" / "timings"


def jobs(timings: Path) -> pd.DataFrame:
    """Every job: rule, MB of input, MB at its peak, seconds of the processor, threads."""
    rows = [
        pd.read_csv(path, sep="\t", na_values=["-", "NA"]).iloc[0]
        for path in sorted(timings.rglob("*.tsv"))
    ]
    found = pd.DataFrame(rows)
    known = found["max_rss"].notna()  # jobs of less than a second have none
    return pd.DataFrame(
        {
            "rule": found["rule_name"],
            "threads": found["threads"].astype(int),
            "input_mb": found["input_size_mb"].map(total),
            "max_rss": found["max_rss"],
            "seconds": found["cpu_time"].fillna(0.0),
        }
    )[known].reset_index(drop=True)


def total(sizes: object) -> float:
    """Sum of the sizes of the inputs, which Snakemake writes as a dictionary by path."""
    return float(sum(ast.literal_eval(str(sizes)).values()))


def with_asked(measured: pd.DataFrame) -> pd.DataFrame:
    """Add what the rules ask for on the first try."""
    rules = runpy.run_path(str(RULES))
    asked = []
    for row in measured.to_dict("records"):
        job = {"input": SimpleNamespace(size_mb=row["input_mb"]), "attempt": 1}
        asked.append(
            {
                "asked_mb": rules["memory"](row["rule"])(None, threads=row["threads"], **job),
                "asked_minutes": rules["minutes"](row["rule"])(None, **job),
            }
        )
    return pd.concat([measured, pd.DataFrame(asked)], axis=1)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cells", type=int, default=6000)
    parser.add_argument("--genes", type=int, default=6000)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--timings", type=Path)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        timings = given.timings or run(
            Path(folder), cells=given.cells, genes=given.genes, cores=given.cores
        )
        measured = jobs(timings)
    table = with_asked(measured)
    table["share"] = table["max_rss"] / table["asked_mb"]
    closest = table.sort_values("share").drop_duplicates("rule", keep="last").sort_values("rule")
    print(closest.round(2).to_string(index=False))
    if given.out:
        columns = ["rule", "threads", "input_mb", "max_rss", "seconds"]
        closest[columns].round(1).to_csv(given.out, sep="\t", index=False)


if __name__ == "__main__":
    main()
