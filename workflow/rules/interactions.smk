"""Score ligand-receptor pairs in each sample and count the patients that show them.

Needs    results/<dataset>/annotated.h5ad, results/resource.tsv
Makes    results/<dataset>/samples/<sample>/interactions.parquet   scores of one sample
         results/<dataset>/support.parquet                         each edge over the patients
         results/<dataset>/network.graphml                         supported edges, for Cytoscape
         results/<dataset>/clone_genes.tsv                         genes of pairs, clone against clone
         results/<dataset>/samples/<sample>/cross_check.tsv        agreement with squidpy, if asked for
"""


rule score_interactions:
    """Score every pair between all populations of one sample, with p-values and two ranks."""
    input:
        annotated="results/{dataset}/annotated.h5ad",
        resource="results/resource.tsv",
    output:
        interactions="results/{dataset}/samples/{sample}/interactions.parquet",
    log:
        "logs/score_interactions/{dataset}/{sample}.log",
    benchmark:
        "benchmarks/timings/score_interactions/{dataset}/{sample}.tsv"
    conda:
        "../../envs/osteotalk.yaml"
    threads: 1
    resources:
        # LIANA's own shuffles are all in memory at once
        mem_mb=memory(
            "score_interactions",
            times=1 if config["interactions"]["engine"] == "fast" else 4,
        ),
        runtime=minutes("score_interactions"),
    params:
        settings=scoring_rules(),
        seed=lookup("seed", within=config),
        code=code_digest("score_interactions"),
    script:
        "../scripts/score_interactions.py"


rule summarise_support:
    """Count, for each edge, the informative patients and those in which it is active."""
    input:
        annotated="results/{dataset}/annotated.h5ad",
        interactions=per_sample(
            "results/{dataset}/samples/{sample}/interactions.parquet"
        ),
    output:
        support="results/{dataset}/support.parquet",
    log:
        "logs/summarise_support/{dataset}.log",
    benchmark:
        "benchmarks/timings/summarise_support/{dataset}.tsv"
    conda:
        "../../envs/osteotalk.yaml"
    threads: 1
    resources:
        mem_mb=memory("summarise_support"),
        runtime=minutes("summarise_support"),
    params:
        min_cells=lookup("interactions/min_cells", within=config),
        alpha=lookup("interactions/alpha", within=config),
        code=code_digest("summarise_support"),
    script:
        "../scripts/summarise_support.py"


rule build_network:
    """Write populations and supported edges as GraphML."""
    input:
        annotated="results/{dataset}/annotated.h5ad",
        support="results/{dataset}/support.parquet",
    output:
        network="results/{dataset}/network.graphml",
    log:
        "logs/build_network/{dataset}.log",
    benchmark:
        "benchmarks/timings/build_network/{dataset}.tsv"
    conda:
        "../../envs/osteotalk.yaml"
    threads: 1
    resources:
        mem_mb=memory("build_network"),
        runtime=minutes("build_network"),
    params:
        min_patients=lookup("claims/min_patients", within=config),
        min_support=lookup("claims/min_support", within=config),
        populations=rows("populations"),
        code=code_digest("build_network"),
    script:
        "../scripts/build_network.py"


rule cross_check_sample:
    """Compare the scores of one sample with those of squidpy; only run if the config says so."""
    input:
        annotated="results/{dataset}/annotated.h5ad",
        resource="results/resource.tsv",
        interactions="results/{dataset}/samples/{sample}/interactions.parquet",
    output:
        cross_check="results/{dataset}/samples/{sample}/cross_check.tsv",
    log:
        "logs/cross_check_sample/{dataset}/{sample}.log",
    benchmark:
        "benchmarks/timings/cross_check_sample/{dataset}/{sample}.tsv"
    conda:
        "../../envs/osteotalk.yaml"
    threads: 1
    resources:
        mem_mb=memory("cross_check_sample"),
        runtime=minutes("cross_check_sample"),
    params:
        expr_prop=lookup("interactions/expr_prop", within=config),
        min_cells=lookup("interactions/min_cells", within=config),
        n_perms=lookup("interactions/n_perms", within=config),
        seed=lookup("seed", within=config),
        code=code_digest("cross_check_sample"),
    script:
        "../scripts/cross_check_sample.py"


rule compare_clones:
    """Tell which ligands and receptors differ between the clones of a sample."""
    input:
        annotated="results/{dataset}/annotated.h5ad",
        resource="results/resource.tsv",
    output:
        clone_genes="results/{dataset}/clone_genes.tsv",
    log:
        "logs/compare_clones/{dataset}.log",
    benchmark:
        "benchmarks/timings/compare_clones/{dataset}.tsv"
    conda:
        "../../envs/osteotalk.yaml"
    threads: 1
    resources:
        mem_mb=memory("compare_clones"),
        runtime=minutes("compare_clones"),
    params:
        expr_prop=lookup("interactions/expr_prop", within=config),
        alpha=lookup("interactions/alpha", within=config),
        code=code_digest("compare_clones"),
    script:
        "../scripts/compare_clones.py"
