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
        files=[row["path"] for d in DATASETS for row in rows("files", dataset=d)],
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
        files=[row for d in DATASETS for row in rows("files", dataset=d)],
        interactions=rows("interactions"),
        basedir=str(workflow.basedir),
        code=code_digest("write_provenance"),
    script:
        "../scripts/write_provenance.py"
