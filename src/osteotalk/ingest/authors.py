"""What the authors say of their cells: labels and quality control, kept beside ours."""

import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from anndata import AnnData

from osteotalk.ingest.errors import IngestError

log = logging.getLogger(__name__)


def read_metadata(path: str | Path) -> pd.DataFrame:
    """Read a table with one row per cell.

    Parameters
    ----------
    path
        Text separated by tabs or commas, gzipped or not; the first column holds the barcodes.

    Returns
    -------
    Text, by barcode; a missing cell is ''.

    Raises
    ------
    IngestError
        If the file cannot be read, or a barcode is repeated.
    """
    try:
        frame = pd.read_csv(path, sep=None, engine="python", dtype=str, keep_default_na=False)
    except (OSError, UnicodeDecodeError, ValueError) as error:  # pandas' own errors are ValueErrors
        msg = f"{path} cannot be read as a table of cells ({error})"
        raise IngestError(msg) from None
    frame = frame.set_index(frame.columns[0])
    repeated = frame.index[frame.index.duplicated()]
    if len(repeated):
        msg = (
            f"{path}: barcode '{repeated[0]}' is in the table more than once; each cell needs "
            "one row (a barcode may be preceded by its sample, as <sample>_<barcode>)"
        )
        raise IngestError(msg)
    return frame


def cells_of_sample(
    adata: AnnData, metadata: pd.DataFrame, *, sample: str, sample_key: str, where: str
) -> AnnData:
    """Cells of one sample, by the column `sample_key` of the metadata.

    Raises
    ------
    IngestError
        If the column is missing, or no cell of the matrix is of the sample.
    """
    _need_column(metadata, sample_key, given_as="sample_key", where=where)
    values = metadata[sample_key].reindex(adata.obs_names)
    chosen = (values == sample).to_numpy()
    if not chosen.any():
        known = ", ".join(sorted(set(metadata[sample_key]))[:20])
        msg = (
            f"{where} gives no cell of the matrix to sample '{sample}' in its column "
            f"'{sample_key}', which has: {known}; barcodes of the matrix look like "
            f"'{adata.obs_names[0]}', those of the table like '{metadata.index[0]}'"
        )
        raise IngestError(msg)
    return adata[chosen].copy()


def attach_labels(
    adata: AnnData,
    metadata: pd.DataFrame | None,
    *,
    sample: str,
    columns: Mapping[str, str],
    where: str,
) -> AnnData:
    """Put the authors' columns into `obs`, as text under our names; all other columns go.

    Parameters
    ----------
    adata
        Cells x genes; its `obs` is asked if there is no metadata.
    metadata
        By barcode, or by <sample>_<barcode>.
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
    for ours, theirs in wanted.items():
        _need_column(table, theirs, given_as=ours, where=where)
        found[ours] = _values(table[theirs], adata.obs_names, sample=sample, own=metadata is None)
    for ours in wanted:
        labelled = int((found[ours] != "").sum())
        log.info("%s: %d of %d cells have %s", where, labelled, adata.n_obs, ours)
        if metadata is not None and adata.n_obs and not labelled:
            msg = (
                f"{where} knows none of the cells of sample '{sample}': barcodes of the matrix "
                f"look like '{adata.obs_names[0]}', those of the table like '{table.index[0]}'"
            )
            raise IngestError(msg)
    adata.obs = found
    return adata


def _values(column: pd.Series, barcodes: pd.Index, *, sample: str, own: bool) -> np.ndarray:
    """Text by barcode, '' where there is none."""
    if own:
        values = column.astype(object)
        return values.where(values.notna(), "").astype(str).to_numpy(dtype=object)
    plain = column.reindex(barcodes)
    prefixed = column.reindex([f"{sample}_{barcode}" for barcode in barcodes])
    best = plain if plain.notna().sum() >= prefixed.notna().sum() else prefixed
    return best.fillna("").to_numpy(dtype=object)


def _need_column(table: pd.DataFrame, column: str, *, given_as: str, where: str) -> None:
    if column not in table:
        known = ", ".join(str(name) for name in table.columns[:30]) or "none"
        msg = (
            f"{where} has no column '{column}', which the table of datasets names as {given_as}; "
            f"its columns are: {known}"
        )
        raise IngestError(msg)
