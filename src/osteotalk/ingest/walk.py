"""The entries of a tar or zip file, told apart by content, read as a stream and without trust.

The standard library is not relied on for sizes and damage: `tarfile` reads an extended header of
any size into memory, and takes a damaged header for the end of the archive.
"""

import bz2
import errno
import gzip
import lzma
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, cast

from osteotalk.ingest.errors import IngestError

_MAX_READ = 64 * 2**20  # bytes of one read
_CHUNK = 2**20

_UNPACKERS: dict[bytes, Callable[[IO[bytes]], object]] = {
    b"\x1f\x8b": lambda stream: gzip.GzipFile(fileobj=stream, mode="rb"),
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ\x00": lzma.LZMAFile,
}
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_DAMAGE = (
    tarfile.TarError,
    zipfile.BadZipFile,
    EOFError,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    ValueError,
    OverflowError,
    IndexError,  # of a name without a letter
    NotImplementedError,
    RuntimeError,  # also RecursionError, of a chain of extended headers
)


@dataclass(frozen=True)
class Entry:
    """What an archive says about one of its members; `open` gives the data."""

    name: str
    size: int
    fault: str  # why nobody should unpack it, or ''
    folder: bool
    open: Callable[[], IO[bytes]]


class _Guarded:
    """The unpacked stream of a tar, which may neither grow nor be read in one go without limit."""

    def __init__(self, stream: IO[bytes], *, where: str, limit: int) -> None:
        self.stream, self.where, self.limit = stream, where, limit
        self.last = b""  # of the last read

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= _MAX_READ:
            msg = f"{self.where} has a header that claims {size} bytes"
            raise tarfile.ReadError(msg)
        self.last = self.stream.read(size)
        self._check(self.stream.tell())
        return self.last

    def seek(self, position: int, whence: int = 0) -> int:
        if whence == 0:
            self._check(position)
        return self.stream.seek(position, whence)

    def tell(self) -> int:
        return self.stream.tell()

    def seekable(self) -> bool:
        return True

    def _check(self, position: int) -> None:
        if position > self.limit:
            raise too_large(self.where, self.limit)


@contextmanager
def opened(path: str) -> Iterator[IO[bytes]]:
    """Open an archive; whatever goes wrong while it is read becomes an IngestError."""
    if not Path(path).is_file():
        msg = f"{path} does not exist"
        raise IngestError(msg)
    with Path(path).open("rb") as stream, damage(path, path):
        yield stream


@contextmanager
def damage(what: str, path: str) -> Iterator[None]:
    """Turn the exceptions of the standard library into one that names `what` and says what to do.

    Errors of the operating system, such as a full disk, pass.
    """
    try:
        yield
    except IngestError:
        raise
    except (*_DAMAGE, OSError) as error:
        # EINVAL: a seek to before the beginning, where a damaged zip points.
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            raise
        reason = str(error).strip() or type(error).__name__
        msg = (
            f"{what} is truncated or damaged ({reason}); download it again: delete {path} and its "
            "copy in the download cache, and run again"
        )
        raise IngestError(msg) from None


def walk(stream: IO[bytes], *, where: str, limit: int) -> Iterator[Entry]:
    """Give the entries of an archive in their order; its kind is told by its first bytes.

    Parameters
    ----------
    stream
        The archive, at its beginning, seekable.
    where
        What it is called in messages.
    limit
        Bytes to which it may unpack.

    Raises
    ------
    IngestError
        If it is no archive, or grows beyond the limit. Damage shows as exceptions of the standard
        library, for which there is `damage`.
    """
    head = stream.read(512)
    stream.seek(0)
    if head.startswith(_ZIP):
        yield from _walk_zip(stream)
        return
    unpack = next((u for magic, u in _UNPACKERS.items() if head.startswith(magic)), None)
    unpacked = stream if unpack is None else cast("IO[bytes]", unpack(stream))
    guarded = _Guarded(unpacked, where=where, limit=limit)
    first = guarded.read(tarfile.BLOCKSIZE)
    guarded.seek(0)
    try:
        tar = tarfile.TarFile(fileobj=cast("IO[bytes]", guarded), errors="replace")
    except tarfile.ReadError:
        if first[257:262] == b"ustar":
            raise
        raise _no_archive(head, where, packed=unpack is not None) from None
    yield from _walk_tar(tar, guarded)
    while unpack and guarded.read(_CHUNK):
        pass  # the checksum stands at the end


def _walk_tar(tar: tarfile.TarFile, stream: _Guarded) -> Iterator[Entry]:
    n_entries = 0
    while (info := tar.next()) is not None:
        n_entries += 1
        if info.size < 0:
            msg = f"{info.name!r} has a negative size"
            raise tarfile.ReadError(msg)
        fault = ""
        if info.issym() or info.islnk():
            kind = "symbolic" if info.issym() else "hard"
            fault = f"a {kind} link to {info.linkname!r}"
        elif not (info.isreg() or info.isdir()):
            fault = "a device or another special file"
        opener = cast("Callable[[], IO[bytes]]", partial(tar.extractfile, info))
        yield Entry(info.name, info.size if info.isreg() else 0, fault, info.isdir(), opener)
    if stream.last != bytes(tarfile.BLOCKSIZE):
        found = "it ends" if not stream.last else "there is no valid header"
        msg = f"{found} after {n_entries} members, without the end mark of a tar"
        raise tarfile.ReadError(msg)


def _no_archive(head: bytes, where: str, *, packed: bool) -> IngestError:
    begins = head[:60].decode("ascii", "replace").replace("\ufffd", ".")
    found = "is compressed, but no tar" if packed else f"is no archive: it begins {begins!r}"
    msg = (
        f"{where} {found if head else 'is empty'}; expected tar, tar.gz, tar.bz2, tar.xz or zip. "
        "A single matrix goes into the table of files under its own role; otherwise check url there"
    )
    return IngestError(msg)


def _walk_zip(stream: IO[bytes]) -> Iterator[Entry]:
    with zipfile.ZipFile(stream) as archive:
        for info in archive.infolist():
            kind = stat.S_IFMT(info.external_attr >> 16)
            fault = "encrypted" if info.flag_bits & 1 else ""
            if stat.S_ISLNK(kind):
                fault = "a symbolic link"
            elif kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                fault = "a device or another special file"
            opener = cast("Callable[[], IO[bytes]]", partial(archive.open, info))
            yield Entry(info.filename, info.file_size, fault, info.is_dir(), opener)


def too_large(where: str, limit: int) -> IngestError:
    """Give the error for an archive that unpacks to more than `limit` bytes."""
    msg = (
        f"{where} unpacks to more than {gib(limit)}, the most allowed for an archive of its size; "
        "no real data shrink so far: check where the file comes from"
    )
    return IngestError(msg)


def gib(n_bytes: int) -> str:
    """Write a number of bytes in GiB."""
    return f"{n_bytes / 2**30:.1f} GiB"
