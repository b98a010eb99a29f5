"""Read the result files of a run and build its report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from osteotalk import io
from osteotalk.contract import empty_frame
from osteotalk.report.cohort_tables import cohort_summary_row
from osteotalk.report.dataset_page import build_dataset_page
from osteotalk.report.index_page import build_index_page
from osteotalk.report.model import Report


@dataclass(frozen=True)
class ConfigTables:
    """Tables of the config that the report shows."""

    datasets: pd.DataFrame
    samples: pd.DataFrame
    retired: pd.DataFrame
    claims: pd.DataFrame
    populations: pd.DataFrame
    markers: pd.DataFrame
    labels: pd.DataFrame
    interactions: pd.DataFrame


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
) -> list[CohortFiles]:
    """Sort lists of files, one per cohort and in the same order, by cohort."""
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
    """
    records = [io.read_json(path) for path in qc]
    readings = [io.read_json(path) for path in ingest]
    checks = [io.read_tsv(path, table="cross_check") for path in cross_check]
    checked = pd.concat(checks, ignore_index=True) if checks else empty_frame("cross_check")
    pages, summaries = [], []
    for files in cohorts:
        chosen = tables.datasets["dataset"] == files.dataset
        own = [record for record in records if record["dataset"] == files.dataset]
        adata = io.read_stage(files.annotated, stage="annotated")
        support = io.read_parquet(files.support, table="support")
        pages.append(
            build_dataset_page(
                dataset_row=tables.datasets[chosen].iloc[0].to_dict(),
                samples=tables.samples[tables.samples["dataset"] == files.dataset],
                retired=tables.retired,
                qc=own,
                ingest=[record for record in readings if record["dataset"] == files.dataset],
                adata=adata,
                clusters=io.read_tsv(files.clusters, table="annotation"),
                malignancy=io.read_tsv(files.malignancy, table="malignancy"),
                cnv=io.read_stage(files.cnv, stage="cnv"),
                agreement=io.read_tsv(files.agreement, table="agreement"),
                support=support,
                cross_check=checked[checked["dataset"] == files.dataset],
                evidence=io.read_tsv(files.evidence, table="evidence"),
                claims=tables.claims,
                populations=tables.populations,
                markers=tables.markers,
                labels=tables.labels,
                parameters=parameters,
                truth=io.read_json(files.truth) if files.truth else None,
            )
        )
        summaries.append(
            cohort_summary_row(
                dataset=files.dataset,
                qc=own,
                cells=adata.obs,
                support=support,
                parameters=parameters,
            )
        )
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
    )
    return Report(index=index, datasets=tuple(pages))
