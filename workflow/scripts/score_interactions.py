"""Rule score_interactions: scores, p-values and consensus ranks for one sample."""

from osteotalk import io
from osteotalk.interactions.scoring import score_sample
from osteotalk.workflow import job_log

with job_log(snakemake):
    table = score_sample(
        io.read_sample(snakemake.input.annotated, snakemake.wildcards.sample),
        resource=io.read_tsv(snakemake.input.resource, table="resource"),
        settings=snakemake.params.settings,
        seed=snakemake.params.seed,
    )
    io.write_parquet(table, snakemake.output.interactions, table="interactions")
