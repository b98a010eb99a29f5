"""Name the populations.

Needs    results/<dataset>/integrated.h5ad
Makes    results/<dataset>/annotated.h5ad     every cell with its population, or unassigned
         results/<dataset>/annotation.tsv     the decision for each cluster, with its reason
"""


rule annotate_cells:
    """Score marker genes and name the population of each cluster."""
    input:
        integrated="results/{dataset}/integrated.h5ad",
    output:
        annotated="results/{dataset}/annotated.h5ad",
        clusters="results/{dataset}/annotation.tsv",
    log:
        "logs/annotate_cells/{dataset}.log",
    benchmark:
        "benchmarks/timings/annotate_cells/{dataset}.tsv"
    conda:
        "../../envs/osteotalk.yaml"
    threads: 1
    resources:
        mem_mb=8000,
    params:
        settings=lookup("annotation", within=config),
        seed=lookup("seed", within=config),
        markers=rows("markers"),
        populations=rows("populations"),
        code=code_digest("annotate_cells"),
    script:
        "../scripts/annotate_cells.py"
