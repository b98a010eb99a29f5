import bz2
import errno
import gzip
import io
import lzma
import stat
import struct
import tarfile
import tracemalloc
import zipfile
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from osteotalk.ingest import IngestError
from osteotalk.ingest import archive as archive_module
from osteotalk.ingest import walk as walk_module
from osteotalk.ingest.archive import Member, extract, list_members

CONTENTS = {
    "BC2/barcodes.tsv.gz": b"barcodes" * 100,
    "BC2/features.tsv.gz": b"features" * 64,  # a whole tar block
    "BC2/matrix.mtx.gz": b"m",
}
PACKERS = {"": bytes, ".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}


def tar_bytes(contents, *, extra=(), **options):
    """A tar of {name: bytes}, and of further TarInfo objects without data."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", **options) as tar:
        for name, content in contents.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
        for info in extra:
            tar.addfile(info)
    return buffer.getvalue()


def zip_bytes(contents, *, compression=zipfile.ZIP_DEFLATED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def special(name, kind, **fields):
    info = tarfile.TarInfo(name)
    info.type = kind
    for field, value in fields.items():
        setattr(info, field, value)
    return info


def write_sparse_tar(path, sizes):
    """A tar of members of zeros, which takes no room on the disk."""
    with path.open("wb") as stream:
        for name, size in sizes.items():
            info = tarfile.TarInfo(name)
            info.size = size
            stream.write(info.tobuf(tarfile.GNU_FORMAT))
            stream.seek(size, io.SEEK_CUR)
        stream.write(bytes(1024))


def unpacked(path, folder):
    """{full name: bytes} of everything that the archive holds."""
    paths = extract(list_members(path).members, folder)
    return {member.full_name: file.read_bytes() for member, file in paths.items()}


@pytest.fixture
def put(tmp_path):
    def put(content, name="GSE1_RAW.tar"):
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return put


@pytest.mark.parametrize("ending", PACKERS)
def test_tar(put, tmp_path, ending):
    path = put(PACKERS[ending](tar_bytes(CONTENTS)), f"GSE152048_BC2.matrix.tar{ending}")
    listing = list_members(path)
    assert [(m.name, m.size, m.inner) for m in listing.members] == [
        (name, len(content), "") for name, content in CONTENTS.items()
    ]
    assert listing.path == listing.members[0].archive == str(path)
    assert listing.ignored == {}
    assert unpacked(path, tmp_path / "out") == CONTENTS


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_zip(put, tmp_path, compression):
    path = put(zip_bytes(CONTENTS, compression=compression), "a.zip")
    assert unpacked(path, tmp_path / "out") == CONTENTS


@pytest.mark.parametrize("outer", [*PACKERS, "zip"])
@pytest.mark.parametrize("inner", [*PACKERS, "zip"])
def test_archives_in_an_archive(put, tmp_path, inner, outer):
    parts, expected = {}, {}
    for sample in ("GSM1_A", "GSM2_B"):
        contents = {f"{sample}/{role}": f"{sample} {role}".encode() for role in ("x.mtx", "y.tsv")}
        name = f"{sample}.zip" if inner == "zip" else f"{sample}.tar{inner}"
        parts[name] = zip_bytes(contents) if inner == "zip" else PACKERS[inner](tar_bytes(contents))
        expected |= {f"{name}/{key}": value for key, value in contents.items()}
    parts["readme.txt"] = expected["readme.txt"] = b"read me"
    path = put(zip_bytes(parts) if outer == "zip" else PACKERS[outer](tar_bytes(parts)), "nested")
    listing = list_members(path)
    assert [member.full_name for member in listing.members] == list(expected)
    assert listing.members[0].inner.startswith("GSM1_A.")
    assert unpacked(path, tmp_path / "out") == expected


def test_an_archive_two_levels_down_stays_closed(put, caplog):
    deep = tar_bytes({"mid.tar": tar_bytes({"deep.tar": tar_bytes(CONTENTS)})})
    assert [m.full_name for m in list_members(put(deep)).members] == ["mid.tar/deep.tar"]
    assert "deep.tar in mid.tar is not opened" in caplog.text


def test_names_of_macos_and_folders_are_ignored_and_counted(put, caplog):
    names = ["./BC2/matrix.mtx", "BC2/._matrix.mtx", "__MACOSX/BC2/._x", "BC2/.DS_Store"]
    content = tar_bytes(
        dict.fromkeys(names, b"x"), extra=[special("BC2", tarfile.DIRTYPE, mode=0o755)]
    )
    with caplog.at_level("INFO"):
        listing = list_members(put(content))
    assert [member.name for member in listing.members] == ["BC2/matrix.mtx"]
    assert listing.ignored == {
        "AppleDouble (._*)": 1,
        "__MACOSX": 1,
        ".DS_Store": 1,
        "folders": 1,
    }
    assert "ignored 1 .DS_Store, 1 AppleDouble (._*), 1 __MACOSX, 1 folders" in caplog.text


def test_of_members_with_one_name_the_last_counts(put, tmp_path):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for content in (b"older", b"new"):
            info = tarfile.TarInfo("a/matrix.mtx")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    path = put(buffer.getvalue())
    assert unpacked(path, tmp_path / "out") == {"a/matrix.mtx": b"new"}
    assert list_members(path).ignored == {"replaced by a later member of the same name": 1}


def test_of_nested_archives_with_one_name_the_last_counts(put, tmp_path):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for contents in ({"a": b"old", "b": b"gone"}, {"a": b"newer"}):
            info = tarfile.TarInfo("GSM1.tar")
            info.size = len(tar_bytes(contents))
            tar.addfile(info, io.BytesIO(tar_bytes(contents)))
    path = put(buffer.getvalue())
    assert unpacked(path, tmp_path / "out") == {"GSM1.tar/a": b"newer"}


def test_dots_in_names_are_no_escape(put, tmp_path):
    contents = {"a..b/..c/...": b"1", "d..e": b"2"}
    assert unpacked(put(tar_bytes(contents)), tmp_path / "out") == contents


def test_only_what_is_asked_for_is_extracted_under_flat_names(put, tmp_path):
    contents = {
        "a/matrix.mtx": b"1",
        "b/matrix.mtx": b"2",
        "b/odd na/me: é.tsv.gz": b"3",
        "c": b"4",
    }
    members = list_members(put(tar_bytes(contents))).members
    paths = extract(members[:3], tmp_path / "out")
    assert [p.name for p in paths.values()] == [
        "0001_matrix.mtx",
        "0002_matrix.mtx",
        "0003_me___.tsv.gz",
    ]
    assert sorted((tmp_path / "out").iterdir()) == sorted(paths.values())


@pytest.mark.parametrize("name", ["/etc/passwd", "a/../../b", "..", r"..\b", r"C:\b", "c:b", r"\b"])
@pytest.mark.parametrize("kind", ["tar", "zip", "nested"])
def test_paths_that_escape(put, tmp_path, name, kind):
    contents = {name: b"x", "fine.txt": b"y", "b\nc": b"z"}
    content = zip_bytes(contents) if kind == "zip" else tar_bytes(contents)
    if kind == "nested":
        content = tar_bytes({"GSM1.tar": content})
    before = sorted(tmp_path.iterdir())
    with pytest.raises(IngestError) as caught:
        list_members(put(content, "evil.tar"))
    message = str(caught.value)
    assert "evil.tar is not unpacked, because it holds 2 unsafe or unreadable members" in message
    assert f"{name!r} (a" in message
    assert "'b\\nc' (a name with control characters)" in message
    assert "check where the file comes from" in message
    assert sorted(p for p in tmp_path.iterdir() if p.name != "evil.tar") == before


def test_links_and_devices_are_all_named_at_once(put):
    extra = [
        special("soft", tarfile.SYMTYPE, linkname="/etc/passwd"),
        special("hard", tarfile.LNKTYPE, linkname="../x"),
        special("pipe", tarfile.FIFOTYPE),
        special("disk", tarfile.BLKTYPE),
    ]
    with pytest.raises(IngestError) as caught:
        list_members(put(tar_bytes(CONTENTS, extra=extra)))
    message = str(caught.value)
    assert "4 unsafe or unreadable members: 'soft' (a symbolic link to '/etc/passwd')" in message
    assert "'hard' (a hard link to '../x')" in message
    for name in ("pipe", "disk"):
        assert f"'{name}' (a device or another special file)" in message


def test_zip_with_link_device_and_password(put):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, kind in (("link", stat.S_IFLNK), ("pipe", stat.S_IFIFO), ("file", stat.S_IFREG)):
            info = zipfile.ZipInfo(name)
            info.external_attr = (kind | 0o644) << 16
            archive.writestr(info, "target")
    content = bytearray(buffer.getvalue())
    flags = content.rindex(b"PK\x01\x02") + 8  # of the last entry of the central directory
    content[flags] |= 1
    with pytest.raises(IngestError) as caught:
        list_members(put(bytes(content), "a.zip"))
    assert (
        "'link' (a symbolic link), 'pipe' (a device or another special file), 'file' (encrypted)"
        in str(caught.value)
    )


def test_a_member_of_absurd_size(put, tmp_path):
    write_sparse_tar(tmp_path / "sparse.tar", {"fine": 2**30, "huge.mtx": 65 * 2**30})
    with pytest.raises(IngestError, match=r"'huge.mtx' \(65.0 GiB, more than the 64.0 GiB allowed"):
        list_members(tmp_path / "sparse.tar")
    huge = zip_bytes({"huge.mtx": b"x"})
    # Sizes of more than 4 GiB stand in a zip64 field of the central directory.
    end = huge.index(b"PK\x01\x02")
    directory = bytearray(huge[end : huge.index(b"PK\x05\x06")])
    directory[24:28] = b"\xff" * 4
    directory[30:32] = struct.pack("<H", 12)
    directory += struct.pack("<HHQ", 1, 8, 65 * 2**30)
    tail = bytearray(huge[huge.index(b"PK\x05\x06") :])
    tail[12:16] = struct.pack("<I", len(directory))
    with pytest.raises(IngestError, match=r"'huge.mtx' \(65.0 GiB, more than the 64.0 GiB allowed"):
        list_members(put(huge[:end] + bytes(directory) + bytes(tail), "a.zip"))


def test_too_many_members(put, monkeypatch):
    monkeypatch.setattr(archive_module, "MAX_MEMBERS", 3)
    assert len(list_members(put(tar_bytes(CONTENTS))).members) == 3
    with pytest.raises(IngestError, match="more than 3 members"):
        list_members(put(tar_bytes({**CONTENTS, "one more": b""})))


@pytest.mark.parametrize("kind", ["tar.gz", "zip"])
def test_a_bomb_is_refused_before_it_unpacks(put, monkeypatch, kind):
    def limit(path):
        return 2 * 2**20

    monkeypatch.setattr(archive_module, "_limit", limit)
    monkeypatch.setattr(walk_module, "gib", lambda n: f"{n} bytes")
    zeros = {f"z{i}.txt": bytes(2**20) for i in range(3)}
    content = zip_bytes(zeros) if kind == "zip" else gzip.compress(tar_bytes(zeros))
    with pytest.raises(IngestError, match="unpacks to more than 2097152 bytes, the most allowed"):
        list_members(put(content, f"bomb.{kind}"))


def test_a_bomb_behind_the_end_mark(put, monkeypatch):
    monkeypatch.setattr(archive_module, "_limit", lambda path: 2 * 2**20)
    content = gzip.compress(tar_bytes(CONTENTS) + bytes(3 * 2**20))
    with pytest.raises(IngestError, match="bomb.tar.gz unpacks to more than 0.0 GiB"):
        list_members(put(content, "bomb.tar.gz"))


def test_the_limit_grows_with_the_archive(put):
    path = put(b"x" * 1000)
    assert archive_module._limit(str(path)) == 1000 * 1000 + 2**30


def test_a_header_that_claims_much_memory_is_not_read(put):
    info = special("long", tarfile.XHDTYPE)
    info.size = 3 * 2**30
    content = info.tobuf(tarfile.GNU_FORMAT) + bytes(1024)
    tracemalloc.start()
    with pytest.raises(IngestError, match="a header that claims 3221225472 bytes"):
        list_members(put(gzip.compress(content), "a.tar.gz"))
    assert tracemalloc.get_traced_memory()[1] < 8 * 2**20
    tracemalloc.stop()


@pytest.mark.parametrize("size", [-512, -1024])
def test_a_negative_size_neither_loops_nor_ends_the_archive(put, size):
    header = bytearray(tarfile.TarInfo("x").tobuf(tarfile.GNU_FORMAT))
    header[124:136] = b"\xff" * 10 + struct.pack(">h", size)
    header[148:156] = b" " * 8
    header[148:156] = f"{sum(header):06o}\0 ".encode()
    with pytest.raises(IngestError, match=r"truncated or damaged \('x' has a negative size\)"):
        list_members(put(bytes(header) + bytes(2048)))


@pytest.mark.parametrize("ending", PACKERS)
def test_truncated_tar(put, ending):
    rng = np.random.default_rng(0)
    contents = {f"m{i}": rng.bytes(700) for i in range(4)}
    content = PACKERS[ending](tar_bytes(contents)[: 4 * 1536 + 1024])
    for n_bytes in sorted({*range(520, len(content) - 1100, 211), len(content) - 1030}):
        path = put(content[:n_bytes], f"cut.tar{ending}")
        with pytest.raises(
            IngestError, match=r"cut.tar.* is truncated or damaged \(.+\); download"
        ):
            list_members(path)
    assert len(list_members(put(content, f"whole.tar{ending}")).members) == 4


def test_damaged_header_in_the_middle_is_not_taken_for_the_end(put):
    content = bytearray(tar_bytes({"a": b"1", "b": b"2", "c": b"3"}))
    content[1024 + 10] ^= 0xFF
    with pytest.raises(IngestError, match="there is no valid header after 1 members"):
        list_members(put(bytes(content)))


def test_damaged_checksum_of_gzip(put):
    content = bytearray(gzip.compress(tar_bytes(CONTENTS)))
    content[-6] ^= 0xFF
    with pytest.raises(IngestError, match="CRC check failed.*delete .*a.tar.gz and its copy"):
        list_members(put(bytes(content), "a.tar.gz"))


def test_damage_inside_a_nested_archive_names_it(put):
    content = tar_bytes({"GSM1.tar.gz": gzip.compress(tar_bytes(CONTENTS))[:-20]})
    with pytest.raises(
        IngestError, match=r"GSE1_RAW.tar: GSM1.tar.gz, an archive inside it, is tr"
    ):
        list_members(put(content))


def test_truncated_zip(put):
    content = zip_bytes(CONTENTS)
    for n_bytes in (10, 100, len(content) - 5):
        with pytest.raises(IngestError, match="a.zip is truncated or damaged"):
            list_members(put(content[:n_bytes], "a.zip"))


@pytest.mark.parametrize("declared", [2, 40])
def test_zip_that_lies_about_a_size(put, tmp_path, declared):
    content = zip_bytes({"a.txt": b"0123456789"}, compression=zipfile.ZIP_DEFLATED)
    content = content.replace(struct.pack("<I", 10), struct.pack("<I", declared))
    path = put(content, "liar.zip")
    members = list_members(path).members
    assert members[0].size == declared
    with pytest.raises(IngestError, match=r"Bad CRC|declares 40 bytes, but only 10 came out"):
        extract(members, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_zip_with_an_unknown_compression(put, tmp_path):
    content = bytearray(zip_bytes({"a.txt": b"0123456789"}))
    content[8:10] = struct.pack("<H", 99)
    directory = content.index(b"PK\x01\x02")
    content[directory + 10 : directory + 12] = struct.pack("<H", 99)
    members = list_members(put(bytes(content), "a.zip")).members
    with pytest.raises(IngestError, match="That compression method is not supported"):
        extract(members, tmp_path / "out")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"<!DOCTYPE html><title>Not here</title>", "is no archive: it begins '<!DOCTYPE html>"),
        (b"", "is empty; expected tar"),
        (gzip.compress(b"%%MatrixMarket matrix" * 90), "is compressed, but no tar; expected"),
        (b"\x89HDF\r\n\x1a\n" + bytes(3000), "is no archive: it begins"),
    ],
    ids=["a web page", "empty", "compressed text", "another format"],
)
def test_what_is_no_archive(put, content, message):
    with pytest.raises(IngestError, match=message):
        list_members(put(content))


def test_no_file(tmp_path):
    with pytest.raises(IngestError, match="none.tar does not exist"):
        list_members(tmp_path / "none.tar")


def test_an_empty_tar_holds_nothing(put):
    assert list_members(put(tar_bytes({}))).members == ()


def test_old_tar_without_magic(put):
    content = bytearray(tar_bytes({"a": b"x"}))
    content[257:265] = bytes(8)
    content[148:156] = b" " * 8
    content[148:156] = f"{sum(content[:512]):06o}\0 ".encode()
    assert [m.name for m in list_members(put(bytes(content))).members] == ["a"]


def test_folder_to_unpack_into_must_be_empty(put, tmp_path):
    members = list_members(put(tar_bytes(CONTENTS))).members
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").touch()
    with pytest.raises(IngestError, match="out is not empty"):
        extract(members, tmp_path / "out")
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["mine"]


def test_a_full_disk(put, tmp_path, monkeypatch):
    path = put(tar_bytes(CONTENTS))
    members = list_members(path).members
    fat = [Member(str(path), "x", "", 2**60)]
    with pytest.raises(IngestError, match=r"the disk has .* GiB free, but 1073741824.0 GiB are to"):
        extract(fat, tmp_path / "out")

    def full(entry, path, member):
        path.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(archive_module, "_copy", full)
    with pytest.raises(IngestError, match="make room, then run again"):
        extract(members, tmp_path / "out")
    monkeypatch.undo()
    assert len(extract(members, tmp_path / "out")) == 3


def test_an_archive_that_changed_since(put, tmp_path):
    members = list_members(put(tar_bytes(CONTENTS))).members
    put(tar_bytes({"BC2/matrix.mtx.gz": b"longer"}))
    with pytest.raises(IngestError, match=r"no longer holds BC2/barcodes.tsv.gz, .*run again"):
        extract(members, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_listing_a_plain_tar_reads_headers_only(tmp_path):
    sizes = {"a": 8 * 2**30, "b": 8 * 2**30}
    write_sparse_tar(tmp_path / "sparse.tar", sizes)
    assert {m.name: m.size for m in list_members(tmp_path / "sparse.tar").members} == sizes


def test_memory_stays_flat(put, tmp_path):
    content = np.random.default_rng(0).bytes(24 * 2**20)
    path = put(gzip.compress(tar_bytes({"big.mtx": content}), 1), "big.tar.gz")
    tracemalloc.start()
    paths = extract(list_members(path).members, tmp_path / "out")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * 2**20
    assert next(iter(paths.values())).read_bytes() == content


def test_a_file_that_is_named_like_its_folder_is_refused(tmp_path):
    (tmp_path / "x.tar").write_bytes(tar_bytes({".": b"content"}))
    with pytest.raises(IngestError, match=r"'\.' \(a file without a name\)"):
        list_members(tmp_path / "x.tar")


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    names=st.lists(
        st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=30),
        unique_by=archive_module._plain,
        max_size=4,
    ),
    kind=st.sampled_from(["tar", "zip"]),
)
def test_whatever_the_names_nothing_lands_elsewhere(tmp_path_factory, names, kind):
    folder = tmp_path_factory.mktemp("names")
    contents = {name: str(i).encode() for i, name in enumerate(names)}
    (folder / "x").write_bytes(zip_bytes(contents) if kind == "zip" else tar_bytes(contents))
    try:
        paths = extract(list_members(folder / "x").members, folder / "out")
    except IngestError:
        assert not (folder / "out").exists()
        return
    assert {p.parent for p in paths.values()} <= {folder / "out"}
    assert sorted(p.name for p in folder.iterdir()) == ["out", "x"]
    assert all(path.read_bytes() in contents.values() for path in paths.values())


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(position=st.integers(0, 10**6), value=st.integers(1, 255), kind=st.sampled_from("tgz"))
def test_a_flipped_byte_gives_an_ingest_error_or_the_listing(
    tmp_path_factory, position, value, kind
):
    content = {
        "t": tar_bytes(CONTENTS),
        "g": gzip.compress(tar_bytes(CONTENTS), mtime=0),
        "z": zip_bytes(CONTENTS),
    }[kind]
    content = bytearray(content)
    content[position % len(content)] ^= value
    folder = tmp_path_factory.mktemp("flip")
    (folder / "x").write_bytes(content)
    with suppress(IngestError):  # any other exception fails the test
        extract(list_members(folder / "x").members, folder / "out")
