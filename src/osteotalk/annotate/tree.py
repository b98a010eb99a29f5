"""The vocabulary as a tree, and the marker lists that the data can tell."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from osteotalk.contract import UNASSIGNED

log = logging.getLogger(__name__)

STATE = "state"
# The state that a cell of any population may be in.
CYCLING = "cycling"
# A list with fewer measured markers speaks for nothing, not even for the population above: one gene
# is no evidence (XBP1 in breast epithelium and plasma cells).
LEAST_MEASURED = 2


@dataclass(frozen=True)
class Markers:
    """Measured markers of one population or state, in table order."""

    positive: tuple[str, ...]
    negative: tuple[str, ...]
    listed: int  # positive markers in the table, measured or not
    kind: bool = False  # of a state: it shares a marker of the table with its population


@dataclass(frozen=True)
class Tree:
    """Parents of populations and states, and their marker lists.

    `markers` holds every population and state with at least one measured positive marker; `short`
    are the populations and states that too few of these were measured for.
    """

    parent: Mapping[str, str]
    states: tuple[str, ...]
    markers: Mapping[str, Markers]
    short: frozenset[str]

    @property
    def populations(self) -> list[str]:
        """Populations without the states, in table order."""
        return [name for name in self.parent if name not in self.states]

    def children(self, name: str) -> list[str]:
        """Populations right below `name`; those at the top for ''."""
        return [child for child in self.populations if self.parent[child] == name]

    def line(self, name: str) -> list[str]:
        """Give `name` and its ancestors, from the bottom up; nothing for unassigned."""
        found: list[str] = []
        while name and name != UNASSIGNED:
            found.append(name)
            name = self.parent[name]
        return found

    def major(self, name: str) -> str:
        """Topmost ancestor; unassigned stays."""
        return self.line(name)[-1] if name != UNASSIGNED else UNASSIGNED

    def kinds(self, name: str) -> list[str]:
        """States that are kinds of a population: they share a marker with it (cDC1 with DC).

        Their lists speak for the population too. States that share none are programmes that other
        populations run as well, and do not.
        """
        return [
            state
            for state in self.states
            if self.parent[state] == name
            and state in self.markers
            and state not in self.short
            and self.markers[state].kind
        ]

    def below(self, name: str) -> list[str]:
        """Marker lists that speak for `name`: those of `within` with two or more measured markers.

        The own list of a population at the top that has populations below needs enough of them.
        Below the top a population without such a list still competes with its siblings.
        """
        found = self.within(name)
        if not self.parent[name] and self.children(name):
            found = [lower for lower in found if lower != name or name not in self.short]
        enough = [n for n in found if len(self.markers[n].positive) >= LEAST_MEASURED]
        return enough if enough or not self.parent[name] else found

    def within(self, name: str) -> list[str]:
        """Marker lists of `name`, its kinds, and the populations below it."""
        own = [name] if name in self.markers else []
        own += self.kinds(name)
        return own + [lower for child in self.children(name) for lower in self.within(child)]

    def lists(self) -> dict[str, Markers]:
        """Give the marker lists of all populations and their kinds."""
        return {name: self.markers[name] for top in self.children("") for name in self.within(top)}

    def states_of(self, name: str) -> list[str]:
        """States with enough markers that cells of population `name` may be in."""
        line = self.line(name)
        return [
            state
            for state in self.states
            if self.parent[state] in line and state in self.markers and state not in self.short
        ]

    @property
    def cycle_genes(self) -> tuple[str, ...]:
        """Measured genes of the cell cycle: they tell a state, never a population."""
        return self.markers[CYCLING].positive if CYCLING in self.markers else ()

    def genes(self) -> list[str]:
        """All measured markers, each once, sorted."""
        lists = self.markers.values()
        return sorted({gene for m in lists for gene in (*m.positive, *m.negative)})


def build_tree(
    populations: pd.DataFrame, *, markers: pd.DataFrame, measured: pd.Index, min_measured: int
) -> Tree:
    """Join the vocabulary and the markers with the genes of the data.

    Parameters
    ----------
    populations
        Columns population, parent, level (`state` or '').
    markers
        Columns population, gene, sign (`-` is negative; the column may be missing).
    measured
        Genes of the data.
    min_measured
        Positive markers that must be measured for a population to be named; one fewer is enough
        for a population below another, where the question is only which of a few. One with fewer
        is `short`: its cells are named as its parent.

    Raises
    ------
    ValueError
        If fewer than two populations have enough measured markers.
    """
    sign = markers["sign"] if "sign" in markers else pd.Series("", index=markers.index)
    above = dict(zip(populations["population"], populations["parent"], strict=True))
    listed = {
        str(name): set(rows["gene"])
        for name, rows in markers[sign != "-"].groupby("population", sort=False)
    }
    lists: dict[str, Markers] = {}
    states = tuple(populations.loc[populations["level"] == STATE, "population"])
    short, known = set(), set(measured)
    for name in populations["population"]:
        rows = markers["population"] == name
        positive = list(markers.loc[rows & (sign != "-"), "gene"])
        negative = list(markers.loc[rows & (sign == "-"), "gene"])
        found = tuple(gene for gene in positive if gene in known)
        missing = [gene for gene in positive if gene not in known]
        if missing:
            log.info("markers of %s that were not measured: %s", name, ", ".join(missing))
        least = min_measured
        if above[name] and name not in states:
            least = max(min_measured - 1, 1)
        if positive and len(found) < least:
            short.add(name)
            log.warning(
                "only %d of %d markers of %s are measured (at least %d are needed)",
                len(found),
                len(positive),
                name,
                least,
            )
        if found:
            lists[name] = Markers(
                found,
                tuple(gene for gene in negative if gene in known),
                len(positive),
                kind=not listed[name].isdisjoint(listed.get(above[name], set())),
            )
    usable = [name for name in lists if name not in short and name not in states]
    if len(usable) < 2:
        msg = (
            f"markers of only {len(usable)} populations are among the {len(measured)} genes of "
            f"the data ({min_measured} of each are needed); are the gene names human symbols?"
        )
        raise ValueError(msg)
    return Tree(
        parent=above,
        states=states,
        markers=lists,
        short=frozenset(short),
    )
