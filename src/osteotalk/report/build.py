"""From what is known of the cohorts, and of all together, to the pages of a report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from osteotalk.report.model import Page, Report
from osteotalk.report.pages.background import confidence_page, methods_page, provenance_page
from osteotalk.report.pages.claim import CohortEvidence, claim_pages
from osteotalk.report.pages.index import build_index_page, partial_warning, simulation_marks
from osteotalk.report.tables.claims import with_verdicts
from osteotalk.report.tables.positions import (
    CohortPositions,
    positions_origins,
    positions_sentence,
    positions_warning,
)
from osteotalk.report.words.claims import Names, programme_labels
from osteotalk.report.words.vocabulary import vocabulary


@dataclass(frozen=True)
class ConfigTables:
    """Tables of the config that the report shows.

    Without `signatures` gene programmes are named by their id, without `published` there is no
    section on published findings, without `routes` ligands have the routes that claims give.
    """

    datasets: pd.DataFrame
    samples: pd.DataFrame
    retired: pd.DataFrame
    claims: pd.DataFrame
    populations: pd.DataFrame
    markers: pd.DataFrame
    labels: pd.DataFrame
    interactions: pd.DataFrame
    signatures: pd.DataFrame | None = None
    published: pd.DataFrame | None = None
    routes: pd.DataFrame | None = None


@dataclass(frozen=True)
class CohortParts:
    """One cohort: its page, its row in the table of cohorts, and what it has on the claims.

    `positions` tells where its genes lie; None if that is not recorded.
    """

    page: Page
    summary: Mapping[str, object]
    evidence: CohortEvidence
    positions: CohortPositions | None = None


@dataclass(frozen=True)
class Overall:
    """Results over all cohorts.

    Attributes
    ----------
    verdicts, evidence
        Result tables: claims over all cohorts, claims by cohort.
    provenance
        Content of ``provenance.json``.
    calibration, sensitivity
        Result tables; None if they were not made, which the report says.
    therapies, published
        Result tables; without them the report has no such section.
    timings
        Run times, from `osteotalk.report.sections.provenance.read_timings`.
    missing
        Cohorts that were asked for and are not in the report, with the reason.
    """

    verdicts: pd.DataFrame
    evidence: pd.DataFrame
    provenance: Mapping[str, object]
    calibration: pd.DataFrame | None = None
    therapies: pd.DataFrame | None = None
    published: pd.DataFrame | None = None
    sensitivity: pd.DataFrame | None = None
    timings: pd.DataFrame | None = None
    missing: Mapping[str, str] | None = None


def build_report(
    cohorts: Sequence[CohortParts],
    overall: Overall,
    *,
    tables: ConfigTables,
    parameters: Mapping[str, object],
    jobs: int = 1,
) -> Report:
    """Build all pages.

    Parameters
    ----------
    cohorts
        In the order of the report.
    overall
        Results over all of them.
    tables
        Tables of the config.
    parameters
        The merged config.
    jobs
        Processes that build panels of claims at the same time; the report does not depend on it.
    """
    names = Names(vocabulary(tables.populations), programme_labels(tables.signatures))
    chosen = [cohort.evidence.dataset for cohort in cohorts]
    datasets = tables.datasets[tables.datasets["dataset"].isin(chosen)]
    samples = tables.samples[tables.samples["dataset"].isin(chosen)]
    stamp, banner = simulation_marks(datasets)
    positions = [cohort.positions for cohort in cohorts]
    origins = positions_origins(positions, overall.provenance)
    frame = with_verdicts(tables.claims, overall.verdicts, names=names)
    background = (
        confidence_page(
            frame,
            datasets=datasets,
            parameters=parameters,
            calibration=overall.calibration,
            sensitivity=overall.sensitivity,
            findings=tables.published,
            published=overall.published,
            names=names,
            stamp=stamp,
            banner=banner,
        ),
        methods_page(
            datasets=datasets,
            samples=samples,
            parameters=parameters,
            provenance=overall.provenance,
            banner=banner,
            positions=positions_sentence(origins),
        ),
        provenance_page(
            overall.provenance,
            parameters,
            timings=overall.timings,
            banner=banner,
            positions=origins,
        ),
    )
    panels = claim_pages(
        frame,
        [cohort.evidence for cohort in cohorts],
        names=names,
        stamp=stamp,
        banner=banner,
        jobs=jobs,
    )
    index = build_index_page(
        datasets=datasets,
        samples=samples,
        claims=tables.claims,
        verdicts=overall.verdicts,
        evidence=overall.evidence,
        frame=frame,
        cohort_summary=pd.DataFrame([cohort.summary for cohort in cohorts]),
        provenance=overall.provenance,
        interactions=tables.interactions,
        calibration=overall.calibration,
        therapies=overall.therapies,
        missing=overall.missing,
    )
    warnings = (*partial_warning(overall.missing), *positions_warning(positions))

    def warned(pages: Sequence[Page]) -> tuple[Page, ...]:
        return tuple(replace(page, warnings=(*warnings, *page.warnings)) for page in pages)

    return Report(
        index=replace(index, warnings=warnings),
        datasets=warned([cohort.page for cohort in cohorts]),
        claims=warned(panels),
        background=warned(background),
    )
