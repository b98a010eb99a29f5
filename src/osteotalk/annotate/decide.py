"""Names of groups of cells by the probabilities of the populations, down the tree."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from osteotalk.annotate.evidence import Evidence, by_name, population_probability
from osteotalk.annotate.tree import Tree
from osteotalk.contract import UNASSIGNED

# Markers leave lineages open if none of them is at most so likely. Lineages that are at least so
# likely must have cells elsewhere to compare with.
MOST_NONE, LEAST_OPEN = 0.25, 0.1
# Added to the share of cells that fit a lineage: what other genes say is no certainty.
DOUBT = 0.05


@dataclass(frozen=True)
class Decision:
    """Name of a group of cells, and how sure it is.

    `probability` is that of `population`, as it is given; of an unassigned group, that of `best`.
    `best` and `runner_up` were compared last, and have the probabilities `best_probability` and
    `runner_up_probability`.
    """

    population: str
    probability: float
    best: str
    best_probability: float
    runner_up: str
    runner_up_probability: float
    reason: str = ""


def decide_majors(found: Evidence, *, tree: Tree, min_probability: float) -> list[Decision]:
    """Name the major population of each group, or leave it unassigned.

    Parameters
    ----------
    found
        Of the lists of all populations.
    tree
        Vocabulary and markers.
    min_probability
        Least probability of a name.
    """
    majors = [name for name in tree.children("") if tree.below(name)]
    chances = population_probability(found, tree=tree, names=majors)
    return [
        _choose(
            by_name(chances, row),
            none=float(found.probability[row, -1]),
            tree=tree,
            least=min_probability,
            above=(UNASSIGNED, 0.0),
        )
        for row in range(len(found.probability))
    ]


def say_what_changed(alone: Decision, permuted: Decision, decision: Decision) -> Decision:
    """Say in words where a group has another name than its own markers alone give it.

    Parameters
    ----------
    alone
        By the markers of the group itself.
    permuted
        The same, if they also have to say more than permuted lists do.
    decision
        With what the groups that express alike say.
    """
    if alone.population == decision.population:
        return decision
    by_itself = alone.reason or f"{alone.best} {alone.probability:.0%}"
    why = f"groups that express alike are {decision.population}"
    if permuted.population == decision.population:
        why = "permuted lists of markers often say as much"
    elif decision.population == UNASSIGNED:
        why = "groups that express alike speak against it"
    told = f"by its own markers {by_itself}; {why}"
    return replace(decision, reason="; ".join(part for part in (told, decision.reason) if part))


def only_as_parent(reasons: pd.Series) -> pd.Series:
    """Tell which reasons are why a cell got no finer name, not only what its name rests on."""
    rests = reasons.str.match("by (its own )?markers ")
    return (reasons != "") & (~rests | reasons.str.contains("; named as "))


def settle(
    decision: Decision,
    found: Evidence,
    row: int,
    *,
    shares: Mapping[str, float],
    tree: Tree,
    min_probability: float,
) -> Decision:
    """Decide between major populations that the markers leave open, by all that the cells express.

    Only where the markers say that it is one of them (not none of them), and only between those
    that have cells elsewhere in the cohort to compare with.

    Parameters
    ----------
    decision
        On the group, without a name.
    found
        Evidence of the groups.
    row
        The group.
    shares
        Share of its cells that fit each major population best, of those that have a name elsewhere.
    tree, min_probability
        See `decide_majors`.
    """
    none = float(found.probability[row, -1])
    majors = [name for name in tree.children("") if tree.below(name)]
    ranked = by_name(population_probability(found, tree=tree, names=majors), row)
    if none > MOST_NONE or any(p >= LEAST_OPEN and n not in shares for n, p in ranked):
        return decision
    weighed = [(name, chance * (shares.get(name, 0.0) + DOUBT)) for name, chance in ranked]
    # cells of none of the lineages would not all fit the same one: up to twice less likely
    none /= 1 + max(shares.values())
    total = sum(chance for _, chance in weighed)
    weighed = [(name, (1 - none) * chance / total) for name, chance in weighed]
    chosen = _choose(
        sorted(weighed, key=lambda pair: -pair[1]),
        none=none,
        tree=tree,
        least=min_probability,
        above=(UNASSIGNED, 0.0),
    )
    if chosen.reason:
        return decision
    share = f"{shares[chosen.population]:.0%} of its cells fit it best"
    return replace(chosen, reason=f"by markers {decision.reason}; {share}")


def decide_finer(
    found: Evidence, *, top: str, tree: Tree, min_probability: float
) -> list[Decision]:
    """Name the population of each group below one that is known, as far down as it is sure.

    Parameters
    ----------
    found
        Of the lists below `top`.
    top
        Population that the groups belong to; probabilities are those given that this is right.
    tree, min_probability
        See `decide_majors`.
    """
    decisions = []
    for row in range(len(found.probability)):
        decision = Decision(top, 1.0, top, 1.0, "", 0.0)
        while below := [n for n in tree.children(decision.population) if tree.below(n)]:
            if _own_chance(found, row, decision.population, below, tree=tree) >= min_probability:
                break  # the population itself, not one below it: dendritic, not plasmacytoid
            ranked = by_name(population_probability(found, tree=tree, names=below), row)
            above = (decision.population, decision.probability)
            none = max(above[1] - sum(chance for _, chance in ranked), 0.0)
            decision = _choose(ranked, none=none, tree=tree, least=min_probability, above=above)
            if decision.reason:
                break
        decisions.append(decision)
    return decisions


def _own_chance(found: Evidence, row: int, name: str, below: Sequence[str], *, tree: Tree) -> float:
    """Probability of the lists of a population itself, without those of populations below it."""
    others = {lower for child in below for lower in tree.within(child)}
    own = [n for n in tree.within(name) if n not in others]
    return float(found.of(own)[row])


def _choose(
    ranked: list[tuple[str, float]],
    *,
    none: float,
    tree: Tree,
    least: float,
    above: tuple[str, float],
) -> Decision:
    """Take the likeliest population if it is likely enough; else the name above, and say why."""
    (best, chance), *others = ranked
    runner_up, second = others[0] if others and others[0][1] >= none else ("", none)
    parent, of_parent = above
    rival = runner_up or ("none of the populations" if parent == UNASSIGNED else f"other {parent}")
    reason = ""
    if chance < least:
        reason = f"{best} {chance:.0%}, {rival} {second:.0%}"
        if none > chance:
            reason = f"{rival} {none:.0%}, {best} {chance:.0%}"
    elif best in tree.short and not tree.children(best):
        found = len(tree.markers[best].positive)
        reason = f"only {found} of {tree.markers[best].listed} markers of {best} are measured"
    if not reason:
        return Decision(best, chance, best, chance, runner_up, second)
    if parent != UNASSIGNED:
        reason = f"{reason}; named as {parent}"
    kept = chance if parent == UNASSIGNED else of_parent
    return Decision(parent, kept, best, chance, runner_up, second, reason)
