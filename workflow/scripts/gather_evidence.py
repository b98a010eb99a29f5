"""Rule gather_evidence: what one cohort says about each claim."""

import pandas as pd

from osteotalk import io
from osteotalk.claims.evidence import gather_evidence, prepare_cohort
from osteotalk.claims.verdicts import Rules
from osteotalk.interactions.groups import detection
from osteotalk.interactions.resource import measured
from osteotalk.workflow import job_log

with job_log(snakemake):
    params = snakemake.params
    adata = io.read_stage(snakemake.input.annotated, stage="annotated")
    resource = io.read_tsv(snakemake.input.resource, table="resource")
    cohort = prepare_cohort(
        dataset=snakemake.wildcards.dataset,
        resource=measured(resource, adata.var_names),
        interactions=io.read_parquets(snakemake.input.interactions, table="interactions"),
        support=io.read_parquet(snakemake.input.support, table="support"),
        obs=adata.obs,
        shares=detection(adata),
        min_cells=params.scoring["min_cells"],
        alpha=params.scoring["alpha"],
    )
    table = gather_evidence(
        pd.DataFrame(params.claims),
        cohort,
        vocabulary=pd.DataFrame(params.populations),
        markers=pd.DataFrame(params.markers),
        rules=Rules(**params.rules),
        **params.decoys,
        seed=params.seed,
    )
    io.write_tsv(table, snakemake.output.evidence, table="evidence")
