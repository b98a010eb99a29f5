"""What software and spreadsheets do to the names of genes, undone where that is certain.

Every format comes here, so that the same fault is treated the same. A name is changed only where
the whole file shows the fault, or the result is a known symbol that no other row has. A gene whose
name is lost keeps its id; without one it is left out and counted, never added to another.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np

from osteotalk.ingest.errors import IngestError
from osteotalk.ingest.gene_tables import ENSEMBL_ID, MITOCHONDRIAL, are_ids, bare_id, some

_NOTHING = frozenset(
    ["", "na", "nan", "n/a", "none", "null", "<na>", "-", ".", "?", "#n/a", "#ref!", "#name?"]
)
_MONTH = (
    "jan|feb|mar|m[aä]r|mrz|apr|avr|may|mai|jun|juin|jul|juil|aug|ao[uû]t|sept?|oct|okt|nov|dec|dez|"
    "d[eé]c|march|mars"
)
# What spreadsheets make of MARCH1, SEPT2, DEC1. doi:10.1186/s13059-016-1044-7
_DATE = re.compile(
    rf"\d{{1,2}}[-. /]+({_MONTH})\.?([-. /]+\d{{2,4}})?"
    rf"|({_MONTH})\.?[- /]+\d{{1,4}}"
    r"|\d{4}([-/.])\d{1,2}\4\d{1,2}([ T]\d{1,2}:\d{2}(:\d{2})?(\.0+)?)?"
    r"|\d{1,2}([-/.])\d{1,2}\8\d{2,4}([ T]\d{1,2}:\d{2}(:\d{2})?)?",
    re.IGNORECASE,
)
# The first two letters of dates, numbers and of what stands for nothing.
_ODD_HEAD = re.compile(
    r"\d|ja|fe|m[aär]|ap|av|ju|a[uo]|se|o[ck]|no|d[eé]|n[au/]|<n|[-.?#]|$", re.IGNORECASE
)
_NUMBER = re.compile(r"\d+(\.\d+)?([eE][+-]?\d+)?")
_GENOME = re.compile(
    r"(?P<genome>(?:GRC[a-z]|hg|mm|rn|canFam)\d[A-Za-z0-9.]*?|b37|(?i:human|mouse|homo|mus))"
    r"(?:_+|[:|.-]+)(?P<rest>\S.*)"
)
_GENOME_HEADS = frozenset(  # the first two letters of the above
    ["GR", "hg", "mm", "rn", "ca", "b3"]
    + [a + b for word in ("hu", "mo", "ho", "mu") for a in (word[0], word[0].upper())
       for b in (word[1], word[1].upper())]
)  # fmt: skip
_HUMAN_GENOME = re.compile(r"GRCh\d|hg\d|b37|human|homo", re.IGNORECASE)
_MIN_PREFIXED = 0.05  # share of names with the name of a genome before them
_SPLIT = r"\s*[_|:;,/ -]+\s*"
_JOINED = (
    re.compile(rf"(?P<id>{ENSEMBL_ID}){_SPLIT}(?!PAR_Y$)(?P<name>.+)"),
    re.compile(rf"(?P<name>.+?){_SPLIT}(?P<id>{ENSEMBL_ID})"),
)
_ENTREZ_JOINED = re.compile(r"(?P<name>[^|]+)\|(?P<id>\d+)")
# Symbols with a hyphen, by which R's make.names (HLA.A) and others (HLA_A) are told.
_HYPHENED = re.compile(
    r"(HLA|MT|NKX\d+|KRTAP\d+|ERV[A-Z0-9]+|HERV[A-Z0-9]*|IG[HKL][VDJ]\d+D?|TR[ABDG][VDJ]\d+)-\S+"
    r"|\S+-(AS|IT|OT|DT)\d*"
)
_HYPHEN_HEADS = frozenset(["HL", "MT", "NK", "KR", "ER", "HE", "IG", "TR"])  # of the first of them
_HYPHEN_ENDS, _DIGITS = frozenset(["-AS", "-IT", "-OT", "-DT"]), "0123456789"
_LETTER = re.compile("[A-Za-z]")
_ORF = re.compile(r"C(\d+|X|Y)ORF(\d+)")
_MITO_PLAIN = [name.removeprefix("MT-") for name in sorted(MITOCHONDRIAL)]
# What RefSeq and others call the genes of mitochondria, without MT-.
_MITO_NAMES: Mapping[str, str] = MappingProxyType(
    {f"MT{name}": f"MT-{name}" for name in _MITO_PLAIN}
    | {name: f"MT-{name}" for name in _MITO_PLAIN if not name.startswith("T")}
    | {"COX1": "MT-CO1", "COX2": "MT-CO2", "COX3": "MT-CO3", "CYTB": "MT-CYB"}
    | {"COI": "MT-CO1", "COII": "MT-CO2", "COIII": "MT-CO3"}
    | {f"MT-{name}": f"MT-{other}" for name, other in
       (("COX1", "CO1"), ("COX2", "CO2"), ("COX3", "CO3"), ("CYTB", "CYB"))}
)  # fmt: skip
_MIN_MITO = 5  # of these names together they are certain: COX1 alone may be PTGS1
_LOOKED_AT = 2_000  # names, to estimate a share
_MIN_GENES = 100  # below this, shares say nothing
MIN_KNOWN = 0.005  # share of names that are known symbols; of all human genes it is about 8 %

NO_NAME, DATE, NUMBER, OTHER_GENOME = "no name", "date", "number", "genome"
REASONS: Mapping[str, str] = MappingProxyType(
    {
        NO_NAME: "genes without a name and an id",
        DATE: "genes whose name a spreadsheet turned into a date",
        NUMBER: "genes whose name is a number",
        OTHER_GENOME: "genes of another genome",
    }
)


@dataclass
class GeneNames:
    """Names and ids of genes in the order of the file, and what was done to them.

    `lost` gives the reason why a row has to be left out, '' for rows that stay; `changed` a few
    changed names by kind of change, `counts` how many.
    """

    names: list[str]
    ids: list[str]
    lost: list[str]
    counts: Counter[str] = field(default_factory=Counter)
    changed: dict[str, list[list[str]]] = field(default_factory=dict)

    def put(self, row: int, name: str, *, kind: str) -> None:
        """Change a name and note it."""
        self.counts[kind] += 1
        if len(examples := self.changed.setdefault(kind, [])) < 5:
            examples.append([self.names[row], name])
        self.names[row] = name

    @property
    def kept(self) -> np.ndarray:
        """Which rows stay."""
        return np.array([not reason for reason in self.lost], dtype=bool)

    def report(self) -> dict[str, Any]:
        """What was changed, with examples, and left out, as numbers by kind."""
        lost = Counter(filter(None, self.lost))
        return {
            "names_changed": {kind: self.counts[kind] for kind in sorted(self.counts)},
            "names_changed_examples": dict(sorted(self.changed.items())),
            "names_lost": {REASONS[reason]: n for reason, n in sorted(lost.items())},
            "names_lost_examples": {
                REASONS[reason]: [
                    n for n, r in zip(self.names, self.lost, strict=True) if r == reason
                ][:5]
                for reason in sorted(lost)
            },
        }


def clean_names(
    names: Sequence[str],
    *,
    ids: Sequence[str],
    genomes: Sequence[str] | None,
    known: Collection[str],
    human: bool,
    where: str,
) -> GeneNames:
    """Undo what software and spreadsheets did to the names of the genes of one file.

    Parameters
    ----------
    names, ids
        As in the file, '' for an unknown id.
    genomes
        Genome of each gene, where the file says it.
    known
        Known human symbols.
    human
        Whether the cells are human; otherwise only what needs no human symbols is done.
    where
        Name of the file, for messages.

    Raises
    ------
    IngestError
        If the names are numbers of Entrez, or most are lost.
    """
    genes = GeneNames(list(names), list(ids), [""] * len(names))
    _strip(genes)
    _swap_columns(genes, known)
    _keep_genome(genes, genomes, known, human=human, where=where)
    _part_joined(genes)
    _refuse_entrez(genes, known, where=where)
    if human:
        _raise_letters(genes, known)
        _put_hyphens(genes, known)
        _name_mitochondria(genes)
    _find_lost(genes)
    lost = Counter(filter(None, genes.lost))
    lost.pop(OTHER_GENOME, None)
    if sum(lost.values()) > len(names) / 2:
        told = ", ".join(f"{n} {REASONS[reason]}" for reason, n in lost.items())
        first = some(n for n, r in zip(names, genes.lost, strict=True) if r in lost)
        msg = (
            f"{where}: most of its {len(names)} genes have neither a name nor an Ensembl id: "
            f"{told} (found: {first}); give the file with symbols or Ensembl ids of the genes"
        )
        raise IngestError(msg)
    return genes


def is_nothing(name: str) -> bool:
    """Whether a name says that there is none."""
    return name.strip().lower() in _NOTHING


def is_human_genome(genome: str) -> bool:
    """Whether the name of a genome is that of a human one."""
    return _HUMAN_GENOME.match(genome) is not None


def is_date(name: str) -> bool:
    """Whether a name is a date that a spreadsheet made of a symbol."""
    return _DATE.fullmatch(name) is not None


def share_known(names: Sequence[str], known: Collection[str], *, ids: bool = True) -> float:
    """Share of names that are known symbols, or Ensembl ids, as they stand or in capitals."""
    part = names[:: max(1, len(names) // _LOOKED_AT)]
    found = sum(
        name in known or (bare := _bare(name)) in known or (ids and bare_id(bare)[1])
        for name in part
    )
    return found / max(len(part), 1)


def _bare(name: str) -> str:
    """Name without quotes, genome and id, in capitals."""
    name = name.strip().strip("\"'")
    if name[:2] in _GENOME_HEADS and (match := _GENOME.fullmatch(name)):
        name = match["rest"]
    for pattern in _JOINED if "ENS" in name else ():
        if match := pattern.fullmatch(name):
            name = match["name"]
    return name.upper()


def _strip(genes: GeneNames) -> None:
    if not re.search(r"""["' \t]""", "".join([*genes.names, *genes.ids])):
        return
    for row, name in enumerate(genes.names):
        bare = name.strip().strip("\"'").strip()
        if bare != name:
            genes.put(row, bare, kind="quotes or spaces removed")
        genes.ids[row] = genes.ids[row].strip().strip("\"'").strip()


