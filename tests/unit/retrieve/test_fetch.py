"""Downloads that succeed: what is written, and what is not asked for twice."""

import gzip
import hashlib
import json
import logging
import os
import re
import threading
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests

from osteotalk import __version__
from osteotalk.retrieve import Limits, RetrieveError, cache, download, fetch, http

HOST = "https://ftp.example.org/"
QUICK = Limits(attempts=3, timeout=5, backoff=0.001)


def test_a_file_is_cached_recorded_and_linked(archive):
    before = datetime.now(UTC).replace(microsecond=0)
    record = archive.fetch()
    assert archive.complete()
    assert archive.target.samefile(archive.cached)  # no second copy
    assert archive.target.is_symlink()
    at = datetime.fromisoformat(record.pop("retrieved_at"))
    assert before <= at <= datetime.now(UTC)
    assert record == {
        "file": "GSE1_RAW.tar",
        "url": "https://ftp.example.org/geo/GSE1_RAW.tar",
        "bytes": len(archive.content),
        "sha256": hashlib.sha256(archive.content).hexdigest(),
    }
    kept = sorted(path.name for path in archive.cached.parent.iterdir())
    assert kept == ["GSE1_RAW.tar", "GSE1_RAW.tar.lock", "GSE1_RAW.tar.record.json"]
    assert sorted(p.name for p in archive.target.parent.iterdir()) == ["GSE1_RAW.tar"]


def test_what_is_sent(archive):
    archive.fetch()
    (seen,) = archive.seen()
    assert seen.method == "GET"
    assert seen.headers["User-Agent"] == (
        f"osteotalk/{__version__} (python-requests/{requests.__version__})"
    )
    assert seen.headers["Accept-Encoding"] == "identity"
    assert "Range" not in seen.headers


def test_a_second_run_asks_for_nothing(archive):
    first = archive.fetch()
    archive.target.unlink()
    assert archive.fetch() == first  # the time is that of the download
    assert archive.fetch() == first
    assert archive.complete()
    assert len(archive.seen()) == 1


def test_a_cached_file_needs_no_address(archive):
    archive.fetch()

    def resolve():
        pytest.fail("the address was asked for")

    archive.fetch(resolve=resolve)


def test_two_projects_share_a_cache(archive):
    first = archive.fetch()
    other = archive.folder / "other" / "renamed.tar"
    record = fetch(archive.url, other, cache=archive.cache, limits=QUICK)  # no server: no mirror
    assert other.samefile(archive.target)
    assert record == first | {"file": "renamed.tar"}
    assert len(archive.seen()) == 1


def test_an_old_target_is_replaced_and_a_folder_is_not(archive):
    archive.target.parent.mkdir(parents=True)
    archive.target.write_text("old")
    archive.fetch()
    assert archive.complete()
    folder = archive.target.with_name("folder.tar")
    folder.mkdir()
    with pytest.raises(RetrieveError, match=r"cannot be linked to .*folder\.tar \(Is a directory"):
        fetch(archive.url, folder, cache=archive.cache, limits=QUICK)
    assert sorted(p.name for p in folder.parent.iterdir()) == ["GSE1_RAW.tar", "folder.tar"]


def test_a_project_does_not_make_the_file_look_new_in_another(archive):
    """Snakemake touches what a job made; the file of the other project must not change."""
    archive.fetch()
    other = archive.folder / "other" / "GSE1_RAW.tar"
    fetch(archive.url, other, cache=archive.cache, limits=QUICK)
    before = archive.target.stat().st_mtime_ns, archive.target.lstat().st_mtime_ns
    os.utime(other, ns=(2 * 10**18, 2 * 10**18), follow_symlinks=False)
    assert (archive.target.stat().st_mtime_ns, archive.target.lstat().st_mtime_ns) == before


def test_links_within_a_project_survive_its_move(archive, monkeypatch):
    monkeypatch.chdir(archive.folder)
    archive.fetch()
    assert not archive.target.readlink().is_absolute()
    moved = archive.folder.with_name("moved")
    archive.folder.rename(moved)
    assert (moved / "project" / "raw" / "GSE1_RAW.tar").read_bytes() == archive.content


def test_a_cache_of_another_user_may_be_read(archive, monkeypatch):
    first = archive.fetch()

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied", "GSE1_RAW.tar.lock")

    monkeypatch.setattr(cache.FileLock, "acquire", refuse)
    archive.target.unlink()
    assert archive.fetch() == first
    archive.cached.unlink()
    with pytest.raises(RetrieveError, match=r"cannot be written to .*check the cache folder"):
        archive.fetch()


