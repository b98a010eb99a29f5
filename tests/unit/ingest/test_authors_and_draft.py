import json
import tarfile
import zipfile

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse

from osteotalk.ingest import IngestError
from osteotalk.ingest.draft import draft_samples
from osteotalk.ingest.genes import SymbolTable
from osteotalk.ingest.members import list_dataset_members, list_genes
from osteotalk.ingest.sample import read_sample

NO_SYMBOLS = SymbolTable(path="none", approved=frozenset(), by_id={}, by_previous={})
BARCODES = ["AAA-1", "CCC-1", "GGG-1", "TTT-1"]
COUNTS = np.array([[1, 0, 2], [7, 0, 0], [0, 3, 4], [5, 0, 0]])
GENES = ["SPP1", "CD44", "MT-CO1"]
ROW = {"dataset": "d", "sample": "S1", "patient": "P1", "condition": "primary"}


def h5ad(path, **obs):
    adata = AnnData(
        sparse.csr_matrix(COUNTS, dtype=np.float32),
        obs=pd.DataFrame(obs, index=BARCODES),
        var=pd.DataFrame(index=GENES),
    )
    adata.write_h5ad(path)
    return str(path)


def table(path):
    lines = [",".join(["gene", *BARCODES])]
    lines += [",".join([gene, *map(str, COUNTS[:, i])]) for i, gene in enumerate(GENES)]
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def read(files, *, sample="S1", **dataset):
    return read_sample(
        files, sample_row=ROW | {"sample": sample}, symbols=NO_SYMBOLS, dataset_row=dataset
    )


def test_labels_of_obs_are_kept_as_text(tmp_path):
    path = h5ad(
        tmp_path / "x.h5ad", kind=["tam", "t_nk", None, "tam"], ok=[True, False, True, True]
    )
    adata, report = read({"h5ad": path}, author_label="kind", author_qc="ok")
    assert adata.obs["author_label"].tolist() == ["tam", "t_nk", "", "tam"]
    assert adata.obs["author_qc"].tolist() == ["True", "False", "True", "True"]
    assert report["n_author_label"] == 3
    assert set(adata.obs) == {
        "dataset", "sample", "patient", "condition", "author_label", "author_qc",
    }  # fmt: skip


def test_labels_follow_their_cells_when_empty_droplets_go(tmp_path):
    counts = COUNTS.copy()
    counts[0] = 0
    adata = AnnData(
        sparse.csr_matrix(counts, dtype=np.float32),
        obs=pd.DataFrame({"kind": list("abcd")}, index=BARCODES),
        var=pd.DataFrame(index=GENES),
    )
    adata.write_h5ad(tmp_path / "x.h5ad")
    result, _ = read({"h5ad": str(tmp_path / "x.h5ad")}, author_label="kind")
    assert result.obs["author_label"].tolist() == ["b", "c", "d"]


@pytest.mark.parametrize("prefix", ["", "S1_"])
def test_metadata_label_cells_by_barcode(tmp_path, prefix):
    """In another order, with a cell missing, and barcodes with or without the sample."""
    lines = [f"{prefix}{b}\t{k}" for b, k in (("TTT-1", "tam"), ("AAA-1", "nk"), ("GGG-1", "dc"))]
    (tmp_path / "m.tsv").write_text("Cell\tCelltype (major-lineage)\n" + "\n".join(lines) + "\n")
    files = {"table": table(tmp_path / "counts.csv"), "metadata": str(tmp_path / "m.tsv")}
    adata, report = read(files, author_label="Celltype (major-lineage)")
    assert adata.obs["author_label"].tolist() == ["nk", "", "dc", "tam"]
    assert report["n_author_label"] == 3


def test_metadata_tell_the_samples_of_one_file_apart(tmp_path):
    """As TISCH2 has it: one matrix, and a table of cells with a column Sample."""
    lines = [
        f"{b}\t{s}\t{k}" for b, s, k in zip(BARCODES, ["A", "B", "A", "C"], "wxyz", strict=True)
    ]
    (tmp_path / "m.tsv").write_text("Cell\tSample\tType\n" + "\n".join(lines) + "\n")
    files = {"table": table(tmp_path / "counts.csv"), "metadata": str(tmp_path / "m.tsv")}
    adata, _ = read(files, sample="A", sample_key="Sample", author_label="Type")
    assert adata.obs_names.tolist() == ["A_AAA-1", "A_GGG-1"]
    assert adata.obs["author_label"].tolist() == ["w", "y"]
    np.testing.assert_array_equal(adata.X.toarray(), COUNTS[[0, 2]])
    with pytest.raises(IngestError, match=r"no cell of sample 'D'.*has: 'A', 'B', 'C'"):
        read(files, sample="D", sample_key="Sample")
    with pytest.raises(IngestError, match=r"no column 'Donor'.*sample_key.*are: Sample, Type"):
        read(files, sample="A", sample_key="Donor")


