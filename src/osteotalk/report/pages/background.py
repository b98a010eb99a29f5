"""The pages behind the first one: how sure it is, how it was made, from what."""

from collections.abc import Mapping, Sequence

import pandas as pd

from osteotalk.report.model import Page, Section
from osteotalk.report.sections.calibration import calibration_section
from osteotalk.report.sections.effects import forests
from osteotalk.report.sections.provenance import provenance_section
from osteotalk.report.sections.published import published_section
from osteotalk.report.sections.sensitivity import sensitivity_section
from osteotalk.report.words.claims import Names
from osteotalk.report.words.methods import methods_text
from osteotalk.report.words.references import references_section
from osteotalk.report.words.text import words
from osteotalk.report.words.wording import term_definitions, verdict_definitions

CONFIDENCE, METHODS, PROVENANCE = "confidence.html", "methods.html", "provenance.html"


def confidence_page(
    frame: pd.DataFrame,
    *,
    datasets: pd.DataFrame,
    parameters: Mapping[str, object],
    calibration: pd.DataFrame | None,
    sensitivity: pd.DataFrame | None,
    findings: pd.DataFrame | None,
    published: pd.DataFrame | None,
    names: Names,
    stamp: str,
    banner: str | None,
) -> Page:
    """Build the page on how sure the verdicts are.

    Parameters
    ----------
    frame
        From `osteotalk.report.tables.claims.with_verdicts`.
    datasets
        Rows of the analysed cohorts.
    parameters
        Merged config.
    calibration, sensitivity
        Result tables; where one is absent, its section says so.
    findings, published
        Table of published findings and their verdicts; without both there is no section on them.
    names
        Labels of populations and programmes.
    stamp, banner
        Words to print into figures, and over the page, where data are simulated.
    """
    titles = {str(row["dataset"]): words(row["title"]) for row in datasets.to_dict("records")}
    sections = [
        Section(
            anchor="effects",
            title="Support and effects",
            question="How wide are the intervals behind the verdicts?",
            figures=forests(frame, parameters=parameters, stamp=stamp, table=""),
        ),
        calibration_section(calibration, titles=titles, stamp=stamp),
        sensitivity_section(sensitivity, stamp=stamp),
    ]
    if findings is not None and published is not None and not findings.empty:
        sections.append(
            published_section(findings, published, datasets=datasets, names=names, stamp=stamp)
        )
    return Page(
        file=CONFIDENCE,
        title="How sure are the verdicts?",
        lead=(
            "Intervals, the rate of each verdict by chance, what other settings would have given, "
            "and what others found in the same cohorts.",
        ),
        sections=tuple(sections),
        banner=banner,
        nav="How sure",
    )


def methods_page(
    *,
    datasets: pd.DataFrame,
    samples: pd.DataFrame,
    parameters: Mapping[str, object],
    provenance: Mapping[str, object],
    banner: str | None,
    positions: str = "",
) -> Page:
    """Build the page on what the words mean, what was done, and what to cite.

    `positions` is a sentence of the methods: where the positions of genes are from.
    """
    text = methods_text(
        parameters=parameters,
        provenance=provenance,
        datasets=datasets,
        samples=samples,
        positions=positions,
    )
    return Page(
        file=METHODS,
        title="Methods",
        lead=("What the words of this report mean, and what was done to come to them.",),
        sections=(
            Section(
                anchor="reading",
                title="How to read it",
                question="What do the words mean?",
                definitions=(*verdict_definitions(parameters), *term_definitions(parameters)),
            ),
            Section(
                anchor="methods",
                title="What was done",
                question="With which steps, settings and versions?",
                body=text,
            ),
            references_section(
                text,
                {words(row["doi"]): words(row["title"]) for row in datasets.to_dict("records")},
            ),
        ),
        banner=banner,
        nav="Methods",
    )


def provenance_page(
    provenance: Mapping[str, object],
    parameters: Mapping[str, object],
    *,
    timings: pd.DataFrame | None,
    banner: str | None,
    positions: Sequence[str] = (),
) -> Page:
    """Build the page on versions, settings, files and run times.

    `positions` says of cohorts where the positions of their genes are from.
    """
    return Page(
        file=PROVENANCE,
        title="Provenance",
        lead=("What is needed to make this report again, and to check that it is the same.",),
        sections=(provenance_section(provenance, parameters, timings, positions),),
        banner=banner,
        nav="Provenance",
    )