@pytest.mark.parametrize("how", ["bit rot", "cut", "no record", "damaged record", "other record"])
def test_an_altered_cached_file_is_downloaded_anew(archive, caplog, how):
    archive.fetch()
    record = archive.cached.with_name("GSE1_RAW.tar.record.json")
    if how == "bit rot":
        altered = bytearray(archive.content)
        altered[1000] ^= 1
        archive.cached.write_bytes(altered)
    elif how == "cut":
        archive.cached.write_bytes(archive.content[:-1])
    elif how == "no record":
        record.unlink()
    elif how == "damaged record":
        record.write_text('{"bytes": ')
    else:
        record.write_text(json.dumps(json.loads(record.read_text()) | {"url": "https://else"}))
    archive.fetch()
    assert archive.complete()
    assert len(archive.seen()) == 2
    what = "no readable record" if "record" in how and how[0] != "o" else "has changed since"
    (line,) = [r.getMessage() for r in caplog.records if "downloading anew" in r.getMessage()]
    assert what in line
    assert str(archive.cached) in line


def test_a_cached_file_that_is_not_the_wanted_one_is_downloaded_anew(archive, caplog):
    archive.fetch()
    archive.server.put(archive.path, archive.content + b"\0" * 512)
    new = hashlib.sha256(archive.content + b"\0" * 512).hexdigest()
    record = archive.fetch(sha256=new.upper())
    assert record["sha256"] == new
    assert "is not the file that the table or the manifest describes" in caplog.text