def _swap_columns(genes: GeneNames, known: Collection[str]) -> None:
    """Where the names are ids and the ids names, exchange them."""
    n = len(genes.names)
    if not any("ENS" in name for name in genes.names):
        return
    of_names, of_ids = sum(are_ids(genes.names)), sum(are_ids(genes.ids))
    symbols = sum(name in known for name in genes.ids)
    if of_names > n / 2 > of_ids and symbols > sum(name in known for name in genes.names):
        genes.names, genes.ids = genes.ids, genes.names
        genes.counts["symbols taken from the column of ids"] = n


def _keep_genome(
    genes: GeneNames,
    genomes: Sequence[str] | None,
    known: Collection[str],
    *,
    human: bool,
    where: str,
) -> None:
    """Take the name of the genome off the names; of several genomes keep the one of the cells."""
    of_row = list(genomes) if genomes is not None else [""] * len(genes.names)
    before = {genome: f"{genome}_" for genome in set(of_row)}
    for row, genome in enumerate(of_row) if genomes is not None else ():
        if genome and genes.names[row].startswith(before[genome]):
            short = genes.names[row].removeprefix(genome).lstrip("_")
            genes.put(row, short, kind="name of the genome removed")
            genes.ids[row] = genes.ids[row].removeprefix(genome).lstrip("_")
    found = [_GENOME.match(name) if name[:2] in _GENOME_HEADS else None for name in genes.names]
    if sum(match is not None for match in found) >= max(1, _MIN_PREFIXED * len(found)):
        for row, match in enumerate(found):
            if match:
                of_row[row] = of_row[row] or str(match["genome"])
                genes.put(row, match["rest"], kind="name of the genome removed")
        for row, text in enumerate(genes.ids):
            if match := _GENOME.fullmatch(text):
                genes.ids[row] = match["rest"]
    named = sorted(set(of_row))
    if len(named) < 2:
        return
    plain = [name for name, genome in zip(genes.names, of_row, strict=True) if not genome]
    wanted = [genome for genome in named if is_human_genome(genome) == human and genome]
    if not wanted and "" in named and any(name in known for name in plain) == human:
        wanted = [""]
    if len(wanted) != 1:
        msg = (
            f"{where} holds several genomes: {', '.join(filter(None, named))}; exactly one whose "
            f"name begins with {'GRCh or hg' if human else 'that of the species'} is needed: keep "
            "one genome in the file"
        )
        raise IngestError(msg)
    for row, genome in enumerate(of_row):
        if genome != wanted[0]:
            genes.lost[row] = OTHER_GENOME


