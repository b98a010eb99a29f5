"""The section of the methods on what was done."""

from osteotalk.report.inputs import Run
from osteotalk.report.model import Section
from osteotalk.report.tables.positions import positions_sentence
from osteotalk.report.words.methods import methods_text


def section(run: Run) -> Section:
    """The section of the page of methods."""
    return Section(
        anchor="methods",
        title="What was done",
        question="With which steps, settings and versions?",
        body=text_of(run),
    )


def text_of(run: Run) -> tuple[str, ...]:
    """Paragraphs of the methods of a run."""
    return methods_text(
        parameters=run.parameters,
        provenance=run.overall.provenance,
        datasets=run.datasets,
        samples=run.samples,
        positions=positions_sentence(run.origins),
    )
