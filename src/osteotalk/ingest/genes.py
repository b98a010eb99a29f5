"""From the gene names of a file to unique, approved human symbols."""

import logging
import re
import warnings
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from osteotalk.ingest.errors import IngestError
from osteotalk.ingest.gene_names import check_known, clean_names, is_nothing
from osteotalk.ingest.gene_tables import (
    Orthologs,
    SymbolTable,
    are_ids,
    bare_id,
    read_orthologs,
    read_symbols,
    some,
)
from osteotalk.ingest.gtf import COLUMNS as POSITIONS

__all__ = ["Orthologs", "SymbolTable", "name_genes", "read_orthologs", "read_symbols"]

log = logging.getLogger(__name__)

MIN_ORTHOLOGS = 100  # fewer genes with a human counterpart than this, or
MIN_ORTHOLOG_SHARE = 0.1  # a smaller share of them: the table is of another species or id type

OF_OTHER_SPECIES = (
    "the dataset is taken to be human; in the table of datasets give its species, and in the "
    "table of files a file of role orthologs"
)
_MOUSE_STYLE = re.compile(r"[A-Z][a-z][A-Za-z0-9.-]*")
_LETTER = re.compile("[A-Za-z]")


class _Genes(NamedTuple):
    """Columns of a table of genes; ids are without version."""

    names: list[str]
    ids: list[str]
    ensembl: list[bool]
    n_par_y: int


def name_genes(
    adata: AnnData,
    *,
    symbols: SymbolTable,
    orthologs: Orthologs | None = None,
    where: str = "the file",
    todo: str = OF_OTHER_SPECIES,
) -> tuple[AnnData, dict[str, Any]]:
    """Give every gene its approved human symbol and add up genes that come to share one.

    The Ensembl id decides if the table knows it, then the name: an approved symbol is kept, a
    previous symbol of one gene replaced. A previous symbol is left alone if the Ensembl ids of the
    file say that it is another gene than the one which has the approved symbol. With orthologs the
    human counterpart is looked up first (by id, then by name), and genes without one are removed.

    Parameters
    ----------
    adata
        Cells x genes, counts in `X`; `var_names` as in the file and, if it has them, gene ids in
        `var["gene_id"]`.
    symbols
        Approved symbols; it need not be complete, as names it lacks are kept.
    orthologs
        Human counterparts, for a species other than human.
    where
        Name of the file, for messages.
    todo
        What to do if the genes are of another species, for messages.

    Returns
    -------
    Cells x genes (CSR, in order of first appearance) with symbols as `var_names` and the file's ids
    without version in `var["ensembl_id"]` ('' if unknown; of several the first); `obs`, `obsm` and
    `uns` are those of `adata`. And what was done: n_genes_file, n_genes, by_ensembl_id (genes
    named by their id), par_y (copies on the Y chromosome), renamed and renamed_list (old, new),
    summed (genes added to another one) and summed_symbols, n_orthologs, known (genes whose symbol
    is known); names_changed and names_lost by kind, with examples; and names, sorted:
    ambiguous (previous symbol of several genes), conflicts (left alone because of the id), unmapped
    (Ensembl ids without a symbol), no_ortholog.

    Raises
    ------
    IngestError
        If most genes have no name, if next to none is known, if the names are of another species
        and there are no orthologs, if most are Ensembl ids that nothing maps to symbols,
        or if few genes have orthologs.
    """
    report: dict[str, Any] = {"n_genes_file": adata.n_vars}
    adata, genes, cleaned = _cleaned(
        adata, known=symbols.known, human=orthologs is None, where=where
    )
    report |= cleaned
    missing: list[str] = []
    found = 0
    n_genes = len(genes.names)
    if orthologs is None:
        final, named = _checked_symbols(genes, symbols, where=where, todo=todo)
    else:
        human = [
            orthologs.by_id.get(gene_id, orthologs.by_name.get(name, ""))
            for name, gene_id in zip(genes.names, genes.ids, strict=True)
        ]
        missing = sorted(old for old, new in zip(genes.names, human, strict=True) if not new)
        found = n_genes - len(missing)
        _refuse_few_orthologs(found, n_genes, missing, orthologs=orthologs, where=where)
        translated = _Genes(human, [""] * n_genes, [False] * n_genes, 0)
        final, named = _human_symbols(translated, symbols)
    result, summed = _merge(adata, final, genes.ids)
    report |= named | summed
    report |= {"n_genes": result.n_vars, "n_orthologs": found, "no_ortholog": missing}
    report["known"] = int(result.var_names.isin(symbols.known).sum())
    report["par_y"] = genes.n_par_y
    _log(report, where=where)
    return result, report


