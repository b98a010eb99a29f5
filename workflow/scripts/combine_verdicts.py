"""Rule combine_verdicts: one verdict per claim over independent cohorts."""

import pandas as pd

from osteotalk.claims.together.over_cohorts import combine_cohorts, write_combined
from osteotalk.workflow import job_log

with job_log(snakemake):
    params = snakemake.params
    tables = combine_cohorts(
        params.chosen,
        snakemake.input,
        rules=params.rules,
        **{
            name: pd.DataFrame(params[name])
            for name in ("datasets", "claims", "published", "therapies")
        },
    )
    write_combined(tables, snakemake.output)
