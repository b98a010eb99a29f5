"""The rules that turn numbers into a verdict: one pure function."""

import math
from dataclasses import dataclass

SUPPORTED = "supported"
NOT_SPECIFIC = "present, not specific"
PARTLY = "partly"
NOT_SUPPORTED = "not supported"
NOT_TESTABLE = "not testable"
VERDICTS = (SUPPORTED, NOT_SPECIFIC, PARTLY, NOT_SUPPORTED, NOT_TESTABLE)


@dataclass(frozen=True)
class Rules:
    """Thresholds of the verdicts; see the section `claims` of the config."""

    min_patients: int
    min_support: float
    max_decoy_q: float


def verdict(
    *,
    n_informative: int,
    n_active: int,
    support_high: float,
    decoy_q: float,
    rules: Rules,
) -> tuple[str, str]:
    """Verdict on a claim, and the reason in words.

    The rules, in order:

    1. fewer than `min_patients` informative patients: not testable;
    2. active in `min_support` of them or more: supported if `decoy_q` is at most `max_decoy_q`,
       else (also if there were too few decoys) present, not specific;
    3. active in some: partly;
    4. active in none: not supported if the upper bound of the interval lies below `min_support`,
       that is, if enough patients were seen to rule it out; else not testable.

    Parameters
    ----------
    n_informative, n_active
        Patients.
    support_high
        Upper bound of the 95 % interval of the support.
    decoy_q
        Benjamini-Hochberg q of the claim against its decoys; NaN if there were too few decoys.
    rules
        Thresholds.
    """
    if n_informative < rules.min_patients:
        reason = f"too few patients: {n_informative} informative, {rules.min_patients} are needed"
        return NOT_TESTABLE, reason
    share = f"active in {n_active} of {n_informative} informative patients"
    if n_active / n_informative >= rules.min_support:
        if math.isnan(decoy_q):
            return NOT_SPECIFIC, f"{share}; too few matched decoys to test specificity"
        if decoy_q <= rules.max_decoy_q:
            return SUPPORTED, f"{share}; stronger than matched decoys (q = {decoy_q:.2g})"
        return NOT_SPECIFIC, f"{share}; matched decoys are as strong (q = {decoy_q:.2g})"
    if n_active:
        return PARTLY, share
    if support_high < rules.min_support:
        return NOT_SUPPORTED, share
    return NOT_TESTABLE, f"{share}: too few patients to rule it out"
