"""Rule list_members: what in the archives of a dataset belongs to which sample."""

from osteotalk import io
from osteotalk.ingest.members import list_dataset_members
from osteotalk.workflow import job_log

with job_log(snakemake):
    params = snakemake.params
    members = list_dataset_members(
        params.files, samples=params.samples, dataset=snakemake.wildcards.dataset
    )
    io.write_tsv(members, snakemake.output.members, table="members")
