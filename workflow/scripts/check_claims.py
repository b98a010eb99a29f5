"""Rule check_claims: the genes, pairs and programmes that the claims name."""

import pandas as pd

from osteotalk import io
from osteotalk.claims.check import Known, check_claims
from osteotalk.ingest.gene_tables import read_symbols
from osteotalk.interactions.pairs.resource_files import directions, liana_pairs
from osteotalk.workflow import job_log

with job_log(snakemake):
    files, params = snakemake.input, snakemake.params
    tables = {name: pd.DataFrame(**table) for name, table in params.tables.items()}
    measured: dict[str, set[str]] = {}
    for dataset, path in zip(params.cohorts, files.counts, strict=True):
        measured.setdefault(dataset, set()).update(io.read_var_names(path))
    symbols = read_symbols(files.symbols)
    known = Known(
        resource=io.read_tsv(files.resource, table="resource"),
        elsewhere=liana_pairs(symbols),
        directions=directions(symbols),
        symbols=symbols,
        measured=measured,
    )
    signatures = tables.pop("signatures")
    check_claims(tables, signatures, known, paths=params.paths)
    rows = {name: len(table) for name, table in tables.items()}
    genes = {dataset: len(names) for dataset, names in measured.items()}
    io.write_json({"rows": rows, "genes": genes}, snakemake.output.checked)
