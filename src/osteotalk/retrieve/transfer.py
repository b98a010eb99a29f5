"""Bring the bytes of one file, going on where an earlier try stopped (RFC 9110, section 14)."""

import errno
import hashlib
import logging
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import requests

from osteotalk import files
from osteotalk.progress import progress
from osteotalk.retrieve.cache import beside, read_json_or_empty
from osteotalk.retrieve.checks import TABLE, check_disk, check_head, check_size, disk_full
from osteotalk.retrieve.errors import RetrieveError, failure
from osteotalk.retrieve.http import (
    Limits,
    Session,
    Trouble,
    pieces,
    request,
    status_text,
    with_retries,
)

log = logging.getLogger(__name__)

CHUNK = 1024**2  # bytes
LOOK = 4096  # bytes that are looked at before the rest is fetched
MOST = 20 * 1024**3  # bytes that are taken if neither server nor table says how many there are
_FULL = (errno.ENOSPC, errno.EDQUOT)
_RANGE = re.compile(r"bytes\s+(?:(\d+)-(\d+)|\*)/(\d+|\*)", re.IGNORECASE)
_ADVICE = {
    401: "the server wants credentials; check which ones the archive asks for",
    403: "the server refuses; the file may need credentials, or the archive blocks this address",
    404: "the archive has no such file",
    410: "the archive has removed the file",
}


@dataclass(frozen=True)
class Job:
    """One file to bring.

    Attributes
    ----------
    url
        The public address, for messages.
    address
        Gives the address to ask, for each try; may be secret.
    names
        Names of the file, whose endings say what must be in it.
    headers
        Sent with the request, to that host only.
    n_bytes
        Size in bytes, if known.
    where
        The row of the table that asks for it.
    stated_in
        Where the address is stated.
    named
        Hosts that the address may lead to wherever they are: those that config and tables name.
    """

    url: str
    address: Callable[[], str]
    names: tuple[str, ...]
    headers: Mapping[str, str]
    limits: Limits
    n_bytes: int | None
    where: str
    stated_in: str
    named: frozenset[str] = frozenset()


class Part:
    """The bytes that have come so far, on disk, and their SHA-256."""

    def __init__(self, cached: Path) -> None:
        self.path, self.notes = beside(cached, ".part"), beside(cached, ".part.json")
        self.size, self._hash = 0, hashlib.sha256()
        self.known: dict[str, Any] = read_json_or_empty(self.notes)
        self.settle()

    @property
    def digest(self) -> str:
        """SHA-256 of the bytes so far."""
        return self._hash.hexdigest()

    @property
    def validator(self) -> str:
        """What If-Range takes: a strong ETag, else the date of the last change, else ''."""
        etag = str(self.known.get("etag") or "")
        strong = etag.startswith('"')
        return etag if strong else str(self.known.get("last_modified") or "")

    def settle(self) -> None:
        """Hash what is on disk, unless it is what was counted."""
        size = self.path.stat().st_size if self.path.exists() else 0
        if size == self.size:
            return
        self.size, self._hash = size, hashlib.sha256()
        if size:
            with self.path.open("rb") as stream:
                while piece := stream.read(CHUNK):
                    self._hash.update(piece)

    def reset(self, response: requests.Response | None = None, total: int | None = None) -> None:
        """Begin anew, with what `response` says of the file."""
        self.path.unlink(missing_ok=True)
        self.size, self._hash, self.known = 0, hashlib.sha256(), {}
        if response is None:
            self.notes.unlink(missing_ok=True)
            return
        self.known = {
            "etag": response.headers.get("ETag", ""),
            "last_modified": response.headers.get("Last-Modified", ""),
            "total": total,
        }
        files.write_json(self.known, self.notes)

    def write(self, piece: bytes, stream: BinaryIO) -> None:
        """Append `piece`."""
        stream.write(piece)
        self._hash.update(piece)
        self.size += len(piece)

    @contextmanager
    def judged(self) -> Iterator[None]:
        """Delete the part if the block finds that it is not the file that was asked for."""
        try:
            yield
        except RetrieveError:
            self.reset()
            raise


def transfer(job: Job, part: Part) -> None:
    """Fill `part` with the whole file.

    Raises
    ------
    RetrieveError
        If the server refuses, keeps failing, or sends something else than the file.
    """
    with Session(private=job.headers, named=job.named) as session:
        with_retries(
            lambda: _attempt(job, session, part),
            url=job.url,
            limits=job.limits,
            where=job.where,
            reached=lambda: part.size,
        )


def _attempt(job: Job, session: Session, part: Part) -> None:
    part.settle()
    if part.size and part.size == part.known.get("total"):
        return
    response = _ask(job, session, part)
    try:
        if response.status_code != 416:
            _receive(job, response, part)
    finally:
        response.close()


