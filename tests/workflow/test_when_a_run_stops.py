"""Runs that are killed, and results that are gone: what is said, and that the next run goes on."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

TARGET = "results/resource.json"  # made by one short job


def start(project):
    """Start a run; give its process and that of its job, once the job has begun."""
    log = project.run / "logs/build_resource.log"
    log.unlink(missing_ok=True)
    command = [sys.executable, "-m", "snakemake", "-s", str(project.copy / "Snakefile")]
    command += ["--directory", str(project.run), "--cores", "1", "--nocolor", TARGET]
    inherited = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    run = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=inherited
    )
    for _ in range(600):
        found = log.is_file() and re.match(r"osteotalk: the job began, process (\d+)\n",
                                           log.read_text())  # fmt: skip
        if found:
            return run, int(found[1])
        time.sleep(0.05)
    run.kill()
    msg = f"the job did not begin: {run.communicate()[0]}"
    raise AssertionError(msg)


def test_a_killed_job_is_told_last_and_the_same_command_goes_on(project):
    run, job = start(project)
    os.kill(job, signal.SIGKILL)
    text = run.communicate(timeout=60)[0]
    assert run.returncode == 1
    *_, told, how = text.splitlines()
    assert told == (
        "build_resource ended without a word, so it was killed, as a rule because memory ran out; "
        "with fewer jobs at a time (--cores 1) the run needs less (log: logs/build_resource.log)"
    )
    assert how.startswith("What is finished is kept. To go on, put right what is said above and ")
    assert how.endswith(f"--cores 1 --nocolor {TARGET}")
    assert not (project.run / TARGET).exists()
    project.snakemake(TARGET)
    assert (project.run / TARGET).stat().st_size > 0


def test_after_a_kill_of_snakemake_itself_the_folder_is_unlocked_and_the_run_goes_on(project):
    run, job = start(project)
    run.kill()
    os.kill(job, signal.SIGKILL)
    run.communicate()
    assert "--unlock" in project.snakemake(TARGET, fails=True)
    project.snakemake("--unlock")
    project.snakemake("--rerun-incomplete", TARGET)
    assert (project.run / TARGET).stat().st_size > 0


@pytest.mark.parametrize(
    ("gone", "rule"),
    [
        ("simulated_os/evidence.tsv", "gather_evidence"),
        ("simulated_os/truth.json", "compare_with_truth"),
        ("simulated_os/programmes.tsv", "gather_evidence"),
        ("claims/therapies.tsv", "combine_verdicts"),
        ("simulated_os/samples/OS1/qc.json", "filter_cells"),
    ],
)
def test_a_result_that_is_gone_is_made_again(made, gone, rule):
    path = made.run / "results" / gone
    path.unlink()
    text = made.snakemake("-n", "--rerun-triggers", "mtime")
    path.write_text("x")
    made.same_age()
    assert f"rule {rule}:" in text
    assert "rule simulate_cohort:" not in text


def test_every_result_that_the_documentation_names_is_asked_for(made, repository):
    text = (repository / "docs/running.md").read_text()
    steps = text.partition("## The steps")[2].partition("## ")[0]
    places = [row.rsplit("|", 2)[1] for row in steps.splitlines() if row.startswith("| ")][2:]
    names = {Path(name).name for place in places for name in re.findall(r"`([^`]+)`", place)}
    names -= {"manifest.tsv", "members.tsv"}  # of downloads
    names = {"report" if name == "index.html" else name for name in names}
    assert len(names) >= 20
    assert names <= {Path(path).name for path in made.all}
