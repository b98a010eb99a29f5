"""Labels, colours and order of populations, the same in every figure and table."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from osteotalk.report.words.colours import APART, apart
from osteotalk.report.words.text import words

UNASSIGNED = "unassigned"
_HEX = re.compile(r"^#[0-9A-Fa-f]{6}$")
_GREY = "#B8BCC2"
_SPARE = ("#7A5195", "#EF5675", "#2F7F86", "#A05D00", "#4E6B2F", "#6C6F7F")
_STROKES = ("//", "\\\\", "..", "--", "||", "oo", "**", "OO")
_PATTERNS = [p for n in range(1, len(_STROKES) + 1) for p in combinations(_STROKES, n)]


@dataclass(frozen=True)
class Vocabulary:
    """Populations in display order with label and colour.

    A population that the table lacks still gets a label (its id) and a colour, after the known
    ones; ``unassigned`` is grey and last.
    """

    labels: Mapping[str, str]
    colours: Mapping[str, str]

    def label(self, population: str) -> str:
        """Label to print; the id itself where the table has none."""
        if population == UNASSIGNED:
            return self.labels.get(population, "Unassigned")
        return self.labels.get(population) or population

    def colour(self, population: str) -> str:
        """Colour as ``#RRGGBB``."""
        if population == UNASSIGNED:
            return _GREY
        known = self.colours.get(population, "")
        return known if _HEX.match(known) else _SPARE[sum(map(ord, population)) % len(_SPARE)]

    def hatches(self, populations: Iterable[str]) -> dict[str, str]:
        """Give a pattern to each population whose colour is too near to that of one before it.

        Two populations differ in colour, by `colours.APART` in each kind of vision, or in pattern.

        Returns
        -------
        Matplotlib's hatch of each distinct population, in display order; mostly "".
        """
        names = self.order(populations)
        colours = [self.colour(name) for name in names]
        near = apart(colours, colours) < APART
        chosen: list[int] = []
        for place in range(len(names)):
            taken = {chosen[other] for other in np.flatnonzero(near[place, :place])}
            chosen.append(next(k for k in range(len(names)) if k not in taken))
        return {name: _hatch(k) for name, k in zip(names, chosen, strict=True)}

    def order(self, populations: Iterable[str]) -> list[str]:
        """Distinct populations: known ones as in the table, then unknown by name."""
        rank = {name: position for position, name in enumerate(self.labels)}
        distinct = {str(name) for name in populations}
        return sorted(
            distinct, key=lambda name: (name == UNASSIGNED, rank.get(name, len(rank)), name)
        )

    def unknown(self, populations: Iterable[str]) -> list[str]:
        """Give populations that the table lacks, by name, without ``unassigned``."""
        return [
            name
            for name in self.order(populations)
            if name not in self.labels and name != UNASSIGNED
        ]


def _hatch(number: int) -> str:
    """Pattern of a number: none, one of the strokes, two of them; then all again, denser."""
    denser, place = divmod(number - 1, len(_PATTERNS))
    return "".join(_PATTERNS[place]) * (denser + 1) if number else ""


def vocabulary(populations: pd.DataFrame) -> Vocabulary:
    """Read the vocabulary off ``populations.tsv`` (population, label, colour)."""
    names = [str(name) for name in populations["population"]]
    labels = dict(zip(names, map(words, populations["label"]), strict=True))
    colours = dict(zip(names, map(words, populations["colour"]), strict=True))
    return Vocabulary(labels=labels, colours=colours)
