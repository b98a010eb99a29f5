"""Rule check_samples: the samples that could not be read, and whether enough are left."""

from osteotalk import io
from osteotalk.ingest.broken import check_samples
from osteotalk.workflow import job_log, on_sample_failure

with job_log(snakemake):
    left_out = check_samples(
        [io.read_json(path) for path in snakemake.input.reports],
        samples=snakemake.params.samples,
        min_patients=snakemake.params.min_patients,
        **on_sample_failure(snakemake),
    )
    io.write_json({"left_out": left_out}, snakemake.output.left_out)
