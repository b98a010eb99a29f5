"""The section of a claim's panel on the edges that carry it."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from osteotalk.claims.claim import INTERACTION
from osteotalk.report.inputs import Claim
from osteotalk.report.model import Column, Section, Table
from osteotalk.report.words.text import claim_stem, enumerate_words, plural, support_text, words

TOP_EDGES = 10  # of each cohort


def section(claim: Claim) -> Section | None:
    """The section of a claim's panel; None where it is on no interaction, or none was scored."""
    row, parts, names = claim.row, claim.edges, claim.names
    if words(row.get("kind")) != INTERACTION:
        return None
    total = sum(len(own) for _, own in parts)
    if not total:
        return None
    frame = pd.concat(
        [own.head(TOP_EDGES).assign(cohort=title) for title, own in parts if len(own)],
        ignore_index=True,
    )
    frame = frame.assign(
        _source=[names.palette.label(str(name)) for name in frame["source"]],
        _target=[names.palette.label(str(name)) for name in frame["target"]],
        _support=[support_text(edge) for edge in frame.to_dict("records")],
    )
    each = [f"{plural(len(own), 'edge')} in {title}" for title, own in parts]
    return Section(
        anchor="edges",
        title="Best edges",
        question="Which pairs, between which populations, carry the claim?",
        body=(
            f"The claim has {enumerate_words(each)} that were found in at least one sample; the "
            f"table shows the best {TOP_EDGES} of each cohort, by support, then by median "
            "specificity rank. All are in the file of the cohort.",
        ),
        tables=(
            Table(
                "table-edges",
                frame,
                "Best edges. Support counts the patients in whom the edge is active, Detected in "
                "those in whom both genes are detected; smaller ranks are stronger.",
                (
                    Column("_source", "Source"),
                    Column("_target", "Target"),
                    Column("ligand_complex", "Ligand", "code"),
                    Column("receptor_complex", "Receptor", "code"),
                    Column("cohort", "Cohort"),
                    Column("_support", "Support", "estimate", sort="support", missing="none"),
                    Column("n_detected", "Detected in", "integer"),
                    Column("median_specificity_rank", "Specificity rank", "probability"),
                    Column("median_magnitude_rank", "Magnitude rank", "probability"),
                ),
                download=f"assets/{claim_stem(str(row['claim_id']))}_edges.tsv",
            ),
        ),
    )


def edges_of_claims(support: pd.DataFrame, claims: Sequence[Any]) -> dict[str, pd.DataFrame]:
    """Edges that belong to each interaction claim, the best supported first.

    Parameters
    ----------
    support
        Table `support` of a cohort.
    claims
        From `osteotalk.claims.claim.read_claims`. A side that names no population takes any.

    Returns
    -------
    Rows of `support` by claim; claims without one are left out.
    """
    pairs = support["ligand_complex"].astype(str) + "^" + support["receptor_complex"].astype(str)
    wanted = {pair for claim in claims for pair in claim.pairs}
    chosen = support[pairs.isin(wanted).to_numpy()].assign(_pair=pairs[pairs.isin(wanted)])
    chosen = chosen.sort_values(
        ["support", "n_active", "median_specificity_rank", "source", "target", "_pair"],
        ascending=[False, False, True, True, True, True],
        kind="stable",
    )
    found = {}
    for claim in claims:
        if claim.kind != INTERACTION:
            continue
        mask = chosen["_pair"].isin(claim.pairs)
        for column, side in (("source", claim.source), ("target", claim.target)):
            if side:
                mask &= chosen[column].isin(side)
        if mask.any():
            found[claim.claim_id] = chosen[mask].drop(columns="_pair")
    return found
