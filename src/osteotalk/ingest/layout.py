"""Which files of an archive make the matrix of one sample, known by their published names."""

import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from osteotalk.ingest.archive import Listing, Member
from osteotalk.ingest.errors import IngestError
from osteotalk.ingest.match import match_groups

log = logging.getLogger(__name__)

TRIPLET = ("matrix", "barcodes", "features")
# How programs and archives name the files of a triplet, the surest first: role, and the name
# without .gz. What stands before and behind the fixed word says of which matrix the file is.
_TSV = r"\.(?:tsv|txt|csv)"
_NAMES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (role, re.compile(pattern, re.IGNORECASE))
    for role, pattern in (
        # Cell Ranger, STARsolo, GEO
        ("matrix", r"(?P<stem>.*?)[._-]?matrix(?P<tail>)\.mtx"),
        ("barcodes", r"(?P<stem>.*?)[._-]?barcodes(?P<tail>)\.tsv"),
        ("features", r"(?P<stem>.*?)[._-]?(?:features|genes)(?P<tail>)\.tsv"),
        # the sample behind the fixed word
        ("matrix", r"(?P<stem>.*?)[._-]?matrix(?P<tail>[._-].+)\.mtx"),
        ("barcodes", r"(?P<stem>.*?)[._-]?barcodes?(?P<tail>[._-].+)\.tsv"),
        ("features", r"(?P<stem>.*?)[._-]?(?:features|genes)(?P<tail>[._-].+)\.tsv"),
        # alevin-fry
        ("matrix", r"(?P<stem>.*?)quants_mat(?P<tail>)\.mtx"),
        ("barcodes", r"(?P<stem>.*?)quants_mat_rows(?P<tail>)\.txt"),
        ("features", r"(?P<stem>.*?)quants_mat_cols(?P<tail>)\.txt"),
        # others: counts.mtx, cells.tsv, genes.tsv; kallisto's cells_x_genes.mtx, .barcodes.txt ...
        ("matrix", r"(?P<stem>.*?)[._-]?(?:(?:raw|umi)_?)?(?:counts?|expr\w*|dge)(?P<tail>)\.mtx"),
        ("matrix", r"(?P<stem>.*?)[._-]?(?:counts?|raw|umi|gene)_matrix(?P<tail>)\.mtx"),
        ("matrix", r"(?P<stem>.+?)(?P<tail>)\.mtx"),
        ("barcodes", rf"(?P<stem>.*?)[._-]?(?:cell_?(?:names|ids))(?P<tail>){_TSV}"),
        ("barcodes", rf"(?P<stem>.*?)[._-]?(?:cell_?)?barcodes?(?P<tail>){_TSV}"),
        ("barcodes", rf"(?P<stem>.*?)[._-]?cells?(?P<tail>){_TSV}"),
        ("features", rf"(?P<stem>.*?)[._-]?(?:features?|genes?)(?:_?names|_?ids)?(?P<tail>){_TSV}"),
    )
)  # fmt: skip
_SURE = 3  # rows of these that need no other to be believed
_TABLE_FILE = re.compile(r"(?P<stem>.+)\.(csv|tsv|txt)(\.gz)?", re.IGNORECASE)
_TABLE_WORD = re.compile(r"count|expr|matrix|dge|umi", re.IGNORECASE)
_NO_COUNTS = re.compile(
    r"read_?me|file_?list|manifest|md5|sha256|licen[cs]e|molecule_info|probe_bc_matrix|series_matrix|meta_?data|annotation|_adt\.h5ad$",
    re.IGNORECASE,
)
# Cell Ranger writes a matrix twice, with and without empty droplets, and each also as one h5 file.
_TENX_STATE = re.compile(
    r"[._-]?(?<![a-z0-9])(?P<state>filtered|raw)"
    r"(_(feature|gene)_bc_matri(x|ces)(_mex|_h5)?(?![a-z0-9])|$)",
    re.IGNORECASE,
)
# The ScPCA Portal writes it three times.
_SCPCA_STATE = re.compile(r"_(?P<state>unfiltered|filtered|processed)_rna$")
_PREFERENCE = ("processed", "filtered", "", "raw", "unfiltered")


@dataclass(frozen=True)
class Found:
    """The matrix of one sample.

    Attributes
    ----------
    key
        What its files have in common, such as `BC2/` (a folder) or `GSM4952363_OS_1`. Unique.
    kind
        triplet, h5 (10x), h5ad or table.
    files
        Members by role: matrix, barcodes and features; or h5; or h5ad; or table.
    """

    key: str
    kind: str
    files: dict[str, Member]


