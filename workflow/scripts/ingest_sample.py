"""Rule ingest_sample: the counts of one sample in one form."""

from osteotalk import io
from osteotalk.ingest import read_sample
from osteotalk.workflow import job_log

with job_log(snakemake):
    adata = read_sample(
        dict(snakemake.input.items()),
        sample_row=snakemake.params.sample,
        sample_key=snakemake.params.dataset["sample_key"],
    )
    io.write_stage(adata, snakemake.output.counts, stage="counts")
