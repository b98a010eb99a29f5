"""Rule integrate_cohort: merge, normalise, align and cluster the samples of a cohort."""

from osteotalk import io
from osteotalk.prepare.integrate import integrate
from osteotalk.workflow import job_log

with job_log(snakemake):
    samples = [io.read_stage(path, stage="filtered") for path in snakemake.input.samples]
    adata = integrate(samples, **snakemake.params.settings, seed=snakemake.params.seed)
    io.write_stage(adata, snakemake.output.integrated, stage="integrated")
