"""HDF5 files, opened without trust: what they are, links out of them, sparse matrices in them."""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import h5py
import numpy as np

from osteotalk.ingest.errors import IngestError

_MAX_RATIO, _FREE = 1_200, 2**30  # size in memory / in the file, beyond the first GiB
_MAX_ATTRIBUTE = 2**24  # bytes
_SPARSE = ("csr_matrix", "csc_matrix")
# What h5py raises on damaged files; SystemError where it comes from within a visit.
_DAMAGE = (OSError, RuntimeError, ValueError, KeyError, TypeError, AttributeError, SystemError)
TENX, TENX_2, H5AD = "10x", "10x version 2", "h5ad"
_SAID: Mapping[str, str] = MappingProxyType(
    {
        TENX: "is a 10x h5 file (of Cell Ranger); give it the role h5 in the table of files",
        TENX_2: "is a 10x h5 file (of Cell Ranger 2); give it the role h5 in the table of files",
        H5AD: "is an h5ad file (AnnData); give it the role h5ad in the table of files",
        "mudata": "holds several modalities (MuData: {}); write out the one of gene expression as "
        "h5ad, for example mdata.mod['rna'].write('rna.h5ad')",
        "loom": "is a loom file; write it as h5ad, for example with "
        "anndata.read_loom(...).write('x.h5ad')",
        "h5seurat": "is an h5Seurat file; convert it to h5ad, with the raw counts, or write the "
        "counts from R as the three files of 10x",
        "molecules": "is molecule_info.h5 of Cell Ranger, which has no matrix of counts; give "
        "filtered_feature_bc_matrix.h5",
        "unknown": "is an HDF5 file, but neither of 10x nor AnnData: it holds {}",
    }
)
# What is said otherwise of a file whose labels are to be carried over.
_NO_LABELS = "which has no labels of cells; an annotated h5ad file is needed"
SAID_OF_REFERENCES: Mapping[str, str] = MappingProxyType(
    {
        TENX: f"is a 10x h5 file (of Cell Ranger), {_NO_LABELS}",
        TENX_2: f"is a 10x h5 file (of Cell Ranger 2), {_NO_LABELS}",
        "molecules": f"is molecule_info.h5 of Cell Ranger, {_NO_LABELS}",
    }
)


@contextmanager
def open_hdf5(
    path: str, *, expected: tuple[str, ...], said: Mapping[str, str] = MappingProxyType({})
) -> Iterator[h5py.File]:
    """Open an HDF5 file of an expected kind in which nothing leads out of the file.

    Parameters
    ----------
    path, expected
        File, and the kinds it may have.
    said
        What is said of other kinds, where it is not what a file of counts is told.

    Raises
    ------
    IngestError
        If the file is missing, damaged or of another kind, or if it has external links, data in
        other files, virtual datasets, or data that declare an absurd size.
    """
    if not Path(path).is_file():
        msg = f"{path} does not exist"
        raise IngestError(msg)
    try:
        with h5py.File(path, "r") as file:
            refuse_ways_out(file, path)
            kind = _kind(file)
            if kind not in expected:
                found = said.get(kind, _SAID[kind]).format(
                    ", ".join(_inside(file, kind)[:12]) or "nothing"
                )
                msg = f"{path} {found}"
                raise IngestError(msg)
            yield file
    except IngestError:
        raise
    except _DAMAGE as error:
        what = "an h5ad file" if H5AD in expected else "a 10x HDF5 file"
        msg = (
            f"{path} cannot be read as {what} ({type(error).__name__}: {error}); it may be cut off "
            "or damaged: download or copy it again"
        )
        raise IngestError(msg) from error


def check_reference_start(path: str, *, column: str) -> None:
    """Check that a file is h5ad, leads nowhere, and has the column of labels; nothing is loaded.

    Parameters
    ----------
    path
        Annotated h5ad file, not compressed.
    column
        Column of `obs` that is needed.

    Raises
    ------
    IngestError
        If not; the message lists the columns.
    """
    with open_hdf5(path, expected=(H5AD,), said=SAID_OF_REFERENCES) as file:
        obs = file["obs"]
        columns = list(obs if isinstance(obs, h5py.Group) else obs.dtype.names or ())
    if column not in columns:
        listed = ", ".join(name for name in columns if not name.startswith("_")) or "none"
        msg = (
            f"{path} has no column '{column}' in obs; its columns are: {listed}. Name the one with "
            "the labels as annotation.reference_label"
        )
        raise IngestError(msg)


