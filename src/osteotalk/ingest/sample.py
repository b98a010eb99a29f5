"""From the files of a sample to one checked count matrix."""

import logging
import warnings
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from osteotalk.ingest import h5ad, tenx_h5, tenx_mtx
from osteotalk.ingest.errors import IngestError

log = logging.getLogger(__name__)

# Role of a file that decides how the sample is read.
READERS: Mapping[str, Callable[..., AnnData]] = MappingProxyType(
    {"matrix": tenx_mtx.read, "h5": tenx_h5.read, "h5ad": h5ad.read}
)


def read_sample(
    files: Mapping[str, str], *, sample_row: Mapping[str, str], sample_key: str = ""
) -> AnnData:
    """Read the counts of one sample and put them in the form that every later stage expects.

    Parameters
    ----------
    files
        Paths by role: matrix, barcodes and features; or h5; or h5ad.
    sample_row
        Row of the table of samples: dataset, sample, patient, condition.
    sample_key
        Column of `obs` that names the sample, for an h5ad file with several samples.

    Returns
    -------
    Cells x genes (CSR, int32 counts). `obs_names` are `<sample>_<barcode>`; `obs` holds dataset,
    sample, patient, condition; `var_names` are unique gene symbols. `uns["ingest"]` counts what was
    changed on the way: repeated symbols, empty droplets.

    Raises
    ------
    IngestError
        If the files cannot be read or do not hold counts.
    """
    role = next(role for role in READERS if role in files)
    where = files[role]
    with warnings.catch_warnings():
        # Repeated names are dealt with below: symbols are renamed and counted, barcodes refused.
        warnings.filterwarnings("ignore", message="(Variable|Observation) names are not unique")
        adata = READERS[role](files, sample=sample_row["sample"], sample_key=sample_key)
    _check_counts(adata, where)
    ensembl = adata.var_names.str.fullmatch(r"ENS[A-Z]*\d{6,}(\.\d+)?").mean()
    if ensembl > 0.5:
        msg = (
            f"{where}: {ensembl:.0%} of the gene names are Ensembl ids; gene symbols are needed as "
            "var_names"
        )
        raise IngestError(msg)
    report: dict[str, Any] = {"sample": sample_row["sample"], "file": where, "format": role}
    report["n_genes"] = adata.n_vars
    report["counts_from"] = str(adata.uns.get("counts_from", "X"))
    report["duplicate_symbols"] = _unique_symbols(adata, where)
    counts = sparse.csr_matrix(adata.X, dtype=np.int32)
    counts.sum_duplicates()
    counts.eliminate_zeros()
    filled = np.asarray(counts.sum(axis=1)).ravel() > 0
    report["empty_droplets"] = int((~filled).sum())
    report["n_droplets"] = int(filled.sum())
    sample, barcodes = sample_row["sample"], adata.obs_names[filled]
    if not barcodes.is_unique:
        msg = f"{where}: barcode '{barcodes[barcodes.duplicated()][0]}' appears more than once"
        raise IngestError(msg)
    obs = pd.DataFrame(index=pd.Index([f"{sample}_{b}" for b in barcodes], dtype=object))
    for column in ("dataset", "sample", "patient", "condition"):
        obs[column] = sample_row[column]
    result = AnnData(counts[filled], obs=obs, var=adata.var[[]].copy())
    if "gene_id" in adata.var:
        result.var["ensembl_id"] = adata.var["gene_id"].astype(str).to_numpy()
    result.uns["ingest"] = report
    log.info("%s: %d droplets with counts, %d genes", where, result.n_obs, result.n_vars)
    return result


def _check_counts(adata: AnnData, where: str) -> None:
    values = adata.X.data if sparse.issparse(adata.X) else np.asarray(adata.X)
    if adata.n_obs == 0 or adata.n_vars == 0:
        msg = f"{where} holds {adata.n_obs} cells x {adata.n_vars} genes: nothing to analyse"
        raise IngestError(msg)
    if values.size and not np.isfinite(values).all():
        msg = f"{where} holds values that are not finite numbers; raw counts are needed"
        raise IngestError(msg)
    if values.size and values.min() < 0:
        msg = f"{where} holds negative values (lowest: {values.min():.4g}); raw counts are needed"
        raise IngestError(msg)
    if values.size and not np.array_equal(values, np.rint(values)):
        example = values[values != np.rint(values)].flat[0]
        msg = (
            f"{where} holds values that are not whole numbers (for example {example:.4g}); "
            "raw counts are needed, not normalised ones"
        )
        raise IngestError(msg)


def _unique_symbols(adata: AnnData, where: str) -> int:
    """Make repeated gene symbols unique by a suffix; give how many rows were renamed."""
    repeated = adata.var_names[adata.var_names.duplicated()]
    if len(repeated):
        log.warning(
            "%s: %d gene rows repeat a symbol and were renamed with a suffix, for example %s",
            where,
            len(repeated),
            ", ".join(repeated.unique()[:5]),
        )
        adata.var_names_make_unique()
    return len(repeated)
