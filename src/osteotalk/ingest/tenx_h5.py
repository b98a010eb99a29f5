"""HDF5 files of Cell Ranger (`filtered_feature_bc_matrix.h5`)."""

from collections.abc import Mapping

from anndata import AnnData
from scipy.sparse import csr_matrix

from osteotalk.ingest.errors import IngestError


def read(files: Mapping[str, str], *, sample: str, sample_key: str) -> AnnData:
    """Read a 10x HDF5 file of one sample.

    Returns
    -------
    Cells x genes; `var_names` are symbols, `var["gene_id"]` Ensembl ids.

    Raises
    ------
    IngestError
        If the file is missing or is not a 10x HDF5 file.
    """
    del sample, sample_key
    import scanpy as sc  # here, because its import takes longer than reading most samples

    path = files["h5"]
    try:
        adata = sc.read_10x_h5(path, gex_only=True)
    except FileNotFoundError:
        msg = f"{path} does not exist"
        raise IngestError(msg) from None
    except Exception as error:
        msg = f"{path} cannot be read as a 10x HDF5 file ({type(error).__name__}: {error})"
        raise IngestError(msg) from error
    if "gene_ids" in adata.var:
        adata.var["gene_id"] = adata.var["gene_ids"].astype(str)
    adata.X = csr_matrix(adata.X)
    return adata
