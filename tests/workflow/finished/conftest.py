"""One run of the workflow to its report, which all tests of this folder read.

With `pytest -n` they all go to one process (pytest_xdist_make_scheduler in tests/conftest.py), so
that there is one such run.
"""

import base64
import json
import shutil
import time
from pathlib import Path

import pandas as pd
import pytest


@pytest.fixture(scope="session")
def finished(simulated):
    """The reduced simulated cohort, run to the report once for all tests that read it."""
    simulated.snakemake(config=simulated.small)
    return simulated


class Browser:
    """Headless Chromium, cut off from the network, on the files of one report."""

    def __init__(self, session, report: Path) -> None:
        self.session = session
        self.report = report
        self.pages = kinds_of_pages(report)
        session.set_script_timeout(300)
        self.tell("Network.enable")
        self.tell(
            "Network.emulateNetworkConditions", offline=True, latency=0, downloadThroughput=0,
            uploadThroughput=0,
        )  # fmt: skip

    def tell(self, command, **parameters):
        """Send a command of the DevTools protocol."""
        return self.session.execute_cdp_cmd(command, parameters)

    def open(self, place, *, width=1280, scheme="light"):
        """Open a page afresh: a kind of page or a file, with or without an anchor."""
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self.tell("Emulation.setDeviceMetricsOverride", **size)
        wanted = [{"name": "prefers-color-scheme", "value": scheme}]
        self.tell("Emulation.setEmulatedMedia", features=wanted)
        self.session.get("about:blank")
        self.messages()
        self.requests()
        file, mark, anchor = place.partition("#")
        path = self.report / self.pages.get(file, file)
        self.session.get(path.as_uri() + mark + anchor)
        self.until(
            "location.href === arguments[0] && document.readyState === 'complete'",
            path.as_uri() + mark + anchor,
        )

    def run(self, script, *values):
        """Give the value of a JavaScript expression of `arguments`."""
        return self.session.execute_script(f"return {script}", *values)

    def until(self, script, *values):
        """Wait until a JavaScript expression holds, and give it."""
        for _ in range(200):
            if found := self.run(script, *values):
                return found
            time.sleep(0.05)
        msg = f"never came true: {script}"
        raise AssertionError(msg)

    def element(self, selector):
        return self.session.find_element("css selector", selector)

    def texts(self, selector):
        """Texts of elements, hidden or not, with single spaces."""
        found = "[...document.querySelectorAll(arguments[0])].map(e => e.textContent)"
        return [" ".join(text.split()) for text in self.run(found, selector)]

    def messages(self):
        """Give what the console says, of any level."""
        return [entry["message"] for entry in self.session.get_log("browser")]

    def requests(self):
        """Addresses asked for since the last call, but for those that hold the data themselves."""
        told = [json.loads(e["message"])["message"] for e in self.session.get_log("performance")]
        sent = [e["params"] for e in told if e["method"] == "Network.requestWillBeSent"]
        urls = [event["request"]["url"] for event in sent]
        return [url for url in urls if not url.startswith(("data:", "about:"))]

    def pdf(self):
        printed = self.tell("Page.printToPDF", preferCSSPageSize=True)
        return base64.b64decode(printed["data"])


def kinds_of_pages(report):
    """One file of each kind of page, by kind."""
    verdicts = pd.read_csv(report.parent / "claims" / "verdicts.tsv", sep="\t", dtype=str)
    untestable = verdicts["verdict"] == "not testable"
    contrast = verdicts["contrast"].notna() & ~untestable
    plain = (verdicts["kind"] == "interaction") & ~contrast & ~untestable
    claims = {"interaction": plain, "contrast": contrast, "untestable": untestable}
    first = {name: verdicts.loc[rows, "claim_id"].iloc[0] for name, rows in claims.items()}
    names = {"cohort": "simulated_os"}
    names |= {name: name for name in ("index", "confidence", "methods", "provenance")}
    names |= {name: f"claims/{claim}" for name, claim in first.items()}
    return {name: f"{file}.html" for name, file in names.items()}


@pytest.fixture(scope="session")
def browser(finished):
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
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    session = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    yield Browser(session, finished.run / "results" / "report")
    session.quit()
