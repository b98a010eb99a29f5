"""Which cohorts of a run are complete, why the others are not, and what an old report leaves."""

import os
from types import SimpleNamespace

import pandas as pd
import pytest

from osteotalk import failures
from osteotalk.failures import failure
from osteotalk.ingest.errors import IngestError
from osteotalk.report import write_report
from osteotalk.report.html.write import remove_stale
from osteotalk.report.partial import (
    PartialError,
    Product,
    complete_cohorts,
    missing_cohorts,
    missing_reason,
)
from osteotalk.workflow import job_log


@pytest.fixture
def run(tmp_path, monkeypatch):
    """The folder of a run; `log` makes the log of a job that failed, as jobs do."""
    monkeypatch.chdir(tmp_path)

    def log(path, error, *, age=0):
        with pytest.raises(SystemExit), job_log(SimpleNamespace(log=[path])):
            print("before")  # noqa: T201
            raise error
        since = 1_700_000_000 - age
        os.utime(path, (since, since))

    def made(path, *, age=0, size=1):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(b"x" * size)
        since = 1_700_000_000 - age
        os.utime(path, (since, since))

    return SimpleNamespace(folder=tmp_path, log=log, made=made)


def counts(sample):
    return Product(
        f"results/mine/samples/{sample}/counts.h5ad",
        rule="ingest_sample",
        log=f"logs/ingest_sample/mine/{sample}.log",
        of=sample,
        step=1,
    )


ANNOTATED = Product(
    "results/mine/annotated.h5ad", rule="annotate_cells", log="logs/annotate_cells/mine.log", step=2
)
COHORT = [counts("A"), counts("B"), ANNOTATED]


def test_a_complete_cohort_has_no_reason(run):
    for product in COHORT:
        run.made(product.path)
    assert missing_reason(COHORT) == ""


def test_the_error_of_a_failed_job_is_told_with_its_sample_rule_and_log(run):
    run.log(COHORT[0].log, IngestError("sample A: matrix.gz is damaged; copy it again"))
    assert missing_reason(COHORT) == (
        "ingest_sample of A failed: sample A: matrix.gz is damaged; copy it again\n"
        "(log: logs/ingest_sample/mine/A.log)"
    )


def test_the_newest_of_several_errors_is_told_and_the_others_are_named(run):
    run.log(COHORT[0].log, IngestError("the older"), age=60)
    run.log(COHORT[1].log, IngestError("the newer"))
    reason = missing_reason(COHORT)
    assert reason.startswith("ingest_sample of B failed: the newer\n")
    assert reason.endswith("\nFailed as well: ingest_sample of A")
    assert "the older" not in reason


def test_many_failed_jobs_are_counted(run):
    cohort = [counts(f"S{i:02d}") for i in range(15)]
    for product in cohort:
        run.log(product.log, IngestError("broken"))
    reason = missing_reason(cohort)
    assert reason.count("ingest_sample of") == 11
    assert reason.endswith(" and 4 more")


def test_an_error_that_was_put_right_is_no_reason(run):
    """The log of the job that made the file is overwritten; one left over does not count."""
    run.log(COHORT[0].log, IngestError("old"))
    run.made(COHORT[0].path)
    assert missing_reason(COHORT) == (
        "not run to its end: results/mine/samples/B/counts.h5ad, and 1 more file are not there"
    )
    run.made(COHORT[1].path)
    assert missing_reason(COHORT) == (
        "not run to its end: results/mine/annotated.h5ad is not there"
    )
    run.made(ANNOTATED.path)
    assert missing_reason(COHORT) == ""


def test_a_log_without_an_error_is_no_reason(run):
    with job_log(SimpleNamespace(log=[ANNOTATED.log])):
        print("Traceback is a word")  # noqa: T201
    assert "not run to its end" in missing_reason([ANNOTATED])


