"""Download one file into a cache, check it, and link it to where it is needed."""

import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from osteotalk.progress import amount
from osteotalk.retrieve import cache as store
from osteotalk.retrieve.checks import HEAD_BYTES, TABLE, check_digest, check_head, check_size
from osteotalk.retrieve.errors import RetrieveError, failure
from osteotalk.retrieve.http import Limits, check_url, hosts, mirrored
from osteotalk.retrieve.transfer import Job, Part, transfer

log = logging.getLogger(__name__)


def fetch(
    url: str,
    target: str | Path,
    *,
    cache: str | Path,
    limits: Limits,
    n_bytes: int | None = None,
    sha256: str = "",
    earlier_sha256: str = "",
    mirrors: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    resolve: Callable[[], str] | None = None,
    check: Callable[[Path], str] | None = None,
    where: str = "",
    stated_in: str = TABLE,
) -> dict[str, Any]:
    """Download `url` into `cache`, unless it is there, and link it to `target`.

    Parameters
    ----------
    url
        Public http(s) address; names the file in the cache and in the record.
    target
        Where the file is needed; a symbolic link to the cached file. An old file of that name is
        replaced.
    cache
        Folder, may be shared by projects and by processes.
    limits
        When to give up.
    n_bytes, sha256
        Size in bytes and digest by the table of files, if known.
    earlier_sha256
        Digest by the manifest of an earlier download, if any.
    mirrors
        Prefixes of addresses and what to put in their place; the longest that fits is used.
    headers
        Sent to the host of `url` (or its mirror) and to no other.
    resolve
        Gives the address to ask, anew for each try. It is kept secret.
    check
        Looks at the complete file and says what is wrong with it, or ''.
    where
        The row of the table that asks for the file, for messages.
    stated_in
        Where address and digest are stated, for messages.

    Returns
    -------
    Record: file (name of `target`), url, bytes, sha256, retrieved_at (UTC, of the download itself).

    Raises
    ------
    RetrieveError
        If the file cannot be had, or is not what it should be. `target` is then as it was.
    """
    check_url(url, where=where)
    goal, path = Path(target), store.cache_path(url, cache)
    job = Job(
        url=url,
        address=resolve or (lambda: mirrored(url, mirrors)),
        names=(goal.name, PurePosixPath(urlsplit(url).path).name),
        headers=dict(headers or {}),
        limits=limits,
        n_bytes=n_bytes,
        where=where,
        stated_in=stated_in,
        named=frozenset(hosts(url, mirrored(url, mirrors), *(mirrors or {}).values())),
    )
    wanted = {"sha256": sha256, "earlier_sha256": earlier_sha256}
    problem = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with store.locked(path, url=url):
                record = _cached(job, path, **wanted)
                if record is None:
                    with store.connection(url, cache):
                        record = _download(job, path, check, **wanted)
        except PermissionError:  # a cache that someone else fills may still be read
            record = _cached(job, path, **wanted)
            if record is None:
                raise
        store.link(path, goal, url=url, where=where)
        return {**record, "file": goal.name}
    except OSError as error:
        problem = f"{error.filename or path} ({error.strerror or type(error).__name__})"
    msg = f"cannot be written to {problem}; check the cache folder and the rights in it"
    raise failure(url, msg, where=where)


def _cached(job: Job, path: Path, **wanted: str) -> dict[str, Any] | None:
    """Give the record of the cached file if it is the one that is wanted."""
    record = store.read_record(path, url=job.url)
    if record is None:
        return None
    try:
        check_size(int(record["bytes"]), job.n_bytes, url=job.url)
        check_digest(str(record["sha256"]), url=job.url, **wanted)
    except RetrieveError:
        log.warning(
            "%s: the cached %s (%s bytes, SHA-256 %s) is not the file that the table or the "
            "manifest describes; downloading anew",
            job.url,
            path,
            f"{record['bytes']:,}",
            record["sha256"],
        )
        return None
    log.info("%s: taken from the cache (%s)", job.url, path)
    return record


def _download(
    job: Job, path: Path, check: Callable[[Path], str] | None, **wanted: str
) -> dict[str, Any]:
    part = Part(path)
    transfer(job, part)
    with part.judged():
        head = b""
        if part.size:
            with part.path.open("rb") as stream:
                head = stream.read(HEAD_BYTES)
        check_head(head, job.names, url=job.url, where=job.where)
        check_size(part.size, job.n_bytes, url=job.url, where=job.where)
        stated = {"where": job.where, "stated_in": job.stated_in}
        check_digest(part.digest, url=job.url, **stated, **wanted)
        if check and (problem := check(part.path)):
            raise failure(job.url, problem, where=job.where)
    record = {
        "file": job.names[0],
        "url": job.url,
        "bytes": part.size,
        "sha256": part.digest,
        "retrieved_at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    store.write_record(record, path)
    part.path.replace(path)
    part.notes.unlink(missing_ok=True)
    log.info("%s: %s downloaded, SHA-256 %s", job.url, amount(part.size), part.digest)
    return record
