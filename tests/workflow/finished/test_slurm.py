"""The reduced cohort once more, each job through Slurm."""

import shutil

import pytest

pytestmark = pytest.mark.slow

TARGETS = ("evidence.tsv", "support.parquet")  # what follows is one job after another
AT_ONCE = ("--slurm-init-seconds-before-status-checks", "1", "--latency-wait", "5")


def test_slurm_gives_the_bytes_of_the_local_run(finished, slurm):
    """From the files of the cohort to its evidence; without accounting, sacct never answers."""
    other = finished.run.parent / "slurm"
    shutil.copytree(finished.run / "resources", other / "resources")
    (other / "results").mkdir()
    for path in (finished.run / "results").glob("resource.*"):  # older than the files of the cohort
        shutil.copy2(path, other / "results")
    targets = [f"results/simulated_os/{name}" for name in TARGETS]
    profile = finished.copy / "workflow" / "profiles" / "slurm"
    text = finished.snakemake(
        *(*targets, "--workflow-profile", str(profile), *AT_ONCE),
        config=finished.small,
        folder=other,
        cores=None,  # as many jobs side by side as the cluster takes
        environment=slurm.environment,
        timeout=1200,
    )
    # Reading and filtering are one job of each of the seven samples.
    assert text.count("has been submitted with SLURM jobid") == 7 + 2 + 7 + 2
    made = [path for path in (other / "results").rglob("*") if path.is_file()]
    assert {other / target for target in targets} <= set(made)
    differ = [
        path
        for path in (file.relative_to(other) for file in made)
        if (other / path).read_bytes() != (finished.run / path).read_bytes()
    ]
    assert differ == []
