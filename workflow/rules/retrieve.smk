"""Put the pairs to score and the files of the cohorts in place.

Needs    the tables of interactions, of the simulation and of files; a file of pairs, if named
Makes    results/resource.tsv                          ligand-receptor pairs that are scored
         results/resource.json                         their number, origin, changes and digest
         resources/<simulated dataset>/...             files of the embedded cohort
         resources/<simulated dataset>/truth_*.tsv     what was planted in it
         resources/<dataset>/<file>                    downloads, verified; what cohorts share
                                                       (genes.positions) is in all-cohorts
         resources/<dataset>/manifest.tsv              their addresses, sizes and checksums; grows
                                                       with each download and outlives it
         resources/<dataset>/members.tsv               what in an archive belongs to which sample
         resources/<dataset>/samples_found.tsv         on request: a sheet of samples to complete
"""

from osteotalk.tables import genes_of_claims


# Where snakemake runs, as compute nodes often have no internet.
localrules:
    download_file,


rule build_resource:
    """Take a resource of LIANA or a file of pairs, and add and drop those of the table."""
    input:
        symbols=SYMBOLS,
        pairs=PAIRS or [],
    output:
        resource="results/resource.tsv",
        summary="results/resource.json",
    log:
        "logs/build_resource.log",
    benchmark:
        "benchmarks/timings/build_resource.tsv"
    conda:
        "../../envs/osteotalk.yaml"
    threads: 1
    resources:
        mem_mb=memory("build_resource"),
        runtime=minutes("build_resource"),
    params:
        name=lookup("interactions/resource", within=config),
        interactions=rows("interactions"),
        code=code_digest("build_resource"),
    script:
        "../scripts/build_resource.py"


rule simulate_cohort:
    """Draw the embedded cohort and write it as an archive would hold it."""
    input:
        resource="results/resource.tsv",
    output:
        files=[row["path"] for d in SIMULATED for row in records("files", dataset=d)],
        truth_cells=[f"resources/{d}/truth_cells.tsv" for d in SIMULATED],
        truth_edges=[f"resources/{d}/truth_edges.tsv" for d in SIMULATED],
        truth_cnv=[f"resources/{d}/truth_cnv.tsv" for d in SIMULATED],
    log:
        "logs/simulate_cohort.log",
    benchmark:
        "benchmarks/timings/simulate_cohort.tsv"
    conda:
        "../../envs/osteotalk.yaml"
    threads: 1
    resources:
        mem_mb=memory("simulate_cohort"),
        runtime=minutes("simulate_cohort"),
    params:
        settings=lookup("simulation", within=config),
        samples=[row for d in SIMULATED for row in records("samples", dataset=d)],
        files=[row for d in SIMULATED for row in records("files", dataset=d)],
        populations=rows("populations"),
        markers=rows("markers"),
        shares=rows("simulation_populations"),
        planted=rows("simulation_edges"),
        raised=rows("simulation_genes"),
        signatures=rows("signatures"),
        named=genes_of_claims(TABLES),
        code=code_digest("simulate_cohort"),
    script:
        "../scripts/simulate_cohort.py"


rule download_file:
    """Download one file, check it and note it in the manifest; the cache is asked first.

    Only what decides about the content is a param: a longer time-out, a moved line of the table or
    a new version of the code is no reason to fetch a file again.
    """
    output:
        file="resources/{dataset}/{file}",
    log:
        "logs/download_file/{dataset}/{file}.log",
    benchmark:
        "benchmarks/timings/download_file/{dataset}/{file}.tsv"
    wildcard_constraints:
        dataset=one_of(DOWNLOADED),
        file=one_of(sorted({Path(path).name for path in REMOTE})),
    conda:
        "../../envs/osteotalk.yaml"
    threads: 1
    resources:
        mem_mb=memory("download_file"),
        runtime=minutes("download_file"),
    params:
        row=remote_row,
    message:
        "Download {params.row[url]} to {output.file}"
    script:
        "../scripts/download_file.py"


rule list_members:
    """Find the files of each sample in the archives of a dataset; both must agree."""
    input:
        archives=lambda wildcards: [
            row["path"]
            for row in records("files", wildcards.dataset)
            if row["role"] == "archive"
        ],
    output:
        members="resources/{dataset}/members.tsv",
    log:
        "logs/list_members/{dataset}.log",
    benchmark:
        "benchmarks/timings/list_members/{dataset}.tsv"
    conda:
        "../../envs/osteotalk.yaml"
    threads: 1
    resources:
        mem_mb=memory("list_members"),
        runtime=minutes("list_members"),
    params:
        files=lambda wildcards: only(
            records("files", wildcards.dataset), "sample", "role", "path"
        ),
        samples=lambda wildcards: only(
            records("samples", wildcards.dataset)
            + records("retired", wildcards.dataset),
            "sample",
            "accession",
            "member",
            "status",
        ),
        code=code_digest("list_members"),
    script:
        "../scripts/list_members.py"


rule find_samples:
    """Draft the rows of samples that a dataset's files hold, for someone to complete."""
    input:
        files=lambda wildcards: [
            row["path"]
            for row in records("files", wildcards.dataset)
            if row["role"] not in ("orthologs", "gtf")
        ],
    output:
        samples="resources/{dataset}/samples_found.tsv",
    log:
        "logs/find_samples/{dataset}.log",
    benchmark:
        "benchmarks/timings/find_samples/{dataset}.tsv"
    wildcard_constraints:
        dataset=one_of(TABLES.datasets["dataset"]),
    conda:
        "../../envs/osteotalk.yaml"
    threads: 1
    resources:
        mem_mb=memory("find_samples"),
        runtime=minutes("find_samples"),
    params:
        dataset=lambda wildcards: dataset_row(wildcards, "dataset", "sample_key"),
        files=lambda wildcards: only(
            records("files", wildcards.dataset), "sample", "role", "path"
        ),
        code=code_digest("find_samples"),
    script:
        "../scripts/find_samples.py"
