"""Rule download_file: one file of an archive, verified."""

from osteotalk import files
from osteotalk.retrieve import download_row
from osteotalk.workflow import job_log

with job_log(snakemake):
    params = snakemake.params
    record = download_row(
        params.row,
        source=params.source,
        target=snakemake.output.file,
        settings=params.settings,
        manifest=params.manifest,
        where=f"{params.table} line {params.row['line']}",
    )
    files.write_json(record, snakemake.output.record)
