"""The text of a MatrixMarket file, checked while it is read.

SciPy's reader ends the interpreter on some damaged files, cuts decimals under an `integer` header
to whole numbers, and makes room for whatever a header declares; so nothing reaches it unchecked.
"""

import io
import re
import warnings
import zlib
from collections.abc import Sequence
from typing import IO, Any, NamedTuple, NoReturn

import numpy as np
from scipy.io import mmread
from scipy.sparse import csr_matrix

from osteotalk.ingest.errors import IngestError
from osteotalk.ingest.plain import plain_bytes

_BLOCK = 2**20
_MAX_LINE = 10_000
_MAX_LENGTH = 2**31  # of an axis
_SPACE = 32  # code of a space; the end of a line has a lower one


class Header(NamedTuple):
    """What a MatrixMarket file declares; `n_lines` is the number of lines of the header."""

    field: str
    n_rows: int
    n_columns: int
    n_entries: int
    n_lines: int


def read_matrix(path: str, *, shapes: Sequence[tuple[int, int]], lists: str) -> csr_matrix:
    """Read a MatrixMarket file of counts.

    Parameters
    ----------
    path
        Gzipped or plain, in coordinate or array format, general, of integers or reals.
    shapes
        Allowed numbers of rows and columns.
    lists
        What the other files list, for messages.

    Returns
    -------
    The transposed matrix: columns of the file in rows.

    Raises
    ------
    IngestError
        If the file is damaged or cut off, or holds something else than numbers, with the line; if
        it has values that a header of integers excludes, or no values at all (pattern); if an entry
        is given twice; or if its shape is not among `shapes`.

    Source: https://math.nist.gov/MatrixMarket/formats.html
    """
    with plain_bytes(path) as stream:
        header, coordinate = _header(stream, path)
        if (header.n_rows, header.n_columns) not in shapes:
            msg = (
                f"{path} has {header.n_rows} genes x {header.n_columns} cells, but {lists}; the "
                "three files must be of the same sample and complete"
            )
            raise IngestError(msg)
        if not coordinate:
            return _read_array(stream, header, path)
        body = _Body(stream, header, path)
        try:
            with warnings.catch_warnings():
                # SciPy 1.18 announces another default type.
                warnings.filterwarnings("ignore", message="The default value for `spmatrix`")
                entries = mmread(io.BufferedReader(body, _BLOCK))
        except Exception as error:
            raise body.error or _damaged(path, str(error)) from error
        if body.error:
            raise body.error
        body.check_end()
    result = csr_matrix((entries.data, (entries.col, entries.row)), shape=entries.shape[::-1])
    if result.nnz != entries.nnz:
        msg = (
            f"{path} gives {entries.nnz - result.nnz} of its {entries.nnz} entries more than once; "
            "a matrix of counts has each gene and cell once: write it again"
        )
        raise IngestError(msg)
    return result


def _header(stream: IO[bytes], path: str) -> tuple[Header, bool]:
    """Read the lines before the values; whether the format is that of coordinates."""
    first = stream.readline(_MAX_LINE).decode("utf-8-sig", "replace").split()
    if not first or first[0].lower() != "%%matrixmarket":
        raise _damaged(path, f"line 1 begins {' '.join(first)[:60]!r}")
    words = [word.lower() for word in first[1:]]
    if len(words) != 4 or words[0] != "matrix" or words[1] not in ("coordinate", "array"):
        raise _damaged(path, f"line 1 is {' '.join(first)[:100]!r}")
    if words[2] == "pattern":
        msg = (
            f"{path} has a header of kind 'pattern', so it says which genes were seen but holds no "
            "counts; give the file with counts"
        )
        raise IngestError(msg)
    if words[2] not in ("integer", "real", "double", "unsigned-integer") or words[3] != "general":
        msg = (
            f"{path} line 1 declares a matrix that is '{words[2]} {words[3]}'; counts need "
            "'integer general'"
        )
        raise IngestError(msg)
    number, line = 1, b"%"
    while line.startswith(b"%") or not line.strip():
        line = stream.readline(_MAX_LINE)
        number += 1
        if not line or number > _MAX_LINE:
            raise _damaged(path, "there is no line with its size")
    sizes = line.split()
    coordinate = words[1] == "coordinate"
    if len(sizes) != 2 + coordinate or not all(re.fullmatch(rb"\d{1,18}", s) for s in sizes):
        raise _damaged(path, f"line {number}, with its size, is {line[:60]!r}")
    n_rows, n_columns, *entries = (int(size) for size in sizes)
    n_entries = entries[0] if entries else n_rows * n_columns
    if n_entries > n_rows * n_columns or max(n_rows, n_columns) > _MAX_LENGTH:
        raise _damaged(path, f"line {number} declares {line.decode('ascii').strip()!r}")
    return Header(words[2], n_rows, n_columns, n_entries, number), coordinate


