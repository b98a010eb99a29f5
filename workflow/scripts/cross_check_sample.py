"""Rule cross_check_sample: the scores of one sample against those of squidpy."""

from osteotalk import io
from osteotalk.interactions.cross_check import cross_check_sample
from osteotalk.workflow import job_log

with job_log(snakemake):
    files, params = snakemake.input, snakemake.params
    row = cross_check_sample(
        io.read_sample(files.annotated, snakemake.wildcards.sample),
        io.read_parquet(files.interactions, table="interactions"),
        dataset=snakemake.wildcards.dataset,
        sample=snakemake.wildcards.sample,
        resource=io.read_tsv(files.resource, table="resource"),
        expr_prop=params.expr_prop,
        min_cells=params.min_cells,
        n_perms=params.n_perms,
        seed=params.seed,
    )
    io.write_tsv(row, snakemake.output.cross_check, table="cross_check")
