"""The profile for Slurm on a real cluster: second tries, CPUs, and the cluster of the tests itself.

That a whole run gives the bytes of a local one is in finished/test_slurm.py.
"""

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

AT_ONCE = ("--slurm-init-seconds-before-status-checks", "1", "--latency-wait", "5")
# Two jobs that are killed at their first try, side by side, and one that asks for many CPUs.
SNAKEFILE = """
rule both:
    input: "memory.txt", "time.txt"
    output: "both.txt"
    threads: 4
    shell: "echo {threads} $SLURM_CPUS_PER_TASK > {output}"

rule memory:
    output: "memory.txt"
    log: "memory.log"
    resources: mem_mb=lambda wildcards, attempt: 600 * attempt
    shell:
        "echo {resources.mem_mb} >> tries.txt; "
        "python3 -c 'import time; x = bytearray(700 * 2**20); time.sleep(5)' 2> {log}; "
        "echo {resources.mem_mb} > {output}"

rule time:
    output: "time.txt"
    resources: runtime=lambda wildcards, attempt: attempt
    params: seconds=lambda wildcards, resources: 300 if resources.runtime == 1 else 0
    shell: "sleep {params.seconds}; echo {resources.runtime} > {output}"
"""


def test_a_job_killed_for_memory_or_time_succeeds_with_more(repository, slurm, tmp_path):
    """Also a job with more threads than the node has CPUs, which would wait for ever."""
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    profile = repository / "workflow" / "profiles" / "slurm"
    command = [sys.executable, "-m", "snakemake", "both.txt", "--workflow-profile", str(profile)]
    done = subprocess.run(
        [*command, *AT_ONCE, "--nocolor"],
        cwd=tmp_path,
        env=slurm.environment,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    text = done.stdout + done.stderr
    assert done.returncode == 0, text[-6000:]
    assert (tmp_path / "tries.txt").read_text().split() == ["600", "1200"]
    assert (tmp_path / "memory.txt").read_text() == "1200\n"
    assert (tmp_path / "time.txt").read_text() == "2\n"
    assert (tmp_path / "both.txt").read_text() == "2 2\n"
    # Each is told with what Slurm says, and only the first tries failed.
    assert len(re.findall(r"SLURM-job '\d+' failed, SLURM status is: '\w+'", text)) == 2
    assert "SLURM status is: 'TIMEOUT'" in text
    (said,) = (tmp_path / ".snakemake/slurm_logs/rule_memory").rglob("*.log")
    assert re.search(r"exceeded memory limit \(\d+ > 629145600\), being killed", said.read_text())


def test_a_cluster_runs_beside_another_and_leaves_nothing_behind(slurm):
    with type(slurm)() as second:
        assert second.ask("sinfo", "-h", "-o", "%t %c").split() == ["idle", "2"]
        assert second.ask("scontrol", "show", "config") != slurm.ask("scontrol", "show", "config")
        ids = [daemon.pid for daemon in second.daemons]
        assert all(Path(f"/proc/{pid}").exists() for pid in ids)
    assert len(ids) == 3
    assert not any(Path(f"/proc/{pid}").exists() for pid in ids)
    assert not second.folder.exists()
    assert slurm.ask("sinfo", "-h", "-o", "%P").strip() == "main*"
    assert "accounting_storage/none" in slurm.ask("scontrol", "show", "config")
