"""The page on how sure the verdicts are."""

from osteotalk.report.inputs import Run
from osteotalk.report.model import Page
from osteotalk.report.registry import CONFIDENCE, sections_of


def confidence_page(run: Run) -> Page:
    """Build the page."""
    return Page(
        file="confidence.html",
        title="How sure are the verdicts?",
        lead=(
            "Intervals, the rate of each verdict by chance, what other settings would have given, "
            "and what others found in the same cohorts.",
        ),
        sections=sections_of(run, CONFIDENCE),
        banner=run.banner,
        nav="How sure",
    )
