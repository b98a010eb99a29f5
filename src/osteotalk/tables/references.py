"""Check what one table says of another."""

from collections.abc import Sequence

import pandas as pd

from osteotalk.tables.model import NAMES, Tables, closest, split


def _unknown(frame: pd.DataFrame, column: str, known: Sequence[str], home: str) -> list[str]:
    """Cells of a column (items joined by ';') that are not among the known values."""
    return [
        f"line {line}: {column} '{item}' is not in the table of {home}{closest(item, known)}"
        for line, cell in frame[column].items()
        for item in split(cell)
        if item not in known
    ]


def check_references(tables: Tables) -> dict[str, list[str]]:
    """Check what one table says of another; problems by table name."""
    datasets = list(tables.datasets["dataset"])
    populations = list(tables.populations["population"])
    parents = set(tables.populations["parent"])
    simulated = tables.datasets.loc[tables.datasets["source"] == "simulated", "dataset"]
    found: dict[str, list[str]] = {name: [] for name in NAMES}
    found["datasets"] += _unknown(tables.datasets, "patients_of", datasets, "datasets")
    found["samples"] += _unknown(tables.samples, "dataset", datasets, "datasets")
    found["files"] += _unknown(tables.files, "dataset", datasets, "datasets")
    found["populations"] += _unknown(tables.populations, "parent", populations, "populations")
    found["populations"] += _cycles(tables.populations)
    for name, columns in {
        "markers": ["population"],
        "claims": ["source", "target"],
        "simulation_populations": ["population"],
        "simulation_edges": ["source", "target"],
    }.items():
        for column in columns:
            found[name] += _unknown(getattr(tables, name), column, populations, "populations")
    found["markers"] += [
        f"line {line}: population '{p}' has populations below it; give its markers to those"
        for line, p in tables.markers["population"].items()
        if p in parents
    ]
    found["claims"] += _claim_problems(tables.claims)
    claims = list(tables.claims["claim_id"])
    found["simulation_edges"] += _unknown(tables.simulation_edges, "claim_id", claims, "claims")
    if len(simulated):  # a table of datasets without it leaves these tables unused
        drawn = tables.samples[tables.samples["dataset"].isin(simulated)]
        places = ["all", *sorted(set(drawn["condition"]))]
        found["simulation_edges"] += _unknown(
            tables.simulation_edges, "where", places, "sample conditions"
        )
    if len(simulated) > 1:
        found["datasets"].append(
            f"only one dataset can be simulated, but these are: {', '.join(simulated)}"
        )
    return found


def _cycles(populations: pd.DataFrame) -> list[str]:
    parent = dict(zip(populations["population"], populations["parent"], strict=True))
    problems = []
    for line, population in populations["population"].items():
        seen, above = {population}, parent[population]
        while above and above not in seen:
            seen.add(above)
            above = parent.get(above, "")
        if above == population:
            problems.append(f"line {line}: population '{population}' is its own ancestor")
    return problems


def _claim_problems(claims: pd.DataFrame) -> list[str]:
    problems = [] if len(claims) else ["the table has no claim"]
    for line, row in claims.iterrows():
        if row["kind"] == "interaction":
            empty = [c for c in ("pairs", "source", "target") if not row[c]]
            problems += [f"line {line}: an interaction claim needs a value in {c}" for c in empty]
        elif not row["reason"]:
            problems.append(f"line {line}: a claim that is not testable needs its reason")
    return problems
