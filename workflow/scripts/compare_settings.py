"""Rule compare_settings: which verdicts move with a setting."""

from osteotalk import io
from osteotalk.claims.moved import compare_verdicts
from osteotalk.workflow import job_log

with job_log(snakemake):
    params, files = snakemake.params, snakemake.input
    baseline = {
        dataset: io.read_tsv(path, table="evidence")
        for dataset, path in zip(params.cohorts, files.evidence, strict=True)
    }
    variants = [
        (*variant, io.read_tsv(path, table="evidence"))
        for variant, path in zip(params.variants, files.variants, strict=True)
    ]
    table = compare_verdicts(baseline, variants)
    io.write_tsv(table, snakemake.output.sensitivity, table="sensitivity")
