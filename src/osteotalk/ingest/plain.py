"""Files that are gzipped or plain, read as a stream of their plain bytes."""

import gzip
import io
import shutil
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

from osteotalk.ingest import archive
from osteotalk.ingest.errors import IngestError

_GZIP = b"\x1f\x8b"
_BUFFER = 2**20
MAX_TEXT_BYTES = 2**29  # seven million barcodes take 130 MB


@contextmanager
def plain_bytes(path: str) -> Iterator[IO[bytes]]:
    """Open a file and, if its content is gzip, unpack it while it is read.

    At the end of the block what is left is read as well, because the checksum comes last.

    Raises
    ------
    IngestError
        If the file is missing, a companion file of macOS (`._*`), damaged, or unpacks to more than
        `osteotalk.ingest.archive.MAX_MEMBER_BYTES`.
    """
    base = Path(path).name
    if base.startswith("._"):
        msg = (
            f"{path} is not data but what macOS keeps beside a file (AppleDouble); name the file "
            f"without '._' instead: {base[2:]}"
        )
        raise IngestError(msg)
    if not Path(path).is_file():
        msg = f"{path} does not exist"
        raise IngestError(msg)
    try:
        with Path(path).open("rb") as raw:
            stream, zipped = io.BufferedReader(_Capped(raw, path), _BUFFER), False
            while stream.peek(2)[:2] == _GZIP:  # some files are compressed twice
                unpacked = cast("IO[bytes]", gzip.GzipFile(fileobj=stream))
                stream, zipped = io.BufferedReader(_Capped(unpacked, path), _BUFFER), True
            yield stream
            while zipped and stream.read(_BUFFER):
                pass
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        msg = f"{path} is a truncated or damaged gzip file ({error}); download or copy it again"
        raise IngestError(msg) from None


def is_gzip(path: str | Path) -> bool:
    """Whether a file is gzip, by its first bytes."""
    with Path(path).open("rb") as raw:
        return raw.read(2) == _GZIP


def unpacked_copy(path: str, folder: str | Path) -> str:
    """Path of the plain bytes of a file: itself, or, if it is gzip, a copy in `folder`.

    Raises
    ------
    IngestError
        As `plain_bytes`.
    """
    if not Path(path).is_file() or not is_gzip(path):
        return path
    target = Path(folder) / Path(path).name.removesuffix(".gz")
    with plain_bytes(path) as source, target.open("wb") as sink:
        shutil.copyfileobj(source, sink, _BUFFER)
    return str(target)


def plain_text(path: str) -> str:
    """Give the whole text of a small file, gzipped or plain, in UTF-8.

    Raises
    ------
    IngestError
        As `plain_bytes`, or if it is no text.
    """
    with plain_bytes(path) as stream:
        content = stream.read(MAX_TEXT_BYTES + 1)
        if len(content) > MAX_TEXT_BYTES:
            msg = (
                f"{path} unpacks to more than {MAX_TEXT_BYTES} bytes, more than names of genes or "
                "cells need: check where the file comes from"
            )
            raise IngestError(msg)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        msg = f"{path} is not text ({error})"
        raise IngestError(msg) from None


class _Capped(io.RawIOBase):
    """A stream that ends in an error rather than growing without limit."""

    def __init__(self, stream: IO[bytes], path: str) -> None:
        super().__init__()
        self._stream, self._path, self._n_bytes = stream, path, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        chunk = self._stream.read(len(buffer))
        self._n_bytes += len(chunk)
        if self._n_bytes > archive.MAX_MEMBER_BYTES:
            msg = (
                f"{self._path} unpacks to more than {archive.MAX_MEMBER_BYTES} bytes, more than "
                "any sample needs: check where the file comes from"
            )
            raise IngestError(msg)
        buffer[: len(chunk)] = chunk
        return len(chunk)