def test_a_download_that_failed_is_the_reason_and_a_deleted_one_is_none(run):
    file = Product(
        "resources/mine/a.tar",
        rule="download_file",
        log="logs/download_file/mine/a.tar.log",
        of="a.tar",
        needed=False,
    )
    for product in COHORT:
        run.made(product.path)
    assert missing_reason([file, *COHORT]) == ""
    (run.folder / ANNOTATED.path).unlink()
    run.log(file.log, OSError("no route to host"))
    assert missing_reason([file, *COHORT]) == (
        "download_file of a.tar failed: OSError: no route to host\n"
        "(log: logs/download_file/mine/a.tar.log)"
    )


def test_results_older_than_what_they_are_made_from_are_told(run):
    """As Snakemake does: large files by their time, small ones by their content."""
    run.made(COHORT[0].path, size=1_000_001)
    run.made(COHORT[1].path)
    run.made(ANNOTATED.path, age=1)
    assert missing_reason(COHORT) == (
        "not run to its end: results/mine/annotated.h5ad is older than "
        "results/mine/samples/A/counts.h5ad, which it is made from"
    )
    run.made(COHORT[0].path, size=1_000_000)
    assert missing_reason(COHORT) == ""
    run.made(COHORT[0].path, size=1_000_001, age=1)
    assert missing_reason(COHORT) == ""


def text_of(tmp_path, text):
    path = tmp_path / "job.log"
    path.write_text(text)
    return failure(path)


FRAMES = 'Traceback (most recent call last):\n  File "a.py", line 1, in <module>\n    raise x\n'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", ""),
        ("all is well\n", ""),
        (FRAMES + "ValueError: bad\n", "ValueError: bad"),
        (FRAMES + "MemoryError\n", "MemoryError"),
        (FRAMES + "KeyError: 'population'\n", "KeyError: 'population'"),
        (FRAMES + "zlib.error: Error -3\n", "error: Error -3"),
        (FRAMES + "osteotalk.tables.model.TableError: 2 problems\n", "2 problems"),
        (FRAMES + "osteotalkish.Error: x\n", "Error: x"),
        (FRAMES + "no exception at all: x\n", "no exception at all: x"),
        (FRAMES, "stopped without a message"),
        (
            FRAMES + "osteotalk.a.B: my.tsv has 2 problems:\n  line 3: x\n\n  line 4: y\n",
            "my.tsv has 2 problems:\n  line 3: x\n  line 4: y",
        ),
        (
            FRAMES
            + "OSError: first\n\nThe above exception was the direct cause of the following "
            + "exception:\n\n"
            + FRAMES
            + "ValueError: second\n",
            "ValueError: second",
        ),
    ],
)
def test_the_message_of_a_log(tmp_path, text, told):
    assert text_of(tmp_path, text) == told


def test_long_messages_are_shortened_and_say_so(tmp_path):
    lines = "".join(f"line {i}\n" for i in range(20))
    told = text_of(tmp_path, f"{FRAMES}ValueError: many\n{lines}")
    assert told.splitlines()[0] == "ValueError: many"
    assert len(told.splitlines()) == failures.MOST_LINES
    assert told.endswith("line 6 … (the rest is in the log)")
    told = text_of(tmp_path, f"{FRAMES}ValueError: {'é' * 5000}\n")
    assert len(told) < failures.MOST_LETTERS + 40
    assert told.endswith("é … (the rest is in the log)")


def test_a_log_that_is_no_text_does_not_stop_the_report(tmp_path):
    (tmp_path / "job.log").write_bytes(FRAMES.encode() + b"ValueError: \xff\n")
    assert failure(tmp_path / "job.log") == "ValueError: \ufffd"
    assert failure(tmp_path / "none.log") == ""


