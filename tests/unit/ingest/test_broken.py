"""A sample that cannot be read: what stops, what goes on without it, and what is said."""

import gzip
import json

import numpy as np
import pandas as pd
import pytest

from osteotalk import io
from osteotalk.ingest.broken import _nothing, check_samples, read_or_leave_out
from osteotalk.ingest.errors import IngestError
from osteotalk.ingest.gene_tables import read_symbols
from osteotalk.left_out import analysed
from osteotalk.prepare.integrate import merge_samples
from osteotalk.prepare.qc import filter_cells

ROW = {"dataset": "mine", "sample": "A", "patient": "P1", "condition": "primary"}
WAYS = (
    "There are two ways on: repair the file and run the same command again; or go on without the "
    "sample, by status retired in its row of my_samples.tsv, or by on_sample_failure: skip in the "
    "config for all samples that cannot be read"
)
SETTINGS = {
    "min_counts": 1,
    "min_genes": 1,
    "n_mads": 5,
    "max_pct_mito": 20,
    "max_pct_mito_nucleus": 5,
    "n_mads_mito": 4,
    "doublets_per_1000": 0,
    "ambient": "report",
}


@pytest.fixture
def read(repository):
    symbols = read_symbols(repository / "config" / "gene_symbols.tsv")

    def read(path, *, on_failure="skip", role="table"):
        return read_or_leave_out(
            {role: str(path)},
            sample_row=ROW,
            on_failure=on_failure,
            table="my_samples.tsv",
            symbols=symbols,
        )

    return read


def cut_gzip(path):
    path.write_bytes(gzip.compress(b"gene\tc1\tc2\nCD3E\t1\t2\n" * 500)[:-12])


def web_page(path):
    path.write_text("<!DOCTYPE html><html></html>")


def no_counts(path):
    path.write_text("gene\tc1\tc2\nCD3E\t0.5\t2.25\nCD4\t0.125\t1.5\n")


@pytest.mark.parametrize("spoil", [cut_gzip, web_page, no_counts])
def test_a_sample_is_left_out_or_stops_with_both_ways_on(tmp_path, read, spoil, caplog):
    path = tmp_path / "a.tsv.gz"
    spoil(path)
    with pytest.raises(IngestError) as error:
        read(path, on_failure="stop")
    start = f"sample 'A' of cohort 'mine' ({path}) cannot be read: "
    told, ways = str(error.value).rsplit("\n", 1)
    assert told.startswith(start)
    assert ways == WAYS

    adata, report = read(path)
    assert adata.shape == (0, 0)
    assert start + report["unreadable"] == told
    assert f"sample A ({path}) is left out: {report['unreadable']}" in caplog.text
    json.dumps(report)


def test_what_is_no_fault_of_the_files_is_not_skipped(tmp_path, read, monkeypatch):
    """A bug, a full disk or missing memory must not cost a sample."""
    path = tmp_path / "a.tsv"
    no_counts(path)
    for error in (KeyError("bug"), OSError(28, "No space left"), MemoryError(), ValueError("bug")):

        def fails(*_, error=error, **__):
            raise error

        monkeypatch.setattr("osteotalk.ingest.broken.read_sample", fails)
        with pytest.raises(type(error)):
            read(path)