@pytest.mark.parametrize("role", ["table", "h5ad"])
def test_a_barcode_may_occur_in_several_samples(tmp_path, role):
    """The row of another sample with the same barcode is not taken."""
    cells = [("AAA-1", "S2", "nk"), ("AAA-1", "S1", "tam"), ("CCC-1", "S2", "dc")]
    text = "Cell\tSample\tType\n" + "".join("\t".join(cell) + "\n" for cell in cells)
    (tmp_path / "m.tsv").write_text(text)
    files = {"table": table(tmp_path / "counts.csv"), "metadata": str(tmp_path / "m.tsv")}
    if role == "h5ad":  # there, the key is a column of obs; barcodes of the table must be unique
        files = {
            "h5ad": h5ad(tmp_path / "x.h5ad", Sample=["S1"] * 4),
            "metadata": files["metadata"],
        }
        with pytest.raises(IngestError, match="'AAA-1' is in the table more than once"):
            read(files, sample_key="Sample", author_label="Type")
        return
    adata, _ = read(files, sample="S1", sample_key="Sample", author_label="Type")
    assert adata.obs_names.tolist() == ["S1_AAA-1"]
    assert adata.obs["author_label"].tolist() == ["tam"]


def test_labels_of_a_triplet_come_from_the_rows_of_its_sample(tmp_path):
    from scipy.io import mmwrite

    mmwrite(tmp_path / "matrix.mtx", sparse.coo_matrix(COUNTS.T))
    (tmp_path / "barcodes.tsv").write_text("\n".join(BARCODES))
    (tmp_path / "features.tsv").write_text("\n".join(f"{g}\t{g}" for g in GENES))
    cells = [("AAA-1", "S2", "nk"), ("AAA-1", "S1", "tam"), ("CCC-1", "S2", "dc")]
    text = "Cell\tSample\tType\n" + "".join("\t".join(cell) + "\n" for cell in cells)
    (tmp_path / "m.tsv").write_text(text)
    files = {r: str(tmp_path / f"{r}.{e}") for r, e in
             (("matrix", "mtx"), ("barcodes", "tsv"), ("features", "tsv"))}  # fmt: skip
    files["metadata"] = str(tmp_path / "m.tsv")
    adata, report = read(files, sample="S1", sample_key="Sample", author_label="Type")
    assert adata.obs["author_label"].tolist() == ["tam", "", "", ""]
    assert report["n_author_label"] == 1


@pytest.mark.parametrize("form", ["S1@{}", "{}_S1", "GSM7-{}", "GSM7_{}"])
def test_cells_named_with_sample_or_accession(tmp_path, form):
    lines = [f"{form.format(b)}\ttype {b}" for b in BARCODES]
    (tmp_path / "m.tsv").write_text("Cell\tType\n" + "\n".join(lines) + "\n")
    files = {"table": table(tmp_path / "counts.csv"), "metadata": str(tmp_path / "m.tsv")}
    adata, _ = read_sample(
        files,
        sample_row=ROW | {"accession": "GSM7"},
        symbols=NO_SYMBOLS,
        dataset_row={"author_label": "Type"},
    )
    assert adata.obs["author_label"].tolist() == [f"type {b}" for b in BARCODES]


def test_metadata_of_other_cells_are_refused(tmp_path):
    (tmp_path / "m.tsv").write_text("Cell\tType\nOS_1@XXX\ttam\n")
    files = {"table": table(tmp_path / "counts.csv"), "metadata": str(tmp_path / "m.tsv")}
    with pytest.raises(IngestError, match=r"none of the cells of sample 'S1'.*'AAA-1'.*'OS_1@XXX'"):
        read(files, author_label="Type")
    (tmp_path / "m.tsv").write_text("Cell\tType\nAAA-1\ttam\nAAA-1\tnk\n")
    with pytest.raises(IngestError, match="barcode 'AAA-1' is in the table more than once"):
        read(files, author_label="Type")


