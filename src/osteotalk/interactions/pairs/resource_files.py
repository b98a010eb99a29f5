"""Where ligand-receptor pairs come from: LIANA's resources, or a file of the user."""

import difflib
import hashlib
import logging
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from osteotalk.ingest.gene_tables import SymbolTable
from osteotalk.interactions.pairs.gene_naming import HUMAN, UNKNOWN, looks_like
from osteotalk.liana_file import MOUSE, liana_table
from osteotalk.tables.cells import date_problems
from osteotalk.tables.model import TableError, told
from osteotalk.tables.read import read_table
from osteotalk.tables.renew import renew_text

log = logging.getLogger(__name__)

SIDES = ("ligand", "receptor")
# Problems of a file that are written out; the others are counted.
_SHOWN = 20
# Names are checked below and not by the schema: every job reads the file again, and a resource has
# thousands of lines.
_SCHEMA: Mapping[str, Any] = {
    "required": list(SIDES),
    "additionalProperties": True,
    "properties": dict.fromkeys(SIDES, True),
}
NAME = re.compile("^[A-Za-z0-9.-]+(_[A-Za-z0-9.-]+)*$")  # as in the table of interactions

Pair = tuple[str, str]


@dataclass(frozen=True)
class Source:
    """Pairs as they were read, and where from.

    `pairs` has the columns ligand and receptor. `sha256` is that of the file and '' for a resource
    of LIANA; `ignored` names the columns of the file that are not used.
    """

    name: str
    pairs: pd.DataFrame
    sha256: str = ""
    ignored: tuple[str, ...] = ()

    @property
    def origin(self) -> str:
        """What the pairs of this source are marked with: "liana:<name>" or "file:<name>"."""
        return f"{'file' if self.sha256 else 'liana'}:{self.name}"


def liana_names() -> list[str]:
    """Names of all resources of LIANA, sorted; all but `MOUSE` are of human genes."""
    return sorted(liana_table()["resource"].unique())


def liana_resource(name: str) -> pd.DataFrame:
    """Pairs of one of LIANA's resources: columns ligand and receptor, as LIANA lists them.

    Raises
    ------
    ValueError
        If LIANA has no such resource; names the near matches and all resources.

    References
    ----------
    Dimitrov et al. 2022, Nat. Commun. 13, 3224, doi:10.1038/s41467-022-30755-0.
    """
    if name not in liana_names():
        raise TableError(_unknown(name))
    table = liana_table()
    pairs = table.loc[table["resource"] == name, list(SIDES)]
    return pairs.drop_duplicates().reset_index(drop=True)


def liana_pairs(symbols: SymbolTable) -> pd.DataFrame:
    """Pairs of all human resources of LIANA, each once, with renewed symbols: ligand, receptor."""
    table = liana_table()
    pairs = table.loc[table["resource"] != MOUSE, list(SIDES)].drop_duplicates()
    renewed = {side: [renew_text(name, symbols) for name in pairs[side]] for side in SIDES}
    return pd.DataFrame(renewed).drop_duplicates().reset_index(drop=True)


def _unknown(name: str) -> str:
    near = difflib.get_close_matches(name.lower(), liana_names(), n=3)
    hint = f" Near matches: {', '.join(near)}." if near else ""
    return (
        f"LIANA has no resource '{name}'.{hint} It has: {', '.join(liana_names())}. For pairs of "
        "your own give the path of a file that exists"
    )


def in_any_order(name: str) -> str:
    """A complex with its subunits sorted, to compare complexes that are spelled differently."""
    return "_".join(sorted(name.split("_")))


def direction_key(ligand: str, receptor: str) -> Pair:
    """A pair with sorted subunits and in capitals, so that mouse pairs find their human ones."""
    return in_any_order(ligand.upper()), in_any_order(receptor.upper())


def directions(symbols: SymbolTable) -> Counter[Pair]:
    """How many of LIANA's human resources list each pair in this direction.

    Parameters
    ----------
    symbols
        Table by which the symbols of the resources are renewed first.

    Returns
    -------
    Number of resources by `direction_key`; 0 for a pair that none of them lists.
    """
    table = liana_table()
    found: Counter[Pair] = Counter()
    for name in liana_names():
        if name != MOUSE:
            own = table[table["resource"] == name]
            found.update(
                {
                    direction_key(renew_text(ligand, symbols), renew_text(receptor, symbols))
                    for ligand, receptor in zip(own["ligand"], own["receptor"], strict=True)
                }
            )
    return found


