"""Rule render_report: the pages for readers."""

from pathlib import Path

import pandas as pd

from osteotalk.report import render, write_report
from osteotalk.report.assemble import ConfigTables, assemble, cohort_files
from osteotalk.workflow import job_log

OPTIONAL = ("calibration", "therapies", "published", "sensitivity")

with job_log(snakemake):
    files, params = snakemake.input, snakemake.params
    report = assemble(
        cohort_files(
            params.chosen,
            annotated=files.annotated,
            clusters=files.clusters,
            malignancy=files.malignancy,
            cnv=files.cnv,
            agreement=files.agreement,
            support=files.support,
            evidence=files.cohort_evidence,
            truth=dict(zip(params.simulated, files.truth, strict=True)),
            decoys=files.get("decoys"),
        ),
        qc=files.qc,
        ingest=files.ingest,
        cross_check=files.cross_check,
        verdicts=files.verdicts,
        evidence=files.evidence,
        provenance=files.provenance,
        tables=ConfigTables(**{name: pd.DataFrame(t) for name, t in params.tables.items()}),
        parameters=params.config,
        **{name: files.get(name) or None for name in OPTIONAL},
    )
    write_report(render(report), Path(snakemake.output.index).parent)
