"""Section of a cohort's page on the interactome: supported edges between populations."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from osteotalk.report.figures.edges import chosen_edges, edges_figure
from osteotalk.report.figures.flows import chord_figure, sankey_figure, strongest_flows
from osteotalk.report.figures.network import (
    connected_pairs,
    matrix_figure,
    network_figure,
    population_matrix,
    supported_edges,
)
from osteotalk.report.inputs import Cohort
from osteotalk.report.model import Column, Figure, Interactive, Section, Table
from osteotalk.report.tables.cohort import population_cells
from osteotalk.report.tables.interactome import Limits, interactome
from osteotalk.report.words.routes import ROUTES, read_routes
from osteotalk.report.words.text import (
    count,
    enumerate_words,
    number_setting,
    plural,
    support_text,
)
from osteotalk.report.words.vocabulary import UNASSIGNED, Vocabulary


@dataclass(frozen=True)
class _Network:
    """Supported edges of a cohort, counted by ordered pair of populations."""

    support: pd.DataFrame
    strong: pd.DataFrame
    matrix: pd.DataFrame
    cells: Mapping[str, int]
    palette: Vocabulary
    limits: Limits
    dataset: str
    stamp: str


def section(cohort: Cohort) -> Section:
    """The section of a cohort's page: the network, or a sentence if no edge is supported."""
    support, palette = cohort.results.support, cohort.palette
    limits = Limits(
        support=number_setting(cohort.parameters, "claims.min_support", 0.5),
        patients=number_setting(cohort.parameters, "claims.min_patients", 3),
    )
    strong = supported_edges(support, min_support=limits.support, min_patients=limits.patients)
    sizes = population_cells(cohort.cells)
    scored = set(support["source"].astype(str)) | set(support["target"].astype(str))
    names = palette.order((set(sizes) - {UNASSIGNED}) | scored)
    data = interactome(
        support,
        names=names,
        cells=sizes,
        claims=cohort.tables.claims,
        populations=cohort.populations,
        routes=read_routes(cohort.tables.routes, cohort.tables.claims),
        words_of=palette,
        limits=limits,
    )
    section: dict[str, Any] = {
        "anchor": "network",
        "title": "Network of populations",
        "question": "Between which populations are there supported edges?",
        "interactive": _interactive(data, cohort.stamp),
    }
    if strong.empty:
        return Section(**section, body=_nothing(support, data, limits))
    network = _Network(
        support=support,
        strong=strong,
        matrix=population_matrix(strong, populations=names),
        cells=sizes,
        palette=palette,
        limits=limits,
        dataset=cohort.dataset,
        stamp=cohort.stamp,
    )
    best = chosen_edges(support, strong, min_patients=limits.patients)
    silent = [palette.label(name) for name in names if name not in scored]
    return Section(
        **section,
        body=_body(network, data),
        figures=(*_figures(network), _edges_figure(best, network)),
        tables=(_matrix_table(network), _edges_table(best, network)),
        caveats=_caveats(silent),
    )


def _rule(limits: Limits) -> str:
    return (
        f"An edge is supported here if it is active in at least {limits.support:g} of its "
        f"informative patients, and has at least {limits.patients:g} of them."
    )


def _nothing(support: pd.DataFrame, data: Mapping[str, Any], limits: Limits) -> tuple[str, ...]:
    told = [
        f"No edge of this cohort is supported, so no network is drawn. {_rule(limits)}",
        f"{plural(len(support), 'edge')} {'was' if len(support) == 1 else 'were'} found in at "
        f"least one patient or sample; {count(len(support) - data['few'])} of them in enough "
        "informative patients.",
    ]
    return tuple(told)


def _body(network: _Network, data: Mapping[str, Any]) -> tuple[str, ...]:
    loops = int(np.trace(network.matrix.to_numpy()))
    least = data["supports"].index(network.limits.shown())
    by_route = dict.fromkeys(ROUTES, 0)
    for _, _, route, lowest, *edges in data["rows"]:
        by_route[ROUTES[route]] += sum(edges[max(least - lowest, 0) :])
    told = [f"{count(edges)} {name}" for name, edges in by_route.items() if edges]
    return (
        f"{count(len(network.strong))} of {plural(len(network.support), 'edge')} are supported, "
        f"{count(loops)} of them within one population. {_rule(network.limits)}",
        f"By the way the ligand takes to its receptor: {enumerate_words(told)}.",
    )