@pytest.fixture
def two(run):
    """Files and results of two cohorts; that of `good` is complete."""
    results = {
        name: {"evidence": [f"results/{name}/evidence.tsv"], "truth": []}
        for name in ("good", "bad")
    }
    run.made("results/good/evidence.tsv")
    pd.DataFrame({"claim_id": ["C1", "C2"]}).to_csv("results/good/evidence.tsv", sep="\t")
    products = {name: [{"path": paths["evidence"][0]}] for name, paths in results.items()}
    return SimpleNamespace(results=results, products=products)


def claims(*names):
    return pd.DataFrame({"claim_id": names})


def test_cohorts_are_told_apart(two):
    missing = missing_cohorts(two.products, two.results, claims("C1", "C2"))
    assert missing == {"bad": "not run to its end: results/bad/evidence.tsv is not there"}
    assert complete_cohorts(two.products, missing) == ["good"]


def test_evidence_on_other_claims_is_not_reported(two):
    missing = missing_cohorts(two.products, two.results, claims("C2", "C3"))
    assert missing["good"] == (
        "not run to its end: results/good/evidence.tsv is on other claims than the table of "
        "claims now has (2 differ: C1, C3)"
    )


def test_no_complete_cohort_is_an_error_with_all_reasons():
    with pytest.raises(PartialError, match="no cohort of this run is complete") as error:
        complete_cohorts(["a", "b"], {"a": "first reason", "b": "second reason"})
    assert str(error.value).endswith("\n- a: first reason\n- b: second reason")


def test_a_complete_run_is_refused():
    with pytest.raises(PartialError, match=r"all cohorts of this run \(a, b\) are there"):
        complete_cohorts(["a", "b"], {})


def names_in(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def test_pages_of_an_earlier_report_are_removed_and_nothing_else(tmp_path):
    write_report({"index.html": "1", "old.html": "1", "claims/C1.html": "1"}, tmp_path)
    (tmp_path / "notes.html").write_text("of the reader")
    (tmp_path / "claims" / "notes.txt").write_text("of the reader")
    write_report({"index.html": "2", "new.html": "2"}, tmp_path)
    assert names_in(tmp_path) == [
        ".files.txt",
        "claims/notes.txt",
        "index.html",
        "new.html",
        "notes.html",
    ]
    assert (tmp_path / ".files.txt").read_text() == "index.html\nnew.html\n"


def test_without_a_list_nothing_is_removed(tmp_path):
    (tmp_path / "old.html").write_text("x")
    write_report({"index.html": "1"}, tmp_path)
    assert (tmp_path / "old.html").exists()


def test_copies_are_part_of_the_report(tmp_path):
    source = tmp_path / "edges.parquet"
    source.write_bytes(b"x")
    report = tmp_path / "report"
    write_report({"index.html": "1"}, report, copies={"assets/e.parquet": str(source)})
    write_report({"index.html": "1"}, report)
    assert names_in(report) == [".files.txt", "index.html"]
    assert source.exists()


@pytest.mark.parametrize("name", ["../victim", "{outside}", "link/victim", "linked", "", "folder"])
def test_a_list_cannot_remove_what_is_elsewhere(tmp_path, name):
    outside = tmp_path / "victim"
    outside.write_text("precious")
    root = tmp_path / "report"
    (root / "folder").mkdir(parents=True)
    (root / "link").symlink_to(tmp_path)
    (root / "linked").symlink_to(outside)
    (root / "index.html").write_text("x")
    (root / ".files.txt").write_text(name.format(outside=outside) + "\n\0\n")
    remove_stale(root, ["index.html"])
    assert outside.read_text() == "precious"
    assert (root / "linked").is_symlink()
    assert (root / "folder").is_dir()
    assert (root / "index.html").exists()


def test_one_file_under_two_names_is_kept(tmp_path):
    """As on a disk where capitals do not count."""
    (tmp_path / "A.html").write_text("x")
    (tmp_path / "a.html").hardlink_to(tmp_path / "A.html")
    (tmp_path / ".files.txt").write_text("A.html\n")
    remove_stale(tmp_path, ["a.html"])
    assert (tmp_path / "a.html").read_text() == "x"
