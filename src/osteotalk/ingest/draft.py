"""A draft of the table of samples, from what the files of a dataset hold."""

import logging
import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import anndata as ad
import pandas as pd

from osteotalk import contract
from osteotalk.ingest.archive import ARCHIVE_NAME, Member, extract, list_members
from osteotalk.ingest.authors import read_cells
from osteotalk.ingest.cells import value_texts
from osteotalk.ingest.errors import IngestError
from osteotalk.ingest.hdf5 import H5AD, open_hdf5
from osteotalk.ingest.layout import Found, find_matrices

log = logging.getLogger(__name__)

# Folders that say how a matrix was made, not of which sample.
_GENERIC = re.compile(
    r"(filtered|raw)_(feature|gene)_bc_matrix(es)?|outs|GRCh38|hg19", re.IGNORECASE
)
_ACCESSION = re.compile(r"GSM\d+")
# Columns of the metadata that archives carry along (scPCA's single-cell_metadata.tsv), by ours.
_METADATA = {
    "patient": ("participant_id", "patient"),
    "condition": ("primary_or_metastasis", "disease_timing", "condition"),
    "histology": ("subdiagnosis",),
    "site": ("tissue_location",),
    "suspension": ("seq_unit", "suspension_type"),
}
_NOT_TISSUE = ("is_xenograft", "is_cell_line")


def draft_samples(
    files: Sequence[Mapping[str, str]], *, dataset_row: Mapping[str, str]
) -> pd.DataFrame:
    """List the samples that the files of a dataset hold, in the form of the table of samples.

    What the files do not say stays empty: nothing is guessed. The table of samples takes a row
    only with patient and condition. Xenografts and cell lines are marked as retired.

    Parameters
    ----------
    files
        Rows of the dataset in the table of files.
    dataset_row
        Its row in the table of datasets.

    Returns
    -------
    The table `samples_found`.

    Raises
    ------
    IngestError
        If a file cannot be read, or the files hold no sample that can be told.
    """
    archives = [row["path"] for row in files if row["role"] == "archive"]
    rows: list[dict[str, str]] = []
    if archives:
        listings = [list_members(path) for path in archives]
        found = find_matrices(listings)
        known = _archive_metadata([m for listing in listings for m in listing.members])
        rows = _one_name_each([_row_of_group(group, known) for group in found])
    elif key := dataset_row["sample_key"]:
        rows = [
            {
                "sample": _clean(name).strip("_.-") or "sample",
                "sample_value": "" if _clean(name) == name else name,
                "note": f"{n} cells",
            }
            for name, n in _values(files, key).items()
        ]
    if not rows:
        msg = (
            f"dataset '{dataset_row['dataset']}': no sample can be told from its files; it needs "
            "an archive, or one file for all samples and a sample_key in the table of datasets"
        )
        raise IngestError(msg)
    columns = list(contract.TABLES["samples_found"])
    frame = pd.DataFrame(rows, columns=columns).fillna("")
    frame["dataset"] = dataset_row["dataset"]
    log.info("%d samples found in %s", len(frame), dataset_row["dataset"])
    return contract.conform(frame, table="samples_found")


def _row_of_group(group: Found, known: pd.DataFrame) -> dict[str, str]:
    """Row of one matrix; `_names` are what it may be called, the likeliest first."""
    accession = _ACCESSION.search(group.key)
    parts = [ARCHIVE_NAME.sub("", part) for part in re.split(r"[/!]+", group.key) if part]
    named = [part for part in parts if part and not _GENERIC.fullmatch(part)] or parts
    scpca = next((part for part in named if part in known.index), "")
    names = [scpca, *reversed(named)] if scpca else [*reversed(named)]
    if accession:
        names = [name.replace(accession[0], "").strip("_-.") for name in names]
        names.append(accession[0])
    row = {
        "_names": "/".join(dict.fromkeys(_clean(name) for name in names if name)),
        "accession": accession[0] if accession else "",
        # the id finds the files, unless it is not spelled as they are
        "member": "" if accession or all(_clean(n) == n for n in names) else f"*{named[-1]}*",
    }
    return row | (_from_metadata(known.loc[scpca].to_dict()) if scpca else {})


def _clean(name: str) -> str:
    """Make an id of a name: letters, digits, '_', '.', '-'."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", name)


def _one_name_each(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """Call every matrix by the likeliest of its names that no other has."""
    options = [row.pop("_names").split("/") for row in rows]
    for i, (row, names) in enumerate(zip(rows, options, strict=True)):
        others = {name for j, other in enumerate(options) if j != i for name in other}
        row["sample"] = next((name for name in names if name not in others), names[-1])
        if row["sample"] != names[0]:
            row["note"] = "; ".join(
                filter(None, [row.get("note", ""), f"one of several {names[0]}"])
            )
    return rows


def _archive_metadata(members: Sequence[Member]) -> pd.DataFrame:
    """Metadata by sample that archives carry along, as text."""
    tables = [m for m in members if re.search(r"metadata\.(tsv|csv)$", m.name)]
    frames = []
    for member in tables:
        with tempfile.TemporaryDirectory() as folder:
            (path,) = extract([member], Path(folder)).values()
            frame = pd.read_csv(path, sep=None, engine="python", dtype=str, keep_default_na=False)
        name = next((c for c in ("scpca_sample_id", "sample_id", "sample") if c in frame), None)
        if name:
            frames.append(frame.drop_duplicates(name).set_index(name))
    return pd.concat(frames).fillna("") if frames else pd.DataFrame()


def _from_metadata(known: Mapping[Any, Any]) -> dict[str, str]:
    row = {
        ours: next((str(known[c]) for c in theirs if known.get(c, "") not in ("", "NA")), "")
        for ours, theirs in _METADATA.items()
    }
    row["condition"] = re.sub(r"[^a-z0-9]+", "_", row["condition"].lower()).strip("_")
    row["suspension"] = row["suspension"] if row["suspension"] in ("cell", "nucleus") else ""
    not_tissue = [c for c in _NOT_TISSUE if str(known.get(c, "")).lower() in ("true", "1")]
    kind = str(known.get("sample_type", ""))
    if re.search("xenograft|cell[ _-]?line|organoid", kind, re.IGNORECASE):
        not_tissue.append(kind)
    if not_tissue:
        row |= {"status": "retired", "note": ", ".join(not_tissue)}
    return row


def _values(files: Sequence[Mapping[str, str]], key: str) -> dict[str, int]:
    """Number of cells by value of the column that names the sample."""
    for row in files:
        if row["role"] == "metadata":
            column = read_cells(row["path"]).get(key)
        elif row["role"] == "h5ad":
            with open_hdf5(row["path"], expected=(H5AD,)):  # refuses what leads out of the file
                column = ad.read_h5ad(row["path"], backed="r").obs.get(key)
        else:
            continue
        if column is None:
            msg = f"{row['path']} has no column '{key}', which the table of datasets names"
            raise IngestError(msg)
        counts = value_texts(column).value_counts().sort_index()
        return {str(name): int(n) for name, n in counts.items() if name}
    return {}
