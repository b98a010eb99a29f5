"""Where the genes of a cohort lie: by a GTF file, by the counts, or by what a package brings."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData

from osteotalk.ingest.errors import IngestError
from osteotalk.ingest.gene_tables import SymbolTable, bare_id
from osteotalk.ingest.gtf import COLUMNS, UNKNOWN, clean_positions, read_gtf
from osteotalk.ingest.packaged import PACKAGE, packaged_name, packaged_positions

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
        GTF file for all cohorts, used where there is neither; or infercnvpy, for the positions that
        come with that package, in which a gene is looked up by its symbol.
    symbols
        Approved gene symbols, to replace previous ones in a GTF and in what is packaged.

    Returns
    -------
    `adata`, with `var` columns chromosome ('chr1' to 'chrY', '' if unknown), start and end (int64,
    -1 if unknown), and `uns["osteotalk"]["positions"]`: source (gtf, var, shared, none, or name and
    genome of what is packaged, 'infercnvpy 0.6.1, GRCh37'), n_genes, n_known; of a file also by_id,
    by_symbol, n_repeated (rows whose id and symbol came before; the first counts), n_elsewhere.

    Raises
    ------
    IngestError
        If a file is no GTF, that of the cohort has none of its genes, or nothing is packaged.
    """
    report: dict[str, Any] = {"source": "none", "n_genes": adata.n_vars}
    file, frame, packaged = gtf, _of_the_data(adata), False
    if gtf is not None:
        report["source"] = "gtf"
    elif (frame["chromosome"] != "").any():
        report["source"] = "var"
    elif shared:
        packaged = shared == PACKAGE
        file, report["source"] = shared, packaged_name() if packaged else "shared"
    if file is not None:
        read = packaged_positions(symbols=symbols) if packaged else read_gtf(file, symbols=symbols)
        frame, found = _from_gtf(adata, read)
        report |= found
        if not (frame["chromosome"] != "").any():
            _none_known(adata, read, file=file, own=gtf is not None)
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