def test_the_cohort_goes_on_without_it(tmp_path, read):
    """Through the files of each step; the others keep all their genes."""
    path = tmp_path / "a.tsv"
    web_page(path)
    broken, _ = read(path)
    io.write_stage(broken, tmp_path / "counts.h5ad", stage="counts")
    broken = io.read_stage(tmp_path / "counts.h5ad", stage="counts")
    kept, report = filter_cells(broken, sample_row=ROW, seed=0, **SETTINGS)
    assert report["n_cells_kept"] == 0
    io.write_stage(kept, tmp_path / "filtered.h5ad", stage="filtered")
    kept = io.read_stage(tmp_path / "filtered.h5ad", stage="filtered")
    assert analysed([{**ROW, **report, "ingest": broken.uns["ingest"]}]) == []

    counts = np.random.default_rng(0).poisson(3, (30, 4))
    sound = pd.DataFrame(counts.T, ["CD3E", "CD4", "CD8A", "MS4A1"], [f"c{i}" for i in range(30)])
    sound.to_csv(path, sep="\t", index_label="gene")
    good, told = read(path)
    assert analysed([told]) == [told]  # what of a sample was left out is no reason
    good, _ = filter_cells(good, sample_row=ROW, seed=0, **SETTINGS)
    merged = merge_samples([kept, good])
    assert merged.n_obs == good.n_obs > 0
    assert list(merged.var_names) == list(good.var_names)
    assert merged.uns["merge"]["empty_samples"] == []  # not one that lost its cells
    with pytest.raises(ValueError, match=r"no sample has a cell left .* 0 droplets"):
        merge_samples([kept])


def checked(samples, *, min_patients=3, on_failure="skip"):
    """Check samples: name, patient, and whether it cannot be read."""
    return check_samples(
        [_nothing_of(*row) if row[2] else {"sample": row[0], "format": "h5"} for row in samples],
        samples=[{"sample": row[0], "patient": row[1]} for row in samples],
        min_patients=min_patients,
        on_failure=on_failure,
        table="my_samples.tsv",
    )


def _nothing_of(sample, patient, _):
    row = {**ROW, "sample": sample, "patient": patient}
    return _nothing(row, reason=f"{sample}.h5 is cut off", files=f"{sample}.h5")[1]


def test_samples_that_are_left_out_are_listed():
    sound = [(f"S{i}", f"P{i}", False) for i in range(3)]
    assert checked(sound) == checked(sound, on_failure="stop") == []
    (row,) = checked([*sound, ("B", "P9", True)])
    assert row == {
        **ROW,
        "sample": "B",
        "patient": "P9",
        "file": "B.h5",
        "reason": "B.h5 is cut off",
    }


def test_a_sample_that_an_earlier_run_left_out_stops_one_that_must_not():
    with pytest.raises(IngestError) as error:
        checked([("A", "P1", False), ("B", "P2", True)], on_failure="stop")
    assert str(error.value) == (
        "1 of 2 samples of cohort 'mine' cannot be read and were left out by an earlier run:\n"
        f"- B (B.h5): B.h5 is cut off\n{WAYS}"
    )


def test_a_cohort_without_a_sample_fails_with_all_reasons():
    with pytest.raises(IngestError) as error:
        checked([("A", "P1", True), ("B", "P2", True)], min_patients=3)
    assert str(error.value) == (
        "2 of 2 samples of cohort 'mine' cannot be read, so there is nothing to analyse; repair "
        "the files and run again:\n- A (A.h5): A.h5 is cut off\n- B (B.h5): B.h5 is cut off"
    )


@pytest.mark.parametrize(
    ("patients", "enough"),
    [
        ("1233", False),  # P3 has two samples and loses one of them, P4 its only one
        ("1234", True),
        ("12", True),  # it never had as many
    ],
)
def test_too_few_patients_are_left(patients, enough):
    sound = [(f"S{i}", f"P{name}", False) for i, name in enumerate(patients)]
    gone = [("X", "P9" if len(patients) > 2 else "P1", True)]
    found = [*sound, *gone]
    minimum = {"1233": 4, "1234": 4, "12": 4}[patients]
    if enough:
        assert [row["sample"] for row in checked(found, min_patients=minimum)] == ["X"]
        return
    with pytest.raises(IngestError) as error:
        checked(found, min_patients=minimum)
    assert str(error.value) == (
        "1 of 5 samples of cohort 'mine' cannot be read; 3 of 4 patients are left, and "
        "claims.min_patients (4) are needed for a verdict; repair the files and run again, or "
        "take the cohort out of datasets in the config:\n- X (X.h5): X.h5 is cut off"
    )
