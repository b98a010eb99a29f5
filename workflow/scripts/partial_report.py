"""Rule partial_report: the cohorts that are complete, and why the others are not."""

from pathlib import Path

import pandas as pd

from osteotalk import io
from osteotalk.report import partial, render, write_report
from osteotalk.report.assemble import ConfigTables, assemble, cohort_files
from osteotalk.report.sections.provenance import read_timings
from osteotalk.workflow import job_log

OVER = ("verdicts", "evidence", "calibration", "therapies", "published", "sensitivity")
OF_COHORT = ("annotated", "clusters", "malignancy", "cnv", "agreement", "support")
OF_COHORT += ("decoys", "values", "statistics", "network", "clone_genes")

with job_log(snakemake):
    out, params, results = snakemake.output, snakemake.params, snakemake.params.results
    tables = {name: pd.DataFrame(table) for name, table in params.tables.items()}
    missing = partial.missing_cohorts(params.products, results, tables["claims"])
    chosen = partial.complete_cohorts(params.products, missing)
    files = partial.files_of(results, chosen)
    partial.write_tables(files, out, cohorts=chosen, tables=tables, **params.combined)
    io.write_json(partial.describe_part(chosen, **params.run), out.provenance)
    report = assemble(
        cohort_files(
            chosen,
            evidence=files["cohort_evidence"],
            truth={name: path for name in chosen for path in results[name]["truth"]},
            **{name: files[name] for name in OF_COHORT},
        ),
        **{name: files[name] for name in ("qc", "ingest", "cross_check")},
        **{name: out[name] for name in (*OVER, "provenance")},
        tables=ConfigTables(**{n: t for n, t in tables.items() if n != "therapies"}),
        parameters=params.run["config"],
        timings=read_timings("benchmarks/timings"),
        missing=missing,
        jobs=snakemake.threads,
    )
    write_report(render(report), Path(out.index).parent, copies=report.copies())
