"""HDF5 files of Cell Ranger (`filtered_feature_bc_matrix.h5`), versions 2 and 3 of the format."""

import logging
from collections.abc import Mapping
from types import MappingProxyType

import h5py
import numpy as np
import pandas as pd
from anndata import AnnData
from scipy.sparse import csr_matrix

from osteotalk.ingest.errors import IngestError
from osteotalk.ingest.gene_names import is_human_genome
from osteotalk.ingest.hdf5 import TENX, TENX_2, check_sparse, open_hdf5, strings

log = logging.getLogger(__name__)

# Column of var and where it stands in the group of the matrix; name and id must be there.
_VERSION_3: Mapping[str, str] = MappingProxyType(
    {
        "name": "features/name",
        "gene_id": "features/id",
        "feature_type": "features/feature_type",
        "genome": "features/genome",
    }
)
_VERSION_2: Mapping[str, str] = MappingProxyType({"name": "gene_names", "gene_id": "genes"})


def read(files: Mapping[str, str], *, sample: str, sample_key: str) -> AnnData:
    """Read a 10x HDF5 file of one sample.

    Parameters
    ----------
    files
        Path by role `h5`.
    sample, sample_key
        Not used: the file holds one sample.

    Returns
    -------
    Cells x features; `var_names` are symbols, `var["gene_id"]` Ensembl ids; where the file has them
    also feature_type and genome. Of a file of version 2 with several genomes, which has a group for
    each, the human one is read.

    Raises
    ------
    IngestError
        If the file is missing, damaged or not a 10x HDF5 file, or holds several genomes of which
        not exactly one is human.

    Source: https://www.10xgenomics.com/support/software/cell-ranger (HDF5 feature-barcode matrix)
    """
    del sample, sample_key
    path = files["h5"]
    with open_hdf5(path, expected=(TENX, TENX_2)) as file:
        if "matrix" in file:
            return _read_group(file["matrix"], _VERSION_3, path=path)
        genomes = [name for name in file if isinstance(file[name], h5py.Group)]
        return _read_group(file[_one_genome(genomes, path)], _VERSION_2, path=path)


def _one_genome(genomes: list[str], path: str) -> str:
    human = [genome for genome in genomes if is_human_genome(genome)]
    if len(genomes) > 1 and len(human) != 1:
        msg = (
            f"{path} holds several genomes: {', '.join(genomes)}; exactly one whose name begins "
            "with GRCh or hg is needed: keep one genome in the file"
        )
        raise IngestError(msg)
    if len(genomes) > 1:
        log.info("%s: of the genomes %s, %s is read", path, ", ".join(genomes), human[0])
    return (human or genomes)[0]


def _read_group(group: h5py.Group, columns: Mapping[str, str], *, path: str) -> AnnData:
    needed = ["barcodes", "shape", columns["name"], columns["gene_id"]]
    missing = [name for name in needed if name not in group]
    if missing:
        msg = f"{path} lacks {', '.join(missing)} in '{group.name}', which a 10x HDF5 file has"
        raise IngestError(msg)
    var = {column: strings(group[place]) for column, place in columns.items() if place in group}
    n_genes, n_cells = (int(n) for n in group["shape"][:2])
    lengths = {len(values) for values in var.values()}
    barcodes = np.asarray(group["barcodes"][:])
    if lengths != {n_genes} or len(barcodes) != n_cells:
        msg = (
            f"{path} declares {n_genes} features x {n_cells} barcodes, but lists "
            f"{sorted(lengths)} features and {len(barcodes)} barcodes; it may be damaged"
        )
        raise IngestError(msg)
    parts = {name: group[name] for name in ("data", "indices", "indptr") if name in group}
    if "indices" in parts:
        parts["indices"] = _narrow(parts["indices"], n_genes)
    check_sparse(parts, n_major=n_cells, n_minor=n_genes, where=f"{path}: {group.name}")
    counts = csr_matrix((n_cells, n_genes), dtype=group["data"].dtype)
    counts.data = parts["data"][:]
    counts.indices = parts["indices"]
    counts.indptr = parts["indptr"][:].astype(counts.indices.dtype)
    names = [b.decode("utf-8", "replace") if isinstance(b, bytes) else str(b) for b in barcodes]
    return AnnData(
        counts,
        obs=pd.DataFrame(index=names),
        var=pd.DataFrame(var, index=var["name"]).drop(columns="name"),
    )


def _narrow(dataset: h5py.Dataset, n_genes: int) -> np.ndarray:
    """Indices in 32 bits, if these do, without a copy in 64; a number out of range stays so."""
    whole = dataset.dtype.kind in "iu" and dataset.ndim == 1
    if not whole or max(dataset.shape[0], n_genes) >= 2**31 - 1:
        return np.asarray(dataset[:])
    result = np.empty(dataset.shape, dtype=np.int32)
    if dataset.shape[0]:
        dataset.read_direct(result)  # HDF5 keeps what is out of range at the limits
    return result
