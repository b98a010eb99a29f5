"""Downloads that stop in between: what is kept, asked for again, and started anew."""

from pathlib import Path

import pytest

from osteotalk.retrieve import Limits, RetrieveError, transfer

ONCE = Limits(attempts=1, timeout=5, backoff=0.001)


def completes(archive, **changes):
    archive.fetch(**changes)
    assert archive.complete()


def test_a_cut_download_is_resumed(archive, loopback):
    archive.server.script(archive.path, loopback.cut(100_000), loopback.cut(50_000))
    completes(archive, limits=ONCE)  # new bytes reset the count
    first, second, third = archive.seen()
    assert "Range" not in first.headers
    assert second.headers["Range"] == "bytes=100000-"
    assert third.headers["Range"] == "bytes=150000-"
    assert second.headers["If-Range"] == third.headers["If-Range"]
    assert second.headers["If-Range"].startswith('"')
    assert [seen.code for seen in archive.seen()] == [200, 206, 206]
    assert sum(seen.sent for seen in archive.seen()) == len(archive.content)  # nothing twice


def test_a_later_run_resumes(archive, loopback):
    archive.server.script(archive.path, loopback.cut(120_000), *[loopback.HANG_UP] * 3)
    words = r"3 time\(s\) in a row without a new byte; 120,000 bytes are kept and the next run goes"
    with pytest.raises(RetrieveError, match=words):
        archive.fetch()
    assert archive.nothing_there()
    assert archive.part.stat().st_size == 120_000
    completes(archive)
    assert archive.seen()[-1].headers["Range"] == "bytes=120000-"
    assert archive.seen()[-1].sent == len(archive.content) - 120_000


def test_a_part_that_is_whole_is_not_asked_for(archive, loopback, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", stop)
        patch.setattr(transfer.files, "write_json", lambda value, path: None)
        with pytest.raises(KeyboardInterrupt):
            archive.fetch()
    notes = archive.part.with_name(archive.part.name + ".json")
    notes.write_text(f'{{"etag": "", "last_modified": "", "total": {len(archive.content)}}}')
    archive.fetch()
    assert archive.complete()
    assert len(archive.seen()) == 1


@pytest.mark.parametrize("kind", ["date", "weak"])
def test_resumed_by_date_without_a_strong_etag(archive, loopback, kind):
    archive.server.validators[archive.path] = kind
    archive.server.script(archive.path, loopback.cut(100_000))
    completes(archive)
    assert archive.seen()[1].headers["If-Range"] == "Tue, 14 Nov 2023 22:13:20 GMT"
    assert archive.seen()[1].code == 206


def test_started_anew_without_validators(archive, loopback):
    archive.server.validators[archive.path] = "none"
    archive.server.script(archive.path, loopback.cut(100_000))
    completes(archive)
    assert "Range" not in archive.seen()[1].headers


@pytest.mark.parametrize("notes", [None, "{", "[]"])
def test_started_anew_if_the_notes_of_the_part_are_damaged(archive, notes):
    archive.part.parent.mkdir(parents=True)
    archive.part.write_bytes(b"x" * 1000)
    if notes:
        archive.part.with_name(archive.part.name + ".json").write_text(notes)
    completes(archive)
    assert "Range" not in archive.seen()[0].headers


def test_started_anew_if_ranges_are_ignored(archive, loopback):
    archive.server.script(archive.path, loopback.cut(100_000), loopback.IGNORE_RANGES)
    completes(archive)
    assert [seen.code for seen in archive.seen()] == [200, 200]


def test_a_server_that_ignores_ranges_and_always_cuts_is_given_up(archive, loopback):
    fault = loopback.Fault(ranges=False, cut_after=100_000)
    archive.server.script(archive.path, *[fault] * 4)
    with pytest.raises(
        RetrieveError, match=r"cut before the end of the file, 3 time\(s\) in a row"
    ):
        archive.fetch()
    assert len(archive.seen()) == 4
    assert archive.nothing_there()
    completes(archive)


@pytest.mark.parametrize("shift", [-10, 10])
def test_started_anew_if_the_wrong_range_comes(archive, loopback, shift, caplog):
    fault = loopback.Fault(shift=shift)
    archive.server.script(archive.path, loopback.cut(100_000), fault)
    completes(archive)
    assert "the server cannot go on at byte 100,000; starting anew" in caplog.text
    assert "Range" not in archive.seen()[2].headers


def test_started_anew_if_the_content_changed_in_between(archive, loopback):
    archive.server.script(archive.path, loopback.cut(100_000), *[loopback.HANG_UP] * 3)
    with pytest.raises(RetrieveError):
        archive.fetch()
    archive.content = archive.content[:200_000] + bytes(100)
    archive.server.put(archive.path, archive.content)
    completes(archive)
    assert archive.seen()[-1].code == 200  # If-Range did not match


def test_started_anew_if_a_range_of_another_version_comes(archive, loopback):
    """A server that knows Range but not If-Range gives itself away by its ETag."""
    archive.server.script(
        archive.path,
        loopback.cut(100_000),
        loopback.Fault(headers={"ETag": '"another"'}),
    )
    completes(archive)
    assert len(archive.seen()) == 3


@pytest.mark.parametrize("size", [310_000, 400_000])
def test_started_anew_after_416(archive, loopback, size):
    archive.part.parent.mkdir(parents=True)
    archive.part.write_bytes(b"x" * size)
    tag = loopback._validators(archive.content, "strong")["ETag"].replace('"', '\\"')
    notes = archive.part.with_name(archive.part.name + ".json")
    notes.write_text(f'{{"etag": "{tag}", "total": 999999}}')
    completes(archive)
    assert [seen.code for seen in archive.seen()] == [416, 200]


def test_416_for_a_part_that_is_whole(archive, loopback):
    archive.part.parent.mkdir(parents=True)
    archive.part.write_bytes(archive.content)
    tag = loopback._validators(archive.content, "strong")["ETag"].replace('"', '\\"')
    notes = archive.part.with_name(archive.part.name + ".json")
    notes.write_text(f'{{"etag": "{tag}", "total": null}}')
    completes(archive)
    assert [seen.code for seen in archive.seen()] == [416]


def test_content_length_larger_than_the_body(archive, loopback):
    archive.server.script(archive.path, *[loopback.Fault(more=10, ranges=False)] * 4)
    with pytest.raises(RetrieveError, match="the connection was cut before the end of the file"):
        archive.fetch()
    assert archive.nothing_there()
    completes(archive)


def test_content_length_larger_than_the_body_once(archive, loopback):
    """The next answer tells the true size."""
    archive.server.script(archive.path, loopback.Fault(more=10))
    completes(archive)
    assert [seen.code for seen in archive.seen()] == [200, 416]


def test_bytes_before_a_stall_are_kept(archive, loopback):
    archive.server.script(archive.path, loopback.stall(100_000))
    completes(archive, limits=Limits(attempts=1, timeout=0.2, backoff=0.001))
    assert archive.seen()[1].headers["Range"] == "bytes=100000-"


def test_bytes_before_an_interrupt_are_kept(archive, loopback, monkeypatch):
    update = transfer.Part.write

    def interrupt(self, piece, stream):
        if self.size:
            raise KeyboardInterrupt
        update(self, piece[:65536], stream)

    with monkeypatch.context() as patch:
        patch.setattr(transfer, "CHUNK", 65536)
        patch.setattr(transfer.Part, "write", interrupt)
        with pytest.raises(KeyboardInterrupt):
            archive.fetch()
    assert archive.nothing_there()
    assert archive.part.stat().st_size > 0
    completes(archive)
    assert "Range" in archive.seen()[-1].headers
