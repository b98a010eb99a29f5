"""AnnData files, of one sample or of several."""

from collections.abc import Mapping

import anndata as ad
import numpy as np
from anndata import AnnData
from scipy import sparse

from osteotalk.ingest.errors import IngestError


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
    holds whole, non-negative numbers: `X`, `layers["counts"]`, `raw.X`.

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
    return _counts(adata, path=path)


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