def resource_file(name: str, find: Callable[[str], Path]) -> Path | None:
    """File that the config names as the resource, checked; None for a resource of LIANA.

    Cohorts of every species get human symbols, so pairs of other names are refused. They would not
    be noticed later, as the table of interactions adds human pairs.

    Parameters
    ----------
    name
        Value of `interactions.resource`: the name of a resource of LIANA, else a path.
    find
        Where a path of the config is looked for.

    Raises
    ------
    TableError
        If it is neither, if the file has problems (all of them, with their lines), or if most genes
        have Ensembl ids, Entrez numbers, or symbols of mouse or rat.
    """
    if name in liana_names():
        _require_human(name, liana_resource(name))
        return None
    path = find(name)
    if not path.is_file():
        msg = (
            f"the config, interactions.resource: there is no file '{name}', and {_unknown(name)} "
            "(from the folder of the run, or from that of the Snakefile)"
        )
        raise TableError(msg)
    _require_human(name, read_pairs(path)[0])
    return path


def _require_human(name: str, pairs: pd.DataFrame) -> None:
    looks = looks_like({gene for side in SIDES for text in pairs[side] for gene in text.split("_")})
    if not looks.startswith((HUMAN, UNKNOWN)):
        msg = (
            f"the config, interactions.resource: '{name}' has {looks}, but the genes of all "
            "cohorts have human symbols (those of other species get them from their orthologs). "
            "Choose a resource of human genes, such as consensus, or write human symbols"
        )
        raise TableError(msg)


def load_source(name: str, file: str | Path | None = None) -> Source:
    """Read the pairs of a resource of LIANA, or those of a file.

    Parameters
    ----------
    name
        Name of a resource of LIANA; not used if there is a file.
    file
        Tab-separated text, see `read_pairs`.

    Raises
    ------
    TableError
        If LIANA has no such resource, or the file has problems.
    """
    if file is None:
        return Source(name, liana_resource(name))
    pairs, ignored = read_pairs(file)
    if ignored:
        log.info("%s: columns that are not used (%d): %s", file, len(ignored), ", ".join(ignored))
    digest = hashlib.sha256(Path(file).read_bytes()).hexdigest()
    return Source(Path(file).name, pairs, digest, tuple(ignored))


def read_pairs(path: str | Path) -> tuple[pd.DataFrame, list[str]]:
    """Read a file of pairs.

    Parameters
    ----------
    path
        Tab-separated text with the columns ligand and receptor; others are not used. Subunits of a
        complex are joined by '_'. Lines that start with '#' are comments.

    Returns
    -------
    Columns ligand and receptor, one row per line, repeated pairs included; and the names of the
    columns that are not used.

    Raises
    ------
    TableError
        Listing the problems with their lines.
    """
    frame, problems = read_table(path, _SCHEMA)
    for side in SIDES:
        for line, name in frame[side].items():
            problems += [f"line {line}: {side} {problem}" for problem in _name_problems(name)]
    problems += date_problems(frame, SIDES)
    if frame.empty and not problems:
        problems = ["no pair below the header line"]
    if problems:
        raise TableError(told(f"the resource {path}", sorted(problems, key=_line), most=_SHOWN))
    ignored = [str(column) for column in frame.columns if column not in SIDES]
    return frame[list(SIDES)].reset_index(drop=True), ignored


def _name_problems(name: str) -> list[str]:
    if not NAME.match(name):
        found = f"'{name}' is not allowed" if name else "is empty"
        return [f"{found} (gene symbol, or the subunits of a complex joined by '_')"]
    twice = sorted(gene for gene, n in Counter(name.split("_")).items() if n > 1)
    if twice:
        return [f"'{name}' has {', '.join(twice)} more than once; write each subunit once"]
    return []


def _line(problem: str) -> int:
    """Line number that a problem starts with; 0 if it concerns the whole file."""
    first = problem.removeprefix("line ").partition(":")[0]
    return int(first) if first.isdecimal() else 0
