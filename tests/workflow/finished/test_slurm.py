"""The reduced cohort once more, each job through Slurm."""

import pytest

pytestmark = pytest.mark.slow

TARGETS = ("evidence.tsv", "support.parquet")  # what follows is one job after another
AT_ONCE = ("--slurm-init-seconds-before-status-checks", "1", "--latency-wait", "5")


def test_slurm_gives_the_bytes_of_the_local_run(finished, slurm):
    """Up to the evidence; on a cluster without accounting, where waiting for sacct never ends."""
    other = finished.run.parent / "slurm"
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
    assert "SLURM jobid" in text
    made = [path.relative_to(other) for path in other.rglob("results/**/*") if path.is_file()]
    made += [path.relative_to(other) for path in other.rglob("resources/**/*") if path.is_file()]
    assert len(made) > 60
    assert all((other / target) in [other / path for path in made] for target in targets)
    differ = [
        str(path)
        for path in made
        if (other / path).read_bytes() != (finished.run / path).read_bytes()
    ]
    assert differ == []
