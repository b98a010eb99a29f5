"""What the tables of `config/` are, and words to speak of their cells."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

NAMES = (
    "datasets",
    "samples",
    "files",
    "populations",
    "markers",
    "labels",
    "interactions",
    "claims",
    "signatures",
    "therapies",
    "published",
    "routes",
    "simulation_populations",
    "simulation_edges",
    "simulation_genes",
)
# A sample comes as a 10x triplet, or as one file of another kind.
TRIPLET = ("matrix", "barcodes", "features")
SINGLE = ("h5", "h5ad", "table", "archive")
RETIRED = "retired"


class TableError(ValueError):
    """One or more tables, or the config, break a rule; the message lists every case."""


@dataclass(frozen=True)
class Tables:
    """The checked tables; frames of text whose index is the line number in the file.

    `samples` and `files` hold what is in use; `retired` are the samples with that status.
    """

    datasets: pd.DataFrame
    samples: pd.DataFrame
    files: pd.DataFrame
    populations: pd.DataFrame
    markers: pd.DataFrame
    labels: pd.DataFrame
    interactions: pd.DataFrame
    claims: pd.DataFrame
    signatures: pd.DataFrame
    therapies: pd.DataFrame
    published: pd.DataFrame
    routes: pd.DataFrame
    simulation_populations: pd.DataFrame
    simulation_edges: pd.DataFrame
    simulation_genes: pd.DataFrame
    retired: pd.DataFrame


def split(cell: str) -> list[str]:
    """Items of a cell that holds several, joined by ';'."""
    return [item for item in cell.split(";") if item]


def leaves(populations: pd.DataFrame, population: str) -> list[str]:
    """Fine populations that `population` stands for: itself, or all below it, in table order.

    States are no populations of their own.
    """
    children = _children(populations)
    return [name for name in within(populations, population) if name not in children]


def within(populations: pd.DataFrame, population: str) -> list[str]:
    """Names that cells of `population` may carry: its own and all below it, without states.

    Its own too where it has populations below it: cells that could be told no finer carry it.
    """
    children = _children(populations)

    def named(name: str) -> list[str]:
        return [name, *(each for child in children.get(name, []) for each in named(child))]

    return named(population)


def _children(populations: pd.DataFrame) -> dict[str, list[str]]:
    """Populations below each, in table order, without states."""
    found: dict[str, list[str]] = {}
    columns = (populations[name] for name in ("population", "parent", "level"))
    for name, parent, level in zip(*columns, strict=True):
        if level != "state":
            found.setdefault(parent, []).append(name)
    return found


def above(populations: pd.DataFrame, population: str) -> list[str]:
    """Ancestors of a population, from its parent to the top; none for an unknown one."""
    parent = dict(zip(populations["population"], populations["parent"], strict=True))
    line = []
    while population := parent.get(population, ""):
        line.append(population)
    return line


def closest(word: str, known: Iterable[str]) -> str:
    """A hint naming the known word most like `word`, or the known words if there are few."""
    known = [k for k in known if k]
    small = {k.lower(): k for k in reversed(known)}
    match = difflib.get_close_matches(word.lower(), small, n=1)
    if match:
        return f"; closest: '{small[match[0]]}'"
    return f"; known: {', '.join(known)}" if 0 < len(known) <= 12 else ""


def told(where: str, problems: Sequence[str], *, most: int | None = None) -> str:
    """Say how many problems there are, and list them or the first of them."""
    n = len(problems)
    lines = [f"{where} has {n} problem{'' if n == 1 else 's'}:", *problems[:most]]
    if most is not None and n > most:
        lines.append(f"and {n - most} more")
    return "\n  ".join(lines)


def raise_problems(problems: Mapping[str, Sequence[str]], places: Mapping[str, object]) -> None:
    """Raise if there are problems.

    Parameters
    ----------
    problems
        Of each table, by its name.
    places
        What each table is called in the message, such as its file.

    Raises
    ------
    TableError
        Listing all problems, by table.
    """
    report = [told(str(places[name]), found) for name, found in problems.items() if found]
    if report:
        raise TableError("\n".join(report))
