"""Which patients a contrast between conditions compares, and how: as pairs, as groups, or both."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from osteotalk.claims.measures.contrasts import Split, attainable, share_of_pairs

Mean = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Design:
    """Patients of a contrast between conditions.

    Attributes
    ----------
    pairs
        Patients with samples on both sides; each is compared with itself.
    first, second
        Patients with samples on one side only; they are compared as groups.
    least
        Fewest pairs, and fewest patients of either group; what is too few is left out.
    most_p
        Largest p-value that shows a direction.
    """

    pairs: tuple[str, ...]
    first: tuple[str, ...]
    second: tuple[str, ...]
    least: int
    most_p: float

    @property
    def use_pairs(self) -> bool:
        """Whether there are enough pairs."""
        return len(self.pairs) >= self.least

    @property
    def use_groups(self) -> bool:
        """Whether there are enough patients in both groups."""
        return min(len(self.first), len(self.second)) >= self.least

    @property
    def counts(self) -> tuple[int, int, int]:
        """Pairs, and patients of the first and of the second group, that are compared."""
        groups = (len(self.first), len(self.second)) if self.use_groups else (0, 0)
        return (len(self.pairs) if self.use_pairs else 0, *groups)

    @property
    def testable(self) -> bool:
        """Whether some patients are compared, and even a perfect order could not be chance."""
        pairs, *groups = self.counts
        possible = attainable(*groups, pairs=pairs) <= self.most_p
        return (self.use_pairs or self.use_groups) and possible

    @property
    def patients(self) -> set[str]:
        """Patients that are compared; all of either side where none can be."""
        compared = {*(self.pairs if self.use_pairs or not self.testable else ())}
        if self.use_groups or not self.testable:
            compared |= {*self.first, *self.second}
        return compared

    def split(
        self, first: np.ndarray, second: np.ndarray, patients: Sequence[Sequence[str]]
    ) -> Split:
        """Values of the groups, and differences of the pairs.

        Parameters
        ----------
        first, second
            Patients x anything, on the two sides.
        patients
            Those of either side, in the order of the rows.
        """
        rows = [{name: row for row, name in enumerate(names)} for names in patients]

        def of(values: np.ndarray, side: int, names: Sequence[str], *, used: bool) -> np.ndarray:
            return values[[rows[side][name] for name in (names if used else ())]]

        pairs = [
            of(side, i, self.pairs, used=self.use_pairs) for i, side in enumerate((first, second))
        ]
        return Split(
            of(first, 0, self.first, used=self.use_groups),
            of(second, 1, self.second, used=self.use_groups),
            pairs[0] - pairs[1],
        )

    def told(self, first: str, second: str) -> str:
        """Name the patients that are compared, and count those that are left out."""
        n, a, b = len(self.pairs), len(self.first), len(self.second)
        only = " only" if self.use_pairs else ""
        parts, left = [], {}
        if self.use_pairs:
            parts.append(f"{n} patients with both {first} and {second}, each against itself")
        else:
            left["both"] = n
        if self.use_groups:
            parts.append(f"{a} patients with {first}{only}, {b} with {second}{only}")
        else:
            left |= {f"{first}{only}": a, f"{second}{only}": b}
        out = " and ".join(f"{k} with {side}" for side, k in left.items() if k)
        verb = "is" if sum(left.values()) == 1 else "are"
        return ", and ".join(parts) + (f"; {out} {verb} left out" if out else "")

    def too_few(self, first: str, second: str) -> str:
        """Say why the patients are too few: there are that many, and so many are needed."""
        n, a, b = len(self.pairs), len(self.first), len(self.second)
        both, alone = f", {n} with both" if n else "", ""
        if n:
            enough = max(math.ceil(-math.log2(self.most_p) - 1e-9), self.least)
            alone = f" ({enough} with both are enough by themselves)"
        return (
            f"too few patients: {a} with {first}{' only' if n else ''} against {b} with "
            f"{second}{' only' if n else ''}{both}; {self.least} of each are needed, and enough "
            f"that chance alone would order them so in at most {self.most_p:g} of all cases{alone}"
        )


def read_design(
    own: np.ndarray, sides: Sequence[np.ndarray], *, least: int, most_p: float
) -> Design:
    """Find who has samples on both sides, and who on one.

    Parameters
    ----------
    own
        Patient of each sample.
    sides
        Whether a sample is of the first, and of the second side.
    least, most_p
        See `Design`.
    """
    first, second = (set(own[side]) for side in sides)
    both = first & second
    pairs, *groups = (tuple(sorted(group)) for group in (both, first - both, second - both))
    return Design(pairs, groups[0], groups[1], least, most_p)


def difference(split: Split, mean: Mean) -> np.ndarray:
    """First less second: the mean over pairs and the difference of the groups, by their share."""
    share = share_of_pairs(split)
    total: np.ndarray = np.zeros(split.pairs.shape[1:])
    if share > 0:
        total = total + share * mean(split.pairs)
    if share < 1:
        total = total + (1 - share) * (mean(split.first) - mean(split.second))
    return total
