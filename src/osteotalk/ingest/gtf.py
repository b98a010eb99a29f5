"""Positions of genes on the human chromosomes: names, arms, and GTF files."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd

from osteotalk.ingest.errors import IngestError
from osteotalk.ingest.gene_tables import SymbolTable, bare_id
from osteotalk.ingest.kinds import check_kinds
from osteotalk.ingest.plain import plain_bytes

AUTOSOMES = tuple(f"chr{number}" for number in range(1, 23))
CHROMOSOMES = (*AUTOSOMES, "chrX", "chrY")
# End of the short arm in millions of bases: where the two centromere bands meet in the table
# cytoBand of the UCSC Genome Browser for GRCh38 (doi:10.1101/gr.229102). In GRCh37 they lie up to
# 6 million bases elsewhere (chromosome 9), in regions with next to no gene.
_ENDS_MB = (
    "123.4 93.9 90.9 50.0 48.8 59.8 60.1 45.2 43.0 39.8 53.4 35.5 "
    "17.7 17.2 19.0 36.8 25.1 18.5 26.2 28.1 12.0 15.0 61.0 10.4"
)
SHORT_ARM_MB: Mapping[str, float] = MappingProxyType(
    dict(zip(CHROMOSOMES, map(float, _ENDS_MB.split()), strict=True))
)
COLUMNS = ("chromosome", "start", "end")
UNKNOWN = -1  # start and end of a gene whose position is not known
_ATTRIBUTE = re.compile(r'(gene_id|gene_name|gene)\s+"([^"]*)"')
_REFSEQ = re.compile(r"NC_0000(\d\d)\.\d+")
_SHOWN = 60
_NEEDED = "a GTF of the human genome with gene rows is needed, such as those of GENCODE or Ensembl"


def chromosome_name(name: str) -> str:
    """Name of a chromosome as 'chr1'; '' for contigs, patches and mitochondria.

    Understands '1' (Ensembl), 'chr1' (UCSC, GENCODE) and 'NC_000001.11' (RefSeq).
    """
    refseq = _REFSEQ.fullmatch(name)
    plain = str(int(refseq[1])) if refseq else name.removeprefix("chr")
    if refseq:
        plain = {"23": "X", "24": "Y"}.get(plain, plain)
    found = f"chr{plain}"
    return found if found in SHORT_ARM_MB else ""


def arms(chromosome: pd.Series, start: pd.Series) -> np.ndarray:
    """Arm of each gene, such as '8q'; '' where the position is not known."""
    limit = chromosome.map(SHORT_ARM_MB).to_numpy(float) * 1e6
    side = np.where(start.to_numpy(float) < limit, "p", "q")
    known = np.isfinite(limit) & (start.to_numpy() >= 0)
    names = chromosome.astype(str).str.removeprefix("chr").to_numpy(object) + side.astype(object)
    return np.where(known, names, "")


def read_gtf(path: str | Path, *, symbols: SymbolTable | None = None) -> pd.DataFrame:
    """Read the position of each gene from a GTF file, plain or gzipped.

    Parameters
    ----------
    path
        GTF (GENCODE, Ensembl, RefSeq or that of Cell Ranger). Only its rows of feature `gene` on
        chromosomes 1 to 22, X and Y are used.
    symbols
        Approved gene symbols, to replace previous ones.

    Returns
    -------
    One row per gene in the order of the file: gene_id (without version), gene (symbol; the id where
    there is none), chromosome ('chr1'), start, end (1-based, both included). `attrs` has n_rows
    (rows of feature gene) and n_elsewhere (those on other contigs).

    Raises
    ------
    IngestError
        If the file cannot be read or is no GTF with genes; file, line and what was found.

    Source: https://www.ensembl.org/info/website/upload/gff.html
    """
    rows: list[tuple[str, str, str, int, int]] = []
    n_rows = 0
    for line, fields in _gene_lines(path):
        n_rows += 1
        try:
            start, end = int(fields[3]), int(fields[4])
        except ValueError:
            start = end = -1
        if not 1 <= start <= end:
            raise _bad(path, line, f"start '{fields[3]}' and end '{fields[4]}' are no positions")
        named = dict(_ATTRIBUTE.findall(fields[8]))
        gene_id = bare_id(named.get("gene_id", ""))[0]
        gene = named.get("gene_name") or named.get("gene") or gene_id
        if not gene:
            raise _bad(path, line, f"no gene_id or gene_name in '{fields[8][:_SHOWN]}'")
        if chromosome := chromosome_name(fields[0]):
            gene = symbols.current(gene) if symbols else gene
            rows.append((gene_id, gene, chromosome, start, end))
    if not rows:
        found = f"{n_rows} rows of feature gene, none" if n_rows else "no row of feature gene"
        msg = f"{path}: {found} on chromosomes 1 to 22, X or Y; {_NEEDED}"
        raise IngestError(msg)
    genes = pd.DataFrame(rows, columns=["gene_id", "gene", *COLUMNS])
    genes.attrs.update(n_rows=n_rows, n_elsewhere=n_rows - len(genes))
    return genes


def _gene_lines(path: str | Path) -> Iterator[tuple[int, list[str]]]:
    """Line number and the nine fields of each gene row; the first row of the file is checked."""
    checked = False
    try:
        check_kinds({"gtf": path})
        with plain_bytes(str(path)) as stream:
            for number, raw in enumerate(stream, 1):
                if raw.startswith(b"#") or not raw.strip():
                    continue
                if checked and b"\tgene\t" not in raw:
                    continue
                text = raw.decode("utf-8", errors="replace").rstrip("\r\n")
                fields = text.split("\t")
                if len(fields) != 9:
                    raise _bad(path, number, f"{len(fields)} fields, not 9: '{text[:_SHOWN]}'")
                if "=" in fields[8] and '"' not in fields[8]:
                    raise _bad(path, number, f"this is GFF3 (attributes '{fields[8][:_SHOWN]}')")
                checked = True
                if fields[2] == "gene":
                    yield number, fields
    except OSError as error:
        msg = f"{path} cannot be read ({error}); if it was downloaded, it may be cut off"
        raise IngestError(msg) from error


def _bad(path: str | Path, line: int, found: str) -> IngestError:
    msg = (
        f"{path} line {line}: {found}; a GTF file is needed: nine fields separated by tabs, the "
        'last like gene_id "ENSG00000141510"; gene_name "TP53";'
    )
    return IngestError(msg)


def check_gtf_start(path: str | Path) -> None:
    """Check that a file begins as a GTF, up to its first row of feature gene.

    Raises
    ------
    IngestError
        If it does not, or has no such row.
    """
    if next(_gene_lines(path), None) is None:
        msg = f"{path}: no row of feature gene; {_NEEDED}"
        raise IngestError(msg)


def gtf_problem(path: str | Path) -> str:
    """Say what is wrong with a file that should be a GTF; '' if nothing is."""
    try:
        read_gtf(path)
    except IngestError as error:
        return f"it is no usable GTF ({error}); correct the url"
    return ""


def clean_positions(var: pd.DataFrame) -> pd.DataFrame:
    """Bring columns chromosome, start and end into one form; what is no position is unknown.

    Returns
    -------
    Index as `var`; chromosome ('chr1', '' if unknown), start and end (int64, -1 if unknown).
    """
    names = [chromosome_name(str(value).strip()) for value in var["chromosome"].astype(object)]
    frame = pd.DataFrame({"chromosome": np.array(names, dtype=object)}, index=var.index)
    numbers = [pd.to_numeric(var[c].astype(object), errors="coerce") for c in ("start", "end")]
    good = np.isfinite(numbers[0]) & np.isfinite(numbers[1]) & (numbers[0] >= 0)
    good &= frame["chromosome"] != ""
    for column, values in zip(("start", "end"), numbers, strict=True):
        frame[column] = values.where(good, UNKNOWN).astype(np.int64)
    frame["chromosome"] = frame["chromosome"].where(good, "")
    return frame
