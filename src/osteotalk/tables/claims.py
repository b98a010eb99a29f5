"""Check the claims, and the tables that belong to them.

Whether a gene is measured or a pair is in the resource is not known here.
"""

import re
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import pandas as pd

from osteotalk.tables.cells import date_problems, not_in, states, unknown
from osteotalk.tables.model import Tables, above, closest, split, within

NOT_TESTABLE = "not_testable"
# Genes that a programme needs to be scored.
MIN_GENES = 5
SIGNATURE = "signature:"

_NEEDED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "interaction": ("pairs", "source", "target"),
        "expression": ("genes", "source"),
        "signature": ("signature", "source"),
        "composition": ("source",),
        NOT_TESTABLE: ("reason",),
    }
)
_OF_A_TEST = ("pairs", "genes", "signature", "response", "reason")
_ALLOWED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "interaction": ("pairs", "response"),
        "expression": ("genes",),
        "signature": ("signature",),
        "composition": (),
        NOT_TESTABLE: ("reason",),
    }
)
_GENE = r"[A-Za-z0-9.-]+"
_NAMES = r"[^\s;@>+]+(\+[^\s;@>+]+)*"
_QUANTITY = re.compile(
    rf"(?:(?P<form>gene|signature):(?P<name>[^\s;@+]+)@|(?P<share>share):)(?P<where>{_NAMES})"
)
_CONDITIONS = re.compile(rf"(?P<first>{_NAMES})>(?P<second>{_NAMES})")


@dataclass(frozen=True)
class _Known:
    """Words that a claim may use."""

    populations: pd.DataFrame
    names: list[str]
    states: frozenset[str]
    conditions: list[str]
    signatures: list[str]


def sides_of(text: str) -> tuple[list[str], list[str]] | None:
    """Conditions on both sides of ``lung_metastasis+recurrence>primary``; None for other text."""
    match = _CONDITIONS.fullmatch(text)
    return (match["first"].split("+"), match["second"].split("+")) if match else None


def quantity_of(text: str) -> tuple[str, str, list[str]] | None:
    """Form, name and populations of a quantity; None for text of another form.

    ``gene:VEGFA@malignant`` and ``signature:nfkb@tam+monocyte`` have a name, ``share:tam`` has ''.
    """
    match = _QUANTITY.fullmatch(text)
    if match is None or (match["form"] == "gene" and not re.fullmatch(_GENE, match["name"])):
        return None
    return match["form"] or match["share"], match["name"] or "", match["where"].split("+")


def genes_of_claims(tables: Tables) -> list[str]:
    """Genes that claims name outside of pairs, and those of all programmes; sorted."""
    genes = set(tables.signatures["gene"])
    for frame in (tables.claims, tables.published):
        genes.update(gene for cell in frame["genes"] for gene in split(cell))
        quantities = filter(None, map(quantity_of, frame["contrast_with"]))
        genes.update(name for form, name, _ in quantities if form == "gene")
    return sorted(genes)


def check_claims(tables: Tables) -> dict[str, list[str]]:
    """Check claims, published findings, signatures, therapies and genes raised in the simulation.

    Returns
    -------
    Problems by table name.
    """
    names = list(tables.populations["population"])
    is_state = tables.populations["level"] == "state"
    known = _Known(
        populations=tables.populations,
        names=names,
        states=frozenset(tables.populations.loc[is_state, "population"]),
        # The simulated samples too: own cohorts need not have the conditions of shipped claims.
        conditions=sorted(
            {*tables.samples["condition"], *tables.simulation_populations["condition"]}
        ),
        signatures=list(dict.fromkeys(tables.signatures["signature"])),
    )
    claims = list(tables.claims["claim_id"])
    empty = [] if claims else ["the table has no claim"]
    return {
        "claims": empty + claim_problems(tables.claims, known),
        "published": claim_problems(tables.published, known)
        + [
            f"line {line}: claim_id '{claim_id}' is in the table of claims already"
            for line, claim_id in tables.published["claim_id"].items()
            if claim_id in claims
        ],
        "signatures": _signature_problems(tables.signatures),
        "therapies": unknown(tables.therapies, "claims", claims, "claims")
        + date_problems(tables.therapies, ("target_genes",)),
        "simulation_genes": _raised_problems(tables.simulation_genes, known, claims),
    }


