"""What a user reads of jobs that failed, from the logs that jobs leave."""

import os
import signal
import subprocess
import sys
from types import SimpleNamespace

import pytest

from osteotalk.failures import KILLED, NO_LOG, FailedJob, failure, summary
from osteotalk.ingest.errors import IngestError
from osteotalk.report.partial import Product, missing_reason
from osteotalk.workflow import failed_job, job_log, tell_failures

JOB = """
import os, signal, sys
from types import SimpleNamespace
from osteotalk.workflow import job_log

with job_log(SimpleNamespace(log=[sys.argv[1]])):
    print(sys.argv[2])
    os.kill(os.getpid(), signal.{signal})
"""


def killed(log, *, name="SIGKILL", printed="working"):
    """Run a job that is killed in the middle."""
    command = [sys.executable, "-c", JOB.format(signal=name), str(log), printed]
    done = subprocess.run(command, check=False, capture_output=True)
    assert done.returncode == -getattr(signal, name)


def failed(log, error):
    with pytest.raises(SystemExit), job_log(SimpleNamespace(log=[str(log)])):
        raise error


@pytest.mark.parametrize(
    ("name", "printed"),
    [
        ("SIGKILL", "working"),
        ("SIGTERM", "working"),
        # a library may print a traceback and go on; what the job printed is no end of it
        ("SIGKILL", "it began"),
    ],
)
def test_a_killed_job_is_told_by_a_log_without_an_end(tmp_path, name, printed):
    log = tmp_path / "job.log"
    killed(log, name=name, printed=printed)
    assert printed in log.read_text()
    assert failure(log) == KILLED
    assert "killed, as a rule because memory ran out" in KILLED
    product = Product("none.h5ad", rule="annotate_cells", log=str(log), of="")
    assert missing_reason([product]) == f"annotate_cells {KILLED}\n(log: {log})"


def test_a_job_that_ended_well_or_with_an_error_was_not_killed(tmp_path):
    log = tmp_path / "job.log"
    with job_log(SimpleNamespace(log=[str(log)])):
        print("Traceback (most recent call last):\nValueError: was met")  # noqa: T201
    assert failure(log) == ""
    failed(log, IngestError("a.h5 is cut off"))
    assert failure(log) == "a.h5 is cut off"
    log.write_text("a log of something else\n")
    assert failure(log) == ""
    log.write_text("")
    assert failure(log) == ""


def job(folder, sample, error=None, *, at=1000.0):
    log = folder / f"{sample}.log"
    if error is not None:
        failed(log, error)
        os.utime(log, (at, at))
    return failed_job("ingest_sample", {"dataset": "mine", "sample": sample}, [str(log)])


def test_the_summary_says_rule_sample_cohort_cause_log_and_command(tmp_path):
    one = job(tmp_path, "A", IngestError("a.h5 is cut off; copy it again"))
    assert summary([one], command="snakemake --cores 2") == (
        "ingest_sample of sample A of cohort mine failed: a.h5 is cut off; copy it again "
        f"(log: {tmp_path / 'A.log'})\n"
        "What is finished is kept. To go on, put right what is said above and run the same "
        "command again: snakemake --cores 2\n"
    )


def test_the_newest_are_told_and_the_others_named(tmp_path):
    jobs = [job(tmp_path, f"S{i:02d}", IngestError(f"bad {i}"), at=1000.0 + i) for i in range(16)]
    lines = summary(jobs, command="snakemake").splitlines()
    assert [line.partition("failed: ")[2].partition(" (")[0] for line in lines[:3]] == [
        "bad 15",
        "bad 14",
        "bad 13",
    ]
    assert lines[3].startswith("Failed as well: ingest_sample of sample S12 of cohort mine, ")
    assert lines[3].endswith("S03 of cohort mine and 3 more")
    assert len(lines) == 5


def test_the_log_of_an_earlier_run_is_not_told(tmp_path):
    earlier = job(tmp_path, "A", IngestError("was put right"), at=1000.0)
    none = job(tmp_path, "B")
    text = summary([earlier, none], command="snakemake", since=2000.0)
    assert "was put right" not in text
    assert f"ingest_sample of sample A of cohort mine {NO_LOG} (log: " in text
    assert f"ingest_sample of sample B of cohort mine {NO_LOG} (log: " in text


def test_jobs_without_a_sample_or_a_cohort():
    assert failed_job("render_report", {}, ["x.log"]) == FailedJob("render_report", log="x.log")
    assert failed_job("annotate_cells", {"dataset": "mine"}, []).words == (
        "annotate_cells of cohort mine"
    )
    found = {"dataset": "mine", "setting": "alpha", "value": "0.1"}
    assert failed_job("test_setting", found, []).words == "test_setting of alpha 0.1 of cohort mine"


def test_it_is_the_last_that_is_printed(monkeypatch, capsys):
    later = []
    monkeypatch.setattr("atexit.register", later.append)
    monkeypatch.setattr(sys, "argv", ["/bin/snakemake", "--configfile", "my file.yaml"])
    tell_failures([FailedJob("render_report")], hint="A hint.\n", since=0)
    sys.stderr.write("Snakemake's last words\n")
    (tell,) = later
    tell()
    printed = capsys.readouterr().err
    assert printed.startswith("Snakemake's last words\n\nrender_report ")
    assert printed.endswith("again: snakemake --configfile 'my file.yaml'\nA hint.\n")