@dataclass(frozen=True)
class _Part:
    """A member that is part of a matrix, and the row of `_NAMES` that told it."""

    role: str
    rank: int
    member: Member


_Slot = tuple[str, str, str]  # archive, place and kind


@dataclass(frozen=True)
class _Group:
    """Files with a common place; `base` is the place without the words filtered, raw ..."""

    archive: str
    place: str
    base: str
    state: str
    kind: str
    files: dict[str, Member]


def find_matrices(listings: Iterable[Listing]) -> list[Found]:
    """Find the count matrices in the archives of a dataset.

    Of several forms of one matrix the one nearest to "cells only, complete" is taken: processed,
    then filtered, then raw; gzipped before plain; a 10x h5 file before a triplet. What is left out
    is logged, and so are files that are no matrix.

    Returns
    -------
    Matrices in the order of the listings.

    Raises
    ------
    IngestError
        If a triplet lacks a file; all such triplets are named at once.
    """
    groups: dict[_Slot, dict[str, _Part]] = {}
    other: list[Member] = []
    members = [member for listing in listings for member in listing.members]
    for member in members:
        place, kind, part = _classify(member)
        if not kind:
            other.append(member)
            continue
        files = groups.setdefault((member.archive, place, kind), {})
        files[part.role] = _preferred(files[part.role], part) if part.role in files else part
    _share_features(groups)
    incomplete = _drop_incomplete(groups, other)
    if incomplete:
        msg = (
            f"{'; '.join(incomplete)}. The matrix of a sample is matrix.mtx, barcodes.tsv and "
            "features.tsv (or genes.tsv), gzipped or not, with the same beginning of the name; "
            "download the archive again, or give the files one by one in the table of files"
        )
        raise IngestError(msg)
    if not groups:  # tables whose names do not say what they hold
        groups, other = _any_tables(other)
    if other:
        left = [member.full_name for member in members if member in other]
        log.info("not a matrix: %s", ", ".join(left))
    forms = [
        _group(*key, {role: part.member for role, part in files.items()})
        for key, files in groups.items()
    ]
    return _with_keys(_choose(forms))


def _share_features(groups: dict[_Slot, dict[str, _Part]]) -> None:
    """Give matrices that lack features the only list of features without a matrix, if it is one."""
    alone = {slot: files for slot, files in groups.items() if set(files) == {"features"}}
    for slot, files in groups.items():
        own = [other for other in alone if other[0] == slot[0]]
        if set(files) == {"matrix", "barcodes"} and len(own) == 1:
            files["features"] = alone[own[0]]["features"]
            log.info("%s: %s has the features of all", slot[0], own[0][1] or "one file")


def _drop_incomplete(groups: dict[_Slot, dict[str, _Part]], other: list[Member]) -> list[str]:
    """Take out what is no complete triplet; give the problems of those that should be one."""
    incomplete = []
    for slot, files in list(groups.items()):
        archive, place, kind = slot
        missing = [role for role in TRIPLET if kind == "triplet" and role not in files]
        # a table of genes or of cells, or names that may mean anything
        unsure = "matrix" in missing and len(missing) == 2
        unsure |= any(part.rank >= _SURE for part in files.values())
        if missing and unsure:
            other += [part.member for part in groups.pop(slot).values()]
        elif missing:
            there = ", ".join(part.member.full_name for part in files.values())
            lacks = " and no ".join(missing)
            incomplete.append(f"{archive}: '{place}' has {there}, but no {lacks}")
    return incomplete


def _any_tables(
    members: list[Member],
) -> tuple[dict[_Slot, dict[str, _Part]], list[Member]]:
    groups: dict[_Slot, dict[str, _Part]] = {}
    other = []
    for member in members:
        folder, base = _split(member.full_name)
        table = _TABLE_FILE.fullmatch(base)
        if table and not _NO_COUNTS.search(base):
            slot = (member.archive, folder + table["stem"], "table")
            groups[slot] = {"table": _Part("table", 0, member)}
        else:
            other.append(member)
    return groups, other


