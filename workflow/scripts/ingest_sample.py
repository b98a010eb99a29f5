"""Rule ingest_sample: the counts of one sample in one form."""

from pathlib import Path

from osteotalk import io
from osteotalk.ingest.broken import read_or_leave_out
from osteotalk.ingest.gene_tables import read_symbols
from osteotalk.workflow import job_log, on_sample_failure

with job_log(snakemake):
    files, params = dict(snakemake.input.items()), snakemake.params
    symbols = read_symbols(files.pop("symbols"))
    adata, report = read_or_leave_out(
        files,
        sample_row=params.sample,
        dataset_row=params.dataset,
        sample_values=params.sample_values,
        symbols=symbols,
        **on_sample_failure(snakemake),
        scratch=Path(snakemake.output.counts).parent,
    )
    io.write_stage(adata, snakemake.output.counts, stage="counts")
    io.write_json(report, snakemake.output.report)
