"""Cells of an h5ad file, whose matrices are read one at a time and row by row.

A file of a hundred thousand cells with counts, layers and `raw` takes gigabytes as a whole, and
each of its samples is read by a job of its own.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import h5py
import numpy as np
import pandas as pd
from anndata import AnnData
from anndata.io import read_elem, sparse_dataset
from scipy import sparse

from osteotalk.ingest.errors import IngestError
from osteotalk.ingest.hdf5 import check_indices

BLOCK = 2_000  # rows of a dense matrix
COUNTS, RAW = "layers['counts']", "raw.X"


@dataclass(frozen=True)
class Place:
    """Where values of all genes may stand: how to read them, and their genes."""

    read: Callable[[], Any]
    var: pd.DataFrame


def places_of(adata: AnnData) -> dict[str, Place]:
    """Where values of all genes may stand in cells at hand; of X and raw.X the larger first."""
    found = {"X": Place(lambda: adata.X, adata.var)}
    if "counts" in adata.layers:
        found[COUNTS] = Place(lambda: adata.layers["counts"], adata.var)
    if adata.raw is not None:
        found[RAW] = Place(lambda: adata.raw.X, adata.raw.var)
    return _larger_first(found)


def layers_of(adata: AnnData) -> dict[str, Callable[[], Any]]:
    """All layers of cells at hand."""
    return {str(name): partial(adata.layers.__getitem__, name) for name in adata.layers}


def can_be_read_by_rows(file: h5py.File) -> bool:
    """Whether the frames and matrices of an h5ad file have the layout and shapes of today.

    What is older or odd is left to anndata, which knows or refuses it.
    """
    lengths = [_length(file.get(name)) for name in ("obs", "var")]
    parts = [("X", lengths[1])] if "X" in file else []
    parts += [(f"layers/{name}", lengths[1]) for name in file.get("layers", ())]
    if "raw" in file:
        if not isinstance(file["raw"], h5py.Group) or "X" not in file["raw"]:
            return False
        parts.append(("raw/X", _length(file["raw"].get("var"))))
    known = None not in lengths and "raw.X" not in file
    return known and all(_shape(file[name]) == (lengths[0], n) for name, n in parts)


def _length(item: Any) -> int | None:
    """Rows of a data frame; None if it is not stored as one."""
    if not isinstance(item, h5py.Group) or item.attrs.get("encoding-type") != "dataframe":
        return None
    index = item.get(str(item.attrs.get("_index", "")))
    return index.shape[0] if isinstance(index, h5py.Dataset) and index.ndim == 1 else None


def _shape(item: Any) -> tuple[int, ...] | None:
    if isinstance(item, h5py.Dataset):
        return item.shape if item.dtype.kind in "iufb" else None
    if item.attrs.get("encoding-type") not in ("csr_matrix", "csc_matrix"):
        return None
    return tuple(int(n) for n in item.attrs.get("shape", ()))


def frame_of(file: h5py.File, name: str, path: str) -> pd.DataFrame:
    """Read `obs`, `var` or `raw/var`.

    Raises
    ------
    IngestError
        If it cannot be read.
    """
    try:
        return read_elem(file[name])
    except Exception as error:
        raise _unreadable(path, error) from error


def places_in(
    file: h5py.File, path: str, *, var: pd.DataFrame, rows: np.ndarray
) -> dict[str, Place]:
    """Where values of all genes may stand in a file, for the cells of some rows; as `places_of`."""
    found = {"X": Place(partial(read_rows, path, "X", rows) if "X" in file else lambda: None, var)}
    if "counts" in file.get("layers", ()):
        found[COUNTS] = Place(partial(read_rows, path, "layers/counts", rows), var)
    if "raw" in file:
        found[RAW] = Place(partial(read_rows, path, "raw/X", rows), frame_of(file, "raw/var", path))
    return _larger_first(found)


def layers_in(file: h5py.File, path: str, *, rows: np.ndarray) -> dict[str, Callable[[], Any]]:
    """All layers of a file, for the cells of some rows."""
    return {
        str(name): partial(read_rows, path, f"layers/{name}", rows)
        for name in file.get("layers", ())
    }


def _larger_first(places: dict[str, Place]) -> dict[str, Place]:
    if RAW in places and len(places[RAW].var) > len(places["X"].var):
        return {RAW: places.pop(RAW), **places}  # X may hold the variable genes only
    return places


def read_rows(path: str, name: str, rows: np.ndarray) -> sparse.csr_matrix:
    """Read rows of a matrix of an h5ad file; nothing of the others stays in memory.

    Parameters
    ----------
    path, name
        File, and where the matrix is in it.
    rows
        Their positions, ascending.

    Raises
    ------
    IngestError
        If it cannot be read, or holds an index outside the matrix.
    """
    try:
        with h5py.File(path, "r") as file:
            item = file[name]
            if isinstance(item, h5py.Dataset):
                return sparse.vstack(list(_blocks(item, rows)), format="csr")
            stored = sparse_dataset(item)
            whole = len(rows) == stored.shape[0] or stored.format != "csr"
            found = stored.to_memory() if whole else stored[rows]
    except Exception as error:
        raise _unreadable(path, error) from error
    n_minor = found.shape[1 if found.format == "csr" else 0]
    check_indices(found.indices, n_minor=n_minor, where=f"{path}: {name}")
    return found[rows].tocsr() if found.shape[0] > len(rows) else found.tocsr()


def _blocks(item: h5py.Dataset, rows: np.ndarray) -> Iterator[sparse.csr_matrix]:
    yield sparse.csr_matrix((0, item.shape[1]), dtype=item.dtype)
    for start in range(0, item.shape[0], BLOCK):
        own = rows[(rows >= start) & (rows < start + BLOCK)]
        if len(own):
            yield sparse.csr_matrix(item[start : start + BLOCK][own - start])


def _unreadable(path: str, error: Exception) -> IngestError:
    msg = f"{path} cannot be read as an h5ad file ({type(error).__name__}: {error})"
    return IngestError(msg)
