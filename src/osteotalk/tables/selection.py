"""Check the cohorts that a run analyses: their samples and files."""

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from osteotalk.tables.model import RETIRED, SINGLE, TRIPLET, Tables

DOWNLOADED = ("public", "scpca")
# What the column species says of human cells.
HUMAN = ("", "human")
# Files of a cohort that hold no counts.
EXTRAS = ("metadata", "orthologs", "gtf")
# Those of them that no single sample needs.
OF_COHORT = ("gtf",)
# Names in resources/<dataset>/ that the workflow itself writes.
RESERVED = ("manifest.tsv", "members.tsv", "samples_found.tsv")


def check_selection(tables: Tables, datasets: Sequence[str]) -> dict[str, list[str]]:
    """Check that each selected dataset is known, in use, and has samples with all their files.

    Returns
    -------
    Problems by table name: datasets, files.
    """
    found: dict[str, list[str]] = {"datasets": [], "files": _address_problems(tables)}
    known = {row["dataset"]: row for row in tables.datasets.to_dict("records")}
    for dataset in datasets:
        row = known.get(dataset)
        if row is None:
            found["datasets"].append(_unknown_dataset(tables, dataset))
        elif row["status"] == RETIRED:
            found["datasets"].append(f"dataset '{dataset}' of the config is retired: {row['note']}")
        else:
            found["datasets"] += _dataset_problems(tables, dataset, row)
    return found


def _unknown_dataset(tables: Tables, dataset: str) -> str:
    rows = tables.datasets
    names = {str(name).lower() for name in [*rows["accession"], *rows["dataset"]] if name}
    near = difflib.get_close_matches(dataset.lower(), sorted(names), n=5, cutoff=0.7)
    ids = [
        f"'{row['dataset']}' ({row['title']})"
        for row in rows.to_dict("records")
        if {row["dataset"], row["accession"].lower()} & set(near)
    ]
    hint = f"Near matches: {', '.join(ids)}. " if ids else ""
    return (
        f"dataset '{dataset}' of the config is not in it. {hint}A new cohort needs a row in the "
        "table of datasets, a row per sample in that of samples and a row per file in that of "
        "files; config/README.md shows how"
    )


def _dataset_problems(tables: Tables, dataset: str, row: Mapping[Any, Any]) -> list[str]:
    samples = tables.samples.loc[tables.samples["dataset"] == dataset, "sample"]
    files = tables.files[tables.files["dataset"] == dataset]
    if samples.empty:  # of a download they can be found, see `without_samples`
        told = row["source"] in DOWNLOADED
        return [] if told else [f"dataset '{dataset}' has no row in the table of samples"]
    problems = _shared_files(files, dataset, str(row["sample_key"]), n_samples=len(samples))
    if row["species"] not in HUMAN and "orthologs" not in set(files["role"]):
        problems.append(
            f"dataset '{dataset}' is of species {row['species']} and needs a file of role "
            "orthologs, which gives the human gene of each gene"
        )
    for sample in samples:
        roles = sorted(files.loc[files["sample"].isin([sample, ""]), "role"])
        roles = [role for role in roles if role not in EXTRAS]
        if roles != sorted(TRIPLET) and roles not in [[role] for role in SINGLE]:
            have = ", ".join(roles) or "none"
            problems.append(
                f"sample '{sample}' of dataset '{dataset}' needs the files matrix, barcodes "
                f"and features, or one of {', '.join(SINGLE)}; the table of files has: {have}"
            )
    return problems


def without_samples(dataset: str) -> str:
    """Say what to do with a dataset whose samples are not known before its files are here."""
    return (
        f"dataset '{dataset}' has no row in the table of samples. To see what its files hold, run "
        f"`snakemake --cores 1 resources/{dataset}/samples_found.tsv` with the --configfile of "
        "this run after it (the ScPCA Portal also wants a token); fill in patient and condition "
        "there, and put its rows into the table of samples"
    )


