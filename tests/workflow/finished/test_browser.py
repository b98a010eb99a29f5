"""The report in a real browser: nothing broken, nothing from elsewhere, nothing cut off."""

import re

import pandas as pd
import pytest

pytestmark = pytest.mark.slow

KINDS = (
    "index", "cohort", "interaction", "contrast", "untestable", "confidence", "methods",
    "provenance",
)  # fmt: skip
EMPTY_FIGURES = """[...document.querySelectorAll('figure svg')].filter(function (svg) {
  const box = svg.getBoundingClientRect();
  return box.height < 50 || box.width < 50 || !svg.querySelector('path, use, image, rect');
}).length"""
# Where an element lies in the part of the window that no banner covers.
IN_VIEW = """(function (target) {
  const box = target.getBoundingClientRect();
  const banner = document.querySelector('.banner').getBoundingClientRect();
  return box.height > 0 && box.top >= banner.bottom - 1 && box.top < window.innerHeight;
})(document.getElementById(arguments[0]))"""


@pytest.fixture(scope="module")
def verdicts(finished):
    path = finished.run / "results" / "claims" / "verdicts.tsv"
    return pd.read_csv(path, sep="\t").set_index("claim_id")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280, 1800])
@pytest.mark.parametrize("kind", KINDS)
def test_page_in_a_browser(browser, kind, width, scheme):
    browser.open(kind, width=width, scheme=scheme)
    if kind == "cohort":
        browser.run("document.querySelector('.interactive').scrollIntoView()")
        browser.until("document.querySelector('.network-plot svg')")
    assert browser.messages() == []
    scripts = ("network_views.js", "network.js", "plotly.min.js") if kind == "cohort" else ()
    files = [browser.pages[kind], *(f"assets/{name}" for name in scripts)]
    assert browser.requests() == [f"{browser.report.as_uri()}/{file}" for file in files]
    assert browser.run("window.innerWidth") == width
    broken = "[...document.images].filter(i => !i.complete || !i.naturalWidth).length"
    assert browser.run(broken) == 0
    # The page itself never scrolls sideways: what is wide scrolls in its own box.
    assert browser.run("document.documentElement.scrollWidth") <= width
    assert browser.run(EMPTY_FIGURES) == 0
    paper = browser.run("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", paper))) > 600) == (scheme == "light")


def test_anchor_of_a_claim_leads_to_its_row(browser):
    browser.open("index.html#row-C010")
    assert browser.until(IN_VIEW, "row-C010")
    assert browser.run("scrollY") > 1000
    browser.run("document.querySelector('#row-C010 a').click()")
    browser.until("location.pathname.endsWith('/claims/C010.html')")
    assert browser.texts("h1")[0].startswith("C010: ")
    browser.run("document.querySelector('nav a[href$=\"#row-C010\"]').click()")
    browser.until("location.pathname.endsWith('/index.html')")
    assert browser.until(IN_VIEW, "row-C010")
    assert browser.messages() == []


def test_neighbours_of_a_claim_follow_the_table(browser, verdicts):
    browser.open("claims/C010.html")
    assert browser.texts("[aria-label='Neighbouring pages'] a") == [
        "← C009", "In the table of all claims", "C011 →",
    ]  # fmt: skip
    browser.run("[...document.querySelectorAll('nav a')].find(a => /→/.test(a.text)).click()")
    browser.until("location.pathname.endsWith('/claims/C011.html')")
    browser.session.back()
    browser.until("location.pathname.endsWith('/claims/C010.html')")
    browser.open(f"claims/{verdicts.index[0]}.html")
    assert len(browser.texts("[aria-label='Neighbouring pages'] a")) == 2
    browser.open(f"claims/{verdicts.index[-1]}.html")
    assert len(browser.texts("[aria-label='Neighbouring pages'] a")) == 2


def test_link_to_a_folded_table_opens_it(browser):
    browser.open("cohort")
    folded = "[...document.querySelectorAll('figcaption a[href^=\"#\"]')].map(a => a.hash.slice(1))"
    names = browser.run(folded + ".filter(i => document.querySelector(`#${i} > details`))")
    assert names
    assert browser.run("document.querySelector(`#${arguments[0]} > details`).open", names[0]) is (
        False
    )
    browser.run("document.querySelector(`figcaption a[href='#${arguments[0]}']`).click()", names[0])
    assert browser.until("document.querySelector(`#${arguments[0]} > details`).open", names[0])
    assert browser.until(IN_VIEW, names[0])


