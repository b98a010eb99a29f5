"""What in a file is a gene and what a cell, and which of the two stands in rows."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from functools import cache

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
# Rows that are told by their names: what it is, and how it is called.
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
    ),
    ("spike-ins (ERCC)", re.compile(r"ERCC[-._]\d{5}")),
    ("peaks, told by their names", re.compile(r"chr[0-9XYM]\w*[:_-]\d+[-_:]\d+", re.IGNORECASE)),
    (
        "antibodies and tags, told by their names",
        re.compile(
            r"(.+[_.-])?(ADT|HTO|TotalSeq\w*)([_.-].+)?|hashtag.*|anti[-_].+|CMO3\d\d",
            re.IGNORECASE,
        ),
    ),
)
_NO_CELLS = re.compile(
    r"((gene|exon|exonic|effective|transcript|feature|coding)?[ _.]?(length|width)s?)|"
    r"(grand|row|gene)?[ _.]?(totals?|sums?|means?|average|median|max|min)|row(sums?|means?)|"
    r"total[ _.]?(counts?|reads|umis?)|start|end|strand|chr(omosome)?|gc([ _.]?content)?|"
    r"entrez([ _.]?(gene)?[ _.]?id)?|n[ _.]?cells|unnamed(: 0)?",
    re.IGNORECASE,
)
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
    lines = "\n".join(adata.obs_names.astype(str))
    columns = {match[0] for match in _on_lines(_NO_CELLS).finditer(lines)}
    cells = ~adata.obs_names.isin(list(columns))
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
    text = "\n".join(name.replace("\n", " ") for name in names)
    found: dict[str, str] = {}
    for what, pattern in reversed(_NO_GENES):  # at once, which is much faster than name by name
        found |= {match[0]: what for match in _on_lines(pattern).finditer(text)}
    return found


@cache
def _on_lines(pattern: re.Pattern[str]) -> re.Pattern[str]:
    return re.compile(rf"^(?:{pattern.pattern})$", pattern.flags | re.MULTILINE)


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
    barcodes = sum(map(is_barcode, genes)) > len(genes) / 2
    return barcodes and not sum(map(is_barcode, cells)) > len(cells) / 2
