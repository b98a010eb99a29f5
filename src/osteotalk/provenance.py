"""What ran: versions, settings, seeds, resource and input files."""

import hashlib
import platform
import subprocess
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import yaml

from osteotalk import __version__

PACKAGES = (
    "anndata",
    "celltypist",
    "harmonypy",
    "igraph",
    "infercnvpy",
    "liana",
    "matplotlib",
    "networkx",
    "numpy",
    "pandas",
    "pyarrow",
    "scanorama",
    "scanpy",
    "scikit-image",
    "scikit-learn",
    "scipy",
    "scvi-tools",
    "snakemake",
    "squidpy",
    "umap-learn",
)


def file_digest(path: str | Path) -> str:
    """SHA-256 of a file, read in pieces."""
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def commit_of(folder: str | Path) -> str | None:
    """Git commit of the workflow, with "+changes" if files differ; None outside a checkout."""

    def git(*words: str) -> str:
        return subprocess.run(
            ["git", "-C", str(folder), *words], capture_output=True, text=True, check=True
        ).stdout.strip()

    try:
        if Path(git("rev-parse", "--show-toplevel")).resolve() != Path(folder).resolve():
            return None
        changed = git("status", "--porcelain", "--untracked-files=no")
        return git("rev-parse", "HEAD") + ("+changes" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return None


def package_versions() -> dict[str, str]:
    """Versions of the packages that make the results."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def describe_run(
    *,
    config: Mapping[str, Any],
    files: Sequence[Mapping[str, str]],
    datasets: Sequence[Mapping[str, str]],
    downloads: Mapping[str, Mapping[str, Any]],
    resource: Mapping[str, Any],
    basedir: str | Path,
    left_out: Sequence[Mapping[str, str]] = (),
) -> dict[str, Any]:
    """Describe a run so that it can be repeated.

    Parameters
    ----------
    config
        The merged config.
    files
        Rows of the table of files (dataset, sample, role, path) of the datasets of this run.
    datasets
        Rows of the table of datasets (dataset, accession) of this run.
    downloads
        Record of each downloaded file (url, bytes, sha256, retrieved_at), by path.
    resource
        From `osteotalk.interactions.pairs.resource.describe`.
    basedir
        Folder of the Snakefile.
    left_out
        Samples that could not be read, see `osteotalk.ingest.broken.check_samples`.

    Returns
    -------
    JSON-able: versions, commit, config and its digest, resource and its digest, seeds, samples that
    were left out, and size and SHA-256 of every input file.

    Raises
    ------
    ValueError
        If a downloaded file is not what it was when it was downloaded.
    """
    text = yaml.safe_dump(dict(config), sort_keys=True)
    # A download may be deleted once it has been read; its record tells what it was.
    gone = {path for path in downloads if not Path(path).is_file()}
    digests = {
        path: downloads[path]["sha256"] if path in gone else file_digest(path)
        for path in sorted({row["path"] for row in files})
    }
    changed = [p for p, found in downloads.items() if digests.get(p, "") != found["sha256"]]
    if changed:
        msg = (
            f"{', '.join(changed)}: changed since the download; the results may be of another "
            "file. Delete it and run again"
        )
        raise ValueError(msg)
    return {
        "osteotalk": __version__,
        "commit": commit_of(basedir),
        "python": platform.python_version(),
        "packages": package_versions(),
        "config": config,
        "config_sha256": hashlib.sha256(text.encode()).hexdigest(),
        "seeds": {"analysis": config["seed"], "simulation": config["simulation"]["seed"]},
        "resource": resource,
        "accessions": {row["dataset"]: row["accession"] for row in datasets},
        "left_out": [dict(row) for row in left_out],
        "files": [
            {
                **{column: row[column] for column in ("dataset", "sample", "role", "path")},
                "bytes": (
                    downloads[row["path"]]["bytes"]
                    if row["path"] in gone
                    else Path(row["path"]).stat().st_size
                ),
                "sha256": digests[row["path"]],
                "url": downloads.get(row["path"], {}).get("url", ""),
                "retrieved_at": downloads.get(row["path"], {}).get("retrieved_at", ""),
            }
            for row in files
        ],
    }
