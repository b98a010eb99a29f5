"""Faults of the kinds of ../shared/cases/readers that the folder does not have.

Each is a small cohort of known human genes, written here in the form that has the fault.
"""

import gzip
import tarfile

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from scipy.io import mmwrite

from osteotalk.ingest import IngestError
from osteotalk.ingest.archive import list_members
from osteotalk.ingest.cells import match_cells, same_value, value_texts
from osteotalk.ingest.features import other_kinds
from osteotalk.ingest.gene_names import clean_names, is_date
from osteotalk.ingest.gene_tables import SymbolTable
from osteotalk.ingest.kinds import kind_problem
from osteotalk.ingest.layout import find_matrices
from osteotalk.ingest.members import list_dataset_members
from osteotalk.ingest.sample import read_sample
from osteotalk.liana_file import human_genes

GENES = sorted(human_genes())[:150]
N_CELLS = 60
ROW = {"dataset": "d", "sample": "S1", "patient": "P1", "condition": "primary"}
SYMBOLS = SymbolTable("symbols.tsv", frozenset(), {}, {})
KNOWN = SYMBOLS.known


@pytest.fixture
def counts():
    rng = np.random.default_rng(0)
    rate = rng.lognormal(0.5, 1, len(GENES)) * rng.lognormal(0, 0.4, (N_CELLS, 1))
    return rng.poisson(rate)


def barcodes(n=N_CELLS, seed=0):
    rng = np.random.default_rng(seed)
    return ["".join(rng.choice(list("ACGT"), 16)) + "-1" for _ in range(n)]


def read(files, **dataset_row):
    row = {**ROW, **dataset_row.pop("row", {})}
    values = dataset_row.pop("sample_values", ())
    return read_sample(
        {role: str(path) for role, path in files.items()},
        sample_row=row,
        symbols=SYMBOLS,
        dataset_row=dataset_row,
        sample_values=values,
    )


def triplet(folder, counts, *, features=None, cells=None, body=None):
    """Files of 10x; `features` are the lines, `body` the text of the matrix."""
    folder.mkdir(exist_ok=True)
    lines = features or [f"ENSG9{i:010d}\t{gene}\tGene Expression" for i, gene in enumerate(GENES)]
    (folder / "features.tsv").write_text("\n".join(lines) + "\n")
    (folder / "barcodes.tsv").write_text("\n".join(cells or barcodes(len(counts))) + "\n")
    if body is None:
        mmwrite(folder / "matrix.mtx", sparse.coo_matrix(counts.T), field="integer")
    else:
        (folder / "matrix.mtx").write_text(body)
    names = {"matrix": "matrix.mtx", "barcodes": "barcodes.tsv", "features": "features.tsv"}
    return {role: folder / name for role, name in names.items()}


def h5ad(path, counts, *, var=None, obs=None, **parts):
    var = pd.DataFrame(index=GENES) if var is None else var
    obs = pd.DataFrame(index=barcodes(len(counts))) if obs is None else obs
    adata = ad.AnnData(sparse.csr_matrix(counts, dtype=np.float32), obs=obs, var=var, **parts)
    adata.write_h5ad(path)
    return {"h5ad": path}


def table(path, counts, *, genes=GENES, cells=None, separator="\t", corner="gene"):
    names = cells or barcodes(len(counts))
    lines = [separator.join([corner, *names])]
    lines += [separator.join([g, *map(str, row)]) for g, row in zip(genes, counts.T, strict=True)]
    path.write_text("\n".join(lines) + "\n")
    return {"table": path}


# --- orientation


def test_a_transposed_h5ad_without_columns_is_turned(tmp_path, counts):
    var, obs = pd.DataFrame(index=barcodes()), pd.DataFrame(index=GENES)
    adata, report = read(h5ad(tmp_path / "x.h5ad", counts.T, var=var, obs=obs))
    assert report["turned"]
    np.testing.assert_array_equal(adata.X.toarray(), counts)


def test_a_transposed_h5ad_with_columns_is_refused(tmp_path, counts):
    obs = pd.DataFrame({"n_cells": 3}, index=GENES)
    files = h5ad(tmp_path / "x.h5ad", counts.T, var=pd.DataFrame(index=barcodes()), obs=obs)
    with pytest.raises(IngestError, match=r"x.h5ad is transposed: genes \(.*transpose it"):
        read(files)


