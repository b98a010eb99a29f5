"""The section on malignancy: which cells are tumour cells, and by what evidence."""

import math

import pandas as pd
from anndata import AnnData

from osteotalk.report.cnv_figures import cnv_heatmap
from osteotalk.report.model import Column, Figure, Section, Table
from osteotalk.report.population_figures import facet_umap
from osteotalk.report.population_section import Cohort
from osteotalk.report.text import count, number, plural, setting

CALLS = ("yes", "no", "undetermined")
_WORDS = {"yes": "malignant", "no": "not malignant", "undetermined": "undetermined"}
_COLOURS = {"yes": "#B5421A", "no": "#1F4E79", "undetermined": "#8A6D1F"}


def malignancy_section(cohort: Cohort, *, malignancy: pd.DataFrame, cnv: AnnData) -> Section:
    """Build the section.

    Parameters
    ----------
    cohort
        Annotated cohort.
    malignancy
        Table `malignancy`, one row per sample and cluster.
    cnv
        Copy number profiles of some cells.
    """
    calls = cohort.cells["malignant"].astype(str)
    return Section(
        anchor="malignancy",
        title="Malignant cells",
        question="Which cells are tumour cells, and is that borne out by their copy number?",
        body=_body(cohort, calls, malignancy),
        figures=(*_map(cohort, calls), *_heatmap(cohort, cnv)),
        tables=(_sample_table(cohort, calls, malignancy), _call_table(cohort, malignancy)),
        caveats=(
            "Copy number is inferred from expression in windows of neighbouring genes. It sees "
            "gains and losses of chromosome arms, not small ones, and a tumour without large ones "
            "looks normal. Cells called by markers alone say so in the table.",
            "Undetermined is not 'not malignant': positions of genes or normal cells to compare "
            "with were missing, or markers and copy number disagree. The table has the reason.",
        ),
    )


def _body(cohort: Cohort, calls: pd.Series, malignancy: pd.DataFrame) -> tuple[str, ...]:
    sizes = {call: int((calls == call).sum()) for call in CALLS}
    total = max(len(calls), 1)
    listed = ", ".join(
        f"{plural(sizes[call], 'cell')} {_WORDS[call]} ({sizes[call] / total:.1%})"
        for call in CALLS
    )
    scored = malignancy["cnv_score"].notna()
    samples = sorted(set(malignancy.loc[scored, "sample"].astype(str)))
    every = cohort.cells["sample"].astype(str).nunique()
    text = [
        f"{listed[0].upper()}{listed[1:]}. Copy number could be computed in {count(len(samples))} "
        f"of {plural(every, 'sample')}."
    ]
    least = number(setting(cohort.parameters, "malignancy.min_reference"))
    if len(samples) < every and math.isfinite(least):
        text.append(
            f"It needs at least {count(least)} immune or endothelial cells of the same sample to "
            "compare with, positions of the genes, and cells that may be tumour; the table of "
            "clusters has the reason for each sample."
        )
    return tuple(text)


def _map(cohort: Cohort, calls: pd.Series) -> list[Figure]:
    points = cohort.points()
    if points is None:
        return []
    alt = "UMAP by malignancy: " + "; ".join(
        f"{_WORDS[call]} {count((calls == call).sum())}" for call in CALLS
    )
    svg = facet_umap(
        points,
        calls.tolist(),
        labels=_WORDS,
        colours=_COLOURS,
        uid="umapm",
        alt=alt,
        stamp=cohort.stamp,
    )
    caption = (
        "The map of the populations, one panel per call. Tumour cells of different patients often "
        "lie apart, normal cells of all patients together. Called cells scattered among others of "
        "another call deserve a look at the heat map below."
    )
    return [Figure("figure-umap-malignancy", svg, alt, caption, table="table-malignant")]


