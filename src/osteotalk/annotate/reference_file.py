"""An annotated h5ad file whose labels are carried over: read, checked, and named as the cohort."""

import logging
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import scanpy as sc
from anndata import AnnData
from scipy import sparse

from osteotalk.annotate.opinion_errors import OpinionError, as_opinion, shared_genes
from osteotalk.contract import UNASSIGNED
from osteotalk.ingest.cells import value_texts
from osteotalk.ingest.errors import IngestError
from osteotalk.ingest.features import only_genes_and_cells, turned_right
from osteotalk.ingest.gene_tables import SymbolTable
from osteotalk.ingest.genes import name_genes
from osteotalk.ingest.h5ad import counts_of, load, name_by_symbols
from osteotalk.ingest.h5ad_rows import places_of
from osteotalk.ingest.hdf5 import SAID_OF_REFERENCES
from osteotalk.ingest.kinds import REFERENCE, kind_problem
from osteotalk.ingest.plain import unpacked_copy

log = logging.getLogger(__name__)

# Cells of each label that are used.
PER_LABEL = 500
TARGET_SUM = 1e4
# No log1p of counts scaled to 1e4 is larger.
HIGHEST_LOG = 9.3
_OVER = 1.05  # times 1e4 that the counts of a cell may sum to, as numbers are rounded
_MISSING = ("", "nan", "na", "none", UNASSIGNED)
_MOST_LABELS = 200
_WHOLE = "whole numbers"  # which are no logarithms
_OTHER_SPECIES = "the cells of the cohort have human symbols; give a reference of human cells"


@dataclass(frozen=True)
class Reference:
    """The cells of a reference that are used, with the genes it shares with the data.

    `cells` holds log1p of counts scaled to 1e4 (CSR); `labels` has one for each cell; `genes` is
    the number of genes in the file; `taken` says what was taken from where.
    """

    cells: AnnData
    labels: np.ndarray
    genes: int
    taken: str


def read_reference(
    path: str | Path, *, column: str, measured: pd.Index, symbols: SymbolTable
) -> Reference:
    """Read a reference whose cells can be compared with cells of the `measured` genes.

    Counts are taken from X, the layer counts or raw.X, as from an h5ad file of a sample; where no
    place has counts, log1p of counts scaled to 10,000 is looked for there. Genes get the symbols
    that the cohort has, by the same function.

    Parameters
    ----------
    path
        Annotated h5ad file, maybe gzipped.
    column
        Column of its `obs` with the labels.
    measured
        Symbols of the cohort.
    symbols
        Approved symbols.

    Raises
    ------
    OpinionError
        If the file is something else or damaged, if the labels are missing or all the same, if no
        place holds values that can be used, or if it shares too few genes with the data.
    """
    if problem := kind_problem(path, REFERENCE):
        raise OpinionError(problem)
    with as_opinion("the reference "), warnings.catch_warnings():
        # Repeated names are dealt with: genes are added up, and cells need none.
        warnings.filterwarnings("ignore", message="(Variable|Observation) names are not unique")
        part = _labelled_part(_whole(str(path)), path=path, column=column)
        values, log1p = _values(part, path=str(path))
        named = name_by_symbols(values, of=part.var, path=str(path))
        named, _ = turned_right(named, known=symbols.known, where=str(path))
        named, left_out = only_genes_and_cells(named)
        named, _ = name_genes(named, symbols=symbols, where=str(path), todo=_OTHER_SPECIES)
    for what, n in left_out.items():
        log.warning("the reference %s: left out: %d %s", path, n, what)
    shared_genes(measured, named.var_names, what=f"the reference {path}")
    n_genes, found_in = named.n_vars, f"{'log1p' if log1p else 'counts'} from {named.uns['from']}"
    log.info("the reference %s: %s", path, found_in)
    cells = named[:, named.var_names.intersection(measured, sort=False)].copy()
    if not log1p:
        sc.pp.normalize_total(cells, target_sum=TARGET_SUM)
    sc.pp.log1p(cells)
    cells.X = sparse.csr_matrix(cells.X, dtype=np.float32)
    return Reference(cells, cells.obs["label"].to_numpy(dtype=object), n_genes, found_in)


