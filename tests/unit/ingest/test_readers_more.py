import gzip
import io
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse
from scipy.io import mmwrite

from osteotalk.ingest import IngestError, h5ad, tenx_h5, tenx_mtx
from osteotalk.ingest import archive as archive_module
from osteotalk.ingest.gene_tables import SymbolTable
from osteotalk.ingest.plain import plain_bytes
from osteotalk.ingest.sample import read_sample

COUNTS = np.array([[1, 0, 2], [0, 0, 0], [0, 3, 4], [5, 0, 0]])  # cells x genes
GENES = ["SPP1", "CD44", "MT-CO1"]
IDS = ["ENSG00000118785", "ENSG00000026508", "ENSG00000198804"]
BARCODES = ["AAA-1", "CCC-1", "GGG-1", "TTT-1"]


def read(module, files):
    return module.read(files, sample="S1", sample_key="")


# --- triplets ---------------------------------------------------------------------------------


def write_triplet(folder, *, features="features.tsv", columns=3, zipped=False, prefix=""):
    buffer = io.BytesIO()
    mmwrite(buffer, sparse.coo_matrix(COUNTS.T))
    kinds = ["Gene Expression"] * len(GENES)
    lines = ["\t".join(fields[:columns]) for fields in zip(IDS, GENES, kinds, strict=True)]
    contents = {
        "matrix": ("matrix.mtx", buffer.getvalue()),
        "barcodes": ("barcodes.tsv", "\n".join(BARCODES).encode()),
        "features": (features, "\n".join(lines).encode() + b"\n"),
    }
    files = {}
    for role, (name, content) in contents.items():
        path = folder / (prefix + name + (".gz" if zipped else ""))
        path.write_bytes(gzip.compress(content) if zipped else content)
        files[role] = str(path)
    return files


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize(("features", "columns"), [("genes.tsv", 2), ("features.tsv", 3)])
def test_triplets_of_cell_ranger_2_and_3(tmp_path, features, columns, zipped):
    files = write_triplet(tmp_path, features=features, columns=columns, zipped=zipped)
    adata = read(tenx_mtx, files)
    np.testing.assert_array_equal(adata.X.toarray(), COUNTS)
    assert list(adata.var_names) == GENES
    assert list(adata.var["gene_id"]) == IDS
    assert list(adata.obs_names) == BARCODES


def test_features_of_one_column(tmp_path):
    adata = read(tenx_mtx, write_triplet(tmp_path, features="genes.tsv", columns=1))
    assert list(adata.var_names) == IDS


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("role", ["matrix", "barcodes", "features"])
def test_a_member_that_unpacks_without_end(tmp_path, monkeypatch, role, zipped):
    files = write_triplet(tmp_path, zipped=zipped)
    with Path(files[role]).open("ab") as stream:
        filler = b"\n" * 5_000
        stream.write(gzip.compress(filler) if zipped else filler)
    monkeypatch.setattr(archive_module, "MAX_MEMBER_BYTES", 3_000)
    with pytest.raises(IngestError, match=rf"{role}.* unpacks to more than 3000 bytes"):
        read(tenx_mtx, files)


def test_damage_after_the_last_entry_is_found(tmp_path):
    files = write_triplet(tmp_path, zipped=True)
    content = bytearray((tmp_path / "matrix.mtx.gz").read_bytes())
    content[-7] ^= 0xFF  # in the checksum
    (tmp_path / "matrix.mtx.gz").write_bytes(content)
    with pytest.raises(IngestError, match="matrix.mtx.gz is a truncated or damaged gzip file"):
        read(tenx_mtx, files)


def test_a_checksum_that_nobody_read_up_to(tmp_path):
    content = bytearray(gzip.compress(np.random.default_rng(0).bytes(3 * 2**20), 1))
    content[-7] ^= 0xFF
    (tmp_path / "x.gz").write_bytes(content)
    with (
        pytest.raises(IngestError, match=r"x.gz is a truncated or damaged gzip file \(CRC check"),
        plain_bytes(str(tmp_path / "x.gz")) as stream,
    ):
        assert len(stream.read(10)) == 10


def test_companion_files_of_macos_are_refused(tmp_path):
    files = write_triplet(tmp_path, prefix="._")
    with pytest.raises(IngestError, match=r"\(AppleDouble\); name .* instead: barcodes.tsv"):
        read(tenx_mtx, files)


# --- 10x HDF5 ---------------------------------------------------------------------------------


def write_matrix(group, counts, barcodes):
    matrix = sparse.csc_matrix(counts.T)
    for name in ("data", "indices", "indptr"):
        group[name] = getattr(matrix, name)
    group["shape"] = matrix.shape
    group["barcodes"] = np.array(barcodes, dtype="S")


