"""What the authors say of their cells: labels and quality control, kept beside ours."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from anndata import AnnData

from osteotalk.ingest.errors import IngestError

log = logging.getLogger(__name__)

# How tables of cells name a cell; {s}: id or accession of the sample, {b}: barcode of the matrix.
NAMES = ("{b}", "{s}_{b}", "{s}-{b}", "{s}@{b}", "{s}:{b}", "{s}#{b}", "{b}_{s}", "{b}-{s}")


def read_cells(path: str | Path) -> pd.DataFrame:
    """Read a table with one row per cell, whatever its barcodes; see `read_metadata`."""
    try:
        frame = pd.read_csv(path, sep=None, engine="python", dtype=str, keep_default_na=False)
    except (OSError, UnicodeDecodeError, ValueError) as error:  # pandas' own errors are ValueErrors
        msg = f"{path} cannot be read as a table of cells ({error})"
        raise IngestError(msg) from None
    return frame.set_index(frame.columns[0])


def read_metadata(path: str | Path, *, sample: str = "", sample_key: str = "") -> pd.DataFrame:
    """Read a table with one row per cell.

    Parameters
    ----------
    path
        Text separated by tabs or commas, gzipped or not; the first column holds the barcodes.
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
        _need_column(frame, sample_key, given_as="sample_key", where=str(path))
        known = sorted(set(frame[sample_key]))
        frame = frame[frame[sample_key] == sample]
        if frame.empty:
            msg = (
                f"{path} has no cell of sample '{sample}' in its column '{sample_key}', which "
                f"has: {', '.join(known[:20])}"
            )
            raise IngestError(msg)
    repeated = frame.index[frame.index.duplicated()]
    if len(repeated):
        msg = (
            f"{path}: barcode '{repeated[0]}' is in the table more than once; each cell needs one "
            "row (name the column of samples as sample_key in the table of datasets, or put the "
            "sample before the barcode, as <sample>_<barcode>)"
        )
        raise IngestError(msg)
    return frame


def cells_of_sample(adata: AnnData, metadata: pd.DataFrame, *, sample: str, where: str) -> AnnData:
    """Cells of one sample, out of a matrix of several.

    Parameters
    ----------
    adata
        Cells x genes of all samples.
    metadata
        Rows of the sample.

    Raises
    ------
    IngestError
        If no cell of the matrix is among them.
    """
    chosen = adata.obs_names.isin(metadata.index)
    if not chosen.any():
        msg = (
            f"{where} gives no cell of the matrix to sample '{sample}': barcodes of the matrix "
            f"look like '{adata.obs_names[0]}', those of the table like '{metadata.index[0]}'"
        )
        raise IngestError(msg)
    return adata[chosen].copy()


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
        By barcode, alone or joined with a name of the sample (see `NAMES`).
    names
        Id and accession of the sample.
    columns
        Column of the authors by our name; '' for none.
    where
        File that should have the columns, for messages.

    Raises
    ------
    IngestError
        If a column is missing, or the metadata know none of the cells.
    """
    wanted = {ours: theirs for ours, theirs in columns.items() if theirs}
    found = pd.DataFrame(index=adata.obs_names)
    table = adata.obs if metadata is None else metadata
    rows = None if metadata is None else _rows_of(adata.obs_names, metadata.index, names)
    for ours, theirs in wanted.items():
        _need_column(table, theirs, given_as=ours, where=where)
        values = table[theirs].astype(object)
        if rows is not None:
            values = values.reindex(rows)
        found[ours] = values.where(values.notna(), "").astype(str).to_numpy(dtype=object)
        labelled = int((found[ours] != "").sum())
        log.info("%s: %d of %d cells have %s", where, labelled, adata.n_obs, ours)
        if metadata is not None and adata.n_obs and not labelled:
            msg = (
                f"{where} knows none of the cells of sample '{names[0]}': barcodes of the matrix "
                f"look like '{adata.obs_names[0]}', those of the table like '{table.index[0]}'"
            )
            raise IngestError(msg)
    adata.obs = found
    return adata


def _rows_of(barcodes: pd.Index, cells: pd.Index, names: Sequence[str]) -> list[str]:
    """Name that the table of cells has for each barcode, in the form that fits most of them."""
    forms = [
        [form.format(s=name, b=barcode) for barcode in barcodes]
        for form in NAMES
        for name in (names if "{s}" in form else names[:1])
        if name
    ]
    fits = [int(np.isin(form, cells.to_numpy(dtype=object)).sum()) for form in forms]
    return forms[int(np.argmax(fits))]


def _need_column(table: pd.DataFrame, column: str, *, given_as: str, where: str) -> None:
    if column not in table:
        known = ", ".join(str(name) for name in table.columns[:30]) or "none"
        msg = (
            f"{where} has no column '{column}', which the table of datasets names as {given_as}; "
            f"its columns are: {known}"
        )
        raise IngestError(msg)