# --- names of genes


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("CXCL12|ENSG00000107562.12", "CXCL12"),
        ("ENSG00000107562 CXCL12", "CXCL12"),
        ("ENSG00000107562-CXCL12", "CXCL12"),
        ("'CXCL12'", "CXCL12"),
        ("MT.ND4L", "MT-ND4L"),
        ("NKX2_5", "NKX2-5"),
        ("NKX3.2", "NKX3-2"),
        ("HLA.DQA1", "HLA-DQA1"),
        ("C1ORF112", "C1orf112"),
        ("AC012345.1", "AC012345.1"),  # a clone, whose dot is right
        ("RP11-34P13.7", "RP11-34P13.7"),
        ("Y_RNA", "Y_RNA"),
    ],
)
def test_spellings(name, expected):
    cleaned = clean_names(
        [name, *GENES],
        ids=[""] * (len(GENES) + 1),
        genomes=None,
        known=KNOWN,
        human=True,
        where="x",
    )
    assert cleaned.names[0] == expected
    assert cleaned.kept.all()


@pytest.mark.parametrize("form", ["GRCh38_{}", "hg38___{}", "human:{}", "GRCh38-{}"])
def test_genomes_before_all_names(tmp_path, counts, form):
    adata, report = read(table(tmp_path / "x.tsv", counts, genes=[form.format(g) for g in GENES]))
    assert list(adata.var_names) == GENES
    assert report["genes"]["names_changed"] == {"name of the genome removed": len(GENES)}


def test_mouse_genes_of_a_xenograft_are_left_out_where_only_they_have_a_genome(tmp_path, counts):
    mouse = [f"mm10_{gene.capitalize()}" for gene in GENES[:50]]
    both = np.hstack([counts, counts[:, :50]])
    adata, report = read(table(tmp_path / "x.tsv", both, genes=[*GENES, *mouse]))
    assert list(adata.var_names) == GENES
    assert report["genes"]["names_lost"] == {"genes of another genome": 50}


@pytest.mark.parametrize(
    "name", ["1-Mar", "Mar-01", "2021-09-02", "02/09/2021", "1-Sep-2021", "1. Mrz", "Dec-1"]
)
def test_dates(name):
    assert is_date(name)


@pytest.mark.parametrize("name", ["MARCHF1", "SEPTIN9", "DEC1", "MAR1", "H1-2", "IGHV3-21", "5-8S"])
def test_no_dates(name):
    assert not is_date(name)


def test_names_that_are_known_nowhere_are_refused_when_the_file_is_read(tmp_path, counts):
    files = table(tmp_path / "x.tsv", counts, genes=[f"gene{i}x" for i in range(len(GENES))])
    with pytest.raises(IngestError, match="only 0 of 150 gene names are known .*found: gene0x"):
        read(files)


def test_rows_of_an_id_that_a_spreadsheet_took_the_name_of_keep_the_id(tmp_path, counts):
    names = ["1-Mar", "1-Mar", *GENES[2:]]
    lines = [f"ENSG9{i:010d}\t{name}\tGene Expression" for i, name in enumerate(names)]
    adata, report = read(triplet(tmp_path, counts, features=lines))
    assert list(adata.var_names[:2]) == ["ENSG90000000000", "ENSG90000000001"]
    assert report["genes"]["summed"] == 0
    np.testing.assert_array_equal(adata.X.toarray(), counts)


# --- counts


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: np.rint(np.log1p(c * 1e4 / c.sum(1, keepdims=True))), "rounded logarithms"),
        (lambda c: np.rint(c * 2e5 / c.sum(1, keepdims=True)), "every cell is above 1"),
        (lambda c: (c > 0).astype(int), "presence and absence"),
        (lambda c: c * 1.5, "not whole numbers"),
    ],
)
def test_what_is_no_count_in_a_table(tmp_path, counts, change, message):
    wide = np.hstack([counts * 6, counts])[:, : len(GENES)] + 1
    with pytest.raises(IngestError, match=message):
        read(table(tmp_path / "x.tsv", change(wide)))


