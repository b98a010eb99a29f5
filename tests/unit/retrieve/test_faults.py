"""Downloads that fail: the message, nothing under a final name, and a re-run that completes."""

import errno
import hashlib
import shutil
import socket
from collections import namedtuple

import pytest

from osteotalk.retrieve import Limits, RetrieveError, checks, fetch, http, transfer

HOST = "https://ftp.example.org/"
WHERE = r" \(asked for in config/files\.tsv line 12\)$"
ONCE = Limits(attempts=1, timeout=5, backoff=0.001)


def completes(archive, **changes):
    archive.fetch(**changes)
    assert archive.complete()


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (404, r"404 Not Found: the archive has no such file: check the url in the table of files"),
        (410, r"410 Gone: the archive has removed the file"),
        (403, r"403 Forbidden: the server refuses; the file may need credentials"),
        (401, r"401 Unauthorized: the server wants credentials"),
        (400, r"400 Bad Request: check the url in the table of files"),
        (204, r"204 No Content: check the url"),
    ],
)
def test_a_refusal_is_not_tried_again(archive, loopback, code, words):
    archive.server.script(archive.path, loopback.status(code))
    message = rf"^https://ftp\.example\.org/geo/GSE1_RAW\.tar: the server answered {words}"
    with pytest.raises(RetrieveError, match=message) as caught:
        archive.fetch()
    assert str(caught.value).endswith("(asked for in config/files.tsv line 12)")
    assert len(archive.seen()) == 1
    assert archive.nothing_kept()
    completes(archive)


@pytest.mark.parametrize("code", [408, 429, 500, 502, 503, 504])
def test_a_status_that_may_pass_is_tried_again(archive, loopback, caplog, code):
    archive.server.script(archive.path, loopback.status(code), loopback.status(code))
    completes(archive)
    assert len(archive.seen()) == 3
    assert f"the server answered {http.status_text(code)}; trying again in" in caplog.text


def test_a_server_that_stays_down(archive, loopback):
    archive.server.script(archive.path, *[loopback.status(503)] * 3)
    words = r"503 Service Unavailable, 3 time\(s\) in a row without a new byte\. Run again later"
    with pytest.raises(RetrieveError, match=words + WHERE):
        archive.fetch()
    assert len(archive.seen()) == 3
    assert archive.nothing_kept()
    completes(archive)


def test_nothing_comes(archive, loopback):
    archive.server.script(archive.path, *[loopback.slow(3)] * 2)
    with pytest.raises(RetrieveError, match=r"no byte came for 0\.1 s, 2 time\(s\)" + ".*" + WHERE):
        archive.fetch(limits=Limits(attempts=2, timeout=0.1, backoff=0.001))
    assert archive.nothing_kept()
    completes(archive)


def test_no_server_and_no_such_host(archive, monkeypatch):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        gone = {HOST: f"http://127.0.0.1:{closed.getsockname()[1]}/"}
        with pytest.raises(RetrieveError, match=r"the connection failed \(Connection refused\), 3"):
            archive.fetch(mirrors=gone)

    def unknown(*_, **__):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(RetrieveError, match="the name of the host is not known here"):
        archive.fetch(mirrors={})
    monkeypatch.undo()
    assert archive.nothing_kept()
    completes(archive)


def test_the_size_of_the_table_is_checked_before_the_body(archive):
    words = (
        r"the server announces 307,200 bytes, but the table of files says 2,000,000,000; if the "
        r"archive has replaced the file, correct the size in the table, else run again"
    )
    with pytest.raises(RetrieveError, match=words + WHERE):
        archive.fetch(n_bytes=2_000_000_000)
    assert archive.nothing_kept()
    completes(archive, n_bytes=307_200)


def test_the_size_of_the_table_is_checked_after_the_body(archive, loopback):
    archive.server.script(archive.path, loopback.CHUNKED)
    with pytest.raises(
        RetrieveError,
        match=r"more than 5 bytes came; the table of files says 5: correct" + ".*" + WHERE,
    ):
        archive.fetch(n_bytes=5)
    assert archive.nothing_kept()
    completes(archive)


