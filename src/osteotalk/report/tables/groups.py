"""Groups of cells that were named together: how sure their names are, by which markers, for what.

Tables and figures of the section on populations.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from osteotalk.annotate.agreement import ancestors
from osteotalk.annotate.group_table import FINE, MAJOR
from osteotalk.claims.claim import UNTESTABLE, read_claims
from osteotalk.report.figures.grids import dot_plot, probability_figure
from osteotalk.report.inputs import Cohort
from osteotalk.report.model import Column, Figure, Table
from osteotalk.report.tables.markers import dot_values
from osteotalk.report.words.text import number, plural, setting, share, shorten, words
from osteotalk.report.words.vocabulary import UNASSIGNED
from osteotalk.tables import within

MOST_GROUPS = 60  # rows of the figure of probabilities
MOST_COLUMNS = 30  # groups in the dot plot
SHOWN = 3  # markers of each population compared there


def claims_of_groups(
    groups: pd.DataFrame, *, claims: pd.DataFrame, populations: pd.DataFrame
) -> list[list[str]]:
    """Claims that hang on each group: on its name, or a population above or below.

    Parameters
    ----------
    groups
        Rows of table `annotation`; of a group that is unassigned the best match counts.
    claims, populations
        Tables of the config.
    """
    line = ancestors(populations)
    named = {
        claim.claim_id: {
            *claim.source,
            *claim.target,
            *(claim.quantity.populations if claim.quantity else ()),
        }
        for claim in read_claims(claims, vocabulary=populations)
        if claim.kind != UNTESTABLE
    }
    lines = {
        claim: {above for name in names for above in line.get(name, [name])}
        for claim, names in named.items()
    }
    found = []
    for name, best in zip(groups["population"], groups["best"], strict=True):
        key = words(best) if name == UNASSIGNED else str(name)
        own = set(line.get(key, [key]))
        found.append(
            [claim for claim, names in named.items() if names & own or key in lines[claim]]
        )
    return found


def group_figures(cohort: Cohort, groups: pd.DataFrame, *, markers: pd.DataFrame) -> list[Figure]:
    """How sure the names of the groups are, and the markers that decided.

    Parameters
    ----------
    cohort
        Annotated cohort.
    groups
        Table `annotation`.
    markers
        Table of markers of the config.
    """
    return [*_probabilities(cohort, groups), *_marker_dots(cohort, groups, markers)]


def _in_order(cohort: Cohort, groups: pd.DataFrame, most: int) -> pd.DataFrame:
    """The largest groups: major before fine, by name (or best match), then size."""
    palette = cohort.palette
    sizes = groups.sort_values("n_cells", ascending=False, kind="stable", ignore_index=True)
    largest = sizes.head(most)
    places = {
        name: i for i, name in enumerate(palette.order([*largest["population"], *largest["best"]]))
    }
    keys = pd.DataFrame(
        {
            "level": largest["level"] == FINE,
            "name": largest["population"].map(places),
            "best": largest["best"].map(places),
        }
    )
    return largest.loc[keys.sort_values(["level", "name", "best"], kind="stable").index]


def _cut(shown: pd.DataFrame, groups: pd.DataFrame) -> str:
    return (
        f" The {len(shown)} largest of {len(groups)} groups are shown."
        if len(shown) < len(groups)
        else ""
    )


def _probabilities(cohort: Cohort, groups: pd.DataFrame) -> list[Figure]:
    if groups.empty:
        return []
    frame = _in_order(cohort, groups, MOST_GROUPS).reset_index(drop=True)
    limit = number(setting(cohort.parameters, "annotation.min_probability"))
    major = groups[groups["level"] == MAJOR]
    unsure = int((major["population"] == UNASSIGNED).sum())
    alt = (
        f"Probability of the best match and of the runner-up in {plural(len(frame), 'group')} of "
        f"cells; of {plural(len(major), 'group')} compared among the major populations {unsure} "
        "unassigned"
    )
    svg = probability_figure(
        frame, limit=limit, words=cohort.palette, uid="sure", alt=alt, stamp=cohort.stamp
    )
    caption = (
        "How sure the name of each group of cells is, the groups of major populations first, then "
        "their parts. Dots and crosses: the best match. Rings: the next likely, which is another "
        "population, or none of them. Right of the dashed limit the group has the name; left of it "
        "it is unassigned or keeps the name of its parent (cross; a cross right of the limit had "
        "too few measured markers). A dot near the limit, or a ring near its dot, is a name to "
        "doubt; a cross at the left with a ring at the right says that a group is surely none of "
        "the populations, or of the finer ones. Probabilities are those of the markers, before "
        "copy number; those of parts are "
        f"given that the major population is right.{_cut(frame, groups)}"
    )
    return [Figure("figure-confidence", svg, alt, caption, table="table-clusters")]


def _marker_dots(cohort: Cohort, groups: pd.DataFrame, markers: pd.DataFrame) -> list[Figure]:
    """The markers of what was compared, in the groups whose cells got their name there."""
    last = groups[
        (groups["level"] == FINE)
        | ~groups["population"].isin(groups.loc[groups["level"] == FINE, "within"])
    ]
    doublet = (cohort.cells["lineage_doublet"].astype(str) == "yes").to_numpy()
    of_cell = cohort.cells["subcluster"].astype(str).where(~doublet, "").to_numpy()
    last = last[last["cluster"].isin(set(of_cell))]
    frame = _in_order(cohort, last, MOST_COLUMNS)
    chosen = _compared_markers(cohort, frame, markers)
    if chosen.empty:
        return []
    palette = cohort.palette
    titles = {
        str(
            row["cluster"]
        ): f"{shorten(palette.label(str(row['population'])), 18)} · {row['cluster']}"
        for row in frame.to_dict("records")
    }
    values = dot_values(cohort.adata, chosen, groups=of_cell, columns=list(titles))
    alt = f"Dot plot of the markers that were compared in {plural(len(frame), 'group')} of cells"
    compared = {
        str(row["cluster"]): (words(row["best"]), words(row["runner_up"]))
        for row in frame.to_dict("records")
    }
    svg = dot_plot(
        values,
        columns=titles,
        compared=compared,
        words=palette,
        uid="groupdots",
        alt=alt,
        stamp=cohort.stamp,
    )
    caption = (
        "Markers for and against the names. Columns: groups of cells that were named together, "
        "without likely doublets, by name and size. Rows: the first measured markers of each "
        "population that is the best match or the runner-up of a group, in the order of the table "
        "of markers. Green: markers of the group's best match; orange: of its runner-up. A name is "
        "clear where green holds large dark dots and orange does not; where both do, or neither, "
        "it is to be doubted. Size: share of the group's cells with a count; shade: mean as a "
        "share of the highest of these groups. More markers than these were compared, and how far "
        f"each told groups apart, so the figure cannot be summed by eye.{_cut(frame, last)}"
    )
    return [Figure("figure-group-markers", svg, alt, caption, table="table-clusters")]


def _compared_markers(cohort: Cohort, groups: pd.DataFrame, markers: pd.DataFrame) -> pd.DataFrame:
    """First markers of each best match and runner-up; of those below it, if it has none itself."""
    usable = markers[
        markers["gene"].isin(cohort.adata.var_names) & (markers["sign"].replace("", "+") == "+")
    ]
    names = {words(name) for column in ("best", "runner_up") for name in groups[column]} - {""}
    parts = []
    for name in cohort.palette.order(names):
        own = usable[usable["population"] == name]
        if own.empty:
            own = usable[usable["population"].isin(within(cohort.populations, name))]
        parts.append(own.head(SHOWN).assign(marker_of=name))
    found = pd.concat(parts) if parts else pd.DataFrame(columns=["marker_of", "gene"])
    return found[["marker_of", "gene"]].drop_duplicates("gene")


def group_tables(
    cohort: Cohort, groups: pd.DataFrame, *, claims: pd.DataFrame
) -> tuple[Table, Table]:
    """Tables of the groups named among the major populations, and of their parts.

    Parameters
    ----------
    cohort
        Annotated cohort.
    groups
        Table `annotation`.
    claims
        Table of claims.
    """
    major = _group_table(
        cohort,
        groups[groups["level"] == MAJOR],
        claims,
        none="none",
        anchor="table-clusters",
        caption=(
            "Groups of cells and their major populations: what the markers said, before copy "
            "number. A group is a cluster, or a part of it that is of another lineage. Markers "
            "for: those of the best match that are on, the most telling first; against: those that "
            "are not, and those that speak against it. Its cells can be named otherwise one by "
            "one: unassigned, as they show two lineages, or moved to another lineage that they fit "
            "better. Runner-up: the next likely, or none of the vocabulary. Claims: those that "
            "name this population (of an unassigned group the best match), or one above or below "
            "it."
        ),
        counts=(
            Column("n_unassigned", "Cells unassigned", "integer"),
            Column("n_lineage_doublets", "Two lineages", "integer"),
            Column("n_moved", "Moved", "integer"),
        ),
        download=f"assets/{cohort.dataset}_clusters.tsv",
    )
    fine = _group_table(
        cohort,
        groups[groups["level"] == FINE],
        claims,
        none="no finer",
        anchor="table-parts",
        caption=(
            "Parts of the major populations and their finer names. Probabilities are given that "
            "the major population is right. A part that is not sure enough keeps the name of the "
            "parent, and takes part in claims that name the parent."
        ),
        counts=(),
        download=f"assets/{cohort.dataset}_parts.tsv",
    )
    return major, fine


def _group_table(
    cohort: Cohort,
    groups: pd.DataFrame,
    claims: pd.DataFrame,
    *,
    none: str,
    anchor: str,
    caption: str,
    counts: tuple[Column, ...],
    download: str,
) -> Table:
    palette, frame = cohort.palette, groups.reset_index(drop=True)
    rows = frame.to_dict("records")
    frame["label"] = [palette.label(str(name)) for name in frame["population"]]
    known = (frame["population"] != UNASSIGNED).to_numpy(dtype=bool)
    frame["_probability"] = np.where(known, frame["probability"].astype(float), np.nan)
    frame["best_label"] = [
        _with_chance(cohort, row, "best", none) if row["best"] != row["population"] else ""
        for row in rows
    ]
    frame["runner_up_label"] = [_with_chance(cohort, row, "runner_up", none) for row in rows]
    hanging = claims_of_groups(frame, claims=claims, populations=cohort.populations)
    frame["n_claims"] = [len(ids) for ids in hanging]
    frame["claims"] = [";".join(ids) for ids in hanging]
    return Table(
        anchor,
        frame,
        caption,
        (
            Column("cluster", "Group", "code"),
            Column("n_cells", "Cells", "integer"),
            Column("label", "Population"),
            Column("_probability", "Probability", "share", missing="no name"),
            Column("best_label", "Best match", sort="best_probability", missing="it has the name"),
            Column("runner_up_label", "Runner-up", sort="runner_up_probability", missing="none"),
            Column(
                "n_claims",
                "Claims on it",
                "integer",
                details=(Column("claims", "Claims", "claims"),),
            ),
            Column("markers_for", "Markers for", wide=True, missing="none on"),
            Column("markers_against", "Markers against", wide=True, missing="none"),
            *counts,
            Column("reason", "Why unsure", wide=True, missing="sure by its markers"),
        ),
        download=download,
        filters=("label",),
        collapsed=anchor != "table-clusters",
    )


def _with_chance(cohort: Cohort, row: Mapping[object, object], column: str, none: str) -> str:
    """A population with its probability, in words."""
    name = words(row[column])
    return f"{cohort.palette.label(name) if name else none} {share(row[f'{column}_probability'])}"
