"""Rule calibrate_cohort: how often a verdict comes up by chance."""

import pandas as pd

from osteotalk import io
from osteotalk.claims.controls.chance import calibrate
from osteotalk.claims.run import basis_of
from osteotalk.workflow import job_log

with job_log(snakemake):
    files, params = snakemake.input, snakemake.params
    table = calibrate(
        pd.DataFrame(params.claims),
        basis_of(files.annotated, files.resource, **params.basis),
        evidence=io.read_tsv(files.evidence, table="evidence"),
        interactions=files.interactions,
        jobs=snakemake.threads,
        **params.runs,
    )
    io.write_tsv(table, snakemake.output.calibration, table="calibration")
