"""The report and the record of the run.

Needs    all result tables
Makes    results/report/index.html       verdicts, how to read them, limits, methods
         results/report/<dataset>.html   one page per cohort
         results/report/assets/          tables behind the pages
         results/provenance.json         versions, digests, seeds, input files
         results/run_config.yaml         the merged config
"""


rule write_provenance:
    """Record versions, settings, seeds, the resource and the input files."""
    input:
        resource="results/resource.json",
        files=[row["path"] for d in DATASETS for row in records("files", dataset=d)],
    output:
        provenance="results/provenance.json",
        config="results/run_config.yaml",
    log:
        "logs/write_provenance.log",
    benchmark:
        "benchmarks/timings/write_provenance.tsv"
    conda:
        "../../envs/osteotalk.yaml"
    threads: 1
    resources:
        mem_mb=2000,
    params:
        config=dict(config),
        files=[row for d in DATASETS for row in records("files", dataset=d)],
        datasets=[row for d in DATASETS for row in records("datasets", dataset=d)],
        # written by the downloads, which the files above stand for
        manifests=expand(
            "resources/{dataset}/manifest.tsv",
            dataset=[d for d in DATASETS if d in DOWNLOADED],
        ),
        basedir=str(workflow.basedir),
        code=code_digest("write_provenance"),
    script:
        "../scripts/write_provenance.py"


rule render_report:
    """Write the HTML report: an index and one page per cohort."""
    input:
        annotated=expand("results/{dataset}/annotated.h5ad", dataset=DATASETS),
        clusters=expand("results/{dataset}/annotation.tsv", dataset=DATASETS),
        malignancy=expand("results/{dataset}/malignancy.tsv", dataset=DATASETS),
        cnv=expand("results/{dataset}/cnv.h5ad", dataset=DATASETS),
        agreement=expand("results/{dataset}/agreement.tsv", dataset=DATASETS),
        support=expand("results/{dataset}/support.parquet", dataset=DATASETS),
        cohort_evidence=expand("results/{dataset}/evidence.tsv", dataset=DATASETS),
        truth=expand("results/{dataset}/truth.json", dataset=SIMULATED_CHOSEN),
        qc=[
            f"results/{d}/samples/{row['sample']}/qc.json"
            for d in DATASETS
            for row in records("samples", dataset=d)
        ],
        ingest=[
            f"results/{d}/samples/{row['sample']}/ingest.json"
            for d in DATASETS
            for row in records("samples", dataset=d)
        ],
        cross_check=[
            f"results/{d}/samples/{row['sample']}/cross_check.tsv"
            for d in DATASETS
            for row in records("samples", dataset=d)
            if config["interactions"]["squidpy"]
        ],
        genes=expand("results/{dataset}/genes.tsv", dataset=DATASETS),
        decoys=expand("results/{dataset}/decoys.tsv", dataset=DATASETS),
        evidence="results/claims/evidence.tsv",
        verdicts="results/claims/verdicts.tsv",
        calibration="results/claims/calibration.tsv",
        therapies="results/claims/therapies.tsv",
        published="results/claims/published.tsv",
        sensitivity=(
            "results/claims/sensitivity.tsv" if config["sensitivity"]["run"] else []
        ),
        provenance="results/provenance.json",
    output:
        index=report(
            "results/report/index.html",
            category="Report",
            labels={"page": "verdicts"},
            caption="../report/index.rst",
        ),
        pages=report(
            expand("results/report/{dataset}.html", dataset=DATASETS),
            category="Report",
            labels={"page": "cohort"},
            caption="../report/cohort.rst",
        ),
        assets=directory("results/report/assets"),
    log:
        "logs/render_report.log",
    benchmark:
        "benchmarks/timings/render_report.tsv"
    conda:
        "../../envs/osteotalk.yaml"
    threads: 1
    resources:
        mem_mb=8000,
    params:
        chosen=DATASETS,
        simulated=SIMULATED_CHOSEN,
        config=dict(config),
        tables={
            name: rows(name)
            for name in (
                "datasets",
                "samples",
                "retired",
                "claims",
                "published",
                "signatures",
                "populations",
                "markers",
                "labels",
                "interactions",
            )
        },
        code=code_digest("render_report"),
    script:
        "../scripts/render_report.py"
