"""The ligand-receptor pairs that are scored."""

import hashlib
import logging
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from osteotalk.ingest.gene_tables import SymbolTable
from osteotalk.interactions.pairs.gene_naming import looks_like, require_measured
from osteotalk.interactions.pairs.resource_files import (
    SIDES,
    Pair,
    Source,
    direction_key,
    directions,
    in_any_order,
    liana_names,
    liana_resource,
    load_source,
    read_pairs,
    resource_file,
)
from osteotalk.tables.renew import renew_text

__all__ = [
    "Changed",
    "Source",
    "Turned",
    "build_resource",
    "change_resource",
    "describe",
    "digest",
    "liana_names",
    "liana_resource",
    "load_source",
    "looks_like",
    "measured",
    "one_direction",
    "read_pairs",
    "renew_pairs",
    "require_measured",
    "resource_file",
    "subunits",
    "without_repeats",
]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Turned:
    """A pair that was removed because the same binding is listed the other way round."""

    removed: str
    kept: str
    reason: str


@dataclass(frozen=True)
class Changed:
    """The pairs to score and what led to them.

    `pairs` has one row per pair, sorted: ligand, receptor, origin. Its number of rows is
    `listed - duplicates - dropped + added - len(turned)`.
    """

    pairs: pd.DataFrame
    listed: int
    duplicates: int
    dropped: int
    added: int
    turned: tuple[Turned, ...]


def build_resource(source: Source, changes: pd.DataFrame, symbols: SymbolTable) -> Changed:
    """Renew the symbols of a source, drop and add pairs, and keep each binding once.

    Parameters
    ----------
    source
        From `load_source`.
    changes
        Table of interactions: action (add or drop), ligand, receptor, origin.
    symbols
        Table by which the symbols of the source are renewed, as those of the data are.
    """
    unique = without_repeats(_renewed(source.pairs, symbols))
    changed = change_resource(unique, changes, origin=source.origin)
    dropped = int(_matches(unique, changes[changes["action"] == "drop"]).sum())
    wanted = set(_keys(changes[changes["action"] == "add"]))
    once, turned = one_direction(changed, wanted=wanted, listings=directions(symbols))
    result = Changed(
        pairs=once,
        listed=len(source.pairs),
        duplicates=len(source.pairs) - len(unique),
        dropped=dropped,
        added=len(changed) - (len(unique) - dropped),
        turned=tuple(turned),
    )
    _tell(result, source)
    return result


def _tell(result: Changed, source: Source) -> None:
    log.info(
        "%s lists %d pairs; %d repeated, %d dropped, %d added, %d listed both ways round: %d pairs",
        *(source.name, result.listed, result.duplicates, result.dropped, result.added),
        *(len(result.turned), len(result.pairs)),
    )
    for pair in result.turned:
        log.info("%s is left out, as %s stays (%s)", pair.removed, pair.kept, pair.reason)


def renew_pairs(pairs: pd.DataFrame, symbols: SymbolTable) -> pd.DataFrame:
    """Give the genes of a resource the approved symbols that the data get from the same table."""
    return _renewed(pairs, symbols).drop_duplicates().reset_index(drop=True)


def _renewed(pairs: pd.DataFrame, symbols: SymbolTable) -> pd.DataFrame:
    return pairs.assign(
        **{side: [renew_text(name, symbols) for name in pairs[side]] for side in SIDES}
    )


def _keys(pairs: pd.DataFrame) -> list[Pair]:
    """The pairs with sorted subunits, so that A_B and B_A are the same complex."""
    return [
        (in_any_order(ligand), in_any_order(receptor))
        for ligand, receptor in zip(pairs["ligand"], pairs["receptor"], strict=True)
    ]


def _matches(pairs: pd.DataFrame, others: pd.DataFrame) -> pd.Series:
    """Which pairs are among the others, whatever the order of subunits."""
    known = set(_keys(others))
    return pd.Series([key in known for key in _keys(pairs)], index=pairs.index, dtype=bool)


