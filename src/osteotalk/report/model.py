"""What a report is made of: pages of sections with figures, tables and caveats.

The model holds values and plain text. Numbers are formatted and text is escaped when it is
rendered, so that the tables offered for download carry the unrounded values.
"""

from collections.abc import Iterator, Mapping
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
    "symbol",
    "sources",
    "page",
    "claim",
    "claims",
]


@dataclass(frozen=True)
class Column:
    """One column of a table: the frame's column, its heading and how to print it.

    ``sort`` names the frame's column to sort by where the printed text would sort badly,
    ``missing`` says what an absent value means, ``wide`` marks running text. ``details`` are
    further values of the row, folded below this one; those that are absent are left out.
    A ``verdict`` is printed with its symbol, a ``symbol`` is the verdict's symbol alone; a ``page``
    leads to the file named in the frame's column ``_page``, a ``claim`` to the panel of a claim,
    ``claims`` to those of several, joined by semicolons.
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
    columns or details by which the reader can choose rows, ``group`` one under whose values the
    rows are put together, ``row_id`` one that names each row for links.
    """

    anchor: str
    frame: pd.DataFrame
    caption: str
    columns: tuple[Column, ...]
    download: str | None = None
    filters: tuple[str, ...] = ()
    collapsed: bool = False
    group: Column | None = None
    row_id: str = ""


@dataclass(frozen=True)
class Figure:
    """A figure: inline SVG, the text that stands for it, caption and the table behind it."""

    anchor: str
    svg: str
    alt: str
    caption: str
    table: str | None = None


@dataclass(frozen=True)
class Interactive:
    """A view that a script draws: plain JSON, what it shows, and a note on how to use it.

    What it shows is on the page without it, in figures and tables.
    """

    anchor: str
    kind: Literal["network"]
    label: str
    data: Mapping[str, object]
    note: str


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
    interactive: Interactive | None = None


@dataclass(frozen=True)
class Copy:
    """A file on disk to put beside the pages: section that offers it, label, path below them."""

    section: str
    label: str
    path: str
    source: str


@dataclass(frozen=True)
class Page:
    """One HTML file: its path, titles, a banner where the data are simulated, sections.

    ``nav`` is its name in the navigation of every page, empty if it is not there; ``links`` are
    labels and files of neighbouring pages; ``copies`` files on disk to put beside it;
    ``warnings`` stand under the banner.
    """

    file: str
    title: str
    lead: tuple[str, ...]
    sections: tuple[Section, ...]
    banner: str | None = None
    nav: str = ""
    links: tuple[tuple[str, str], ...] = ()
    copies: tuple[Copy, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def root(self) -> str:
        """Way from the page to the folder of the report."""
        return "../" * self.file.count("/")

    def tables(self) -> Iterator[Table]:
        """Every table of the page, in order."""
        for section in self.sections:
            yield from section.tables


@dataclass(frozen=True)
class Report:
    """The index, one page per cohort, one panel per claim, and what stands behind them."""

    index: Page
    datasets: tuple[Page, ...]
    claims: tuple[Page, ...] = ()
    background: tuple[Page, ...] = ()

    def pages(self) -> tuple[Page, ...]:
        """Give the index first, then the cohorts, what stands behind them, and the claims."""
        return (self.index, *self.datasets, *self.background, *self.claims)

    def copies(self) -> dict[str, str]:
        """Files to put beside the pages: source on disk by path below the report."""
        return {copy.path: copy.source for page in self.pages() for copy in page.copies}
