"""What in a file is a gene and what a cell, and which of the two stands in rows."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence

import numpy as np
from anndata import AnnData

from osteotalk.ingest.errors import IngestError
from osteotalk.ingest.gene_names import share_known
from osteotalk.ingest.gene_tables import some

# Column of var with the kind of feature, in the order of preference.
KIND_COLUMNS = ("feature_type", "feature_types", "modality")
_GENE_KINDS = re.compile(r"gene( expression)?s?|rna|m?rna expression|gex|transcriptome")
_OTHER_KINDS = re.compile(
    r".*(antibod|protein(?! coding)|surface|adt|hto|hash ?tag|crispr|guide|sgrna|grna|peak|atac|"
    r"chromatin|multiplex|cmo|custom|antigen|vdj|barcode).*"
)
# Rows that are told by their names: what it is, how it is called, and what every such name has in
# it (in small letters), so that few names have to be looked at closely.
_NO_GENES = (
    (
        "summary rows of the program that counted",
        re.compile(
            r"__\w+|N_(unmapped|multimapping|noFeature|ambiguous)|Unassigned_\w+|"
            r"_?(no_feature|ambiguous|too_low_aQual|not_aligned|alignment_not_unique)|"
            r"(grand|row|column|col)?[ _.]?(totals?|sums?)|total[ _.]?(counts?|reads|umis?)|"
            r"un(mapped|assigned)|nCount_RNA|nFeature_RNA|percent[._]mt",
            re.IGNORECASE,
        ),
        ["__", "n_", "ncount_", "feature", "assigned", "mapped", "aligned", "alignment",
         "ambiguous", "too_low", "total", "sum", "percent"],
    ),
    ("spike-ins (ERCC)", re.compile(r"ERCC[-._]\d{5}"), ["ercc-", "ercc.", "ercc_"]),
    (
        "peaks, told by their names",
        re.compile(r"chr[0-9XYM]\w*[:_-]\d+[-_:]\d+", re.IGNORECASE),
        ["chr"],
    ),
    (
        "antibodies and tags, told by their names",
        re.compile(
            r"(.+[_.-])?(ADT|HTO|TotalSeq\w*)([_.-].+)?|hashtag.*|anti[-_].+|CMO3\d\d",
            re.IGNORECASE,
        ),
        ["adt", "hto", "totalseq", "hashtag", "anti-", "anti_", "cmo3"],
    ),
)  # fmt: skip
_NO_CELLS = re.compile(
    r"((gene|exon|exonic|effective|transcript|feature|coding)?[ _.]?(length|width)s?)|"
    r"(grand|row|gene)?[ _.]?(totals?|sums?|means?|average|median|max|min)|row(sums?|means?)|"
    r"total[ _.]?(counts?|reads|umis?)|start|end|strand|chr(omosome)?|gc([ _.]?content)?|"
    r"entrez([ _.]?(gene)?[ _.]?id)?|n[ _.]?cells|unnamed(: 0)?",
    re.IGNORECASE,
)
_IN_NO_CELLS = (
    "length", "width", "total", "sum", "mean", "average", "median", "max", "min", "start", "end",
    "strand", "chr", "\ngc\n", "content", "entrez", "cells", "unnamed",
)  # fmt: skip
_SHORTEST = 12  # letters of a barcode
_BARCODE = re.compile(r"(.*[^A-Za-z])?[ACGTN]{12,}([^A-Za-z].*)?")
_MIN_KNOWN = 5  # names on an axis that must be known symbols for it to be that of the genes


def only_genes_and_cells(adata: AnnData) -> tuple[AnnData, dict[str, int]]:
    """Leave out what is no gene (antibodies, peaks, summary rows) and no cell (lengths, totals).

    Parameters
    ----------
    adata
        Cells x features as in the file; the kind of a feature in a column of `KIND_COLUMNS`.

    Returns
    -------
    Cells x genes, and how many were left out, by what they are. Where no value of the column is
    that of a kind (a genome, a biotype), the column is not used.
    """
    names = adata.var_names.astype(str)
    column = next((name for name in KIND_COLUMNS if name in adata.var), None)
    kinds = [""] * len(names) if column is None else adata.var[column].astype(str).tolist()
    by_name = _told_by_names(names)
    others = other_kinds(kinds)
    reasons = [kind or by_name.get(name, "") for name, kind in zip(names, others, strict=True)]
    left_out = Counter(filter(None, reasons))
    genes = np.array([not reason for reason in reasons], dtype=bool)
    columns = _those_like(_NO_CELLS, _Lines(adata.obs_names.astype(str)), _IN_NO_CELLS)
    cells = ~adata.obs_names.isin(columns)
    if not cells.all():
        told = f"columns that are no cells ({some(adata.obs_names[~cells])})"
        left_out[told] = int((~cells).sum())
    if cells.all() and genes.all():
        return adata, {}
    return adata[cells, genes].copy(), dict(sorted(left_out.items()))


def other_kinds(kinds: Sequence[str]) -> list[str]:
    """Name what each feature is, if it is no gene; '' for genes."""
    plain = {kind: re.sub(r"[\s_-]+", " ", kind).strip().lower() for kind in set(kinds)}
    genes = {kind for kind, text in plain.items() if _GENE_KINDS.fullmatch(text)}
    others = {kind for kind, text in plain.items() if _OTHER_KINDS.fullmatch(text)}
    if not genes | others:
        return [""] * len(kinds)
    if not genes:  # other features beside genes whose column is empty, or has a biotype
        genes = set(kinds) - others
    return ["" if kind in genes else f"features of kind '{kind}'" for kind in kinds]


def _told_by_names(names: Iterable[str]) -> dict[str, str]:
    """What those of the names stand for that are told as no genes."""
    lines = _Lines(names)
    found: dict[str, str] = {}
    for what, pattern, parts in reversed(_NO_GENES):
        found |= dict.fromkeys(_those_like(pattern, lines, parts), what)
    return found


class _Lines:
    """Names as one text, which is searched much faster than name by name."""

    def __init__(self, names: Iterable[str]) -> None:
        self._text = "\n".join(["", *names, ""])
        self._lower = self._text.lower()

    def having(self, part: str) -> set[str]:
        """Lines of the text with a part in small letters, or in any."""
        if len(self._lower) != len(self._text):  # rare letters
            return set(self._text.split("\n"))
        found, at = set(), self._lower.find(part)
        while at >= 0:
            end = self._text.index("\n", at + 1)
            found.add(self._text[self._text.rindex("\n", 0, end) + 1 : end])
            at = self._lower.find(part, end)
        return found


def _those_like(pattern: re.Pattern[str], lines: _Lines, parts: Sequence[str]) -> list[str]:
    """Names that a pattern fits in full; every one of them has one of the parts."""
    likely = set[str]().union(*map(lines.having, parts))
    return sorted(name for name in likely if pattern.fullmatch(name))


def is_barcode(name: str) -> bool:
    """Whether a name holds a barcode of a droplet."""
    return _BARCODE.fullmatch(name) is not None


def turned_right(adata: AnnData, *, known: Collection[str], where: str) -> tuple[AnnData, bool]:
    """Exchange the axes if the names say that genes stand where cells are expected.

    Parameters
    ----------
    adata
        What should be cells x genes.
    known
        Known symbols.
    where
        Name of the file, for messages.

    Returns
    -------
    Cells x genes, and whether the axes were exchanged.

    Raises
    ------
    IngestError
        If they are exchanged in a file with columns on its cells, which would be lost.
    """
    genes, cells = list(adata.var_names.astype(str)), list(adata.obs_names.astype(str))
    if not _exchanged(genes, cells, known):
        return adata, False
    if len(adata.obs.columns) or [c for c in adata.var.columns if c != "gene_id"]:
        msg = (
            f"{where} is transposed: genes ({some(cells)}) stand in the place of cells, and cells "
            f"({some(genes)}) in that of genes; transpose it (adata.T) and write it again"
        )
        raise IngestError(msg)
    result = adata.T
    result.X = result.X.tocsr()
    result.var, result.obs = result.var[[]], result.obs[[]]
    return result, True


def _exchanged(genes: Sequence[str], cells: Sequence[str], known: Collection[str]) -> bool:
    of_cells = share_known(cells, known)
    if of_cells * len(cells) >= _MIN_KNOWN:
        return of_cells > 4 * share_known(genes, known)
    return _are_barcodes(genes) and not _are_barcodes(cells)


def _are_barcodes(names: Sequence[str]) -> bool:
    return sum(len(name) >= _SHORTEST and is_barcode(name) for name in names) > len(names) / 2
