"""Rule compare_with_truth: what was found in the simulated cohort, against what was planted."""

import pandas as pd

from osteotalk import io
from osteotalk.interactions.groups import detection
from osteotalk.interactions.pairs.resource import measured
from osteotalk.simulate import compare_with_truth
from osteotalk.workflow import job_log

with job_log(snakemake):
    files, params = snakemake.input, snakemake.params
    adata = io.read_stage(files.annotated, stage="annotated")
    resource = io.read_tsv(files.resource, table="resource")
    truth = compare_with_truth(
        support=io.read_parquet(files.support, table="support"),
        interactions=io.read_parquets(files.interactions, table="interactions"),
        evidence=io.read_tsv(files.evidence, table="evidence"),
        adata_obs=adata.obs,
        detection=detection(adata),
        truth_cells=pd.read_csv(files.truth_cells, sep="\t", keep_default_na=False),
        truth_edges=pd.read_csv(files.truth_edges, sep="\t", keep_default_na=False),
        populations=pd.DataFrame(params.populations),
        markers=pd.DataFrame(params.markers),
        planted=pd.DataFrame(params.planted),
        raised=pd.DataFrame(params.raised),
        signatures=pd.DataFrame(params.signatures),
        shares=pd.DataFrame(params.shares),
        claims=pd.DataFrame(params.claims),
        resource=measured(resource, adata.var_names),
        alpha=params.scoring["alpha"],
        min_cells=params.scoring["min_cells"],
        min_patients=params.min_patients,
        min_support=params.min_support,
    )
    io.write_json(truth, snakemake.output.truth)
