"""A run in which one cohort fails, and the report of the other."""

import gzip
import html
import re
import shutil

import pandas as pd
import pytest
import yaml

from osteotalk import io

pytestmark = pytest.mark.slow

ROLES = ("matrix", "barcodes", "features")


def with_broken_cohort(config, tables, folder):
    """Config of the finished run with a second cohort, whose file of counts is cut off."""
    rows = {
        "datasets": [{"dataset": "mine", "title": "My cohort", "source": "local"}],
        "samples": [{"dataset": "mine", "sample": "A1", "patient": "A", "condition": "primary"}],
        "files": [
            {"dataset": "mine", "sample": "A1", "role": role, "path": f"{role}.gz"}
            for role in ROLES
        ],
    }
    for name, added in rows.items():
        table = pd.read_csv(tables / f"{name}.tsv", sep="\t", dtype=str, comment="#")
        own = table[table["dataset"] == "simulated_os"]
        joined = pd.concat([own, pd.DataFrame(added)], ignore_index=True)
        joined.to_csv(folder / f"my_{name}.tsv", sep="\t", index=False)
    for role in ROLES:
        (folder / f"{role}.gz").write_bytes(gzip.compress(b"x" * 5000)[:-10])
    return {
        **config,
        "datasets": ["simulated_os", "mine"],
        "tables": {name: f"my_{name}.tsv" for name in rows},
    }


def times(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def rules_run(text):
    return re.findall(r"^(?:local)?rule (\w+):", text, re.MULTILINE)


def test_one_of_two_cohorts_fails(finished, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(finished.run, folder, symlinks=True)
    config = with_broken_cohort(finished.small, finished.copy / "config", folder)
    before = times(folder / "results" / "simulated_os")

    text = finished.snakemake("--keep-going", config=config, folder=folder, fails=True)
    # nothing of the other cohort has to run again
    assert set(rules_run(text)) == {"ingest_sample"}
    hint = "Some jobs failed. A report of the cohorts that are complete: snakemake --cores 1 "
    assert text.endswith(f"{hint}partial_report --configfile {folder / 'config.yaml'}\n")
    last = text.partition("At least one job did not complete successfully.\n")[2]
    assert "\ningest_sample of sample A1 of cohort mine failed: sample 'A1' of cohort " in last
    assert "There are two ways on: repair the file and run the same command again; or " in last
    assert "status retired in its row of my_samples.tsv" in last
    assert "(log: logs/ingest_sample/mine/A1.log)\n" in last

    text = finished.snakemake("partial_report", config=config, folder=folder, cores=1)
    assert rules_run(text) == ["partial_report"]
    assert times(folder / "results" / "simulated_os") == before
    assert not (folder / "results/mine/samples/A1/counts.h5ad").exists()

    report = folder / "results" / "partial_report"
    index = html.unescape((report / "index.html").read_text(encoding="utf-8"))
    assert "PARTIAL REPORT" in index
    assert "ingest_sample of A1 failed: " in index
    assert "matrix.gz is text that begins" in index
    assert "logs/ingest_sample/mine/A1.log" in index
    assert not (report / "mine.html").exists()
    assert "PARTIAL REPORT" in (report / "simulated_os.html").read_text(encoding="utf-8")
    assert "PARTIAL REPORT" not in (finished.run / "results/report/index.html").read_text()

    for name in ("verdicts", "evidence", "published", "therapies", "calibration"):
        mine = (report / "tables" / f"{name}.tsv").read_bytes()
        assert mine == (finished.run / "results" / "claims" / f"{name}.tsv").read_bytes(), name
    verdicts = io.read_tsv(report / "tables" / "verdicts.tsv", table="verdicts")
    assert all(re.search(rf"\b{claim}\b", index) for claim in verdicts["claim_id"])
    told = io.read_json(report / "tables" / "provenance.json")
    assert {row["dataset"] for row in told["files"]} == {"simulated_os"}
    assert yaml.safe_load((folder / "config.yaml").read_text())["datasets"] == [
        "simulated_os",
        "mine",
    ]

    again = finished.snakemake("partial_report", config=config, folder=folder, cores=1)
    assert "Nothing to be done" in again

    # what is left of a report of a part must not stand for a run that is complete
    text = finished.snakemake(
        "partial_report", config=finished.small, folder=folder, cores=1, fails=True
    )
    assert "the results of all cohorts of this run (simulated_os) are there" in text
    assert hint not in text
    assert not (report / "index.html").exists()


def test_a_cohort_is_tested_without_waiting_for_the_others(project):
    """Else none could be reported when one cannot be read."""
    rows = {
        "datasets": [(name, name, "local") for name in ("one", "two")],
        "samples": [(name, "S", "P", "primary") for name in ("one", "two")],
        "files": [(name, "S", "h5", f"{name}.h5") for name in ("one", "two")],
    }
    columns = {
        "datasets": ["dataset", "title", "source"],
        "samples": ["dataset", "sample", "patient", "condition"],
        "files": ["dataset", "sample", "role", "path"],
    }
    for name, table in rows.items():
        frame = pd.DataFrame(table, columns=columns[name])
        frame.to_csv(project.run / f"my_{name}.tsv", sep="\t", index=False)
    for name in ("one", "two"):
        (project.run / f"{name}.h5").write_bytes(b"x")
    tables = {name: f"my_{name}.tsv" for name in rows}
    config = {"datasets": ["one", "two"], "tables": tables}
    for target in ("evidence.tsv", "calibration.tsv"):
        text = project.snakemake("-n", f"results/one/{target}", config=config)
        assert "gather_evidence" in rules_run(text)
        assert "results/two/" not in text
    text = project.snakemake("-n", "results/claims/verdicts.tsv", config=config)
    assert "check_claims" in rules_run(text)  # it takes all cohorts
