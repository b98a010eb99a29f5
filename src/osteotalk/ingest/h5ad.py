"""AnnData files, of one sample or of several."""

import re
from collections.abc import Mapping

import anndata as ad
import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from osteotalk.ingest.errors import IngestError
from osteotalk.ingest.gtf import COLUMNS as POSITIONS

# Columns of var that public files use, the first that exists is taken.
ID_COLUMNS = ("gene_ids", "gene_id", "ensembl_id")
SYMBOL_COLUMNS = (
    "gene_symbol",
    "gene_symbols",
    "feature_name",
    "gene_name",
    "symbol",
    "hgnc_symbol",
    "gene_short_name",
)
_ENSEMBL = re.compile(r"ENS[A-Z]*G\d{6,}(\.\d+)?")


def read(files: Mapping[str, str], *, sample: str, sample_key: str) -> AnnData:
    """Read one sample of an h5ad file.

    Parameters
    ----------
    files
        Path by role `h5ad`.
    sample
        Sample to take; used if `sample_key` is given.
    sample_key
        Column of `obs` that names the sample of each cell; '' if the file holds one sample.

    Returns
    -------
    Cells x genes of the sample with whole counts in `X`. They are taken from the first place that
    holds whole, non-negative numbers: `X`, `layers["counts"]`, `raw.X`; `uns["counts_from"]` says
    which. All columns of `obs` are kept. Where `var` has a column of symbols, `var_names` are
    these, or the id where a symbol is missing; `var["gene_id"]` has the ids where they
    are known; columns chromosome, start and end are kept as text.

    Raises
    ------
    IngestError
        If the column or the sample is missing, or no place holds counts.
    """
    path = files["h5ad"]
    try:
        adata = ad.read_h5ad(path)
    except FileNotFoundError:
        msg = f"{path} does not exist"
        raise IngestError(msg) from None
    except Exception as error:
        msg = f"{path} cannot be read as an h5ad file ({type(error).__name__}: {error})"
        raise IngestError(msg) from error
    if sample_key:
        adata = _one_sample(adata, path=path, sample=sample, sample_key=sample_key)
    return _named(_counts(adata, path=path), of=adata.var)


def _one_sample(adata: AnnData, *, path: str, sample: str, sample_key: str) -> AnnData:
    if sample_key not in adata.obs:
        msg = (
            f"{path} has no obs column '{sample_key}', which the table of datasets names as "
            f"sample_key; its columns are: {', '.join(adata.obs.columns)}"
        )
        raise IngestError(msg)
    values = adata.obs[sample_key].astype(str)
    chosen = (values == sample).to_numpy()
    if not chosen.any():
        known = ", ".join(sorted(values.unique())[:20])
        msg = (
            f"{path} has no cell of sample '{sample}' in its obs column '{sample_key}'; "
            f"it has: {known}"
        )
        raise IngestError(msg)
    return adata[chosen].copy()


def _counts(adata: AnnData, *, path: str) -> AnnData:
    places = {"X": (adata.X, adata.var)}
    if "counts" in adata.layers:
        places["layers['counts']"] = (adata.layers["counts"], adata.var)
    if adata.raw is not None:
        places["raw.X"] = (adata.raw.X, adata.raw.var)
    found = []
    for name, (matrix, var) in places.items():
        values = matrix.data if sparse.issparse(matrix) else np.asarray(matrix)
        if values.size and values.min() >= 0 and np.array_equal(values, np.rint(values)):
            counts = AnnData(sparse.csr_matrix(matrix), obs=adata.obs.copy(), var=var.copy())
            counts.uns["counts_from"] = name
            return counts
        low, high = (values.min(), values.max()) if values.size else (0, 0)
        found.append(f"{name} ({low:.4g} to {high:.4g})")
    msg = (
        f"{path} holds no counts: whole, non-negative numbers were looked for in "
        f"{', '.join(found)}; store the raw counts in layers['counts']"
    )
    raise IngestError(msg)


def _named(counts: AnnData, *, of: pd.DataFrame) -> AnnData:
    """Make symbols the names of the genes; columns that `raw` lacks are looked up in `of`."""
    names = [str(name) for name in counts.var_names]
    ids = _column(counts.var, of, ID_COLUMNS)
    symbols = _column(counts.var, of, SYMBOL_COLUMNS)
    if symbols is not None and _share_of_ids(symbols) > 0.5 >= _share_of_ids(names):
        symbols, ids = None, symbols  # the names are the symbols, and the column has the ids
    if symbols is not None and ids is None and symbols != names:
        ids = names
    if _share_of_ids(names) > 0.5:
        ids = names
    if ids is not None:
        ids = [
            i or (name if _ENSEMBL.fullmatch(name) else "")
            for i, name in zip(ids, names, strict=True)
        ]
        counts.var["gene_id"] = ids
    for column in POSITIONS:
        if (values := _column(counts.var, of, (column,))) is not None:
            counts.var[column] = values
    if symbols is not None:
        every = zip(symbols, ids or names, names, strict=True)
        counts.var_names = pd.Index([next(filter(None, words)) for words in every], dtype=object)
    return counts


def _column(var: pd.DataFrame, of: pd.DataFrame, columns: tuple[str, ...]) -> list[str] | None:
    """First of the columns that exists, in `var` or else in `of`; '' where a value is missing."""
    frames = [var] if of.index.has_duplicates else [var, of.reindex(var.index)]
    for frame in frames:
        for column in columns:
            if column in frame:
                values = frame[column].astype(object)
                return ["" if pd.isna(value) else str(value).strip() for value in values]
    return None


def _share_of_ids(names: list[str]) -> float:
    return sum(_ENSEMBL.fullmatch(name) is not None for name in names) / max(len(names), 1)
