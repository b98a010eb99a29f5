"""Rule score_interactions: LIANA's scores and our consensus for one sample."""

from osteotalk import io
from osteotalk.interactions.score import score_sample
from osteotalk.workflow import job_log

with job_log(snakemake):
    settings = snakemake.params.settings
    adata = io.read_stage(snakemake.input.annotated, stage="annotated")
    table = score_sample(
        adata[adata.obs["sample"] == snakemake.wildcards.sample],
        resource=io.read_tsv(snakemake.input.resource, table="resource"),
        expr_prop=settings["expr_prop"],
        min_cells=settings["min_cells"],
        n_perms=settings["n_perms"],
        seed=snakemake.params.seed,
    )
    io.write_parquet(table, snakemake.output.interactions, table="interactions")
