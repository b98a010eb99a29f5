"""The section on populations: which were told apart, by what, and how sure that is."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from osteotalk.annotate.decide import only_as_parent
from osteotalk.report.figures.grids import dot_plot
from osteotalk.report.figures.populations import composition_figure, population_umap
from osteotalk.report.inputs import Cohort
from osteotalk.report.model import Column, Figure, Section, Table
from osteotalk.report.tables.cohort import composition_tables, population_cells
from osteotalk.report.tables.groups import group_figures, group_tables
from osteotalk.report.tables.markers import dots, marker_rows
from osteotalk.report.words.text import (
    count,
    enumerate_words,
    number,
    plural,
    setting,
    share,
    whole,
    words,
)
from osteotalk.report.words.vocabulary import UNASSIGNED

STATE = "state"


def section(cohort: Cohort) -> Section:
    """The section of a cohort's page."""
    groups, markers = cohort.results.clusters, cohort.tables.markers
    rows = marker_rows(cohort.adata, markers=markers, populations=cohort.populations)
    figures = [
        *_umap(cohort),
        *_marker_figure(cohort, rows),
        *group_figures(cohort, groups, markers=markers),
        *_composition(cohort),
    ]
    return Section(
        anchor="populations",
        title="Populations",
        question="Which cells were told apart, by which genes, and how sure are the names?",
        body=_body(cohort),
        definitions=_definitions(cohort),
        figures=tuple(figures),
        tables=(
            *composition_tables(
                cohort.samples, cohort.cells, cohort.palette, dataset=cohort.dataset
            ),
            *_state_table(cohort),
            *group_tables(cohort, groups, claims=cohort.tables.claims),
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
    open_ = only_as_parent(cells["population_reason"].astype(str))
    coarse = names.isin(set(below["parent"]) - {""}) & open_
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
        "n_moved": "{} moved to another lineage than that of their cluster",
        "n_with_state": "{} in a state",
        "n_cycling": "{} cycling",
    }
    known = [text.format(count(noted[key])) for key, text in phrases.items() if key in noted]
    text = [f"Cells by their markers, before copy number: {', '.join(known)}."] if known else []
    if parts := whole(noted.get("n_groups_taken_out")):
        text.append(
            f"{plural(parts, 'part')} of clusters {'is' if parts == 1 else 'are'} of another "
            f"lineage than the rest and {'was' if parts == 1 else 'were'} named apart."
        )
    return text


def _definitions(cohort: Cohort) -> tuple[tuple[str, str], ...]:
    """What the words of the figures and tables mean."""
    noted = cohort.noted("annotate")
    limit = number(
        noted.get("min_probability", setting(cohort.parameters, "annotation.min_probability"))
    )
    least = f" A name needs at least {share(limit)}." if np.isfinite(limit) else ""
    fewest = whole(noted.get("min_measured"))
    return (
        (
            "Probability",
            "How likely a population is, compared with the others of the vocabulary and with none "
            f"of them, by all its markers at once and before copy number.{least} It knows nothing "
            "of a cell type that the vocabulary lacks.",
        ),
        (
            "What settles doubts",
            "Where the markers leave a few major populations open, all genes of the cells are "
            "compared with those of the named groups. Where that does not settle it the group is "
            "unassigned; between finer populations it keeps the name of their parent and takes "
            "part in claims that name the parent."
            + (
                f" A finer population with fewer than {plural(fewest, 'measured marker')} is not "
                "told apart."
                if fewest
                else ""
            ),
        ),
        (
            "Cycling",
            "A state, not a population: a cycling cell bears the name of what it is.",
        ),
    )


def _caveats(cohort: Cohort, rows: pd.DataFrame) -> tuple[str, ...]:
    caveats = [
        "Populations are named by marker genes, and the probability is as good as the lists of "
        "them. A cell type that the vocabulary lacks should end up unassigned; one that shares the "
        "markers of another can still take its name, with a high probability.",
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
        f"{row['gene']} of {palette.label(row['marker_of'])} in {palette.label(row['column'])}"
        for row in best.to_dict("records")
    )
    titles = {name: palette.label(name) for name in columns}
    svg = dot_plot(frame, columns=titles, words=palette, uid="dots", alt=alt, stamp=cohort.stamp)
    caption = (
        "The first measured markers of each population, in the order of the table of markers; the "
        "table beside has them all. Size: share of the population's cells with a count of the "
        "gene. Shade: mean expression, as a share of the gene's highest. Look down a column for "
        "its own markers and for those of others: a population that also shows another's block is "
        "doubtful, or lies in its ambient RNA. These are the genes that gave the names, so they "
        "cannot confirm them."
    )
    return [Figure("figure-markers", svg, alt, caption, table="table-markers")]


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
            "none, so the shares of a population need not add up to one. A cycling cell has the "
            "state cycling if it has no other. States take no part in scoring.",
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
