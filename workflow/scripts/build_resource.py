"""Rule build_resource: the ligand-receptor pairs that are scored."""

import pandas as pd

from osteotalk import io
from osteotalk.interactions.resource import change_resource, describe, liana_resource
from osteotalk.workflow import job_log

with job_log(snakemake):
    name = snakemake.params.name
    original = liana_resource(name)
    changed = change_resource(original, pd.DataFrame(snakemake.params.interactions), name=name)
    io.write_tsv(changed, snakemake.output.resource, table="resource")
    io.write_json(describe(changed, original, name=name), snakemake.output.summary)
