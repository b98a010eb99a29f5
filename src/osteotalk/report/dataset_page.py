"""The page of one cohort."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData

from osteotalk.report.cohort_tables import (
    STAMP,
    composition_tables,
    order_samples,
    population_cells,
    qc_table,
)
from osteotalk.report.edges_section import edges_section, network_section
from osteotalk.report.evidence_section import evidence_section
from osteotalk.report.figures import (
    composition_figure,
    population_umap,
    qc_figure,
    sample_umap,
)
from osteotalk.report.model import Column, Figure, Page, Section, Table
from osteotalk.report.origin_section import OUT_OF_COMBINED, origin_section, status_words
from osteotalk.report.text import (
    count,
    enumerate_words,
    page_name,
    plural,
    words,
)
from osteotalk.report.truth import truth_section
from osteotalk.report.vocabulary import UNASSIGNED, Vocabulary, vocabulary


def build_dataset_page(
    *,
    dataset_row: Mapping[Any, Any],
    samples: pd.DataFrame,
    retired: pd.DataFrame,
    qc: Sequence[Mapping[str, object]],
    ingest: Sequence[Mapping[str, Any]],
    adata: AnnData,
    clusters: pd.DataFrame,
    support: pd.DataFrame,
    evidence: pd.DataFrame,
    claims: pd.DataFrame,
    populations: pd.DataFrame,
    parameters: Mapping[str, object],
    truth: Mapping[str, object] | None,
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
        Annotated cohort; only ``obs`` and ``obsm["X_umap"]`` are read.
    clusters
        One row per cluster: cluster, n_cells, population, score, margin, runner_up, reason.
    support, evidence
        Result tables of the cohort.
    claims, populations
        Tables of the analysis.
    parameters
        Merged config.
    truth
        Content of ``truth.json`` for a simulated cohort, else None.

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
    sections = [
        origin_section(
            dataset_row,
            ordered,
            retired[retired["dataset"].astype(str) == dataset],
            ingest,
            dataset=dataset,
        ),
        _qc_section(ordered, qc, adata.obs, dataset=dataset, stamp=stamp),
        _population_section(ordered, adata, clusters, palette, dataset=dataset, stamp=stamp),
        network_section(
            support, adata.obs, palette=palette, parameters=parameters, dataset=dataset, stamp=stamp
        ),
        edges_section(support, palette=palette, parameters=parameters, dataset=dataset),
        evidence_section(
            evidence, claims, palette=palette, dataset=dataset, parameters=parameters, stamp=stamp
        ),
    ]
    if truth is not None and simulated:
        sections.append(truth_section(truth, dataset=dataset))
    title = words(dataset_row.get("title")) or dataset
    return Page(
        file=page_name(dataset),
        title=title,
        lead=_lead(dataset_row, ordered, adata.obs),
        sections=tuple(sections),
        banner=simulated_banner([title]) if simulated else None,
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


def _qc_section(
    samples: pd.DataFrame,
    qc: Sequence[Mapping[str, object]],
    cells: pd.DataFrame,
    *,
    dataset: str,
    stamp: str,
) -> Section:
    frame, reasons = qc_table(samples, qc)
    kept = set(cells["sample"].astype(str))
    lost = [str(name) for name in samples["sample"] if str(name) not in kept]
    total, raw = int(frame["n_cells_kept"].sum()), int(frame["n_cells_raw"].sum())
    caveats = [
        f"Sample {record['sample']}: {note}"
        for record in qc
        for note in record.get("notes") or []  # type: ignore[attr-defined]
    ]
    if lost:
        caveats.insert(
            0,
            f"{plural(len(lost), 'sample')} dropped entirely, without a kept cell: "
            f"{enumerate_words(lost)}.",
        )
    body = (f"{count(total)} of {count(raw)} droplets were kept.",)
    figures: tuple[Figure, ...] = ()
    if len(frame):
        alt = "Cells kept per sample: " + "; ".join(
            f"{label}: {count(k)} of {count(r)}"
            for label, k, r in zip(
                frame["label"], frame["n_cells_kept"], frame["n_cells_raw"], strict=True
            )
        )
        svg = qc_figure(frame, reasons=reasons, uid="qc", alt=alt, stamp=stamp)
        caption = (
            "Droplets of each sample, kept and dropped by reason. A droplet that breaks several "
            "rules is counted once. Compare samples: one that loses far more than the others was "
            "processed or preserved differently. The limits adapt to each sample, so a kept cell "
            "is not a certified one."
        )
        figures = (Figure("figure-qc", svg, alt, caption, table="table-qc"),)
    return Section(
        anchor="samples",
        title="Samples and quality control",
        question="How many cells of which patients is everything below based on?",
        body=body,
        figures=figures,
        tables=(_sample_table(frame, reasons, dataset=dataset),),
        caveats=tuple(caveats),
    )


def _sample_table(frame: pd.DataFrame, reasons: Mapping[str, str], *, dataset: str) -> Table:
    return Table(
        "table-qc",
        frame,
        "Samples and their quality control. Medians are over kept cells.",
        (
            Column("sample", "Sample", "code"),
            Column("patient", "Patient"),
            Column("condition", "Condition", missing="not given"),
            Column("histology", "Histology", missing="not given"),
            Column("n_cells_raw", "Droplets", "integer", missing="no quality control record"),
            Column("n_cells_kept", "Kept", "integer", missing="no quality control record"),
            *[Column(key, f"Dropped: {label}", "integer") for key, label in reasons.items()],
            Column("median_counts", "Median counts", "integer", missing="no cell kept"),
            Column("median_genes", "Median genes", "integer", missing="no cell kept"),
            Column("median_pct_mito", "Median mito. %", "number", missing="no cell kept"),
            Column("limits", "Limits applied", wide=True, missing="not recorded"),
        ),
        download=f"assets/{dataset}_samples.tsv",
    )


def _population_section(
    samples: pd.DataFrame,
    adata: AnnData,
    clusters: pd.DataFrame,
    palette: Vocabulary,
    *,
    dataset: str,
    stamp: str,
) -> Section:
    cells = adata.obs
    names = cells["population"].astype(str)
    unsure = int((names == UNASSIGNED).sum())
    caveats = [
        "Populations are named by the marker genes of their cluster. The scores say how well a "
        "cluster matches, not that the name is right; malignant cells are not confirmed by copy "
        "number."
    ]
    if unknown := palette.unknown(names):
        caveats.append(f"Not in the table of populations, shown by id: {enumerate_words(unknown)}.")
    if "X_umap" not in adata.obsm:
        caveats.append("The cohort has no UMAP, so none is drawn.")
    figures = [
        *_umaps(samples, adata, palette, stamp=stamp),
        *_composition(samples, cells, palette, stamp=stamp),
    ]
    number_of = palette.order(names)
    share = f" ({unsure / len(names):.1%})" if len(names) else ""
    return Section(
        anchor="populations",
        title="Populations",
        question="Which cells were told apart, and how sure are the names?",
        body=(
            f"{plural(len([n for n in number_of if n != UNASSIGNED]), 'population')} in "
            f"{plural(cells['cluster'].nunique(), 'cluster')}. {plural(unsure, 'cell')}{share} "
            f"{'is' if unsure == 1 else 'are'} unassigned and took no part in scoring.",
        ),
        figures=tuple(figures),
        tables=(
            *composition_tables(samples, cells, palette, dataset=dataset),
            _cluster_table(clusters, palette, dataset=dataset),
        ),
        caveats=tuple(caveats),
    )


def _umaps(
    samples: pd.DataFrame, adata: AnnData, palette: Vocabulary, *, stamp: str
) -> list[Figure]:
    if "X_umap" not in adata.obsm or adata.n_obs == 0:
        return []
    points = np.asarray(adata.obsm["X_umap"], dtype=float)[:, :2]
    names = adata.obs["population"].astype(str).tolist()
    cells = population_cells(adata.obs)
    alt = "UMAP of the cells by population: " + "; ".join(
        f"{palette.label(name)} {count(cells[name])}" for name in palette.order(names)
    )
    titles = {
        str(row["sample"]): f"{row['sample']} ({row['patient']})"
        for row in samples.to_dict("records")
    }
    alt_samples = (
        f"UMAP in one panel per sample, for {plural(adata.obs['sample'].nunique(), 'sample')}"
    )
    return [
        Figure(
            "figure-umap-population",
            population_umap(points, names, words=palette, uid="umap", alt=alt, stamp=stamp),
            alt,
            "Cells by population. Numbers stand at the median of a population and repeat in the "
            "legend. Cells that lie together have similar expression. Distances between groups, "
            "their sizes and gaps on a UMAP carry no measure.",
            table="table-composition",
        ),
        Figure(
            "figure-umap-sample",
            sample_umap(
                points,
                adata.obs["sample"].astype(str).tolist(),
                labels=titles,
                uid="umaps",
                alt=alt_samples,
                stamp=stamp,
            ),
            alt_samples,
            "The same map, one panel per sample: its cells dark, all others grey. A population "
            "that only one sample fills may be a patient's own tumour, or an effect of that "
            "sample's handling; the map cannot tell which.",
            table="table-qc",
        ),
    ]


def _composition(
    samples: pd.DataFrame, cells: pd.DataFrame, palette: Vocabulary, *, stamp: str
) -> list[Figure]:
    if cells.empty:
        return []
    table = pd.crosstab(cells["sample"].astype(str), cells["population"].astype(str))
    rows = [str(name) for name in samples["sample"] if str(name) in table.index]
    columns = palette.order(table.columns)
    shares = table.loc[rows, columns].div(table.loc[rows].sum(axis=1), axis=0)
    records = {str(row["sample"]): row for row in samples.to_dict("records")}
    alt = "Population shares per sample; the largest: " + "; ".join(
        f"{name}: {palette.label(str(top))} {most:.0%}"
        for name, top, most in zip(rows, shares.idxmax(axis=1), shares.max(axis=1), strict=True)
    )
    svg = composition_figure(
        shares,
        labels={name: f"{records[name]['patient']} · {name}" for name in rows},
        groups={name: words(records[name]["condition"]) for name in rows},
        words=palette,
        uid="composition",
        alt=alt,
        stamp=stamp,
    )
    return [
        Figure(
            "figure-composition",
            svg,
            alt,
            "Share of each population in each sample, patients named, grouped by condition. "
            "Numbers repeat in the legend. Shares reflect dissociation and capture as much as "
            "the tumour (neutrophils and osteoclasts are easily lost), so differences between "
            "conditions are not tested here.",
            table="table-composition",
        )
    ]


def _cluster_table(clusters: pd.DataFrame, palette: Vocabulary, *, dataset: str) -> Table:
    frame = clusters.copy()
    frame["label"] = [palette.label(str(name)) for name in frame["population"]]
    runner = [words(name) for name in frame["runner_up"]]
    frame["runner_up_label"] = [palette.label(name) if name else "" for name in runner]
    if "best" in frame:
        best = [words(name) for name in frame["best"]]
        frame["best_label"] = [palette.label(name) if name else "" for name in best]
    return Table(
        "table-clusters",
        frame,
        "Clusters and how they got their names. Score: markers of the population less random "
        "genes of the same level, in log1p units. Margin: lead over the runner-up. A cluster "
        "below the limits is unassigned, for the reason given.",
        (
            Column("cluster", "Cluster", "code"),
            Column("n_cells", "Cells", "integer"),
            Column("label", "Population"),
            Column("score", "Score", "number", missing="no score"),
            Column("margin", "Margin", "number", missing="no margin"),
            *([Column("best_label", "Best match", missing="none")] if "best" in frame else []),
            Column("runner_up_label", "Runner-up", missing="none"),
            Column("reason", "Why unassigned", wide=True, missing="assigned"),
        ),
        download=f"assets/{dataset}_clusters.tsv",
    )
