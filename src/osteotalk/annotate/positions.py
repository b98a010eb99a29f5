"""Where the genes of a cohort lie: by a GTF file, or by what came with the counts."""

import logging
import warnings
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
from anndata import AnnData
from anndata.io import read_elem

from osteotalk.ingest.errors import IngestError
from osteotalk.ingest.gene_tables import SymbolTable, bare_id
from osteotalk.ingest.gtf import COLUMNS, UNKNOWN, clean_positions, read_gtf

log = logging.getLogger(__name__)


def add_positions(
    adata: AnnData,
    *,
    gtf: str | Path | None = None,
    shared: str | Path | None = None,
    symbols: SymbolTable | None = None,
) -> AnnData:
    """Put the position of each gene into `var`.

    Parameters
    ----------
    adata
        Cells x genes, symbols as `var_names`, maybe ids in `var["ensembl_id"]`; changed in place.
    gtf
        GTF file of the cohort. A gene is looked up by its id, then by its symbol. Without a file
        the columns chromosome, start and end of `var` are used, if they hold any position.
    shared
        File for all cohorts, used where there is neither: a GTF, or an h5ad with positions in
        `var`.
    symbols
        Approved gene symbols, to replace previous ones in a GTF.

    Returns
    -------
    `adata`, with `var` columns chromosome ('chr1' to 'chrY', '' if unknown), start and end (int64,
    -1 if unknown), and `uns["osteotalk"]["positions"]`: source (gtf, var, shared or none), n_genes,
    n_known; of a file also by_id, by_symbol, n_repeated (GTF rows whose id and symbol came before;
    the first counts), n_elsewhere.

    Raises
    ------
    IngestError
        If a file is no GTF, or that of the cohort has none of its genes.
    """
    report: dict[str, Any] = {"source": "none", "n_genes": adata.n_vars}
    file, frame = gtf, _of_the_data(adata)
    if gtf is not None:
        report["source"] = "gtf"
    elif (frame["chromosome"] != "").any():
        report["source"] = "var"
    elif shared is not None:
        file, report["source"] = shared, "shared"
    if file is not None:
        genes = _read(file, symbols=symbols)
        frame, found = _from_gtf(adata, genes)
        report |= found
        if not (frame["chromosome"] != "").any():
            _none_known(adata, genes, file=file, own=gtf is not None)
    for column in COLUMNS:
        adata.var[column] = frame[column].to_numpy()
    report["n_known"] = int((adata.var["chromosome"] != "").sum())
    adata.uns.setdefault("osteotalk", {})["positions"] = report
    log.info(
        "positions of %d of %d genes are known (source: %s)",
        report["n_known"],
        adata.n_vars,
        report["source"],
    )
    return adata


def _read(file: str | Path, *, symbols: SymbolTable | None) -> pd.DataFrame:
    """Genes with their positions, as `read_gtf` gives them, of a GTF or of the `var` of an h5ad."""
    if Path(file).suffix != ".h5ad":
        return read_gtf(file, symbols=symbols)
    with h5py.File(file, "r") as store, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # files of older versions of anndata
        var = read_elem(store["var"])
    known = clean_positions(var[list(COLUMNS)])
    names = [str(name) for name in known.index]
    genes = known.assign(gene=[symbols.current(n) for n in names] if symbols else names, gene_id="")
    genes = genes[genes["chromosome"] != ""].reset_index(drop=True)
    genes.attrs["n_elsewhere"] = len(names) - len(genes)
    return genes


def _of_the_data(adata: AnnData) -> pd.DataFrame:
    """Positions that came with the counts; unknown where there are none."""
    if set(COLUMNS) <= set(adata.var.columns):
        return clean_positions(adata.var)
    return clean_positions(pd.DataFrame(dict.fromkeys(COLUMNS, ""), index=adata.var_names))


def _none_known(adata: AnnData, genes: pd.DataFrame, *, file: str | Path, own: bool) -> None:
    """Refuse a file of the cohort with none of its genes; of a shared one, warn."""
    msg = (
        f"{file} has none of the {adata.n_vars} genes of the data (data: "
        f"{', '.join(map(str, adata.var_names[:3]))}; file: {', '.join(genes['gene'][:3])}); "
        "is it of another species, or are the names of another kind?"
    )
    if own:
        raise IngestError(msg)
    log.warning(msg)


def _from_gtf(adata: AnnData, genes: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, int]]:
    rows = np.arange(len(genes))
    by_id = pd.Series(rows, index=genes["gene_id"])
    by_symbol = pd.Series(rows, index=genes["gene"])
    repeated = (by_id.index.duplicated() & (by_id.index != "")) | by_symbol.index.duplicated()
    by_id = by_id[(by_id.index != "") & ~by_id.index.duplicated()]
    by_symbol = by_symbol[~by_symbol.index.duplicated()]
    place = np.full(adata.n_vars, -1)
    if "ensembl_id" in adata.var:
        ids = [bare_id(str(value))[0] for value in adata.var["ensembl_id"]]
        place = by_id.reindex(ids).fillna(-1).to_numpy().astype(int)
    n_by_id = int((place >= 0).sum())
    named = by_symbol.reindex(adata.var_names.astype(str)).fillna(-1).to_numpy().astype(int)
    place = np.where(place >= 0, place, named)
    frame = genes[list(COLUMNS)].iloc[np.maximum(place, 0)].set_axis(adata.var_names)
    known = place >= 0
    frame["chromosome"] = np.where(known, frame["chromosome"].to_numpy(object), "")
    for column in ("start", "end"):
        frame[column] = np.where(known, frame[column], UNKNOWN).astype(np.int64)
    return frame, {
        "by_id": n_by_id,
        "by_symbol": int(known.sum()) - n_by_id,
        "n_repeated": int(repeated.sum()),
        "n_elsewhere": int(genes.attrs["n_elsewhere"]),
    }
