"""Tables of gene names: approved symbols, and orthologs of another species."""

import csv
import logging
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path

from osteotalk.ingest.errors import IngestError
from osteotalk.liana_file import human_genes

log = logging.getLogger(__name__)

# Gene id of Ensembl: species, number, version, copy on the Y chromosome. In older GENCODE
# releases the first digit is an R in the copy on Y. https://www.gencodegenes.org/pages/faq.html
_ENSEMBL = re.compile(r"(ENS[A-Z]*?G)(R\d{10}|\d{11})(?:\.\d+)?(_PAR_Y)?")
ENSEMBL_ID = r"ENS[A-Z]*?G(?:R\d{10}|\d{11})(?:\.\d+)?(?:_PAR_Y)?"  # the same without groups
_PLAIN_ID = len("ENSG00000107562")
MITOCHONDRIAL = frozenset(
    f"MT-{name}" for name in [
        "ND1", "ND2", "ND3", "ND4", "ND4L", "ND5", "ND6", "CO1", "CO2", "CO3", "ATP6", "ATP8",
        "CYB", "RNR1", "RNR2", "TA", "TC", "TD", "TE", "TF", "TG", "TH", "TI", "TK", "TL1", "TL2",
        "TM", "TN", "TP", "TQ", "TR", "TS1", "TS2", "TT", "TV", "TW", "TY"
    ]
)  # fmt: skip
_SYMBOL_COLUMNS = ("symbol", "prev_symbol", "ensembl_gene_id")
# Plain names, attribute names of BioMart's API, headers of BioMart's downloads (in lower case).
_GENE_ID = ("gene_id", "ensembl_gene_id", "gene stable id")
_GENE_NAME = ("gene_name", "external_gene_name", "gene name")
_HUMAN = ("human_symbol", "hsapiens_homolog_associated_gene_name", "human gene name")
_TYPE = ("orthology_type", "hsapiens_homolog_orthology_type", "human homology type")
_ONE_TO_ONE = ("ortholog_one2one", "one2one")


@dataclass(frozen=True)
class SymbolTable:
    """Approved symbols and what leads to them.

    `by_id` gives the symbols of an Ensembl id (one, rarely more), `by_previous` those that once had
    a name which no gene has now.
    """

    path: str
    approved: frozenset[str]
    by_id: Mapping[str, tuple[str, ...]]
    by_previous: Mapping[str, tuple[str, ...]]

    @cached_property
    def known(self) -> frozenset[str]:
        """All human symbols that are known here: of this table and of LIANA's resources."""
        return self.approved | frozenset(self.by_previous) | human_genes() | MITOCHONDRIAL

    def current(self, symbol: str) -> str:
        """Give the approved symbol that replaced `symbol`, or `symbol` if that is not clear."""
        found = self.by_previous.get(symbol, ())
        return found[0] if len(found) == 1 else symbol


@dataclass(frozen=True)
class Orthologs:
    """Human symbol by gene id and by gene name; '' for a gene without a one-to-one counterpart.

    `left_out` counts those genes by reason.
    """

    path: str
    by_id: Mapping[str, str]
    by_name: Mapping[str, str]
    left_out: Mapping[str, int]


@dataclass
class _Homologs:
    """What the lines of one gene of another species say together."""

    ids: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    human: set[str] = field(default_factory=set)
    other_type: bool = False


