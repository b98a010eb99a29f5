"""Rule annotate_cells: name the population of every cell, and tell which cells are tumour."""

import pandas as pd

from osteotalk import io
from osteotalk.annotate import (
    add_opinions,
    add_positions,
    agreement_table,
    annotate,
    call_malignant,
)
from osteotalk.ingest.gene_tables import read_symbols
from osteotalk.workflow import job_log

with job_log(snakemake):
    files, out, params = snakemake.input, snakemake.output, snakemake.params
    populations = pd.DataFrame(params.populations)
    adata = io.read_stage(files.integrated, stage="integrated")
    symbols = read_symbols(files.symbols)
    asked = {"celltypist": files.get("celltypist"), "reference": files.get("reference")}
    label = params.reference_label
    adata = add_opinions(adata, **asked, reference_label=label, symbols=symbols)
    markers = pd.DataFrame(params.markers)
    adata, clusters = annotate(
        adata, markers=markers, populations=populations, **params.settings, seed=params.seed
    )
    positions = {"gtf": files.get("gtf"), "shared": files.get("positions", params.positions)}
    adata = add_positions(adata, **positions, symbols=symbols)
    adata, malignancy, cnv = call_malignant(
        adata, populations=populations, **params.malignancy, seed=params.seed
    )
    agreement = agreement_table(adata.obs, labels=params.labels, populations=populations)
    io.write_stage(adata, out.annotated, stage="annotated")
    io.write_stage(cnv, out.cnv, stage="cnv")
    io.write_tsv(clusters, out.clusters, table="annotation")
    io.write_tsv(malignancy, out.malignancy, table="malignancy")
    io.write_tsv(agreement, out.agreement, table="agreement")
