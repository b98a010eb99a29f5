"""A row of the table of claims, with its lists taken apart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from osteotalk.tables import quantity_of, sides_of, split, within

INTERACTION, EXPRESSION, COMPOSITION, SIGNATURE = (
    "interaction",
    "expression",
    "composition",
    "signature",
)
UNTESTABLE = "not_testable"
CONDITIONS, CORRELATION = "conditions", "correlation"
LOWER = "lower"


@dataclass(frozen=True)
class Quantity:
    """What a claim is correlated with.

    Attributes
    ----------
    form
        gene, signature or share.
    name
        Gene or signature; '' for a share.
    populations
        Where it is measured, or what the share is of.
    """

    form: str
    name: str
    populations: tuple[str, ...]


@dataclass(frozen=True)
class Claim:
    """One statement and how it is tested.

    Attributes
    ----------
    claim_id, kind, contrast, direction, signature, response, reason
        As in the table of claims.
    pairs
        LIGAND^RECEPTOR, each once, in table order.
    genes
        Symbols, each once.
    source, target
        Populations (for a composition, states too) that cells of the claim may carry: those named
        and all below them.
    named_source, named_target
        As they stand in the table, for messages.
    first, second
        Conditions of a contrast between conditions.
    quantity
        Of a correlation.
    """

    claim_id: str
    kind: str
    contrast: str
    direction: str
    signature: str
    response: str
    reason: str
    pairs: tuple[str, ...]
    genes: tuple[str, ...]
    source: tuple[str, ...]
    target: tuple[str, ...]
    named_source: tuple[str, ...]
    named_target: tuple[str, ...]
    first: tuple[str, ...] = ()
    second: tuple[str, ...] = ()
    quantity: Quantity | None = None

    @property
    def sign(self) -> int:
        """Direction that the claim wants: 1, or -1 for lower."""
        return -1 if self.direction == LOWER else 1


def read_claims(table: pd.DataFrame, *, vocabulary: pd.DataFrame) -> list[Claim]:
    """Take the rows of the table of claims apart.

    Parameters
    ----------
    table
        Table of claims, checked.
    vocabulary
        Table of populations.
    """
    rows: list[dict[Any, str]] = table.astype(str).to_dict("records")
    return [_read(row, vocabulary) for row in rows]


def parse_quantity(text: str) -> tuple[str, str, tuple[str, ...]]:
    """Take ``gene:VEGFA@malignant``, ``signature:nfkb@tam`` or ``share:tam+monocyte`` apart.

    Returns
    -------
    Form, name (gene or signature, '' for a share) and populations as named.

    Raises
    ------
    ValueError
        If the text has none of these forms.
    """
    found = quantity_of(text)
    if found is None:
        msg = f"'{text}' is none of gene:NAME@POPULATION, signature:ID@POPULATION, share:POPULATION"
        raise ValueError(msg)
    form, name, populations = found
    return form, name, tuple(populations)


def parse_conditions(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Take ``lung_metastasis+recurrence>primary`` apart.

    Raises
    ------
    ValueError
        If there are not two sides.
    """
    found = sides_of(text)
    if found is None:
        msg = f"'{text}' does not have the form CONDITION>CONDITION"
        raise ValueError(msg)
    return tuple(found[0]), tuple(found[1])


def _read(row: Mapping[Any, str], vocabulary: pd.DataFrame) -> Claim:
    def below(names: Sequence[str]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(leaf for name in names for leaf in within(vocabulary, name)))

    first: tuple[str, ...] = ()
    second: tuple[str, ...] = ()
    quantity = None
    if row["contrast"] == CONDITIONS:
        first, second = parse_conditions(row["contrast_with"])
    elif row["contrast"] == CORRELATION:
        form, name, populations = parse_quantity(row["contrast_with"])
        quantity = Quantity(form, name, below(populations))
    source, target = split(row["source"]), split(row["target"])
    kept = ("claim_id", "kind", "contrast", "direction", "signature", "response", "reason")
    return Claim(
        **{name: row[name] for name in kept},
        pairs=tuple(dict.fromkeys(split(row["pairs"]))),
        genes=tuple(dict.fromkeys(split(row["genes"]))),
        source=below(source),
        target=below(target),
        named_source=tuple(source),
        named_target=tuple(target),
        first=first,
        second=second,
        quantity=quantity,
    )
