"""Rule filter_cells: drop dying cells, empty droplets and doublets of one sample."""

from osteotalk import io
from osteotalk.prepare.qc import filter_cells
from osteotalk.workflow import job_log

with job_log(snakemake):
    adata = io.read_stage(snakemake.input.counts, stage="counts")
    kept, report = filter_cells(
        adata,
        **snakemake.params.settings,
        sample_row=snakemake.params.limits,
        seed=snakemake.params.seed,
    )
    io.write_stage(kept, snakemake.output.filtered, stage="filtered")
    io.write_json(
        {**snakemake.params.sample, **report, "ingest": adata.uns["ingest"]}, snakemake.output.qc
    )
