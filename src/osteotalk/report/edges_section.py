"""Sections of a cohort's page on edges: the network and the table of the best supported."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from osteotalk.report.cohort_tables import population_cells
from osteotalk.report.model import Column, Figure, Section, Table
from osteotalk.report.network import (
    connected_pairs,
    matrix_figure,
    network_figure,
    population_matrix,
    supported_edges,
)
from osteotalk.report.text import count, number, number_setting, plural, support_text
from osteotalk.report.vocabulary import UNASSIGNED, Vocabulary

TOP_EDGES = 200


def network_section(
    support: pd.DataFrame,
    cells: pd.DataFrame,
    *,
    palette: Vocabulary,
    parameters: Mapping[str, object],
    dataset: str,
    stamp: str,
) -> Section:
    """Section with the network and the matrix of supported edges, or a sentence if none is."""
    least = number_setting(parameters, "claims.min_support", 0.5)
    patients = number_setting(parameters, "claims.min_patients", 3)
    strong = supported_edges(support, min_support=least, min_patients=patients)
    rule = (
        f"An edge is supported here if it is active in at least {least:g} of its informative "
        f"patients, and has at least {patients:g} of them."
    )
    section: dict[str, Any] = {
        "anchor": "network",
        "title": "Network of populations",
        "question": "Between which populations are there supported edges?",
    }
    if strong.empty:
        return Section(
            **section,
            body=(
                f"No edge of this cohort is supported, so no network is drawn. {rule}",
                f"{plural(len(support), 'edge')} "
                f"{'was' if len(support) == 1 else 'were'} found in at least one patient or "
                f"sample; {count((support['n_informative'].map(number) >= patients).sum())} of "
                "them in enough informative patients.",
            ),
        )
    sizes = population_cells(cells)
    scored = set(support["source"].astype(str)) | set(support["target"].astype(str))
    names = palette.order((set(sizes) - {UNASSIGNED}) | scored)
    matrix = population_matrix(strong, populations=names)
    loops = int(np.trace(matrix.to_numpy()))
    silent = [palette.label(name) for name in names if name not in scored]
    caveats = [
        "The counts grow with the number of cells and of expressed genes, and with how many "
        "pairs of each kind the resource lists. They do not measure how much two populations "
        "talk, and they have not been tested against decoys."
    ]
    if silent:
        caveats.append(
            f"Without any scored edge, as a rule for lack of cells: {', '.join(silent)}."
        )
    return Section(
        **section,
        body=(
            f"{count(len(strong))} of {plural(len(support), 'edge')} are supported, "
            f"{count(loops)} of them within one population. {rule}",
        ),
        figures=_figures(matrix, sizes, palette=palette, stamp=stamp),
        tables=(_matrix_table(matrix, palette, dataset=dataset),),
        caveats=tuple(caveats),
    )


def _figures(
    matrix: pd.DataFrame, sizes: Mapping[str, int], *, palette: Vocabulary, stamp: str
) -> tuple[Figure, Figure]:
    top = "; ".join(
        f"{palette.label(source)} to {palette.label(target)}: {count(size)}"
        for source, target, size in connected_pairs(matrix)[:-6:-1]
    )
    alt = f"Network of {len(matrix)} populations. Most supported edges: {top}"
    alt_matrix = f"Matrix of supported edges between {len(matrix)} populations. Most: {top}"
    return (
        Figure(
            "figure-network",
            network_figure(matrix, cells=sizes, words=palette, uid="network", alt=alt, stamp=stamp),
            alt,
            "Supported edges between populations. Arrows run from ligand to receptor, in the "
            "colour of the source; their width is the number of supported edges, small rings are "
            "edges within a population. Nodes grow with the number of cells. A thick arrow means "
            "many pairs, not strong signalling.",
            table="table-network",
        ),
        Figure(
            "figure-matrix",
            matrix_figure(matrix, words=palette, uid="matrix", alt=alt_matrix, stamp=stamp),
            alt_matrix,
            "The same numbers, sources in rows and targets in columns; a dot means none. Rows "
            "and columns of abundant populations are fuller because more of their genes pass "
            "the detection limit.",
            table="table-network",
        ),
    )


def _matrix_table(matrix: pd.DataFrame, palette: Vocabulary, *, dataset: str) -> Table:
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
        download=f"assets/{dataset}_network.tsv",
        collapsed=True,
    )


def edges_section(
    support: pd.DataFrame,
    *,
    palette: Vocabulary,
    parameters: Mapping[str, object],
    dataset: str,
) -> Section:
    """Section with the best supported edges."""
    patients = number_setting(parameters, "claims.min_patients", 3)
    frame = top_edges(support, min_patients=patients)
    frame["source_label"] = [palette.label(str(name)) for name in frame["source"]]
    frame["target_label"] = [palette.label(str(name)) for name in frame["target"]]
    frame["_support_text"] = [support_text(row) for row in frame.to_dict("records")]
    scored = int((support["n_informative"].map(number) >= patients).sum())
    return Section(
        anchor="edges",
        title="Edges with the most support",
        question="Which ligand-receptor pairs recur from patient to patient?",
        body=(
            f"The table shows {count(len(frame))} of {plural(len(support), 'edge')}; all are in "
            f"results/{dataset}/support.parquet. The {count(scored)} edges with at least "
            f"{patients:g} informative patients come first, by support, then by median "
            "specificity rank.",
        ),
        tables=(_edge_table(frame, dataset=dataset),),
        caveats=(
            "The list is sorted, not tested: with this many edges some reach full support by "
            "abundance alone. Collagen, fibronectin and MHC pairs are typical.",
        ),
    )


def top_edges(
    support: pd.DataFrame, *, min_patients: float, limit: int = TOP_EDGES
) -> pd.DataFrame:
    """Best supported edges: enough patients first, then support, then specificity rank."""
    keyed = support.assign(
        _few=support["n_informative"].map(number) < min_patients,
        _support=-support["support"].map(number),
        _rank=support["median_specificity_rank"].map(number),
    )
    edge = ["source", "target", "ligand_complex", "receptor_complex"]
    ordered = keyed.sort_values(["_few", "_support", "_rank", *edge], kind="stable")
    return ordered.head(limit).drop(columns=["_few", "_support", "_rank"]).reset_index(drop=True)


def _edge_table(frame: pd.DataFrame, *, dataset: str) -> Table:
    return Table(
        "table-edges",
        frame,
        "Edges across patients. Support counts the patients in whom the edge is active; Detected "
        "in, those in whom both genes are detected, active or not. Both are of the informative "
        "patients. Ranks are medians over samples of osteotalk's consensus ranks; smaller is "
        "stronger. The specificity rank says how far the pair is concentrated in these two "
        "populations within a sample.",
        (
            Column("source_label", "Source"),
            Column("target_label", "Target"),
            Column("ligand_complex", "Ligand", "code"),
            Column("receptor_complex", "Receptor", "code"),
            Column(
                "_support_text",
                "Support",
                "estimate",
                sort="support",
                missing="no informative patient",
            ),
            Column("n_detected", "Detected in", "integer"),
            Column("median_specificity_rank", "Specificity rank", "probability"),
            Column("median_magnitude_rank", "Magnitude rank", "probability"),
            Column("patients", "Active in", "list", missing="no patient"),
        ),
        download=f"assets/{dataset}_edges.tsv",
        filters=("source_label", "target_label"),
    )
