"""The section of the methods on what to cite."""

from collections.abc import Mapping, Sequence

from osteotalk.report.inputs import Run
from osteotalk.report.model import Section
from osteotalk.report.sections.methods import text_of
from osteotalk.report.words.references import WORKS, cited
from osteotalk.report.words.text import words


def section(run: Run) -> Section:
    """The section of the page of methods."""
    rows = run.datasets.to_dict("records")
    return Section(
        anchor="references",
        title="References",
        question="Which works should be cited with these results?",
        body=works(text_of(run), {words(row["doi"]): words(row["title"]) for row in rows}),
    )


def works(text: Sequence[str], cohorts: Mapping[str, str]) -> tuple[str, ...]:
    """The review, and the works that paragraphs cite; `cohorts` has titles by DOI."""
    titles = WORKS | {doi: f"Source of the cohort {title}" for doi, title in cohorts.items()}
    names = cited(["doi:10.3390/cells15060570", *text])
    return tuple(
        f"{place}. {titles.get(name, 'Title not recorded')}. "
        f"{name if name.startswith('arXiv') else f'doi:{name}'}"
        for place, name in enumerate(names, 1)
    )
