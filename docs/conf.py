"""The site of the documentation: `sphinx-build -W --keep-going -n docs docs/_build`.

Nothing is loaded from a network, neither while it is built nor by the built pages. README.md,
CONTRIBUTING.md, CHANGELOG.md and config/README.md are read where they lie: their pages here are
one `include` each, and links between files of the repository become links between pages.
"""

import re
import tomllib
from os.path import relpath
from pathlib import Path

from sphinx.application import Sphinx

DOCS = Path(__file__).parent
ROOT = DOCS.parent
# Files of the repository that are pages of the site.
PAGES = {
    "README.md": "index.md",
    "config/README.md": "config.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
}

project = "osteotalk"
release = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
html_title = f"osteotalk {release}"

extensions = ["myst_parser"]
exclude_patterns = ["_build"]
myst_heading_anchors = 4
smartquotes = False  # two hyphens of an option stay two hyphens
html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["tables.css"]
html_copy_source = False
html_show_copyright = False


def page_link(target: str, folder: Path) -> str:
    """Link of a page to a file of the repository that a file in `folder` links to."""
    path, mark, anchor = target.partition("#")
    if not path or re.match(r"\w+:", path):
        return target
    file = (folder / path).resolve().relative_to(ROOT).as_posix()
    return PAGES.get(file, relpath(ROOT / file, DOCS)) + mark + anchor


def read_text(text: str, folder: Path) -> str:
    """Text of a page with what it includes, its links told from the folder of the site."""

    def included(match: re.Match) -> str:
        path = (folder / match[1]).resolve()
        return read_text(path.read_text(encoding="utf-8"), path.parent)

    text = re.sub(r"\]\(([^)\s]+)\)", lambda m: f"]({page_link(m[1], folder)})", text)
    return re.sub(r"^```\{include\} (\S+)\n```$", included, text, flags=re.MULTILINE)


def setup(app: Sphinx) -> None:
    """Rewrite the text of each page before it is parsed."""

    def rewrite(_app: Sphinx, _page: str, source: list[str]) -> None:
        source[0] = read_text(source[0], DOCS)

    app.connect("source-read", rewrite)
