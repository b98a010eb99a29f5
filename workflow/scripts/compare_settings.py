"""Rule compare_settings: which verdicts move with a setting."""

from osteotalk import io
from osteotalk.claims.together.moved import compare_files
from osteotalk.workflow import job_log

with job_log(snakemake):
    params, files = snakemake.params, snakemake.input
    table = compare_files(
        dict(zip(params.cohorts, files.evidence, strict=True)),
        dict(zip(map(tuple, params.variants), files.variants, strict=True)),
    )
    io.write_tsv(table, snakemake.output.sensitivity, table="sensitivity")
