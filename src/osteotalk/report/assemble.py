"""Read the result files of a run and build its report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pandas as pd

from osteotalk import io
from osteotalk.claims.claim import read_claims
from osteotalk.contract import empty_frame
from osteotalk.parallel import in_order
from osteotalk.report.build import CohortParts, ConfigTables, Overall, build_report
from osteotalk.report.model import Copy, Report
from osteotalk.report.pages.claim import CohortEvidence
from osteotalk.report.pages.cohort import build_dataset_page
from osteotalk.report.sections.claim_panels import edges_of_claims
from osteotalk.report.tables.claims import with_verdicts
from osteotalk.report.tables.cohort import cohort_summary_row
from osteotalk.report.tables.positions import cohort_positions
from osteotalk.report.words.claims import Names, programme_labels
from osteotalk.report.words.vocabulary import vocabulary

_DRAWN = ("claim_id", "control", "role", "statistic")  # columns of decoy_statistics


@dataclass(frozen=True)
class CohortFiles:
    """Result files of one cohort."""

    dataset: str
    annotated: str
    clusters: str
    malignancy: str
    clone_genes: str
    cnv: str
    agreement: str
    support: str
    evidence: str
    values: str
    statistics: str
    network: str
    truth: str | None
    decoys: str | None = None


@dataclass(frozen=True)
class CohortInput:
    """One cohort: its files, what was read of its samples, its rows of table `cross_check`."""

    files: CohortFiles
    qc: Sequence[Mapping[str, Any]]
    ingest: Sequence[Mapping[str, Any]]
    cross_check: pd.DataFrame


def cohort_files(
    datasets: Sequence[str],
    *,
    annotated: Sequence[str],
    clusters: Sequence[str],
    malignancy: Sequence[str],
    clone_genes: Sequence[str],
    cnv: Sequence[str],
    agreement: Sequence[str],
    support: Sequence[str],
    evidence: Sequence[str],
    values: Sequence[str],
    statistics: Sequence[str],
    network: Sequence[str],
    truth: Mapping[str, str],
    decoys: Sequence[str] | None = None,
) -> list[CohortFiles]:
    """Sort lists of files, one per cohort and in the same order, by cohort.

    `truth` is by cohort, as only simulated ones have it; `decoys` may be left out.
    """
    columns: dict[str, Sequence[str]] = {
        "dataset": datasets,
        "annotated": annotated,
        "clusters": clusters,
        "malignancy": malignancy,
        "clone_genes": clone_genes,
        "cnv": cnv,
        "agreement": agreement,
        "support": support,
        "evidence": evidence,
        "values": values,
        "statistics": statistics,
        "network": network,
    }
    if decoys:
        columns["decoys"] = decoys
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return [CohortFiles(**row, truth=truth.get(row["dataset"])) for row in rows]


def assemble(
    cohorts: Sequence[CohortFiles],
    *,
    qc: Sequence[str],
    ingest: Sequence[str],
    cross_check: Sequence[str],
    verdicts: str,
    evidence: str,
    provenance: str,
    tables: ConfigTables,
    parameters: Mapping[str, object],
    calibration: str | None = None,
    therapies: str | None = None,
    published: str | None = None,
    sensitivity: str | None = None,
    timings: pd.DataFrame | None = None,
    missing: Mapping[str, str] | None = None,
    jobs: int = 1,
) -> Report:
    """Build the report of a run.

    Parameters
    ----------
    cohorts
        Files of each cohort, in the order of the report.
    qc, ingest
        Files on quality control and on reading, of all samples of all cohorts.
    cross_check
        Files of the comparison with squidpy, one per sample; empty if it was not run.
    verdicts, evidence, provenance
        Files over all cohorts.
    tables
        Tables of the config.
    parameters
        The merged config.
    calibration, therapies, published, sensitivity
        Files of these tables over all cohorts. Without the first or the last the report says that
        it was not run; without the others it has no such section.
    timings
        Run times, from `osteotalk.report.sections.provenance.read_timings`.
    missing
        Cohorts that were asked for and are not among `cohorts`, with the reason.
    jobs
        Processes that build cohorts and claims at the same time; the report does not depend on it.
    """
    records = [io.read_json(path) for path in qc]
    readings = [io.read_json(path) for path in ingest]
    checks = [io.read_tsv(path, table="cross_check") for path in cross_check]
    checked = pd.concat(checks, ignore_index=True) if checks else empty_frame("cross_check")
    inputs = [
        CohortInput(
            files=files,
            qc=[record for record in records if record["dataset"] == files.dataset],
            ingest=[record for record in readings if record["dataset"] == files.dataset],
            cross_check=checked[checked["dataset"] == files.dataset],
        )
        for files in cohorts
    ]
    read = partial(_read_cohort, tables=tables, parameters=parameters)
    found = in_order(read, inputs, jobs=jobs, what="pages of cohorts", unit="cohorts")
    overall = Overall(
        verdicts=io.read_tsv(verdicts, table="verdicts"),
        evidence=io.read_tsv(evidence, table="evidence"),
        provenance=io.read_json(provenance),
        calibration=_optional(calibration, "calibration"),
        therapies=_optional(therapies, "therapies"),
        published=_optional(published, "verdicts"),
        sensitivity=_optional(sensitivity, "sensitivity"),
        timings=timings,
        missing=missing,
    )
    return build_report(found, overall, tables=tables, parameters=parameters, jobs=jobs)


def _read_cohort(
    given: CohortInput, *, tables: ConfigTables, parameters: Mapping[str, object]
) -> CohortParts:
    """What the report says of one cohort."""
    files = given.files
    names = Names(vocabulary(tables.populations), programme_labels(tables.signatures))
    chosen = tables.datasets["dataset"] == files.dataset
    dataset_row = tables.datasets[chosen].iloc[0].to_dict()
    adata = io.read_genes(files.annotated, set(tables.markers["gene"]))
    support = io.read_parquet(files.support, table="support")
    evidence = io.read_tsv(files.evidence, table="evidence")
    page = build_dataset_page(
        dataset_row=dataset_row,
        samples=tables.samples[tables.samples["dataset"] == files.dataset],
        retired=tables.retired,
        qc=given.qc,
        ingest=given.ingest,
        adata=adata,
        clusters=io.read_tsv(files.clusters, table="annotation"),
        malignancy=io.read_tsv(files.malignancy, table="malignancy"),
        clone_genes=io.read_tsv(files.clone_genes, table="clone_genes"),
        cnv=io.read_stage(files.cnv, stage="cnv"),
        agreement=io.read_tsv(files.agreement, table="agreement"),
        support=support,
        cross_check=given.cross_check,
        evidence=evidence,
        claims=tables.claims,
        populations=tables.populations,
        markers=tables.markers,
        labels=tables.labels,
        parameters=parameters,
        truth=io.read_json(files.truth) if files.truth else None,
        decoys=_optional(files.decoys, "decoys"),
        signatures=tables.signatures,
        routes=tables.routes,
    )
    summary = cohort_summary_row(
        dataset=files.dataset, qc=given.qc, cells=adata.obs, support=support, parameters=parameters
    )
    page = replace(
        page,
        copies=(
            Copy(
                "edges",
                "Download all edges (parquet)",
                f"assets/{files.dataset}_support.parquet",
                files.support,
            ),
            Copy(
                "network",
                "Download the network of supported edges (GraphML, for Cytoscape)",
                f"assets/{files.dataset}_network.graphml",
                files.network,
            ),
        ),
    )
    own = CohortEvidence(
        dataset=files.dataset,
        title=page.title,
        frame=with_verdicts(tables.claims, evidence, names=names),
        patients=_by_claim(io.read_tsv(files.values, table="values")),
        statistics=_by_claim(_statistics(files.statistics)),
        edges=edges_of_claims(support, read_claims(tables.claims, vocabulary=tables.populations)),
    )
    positions = cohort_positions(adata.uns.get("osteotalk", {}), dataset_row)
    return CohortParts(page, summary, own, positions)


def _statistics(path: str) -> pd.DataFrame:
    """Statistics of all decoys; repeated words as categories, which take a tenth of the room."""
    found = io.read_columns(path, _DRAWN, table="decoy_statistics")
    return found.astype(dict.fromkeys(("control", "role"), "category"))


def _by_claim(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    return {str(name): rows for name, rows in table.groupby("claim_id", sort=False)}


def _optional(path: str | None, table: str) -> pd.DataFrame | None:
    """Read a result table that a run may not have."""
    return io.read_tsv(path, table=table) if path else None
