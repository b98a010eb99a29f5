"""Name the populations, and tell tumour cells by copy number.

Needs    results/<dataset>/integrated.h5ad, positions of the genes (table of files, role gtf, or
         what the config names for all cohorts)
Makes    results/<dataset>/annotated.h5ad     every cell with its population, or unassigned
         results/<dataset>/annotation.tsv     what the markers say of each cluster, with its reason
         results/<dataset>/malignancy.tsv     what copy number says of each cluster in each sample
         results/<dataset>/cnv.h5ad           copy number profiles of some cells, for the heat map
         results/<dataset>/agreement.tsv      our populations against others' labels of the cells
"""


rule annotate_cells:
    """Name populations by their markers, and tumour cells by markers and copy number."""
    input:
        unpack(opinions_of_cohort),
        integrated="results/{dataset}/integrated.h5ad",
        symbols=SYMBOLS,
    output:
        annotated="results/{dataset}/annotated.h5ad",
        clusters="results/{dataset}/annotation.tsv",
        malignancy="results/{dataset}/malignancy.tsv",
        cnv="results/{dataset}/cnv.h5ad",
        agreement="results/{dataset}/agreement.tsv",
    log:
        "logs/annotate_cells/{dataset}.log",
    benchmark:
        "benchmarks/timings/annotate_cells/{dataset}.tsv"
    conda:
        "../../envs/osteotalk.yaml"
    threads: 1
    resources:
        mem_mb=memory("annotate_cells"),
        runtime=minutes("annotate_cells"),
    params:
        settings=annotation_rules(),
        malignancy=lookup("malignancy", within=config),
        reference_label=lookup("annotation/reference_label", within=config),
        labels=lambda wildcards: records("labels", dataset=wildcards.dataset),
        positions=packaged_positions,
        seed=lookup("seed", within=config),
        markers=rows("markers"),
        populations=rows("populations"),
        code=code_digest("annotate_cells"),
    script:
        "../scripts/annotate_cells.py"
