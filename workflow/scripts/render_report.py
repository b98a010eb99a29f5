"""Rule render_report: the pages for readers."""

from pathlib import Path

import pandas as pd

from osteotalk.report import render, write_figures, write_report
from osteotalk.report.assemble import ConfigTables, assemble, cohort_files
from osteotalk.report.sections.provenance import read_timings
from osteotalk.workflow import job_log

OF_COHORT = ("annotated", "clusters", "malignancy", "cnv", "agreement", "support", "decoys")
OF_COHORT += ("values", "statistics", "network", "clone_genes")
OPTIONAL = ("calibration", "therapies", "published", "sensitivity")

with job_log(snakemake):
    files, params = snakemake.input, snakemake.params
    report = assemble(
        cohort_files(
            params.chosen,
            evidence=files.cohort_evidence,
            truth=dict(zip(params.simulated, files.truth, strict=True)),
            **{name: files[name] for name in OF_COHORT},
        ),
        **{name: files[name] for name in ("qc", "ingest", "cross_check")},
        verdicts=files.verdicts,
        evidence=files.evidence,
        provenance=files.provenance,
        tables=ConfigTables(**{name: pd.DataFrame(t) for name, t in params.tables.items()}),
        parameters=params.config,
        timings=read_timings("benchmarks/timings"),
        jobs=snakemake.threads,
        **{name: files.get(name) or None for name in OPTIONAL},
    )
    pages, out = render(report), snakemake.output
    write_report(pages, Path(out.pages), copies=report.copies())
    drawn = {out.verdicts: "index_figure-verdicts", out.support: "confidence_figure-support"}
    for dataset, path in zip(params.chosen, out.networks, strict=True):
        drawn[path] = f"{dataset}_figure-network"
    write_figures(pages, drawn)
