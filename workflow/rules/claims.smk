"""From edges to verdicts.

Needs    results/<dataset>/annotated.h5ad, samples/<sample>/interactions.parquet
Makes    results/claims/checked.json         the genes that claims name exist
         results/<dataset>/evidence.tsv      what one cohort says about each claim
         results/<dataset>/decoys.tsv        how well the decoys match
         results/<dataset>/values.tsv        values of the claims, patient by patient
         results/<dataset>/decoy_statistics.parquet  what each claim was compared with
         results/<dataset>/programmes.tsv    scores of gene programmes
         results/<dataset>/calibration.tsv   how often a verdict comes up by chance
         results/claims/evidence.tsv         the evidence of all cohorts
         results/claims/verdicts.tsv         one verdict per claim
         results/claims/published.tsv        the same for what others found in these cohorts
         results/claims/therapies.tsv        drugs beside the verdicts on their targets
         results/claims/calibration.tsv      the calibration of all cohorts
         results/claims/sensitivity.tsv      verdicts under other settings, if asked for
         results/<dataset>/truth.json        simulated cohorts: found against planted
"""


rule check_claims:
    """Refuse claims on genes, pairs or programmes that do not exist, before anything long starts."""
    input:
        resource="results/resource.tsv",
        symbols=SYMBOLS,
        counts=[
            f"results/{dataset}/samples/{row['sample']}/counts.h5ad"
            for dataset in REAL
            for row in records("samples", dataset=dataset)
        ],
    output:
        checked="results/claims/checked.json",
    log:
        "logs/check_claims.log",
    benchmark:
        "benchmarks/timings/check_claims.tsv"
    priority: 100
    conda:
        "../../envs/osteotalk.yaml"
    threads: 1
    resources:
        mem_mb=memory("check_claims"),
        runtime=minutes("check_claims"),
    params:
        cohorts=[
            dataset for dataset in REAL for row in records("samples", dataset=dataset)
        ],
        tables={name: numbered(name) for name in ("claims", "published", "signatures")},
        paths={
            name: config["tables"][name]
            for name in ("claims", "published", "signatures")
        },
        code=code_digest("check_claims"),
    script:
        "../scripts/check_claims.py"


rule gather_evidence:
    """Test every claim in one cohort, against decoys."""
    input:
        annotated="results/{dataset}/annotated.h5ad",
        resource="results/resource.tsv",
        interactions=per_sample(
            "results/{dataset}/samples/{sample}/interactions.parquet"
        ),
    output:
        evidence="results/{dataset}/evidence.tsv",
        decoys="results/{dataset}/decoys.tsv",
        values="results/{dataset}/values.tsv",
        statistics="results/{dataset}/decoy_statistics.parquet",
        published="results/{dataset}/published.tsv",
        programmes="results/{dataset}/programmes.tsv",
    log:
        "logs/gather_evidence/{dataset}.log",
    benchmark:
        "benchmarks/timings/gather_evidence/{dataset}.tsv"
    conda:
        "../../envs/osteotalk.yaml"
    threads: 1
    resources:
        mem_mb=memory("gather_evidence"),
        runtime=minutes("gather_evidence"),
    params:
        basis=basis,
        claims=rows("claims"),
        published=rows("published"),
        code=code_digest("gather_evidence"),
    script:
        "../scripts/gather_evidence.py"


rule calibrate_cohort:
    """Test decoy claims, and all claims under shuffled labels, like the real ones."""
    input:
        evidence="results/{dataset}/evidence.tsv",
        annotated="results/{dataset}/annotated.h5ad",
        resource="results/resource.tsv",
        interactions=per_sample(
            "results/{dataset}/samples/{sample}/interactions.parquet"
        ),
    output:
        calibration="results/{dataset}/calibration.tsv",
    log:
        "logs/calibrate_cohort/{dataset}.log",
    benchmark:
        "benchmarks/timings/calibrate_cohort/{dataset}.tsv"
    conda:
        "../../envs/osteotalk.yaml"
    threads: MOST_PROCESSES
    resources:
        mem_mb=memory("calibrate_cohort"),
        runtime=minutes("calibrate_cohort"),
    params:
        basis=basis,
        claims=rows("claims"),
        runs={key: config["claims"][key] for key in ("n_decoy_tables", "n_shuffles")},
        code=code_digest("calibrate_cohort"),
    script:
        "../scripts/calibrate_cohort.py"


