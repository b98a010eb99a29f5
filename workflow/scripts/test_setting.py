"""Rule test_setting: the evidence of one cohort with one setting changed."""

import pandas as pd

from osteotalk import io
from osteotalk.claims.run import basis_of
from osteotalk.claims.together.sensitivity import relabelled, variant_evidence
from osteotalk.ingest.gene_tables import read_symbols
from osteotalk.interactions.pairs.resource import build_resource, load_source
from osteotalk.workflow import job_log

with job_log(snakemake):
    files, params = snakemake.input, snakemake.params
    basis = basis_of(files.annotated, files.resource, **params.basis)
    symbols, changed = read_symbols(files.symbols), {}
    if params.setting == "resource":
        result = build_resource(
            load_source(params.value), pd.DataFrame(params.interactions), symbols
        )
        changed["resource"] = result.pairs
    if params.setting == "resolution":
        changed["cells"] = relabelled(
            io.read_stage(files.integrated, stage="integrated"),
            resolution=params.value,
            populations=basis.vocabulary,
            markers=basis.markers,
            positions={"gtf": files.get("gtf"), "shared": files.get("positions", params.positions)},
            symbols=symbols,
            seed=basis.settings.seed,
            **params.labels,
        )
    table = variant_evidence(
        pd.DataFrame(params.claims),
        basis,
        setting=params.setting,
        value=params.value,
        interactions=files.interactions,
        **changed,
    )
    io.write_tsv(table, snakemake.output.evidence, table="evidence")