def _read_array(stream: IO[bytes], header: Header, path: str) -> csr_matrix:
    """Values of all genes of the first cell, then of the next; one a line."""
    try:
        values = [float(word) for word in stream.read().split()]
    except ValueError as error:
        raise _damaged(path, str(error)) from None
    if len(values) != header.n_entries:
        raise _damaged(path, f"it has {len(values)} values, but declares {header.n_entries}")
    return csr_matrix(np.array(values).reshape(header.n_columns, header.n_rows))


class _Body(io.RawIOBase):
    """The file as SciPy may see it: a header of its own, then lines of three numbers.

    What is wrong is kept in `error`, because SciPy takes an exception for the end of the file.
    """

    def __init__(self, stream: IO[bytes], header: Header, path: str) -> None:
        super().__init__()
        self._stream, self._header, self._path = stream, header, path
        whole = "integer" in header.field
        self._digits = b"0123456789+-" + (b"" if whole else b".eE")
        self._kind = "a whole number" if whole else "a number"
        size = f"{header.n_rows} {header.n_columns} {header.n_entries}"
        field = "integer" if whole else "real"
        self._ready = memoryview(
            f"%%MatrixMarket matrix coordinate {field} general\n{size}\n".encode()
        )
        self._rest = b""  # the beginning of a line whose end was not read yet
        self._n_lines = self._n_entries = 0
        self._ended = False
        self.error: IngestError | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._ready and not self._ended:
            self._ready = memoryview(self._next())
        n = min(len(buffer), len(self._ready))
        buffer[:n], self._ready = self._ready[:n], self._ready[n:]
        return n

    def _next(self) -> bytes:
        """Give some whole lines that are sound; b'' at the end."""
        try:
            chunk = self._stream.read(_BLOCK)
        except IngestError as error:
            self.error = error
        except (EOFError, OSError, zlib.error) as error:
            self.error = _damaged(self._path, str(error))
        if self.error:
            self._ended = True
            raise self.error
        lines = self._rest + chunk
        if chunk:
            cut = lines.rfind(b"\n") + 1
            lines, self._rest = lines[:cut], lines[cut:]
        else:
            self._ended, self._rest = True, b""
            lines = lines.rstrip() + b"\n" if lines.strip() else b""
        if len(self._rest) > _MAX_LINE:
            self._fail(0, "a line without an end")
        self._check(lines)
        return lines

    def _check(self, lines: bytes) -> None:
        """Refuse lines that do not hold three numbers each."""
        between = lines.translate(None, self._digits)  # what is left of three numbers a line
        n_lines = n_entries = len(between) // 3
        spaces = np.frombuffer(lines, dtype=np.uint8) <= _SPACE
        empty = (spaces[1:] & spaces[:-1]).any() or spaces[:1].any()
        if empty or between != b"  \n" * n_lines:  # other spaces, or a fault: look at each line
            self._find_fault(lines)
            split = lines.splitlines()
            n_lines, n_entries = len(split), sum(bool(line.strip()) for line in split)
        self._n_lines += n_lines
        self._n_entries += n_entries
        if self._n_entries > self._header.n_entries:
            self._fail(0, f"more than the {self._header.n_entries} entries declared")

    def _find_fault(self, lines: bytes) -> None:
        for number, line in enumerate(lines.splitlines()):
            words = line.split()
            if line.translate(None, self._digits + b" \t\r") or len(words) not in (0, 3):
                shown = line[:60].decode("utf-8", "replace").strip()
                self._fail(number, f"{shown!r} where a row, a column and {self._kind} are expected")

    def _fail(self, n_before: int, found: str) -> NoReturn:
        self._ended = True
        number = self._header.n_lines + self._n_lines + n_before + 1
        self.error = _damaged(self._path, f"line {number}: {found}")
        raise self.error

    def check_end(self) -> None:
        """Refuse a file with fewer entries than it declares."""
        while not self._ended:
            self._next()
        if self._n_entries != self._header.n_entries:
            raise _damaged(
                self._path,
                f"it has {self._n_entries} entries, but declares {self._header.n_entries}",
            )


def _damaged(path: str, found: str) -> IngestError:
    msg = (
        f"{path} is not a MatrixMarket file of counts, or it is cut off or damaged ({found}); "
        "download or copy it again"
    )
    return IngestError(msg)
