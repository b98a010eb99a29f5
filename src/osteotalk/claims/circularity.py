"""Claims that are in part true by construction.

A population that was named by a gene expresses this gene. Where the same gene is the ligand or
receptor that a claim expects in that population, the naming speaks for the claim as well as the
biology does, and nothing computed from the same cells can tell the two apart.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import pandas as pd

from osteotalk.tables import above, split, within


def circular_genes(
    claim: Mapping[Any, str],
    *,
    markers: pd.DataFrame,
    populations: pd.DataFrame,
    signatures: pd.DataFrame,
) -> list[tuple[str, str, str]]:
    """Genes of a claim that also name the population the claim expects them in.

    Parameters
    ----------
    claim
        Row of the table of claims: pairs, genes, signature, source, target.
    markers
        Columns population, gene and sign. A marker that counts against a population shapes it as
        well.
    populations
        Columns population, parent, level.
    signatures
        Columns signature, gene.

    Returns
    -------
    Side (ligand, receptor or gene), gene, and the population or state whose marker it is: the one
    the claim names, one below it, one above it, in whose name the cells were chosen first, or a
    state that is a kind of one of these (see `naming_states`). Sorted, each once.
    """
    return _circular(claim, _lines(markers, populations), signatures)


def _lines(
    markers: pd.DataFrame, populations: pd.DataFrame
) -> Callable[[str], list[tuple[str, set[str]]]]:
    """Give, for a population, those whose markers shape its cells, each with its markers."""
    kinds = naming_states(markers, populations)
    genes = {str(name): set(rows["gene"]) for name, rows in markers.groupby("population")}

    @cache
    def line(name: str) -> list[tuple[str, set[str]]]:
        own = [*above(populations, name), *within(populations, name)]
        own += [kind for p in own for kind in kinds.get(p, [])]
        return [(p, genes[p]) for p in own if p in genes]

    return line


def _circular(
    claim: Mapping[Any, str],
    line: Callable[[str], list[tuple[str, set[str]]]],
    signatures: pd.DataFrame,
) -> list[tuple[str, str, str]]:
    pairs = [pair.split("^") for pair in split(claim["pairs"])]
    programme = signatures.loc[signatures["signature"] == claim["signature"], "gene"]
    found = set()
    for side, column, genes in (
        ("ligand", "source", {g for ligand, _ in pairs for g in ligand.split("_")}),
        ("receptor", "target", {g for _, receptor in pairs for g in receptor.split("_")}),
        ("gene", "source", {*split(claim["genes"]), *programme}),
    ):
        for name in split(claim[column]):
            found |= {(side, gene, p) for p, own in line(name) for gene in genes & own}
    return sorted(found)


def naming_states(markers: pd.DataFrame, populations: pd.DataFrame) -> dict[str, list[str]]:
    """States whose markers name their population too: they share a marker with it.

    So does `osteotalk.annotate.tree.Tree.kinds`, of the measured genes. Other states are programmes
    inside a population that has its name already.
    """
    positive = markers[markers["sign"] != "-"]
    genes = {str(p): set(rows["gene"]) for p, rows in positive.groupby("population", sort=False)}
    found: dict[str, list[str]] = {}
    states = populations[populations["level"] == "state"]
    for state, parent in zip(states["population"], states["parent"], strict=True):
        if genes.get(state, set()) & genes.get(parent, set()):
            found.setdefault(parent, []).append(state)
    return found


def circularity(
    claims: pd.DataFrame,
    *,
    markers: pd.DataFrame,
    populations: pd.DataFrame,
    signatures: pd.DataFrame,
) -> list[str]:
    """Words for each claim on its circular genes; empty where there are none.

    Returns
    -------
    For example ``ligand CXCL12 is a marker of msc``, joined by ``;``, in the order of `claims`.
    """
    line = _lines(markers, populations)
    return [
        _in_words(_circular(claim, line, signatures))
        for claim in claims.astype(str).to_dict("records")
    ]


def _in_words(found: Sequence[tuple[str, str, str]]) -> str:
    named: dict[tuple[str, str], list[str]] = {}
    for side, gene, population in found:
        named.setdefault((side, gene), []).append(population)
    return "; ".join(
        f"{side} {gene} is a marker of {', '.join(names)}" for (side, gene), names in named.items()
    )
