"""Put the files of a report on disk."""

import os
import shutil
import tempfile
from collections.abc import Callable, Collection, Mapping
from functools import partial
from pathlib import Path

# Files that a report consists of, one a line; lies in its folder.
WRITTEN = ".files.txt"

_NOT_DRAWN = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 420 40"><text x="8" y="25" '
    'font-family="sans-serif" font-size="14">Nothing to draw; the report says why.</text></svg>\n'
)


def write_report(
    pages: Mapping[str, str], folder: Path, *, copies: Mapping[str, str] | None = None
) -> None:
    """Write rendered files below a folder, each whole or not at all.

    Parameters
    ----------
    pages
        Text by relative path, from ``render``.
    folder
        Created where it does not exist. Files that an earlier report wrote and this one does not
        are removed; others stay.
    copies
        Files on disk to put beside the pages, by relative path.

    Raises
    ------
    ValueError
        If a path leads out of the folder.
    """
    root = Path(folder)
    copied = copies or {}
    outside = [name for name in (*pages, *copied) if not _inside(name)]
    if outside:
        msg = f"report files must lie inside {root}; found {', '.join(sorted(outside))}"
        raise ValueError(msg)
    for name, text in pages.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path, partial(_write, text=text))
    for name, source in copied.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path, partial(shutil.copyfile, source))
    remove_stale(root, [*pages, *copied])


def remove_stale(root: Path, names: Collection[str]) -> None:
    """Remove what an earlier report wrote below a folder and this one did not.

    What was written is listed in the folder, in a hidden file. Only regular files of that list are
    removed, so a folder that has none keeps everything.

    Parameters
    ----------
    root
        Folder of the report.
    names
        Paths of the files of this report, relative to `root`.
    """
    listed = root / WRITTEN
    known = listed.read_text(encoding="utf-8", errors="replace") if listed.is_file() else ""
    # by identity: on some disks a.html and A.html are one file
    kept = {_identity(root / name) for name in names}
    for name in known.splitlines():
        path = root / name
        inside = _inside(name) and path.parent.resolve().is_relative_to(root.resolve())
        if inside and path.is_file() and not path.is_symlink() and _identity(path) not in kept:
            path.unlink()
    text = "".join(f"{name}\n" for name in sorted(names))
    _replace(listed, partial(_write, text=text))


def _identity(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_dev, found.st_ino


def _inside(name: str) -> bool:
    path = Path(name)
    return bool(name) and "\0" not in name and not path.is_absolute() and ".." not in path.parts


def write_figures(pages: Mapping[str, str], figures: Mapping[str, str]) -> None:
    """Write some figures of a report on their own.

    Parameters
    ----------
    pages
        Text by relative path, from ``render``.
    figures
        Page and anchor of a figure, as ``index_figure-verdicts``, by the file to write. A figure
        that the report could not draw becomes a line that says so.
    """
    for target, name in figures.items():
        path = Path(target)
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path, partial(_write, text=pages.get(f"assets/{name}.svg", _NOT_DRAWN)))


def _write(path: str, text: str) -> None:
    with Path(path).open("w", encoding="utf-8", newline="\n") as stream:
        stream.write(text)


def _replace(path: Path, fill: Callable[[str], object]) -> None:
    """Let `fill` write a temporary file beside `path`, then put it there."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(handle)
    try:
        fill(temporary)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
