"""From the results of a run to the pages of its report."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd

from osteotalk.claims.claim import read_claims
from osteotalk.parallel import in_order
from osteotalk.report.inputs import (
    Cohort,
    CohortEvidence,
    CohortParts,
    ConfigTables,
    Overall,
    Run,
)
from osteotalk.report.model import Page, Report
from osteotalk.report.pages.claim import claim_pages
from osteotalk.report.pages.cohort import cohort_page, positions_of
from osteotalk.report.pages.confidence import confidence_page
from osteotalk.report.pages.index import index_page
from osteotalk.report.pages.methods import methods_page
from osteotalk.report.pages.provenance import provenance_page
from osteotalk.report.sections.claim_edges import edges_of_claims
from osteotalk.report.tables.claims import with_verdicts
from osteotalk.report.tables.cohort import cohort_summary_row
from osteotalk.report.tables.positions import positions_warning
from osteotalk.report.words.banners import left_out_warning, partial_warning
from osteotalk.results import CohortResults


def assemble(
    files: Mapping[str, Mapping[str, Sequence[str]]],
    overall: Overall,
    *,
    tables: ConfigTables,
    parameters: Mapping[str, object],
    jobs: int = 1,
) -> Report:
    """Build the report of a run from its result files.

    Parameters
    ----------
    files
        From `osteotalk.results.cohort_paths`, by cohort, in the order of the report.
    overall
        Results over all cohorts.
    tables
        Tables of the config.
    parameters
        The merged config.
    jobs
        Processes that build cohorts and claims at the same time; the report does not depend on it.
    """
    genes = set(tables.markers["gene"])
    cohorts = [
        Cohort(CohortResults(dataset, paths, genes=genes), tables, parameters)
        for dataset, paths in files.items()
    ]
    found = in_order(cohort_parts, cohorts, jobs=jobs, what="pages of cohorts", unit="cohorts")
    return build_report(Run(found, overall, tables, parameters), jobs=jobs)


def cohort_parts(cohort: Cohort) -> CohortParts:
    """What the report says of one cohort."""
    return replace(bare_parts(cohort), page=cohort_page(cohort))


def bare_parts(cohort: Cohort) -> CohortParts:
    """The same without the page of the cohort, which takes longest; its page is empty."""
    results, tables = cohort.results, cohort.tables
    own = CohortEvidence(
        dataset=cohort.dataset,
        title=cohort.title,
        frame=with_verdicts(tables.claims, results.evidence, names=tables.names),
        patients=_by_claim(results.values),
        statistics=_by_claim(results.statistics),
        edges=edges_of_claims(
            results.support, read_claims(tables.claims, vocabulary=tables.populations)
        ),
    )
    summary = cohort_summary_row(
        dataset=cohort.dataset,
        qc=results.qc,
        cells=cohort.cells,
        support=results.support,
        parameters=cohort.parameters,
    )
    page = Page(file=f"{cohort.dataset}.html", title="", lead=(), sections=())
    return CohortParts(page, summary, own, positions_of(cohort), results.left_out)


def _by_claim(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    return {str(name): rows for name, rows in table.groupby("claim_id", sort=False)}


def build_report(run: Run, *, jobs: int = 1) -> Report:
    """Build all pages.

    Parameters
    ----------
    run
        All cohorts together.
    jobs
        Processes that build panels of claims at the same time; the report does not depend on it.
    """
    warnings = (
        *partial_warning(run.overall.missing),
        *left_out_warning({part.evidence.title: part.left_out for part in run.cohorts}),
        *positions_warning(run.positions),
    )

    def warned(*pages: Page) -> tuple[Page, ...]:
        return tuple(replace(page, warnings=(*warnings, *page.warnings)) for page in pages)

    return Report(
        index=warned(index_page(run))[0],
        datasets=warned(*[part.page for part in run.cohorts]),
        claims=warned(*claim_pages(run, jobs=jobs)),
        background=warned(confidence_page(run), methods_page(run), provenance_page(run)),
    )