def _heatmap(cohort: Cohort, cnv: AnnData) -> list[Figure]:
    if cnv.n_obs == 0 or cnv.n_vars == 0:
        return []
    patients = cnv.obs["patient"].astype(str).nunique()
    alt = (
        f"Copy number profiles of {plural(cnv.n_obs, 'cell')} of {plural(patients, 'patient')} "
        f"in {plural(cnv.n_vars, 'window')} along the genome"
    )
    svg = cnv_heatmap(cnv, words=cohort.palette, uid="cnv", alt=alt, stamp=cohort.stamp)
    caption = (
        "Inferred copy number, chromosomes from left to right, cells in rows by patient and call; "
        "at most 200 cells of each sample are drawn at random. Red: more expression than in the "
        "immune and endothelial cells of the same sample; blue: less. Tumour cells share whole "
        "arms of one colour, which differ from patient to patient; normal cells stay pale. A "
        "stripe in normal cells of all patients is a cluster of genes of their cell type, not a "
        "copy number change."
    )
    return [Figure("figure-cnv", svg, alt, caption, table="table-malignant-clusters")]


def _sample_table(cohort: Cohort, calls: pd.Series, malignancy: pd.DataFrame) -> Table:
    """Cells of each call per sample, with the reference cells it had."""
    counts = pd.crosstab(cohort.cells["sample"].astype(str), calls)
    order = [name for name in cohort.sample_titles() if name in counts.index]
    counts = counts.reindex(index=order, columns=list(CALLS), fill_value=0)
    by_sample = malignancy.groupby(malignancy["sample"].astype(str))
    reference = by_sample["n_reference"].max().reindex(order)
    scored = set(malignancy.loc[malignancy["cnv_score"].notna(), "sample"].astype(str))
    patients = dict(zip(cohort.samples["sample"], cohort.samples["patient"], strict=True))
    frame = pd.DataFrame(
        {
            "sample": order,
            "patient": [str(patients[name]) for name in order],
            "n_reference": reference.to_numpy(),
            "computed": ["yes" if name in scored else "no" for name in order],
            **{call: counts[call].to_numpy() for call in CALLS},
        }
    )
    return Table(
        "table-malignant",
        frame,
        "Calls per sample. Reference: immune and endothelial cells of the sample, against which "
        "copy number is inferred.",
        (
            Column("sample", "Sample", "code"),
            Column("patient", "Patient"),
            Column("n_reference", "Reference cells", "integer", missing="not counted"),
            Column("computed", "Copy number computed"),
            *[Column(call, _WORDS[call].capitalize(), "integer") for call in CALLS],
        ),
        download=f"assets/{cohort.dataset}_malignant.tsv",
    )


def _call_table(cohort: Cohort, malignancy: pd.DataFrame) -> Table:
    palette, frame = cohort.palette, malignancy.copy()
    frame["label"] = [palette.label(str(name)) for name in frame["population"]]
    return Table(
        "table-malignant-clusters",
        frame,
        "The call of each cluster in each sample, and why. The score is high where cells share the "
        "profile of the sample's tumour; the limit comes from reference cells held back. Private "
        "share: part of the cluster's cells that belong to this patient.",
        (
            Column("sample", "Sample", "code"),
            Column("patient", "Patient"),
            Column("cluster", "Cluster", "code"),
            Column("label", "Population"),
            Column("n_cells", "Cells", "integer"),
            Column("cnv_score", "Copy number score", "number", missing="not computed"),
            Column("cnv_limit", "Limit", "number", missing="not computed"),
            Column("patient_share", "Private share", "share"),
            Column("malignant", "Malignant"),
            Column("n_yes", "Yes", "integer"),
            Column("n_no", "No", "integer"),
            Column("n_undetermined", "Undetermined", "integer"),
            Column("reason", "Why", wide=True),
        ),
        download=f"assets/{cohort.dataset}_malignant_clusters.tsv",
        filters=("sample", "label", "malignant"),
        collapsed=True,
    )
