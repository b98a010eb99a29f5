"""From the model of a report to HTML pages and the tables beside them."""

import json
import math
import re
from collections.abc import Iterator, Mapping
from importlib.resources import files as package_files
from pathlib import Path
from urllib.parse import quote

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from osteotalk.report.html.svg import standalone
from osteotalk.report.model import Column, Page, Report, Table
from osteotalk.report.words.text import (
    DASH,
    VERDICTS,
    claim_file,
    count,
    number,
    probability,
    share,
    significant,
    verdict,
    words,
)
from osteotalk.visible import defused, visible

TEMPLATES = Path(__file__).parent / "templates"
_CITED = re.compile(r"(doi:10\.\d{4,9}/[^\s,;]+|arXiv:\d{4}\.\d{4,5})")
_DOI = re.compile(r"^(?:doi:)?(10\.\d{4,9}/\S+)$")
_BY_TEXT = {"text", "list", "code", "estimate", "sources", "claim"}
_RANKS = {look.name: place for place, look in enumerate(VERDICTS)}
_UNSAFE = {ord("<"): "\\u003c", ord(">"): "\\u003e", ord("&"): "\\u0026"}


def render(report: Report) -> dict[str, str]:
    """Render a report.

    Parameters
    ----------
    report
        The pages. Names of its copies must not be those of files written here.

    Returns
    -------
    Content by relative path: HTML pages and, under ``assets/``, the tables as TSV, the figures as
    SVG and what draws interactive views. The same report gives the same text. Characters that
    hide or reorder others are written as their codes, whatever they stand in.

    Raises
    ------
    ValueError
        If two pages, tables or figures would be written to the same file.
    """
    template = _environment().get_template("page.html.j2")
    menu = [page for page in report.pages() if page.nav]
    files: dict[str, str] = {}
    for page in report.pages():
        html = template.render(page=page, menu=menu, root=page.root, stem=stem(page))
        _add(files, page.file, visible(re.sub(r"[ \t]+\n", "\n", html)))
        for name, text in downloads(page).items():
            _add(files, name, visible(text))
    if any(section.interactive for page in report.pages() for section in page.sections):
        for name, text in _drawing_scripts().items():
            _add(files, name, text)
    for name in sorted(set(files) & set(report.copies())):
        _add(files, name, "")
    return files


def stem(page: Page) -> str:
    """Prefix of the files that belong to a page: ``claims/C001.html`` has ``claims_C001``."""
    return page.file.removesuffix(".html").replace("/", "_")


def _drawing_scripts() -> dict[str, str]:
    """Scripts of the interactive views, by relative path; plotly's out of its package."""
    plotly = package_files("plotly").joinpath("package_data", "plotly.min.js")
    own = ("network_views.js", "network.js")
    return {
        "assets/plotly.min.js": plotly.read_text(encoding="utf-8"),
        **{f"assets/{name}": (TEMPLATES / name).read_text(encoding="utf-8") for name in own},
    }


def _add(files: dict[str, str], name: str, text: str) -> None:
    if name in files:
        msg = (
            f"the report would write {name} twice; are two cohorts of the same id given, or one "
            "named like a page of the report?"
        )
        raise ValueError(msg)
    files[name] = text


def downloads(page: Page) -> dict[str, str]:
    """Tables of a page as TSV with unrounded values, and its figures as SVG, by relative path.

    An apostrophe stands before what a spreadsheet would compute.
    """
    found: dict[str, str] = {}
    for section in page.sections:
        for figure in section.figures:
            _add(found, f"assets/{stem(page)}_{figure.anchor}.svg", standalone(figure.svg))
    for table in page.tables():
        if table.download:
            kept = [name for name in table.frame if not str(name).startswith("_")]
            frame = _defused(table.frame[kept])
            _add(found, table.download, frame.to_csv(sep="\t", index=False, lineterminator="\n"))
    return found


def _defused(frame: pd.DataFrame) -> pd.DataFrame:
    """The same, where no cell and no heading is a formula."""
    safe = frame.rename(columns=defused)
    for at, (_, column) in enumerate(frame.items()):
        if pd.api.types.is_numeric_dtype(column.dtype):
            continue
        before = column.tolist()
        after = [defused(value) for value in before]
        if any(new is not old for new, old in zip(after, before, strict=True)):
            safe.isetitem(at, after)
    return safe


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


