"""The table of groups of cells: what name each got, how sure it is, and by which markers."""

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
import pandas as pd

from osteotalk.annotate.decide import Decision
from osteotalk.annotate.levels import On
from osteotalk.annotate.majors import Groups
from osteotalk.annotate.tree import Tree
from osteotalk.contract import UNASSIGNED

SHOWN_MARKERS = 8
MAJOR, FINE = "major", "fine"


def major_rows(groups: Groups, cells: pd.DataFrame, *, tree: Tree) -> pd.DataFrame:
    """Rows of the groups that got a major population.

    Parameters
    ----------
    groups
        From `name_majors`.
    cells
        Cells after they were checked one by one: population, lineage_doublet.
    tree
        Vocabulary and markers.
    """
    rows = []
    for number, (name, decision) in enumerate(zip(groups.names, groups.decisions, strict=True)):
        here = cells[groups.code == number]
        rows.append(
            {
                "cluster": name,
                "level": MAJOR,
                "within": groups.cluster[number],
                "n_cells": len(here),
                **asdict(decision),
                **_markers_seen(decision, groups.state, number, groups.genes, tree=tree),
                "n_unassigned": int((here["population"] == UNASSIGNED).sum()),
                "n_lineage_doublets": int((here["lineage_doublet"] == "yes").sum()),
                "n_moved": int(
                    (
                        (here["population"] != decision.population)
                        & (here["lineage_doublet"] == "no")
                    ).sum()
                ),
            }
        )
    rows.sort(key=lambda row: (-row["n_cells"], row["cluster"]))
    return pd.DataFrame(rows)


def _markers_seen(
    decision: Decision, state: On, row: int, genes: pd.Index, *, tree: Tree
) -> dict[str, str]:
    """Markers for and against the best population, those that tell most first."""
    names = [name for name in tree.within(decision.best) if name in tree.markers]
    on, tells = state.on[row], state.tells[row]
    sure = (on - 0.5) * tells
    place = {gene: i for i, gene in enumerate(genes)}

    def strength(name: str) -> float:
        return float(sum(sure[place[g]] for g in tree.markers[name].positive))

    best = max(names, key=strength)
    positive = [place[g] for g in tree.markers[best].positive]
    negative = [place[g] for g in tree.markers[best].negative if g in place]
    for_it = sorted((i for i in positive if sure[i] > 0), key=lambda i: -sure[i])
    against = sorted((i for i in positive if sure[i] < 0), key=lambda i: sure[i])
    also = sorted((i for i in negative if sure[i] > 0), key=lambda i: -sure[i])
    words = [f"no {genes[i]}" for i in against[:SHOWN_MARKERS]]
    return {
        "markers_for": ", ".join(str(genes[i]) for i in for_it[:SHOWN_MARKERS]),
        "markers_against": ", ".join([*(str(genes[i]) for i in also), *words][:SHOWN_MARKERS]),
    }


def fine_rows(
    names: Sequence[str],
    decisions: Sequence[Decision],
    parts: np.ndarray,
    state: On,
    *,
    top: str,
    genes: pd.Index,
    tree: Tree,
) -> pd.DataFrame:
    """Rows of the parts of a major population."""
    found = [
        {
            "cluster": name,
            "level": FINE,
            "within": top,
            "n_cells": int((parts == number).sum()),
            **asdict(decision),
            **_markers_seen(decision, state, number, genes, tree=tree),
            "n_unassigned": 0,
            "n_lineage_doublets": 0,
            "n_moved": 0,
        }
        for number, (name, decision) in enumerate(zip(names, decisions, strict=True))
    ]
    return pd.DataFrame(found).sort_values("n_cells", ascending=False, kind="stable")
