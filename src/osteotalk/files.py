"""Write and read small files; every file is complete or not there.

A writer works on a temporary file beside the target and renames it at the end, so that a stopped
run leaves either the old file, or the new one, or none: never half of one.
"""

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Give a temporary path beside `path` and rename it to `path` if the block succeeds.

    The temporary name keeps the ending of `path`, because some writers choose the format by it.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".partial-", suffix=target.name, dir=target.parent)
    os.close(handle)
    partial = Path(name)
    try:
        yield partial
        partial.chmod(0o666 & ~_umask())
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def write_json(value: Mapping[str, Any], path: str | Path) -> None:
    """Write a mapping as indented JSON with sorted keys."""
    write_text(json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n", path)


def read_json(path: str | Path) -> dict[str, Any]:
    """Read a JSON object."""
    value: dict[str, Any] = json.loads(Path(path).read_text(encoding="utf-8"))
    return value


def write_text(text: str, path: str | Path) -> None:
    """Write UTF-8 text."""
    with atomic_path(path) as partial:
        partial.write_text(text, encoding="utf-8")
