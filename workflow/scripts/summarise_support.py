"""Rule summarise_support: in how many patients is each edge seen?"""

from osteotalk import io
from osteotalk.interactions.support import support_of_files
from osteotalk.workflow import job_log

with job_log(snakemake):
    table = support_of_files(
        snakemake.input.interactions,
        io.read_obs(snakemake.input.annotated, stage="annotated"),
        min_cells=snakemake.params.min_cells,
        alpha=snakemake.params.alpha,
        not_measured=io.read_not_measured(snakemake.input.annotated),
    )
    io.write_parquet(table, snakemake.output.support, table="support")