def claim_problems(claims: pd.DataFrame, known: _Known) -> list[str]:
    """List what is wrong with a table of claims, by line."""
    problems = date_problems(claims, ("pairs", "genes", "contrast_with"))
    for line, row in zip(claims.index, claims.to_dict("records"), strict=True):
        found = [
            *_column_problems(row),
            *_population_problems(row, known),
            *_contrast_problems(row, known),
            *(
                not_in(column, row[column], known.signatures, "signatures")
                for column in ("signature", "response")
                if row[column] and row[column] not in known.signatures
            ),
        ]
        problems += [f"line {line}: {problem}" for problem in found]
    return problems + _repeated(claims)


def _column_problems(row: Mapping[Hashable, str]) -> list[str]:
    kind, contrast, direction = row["kind"], row["contrast"], row["direction"]
    name = f"a claim of kind {kind}"
    problems = [f"{name} needs a value in {c}" for c in _NEEDED[kind] if not row[c]]
    problems += [
        f"{name} has no {column}, but {column} is '{row[column]}'"
        for column in _OF_A_TEST
        if row[column] and column not in _ALLOWED[kind]
    ]
    if kind == NOT_TESTABLE:
        problems += [
            f"{name} has no {column}, but {column} is '{row[column]}'"
            for column in ("contrast", "direction", "contrast_with")
            if row[column]
        ]
    elif contrast and direction not in ("higher", "lower"):
        problems.append(
            f"direction '{direction}' does not go with the contrast '{contrast}', which needs "
            "higher or lower"
        )
    elif not contrast and direction != "present":
        problems.append(
            f"direction '{direction}' needs a contrast (conditions or correlation); without one "
            "the direction is present"
        )
    return problems


def _population_problems(row: Mapping[Hashable, str], known: _Known) -> list[str]:
    composition = row["kind"] == "composition"
    problems = []
    for column in ("source", "target"):
        for item in split(row[column]):
            if item not in known.names:
                problems.append(not_in(column, item, known.names, "populations"))
            elif item in known.states and not (composition and column == "source"):
                problems.append(
                    f"{column} '{item}' is a state of a population; only the source of a "
                    "composition can be one"
                )
    if problems:
        return problems
    if composition:
        return _share_problems(split(row["source"]), split(row["target"]), known)
    if row["kind"] in ("expression", "signature") and row["target"]:
        inside, outside = (
            {name for item in split(row[c]) for name in within(known.populations, item)}
            for c in ("source", "target")
        )
        if outside <= inside:
            return [
                f"target '{row['target']}' is all in source '{row['source']}', so nothing is left "
                "to compare with"
            ]
    return []


def _share_problems(parts: Sequence[str], whole: Sequence[str], known: _Known) -> list[str]:
    """A share is of cells that hold it, and counts no cell twice."""
    problems = []
    for part in parts:
        line = above(known.populations, part)
        if part in whole:
            problems.append(f"source '{part}' is the target too: its share is always 1")
        elif whole and not set(line) & set(whole):
            problems.append(
                f"source '{part}' is no part of target '{';'.join(whole)}', of whose cells it "
                "should be a share"
            )
        problems += [
            f"source '{part}' is a part of source '{other}'; its cells would count twice"
            for other in parts
            if other in line
        ]
    return problems