def _caveats(silent: list[str]) -> tuple[str, ...]:
    told = [
        "The counts grow with the number of cells and of expressed genes, and with how many "
        "pairs of each kind the resource lists. They do not measure how much two populations "
        "talk, and they have not been tested against decoys.",
        "Whether a ligand is secreted, acts by contact or sits in the matrix is read off its "
        "family (config/routes.tsv), mostly without looking up the gene. Some ligands act in "
        "several ways; these are not classified unless a claim says which way it means.",
    ]
    if silent:
        told.append(f"Without any scored edge, as a rule for lack of cells: {', '.join(silent)}.")
    return tuple(told)


def _interactive(data: Mapping[str, Any], stamp: str) -> Interactive | None:
    """View for the reader's own choices; none where no edge is active in enough patients."""
    if not data["rows"]:
        return None
    return Interactive(
        anchor="network-view",
        kind="network",
        label="Network of populations, by choice",
        data={**data, "stamp": stamp},
        note="Choose a population, a theme or a claim, the way of the ligand and the least "
        "support. Shown are edges that are active in a patient and have at least "
        f"{data['min_patients']:g} informative patients. Arrows run from the population with the "
        "ligand, in its colour, to that with the receptor, rings are edges within a population; "
        "width is the number of "
        "edges, the area of a node the number of cells. The address of the page keeps the choice. "
        "The figures below show all supported edges.",
    )


def _figures(network: _Network) -> tuple[Figure, ...]:
    matrix, palette, stamp = network.matrix, network.palette, network.stamp
    top = "; ".join(
        f"{palette.label(source)} to {palette.label(target)}: {count(size)}"
        for source, target, size in connected_pairs(matrix)[:-6:-1]
    )
    alt = f"Network of {len(matrix)} populations. Most supported edges: {top}"
    alt_sankey = f"Flows from ligand to receptor populations. Most supported edges: {top}"
    alt_matrix = f"Matrix of supported edges between {len(matrix)} populations. Most: {top}"
    patterns = any(palette.hatches(map(str, matrix.index)).values())
    alike = " Patterns tell populations of similar colours apart." if patterns else ""
    drawn = network_figure(
        matrix, cells=network.cells, words=palette, uid="network", alt=alt, stamp=stamp
    )
    flows = sankey_figure(matrix, words=palette, uid="sankey", alt=alt_sankey, stamp=stamp)
    heat = matrix_figure(matrix, words=palette, uid="matrix", alt=alt_matrix, stamp=stamp)
    return (
        Figure(
            "figure-network",
            drawn,
            alt,
            "Supported edges between populations. Arrows run from ligand to receptor, in the "
            "colour of the source; their width is the number of supported edges, small rings are "
            "edges within a population. Nodes grow with the number of cells. A thick arrow means "
            f"many pairs, not strong signalling.{alike}",
            table="table-network",
        ),
        _chords(network),
        Figure(
            "figure-sankey",
            flows,
            alt_sankey,
            "The same numbers as flows from the populations with the ligand, left, to those with "
            "the receptor, right. The height of a band and of a bar is the number of supported "
            "edges, given in brackets for the bars. It says how many pairs there are, not how much "
            "of a ligand flows.",
            table="table-network",
        ),
        Figure(
            "figure-matrix",
            heat,
            alt_matrix,
            "The same numbers, sources in rows and targets in columns; a dot means none. Rows "
            "and columns of abundant populations are fuller because more of their genes pass "
            "the detection limit.",
            table="table-network",
        ),
    )


