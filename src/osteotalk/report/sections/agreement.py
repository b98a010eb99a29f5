"""The section on agreement: our populations against the authors' labels and second opinions."""

from collections.abc import Mapping

import pandas as pd

from osteotalk.annotate.agreement import (
    FINE,
    MAJOR,
    SOURCES,
    adjusted_rand,
    of_source,
    population_scores,
    reliability,
    share_right,
)
from osteotalk.report.figures.grids import confusion_figure, reliability_figure
from osteotalk.report.inputs import Cohort
from osteotalk.report.model import Column, Figure, Section, Table
from osteotalk.report.words.text import DASH, count, plural, significant

MOST_LABELS = 45  # rows of a figure
_WORDS = {
    "author": "the authors' labels",
    "celltypist": "CellTypist",
    "reference": "labels carried over from the reference",
}
_TITLES = {
    "author": "the authors",
    "celltypist": "CellTypist (doi:10.1126/science.abl5197)",
    "reference": "the reference",
}


def section(cohort: Cohort) -> Section | None:
    """The section of a cohort's page; None where nobody else named the cells."""
    agreement, labels = cohort.results.agreement, cohort.tables.labels
    sources = [name for name in SOURCES if name in set(agreement["source"])]
    if not sources:
        return None
    parts = {name: of_source(agreement, name) for name in sources}
    filled = {name: part for name, part in parts.items() if len(part)}
    own = labels[labels["dataset"].astype(str) == cohort.dataset]
    sure = {name: frame for name in filled if len(frame := _reliability(cohort, name, labels=own))}
    notes = dict(zip(own["label"], own["note"], strict=True))
    return Section(
        anchor="agreement",
        title="Agreement with other labels",
        question="Do others who named the same cells say the same?",
        body=tuple(_sentence(name, parts[name], cohort) for name in sources),
        figures=(
            *[_figure(name, part, cohort) for name, part in filled.items()],
            *[_sureness_figure(name, frame, cohort) for name, frame in sure.items()],
        ),
        tables=(
            *([_summary_table(filled, cohort)] if filled else []),
            *[_sureness_table(name, frame, cohort) for name, frame in sure.items()],
            *[_score_table(name, part, cohort) for name, part in filled.items()],
            *[_label_table(name, part, cohort, notes) for name, part in filled.items()],
        ),
        caveats=(
            "Labels of others are not the truth. Authors, CellTypist and references name cells by "
            "markers and clusters as well, often by the same genes; what they share, they can "
            "share in error. A low agreement says where to look, not who is right.",
            "Labels without a population of ours (normal lung, muscle, unknown) are shown but not "
            "counted as right or wrong. Which population a label stands for is set in the table of "
            "labels.",
        ),
    )


def _sentence(source: str, part: pd.DataFrame, cohort: Cohort) -> str:
    if part.empty:
        return f"No cell has a label of {_TITLES[source]}."
    text = f"{plural(part['n_cells'].sum(), 'cell')} with a label of {_TITLES[source]}."
    for level in (MAJOR, FINE):
        told = share_right(part, populations=cohort.populations, level=level)
        if told["n_judged"]:
            text += (
                f" At the {level} level {told['n_right'] / told['n_judged']:.1%} of "
                f"{count(told['n_judged'])} judged cells agree."
            )
    indices = [significant(adjusted_rand(part, assigned_only=only), 2) for only in (True, False)]
    return text + (
        f" Adjusted Rand index (doi:10.1007/BF01908075) of labels and populations: {indices[0]} "
        f"over assigned cells, {indices[1]} with the unassigned as a group."
    )