def cell(row: dict[str, object], column: Column, root: str = "") -> Markup:
    """One table cell's content: formatted, escaped, an absent value explained.

    `root` is the way from the page to the folder of the report, for links to other pages.
    """
    value = row.get(column.key)
    if column.kind in {"verdict", "symbol"}:
        return _badge(value, brief=column.kind == "symbol")
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
        return _link(root + words(row.get("_page")), text)
    if column.kind == "claim":
        return _link(f"{root}{claim_file(text)}", text)
    if column.kind == "claims":
        return Markup(", ").join(
            _link(f"{root}{claim_file(part)}", part) for part in text.split(";")
        )
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


def _link(href: str, text: str) -> Markup:
    return Markup('<a href="{}">{}</a>').format(quote(href), text)


def _badge(value: object, *, brief: bool = False) -> Markup:
    """A verdict with its symbol, or `brief` the symbol with the words for screen readers."""
    look = verdict(value)
    words_of = (
        '<span class="verdict brief v-{0}" title="{2}"><span aria-hidden="true">{1}</span>'
        '<span class="vh">{2}</span></span>'
        if brief
        else '<span class="verdict v-{0}"><span class="symbol" aria-hidden="true">{1}</span> {2}'
        "</span>"
    )
    return Markup(words_of).format(_slug(look.name), look.symbol, look.name)


def _slug(name: str) -> str:
    return re.sub(r"[^a-z]+", "-", name.lower()).strip("-") or "unknown"


def sort_key(row: dict[str, object], column: Column) -> str:
    """Value to sort a cell by; empty where it has none, which sorts last."""
    if column.kind in {"verdict", "symbol"} and column.sort is None:
        name = verdict(row.get(column.key)).name
        return str(_RANKS.get(name, len(_RANKS)))
    if column.sort is None and column.kind in _BY_TEXT:
        return ""
    value = row.get(column.sort or column.key)
    parsed = number(value)
    return f"{parsed:.10g}" if math.isfinite(parsed) else words(value)


def details(row: dict[str, object], column: Column, root: str = "") -> list[tuple[str, Markup]]:
    """Labels and contents of the values folded below a cell, without those that are absent."""
    return [
        (item.label, cell(row, item, root))
        for item in column.details
        if _text(row.get(item.key), item) not in {"", DASH}
    ]


def filtered(table: Table) -> list[Column]:
    """Columns and details to filter a table by, in the order of its filters."""
    columns = [*table.columns, *([table.group] if table.group else [])]
    known = {item.key: item for column in columns for item in (*column.details, column)}
    return [known[key] for key in table.filters]


def options(table: Table, key: str) -> list[str]:
    """Distinct values to filter a column by, in order of appearance."""
    return list(dict.fromkeys(text for value in table.frame[key] if (text := words(value))))


def records(frame: pd.DataFrame) -> list[dict[str, object]]:
    """Rows of a frame as mappings."""
    return [{str(key): value for key, value in row.items()} for row in frame.to_dict("records")]


def grouped(
    table: Table, rows: list[dict[str, object]]
) -> Iterator[tuple[str, list[dict[str, object]]]]:
    """Rows under the values of the table's group, in order of appearance; else all under ""."""
    if not table.group or not rows:
        yield "", rows
        return
    key = table.group.key
    for name in options(table, key):
        yield name, [row for row in rows if words(row[key]) == name]
    if rest := [row for row in rows if not words(row[key])]:
        yield DASH, rest


def script_json(data: Mapping[str, object]) -> Markup:
    """JSON for a script element, in which no text can end the element.

    Raises
    ------
    ValueError
        If a number is not finite, which JSON does not know.
    """
    text = json.dumps(_shown(data), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Markup(text.translate(_UNSAFE))


def _shown(value: object) -> object:
    """The same, with every text as a page would show it; a code in JSON would be decoded."""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, Mapping):
        return {_shown(key): _shown(item) for key, item in value.items()}
    return [_shown(item) for item in value] if isinstance(value, list | tuple) else value


def has_missing(table: Table, rows: list[dict[str, object]]) -> bool:
    """Whether a printed cell of the table has no value."""
    return any(
        column.kind not in {"verdict", "symbol"}
        and _text(row.get(column.key), column) in {"", DASH}
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
        "script_json": script_json,
    }
    environment.globals |= {
        "cell": cell,
        "sort_key": sort_key,
        "options": options,
        "details": details,
        "filtered": filtered,
        "grouped": grouped,
        "has_missing": has_missing,
        "style": Markup(
            "".join(
                (TEMPLATES / name).read_text(encoding="utf-8")
                for name in ("style.css", "network.css")
            )
        ),
        "script": Markup((TEMPLATES / "tables.js").read_text(encoding="utf-8")),
    }
    return environment
