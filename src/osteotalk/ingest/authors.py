"""What the authors say of their cells: labels and quality control, kept beside ours."""

import csv
import io
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from anndata import AnnData

from osteotalk.ingest.cells import UNLISTED, match_cells, same_value, value_texts
from osteotalk.ingest.errors import IngestError
from osteotalk.ingest.features import is_barcode
from osteotalk.ingest.kinds import check_kinds
from osteotalk.ingest.plain import plain_text

log = logging.getLogger(__name__)

_NO_LABEL = frozenset(["", "na", "nan", "n/a", "<na>", "none"])


def read_cells(path: str | Path) -> pd.DataFrame:
    """Read a table with one row per cell, whatever its barcodes; see `read_metadata`."""
    check_kinds({"metadata": path})
    text = plain_text(str(path))
    first = text.split("\n", 1)[0]
    try:
        csv.field_size_limit(2**20)
        frame = pd.read_csv(
            io.StringIO(text),
            sep=max("\t,;", key=first.count),
            dtype=str,
            keep_default_na=False,
            skipinitialspace=True,
        )
    except (ValueError, csv.Error, IndexError, KeyError, TypeError) as error:
        msg = f"{path} cannot be read as a table of cells ({error})"
        raise IngestError(msg) from None
    if frame.index.nlevels > 1:
        msg = (
            f"{path}: its lines have more fields than its header names ('{first[:60]}'); only that "
            "of the first column may be missing"
        )
        raise IngestError(msg)
    if frame.empty or not len(frame.columns):
        msg = f"{path} has no row of a cell below its header, '{first[:60]}'"
        raise IngestError(msg)
    if isinstance(frame.index, pd.RangeIndex):  # else the header lacks the first column, as R does
        frame = frame.set_index(_column_of_cells(frame))
    frame.index = frame.index.astype(str).str.strip()
    return frame


def _column_of_cells(frame: pd.DataFrame) -> str:
    """First column, or the first with barcodes if that one only numbers the rows."""
    first = frame.columns[0]
    if frame[first].str.fullmatch(r"\d+").all():
        for column in frame.columns[1:]:
            if frame[column].head(100).map(is_barcode).mean() > 0.5:
                return str(column)
    return str(first)


def read_metadata(path: str | Path, *, sample: str = "", sample_key: str = "") -> pd.DataFrame:
    """Read a table with one row per cell.

    Parameters
    ----------
    path
        Text separated by tabs, commas or semicolons, gzipped or not; the first column holds the
        barcodes.
    sample, sample_key
        If a column is given, only the rows that have the sample in it; the same barcode may then
        occur in other samples.

    Returns
    -------
    Text, by barcode; a missing cell is ''.

    Raises
    ------
    IngestError
        If the file cannot be read, lacks the column or the sample, or a barcode is repeated.
    """
    frame = read_cells(path)
    if sample_key:
        frame = frame[rows_of_sample(frame, sample=sample, sample_key=sample_key, where=str(path))]
    repeated = frame.index[frame.index.duplicated()]
    if len(repeated):
        msg = (
            f"{path}: barcode '{repeated[0]}' is in the table more than once; each cell needs one "
            "row (name the column of samples as sample_key in the table of datasets, or put the "
            "sample before the barcode, as <sample>_<barcode>)"
        )
        raise IngestError(msg)
    return frame


def rows_of_sample(frame: pd.DataFrame, *, sample: str, sample_key: str, where: str) -> np.ndarray:
    """Tell which rows of a table of cells are of a sample.

    Raises
    ------
    IngestError
        If the column is missing, or it has no cell of the sample.
    """
    need_column(frame, sample_key, given_as="sample_key", where=where)
    return same_value(value_texts(frame[sample_key]), sample, column=sample_key, where=where)


def cells_of_sample(
    adata: AnnData, metadata: pd.DataFrame, *, names: Sequence[str], where: str
) -> AnnData:
    """Cells of one sample, out of a matrix of several.

    Parameters
    ----------
    adata
        Cells x genes of all samples.
    metadata
        Rows of the sample.
    names
        Id and accession of the sample.

    Raises
    ------
    IngestError
        If most of them are not in the matrix.
    """
    return adata[_rows_of(adata, metadata, names, where) >= 0].copy()


def samples_of_cells(adata: AnnData, path: str, *, sample_key: str) -> list[str]:
    """Value of each cell of a matrix in the column of samples; `UNLISTED` if it has no row.

    Parameters
    ----------
    adata
        Cells x genes of all samples.
    path
        Table of cells.
    sample_key
        Its column.
    """
    frame = read_cells(path)
    values = value_texts(frame[sample_key])
    by_name = {str(n).replace(".", "-"): v for n, v in zip(frame.index, values, strict=True)}
    found = [by_name.get(str(n).replace(".", "-"), UNLISTED) for n in adata.obs_names]
    # names that have to be put together are matched for one sample at a time
    return found if found.count(UNLISTED) < len(found) / 2 else []


def attach_labels(
    adata: AnnData,
    metadata: pd.DataFrame | None,
    *,
    names: Sequence[str],
    columns: Mapping[str, str],
    where: str,
) -> AnnData:
    """Put the authors' columns into `obs`, as text under our names; all other columns go.

    Parameters
    ----------
    adata
        Cells x genes; its `obs` is asked if there is no metadata.
    metadata
        By barcode, alone or joined with a name of the sample (see `osteotalk.ingest.cells`).
    names
        Id and accession of the sample.
    columns
        Column of the authors by our name; '' for none.
    where
        File that should have the columns, for messages.

    Raises
    ------
    IngestError
        If a column is missing, or the metadata do not know the cells.
    """
    wanted = {ours: theirs for ours, theirs in columns.items() if theirs}
    found = pd.DataFrame(index=adata.obs_names)
    table = adata.obs if metadata is None else metadata
    for ours, theirs in wanted.items():
        need_column(table, theirs, given_as=ours, where=where)
    rows = None
    if wanted and metadata is not None and adata.n_obs:
        rows = _rows_of(adata, metadata, names, where)
    for ours, theirs in wanted.items():
        values = value_texts(table[theirs]).to_numpy(dtype=object)
        if rows is not None:
            values = np.where(rows >= 0, values[rows], "")
        found[ours] = ["" if value.lower() in _NO_LABEL else value for value in values]
        labelled = int((found[ours] != "").sum())
        log.info("%s: %d of %d cells have %s", where, labelled, adata.n_obs, ours)
    adata.obs = found
    return adata


def _rows_of(
    adata: AnnData, metadata: pd.DataFrame, names: Sequence[str], where: str
) -> np.ndarray:
    return match_cells(
        adata.obs_names.tolist(),
        metadata.index.tolist(),
        names=names,
        totals=np.asarray(adata.X.sum(axis=1)).ravel(),
        where=where,
    )


def need_column(table: pd.DataFrame, column: str, *, given_as: str, where: str) -> None:
    """Refuse a table of cells without a column that the table of datasets names.

    Raises
    ------
    IngestError
        Saying which columns it has.
    """
    if column not in table:
        known = ", ".join(str(name) for name in table.columns[:30]) or "none"
        msg = (
            f"{where} has no column '{column}', which the table of datasets names as {given_as}; "
            f"its columns are: {known}"
        )
        raise IngestError(msg)
