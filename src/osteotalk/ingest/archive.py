"""Archives of published files: what they hold, and single members taken out, safely.

Tar (plain, gzip, bzip2, xz) and zip are told apart by content. Archives inside an archive are
opened as well, one level deep. Nothing is unpacked under a name that the archive chose.
"""

import errno
import logging
import re
import shutil
import zipfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from osteotalk.ingest.errors import IngestError, listed
from osteotalk.ingest.walk import Entry, damage, gib, opened, too_large, walk

log = logging.getLogger(__name__)

MAX_MEMBER_BYTES = 64 * 2**30
MAX_MEMBERS = 100_000
MAX_RATIO = 1_000  # unpacked size / size of the archive, beyond the first GiB
_CHUNK = 2**20
ARCHIVE_NAME = re.compile(r"\.(tar|tar\.(gz|bz2|xz)|tgz|tbz2?|txz|zip)$", re.IGNORECASE)


@dataclass(frozen=True)
class Member:
    """A regular file in an archive.

    Attributes
    ----------
    archive
        Path of the archive.
    name
        Name within its archive, with '/' between folders and without a leading './'.
    inner
        Name of the nested archive that holds it, or ''.
    size
        Bytes as stored in the archive: those of a `.gz` member are its compressed bytes.
    """

    archive: str
    name: str
    inner: str
    size: int

    @property
    def full_name(self) -> str:
        """`inner/name`, or `name` if it is not nested."""
        return f"{self.inner}/{self.name}" if self.inner else self.name


@dataclass(frozen=True)
class Listing:
    """Members of one archive in their order, and how many names of which kind were ignored."""

    path: str
    members: tuple[Member, ...]
    ignored: dict[str, int]


def list_members(path: str | Path) -> Listing:
    """List the regular files of an archive, and those of the archives inside it.

    Names that macOS adds (`._*`, `__MACOSX/`, `.DS_Store`) and folders are counted, logged and left
    out. Of members with the same name the last one counts, as for `tar`. The data of an
    uncompressed tar are not read.

    Raises
    ------
    IngestError
        If the file is missing, no archive, damaged or truncated; or if it holds, all named at once,
        absolute paths, '..', links, devices, encrypted members or absurd sizes.
    """
    where = str(path)
    limit = _limit(where)
    with opened(where) as stream:
        census = _Census(where, limit)
        for entry in walk(stream, where=where, limit=limit):
            nested = census.add(entry, inner="")
            if nested:
                inside = f"{where}: {nested}, an archive inside it,"
                with damage(inside, where), entry.open() as inner:
                    for part in walk(inner, where=inside, limit=limit):
                        census.add(part, inner=nested)
    return census.listing()


def extract(members: Iterable[Member], folder: str | Path) -> dict[Member, Path]:
    """Copy exactly these members into an empty folder.

    Parameters
    ----------
    members
        From `list_members`, of one or several archives.
    folder
        Made if absent. Names in it are flat, safe and unique, and keep the ending of the member's.

    Returns
    -------
    Path of each member. If anything fails, no file is left.

    Raises
    ------
    IngestError
        If the folder is not empty, the disk is too small, an archive is damaged or no longer holds
        a member, or a member does not have the size that the archive declares.
    """
    wanted = list(dict.fromkeys(members))
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    if any(target.iterdir()):
        msg = f"{target} is not empty; members of an archive are unpacked into an empty folder only"
        raise IngestError(msg)
    needed, free = sum(member.size for member in wanted), shutil.disk_usage(target).free
    if needed > free:
        raise _disk_full(target, needed, free)
    paths = {m: target / f"{i:04d}_{_safe(m.name)}" for i, m in enumerate(wanted, 1)}
    try:
        for archive in dict.fromkeys(member.archive for member in wanted):
            _extract_from(archive, {m: p for m, p in paths.items() if m.archive == archive})
    except BaseException as error:
        for partial_file in paths.values():
            partial_file.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            raise _disk_full(target, needed, shutil.disk_usage(target).free) from None
        raise
    return paths


def _extract_from(archive: str, paths: dict[Member, Path]) -> None:
    members = {(member.inner, member.name, member.size): member for member in paths}
    inners = {member.inner for member in paths} - {""}
    done: set[Member] = set()

    def take(entry: Entry, inner: str) -> None:
        member = members.get((inner, _plain(entry.name), entry.size))
        if member is not None and not entry.folder and not entry.fault:
            _copy(entry, paths[member], member)
            done.add(member)

    limit = _limit(archive)
    with opened(archive) as stream:
        for entry in walk(stream, where=archive, limit=limit):
            take(entry, "")
            nested = _plain(entry.name)
            if nested in inners and not entry.folder and not entry.fault:
                inside = f"{archive}: {nested}, an archive inside it,"
                with damage(inside, archive), entry.open() as inner:
                    for part in walk(inner, where=inside, limit=limit):
                        take(part, nested)
    missing = [member.full_name for member in paths if member not in done]
    if missing:
        msg = (
            f"{archive} no longer holds {listed(missing)} as listed before; it was changed in the "
            "meantime: run again"
        )
        raise IngestError(msg)