def current_names(
    names: Sequence[str], *, symbols: SymbolTable, where: str, todo: str
) -> tuple[list[str], dict[str, Any]]:
    """Approved symbol of each name of a list of genes, '' where it has none; what was done.

    Everything but the counts is as in `name_genes`, for human genes: so are the errors.
    """
    var = pd.DataFrame({"row": range(len(names))}, index=[*names])
    listed = AnnData(sparse.csr_matrix((0, len(names))), var=var)
    kept, genes, report = _cleaned(listed, known=symbols.known, human=True, where=where)
    final, named = _checked_symbols(genes, symbols, where=where, todo=todo)
    result = [""] * len(names)
    for row, name in zip(kept.var["row"], final, strict=True):
        result[row] = name
    return result, report | named


def _checked_symbols(
    genes: _Genes, symbols: SymbolTable, *, where: str, todo: str
) -> tuple[list[str], dict[str, Any]]:
    """Symbols of genes that are human and mostly have one."""
    _refuse_other_species(genes, where=where, todo=todo)
    final, named = _human_symbols(genes, symbols)
    if len(named["unmapped"]) > len(final) / 2:
        msg = (
            f"{where}: {len(named['unmapped'])} of {len(final)} gene names are Ensembl ids "
            f"({some(named['unmapped'])}), and {symbols.path} has no symbol for them; "
            "supply a column of symbols, or HGNC's complete set through the config key "
            "genes.symbols"
        )
        raise IngestError(msg)
    check_known(final, known=symbols.known, where=where)
    return final, named


def _cleaned(
    adata: AnnData, *, known: Collection[str], human: bool, where: str
) -> tuple[AnnData, _Genes, dict[str, Any]]:
    """Genes whose names could be told, these names, and what was changed and left out."""
    var = adata.var
    ids = var["gene_id"].astype(str).tolist() if "gene_id" in var else [""] * len(var)
    cleaned = clean_names(
        var.index.astype(str).tolist(),
        ids=[i if i.startswith("ENS") or not is_nothing(i) else "" for i in ids],
        genomes=var["genome"].astype(str).tolist() if "genome" in var else None,
        known=known,
        human=human,
        where=where,
    )
    names: list[str] = []
    bare: list[str] = []
    ensembl: list[bool] = []
    n_par_y = 0
    for name, gene_id, lost in zip(cleaned.names, cleaned.ids, cleaned.lost, strict=True):
        if not lost:
            found, is_id, par_y = bare_id(gene_id)
            if not is_id and "ENS" in name and bare_id(name)[1]:
                found, is_id, par_y = bare_id(name)
            names.append(name)
            bare.append(found)
            ensembl.append(is_id)
            n_par_y += par_y
    kept = adata if len(names) == adata.n_vars else adata[:, cleaned.kept]
    return kept, _Genes(names, bare, ensembl, n_par_y), cleaned.report()


def _refuse_other_species(genes: _Genes, *, where: str, todo: str) -> None:
    mouse = [n for n in genes.names if n[1:2].islower() and _MOUSE_STYLE.fullmatch(n)]
    names = [name for name in genes.names if _LETTER.search(name)] if mouse else []
    names = [name for name, is_id in zip(names, are_ids(names), strict=True) if not is_id]
    ids = zip(genes.ids, genes.ensembl, strict=True)
    foreign = [gene_id for gene_id, is_id in ids if is_id and not gene_id.startswith("ENSG")]
    if len(foreign) > len(genes.names) / 2:
        found = f"{len(foreign)} of {len(genes.names)} gene ids are not human ({some(foreign)})"
    elif len(mouse) > len(names) / 2:
        found = f"{len(mouse)} of {len(names)} names are spelled as in mouse ({some(mouse)})"
    else:
        return
    msg = f"{where}: {found}, but {todo}"
    raise IngestError(msg)


def _human_symbols(genes: _Genes, symbols: SymbolTable) -> tuple[list[str], dict[str, Any]]:
    """Symbol of each gene, and how it was found; a gene without a name stays without."""
    final, unmapped, ambiguous = [], [], []
    by_id = 0
    old: dict[str, list[int]] = defaultdict(list)  # approved symbol: rows under a previous one
    for row, (name, gene_id) in enumerate(zip(genes.names, genes.ids, strict=True)):
        known = symbols.by_id.get(gene_id, ())
        if len(known) == 1 or name in known:
            final.append(known[0] if len(known) == 1 else name)
            by_id += 1
            continue
        if "ENS" in name and bare_id(name)[1]:
            final.append(bare_id(name)[0])
            unmapped.append(final[-1])
            continue
        final.append(name)
        if targets := symbols.by_previous.get(name):
            if len(targets) == 1:
                old[targets[0]].append(row)
            else:
                ambiguous.append(name)
    known_ids: dict[str, set[str]] = defaultdict(set)
    for gene_id, found in symbols.by_id.items():
        for symbol in found:
            known_ids[symbol].add(gene_id)
    conflicts = _rename(final, genes, old, known_ids)
    renamed = sorted(
        [name, new]
        for name, new in zip(genes.names, final, strict=True)
        if name != new and not bare_id(name)[1]
    )
    return final, {
        "by_ensembl_id": by_id,
        "renamed": len(renamed),
        "renamed_list": renamed,
        "ambiguous": sorted(ambiguous),
        "conflicts": sorted(conflicts),
        "unmapped": sorted(unmapped),
    }


