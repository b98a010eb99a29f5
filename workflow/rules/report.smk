"""The report and the record of the run.

Needs    all result tables
Makes    results/report/                 index.html and the pages it leads to
         results/figures/                key figures, for `snakemake --report`
         results/provenance.json         versions, digests, seeds, input files
         results/run_config.yaml         the merged config
         results/partial_report/         on request: the same of the cohorts that are complete
"""


rule write_provenance:
    """Record versions, settings, seeds, the resource and the input files."""
    input:
        resource="results/resource.json",
        files=list(
            dict.fromkeys(row["path"] for d in DATASETS for row in files_of_cohort(d))
        ),
        left_out=expand("results/{dataset}/left_out.json", dataset=DATASETS),
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
        mem_mb=memory("write_provenance"),
        runtime=minutes("write_provenance"),
    params:
        config=dict(config),
        files=[row for d in DATASETS for row in files_of_cohort(d)],
        datasets=[row for d in DATASETS for row in records("datasets", dataset=d)],
        # written by the downloads, which the files above stand for
        manifests=sorted({path for d in DATASETS for path in manifests_of_cohort(d)}),
        basedir=str(osteotalk_workflow.HOME),
        code=code_digest("write_provenance"),
    script:
        "../scripts/write_provenance.py"


rule render_report:
    """Write the HTML report: index, cohorts, panels of the claims, and what stands behind them."""
    input:
        [
            path
            for d in DATASETS
            for paths in results_of_cohort(d).values()
            for path in paths
        ],
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
        pages=report(
            directory("results/report"),
            htmlindex="index.html",
            category="Report",
            labels={"shows": "all pages"},
            caption="../report/index.rst",
        ),
        verdicts=report(
            "results/figures/verdicts.svg",
            category="Figures",
            labels={"shows": "verdicts by theme", "cohort": "all"},
            caption="../report/figure_verdicts.rst",
        ),
        support=report(
            "results/figures/support.svg",
            category="Figures",
            labels={"shows": "support of every claim", "cohort": "all"},
            caption="../report/figure_support.rst",
        ),
        networks=[
            report(
                f"results/figures/{dataset}_network.svg",
                category="Figures",
                labels={"shows": "network of populations", "cohort": dataset},
                caption="../report/figure_network.rst",
            )
            for dataset in DATASETS
        ],
    log:
        "logs/render_report.log",
    benchmark:
        "benchmarks/timings/render_report.tsv"
    conda:
        "../../envs/osteotalk.yaml"
    threads: MOST_PROCESSES
    resources:
        mem_mb=memory("render_report"),
        runtime=minutes("render_report"),
    params:
        results={dataset: results_of_cohort(dataset) for dataset in DATASETS},
        config=dict(config),
        tables={name: rows(name) for name in TABLES_OF_REPORT},
        code=code_digest("render_report"),
    script:
        "../scripts/render_report.py"


rule partial_report:
    """Report the cohorts that are complete, and say why the others are not; only on request.

    Without an input it starts no other job; `state` lets it run again once a file or log of a
    cohort has changed.
    """
    output:
        index="results/partial_report/index.html",
        provenance="results/partial_report/tables/provenance.json",
        evidence="results/partial_report/tables/evidence.tsv",
        verdicts="results/partial_report/tables/verdicts.tsv",
        published="results/partial_report/tables/published.tsv",
        therapies="results/partial_report/tables/therapies.tsv",
        calibration="results/partial_report/tables/calibration.tsv",
        sensitivity="results/partial_report/tables/sensitivity.tsv",
    log:
        "logs/partial_report.log",
    benchmark:
        "benchmarks/timings/partial_report.tsv"
    conda:
        "../../envs/osteotalk.yaml"
    threads: MOST_PROCESSES
    resources:
        mem_mb=memory("partial_report"),
        runtime=minutes("partial_report"),
    params:
        products=products,
        state=state_of_products,
        results={dataset: results_of_cohort(dataset) for dataset in DATASETS},
        tables={name: rows(name) for name in (*TABLES_OF_REPORT, "therapies")},
        combined={
            "rules": verdict_rules(),
            "variants": [
                (*variant, "results/{}/sensitivity/{}/{}.tsv".format(*variant))
                for variant in VARIANTS
                if config["sensitivity"]["run"]
            ],
        },
        run={
            "config": dict(config),
            "files": [row for d in DATASETS for row in files_of_cohort(d)],
            "datasets": [
                row for d in DATASETS for row in records("datasets", dataset=d)
            ],
            "manifests": {
                dataset: manifests_of_cohort(dataset) for dataset in DATASETS
            },
            "left_out": {
                dataset: f"results/{dataset}/left_out.json" for dataset in DATASETS
            },
            "resource": "results/resource.json",
            "basedir": str(osteotalk_workflow.HOME),
        },
        code=code_digest("partial_report"),
    script:
        "../scripts/partial_report.py"
