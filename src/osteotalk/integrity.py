"""Whether a result file is whole, and the one that its place asks for."""

import json
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

# What readers raise on damaged files; SystemError is h5py's, where a visit meets one.
_DAMAGE = (OSError, RuntimeError, ValueError, KeyError, TypeError, AttributeError, SystemError)
_PLACE = re.compile(r"(?:^|/)results/(?P<dataset>[^/]+)/(?:samples/(?P<sample>[^/]+)/)?[^/]+$")
KEY = b"osteotalk"  # of the metadata of a parquet file
_AGAIN = "Delete this file and run the same command again, which makes it anew"


class DamagedError(ValueError):
    """A result file is damaged, or it is that of another sample or cohort."""


def owner_of(path: str | Path) -> dict[str, str]:
    """Cohort, and sample if it is of one, whose result lies at a path below ``results/``.

    Returns
    -------
    ``dataset`` and ``sample`` as far as the path tells them; elsewhere nothing.
    """
    found = _PLACE.search(Path(path).as_posix())
    return {name: value for name, value in found.groupdict().items() if value} if found else {}


def owner_metadata(path: str | Path) -> dict[bytes, bytes]:
    """What a parquet file that is written to `path` says of itself."""
    return {KEY: json.dumps(owner_of(path), sort_keys=True).encode()}


def check_owner(found: Mapping[str, Iterable[str]], path: str | Path) -> None:
    """Refuse a file that is of another cohort or sample than its place says.

    Parameters
    ----------
    found
        Ids that the file has, of ``dataset`` and ``sample``; those that it does not tell are left
        out.
    path
        Where it lies.

    Raises
    ------
    DamagedError
        Naming the id that belongs there and those that were found.
    """
    for name, wanted in owner_of(path).items():
        others = sorted({*map(str, found.get(name, ()))} - {wanted})
        if others:
            listed = ", ".join(f"'{other}'" for other in others[:5])
            msg = f"{path} belongs to {name} '{wanted}', but holds {name} {listed}. {_AGAIN}"
            raise DamagedError(msg)


def check_metadata(metadata: Mapping[bytes, bytes] | None, path: str | Path) -> None:
    """Do the same by the metadata of a parquet file; one without them tells nothing.

    Raises
    ------
    DamagedError
        As `check_owner`.
    """
    said = json.loads((metadata or {}).get(KEY, b"{}"))
    check_owner({name: [value] for name, value in said.items()}, path)


@contextmanager
def whole(path: str | Path) -> Iterator[None]:
    """Say of a file that cannot be read that it is damaged, and what to do.

    Raises
    ------
    DamagedError
        If the block meets a fault of the file; that it is not there, or may not be read, and errors
        of this package stay what they are.
    """
    try:
        yield
    except (FileNotFoundError, PermissionError, DamagedError):
        raise
    except (*_DAMAGE, zlib.error, EOFError) as error:
        if type(error).__module__.startswith("osteotalk."):
            raise
        size = Path(path).stat().st_size if Path(path).exists() else 0
        found = " ".join(str(error).split())[:200]
        msg = (
            f"{path} ({size:,} bytes) is cut off or damaged; reading it says "
            f"{type(error).__name__}: {found}. {_AGAIN}"
        )
        raise DamagedError(msg) from error


def damaged(path: str | Path, found: str) -> DamagedError:
    """Give the error for a file in which something was found that the writer never leaves."""
    return DamagedError(f"{path} is cut off or damaged: {found}. {_AGAIN}")