def test_a_label_column_that_is_not_there(tmp_path):
    path = h5ad(tmp_path / "x.h5ad", kind=list("abcd"))
    with pytest.raises(IngestError, match=r"no column 'type'.*as author_label.*are: kind"):
        read({"h5ad": path}, author_label="type")


def dataset_row(**more):
    return {"dataset": "d", "sample_key": "", **more}


def test_draft_of_the_values_in_an_h5ad(tmp_path):
    path = h5ad(tmp_path / "x.h5ad", donor=["P2", "P1", "P2", "P2"])
    rows = [{"role": "h5ad", "path": path}]
    draft = draft_samples(rows, dataset_row=dataset_row(sample_key="donor"))
    assert draft["sample"].tolist() == ["P1", "P2"]
    assert draft["note"].tolist() == ["1 cells", "3 cells"]
    with pytest.raises(IngestError, match="no column 'patient'"):
        draft_samples(rows, dataset_row=dataset_row(sample_key="patient"))
    with pytest.raises(IngestError, match="no sample can be told from its files"):
        draft_samples(rows, dataset_row=dataset_row())


def test_draft_of_an_archive_of_geo(tmp_path):
    path = tmp_path / "RAW.tar"
    with tarfile.open(path, "w") as archive:
        for sample in ("GSM11_OS_1", "GSM12_OS_2"):
            for name in ("barcodes.tsv.gz", "features.tsv.gz", "matrix.mtx.gz"):
                (tmp_path / name).write_bytes(b"x")
                archive.add(tmp_path / name, f"{sample}_{name}")
    draft = draft_samples([{"role": "archive", "path": str(path)}], dataset_row=dataset_row())
    assert draft["sample"].tolist() == ["OS_1", "OS_2"]
    assert draft["accession"].tolist() == ["GSM11", "GSM12"]
    assert (draft["patient"] == "").all()  # nothing is guessed


def nested(path, *inner):
    """A tar of tar.gz, each with one folder of three files."""
    with tarfile.open(path, "w") as outer:
        for name, folder in inner:
            with tarfile.open(path.with_suffix(".inner"), "w:gz") as archive:
                for member in ("barcodes.tsv", "features.tsv", "matrix.mtx"):
                    (path.parent / member).write_bytes(b"x")
                    archive.add(path.parent / member, f"{folder}/{member}" if folder else member)
            outer.add(path.with_suffix(".inner"), name)
    return [{"role": "archive", "path": str(path)}]


@pytest.mark.parametrize("folder", ["", "filtered_feature_bc_matrix", "OS"])
def test_draft_of_archives_in_an_archive(tmp_path, folder):
    """As in GSE198896: one tar.gz per sample, whose folder may say nothing of the sample."""
    rows = nested(tmp_path / "RAW.tar", ("GSM11_PT1.tar.gz", folder), ("GSM12_PT2.tar.gz", folder))
    draft = draft_samples(rows, dataset_row=dataset_row())
    assert draft["sample"].tolist() == ["PT1", "PT2"]
    assert draft["accession"].tolist() == ["GSM11", "GSM12"]
    sheet = draft.assign(patient="P", condition="primary").to_dict("records")
    members = list_dataset_members(
        [{**row, "sample": ""} for row in rows], samples=sheet, dataset="d"
    )
    assert members.groupby("sample")["inner"].unique().str[0].to_dict() == {
        "PT1": "GSM11_PT1.tar.gz",
        "PT2": "GSM12_PT2.tar.gz",
    }


def test_draft_of_folders_finds_its_own_files_again(tmp_path):
    """Without accessions, with folders that say nothing of the sample, and an id to be cleaned."""
    path = tmp_path / "all.tar"
    with tarfile.open(path, "w") as archive:
        for folder in ("S0058/outs", "S0059/outs", "case 7/outs"):
            for name in ("barcodes.tsv.gz", "features.tsv.gz", "matrix.mtx.gz"):
                (tmp_path / name).write_bytes(b"x")
                archive.add(tmp_path / name, f"{folder}/{name}")
    draft = draft_samples([{"role": "archive", "path": str(path)}], dataset_row=dataset_row())
    assert draft["sample"].tolist() == ["S0058", "S0059", "case_7"]
    sheet = draft.assign(patient="P", condition="primary").to_dict("records")
    files = [{"role": "archive", "path": str(path), "sample": ""}]
    members = list_dataset_members(files, samples=sheet, dataset="d")
    assert members.groupby("sample")["key"].first().tolist() == [
        "S0058/outs/", "S0059/outs/", "case 7/outs/",
    ]  # fmt: skip


