"""Download what a row of the table of files names."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from filelock import FileLock

from osteotalk.ingest.archive import list_members
from osteotalk.ingest.errors import IngestError
from osteotalk.ingest.gene_tables import read_orthologs
from osteotalk.ingest.gtf import gtf_problem
from osteotalk.ingest.packaged import PACKAGE
from osteotalk.retrieve.checks import TABLE
from osteotalk.retrieve.download import fetch
from osteotalk.retrieve.errors import RetrieveError
from osteotalk.retrieve.http import Limits
from osteotalk.retrieve.manifest import read_manifest, write_manifest
from osteotalk.retrieve.scpca import scpca_download_url
from osteotalk.tables.positions import KEY, SHARED

_WITHOUT_POSITIONS = (
    "Human cohorts without a file of role gtf take the positions of their genes from it. Without a "
    f"network set {KEY} in the config to {PACKAGE}, which knows fewer genes, to a GTF file on this "
    "machine, or to '' to tell tumour cells by their markers alone"
)


def download_row(
    row: Mapping[str, str], *, target: str | Path, settings: Mapping[str, Any], table: str | Path
) -> None:
    """Download one file, check it, and put it down in the manifest beside it.

    The file must agree with the table of files and with its earlier download, if there was one.

    Parameters
    ----------
    row
        url, bytes, sha256 and role of the table of files; source of the table of datasets (public,
        or scpca for the portal that wants a token), or `SHARED` for what the config names.
    target
        Where the file is put.
    settings
        The config's `retrieve`: cache, attempts, timeout, backoff, mirrors.
    table
        The table of files, for messages.

    Raises
    ------
    RetrieveError
        If the file cannot be had, or is not what it should be.
    """
    limits = Limits(
        attempts=settings["attempts"], timeout=settings["timeout"], backoff=settings["backoff"]
    )
    url, mirrors, goal = row["url"], settings["mirrors"], Path(target)
    manifest = goal.parent / "manifest.tsv"
    earlier = read_manifest(manifest).get(goal.name, {})
    shared = row["source"] == SHARED
    if shared and earlier.get("url") != url:  # the config names another file of the same name
        earlier = {}
    where = f"{KEY} of the config" if shared else _line_of(url, table)
    try:
        record = fetch(
            url,
            goal,
            cache=settings["cache"],
            limits=limits,
            n_bytes=int(row["bytes"]) if row["bytes"] else None,
            sha256=row["sha256"],
            earlier_sha256=earlier.get("sha256", ""),
            mirrors=mirrors,
            resolve=(lambda: scpca_download_url(url, mirrors=mirrors, limits=limits))
            if row["source"] == "scpca" and row["role"] == "archive"
            else None,
            check=lambda path: _problem(path, role=row["role"], url=url),
            where=where,
            stated_in=f"the config ({KEY}, {KEY}_sha256)" if shared else TABLE,
        )
    except RetrieveError as error:
        if not shared:
            raise
        msg = f"{error}. {_WITHOUT_POSITIONS}"
        raise RetrieveError(msg) from None
    # Downloads of a dataset run side by side, and the manifest must outlive each of them.
    with FileLock(goal.parent / ".manifest.lock"):
        write_manifest([record], manifest, earlier=read_manifest(manifest))


def _line_of(url: str, table: str | Path) -> str:
    """File and line of the table that has the url, looked up anew because lines move."""
    try:
        lines = Path(table).read_text(encoding="utf-8").splitlines()
    except OSError:
        return str(table)
    found = [number for number, line in enumerate(lines, 1) if url in line.split("\t")]
    return f"{table} line {found[0]}" if found else str(table)


def _problem(path: Path, *, role: str, url: str) -> str:
    """Say what is wrong with a complete download, so that nothing broken gets into the manifest."""
    if role == "orthologs":
        return _orthologs_problem(path, url)
    if role == "gtf":
        return gtf_problem(path)
    if role == "archive":
        try:
            list_members(path)  # to its end
        except IngestError as error:
            return f"what came is no usable archive ({error}); run again, or check the url"
    return ""


def _orthologs_problem(path: Path, url: str) -> str:
    """Say what is wrong with a table of orthologs; BioMart reports errors with status 200.

    A query with `completionStamp` is answered with a last line that says that nothing is missing.
    Source: https://www.ensembl.org/info/data/biomart/biomart_restful.html
    """
    text = path.read_text(encoding="utf-8", errors="replace").strip()
    if "Query ERROR" in text[:2000]:
        return f"BioMart answered with an error: {text[:300]}; correct the url"
    if "completionStamp" in url and not text.endswith("[success]"):
        return "the answer of BioMart is cut off (it does not end in [success]); run again"
    try:
        read_orthologs(path)
    except IngestError as error:
        return f"it is no table of orthologs ({error}); correct the url"
    return ""
