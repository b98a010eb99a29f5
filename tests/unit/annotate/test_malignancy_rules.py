"""One probability from markers, copy number and private clusters, against plain arithmetic."""

import itertools

import numpy as np
import pytest

from osteotalk.annotate.malignancy_rules import (
    MARKER_WORDS,
    ROLES,
    calls_of,
    copy_number_words,
    malignant_probability,
    new_names,
)

NAN = float("nan")
EVERY = list(
    itertools.product(
        ROLES, (0.5, 0.86, 0.97, 1.0, NAN), (1e-6, 0.2, 1.0, 300.0, NAN), (0, 1), (0, 1)
    )
)


def by_hand(role, right, copy_number, one_arm, private):
    """The same for one cell, as someone would write it down."""
    if role == "two lineages":
        return NAN
    hinted = private and role != "reference"
    if role == "unassigned":
        if np.isnan(copy_number) and not one_arm and not hinted:
            return NAN
        right = 0.5
    elif np.isnan(right):
        right = 0.5
    right = min(max(right, 0.05), 0.95)
    odds = right / (1 - right) if role == "tumour" else (1 - right) / right
    odds *= 5 if hinted else 1
    told = odds if np.isnan(copy_number) else odds * copy_number
    if one_arm:
        told = max(told, odds * 5)
    return told / (1 + told)


def probability(role, right, copy_number, one_arm, private):
    return malignant_probability(
        role=np.array([role], dtype=object),
        probability=np.array([right]),
        copy_number=np.array([copy_number]),
        one_arm=np.array([bool(one_arm)]),
        private=np.array([bool(private)]),
    )[0]


def test_every_combination():
    found = [probability(*case) for case in EVERY]
    np.testing.assert_allclose(found, [by_hand(*case) for case in EVERY])


@pytest.mark.parametrize(
    ("case", "call"),
    [
        (("tumour", 1.0, NAN, 0, 0), "yes"),  # by the markers alone
        (("reference", 1.0, NAN, 0, 0), "no"),
        (("other", 0.95, NAN, 0, 0), "no"),
        (("other", 0.86, NAN, 0, 0), "undetermined"),
        (("unassigned", NAN, NAN, 0, 1), "undetermined"),
        (("unassigned", NAN, NAN, 1, 0), "undetermined"),  # one arm
        (("other", 1.0, NAN, 1, 0), "undetermined"),
        (("other", 1.0, 1e-6, 1, 0), "undetermined"),
        (("tumour", 0.86, NAN, 1, 0), "yes"),  # one arm, and the markers join
        (("other", 1.0, 1e4, 0, 0), "yes"),  # whatever the markers
        (("tumour", 1.0, 1e-4, 0, 0), "no"),
        (("two lineages", NAN, 1e4, 1, 1), "undetermined"),
    ],
)
def test_calls(case, call):
    assert calls_of(np.array([probability(*case)])).tolist() == [call]


def test_the_limits_of_a_call():
    chance = np.array([0.0, 1 - 0.9, 0.1001, 0.8999, 0.9, 1.0, NAN])
    expected = ["no", "no", "undetermined", "undetermined", "yes", "yes", "undetermined"]
    assert calls_of(chance).tolist() == expected


def test_new_names():
    role = ["tumour", "tumour", "other", "reference", "reference", "other", "unassigned"]
    chance = np.array([0.99, 0.3, 0.95, 0.95, 0.6, 0.4, NAN])
    found = new_names(role=np.array(role, dtype=object), call=calls_of(chance), probability=chance)
    assert found.tolist() == ["", "unassigned", "tumour", "tumour", "unassigned", "", ""]


@pytest.mark.parametrize(
    ("ratio", "share", "words"),
    [
        (10, 0.95, "its copy number is that of the tumour, its cluster is tumour"),
        (0.1, 0.05, "its copy number is normal, its cluster is normal"),
        (1, 0.5, "its copy number is between that of the tumour and normal, its cluster is mixed"),
    ],
)
def test_words_of_copy_number(ratio, share, words):
    assert copy_number_words(ratio, share) == words
    assert set(MARKER_WORDS) == set(ROLES)