def test_equal_totals_are_refused_unless_the_table_of_datasets_lets_them_pass(tmp_path, counts):
    total = counts.sum(axis=1).max()
    counts[:, 0] += total - counts.sum(axis=1)
    files = table(tmp_path / "x.tsv", counts)
    with pytest.raises(IngestError, match=f"sums to about {total:,}.* column odd_counts"):
        read(files)
    adata, _ = read(files, odd_counts="keep")
    np.testing.assert_array_equal(adata.X.toarray(), counts)


@pytest.mark.parametrize("value", ["2.9", "0.5", "1e+05", "1.0"])
def test_decimals_under_a_header_of_integers(tmp_path, counts, value):
    body = "%%MatrixMarket matrix coordinate integer general\n150 60 2\n1 1 3\n2 1 " + value + "\n"
    with pytest.raises(IngestError, match=rf"line 4: '2 1 {value.replace('+', '.')}' where a row"):
        read(triplet(tmp_path, counts, body=body))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("integer general\n150 60 2\n1 1 3\n2 1 4x", "line 4: '2 1 4x' where"),
        ("integer general\n150 60 2\n1 1 3\n2 1 4\n3 1 4\n", "more than the 2 entries declared"),
        ("integer general\n150 60 3\n1 1 3\n2 1 4", "declared|declares 3|Truncated"),
        ("integer general\n150 60 2\n1 1 3\n1 1 4\n", "gives 1 of its 2 entries more than once"),
        ("integer general\n150 60 2\n1 1 3\n0 1 4\n", "damaged"),
        ("integer general\n150 60 2\n1 1 3\n151 1 4\n", "damaged"),
        ("integer symmetric\n150 60 1\n1 1 3\n", "'integer symmetric'"),
        ("complex general\n150 60 1\n1 1 3 0\n", "'complex general'"),
        ("integer general\n150 60 999999999999\n1 1 3\n", "line 2 declares"),
        ("integer general\n150 60\n1 1 3\n", "line 2, with its size, is"),
    ],
)
def test_damaged_matrices(tmp_path, counts, body, message):
    text = f"%%MatrixMarket matrix coordinate {body}"
    with pytest.raises(IngestError, match=message):
        read(triplet(tmp_path, counts, body=text))


def test_dense_matrices(tmp_path, counts):
    values = "\n".join(str(value) for value in counts.ravel())
    body = f"%%MatrixMarket matrix array integer general\n150 60\n{values}"
    adata, _ = read(triplet(tmp_path, counts, body=body))
    np.testing.assert_array_equal(adata.X.toarray(), counts)
    with pytest.raises(IngestError, match="8998 values, but declares 9000"):
        read(triplet(tmp_path, counts, body=body.rsplit("\n", 2)[0]))


# --- what is a gene, what is a cell


def test_kinds_of_features():
    assert other_kinds(["Gene Expression", "CRISPR Guide Capture", ""]) == [
        "",
        "features of kind 'CRISPR Guide Capture'",
        "features of kind ''",
    ]
    assert other_kinds(["", "Multiplexing Capture"]) == [
        "",
        "features of kind 'Multiplexing Capture'",
    ]
    assert other_kinds(["lncRNA", "protein_coding", ""]) == ["", "", ""]
    assert other_kinds(["gene_expression", "ANTIBODY-CAPTURE"])[1].endswith("'ANTIBODY-CAPTURE'")


def test_antibodies_peaks_and_spike_ins_are_told_by_their_names(tmp_path, counts):
    more = ["CD274_TotalSeqB", "chr1:1000-2000", "ERCC-00002", "Hashtag_1", "total"]
    both = np.hstack([counts, counts[:, :5]])
    adata, report = read(table(tmp_path / "x.tsv", both, genes=[*GENES, *more]))
    assert list(adata.var_names) == GENES
    assert report["left_out"] == {
        "antibodies and tags, told by their names": 2,
        "peaks, told by their names": 1,
        "spike-ins (ERCC)": 1,
        "summary rows of the program that counted": 1,
    }