def match_samples(
    found: Sequence[Found],
    samples: Sequence[Mapping[str, str]],
    *,
    dataset: str,
    archives: Sequence[str],
) -> dict[str, Found]:
    """Tell which matrix belongs to which sample.

    Parameters
    ----------
    found
        From `find_matrices`.
    samples
        Rows with `sample` and, where known, `accession`, `member` and `status`. `member` is a shell
        pattern for the name of the matrix or any of its files (within the archive, with or without
        folders). Without it, the accession, else the id of the sample, is looked for as a whole
        word in the keys, and at last in the names of the archives.
    dataset, archives
        For messages: id of the dataset, paths of its archives.

    Returns
    -------
    Matrix by sample, in the order of `samples`, without those whose status is retired. If there
    is but one sample and one matrix, names need not agree, unless `member` is given.

    Raises
    ------
    IngestError
        If not every sample has exactly one matrix and every matrix one sample; all that is wrong
        is said at once.
    """
    names = {entry.key: [member.full_name for member in entry.files.values()] for entry in found}
    homes = {
        entry.key: PurePosixPath(next(iter(entry.files.values())).archive).name for entry in found
    }
    chosen = match_groups(names, samples, homes=homes, dataset=dataset, archives=archives)
    by_key = {entry.key: entry for entry in found}
    return {sample: by_key[key] for sample, key in chosen.items()}


def _classify(member: Member) -> tuple[str, str, _Part]:
    """Place and kind of a member, and what it is there; kind is '' if it is no part of a matrix."""
    folder, base = _split(member.full_name)
    plain = re.sub(r"\.gz$", "", base, flags=re.IGNORECASE)
    refused = _NO_COUNTS.search(base)
    for rank, (role, pattern) in enumerate(_NAMES):
        name = pattern.fullmatch(plain)
        if name and (rank < _SURE or not refused):
            return folder + name["stem"] + name["tail"], "triplet", _Part(role, rank, member)
    stem, _, ending = plain.rpartition(".")
    kind = ending.lower()
    if not refused and kind in ("h5", "h5ad"):
        return folder + stem, kind, _Part(kind, 0, member)
    table = _TABLE_FILE.fullmatch(base)
    if table and not refused and _TABLE_WORD.search(base):
        return folder + table["stem"], "table", _Part("table", 0, member)
    return "", "", _Part("", 0, member)


def _split(name: str) -> tuple[str, str]:
    folder, slash, base = name.rpartition("/")
    return folder + slash, base


def _preferred(first: _Part, second: _Part) -> _Part:
    """Of two files of one role: the surer name, gzipped before plain, features before genes."""

    def rank(part: _Part) -> tuple[int, bool, bool]:
        base = _split(part.member.name.lower())[1]
        return (part.rank, not base.endswith(".gz"), "genes.tsv" in base)

    keep, leave = (second, first) if rank(second) < rank(first) else (first, second)
    log.info(
        "%s: %s is ignored beside %s",
        keep.member.archive,
        leave.member.full_name,
        keep.member.full_name,
    )
    return keep


def _group(archive: str, place: str, kind: str, files: dict[str, Member]) -> _Group:
    pattern = _SCPCA_STATE if kind == "h5ad" else _TENX_STATE
    states = [match["state"].lower() for match in pattern.finditer(place)]
    if not states:
        return _Group(archive, place, place, "", kind, files)
    base = re.sub("/+", "/", pattern.sub("", place))
    return _Group(archive, place, base, states[-1], kind, files)


def _choose(groups: list[_Group]) -> list[_Group]:
    """One form of each matrix; others are logged."""

    def rank(group: _Group) -> tuple[int, int]:
        return _PREFERENCE.index(group.state), ("h5", "triplet", "h5ad", "table").index(group.kind)

    best: dict[tuple[str, str, str], _Group] = {}
    for group in groups:
        form = "10x" if group.state and group.kind in ("h5", "triplet") else group.kind
        slot = (group.archive, group.base.strip("/") if form == "10x" else group.base, form)
        if slot not in best:
            best[slot] = group
            continue
        keep, leave = sorted((best[slot], group), key=rank)
        log.info("%s: %s is ignored beside %s", keep.archive, _title(leave), _title(keep))
        best[slot] = keep
    return list(best.values())


def _title(group: _Group) -> str:
    return f"{group.place or 'the files without a folder'} ({group.kind})"


def _with_keys(groups: list[_Group]) -> list[Found]:
    """Give every group a key that no other has: its place, if needed with archive and kind."""
    keys = [group.base if group.state else group.place for group in groups]
    for i, group in enumerate(groups):
        if not keys[i].strip("/"):
            keys[i] = f"{PurePosixPath(group.archive).name}/"
    for lengthen in (lambda g: f"{PurePosixPath(g.archive).name}/", lambda g: f"{g.archive}/"):
        repeated = {key for key in keys if keys.count(key) > 1}
        keys = [
            lengthen(group) + group.place if key in repeated else key
            for key, group in zip(keys, groups, strict=True)
        ]
    repeated = {key for key in keys if keys.count(key) > 1}
    return [
        Found(f"{key} ({group.kind})" if key in repeated else key, group.kind, group.files)
        for key, group in zip(keys, groups, strict=True)
    ]