def _ask(job: Job, session: Session, part: Part) -> requests.Response:
    """Ask for what is missing; a response with 416 says that nothing is."""
    start = part.size if part.validator else 0
    response = _get(job, session, start=start, validator=part.validator)
    if start and response.status_code in (206, 416) and not _continues(response, part):
        response.close()
        log.warning("%s: the server cannot go on at byte %s; starting anew", job.url, f"{start:,}")
        start = 0
        response = _get(job, session, start=0, validator="")
    status = response.status_code
    if status == 206 and not start:
        response.close()
        msg = "the server sent a part of the file although all of it was asked for"
        raise Trouble(msg)
    if status not in (200, 206) and not (status == 416 and start):
        response.close()
        what = f"the server answered {status_text(status)}: {_advice(status, job.stated_in)}"
        raise failure(job.url, what, where=job.where)
    if status == 200:
        if start:
            log.info("%s: the server sends the whole file again; starting anew", job.url)
        part.reset(response, _total(response, part))
    return response


def _advice(status: int, stated_in: str) -> str:
    """What to do about a status."""
    found, check = _ADVICE.get(status, ""), f"check the url in {stated_in}"
    if status in (401, 403):
        return found
    if status == 404 and stated_in == TABLE:
        check += ", or give the row (or its sample) the status retired"
    return f"{found}: {check}" if found else check


def _get(job: Job, session: Session, *, start: int, validator: str) -> requests.Response:
    headers = dict(job.headers)
    if start:
        headers |= {"Range": f"bytes={start}-", "If-Range": validator}
        log.info("%s: going on at byte %s", job.url, f"{start:,}")
    refused = ""
    try:
        return request(session, job.address(), headers=headers, limits=job.limits)
    except RetrieveError as error:
        refused = str(error)
    raise failure(job.url, refused, where=job.where)


def _continues(response: requests.Response, part: Part) -> bool:
    """Does a 206 begin where the part ends, or a 416 say that the part is the whole?"""
    found = _RANGE.fullmatch(response.headers.get("Content-Range", "").strip())
    if found is None:
        return False
    total = None if found[3] == "*" else int(found[3])
    if response.status_code == 416:
        return total == part.size
    for key, header in (("etag", "ETag"), ("last_modified", "Last-Modified")):
        old, new = part.known.get(key), response.headers.get(header)
        if old and new and old != new:
            return False
    expected = part.known.get("total")
    same = total is None or expected is None or total == expected
    return same and found[1] is not None and int(found[1]) == part.size


def _total(response: requests.Response, part: Part) -> int | None:
    """Size of the whole file as the header tells it; None if it does not."""
    if response.status_code == 206:
        found = _RANGE.fullmatch(response.headers.get("Content-Range", "").strip())
        known = part.known.get("total")
        return int(found[3]) if found and found[3] != "*" else known
    length = response.headers.get("Content-Length", "")
    return int(length) if length.isdecimal() else None


def _receive(job: Job, response: requests.Response, part: Part) -> None:
    total = _total(response, part)
    body = pieces(response, CHUNK, timeout=job.limits.timeout)
    head, fault = bytearray(), None
    if part.size == 0:
        head, fault = _first(body)
    with part.judged():
        if part.size == 0 and fault is None:
            check_head(bytes(head), job.names, url=job.url, where=job.where)
        if total is not None:
            check_size(total, job.n_bytes, url=job.url, where=job.where, announced=True)
    expected = total if total is not None else job.n_bytes
    if expected is not None:
        missing = expected - part.size
        check_disk(part.path.parent, missing, url=job.url, where=job.where)
    _append(job, part, head, body if fault is None else iter(()), total)
    if fault is not None:
        raise fault
    if total is not None and part.size != total:
        size = part.size
        if size > total:
            part.reset()
        msg = f"the body ended after {size:,} of {total:,} bytes"
        raise Trouble(msg)


def _first(body: Iterator[bytes]) -> tuple[bytearray, Trouble | None]:
    """Read until there is enough to look at; what came before a fault is kept."""
    head = bytearray()
    try:
        for piece in body:
            head += piece
            if len(head) >= LOOK:
                break
    except Trouble as error:
        return head, error
    return head, None


def _append(
    job: Job, part: Part, head: bytearray, body: Iterator[bytes], total: int | None
) -> None:
    """Write what comes; `total` is what the server says that there is."""
    full, endless, expected = False, False, job.n_bytes if total is None else total
    most = MOST if expected is None else expected
    try:
        with (
            progress(expected, job.names[0], initial=part.size) as bar,
            part.path.open("ab", buffering=CHUNK) as stream,
        ):
            if head:
                part.write(bytes(head), stream)
                bar.update(len(head))
            for piece in body:
                part.write(piece, stream)
                bar.update(len(piece))
                if endless := total is None and part.size > most:
                    break
    except OSError as error:
        if error.errno not in _FULL:
            raise
        full = True
    if endless:
        part.reset()
        raise _endless(job, most)
    if full:
        part.settle()
        folder = part.path.parent
        free = shutil.disk_usage(folder).free
        needed = None if expected is None else expected - part.size
        raise disk_full(folder, free=free, needed=needed, url=job.url, where=job.where)


def _endless(job: Job, most: int) -> RetrieveError:
    """Give the error for a body of no stated length that goes on and on."""
    if job.n_bytes is not None:
        why = f"the table of files says {most:,}: correct the size there if the file has grown"
    else:
        why = "more is not taken: state the size of the file in column bytes of the table of files"
        if job.stated_in != TABLE:
            why = "more is not taken: download the file by other means and name it in the config"
    msg = f"the server does not say how long the file is, and more than {most:,} bytes came; {why}"
    return failure(job.url, msg, where=job.where)