def read_symbols(path: str | Path) -> SymbolTable:
    """Read a table of approved symbols, for example HGNC's complete set as it is.

    Parameters
    ----------
    path
        Tab-separated, with columns symbol, prev_symbol (joined by '|') and ensembl_gene_id; others
        are ignored.

    Raises
    ------
    IngestError
        If the file cannot be read, a column is missing, or lines are wrong (all listed).

    Source: https://www.genenames.org/download/archive/
    """
    (_, header), *rows = _rows(path, delimiter="\t")
    if missing := [column for column in _SYMBOL_COLUMNS if column not in header]:
        msg = (
            f"{path} line 1: no column {', '.join(missing)} among {some(header)}; the table needs "
            f"the columns {', '.join(_SYMBOL_COLUMNS)}, separated by tabs"
        )
        raise IngestError(msg)
    at = [header.index(column) for column in _SYMBOL_COLUMNS]
    lines: dict[str, int] = {}
    by_id, by_previous = defaultdict(set), defaultdict(set)
    problems = []
    for line, row in rows:
        symbol, previous, gene_id = ((row[i].strip() if i < len(row) else "") for i in at)
        if not symbol:
            problems.append(f"line {line}: the symbol is empty; fill it in or remove the line")
        elif symbol in lines:
            first = lines[symbol]
            problems.append(f"line {line}: '{symbol}' is repeated from line {first}; keep one")
        elif gene_id and not re.fullmatch(r"ENSG\d{11}", gene_id):
            problems.append(
                f"line {line}: '{gene_id}' is no human Ensembl gene id (ENSG and 11 digits)"
            )
        else:
            if gene_id:
                by_id[gene_id].add(symbol)
            for name in filter(None, (part.strip() for part in previous.split("|"))):
                by_previous[name].add(symbol)
        lines.setdefault(symbol, line)
    if problems:
        raise IngestError("\n".join(f"{path} {problem}" for problem in problems))
    return SymbolTable(
        path=str(path),
        approved=frozenset(lines),
        by_id={key: tuple(sorted(found)) for key, found in by_id.items()},
        by_previous={
            key: tuple(sorted(found)) for key, found in by_previous.items() if key not in lines
        },
    )


def read_orthologs(path: str | Path) -> Orthologs:
    """Read which human gene each gene of another species corresponds to.

    Parameters
    ----------
    path
        Text separated by tabs or commas with a header. Columns, under the names of Ensembl
        BioMart's downloads, of its attributes, or plain: gene_id or gene_name or both,
        human_symbol, and if known orthology_type.

    Returns
    -------
    Only one-to-one pairs: a gene with several human genes, a human gene with several genes, and a
    pair of another orthology type are left out and counted. A name that several genes share is left
    out as a name unless they agree.

    Raises
    ------
    IngestError
        If the file cannot be read, a column is missing, or it holds no one-to-one pair.

    Source: https://www.ensembl.org/biomart/martview
    """
    (_, header), *rows = _rows(path, delimiter=None)
    at = _ortholog_columns(header, path=path)
    genes: dict[str, _Homologs] = defaultdict(_Homologs)
    for _, row in rows:
        if row == ["[success]"]:  # the last line of BioMart's answer, if it is asked for
            continue
        gene_id, name, human, kind = (
            row[i].strip() if i is not None and i < len(row) else "" for i in at
        )
        gene_id = bare_id(gene_id)[0]
        if not gene_id and not name:
            continue
        gene = genes[gene_id or name]
        gene.ids |= {gene_id} - {""}
        gene.names |= {name} - {""}
        gene.human |= {human} - {""}
        gene.other_type |= bool(human) and at[3] is not None and kind not in _ONE_TO_ONE
    result = _one_to_one(genes.values(), path=path)
    n_pairs = len(genes) - sum(result.left_out.values())
    log.info("%s: %d one-to-one genes; left out: %s", path, n_pairs, dict(result.left_out))
    if not n_pairs:
        msg = (
            f"{path} gives no gene a one-to-one human gene (left out: {dict(result.left_out)}); "
            f"an orthology type must read {' or '.join(_ONE_TO_ONE)}"
        )
        raise IngestError(msg)
    return result


