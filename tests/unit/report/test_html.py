"""The form of every page: title, headings, figures, addresses, labels, nothing inside a link."""

import re
from html.parser import HTMLParser
from itertools import pairwise

import pytest

VOID = {"meta", "link", "br", "img", "input", "hr"}
CONTROLS = {"a", "button", "select", "input", "textarea", "summary"}


class Outline(HTMLParser):
    """Headings, figures, elements in order, and what stands inside of what."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.stack: list[tuple[str, dict[str, str | None]]] = []
        self.elements: list[tuple[str, dict[str, str | None], tuple[str, ...]]] = []
        self.texts: dict[str, list[str]] = {}
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        around = tuple(name for name, _ in self.stack)
        self.elements.append((tag, dict(attrs), around))
        self.texts.setdefault(tag, []).append("")
        if tag not in VOID:
            self.stack.append((tag, dict(attrs)))

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs), tuple(name for name, _ in self.stack)))

    def handle_endtag(self, tag):
        assert self.stack.pop()[0] == tag

    def handle_data(self, data):
        for tag, _ in self.stack:
            self.texts[tag][-1] += data

    def named(self, *tags):
        return [(tag, attrs) for tag, attrs, _ in self.elements if tag in tags]


@pytest.fixture
def outlines(simulated):
    files = {name: text for name, text in simulated.files().items() if name.endswith(".html")}
    kinds = {"index.html", "toy.html", "confidence.html", "methods.html", "provenance.html"}
    assert kinds < set(files)
    assert all(name.startswith("claims/") for name in set(files) - kinds)
    return {name: Outline(text) for name, text in files.items()}


def check_head(page):
    assert page.named("html")[0][1]["lang"] == "en"
    assert len(page.texts["title"]) == 1
    assert page.texts["title"][0].endswith("| osteotalk") or "osteotalk" in page.texts["title"][0]
    names = {attrs.get("name") for _, attrs in page.named("meta")}
    assert {"viewport", "color-scheme"} <= names


def check_headings(page):
    levels = [int(tag[1]) for tag, _ in page.named("h1", "h2", "h3", "h4", "h5", "h6")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(now - before <= 1 for before, now in pairwise(levels))
    for level in ("h1", "h2", "h3"):
        assert all(text.strip() for text in page.texts.get(level, []))


def check_landmarks(page):
    for tag in ("main", "header", "footer"):
        assert len(page.named(tag)) == 1
    navigation = [attrs["aria-label"] for _, attrs in page.named("nav")]
    assert len(navigation) == len(set(navigation)) >= 1


def check_figures(page):
    figures = page.texts.get("figure", [])
    captions = page.texts.get("figcaption", [])
    drawings = [
        attrs for tag, attrs, around in page.elements if tag == "svg" and "figure" in around
    ]
    assert len(figures) == len(captions) == len(drawings)
    assert all(len(text.split()) > 8 for text in captions)
    assert all(attrs["role"] == "img" for attrs in drawings)
    assert all(len(attrs["aria-label"]) > 20 for attrs in drawings)
    assert len({attrs["aria-label"] for attrs in drawings}) == len(drawings)


def check_addresses(page):
    for tag, attrs, _ in page.elements:
        for name, value in attrs.items():
            assert not name.startswith("on"), (tag, name)
            if value is None or not re.search(r"^\w+:|//", value) or name in {"class", "style"}:
                continue
            if tag == "a" and name == "href":
                assert value.startswith("https://doi.org/10.")
            elif name in {"href", "src", "xlink:href", "srcset", "data", "action", "poster"}:
                assert value.startswith("data:image/png;base64,"), (tag, name)
    assert not re.search(r"url\(|@import|expression\(", page.texts["style"][0])


def check_names(page):
    ids = [attrs["id"] for _, attrs, _ in page.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    for tag, attrs, around in page.elements:
        if tag in {"select", "input"}:
            assert "label" in around, (tag, attrs)
        if tag in CONTROLS:
            assert not CONTROLS & set(around), (tag, attrs)
        for name in ("aria-labelledby", "data-for"):
            assert attrs.get(name) is None or attrs[name] in ids
        if attrs.get("role") in {"region", "group"} or tag == "aside":
            assert attrs["aria-label"]
        assert attrs.get("tabindex") in {None, "0"}


def check_tables(page):
    assert len(page.texts.get("caption", [])) == len(page.texts.get("table", []))
    assert all(text.strip() for text in page.texts.get("caption", []))
    scopes = {attrs.get("scope") for _, attrs in page.named("th")}
    assert scopes <= {"col", "row", "rowgroup"}


RULES = (
    check_head, check_headings, check_landmarks, check_figures, check_addresses, check_names,
    check_tables,
)  # fmt: skip


def test_every_page_keeps_every_rule(outlines):
    for name, page in outlines.items():
        for rule in RULES:
            try:
                rule(page)
            except AssertionError as error:
                error.add_note(f"{rule.__name__} of {name}")
                raise


def test_no_two_pages_have_the_same_title(outlines):
    titles = [page.texts["title"][0] for page in outlines.values()]
    assert len(titles) == len(set(titles))


def test_rules_find_what_is_wrong():
    page = Outline(
        "<html lang='de'><title>x</title><h1>a</h1><h3>b</h3><p onclick='x()' id='i'></p>"
        "<a href='http://elsewhere.org'><button id='i'></button></a><figure><svg></svg></figure>"
        "<table><tr><th scope='wide'></th></tr></table></html>"
    )
    for rule in RULES:
        with pytest.raises((AssertionError, KeyError)):
            rule(page)
