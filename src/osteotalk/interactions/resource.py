"""The ligand-receptor pairs that are scored."""

import hashlib
import warnings
from collections.abc import Iterable

import pandas as pd

from osteotalk.ingest.gene_tables import SymbolTable
from osteotalk.tables.renew import renew_text


def liana_resource(name: str) -> pd.DataFrame:
    """Pairs of one of LIANA's human resources: columns ligand and receptor.

    Raises
    ------
    ValueError
        If LIANA has no such resource.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # LIANA's import warns about its own docstrings
        import liana
    known = [resource for resource in liana.rs.show_resources() if resource != "mouseconsensus"]
    if name not in known:
        msg = f"LIANA has no human resource '{name}'; it has: {', '.join(sorted(known))}"
        raise ValueError(msg)
    pairs: pd.DataFrame = liana.rs.select_resource(name)[["ligand", "receptor"]]
    return pairs.drop_duplicates().reset_index(drop=True)


def renew_pairs(pairs: pd.DataFrame, symbols: SymbolTable) -> pd.DataFrame:
    """Give the genes of a resource the approved symbols that the data get from the same table."""
    renewed = pairs.assign(
        **{
            side: [renew_text(name, symbols) for name in pairs[side]]
            for side in ("ligand", "receptor")
        }
    )
    return renewed.drop_duplicates().reset_index(drop=True)


def change_resource(pairs: pd.DataFrame, changes: pd.DataFrame, *, name: str) -> pd.DataFrame:
    """Add pairs to a LIANA resource and drop others.

    Parameters
    ----------
    pairs
        The resource, from `liana_resource`.
    changes
        Table of interactions: action (add or drop), ligand, receptor, origin. Dropping a pair that
        is not there, or adding one that is, changes nothing.
    name
        Name of the resource.

    Returns
    -------
    One row per pair, sorted: ligand, receptor, origin ("liana:<name>", or that of the added row).
    """
    pairs = pairs.assign(origin=f"liana:{name}")
    dropped = changes[changes["action"] == "drop"]
    keys = pd.MultiIndex.from_frame(pairs[["ligand", "receptor"]])
    pairs = pairs[~keys.isin(pd.MultiIndex.from_frame(dropped[["ligand", "receptor"]]))]
    added = changes.loc[changes["action"] == "add", ["ligand", "receptor", "origin"]]
    both = pd.concat([pairs, added]).drop_duplicates(["ligand", "receptor"], keep="first")
    return both.sort_values(["ligand", "receptor"]).reset_index(drop=True)


def subunits(complexes: Iterable[str]) -> list[str]:
    """Genes of complexes ("ITGAV_ITGB3" has two), sorted and unique."""
    return sorted({gene for name in complexes for gene in name.split("_")})


def measured(resource: pd.DataFrame, genes: Iterable[str]) -> pd.DataFrame:
    """Pairs of which every subunit is among the measured genes."""
    known = set(genes)
    complete = [
        known.issuperset(f"{ligand}_{receptor}".split("_"))
        for ligand, receptor in zip(resource["ligand"], resource["receptor"], strict=True)
    ]
    return resource[complete].reset_index(drop=True)


def digest(resource: pd.DataFrame) -> str:
    """SHA-256 of the sorted pairs, to tell whether two runs used the same resource."""
    lines = sorted(resource["ligand"] + "\t" + resource["receptor"])
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def describe(resource: pd.DataFrame, original: pd.DataFrame, *, name: str) -> dict[str, str | int]:
    """Name, size and digest of a changed resource, and how many pairs were added and dropped."""
    kept = int((resource["origin"] == f"liana:{name}").sum())
    return {
        "name": name,
        "pairs": len(resource),
        "added": len(resource) - kept,
        "dropped": len(original) - kept,
        "sha256": digest(resource),
    }