def write_v2(path, genomes):
    with h5py.File(path, "w") as stream:
        for genome, names in genomes.items():
            group = stream.create_group(genome)
            write_matrix(group, COUNTS, BARCODES)
            group["genes"] = np.array(IDS, dtype="S")
            group["gene_names"] = np.array(names, dtype="S")
    return {"h5": str(path)}


def write_v3(
    path, *, names=GENES, ids=IDS, genomes=("GRCh38",) * 3, kinds=("Gene Expression",) * 3
):
    with h5py.File(path, "w") as stream:
        group = stream.create_group("matrix")
        write_matrix(group, COUNTS, BARCODES)
        features = group.create_group("features")
        columns = {"id": ids, "name": names, "feature_type": kinds, "genome": genomes}
        for column, values in columns.items():
            features[column] = np.array(values, dtype="S")
        features["_all_tag_keys"] = np.array(["genome"], dtype="S")
    return {"h5": str(path)}


def named(files):
    """The sample of these files as the workflow reads it, and the report."""
    symbols = SymbolTable("s.tsv", frozenset(), {}, {})
    row = dict.fromkeys(("dataset", "sample", "patient", "condition"), "S1")
    return read_sample(files, sample_row=row, symbols=symbols)


def check(adata, genes=(0, 1, 2)):
    np.testing.assert_array_equal(adata.X.toarray(), COUNTS[:, genes])
    assert sparse.isspmatrix_csr(adata.X)
    assert list(adata.var_names) == [GENES[i] for i in genes]
    assert list(adata.var["gene_id"]) == [IDS[i] for i in genes]
    assert list(adata.obs_names) == BARCODES


def test_h5_of_version_2(tmp_path):
    check(read(tenx_h5, write_v2(tmp_path / "x.h5", {"hg19": GENES})))


def test_h5_of_version_2_with_two_genomes(tmp_path, caplog):
    files = write_v2(tmp_path / "x.h5", {"mm10": ["a", "b", "c"], "GRCh38-2020-A": GENES})
    with caplog.at_level("INFO"):
        check(read(tenx_h5, files))
    assert "of the genomes GRCh38-2020-A, mm10, GRCh38-2020-A is read" in caplog.text


@pytest.mark.parametrize("genomes", [["mm10", "rn6"], ["GRCh38", "GRCh38_premrna"]])
@pytest.mark.parametrize("version", [2, 3])
def test_h5_with_genomes_that_cannot_be_chosen_from(tmp_path, genomes, version):
    path = tmp_path / "x.h5"
    if version == 2:
        files = write_v2(path, dict.fromkeys(genomes, GENES))
    else:
        files = write_v3(path, genomes=[genomes[0], *genomes])
    with pytest.raises(IngestError, match=f"x.h5 holds several genomes: {', '.join(genomes)}; exa"):
        named(files)


def test_h5_of_version_3(tmp_path):
    check(read(tenx_h5, write_v3(tmp_path / "x.h5")))


def test_h5_of_version_3_keeps_genes_only(tmp_path):
    files = write_v3(
        tmp_path / "x.h5",
        genomes=("GRCh38", "GRCh38", ""),
        kinds=("Gene Expression", "Gene Expression", "Antibody Capture"),
    )
    adata, report = named(files)
    assert list(adata.var_names) == list(GENES[:2])
    assert report["left_out"] == {"features of kind 'Antibody Capture'": 1}


def test_h5_of_version_3_with_human_and_mouse(tmp_path):
    files = write_v3(
        tmp_path / "x.h5",
        names=["GRCh38_SPP1", "mm10_Cd44", "GRCh38______MT-CO1"],
        ids=[f"GRCh38_{IDS[0]}", "mm10_ENSMUSG00000005087", f"GRCh38______{IDS[2]}"],
        genomes=("GRCh38", "mm10", "GRCh38"),
    )
    adata, report = named(files)
    np.testing.assert_array_equal(adata.X.toarray(), COUNTS[:, [0, 2]][[0, 2, 3]])
    assert list(adata.var_names) == ["SPP1", "MT-CO1"]
    assert list(adata.var["ensembl_id"]) == [IDS[0], IDS[2]]
    assert report["genes"]["names_lost"] == {"genes of another genome": 1}


@pytest.mark.parametrize("content", [{}, {"matrix": None}, {"GRCh38": None}])
def test_h5_of_something_else(tmp_path, content):
    with h5py.File(tmp_path / "x.h5", "w") as stream:
        for name in content:
            stream.create_group(name)
    with pytest.raises(IngestError, match="x.h5 (is an HDF5 file, but neither|lacks barcodes)"):
        read(tenx_h5, {"h5": str(tmp_path / "x.h5")})