def _summary_table(parts: dict[str, pd.DataFrame], cohort: Cohort) -> Table:
    rows = []
    for source, part in parts.items():
        for level in (MAJOR, FINE):
            told = share_right(part, populations=cohort.populations, level=level)
            rows.append(
                {
                    "source": source,
                    "label": _WORDS[source],
                    "level": level,
                    **told.to_dict(),
                    "share_right": told["n_right"] / told["n_judged"] if told["n_judged"] else None,
                    "ari_assigned": adjusted_rand(part, assigned_only=True),
                    "ari_all": adjusted_rand(part, assigned_only=False),
                }
            )
    columns = ("source", "label", "level", "n_cells", "n_known", "n_assigned", "n_judged")
    frame = pd.DataFrame(
        rows, columns=[*columns, "n_right", "share_right", "ari_assigned", "ari_all"]
    )
    return Table(
        "table-agreement",
        frame,
        "Agreement over all cells. Known: the label stands for a population of ours. Judged: we "
        "assigned the cell, and not only to a parent of what the label says. A label that is "
        "itself a parent agrees with all populations below it. Adjusted Rand index: 1 for the same "
        "groups, 0 for groups by chance; it takes the labels as written, whatever they stand for.",
        (
            Column("label", "Compared with"),
            Column("level", "Level"),
            *_integers(
                n_cells="Labelled",
                n_known="Known",
                n_assigned="Assigned",
                n_judged="Judged",
                n_right="Agree",
            ),
            Column("share_right", "Share", "share", missing="no cell to judge"),
            Column("ari_assigned", "Adj. Rand, assigned", "share", missing="no assigned cell"),
            Column("ari_all", "Adj. Rand, all", "share", missing="no cell"),
        ),
        download=f"assets/{cohort.dataset}_agreement.tsv",
    )


def _integers(**labels: str) -> list[Column]:
    """Columns of whole numbers with their headings."""
    return [Column(key, label, "integer") for key, label in labels.items()]


def _figure(source: str, part: pd.DataFrame, cohort: Cohort) -> Figure:
    table = part.pivot_table(index="label", columns="population", values="n_cells", aggfunc="sum")
    table = table.fillna(0).astype(float)
    palette = cohort.palette
    columns = palette.order(table.columns)
    expected = dict(zip(part["label"], part["expected"], strict=True))
    rank = {name: place for place, name in enumerate(palette.order([*expected.values(), *columns]))}
    sizes = table.sum(axis=1)
    largest = sizes.sort_values(ascending=False, kind="stable").index[:MOST_LABELS]
    rows = sorted(
        largest, key=lambda name: (not expected[name], rank.get(expected[name], 0), str(name))
    )
    shares = table.loc[rows, columns].div(sizes[rows], axis=0)
    alt = f"Share of the cells of each label in our populations, {_WORDS[source]}; largest: " + (
        "; ".join(
            f"{name}: {palette.label(str(top))} {most:.0%}"
            for name, top, most in zip(rows, shares.idxmax(axis=1), shares.max(axis=1), strict=True)
        )
    )
    svg = confusion_figure(
        shares,
        cells=sizes.astype(int),
        words=palette,
        uid=f"confusion-{source}",
        alt=alt,
        stamp=cohort.stamp,
    )
    more = (
        f" The {MOST_LABELS} largest of {len(sizes)} labels are shown."
        if len(sizes) > MOST_LABELS
        else ""
    )
    caption = (
        f"Rows: {_WORDS[source]}, with their cells. Columns: our populations. Numbers: per cent of "
        "the label's cells in the population. Labels stand in the order of the populations they "
        "mean, so agreement runs down the diagonal; those without a population of ours stand last: "
        "they are foreign to the vocabulary, and should be unassigned, or ambiguous, and may be "
        f"anything.{more}"
    )
    return Figure(f"figure-agreement-{source}", svg, alt, caption, table=f"table-labels-{source}")


def _reliability(cohort: Cohort, source: str, *, labels: pd.DataFrame) -> pd.DataFrame:
    """Agreement by stated probability, with what a reader sees of it."""
    frame = reliability(cohort.cells, labels=labels, populations=cohort.populations, source=source)
    words = [f"{least:g} to {most:g}" for least, most in zip(frame.least, frame.most, strict=True)]
    return frame.assign(source=source, probability=words)


