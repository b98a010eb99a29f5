"""The three files of 10x Genomics: matrix.mtx, barcodes.tsv and features.tsv (or genes.tsv)."""

import gzip
import io
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy.io import mmread
from scipy.sparse import csr_matrix

from osteotalk.ingest.errors import IngestError


def read(files: Mapping[str, str], *, sample: str, sample_key: str) -> AnnData:
    """Read a triplet, gzipped or plain.

    Parameters
    ----------
    files
        Paths by role: matrix (genes x cells, MatrixMarket), barcodes (one a line), features (id,
        symbol and, since Cell Ranger 3, feature type).
    sample, sample_key
        Not used: a triplet holds one sample.

    Returns
    -------
    Cells x genes; `var_names` are symbols, `var["gene_id"]` the ids of the first column. Of a file
    with several feature types only the genes ("Gene Expression") are kept.

    Raises
    ------
    IngestError
        If a file is missing, truncated or malformed, or if lengths do not agree.
    """
    del sample, sample_key
    matrix = _matrix(files["matrix"])
    barcodes = [line.split("\t")[0] for line in _text(files["barcodes"]).splitlines() if line]
    features = [line.split("\t") for line in _text(files["features"]).splitlines() if line]
    short = [i for i, fields in enumerate(features, 1) if len(fields) < 2]
    if short:
        msg = (
            f"{files['features']} line {short[0]}: expected an id and a symbol separated by a tab, "
            f"found one column"
        )
        raise IngestError(msg)
    if matrix.shape != (len(features), len(barcodes)):
        msg = (
            f"{files['matrix']} has {matrix.shape[0]} genes x {matrix.shape[1]} cells, but "
            f"{files['features']} lists {len(features)} genes and {files['barcodes']} lists "
            f"{len(barcodes)} barcodes; the three files must be of the same sample and complete"
        )
        raise IngestError(msg)
    var = pd.DataFrame({"gene_id": [f[0] for f in features]}, index=[f[1] for f in features])
    adata = AnnData(csr_matrix(matrix.T), obs=pd.DataFrame(index=barcodes), var=var)
    kinds = np.array([f[2] if len(f) > 2 else "Gene Expression" for f in features])
    return adata[:, kinds == "Gene Expression"].copy()


def _bytes(path: str) -> bytes:
    try:
        raw = Path(path).read_bytes()
        return gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
    except FileNotFoundError:
        msg = f"{path} does not exist"
        raise IngestError(msg) from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        msg = f"{path} is a truncated or damaged gzip file ({error}); download or copy it again"
        raise IngestError(msg) from None


def _text(path: str) -> str:
    try:
        return _bytes(path).decode("utf-8")
    except UnicodeDecodeError as error:
        msg = f"{path} is not text ({error})"
        raise IngestError(msg) from None


def _matrix(path: str) -> csr_matrix:
    try:
        return csr_matrix(mmread(io.BytesIO(_bytes(path))))
    except IngestError:
        raise
    except Exception as error:
        msg = f"{path} is not a MatrixMarket file, or it is cut off ({error})"
        raise IngestError(msg) from error