def test_an_empty_file(archive, loopback):
    archive.server.script(archive.path, loopback.status(200))
    with pytest.raises(RetrieveError, match=r"the server sent an empty file \(0 bytes\)"):
        archive.fetch()
    assert archive.nothing_kept()
    completes(archive)


@pytest.mark.parametrize("n_bytes", [None, 307_200])
def test_a_page_in_place_of_the_file(archive, loopback, n_bytes):
    archive.server.script(archive.path, loopback.page("GEO &amp; friends\n are   down"))
    words = 'the server sent a web page, not the file: its title is "GEO & friends are down"; open'
    with pytest.raises(RetrieveError, match=words):
        archive.fetch(n_bytes=n_bytes)
    assert len(archive.seen()) == 1
    assert archive.nothing_kept()
    completes(archive)


def test_a_page_without_a_title(archive, loopback):
    body = (
        b"\xef\xbb\xbf\n<?xml version='1.0'?><!-- x --><HTML>\x00<body>" + b"Too many users " * 20
    )
    archive.server.script(archive.path, loopback.status(200, body=body))
    quoted = "<?xml version='1.0'?><!-- x --><HTML> <body>Too many users Too many users Too ma"
    assert len(quoted) == 80
    with pytest.raises(RetrieveError) as caught:
        archive.fetch()
    assert f'it begins with "{quoted}";' in str(caught.value)
    assert archive.nothing_kept()


def test_a_page_that_was_cut_and_resumed(archive, loopback):
    """The first bytes are looked at again when all is there."""
    page = b"<html><title>Busy</title>" + b"x" * 10_000
    archive.server.put(archive.path, page)
    archive.server.script(archive.path, loopback.cut(1000))
    with pytest.raises(RetrieveError, match='its title is "Busy"'):
        archive.fetch()
    assert archive.nothing_kept()
    archive.server.put(archive.path, archive.content)
    completes(archive)


@pytest.mark.parametrize(
    ("name", "good", "kind"),
    [
        ("a.mtx.gz", b"\x1f\x8b\x08", "gzip"),
        ("a.tgz", b"\x1f\x8b\x08", "gzip"),
        ("a.TAR", bytes(257) + b"ustar\0", "tar"),
        ("a.zip", b"PK\x03\x04", "zip"),
        ("a.h5", b"\x89HDF\r\n\x1a\n", "HDF5"),
        ("a.h5ad", b"\x89HDF\r\n\x1a\n", "HDF5"),
        ("a.tar.bz2", b"BZh9", "bzip2"),
    ],
)
def test_the_first_bytes_fit_the_ending(name, good, kind):
    checks.check_head(good, (name, "download"), url="u")
    checks.check_head(good, ("download", name), url="u")
    words = f'u: what came is not a {kind} file, as the ending .* begins with "plain text"; check'
    with pytest.raises(RetrieveError, match=words):
        checks.check_head(b"plain \x00text", (name, ""), url="u")


def test_pages_that_are_wanted_and_text_that_only_looks_alike():
    checks.check_head(b"<html>", ("qc.html", ""), url="u")
    checks.check_head(b"<htmlx", ("a.txt", ""), url="u")
    checks.check_head(b"gene <html>", ("a.tsv", ""), url="u")


def test_a_wrong_digest(archive):
    found, wanted = hashlib.sha256(archive.content).hexdigest(), "0" * 64
    words = (
        f"the file downloaded now has SHA-256 {found}, but the table of files says {wanted}: "
        "check it for a typing error; if the archive has replaced the file and you accept the new "
        "one, correct sha256"
    )
    with pytest.raises(RetrieveError, match=words + ".*" + WHERE):
        archive.fetch(sha256=wanted)
    assert archive.nothing_kept()
    completes(archive, sha256=found)