def _shared_files(
    files: pd.DataFrame, dataset: str, sample_key: str, *, n_samples: int
) -> list[str]:
    """One file read as several samples would count the same cells as several patients."""
    shared = files[files["sample"] == ""]
    told_apart = {"h5ad", "archive", *EXTRAS}
    if "metadata" in set(files["role"]):
        told_apart |= {"h5", "table"}
    problems = []
    if set(shared["role"]) & {"h5ad", "h5", "table"} and not sample_key:
        problems.append(
            f"dataset '{dataset}' has a file for all its samples (empty sample cell in the "
            "table of files), so sample_key must name the column, of obs or of the file of role "
            "metadata, that tells them apart"
        )
    if n_samples > 1:
        problems += [
            f"dataset '{dataset}': '{path}' is given for all {n_samples} samples, but only an h5ad "
            "file or an archive, or an h5 file or table with a file of role metadata, can hold "
            "several"
            for path in shared.loc[~shared["role"].isin(told_apart), "path"]
        ]
    repeated = files[(files["sample"] != "") & files.duplicated("path", keep=False)]
    if not sample_key:
        problems += [
            f"dataset '{dataset}': '{path}' is given for more than one sample or role"
            for path in repeated["path"].unique()
        ]
    return problems


def _address_problems(tables: Tables) -> list[str]:
    """Check addresses: who may have one, and where the file then goes."""
    source = dict(zip(tables.datasets["dataset"], tables.datasets["source"], strict=True))
    problems = []
    for line, row in tables.files[tables.files["url"] != ""].iterrows():
        folder, name = f"resources/{row['dataset']}/", Path(row["path"]).name
        if source[row["dataset"]] not in DOWNLOADED:
            problems.append(
                f"line {line}: dataset '{row['dataset']}' is {source[row['dataset']]}, so its "
                "files can have no url; set its source to public in the table of datasets"
            )
        if row["path"] != folder + name or name in RESERVED:
            problems.append(
                f"line {line}: path '{row['path']}' is not allowed for a file with a url; write "
                f"{folder}<name>, where the name is not one of {', '.join(RESERVED)}"
            )
    return problems


def check_files(tables: Tables, datasets: Sequence[str], workdir: str | Path) -> list[str]:
    """Check that files which are not made or downloaded here exist and are not empty."""
    made = tables.datasets.loc[tables.datasets["source"] == "simulated", "dataset"]
    rows = tables.files[
        tables.files["dataset"].isin(set(datasets) - set(made)) & (tables.files["url"] == "")
    ]
    problems = []
    for line, path in rows["path"].items():
        full = Path(workdir) / path
        if not full.is_file():
            problems.append(f"line {line}: file '{path}' does not exist (looked in {full.parent})")
        elif full.stat().st_size == 0:
            problems.append(f"line {line}: file '{path}' is empty")
    return problems


def sample_files(tables: Tables, dataset: str, sample: str) -> dict[str, str]:
    """Files of a sample by role."""
    files = tables.files[tables.files["dataset"] == dataset]
    rows = files[files["sample"].isin([sample, ""]) & ~files["role"].isin(OF_COHORT)]
    return dict(zip(rows["role"], rows["path"], strict=True))


def cohort_files(tables: Tables, dataset: str) -> dict[str, str]:
    """Files by role that are used once the samples of a cohort have been merged."""
    files = tables.files[tables.files["dataset"] == dataset]
    rows = files[(files["sample"] == "") & files["role"].isin(OF_COHORT)]
    return dict(zip(rows["role"], rows["path"], strict=True))


def remote_files(tables: Tables) -> dict[str, dict[str, str]]:
    """Rows of the files that can be downloaded, by path, with `line` in the table of files.

    Each has the `source` of its dataset. Those of retired datasets are left out.
    """
    source = dict(zip(tables.datasets["dataset"], tables.datasets["source"], strict=True))
    retired = tables.datasets.loc[tables.datasets["status"] == RETIRED, "dataset"]
    files = tables.files
    kept = files[(files["url"] != "") & ~files["dataset"].isin(retired)]
    return {
        str(row["path"]): {
            **{str(k): str(v) for k, v in row.items()},
            "line": str(line),
            "source": str(source[row["dataset"]]),
        }
        for line, row in kept.iterrows()
    }


def records_of(frame: pd.DataFrame, dataset: str) -> list[dict[str, str]]:
    """Rows of one dataset."""
    rows = frame[frame["dataset"] == dataset].to_dict("records")
    return [{str(k): str(v) for k, v in row.items()} for row in rows]
