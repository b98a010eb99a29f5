"""Which files in the archives of a dataset belong to which sample."""

import logging
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from osteotalk import contract
from osteotalk.ingest.archive import Listing, Member, extract, list_members
from osteotalk.ingest.errors import IngestError, listed
from osteotalk.ingest.layout import Found, find_matrices, match_samples

log = logging.getLogger(__name__)

_SHOWN = 40
_GSM = re.compile(r"(?<![A-Za-z0-9])GSM\d+")  # accession of a sample in GEO


def list_dataset_members(
    files: Sequence[Mapping[str, str]], *, samples: Sequence[Mapping[str, str]], dataset: str
) -> pd.DataFrame:
    """Find the files of every sample in the archives of a dataset.

    Parameters
    ----------
    files
        Rows of the dataset in the table of files; those of role archive are looked into. An archive
        without a sample holds those of all samples that have no archive of their own.
    samples
        Rows of the dataset in the table of samples, also retired ones.
    dataset
        Its id, for messages.

    Returns
    -------
    The table `members`, one row per file, in the order of `samples`.

    Raises
    ------
    IngestError
        If an archive cannot be read or is unsafe, or if archives and samples do not agree; what is
        wrong with several archives is said at once.
    """
    archives = [row for row in files if row["role"] == "archive"]
    own = {row["sample"] for row in archives if row["sample"]}
    groups = [([row["path"]], [s for s in samples if s["sample"] == row["sample"]])
              for row in archives if row["sample"]]  # fmt: skip
    shared = [row["path"] for row in archives if not row["sample"]]
    if shared:
        groups.append((shared, [s for s in samples if s["sample"] not in own]))
    matched: dict[str, Found] = {}
    problems = []
    for paths, rows in groups:
        try:
            listings = [list_members(path) for path in paths]
            found = find_matrices(listings)
            if not found:
                raise _nothing_found(listings, rows, dataset=dataset)
            now = match_samples(found, rows, dataset=dataset, archives=paths)
            _refuse_swapped(now, samples)
            matched |= now
        except IngestError as error:
            problems.append(str(error))
    if problems:
        raise IngestError("\n".join(problems))
    order = [str(row["sample"]) for row in samples if row["sample"] in matched]
    return contract.conform(
        pd.DataFrame(
            [row for sample in order for row in _rows(sample, matched[sample])],
            columns=list(contract.TABLES["members"]),
        ),
        table="members",
    )


def _nothing_found(
    listings: Sequence[Listing], rows: Sequence[Mapping[str, str]], *, dataset: str
) -> IngestError:
    members = [member for listing in listings for member in listing.members]
    names = [member.full_name for member in members]
    sample = rows[0]["sample"] if rows else "<sample>"
    example = "\t".join([dataset, sample, "table", f"unpacked/{names[0] if names else '<file>'}"])
    msg = (
        f"dataset {dataset}: no file in {', '.join(listing.path for listing in listings)} is known "
        f"by its name as a matrix. Found there: {listed(names, most=_SHOWN) or 'nothing'}. "
        "Unpack it and give the files of each sample in the table of files, with their roles "
        f"(matrix, barcodes, features, h5, h5ad, table), for example the line: {example}"
    )
    return IngestError(msg)


def _refuse_swapped(matched: Mapping[str, Found], samples: Sequence[Mapping[str, str]]) -> None:
    """Refuse a matrix whose name is that of another sample and not of its own."""

    def named(row: Mapping[str, str], key: str) -> bool:
        words = [re.escape(word) for word in (row["sample"], row["accession"]) if word]
        whole = rf"(?<![A-Za-z0-9])({'|'.join(words)})(?![A-Za-z0-9])"
        return re.search(whole, key) is not None

    for sample, found in matched.items():
        row = next(row for row in samples if row["sample"] == sample)
        others = [r["sample"] for r in samples if named(r, found.key)]
        if not others and row["accession"]:
            others = _GSM.findall(found.key)
        if others and sample not in others and not row["member"]:
            archive = next(iter(found.files.values())).archive
            msg = (
                f"{archive} is given for sample {sample}, but holds '{found.key}', the name of "
                f"sample {others[0]}; correct the table of files, or give the pattern of the "
                "right file as member in the table of samples"
            )
            raise IngestError(msg)


def _rows(sample: str, found: Found) -> list[dict[str, Any]]:
    log.info("sample %s: %s (%s)", sample, found.key, found.kind)
    return [
        {
            "sample": sample,
            "key": found.key,
            "kind": found.kind,
            "role": role,
            "archive": member.archive,
            "inner": member.inner,
            "member": member.name,
            "bytes": member.size,
        }
        for role, member in found.files.items()
    ]


def extract_sample(
    members: pd.DataFrame, *, sample: str, archive: str, folder: str | Path
) -> tuple[dict[str, str], str]:
    """Unpack the files of one sample.

    Parameters
    ----------
    members
        The table `members`.
    sample
        Sample to unpack.
    archive
        Archive that should hold it.
    folder
        Empty folder to unpack into.

    Returns
    -------
    Paths by role, and what the sample is called inside the archive.

    Raises
    ------
    IngestError
        If the archive is damaged, or the table names no file of the sample.
    """
    rows = members[members["sample"] == sample]
    if rows.empty:
        msg = f"{archive}: the table of its members names no file of sample '{sample}'"
        raise IngestError(msg)
    wanted = {
        Member(
            archive=str(row["archive"]),
            name=str(row["member"]),
            inner=str(row["inner"]),
            size=int(row["bytes"]),
        ): str(row["role"])
        for row in rows.to_dict("records")
    }
    paths = extract(list(wanted), folder)
    return {wanted[member]: str(path) for member, path in paths.items()}, str(rows["key"].iloc[0])


def list_genes(reports: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Gene names of a cohort that were changed, added up, or could not be mapped.

    Parameters
    ----------
    reports
        Reports of `read_sample`, one per sample.

    Returns
    -------
    The table `genes`: outcome (renamed, summed, ambiguous, conflict, unmapped, no_ortholog), the
    gene as the file names it, the symbol it got, and in how many samples.
    """
    seen: dict[tuple[str, str, str], int] = {}
    for report in reports:
        genes = report["genes"]
        rows = [("renamed", old, new) for old, new in genes["renamed_list"]]
        rows += [("summed", symbol, symbol) for symbol in genes["summed_symbols"]]
        for outcome, name in (
            ("ambiguous", "ambiguous"),
            ("conflict", "conflicts"),
            ("unmapped", "unmapped"),
        ):
            rows += [(outcome, gene, gene) for gene in genes[name]]
        rows += [("no_ortholog", gene, "") for gene in genes["no_ortholog"]]
        for row in dict.fromkeys(rows):
            seen[row] = seen.get(row, 0) + 1
    frame = pd.DataFrame(
        [(*key, n) for key, n in sorted(seen.items())],
        columns=list(contract.TABLES["genes"]),
    )
    return contract.conform(frame, table="genes")