def test_a_file_that_changed_since_an_earlier_download(archive):
    earlier = archive.fetch()["sha256"]
    shutil.rmtree(archive.cache)
    archive.target.unlink()
    archive.content = archive.content[:-1] + b"x"
    archive.server.put(archive.path, archive.content)
    found = hashlib.sha256(archive.content).hexdigest()
    words = (
        f"downloaded now has SHA-256 {found}, but the manifest of an earlier download says "
        f"{earlier}: .* To keep the old one, put it back .*; to accept the new one, remove its line"
    )
    with pytest.raises(RetrieveError, match=words):
        archive.fetch(earlier_sha256=earlier)
    assert archive.nothing_kept()
    completes(archive)


def test_both_digests_differ_and_an_old_target_stays(archive):
    archive.target.parent.mkdir(parents=True)
    archive.target.write_text("old")
    with pytest.raises(RetrieveError, match=f"{'1' * 64}.*; and the manifest .* {'2' * 64}"):
        archive.fetch(sha256="1" * 64, earlier_sha256="2" * 64)
    assert archive.target.read_text() == "old"


def test_a_disk_too_small(archive, monkeypatch):
    usage = namedtuple("usage", "total used free")
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda _: usage(2**40, 2**40, 2**26 + 310_000))
        words = r"the disk is full: 0\.06 GiB are free in the cache folder .*, 0\.06 GiB are needed"
        with pytest.raises(RetrieveError, match=words + ".*" + WHERE):
            archive.fetch()
        assert archive.nothing_there()
        patch.setattr(shutil, "disk_usage", lambda _: usage(2**40, 2**40, 2**26 + 311_000))
        completes(archive)


def test_a_disk_that_fills_up(archive, monkeypatch):
    write = transfer.Part.write

    def full(self, piece, stream):
        if self.size > 100_000:
            raise OSError(errno.ENOSPC, "No space left on device")
        write(self, piece[:70_000], stream)

    monkeypatch.setattr(transfer, "CHUNK", 70_000)
    with monkeypatch.context() as patch:
        patch.setattr(transfer.Part, "write", full)
        with pytest.raises(
            RetrieveError, match=r"the disk is full: .* \(what has been downloaded is"
        ):
            archive.fetch()
    assert archive.nothing_there()
    kept = archive.part.stat().st_size
    assert kept > 100_000
    completes(archive)
    assert archive.seen()[-1].headers["Range"] == f"bytes={kept}-"


def test_a_cache_that_is_no_folder(archive):
    archive.cache.write_text("a file")
    with pytest.raises(
        RetrieveError, match=r"cannot be written to .*cache.*check the cache folder"
    ):
        archive.fetch()


@pytest.mark.parametrize("url", ["ftp://a.org/x", "GSE1.tar", "https:///x", "https://[/x", ""])
def test_an_address_that_is_none(tmp_path, url):
    with pytest.raises(RetrieveError, match=r"is not an address that begins with https://.*line 3"):
        fetch(url, tmp_path / "x", cache=tmp_path, limits=ONCE, where="line 3")


def test_a_password_in_the_address(tmp_path):
    with pytest.raises(RetrieveError, match="holds a user name or password") as caught:
        fetch("https://me:s3cret@a.org/x", tmp_path / "x", cache=tmp_path, limits=ONCE)
    assert "s3cret" not in str(caught.value)


def test_redirects_without_end_or_sense(archive, loopback):
    archive.server.script(archive.path, loopback.redirect("gopher://x/?s3cret"))
    with pytest.raises(RetrieveError, match=r"redirects to, cannot be used \(InvalidSchema\)"):
        archive.fetch()
    archive.server.script(archive.path, then=loopback.redirect(archive.path))
    with pytest.raises(RetrieveError, match=r"cannot be used \(TooManyRedirects\)" + WHERE):
        archive.fetch()
    assert archive.nothing_kept()
