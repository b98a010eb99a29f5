"""The rules that turn numbers into a verdict: one pure function."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SUPPORTED = "supported"
NOT_SPECIFIC = "present, not specific"
PARTLY = "partly"
NOT_SUPPORTED = "not supported"
CONTRADICTED = "contradicted"
INCONCLUSIVE = "inconclusive"
NOT_TESTABLE = "not testable"
VERDICTS = (
    SUPPORTED,
    NOT_SPECIFIC,
    PARTLY,
    NOT_SUPPORTED,
    CONTRADICTED,
    INCONCLUSIVE,
    NOT_TESTABLE,
)


@dataclass(frozen=True)
class Rules:
    """Thresholds of the verdicts; see the section `claims` of the config."""

    min_patients: int
    min_support: float
    max_decoy_q: float
    max_direction_p: float
    max_population_p: float


def verdict(row: Mapping[Any, Any], *, rules: Rules) -> tuple[str, str]:
    """Verdict on a claim, and the reason in words.

    Of any claim, in this order:

    1. a reason why it could not be tested: not testable.

    Of a plain claim:

    2. fewer than `min_patients` informative patients: not testable;
    3. active in `min_support` of them or more: supported if specific, else present, not specific;
    4. active in some: partly;
    5. active in none: not supported if the upper bound of the interval lies below `min_support`,
       that is, if enough patients were seen to rule it out; else inconclusive.

    Of a contrast:

    6. detected in no patient: not supported; without variation: inconclusive (in `given`);
    7. the interval of the effect lies wholly on the other side of 0: contradicted;
    8. `direction_p` at most `max_direction_p`: supported if specific, else present, not specific;
    9. otherwise inconclusive.

    Specific means that `decoy_q` is at most `max_decoy_q` and, of an interaction, `population_p` at
    most `max_population_p`; with too few decoys of a kind a claim is not specific.

    Parameters
    ----------
    row
        Evidence: reason, kind, contrast, n_informative, n_active, support_high, decoy_q,
        population_p; for contrasts
        also effect_low, effect_high, direction_p, sign (1 or -1), n_sides (the patients in words),
        given and reason_given.
    rules
        Thresholds.
    """
    if row["reason"]:
        return NOT_TESTABLE, row["reason"]
    return _contrast(row, rules) if row["contrast"] else _plain(row, rules)


def _plain(row: Mapping[Any, Any], rules: Rules) -> tuple[str, str]:
    n, active = int(row["n_informative"]), int(row["n_active"])
    if n < rules.min_patients:
        return NOT_TESTABLE, f"too few patients: {n} informative, {rules.min_patients} are needed"
    share = f"active in {active} of {n} informative patients"
    if active / n >= rules.min_support:
        return _specific(share, row, rules)
    if active:
        return PARTLY, share
    if row["support_high"] < rules.min_support:
        return NOT_SUPPORTED, share
    return INCONCLUSIVE, f"{share}: too few to rule it out"


def _contrast(row: Mapping[Any, Any], rules: Rules) -> tuple[str, str]:
    if row["given"]:
        return row["given"], row["reason_given"]
    sign = int(row["sign"])
    low, high = sorted((sign * row["effect_low"], sign * row["effect_high"]))
    p = row["direction_p"]
    where = f"effect {row['effect']:.2g} ({row['effect_low']:.2g} to {row['effect_high']:.2g})"
    told = f"{where} in {row['n_sides']}, p = {p:.2g}"
    if high < 0:
        return CONTRADICTED, f"{where} in {row['n_sides']}: the other direction"
    if p <= rules.max_direction_p:
        return _specific(told, row, rules)
    seen = "the direction is as stated, but" if low + high > 0 else "the direction is not shown:"
    return INCONCLUSIVE, f"{told}: {seen} no difference is not ruled out"


def _specific(told: str, row: Mapping[Any, Any], rules: Rules) -> tuple[str, str]:
    q, p = row["decoy_q"], row["population_p"]
    if math.isnan(q):
        return NOT_SPECIFIC, f"{told}; too few matched decoys to test specificity"
    if q > rules.max_decoy_q:
        return NOT_SPECIFIC, f"{told}; matched decoys are as strong (q = {q:.2g})"
    if row["kind"] != "interaction":
        return SUPPORTED, f"{told}; stronger than matched decoys (q = {q:.2g})"
    if math.isnan(p):
        return NOT_SPECIFIC, f"{told}; too few other populations to test specificity"
    if p > rules.max_population_p:
        return NOT_SPECIFIC, f"{told}; as strong between other populations (p = {p:.2g})"
    return SUPPORTED, (
        f"{told}; stronger than matched pairs (q = {q:.2g}) and than between other populations "
        f"(p = {p:.2g})"
    )
