"""Rule partial_report: the cohorts that are complete, and why the others are not."""

from pathlib import Path

import pandas as pd

from osteotalk import io
from osteotalk.report import ConfigTables, assemble, partial, read_overall, render, write_report
from osteotalk.report.tables.timings import read_timings
from osteotalk.workflow import job_log

with job_log(snakemake):
    out, params = snakemake.output, snakemake.params
    tables = {name: pd.DataFrame(table) for name, table in params.tables.items()}
    missing = partial.missing_cohorts(params.products, params.results, tables["claims"])
    chosen = partial.complete_cohorts(params.products, missing)
    results = {dataset: params.results[dataset] for dataset in chosen}
    partial.write_tables(results, out, tables=tables, **params.combined)
    io.write_json(partial.describe_part(chosen, **params.run), out.provenance)
    timings = read_timings("benchmarks/timings")
    report = assemble(
        results,
        read_overall(dict(out.items()), timings=timings, missing=missing),
        tables=ConfigTables(**{n: t for n, t in tables.items() if n != "therapies"}),
        parameters=params.run["config"],
        jobs=snakemake.threads,
    )
    write_report(render(report), Path(out.index).parent, copies=report.copies())
