"""Rule write_manifest: the downloads of a dataset with their checksums."""

from osteotalk import files
from osteotalk.retrieve import read_manifest, write_manifest
from osteotalk.workflow import job_log

with job_log(snakemake):
    manifest = snakemake.output.manifest
    write_manifest(
        [files.read_json(path) for path in snakemake.input.records],
        manifest,
        earlier=read_manifest(manifest),
    )