def _copy(entry: Entry, path: Path, member: Member) -> None:
    n_bytes = 0
    with entry.open() as source, path.open("wb") as sink:
        while chunk := source.read(_CHUNK):
            n_bytes += len(chunk)
            if n_bytes > member.size:
                break
            sink.write(chunk)
    if n_bytes != member.size:
        relation = "more" if n_bytes > member.size else f"only {n_bytes}"
        msg = f"{member.full_name} declares {member.size} bytes, but {relation} came out"
        raise zipfile.BadZipFile(msg)


class _Census:
    """Sort the entries of an archive into members, ignored names and unsafe ones."""

    def __init__(self, where: str, limit: int) -> None:
        self.where, self.limit = where, limit
        self.members: dict[tuple[str, str], Member] = {}
        self.ignored: Counter[str] = Counter()
        self.unsafe: list[str] = []
        self.n_entries = self.n_bytes = 0

    def add(self, entry: Entry, *, inner: str) -> str:
        """Count the entry; give its name if it is an archive to open."""
        self.n_entries += 1
        if self.n_entries > MAX_MEMBERS:
            msg = f"{self.where} has more than {MAX_MEMBERS} members, more than any data set needs"
            raise IngestError(msg)
        name = _plain(entry.name)
        fault = _bad_name(entry.name) or entry.fault
        if not name and not entry.folder:
            fault = "a file without a name"
        if not fault and entry.size > MAX_MEMBER_BYTES:
            fault = f"{gib(entry.size)}, more than the {gib(MAX_MEMBER_BYTES)} allowed"
        if fault:
            self.unsafe.append(f"{inner + '/' if inner else ''}{entry.name!r} ({fault})")
            return ""
        if entry.folder or _is_clutter(name):
            self.ignored["folders" if entry.folder else _is_clutter(name)] += 1
            return ""
        if not inner and ARCHIVE_NAME.search(name):
            repeated = [key for key in self.members if key[0] == name]
            for key in repeated:
                self._replace(key)
            return name
        if inner and ARCHIVE_NAME.search(name):
            log.warning(
                "%s: %s in %s is not opened: archives nest too deep", self.where, name, inner
            )
        self.n_bytes += entry.size
        if self.n_bytes > self.limit:
            raise too_large(self.where, self.limit)
        if (inner, name) in self.members:
            self._replace((inner, name))
        self.members[inner, name] = Member(self.where, name, inner, entry.size)
        return ""

    def _replace(self, key: tuple[str, str]) -> None:
        del self.members[key]
        self.ignored["replaced by a later member of the same name"] += 1

    def listing(self) -> Listing:
        if self.unsafe:
            msg = (
                f"{self.where} is not unpacked, because it holds {len(self.unsafe)} unsafe or "
                f"unreadable members: {listed(self.unsafe)}; published data need none of these: "
                "check where the file comes from"
            )
            raise IngestError(msg)
        if self.ignored:
            counts = ", ".join(f"{n} {kind}" for kind, n in sorted(self.ignored.items()))
            log.info("%s: ignored %s", self.where, counts)
        return Listing(self.where, tuple(self.members.values()), dict(self.ignored))


def _limit(path: str) -> int:
    """Bytes to which an archive may unpack."""
    size = Path(path).stat().st_size if Path(path).is_file() else 0
    return MAX_RATIO * size + 2**30


def _plain(name: str) -> str:
    """Name with '/' between folders, and without empty parts and '.'."""
    return "/".join(part for part in name.replace("\\", "/").split("/") if part not in ("", "."))


def _bad_name(name: str) -> str:
    if name.startswith(("/", "\\")):
        return "an absolute path"
    if re.match(r"[A-Za-z]:", name):
        return "a path with a drive letter"
    if ".." in re.split(r"[/\\]", name):
        return "a path that climbs out with '..'"
    if any(ord(character) < 32 or ord(character) == 127 for character in name):
        return "a name with control characters"
    return ""


def _is_clutter(name: str) -> str:
    *folders, base = name.split("/")
    if "__MACOSX" in folders:
        return "__MACOSX"
    if base.startswith("._"):
        return "AppleDouble (._*)"
    return ".DS_Store" if base == ".DS_Store" else ""


def _safe(name: str) -> str:
    base = re.sub(r"[^A-Za-z0-9._-]", "_", name.rsplit("/", 1)[-1])
    return base[-120:]


def _disk_full(folder: Path, needed: int, free: int) -> IngestError:
    msg = (
        f"{folder}: the disk has {gib(free)} free, but {gib(needed)} are to be unpacked; make "
        "room, then run again"
    )
    return IngestError(msg)
