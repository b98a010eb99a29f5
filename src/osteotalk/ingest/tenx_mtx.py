"""The three files of 10x Genomics: matrix.mtx, barcodes.tsv and features.tsv (or genes.tsv)."""

import warnings
from collections.abc import Mapping

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy.io import mmread
from scipy.sparse import csr_matrix

from osteotalk.ingest.errors import IngestError
from osteotalk.ingest.plain import plain_bytes, plain_text


def read(files: Mapping[str, str], *, sample: str, sample_key: str) -> AnnData:
    """Read a triplet, gzipped or plain.

    Parameters
    ----------
    files
        Paths by role: matrix (genes x cells, MatrixMarket), barcodes (one a line), features (id,
        symbol and, since Cell Ranger 3, feature type; before that called genes.tsv).
    sample, sample_key
        Not used: a triplet holds one sample.

    Returns
    -------
    Cells x genes; `var_names` are symbols, `var["gene_id"]` the ids of the first column. Of a file
    with several feature types only the genes ("Gene Expression") are kept.

    Raises
    ------
    IngestError
        If a file is missing, truncated, malformed or of absurd size, or if lengths do not agree.
    """
    del sample, sample_key
    matrix = _matrix(files["matrix"])
    barcodes = [line.split("\t")[0] for line in plain_text(files["barcodes"]).splitlines() if line]
    features = [line.split("\t") for line in plain_text(files["features"]).splitlines() if line]
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


def _matrix(path: str) -> csr_matrix:
    try:
        with plain_bytes(path) as stream, warnings.catch_warnings():
            # SciPy 1.18 announces another default type; both become a csr_matrix here.
            warnings.filterwarnings("ignore", message="The default value for `spmatrix`")
            return csr_matrix(mmread(stream))
    except IngestError:
        raise
    except Exception as error:
        msg = f"{path} is not a MatrixMarket file, or it is cut off ({error})"
        raise IngestError(msg) from error