def without_repeats(pairs: pd.DataFrame) -> pd.DataFrame:
    """Keep the first of pairs that are the same, also if subunits come in another order."""
    repeated = pd.Series(_keys(pairs), index=pairs.index, dtype=object).duplicated()
    return pairs[~repeated].reset_index(drop=True)


def change_resource(pairs: pd.DataFrame, changes: pd.DataFrame, *, origin: str) -> pd.DataFrame:
    """Drop pairs from a resource, then add others.

    Parameters
    ----------
    pairs
        The resource, each pair once: ligand, receptor.
    changes
        Table of interactions: action (add or drop), ligand, receptor, origin. Dropping a pair that
        is not there changes nothing. Adding one that is there changes at most the order of its
        subunits, to that of the added row. Subunits are compared in any order.
    origin
        Where the pairs of the resource come from, such as "liana:consensus".

    Returns
    -------
    One row per pair, sorted: ligand, receptor, origin (that given, or that of the added row).
    """
    kept = pairs.loc[~_matches(pairs, changes[changes["action"] == "drop"]), list(SIDES)]
    place = dict(zip(_keys(kept), kept.assign(origin=origin).to_dict("records"), strict=True))
    added = changes.loc[changes["action"] == "add", [*SIDES, "origin"]]
    for key, row in zip(_keys(added), added.to_dict("records"), strict=True):
        place[key] = row | {"origin": place[key]["origin"]} if key in place else row
    changed = pd.DataFrame(list(place.values()), columns=[*SIDES, "origin"], dtype=object)
    return changed.sort_values(list(SIDES)).reset_index(drop=True)


def one_direction(
    pairs: pd.DataFrame, *, wanted: Collection[Pair], listings: Mapping[Pair, int]
) -> tuple[pd.DataFrame, list[Turned]]:
    """Keep one of A^B and B^A: the edge a -> b by A^B is the same binding as b -> a by B^A.

    A pair that was added by the table of interactions is kept; else the direction that more of
    LIANA's human resources list; else the one whose ligand sorts first. Pairs of a gene with itself
    stay.

    Parameters
    ----------
    pairs
        Each pair once: ligand, receptor, and other columns.
    wanted
        Added pairs, with sorted subunits.
    listings
        Number of resources that list a pair, by `direction_key`; a pair that is missing has 0.

    Returns
    -------
    The pairs that stay, and those that do not, in the order of the pairs that were kept instead.
    """
    keys = _keys(pairs)
    names = dict(zip(keys, pairs["ligand"] + "^" + pairs["receptor"], strict=True))
    turned, removed = [], set()
    for pair in sorted(key for key in keys if key < key[::-1] and key[::-1] in names):
        both = (pair, pair[::-1])
        listed = [listings.get(direction_key(*key), 0) for key in both]
        added = [key in wanted for key in both]
        if added[0] != added[1]:
            first, reason = added[0], "added by the table of interactions"
        else:
            first = listed[0] >= listed[1]
            reason = (
                f"listed by {max(listed)} of LIANA's human resources, the reverse by {min(listed)}"
            )
            if listed[0] == listed[1]:
                reason += f"; {pair[0]} sorts first"
        kept, lost = both if first else both[::-1]
        removed.add(lost)
        turned.append(Turned(names[lost], names[kept], reason))
    stays = [key not in removed for key in keys]
    return pairs[stays].reset_index(drop=True), turned


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


def describe(result: Changed, source: Source) -> dict[str, Any]:
    """What provenance tells of the resource.

    Returns
    -------
    name and kind (liana or file) of the source; number of pairs listed in it, duplicates, dropped
    and added; pairs that are scored, and sha256 of these; reversed, a list of removed and kept
    pairs with the reason. Of a file also file_sha256 and ignored_columns.
    """
    found: dict[str, Any] = {
        "name": source.name,
        "kind": source.origin.partition(":")[0],
        "listed": result.listed,
        "duplicates": result.duplicates,
        "dropped": result.dropped,
        "added": result.added,
        "reversed": [vars(pair) for pair in result.turned],
        "pairs": len(result.pairs),
        "sha256": digest(result.pairs),
    }
    if source.sha256:
        found |= {"file_sha256": source.sha256, "ignored_columns": list(source.ignored)}
    return found
