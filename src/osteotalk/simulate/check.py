"""Check the tables of the simulation before any count is drawn."""

from collections.abc import Collection

import numpy as np
import pandas as pd

from osteotalk.simulate.truth import EVERYWHERE, leaf_populations, subunits
from osteotalk.tables import SIGNATURE, TRIPLET, closest, split

SHARE_TOLERANCE = 1e-6


def check_inputs(
    *,
    samples: pd.DataFrame,
    files: pd.DataFrame,
    populations: pd.DataFrame,
    markers: pd.DataFrame,
    shares: pd.DataFrame,
    planted: pd.DataFrame,
    resource_genes: Collection[str],
    cells: int,
    raised: pd.DataFrame | None = None,
    signatures: pd.DataFrame | None = None,
) -> None:
    """Raise if the tables do not describe a cohort.

    Raises
    ------
    ValueError
        With all problems: where, what was found, and which rule it breaks.
    """
    problems = [f"simulated shares: {p}" for p in share_problems(shares, samples, populations)]
    known = set(resource_genes) | set(markers["gene"])
    problems += [
        f"planted edges: {p}" for p in planted_problems(planted, samples, populations, known)
    ]
    problems += [
        f"raised genes: {p}" for p in raised_problems(raised, samples, populations, signatures)
    ]
    problems += [f"files: {p}" for p in _file_problems(files, samples)]
    if cells < len(samples):
        problems.append(f"cells: {cells} droplets cannot fill {len(samples)} samples")
    if problems:
        msg = f"the simulation has {len(problems)} problem(s):\n  " + "\n  ".join(problems)
        raise ValueError(msg)


def share_problems(
    shares: pd.DataFrame, samples: pd.DataFrame, populations: pd.DataFrame
) -> list[str]:
    """List what is wrong with the table of population shares."""
    known = leaf_populations(populations)
    problems = [
        f"population '{name}' is not a leaf of the table of populations{closest(name, known)}"
        for name in sorted(set(shares["population"]) - set(known))
    ]
    numbers = shares[["share", "patient_sd"]].apply(pd.to_numeric, errors="coerce")
    for column in numbers:
        wrong = ~np.isfinite(numbers[column]) | (numbers[column] < 0)
        problems += [
            f"{row.population} in {row.condition}, {row.histology}: {column} must be a number, "
            f"at least 0; found '{getattr(row, str(column))}'"
            for row in shares[wrong].itertuples()
        ]
    keys = [shares["condition"], shares["histology"]]
    sums = numbers["share"].groupby(keys).sum()
    problems += [
        f"condition '{condition}', histology '{histology}': shares sum to {total:g}, must be 1"
        for (condition, histology), total in sums.items()
        if abs(total - 1) > SHARE_TOLERANCE
    ]
    twice = shares[shares.duplicated(["population", "condition", "histology"])]
    problems += [
        f"{row.population} in {row.condition}, {row.histology}: listed twice"
        for row in twice.itertuples()
    ]
    problems += [
        f"no shares for condition '{row.condition}', histology '{row.histology}' "
        f"(sample {row.sample})"
        for row in samples.itertuples()
        if (row.condition, row.histology) not in sums.index
    ]
    return problems


def planted_problems(
    planted: pd.DataFrame,
    samples: pd.DataFrame,
    populations: pd.DataFrame,
    genes: Collection[str],
) -> list[str]:
    """List what is wrong with the table of planted edges."""
    known = list(populations["population"])
    problems = []
    for row in planted.to_dict("records"):
        name = f"{row['source']}>{row['target']}:{row['ligand']}^{row['receptor']}"
        problems += [
            f"{name}: {column} '{row[column]}' is not in the table of populations"
            f"{closest(row[column], known)}"
            for column in ("source", "target")
            if row[column] not in known
        ]
        problems += [
            f"{name}: gene '{gene}' is in no scored pair and no marker, so it cannot be planted"
            for gene in [*subunits(row["ligand"]), *subunits(row["receptor"])]
            if gene not in genes
        ]
        problems += [f"{name}: {p}" for p in _place_problems(row["where"], samples)]
    return problems


def raised_problems(
    raised: pd.DataFrame | None,
    samples: pd.DataFrame,
    populations: pd.DataFrame,
    signatures: pd.DataFrame | None,
) -> list[str]:
    """List what is wrong with the table of other raised genes; None has nothing wrong."""
    if raised is None:
        return []
    real = [*leaf_populations(populations), *populations["parent"]]
    known = [name for name in populations["population"] if name in real]
    programmes = [] if signatures is None else list(dict.fromkeys(signatures["signature"]))
    problems = []
    for row in raised.to_dict("records"):
        name = f"{row['genes']} in {row['population']}"
        if row["population"] not in known:
            near = closest(row["population"], known)
            problems.append(f"{name}: '{row['population']}' is no population of cells{near}")
        named = [item.removeprefix(SIGNATURE) for item in split(row["genes"]) if SIGNATURE in item]
        problems += [
            f"{name}: '{item}' is not in the table of signatures{closest(item, programmes)}"
            for item in named
            if item not in programmes
        ]
        problems += [f"{name}: {p}" for p in _place_problems(row["where"], samples)]
    return problems


def _place_problems(where: str, samples: pd.DataFrame) -> list[str]:
    places = [EVERYWHERE, *sorted(set(samples["condition"]))]
    return [
        f"where '{place}' is not one of {', '.join(places)}"
        for place in split(where) or [""]
        if place not in places
    ]


def _file_problems(files: pd.DataFrame, samples: pd.DataFrame) -> list[str]:
    problems = []
    for sample in samples["sample"]:
        roles = sorted(files.loc[files["sample"] == sample, "role"])
        if roles != sorted(TRIPLET):
            problems.append(
                f"sample '{sample}' needs one file each of {', '.join(TRIPLET)}; "
                f"found {', '.join(roles) or 'none'}"
            )
    return problems
