"""HDF5 files of Cell Ranger (`filtered_feature_bc_matrix.h5`), versions 2 and 3 of the format."""

import logging
import re
from collections.abc import Mapping, Sequence

import h5py
import pandas as pd
from anndata import AnnData
from scipy.sparse import csr_matrix

from osteotalk.ingest.errors import IngestError

log = logging.getLogger(__name__)

HUMAN = "GRCh38"


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
    Cells x genes; `var_names` are symbols, `var["gene_id"]` Ensembl ids. Antibodies and other
    features that are no genes are left out. Of several genomes (cells of two species in one run)
    the one whose name begins with GRCh38 is kept.

    Raises
    ------
    IngestError
        If the file is missing or is not a 10x HDF5 file, or holds several genomes of which not
        exactly one is GRCh38.
    """
    del sample, sample_key
    import scanpy as sc  # here, because its import takes longer than reading most samples

    path = files["h5"]
    try:
        genome = _genome_of_v2(path)
        adata = sc.read_10x_h5(path, gex_only=True, genome=genome)
    except FileNotFoundError:
        msg = f"{path} does not exist"
        raise IngestError(msg) from None
    except IngestError:
        raise
    except Exception as error:
        msg = f"{path} cannot be read as a 10x HDF5 file ({type(error).__name__}: {error})"
        raise IngestError(msg) from error
    if "gene_ids" in adata.var:
        adata.var["gene_id"] = adata.var["gene_ids"].astype(str)
    adata = _one_genome(adata, path)
    adata.X = csr_matrix(adata.X)
    return adata


def _genome_of_v2(path: str) -> str | None:
    """Genome to read of a file of version 2, which has one group per genome."""
    with h5py.File(path) as stream:
        if "matrix" in stream:
            return None
        genomes = [name for name, group in stream.items() if isinstance(group, h5py.Group)]
    return _choose(genomes, path) if genomes else None


def _one_genome(adata: AnnData, path: str) -> AnnData:
    """Genes of one genome, of a file of version 3, without the genome's name before theirs."""
    if "genome" not in adata.var:
        return adata
    genomes = list(dict.fromkeys(adata.var["genome"]))
    if len(genomes) < 2:
        return adata
    genome = _choose(genomes, path)
    kept = adata[:, (adata.var["genome"] == genome).to_numpy()].copy()
    log.info("%s: left out %d genes of other genomes", path, adata.n_vars - kept.n_vars)
    prefix = re.compile(rf"{re.escape(genome)}_+")
    kept.var_names = pd.Index([prefix.sub("", name, count=1) for name in kept.var_names])
    kept.var["gene_id"] = [prefix.sub("", name, count=1) for name in kept.var["gene_id"]]
    return kept


def _choose(genomes: Sequence[str], path: str) -> str:
    human = [genome for genome in genomes if genome.startswith(HUMAN)]
    if len(genomes) == 1:
        return genomes[0]
    if len(human) != 1:
        msg = (
            f"{path} holds several genomes: {', '.join(genomes)}; exactly one whose name begins "
            f"with {HUMAN} is needed: keep one genome in the file"
        )
        raise IngestError(msg)
    log.info("%s: of the genomes %s, %s is read", path, ", ".join(genomes), human[0])
    return human[0]