@pytest.mark.parametrize("column", ["gene_length", "Sum", "entrez_id", "Unnamed: 0"])
def test_columns_that_are_no_cells(tmp_path, counts, column):
    cells = [column, *barcodes()[1:]]
    adata, report = read(table(tmp_path / "x.tsv", counts, cells=cells))
    assert adata.n_obs == N_CELLS - 1
    assert report["left_out"] == {f"columns that are no cells ({column})": 1}


# --- several samples in a file, labels


def test_values_that_are_no_id_are_given_as_sample_value(tmp_path, counts):
    obs = pd.DataFrame({"donor": ["Müller/2 "] * 40 + ["Patient 1"] * 20}, index=barcodes())
    files = h5ad(tmp_path / "x.h5ad", counts, obs=obs)
    row = {"sample_value": "Müller/2"}
    values = ["Müller/2", "P3"]
    adata, report = read(files, row=row, sample_key="donor", sample_values=values)
    assert adata.n_obs == 40
    assert report["left_out"] == {"cells of 'Patient 1', which is not in the table of samples": 20}


@pytest.mark.parametrize(
    ("values", "wanted", "found"),
    [
        ([1.0, 2.0, np.nan], "1", [0]),
        (["1.0", "2.0", "NA"], "1", [0]),
        (["01", "1", "1.0"], "1", [1]),
        ([True, False, True], "TRUE", [0, 2]),
        (pd.to_datetime(["2020-01-01", "2020-01-02", None]), "2020-01-01", [0]),
        (["1e5", "100000", ""], "1e5", [0]),
        (["s1", "S2", "S3"], "S1", [0]),
        (pd.Categorical([" S1", "S2", None]), "S1", [0]),
    ],
)
def test_values_of_a_column(values, wanted, found):
    texts = value_texts(pd.Series(values))
    assert np.flatnonzero(same_value(texts, wanted, column="c", where="x")).tolist() == found


def test_values_that_cannot_be_told_apart():
    texts = value_texts(pd.Series(["s1", "S1 ", "x"]))
    assert same_value(texts, "S1", column="c", where="x").tolist() == [False, True, False]
    with pytest.raises(IngestError, match="several spellings of sample 'sample 1'"):
        texts = value_texts(pd.Series(["Sample 1", "SAMPLE 1"]))
        same_value(texts, "sample 1", column="c", where="x")


TOTALS = np.full(N_CELLS, 500)


@pytest.mark.parametrize("form", ["GSM1_{}", "lib7#{}", "{}_3", "S1.{}", "x/y:{}-extra", "{}"])
def test_forms_of_names_in_a_table_of_cells(form):
    own = barcodes()
    cells = [form.format(b) for b in own] + ["other_" + b for b in barcodes(seed=1)]
    found = match_cells(own, cells, names=("S1", "GSM1"), totals=TOTALS, where="cells.tsv")
    assert found.tolist() == list(range(N_CELLS))


def test_tables_of_two_samples_exchanged_are_refused():
    own, others = barcodes(), barcodes(seed=1)
    cells = [f"S1_{b}" for b in others] + [f"S2_{b}" for b in own]
    # the barcodes fit the rows of the other sample, and those named by the sample do not
    with pytest.raises(IngestError, match="cells.tsv knows none of the cells of sample 'S1'"):
        match_cells(own, cells, names=("S1", ""), totals=TOTALS, where="cells.tsv")
    with pytest.raises(IngestError, match="cells.tsv knows 3 of 60 of the cells of sample 'S1'"):
        match_cells(own, own[:3] + others, names=("S1",), totals=TOTALS, where="cells.tsv")


def test_a_table_of_the_cells_that_passed_serves_a_matrix_of_all_droplets():
    own = barcodes(1000)
    totals = np.where(np.arange(1000) < 60, 900, 3)
    found = match_cells(own, own[:40], names=("S1",), totals=totals, where="cells.tsv")
    assert (found >= 0).sum() == 40


# --- h5ad


