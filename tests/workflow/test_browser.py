"""The report in a real browser: nothing broken, nothing loaded from elsewhere, nothing cut off."""

import shutil

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def browser():
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (chromium and driver):
        pytest.skip("Chromium and ChromeDriver are not installed")
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for word in (
        "headless=new", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run",
        "disable-background-networking", "disable-component-update", "disable-sync",
        "disable-dev-shm-usage",
    ):  # fmt: skip
        options.add_argument(f"--{word}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    session = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    yield session
    session.quit()


@pytest.mark.parametrize("page", ["index.html", "simulated_os.html"])
@pytest.mark.parametrize("width", [390, 1280])
def test_page_in_a_browser(browser, finished, page, width):
    browser.set_window_size(width, 900)
    browser.get((finished.run / "results" / "report" / page).as_uri())
    assert [entry["message"] for entry in browser.get_log("browser")] == []
    loaded = browser.execute_script(
        "return performance.getEntriesByType('resource').map(e => e.name)"
    )
    assert loaded == []
    broken = browser.execute_script(
        "return [...document.images].filter(i => !i.complete || !i.naturalWidth).length"
    )
    assert broken == 0
    # The page itself never scrolls sideways: wide tables scroll in their own box.
    overflow = browser.execute_script(
        "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert overflow <= 0
    empty = browser.execute_script(
        "return [...document.querySelectorAll('figure svg')].filter("
        "s => s.getBoundingClientRect().height < 50).length"
    )
    assert empty == 0


def test_verdicts_can_be_filtered(browser, finished):
    from selenium.webdriver.common.by import By

    browser.set_window_size(1280, 900)
    browser.get((finished.run / "results" / "report" / "index.html").as_uri())
    search = browser.find_element(
        By.CSS_SELECTOR, "[data-for=table-verdicts-body] input[type=search]"
    )
    rows = "return [...document.querySelectorAll('#table-verdicts-body tbody tr')]" \
           ".filter(r => r.offsetParent !== null).length"  # fmt: skip
    assert browser.execute_script(rows) == 101
    search.send_keys("CXCL12")
    assert 0 < browser.execute_script(rows) < 101