def _contrast_problems(row: Mapping[Hashable, str], known: _Known) -> list[str]:
    contrast, text = row["contrast"], row["contrast_with"]
    if row["kind"] == NOT_TESTABLE:
        return []
    if not contrast:
        return [f"contrast_with '{text}' needs a contrast: conditions or correlation"] * bool(text)
    if contrast == "conditions":
        return _condition_problems(text, known)
    quantity = quantity_of(text)
    if quantity is None:
        return [
            f"contrast_with '{text}' is not allowed; a correlation is with gene:VEGFA@malignant, "
            "signature:nfkb@malignant or share:tam, where several populations are joined by '+'"
        ]
    form, name, populations = quantity
    problems = [
        not_in("contrast_with: population", item, known.names, "populations")
        for item in populations
        if item not in known.names
    ]
    problems += [
        f"contrast_with: '{item}' is a state of a population and cannot stand here"
        for item in populations
        if item in known.states
    ]
    if form == "signature" and name not in known.signatures:
        problems.append(not_in("contrast_with: signature", name, known.signatures, "signatures"))
    return problems


def _condition_problems(text: str, known: _Known) -> list[str]:
    found = sides_of(text)
    if found is None:
        return [
            f"contrast_with '{text}' is not allowed; conditions are written as "
            "lung_metastasis>primary, where several of one side are joined by '+'"
        ]
    first, second = found
    problems = [
        f"contrast_with: condition '{item}' is not in the table of samples"
        f"{closest(item, known.conditions)}"
        for item in dict.fromkeys([*first, *second])
        if item not in known.conditions
    ]
    return problems + [
        f"contrast_with: condition '{item}' is on both sides of '{text}'"
        for item in dict.fromkeys(first)
        if item in second
    ]


def _repeated(claims: pd.DataFrame) -> list[str]:
    """Testable claims that state what another one states, in whatever order their lists are."""
    seen: dict[tuple[str, ...], tuple[str, Hashable]] = {}
    problems = []
    for line, row in zip(claims.index, claims.to_dict("records"), strict=True):
        if row["kind"] == NOT_TESTABLE:
            continue
        sides = (
            "+".join(sorted(side.split("+"))) for side in re.split("([>@])", row["contrast_with"])
        )
        key = (
            *(row[c] for c in ("kind", "signature", "contrast", "direction")),
            *(";".join(sorted(set(split(row[c])))) for c in ("pairs", "genes", "source", "target")),
            *("+".join(side) for side in sides),
        )
        first = seen.setdefault(key, (row["claim_id"], line))
        if first[1] != line:
            problems.append(
                f"line {line}: '{row['claim_id']}' is the same test as '{first[0]}' (line "
                f"{first[1]})"
            )
    return problems


def _signature_problems(signatures: pd.DataFrame) -> list[str]:
    problems = date_problems(signatures, ("gene",))
    for name, rows in signatures.groupby("signature", sort=False):
        if len(rows) < MIN_GENES:
            problems.append(
                f"line {rows.index[0]}: signature '{name}' has {len(rows)} genes and needs at "
                f"least {MIN_GENES}"
            )
        label = rows["label"].iloc[0]
        problems += [
            f"line {line}: signature '{name}' is labelled '{other}' here and '{label}' before"
            for line, other in rows["label"].items()
            if other != label
        ]
    return problems


def _raised_problems(rows: pd.DataFrame, known: _Known, claims: list[str]) -> list[str]:
    """Check the genes raised in the simulation; their conditions are checked with the edges."""
    problems = unknown(rows, "claim_id", claims, "claims")
    problems += unknown(rows, "population", known.names, "populations")
    problems += states(rows, ["population"], known.states, "stand here")
    problems += date_problems(rows, ("genes",))
    for line, cell in rows["genes"].items():
        named = [item.removeprefix(SIGNATURE) for item in split(cell) if item.startswith(SIGNATURE)]
        problems += [
            f"line {line}: {not_in('genes: signature', item, known.signatures, 'signatures')}"
            for item in named
            if item not in known.signatures
        ]
    return problems
