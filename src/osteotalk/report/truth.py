"""Truth check of a simulated cohort: what was planted, and what the analysis made of it."""

import math
from collections.abc import Iterator, Mapping, Sequence

import pandas as pd

from osteotalk.report.model import Column, Section, Table
from osteotalk.report.text import VERDICTS, number, plural, setting, significant, words

Truth = Mapping[str, object]


def truth_section(truth: Truth, *, dataset: str) -> Section:
    """Section of the truth check.

    Parameters
    ----------
    truth
        Content of ``truth.json``: nested mappings, lists and numbers, all of which are printed.
    dataset
        Id of the cohort, for the download.
    """
    tables = []
    verdicts = _verdict_frame(truth)
    if verdicts is not None:
        tables.append(
            Table(
                "truth-verdicts",
                verdicts,
                "Interaction claims by what was planted and the verdict they got. A claim counts "
                "as planted if both sides of one of its edges were raised, by planting or "
                "because the genes are markers. Planted claims should be supported; verdicts of "
                "'supported' in the second column are false alarms.",
                (
                    Column("verdict", "Verdict", "verdict"),
                    Column("planted", "Claims that hold", "integer"),
                    Column("unplanted", "Claims that do not", "integer"),
                ),
                download=f"assets/{dataset}_truth_verdicts.tsv",
            )
        )
    frame = pd.DataFrame(list(flatten(truth)), columns=["group", "quantity", "value"])
    tables.append(
        Table(
            "truth-all",
            frame,
            "Everything that was compared, as in truth.json. Rates are from 0 to 1; an absent "
            "value means that there was nothing to divide by.",
            (
                Column("group", "Compared"),
                Column("quantity", "Quantity"),
                Column("value", "Value", wide=True, missing="nothing to count"),
            ),
            download=f"assets/{dataset}_truth.tsv",
            collapsed=True,
        )
    )
    return Section(
        anchor="truth",
        title="Truth check",
        question="Does the analysis find what was planted, and nothing else?",
        body=tuple(_sentences(truth)),
        tables=tuple(tables),
        caveats=(
            "Recovering what osteotalk itself planted shows that the pipeline works as built. "
            "It does not show that it is right on tumours, whose counts are less tidy.",
        ),
    )


def flatten(value: object, path: tuple[str, ...] = ()) -> Iterator[tuple[str, str, str]]:
    """Rows (group, quantity, value) of a nested mapping; lists of plain values are joined."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from flatten(inner, (*path, str(key)))
    elif isinstance(value, Sequence) and not isinstance(value, str):
        if any(isinstance(item, Mapping) for item in value):
            for position, item in enumerate(value, start=1):
                text = (
                    "; ".join(f"{key} {_plain(inner)}" for key, inner in item.items())
                    if isinstance(item, Mapping)
                    else _plain(item)
                )
                yield " / ".join(path), str(position), text
        else:
            yield _row(path, "; ".join(_plain(item) for item in value) or "none")
    else:
        yield _row(path, _plain(value))


def _row(path: tuple[str, ...], text: str) -> tuple[str, str, str]:
    return " / ".join(path[:-1]), path[-1] if path else "", text


def _plain(value: object) -> str:
    if isinstance(value, float):
        return significant(value)
    return words(value)


def _verdict_frame(truth: Truth) -> pd.DataFrame | None:
    sides = {name: setting(truth, f"claims.{name}.verdicts") for name in ("planted", "unplanted")}
    found = {name: side for name, side in sides.items() if isinstance(side, Mapping)}
    if len(found) != len(sides):
        return None
    known = [look.name for look in VERDICTS]
    extra = sorted({str(key) for side in found.values() for key in side} - set(known))
    names = [*known, *extra]
    return pd.DataFrame(
        {"verdict": names}
        | {side: [int(number(row.get(name, 0))) for name in names] for side, row in found.items()}
    )


def _sentences(truth: Truth) -> Iterator[str]:
    edges = (
        ("edges.planted", "planted edges", "were found with the support that is asked for"),
        ("edges.controls", "matched controls that were not planted", "were found as well"),
        ("edges.half_planted", "edges with only one side raised", "were found as well"),
    )
    for path, noun, outcome in edges:
        seen = number(setting(truth, f"{path}.recovered"))
        base = number(setting(truth, f"{path}.informative"))
        if math.isfinite(base) and math.isfinite(seen):
            yield f"{int(seen):,} of {int(base):,} {noun} that could be tested {outcome}."
    fine = number(setting(truth, "cells.right_population"))
    if math.isfinite(fine):
        yield f"{fine:.1%} of the true single cells that were kept got the right population."
    planted = number(setting(truth, "claims.planted.claims"))
    if math.isfinite(planted):
        yield f"{plural(planted, 'interaction claim')} hold in the simulated cohort."