def _kind(file: h5py.File) -> str:
    names = set(file)
    if file.attrs.get("encoding-type") == "MuData" or "mod" in names:
        return "mudata"
    if {"matrix", "row_attrs", "col_attrs"} <= names:
        return "loom"
    if {"barcode_idx", "umi"} <= names or "molecule_idx" in names:
        return "molecules"
    if "matrix" in names and isinstance(file.get("matrix"), h5py.Group):
        return TENX
    if {"obs", "var"} <= names:
        return H5AD
    if {"assays", "active.ident"} <= names or "cell.names" in names:
        return "h5seurat"
    groups = [file.get(name) for name in names if file.get(name, getclass=True) is h5py.Group]
    return TENX_2 if any({"barcodes", "indptr"} <= set(group) for group in groups) else "unknown"


def _inside(file: h5py.File, kind: str) -> list[str]:
    return sorted(file["mod"] if kind == "mudata" and "mod" in file else file)


def refuse_ways_out(file: h5py.File, path: str) -> None:
    """Refuse links and data that lie outside the file, and absurd sizes.

    Soft links stay: they cannot leave the file but through one of the links that are refused, and
    what they lead to within it is looked at where it lies.

    Raises
    ------
    IngestError
        Naming each object, and the file that it leads to.
    """
    found = _large_attributes(file, "/")
    for text, info, item in _links(file):
        if info.type not in (h5py.h5l.TYPE_HARD, h5py.h5l.TYPE_SOFT):
            external = info.type == h5py.h5l.TYPE_EXTERNAL
            target = file.get(text, getlink=True).filename if external else ""
            found.append(f"'{text}' is a link to another file{_named(target)}")
            continue
        if item is not None:
            found += _large_attributes(item, text)
        if not isinstance(item, h5py.Dataset):
            continue
        if item.id.get_create_plist().get_external_count():
            outside = item.id.get_create_plist().get_external(0)[0]
            found.append(f"the data of '{text}' lie in another file{_named(outside)}")
        elif item.is_virtual:
            sources = ", ".join(sorted({source.file_name for source in item.virtual_sources()}))
            found.append(
                f"'{text}' is a virtual dataset, put together from other files{_named(sources)}"
            )
        elif item.shape and _size(item) > _FREE + _MAX_RATIO * item.id.get_storage_size():
            found.append(
                f"'{text}' declares {_size(item)} bytes, but {item.id.get_storage_size()} are there"
            )
        elif (length := _length_of_texts(item, path)) > Path(path).stat().st_size:
            found.append(f"the texts of '{text}' declare {length} bytes, more than the file has")
    if found:
        msg = (
            f"{path} is not read: {'; '.join(found[:20])}. A file of data needs to hold its data "
            "itself: check where it comes from; if you trust it, read it where all of it is "
            "and write it anew as one file"
        )
        raise IngestError(msg)


def _named(name: str | bytes) -> str:
    """Give the name of a file for a message."""
    text = name.decode("utf-8", "replace") if isinstance(name, bytes) else name
    return f" ({text[:200]})" if text else ""


def _links(file: h5py.File) -> Iterator[tuple[str, Any, Any]]:
    """All links of a file: name, what kind of link it is, and what a link within the file leads to.

    Group by group, as HDF5's own walk through all of them does not end in some damaged files; each
    group once, whatever leads to it.
    """
    waiting: list[tuple[str, h5py.Group]] = [("", file)]
    seen = {h5py.h5o.get_info(file.id).addr}
    while waiting:
        above, group = waiting.pop()
        for name in list(group):
            text = f"{above}{name}"
            info = group.id.links.get_info(name.encode("utf-8", "surrogateescape"))
            item = group.get(name) if info.type == h5py.h5l.TYPE_HARD else None
            yield text, info, item
            if isinstance(item, h5py.Group):
                address = h5py.h5o.get_info(item.id).addr
                if address not in seen:
                    seen.add(address)
                    waiting.append((f"{text}/", item))


def _large_attributes(item: Any, name: str) -> list[str]:
    """Attributes of an absurd size, which a damaged file may declare; reading one would hang."""
    found = []
    for attribute in item.attrs:
        size = _size(item.attrs.get_id(attribute))
        if size > _MAX_ATTRIBUTE:
            found.append(f"the attribute {attribute} of '{name}' declares {size} bytes")
    return found


# How HDF5 stores a text of variable length: its length, and where its letters are.
_REFERENCE = np.dtype([("length", "<u4"), ("address", "<u8"), ("index", "<u4")])


