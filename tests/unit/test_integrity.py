"""Results that are damaged, or of another sample, are told as such."""

import hashlib
import shutil

import h5py
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from anndata import AnnData
from scipy import sparse

from osteotalk import contract, io
from osteotalk.ingest.errors import IngestError
from osteotalk.integrity import DamagedError

AGAIN = "Delete this file and run the same command again, which makes it anew"


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "results" / "cohort" / "samples"


def edges(sample, n=2_000):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            name: [sample if name == "sample" else "cohort" if name == "dataset" else "x"] * n
            if kind == contract.TEXT
            else rng.integers(0, 99, n)
            if kind == contract.INTEGER
            else rng.random(n)
            for name, kind in contract.TABLES["interactions"].items()
        }
    )
    return contract.conform(frame, table="interactions")


@pytest.fixture
def table(folder):
    path = folder / "OS1" / "interactions.parquet"
    io.write_parquet(edges("OS1"), path, table="interactions")
    return path


def read(path):
    return io.read_parquet(path, table="interactions")


def read_some(path):
    return io.read_columns(path, ["sample", "p_value"], table="interactions", sample="OS1")


def cells(sample, n=40):
    rng = np.random.default_rng(1)
    obs = pd.DataFrame(
        dict.fromkeys(contract.OBS["counts"], "x"), index=[f"c{i}" for i in range(n)]
    )
    obs["dataset"], obs["sample"] = "cohort", sample
    counts = sparse.csr_matrix(rng.poisson(1, (n, 300)).astype(np.float32))
    return AnnData(counts, obs=obs, var=pd.DataFrame(index=[f"G{i}" for i in range(300)]))


@pytest.fixture
def stage(folder):
    path = folder / "OS1" / "counts.h5ad"
    io.write_stage(cells("OS1"), path, stage="counts")
    return path


def test_a_table_says_whose_it_is_and_is_what_it_was(table):
    assert pq.read_schema(table).metadata[b"osteotalk"] == b'{"dataset": "cohort", "sample": "OS1"}'
    pd.testing.assert_frame_equal(read(table), edges("OS1"))
    pd.testing.assert_frame_equal(pd.read_parquet(table), edges("OS1"))


@pytest.mark.parametrize("reader", [read, read_some])
@pytest.mark.parametrize("n", [0, 2_000])
def test_the_table_of_another_sample(table, folder, reader, n):
    other = folder / "OS2" / "interactions.parquet"
    io.write_parquet(edges("OS2", n), other, table="interactions")
    shutil.copy(other, table)
    with pytest.raises(DamagedError) as caught:
        reader(table)
    assert str(caught.value) == (
        f"{table} belongs to sample 'OS1', but holds sample 'OS2'. {AGAIN}"
    )
    shutil.copytree(table.parents[2], table.parents[3] / "second")
    with pytest.raises(DamagedError, match="to dataset 'second', but holds dataset 'cohort'"):
        reader(table.parents[3] / "second/samples/OS2/interactions.parquet")
    assert len(reader(shutil.copy(other, folder.parents[2] / "a copy of mine.parquet"))) in (0, n)


@pytest.mark.parametrize("reader", [read, read_some])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
def test_a_table_that_is_cut_off(table, reader, share):
    raw = table.read_bytes()
    table.write_bytes(raw[: int(share * len(raw))])
    with pytest.raises(DamagedError, match=rf"{table.name} \([\d,]+ bytes\) is cut off or damaged"):
        reader(table)


def test_no_flipped_byte_of_a_table_goes_unseen(table):
    raw, rng, seen = table.read_bytes(), np.random.default_rng(0), 0
    before = read(table)
    for place in rng.choice(len(raw), 60, replace=False):
        changed = bytearray(raw)
        changed[place] ^= 1 << int(rng.integers(8))
        table.write_bytes(changed)
        try:
            found = read(table)
        except (DamagedError, contract.ContractError):
            seen += 1
        else:
            pd.testing.assert_frame_equal(found, before)
    assert seen > 30


def test_cells_of_another_sample(stage, folder):
    io.write_stage(cells("OS2"), folder / "OS2" / "counts.h5ad", stage="counts")
    shutil.copy(folder / "OS2" / "counts.h5ad", stage)
    with pytest.raises(DamagedError, match=r"belongs to sample 'OS1', but holds sample 'OS2'"):
        io.read_stage(stage, stage="counts")
    with pytest.raises(DamagedError, match=rf"but holds sample 'OS2'\. {AGAIN}"):
        io.read_obs(stage, stage="counts")


@pytest.mark.parametrize("size", [0, 100, 5_000])
def test_cells_that_are_cut_off(stage, size):
    stage.write_bytes(stage.read_bytes()[:size])
    words = rf"counts.h5ad \({size:,} bytes\) is cut off or damaged; reading it says OSError: "
    with pytest.raises(DamagedError, match=words) as caught:
        io.read_stage(stage, stage="counts")
    assert str(caught.value).endswith(AGAIN)


def test_a_flipped_byte_of_the_counts(stage):
    with h5py.File(stage) as file:
        chunk = file["X/data"].id.get_chunk_info(0)
    raw = bytearray(stage.read_bytes())
    raw[chunk.byte_offset + chunk.size // 2] ^= 4
    stage.write_bytes(raw)
    with pytest.raises(DamagedError, match=r"counts.h5ad \(.* is cut off or damaged"):
        io.read_stage(stage, stage="counts")


def test_results_do_not_lead_out_of_their_file(stage):
    with h5py.File(stage, "a") as file:
        file["uns/x"] = h5py.ExternalLink("other.h5", "/")
    for read_it in (io.read_stage, io.read_obs):
        with pytest.raises(IngestError, match=r"'uns/x' is a link to another file \(other\.h5\)"):
            read_it(stage, stage="counts")


def test_the_same_cells_give_the_same_bytes_whatever_was_in_memory(tmp_path):
    rng, adata, held = np.random.default_rng(0), cells("OS1", 2_000), []
    digests = set()
    for i in range(12):
        held.append(bytearray(int(rng.integers(1, 300_000))))
        held = held[::2] if i % 3 == 0 else held
        io.write_stage(adata, tmp_path / "x.h5ad", stage="counts")
        digests.add(hashlib.sha256((tmp_path / "x.h5ad").read_bytes()).hexdigest())
    assert len(digests) == 1
    with h5py.File(tmp_path / "x.h5ad") as file:
        assert file["X/data"].compression == "gzip"  # lzf gave two results in sixty writes


@pytest.mark.parametrize(("text", "what"), [("", "it is empty"), ("a\tb\n1\t", "has no end")])
def test_a_table_of_text_that_is_cut_off(tmp_path, text, what):
    (tmp_path / "x.tsv").write_text(text)
    with pytest.raises(DamagedError, match=rf"x.tsv is cut off or damaged: .*{what}\. {AGAIN}"):
        io.read_tsv(tmp_path / "x.tsv", table="agreement")


@pytest.mark.parametrize("text", ["", '{"a": 1', '{"a": "\x00'])
def test_a_json_file_that_is_cut_off(tmp_path, text):
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(DamagedError, match=rf"x.json .* is cut off or damaged; .*{AGAIN}"):
        io.read_json(tmp_path / "x.json")


def test_a_file_that_is_not_there_is_not_called_damaged(folder):
    for read_it in (io.read_json, read):
        with pytest.raises(FileNotFoundError):
            read_it(folder / "none")
