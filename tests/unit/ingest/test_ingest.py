import gzip
import io
import shutil

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse
from scipy.io import mmwrite

from osteotalk.ingest import IngestError
from osteotalk.ingest.genes import SymbolTable
from osteotalk.ingest.sample import read_sample as read_sample_and_report

NO_SYMBOLS = SymbolTable(path="none", approved=frozenset(), by_id={}, by_previous={})
ROW = {"dataset": "d", "sample": "S1", "patient": "P1", "condition": "primary"}
COUNTS = np.array([[1, 0, 2], [0, 0, 0], [0, 3, 4], [5, 0, 0]])  # cells x genes, one empty droplet
GENES = ["SPP1", "CD44", "MT-CO1"]
BARCODES = ["AAA-1", "CCC-1", "GGG-1", "TTT-1"]


def read_sample(files, *, sample_row, sample_key=""):
    adata, report = read_sample_and_report(
        files, sample_row=sample_row, symbols=NO_SYMBOLS, dataset_row={"sample_key": sample_key}
    )
    assert adata.uns["ingest"]["n_droplets"] == adata.n_obs == report["n_droplets"]
    adata.uns["genes"] = report["genes"]
    return adata


def write_triplet(
    folder, *, counts=COUNTS, genes=GENES, barcodes=BARCODES, zipped=True, kinds=True
):
    folder.mkdir(exist_ok=True, parents=True)
    buffer = io.BytesIO()
    mmwrite(buffer, sparse.coo_matrix(counts.T))
    features = [
        f"ENSG{i}\t{g}" + ("\tGene Expression" if kinds else "") for i, g in enumerate(genes)
    ]
    contents = {
        "matrix": buffer.getvalue(),
        "barcodes": "\n".join(barcodes).encode() + b"\n",
        "features": "\n".join(features).encode() + b"\n",
    }
    files = {}
    for role, content in contents.items():
        path = folder / (role + (".gz" if zipped else ""))
        path.write_bytes(gzip.compress(content) if zipped else content)
        files[role] = str(path)
    return files


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("kinds", [True, False])
def test_triplet(tmp_path, zipped, kinds):
    adata = read_sample(write_triplet(tmp_path, zipped=zipped, kinds=kinds), sample_row=ROW)
    assert list(adata.obs_names) == ["S1_AAA-1", "S1_GGG-1", "S1_TTT-1"]
    np.testing.assert_array_equal(adata.X.toarray(), COUNTS[[0, 2, 3]])
    assert list(adata.var["ensembl_id"]) == ["ENSG0", "ENSG1", "ENSG2"]
    assert adata.uns["ingest"]["empty_droplets"] == 1
    assert adata.uns["ingest"]["n_droplets"] == 3
    assert adata.uns["ingest"]["sample"] == "S1"
    assert set(adata.obs["patient"]) == {"P1"}


def test_antibody_features_are_left_out(tmp_path):
    files = write_triplet(tmp_path)
    features = tmp_path / "features.gz"
    lines = (
        gzip.decompress(features.read_bytes())
        .decode()
        .replace("MT-CO1\tGene Expression", "CD3\tAntibody Capture")
    )
    features.write_bytes(gzip.compress(lines.encode()))
    assert list(read_sample(files, sample_row=ROW).var_names) == ["SPP1", "CD44"]


def test_genes_of_one_symbol_are_added_up_and_counted(tmp_path, caplog):
    adata = read_sample(write_triplet(tmp_path, genes=["SPP1", "SPP1", "MT-CO1"]), sample_row=ROW)
    assert list(adata.var_names) == ["SPP1", "MT-CO1"]
    np.testing.assert_array_equal(adata.X.toarray(), [[1, 2], [3, 4], [5, 0]])
    assert adata.uns["genes"]["summed"] == 1
    assert adata.uns["genes"]["summed_symbols"] == ["SPP1"]


@pytest.mark.parametrize("role", ["matrix", "barcodes", "features"])
def test_truncated_gzip(tmp_path, role):
    files = write_triplet(tmp_path)
    path = tmp_path / f"{role}.gz"
    path.write_bytes(path.read_bytes()[:-12])
    with pytest.raises(IngestError, match=rf"{role}.gz is a truncated or damaged gzip file"):
        read_sample(files, sample_row=ROW)


