"""Rule build_resource: the ligand-receptor pairs that are scored."""

import pandas as pd

from osteotalk import io
from osteotalk.ingest.gene_tables import read_symbols
from osteotalk.interactions.resource import (
    change_resource,
    describe,
    liana_resource,
    renew_pairs,
)
from osteotalk.workflow import job_log

with job_log(snakemake):
    name = snakemake.params.name
    symbols = read_symbols(snakemake.input.symbols)
    original = renew_pairs(liana_resource(name), symbols)
    changed = change_resource(original, pd.DataFrame(snakemake.params.interactions), name=name)
    io.write_tsv(changed, snakemake.output.resource, table="resource")
    io.write_json(describe(changed, original, name=name), snakemake.output.summary)
