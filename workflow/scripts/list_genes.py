"""Rule list_genes: gene names that were changed, or could not be mapped."""

from osteotalk import io
from osteotalk.ingest.members import list_genes
from osteotalk.left_out import analysed
from osteotalk.workflow import job_log

with job_log(snakemake):
    reports = [io.read_json(path) for path in snakemake.input.reports]
    io.write_tsv(list_genes(analysed(reports)), snakemake.output.genes, table="genes")
