"""Which claims hold in the simulated cohort."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence

import pandas as pd

from osteotalk.simulate.truth import (
    EVERYWHERE,
    claim_edges,
    is_raised,
    leaf_populations,
    programme_genes,
)
from osteotalk.tables import NOT_TESTABLE, leaves, sides_of, split

# Of the genes of a programme this share must be raised for the programme to be.
PROGRAMME_SHARE = 0.5
# Shares of cells, or a share and its equal split, differ if one is so many times the other.
SHARE_FOLD = 1.5

Claim = Mapping[Hashable, str]


def claim_truth(
    claims: pd.DataFrame,
    *,
    populations: pd.DataFrame,
    elevated: Mapping[str, pd.DataFrame],
    signatures: pd.DataFrame | None = None,
    shares: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Which claims hold in the simulated cohort, by planting or because genes are markers.

    Parameters
    ----------
    claims
        Table of claims; columns that are absent count as empty. Claims that are not testable are
        left out.
    populations
        Columns population, parent, level.
    elevated
        Condition to the frame of `elevation`.
    signatures
        Columns signature, gene, weight; without it no programme is raised.
    shares
        Columns population, condition, histology, share (config/simulation_populations.tsv);
        without it no claim on composition holds.

    Returns
    -------
    Columns claim_id, planted, where: "all", or the conditions joined by ';', or ''. By kind:

    interaction
        One edge has both sides raised.
    expression, signature
        All genes (at least half of a programme) are raised in one of the claimed populations, and
        not in all of those compared with.
    composition
        The share of the cells is at least 1.5 times an equal split between the populations.

    A contrast between conditions holds if this is so in all samples of the one side and in none of
    the other; of a composition, if the shares (mean over histologies) differ 1.5-fold. `where` is
    then the side on which it is more. Nothing along which a claim could correlate is planted, so
    no correlation holds.
    """
    records = []
    for claim in claims[claims["kind"] != NOT_TESTABLE].to_dict("records"):
        contrast, kind = claim.get("contrast", ""), claim["kind"]
        if contrast == "correlation":
            where: Sequence[str] = ()
        elif kind == "composition":
            where = _more_cells(claim, populations=populations, shares=shares)
        else:
            holds = _test(claim, populations=populations, signatures=signatures)
            found = [condition for condition, frame in elevated.items() if holds(frame)]
            where = _only_first(claim, found, elevated) if contrast else found
        everywhere = bool(where) and len(where) == len(elevated) and not contrast
        place = EVERYWHERE if everywhere else ";".join(where)
        records.append((claim["claim_id"], bool(where), place))
    return pd.DataFrame(records, columns=["claim_id", "planted", "where"])


def _test(
    claim: Claim, *, populations: pd.DataFrame, signatures: pd.DataFrame | None
) -> Callable[[pd.DataFrame], bool]:
    """Whether a claim on edges or genes holds in the samples of one condition."""
    if claim["kind"] == "interaction":
        edges = claim_edges(claim, populations=populations)
        return lambda frame: any(
            is_raised(frame, population=source, complex_=ligand)
            and is_raised(frame, population=target, complex_=receptor)
            for source, target, ligand, receptor in edges
        )
    genes, least = split(claim["genes"]) if claim["kind"] == "expression" else [], 1.0
    if claim["kind"] == "signature":
        genes, least = programme_genes(signatures, claim["signature"]), PROGRAMME_SHARE
    source = _opened(split(claim["source"]), populations)
    others = _opened(split(claim["target"]), populations) or leaf_populations(populations)
    compared = [] if claim.get("contrast") else [name for name in others if name not in source]

    def raised(frame: pd.DataFrame, population: str) -> bool:
        n_raised = sum(bool(frame.loc[population, gene]) for gene in genes if gene in frame)
        return bool(genes) and n_raised >= least * len(genes)

    return lambda frame: (
        any(raised(frame, name) for name in source)
        and not (bool(compared) and all(raised(frame, name) for name in compared))
    )


def _only_first(
    claim: Claim, found: Sequence[str], elevated: Mapping[str, pd.DataFrame]
) -> Sequence[str]:
    """Conditions of the side where it should be more, if it is so there and not on the other."""
    more, less = (
        [c for c in side if c in elevated] for side in _sides(claim, claim["contrast_with"])
    )
    holds = more and less and set(more) <= set(found) and not set(less) & set(found)
    return more if holds else ()


def _sides(claim: Claim, text: str) -> tuple[list[str], list[str]]:
    """Conditions in which the claim wants more, and those in which it wants less."""
    first, second = sides_of(text) or ([], [])
    return (second, first) if claim["direction"] == "lower" else (first, second)


def _more_cells(
    claim: Claim, *, populations: pd.DataFrame, shares: pd.DataFrame | None
) -> Sequence[str]:
    """Conditions in which the share of cells is larger, if it is clearly so."""
    if shares is None:
        return ()
    part = _opened(split(claim["source"]), populations)
    whole = _opened(split(claim["target"]), populations) or leaf_populations(populations)
    table = shares.assign(share=shares["share"].astype(float))
    places = [table["condition"], table["histology"]]

    def cells(names: Iterable[str]) -> pd.Series:
        return (
            table["share"].where(table["population"].isin(list(names)), 0.0).groupby(places).sum()
        )

    share = (cells(part) / cells(whole)).groupby("condition").mean()
    if not claim.get("contrast"):
        least = SHARE_FOLD * len(part) / len(whole)
        return [str(c) for c, value in share.items() if value > 0 and value >= least]
    more, less = ([c for c in side if c in share] for side in _sides(claim, claim["contrast_with"]))
    if not more or not less:
        return ()
    high, low = share[more].mean(), share[less].mean()
    return more if high > 0 and high >= SHARE_FOLD * low else ()


def _opened(names: Iterable[str], populations: pd.DataFrame) -> list[str]:
    """Leaf populations that these stand for; a state, which is never simulated, for none."""
    real = leaf_populations(populations)
    opened = (leaf for name in names for leaf in leaves(populations, name))
    return [leaf for leaf in dict.fromkeys(opened) if leaf in real]