def test_raw_of_more_genes_without_counts_is_told(tmp_path, counts, caplog):
    whole = ad.AnnData(
        sparse.csr_matrix(np.log1p(counts).astype(np.float32)),
        obs=pd.DataFrame(index=barcodes()),
        var=pd.DataFrame(index=GENES),
    )
    part = whole[:, :120].copy()
    part.raw = whole
    part.X = sparse.csr_matrix(counts[:, :120], dtype=np.float32)
    part.write_h5ad(tmp_path / "x.h5ad")
    adata, _ = read({"h5ad": tmp_path / "x.h5ad"})
    assert adata.n_vars == 120
    assert (
        "counts of 120 genes are taken from X, as raw.X holds no counts of its 150" in caplog.text
    )


def test_symbols_in_a_column_of_any_name(tmp_path, counts):
    var = pd.DataFrame({"hugo": GENES, "chrom": "chr1"}, index=[f"g{i}" for i in range(len(GENES))])
    adata, _ = read(h5ad(tmp_path / "x.h5ad", counts, var=var))
    assert list(adata.var_names) == GENES


# --- what a file is


@pytest.mark.parametrize(
    ("content", "role", "message"),
    [
        (b"  <!DOCTYPE html><html>", "table", "is a web page"),
        (b'<?xml version="1.0"?>\n<html>', "table", "is a web page"),
        (b'<?xml version="1.0"?>\n<Error>', "table", "is an XML document"),
        (gzip.compress(b"RDX3\nX\n"), "h5ad", "is an R object"),
        (b"PK\x03\x04" + b"\0" * 26 + b"[Content_Types].xml", "table", "is an Excel workbook"),
        (b"\x89HDF\r\n\x1a\n" + b"\0" * 20, "table", "is an HDF5 file; give it the role h5"),
        (b"PAR1xxxx", "table", "is a parquet table"),
        (b"version https://git-lfs.github.com/spec/v1\n", "matrix", "git lfs pull"),
        (b"gene\tC1\nA\t1\n", "matrix", "is text that begins .* needs a MatrixMarket file"),
        (b"%%MatrixMarket matrix\n", "table", "is a MatrixMarket file; give it the role matrix"),
        ("gene\tC1\n".encode("utf-16"), "table", "is no text"),
        (b'{"error": "not found"}', "barcodes", "is JSON"),
    ],
    ids=[
        *("web page", "XHTML", "XML"),
        *("R", "Excel", "HDF5", "parquet", "git lfs", "text", "mtx", "UTF-16", "JSON"),
    ],  # the time inside a gzip would be in an id
)
def test_what_a_file_is(tmp_path, content, role, message):
    (tmp_path / "x").write_bytes(content)
    problem = kind_problem(tmp_path / "x", role)
    with pytest.raises(AssertionError, match=message):
        raise AssertionError(problem)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["matrix", "row_attrs", "col_attrs"], "is a loom file"),
        (["assays", "active.ident", "cell.names"], "is an h5Seurat file"),
        (["barcode_idx", "umi"], "is molecule_info.h5"),
        (["data"], "neither of 10x nor AnnData: it holds data"),
    ],
)
@pytest.mark.parametrize("role", ["h5", "h5ad"])
def test_what_an_hdf5_file_is(tmp_path, names, message, role):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        for name in names:
            file.create_group(name)
    with pytest.raises(IngestError, match=message):
        read({role: tmp_path / "x.h5"})


# --- out of the file, damaged


def external_link(file, secret):
    file["uns/x"] = h5py.ExternalLink(str(secret), "/")


def soft_behind_external(file, secret):
    file["uns/x"] = h5py.ExternalLink(str(secret), "/")
    file["obs/label"] = h5py.SoftLink("/uns/x/label")


def external_storage(file, secret):
    external = [(str(secret), 0, 16)]
    file.create_dataset("obs/label", (2,), dtype="S8", external=external)


def virtual(file, secret):
    layout = h5py.VirtualLayout((2,), dtype="i4")
    layout[:] = h5py.VirtualSource(str(secret), "x", (2,))
    file.create_virtual_dataset("obs/label", layout)


def absurd(file, secret):
    file.create_dataset("obsm/X", (10**7, 10**5), dtype="f8", chunks=(1000, 1000))