rule combine_verdicts:
    """Combine independent cohorts into one verdict per claim."""
    input:
        checked="results/claims/checked.json",
        left_out=expand("results/{dataset}/left_out.json", dataset=DATASETS),
        claims=expand("results/{dataset}/evidence.tsv", dataset=DATASETS),
        published=expand("results/{dataset}/published.tsv", dataset=DATASETS),
        calibration=expand("results/{dataset}/calibration.tsv", dataset=DATASETS),
    output:
        evidence="results/claims/evidence.tsv",
        verdicts=report(
            "results/claims/verdicts.tsv",
            category="Claims",
            labels={"table": "verdict on each claim"},
            caption="../report/verdicts.rst",
        ),
        published="results/claims/published.tsv",
        therapies="results/claims/therapies.tsv",
        calibration=report(
            "results/claims/calibration.tsv",
            category="Claims",
            labels={"table": "verdicts by chance"},
            caption="../report/calibration.rst",
        ),
    log:
        "logs/combine_verdicts.log",
    benchmark:
        "benchmarks/timings/combine_verdicts.tsv"
    conda:
        "../../envs/osteotalk.yaml"
    threads: 1
    resources:
        mem_mb=memory("combine_verdicts"),
        runtime=minutes("combine_verdicts"),
    params:
        chosen=DATASETS,
        datasets=rows("datasets"),
        rules=verdict_rules(),
        claims=rows("claims"),
        published=rows("published"),
        therapies=rows("therapies"),
        code=code_digest("combine_verdicts"),
    script:
        "../scripts/combine_verdicts.py"


rule test_setting:
    """Test every claim in one cohort with one setting changed."""
    input:
        unpack(opinions_of_cohort),
        annotated="results/{dataset}/annotated.h5ad",
        integrated="results/{dataset}/integrated.h5ad",
        resource="results/resource.tsv",
        symbols=SYMBOLS,
        interactions=per_sample(
            "results/{dataset}/samples/{sample}/interactions.parquet"
        ),
    output:
        evidence="results/{dataset}/sensitivity/{setting}/{value}.tsv",
    log:
        "logs/test_setting/{dataset}/{setting}/{value}.log",
    benchmark:
        "benchmarks/timings/test_setting/{dataset}/{setting}/{value}.tsv"
    conda:
        "../../envs/osteotalk.yaml"
    threads: 1
    resources:
        mem_mb=memory("test_setting"),
        runtime=minutes("test_setting"),
    params:
        basis=basis,
        setting=lambda wildcards: wildcards.setting,
        value=variant_value,
        positions=packaged_positions,
        claims=rows("claims"),
        interactions=rows("interactions"),
        labels={
            "n_neighbors": config["integration"]["n_neighbors"],
            "annotation": annotation_rules(),
            "malignancy": config["malignancy"],
        },
        code=code_digest("test_setting"),
    script:
        "../scripts/test_setting.py"


rule compare_settings:
    """Tell which verdicts move with a setting."""
    input:
        evidence=expand("results/{dataset}/evidence.tsv", dataset=DATASETS),
        variants=[
            f"results/{dataset}/sensitivity/{setting}/{value}.tsv"
            for dataset, setting, value in VARIANTS
        ],
    output:
        sensitivity=report(
            "results/claims/sensitivity.tsv",
            category="Claims",
            labels={"table": "verdicts under other settings"},
            caption="../report/sensitivity.rst",
        ),
    log:
        "logs/compare_settings.log",
    benchmark:
        "benchmarks/timings/compare_settings.tsv"
    conda:
        "../../envs/osteotalk.yaml"
    threads: 1
    resources:
        mem_mb=memory("compare_settings"),
        runtime=minutes("compare_settings"),
    params:
        cohorts=DATASETS,
        variants=VARIANTS,
        code=code_digest("compare_settings"),
    script:
        "../scripts/compare_settings.py"


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
        mem_mb=memory("compare_with_truth"),
        runtime=minutes("compare_with_truth"),
    params:
        scoring=lookup("interactions", within=config),
        min_patients=lookup("claims/min_patients", within=config),
        min_support=lookup("claims/min_support", within=config),
        claims=rows("claims"),
        populations=rows("populations"),
        markers=rows("markers"),
        planted=rows("simulation_edges"),
        raised=rows("simulation_genes"),
        signatures=rows("signatures"),
        shares=rows("simulation_populations"),
        code=code_digest("compare_with_truth"),
    script:
        "../scripts/compare_with_truth.py"
