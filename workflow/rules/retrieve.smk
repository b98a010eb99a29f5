"""Put the pairs to score and the files of the cohorts in place.

Needs    the tables of interactions and of the simulation
Makes    results/resource.tsv                          ligand-receptor pairs that are scored
         results/resource.json                         their number, origin and digest
         resources/<simulated dataset>/...             files of the embedded cohort
         resources/<simulated dataset>/truth_*.tsv     what was planted in it
"""


rule build_resource:
    """Take a resource of LIANA, and add and drop the pairs of the table of interactions."""
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
        mem_mb=2000,
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
    log:
        "logs/simulate_cohort.log",
    benchmark:
        "benchmarks/timings/simulate_cohort.tsv"
    conda:
        "../../envs/osteotalk.yaml"
    threads: 1
    resources:
        mem_mb=2000,
    params:
        settings=lookup("simulation", within=config),
        samples=[row for d in SIMULATED for row in records("samples", dataset=d)],
        files=[row for d in SIMULATED for row in records("files", dataset=d)],
        populations=rows("populations"),
        markers=rows("markers"),
        shares=rows("simulation_populations"),
        planted=rows("simulation_edges"),
        code=code_digest("simulate_cohort"),
    script:
        "../scripts/simulate_cohort.py"