def _rename(
    final: list[str],
    genes: _Genes,
    old: Mapping[str, list[int]],
    known_ids: Mapping[str, set[str]],
) -> list[str]:
    """Put approved symbols in place of previous ones in `final`; give the names left alone.

    A row keeps its name if its Ensembl id is not that of the approved symbol, by the table or, if
    the table does not say, by the file.
    """
    holders: dict[str, set[str]] = defaultdict(set)  # approved symbol: Ensembl ids that have it
    for name, gene_id, is_id in zip(final, genes.ids, genes.ensembl, strict=True):
        if name in old and is_id:
            holders[name].add(gene_id)
    conflicts = []
    for symbol, rows in old.items():
        own = {genes.ids[row] for row in rows if genes.ensembl[row]}
        names = {genes.names[row] for row in rows}
        unknown = not holders[symbol] and not known_ids.get(symbol)
        if unknown and len(own) > 1 and len(names) > 1:
            agreed: set[str] = set()  # several previous names, of different genes
        else:
            agreed = known_ids.get(symbol) or holders[symbol] or own
        for row in rows:
            if genes.ensembl[row] and genes.ids[row] not in agreed:
                conflicts.append(genes.names[row])
            else:
                final[row] = symbol
    return conflicts


def _refuse_few_orthologs(
    found: int, n_genes: int, missing: Sequence[str], *, orthologs: Orthologs, where: str
) -> None:
    if found >= MIN_ORTHOLOGS and found >= MIN_ORTHOLOG_SHARE * n_genes:
        return
    known = sorted(orthologs.by_name) or sorted(orthologs.by_id)
    msg = (
        f"{where}: {found} of {n_genes} genes have a one-to-one human gene in {orthologs.path}; "
        f"at least {MIN_ORTHOLOGS} and {MIN_ORTHOLOG_SHARE:.0%} are needed. Genes of the file "
        f"without one: {some(missing)}; genes of the table: {some(known)}. Give the table of "
        "the right species, with the same kind of names or ids"
    )
    raise IngestError(msg)


def _merge(
    adata: AnnData, final: Sequence[str], ids: Sequence[str]
) -> tuple[AnnData, dict[str, Any]]:
    """Drop genes without a symbol and add up those that share one."""
    place: dict[str, int] = {}
    rows = [row for row, name in enumerate(final) if name]
    kept = np.array(rows, dtype=np.intp)
    columns = np.array([place.setdefault(final[row], len(place)) for row in rows], dtype=np.intp)
    ensembl = [""] * len(place)
    for row, column in zip(rows, columns.tolist(), strict=True):
        ensembl[column] = ensembl[column] or ids[row]
    counts = sparse.csr_matrix(adata.X)
    if len(kept) < len(final):
        counts = counts[:, kept]
    if len(place) < len(kept):
        wide = np.float64 if counts.dtype.kind == "f" else np.int64
        ones = np.ones(len(kept), dtype=wide)
        adder = sparse.csr_matrix((ones, (np.arange(len(kept)), columns)))
        total = counts.astype(wide) @ adder
        narrow = total.astype(counts.dtype)
        counts = narrow if np.array_equal(narrow.data.astype(wide), total.data) else total
    counts.sort_indices()
    var = pd.DataFrame({"ensembl_id": ensembl}, index=pd.Index(list(place), dtype=object))
    first = kept[np.unique(columns, return_index=True)[1]]
    for column in POSITIONS:
        if column in adata.var:
            var[column] = adata.var[column].to_numpy()[first]
    with warnings.catch_warnings():  # repeated barcodes are the reader's to judge
        warnings.filterwarnings("ignore", message="Observation names are not unique")
        result = AnnData(counts, obs=adata.obs.copy(), var=var, obsm=dict(adata.obsm))
    result.uns = dict(adata.uns)
    shared = Counter(columns.tolist())
    report = {
        "summed": len(kept) - len(place),
        "summed_symbols": sorted(name for name, column in place.items() if shared[column] > 1),
    }
    return result, report


def _log(report: Mapping[str, Any], *, where: str) -> None:
    for done, key in (("changed", "names_changed"), ("left out", "names_lost")):
        for kind, n in report[key].items():
            examples = [str(e) for e in report[f"{key}_examples"].get(kind, [])]
            log.warning("%s: %s: %d %s, for example %s", where, done, n, kind, some(examples))
    counts = ("n_genes_file", "n_genes", "by_ensembl_id", "renamed", "summed", "par_y")
    log.info("%s: %s", where, ", ".join(f"{key} {report[key]}" for key in counts))
    kept = {
        "ambiguous": "are previous symbols of several genes and were kept",
        "conflicts": "are previous symbols, but their Ensembl id differs: kept",
        "unmapped": "are Ensembl ids without a known symbol and were kept",
        "no_ortholog": "have no one-to-one human gene and were removed",
    }
    for key, meaning in kept.items():
        if names := report[key]:
            log.warning(
                "%s: %d gene names %s, for example %s", where, len(names), meaning, some(names)
            )
