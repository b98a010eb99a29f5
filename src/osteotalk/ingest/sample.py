"""From the files of a sample to one checked count matrix."""

import logging
import tempfile
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from osteotalk import io
from osteotalk.ingest import h5ad, table_text, tenx_h5, tenx_mtx
from osteotalk.ingest.authors import (
    attach_labels,
    cells_of_sample,
    read_metadata,
    samples_of_cells,
)
from osteotalk.ingest.cells import cells_elsewhere
from osteotalk.ingest.counts import KEEP, check_counts
from osteotalk.ingest.errors import IngestError
from osteotalk.ingest.features import only_genes_and_cells, turned_right
from osteotalk.ingest.genes import SymbolTable, name_genes, read_orthologs
from osteotalk.ingest.gtf import COLUMNS as POSITIONS
from osteotalk.ingest.gtf import clean_positions
from osteotalk.ingest.kinds import check_kinds
from osteotalk.ingest.members import extract_sample
from osteotalk.ingest.plain import unpacked_copy

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
    sample_values: Sequence[str] = (),
    scratch: str | Path | None = None,
) -> tuple[AnnData, dict[str, Any]]:
    """Read the counts of one sample and put them in the form that every later stage expects.

    Parameters
    ----------
    files
        Paths by role: matrix, barcodes and features; or h5; or h5ad; or table; or archive with
        members (the table of what belongs to which sample). Also metadata and orthologs.
    sample_row
        Row of the table of samples: dataset, sample, patient, condition, maybe accession and
        sample_value.
    symbols
        Approved gene symbols.
    dataset_row
        Row of the table of datasets: sample_key, author_label, author_qc, odd_counts.
    sample_values
        What all samples of the dataset, also retired ones, are called in the column of samples;
        cells of others are counted.
    scratch
        Folder on a disk with room for the unpacked files of the sample.

    Returns
    -------
    Cells x genes (CSR, int32 counts), and a report of what was changed and left out on the way.
    `obs_names` are `<sample>_<barcode>`; `obs` holds dataset, sample, patient, condition, and
    author_label and author_qc where the dataset has them; `var_names` are unique gene symbols,
    `var["ensembl_id"]` the ids; `var` has chromosome, start and end too where the file of a human
    cohort has them.

    Raises
    ------
    IngestError
        If the files cannot be read or do not hold counts.
    """
    odd_counts = dataset_row.get("odd_counts", "")
    with tempfile.TemporaryDirectory(prefix=".unpacked-", dir=scratch) as folder:
        where = files.get("archive", "")
        if where:
            members = io.read_tsv(files["members"], table="members")
            unpacked, inside = extract_sample(
                members, sample=sample_row["sample"], archive=where, folder=Path(folder) / "files"
            )
            files, where = {**files, **unpacked}, f"{where} ({inside})"
        role = next(role for role in READERS if role in files)
        where = where or files[role]
        check_kinds(files)
        if role in ("h5", "h5ad"):
            files = {**files, role: unpacked_copy(files[role], folder)}
        adata, report = _read(
            role,
            files,
            sample_row=sample_row,
            dataset_row=dataset_row,
            sample_values=sample_values,
            symbols=symbols,
        )
    if adata.n_obs == 0 or adata.n_vars == 0:
        msg = f"{where} holds {adata.n_obs} cells x {adata.n_vars} genes: nothing to analyse"
        raise IngestError(msg)
    check_counts(adata.X, where=where, odd_counts=odd_counts)
    orthologs = read_orthologs(files["orthologs"]) if "orthologs" in files else None
    authors = adata.obs
    adata, genes = name_genes(adata, symbols=symbols, orthologs=orthologs, where=where)
    if genes["summed"]:
        check_counts(adata.X, where=where, odd_counts=KEEP, added=genes["summed_symbols"])
    report |= {
        **{column: sample_row[column] for column in ("dataset", "sample")},
        "file": where,
        "format": role,
        "counts_from": str(adata.uns.get("counts_from", "X")),
        "genes": genes,
    }
    result = _tidy(adata, authors, sample_row=sample_row, where=where, report=report)
    kept = ("dataset", "sample", "file", "format", "counts_from", "empty_droplets", "n_droplets")
    result.uns["ingest"] = {key: report[key] for key in kept}
    log.info("%s: %d droplets with counts, %d genes", where, result.n_obs, result.n_vars)
    for what, n in report["left_out"].items():
        log.warning("%s: left out: %d %s", where, n, what)
    return result, report


def _read(
    role: str,
    files: Mapping[str, str],
    *,
    sample_row: Mapping[str, str],
    dataset_row: Mapping[str, str],
    sample_values: Sequence[str],
    symbols: SymbolTable,
) -> tuple[AnnData, dict[str, Any]]:
    """Cells x genes of the sample, with the authors' columns, where there are any, in `obs`.

    And what was left out.
    """
    sample = sample_row.get("sample_value") or sample_row["sample"]
    key = dataset_row.get("sample_key", "")
    names = (sample_row["sample"], sample_row.get("accession", ""), sample)
    with warnings.catch_warnings():
        # Repeated names are dealt with later: genes are added up, barcodes refused.
        warnings.filterwarnings("ignore", message="(Variable|Observation) names are not unique")
        adata = READERS[role](files, sample=sample, sample_key=key)
        adata, turned = turned_right(adata, known=symbols.known, where=files[role])
        adata, left_out = only_genes_and_cells(adata)
    metadata = None
    if "metadata" in files:
        table = files["metadata"]
        # in an h5ad file the key is a column of obs
        column = "" if role == "h5ad" else key
        metadata = read_metadata(table, sample=sample, sample_key=column)
        if role in ("h5", "table") and column:
            adata.uns["cells_by_sample"] = samples_of_cells(adata, table, sample_key=column)
            adata = cells_of_sample(adata, metadata, names=names, where=table)
    of_file = adata.uns.pop("cells_by_sample", ())
    if sample_values:
        left_out |= cells_elsewhere(of_file, column=key, values=sample_values)
    adata = attach_labels(
        adata,
        metadata,
        names=names,
        columns={
            "author_label": dataset_row.get("author_label", ""),
            "author_qc": dataset_row.get("author_qc", ""),
        },
        where=files.get("metadata", files[role]),
    )
    return adata, {"turned": turned or bool(adata.uns.pop("turned", False)), "left_out": left_out}


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
    filled = np.diff(counts.indptr) > 0
    report["empty_droplets"] = int((~filled).sum())
    report["n_droplets"] = int(filled.sum())
    barcodes = adata.obs_names[filled]
    if not barcodes.is_unique:
        msg = (
            f"{where}: barcode '{barcodes[barcodes.duplicated()][0]}' appears more than once "
            f"({int(barcodes.duplicated().sum())} such cells); were libraries merged? Put the "
            "name of the library before its barcodes"
        )
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
    return AnnData(counts if filled.all() else counts[filled], obs=obs, var=var)
