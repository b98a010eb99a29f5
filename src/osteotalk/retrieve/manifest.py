"""The manifest: what was downloaded from where, and its digest, one line a file."""

import csv
import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from osteotalk import files
from osteotalk.retrieve.errors import RetrieveError

COLUMNS = ("file", "url", "bytes", "sha256", "retrieved_at")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|\+00:00)")


def read_manifest(path: str | Path) -> dict[str, dict[str, Any]]:
    """Read a manifest.

    Returns
    -------
    Records (file, url, bytes, sha256, retrieved_at) by file; {} if there is no manifest yet.

    Raises
    ------
    RetrieveError
        Naming every damaged line.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except UnicodeDecodeError as error:
        msg = f"{path} is not UTF-8 text ({error.reason}); restore it from a copy or delete it"
        raise RetrieveError(msg) from None
    lines = text.splitlines()
    rows = list(csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    header = rows[0] if rows else []
    if tuple(header) != COLUMNS:
        msg = (
            f"{path} line 1: expected the columns {', '.join(COLUMNS)} separated by tabs, found "
            f"{', '.join(header) or 'nothing'}; restore the manifest from a copy or delete it"
        )
        raise RetrieveError(msg)
    records: dict[str, dict[str, Any]] = {}
    problems = []
    for number, row in enumerate(rows[1:], 2):
        fault = _fault(row, records)
        if fault:
            problems.append(f"line {number}: {fault}")
        else:
            record: dict[str, Any] = dict(zip(COLUMNS, row, strict=True))
            records[row[0]] = {**record, "bytes": int(row[2])}
    if problems:
        msg = (
            f"{path} is damaged: {'; '.join(problems)}. Restore it from a copy, or delete these "
            f"lines (their files are then accepted as they come)"
        )
        raise RetrieveError(msg)
    return records


def downloads(manifests: Iterable[str | Path], paths: Collection[str]) -> dict[str, dict[str, Any]]:
    """Records of the files of several manifests, by path; of those in `paths` alone."""
    found = {
        str(Path(manifest).parent / name): record
        for manifest in manifests
        for name, record in read_manifest(manifest).items()
    }
    return {path: record for path, record in found.items() if path in paths}


def _fault(row: list[str], known: Mapping[str, Any]) -> str:
    """Say what is wrong with a line; '' if nothing is."""
    if len(row) != len(COLUMNS):
        return f"{len(row)} columns instead of {len(COLUMNS)}"
    if not row[0]:
        return "no file"
    if row[0] in known:
        return f"{row[0]} is listed a second time"
    if not (row[2].isascii() and row[2].isdecimal()):
        return f'bytes is "{row[2]}", not a whole number'
    if not _SHA256.fullmatch(row[3]):
        return f'sha256 is "{row[3]}", not 64 hexadecimal digits in lower case'
    if not _TIME.fullmatch(row[4]):
        return f'retrieved_at is "{row[4]}", not a UTC time such as 2025-01-31T12:00:00Z'
    return ""


def write_manifest(
    records: Iterable[Mapping[str, Any]],
    path: str | Path,
    *,
    earlier: Mapping[str, Mapping[str, Any]],
) -> None:
    """Write records sorted by file; those of `earlier` whose file is not among them are kept.

    Raises
    ------
    RetrieveError
        If two of the records are of one file, or a value has a tab or a line break.
    """
    new: dict[str, Mapping[str, Any]] = {}
    for record in records:
        name = str(record["file"])
        if name in new:
            msg = (
                f"{path}: two downloads have the file name {name} ({new[name]['url']} and "
                f"{record['url']}); give one of them another name"
            )
            raise RetrieveError(msg)
        new[name] = record
    merged = {**earlier, **new}
    lines = ["\t".join(COLUMNS)]
    for name in sorted(merged):
        cells = [str(merged[name][column]) for column in COLUMNS]
        if any(len(cell.splitlines()) > 1 or "\t" in cell or "\n" in cell for cell in cells):
            msg = f"{path}: the record of {name!r} has a tab or a line break, which a line cannot"
            raise RetrieveError(msg)
        lines.append("\t".join(cells))
    files.write_text("\n".join(lines) + "\n", path)
