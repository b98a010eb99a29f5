"""From the files of a sample to one checked count matrix."""

import logging
import tempfile
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from osteotalk import io
from osteotalk.ingest import h5ad, table_text, tenx_h5, tenx_mtx
from osteotalk.ingest.authors import attach_labels, cells_of_sample, read_metadata
from osteotalk.ingest.errors import IngestError
from osteotalk.ingest.genes import SymbolTable, name_genes, read_orthologs
from osteotalk.ingest.gtf import COLUMNS as POSITIONS
from osteotalk.ingest.gtf import clean_positions
from osteotalk.ingest.members import extract_sample

log = logging.getLogger(__name__)

# Role of a file that decides how the sample is read.
READERS: Mapping[str, Callable[..., AnnData]] = MappingProxyType(
    {
        "matrix": tenx_mtx.read,
        "h5": tenx_h5.read,
        "h5ad": h5ad.read,
        "table": table_text.read,
    }
)
SAMPLE_COLUMNS = ("dataset", "sample", "patient", "condition")


def read_sample(
    files: Mapping[str, str],
    *,
    sample_row: Mapping[str, str],
    symbols: SymbolTable,
    dataset_row: Mapping[str, str] = MappingProxyType({}),
    scratch: str | Path | None = None,
) -> tuple[AnnData, dict[str, Any]]:
    """Read the counts of one sample and put them in the form that every later stage expects.

    Parameters
    ----------
    files
        Paths by role: matrix, barcodes and features; or h5; or h5ad; or table; or archive with
        members (the table of what belongs to which sample). Also metadata and orthologs.
    sample_row
        Row of the table of samples: dataset, sample, patient, condition, maybe accession.
    symbols
        Approved gene symbols.
    dataset_row
        Row of the table of datasets: sample_key, author_label, author_qc.
    scratch
        Folder on a disk with room for the unpacked files of the sample.

    Returns
    -------
    Cells x genes (CSR, int32 counts), and a report of what was changed on the way. `obs_names` are
    `<sample>_<barcode>`; `obs` holds dataset, sample, patient, condition, and author_label and
    author_qc where the dataset has them; `var_names` are unique gene symbols, `var["ensembl_id"]`
    the ids; `var` has chromosome, start and end too where the file of a human cohort has them.

    Raises
    ------
    IngestError
        If the files cannot be read or do not hold counts.
    """
    with tempfile.TemporaryDirectory(prefix=".unpacked-", dir=scratch) as folder:
        where = files.get("archive", "")
        if where:
            members = io.read_tsv(files["members"], table="members")
            unpacked, inside = extract_sample(
                members, sample=sample_row["sample"], archive=where, folder=folder
            )
            files, where = {**files, **unpacked}, f"{where} ({inside})"
        role = next(role for role in READERS if role in files)
        where = where or files[role]
        adata = _read(role, files, sample_row=sample_row, dataset_row=dataset_row)
    _check_counts(adata, where)
    orthologs = read_orthologs(files["orthologs"]) if "orthologs" in files else None
    authors = adata.obs
    adata, genes = name_genes(adata, symbols=symbols, orthologs=orthologs, where=where)
    report = {
        **{column: sample_row[column] for column in ("dataset", "sample")},
        "file": where,
        "format": role,
        "counts_from": str(adata.uns.get("counts_from", "X")),
        "genes": genes,
    }
    result = _tidy(adata, authors, sample_row=sample_row, where=where, report=report)
    result.uns["ingest"] = {key: value for key, value in report.items() if key != "genes"}
    log.info("%s: %d droplets with counts, %d genes", where, result.n_obs, result.n_vars)
    return result, report


def _read(
    role: str,
    files: Mapping[str, str],
    *,
    sample_row: Mapping[str, str],
    dataset_row: Mapping[str, str],
) -> AnnData:
    """Cells x genes of the sample, with the authors' columns, where there are any, in `obs`."""
    sample, key = sample_row["sample"], dataset_row.get("sample_key", "")
    metadata = None
    if "metadata" in files:  # in an h5ad file the key is a column of obs
        column = "" if role == "h5ad" else key
        metadata = read_metadata(files["metadata"], sample=sample, sample_key=column)
    with warnings.catch_warnings():
        # Repeated names are dealt with later: genes are added up, barcodes refused.
        warnings.filterwarnings("ignore", message="(Variable|Observation) names are not unique")
        adata = READERS[role](files, sample=sample, sample_key=key)
    if metadata is not None and role in ("h5", "table") and key:
        adata = cells_of_sample(adata, metadata, sample=sample, where=files["metadata"])
    return attach_labels(
        adata,
        metadata,
        names=(sample, sample_row.get("accession", "")),
        columns={
            "author_label": dataset_row.get("author_label", ""),
            "author_qc": dataset_row.get("author_qc", ""),
        },
        where=files.get("metadata", files[role]),
    )


def _tidy(
    adata: AnnData,
    authors: pd.DataFrame,
    *,
    sample_row: Mapping[str, str],
    where: str,
    report: dict[str, Any],
) -> AnnData:
    """Droplets with counts under their final names; fills `report`."""
    counts = sparse.csr_matrix(adata.X, dtype=np.int32)
    counts.sum_duplicates()
    counts.eliminate_zeros()
    filled = np.asarray(counts.sum(axis=1)).ravel() > 0
    report["empty_droplets"] = int((~filled).sum())
    report["n_droplets"] = int(filled.sum())
    barcodes = adata.obs_names[filled]
    if not barcodes.is_unique:
        msg = f"{where}: barcode '{barcodes[barcodes.duplicated()][0]}' appears more than once"
        raise IngestError(msg)
    obs = pd.DataFrame(
        index=pd.Index([f"{sample_row['sample']}_{b}" for b in barcodes], dtype=object)
    )
    for column in SAMPLE_COLUMNS:
        obs[column] = sample_row[column]
    for column in ("author_label", "author_qc"):
        if column in authors:
            obs[column] = authors[column].to_numpy()[filled]
            report[f"n_{column}"] = int((obs[column] != "").sum())
    var = adata.var[["ensembl_id"]].copy()
    if set(POSITIONS) <= set(adata.var.columns) and not report["genes"].get("n_orthologs"):
        var[list(POSITIONS)] = clean_positions(adata.var)[list(POSITIONS)]
    return AnnData(counts[filled], obs=obs, var=var)


def _check_counts(adata: AnnData, where: str) -> None:
    values = adata.X.data if sparse.issparse(adata.X) else np.asarray(adata.X)
    if adata.n_obs == 0 or adata.n_vars == 0:
        msg = f"{where} holds {adata.n_obs} cells x {adata.n_vars} genes: nothing to analyse"
        raise IngestError(msg)
    if values.size and not np.isfinite(values).all():
        msg = f"{where} holds values that are not finite numbers; raw counts are needed"
        raise IngestError(msg)
    if values.size and values.min() < 0:
        msg = f"{where} holds negative values (lowest: {values.min():.4g}); raw counts are needed"
        raise IngestError(msg)
    if values.size and not np.array_equal(values, np.rint(values)):
        example = values[values != np.rint(values)].flat[0]
        msg = (
            f"{where} holds values that are not whole numbers (for example {example:.4g}); "
            "raw counts are needed, not normalised ones"
        )
        raise IngestError(msg)
