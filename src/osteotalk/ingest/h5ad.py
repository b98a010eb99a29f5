"""AnnData files, of one sample or of several."""

import logging
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import anndata as ad
import h5py
import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from osteotalk.ingest.authors import rows_of_sample
from osteotalk.ingest.cells import value_texts
from osteotalk.ingest.counts import count_problem, odd_distribution
from osteotalk.ingest.errors import IngestError
from osteotalk.ingest.features import KIND_COLUMNS
from osteotalk.ingest.gene_names import share_known
from osteotalk.ingest.gene_tables import are_ids, some
from osteotalk.ingest.gtf import COLUMNS as POSITIONS
from osteotalk.ingest.h5ad_rows import (
    Place,
    can_be_read_by_rows,
    frame_of,
    layers_in,
    layers_of,
    places_in,
    places_of,
)
from osteotalk.ingest.hdf5 import H5AD, check_indices, check_sparse_groups, open_hdf5
from osteotalk.liana_file import human_genes

log = logging.getLogger(__name__)

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
_MIN_SHARE = 0.01  # of known symbols in a column with a name that is not expected
_MAY_BE_COUNTS = re.compile(r"count|raw|umi", re.IGNORECASE)


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
    holds counts: `X`, `layers["counts"]`, `raw.X`, but from `raw.X` before `X` if it has counts of
    more genes; `uns["counts_from"]` says which. All columns of `obs` are kept. The column of `var`
    with most known symbols gives `var_names`, or the id where a symbol is missing;
    `var["gene_id"]` has the ids where they are known; columns chromosome, start and end are kept
    as text, and that with the kind of feature. `uns["cells_by_sample"]` has the value of each cell
    of the file in the column of samples.

    Raises
    ------
    IngestError
        If the file is damaged or no h5ad file, if the column or the sample is missing, or if no
        place holds counts.
    """
    path = files["h5ad"]
    with open_hdf5(path, expected=(H5AD,)) as file:
        check_sparse_groups(file, path)
        by_rows = can_be_read_by_rows(file)
        if by_rows:
            cells = AnnData(obs=frame_of(file, "obs", path), var=frame_of(file, "var", path))
    if not by_rows:
        cells = load(path)
    rows = np.arange(cells.n_obs)
    values: list[str] = []
    if sample_key:
        chosen = rows_of_sample(cells.obs, sample=sample, sample_key=sample_key, where=path)
        values = value_texts(cells.obs[sample_key]).tolist()
        rows, cells = np.flatnonzero(chosen), cells[chosen].copy()
    places, layers = places_of(cells), layers_of(cells)
    if by_rows:
        with h5py.File(path, "r") as file:
            places = places_in(file, path, var=cells.var, rows=rows)
            layers = layers_in(file, path, rows=rows)
    counts, faults = _first_counts(places, obs=cells.obs, path=path, odd=True)
    if counts is None:
        raise _no_counts(layers, faults, path=path)
    result = name_by_symbols(counts, of=cells.var, path=path)
    if values:
        result.uns["cells_by_sample"] = values
    return result


def load(path: str, *, said: Mapping[str, str] = MappingProxyType({})) -> AnnData:
    """Read the whole of an h5ad file whose structure was checked.

    Parameters
    ----------
    path
        h5ad file.
    said
        As in `osteotalk.ingest.hdf5.open_hdf5`.

    Raises
    ------
    IngestError
        If the file is damaged or no h5ad file, or if something in it leads out of it.
    """
    with open_hdf5(path, expected=(H5AD,), said=said) as file:
        check_sparse_groups(file, path)
    try:
        adata = ad.read_h5ad(path)
    except Exception as error:
        msg = f"{path} cannot be read as an h5ad file ({type(error).__name__}: {error})"
        raise IngestError(msg) from error
    _check_indices(adata, path)
    return adata


def _check_indices(adata: AnnData, path: str) -> None:
    """Refuse indices outside their matrix, before anything follows them."""
    parts = {f"layers/{name}": matrix for name, matrix in adata.layers.items()}
    for name in ("obsm", "varm", "obsp", "varp"):
        parts |= {f"{name}/{key}": matrix for key, matrix in getattr(adata, name).items()}
    parts |= {"X": adata.X, "raw/X": None if adata.raw is None else adata.raw.X}
    for name, matrix in parts.items():
        if sparse.issparse(matrix):
            n_minor = matrix.shape[1 if matrix.format == "csr" else 0]
            check_indices(matrix.indices, n_minor=n_minor, where=f"{path}: {name}")


def counts_of(
    adata: AnnData, *, path: str, odd: bool = True
) -> tuple[AnnData | None, dict[str, str]]:
    """Counts from the first place that has them, or None; and why earlier places have none.

    Whole numbers of an odd distribution are taken only if `odd`, and if no place has others.
    """
    return _first_counts(places_of(adata), obs=adata.obs, path=path, odd=odd)


def _first_counts(
    places: Mapping[str, Place], *, obs: pd.DataFrame, path: str, odd: bool
) -> tuple[AnnData | None, dict[str, str]]:
    """As `counts_of`; a place is read when its turn comes, and let go before the next."""
    faults: dict[str, str] = {}
    for name, place in places.items():
        matrix = place.read()
        faults[name] = _fault(matrix)
        if not faults[name]:
            break
    else:  # an odd distribution is refused later, unless the table of datasets lets it pass
        name = next((name for name in places if odd and faults[name].startswith(_ODD)), "")
        if not name:
            return None, faults
        matrix = places[name].read()
    var, most = places[name].var, max(len(place.var) for place in places.values())
    if len(var) < most:
        log.warning(
            "%s: counts of %d genes are taken from %s, as raw.X holds no counts of its %d genes",
            path, len(var), name, most,
        )  # fmt: skip
    whole = sparse.csr_matrix(matrix, dtype=np.int32)  # they fit, as was checked
    counts = AnnData(whole, obs=obs.copy(), var=var.copy())
    counts.uns["counts_from"] = name
    return counts, faults


_ODD = "whole numbers that do not look like counts: "


def _fault(matrix: Any) -> str:
    """Why a place of an AnnData object gives no counts; '' if it does."""
    if matrix is None:
        return "absent"
    if problem := count_problem(matrix):
        return problem
    counts = sparse.csr_matrix(matrix)
    if not counts.count_nonzero():
        return "only zeros"
    odd = odd_distribution(counts)
    return _ODD + odd if odd else ""


def _no_counts(
    stored: Mapping[str, Callable[[], Any]], faults: Mapping[str, str], *, path: str
) -> IngestError:
    layers = {
        name: "whole numbers" if not _fault(read_layer()) else "no counts"
        for name, read_layer in stored.items()
    }
    listed = ", ".join(f"layers['{name}'] ({what})" for name, what in layers.items())
    likely = [n for n, what in layers.items() if what == "whole numbers"]
    hint = next((n for n in likely if _MAY_BE_COUNTS.search(n)), likely[0] if likely else "")
    todo = f" (adata.layers['counts'] = adata.layers['{hint}'])" if hint else ""
    msg = (
        f"{path} holds no counts: whole, non-negative numbers were looked for in "
        f"{'; '.join(f'{name} ({fault})' for name, fault in faults.items())}. Its layers are: "
        f"{listed or 'none'}. Store the raw counts in layers['counts']{todo}"
    )
    return IngestError(msg)


def name_by_symbols(counts: AnnData, *, of: pd.DataFrame, path: str) -> AnnData:
    """Make symbols the names of the genes; columns that `raw` lacks are looked up in `of`."""
    names = [str(name) for name in counts.var_names]
    columns = _text_columns(counts.var, of)
    ids = next((columns[name] for name in ID_COLUMNS if name in columns), None)
    if ids is None:
        ids = next((values for values in columns.values() if _share_of_ids(values) > 0.5), None)
    symbols = _symbols(names, columns, path=path)
    if symbols is not None and _share_of_ids(symbols) > 0.5 >= _share_of_ids(names):
        symbols, ids = None, symbols  # the names are the symbols, and the column has the ids
    if symbols is not None and ids is None and symbols != names:
        ids = names
    if _share_of_ids(names) > 0.5:
        ids = names
    if ids is not None:
        own = zip(ids, names, are_ids(names), strict=True)
        counts.var["gene_id"] = [i or (name if is_id else "") for i, name, is_id in own]
    for column in (*POSITIONS, *KIND_COLUMNS, "genome"):
        if column in columns:
            counts.var[column] = columns[column]
    if symbols is not None:
        every = zip(symbols, ids or names, names, strict=True)
        counts.var_names = pd.Index([next(filter(None, words)) for words in every], dtype=object)
    return counts


def _symbols(names: list[str], columns: Mapping[str, list[str]], *, path: str) -> list[str] | None:
    """Column that holds the symbols; None if the names do.

    A column with an expected name is taken, unless another one or the names have more known
    symbols.
    """
    known = human_genes()
    listed = [name for name in SYMBOL_COLUMNS if name in columns]
    of_names = share_known(names, known) if _share_of_ids(names) <= 0.5 else 0.0
    shares = {
        name: share_known(values, known, ids=False)
        for name, values in columns.items()
        if name in listed or not _numbers(values)
    }
    best = max(shares, key=lambda name: (shares[name], name in listed), default="")
    if listed and shares[best] <= shares[listed[0]]:
        best = listed[0]
    if best in listed and shares[best] >= of_names:
        return columns[best]
    if best and shares[best] > max(2 * of_names, _MIN_SHARE):
        log.warning("%s: symbols are taken from the column '%s' of var", path, best)
        return columns[best]
    if _numbers(names):
        msg = (
            f"{path}: the names of its genes are numbers ({some(names)}), and no column of var "
            f"has symbols; its columns are: {', '.join(columns) or 'none'}"
        )
        raise IngestError(msg)
    return None


def _text_columns(var: pd.DataFrame, of: pd.DataFrame) -> dict[str, list[str]]:
    """Columns of `var`, and those of `of` that it lacks, as text; '' where a value is missing."""
    found: dict[str, list[str]] = {}
    for frame in [var] if of.index.has_duplicates else [var, of.reindex(var.index)]:
        for column in frame:
            statistic = frame[column].dtype.kind in "fb" and column not in POSITIONS
            if str(column) not in found and not statistic:
                found[str(column)] = value_texts(frame[column]).tolist()
    return found


def _numbers(values: list[str]) -> bool:
    return bool(np.mean([value.isdecimal() for value in values]) > 0.5) if values else False


def _share_of_ids(names: list[str]) -> float:
    return sum(are_ids(names)) / max(len(names), 1)
