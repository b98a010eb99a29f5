import gzip
import tracemalloc

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import sparse

from osteotalk.ingest import IngestError, table_text

COUNTS = np.array([[1, 0, 2], [0, 0, 0], [0, 3, 4], [5, 0, 0]])  # cells x genes
GENES = ["SPP1", "CD44", "MT-CO1"]
BARCODES = ["AAA-1", "CCC-1", "GGG-1", "TTT-1"]


def read(files):
    return table_text.read(files, sample="S1", sample_key="")


def write_table(path, *, separator="\t", corner="gene", quote="", newline="\n", counts=COUNTS):
    def line(fields):
        return separator.join(f"{quote}{field}{quote}" for field in fields)

    head = ([] if corner is None else [corner]) + BARCODES
    body = [
        line([gene]) + separator + separator.join(map(str, row))
        for gene, row in zip(GENES, counts.T.tolist(), strict=True)
    ]
    content = (newline.join([line(head), *body]) + newline).encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return {"table": str(path)}


@pytest.mark.parametrize("name", ["counts.csv", "counts.csv.gz"])
@pytest.mark.parametrize("separator", [",", "\t", ";"])
@pytest.mark.parametrize("corner", ["gene", "", None])
@pytest.mark.parametrize("quote", ["", '"'])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_table(tmp_path, name, separator, corner, quote, newline):
    files = write_table(
        tmp_path / name, separator=separator, corner=corner, quote=quote, newline=newline
    )
    adata = read(files)
    np.testing.assert_array_equal(adata.X.toarray(), COUNTS)
    assert sparse.isspmatrix_csr(adata.X)
    assert list(adata.var_names) == GENES
    assert list(adata.obs_names) == BARCODES


def test_table_in_blocks_of_one_row_is_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(table_text, "_BLOCK_VALUES", 1)
    adata = read(write_table(tmp_path / "counts.tsv"))
    np.testing.assert_array_equal(adata.X.toarray(), COUNTS)


def test_names_with_the_separator_in_quotes(tmp_path):
    path = tmp_path / "counts.csv"
    path.write_text('\ufeff"","A,1","B"\n"x,""y""",1,2\n\nz,"3",4.5\n', encoding="utf-8")
    adata = read({"table": str(path)})
    assert list(adata.var_names) == ['x,"y"', "z"]
    assert list(adata.obs_names) == ["A,1", "B"]
    np.testing.assert_array_equal(adata.X.toarray(), [[1, 3], [2, 4.5]])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("g,A,B\nX,1,2\nY,1\n", "x.csv line 3: 1 values for gene 'Y', but there are 2 cells"),
        ("g,A,B\nX,1,2\nY,1,2,3\n", "line 3: 3 values for gene 'Y', but there are 2 cells"),
        ("g,A,B\nX,1,2\n\nY,1,\n", r"line 4: '' \(gene 'Y', column 'B'\) is no number"),
        ("g,A,B\nX,1,2\nY,NA,1\n", r"line 3: 'NA' \(gene 'Y', column 'A'\) is no number"),
        ("g,A,B\nX,1,2\nY\n", "line 3: 0 values for gene 'Y', but there are 2 cells; the file may"),
        ("g,A,B\nX,1,2,3,4\n", "line 2: 4 values after the name of the gene, but the first line"),
        ("g,A,B\nX,1\n", "line 2: 1 values after the name of the gene, but the first line has 3"),
        ("g,A,B\n", "has no line after line 1: expected one line per gene"),
        ("g A B\nX 1 2\n", "line 1: no tab, comma or semicolon between names of cells; found 'g A"),
        ("", "line 1: no tab, comma or semicolon"),
    ],
)
def test_tables_that_cannot_be_read(tmp_path, text, message):
    (tmp_path / "x.csv").write_text(text)
    with pytest.raises(IngestError, match=message):
        read({"table": str(tmp_path / "x.csv")})


def test_tables_that_are_damaged_missing_or_no_text(tmp_path):
    path = tmp_path / "counts.tsv.gz"
    write_table(path)
    path.write_bytes(path.read_bytes()[:-12])
    with pytest.raises(IngestError, match="counts.tsv.gz is a truncated or damaged gzip file"):
        read({"table": str(path)})
    with pytest.raises(IngestError, match="none.csv does not exist"):
        read({"table": str(tmp_path / "none.csv")})
    (tmp_path / "x.csv").write_bytes(b"g,A\nX,1\n\xff\xfe,2\n")
    with pytest.raises(IngestError, match="x.csv line 3 is not text"):
        read({"table": str(tmp_path / "x.csv")})


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    counts=st.integers(1, 6).flatmap(
        lambda n: st.lists(st.lists(st.integers(0, 2**40), min_size=n, max_size=n), min_size=1)
    ),
    block=st.integers(1, 20),
    separator=st.sampled_from(",\t;"),
)
def test_any_table_of_counts_agrees_with_pandas(tmp_path_factory, counts, block, separator):
    frame = pd.DataFrame(counts, index=[f"G{i}" for i in range(len(counts))])
    path = tmp_path_factory.mktemp("table") / "x.csv"
    frame.to_csv(path, sep=separator)
    expected = pd.read_csv(path, sep=separator, index_col=0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(table_text, "_BLOCK_VALUES", block)
        adata = read({"table": str(path)})
    np.testing.assert_array_equal(adata.X.toarray(), expected.T)
    assert list(adata.obs_names) == list(expected.columns)


def test_a_wide_table_is_read_in_little_memory(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    n_genes, n_cells = 1_000, 1_000
    counts = rng.poisson(0.05, (n_genes, n_cells))
    path = tmp_path / "counts.csv"
    header = ",".join(f"C{i}" for i in range(n_cells))
    lines = (f"G{i}," + ",".join(map(str, row)) for i, row in enumerate(counts.tolist()))
    path.write_text("\n".join([header, *lines]))
    monkeypatch.setattr(table_text, "_BLOCK_VALUES", 50_000)
    tracemalloc.start()
    adata = read({"table": str(path)})
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    np.testing.assert_array_equal(adata.X.T.toarray(), counts)
    assert peak < 0.8 * 8 * n_genes * n_cells  # less than the dense matrix
