"""Rule find_samples: a draft of the table of samples, from what the files hold."""

from osteotalk import io
from osteotalk.ingest.draft import draft_samples
from osteotalk.workflow import job_log

with job_log(snakemake):
    params = snakemake.params
    draft = draft_samples(params.files, dataset_row=params.dataset)
    io.write_tsv(draft, snakemake.output.samples, table="samples_found")