def test_everything_is_there_without_scripts(browser, verdicts):
    browser.tell("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.open("index")
        rows = browser.run(
            """[...document.querySelectorAll('#table-verdicts-body tbody tr:not(.group)')]
            .filter(row => row.getBoundingClientRect().height > 0)
            .map(row => [...row.cells].map(cell => cell.innerText.trim()))"""
        )
        assert sorted(row[0] for row in rows) == sorted(verdicts.index)
        for claim, _, verdict, *_, reason in rows:
            assert verdict.endswith(verdicts.loc[claim, "verdict"])
            assert reason == verdicts.loc[claim, "reason"]
        assert len(browser.texts("#table-verdicts-body thead button")) == 0
        for kind in KINDS:
            browser.open(kind)
            assert browser.run(EMPTY_FIGURES) == 0
            shown = "[...document.querySelectorAll('.tools, .interactive')].filter(e => "
            assert browser.run(shown + "e.getBoundingClientRect().height > 0).length") == 0
            assert len(browser.texts("h2")) > 0
        browser.open("cohort")
        assert len(browser.texts("figure > .card")) > 10
    finally:
        browser.tell("Emulation.setScriptExecutionDisabled", value=False)


def test_print_holds_every_claim(browser, verdicts):
    browser.open("index")
    printed = browser.pdf()
    assert printed.startswith(b"%PDF-")
    assert 10 < len(re.findall(rb"/Type\s*/Page\b", printed)) < 60
    linked = {name.decode() for name in re.findall(rb"/claims/(\w+)\.html", printed)}
    assert linked == set(verdicts.index)


PLOT = "document.querySelector('.network-plot')"
COUNTED = r"Number(document.querySelector('.network-words').textContent.match(/^[\d,]+/)[0]" + (
    ".replaceAll(',', ''))"
)


def choose(browser, label, value):
    """Choose a value of one of the network's controls, as a reader does."""
    browser.run(
        """(function (label, value) {
          const box = [...document.querySelectorAll('.network-controls label')]
            .find(one => one.textContent.startsWith(label));
          const select = box.querySelector('select');
          select.value = value;
          select.dispatchEvent(new Event('input', { bubbles: true }));
          select.dispatchEvent(new Event('change', { bubbles: true }));
        })(...arguments)""",
        label,
        value,
    )


def expected_flows(data, population=None, routes=None, claim=None):
    """Edges by pair of populations at the initial support, counted from the page's data."""
    level = data["supports"].index(data["min_support"])
    people = [person["id"] for person in data["populations"]]
    rows = data["rows"]
    if claim:
        rows = next(one["rows"] for one in data["claims"] if one["id"] == claim)
    flows = {}
    for source, target, route, lowest, *counts in rows:
        edges = sum(n for place, n in enumerate(counts, start=lowest) if place >= level)
        apart = population not in (None, people[source], people[target])
        if edges and not apart and (routes is None or data["routes"][route] in routes):
            flows[source, target] = flows.get((source, target), 0) + edges
    return flows


def drawn(browser):
    """Edges named in words, arrows and rings drawn, and rows of the table."""
    browser.until(f"{PLOT}.layout")
    return (
        browser.run(COUNTED),
        browser.run(f"{PLOT}.layout.shapes.filter(shape => shape.type !== 'line').length"),
        len(browser.texts(".interactive tbody tr")),
    )


def as_drawn(flows):
    return sum(flows.values()), min(len(flows), 200), min(len(flows), 10)


def test_network_shows_what_is_chosen(browser):
    browser.open("cohort#network")
    browser.run("document.querySelector('.interactive').scrollIntoView()")
    data = browser.run("JSON.parse(document.querySelector('.interactive script').textContent)")
    assert drawn(browser) == as_drawn(expected_flows(data))
    assert browser.run("document.querySelector('.network-words').ariaLive") == "polite"
    choose(browser, "Population", "tam")
    chosen = as_drawn(expected_flows(data, population="tam"))
    assert drawn(browser) == chosen
    assert chosen < as_drawn(expected_flows(data))
    assert browser.run("location.hash") == "#network?population=tam"
    browser.run("document.querySelectorAll('.network-controls input[type=checkbox]')[0].click()")
    kept = data["routes"][1:]
    fewer = as_drawn(expected_flows(data, population="tam", routes=kept))
    assert drawn(browser) == fewer < chosen
    words = browser.texts(".network-words")
    address = browser.run("location.hash")
    # The address restores the choice, in another window too.
    browser.open("cohort" + address)
    assert browser.texts(".network-words") == words
    assert drawn(browser) == fewer
    choose(browser, "View", "sankey")
    assert browser.until(f"{PLOT}.querySelectorAll('.sankey-link').length") == fewer[1]
    browser.run("[...document.querySelectorAll('.network-controls button')].at(-1).click()")
    assert browser.until(f"{PLOT}.querySelector('.cartesianlayer')")
    assert drawn(browser) == as_drawn(expected_flows(data))
    assert browser.messages() == []


def test_network_of_a_claim_and_by_a_click_on_a_node(browser):
    from selenium.webdriver import ActionChains

    browser.open("cohort#network?claim=C010")
    data = browser.run("JSON.parse(document.querySelector('.interactive script').textContent)")
    assert drawn(browser) == as_drawn(expected_flows(data, claim="C010"))
    browser.open("cohort#network?view=network")
    browser.until(f"{PLOT}.querySelector('.scatterlayer .trace:nth-child(3) .point')")
    browser.run(f"{PLOT}.scrollIntoView({{ block: 'center' }})")
    nodes = browser.session.find_elements("css selector", ".network-plot .trace:nth-child(3) path")
    assert len(nodes) == len(data["populations"])
    flows = expected_flows(data)
    busy, _ = max(flows, key=flows.get)
    ActionChains(browser.session).move_to_element(nodes[busy]).pause(0.3).click().perform()
    name = data["populations"][busy]["id"]
    browser.until("location.hash === arguments[0]", f"#network?population={name}")
    assert drawn(browser) == as_drawn(expected_flows(data, population=name))


def test_what_would_leave_the_page_is_seen(browser):
    browser.open("provenance")
    browser.session.execute_script(
        "document.addEventListener('securitypolicyviolation', () => { window.refused = true; });"
        "document.body.appendChild(new Image()).src = 'https://doi.org/x.png';"
    )
    browser.until("window.refused")
    assert "Content Security Policy" in " ".join(browser.messages())