def _ortholog_columns(
    header: Sequence[str], *, path: str | Path
) -> tuple[int | None, int | None, int | None, int | None]:
    lower = [column.lower() for column in header]

    def place(names: Iterable[str]) -> int | None:
        return next((lower.index(name) for name in names if name in lower), None)

    gene_id, name, human, kind = map(place, (_GENE_ID, _GENE_NAME, _HUMAN, _TYPE))
    if human is None or (gene_id is None and name is None):
        msg = (
            f"{path} line 1: no column of {'human symbols' if human is None else 'genes'} among "
            f"{some(header)}; a table of orthologs needs a header with gene_id ('Gene stable ID') "
            "or gene_name ('Gene name'), and human_symbol ('Human gene name'); ask BioMart for a "
            "header (header=1)"
        )
        raise IngestError(msg)
    return gene_id, name, human, kind


def _one_to_one(genes: Collection[_Homologs], *, path: str | Path) -> Orthologs:
    claimed = Counter(human for gene in genes for human in gene.human)
    by_id: dict[str, set[str]] = defaultdict(set)
    by_name: dict[str, set[str]] = defaultdict(set)
    left_out: Counter[str] = Counter()
    for gene in genes:
        human = min(gene.human, default="")
        reasons = {
            "no_human_gene": not human,
            "several_human_genes": len(gene.human) > 1,
            "other_orthology_type": gene.other_type,
            "human_gene_of_several": claimed[human] > 1,
        }
        if reason := next((reason for reason, applies in reasons.items() if applies), ""):
            left_out[reason] += 1
            human = ""
        for gene_id in gene.ids:
            by_id[gene_id].add(human)
        for name in gene.names:
            by_name[name].add(human)
    return Orthologs(
        path=str(path),
        by_id={key: found.pop() if len(found) == 1 else "" for key, found in by_id.items()},
        by_name={key: found.pop() if len(found) == 1 else "" for key, found in by_name.items()},
        left_out=dict(sorted(left_out.items())),
    )


def bare_id(gene_id: str) -> tuple[str, bool, bool]:
    """The id without version and copy, whether it is Ensembl's, and whether it is a copy on Y."""
    if "ENS" not in gene_id:
        return gene_id.strip(), False, False
    if len(gene_id) == _PLAIN_ID and gene_id[:4] == "ENSG" and gene_id[4:].isdecimal():
        return gene_id, True, False
    return _parsed_id(gene_id)


@lru_cache(maxsize=2**17)  # the same ids are asked for at every step of a file
def _parsed_id(gene_id: str) -> tuple[str, bool, bool]:
    match = _ENSEMBL.fullmatch(gene_id.strip())
    if match is None:
        return gene_id.strip(), False, False
    species, number, copy = match.groups()
    return species + number.replace("R", "0"), True, bool(copy) or number.startswith("R")


def are_ids(names: Sequence[str]) -> list[bool]:
    """Tell which names are Ensembl ids."""
    return ["ENS" in name and bare_id(name)[1] for name in names]


def some(names: Iterable[str]) -> str:
    """The first few of `names`."""
    listed = list(names)
    return ", ".join(listed[:5]) + (", ..." if len(listed) > 5 else "")


def _rows(path: str | Path, *, delimiter: str | None) -> Iterator[tuple[int, list[str]]]:
    """Lines that are not empty, with their numbers; the first is the header.

    Without a given delimiter it is a tab if the header has one, else a comma.
    """
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as file:
            first = file.readline()
            file.seek(0)
            reader = csv.reader(file, delimiter=delimiter or ("\t" if "\t" in first else ","))
            rows = [(reader.line_num, row) for row in reader if any(row)]
    except FileNotFoundError:
        msg = f"{path} does not exist; check the path of the table of genes"
        raise IngestError(msg) from None
    except (UnicodeDecodeError, csv.Error) as error:
        msg = f"{path} is not a text table ({error}); unpack it, or save it as UTF-8 text"
        raise IngestError(msg) from None
    if len(rows) < 2:
        msg = (
            f"{path} has {len(rows)} lines; a header and at least one gene are needed (if it was "
            "downloaded, delete it and its copy in the cache, and run again)"
        )
        raise IngestError(msg)
    rows[0] = (rows[0][0], [column.strip() for column in rows[0][1]])
    yield from rows
