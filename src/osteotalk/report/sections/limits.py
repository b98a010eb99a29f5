"""The section of the first page on what the report cannot say."""

from osteotalk.report.inputs import Run
from osteotalk.report.model import Section
from osteotalk.report.words.wording import circular_sentence, limits_text, resource_sentence


def section(run: Run) -> Section:
    """The section of the first page."""
    overall, tables = run.overall, run.tables
    return Section(
        anchor="limits",
        title="Limits",
        question="What can this report not say?",
        caveats=limits_text(
            claims=tables.claims,
            circular=circular_sentence(overall.verdicts),
            resource=resource_sentence(overall.provenance, tables.interactions),
        ),
    )
