"""What the interactive network of a cohort shows, as plain JSON that stays small.

Edges are counted by source, target, route and support. Single edges are kept only where the reader
sees them: the best of each ordered pair of populations, and those of claims.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from osteotalk.report.words.routes import ROUTES, Routes
from osteotalk.report.words.text import number, shorten, words
from osteotalk.report.words.vocabulary import Vocabulary
from osteotalk.tables import split, within

BEST_PAIRS = 5  # per source, target and route
CLAIM_EDGES = 50
_ORDER = ["_best", "rank", "ligand", "receptor", "source", "target"]


@dataclass(frozen=True)
class Limits:
    """When an edge counts: least support, and fewest informative patients."""

    support: float
    patients: float

    def bounds(self) -> list[float]:
        """Lower bounds of the classes of support: steps of 0.1, and the limit itself."""
        return sorted({step / 10 for step in range(11)} | {self.shown()})

    def shown(self) -> float:
        """Give the support that is shown first: the limit, between 0 and 1."""
        return min(max(self.support, 0.0), 1.0)


def interactome(
    support: pd.DataFrame,
    *,
    names: Sequence[str],
    cells: Mapping[str, int],
    claims: pd.DataFrame,
    populations: pd.DataFrame,
    routes: Routes,
    words_of: Vocabulary,
    limits: Limits,
) -> dict[str, object]:
    """Count a cohort's edges for the interactive network.

    Parameters
    ----------
    support
        Support table of the cohort.
    names
        Populations in display order; all sources and targets of `support` are among them.
    cells
        Number of cells by population.
    claims, populations
        Tables of the analysis.
    routes
        How ligands reach their receptors.
    words_of
        Labels and colours.
    limits
        The support that is shown first, and the informative patients that an edge needs.

    Returns
    -------
    ``populations`` (id, label, colour, cells), ``routes``, ``supports`` (lower bounds of the
    classes), ``pairs`` ([ligand, receptor, route]), ``rows`` ([source, target, route, lowest class
    of support, edges of this class, of the next, …]), ``best`` ([source, target, pair, active
    patients, informative patients], best first), ``themes`` and ``claims`` (with rows of their own;
    claims with their best edges, how many ``more`` there are and how many have too ``few``
    informative patients). Numbers in rows are positions. Edges in no row are counted: ``few``, and
    ``inactive`` in every patient; the counts of the rows and these two sum to ``edges``.
    """
    edges = _active(support, names=names, routes=routes, limits=limits)
    shown = edges[edges["enough"]]
    stated = _claims(edges, claims, names=names, populations=populations)
    own = {claim["id"]: edges.loc[claim.pop("_edges")] for claim in stated}
    best = shown[shown.groupby(["source", "target", "route"]).cumcount() < BEST_PAIRS]
    listed = {key: frame[frame["enough"]].head(CLAIM_EDGES) for key, frame in own.items()}
    kept = [best, *listed.values()]
    triples = pd.concat(kept)[["ligand", "receptor", "route"]].drop_duplicates()
    pairs = triples.sort_values(["ligand", "receptor"], kind="stable").to_numpy().tolist()
    place = {(ligand, receptor): i for i, (ligand, receptor, _) in enumerate(pairs)}
    for claim in stated:
        found = own[claim["id"]]
        enough = found[found["enough"]]
        claim |= {
            "rows": _counts(enough),
            "edges": _listing(listed[claim["id"]], place),
            "more": max(len(enough) - CLAIM_EDGES, 0),
            "few": int((~found["enough"]).sum()),
        }
    enough_patients = int((support["n_informative"].map(number) >= limits.patients).sum())
    return {
        "populations": [
            {
                "id": name,
                "label": shorten(words_of.label(name), 60),
                "colour": words_of.colour(name),
                "cells": int(cells.get(name, 0)),
            }
            for name in names
        ],
        "routes": list(ROUTES),
        "supports": limits.bounds(),
        "min_support": limits.shown(),
        "min_patients": limits.patients,
        "pairs": pairs,
        "rows": _counts(shown),
        "best": _listing(best.sort_values(["source", "target"], kind="stable"), place),
        "themes": _themes(stated, own),
        "claims": stated,
        "edges": len(support),
        "few": len(support) - enough_patients,
        "inactive": enough_patients - len(shown),
    }


def _active(
    support: pd.DataFrame, *, names: Sequence[str], routes: Routes, limits: Limits
) -> pd.DataFrame:
    """Edges that are active in a patient, by position of population and route, the best first."""
    numeric = pd.DataFrame(
        {
            name: pd.to_numeric(support[name], errors="coerce").to_numpy(float, na_value=np.nan)
            for name in ("n_active", "n_informative", "support", "median_specificity_rank")
        },
        index=support.index,
    )
    chosen = (numeric["n_active"] > 0) & numeric["support"].notna()
    numeric, text = numeric[chosen], support[chosen]
    place = {name: i for i, name in enumerate(names)}
    ligands = text["ligand_complex"].astype(str)
    route = {ligand: ROUTES.index(routes.of(ligand)) for ligand in ligands.unique()}
    edges = pd.DataFrame(
        {
            "source": text["source"].astype(str).map(place),
            "target": text["target"].astype(str).map(place),
            "ligand": ligands,
            "receptor": text["receptor_complex"].astype(str),
            "route": ligands.map(route),
            "class": np.searchsorted(limits.bounds(), numeric["support"], side="right") - 1,
            "active": numeric["n_active"].astype(int),
            "informative": numeric["n_informative"].astype(int),
            "enough": numeric["n_informative"] >= limits.patients,
            "rank": numeric["median_specificity_rank"],
            "_best": -numeric["support"],
        }
    )
    return edges.sort_values(_ORDER, kind="stable").reset_index(drop=True)


def _claims(
    edges: pd.DataFrame, claims: pd.DataFrame, *, names: Sequence[str], populations: pd.DataFrame
) -> list[dict]:
    """Interaction claims, each with the positions of its edges (``_edges``)."""
    stated = claims[claims["kind"].eq("interaction") & claims["pairs"].ne("")]
    key = edges["ligand"] + "^" + edges["receptor"]
    wanted = {pair for cell in stated["pairs"] for pair in split(str(cell))}
    chosen = edges.assign(pair=key)[key.isin(wanted)]

    def places(cell: object) -> Collection[int]:
        known = {name for item in split(words(cell)) for name in within(populations, item)}
        return [i for i, name in enumerate(names) if name in known]

    found = []
    for row in stated.to_dict("records"):
        mask = (
            chosen["pair"].isin(split(str(row["pairs"])))
            & chosen["source"].isin(places(row["source"]))
            & chosen["target"].isin(places(row["target"]))
        )
        found.append(
            {
                "id": str(row["claim_id"]),
                "theme": words(row["theme"]),
                "label": shorten(words(row["statement"]), 110),
                "_edges": chosen.index[mask],
            }
        )
    return found


def _themes(stated: Sequence[Mapping], own: Mapping[str, pd.DataFrame]) -> list[dict]:
    """Count the edges of each theme; an edge of several claims once."""
    found = []
    for theme in dict.fromkeys(claim["theme"] for claim in stated):
        parts = pd.concat([own[claim["id"]] for claim in stated if claim["theme"] == theme])
        parts = parts[~parts.index.duplicated()]
        found.append({"id": theme, "rows": _counts(parts[parts["enough"]])})
    return found


def _counts(edges: pd.DataFrame) -> list[list[int]]:
    """Rows [source, target, route, class, edges], with the edges of the classes after it."""
    sizes = edges.groupby(["source", "target", "route", "class"]).size()
    rows: dict[tuple[int, ...], list[int]] = {}
    for (*key, level), size in zip(sizes.index.tolist(), sizes.tolist(), strict=True):
        row = rows.setdefault(tuple(key), [*key, level])
        row += [0] * (level - row[3] - (len(row) - 4))
        row.append(size)
    return list(rows.values())


def _listing(edges: pd.DataFrame, place: Mapping[tuple[str, str], int]) -> list[list[int]]:
    """Rows [source, target, pair, active patients, informative patients]."""
    pairs = [place[key] for key in zip(edges["ligand"], edges["receptor"], strict=True)]
    columns = edges[["source", "target", "active", "informative"]].to_numpy(int)
    return np.insert(columns, 2, pairs, axis=1).tolist() if len(edges) else []
