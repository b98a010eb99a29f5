"""Sorting, filtering, searching and grouping of the table of verdicts, in a real browser."""

import pandas as pd
import pytest

pytestmark = pytest.mark.slow

TABLE = "document.getElementById('table-verdicts-body')"
TOOLS = "[data-for=table-verdicts-body]"
SHOWN = (
    f"[...{TABLE}.querySelectorAll('tbody tr:not(.group)')]"
    ".filter(row => row.offsetParent !== null).map(row => row.cells[0].textContent.trim())"
)
TITLES = (
    f"[...{TABLE}.querySelectorAll('tr.group')]"
    ".filter(row => row.offsetParent !== null).map(row => row.textContent.trim())"
)


@pytest.fixture
def index(browser):
    browser.open("index")
    return browser


@pytest.fixture(scope="module")
def verdicts(finished):
    path = finished.run / "results" / "claims" / "verdicts.tsv"
    return pd.read_csv(path, sep="\t").set_index("claim_id")


def head(browser, label):
    """Heading of a column: its sort order, after a click if it is not to be looked at only."""
    found = f"[...{TABLE}.tHead.rows[0].cells].find(c => c.textContent.startsWith(arguments[0]))"
    browser.run(f"{found}.querySelector('button').click()", label)
    return browser.run(f"{found}.ariaSort", label)


def select(browser, label, value):
    """Choose a value by keyboard; without one the first, "all"."""
    from selenium.webdriver import Keys

    boxes = browser.session.find_elements("css selector", f"{TOOLS} label")
    box = next(box for box in boxes if box.text.startswith(label))
    box.find_element("css selector", "select").send_keys(value or Keys.HOME)


def search(browser, text):
    field = browser.element(f"{TOOLS} input[type=search]")
    field.clear()
    field.send_keys(text)


def test_numbers_are_sorted_as_numbers_and_absent_ones_come_last(index, verdicts):
    assert head(index, "Decoy q") == "ascending"
    rows = index.run(SHOWN)
    assert sorted(rows) == sorted(verdicts.index)
    known = verdicts["decoy_q"].notna().sum()
    assert 0 < known < len(verdicts)
    up = verdicts.loc[rows, "decoy_q"]
    assert up.iloc[:known].is_monotonic_increasing
    assert up.iloc[known:].isna().all()
    assert index.run(TITLES) == []
    assert head(index, "Decoy q") == "descending"
    down = verdicts.loc[index.run(SHOWN), "decoy_q"]
    assert down.iloc[:known].is_monotonic_decreasing
    assert down.iloc[known:].isna().all()
    assert index.messages() == []


def test_verdicts_are_sorted_by_rank_and_ids_by_name(index, verdicts):
    head(index, "Verdict")
    order = list(dict.fromkeys(verdicts.loc[index.run(SHOWN), "verdict"]))
    ranks = [
        "supported", "present, not specific", "partly", "not supported", "contradicted",
        "inconclusive", "not testable",
    ]  # fmt: skip
    assert order == [name for name in ranks if name in order]
    assert len(order) == verdicts["verdict"].nunique()
    head(index, "Claim")
    assert index.run(SHOWN) == sorted(verdicts.index)


def test_back_to_groups_restores_the_order(index):
    before, titles = index.run(SHOWN), index.run(TITLES)
    assert len(titles) > 3
    head(index, "Result")
    assert index.run(SHOWN) != before
    index.element(f"{TOOLS} [data-regroup]").click()
    assert index.run(SHOWN) == before
    assert index.run(TITLES) == titles
    assert index.run(f"{TABLE}.querySelectorAll('[aria-sort]').length") == 0


def test_filters_combine_and_empty_groups_lose_their_title(index, verdicts):
    titles = index.run(TITLES)
    select(index, "Verdict", "not testable")
    wanted = set(verdicts.index[verdicts["verdict"] == "not testable"])
    assert set(index.run(SHOWN)) == wanted
    assert index.texts(f"{TOOLS} output") == [f"{len(wanted)} of {len(verdicts)} rows shown"]
    left = index.run(TITLES)
    assert 0 < len(left) < len(titles)
    select(index, "Theme", left[0])
    within = set(index.run(SHOWN))
    assert within
    assert within <= wanted
    assert index.run(TITLES) == left[:1]
    # A sorted table has no titles, filtered or not.
    head(index, "Claim")
    assert index.run(TITLES) == []
    select(index, "Theme", "")
    assert set(index.run(SHOWN)) == wanted
    assert index.run(TITLES) == []


def test_search_finds_words_of_any_column(index, verdicts):
    statements = "Object.fromEntries([...document.querySelectorAll('[id^=row-]')].map(row => " + (
        "[row.id.slice(4), row.textContent.toLowerCase()]))"
    )
    texts = index.run(statements)
    search(index, "CXCL12")
    wanted = {claim for claim, text in texts.items() if "cxcl12" in text}
    assert set(index.run(SHOWN)) == wanted
    assert 0 < len(wanted) < len(verdicts)
    search(index, "no such word")
    assert index.run(SHOWN) == []
    assert index.run(TITLES) == []
    assert index.texts(f"{TOOLS} output") == [f"0 of {len(verdicts)} rows shown"]


def test_tables_work_by_keyboard(index):
    from selenium.webdriver import Keys

    button = index.element("#table-verdicts-body thead th:first-child button")
    button.send_keys(Keys.ENTER)
    assert index.run(f"{TABLE}.tHead.rows[0].cells[0].ariaSort") == "ascending"
    assert index.run("document.activeElement.tagName") == "BUTTON"
    outline = index.run("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
