"""Check what one table says of another."""

import re
from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType

import pandas as pd

from osteotalk.tables.model import NAMES, Tables, closest, split

# Symbols that look like days of a month, and how these families are called today.
_MONTHS: Mapping[str, str] = MappingProxyType({"mar": "MARCHF", "sep": "SEPTIN", "dec": "DELEC"})
_MONTH = "jan|feb|mar|apr|may|jun|jul|aug|sept?|oct|nov|dec"
_DATE = re.compile(
    rf"(?P<day>\d{{1,2}})-(?P<month>{_MONTH})(?:-\d{{2,4}})?"
    rf"|(?P<month_first>{_MONTH})-(?P<day_last>\d{{1,4}})"
    r"|(?P<month_only>mar|sep)(?P<day_only>\d{1,2})"
    r"|\d{4}-\d{1,2}-\d{1,2}",
    re.IGNORECASE,
)


def _unknown(frame: pd.DataFrame, column: str, known: Sequence[str], home: str) -> list[str]:
    """Cells of a column (items joined by ';') that are not among the known values."""
    return [
        f"line {line}: {column} '{item}' is not in the table of {home}{closest(item, known)}"
        for line, cell in frame[column].items()
        for item in split(cell)
        if item not in known
    ]


def _states(
    frame: pd.DataFrame, columns: Sequence[str], states: Collection[str], what: str
) -> list[str]:
    """Cells that name a state where only a population may stand."""
    return [
        f"line {line}: {column} '{item}' is a state of a population and cannot {what}"
        for column in columns
        for line, cell in frame[column].items()
        for item in split(cell)
        if item in states
    ]


def date_problems(frame: pd.DataFrame, columns: Sequence[str]) -> list[str]:
    """Gene symbols that a spreadsheet turned into a date, such as 2-Sep for SEPT2.

    References
    ----------
    Ziemann et al. 2016, Genome Biol. 17, 177, doi:10.1186/s13059-016-1044-7.
    """
    problems = []
    for column in columns:
        for line, cell in frame[column].items():
            for symbol in cell.split("_"):
                match = _DATE.fullmatch(symbol)
                if match is None:
                    continue
                month = match["month"] or match["month_first"] or match["month_only"] or ""
                day = match["day"] or match["day_last"] or match["day_only"] or ""
                family = _MONTHS.get(month.lower()[:3])
                hint = f" ({family}{int(day)})" if family else ""
                problems.append(
                    f"line {line}: {column} '{symbol}' looks like a date; did a spreadsheet change "
                    f"a gene symbol{hint}? Write today's symbol in a text editor"
                )
    return problems


def check_references(tables: Tables) -> dict[str, list[str]]:
    """Check what one table says of another; problems by table name."""
    datasets = list(tables.datasets["dataset"])
    populations = list(tables.populations["population"])
    simulated = tables.datasets.loc[tables.datasets["source"] == "simulated", "dataset"]
    found: dict[str, list[str]] = {name: [] for name in NAMES}
    found["datasets"] += _unknown(tables.datasets, "patients_of", datasets, "datasets")
    found["samples"] += _unknown(tables.samples, "dataset", datasets, "datasets")
    found["files"] += _unknown(tables.files, "dataset", datasets, "datasets")
    found["populations"] += _unknown(tables.populations, "parent", populations, "populations")
    found["populations"] += _cycles(tables.populations)
    states = set(tables.populations.loc[tables.populations["level"] == "state", "population"])
    found["populations"] += _states(tables.populations, ["parent"], states, "have others below")
    for name, columns in {
        "claims": ["source", "target"],
        "simulation_populations": ["population"],
        "simulation_edges": ["source", "target"],
    }.items():
        found[name] += _states(getattr(tables, name), columns, states, "stand here")
    for name, columns in {
        "markers": ["population"],
        "labels": ["population"],
        "claims": ["source", "target"],
        "simulation_populations": ["population"],
        "simulation_edges": ["source", "target"],
    }.items():
        for column in columns:
            found[name] += _unknown(getattr(tables, name), column, populations, "populations")
    found["markers"] += date_problems(tables.markers, ("gene",))
    found["interactions"] += date_problems(tables.interactions, ("ligand", "receptor"))
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
