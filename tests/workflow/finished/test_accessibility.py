"""What axe-core finds in the pages, and what a keyboard reaches."""

import importlib.util
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

KINDS = (
    "index", "cohort", "interaction", "contrast", "untestable", "confidence", "methods",
    "provenance",
)  # fmt: skip
WINDOWS = [(1280, "light"), (1280, "dark"), (390, "light")]
FIND = """const done = arguments[arguments.length - 1];
axe.run(document, { resultTypes: ["violations"] })
  .then(found => done(found.violations.map(one => ({
    rule: one.id, impact: one.impact, nodes: one.nodes.slice(0, 5).map(n => n.failureSummary +
      " " + n.html.slice(0, 300)) }))), error => done(String(error)));"""

# A drawing is one image with a text for those who cannot see it, and rows of a table are alike:
# without the parts and the rows after the fortieth axe takes seconds, not minutes.
SHORTEN = """[
  document.querySelectorAll('figure svg').forEach(svg => svg.replaceChildren()),
  document.querySelectorAll('tbody tr:nth-child(n + 41)').forEach(row => row.remove()),
]"""


@pytest.fixture(scope="module")
def axe():
    """Source of axe-core."""
    package = importlib.util.find_spec("axe_playwright_python")
    if package is None:
        pytest.skip("axe-playwright-python, which brings axe-core, is not installed")
    return (Path(package.origin).parent / "axe.min.js").read_text(encoding="utf-8")


@pytest.mark.parametrize(("width", "scheme"), WINDOWS)
@pytest.mark.parametrize("kind", KINDS)
def test_axe_finds_nothing(browser, axe, kind, width, scheme):
    browser.open(kind, width=width, scheme=scheme)
    if kind == "cohort":
        browser.run("document.querySelector('.interactive').scrollIntoView()")
        browser.until("document.querySelector('.network-plot svg')")
    browser.run(SHORTEN)
    browser.session.execute_script(axe)
    assert browser.session.execute_async_script(FIND) == []


def test_axe_finds_what_is_wrong(browser, axe):
    browser.open("provenance")
    browser.session.execute_script(
        "document.querySelector('h1').style.color = '#eeeeee';"
        "document.querySelector('main').appendChild(document.createElement('button'));"
    )
    browser.session.execute_script(axe)
    found = {one["rule"]: one["impact"] for one in browser.session.execute_async_script(FIND)}
    assert found == {"color-contrast": "serious", "button-name": "critical"}


def test_first_tab_skips_to_the_content(browser):
    from selenium.webdriver import ActionChains, Keys

    browser.open("index")
    ActionChains(browser.session).send_keys(Keys.TAB).perform()
    assert browser.run("document.activeElement.className") == "skip"
    assert browser.run("document.activeElement.getBoundingClientRect().left") >= 0
    ActionChains(browser.session).send_keys(Keys.ENTER).perform()
    assert browser.until("location.hash === '#main'")


def test_no_motion_and_no_time_limits(browser):
    browser.open("index")
    assert browser.run("document.getAnimations().length") == 0
    assert browser.run("getComputedStyle(document.documentElement).scrollBehavior") == "auto"
