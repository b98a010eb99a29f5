"""Edges that were not planted but are as abundant as planted ones."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from osteotalk.simulate.truth import EDGE, subunits

_DETECTION_FLOOR = 1e-3


def complex_detection(complexes: Sequence[str], *, detection: pd.Series) -> np.ndarray:
    """Look up how often complexes are detected: the least detected subunit; 0 if one is missing."""
    rates = detection.to_dict()
    return np.array([min(rates.get(gene, 0.0) for gene in subunits(c)) for c in complexes])


def matched_controls(
    edges: pd.DataFrame,
    *,
    resource: pd.DataFrame,
    elevated: Mapping[str, pd.DataFrame],
    detection: pd.Series,
    k: int,
) -> pd.DataFrame:
    """Edges that are not planted but are as abundant as the planted ones.

    Parameters
    ----------
    edges
        Planted edges as `edge_truth` gives them.
    resource
        Columns ligand, receptor: pairs that are scored.
    elevated
        Condition to the frame of `elevation`; a pair with a subunit raised in any population in
        any condition is no control.
    detection
        Share of all cells of the cohort in which a gene is detected; index: genes.
    k
        Controls wanted for each planted edge.

    Returns
    -------
    Columns source, target, ligand_complex, receptor_complex, where (of the planted edge),
    matched_ligand, matched_receptor, distance (Euclidean, in log10 detection of ligand and
    receptor). No edge comes twice. Fewer than `k` where the resource runs out.
    """
    raised = {gene for frame in elevated.values() for gene in frame.columns[frame.any()]}
    free = resource.loc[
        [
            raised.isdisjoint(subunits(ligand)) and raised.isdisjoint(subunits(receptor))
            for ligand, receptor in zip(resource["ligand"], resource["receptor"], strict=True)
        ],
        ["ligand", "receptor"],
    ].drop_duplicates()
    pool = _log_detection(free["ligand"], free["receptor"], detection=detection)
    wanted = _log_detection(edges["ligand_complex"], edges["receptor_complex"], detection=detection)
    pairs = list(free.itertuples(index=False, name=None))
    used: set[tuple[str, ...]] = set()
    records = []
    for row, point in zip(edges.to_dict("records"), wanted, strict=True):
        distance = np.hypot(*(pool - point).T)
        chosen = 0
        for i in np.argsort(distance, kind="stable"):
            edge = (row["source"], row["target"], *pairs[i])
            if chosen == k:
                break
            if edge in used:
                continue
            used.add(edge)
            chosen += 1
            matched = (row["where"], row["ligand_complex"], row["receptor_complex"])
            records.append((*edge, *matched, float(distance[i])))
    columns = [*EDGE, "where", "matched_ligand", "matched_receptor", "distance"]
    return pd.DataFrame(records, columns=columns)


def _log_detection(ligands: pd.Series, receptors: pd.Series, *, detection: pd.Series) -> np.ndarray:
    rates = [complex_detection(list(c), detection=detection) for c in (ligands, receptors)]
    return np.asarray(np.log10(np.clip(np.column_stack(rates), _DETECTION_FLOOR, None)))
