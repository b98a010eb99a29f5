"""Rule annotate_cells: name the population of every cell."""

import pandas as pd

from osteotalk import io
from osteotalk.annotate.markers import annotate
from osteotalk.workflow import job_log

with job_log(snakemake):
    adata = io.read_stage(snakemake.input.integrated, stage="integrated")
    annotated, clusters = annotate(
        adata,
        markers=pd.DataFrame(snakemake.params.markers),
        populations=pd.DataFrame(snakemake.params.populations),
        **snakemake.params.settings,
        seed=snakemake.params.seed,
    )
    io.write_stage(annotated, snakemake.output.annotated, stage="annotated")
    io.write_tsv(clusters, snakemake.output.clusters, table="annotation")