def _length_of_texts(item: h5py.Dataset, path: str) -> int:
    """Bytes that the texts of variable length of a dataset declare; memory is taken for them.

    0 if it has none, or where they cannot be told without reading them (compressed references).

    Source: HDF5 File Format Specification, Version 3.0, level 1E (global heap)
    """
    texts = h5py.check_string_dtype(item.dtype)
    if texts is None or texts.length is not None:
        return 0
    at = None if item.chunks or item.file.userblock_size else item.id.get_offset()
    if at is None or item.id.get_storage_size() != item.size * _REFERENCE.itemsize:
        return 0
    with Path(path).open("rb") as stream:
        stream.seek(at)
        raw = stream.read(item.id.get_storage_size())
    references = np.frombuffer(raw[: len(raw) // 16 * 16], dtype=_REFERENCE)
    return int(references["length"].sum(dtype=np.int64))


def _size(stored: Any) -> int:
    """Bytes that a dataset or an attribute takes in memory."""
    return math.prod(stored.shape or ()) * stored.dtype.itemsize


def check_sparse(group: Any, *, n_major: int, n_minor: int, where: str) -> None:
    """Check the arrays of a compressed sparse matrix before anything follows their pointers.

    Parameters
    ----------
    group
        With data, indices and indptr. Indices that are no dataset but an array are checked too.
    n_major, n_minor
        Length of the compressed axis and of the other one.
    where
        Matrix and file, for messages.

    Raises
    ------
    IngestError
        If an array is missing or of another type, the pointers do not ascend from 0 to the number
        of values, or an index lies outside.
    """
    missing = [name for name in ("data", "indices", "indptr") if name not in group]
    if missing:
        raise _damaged(where, f"it lacks {', '.join(missing)}")
    data, indices, indptr = (group[name] for name in ("data", "indices", "indptr"))
    if data.ndim != 1 or data.dtype.kind not in "iufb":
        raise _damaged(where, f"its data are {data.dtype} of {data.ndim} dimensions")
    if {indices.dtype.kind, indptr.dtype.kind} - {"i", "u"} or {indices.ndim, indptr.ndim} != {1}:
        raise _damaged(where, "its indices or pointers are no whole numbers")
    pointers = np.asarray(indptr[:]).astype(np.int64)
    if len(pointers) != n_major + 1:
        raise _damaged(where, f"it has {len(pointers)} pointers for {n_major} rows or columns")
    if pointers[0] != 0 or (np.diff(pointers) < 0).any():
        raise _damaged(where, "its pointers (indptr) do not ascend from 0")
    if not pointers[-1] == len(data) == len(indices):
        raise _damaged(
            where,
            f"it has {len(data)} values and {len(indices)} indices, but pointers up to "
            f"{pointers[-1]}",
        )
    if isinstance(indices, np.ndarray):
        check_indices(indices, n_minor=n_minor, where=where)


def check_indices(indices: np.ndarray, *, n_minor: int, where: str) -> None:
    """Refuse indices of a sparse matrix outside its other axis.

    Raises
    ------
    IngestError
        With the index.
    """
    low, high = (int(indices.min()), int(indices.max())) if len(indices) else (0, -1)
    if low < 0 or high >= n_minor:
        found = low if low < 0 else high
        raise _damaged(where, f"it has an index of {found}, outside 0 to {n_minor - 1}")


def check_sparse_groups(file: h5py.File, path: str) -> None:
    """Check every sparse matrix of an h5ad file, in the layouts of all versions of anndata.

    What is checked lets them be loaded; `check_indices` has to follow before they are used.

    Raises
    ------
    IngestError
        As `check_sparse`.
    """
    found: list[h5py.Group] = []

    def visit(_: str, item: Any) -> None:
        if isinstance(item, h5py.Group) and _layout(item):
            found.append(item)

    file.visititems(visit)
    for group in found:
        where = f"{path}: {group.name.strip('/')}"
        shape = group.attrs.get("shape", group.attrs.get("h5sparse_shape"))
        if shape is None or len(shape) != 2 or min(int(n) for n in shape) < 0:
            raise _damaged(where, "it has no shape")
        n_rows, n_columns = (int(n) for n in shape)
        if _layout(group) == "csr":
            check_sparse(group, n_major=n_rows, n_minor=n_columns, where=where)
        else:
            check_sparse(group, n_major=n_columns, n_minor=n_rows, where=where)


def _layout(group: h5py.Group) -> str:
    kind = group.attrs.get("encoding-type", group.attrs.get("h5sparse_format", ""))
    kind = kind.decode("ascii", "replace") if isinstance(kind, bytes) else str(kind)
    return kind[:3] if kind in _SPARSE or kind in ("csr", "csc") else ""


def _damaged(where: str, found: str) -> IngestError:
    msg = f"{where} is damaged: {found}; download or copy the file again"
    return IngestError(msg)


def strings(dataset: Any) -> list[str]:
    """Give the texts of a dataset, of fixed or variable length, in UTF-8."""
    return [
        value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
        for value in dataset[:].tolist()
    ]
