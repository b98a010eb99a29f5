"""Read the result files of a run and build its report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from osteotalk import io
from osteotalk.contract import empty_frame
from osteotalk.report.cohort_tables import cohort_summary_row
from osteotalk.report.dataset_page import build_dataset_page
from osteotalk.report.index_page import build_index_page
from osteotalk.report.model import Page, Report


@dataclass(frozen=True)
class ConfigTables:
    """Tables of the config that the report shows.

    Without `signatures` gene programmes are named by their id, without `published` there is no
    section on published findings.
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


@dataclass(frozen=True)
class CohortFiles:
    """Result files of one cohort."""

    dataset: str
    annotated: str
    clusters: str
    malignancy: str
    cnv: str
    agreement: str
    support: str
    evidence: str
    truth: str | None
    decoys: str | None = None


def cohort_files(
    datasets: Sequence[str],
    *,
    annotated: Sequence[str],
    clusters: Sequence[str],
    malignancy: Sequence[str],
    cnv: Sequence[str],
    agreement: Sequence[str],
    support: Sequence[str],
    evidence: Sequence[str],
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
        "cnv": cnv,
        "agreement": agreement,
        "support": support,
        "evidence": evidence,
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
    """
    records = [io.read_json(path) for path in qc]
    readings = [io.read_json(path) for path in ingest]
    checks = [io.read_tsv(path, table="cross_check") for path in cross_check]
    checked = pd.concat(checks, ignore_index=True) if checks else empty_frame("cross_check")
    pages, summaries = [], []
    for files in cohorts:
        page, summary = _cohort_page(
            files,
            qc=[record for record in records if record["dataset"] == files.dataset],
            ingest=[record for record in readings if record["dataset"] == files.dataset],
            cross_check=checked[checked["dataset"] == files.dataset],
            tables=tables,
            parameters=parameters,
        )
        pages.append(page)
        summaries.append(summary)
    names = [files.dataset for files in cohorts]
    index = build_index_page(
        datasets=tables.datasets[tables.datasets["dataset"].isin(names)],
        samples=tables.samples[tables.samples["dataset"].isin(names)],
        claims=tables.claims,
        verdicts=io.read_tsv(verdicts, table="verdicts"),
        evidence=io.read_tsv(evidence, table="evidence"),
        cohort_summary=pd.DataFrame(summaries),
        populations=tables.populations,
        parameters=parameters,
        provenance=io.read_json(provenance),
        interactions=tables.interactions,
        signatures=tables.signatures,
        calibration=_optional(calibration, "calibration"),
        therapies=_optional(therapies, "therapies"),
        findings=tables.published,
        published=_optional(published, "verdicts"),
        sensitivity=_optional(sensitivity, "sensitivity"),
    )
    return Report(index=index, datasets=tuple(pages))


def _cohort_page(
    files: CohortFiles,
    *,
    qc: Sequence[Mapping[str, Any]],
    ingest: Sequence[Mapping[str, Any]],
    cross_check: pd.DataFrame,
    tables: ConfigTables,
    parameters: Mapping[str, object],
) -> tuple[Page, dict[str, object]]:
    """Page of one cohort, and its row in the table of cohorts."""
    chosen = tables.datasets["dataset"] == files.dataset
    adata = io.read_stage(files.annotated, stage="annotated")
    support = io.read_parquet(files.support, table="support")
    page = build_dataset_page(
        dataset_row=tables.datasets[chosen].iloc[0].to_dict(),
        samples=tables.samples[tables.samples["dataset"] == files.dataset],
        retired=tables.retired,
        qc=qc,
        ingest=ingest,
        adata=adata,
        clusters=io.read_tsv(files.clusters, table="annotation"),
        malignancy=io.read_tsv(files.malignancy, table="malignancy"),
        cnv=io.read_stage(files.cnv, stage="cnv"),
        agreement=io.read_tsv(files.agreement, table="agreement"),
        support=support,
        cross_check=cross_check,
        evidence=io.read_tsv(files.evidence, table="evidence"),
        claims=tables.claims,
        populations=tables.populations,
        markers=tables.markers,
        labels=tables.labels,
        parameters=parameters,
        truth=io.read_json(files.truth) if files.truth else None,
        decoys=_optional(files.decoys, "decoys"),
        signatures=tables.signatures,
    )
    summary = cohort_summary_row(
        dataset=files.dataset, qc=qc, cells=adata.obs, support=support, parameters=parameters
    )
    return page, summary


def _optional(path: str | None, table: str) -> pd.DataFrame | None:
    """Read a result table that a run may not have."""
    return io.read_tsv(path, table=table) if path else None
