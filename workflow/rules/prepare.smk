"""From files to one clustered cohort.

Needs    the files of each sample (table of files)
Makes    results/<dataset>/samples/<sample>/counts.h5ad     counts as they came, genes by symbol
         results/<dataset>/samples/<sample>/ingest.json     what was read, and how genes were named
         results/<dataset>/left_out.json                    samples that could not be read
         results/<dataset>/genes.tsv                        gene names changed or not mapped
         results/<dataset>/samples/<sample>/filtered.h5ad   living single cells
         results/<dataset>/samples/<sample>/qc.json         what was dropped and why
         results/<dataset>/integrated.h5ad                  all samples in one space, clustered
"""


rule ingest_sample:
    """Read the counts of one sample, whatever their format."""
    input:
        unpack(files_of_sample),
        symbols=SYMBOLS,
    output:
        counts="results/{dataset}/samples/{sample}/counts.h5ad",
        report="results/{dataset}/samples/{sample}/ingest.json",
    log:
        "logs/ingest_sample/{dataset}/{sample}.log",
    benchmark:
        "benchmarks/timings/ingest_sample/{dataset}/{sample}.tsv"
    conda:
        "../../envs/osteotalk.yaml"
    threads: 1
    resources:
        mem_mb=memory("ingest_sample", sharing=samples_in_file),
        runtime=minutes("ingest_sample"),
    params:
        sample=sample_row,
        dataset=lambda wildcards: dataset_row(
            wildcards, "sample_key", "author_label", "author_qc", "odd_counts"
        ),
        sample_values=sample_values,
        code=code_digest("ingest_sample"),
    script:
        "../scripts/ingest_sample.py"


rule check_samples:
    """List the samples that could not be read; refuse a cohort that lost too many of them.

    It comes first, but only what is over all cohorts waits for it: what it says is in the samples,
    and a change of its settings is no reason to integrate again.
    """
    input:
        reports=per_sample("results/{dataset}/samples/{sample}/ingest.json"),
    output:
        left_out="results/{dataset}/left_out.json",
    log:
        "logs/check_samples/{dataset}.log",
    benchmark:
        "benchmarks/timings/check_samples/{dataset}.tsv"
    priority: 100
    conda:
        "../../envs/osteotalk.yaml"
    threads: 1
    resources:
        mem_mb=memory("check_samples"),
        runtime=minutes("check_samples"),
    params:
        samples=lambda wildcards: only(
            records("samples", wildcards.dataset), "sample", "patient"
        ),
        min_patients=lookup("claims/min_patients", within=config),
        on_failure=lookup("on_sample_failure", within=config),
        code=code_digest("check_samples"),
    script:
        "../scripts/check_samples.py"


rule list_genes:
    """List the gene names of a cohort that were changed, or could not be mapped."""
    input:
        reports=per_sample("results/{dataset}/samples/{sample}/ingest.json"),
    output:
        genes="results/{dataset}/genes.tsv",
    log:
        "logs/list_genes/{dataset}.log",
    benchmark:
        "benchmarks/timings/list_genes/{dataset}.tsv"
    conda:
        "../../envs/osteotalk.yaml"
    threads: 1
    resources:
        mem_mb=memory("list_genes"),
        runtime=minutes("list_genes"),
    params:
        code=code_digest("list_genes"),
    script:
        "../scripts/list_genes.py"


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
        mem_mb=memory("filter_cells"),
        runtime=minutes("filter_cells"),
    params:
        settings=lookup("quality_control", within=config),
        seed=lookup("seed", within=config),
        sample=sample_row,
        limits=sample_limits,
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
        mem_mb=memory("integrate_cohort"),
        runtime=minutes("integrate_cohort"),
    params:
        settings=lookup("integration", within=config),
        seed=lookup("seed", within=config),
        code=code_digest("integrate_cohort"),
    script:
        "../scripts/integrate_cohort.py"