def _part_joined(genes: GeneNames) -> None:
    for row, name in enumerate(genes.names):
        if "ENS" not in name:
            continue
        match = next((m for pattern in _JOINED if (m := pattern.fullmatch(name))), None)
        if match:
            genes.put(row, match["name"], kind="id and symbol parted")
            genes.ids[row] = match["id"]
    barred = [row for row, name in enumerate(genes.names) if "|" in name]
    found = {row: m for row in barred if (m := _ENTREZ_JOINED.fullmatch(genes.names[row]))}
    if len(found) > len(genes.names) / 2:
        for row, match in found.items():
            genes.put(row, match["name"], kind="id and symbol parted")


def _refuse_entrez(genes: GeneNames, known: Collection[str], *, where: str) -> None:
    numbers = [n for n in genes.names if n[:1].isdecimal() and _NUMBER.fullmatch(n)]
    if len(numbers) <= len(genes.names) / 2 or any(are_ids(genes.ids)):
        return
    if len(set(numbers)) == len(numbers) and sum(i in known for i in genes.ids) > len(numbers) / 10:
        genes.names, genes.ids = genes.ids, genes.names
        return
    msg = (
        f"{where}: {len(numbers)} of {len(genes.names)} gene names are numbers ({some(numbers)}): "
        "ids of Entrez (NCBI Gene), or the numbers of rows; give a file whose genes have symbols "
        "(CXCL12) or Ensembl ids"
    )
    raise IngestError(msg)