def _sureness_figure(source: str, frame: pd.DataFrame, cohort: Cohort) -> Figure:
    said = "; ".join(
        f"{row.probability}: {row.share_right:.0%} of {count(row.n_judged)}"
        for row in frame.itertuples()
    )
    alt = f"Share of major populations that agree, {_WORDS[source]}, by stated probability: {said}"
    svg = reliability_figure(frame, uid=f"reliability-{source}", alt=alt, stamp=cohort.stamp)
    caption = (
        f"How sure a name is said to be, and how often it agrees with {_WORDS[source]}: names of "
        "major populations in ranges of their probability, with 95 % intervals (Wilson, "
        "doi:10.1080/01621459.1927.10502953) over cells. On the line, names are right as often as "
        "they say, if the labels are; above it more often. Cells of a cluster are mostly right or "
        "wrong together, so few clusters tell less than the intervals suggest: the table counts "
        "both."
    )
    return Figure(
        f"figure-reliability-{source}", svg, alt, caption, table=f"table-reliability-{source}"
    )


def _sureness_table(source: str, frame: pd.DataFrame, cohort: Cohort) -> Table:
    return Table(
        f"table-reliability-{source}",
        frame,
        f"Major populations against {_WORDS[source]}, by how likely they are said to be. Judged: "
        "the cell has a name with a probability, and a label that stands for a population.",
        (
            Column("probability", "Probability"),
            *_integers(n_clusters="Clusters", n_judged="Judged", n_right="Agree"),
            Column("stated", "Mean probability", "share"),
            Column("share_right", "Share that agrees", "share"),
        ),
        download=f"assets/{cohort.dataset}_agreement_{source}_reliability.tsv",
    )


def _score_table(source: str, part: pd.DataFrame, cohort: Cohort) -> Table:
    frames = [
        population_scores(part, populations=cohort.populations, level=level).assign(level=level)
        for level in (MAJOR, FINE)
    ]
    frame = pd.concat(frames, ignore_index=True)
    frame["label"] = frame["population"].map(cohort.palette.label)
    return Table(
        f"table-scores-{source}",
        frame,
        f"Precision and recall of each population against {_WORDS[source]}. A parent includes the "
        "populations below it. Precision leaves out cells whose label is too coarse to judge; "
        "recall counts unassigned cells as not found.",
        (
            Column("label", "Population"),
            Column("level", "Level"),
            *_integers(
                n_expected="By the labels",
                n_called="By us",
                n_right="Both",
                n_unassigned="Left unassigned",
                n_not_judged="Not judged",
            ),
            Column("precision", "Precision", "share", missing="none called that can be judged"),
            Column("recall", "Recall", "share", missing="none expected"),
        ),
        download=f"assets/{cohort.dataset}_agreement_{source}_populations.tsv",
        filters=("level",),
    )


def _label_table(
    source: str, part: pd.DataFrame, cohort: Cohort, notes: Mapping[str, str]
) -> Table:
    palette = cohort.palette
    frame = part.sort_values(["label", "n_cells"], ascending=[True, False], kind="stable").copy()
    frame["expected_label"] = [palette.label(str(e)) if e else "" for e in frame["expected"]]
    frame["population_label"] = [palette.label(str(p)) for p in frame["population"]]
    total = frame.groupby("label")["n_cells"].transform("sum").astype(float)
    frame["share"] = frame["n_cells"].astype(float) / total
    frame["note"] = [notes.get(str(label), "") for label in frame["label"]]
    return Table(
        f"table-labels-{source}",
        frame.reset_index(drop=True),
        f"Cells by label and population, {_WORDS[source]}.",
        (
            Column("label", "Label"),
            Column("expected_label", "Stands for", missing="no population of ours"),
            Column("population_label", "Our population"),
            Column("n_cells", "Cells", "integer"),
            Column("share", "Share of the label", "share", missing=DASH),
            Column("note", "Why it stands for that", wide=True, missing="plain"),
        ),
        download=f"assets/{cohort.dataset}_agreement_{source}.tsv",
        collapsed=True,
    )
