"""From files to one clustered cohort.

Needs    the files of each sample (table of files)
Makes    results/<dataset>/samples/<sample>/counts.h5ad     counts as they came
         results/<dataset>/samples/<sample>/filtered.h5ad   living single cells
         results/<dataset>/samples/<sample>/qc.json         what was dropped and why
         results/<dataset>/integrated.h5ad                  all samples in one space, clustered
"""


rule ingest_sample:
    """Read the counts of one sample, whatever their format."""
    input:
        unpack(files_of_sample),
    output:
        counts="results/{dataset}/samples/{sample}/counts.h5ad",
    log:
        "logs/ingest_sample/{dataset}/{sample}.log",
    benchmark:
        "benchmarks/timings/ingest_sample/{dataset}/{sample}.tsv"
    conda:
        "../../envs/osteotalk.yaml"
    threads: 1
    resources:
        mem_mb=4000,
    params:
        sample=sample_row,
        dataset=dataset_row,
        code=code_digest("ingest_sample"),
    script:
        "../scripts/ingest_sample.py"


rule filter_cells:
    """Drop dying cells, empty droplets and doublets of one sample."""
    input:
        counts="results/{dataset}/samples/{sample}/counts.h5ad",
    output:
        filtered="results/{dataset}/samples/{sample}/filtered.h5ad",
        qc="results/{dataset}/samples/{sample}/qc.json",
    log:
        "logs/filter_cells/{dataset}/{sample}.log",
    benchmark:
        "benchmarks/timings/filter_cells/{dataset}/{sample}.tsv"
    conda:
        "../../envs/osteotalk.yaml"
    threads: 1
    resources:
        mem_mb=4000,
    params:
        settings=lookup("quality_control", within=config),
        seed=lookup("seed", within=config),
        sample=sample_row,
        code=code_digest("filter_cells"),
    script:
        "../scripts/filter_cells.py"


rule integrate_cohort:
    """Merge the samples of a cohort, normalise, align, cluster and embed the cells."""
    input:
        samples=per_sample("results/{dataset}/samples/{sample}/filtered.h5ad"),
    output:
        integrated="results/{dataset}/integrated.h5ad",
    log:
        "logs/integrate_cohort/{dataset}.log",
    benchmark:
        "benchmarks/timings/integrate_cohort/{dataset}.tsv"
    conda:
        "../../envs/osteotalk.yaml"
    threads: 1
    resources:
        mem_mb=8000,
    params:
        settings=lookup("integration", within=config),
        seed=lookup("seed", within=config),
        code=code_digest("integrate_cohort"),
    script:
        "../scripts/integrate_cohort.py"
