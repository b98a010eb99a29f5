"""The section of the methods on what the words mean."""

from osteotalk.report.inputs import Run
from osteotalk.report.model import Section
from osteotalk.report.words.wording import term_definitions, verdict_definitions


def section(run: Run) -> Section:
    """The section of the page of methods."""
    return Section(
        anchor="reading",
        title="How to read it",
        question="What do the words mean?",
        definitions=(
            *verdict_definitions(run.parameters),
            *term_definitions(run.parameters),
        ),
    )
