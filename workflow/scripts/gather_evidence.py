"""Rule gather_evidence: what one cohort says about each claim."""

import pandas as pd

from osteotalk import io
from osteotalk.claims.measures.programme_table import programme_table
from osteotalk.claims.run import basis_of
from osteotalk.workflow import job_log

with job_log(snakemake):
    files, out, params = snakemake.input, snakemake.output, snakemake.params
    basis = basis_of(files.annotated, files.resource, **params.basis)
    claims, published = pd.DataFrame(params.claims), pd.DataFrame(params.published)
    cohort = basis.cohort(basis.from_files(files.interactions), claims, published)
    found = basis.evidence(claims, cohort)
    io.write_tsv(found.evidence, out.evidence, table="evidence")
    io.write_tsv(found.decoys, out.decoys, table="decoys")
    io.write_tsv(found.values, out.values, table="values")
    io.write_parquet(found.statistics, out.statistics, table="decoy_statistics")
    io.write_tsv(programme_table(cohort), out.programmes, table="programmes")
    io.write_tsv(basis.evidence(published, cohort).evidence, out.published, table="evidence")
