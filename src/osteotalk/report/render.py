"""From the model of a report to HTML pages and the tables beside them."""

import math
import re
from pathlib import Path
from urllib.parse import quote

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from osteotalk.report.model import Column, Page, Report, Table
from osteotalk.report.text import (
    DASH,
    count,
    number,
    probability,
    share,
    significant,
    verdict,
    words,
)

TEMPLATES = Path(__file__).parent / "templates"
_CITED = re.compile(r"(doi:10\.\d{4,9}/[^\s,;]+|arXiv:\d{4}\.\d{4,5})")
_DOI = re.compile(r"^(?:doi:)?(10\.\d{4,9}/\S+)$")


def render(report: Report) -> dict[str, str]:
    """Render a report.

    Parameters
    ----------
    report
        Index and cohort pages.

    Returns
    -------
    Content by relative path: HTML pages and, under ``assets/``, the tables as TSV. The same
    report gives the same text.

    Raises
    ------
    ValueError
        If two pages or two tables would be written to the same file.
    """
    environment = _environment()
    pages = report.pages()
    files: dict[str, str] = {}
    for page in pages:
        template = environment.get_template(
            "index.html.j2" if page is report.index else "dataset.html.j2"
        )
        html = template.render(page=page, pages=pages, cohorts=report.datasets)
        _add(files, page.file, re.sub(r"[ \t]+\n", "\n", html))
        for name, text in downloads(page).items():
            _add(files, name, text)
    return files


def _add(files: dict[str, str], name: str, text: str) -> None:
    if name in files:
        msg = f"the report would write {name} twice; are two cohorts of the same id given?"
        raise ValueError(msg)
    files[name] = text


def downloads(page: Page) -> dict[str, str]:
    """Tables of a page as TSV with unrounded values, by relative path."""
    found: dict[str, str] = {}
    for table in page.tables():
        if table.download:
            kept = [name for name in table.frame if not str(name).startswith("_")]
            text = table.frame[kept].to_csv(sep="\t", index=False, lineterminator="\n")
            _add(found, table.download, text)
    return found


def linkify(text: str) -> Markup:
    """Escape text and turn ``doi:10.x/y`` and ``arXiv:n`` into links to doi.org."""
    parts = _CITED.split(text)
    done = [_reference(part) if place % 2 else escape(part) for place, part in enumerate(parts)]
    return Markup("").join(done)


def _reference(cited: str) -> Markup:
    body = cited.rstrip(".)]")
    tail = cited[len(body) :]
    # A DOI may itself hold brackets, as those of The Lancet do.
    while tail.startswith(")") and body.count("(") > body.count(")"):
        body, tail = body + tail[0], tail[1:]
    doi = body.removeprefix("doi:")
    if body.startswith("arXiv:"):
        doi = f"10.48550/{body.replace(':', '.')}"
    return doi_link(doi, body) + escape(tail)


def doi_link(doi: str, label: str) -> Markup:
    """Link to a DOI."""
    return Markup('<a href="https://doi.org/{}">{}</a>').format(quote(doi, safe="/()"), label)


def cell(row: dict[str, object], column: Column) -> Markup:
    """One table cell's content: formatted, escaped, an absent value explained."""
    value = row.get(column.key)
    if column.kind == "verdict":
        return _badge(value)
    text = _text(value, column)
    if text in {"", DASH}:
        return Markup('<span class="na" title="{0}">{1}<span class="vh"> {0}</span></span>').format(
            column.missing, DASH
        )
    if column.kind == "sources":
        links = [_source(part.strip()) for part in text.split(";") if part.strip()]
        return Markup("; ").join(links)
    if column.kind == "list":
        return escape("; ".join(part.strip() for part in text.split(";")))
    if column.kind == "page":
        return Markup('<a href="{}">{}</a>').format(quote(words(row.get("_page"))), text)
    if column.kind == "code":
        return Markup("<code>{}</code>").format(text)
    return escape(text)


def _text(value: object, column: Column) -> str:
    formats = {
        "integer": count,
        "share": share,
        "number": significant,
        "probability": probability,
    }
    formatter = formats.get(column.kind)
    return formatter(value) if formatter else words(value)


def _source(part: str) -> Markup:
    found = _DOI.match(part)
    return doi_link(found.group(1), found.group(1)) if found else escape(part)


def _badge(value: object) -> Markup:
    look = verdict(value)
    return Markup(
        '<span class="verdict v-{}"><span class="symbol" aria-hidden="true">{}</span> {}</span>'
    ).format(_slug(look.name), look.symbol, look.name)


def _slug(name: str) -> str:
    return re.sub(r"[^a-z]+", "-", name.lower()).strip("-") or "unknown"


def sort_key(row: dict[str, object], column: Column) -> str:
    """Value to sort a cell by; empty where it has none, which sorts last."""
    if column.sort is None and column.kind in {
        "text",
        "list",
        "code",
        "estimate",
        "verdict",
        "sources",
    }:
        return ""
    value = row.get(column.sort or column.key)
    parsed = number(value)
    return f"{parsed:.10g}" if math.isfinite(parsed) else words(value)


def details(row: dict[str, object], column: Column) -> list[tuple[str, Markup]]:
    """Labels and contents of the values folded below a cell, without those that are absent."""
    return [
        (item.label, cell(row, item))
        for item in column.details
        if _text(row.get(item.key), item) not in {"", DASH}
    ]


def filtered(table: Table) -> list[Column]:
    """Columns and details to filter a table by, in the order of its filters."""
    known = {item.key: item for column in table.columns for item in (*column.details, column)}
    return [known[key] for key in table.filters]


def options(table: Table, key: str) -> list[str]:
    """Distinct values to filter a column by, in order of appearance."""
    return list(dict.fromkeys(text for value in table.frame[key] if (text := words(value))))


def records(frame: pd.DataFrame) -> list[dict[str, object]]:
    """Rows of a frame as mappings."""
    return [{str(key): value for key, value in row.items()} for row in frame.to_dict("records")]


def has_missing(table: Table, rows: list[dict[str, object]]) -> bool:
    """Whether a printed cell of the table has no value."""
    return any(
        column.kind != "verdict" and _text(row.get(column.key), column) in {"", DASH}
        for row in rows
        for column in table.columns
    )


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "linkify": linkify,
        "records": records,
        "svg": Markup,
        "count": count,
        "words": words,
    }
    environment.globals |= {
        "cell": cell,
        "sort_key": sort_key,
        "options": options,
        "details": details,
        "filtered": filtered,
        "has_missing": has_missing,
        "style": Markup((TEMPLATES / "style.css").read_text(encoding="utf-8")),
        "script": Markup((TEMPLATES / "tables.js").read_text(encoding="utf-8")),
    }
    return environment
