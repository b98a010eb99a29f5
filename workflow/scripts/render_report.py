"""Rule render_report: the pages for readers."""

from pathlib import Path

import pandas as pd

from osteotalk.report import (
    ConfigTables,
    assemble,
    read_overall,
    render,
    write_figures,
    write_report,
)
from osteotalk.report.tables.timings import read_timings
from osteotalk.workflow import job_log

with job_log(snakemake):
    params, out = snakemake.params, snakemake.output
    report = assemble(
        params.results,
        read_overall(dict(snakemake.input.items()), timings=read_timings("benchmarks/timings")),
        tables=ConfigTables(**{name: pd.DataFrame(t) for name, t in params.tables.items()}),
        parameters=params.config,
        jobs=snakemake.threads,
    )
    pages = render(report)
    write_report(pages, Path(out.pages), copies=report.copies())
    drawn = {out.verdicts: "index_figure-verdicts", out.support: "confidence_figure-support"}
    for dataset, path in zip(params.results, out.networks, strict=True):
        drawn[path] = f"{dataset}_figure-network"
    write_figures(pages, drawn)
