"""Check what one table says of another."""

import itertools

import pandas as pd

from osteotalk.tables.cells import date_problems, states, unknown
from osteotalk.tables.claims import check_claims
from osteotalk.tables.model import NAMES, Tables, above


def check_references(tables: Tables) -> dict[str, list[str]]:
    """Check what one table says of another; problems by table name."""
    datasets = list(tables.datasets["dataset"])
    populations = list(tables.populations["population"])
    simulated = tables.datasets.loc[tables.datasets["source"] == "simulated", "dataset"]
    found: dict[str, list[str]] = {name: [] for name in NAMES}
    found["datasets"] += unknown(tables.datasets, "patients_of", datasets, "datasets")
    found["samples"] += unknown(tables.samples, "dataset", datasets, "datasets")
    found["files"] += unknown(tables.files, "dataset", datasets, "datasets")
    found["populations"] += unknown(tables.populations, "parent", populations, "populations")
    circles = _cycles(tables.populations)
    found["populations"] += circles
    named = set(tables.populations.loc[tables.populations["level"] == "state", "population"])
    found["populations"] += states(tables.populations, ["parent"], named, "have others below")
    for name, columns in {
        "simulation_populations": ["population"],
        "simulation_edges": ["source", "target"],
    }.items():
        found[name] += states(getattr(tables, name), columns, named, "stand here")
    for name, columns in {
        "markers": ["population"],
        "labels": ["population"],
        "simulation_populations": ["population"],
        "simulation_edges": ["source", "target"],
    }.items():
        for column in columns:
            found[name] += unknown(getattr(tables, name), column, populations, "populations")
    found["markers"] += date_problems(tables.markers, ("gene",))
    found["interactions"] += date_problems(tables.interactions, ("ligand", "receptor"))
    found["routes"] += date_problems(tables.routes, ("ligand",))
    if not circles:  # who is above whom could not be told
        for name, problems in check_claims(tables).items():
            found[name] += problems
        found["markers"] += marker_problems(tables.markers, tables.populations)
    claims = list(tables.claims["claim_id"])
    found["simulation_edges"] += unknown(tables.simulation_edges, "claim_id", claims, "claims")
    if len(simulated):  # a table of datasets without it leaves these tables unused
        drawn = tables.samples[tables.samples["dataset"].isin(simulated)]
        places = ["all", *sorted(set(drawn["condition"]))]
        for name in ("simulation_edges", "simulation_genes"):
            found[name] += unknown(getattr(tables, name), "where", places, "sample conditions")
    if len(simulated) > 1:
        found["datasets"].append(
            f"only one dataset can be simulated, but these are: {', '.join(simulated)}"
        )
    return found


def marker_problems(markers: pd.DataFrame, populations: pd.DataFrame) -> list[str]:
    """Genes that speak for a population and against one above or below it.

    A gene of a population speaks for all below it, so a cell of the lower one could then neither
    have the gene nor lack it. Told at the later of the two rows.

    Parameters
    ----------
    markers
        Columns population, gene, sign; index: line in the file.
    populations
        Columns population, parent; without circles.
    """
    problems = []
    for gene, rows in markers.groupby("gene", sort=False):
        for line, other in itertools.combinations(rows.index, 2):
            first, second = rows.loc[line], rows.loc[other]
            near = _nearness(second["population"], first["population"], populations)
            if near and (first["sign"] == "-") != (second["sign"] == "-"):
                problems.append(
                    f"line {other}: gene '{gene}' speaks {_side(second)}, and in line {line} "
                    f"{_side(first)}, which {near}; a gene of a population speaks for all below "
                    "it: keep one of the two rows"
                )
    return problems


def _nearness(name: str, other: str, populations: pd.DataFrame) -> str:
    """How the other population lies to this one, in words; '' if neither is above the other."""
    if other in above(populations, name):
        return "is above it"
    return "is below it" if name in above(populations, other) else ""


def _side(row: pd.Series) -> str:
    return f"{'against' if row['sign'] == '-' else 'for'} '{row['population']}'"


def _cycles(populations: pd.DataFrame) -> list[str]:
    parent = dict(zip(populations["population"], populations["parent"], strict=True))
    problems = []
    for line, population in populations["population"].items():
        seen, name = {population}, parent[population]
        while name and name not in seen:
            seen.add(name)
            name = parent.get(name, "")
        if name == population:
            problems.append(f"line {line}: population '{population}' is its own ancestor")
    return problems
