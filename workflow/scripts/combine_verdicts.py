"""Rule combine_verdicts: one verdict per claim over independent cohorts."""

import pandas as pd

from osteotalk import io
from osteotalk.claims.combine import combine_evidence, independent_datasets
from osteotalk.claims.therapies import therapy_table
from osteotalk.claims.verdicts import Rules
from osteotalk.workflow import job_log

with job_log(snakemake):
    files, out, params = snakemake.input, snakemake.output, snakemake.params
    chosen = independent_datasets(pd.DataFrame(params.datasets), params.chosen)
    for name, result in (("claims", out.verdicts), ("published", out.published)):
        parts = [io.read_tsv(path, table="evidence") for path in files[name]]
        evidence = pd.concat(parts, ignore_index=True)
        verdicts = combine_evidence(
            evidence,
            claims=pd.DataFrame(params[name]),
            independent=chosen,
            rules=Rules(**params.rules),
        )
        io.write_tsv(verdicts, result, table="verdicts")
        if name == "claims":
            io.write_tsv(evidence, out.evidence, table="evidence")
            therapies = therapy_table(pd.DataFrame(params.therapies), verdicts)
            io.write_tsv(therapies, out.therapies, table="therapies")
    calibration = [io.read_tsv(path, table="calibration") for path in files.calibration]
    io.write_tsv(pd.concat(calibration, ignore_index=True), out.calibration, table="calibration")
