"""Labels, colours and order of populations, the same in every figure and table."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from osteotalk.report.text import words

UNASSIGNED = "unassigned"
_HEX = re.compile(r"^#[0-9A-Fa-f]{6}$")
_GREY = "#B8BCC2"
_SPARE = ("#7A5195", "#EF5675", "#2F7F86", "#A05D00", "#4E6B2F", "#6C6F7F")


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


def vocabulary(populations: pd.DataFrame) -> Vocabulary:
    """Read the vocabulary off ``populations.tsv`` (population, label, colour)."""
    names = [str(name) for name in populations["population"]]
    labels = dict(zip(names, map(words, populations["label"]), strict=True))
    colours = dict(zip(names, map(words, populations["colour"]), strict=True))
    return Vocabulary(labels=labels, colours=colours)
