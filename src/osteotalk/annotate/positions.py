"""Where the genes of a cohort lie: by a GTF file, or by what came with the counts."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData

from osteotalk.ingest.errors import IngestError
from osteotalk.ingest.gene_tables import SymbolTable, bare_id
from osteotalk.ingest.gtf import COLUMNS, UNKNOWN, clean_positions, read_gtf

log = logging.getLogger(__name__)


def add_positions(
    adata: AnnData, *, gtf: str | Path | None = None, symbols: SymbolTable | None = None
) -> AnnData:
    """Put the position of each gene into `var`.

    Parameters
    ----------
    adata
        Cells x genes, symbols as `var_names`, maybe ids in `var["ensembl_id"]`; changed in place.
    gtf
        GTF file. A gene is looked up by its id, then by its symbol. Without a file the columns
        chromosome, start and end that `var` has already are used, if it has them.
    symbols
        Approved gene symbols, to replace previous ones in the GTF.

    Returns
    -------
    `adata`, with `var` columns chromosome ('chr1' to 'chrY', '' if unknown), start and end (int64,
    -1 if unknown), and `uns["osteotalk"]["positions"]`: source (gtf, var or none), n_genes,
    n_known, by_id, by_symbol, n_repeated (GTF rows whose id and symbol came before; the first
    counts), n_elsewhere.

    Raises
    ------
    IngestError
        If the file is no GTF, or has none of the genes.
    """
    report: dict[str, Any] = {"source": "none", "n_genes": adata.n_vars}
    if gtf is not None:
        frame, found = _from_gtf(adata, read_gtf(gtf, symbols=symbols), where=str(gtf))
        report |= {"source": "gtf"} | found
    elif set(COLUMNS) <= set(adata.var.columns):
        frame = clean_positions(adata.var)
        report["source"] = "var"
    else:
        frame = clean_positions(pd.DataFrame(dict.fromkeys(COLUMNS, ""), index=adata.var_names))
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


def _from_gtf(
    adata: AnnData, genes: pd.DataFrame, *, where: str
) -> tuple[pd.DataFrame, dict[str, int]]:
    rows = np.arange(len(genes))
    by_id = pd.Series(rows, index=genes["gene_id"])
    by_symbol = pd.Series(rows, index=genes["gene"])
    repeated = by_id.index.duplicated() | by_symbol.index.duplicated()
    by_id = by_id[(by_id.index != "") & ~by_id.index.duplicated()]
    by_symbol = by_symbol[~by_symbol.index.duplicated()]
    place = np.full(adata.n_vars, -1)
    if "ensembl_id" in adata.var:
        ids = [bare_id(str(value))[0] for value in adata.var["ensembl_id"]]
        place = by_id.reindex(ids).fillna(-1).to_numpy().astype(int)
    n_by_id = int((place >= 0).sum())
    named = by_symbol.reindex(adata.var_names.astype(str)).fillna(-1).to_numpy().astype(int)
    place = np.where(place >= 0, place, named)
    if not (place >= 0).any():
        msg = (
            f"{where} has none of the {adata.n_vars} genes of the data (data: "
            f"{', '.join(map(str, adata.var_names[:3]))}; file: {', '.join(genes['gene'][:3])}); "
            "is it of another species, or are the names of another kind?"
        )
        raise IngestError(msg)
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
