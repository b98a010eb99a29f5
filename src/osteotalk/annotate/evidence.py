"""What the markers say of groups of cells, as probabilities of populations.

Each list of markers is one piece of evidence: the share of it that is on. Among lists of the right
population this share is mostly high, among lists of others mostly low, and both vary from list to
list (a marker is off in a species, in a state, or in shallow data). So the share is compared under
two beta-binomial distributions, which keep twenty genes of one programme from counting as twenty
independent witnesses.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.special import betaln

from osteotalk.annotate.levels import On
from osteotalk.annotate.tree import Markers, Tree

# Beta distributions of the share of a list that is on, in cells of its population and in others.
RIGHT, WRONG = (2.0, 1.0), (3.0, 20.0)
# A list counts as no more markers than this.
MOST_MARKERS = 10.0
# Share of the groups of other populations in which a marker is on, before any is counted; it
# weighs as much as so many groups. A marker that others often show counts less.
USUAL, USUAL_GROUPS = 0.12, 4.0
USUAL_RANGE = (0.03, 0.5)
RARELY, LEAST_WEIGHT = 0.8, 0.15
# How far the markers of a list go together, as a correlation over the groups: between these values
# what the list says begins to count and counts in full. Where it cannot be seen (variance of about
# FAINT or less) it is TOGETHER.
TRUSTED, TOGETHER, FAINT = (0.2, 0.45), 0.6, 0.02
# How often a marker against a population is on in it; all of them together speak by no more than
# MOST_AGAINST (natural logarithm).
EXCEPTION, MOST_AGAINST = 0.01, 6.0
# The list of a parent adds to that of a population below it at most as much as that says itself,
# and takes away at most this share of it.
PARENT_AGAINST = 0.1
# What is said for a list counts so many times. Chosen, as NONE_PRIOR and TRUSTED were, by how often
# names of the canine, lung and ovarian cells of benchmarks/annotation.py are right.
SHARPNESS = 2.0
# Odds (natural logarithm) of being none of the populations against being a certain one.
NONE_PRIOR = 2.0
# Odds (natural logarithm) of cells of one population against those of two that were not parted.
MIXED = 12.0
ROUNDS = 4


@dataclass(frozen=True)
class Speaker:
    """A list of markers that names a population, with those of the populations above it.

    Numbers are columns of the matrix of genes.
    """

    name: str
    own: np.ndarray
    above: tuple[np.ndarray, ...]
    against: np.ndarray


@dataclass(frozen=True)
class Evidence:
    """What the markers say of each group.

    `ratio` is the logarithm of how much likelier the group is with a list than with none (groups x
    lists); `probability` has one more column, that of none of them.
    """

    names: tuple[str, ...]
    ratio: np.ndarray
    probability: np.ndarray

    def of(self, names: Sequence[str]) -> np.ndarray:
        """Probability that one of these lists is right, per group."""
        columns = [i for i, name in enumerate(self.names) if name in set(names)]
        return np.asarray(self.probability[:, columns].sum(axis=1))


def speakers(tree: Tree, names: Sequence[str], genes: pd.Index, *, top: str = "") -> list[Speaker]:
    """Lists of markers as columns of a matrix.

    Parameters
    ----------
    tree
        Vocabulary and markers.
    names
        Lists to use.
    genes
        Columns of the matrix.
    top
        Lists of this population and of those above it are not added to the ones below.
    """

    def columns(found: Sequence[str]) -> np.ndarray:
        return np.sort(genes.get_indexer(pd.Index(list(found), dtype=object)))

    result = []
    for name in names:
        lists: list[Markers] = [tree.markers[name]]
        ends = {*tree.line(top)} if top else set()
        line = [n for n in tree.line(name)[1:] if n not in ends]
        if name in tree.states:
            line = line[1:]  # its parent's list is a rival of its own, not above it
        lists += [tree.markers[n] for n in line if n in tree.markers]
        for_it, against = set(lists[0].positive), set(lists[0].negative)
        above = []
        for more in lists[1:]:
            above.append(set(more.positive) - for_it - against)
            against |= set(more.negative) - for_it
        result.append(
            Speaker(
                name=name,
                own=columns(sorted(for_it)),
                above=tuple(columns(sorted(part)) for part in above if part),
                against=columns(sorted(against)),
            )
        )
    return result


def set_apart(state: On, tree: Tree, names: Sequence[str], genes: pd.Index, *, top: str) -> On:
    """Let a marker of several of the populations compared count once among them.

    Parameters
    ----------
    state
        Groups x genes.
    tree
        Vocabulary and markers.
    names
        The lists that are compared.
    genes
        Columns of the matrix.
    top
        The populations compared are those right below this one.
    """
    sharing: dict[str, set[str]] = {}
    for name in names:
        line = tree.line(name)
        branch = line[line.index(top) - 1] if top in line else line[-1]
        for gene in tree.markers[name].positive:
            sharing.setdefault(gene, set()).add(branch)
    part = np.array([1 / len(sharing[gene]) if gene in sharing else 1.0 for gene in genes])
    return On(state.on, state.tells * part)


@dataclass(frozen=True)
class Standards:
    """What the groups of a cohort tell of the markers themselves.

    `usual` is how often each gene is on in groups of populations that it is no marker of.
    `together` is how far the markers of a list (its columns, as bytes) go together; `none` the odds
    of being none of the populations.
    """

    usual: np.ndarray
    together: Mapping[bytes, float]
    none: float


def weigh(
    state: On, lists: Sequence[Speaker], *, trust_all: bool = False, none: float = NONE_PRIOR
) -> tuple[Evidence, Standards]:
    """Compare lists of markers in groups of cells.

    How much a marker tells is seen in the groups themselves: one that groups of other populations
    often show tells less, and so does one that is not on where the rest of its list is.

    Parameters
    ----------
    state
        Groups x genes.
    lists
        From `speakers`.
    trust_all
        Whether lists whose markers do not go together count in full as well: among populations of
        one lineage the groups are few, and most of what varies is shared.
    none
        Odds (natural logarithm) of being none of the populations against being a certain one.

    Returns
    -------
    The evidence, and what it rests on, for other groups of the same cohort.
    """
    together = {}
    for speaker in lists:
        for part in (speaker.own, *speaker.above):
            together[part.tobytes()] = 1.0 if trust_all else _together(state, part)
    standards = Standards(np.full(state.on.shape[1], USUAL), together, none)
    found = weigh_again(state, lists, standards)
    for _ in range(ROUNDS - 1):
        standards = replace(standards, usual=_usual(state, lists, found))
        found = weigh_again(state, lists, standards)
    return found, standards


def _together(state: On, genes: np.ndarray) -> float:
    """How far the markers of a list go together over the groups, from 0 to 1.

    The mean over the markers of their correlation with the others of the list. Where little varies
    it says little, and the value is near TOGETHER.
    """
    tells = state.tells[:, genes].mean(axis=0)
    if (tells > 0).sum() < 2:
        return TOGETHER
    on = state.on[:, genes]
    total = (on * tells).sum(axis=1, keepdims=True)
    rest = (total - on * tells) / np.maximum(tells.sum() - tells, 1e-9)
    x, y = on - on.mean(axis=0), rest - rest.mean(axis=0)
    vary = np.sqrt((x**2).mean(axis=0) * (y**2).mean(axis=0))
    agree = ((x * y).mean(axis=0) + FAINT * TOGETHER) / (vary + FAINT)
    return float(np.clip(np.average(agree, weights=tells), 0, 1))


def _usual(state: On, lists: Sequence[Speaker], found: Evidence) -> np.ndarray:
    """How often each gene is on in groups of populations that it is no marker of."""
    marks = np.zeros((len(lists), state.on.shape[1]))
    for row, speaker in zip(marks, lists, strict=True):
        row[speaker.own] = 1
        for part in speaker.above:
            row[part] = 1
    others = 1 - np.clip(found.probability[:, :-1] @ marks, 0, 1)
    rate = (USUAL_GROUPS * USUAL + (others * state.on).sum(axis=0)) / (
        USUAL_GROUPS + others.sum(axis=0)
    )
    return np.asarray(np.clip(rate, *USUAL_RANGE))


def weigh_again(state: On, lists: Sequence[Speaker], standards: Standards) -> Evidence:
    """Compare lists in groups of cells, with what is known of the markers."""
    on, usual = state.on, standards.usual
    rarity = np.log(RARELY / usual) / np.log(RARELY / USUAL)
    weight = state.tells * np.clip(rarity, LEAST_WEIGHT, 1)
    exception = on * EXCEPTION + (1 - on) * (1 - EXCEPTION)
    against = np.minimum(np.log(exception / (on * usual + (1 - on) * (1 - usual))), 0)
    against = against * state.tells
    ratio = np.empty((len(on), len(lists)))
    for i, speaker in enumerate(lists):
        no = np.maximum(against[:, speaker.against].sum(axis=1), -MOST_AGAINST)
        own = _trusted(on, weight, speaker.own, standards) + no
        strength = np.maximum(own, 0)
        total = own
        for part in speaker.above:
            more = _trusted(on, weight, part, standards)
            total = total + np.clip(more, -PARENT_AGAINST * strength, strength)
        ratio[:, i] = SHARPNESS * total
    return Evidence(
        tuple(speaker.name for speaker in lists), ratio, probabilities(ratio, none=standards.none)
    )


def with_mixtures(
    found: Evidence, lists: Sequence[Speaker], state: On, *, standards: Standards, tree: Tree
) -> Evidence:
    """Let groups that show the lists of two populations be of both, which is none of them.

    Where cells of two populations could not be parted the group shows the markers of both, and the
    longer list would win. What is against a population says nothing of its cells in a mixture.

    Parameters
    ----------
    found
        From `weigh`.
    lists
        Those of the populations below one that is known.
    state
        Groups x genes.
    standards
        From `weigh`.
    tree
        Vocabulary and markers.
    """
    without = [replace(speaker, against=speaker.against[:0]) for speaker in lists]
    ratio = weigh_again(state, without, standards).ratio
    lines = [[n for n in tree.line(name) if n not in tree.states] for name in found.names]
    both = [
        ratio[:, a] + ratio[:, b]
        for a, b in combinations(range(len(lists)), 2)
        if lines[a][0] not in lines[b] and lines[b][0] not in lines[a]
    ]
    if not both:
        return found
    mixed = np.logaddexp(standards.none, np.max(both, axis=0) - MIXED)
    chance = probabilities(found.ratio, none=mixed)
    return Evidence(found.names, found.ratio, chance)


def probabilities(ratio: np.ndarray, *, none: float | np.ndarray) -> np.ndarray:
    """Probability of each list, and of none in the last column; rows add up to 1."""
    scaled = np.column_stack([ratio, np.broadcast_to(none, len(ratio))])
    scaled = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return np.asarray(scaled / scaled.sum(axis=1, keepdims=True))


def _trusted(
    on: np.ndarray, weight: np.ndarray, genes: np.ndarray, standards: Standards
) -> np.ndarray:
    """What a list says for its population counts as far as its markers go together."""
    ratio = _share_ratio(on, weight, genes)
    none, all_ = TRUSTED
    trust = np.clip((standards.together[genes.tobytes()] - none) / (all_ - none), 0, 1)
    return np.where(ratio > 0, ratio * trust, ratio)


def _share_ratio(on: np.ndarray, weight: np.ndarray, genes: np.ndarray) -> np.ndarray:
    """Logarithm of how much likelier the share of a list that is on is in its population."""
    part = weight[:, genes]
    listed = part.sum(axis=1)
    scale = np.minimum(1, MOST_MARKERS / np.maximum(listed, 1e-12))
    seen, all_ = (part * on[:, genes]).sum(axis=1) * scale, listed * scale
    return _beta_binomial(seen, all_, RIGHT) - _beta_binomial(seen, all_, WRONG)


def _beta_binomial(seen: np.ndarray, listed: np.ndarray, beta: tuple[float, float]) -> np.ndarray:
    """Logarithm of the probability of the share, but for the number of ways to draw it."""
    a, b = beta
    return np.asarray(betaln(seen + a, listed - seen + b) - betaln(a, b))


def population_probability(
    found: Evidence, *, tree: Tree, names: Sequence[str]
) -> dict[str, np.ndarray]:
    """Probability of each population: that of its own list and of all lists below it.

    Parameters
    ----------
    found
        From `weigh`.
    tree
        Vocabulary.
    names
        Populations, none of them below another.
    """
    return {name: found.of(tree.within(name)) for name in names}


def by_name(values: Mapping[str, np.ndarray], row: int) -> list[tuple[str, float]]:
    """Names with their values in one group, highest first; ties in table order."""
    pairs = [(name, float(column[row])) for name, column in values.items()]
    return sorted(pairs, key=lambda pair: -pair[1])
