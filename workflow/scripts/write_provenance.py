"""Rule write_provenance: what ran, so that it can be repeated."""

from pathlib import Path

import yaml

from osteotalk import io
from osteotalk.provenance import describe_run
from osteotalk.retrieve import read_manifest
from osteotalk.workflow import job_log

with job_log(snakemake):
    params = snakemake.params
    downloads = {
        str(Path(path).parent / name): record
        for path in params.manifests
        for name, record in read_manifest(path).items()
        if str(Path(path).parent / name) in snakemake.input.files
    }
    run = describe_run(
        config=params.config,
        files=params.files,
        datasets=params.datasets,
        downloads=downloads,
        resource=io.read_json(snakemake.input.resource),
        basedir=params.basedir,
    )
    io.write_json(run, snakemake.output.provenance)
    io.write_text(yaml.safe_dump(params.config, sort_keys=False), snakemake.output.config)