def _whole(path: str) -> AnnData:
    with tempfile.TemporaryDirectory(prefix=".reference-") as folder:
        plain = unpacked_copy(path, folder)
        try:
            return load(plain, said=SAID_OF_REFERENCES)
        except IngestError as error:
            raise IngestError(str(error).replace(plain, path)) from error


def _labelled_part(whole: AnnData, *, path: str | Path, column: str) -> AnnData:
    """At most PER_LABEL cells of each label, with `label` as the only column of `obs`."""
    chosen, labels = _labelled_cells(whole.obs, path=path, column=column)
    part = whole[chosen].copy()
    part.obs = pd.DataFrame({"label": labels}, index=[f"cell{row}" for row in chosen])
    return part


def _labelled_cells(
    obs: pd.DataFrame, *, path: str | Path, column: str
) -> tuple[list[int], np.ndarray]:
    """Choose at most PER_LABEL cells of each label; their rows and labels."""
    if column not in obs:
        msg = (
            f"the reference {path} has no column '{column}' in obs; {_columns(obs)}. Name the one "
            "with the labels as annotation.reference_label"
        )
        raise OpinionError(msg)
    labels = value_texts(obs[column]).to_numpy(dtype=object)
    missing = np.array([label.lower() in _MISSING for label in labels], dtype=bool)
    names = sorted(set(labels[~missing]))
    if len(names) < 2:
        found = f"one label, '{names[0]}'," if names else "no label at all"
        msg = (
            f"the reference {path} has fewer than two labels in its column '{column}': {found} in "
            f"{len(labels)} cells; {_columns(obs)}. Name another one as annotation.reference_label"
        )
        raise OpinionError(msg)
    chosen: list[int] = []
    for label in names:
        cells = np.flatnonzero((labels == label) & ~missing)
        evenly = np.linspace(0, len(cells) - 1, min(PER_LABEL, len(cells))).round().astype(int)
        chosen += cells[evenly].tolist()
    chosen.sort()
    return chosen, labels[chosen]


def _columns(obs: pd.DataFrame) -> str:
    """What columns there are, those that may be labels with the number of their values."""
    told = []
    for name in obs.columns:
        n = obs[name].nunique() if obs[name].dtype.kind not in "fc" else 0
        told.append(f"{name} ({n} values)" if 2 <= n <= _MOST_LABELS else str(name))
    return f"its columns are: {', '.join(told) or 'none'}"


def _values(cells: AnnData, *, path: str) -> tuple[AnnData, bool]:
    """Counts of the chosen cells, or what log1p was taken of; and whether it was."""
    counts, faults = counts_of(cells, path=path, odd=False)
    if counts is not None:
        counts.uns["from"] = counts.uns["counts_from"]
        return counts, False
    for name, place in places_of(cells).items():
        matrix = place.read()
        problem = "absent" if matrix is None else _log_problem(matrix)
        if not problem:
            scaled = sparse.csr_matrix(matrix, dtype=np.float64).expm1()
            result = AnnData(scaled, obs=cells.obs.copy(), var=place.var.copy())
            result.uns["from"] = name
            return result, True
        if problem != _WHOLE:
            faults[name] = problem
    told = "; ".join(f"{name}: {fault}" for name, fault in faults.items())
    msg = (
        f"{path} holds neither counts nor log1p of counts scaled to 10,000, one of which is "
        f"needed. Looked at: {told}. Store the raw counts in layers['counts']"
    )
    raise IngestError(msg)


def _log_problem(matrix: Any) -> str:
    """Why values cannot be log1p of counts scaled to 1e4; '' if they can."""
    values = sparse.csr_matrix(matrix)
    data = values.data
    if not data.size or not data.any():
        return "only zeros"
    if not np.isfinite(data).all():
        return "values that are no numbers (NaN or infinite)"
    if data.min() < 0:
        return "negative values (scaled data?)"
    if np.array_equal(data, np.rint(data)):
        return _WHOLE
    if data.max() > HIGHEST_LOG:
        return f"values up to {data.max():g}, above what log1p of counts scaled to 10,000 can be"
    totals = np.asarray(values.astype(np.float64).expm1().sum(axis=1)).ravel()
    if (middle := float(np.median(totals))) > _OVER * TARGET_SUM:
        return f"log1p of counts scaled to about {middle:,.0f}, or another logarithm"
    return ""
