"""Rule compare_clones: ligands and receptors that differ between the clones of a sample."""

from osteotalk import io
from osteotalk.interactions.clone_genes import compare_clones
from osteotalk.workflow import job_log

with job_log(snakemake):
    files, params = snakemake.input, snakemake.params
    found = compare_clones(
        io.read_stage(files.annotated, stage="annotated"),
        resource=io.read_tsv(files.resource, table="resource"),
        expr_prop=params.expr_prop,
        alpha=params.alpha,
    )
    io.write_tsv(found, snakemake.output.clone_genes, table="clone_genes")
