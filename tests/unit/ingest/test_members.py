import io
import tarfile
from pathlib import Path

import pytest

from osteotalk.ingest import IngestError
from osteotalk.ingest.members import extract_sample, list_dataset_members

NAMES = ("barcodes.tsv.gz", "features.tsv.gz", "matrix.mtx.gz")


def tar(path, *folders):
    with tarfile.open(path, "w:gz") as archive:
        for folder in folders:
            for name in NAMES:
                info = tarfile.TarInfo(f"{folder}/{name}")
                content = f"{folder} {name}".encode()
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
    return str(path)


def rows(*samples):
    return [{"sample": s, "accession": "", "member": "", "status": ""} for s in samples]


def files(**archives):
    return [{"role": "archive", "path": p, "sample": s} for s, p in archives.items()]


def test_one_archive_per_sample(tmp_path):
    listed = list_dataset_members(
        files(
            BC2=tar(tmp_path / "GSE1_BC2.tar.gz", "BC2"),
            BC20=tar(tmp_path / "GSE1_BC20.tar.gz", "BC20"),
        ),
        samples=rows("BC20", "BC2"),
        dataset="d",
    )
    assert listed["sample"].tolist() == ["BC20"] * 3 + ["BC2"] * 3
    paths, key = extract_sample(
        listed, sample="BC2", archive=str(tmp_path / "GSE1_BC2.tar.gz"), folder=tmp_path / "out"
    )
    assert key == "BC2/"
    assert Path(paths["matrix"]).read_text() == "BC2 matrix.mtx.gz"


def test_an_archive_that_holds_another_sample(tmp_path):
    given = files(
        BC2=tar(tmp_path / "GSE1_BC2.tar.gz", "BC3"), BC3=tar(tmp_path / "GSE1_BC3.tar.gz", "BC2")
    )
    with pytest.raises(IngestError) as error:
        list_dataset_members(given, samples=rows("BC2", "BC3"), dataset="d")
    assert "GSE1_BC2.tar.gz is given for sample BC2, but holds 'BC3/'" in str(error.value)
    assert "GSE1_BC3.tar.gz is given for sample BC3, but holds 'BC2/'" in str(error.value)


def test_an_archive_that_holds_another_accession(tmp_path):
    given = files(OS_1=tar(tmp_path / "first.tar.gz", "GSM0000002_OS_2"))
    sheet = [
        {"sample": f"OS_{i}", "accession": f"GSM000000{i}", "member": "", "status": ""}
        for i in (1, 2)
    ]
    with pytest.raises(IngestError, match=r"given for sample OS_1, but holds 'GSM0000002_OS_2/'"):
        list_dataset_members(given, samples=sheet, dataset="d")
    given = files(OS_1=tar(tmp_path / "other.tar.gz", "GSM0000009_x"))
    with pytest.raises(IngestError, match=r"the name of sample GSM0000009"):
        list_dataset_members(given, samples=sheet, dataset="d")


@pytest.mark.parametrize(
    ("accessions", "message"),
    [
        (
            ("GSM2", "GSM1"),
            r"sample T1: its accession GSM2 finds GSM2_T2/, but its id finds GSM1_T1/",
        ),
        (
            ("GSM9", "GSM2"),
            r"sample T1: its accession GSM9 is not there, and its id finds GSM1_T1/",
        ),
        (("gsm1", "GSM2"), None),
    ],
)
def test_accession_and_id_must_say_the_same(tmp_path, accessions, message):
    path = tar(tmp_path / "RAW.tar.gz", "GSM1_T1", "GSM2_T2")
    sheet = [
        {"sample": f"T{i}", "accession": accession, "member": "", "status": ""}
        for i, accession in enumerate(accessions, 1)
    ]
    given = [{"role": "archive", "path": path, "sample": ""}]
    if message:
        with pytest.raises(IngestError, match=message):
            list_dataset_members(given, samples=sheet, dataset="d")
    else:
        listed = list_dataset_members(given, samples=sheet, dataset="d")
        assert listed.groupby("sample")["key"].first().tolist() == ["GSM1_T1/", "GSM2_T2/"]


def test_a_folder_with_any_other_name_is_taken(tmp_path):
    given = files(BC2=tar(tmp_path / "GSE1_BC2.tar.gz", "outs"), BC3=tar(tmp_path / "x.tgz", "BC3"))
    listed = list_dataset_members(given, samples=rows("BC2", "BC3"), dataset="d")
    assert set(listed["sample"]) == {"BC2", "BC3"}


def test_what_is_wrong_with_several_archives_is_said_at_once(tmp_path):
    (tmp_path / "a.tar").write_bytes(b"no archive")
    (tmp_path / "b.tar").write_bytes(b"nor this")
    given = files(A=str(tmp_path / "a.tar"), B=str(tmp_path / "b.tar"))
    with pytest.raises(IngestError) as error:
        list_dataset_members(given, samples=rows("A", "B"), dataset="d")
    assert "a.tar" in str(error.value)
    assert "b.tar" in str(error.value)


def test_a_shared_archive_beside_archives_of_their_own(tmp_path):
    given = [
        *files(A=tar(tmp_path / "A.tar.gz", "A")),
        {"role": "archive", "path": tar(tmp_path / "rest.tar.gz", "B", "C"), "sample": ""},
    ]
    retired = {"sample": "C", "accession": "", "member": "", "status": "retired"}
    listed = list_dataset_members(given, samples=[*rows("A", "B"), retired], dataset="d")
    assert listed["sample"].unique().tolist() == ["A", "B"]


def test_a_sample_that_the_table_of_members_lacks(tmp_path):
    listed = list_dataset_members(
        files(A=tar(tmp_path / "A.tar.gz", "A")), samples=rows("A"), dataset="d"
    )
    with pytest.raises(IngestError, match="names no file of sample 'B'"):
        extract_sample(listed, sample="B", archive="A.tar.gz", folder=tmp_path / "out")
