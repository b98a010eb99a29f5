"""Rule write_provenance: what ran, so that it can be repeated."""

import yaml

from osteotalk import io
from osteotalk.provenance import describe_run
from osteotalk.retrieve import downloads
from osteotalk.workflow import job_log

with job_log(snakemake):
    params = snakemake.params
    run = describe_run(
        config=params.config,
        files=params.files,
        datasets=params.datasets,
        downloads=downloads(params.manifests, snakemake.input.files),
        resource=io.read_json(snakemake.input.resource),
        basedir=params.basedir,
        left_out=[
            row for path in snakemake.input.left_out for row in io.read_json(path)["left_out"]
        ],
    )
    io.write_json(run, snakemake.output.provenance)
    io.write_text(yaml.safe_dump(params.config, sort_keys=False), snakemake.output.config)
