"""Rule simulate_cohort: the embedded cohort, as 10x files, and its truth."""

import pandas as pd

from osteotalk import io
from osteotalk.interactions.pairs.resource import subunits
from osteotalk.simulate import simulate_cohort
from osteotalk.workflow import job_log

with job_log(snakemake):
    params = snakemake.params
    resource = io.read_tsv(snakemake.input.resource, table="resource")
    simulate_cohort(
        samples=pd.DataFrame(params.samples),
        files=pd.DataFrame(params.files),
        populations=pd.DataFrame(params.populations),
        markers=pd.DataFrame(params.markers),
        shares=pd.DataFrame(params.shares),
        planted=pd.DataFrame(params.planted),
        raised=pd.DataFrame(params.raised),
        signatures=pd.DataFrame(params.signatures),
        resource_genes={*subunits([*resource["ligand"], *resource["receptor"]]), *params.named},
        truth_cells=snakemake.output.truth_cells[0],
        truth_edges=snakemake.output.truth_edges[0],
        truth_cnv=snakemake.output.truth_cnv[0],
        **params.settings,
    )