def test_two_at_once_download_once(archive, loopback, caplog):
    caplog.set_level(logging.INFO)
    archive.server.script(archive.path, loopback.slow(0.5))
    records, others = [], archive.folder / "two"

    def work(folder):
        records.append(
            fetch(
                archive.url,
                folder / "GSE1_RAW.tar",
                cache=archive.cache,
                limits=QUICK,
                mirrors=archive.server.mirrors(HOST),
            )
        )

    threads = [threading.Thread(target=work, args=(others / name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(archive.seen()) == 1
    assert records[0] == records[1]
    assert (others / "a" / "GSE1_RAW.tar").samefile(others / "b" / "GSE1_RAW.tar")
    assert "waiting, another process downloads it into the same cache" in caplog.text


def test_the_longest_prefix_of_a_mirror_is_used(archive, server):
    server.put("/near/GSE1_RAW.tar", archive.content)
    mirrors = archive.fetch.keywords["mirrors"] | {
        "https://ftp.example.org/geo/": f"{server.url}/near/"
    }
    record = archive.fetch(mirrors=mirrors)
    assert [seen.path for seen in server.requests] == ["/near/GSE1_RAW.tar"]
    assert record["url"] == archive.url
    assert archive.complete()  # kept under the original address


def test_a_redirect_is_followed(archive, server, loopback):
    server.put("/elsewhere/a.tar", archive.content)
    server.script(archive.path, loopback.redirect("/elsewhere/a.tar"))
    assert archive.fetch()["url"] == archive.url
    assert archive.complete()


@pytest.mark.parametrize("elsewhere", [True, False])
def test_headers_are_sent_to_one_host_only(archive, server, loopback, elsewhere):
    with loopback.serve({"/b.tar": archive.content}) as other:
        goal = other if elsewhere else server
        goal.put("/b.tar", archive.content)
        server.script(archive.path, loopback.redirect(f"{goal.url}/b.tar"))
        archive.fetch(headers={"API-KEY": "s3cret", "Authorization": "Bearer s3cret"})
        first, second = archive.seen()[0], goal.of("/b.tar")[0]
    assert first.headers["API-KEY"] == "s3cret"
    for name in ("API-KEY", "Authorization"):
        assert (name in second.headers) != elsewhere


def test_gz_stays_gz_even_if_declared_as_encoding(archive, server, loopback):
    packed = gzip.compress(b"barcodes" * 1000)
    server.put("/ftp.example.org/b.tsv.gz", packed)
    fault = loopback.Fault(headers={"Content-Encoding": "gzip"})
    server.script("/ftp.example.org/b.tsv.gz", fault)
    target = archive.folder / "b.tsv.gz"
    fetch(
        HOST + "b.tsv.gz",
        target,
        cache=archive.cache,
        limits=QUICK,
        mirrors=server.mirrors(HOST),
    )
    assert target.read_bytes() == packed


def test_without_content_length(archive, loopback):
    archive.server.script(archive.path, loopback.CHUNKED)
    archive.fetch()
    assert archive.complete()


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("https://A.example.org/x/y.tar", "a.example.org/x/y.tar"),
        ("http://a.example.org:8080/y.tar", "a.example.org_8080/y.tar"),
        ("https://a.example.org/../../etc/passwd", "a.example.org/%2E%2E/%2E%2E/etc/passwd"),
        ("https://a.example.org/%2e%2e/b", "a.example.org/%2E%2E/b"),
        ("https://a.example.org/a%2Fb c*.h5", "a.example.org/a%2Fb%20c%2A.h5"),
        ("https://a.example.org/v1/", "a.example.org/v1/index"),
        ("https://a.example.org", "a.example.org/index"),
        ("https://a.example.org/a.tar.lock", "a.example.org/a.tar.lock_"),
    ],
)
def test_names_in_the_cache(url, path):
    assert cache.cache_path(url, "/c") == Path("/c", path)


def test_queries_and_long_names_in_the_cache():
    geo = "https://a.org/geo/download/?acc=GSE1&format=file"
    assert re.fullmatch(r"[0-9a-f]{12}-index", cache.cache_path(geo, "/c").name)
    assert cache.cache_path(geo, "/c") != cache.cache_path(geo.replace("GSE1", "GSE2"), "/c")
    long = [cache.cache_path(f"https://a.org/{'x' * 300}{i}.tar.gz", "/c").name for i in (1, 2)]
    assert long[0] != long[1]
    assert all(len(name) < 200 and name.endswith(".tar.gz") for name in long)


def test_memory_stays_flat(server, loopback, tmp_path):
    big = tmp_path / "big.bin"
    block = bytes(range(256)) * 4096
    with big.open("wb") as stream:
        for _ in range(64):
            stream.write(block)
    server.put("/ftp.example.org/big.bin", big)
    tracemalloc.start()
    try:
        record = fetch(
            HOST + "big.bin",
            tmp_path / "out" / "big.bin",
            cache=tmp_path / "cache",
            limits=QUICK,
            mirrors=server.mirrors(HOST),
        )
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert record["bytes"] == 64 * 1024**2
    assert peak < 16 * 1024**2, f"{peak / 1024**2:.1f} MiB"


def test_waits_grow_have_jitter_and_obey_the_server(archive, loopback, monkeypatch):
    waits = []
    monkeypatch.setattr(http.time, "sleep", waits.append)
    faults = [loopback.status(503)] * 9
    late = [loopback.status(429, retry_after="100"), loopback.status(503, retry_after="99999")]
    archive.server.script(archive.path, *faults, *late)
    archive.fetch(limits=Limits(attempts=20, timeout=5, backoff=1))
    steps = [min(2.0**i, 60) for i in range(9)]
    assert all(step / 2 <= wait <= step for wait, step in zip(waits, steps, strict=False))
    assert len(set(waits)) == len(waits)
    assert waits[9:] == [100, 300]


def test_retry_after_as_a_date():
    assert http.retry_after("Fri, 31 Dec 1999 23:59:59 GMT") == 0
    assert http.retry_after("Fri, 31 Dec 2999 23:59:59 GMT") == 300
    assert http.retry_after("soon") == http.retry_after("nan") == http.retry_after("-5") == 0


def test_the_content_check_of_a_cached_file_is_not_repeated(archive, monkeypatch):
    archive.fetch()
    monkeypatch.setattr(download, "check_head", lambda *_, **__: pytest.fail("checked"))
    archive.fetch()


def test_a_host_is_asked_for_few_files_at_a_time(server, loopback, tmp_path, monkeypatch):
    running, most, lock = [0], [0], threading.Lock()
    real = download.transfer

    def counted(*arguments):
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        real(*arguments)
        with lock:
            running[0] -= 1

    monkeypatch.setattr(download, "transfer", counted)
    names = [f"f{i}.bin" for i in range(7)]
    for name in names:
        server.put(f"/ftp.example.org/{name}", name.encode())
        server.script(f"/ftp.example.org/{name}", loopback.slow(0.2))

    def get(name):
        fetch(HOST + name, tmp_path / "out" / name, cache=tmp_path / "cache", limits=QUICK,
              mirrors=server.mirrors(HOST))  # fmt: skip

    threads = [threading.Thread(target=get, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most[0] == cache.MAX_CONNECTIONS == 3
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == names