@pytest.mark.parametrize("role", ["matrix", "barcodes", "features"])
def test_missing_file(tmp_path, role):
    files = write_triplet(tmp_path)
    (tmp_path / f"{role}.gz").unlink()
    with pytest.raises(IngestError, match=rf"{role}.gz does not exist"):
        read_sample(files, sample_row=ROW)


def test_lengths_that_do_not_agree(tmp_path):
    files = write_triplet(tmp_path, barcodes=BARCODES[:3])
    with pytest.raises(IngestError, match=r"has 3 genes x 4 cells, but .* lists 3 barcodes"):
        read_sample(files, sample_row=ROW)


def test_matrix_cut_off_in_a_line(tmp_path):
    files = write_triplet(tmp_path, zipped=False)
    path = tmp_path / "matrix"
    path.write_bytes(path.read_bytes()[:-6])
    with pytest.raises(IngestError, match="not a MatrixMarket file of counts, or it is cut off"):
        read_sample(files, sample_row=ROW)


def test_features_with_one_column(tmp_path):
    files = write_triplet(tmp_path, zipped=False)
    (tmp_path / "features").write_text("SPP1\nCD44\nMT-CO1\n")
    assert list(read_sample(files, sample_row=ROW).var_names) == ["SPP1", "CD44", "MT-CO1"]
    (tmp_path / "features").write_text("SPP1\nE2\tCD44\nE3\tMT-CO1\n")
    with pytest.raises(IngestError, match=r"features line 1: expected an id and a symbol"):
        read_sample(files, sample_row=ROW)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (1.5, r"not whole numbers \(for example 1.5; range 1.5 to 5\)"),
        (-1, r"negative values \(lowest: -1\)"),
    ],
)
def test_values_that_are_no_counts(tmp_path, value, message):
    counts = COUNTS.astype(float)
    counts[0, 0] = value
    with pytest.raises(IngestError, match=message):
        read_sample(write_triplet(tmp_path, counts=counts), sample_row=ROW)


def test_duplicate_barcode(tmp_path):
    files = write_triplet(tmp_path, barcodes=["AAA-1", "CCC-1", "AAA-1", "TTT-1"])
    with pytest.raises(IngestError, match="barcode 'AAA-1' appears more than once"):
        read_sample(files, sample_row=ROW)


def test_no_cells(tmp_path):
    files = write_triplet(tmp_path, counts=np.zeros((0, 3), dtype=int), barcodes=[])
    with pytest.raises(IngestError, match=r"holds 0 cells x 3 genes"):
        read_sample(files, sample_row=ROW)


@pytest.fixture
def cohort():
    obs = pd.DataFrame({"patient": ["S1", "S1", "S2", "S2"]}, index=BARCODES)
    return AnnData(
        sparse.csr_matrix(COUNTS, dtype=np.float32), obs=obs, var=pd.DataFrame(index=GENES)
    )


def read_h5ad(adata, tmp_path, sample_key="patient"):
    adata.write_h5ad(tmp_path / "x.h5ad")
    return read_sample({"h5ad": str(tmp_path / "x.h5ad")}, sample_row=ROW, sample_key=sample_key)


def test_h5ad_gives_one_sample(cohort, tmp_path):
    adata = read_h5ad(cohort, tmp_path)
    np.testing.assert_array_equal(adata.X.toarray(), COUNTS[:1])
    assert adata.uns["ingest"]["counts_from"] == "X"


@pytest.mark.parametrize("place", ["layers['counts']", "raw.X"])
def test_h5ad_counts_are_found_where_they_are(cohort, tmp_path, place):
    if place == "raw.X":
        cohort.raw = cohort.copy()
    else:
        cohort.layers["counts"] = cohort.X.copy()
    cohort.X = cohort.X.log1p()
    adata = read_h5ad(cohort, tmp_path)
    np.testing.assert_array_equal(adata.X.toarray(), COUNTS[:1])
    assert adata.uns["ingest"]["counts_from"] == place


