"""A pre-signed address is never told: not in logs, errors, records or names."""

import logging
import socket
import traceback

import pytest

from osteotalk.retrieve import Limits, RetrieveError


def everything_said(error, caplog, folder):
    """Log, exception with its causes, names and contents of files."""
    parts = [caplog.text, *(str(r.__dict__) for r in caplog.records)]
    while error is not None:
        parts += [repr(error), str(error.__dict__)]
        parts += traceback.format_exception(error)
        error = error.__cause__ or error.__context__
    for path in folder.rglob("*"):
        parts.append(str(path))
        if path.is_file() and path.suffix != ".tar":
            parts.append(path.read_text(errors="replace"))
    return "\n".join(parts)


@pytest.mark.parametrize(
    "trouble",
    ["none", "404", "503", "hang up", "cut", "slow", "refused", "page", "redirect", "nonsense"],
)
def test_a_secret_address_is_never_told(archive, loopback, caplog, trouble):
    caplog.set_level(logging.DEBUG)
    address = f"{archive.server.url}{archive.path}?X-Amz-Signature=s3cret"
    faults = {
        "404": loopback.status(404, body=b"s3cret"),
        "503": loopback.status(503),
        "hang up": loopback.HANG_UP,
        "cut": loopback.Fault(cut_after=10, ranges=False),
        "slow": loopback.slow(2),
        "page": loopback.page("Denied"),
        "redirect": loopback.redirect("/other?s3cret"),
    }
    if trouble in faults:
        archive.server.script(archive.path, then=faults[trouble])
    if trouble == "refused":
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            address = f"http://127.0.0.1:{closed.getsockname()[1]}/?s3cret"
    if trouble == "nonsense":
        address = "http://s3cret:99999999/s3cret"
    error = None
    asked = []

    def resolve():
        asked.append(1)
        return address

    try:
        archive.fetch(resolve=resolve, limits=Limits(attempts=2, timeout=0.2, backoff=0.001))
    except RetrieveError as caught:
        error = caught
    assert (error is None) == (trouble == "none")
    said = everything_said(error, caplog, archive.folder)
    assert "s3cret" not in said
    assert archive.url in said
    assert len(asked) == (
        1
        if trouble in ("none", "404", "page", "redirect", "nonsense")
        else 3
        if trouble == "cut"
        else 2
    )


def test_the_log_of_urllib3_is_as_before_afterwards(archive, caplog):
    caplog.set_level(logging.DEBUG)
    archive.fetch()
    assert not [r for r in caplog.records if r.name.startswith("urllib3")]
    logging.getLogger("urllib3.connectionpool").debug("still heard")
    assert "still heard" in caplog.text