def _raise_letters(genes: GeneNames, known: Collection[str]) -> None:
    """Put names of a file that is all in small letters into capitals."""
    small = [name for name in genes.names if name.islower() and _LETTER.search(name)]
    lettered = [name for name in genes.names if _LETTER.search(name)] if small else []
    told = sum(name.upper() in known for name in small)
    if len(small) > len(lettered) / 2 and told > sum(name in known for name in lettered):
        for row, name in enumerate(genes.names):
            if name != name.upper():
                genes.put(row, name.upper(), kind="small letters put into capitals")
    for row, name in enumerate(genes.names):
        if "ORF" in name and (match := _ORF.fullmatch(name)):
            genes.put(row, f"C{match[1]}orf{match[2]}", kind="orf in small letters")


def _put_hyphens(genes: GeneNames, known: Collection[str]) -> None:
    """Give symbols the hyphen that R (HLA.A) or other software (HLA_A) replaced."""
    there = set(genes.names)
    for row, name in enumerate(genes.names):
        if ("." not in name and "_" not in name) or name in known:
            continue
        hyphened = name.replace(".", "-").replace("_", "-")
        if hyphened not in known:
            fits = hyphened[:2] in _HYPHEN_HEADS or hyphened.rstrip(_DIGITS)[-3:] in _HYPHEN_ENDS
            if not fits or not _HYPHENED.fullmatch(hyphened):
                continue
        if hyphened not in there and not bare_id(name)[1]:
            genes.put(row, hyphened, kind="hyphen restored")


def _name_mitochondria(genes: GeneNames) -> None:
    """Name the mitochondrial genes MT-..., if the file has them under other names only."""
    if not MITOCHONDRIAL.isdisjoint(genes.names):
        return
    rows = {row: _MITO_NAMES[n] for row, n in enumerate(genes.names) if n in _MITO_NAMES}
    if len(set(rows.values())) >= _MIN_MITO and len(rows) == len(set(rows.values())):
        for row, name in rows.items():
            genes.put(row, name, kind="mitochondrial genes named MT-")


def _find_lost(genes: GeneNames) -> None:
    """Give rows without a name the name of their id, or a reason to leave them out."""
    tests: tuple[tuple[str, Callable[[str], object]], ...] = (
        (NO_NAME, is_nothing),
        (DATE, is_date),
        (NUMBER, _NUMBER.fullmatch),
    )
    odd = {head for head in {name[:2] for name in genes.names} if _ODD_HEAD.match(head)}
    for row in [row for row, name in enumerate(genes.names) if name[:2] in odd]:
        name, gene_id = genes.names[row], genes.ids[row]
        reason = next((reason for reason, test in tests if test(name)), "")
        if not reason or genes.lost[row]:
            continue
        if any(test(gene_id) for _, test in tests):
            genes.lost[row] = reason
        else:
            genes.put(row, bare_id(gene_id)[0], kind=f"id instead of the name ({reason})")


def check_known(final: Sequence[str], *, known: Collection[str], where: str) -> None:
    """Refuse a file of which next to no name is a known symbol.

    Raises
    ------
    IngestError
        If of a hundred genes or more less than one in 200 is known.
    """
    found = sum(name in known for name in final)
    if len(final) >= _MIN_GENES and found < MIN_KNOWN * len(final):
        msg = (
            f"{where}: only {found} of {len(final)} gene names are known human symbols; found: "
            f"{some(final)}. Genes need symbols such as CXCL12, or Ensembl ids with a table of "
            "symbols (config key genes.symbols); check that the right column or file was given, "
            "and the species in the table of datasets"
        )
        raise IngestError(msg)
