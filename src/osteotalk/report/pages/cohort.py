"""The page of one cohort."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from anndata import AnnData

from osteotalk.measured import not_measured
from osteotalk.report.cohort import Cohort
from osteotalk.report.model import Page
from osteotalk.report.sections.agreement import agreement_section
from osteotalk.report.sections.claims import evidence_section
from osteotalk.report.sections.cross_check import cross_check_section
from osteotalk.report.sections.decoys import decoy_section
from osteotalk.report.sections.edges import edges_section
from osteotalk.report.sections.integration import integration_section
from osteotalk.report.sections.malignancy import malignancy_section
from osteotalk.report.sections.network import network_section
from osteotalk.report.sections.origin import OUT_OF_COMBINED, origin_section, status_words
from osteotalk.report.sections.populations import population_section
from osteotalk.report.sections.qc import qc_section
from osteotalk.report.sections.truth import truth_section
from osteotalk.report.tables.cohort import (
    STAMP,
    order_samples,
)
from osteotalk.report.tables.left_out import genes_named
from osteotalk.report.tables.positions import cohort_positions, reference_warning
from osteotalk.report.words.claims import Names, programme_labels
from osteotalk.report.words.routes import read_routes
from osteotalk.report.words.text import (
    enumerate_words,
    page_name,
    plural,
    words,
)
from osteotalk.report.words.vocabulary import vocabulary


def build_dataset_page(
    *,
    dataset_row: Mapping[Any, Any],
    samples: pd.DataFrame,
    retired: pd.DataFrame,
    qc: Sequence[Mapping[str, object]],
    ingest: Sequence[Mapping[str, Any]],
    adata: AnnData,
    clusters: pd.DataFrame,
    malignancy: pd.DataFrame,
    clone_genes: pd.DataFrame,
    cnv: AnnData,
    agreement: pd.DataFrame,
    support: pd.DataFrame,
    cross_check: pd.DataFrame,
    evidence: pd.DataFrame,
    claims: pd.DataFrame,
    populations: pd.DataFrame,
    markers: pd.DataFrame,
    labels: pd.DataFrame,
    parameters: Mapping[str, object],
    truth: Mapping[str, object] | None,
    decoys: pd.DataFrame | None = None,
    signatures: pd.DataFrame | None = None,
    routes: pd.DataFrame | None = None,
) -> Page:
    """Build the page of one cohort.

    Parameters
    ----------
    dataset_row
        Row of the cohort in the table of datasets.
    samples, retired
        Table of samples, those analysed and those not; rows of other cohorts are left out.
    qc, ingest
        Content of each sample's ``qc.json`` and ``ingest.json``.
    adata
        Annotated cohort.
    clusters, malignancy, clone_genes, agreement
        Tables `annotation`, `malignancy`, `clone_genes` and `agreement` of the cohort.
    cnv
        Copy number profiles of some of its cells.
    support, cross_check, evidence
        Result tables of the cohort; `cross_check` has no row if it was not run.
    claims, populations, markers, labels
        Tables of the analysis.
    parameters
        Merged config.
    truth
        Content of ``truth.json`` for a simulated cohort, else None.
    decoys
        Result table; without it there is no section on the match of the decoys.
    signatures
        Table of the analysis, for the labels of gene programmes.
    routes
        Table of the analysis, for the filter of the network.

    Raises
    ------
    ValueError
        If the id of the cohort cannot name a page.
    """
    dataset = str(dataset_row["dataset"])
    simulated = words(dataset_row.get("source")) == "simulated"
    stamp = STAMP if simulated else ""
    palette = vocabulary(populations)
    ordered = order_samples(samples, dataset)
    cohort = Cohort(
        dataset=dataset,
        samples=ordered,
        adata=adata,
        palette=palette,
        populations=populations,
        parameters=parameters,
        stamp=stamp,
    )
    sections = [
        origin_section(
            dataset_row,
            ordered,
            retired[retired["dataset"].astype(str) == dataset],
            ingest,
            dataset=dataset,
            missing=not_measured(adata.uns),
            named=genes_named(claims),
        ),
        qc_section(ordered, qc, adata.obs, dataset=dataset, stamp=stamp),
        population_section(cohort, groups=clusters, markers=markers, claims=claims),
        integration_section(cohort),
        malignancy_section(cohort, malignancy=malignancy, clone_genes=clone_genes, cnv=cnv),
        *([others] if (others := agreement_section(cohort, agreement, labels=labels)) else []),
        network_section(
            support,
            adata.obs,
            claims=claims,
            populations=populations,
            routes=read_routes(routes, claims),
            palette=palette,
            parameters=parameters,
            dataset=dataset,
            stamp=stamp,
        ),
        edges_section(support, palette=palette, parameters=parameters, dataset=dataset),
        *([checked] if (checked := cross_check_section(cohort, cross_check)) else []),
        evidence_section(
            evidence,
            claims,
            names=Names(palette, programme_labels(signatures)),
            dataset=dataset,
            parameters=parameters,
            stamp=stamp,
        ),
    ]
    if decoys is not None:
        sections.append(decoy_section(decoys, evidence, dataset=dataset, stamp=stamp))
    if truth is not None and simulated:
        sections.append(truth_section(truth, dataset=dataset))
    title = words(dataset_row.get("title")) or dataset
    return Page(
        file=page_name(dataset),
        title=title,
        lead=_lead(dataset_row, ordered, adata.obs),
        sections=tuple(sections),
        banner=simulated_banner([title]) if simulated else None,
        nav=title,
        warnings=reference_warning(cohort_positions(adata.uns.get("osteotalk", {}), dataset_row)),
    )


def simulated_banner(titles: Sequence[str]) -> str:
    """Warning that the data of these cohorts are made up."""
    listed = enumerate_words([f"'{title}'" for title in titles])
    return (
        f"SIMULATED DATA: the cells of {listed} were generated and their interactions planted by "
        "osteotalk. Nothing below that rests on them says anything about patients."
    )


def _lead(row: Mapping[Any, Any], samples: pd.DataFrame, cells: pd.DataFrame) -> tuple[str, ...]:
    patients, n = samples["patient"].nunique(), samples["sample"].nunique()
    text = [
        f"{plural(patients, 'patient')}, {plural(n, 'sample')}, {plural(len(cells), 'cell')} kept."
    ]
    if doi := words(row.get("doi")):
        text.append(f"Source: doi:{doi}")
    if same := words(row.get("patients_of")):
        text.append(f"The patients are those of {same}: the two are not independent.")
    if words(row.get("combine")) == "no":
        text.append(OUT_OF_COMBINED)
    if words(row.get("status")) not in ("", "verified"):
        text.append(f"What is said of this cohort is {status_words(row['status'])}.")
    if note := words(row.get("note")):
        text.append(note.rstrip(".") + ".")
    return tuple(text)
