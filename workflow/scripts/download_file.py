"""Rule download_file: one file of an archive, verified."""

from osteotalk.retrieve import download_row
from osteotalk.workflow import find_file, job_log

with job_log(snakemake):
    # The config is read here and not through params, so that none of it makes the rule run again.
    config = snakemake.config
    download_row(
        snakemake.params.row,
        target=snakemake.output.file,
        settings=config["retrieve"],
        table=find_file(config["tables"]["files"]),
    )
