"""Check the cells of a column against a vocabulary, or for what a spreadsheet does to them."""

import re
from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType

import pandas as pd

from osteotalk.tables.model import closest, split

# Symbols that look like days of a month, and how these families are called today.
_MONTHS: Mapping[str, str] = MappingProxyType({"mar": "MARCHF", "sep": "SEPTIN", "dec": "DELEC"})
_MONTH = "jan|feb|mar|apr|may|jun|jul|aug|sept?|oct|nov|dec"
_DATE = re.compile(
    rf"(?P<day>\d{{1,2}})-(?P<month>{_MONTH})(?:-\d{{2,4}})?"
    rf"|(?P<month_first>{_MONTH})-(?P<day_last>\d{{1,4}})"
    r"|(?P<month_only>mar|sep)(?P<day_only>\d{1,2})"
    r"|\d{4}-\d{1,2}-\d{1,2}",
    re.IGNORECASE,
)
# Joins genes to complexes, pairs, lists and quantities (gene:A@population).
_JOINTS = re.compile("[_^;:@]")


def unknown(frame: pd.DataFrame, column: str, known: Sequence[str], home: str) -> list[str]:
    """Cells of a column (items joined by ';') that are not among the known values."""
    return [
        f"line {line}: {not_in(column, item, known, home)}"
        for line, cell in frame[column].items()
        for item in split(cell)
        if item not in known
    ]


def not_in(column: str, item: str, known: Sequence[str], home: str) -> str:
    """Say that an item is not in the table where it should be."""
    return f"{column} '{item}' is not in the table of {home}{closest(item, known)}"


def states(
    frame: pd.DataFrame, columns: Sequence[str], known: Collection[str], what: str
) -> list[str]:
    """Cells that name a state where only a population may stand."""
    return [
        f"line {line}: {column} '{item}' is a state of a population and cannot {what}"
        for column in columns
        for line, cell in frame[column].items()
        for item in split(cell)
        if item in known
    ]


def date_problems(frame: pd.DataFrame, columns: Sequence[str]) -> list[str]:
    """Gene symbols that a spreadsheet turned into a date, such as 2-Sep for SEPT2.

    References
    ----------
    Ziemann et al. 2016, Genome Biol. 17, 177, doi:10.1186/s13059-016-1044-7.
    """
    problems = []
    for column in columns:
        for line, cell in frame[column].items():
            for symbol in _JOINTS.split(cell):
                match = _DATE.fullmatch(symbol)
                if match is None:
                    continue
                month = match["month"] or match["month_first"] or match["month_only"] or ""
                day = match["day"] or match["day_last"] or match["day_only"] or ""
                family = _MONTHS.get(month.lower()[:3])
                hint = f" ({family}{int(day)})" if family else ""
                problems.append(
                    f"line {line}: {column} '{symbol}' looks like a date; did a spreadsheet change "
                    f"a gene symbol{hint}? Write today's symbol in a text editor"
                )
    return problems
