"""The page on versions, settings, files and run times."""

from osteotalk.report.inputs import Run
from osteotalk.report.model import Page
from osteotalk.report.registry import PROVENANCE, sections_of


def provenance_page(run: Run) -> Page:
    """Build the page."""
    return Page(
        file="provenance.html",
        title="Provenance",
        lead=("What is needed to make this report again, and to check that it is the same.",),
        sections=sections_of(run, PROVENANCE),
        banner=run.banner,
        nav="Provenance",
    )
