import hashlib

import pytest

from osteotalk import provenance


def describe(path, downloads):
    row = {"dataset": "d", "sample": "", "role": "archive", "path": str(path)}
    return provenance.describe_run(
        config={"seed": 0, "simulation": {"seed": 1}},
        files=[row],
        datasets=[{"dataset": "d", "accession": "GSE1"}],
        downloads=downloads,
        resource={"name": "consensus"},
        basedir=path.parent,
        left_out=[{"sample": "A", "reason": "a.h5 is cut off"}],
    )


def test_input_files_are_told_with_their_origin(tmp_path):
    path = tmp_path / "a.tar"
    path.write_bytes(b"content")
    digest = hashlib.sha256(b"content").hexdigest()
    record = {
        "sha256": digest,
        "url": "https://x.org/a.tar",
        "retrieved_at": "2026-01-01T00:00:00Z",
    }
    run = describe(path, {str(path): record})
    (found,) = run["files"]
    assert (found["bytes"], found["sha256"], found["url"]) == (7, digest, "https://x.org/a.tar")
    assert found["retrieved_at"] == "2026-01-01T00:00:00Z"
    assert run["left_out"] == [{"sample": "A", "reason": "a.h5 is cut off"}]
    assert run["accessions"] == {"d": "GSE1"}
    assert describe(path, {})["files"][0]["url"] == ""


def test_a_download_that_was_changed_afterwards(tmp_path):
    path = tmp_path / "a.tar"
    path.write_bytes(b"other content")
    record = {"sha256": "0" * 64, "url": "u", "retrieved_at": "t"}
    with pytest.raises(ValueError, match=r"a.tar: changed since the download"):
        describe(path, {str(path): record})


def test_a_download_that_was_deleted_is_told_from_its_record(tmp_path):
    path = tmp_path / "a.tar"
    record = {"sha256": "0" * 64, "bytes": 7, "url": "u", "retrieved_at": "t"}
    (found,) = describe(path, {str(path): record})["files"]
    assert (found["bytes"], found["sha256"], found["url"]) == (7, "0" * 64, "u")
    with pytest.raises(FileNotFoundError):
        describe(path, {})
