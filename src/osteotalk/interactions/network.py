"""The interactome of a cohort as a graph for Cytoscape and other programs."""

import io
from collections.abc import Mapping

import networkx as nx
import pandas as pd

from osteotalk.visible import visible


def to_graphml(edges: pd.DataFrame, *, cells: Mapping[str, int], populations: pd.DataFrame) -> str:
    """Write populations and supported edges as GraphML.

    Parameters
    ----------
    edges
        Rows of the table `support`; each becomes one directed edge.
    cells
        Cells per population; each becomes a node.
    populations
        Vocabulary, for labels and colours.

    Returns
    -------
    GraphML. Nodes carry label, colour and cells; edges ligand, receptor, n_active, n_informative,
    support and its interval, and the median ranks.
    """
    known = populations.set_index("population")
    graph = nx.MultiDiGraph()
    for name, n in cells.items():
        look = known.loc[name] if name in known.index else {"label": name, "colour": "#888888"}
        label, colour = visible(str(look["label"])), look["colour"]
        graph.add_node(visible(name), label=label, colour=colour, cells=n)
    for row in edges.to_dict("records"):
        graph.add_edge(
            visible(row["source"]),
            visible(row["target"]),
            ligand=visible(row["ligand_complex"]),
            receptor=visible(row["receptor_complex"]),
            n_active=int(row["n_active"]),
            n_informative=int(row["n_informative"]),
            **{
                name: float(row[name])
                for name in (
                    "support",
                    "support_low",
                    "support_high",
                    "median_magnitude_rank",
                    "median_specificity_rank",
                )
            },
        )
    buffer = io.BytesIO()
    nx.write_graphml(graph, buffer)
    return buffer.getvalue().decode("utf-8")
