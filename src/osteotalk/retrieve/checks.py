"""Is this the file that was asked for? Size, first bytes, digest; and is there room for it?"""

import re
import shutil
from html import unescape
from pathlib import Path

from osteotalk.ingest.kinds import PAGE
from osteotalk.retrieve.errors import RetrieveError, failure

HEAD_BYTES = 64 * 1024  # enough for the title of a page
RESERVE = 64 * 1024**2  # bytes left free beside the file
GIB = 1024**3
TABLE = "the table of files"  # where addresses and checksums are stated, most of them

_GZIP = ("gzip", 0, b"\x1f\x8b")
_HDF5 = ("HDF5", 0, b"\x89HDF\r\n\x1a\n")
# ending: (name, offset, bytes that stand there); formats: RFC 1952, POSIX pax (ustar), PKWARE
# APPNOTE 4.3, HDF5 File Format Specification III.A, bzip2 and xz
MAGIC = {
    ".gz": _GZIP,
    ".tgz": _GZIP,
    ".tar": ("tar", 257, b"ustar"),
    ".zip": ("zip", 0, b"PK"),
    ".h5": _HDF5,
    ".h5ad": _HDF5,
    ".hdf5": _HDF5,
    ".loom": _HDF5,
    ".bz2": ("bzip2", 0, b"BZh"),
    ".xz": ("xz", 0, b"\xfd7zXZ\x00"),
}
_TITLE = re.compile(rb"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)


def check_head(head: bytes, names: tuple[str, ...], *, url: str, where: str = "") -> None:
    """Check the first bytes of a file against the ending of its name.

    Parameters
    ----------
    head
        The first 262 bytes or more; the whole file if it is shorter.
    names
        Names the file has, the one that counts most first.

    Raises
    ------
    RetrieveError
        If the file is empty, a web page, or not of the format that its name promises.
    """
    if not head:
        msg = "the server sent an empty file (0 bytes); check the url in a browser, or try later"
        raise failure(url, msg, where=where)
    endings = [Path(name).suffix.lower() for name in names]
    if not {".html", ".htm", ".xhtml"}.intersection(endings):
        plain = head.removeprefix(b"\xef\xbb\xbf")
        if PAGE.match(plain):
            msg = (
                f"the server sent a web page, not the file: {_quote_page(plain)}; open the url in "
                f"a browser (the archive may be down, or the url may be that of a page), then "
                f"run again or correct the url"
            )
            raise failure(url, msg, where=where)
    known = next((ending for ending in endings if ending in MAGIC), None)
    if known:
        name, offset, magic = MAGIC[known]
        if head[offset : offset + len(magic)] != magic:
            msg = (
                f"what came is not a {name} file, as the ending {known} promises; it begins with "
                f'"{_printable(head)}"; check the url'
            )
            raise failure(url, msg, where=where)


def _quote_page(page: bytes) -> str:
    title = _TITLE.search(page)
    text = unescape(_printable(title[1])) if title else ""
    return f'its title is "{text}"' if text else f'it begins with "{_printable(page)}"'


def _printable(raw: bytes) -> str:
    text = raw[:4096].decode("utf-8", errors="replace")
    clean = "".join(c if c.isprintable() and c != "\ufffd" else " " for c in text)
    return " ".join(clean.split())[:80]


def check_size(
    found: int, expected: int | None, *, url: str, where: str = "", announced: bool = False
) -> None:
    """Compare a size in bytes with that of the table, if it has one."""
    if expected is None or found == expected:
        return
    who = "the server announces" if announced else "the file has"
    msg = (
        f"{who} {found:,} bytes, but the table of files says {expected:,}; if the archive has "
        f"replaced the file, correct the size in the table, else run again"
    )
    raise failure(url, msg, where=where)


def check_digest(
    found: str,
    *,
    url: str,
    sha256: str = "",
    earlier_sha256: str = "",
    where: str = "",
    stated_in: str = TABLE,
) -> None:
    """Compare a SHA-256 with that of the table and that of an earlier download.

    `stated_in` names the place of the first in messages, if it is not the table of files.

    Raises
    ------
    RetrieveError
        If one differs; the message shows all digests.
    """
    problems = []
    if sha256 and sha256.lower() != found:
        problems.append(
            f"{stated_in} says {sha256.lower()}: check it for a typing error; if the archive has "
            f"replaced the file and you accept the new one, correct "
            f"{'sha256 in the table' if stated_in == TABLE else 'it there'}, else run again"
        )
    if earlier_sha256 and earlier_sha256.lower() != found:
        problems.append(
            f"the manifest of an earlier download says {earlier_sha256.lower()}: the archive has "
            f"changed the file, or the earlier download was damaged. To keep the old one, put it "
            f"back from a copy; to accept the new one, remove its line from manifest.tsv in the "
            f"folder of the dataset"
        )
    if problems:
        msg = f"the file downloaded now has SHA-256 {found}, but " + "; and ".join(problems)
        raise failure(url, msg, where=where)


def check_disk(folder: Path, missing: int, *, url: str, where: str = "") -> None:
    """Is there room for `missing` bytes (and 1 % and 64 MiB) in `folder`?"""
    free, needed = shutil.disk_usage(folder).free, int(missing * 1.01) + RESERVE
    if free < needed:
        raise disk_full(folder, free=free, needed=needed, url=url, where=where)


def disk_full(
    folder: Path, *, free: int, needed: int | None, url: str, where: str = ""
) -> RetrieveError:
    """Give the error for a full disk."""
    need = "more than that is" if needed is None else f"{needed / GIB:.2f} GiB are"
    msg = (
        f"the disk is full: {free / GIB:.2f} GiB are free in the cache folder {folder}, "
        f"{need} needed; free some space or choose another cache folder, then run "
        f"again (what has been downloaded is kept)"
    )
    return failure(url, msg, where=where)