def test_draft_takes_what_an_archive_says_of_its_samples(tmp_path):
    path = tmp_path / "p.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for i in (1, 2):
            archive.writestr(f"SCPCS00000{i}/SCPCL00000{i}_processed_rna.h5ad", b"x")
        archive.writestr("SCPCS000003/SCPCL000003_processed_rna.h5ad", b"x")
        archive.writestr(
            "single-cell_metadata.tsv",
            "scpca_sample_id\tparticipant_id\tdisease_timing\tseq_unit\tis_xenograft\tsample_type\n"
            "SCPCS000001\tPT9\tInitial diagnosis\tnucleus\tFALSE\tpatient tissue\n"
            "SCPCS000002\tPT8\tNA\tcell\tTRUE\t\n"
            "SCPCS000003\tPT8\tNA\tcell\t\tpatient-derived xenograft\n",
        )
    draft = draft_samples([{"role": "archive", "path": str(path)}], dataset_row=dataset_row())
    first, second, third = draft.to_dict("records")
    assert (third["status"], third["note"]) == ("retired", "patient-derived xenograft")
    assert (first["sample"], first["patient"]) == ("SCPCS000001", "PT9")
    assert (first["condition"], first["suspension"]) == ("initial_diagnosis", "nucleus")
    assert (first["status"], first["note"]) == ("", "")
    assert (second["status"], second["note"]) == ("retired", "is_xenograft")


def test_libraries_of_one_sample_get_a_row_each(tmp_path):
    path = tmp_path / "p.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for i in (1, 2):
            archive.writestr(f"SCPCS000001/SCPCL00000{i}_processed_rna.h5ad", b"x")
        text = "scpca_sample_id\tparticipant_id\nSCPCS000001\tP\n"
        archive.writestr("single-cell_metadata.tsv", text)
    rows = [{"role": "archive", "path": str(path)}]
    draft = draft_samples(rows, dataset_row=dataset_row())
    assert draft["patient"].tolist() == ["P", "P"]
    assert draft["sample"].is_unique
    sheet = draft.assign(condition="primary").to_dict("records")
    members = list_dataset_members(
        [{"role": "archive", "path": str(path), "sample": ""}], samples=sheet, dataset="d"
    )
    assert members["member"].str.contains(r"SCPCL00000[12]_processed").all()
    assert members["sample"].tolist() == draft["sample"].tolist()


def test_genes_of_a_cohort_are_counted_over_samples(tmp_path):
    def report(**changes):
        empty = {
            "renamed_list": [], "summed_symbols": [], "ambiguous": [], "conflicts": [],
            "unmapped": [], "no_ortholog": [],
        }  # fmt: skip
        return {"genes": empty | changes}

    reports = [
        report(renamed_list=[["CTGF", "CCN2"]], unmapped=["ENSG00000000001"]),
        report(renamed_list=[["CTGF", "CCN2"]], no_ortholog=["DLA-88"]),
    ]
    genes = list_genes(json.loads(json.dumps(reports)))
    assert genes.to_numpy().tolist() == [
        ["no_ortholog", "DLA-88", "", 1],
        ["renamed", "CTGF", "CCN2", 2],
        ["unmapped", "ENSG00000000001", "ENSG00000000001", 1],
    ]
    assert list_genes([report()]).empty


def test_labels_survive_to_a_file(tmp_path):
    path = h5ad(tmp_path / "x.h5ad", kind=["tam", None, "nk", "tam"])
    adata, _ = read({"h5ad": path}, author_label="kind")
    adata.write_h5ad(tmp_path / "y.h5ad")
    assert ad.read_h5ad(tmp_path / "y.h5ad").obs["author_label"].tolist() == [
        "tam",
        "",
        "nk",
        "tam",
    ]
