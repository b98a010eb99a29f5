"""Cells that a claim lacks because their population was not sure enough to be named."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from osteotalk.claims.claim import COMPOSITION, CORRELATION, UNTESTABLE, Claim
from osteotalk.claims.measures.cohort import Cohort
from osteotalk.claims.measures.contrasts import MIN_CORRELATED
from osteotalk.claims.verdicts import NOT_TESTABLE
from osteotalk.contract import UNASSIGNED


@dataclass(frozen=True)
class _Side:
    """Populations named by a claim, all that it counts among them, and cells by sample."""

    named: tuple[str, ...]
    counted: tuple[str, ...]
    cells: np.ndarray


def tell_unnamed(claim: Claim, cohort: Cohort, *, verdict: str, min_patients: int) -> str:
    """Say of a claim that is not testable which of its populations lacks cells, and why.

    Parameters
    ----------
    claim, cohort
        The claim and where it was tested.
    verdict
        Its verdict.
    min_patients
        Patients that are needed, of each condition where conditions are compared.

    Returns
    -------
    For each population that too few patients have: in how many it has enough cells, how many more
    are needed, and how many cells it would have had if their group had been surer. '' where all
    have enough, or the verdict is another.
    """
    if verdict != NOT_TESTABLE or claim.kind == UNTESTABLE:
        return ""
    least = max(min_patients, MIN_CORRELATED) if claim.contrast == CORRELATION else min_patients
    sides = _sides(claim, cohort)
    notes = []
    for arm in [side for side in (claim.first, claim.second) if side] or [()]:
        rows = np.array([not arm or name in arm for name in cohort.conditions])
        patients = np.array(cohort.patients, dtype=object)[rows]
        most = [pd.Series(side.cells[rows]).groupby(patients).max() for side in sides]
        together = sum(pd.concat(most, axis=1).min(axis=1) >= cohort.min_cells) if most else least
        if together < least:
            where = f" with {'+'.join(arm)}" if arm else ""
            notes += [
                _short(side, cells, cohort, least=least, where=where)
                for side, cells in zip(sides, most, strict=True)
                if (cells < cohort.min_cells).any()
            ]
    return "".join(f"; {note}" for note in notes)


def _sides(claim: Claim, cohort: Cohort) -> list[_Side]:
    """Populations that a patient must have enough cells of."""
    quantity = claim.quantity
    along = quantity.populations if quantity and quantity.form != "share" else ()
    top = tuple(name for name in along if cohort.state_parents.get(name, "") not in along)
    source, target = (claim.named_source, claim.source), (claim.named_target, claim.target)
    shares = claim.kind == COMPOSITION  # of them only the whole must be large enough
    sides = []
    for named, counted in [target, (top, along)] if shares else [source, target, (top, along)]:
        cells = cohort.sizes[:, cohort.columns(counted)]
        total = (
            cells.sum(axis=1)
            if shares and named == claim.named_target
            else cells.max(axis=1, initial=0)
        )
        if named:
            sides.append(_Side(tuple(named), tuple(counted), total))
    return sides


def _short(side: _Side, cells: pd.Series, cohort: Cohort, *, least: int, where: str) -> str:
    """Say how many patients have a population, how many more are needed, and what stayed open."""
    enough = int((cells >= cohort.min_cells).sum())
    named = " or ".join(side.named)
    text = (
        f"{named} has {cohort.min_cells} cells in {enough} of {len(cells)} "
        f"{_many('patient', len(cells))}{where}"
    )
    if (more := least - enough) > 0:
        lacking = np.sort(cohort.min_cells - cells[cells < cohort.min_cells].to_numpy())
        text += f", {more} more {'is' if more == 1 else 'are'} needed"
        if more <= len(lacking):
            text += f" (at the least {int(lacking[:more].sum())} more cells in all)"
    lacks = set(cells.index[cells < cohort.min_cells])
    return "; ".join([text, *_open(side, cohort, sorted(lacks))])


def _open(side: _Side, cohort: Cohort, patients: Sequence[str]) -> list[str]:
    """Cells of these patients that might have been of the population, by the name they have."""
    parents = cohort.state_parents

    def line(name: str) -> list[str]:
        return [name, *line(parents[name])] if name in parents and name else []

    near = set(side.counted) | {above for name in side.named for above in line(name)}
    table = cohort.unnamed
    table = table[table["best_match"].isin(near) & table["patient"].isin(patients)]
    told = []
    for name in sorted(set(table["population"]), key=lambda name: (name != UNASSIGNED, name)):
        own = table[table["population"] == name]
        if name != UNASSIGNED and (name in side.counted or name not in near):
            continue  # they take part with this name, or copy number gave it
        total = int(own["n_cells"].sum())
        groups, best, had_by = (
            sorted(set(own[c])) for c in ("subcluster", "best_match", "patient")
        )
        stayed = "stayed unassigned" if name == UNASSIGNED else f"kept the name {name}"
        told.append(
            f"{total} {_many('cell', total)} of {_many('group', len(groups))} "
            f"{_listed(sorted(groups, key=_natural))} {stayed} with {_listed(best)} as the best "
            f"match ({_many('patient', len(had_by))} {', '.join(had_by)})"
        )
    return told


def _many(noun: str, n: int) -> str:
    return noun if n == 1 else f"{noun}s"


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _natural(name: str) -> list[tuple[int, str]]:
    """Order of names with their numbers as numbers."""
    return [
        (int(part or 0), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)
    ]
