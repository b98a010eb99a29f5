"""The pictures of README, from the report of the embedded simulated cohort.

    snakemake --cores 2
    python docs/make_images.py results/report

Headless Chromium opens the panel of a claim and the network of the cohort, leaves out what would
not be read at this size (links, tables, long notes), and photographs the top of the page with the
banner that says that the data are simulated. It needs selenium, Chromium and its driver.
"""

import base64
import shutil
import sys
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.support.wait import WebDriverWait

IMAGES = Path(__file__).parent / "images"
CLAIM = "C069"  # PD-L1 and PD-1, which README names
NETWORK = "simulated_os.html#network?theme=immune"
WIDTH = 900
SCALE = 1.25

# Hide elements, and give the height of the page down to the end of one.
CROP = """
document.querySelectorAll(arguments[0]).forEach((node) => { node.style.display = 'none'; });
window.scrollTo(0, 0);
return Math.ceil(document.querySelector(arguments[1]).getBoundingClientRect().bottom) + 16;
"""


def start() -> webdriver.Chrome:
    """Headless Chromium."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for word in ("headless=new", "no-sandbox", "disable-gpu", "disable-dev-shm-usage"):
        options.add_argument(f"--{word}")
    return webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))


def photograph(
    browser: webdriver.Chrome, address: str, file: Path, *, hide: str, last: str, ready: str
) -> None:
    """Write a picture of the top of a page.

    Parameters
    ----------
    browser
        Headless Chromium.
    address
        The page.
    file
        PNG file to write.
    hide
        CSS selectors, joined by commas, of what is left out.
    last
        CSS selector of the element with which the picture ends.
    ready
        CSS selector of an element that is there once the page is drawn.
    """
    size = {"width": WIDTH, "height": 1200, "deviceScaleFactor": SCALE, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.get(address)
    WebDriverWait(browser, 60).until(lambda b: b.find_elements("css selector", ready))
    height = browser.execute_script(CROP, hide, last)
    clip = {"x": 0, "y": 0, "width": WIDTH, "height": height, "scale": 1}
    picture = browser.execute_cdp_cmd(
        "Page.captureScreenshot", {"clip": clip, "captureBeyondViewport": True}
    )
    file.write_bytes(base64.b64decode(picture["data"]))


def main(report: Path, images: Path = IMAGES, *, claim: str = CLAIM) -> None:
    """Write both pictures of a report into a folder."""
    folder = report.resolve().as_uri()
    browser = start()
    try:
        photograph(
            browser,
            f"{folder}/claims/{claim}.html",
            images / "verdict.png",
            hide="nav, .question, #verdict .table, #verdict dl > :nth-child(n + 3), figcaption",
            last="#figure-patients",
            ready="#figure-patients svg",
        )
        photograph(
            browser,
            f"{folder}/{NETWORK}",
            images / "network.png",
            hide="nav, h1, h1 ~ p, section:not(#network), #network > p, .caveats, .note",
            last=".network-plot",
            ready=".network-plot svg",
        )
    finally:
        browser.quit()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
