"""Run times that Snakemake noted."""

from pathlib import Path

import pandas as pd


def read_timings(folder: str | Path) -> pd.DataFrame:
    """Run times and memory that Snakemake noted for each job, summed by rule.

    Parameters
    ----------
    folder
        Of Snakemake's benchmark files, ``<rule>.tsv`` or ``<rule>/.../<job>.tsv``.

    Returns
    -------
    rule, n_jobs, seconds (sum), longest (seconds), max_rss (MB, the most of any job), by rule. Jobs
    without a measured memory, as they were too short, do not count for it.
    """
    root = Path(folder)
    rows = []
    for path in sorted(root.rglob("*.tsv")):
        measured = pd.read_csv(path, sep="\t", na_values=["-", "NA"])
        name = path.relative_to(root).parts[0].removesuffix(".tsv")
        rows += [(name, row["s"], row["max_rss"]) for row in measured.to_dict("records")]
    jobs = pd.DataFrame(rows, columns=["rule", "seconds", "max_rss"])
    found = jobs.groupby("rule", as_index=False).agg(
        n_jobs=("seconds", "size"),
        longest=("seconds", "max"),
        seconds=("seconds", "sum"),
        max_rss=("max_rss", "max"),
    )
    return found[["rule", "n_jobs", "seconds", "longest", "max_rss"]]
