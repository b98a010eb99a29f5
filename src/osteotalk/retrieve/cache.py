"""The cache of downloads: a folder per host, a record beside each file, links to where it is used.

The links are symbolic: a hard link would share its time stamp with the file, so that a project that
takes a file from the cache would make it look newer in all others.

Beside `<name>` stand `<name>.record.json` (what was downloaded and when), `<name>.lock` and, while
the download is not complete, `<name>.part` and `<name>.part.json`.
"""

import hashlib
import json
import logging
import os
import re
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from filelock import FileLock, Timeout

from osteotalk import files
from osteotalk.provenance import file_digest
from osteotalk.retrieve.errors import failure

log = logging.getLogger(__name__)

MAX_CONNECTIONS = 3  # to one host at a time, out of politeness
MAX_NAME = 180  # characters, so that our endings still fit in the 255 of common file systems


def cache_path(url: str, cache: str | Path) -> Path:
    """Where `url` is kept: `<cache>/<host>/<path>`, safe names, a query hashed into the name."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower() + (f"_{parts.port}" if parts.port else "")
    segments = [_safe(part) for part in parts.path.removeprefix("/").split("/")]
    if parts.query:
        segments[-1] = f"{hashlib.sha256(parts.query.encode()).hexdigest()[:12]}-{segments[-1]}"
    return Path(cache, _safe(host), *segments)


def _safe(segment: str) -> str:
    name = quote(unquote(segment), safe="+=,@") or "index"
    if not name.strip("."):
        name = name.replace(".", "%2E")
    name = re.sub(r"(\.record\.json|\.part\.json|\.part|\.lock)$", r"\1_", name)
    if len(name) <= MAX_NAME:
        return name
    ending = "".join(Path(name).suffixes[-2:])[-20:]
    digest = hashlib.sha256(name.encode()).hexdigest()[:16]
    return f"{name[: MAX_NAME - 40]}-{digest}{ending}"


def beside(path: Path, ending: str) -> Path:
    """Give the path of a file that stands beside `path`."""
    return path.with_name(path.name + ending)


@contextmanager
def locked(path: Path, *, url: str) -> Iterator[None]:
    """Let one process at a time work on a cached file; others wait and log that they do."""
    lock = FileLock(beside(path, ".lock"), mode=0o666)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        log.info("%s: waiting, another process downloads it into the same cache", url)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


@contextmanager
def connection(url: str, cache: str | Path, *, seconds: float = 0.5) -> Iterator[None]:
    """Hold one of the few connections that a host gets from all processes with this cache."""
    folder = Path(cache, cache_path(url, "").parts[0])
    places = [
        FileLock(folder / f".connection-{i}.lock", mode=0o666) for i in range(MAX_CONNECTIONS)
    ]
    held = _first_free(places)
    if held is None:
        log.info("%s: waiting, %d downloads from this host are running", url, len(places))
    while held is None:
        time.sleep(seconds)
        held = _first_free(places)
    try:
        yield
    finally:
        held.release()


def _first_free(locks: Iterable[FileLock]) -> FileLock | None:
    """Acquire the first lock that is free."""
    for lock in locks:
        with suppress(Timeout):
            lock.acquire(timeout=0)
            return lock
    return None


def read_record(path: Path, *, url: str) -> dict[str, Any] | None:
    """Give the record of a cached file that is there and as it was; None, logged, otherwise."""
    if not path.exists():
        return None
    try:
        record = files.read_json(beside(path, ".record.json"))
        size, digest, _ = int(record["bytes"]), str(record["sha256"]), str(record["retrieved_at"])
    except (OSError, ValueError, KeyError, TypeError):
        log.warning("%s: no readable record beside the cached %s; downloading anew", url, path)
        return None
    if path.stat().st_size == size and file_digest(path) == digest and record.get("url") == url:
        return record
    log.warning(
        "%s: the cached %s has changed since it was downloaded (its record says %s bytes, "
        "SHA-256 %s); downloading anew",
        url,
        path,
        f"{size:,}",
        digest,
    )
    return None


def write_record(record: dict[str, Any], path: Path) -> None:
    """Write the record of the cached file `path`."""
    files.write_json(record, beside(path, ".record.json"))


def read_json_or_empty(path: Path) -> dict[str, Any]:
    """Read a JSON object; {} if it is absent or damaged."""
    try:
        value = files.read_json(path)
    except (OSError, json.JSONDecodeError, UnicodeDecodeError):
        return {}
    return value if isinstance(value, dict) else {}


def link(source: Path, target: Path, *, url: str, where: str = "") -> None:
    """Make `target` a symbolic link to `source`; an old `target` is replaced.

    The link is relative if both lie in the working folder, so that a project can be moved.

    Raises
    ------
    RetrieveError
        If the link cannot be made.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=".partial-", dir=target.parent))
    partial = folder / "link"
    try:
        here, goal = Path.cwd(), source.resolve()
        home = target.parent.resolve()
        together = goal.is_relative_to(here) and home.is_relative_to(here)
        partial.symlink_to(os.path.relpath(goal, home) if together else goal)
        partial.replace(target)
    except OSError as error:
        msg = f"cannot be linked to {target} ({error.strerror}); check the rights of that folder"
        raise failure(url, msg, where=where) from None
    finally:
        partial.unlink(missing_ok=True)
        folder.rmdir()
