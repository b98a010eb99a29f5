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
    return references_section(
        text_of(run), {words(row["doi"]): words(row["title"]) for row in rows}
    )


def references_section(text: Sequence[str], cohorts: Mapping[str, str] | None = None) -> Section:
    """Section with the works that the methods cite, and the review.

    Parameters
    ----------
    text
        Paragraphs.
    cohorts
        Titles of cohorts by the DOI of their source.
    """
    of_cohorts = {doi: f"Source of the cohort {title}" for doi, title in (cohorts or {}).items()}
    names = cited(["doi:10.3390/cells15060570", *text])
    return Section(
        anchor="references",
        title="References",
        question="Which works should be cited with these results?",
        body=tuple(
            f"{place}. {(WORKS | of_cohorts).get(name, 'Title not recorded')}. "
            f"{name if name.startswith('arXiv') else f'doi:{name}'}"
            for place, name in enumerate(names, 1)
        ),
    )
