"""The table of rules against the same rule written as plain conditions."""

import itertools

import pytest

from osteotalk.annotate.malignancy_rules import (
    CELL_STATES,
    GROUP_STATES,
    ROLES,
    RULES,
    decide,
)

EVERY = list(itertools.product(ROLES, GROUP_STATES, CELL_STATES, (True, False)))


def in_words(role, group, cell, private):
    """Call and what becomes of the name, as someone would explain it."""
    open_question = role in ("other", "unassigned")
    if role == "two lineages" or group == "unknown":
        return "undetermined", ""
    if group == "no candidate":
        return ("no" if role == "reference" else "undetermined"), ""
    if group == "no change":
        if role == "reference":
            return "no", ""
        return ("no", "") if role == "other" and not private else ("undetermined", "")
    if role == "reference":
        suspicious = group == "aberrant" and cell == "aberrant"
        return ("undetermined" if suspicious else "no"), ""
    if role == "tumour" and group == "aberrant":
        return ("yes" if cell in ("aberrant", "unclear") else "undetermined"), ""
    if role == "tumour" and group == "unclear":
        sure = cell == "aberrant" or (cell == "unclear" and private)
        return ("yes" if sure else "undetermined"), ""
    if role == "tumour":
        return ("undetermined", "") if cell == "aberrant" else ("no", "unassigned")
    assert open_question
    if group == "aberrant":
        return ("yes", "tumour") if cell == "aberrant" else ("undetermined", "")
    if group == "unclear":
        if cell == "aberrant" and private:
            return "yes", "tumour"
        return ("no", "") if cell == "normal" and not private else ("undetermined", "")
    return ("undetermined" if cell == "aberrant" else "no"), ""


@pytest.mark.parametrize(("role", "group", "cell", "private"), EVERY)
def test_every_combination(role, group, cell, private):
    rule = decide(role=role, group=group, cell=cell, private=private)
    assert (rule.call, rule.population) == in_words(role, group, cell, private)
    assert rule.reason


def test_every_row_is_used_and_says_something_else():
    used = {decide(role=r, group=g, cell=c, private=p).reason for r, g, c, p in EVERY}
    assert used == {rule.reason for rule in RULES}
    assert len(used) == len(RULES)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"role": "malignant"}, "'malignant' is none of tumour, reference, other"),
        ({"group": "odd"}, "'odd' is none of aberrant"),
        ({"cell": "no change"}, "'no change' is none of aberrant, normal, unclear, unknown"),
    ],
)
def test_unknown_words_are_refused(changed, message):
    given = {"role": "tumour", "group": "normal", "cell": "normal", "private": False}
    with pytest.raises(ValueError, match=message):
        decide(**given | changed)
