"""What a report is made of: pages of sections with figures, tables and caveats.

The model holds values and plain text. Numbers are formatted and text is escaped when it is
rendered, so that the tables offered for download carry the unrounded values.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import pandas as pd

Kind = Literal[
    "text",
    "list",
    "code",
    "estimate",
    "result",
    "integer",
    "share",
    "number",
    "probability",
    "verdict",
    "sources",
    "page",
]


@dataclass(frozen=True)
class Column:
    """One column of a table: the frame's column, its heading and how to print it.

    ``sort`` names the frame's column to sort by where the printed text would sort badly,
    ``missing`` says what an absent value means, ``wide`` marks running text. ``details`` are
    further values of the row, folded below this one; those that are absent are left out.
    """

    key: str
    label: str
    kind: Kind = "text"
    sort: str | None = None
    missing: str = "no value"
    wide: bool = False
    details: tuple["Column", ...] = ()


@dataclass(frozen=True)
class Table:
    """A table: values, caption, the columns to print and the file to download it from.

    Columns of the frame that are not listed are in the download only; those whose name starts
    with an underscore serve printing, sorting and linking and are not in it. ``filters`` names
    columns or details by which the reader can choose rows.
    """

    anchor: str
    frame: pd.DataFrame
    caption: str
    columns: tuple[Column, ...]
    download: str | None = None
    filters: tuple[str, ...] = ()
    collapsed: bool = False


@dataclass(frozen=True)
class Figure:
    """A figure: inline SVG, the text that stands for it, caption and the table behind it."""

    anchor: str
    svg: str
    alt: str
    caption: str
    table: str | None = None


@dataclass(frozen=True)
class Section:
    """A section: the question it answers, prose, definitions, figures, tables, caveats."""

    anchor: str
    title: str
    question: str
    body: tuple[str, ...] = ()
    definitions: tuple[tuple[str, str], ...] = ()
    figures: tuple[Figure, ...] = ()
    tables: tuple[Table, ...] = ()
    caveats: tuple[str, ...] = ()
    verbatim: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Page:
    """One HTML file: its name, titles, a banner where the data are simulated, sections."""

    file: str
    title: str
    lead: tuple[str, ...]
    sections: tuple[Section, ...]
    banner: str | None = None

    def tables(self) -> Iterator[Table]:
        """Every table of the page, in order."""
        for section in self.sections:
            yield from section.tables


@dataclass(frozen=True)
class Report:
    """The index and one page per cohort."""

    index: Page
    datasets: tuple[Page, ...]

    def pages(self) -> tuple[Page, ...]:
        """Give the index first, then the cohorts."""
        return (self.index, *self.datasets)
