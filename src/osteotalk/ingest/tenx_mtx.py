"""The three files of 10x Genomics: matrix.mtx, barcodes.tsv and features.tsv (or genes.tsv)."""

from collections.abc import Mapping, Sequence

import pandas as pd
from anndata import AnnData
from scipy.sparse import csr_matrix

from osteotalk.ingest.errors import IngestError
from osteotalk.ingest.features import is_barcode
from osteotalk.ingest.mtx_text import read_matrix
from osteotalk.ingest.plain import plain_text

_HEADERS = ("x", "v1", "barcode", "barcodes", "cell", "cells", "gene", "genes", "gene_id", "id")


def read(files: Mapping[str, str], *, sample: str, sample_key: str) -> AnnData:
    """Read a triplet, gzipped or plain.

    Parameters
    ----------
    files
        Paths by role: matrix (genes x cells, MatrixMarket), barcodes (one a line), features (id,
        symbol and, since Cell Ranger 3, feature type; before that called genes.tsv; or names only).
    sample, sample_key
        Not used: a triplet holds one sample.

    Returns
    -------
    Cells x features; `var_names` are symbols, `var["gene_id"]` the ids of the first column and
    `var["feature_type"]` the third column, where there is one. A matrix of cells x genes is turned.

    Raises
    ------
    IngestError
        If a file is missing, truncated, malformed or of absurd size, if lengths do not agree, or if
        there are as many genes as cells, so that it cannot be told which of them are in rows.
    """
    del sample, sample_key
    barcodes = [fields[0] for fields in _fields(files["barcodes"])]
    features = _fields(files["features"])
    short = [i for i, fields in enumerate(features, 1) if len(fields) < 2]
    if len(short) == len(features):  # one column for all: names, which may be ids
        features = [("", *fields) for fields in features]
    elif short:
        msg = (
            f"{files['features']} line {short[0]}: expected an id and a symbol separated by a tab, "
            f"found one column"
        )
        raise IngestError(msg)
    counts, turned = _counts(files, [f[1] for f in features], barcodes)
    var = pd.DataFrame({"gene_id": [f[0] for f in features]}, index=[f[1] for f in features])
    if any(len(f) > 2 for f in features):
        var["feature_type"] = [f[2] if len(f) > 2 else "" for f in features]
    adata = AnnData(counts, obs=pd.DataFrame(index=barcodes), var=var)
    adata.uns["turned"] = turned
    return adata


def _counts(
    files: Mapping[str, str], features: Sequence[str], barcodes: Sequence[str]
) -> tuple[csr_matrix, bool]:
    """Cells x features, whichever of the two the file has in rows; whether it was turned."""
    path, shape = files["matrix"], (len(features), len(barcodes))
    lists = (
        f"{files['features']} lists {shape[0]} genes and {files['barcodes']} lists {shape[1]} "
        f"barcodes{_header_line(files['features'], features)}"
        f"{_header_line(files['barcodes'], barcodes)}"
    )
    counts = read_matrix(path, shapes=(shape, shape[::-1]), lists=lists)
    if shape[0] == shape[1] and shape[0] >= _MIN_SQUARE:
        msg = (
            f"{path} has as many genes as cells ({shape[0]}), so it cannot be told whether it is "
            "transposed (cells in rows); give it as an h5ad file, or as a table with names"
        )
        raise IngestError(msg)
    turned = counts.shape != shape[::-1]
    return csr_matrix(counts.T) if turned else counts, turned


_MIN_SQUARE = 50  # smaller ones are made by hand


def _header_line(path: str, names: Sequence[str]) -> str:
    """Say that the first line is a header, if it looks so."""
    first = names[0] if names else ""
    barcodes = len(names) > 1 and is_barcode(names[1]) and not is_barcode(first)
    if first.lower() in _HEADERS or barcodes:
        return f" (the first line of {path}, '{first}', looks like a header: remove it)"
    return ""


def _fields(path: str) -> list[tuple[str, ...]]:
    """Fields of each line without quotes; a first field that only numbers the lines is left out."""
    lines = [line for line in plain_text(path).splitlines() if line]
    separator = "\t" if any("\t" in line for line in lines) else ","  # some write csv
    rows = [tuple([f.strip().strip('"').strip() for f in line.split(separator)]) for line in lines]
    if rows and all(len(row) > 1 and row[0] == str(i) for i, row in enumerate(rows, 1)):
        rows = [row[1:] for row in rows]
    return rows
