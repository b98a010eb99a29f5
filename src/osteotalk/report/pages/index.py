"""The first page: the question, what holds, the cohorts, the verdict on every claim, the limits."""

from osteotalk.report.inputs import Run
from osteotalk.report.model import Page
from osteotalk.report.registry import INDEX, sections_of
from osteotalk.report.words.wording import QUESTION, REVIEW


def index_page(run: Run) -> Page:
    """Build the first page of the report."""
    return Page(
        file="index.html",
        title="osteotalk: claims on osteosarcoma cell-cell interaction against single-cell data",
        lead=(QUESTION, REVIEW),
        sections=sections_of(run, INDEX),
        banner=run.banner,
        nav="Verdicts",
    )
