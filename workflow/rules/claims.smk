"""From edges to verdicts.

Needs    results/<dataset>/annotated.h5ad, support.parquet, samples/<sample>/interactions.parquet
Makes    results/<dataset>/evidence.tsv      what one cohort says about each claim
         results/claims/evidence.tsv         the same for all cohorts
         results/claims/verdicts.tsv         one verdict per claim
         results/<dataset>/truth.json        simulated cohorts: found against planted
"""


rule gather_evidence:
    """Test every claim in one cohort, against decoys."""
    input:
        annotated="results/{dataset}/annotated.h5ad",
        resource="results/resource.tsv",
        support="results/{dataset}/support.parquet",
        interactions=per_sample(
            "results/{dataset}/samples/{sample}/interactions.parquet"
        ),
    output:
        evidence="results/{dataset}/evidence.tsv",
    log:
        "logs/gather_evidence/{dataset}.log",
    benchmark:
        "benchmarks/timings/gather_evidence/{dataset}.tsv"
    conda:
        "../../envs/osteotalk.yaml"
    threads: 1
    resources:
        mem_mb=4000,
    params:
        scoring=lookup("interactions", within=config),
        rules=verdict_rules(),
        decoys={key: config["claims"][key] for key in ("n_decoys", "decoy_pool")},
        seed=lookup("seed", within=config),
        claims=rows("claims"),
        populations=rows("populations"),
        markers=rows("markers"),
        code=code_digest("gather_evidence"),
    script:
        "../scripts/gather_evidence.py"


rule combine_verdicts:
    """Combine independent cohorts into one verdict per claim."""
    input:
        evidence=expand("results/{dataset}/evidence.tsv", dataset=DATASETS),
    output:
        evidence="results/claims/evidence.tsv",
        verdicts=report(
            "results/claims/verdicts.tsv",
            category="Claims",
            labels={"table": "verdict on each claim"},
            caption="../report/verdicts.rst",
        ),
    log:
        "logs/combine_verdicts.log",
    benchmark:
        "benchmarks/timings/combine_verdicts.tsv"
    conda:
        "../../envs/osteotalk.yaml"
    threads: 1
    resources:
        mem_mb=2000,
    params:
        chosen=DATASETS,
        datasets=rows("datasets"),
        rules=verdict_rules(),
        code=code_digest("combine_verdicts"),
    script:
        "../scripts/combine_verdicts.py"


rule compare_with_truth:
    """Compare what was found in the simulated cohort with what was planted."""
    input:
        annotated="results/{dataset}/annotated.h5ad",
        resource="results/resource.tsv",
        support="results/{dataset}/support.parquet",
        interactions=per_sample(
            "results/{dataset}/samples/{sample}/interactions.parquet"
        ),
        evidence="results/{dataset}/evidence.tsv",
        truth_cells="resources/{dataset}/truth_cells.tsv",
        truth_edges="resources/{dataset}/truth_edges.tsv",
    output:
        truth="results/{dataset}/truth.json",
    log:
        "logs/compare_with_truth/{dataset}.log",
    benchmark:
        "benchmarks/timings/compare_with_truth/{dataset}.tsv"
    conda:
        "../../envs/osteotalk.yaml"
    threads: 1
    resources:
        mem_mb=4000,
    params:
        scoring=lookup("interactions", within=config),
        min_patients=lookup("claims/min_patients", within=config),
        min_support=lookup("claims/min_support", within=config),
        claims=rows("claims"),
        populations=rows("populations"),
        markers=rows("markers"),
        planted=rows("simulation_edges"),
        code=code_digest("compare_with_truth"),
    script:
        "../scripts/compare_with_truth.py"