def test_h5ad_without_counts(cohort, tmp_path):
    cohort.X = cohort.X.log1p()
    with pytest.raises(
        IngestError, match=r"no counts: .* looked for in X \(values .*range 0.6931 to"
    ):
        read_h5ad(cohort, tmp_path)


def test_h5ad_without_the_sample_column(cohort, tmp_path):
    with pytest.raises(IngestError, match=r"no column 'donor'.*its columns are: patient"):
        read_h5ad(cohort, tmp_path, sample_key="donor")


def test_h5ad_without_the_sample(cohort, tmp_path):
    cohort.obs["patient"] = "S9"
    with pytest.raises(IngestError, match=r"no cell of sample 'S1' in its column .* has: 'S9'. Wh"):
        read_h5ad(cohort, tmp_path)


@pytest.mark.parametrize("role", ["h5", "h5ad"])
def test_files_that_are_something_else(tmp_path, role):
    path = tmp_path / f"x.{role}"
    path.write_text("not HDF5")
    with pytest.raises(IngestError, match=rf"x.{role} is text .* the role {role} needs an HDF5"):
        read_sample({role: str(path)}, sample_row=ROW)
    with pytest.raises(IngestError, match="does not exist"):
        read_sample({role: str(tmp_path / "none")}, sample_row=ROW)


def test_tenx_h5(tmp_path):
    matrix = sparse.csc_matrix(COUNTS.T)
    with h5py.File(tmp_path / "x.h5", "w") as stream:
        group = stream.create_group("matrix")
        for name in ("data", "indices", "indptr"):
            group[name] = getattr(matrix, name)
        group["shape"] = matrix.shape
        group["barcodes"] = np.array(BARCODES, dtype="S")
        features = group.create_group("features")
        features["id"] = np.array(["ENSG0", "ENSG1", "ENSG2"], dtype="S")
        features["name"] = np.array(["SPP1", "SPP1", "MT-CO1"], dtype="S")
        features["feature_type"] = np.array(["Gene Expression"] * 3, dtype="S")
        features["genome"] = np.array(["GRCh38"] * 3, dtype="S")
    adata = read_sample({"h5": str(tmp_path / "x.h5")}, sample_row=ROW)
    np.testing.assert_array_equal(adata.X.toarray(), [[1, 2], [3, 4], [5, 0]])
    assert adata.uns["genes"]["summed"] == 1


def test_real_h5_agrees_with_the_file_itself(shared_data):
    path = shared_data / "breast_idc_10x_filtered_feature_bc_matrix.h5"
    adata = read_sample({"h5": str(path)}, sample_row=ROW)
    with h5py.File(path) as stream:
        total = int(stream["matrix/data"][:].sum())
    assert int(adata.X.sum()) == total
    assert adata.n_obs == 687


def test_real_h5ad(shared_data, tmp_path):
    path = tmp_path / "nsclc.h5ad"
    shutil.copy(shared_data / "nsclc_zilionis_300.h5ad", path)
    patients = ad.read_h5ad(path).obs["patient"].astype(str)
    row = {**ROW, "sample": patients.iloc[0]}
    adata = read_sample({"h5ad": str(path)}, sample_row=row, sample_key="patient")
    assert adata.n_obs == (patients == patients.iloc[0]).sum()


def test_ensembl_ids_without_symbols_are_refused_at_once(cohort, tmp_path):
    cohort.var_names = ["ENSG00000118785", "ENSG00000026508.17", "MT-CO1"]
    with pytest.raises(IngestError, match="2 of 3 gene names are Ensembl ids"):
        read_h5ad(cohort, tmp_path)


def test_ensembl_ids_get_their_symbols_from_a_column(cohort, tmp_path):
    """As scPCA's files have them: ids as names, symbols in var, counts in raw."""
    cohort.var_names = ["ENSG00000118785", "ENSG00000026508", "ENSG00000198804"]
    cohort.var["gene_symbol"] = GENES
    cohort.raw = cohort.copy()
    cohort.X = cohort.X.log1p()
    adata = read_h5ad(cohort, tmp_path)
    assert list(adata.var_names) == GENES
    assert adata.var["ensembl_id"].iloc[0] == "ENSG00000118785"
    assert adata.uns["ingest"]["counts_from"] == "raw.X"
