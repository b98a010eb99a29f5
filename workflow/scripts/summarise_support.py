"""Rule summarise_support: in how many patients is each edge seen?"""

from osteotalk import io
from osteotalk.interactions.support import summarise_support
from osteotalk.workflow import job_log

with job_log(snakemake):
    adata = io.read_stage(snakemake.input.annotated, stage="annotated")
    table = summarise_support(
        io.read_parquets(snakemake.input.interactions, table="interactions"),
        adata.obs,
        min_cells=snakemake.params.min_cells,
        alpha=snakemake.params.alpha,
    )
    io.write_parquet(table, snakemake.output.support, table="support")