def _chords(network: _Network) -> Figure:
    flows, rest = strongest_flows(network.matrix)
    ends = {name for source, target, _ in flows for name in (source, target)}
    left = ""
    if rest:
        told = plural(len(rest), "weaker ordered pair")
        edges = plural(sum(size for _, _, size in rest), "edge")
        without = set(network.matrix.index[network.matrix.sum() + network.matrix.sum(axis=1) > 0])
        gone = network.palette.order(without - ends)
        left = f" Left out, to keep it readable: {told} with {edges}"
        left += f"; so {', '.join(map(network.palette.label, gone))} are missing." if gone else "."
    source, target, size = flows[0]
    label = network.palette.label
    alt = (
        f"Chord diagram of {plural(len(flows), 'ordered pair')} of {len(ends)} populations. Most "
        f"supported edges: {label(source)} to {label(target)}, {count(size)}"
    )
    drawn = chord_figure(flows, words=network.palette, uid="chords", alt=alt, stamp=network.stamp)
    return Figure(
        "figure-chords",
        drawn,
        alt,
        f"The {plural(len(flows), 'ordered pair')} of populations with most supported edges. Each "
        "band runs in the colour of its source and ends in a point at its target; its width, and "
        f"the length of an arc, is the number of edges drawn.{left} A wide arc stands for many "
        "pairs, which abundant populations have more of.",
        table="table-network",
    )


def _edges_figure(best: pd.DataFrame, network: _Network) -> Figure:
    pairs, joins = best["pair"].nunique(), best["join"].nunique()
    label = network.palette.label
    first = best.iloc[0]
    alt = (
        f"Dot plot of {plural(pairs, 'ligand-receptor pair')} between {joins} ordered pairs of "
        f"populations. In the first row: {first['pair']}, {label(first['source'])} to "
        f"{label(first['target'])}, active in {support_text(first.to_dict())}"
    )
    drawn = edges_figure(
        best, words=network.palette, uid="best-pairs", alt=alt, stamp=network.stamp
    )
    return Figure(
        "figure-best-pairs",
        drawn,
        alt,
        "The best supported ligand-receptor pairs, in rows, between populations, in columns "
        "(source → target). The supported edges were gone through by support, then by specificity "
        "rank; each added its row and column, up to 16 columns, until there were 25 rows. The "
        "area of a dot is the support, its shade the "
        "specificity rank (darker: more concentrated in these two populations; white: no rank); "
        "all active edges with enough informative patients are drawn, supported or not. The pairs "
        "were chosen by the very values that are shown, so that all look strong.",
        table="table-best-pairs",
    )


def _edges_table(best: pd.DataFrame, network: _Network) -> Table:
    label = network.palette.label
    frame = best.assign(
        source_label=[label(str(name)) for name in best["source"]],
        target_label=[label(str(name)) for name in best["target"]],
        _support_text=[support_text(row) for row in best.to_dict("records")],
        minus_log10_rank=best["strength"],
    ).drop(columns=["pair", "join", "strength"])
    return Table(
        "table-best-pairs",
        frame,
        "Edges of the dot plot, in its order.",
        (
            Column("ligand_complex", "Ligand", "code"),
            Column("receptor_complex", "Receptor", "code"),
            Column("source_label", "Source"),
            Column("target_label", "Target"),
            Column("_support_text", "Support", "estimate", sort="support"),
            Column("median_specificity_rank", "Specificity rank", "probability"),
        ),
        download=f"assets/{network.dataset}_best_pairs.tsv",
        collapsed=True,
    )


def _matrix_table(network: _Network) -> Table:
    matrix, palette = network.matrix, network.palette
    names = [str(name) for name in matrix.index]
    keys = [f"to {name}" for name in names]
    frame = pd.DataFrame(
        {"source": names, "label": [palette.label(name) for name in names]}
        | {key: matrix[name].to_numpy() for key, name in zip(keys, names, strict=True)}
    )
    return Table(
        "table-network",
        frame,
        "Number of supported edges, sources in rows, targets in columns.",
        (
            Column("label", "Source"),
            *[
                Column(key, palette.label(name), "integer")
                for key, name in zip(keys, names, strict=True)
            ],
        ),
        download=f"assets/{network.dataset}_network.tsv",
        collapsed=True,
    )
