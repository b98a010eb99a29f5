"""Rule build_resource: the ligand-receptor pairs that are scored."""

import pandas as pd

from osteotalk import io
from osteotalk.ingest.gene_tables import read_symbols
from osteotalk.interactions.pairs.resource import build_resource, describe, load_source
from osteotalk.workflow import job_log

with job_log(snakemake):
    source = load_source(snakemake.params.name, snakemake.input.pairs or None)
    changes = pd.DataFrame(snakemake.params.interactions)
    result = build_resource(source, changes, read_symbols(snakemake.input.symbols))
    io.write_tsv(result.pairs, snakemake.output.resource, table="resource")
    io.write_json(describe(result, source), snakemake.output.summary)