# --- h5ad -------------------------------------------------------------------------------------


def cohort(names, **columns):
    obs = pd.DataFrame({"author": ["a", "b", "c", "d"]}, index=BARCODES)
    var = pd.DataFrame(columns, index=names)
    return AnnData(sparse.csr_matrix(COUNTS, dtype=np.float32), obs=obs, var=var)


def roundtrip(adata, tmp_path):
    adata.write_h5ad(tmp_path / "x.h5ad")
    return read(h5ad, {"h5ad": str(tmp_path / "x.h5ad")})


@pytest.mark.parametrize("column", h5ad.SYMBOL_COLUMNS)
def test_symbols_in_a_column(tmp_path, column):
    adata = roundtrip(cohort(IDS, **{column: pd.Categorical(GENES)}), tmp_path)
    assert list(adata.var_names) == GENES
    assert list(adata.var["gene_id"]) == IDS
    assert list(adata.obs["author"]) == ["a", "b", "c", "d"]
    np.testing.assert_array_equal(adata.X.toarray(), COUNTS)


def test_scpca_processed(tmp_path):
    """X is log-normalised, raw.X has the counts of more genes, ids are the names."""
    full = cohort(IDS, gene_symbol=["SPP1", None, "MT-CO1"], gene_ids=IDS)
    adata = full[:, [0, 2]].copy()
    adata.raw = full
    adata.X = adata.X.log1p()
    result = roundtrip(adata, tmp_path)
    assert result.uns["counts_from"] == "raw.X"
    assert list(result.var_names) == ["SPP1", IDS[1], "MT-CO1"]
    assert list(result.var["gene_id"]) == IDS
    np.testing.assert_array_equal(result.X.toarray(), COUNTS)


def test_symbols_that_only_var_has_serve_raw_too(tmp_path):
    full = cohort(IDS)
    adata = full[:, [2, 0]].copy()
    adata.raw = full
    adata.X = adata.X.log1p()
    adata.var["gene_name"] = ["MT-CO1", "SPP1"]
    result = roundtrip(adata, tmp_path)
    assert list(result.var_names) == ["SPP1", IDS[1], "MT-CO1"]
    assert list(result.var["gene_id"]) == IDS


@pytest.mark.parametrize("column", h5ad.ID_COLUMNS)
def test_symbols_as_names_and_ids_in_a_column(tmp_path, column):
    adata = roundtrip(cohort(GENES, **{column: [IDS[0], None, IDS[2]]}), tmp_path)
    assert list(adata.var_names) == GENES
    assert list(adata.var["gene_id"]) == [IDS[0], "", IDS[2]]


def test_ids_in_a_column_that_is_called_a_name(tmp_path):
    adata = roundtrip(cohort(GENES, feature_name=IDS), tmp_path)
    assert list(adata.var_names) == GENES
    assert list(adata.var["gene_id"]) == IDS


def test_invented_ids(tmp_path):
    ids = ["SIM00001", "SIM00002", "SIM00003"]
    adata = roundtrip(cohort(ids, gene_symbol=["SPP1", "", "MT-CO1"]), tmp_path)
    assert list(adata.var_names) == ["SPP1", "SIM00002", "MT-CO1"]
    assert list(adata.var["gene_id"]) == ids


def test_names_alone(tmp_path):
    assert "gene_id" not in roundtrip(cohort(GENES), tmp_path).var
    adata = roundtrip(cohort(IDS), tmp_path)
    assert list(adata.var_names) == list(adata.var["gene_id"]) == IDS
    same = roundtrip(cohort(GENES, gene_symbol=GENES), tmp_path)
    assert "gene_id" not in same.var


@pytest.mark.parametrize("place", ["obs/_index", "var/_index", "var/symbol"])
@pytest.mark.parametrize("length", [0xE8000004, 2**20])
def test_texts_that_declare_more_than_the_file_has(tmp_path, place, length):
    """Gigabytes were taken in memory for a damaged length of one name."""
    path = tmp_path / "x.h5ad"
    names = [f"G{i}" for i in range(4)]
    var = pd.DataFrame({"symbol": names}, index=[f"ENSG{i:011d}" for i in range(4)])
    AnnData(np.ones((3, 4), np.float32), var=var).write_h5ad(path)
    with h5py.File(path) as file:
        assert list(file[place].asstr()[:])
        at = file[place].id.get_offset()
    content = bytearray(path.read_bytes())
    content[at + 16 : at + 20] = length.to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(IngestError, match=f"the texts of '{place}' declare {length // 10**6}"):
        h5ad.read({"h5ad": str(path)}, sample="", sample_key="")
