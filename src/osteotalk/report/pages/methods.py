"""The page on what the words mean, what was done, and what to cite."""

from osteotalk.report.inputs import Run
from osteotalk.report.model import Page
from osteotalk.report.registry import METHODS, sections_of


def methods_page(run: Run) -> Page:
    """Build the page."""
    return Page(
        file="methods.html",
        title="Methods",
        lead=("What the words of this report mean, and what was done to come to them.",),
        sections=sections_of(run, METHODS),
        banner=run.banner,
        nav="Methods",
    )
