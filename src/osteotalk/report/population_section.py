"""The section on populations: which were told apart, by what, and how sure that is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData

from osteotalk.report.cohort_tables import composition_tables, population_cells
from osteotalk.report.grid_figures import confidence_figure, dot_plot
from osteotalk.report.markers import dots, marker_rows
from osteotalk.report.model import Column, Figure, Section, Table
from osteotalk.report.population_figures import composition_figure, population_umap
from osteotalk.report.text import count, enumerate_words, number, plural, setting, words
from osteotalk.report.vocabulary import UNASSIGNED, Vocabulary

MOST_CLUSTERS = 60  # rows of the figure of clusters
STATE = "state"


@dataclass(frozen=True)
class Cohort:
    """What the sections on the cells of a cohort share."""

    dataset: str
    samples: pd.DataFrame
    adata: AnnData
    palette: Vocabulary
    populations: pd.DataFrame
    parameters: Mapping[str, object]
    stamp: str

    @property
    def cells(self) -> pd.DataFrame:
        """Cells with their names."""
        return self.adata.obs

    @property
    def named(self) -> pd.Series:
        """Population of each cell, as text."""
        return self.adata.obs["population"].astype(str)

    def points(self, key: str = "X_umap") -> np.ndarray | None:
        """Coordinates of the cells on a map; None where there is none."""
        if key not in self.adata.obsm or self.adata.n_obs == 0:
            return None
        return np.asarray(self.adata.obsm[key], dtype=float)[:, :2]

    def noted(self, step: str) -> Mapping[str, Any]:
        """What a step noted with the cells; empty where it did not."""
        steps = self.adata.uns.get("osteotalk", {})
        return steps.get(step, {}) if isinstance(steps, Mapping) else {}

    def renamed(self) -> dict[tuple[str, str], int]:
        """Cells by the name that copy number changed and the one they got, most first."""
        noted = self.noted("malignancy").get("renamed", {})
        changes = sorted(noted.items(), key=lambda change: (-int(change[1]), change[0]))
        return {
            (before, after): int(size)
            for (before, _, after), size in ((key.partition(" to "), n) for key, n in changes)
        }

    def sample_titles(self) -> dict[str, str]:
        """Sample with its patient, in the order of the report."""
        return {
            str(row["sample"]): f"{row['sample']} ({row['patient']})"
            for row in self.samples.to_dict("records")
        }


def population_section(cohort: Cohort, *, clusters: pd.DataFrame, markers: pd.DataFrame) -> Section:
    """Build the section.

    Parameters
    ----------
    cohort
        Annotated cohort.
    clusters
        Table `annotation`.
    markers
        Table of markers of the config.
    """
    rows = marker_rows(cohort.adata, markers=markers, populations=cohort.populations)
    figures = [
        *_umap(cohort),
        *_marker_figure(cohort, rows),
        *_confidence(cohort, clusters),
        *_composition(cohort),
    ]
    return Section(
        anchor="populations",
        title="Populations",
        question="Which cells were told apart, by which genes, and how sure are the names?",
        body=_body(cohort),
        figures=tuple(figures),
        tables=(
            *composition_tables(
                cohort.samples, cohort.cells, cohort.palette, dataset=cohort.dataset
            ),
            *_state_table(cohort),
            _cluster_table(cohort, clusters),
            _marker_table(cohort, rows),
        ),
        caveats=_caveats(cohort, rows),
    )


def _body(cohort: Cohort) -> tuple[str, ...]:
    names, cells = cohort.named, cohort.cells
    unsure = int((names == UNASSIGNED).sum())
    share = f" ({unsure / len(names):.1%})" if len(names) else ""
    found = [name for name in cohort.palette.order(names) if name != UNASSIGNED]
    below = cohort.populations[cohort.populations["level"] != STATE]
    coarse = names.isin(set(below["parent"]) - {""})
    pairs = int((cells["lineage_doublet"].astype(str) == "yes").sum())
    normal = sum(n for (_, after), n in cohort.renamed().items() if after == UNASSIGNED)
    also = f"; {plural(normal, 'cell')} lost the name as copy number is normal" if normal else ""
    text = [
        f"{plural(len(found), 'population')} in {plural(cells['cluster'].nunique(), 'cluster')}. "
        f"{plural(unsure, 'cell')}{share} {'is' if unsure == 1 else 'are'} unassigned and took no "
        f"part in scoring; of these, {plural(pairs, 'cell')} showed two lineages at once and "
        f"{'is a likely doublet' if pairs == 1 else 'are likely doublets'}{also}.",
    ]
    if coarse.any():
        listed = enumerate_words(
            [
                f"{cohort.palette.label(str(name))} {count(size)}"
                for name, size in names[coarse].value_counts(sort=False).sort_index().items()
                if size
            ]
        )
        text.append(
            f"{plural(coarse.sum(), 'cell')} could be told only at the upper level and "
            f"{'bears' if coarse.sum() == 1 else 'bear'} the name of the parent: {listed}."
        )
    return (*text, *_by_markers(cohort.noted("annotate")))


def _by_markers(noted: Mapping[str, Any]) -> list[str]:
    """Say what the markers made of the cells, before copy number changed a name."""
    phrases = {
        "n_unassigned": "{} unassigned",
        "n_lineage_doublets": "{} with two lineages",
        "n_parent_only": "{} named as a parent only",
        "n_contradict_cluster": "{} against the name of their cluster",
        "n_renamed_against_cluster": "{} of these renamed and the others unassigned",
        "n_with_state": "{} in a state",
    }
    known = [text.format(count(noted[key])) for key, text in phrases.items() if key in noted]
    return [f"Cells by their markers, before copy number: {', '.join(known)}."] if known else []


def _caveats(cohort: Cohort, rows: pd.DataFrame) -> tuple[str, ...]:
    caveats = [
        "Populations are named by marker genes. The score says how well cells match, not that the "
        "name is right. A cell type that the vocabulary lacks should end up unassigned; one that "
        "shares the markers of another can still take its name.",
    ]
    missing = rows[rows["measured"] == "no"]
    if len(missing):
        genes = sorted(set(missing["gene"].astype(str)))
        caveats.append(
            f"{plural(len(genes), 'marker gene')} of the populations found "
            f"{'was' if len(genes) == 1 else 'were'} not measured: {enumerate_words(genes)}."
        )
    if few := words(cohort.noted("annotate").get("too_few_markers")):
        names = [cohort.palette.label(name) for name in few.split(", ")]
        caveats.append(
            f"Too few of their markers were measured to tell {enumerate_words(names)}. Such cells "
            "bear the name of the parent or are unassigned; such states are not told."
        )
    if unknown := cohort.palette.unknown(cohort.named):
        caveats.append(f"Not in the table of populations, shown by id: {enumerate_words(unknown)}.")
    if "X_umap" not in cohort.adata.obsm:
        caveats.append("The cohort has no UMAP, so none is drawn.")
    return tuple(caveats)


def _umap(cohort: Cohort) -> list[Figure]:
    points = cohort.points()
    if points is None:
        return []
    names, palette = cohort.named.tolist(), cohort.palette
    cells = population_cells(cohort.cells)
    alt = "UMAP of the cells by population: " + "; ".join(
        f"{palette.label(name)} {count(cells[name])}" for name in palette.order(names)
    )
    svg = population_umap(points, names, words=palette, uid="umap", alt=alt, stamp=cohort.stamp)
    caption = (
        "Cells by population. Numbers stand at the median of a population and repeat in the "
        "legend. Cells that lie together have similar expression. Distances between groups, "
        "their sizes and gaps on a UMAP carry no measure."
    )
    return [Figure("figure-umap-population", svg, alt, caption, table="table-composition")]


def _marker_figure(cohort: Cohort, rows: pd.DataFrame) -> list[Figure]:
    columns = [name for name in cohort.palette.order(cohort.named) if name != UNASSIGNED]
    frame = dots(cohort.adata, rows, columns=columns) if columns else pd.DataFrame()
    if frame.empty:
        return []
    palette = cohort.palette
    best = frame.sort_values("level", ascending=False, kind="stable").drop_duplicates("marker_of")
    alt = "Dot plot of marker genes by population; highest: " + "; ".join(
        f"{row['gene']} of {palette.label(row['marker_of'])} in {palette.label(row['population'])}"
        for row in best.to_dict("records")
    )
    svg = dot_plot(frame, columns=columns, words=palette, uid="dots", alt=alt, stamp=cohort.stamp)
    caption = (
        "The first measured markers of each population, in the order of the table of markers; the "
        "table beside has them all. Size: share of the population's cells with a count of the "
        "gene. Shade: mean expression, as a share of the gene's highest. Look down a column for "
        "its own markers and for those of others: a population that also shows another's block is "
        "doubtful, or lies in its ambient RNA. These are the genes that gave the names, so they "
        "cannot confirm them."
    )
    return [Figure("figure-markers", svg, alt, caption, table="table-markers")]


def _confidence(cohort: Cohort, clusters: pd.DataFrame) -> list[Figure]:
    if clusters.empty:
        return []
    palette = cohort.palette
    largest = clusters.sort_values("n_cells", ascending=False, kind="stable").head(MOST_CLUSTERS)
    order = {name: place for place, name in enumerate(palette.order(largest["population"]))}
    frame = largest.sort_values(
        ["population", "n_cells"],
        key=lambda values: values.map(order) if values.name == "population" else -values,
        kind="stable",
    ).reset_index(drop=True)
    keys = {"score": "min_score", "margin": "min_margin", "share_agree": "min_agree"}
    limits = {
        name: value
        for name, key in keys.items()
        if np.isfinite(value := number(setting(cohort.parameters, f"annotation.{key}")))
    }
    unsure = int((clusters["population"] == UNASSIGNED).sum())
    alt = (
        f"Marker score, lead and share of agreeing cells of {plural(len(frame), 'cluster')}; "
        f"{plural(unsure, 'cluster')} unassigned"
    )
    svg = confidence_figure(
        frame, limits=limits, words=palette, uid="sure", alt=alt, stamp=cohort.stamp
    )
    shown = (
        f" The {MOST_CLUSTERS} largest of {len(clusters)} clusters are shown."
        if len(clusters) > MOST_CLUSTERS
        else ""
    )
    caption = (
        "How sure the name of each cluster is. Score: markers of the population less other genes "
        "of a similar level. Lead: over the next population of that level. Squares are the major "
        "population, dots the fine one; a cluster left of a dashed limit is unassigned, or named "
        "as its parent. Right: share of the cluster's cells whose own best major population is "
        "that of the cluster. A "
        "dot close to a limit, or a low share, is a name to doubt; the table says why a cluster "
        f"has none. The names are what the markers said, before copy number.{shown}"
    )
    return [Figure("figure-confidence", svg, alt, caption, table="table-clusters")]


def _composition(cohort: Cohort) -> list[Figure]:
    cells, palette = cohort.cells, cohort.palette
    if cells.empty:
        return []
    table = pd.crosstab(cells["sample"].astype(str), cohort.named)
    rows = [str(name) for name in cohort.samples["sample"] if str(name) in table.index]
    columns = palette.order(table.columns)
    shares = table.loc[rows, columns].div(table.loc[rows].sum(axis=1), axis=0)
    records = {str(row["sample"]): row for row in cohort.samples.to_dict("records")}
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
        stamp=cohort.stamp,
    )
    caption = (
        "Share of each population in each sample, patients named, grouped by condition. Numbers "
        "repeat in the legend. Shares reflect dissociation and capture as much as the tumour "
        "(neutrophils and osteoclasts are easily lost), so differences between conditions are not "
        "tested here."
    )
    return [Figure("figure-composition", svg, alt, caption, table="table-composition")]


def _state_table(cohort: Cohort) -> list[Table]:
    """Cells in states of their population, where any was told."""
    states = cohort.cells["population_state"].astype(str)
    chosen = states != ""
    if not chosen.any():
        return []
    sizes = population_cells(cohort.cells)
    counts = (
        pd.DataFrame({"population": cohort.named[chosen], "state": states[chosen]})
        .value_counts(sort=False)
        .rename("n_cells")
        .reset_index()
    )
    palette = cohort.palette
    rank = {
        name: i for i, name in enumerate(palette.order([*counts["population"], *counts["state"]]))
    }
    frame = counts.sort_values(["population", "state"], key=lambda names: names.map(rank))
    frame["label"] = frame["population"].map(palette.label)
    frame["state_label"] = frame["state"].map(palette.label)
    frame["share"] = frame["n_cells"] / frame["population"].map(sizes)
    return [
        Table(
            "table-states",
            frame.reset_index(drop=True),
            "States inside the populations, decided cell by cell. A cell without a clear state has "
            "none, so the shares of a population need not add up to one. States take no part in "
            "scoring.",
            (
                Column("label", "Population"),
                Column("state_label", "State"),
                Column("n_cells", "Cells", "integer"),
                Column("share", "Share of the population", "share"),
            ),
            download=f"assets/{cohort.dataset}_states.tsv",
            collapsed=True,
        )
    ]


def _cluster_table(cohort: Cohort, clusters: pd.DataFrame) -> Table:
    palette, frame = cohort.palette, clusters.copy()
    frame["label"] = [palette.label(str(name)) for name in frame["population"]]
    for column in ("best", "runner_up", "major"):
        names = [words(name) for name in frame[column]]
        frame[f"{column}_label"] = [palette.label(name) if name else "" for name in names]
    return Table(
        "table-clusters",
        frame,
        "Clusters and how they got their names: what the markers said, before copy number. Score: "
        "markers of the population less other genes of a similar level, in log1p units. Lead: over "
        "the runner-up. The cells of a cluster can be named otherwise one by one: unassigned if "
        "they show two lineages, for instance, or renamed by copy number.",
        (
            Column("cluster", "Cluster", "code"),
            Column("n_cells", "Cells", "integer"),
            Column("label", "Population"),
            Column("score", "Score", "number", missing="no score"),
            Column("margin", "Lead", "number", missing="no lead"),
            Column("major_label", "Major", missing="none"),
            Column("major_score", "Score of the major", "number", missing="no score"),
            Column("major_margin", "Lead of the major", "number", missing="no lead"),
            Column("best_label", "Best match", missing="none"),
            Column("runner_up_label", "Runner-up", missing="none"),
            Column("share_agree", "Cells that agree", "share", missing="not checked"),
            Column("n_unassigned", "Cells unassigned", "integer"),
            Column("n_lineage_doublets", "Two lineages", "integer"),
            Column("reason", "Why unsure", wide=True, missing="named in the plain way"),
        ),
        download=f"assets/{cohort.dataset}_clusters.tsv",
    )


def _marker_table(cohort: Cohort, rows: pd.DataFrame) -> Table:
    palette, frame = cohort.palette, rows.copy()
    frame["label"] = frame["marker_of"].map(palette.label)
    frame["sign"] = frame["sign"].map({"+": "for", "-": "against"}).fillna(frame["sign"])
    frame["elsewhere_label"] = [palette.label(name) if name else "" for name in frame["elsewhere"]]
    return Table(
        "table-markers",
        frame,
        "Markers of the populations found, and where else they are expressed. A marker of a parent "
        "is looked up in all its populations. Means are of log1p counts per 10,000.",
        (
            Column("label", "Marker of"),
            Column("gene", "Gene", "code"),
            Column("sign", "Speaks"),
            Column("measured", "Measured"),
            Column("mean", "Mean there", "number", missing="not measured"),
            Column("detected", "Cells with it", "share", missing="not measured"),
            Column("elsewhere_label", "Highest elsewhere in", missing="nowhere else"),
            Column("mean_elsewhere", "Mean elsewhere", "number", missing="no other population"),
        ),
        download=f"assets/{cohort.dataset}_markers.tsv",
        collapsed=True,
    )
