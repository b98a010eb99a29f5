"""Memory and time that each rule asks for, from the size of its input.

Needs    nothing
Makes    nothing

The numbers are above what benchmarks/resources.py found (benchmarks/resources.tsv), by a quarter or
more; tests/workflow/test_resources.py holds them to that. A job that is killed for memory or time
asks for more on the next try, where the profile lets it try again (retries).
"""

# rule: MB at least, MB for each MB of input, minutes at least, minutes for each 100 MB of input
NEEDS = {
    "simulate_cohort": (3000, 0, 20, 0),
    "ingest_sample": (1000, 15, 15, 10),
    "check_samples": (1000, 0, 10, 0),
    "list_genes": (1000, 0, 10, 0),
    "filter_cells": (1000, 105, 20, 40),
    "integrate_cohort": (2000, 14, 30, 60),
    "annotate_cells": (2000, 11, 30, 40),
    "build_resource": (1500, 0, 15, 0),
    "score_interactions": (1500, 8, 30, 40),
    "cross_check_sample": (2000, 12, 60, 60),
    "summarise_support": (1500, 10, 20, 5),
    "build_network": (1500, 10, 10, 2),
    "compare_clones": (1500, 9, 20, 20),
    "check_claims": (1500, 1, 15, 2),
    "gather_evidence": (2000, 10, 30, 40),
    "calibrate_cohort": (1500, 8, 60, 100),
    "combine_verdicts": (1500, 1, 10, 0),
    "test_setting": (4000, 9, 60, 60),
    "compare_settings": (1500, 1, 10, 0),
    "compare_with_truth": (2000, 8, 20, 20),
    "write_provenance": (1500, 0, 10, 1),
    "render_report": (2000, 6, 30, 20),
    "partial_report": (4000, 0, 60, 0),
    "find_samples": (2000, 0, 60, 0),
    "list_members": (2000, 0, 60, 10),
    "download_file": (500, 0, 600, 0),
}
# Rules that do their work in several processes, each of which takes its part of the memory.
MOST_PROCESSES = 4


def memory(rule, times=1, sharing=lambda wildcards: 1):
    """Megabytes of a job.

    `times` is for rules that need a multiple under some setting. `sharing` gives how many samples
    lie in the input, of which the job reads its own; of the whole it may take a part as well.
    """
    least, per_mb, _, _ = NEEDS[rule]

    def asked(wildcards, input, attempt, threads):
        n = sharing(wildcards)
        size = input.size_mb * (1 if n == 1 else 1 / n + 1 / 6)
        return round(times * attempt * (least * (1 + threads) / 2 + per_mb * size))

    return asked


def minutes(rule):
    """Minutes after which a cluster may take a job for lost."""
    _, _, least, per_100_mb = NEEDS[rule]
    return lambda wildcards, input, attempt: round(
        attempt * (least + per_100_mb * input.size_mb / 100)
    )
