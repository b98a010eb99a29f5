"""Are this resource and these settings ones that can be scored with?"""

from collections.abc import Sequence
from numbers import Integral, Real

import numpy as np
import pandas as pd

from osteotalk.interactions.pairs.resource import measured, require_measured

_LISTED = 5  # examples in a message


class ScoringError(ValueError):
    """The input cannot be scored; the message says what was found and what to do."""


def check_pairs(resource: pd.DataFrame, genes: pd.Index, raw: pd.Index | None = None) -> None:
    """Check that a resource has the columns ligand and receptor, and pairs that are measured.

    Parameters
    ----------
    resource
        The pairs.
    genes, raw
        Names of the genes of X and, if there is one, of `adata.raw`.

    Raises
    ------
    ScoringError
        If not; the message says which organism or naming the genes look like. Also if names are
        missing, or a complex has a subunit twice.
    """
    missing = [side for side in ("ligand", "receptor") if side not in resource]
    if missing:
        msg = (
            f"the resource has no column {' and no column '.join(missing)}; it has: "
            f"{', '.join(map(str, resource)) or 'none'}"
        )
        raise ScoringError(msg)
    sides = [only_column(resource, side, "the resource") for side in ("ligand", "receptor")]
    names = pd.concat(sides, ignore_index=True)
    is_name = np.array([isinstance(name, str) and name != "" for name in names], dtype=bool)
    problems = []
    if not is_name.all():
        rows = sorted({int(row) % len(resource) for row in np.flatnonzero(~is_name)})
        problems.append(
            f"the resource has no name of a ligand or receptor in {some(len(rows), 'row')} "
            f"(counted from 0): {listed(list(map(str, rows)))}. Fill or remove them"
        )
    repeated = sorted({name for name in names[is_name] if _repeats(name.split("_"))})
    if repeated:
        problems.append(
            f"{some(len(repeated), 'complex name')} of the resource with a subunit more than once"
            f": {listed(repeated)}. Write each subunit once"
        )
    if problems:
        raise ScoringError("\n".join(problems))
    try:
        require_measured(resource, genes)
    except ValueError as error:
        there = 0 if raw is None else len(measured(resource, raw))
        advice = f". adata.raw has the genes of {some(there, 'pair')}: adata = adata.raw.to_adata()"
        raise ScoringError(str(error) + (advice if there else "")) from None


def check_settings(*, expr_prop: float, alpha: float, seed: int, **positive: int) -> None:
    """Check the numbers; all problems at once.

    Parameters
    ----------
    expr_prop, alpha, seed
        See `osteotalk.interactions.score`.
    **positive
        Whole numbers of 1 or more, by name.

    Raises
    ------
    ScoringError
        If one is out of bounds.
    """
    problems = [
        f"{name} is {value!r}; it must be a number above 0 and at most 1"
        for name, value in (("expr_prop", expr_prop), ("alpha", alpha))
        if not _is_number(value, Real) or not 0 < value <= 1
    ]
    problems += [
        f"{name} is {value!r}; it must be a whole number of {least} or more"
        for name, value, least in (*((*item, 1) for item in positive.items()), ("seed", seed, 0))
        if not _is_number(value, Integral) or value < least
    ]
    if problems:
        raise ScoringError("\n".join(problems))


def _repeats(parts: Sequence[str]) -> bool:
    return len(set(parts)) < len(parts)


def _is_number(value: object, kind: type) -> bool:
    """Whether it is a number of this kind; True and False are none."""
    return isinstance(value, kind) and not isinstance(value, bool)


def some(n: int, what: str) -> str:
    """Give a number of things: 1 label, 2 labels."""
    return f"{n:,} {what}" if n == 1 else f"{n:,} {what}s"


def listed(names: Sequence[str] | pd.Index) -> str:
    """Name the first few, in quotes."""
    shown = ", ".join(repr(str(name)) for name in names[:_LISTED])
    return shown + (", ..." if len(names) > _LISTED else "")


def only_column(frame: pd.DataFrame, name: str, what: str) -> pd.Series:
    """Give the column of this name.

    Raises
    ------
    ScoringError
        If there is more than one.
    """
    n = int((frame.columns == name).sum())
    if n > 1:
        msg = f"{what} has {n} columns '{name}'. Remove or rename all but one of them"
        raise ScoringError(msg)
    column: pd.Series = frame[name]
    return column


def check_choices(**choices: tuple[str, Sequence[str]]) -> None:
    """Check settings that are one of several words; all problems at once.

    Raises
    ------
    ScoringError
        Naming each setting, what was given and what is known.
    """
    problems = [
        f"{name} is '{given}'; it must be one of {', '.join(known)}"
        for name, (given, known) in choices.items()
        if given not in known
    ]
    if problems:
        raise ScoringError("\n".join(problems))