@pytest.mark.parametrize(
    ("way", "message"),
    [
        (external_link, r"'uns/x' is a link to another file \(.*secret\)"),
        (soft_behind_external, r"'uns/x' is a link to another file \(.*secret\)"),
        (external_storage, r"the data of 'obs/label' lie in another file \(.*secret\)"),
        (virtual, r"'obs/label' is a virtual dataset, put together from .* \(.*secret\)"),
        (absurd, "'obsm/X' declares 8000000000000 bytes, but 0 are there"),
    ],
)
def test_nothing_leads_out_of_a_file(tmp_path, counts, way, message):
    (tmp_path / "secret").write_text("a secret of this machine")
    files = h5ad(tmp_path / "x.h5ad", counts)
    with h5py.File(tmp_path / "x.h5ad", "a") as file:
        way(file, tmp_path / "secret")
    with pytest.raises(IngestError, match=f"x.h5ad is not read: {message}"):
        read(files)


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("indptr", lambda a: a[::-1].copy(), "indptr.* do not ascend from 0"),
        ("indptr", lambda a: a[:-1], "60 pointers for 60 rows"),
        ("indptr", lambda a: a + (a == a[-1]) * 5, "values and .* pointers up to"),
        ("indices", lambda a: a + 1000, "an index of 1149, outside 0 to 149"),
        ("indices", lambda a: a - 1, "an index of -1, outside"),
        ("indices", lambda a: a.astype(float), "no whole numbers"),
        ("data", lambda a: a[:-3], "values and .* indices"),
        ("data", lambda a: None, "it lacks data"),
    ],
)
@pytest.mark.parametrize("role", ["h5ad", "h5"])
def test_damaged_sparse_matrices(tmp_path, counts, name, change, message, role):
    path = tmp_path / f"x.{role}"
    counts[:, -1] = 1
    matrix = sparse.csr_matrix(counts)
    if role == "h5ad":
        h5ad(path, counts)
    else:
        with h5py.File(path, "w") as file:
            group = file.create_group("matrix")
            for part in ("data", "indices", "indptr"):
                group[part] = getattr(matrix, part)
            group["shape"] = matrix.shape[::-1]
            group["barcodes"] = np.array(barcodes(), dtype="S")
            for part, values in (("id", GENES), ("name", GENES)):
                group[f"features/{part}"] = np.array(values, dtype="S")
    with h5py.File(path, "a") as file:
        group = file["X" if role == "h5ad" else "matrix"]
        values = change(group[name][:])
        del group[name]
        if values is not None:
            group[name] = values
    with pytest.raises(IngestError, match=rf"x.{role}.* is damaged: .*{message}"):
        read({role: path})


# --- archives


def archive(folder, *names):
    with tarfile.open(folder / "x.tar", "w") as tar:
        for name in names:
            tar.addfile(tarfile.TarInfo(name))
    return folder / "x.tar"


@pytest.mark.parametrize(
    "names",
    [
        ("S1/quants_mat.mtx", "S1/quants_mat_rows.txt", "S1/quants_mat_cols.txt"),
        ("S1/cells_x_genes.mtx", "S1/cells_x_genes.barcodes.txt", "S1/cells_x_genes.genes.txt"),
        ("S1.counts.mtx.gz", "S1.cell_names.csv.gz", "S1.gene_names.csv.gz"),
        ("S1_spliced.mtx", "S1_unspliced.mtx"),
        ("S1_raw_counts.mtx", "S1_barcodes.txt", "S1_features.txt"),
    ],
)
def test_layouts_of_other_programs(tmp_path, names):
    found = find_matrices([list_members(archive(tmp_path, *names))])
    assert [entry.kind for entry in found] == (["triplet"] if len(names) == 3 else [])


def test_an_archive_in_which_nothing_is_known_lists_it_with_a_line_to_paste(tmp_path):
    path = archive(tmp_path, "a/one.bin", "a/two.bin")
    rows = [{"sample": "S1", "accession": "", "member": "", "status": ""}]
    files = [{"sample": "", "role": "archive", "path": str(path)}]
    with pytest.raises(IngestError, match=r"Found there: a/one.bin, a/two.bin. Unpack .*\tS1\ttab"):
        list_dataset_members(files, samples=rows, dataset="mine")
