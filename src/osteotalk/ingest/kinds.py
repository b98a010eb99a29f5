"""What a file is, told by its first bytes and not by its name."""

import bz2
import lzma
import re
import zlib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from osteotalk.ingest.errors import IngestError

_HEAD = 65_536
_MAX_LAYERS = 3  # of compression
HDF5, ARCHIVE, MTX, TEXT, GZIP, PICKLE = "hdf5", "archive", "mtx", "text", "gzip", "pickle"
MODEL, REFERENCE = "annotation.celltypist", "annotation.reference"  # keys of the config
_R = re.compile(rb"(X\n\x00\x00\x00[\x02\x03]|A\n[23]\n|B\n[\x02\x03]\x00|RD[XA][23]\n)")
PAGE = re.compile(  # a web page
    rb"\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*<(!doctype\s+html|(html|head|body|title|script|meta)\b)",
    re.IGNORECASE | re.DOTALL,
)
# Kind and how such a file begins, the first that fits.
_BEGINNINGS: tuple[tuple[str, re.Pattern[bytes]], ...] = (
    (HDF5, re.compile(rb"\x89HDF\r\n\x1a\n")),
    ("r", _R),
    ("html", PAGE),
    ("excel", re.compile(rb"PK\x03\x04.{26}(\[Content_Types\]|xl/)|\xd0\xcf\x11\xe0", re.DOTALL)),
    ("numpy", re.compile(rb"\x93NUMPY|PK\x03\x04.{26}[\w.]+\.npy", re.DOTALL)),
    (ARCHIVE, re.compile(rb"PK\x03\x04|PK\x05\x06|.{257}ustar", re.DOTALL)),
    ("parquet", re.compile(rb"PAR1")),
    ("pdf", re.compile(rb"%PDF-")),
    ("picture", re.compile(rb"\x89PNG|\xff\xd8\xff|GIF8")),
    (PICKLE, re.compile(rb"\x80[\x02-\x05].")),
    ("xml", re.compile(rb"\s*<\?xml")),
    ("lfs", re.compile(rb"version https://git-lfs")),
    (MTX, re.compile(rb"(\xef\xbb\xbf)?%%MatrixMarket", re.IGNORECASE)),
    ("json", re.compile(rb"\s*\{\s*\"")),
    ("zstandard", re.compile(rb"\x28\xb5\x2f\xfd")),
)
_SAID: Mapping[str, str] = MappingProxyType(
    {
        HDF5: "an HDF5 file; give it the role h5 (of 10x) or h5ad (AnnData) in the table of files",
        "r": "an R object (RDS or RData), which only R can read; write its counts from R, for "
        "example with DropletUtils::write10xCounts, and give the three files",
        "html": "a web page, not data; download it again, from the address of the file itself",
        "excel": "an Excel workbook; save the sheet as tab-separated text (spreadsheets also turn "
        "gene symbols into dates: better take the text file of the authors)",
        "numpy": "an array of numpy without names of genes and cells; write it as h5ad",
        ARCHIVE: "an archive; give it the role archive in the table of files",
        "parquet": "a parquet table; write it as tab-separated text or as h5ad",
        "pdf": "a PDF document, not data; download the data file",
        "picture": "a picture, not data; download the data file",
        PICKLE: "a Python pickle, which can run programs when it is read; write it as h5ad",
        "xml": "an XML document (perhaps an error of the server), not data; download it again",
        "lfs": "a pointer of Git LFS, not the file itself; fetch it with `git lfs pull`",
        MTX: "a MatrixMarket file; give it the role matrix, with barcodes and features beside it",
        "json": "JSON (perhaps an error of the server), not data; download it again",
        "zstandard": "compressed with zstandard; unpack it, or compress it with gzip",
        "packed": f"compressed more than {_MAX_LAYERS} times; unpack it",
        "binary": "no text; check that the right file was given",
        TEXT: "text",
    }
)  # fmt: skip
# Kind that a role, or a key of the config, needs; other roles need text.
_NEEDED: Mapping[str, str] = MappingProxyType(
    {"matrix": MTX, "h5": HDF5, "h5ad": HDF5, MODEL: PICKLE, REFERENCE: HDF5}
)
_NEEDED_SAID: Mapping[str, str] = MappingProxyType(
    {MTX: "a MatrixMarket file", HDF5: "an HDF5 file", PICKLE: "a CellTypist model (a pickle)"}
)
# What is said otherwise of a file that the config names.
_SAID_OF_KEYS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        MODEL: {
            HDF5: "an HDF5 file, but a CellTypist model (a pickle) is needed; an annotated h5ad "
            f"file belongs into {REFERENCE}",
        },
        REFERENCE: {
            "r": "an R object (RDS or RData), which only R can read; write it from R as h5ad, with "
            "the labels in obs",
            PICKLE: "a Python pickle, but an annotated h5ad file is needed; a CellTypist model "
            f"belongs into {MODEL}",
        },
    }
)
_OF_COUNTS = (ARCHIVE, MTX, "r", "excel", "numpy", "parquet")  # with advice for files of counts
_ANY = ("archive", "members")  # looked into elsewhere


