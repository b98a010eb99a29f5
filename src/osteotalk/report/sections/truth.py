"""Truth check of a simulated cohort: what was planted, and what the analysis made of it."""

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from osteotalk.interactions.support import wilson_interval
from osteotalk.report.inputs import Cohort
from osteotalk.report.model import Column, Section, Table
from osteotalk.report.words.claims import NOT_TESTABLE
from osteotalk.report.words.text import VERDICTS, count, number, setting, significant, words

Truth = Mapping[str, object]
# Keys of the comparison of claims, and the headings of the table.
_SIDES: Mapping[str, str] = {
    "planted": "Claims that hold",
    "planted_partly": "In some conditions",
    "unplanted": "Claims that do not",
}


def section(cohort: Cohort) -> Section | None:
    """The section of a cohort's page; None where the cells are real."""
    truth, dataset = cohort.results.truth, cohort.dataset
    if truth is None or not cohort.simulated:
        return None
    tables = []
    verdicts = _verdict_frame(truth)
    if verdicts is not None:
        tables.append(
            Table(
                "truth-verdicts",
                verdicts,
                "Claims by the verdict they got (rows) and what was planted (columns). A claim "
                "holds if what it says is raised (both sides of an edge, its genes or programme, "
                "its share of cells), by planting or because the genes are markers; one that "
                "compares conditions, if that is so on the one side only. Claims that hold should "
                "be supported, for those that hold in some conditions only 'partly' is right as "
                "well; verdicts of 'supported' in the last column are false alarms.",
                (
                    Column("verdict", "Verdict", "verdict"),
                    *[Column(name, label, "integer") for name, label in _SIDES.items()],
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
    sides = {name: setting(truth, f"claims.{name}.verdicts") for name in _SIDES}
    found = {name: side for name, side in sides.items() if isinstance(side, Mapping)}
    if len(found) != len(sides):
        return None
    known = [look.name for look in VERDICTS]
    extra = sorted({str(key) for side in found.values() for key in side} - set(known))
    rows = [*known, *extra]
    return pd.DataFrame(
        {"verdict": rows}
        | {side: [int(number(n.get(row, 0))) for row in rows] for side, n in found.items()}
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
    yield from _claim_sentences(truth)


def _claim_sentences(truth: Truth) -> Iterator[str]:
    """Of the claims that hold, and of those that do not, how many are supported."""
    for name, told in (
        ("planted", "Claims that hold in the simulated cohort"),
        ("planted_partly", "Claims that hold in some of its conditions only"),
        ("unplanted", "Claims that do not hold in it"),
    ):
        verdicts = setting(truth, f"claims.{name}.verdicts")
        if not isinstance(verdicts, Mapping):
            continue
        sizes = {str(key): int(number(value)) for key, value in verdicts.items()}
        untested = sizes.pop(NOT_TESTABLE, 0) + sizes.pop("no row", 0)
        n, k = sum(sizes.values()), sizes.get("supported", 0)
        if not n + untested:
            continue
        low, high = (float(bound[0]) for bound in wilson_interval(np.array([k]), np.array([n])))
        rate = f" ({k / n:.0%}; 95 % interval {low:.0%} to {high:.0%})" if n else ""
        out = f"; {count(untested)} more could not be tested" if untested else ""
        yield f"{told}: {count(k)} of {count(n)} tested are supported{rate}{out}."
