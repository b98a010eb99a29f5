"""What is true in the simulated cohort: raised genes, planted edges, claims, and controls."""

import itertools
from collections.abc import Collection, Hashable, Mapping, Sequence

import numpy as np
import pandas as pd

from osteotalk.tables import leaves, split

EVERYWHERE = "all"
EDGE = ["source", "target", "ligand_complex", "receptor_complex"]
_DETECTION_FLOOR = 1e-3


def subunits(complex_: str) -> list[str]:
    """Genes of a complex such as ITGAV_ITGB3."""
    return complex_.split("_")


def leaf_populations(populations: pd.DataFrame) -> list[str]:
    """List the populations that cells are labelled with, in table order; states are none."""
    real = populations[populations["level"] != "state"]
    parents = set(real["parent"])
    return [p for p in real["population"] if p not in parents]


def tumour_populations(populations: pd.DataFrame) -> list[str]:
    """List the leaf populations of tumour cells, those with `cnv_role` malignant."""
    role = dict(zip(populations["population"], populations["cnv_role"], strict=True))
    return [name for name in leaf_populations(populations) if role[name] == "malignant"]


def planted_in(where: str, condition: str) -> bool:
    """Whether a cell of the column `where` covers `condition`."""
    return condition in split(where) or EVERYWHERE in split(where)


def edge_truth(planted: pd.DataFrame, *, populations: pd.DataFrame) -> pd.DataFrame:
    """Planted edges, each once.

    Parameters
    ----------
    planted
        Columns claim_id, source, target, ligand, receptor, where; a parent population stands for
        its leaves.
    populations
        Columns population, parent.

    Returns
    -------
    Columns source, target, ligand_complex, receptor_complex, where, claim_ids (';'-joined).
    """
    rows: dict[tuple[str, ...], tuple[list[str], list[str]]] = {}
    for row in planted.to_dict("records"):
        sources = leaves(populations, row["source"])
        targets = leaves(populations, row["target"])
        for source, target in itertools.product(sources, targets):
            edge = (source, target, row["ligand"], row["receptor"])
            claims, where = rows.setdefault(edge, ([], []))
            claims.append(row["claim_id"])
            where.extend(split(row["where"]))
    records = []
    for key, (claims, where) in rows.items():
        place = EVERYWHERE if EVERYWHERE in where else ";".join(sorted(set(where)))
        records.append((*key, place, ";".join(dict.fromkeys(claims))))
    return pd.DataFrame(records, columns=[*EDGE, "where", "claim_ids"], dtype=object)


def elevation(
    populations: pd.DataFrame,
    *,
    markers: pd.DataFrame,
    planted: pd.DataFrame,
    condition: str,
) -> pd.DataFrame:
    """Which gene is raised in which population, in the samples of one condition.

    Parameters
    ----------
    populations
        Columns population, parent, level.
    markers
        Columns population, gene and, if any is negative, sign; raised in every condition. A gene
        of a parent is raised in all its leaves, unless rows of these leaves say where. Negative
        markers and those of states raise nothing.
    planted
        Columns source, target, ligand, receptor, where. All subunits of the ligand are raised in
        the source, all subunits of the receptor in the target.
    condition
        Condition of the samples.

    Returns
    -------
    True where raised: leaf populations in rows (table order), genes in columns (sorted). The
    columns are the same for every condition.
    """
    raised = _marker_truth(populations, markers=markers)
    genes = set(markers["gene"])
    for row in edge_truth(planted.assign(claim_id=""), populations=populations).to_dict("records"):
        ligand, receptor = subunits(row["ligand_complex"]), subunits(row["receptor_complex"])
        genes.update(ligand, receptor)
        if planted_in(row["where"], condition):
            raised.update((row["source"], gene) for gene in ligand)
            raised.update((row["target"], gene) for gene in receptor)
    frame = pd.DataFrame(data=False, index=leaf_populations(populations), columns=sorted(genes))
    for population, gene in raised:
        frame.loc[population, gene] = True
    return frame


def _marker_truth(populations: pd.DataFrame, *, markers: pd.DataFrame) -> set[tuple[str, str]]:
    """Leaf population and gene of every marker that is raised."""
    names = set(populations.loc[populations["level"] != "state", "population"])
    rows = markers[markers["population"].isin(names)]
    negative = rows["sign"] == "-" if "sign" in rows else pd.Series(data=False, index=rows.index)
    listed = set(zip(rows["population"], rows["gene"], strict=True))
    raised: set[tuple[str, str]] = set()
    for population, gene in rows.loc[~negative, ["population", "gene"]].itertuples(index=False):
        below = leaves(populations, population)
        said = any((leaf, gene) in listed for leaf in below if leaf != population)
        raised.update((leaf, gene) for leaf in below if leaf == population or not said)
    return raised


def elevation_by_condition(
    populations: pd.DataFrame,
    *,
    markers: pd.DataFrame,
    planted: pd.DataFrame,
    conditions: Collection[str],
) -> dict[str, pd.DataFrame]:
    """Give the frame of `elevation` for each condition, in sorted order."""
    return {
        condition: elevation(populations, markers=markers, planted=planted, condition=condition)
        for condition in sorted(set(conditions))
    }


def is_raised(elevated: pd.DataFrame, *, population: str, complex_: str) -> bool:
    """Whether every subunit of a complex is raised in a population."""
    genes = subunits(complex_)
    return set(genes) <= set(elevated.columns) and bool(elevated.loc[population, genes].all())


def claim_edges(
    claim: Mapping[Hashable, str], *, populations: pd.DataFrame
) -> list[tuple[str, ...]]:
    """Edges a claim stands for: its sources x targets x pairs, parents opened to their leaves."""
    sources = [leaf for p in split(claim["source"]) for leaf in leaves(populations, p)]
    targets = [leaf for p in split(claim["target"]) for leaf in leaves(populations, p)]
    pairs = [tuple(pair.split("^")) for pair in split(claim["pairs"])]
    edges = itertools.product(dict.fromkeys(sources), dict.fromkeys(targets), dict.fromkeys(pairs))
    return [(source, target, *pair) for source, target, pair in edges]


def claim_truth(
    claims: pd.DataFrame,
    *,
    populations: pd.DataFrame,
    elevated: Mapping[str, pd.DataFrame],
) -> pd.DataFrame:
    """Which interaction claims hold in the simulated cohort.

    Parameters
    ----------
    claims
        Columns claim_id, kind, pairs, source, target. Other kinds than `interaction` are left out.
    populations
        Columns population, parent.
    elevated
        Condition to the frame of `elevation`.

    Returns
    -------
    Columns claim_id, planted (at least one edge has both sides raised, by planting or because the
    genes are markers), where ("all", or the conditions joined by ';', or '').
    """
    records = []
    for claim in claims[claims["kind"] == "interaction"].to_dict("records"):
        edges = claim_edges(claim, populations=populations)
        found = [
            condition
            for condition, frame in elevated.items()
            if any(
                is_raised(frame, population=source, complex_=ligand)
                and is_raised(frame, population=target, complex_=receptor)
                for source, target, ligand, receptor in edges
            )
        ]
        where = EVERYWHERE if found and len(found) == len(elevated) else ";".join(found)
        records.append((claim["claim_id"], bool(found), where))
    return pd.DataFrame(records, columns=["claim_id", "planted", "where"])


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
