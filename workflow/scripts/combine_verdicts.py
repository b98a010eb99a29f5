"""Rule combine_verdicts: one verdict per claim over independent cohorts."""

import pandas as pd

from osteotalk import io
from osteotalk.claims.combine import combine_evidence, independent_datasets
from osteotalk.claims.verdicts import Rules
from osteotalk.workflow import job_log

with job_log(snakemake):
    evidence = pd.concat(
        [io.read_tsv(path, table="evidence") for path in snakemake.input.evidence],
        ignore_index=True,
    )
    chosen = independent_datasets(pd.DataFrame(snakemake.params.datasets), snakemake.params.chosen)
    verdicts = combine_evidence(evidence, independent=chosen, rules=Rules(**snakemake.params.rules))
    io.write_tsv(evidence, snakemake.output.evidence, table="evidence")
    io.write_tsv(verdicts, snakemake.output.verdicts, table="verdicts")
