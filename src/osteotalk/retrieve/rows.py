"""Download what a row of the table of files names."""

from collections.abc import Mapping
from typing import Any

from osteotalk.retrieve.download import fetch
from osteotalk.retrieve.http import Limits
from osteotalk.retrieve.manifest import read_manifest
from osteotalk.retrieve.scpca import scpca_download_url


def download_row(
    row: Mapping[str, str],
    *,
    source: str,
    target: str,
    settings: Mapping[str, Any],
    manifest: str,
    where: str,
) -> dict[str, Any]:
    """Download one file and check it against the table and against its earlier download.

    Parameters
    ----------
    row
        Row of the table of files: url, bytes, sha256.
    source
        Where the dataset is from: public, or scpca for the portal that wants a token.
    target
        Where the file is put.
    settings
        The config's `retrieve`: cache, attempts, timeout, backoff, mirrors.
    manifest
        Manifest of the dataset; may be absent.
    where
        File and line of the row, for messages.

    Returns
    -------
    Record of the file: file, url, bytes, sha256, retrieved_at.

    Raises
    ------
    RetrieveError
        If the file cannot be had, or is not what it should be.
    """
    limits = Limits(
        attempts=settings["attempts"], timeout=settings["timeout"], backoff=settings["backoff"]
    )
    url, mirrors = row["url"], settings["mirrors"]
    earlier = read_manifest(manifest).get(target.rsplit("/", 1)[-1], {})
    return fetch(
        url,
        target,
        cache=settings["cache"],
        limits=limits,
        n_bytes=int(row["bytes"]) if row["bytes"] else None,
        sha256=row["sha256"],
        earlier_sha256=earlier.get("sha256", ""),
        mirrors=mirrors,
        resolve=(lambda: scpca_download_url(url, mirrors=mirrors, limits=limits))
        if source == "scpca"
        else None,
        where=where,
    )
