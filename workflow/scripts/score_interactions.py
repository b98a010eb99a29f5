"""Rule score_interactions: LIANA's scores and our consensus for one sample."""

import pandas as pd

from osteotalk import io
from osteotalk.interactions.resource import load_resource
from osteotalk.interactions.score import score_sample
from osteotalk.workflow import job_log

with job_log(snakemake):
    settings = snakemake.params.settings
    adata = io.read_stage(snakemake.input.annotated, stage="annotated")
    table = score_sample(
        adata[adata.obs["sample"] == snakemake.wildcards.sample],
        resource=load_resource(settings["resource"], pd.DataFrame(snakemake.params.interactions)),
        expr_prop=settings["expr_prop"],
        min_cells=settings["min_cells"],
        n_perms=settings["n_perms"],
        seed=snakemake.params.seed,
    )
    io.write_parquet(table, snakemake.output.interactions, table="interactions")