def file_kind(path: str | Path) -> tuple[str, bytes]:
    """Tell what a file is, and give the first of its bytes, both of what gzip holds.

    A damaged gzip file is what its readable beginning is.
    """
    with Path(path).open("rb") as stream:
        head = stream.read(_HEAD)
    for _ in range(_MAX_LAYERS):
        unpacked = _unpacked(head)
        if unpacked is None:
            return _kind(head), head
        head = unpacked
    return "packed", head


def _unpacked(head: bytes) -> bytes | None:
    """Beginning of what is compressed; None if nothing is."""
    try:
        if head.startswith(b"\x1f\x8b"):
            return zlib.decompressobj(31).decompress(head, _HEAD)
        if head.startswith(b"BZh"):
            return bz2.BZ2Decompressor().decompress(head, _HEAD)
        if head.startswith(b"\xfd7zXZ\x00"):
            return lzma.LZMADecompressor().decompress(head, _HEAD)
    except (zlib.error, lzma.LZMAError, OSError, EOFError):
        return b""
    return None


def _kind(head: bytes) -> str:
    if not head:
        return "empty"
    for kind, pattern in _BEGINNINGS:
        if pattern.match(head):
            return kind
    # UTF-16 and binary files have zeros
    return "binary" if b"\x00" in head[:4096] else TEXT


def kind_problem(path: str | Path, role: str) -> str:
    """Say why a file cannot have this role, judged by what it is; '' if it can.

    A file that is missing is no problem here, nor is one that is damaged.
    """
    if role in _ANY or not Path(path).is_file() or Path(path).name.startswith("._"):
        return ""
    kind, head = file_kind(path)
    needed = _NEEDED.get(role, TEXT)
    if kind in (needed, "empty"):
        return ""
    if kind == TEXT:
        begins = head[:60].decode("utf-8", "replace").splitlines()
        of_config = role in _SAID_OF_KEYS
        hint = "" if of_config else "; a table of counts has the role table"
        return (
            f"{path} is text that begins {begins[0] if begins else ''!r}, but "
            f"{role if of_config else f'the role {role}'} needs {_NEEDED_SAID[needed]}{hint}"
        )
    if role not in _SAID_OF_KEYS:
        return f"{path} (role {role}) is {_SAID[kind]}"
    said = _SAID[kind]
    if kind in _OF_COUNTS:
        said = f"{said.partition(';')[0]}, but {_NEEDED_SAID[needed]} is needed"
    return f"{path} ({role}) is {_SAID_OF_KEYS[role].get(kind, said)}"


def check_kinds(files: Mapping[str, str | Path]) -> None:
    """Refuse files that are not what their role says, all at once.

    Raises
    ------
    IngestError
        Saying what each of them is, and what to do.
    """
    problems = [p for role, path in files.items() if (p := kind_problem(path, role))]
    if problems:
        raise IngestError("\n".join(problems))
