"""Put the files of the cohorts in place.

Needs    the tables of the simulation
Makes    resources/<simulated dataset>/...             files of the embedded cohort
         resources/<simulated dataset>/truth_*.tsv     what was planted in it
"""


rule simulate_cohort:
    """Draw the embedded cohort and write it as an archive would hold it."""
    output:
        files=[row["path"] for d in SIMULATED for row in rows("files", dataset=d)],
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
        resource=lookup("interactions/resource", within=config),
        samples=[row for d in SIMULATED for row in rows("samples", dataset=d)],
        files=[row for d in SIMULATED for row in rows("files", dataset=d)],
        populations=rows("populations"),
        markers=rows("markers"),
        interactions=rows("interactions"),
        shares=rows("simulation_populations"),
        planted=rows("simulation_edges"),
        code=code_digest("simulate_cohort"),
    script:
        "../scripts/simulate_cohort.py"
