"""Put the files of a report on disk."""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path


def write_report(pages: Mapping[str, str], folder: Path) -> None:
    """Write rendered files below a folder, each whole or not at all.

    Parameters
    ----------
    pages
        Text by relative path, from ``render``.
    folder
        Created where it does not exist. Files of an earlier report that are not in `pages` stay.

    Raises
    ------
    ValueError
        If a path leads out of the folder.
    """
    root = Path(folder)
    outside = [name for name in pages if Path(name).is_absolute() or ".." in Path(name).parts]
    if outside:
        msg = f"report files must lie inside {root}; found {', '.join(sorted(outside))}"
        raise ValueError(msg)
    for name, text in pages.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path, text)


def _replace(path: Path, text: str) -> None:
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
