"""How many planted edges, and edges that are not planted, an analysis calls active."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from osteotalk.simulate.truth import EDGE, EVERYWHERE, leaf_populations, planted_in, subunits


@dataclass(frozen=True)
class Rules:
    """Settings of the analysis that decide what counts as found.

    A sample is informative for an edge if both populations have at least `min_cells` cells, and
    active if the edge was scored with q_value <= `alpha`. An edge is recovered if at least
    `min_support` of at least `min_patients` informative patients are active.
    """

    alpha: float
    min_cells: int
    min_patients: int
    min_support: float


def half_planted(
    populations: pd.DataFrame, *, resource: pd.DataFrame, elevated: Mapping[str, pd.DataFrame]
) -> pd.DataFrame:
    """Find every edge with one side raised in some condition, and never both.

    Shuffling labels tests the mean of ligand and receptor, so one raised side can be enough to
    call the pair specific. These edges show how often.

    Returns
    -------
    Columns source, target, ligand_complex, receptor_complex, where (conditions joined by ';').
    """
    pairs = resource[["ligand", "receptor"]].drop_duplicates()
    names = leaf_populations(populations)
    one_side: dict[str, np.ndarray] = {}
    both = np.zeros((len(names), len(names), len(pairs)), dtype=bool)
    for condition, frame in elevated.items():
        ligand = _raised(frame.loc[names], pairs["ligand"])[:, None, :]
        receptor = _raised(frame.loc[names], pairs["receptor"])[None, :, :]
        one_side[condition] = ligand ^ receptor
        both |= ligand & receptor
    found = np.logical_or.reduce(list(one_side.values())) & ~both
    names_array = np.array(names, dtype=object)
    source, target, pair = np.nonzero(found)
    hit = np.column_stack([one_side[c][source, target, pair] for c in one_side])
    flags = [tuple(row) for row in hit.tolist()]
    labels = {row: ";".join(itertools.compress(one_side, row)) for row in set(flags)}
    return pd.DataFrame(
        {
            "source": names_array[source],
            "target": names_array[target],
            "ligand_complex": pairs["ligand"].to_numpy()[pair],
            "receptor_complex": pairs["receptor"].to_numpy()[pair],
            "where": [labels[row] for row in flags],
        }
    )


def _raised(frame: pd.DataFrame, complexes: pd.Series) -> np.ndarray:
    """Whether all subunits are raised: populations x complexes."""
    known = {gene: frame[gene].to_numpy() for gene in frame.columns}
    never = np.zeros(len(frame), dtype=bool)
    columns = [np.logical_and.reduce([known.get(g, never) for g in subunits(c)]) for c in complexes]
    return np.column_stack(columns)


def patient_support(
    edges: pd.DataFrame,
    *,
    interactions: pd.DataFrame,
    obs: pd.DataFrame,
    rules: Rules,
) -> pd.DataFrame:
    """Count informative and active patients of edges, in the conditions of their column `where`.

    Parameters
    ----------
    edges
        Columns of an edge, and where.
    interactions
        Scored edges of all samples: columns sample, the edge, q_value.
    obs
        Annotated cells: sample, patient, condition, population.
    rules
        Settings of the analysis.

    Returns
    -------
    The edges with n_informative and n_active (patients; several samples of one count once) and
    support (missing without an informative patient).
    """
    counts = obs.groupby(["sample", "population"], observed=True).size()
    enough = set(counts.index[counts >= rules.min_cells])
    samples = obs[["sample", "patient", "condition"]].astype(str).drop_duplicates()
    active_rows = interactions[interactions["q_value"] <= rules.alpha]
    active = set(zip(*(active_rows[c].astype(str) for c in ["sample", *EDGE]), strict=True))
    places = list(samples.itertuples(index=False, name=None))
    n_informative, n_active = [], []
    for *edge, where in edges[[*EDGE, "where"]].itertuples(index=False, name=None):
        informative_patients, active_patients = set(), set()
        for sample, patient, condition in places:
            if not planted_in(where, condition):
                continue
            if (sample, edge[0]) in enough and (sample, edge[1]) in enough:
                informative_patients.add(patient)
                if (sample, *edge) in active:
                    active_patients.add(patient)
        n_informative.append(len(informative_patients))
        n_active.append(len(active_patients))
    result = edges.assign(n_informative=n_informative, n_active=n_active)
    share = result["n_active"] / result["n_informative"].replace(0, np.nan)
    return result.assign(support=share.astype(float))


def summarise(edges: pd.DataFrame, *, rules: Rules) -> dict[str, Any]:
    """Count edges with and without support.

    Returns
    -------
    edges (all), informative (in at least `min_patients` patients), not_informative,
    not_informative_recovered (of those with at least one informative patient), recovered, rate,
    and rate_of_patients (active / informative, summed over all edges).
    """
    informative = edges["n_informative"] >= rules.min_patients
    recovered = edges["support"] >= rules.min_support
    return {
        "edges": len(edges),
        "informative": int(informative.sum()),
        "not_informative": int((~informative).sum()),
        "not_informative_recovered": int((~informative & recovered).sum()),
        "recovered": int((informative & recovered).sum()),
        "rate": rate(int((informative & recovered).sum()), int(informative.sum())),
        "rate_of_patients": rate(int(edges["n_active"].sum()), int(edges["n_informative"].sum())),
    }


def rate(part: int, whole: int) -> float | None:
    """Divide, or None if there is nothing to divide by."""
    return part / whole if whole else None


def missed(edges: pd.DataFrame, *, rules: Rules) -> list[dict[str, str | int]]:
    """List edges that were informative but not recovered."""
    rows = edges[
        (edges["n_informative"] >= rules.min_patients) & (edges["support"] < rules.min_support)
    ]
    return [
        {
            "edge": f"{row['source']}>{row['target']}:{row['ligand_complex']}"
            f"^{row['receptor_complex']}",
            "where": str(row["where"]),
            "n_informative": int(row["n_informative"]),
            "n_active": int(row["n_active"]),
        }
        for row in rows.to_dict("records")
    ]


def in_support_table(
    truth_edges: pd.DataFrame, *, support: pd.DataFrame, rules: Rules
) -> dict[str, Any]:
    """Count edges planted everywhere by the support table, as its reader would."""
    everywhere = truth_edges[truth_edges["where"] == EVERYWHERE]
    numbers = ["n_informative", "n_active", "support"]
    types = dict.fromkeys(EDGE, str) | dict.fromkeys(numbers, float)
    rows = everywhere[EDGE].merge(support[[*EDGE, *numbers]].astype(types), on=EDGE, how="left")
    listed = rows["n_informative"].notna()
    rows = rows.fillna({"n_informative": 0, "n_active": 0})
    return {"not_listed": int((~listed).sum())} | summarise(rows, rules=rules)
