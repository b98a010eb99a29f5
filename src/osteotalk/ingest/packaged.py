"""Positions of human genes that come with the package infercnvpy: they need no network."""

import warnings
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import pandas as pd

from osteotalk.ingest.errors import IngestError
from osteotalk.ingest.gene_tables import SymbolTable
from osteotalk.ingest.gtf import COLUMNS, clean_positions

PACKAGE, GENOME = "infercnvpy", "GRCh37"
_FILE = Path("datasets", "data", "oligodendroglioma.h5ad")


def packaged_name() -> str:
    """Name, version and genome of these positions: 'infercnvpy 0.6.1, GRCh37'."""
    return f"{PACKAGE} {version(PACKAGE)}, {GENOME}"


def packaged_positions(*, symbols: SymbolTable | None = None) -> pd.DataFrame:
    """Read the positions of the 9,450 genes in the example data of infercnvpy.

    Coordinates are those of GRCh37, so they serve only for the order of genes and for their arms.
    `osteotalk.ingest.gtf.arms`, whose limits are those of GRCh38, gives each of the genes the arm
    that the limits of GRCh37 give. Against GENCODE 44 (GRCh38), 8,922 of the 8,933 genes that it
    has too are on the same arm, and the rank correlation of their order within a chromosome is
    0.996 or more (``python benchmarks/positions.py GTF``).

    Parameters
    ----------
    symbols
        Approved gene symbols, to replace previous ones.

    Returns
    -------
    As `osteotalk.ingest.gtf.read_gtf`, in the order of the file; gene_id is ''.

    Raises
    ------
    IngestError
        If the package, or the file in it, is not there.

    References
    ----------
    Tirosh et al. 2016, Nature 539, 309, doi:10.1038/nature20123 (the data).
    """
    import h5py
    from anndata.io import read_elem

    found = find_spec(PACKAGE)
    path = Path(found.origin).parent / _FILE if found and found.origin else _FILE
    if not path.is_file():
        msg = (
            f"the positions of genes that come with {PACKAGE} are not here ({path}); install "
            "the version that envs/constraints.txt names, or set genes.positions in the config "
            "to a GTF file"
        )
        raise IngestError(msg)
    with h5py.File(path, "r") as store, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # written by an older version of anndata
        var = read_elem(store["var"])
    known = clean_positions(var[list(COLUMNS)])
    names = [str(name) for name in known.index]
    genes = known.assign(gene_id="", gene=[symbols.current(n) for n in names] if symbols else names)
    genes = genes.loc[genes["chromosome"] != "", ["gene_id", "gene", *COLUMNS]]
    genes.attrs.update(n_rows=len(names), n_elsewhere=len(names) - len(genes))
    return genes.reset_index(drop=True)
