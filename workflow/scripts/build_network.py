"""Rule build_network: populations and supported edges as a graph."""

import pandas as pd

from osteotalk import io
from osteotalk.interactions.network import to_graphml
from osteotalk.interactions.support import cell_counts, supported
from osteotalk.workflow import job_log

with job_log(snakemake):
    populations = pd.DataFrame(snakemake.params.populations)
    obs = io.read_obs(snakemake.input.annotated, stage="annotated")
    edges = supported(
        io.read_parquet(snakemake.input.support, table="support"),
        min_patients=snakemake.params.min_patients,
        min_support=snakemake.params.min_support,
    )
    cells = cell_counts(obs, populations["population"])
    io.write_text(to_graphml(edges, cells=cells, populations=populations), snakemake.output.network)
