"""Formatting of numbers and words."""

import math

import pandas as pd
import pytest

from osteotalk.report.words.text import (
    VERDICTS,
    count,
    enumerate_words,
    interval_text,
    page_name,
    plural,
    probability,
    setting,
    share,
    shorten,
    significant,
    support_text,
    verdict,
    words,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0123456, "0.012"), (1.2345e-7, "1.2e-07"), (1, "1"), (0, "0"), (None, "–"), ("", "–")],
)
def test_probability_has_two_digits(value, text):
    assert probability(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(123456, "123,456"), (1204.0, "1,204"), (pd.NA, "–"), (math.inf, "–")]
)
def test_count_separates_thousands(value, text):
    assert count(value) == text


def test_numbers_of_other_kinds():
    assert share(5 / 7) == "0.71"
    assert significant(12345.678) == "12,346"
    assert significant(0.5) == "0.5"
    assert plural(1, "patient") == "1 patient"
    assert plural(0, "patient") == "0 patients"


def test_support_in_words():
    row = {"n_active": 5, "n_informative": 7, "support_low": 0.3589, "support_high": 0.9178}
    assert support_text(row) == "5 of 7 patients (0.36–0.92)"
    assert support_text(row | {"n_informative": 1, "n_active": 1}).startswith("1 of 1 patient (")
    assert support_text({"n_active": 0, "n_informative": 0}) == "no informative patient"
    assert support_text({}) == "–"
    assert support_text({"n_active": 1, "n_informative": 2}) == "1 of 2 patients"


def test_interval_in_words():
    row = {"effect": 0.123, "effect_low": -0.05, "effect_high": 0.3}
    assert interval_text(row, "effect") == "0.12 (-0.05 to 0.3)"
    assert interval_text({"effect": 0.123}, "effect") == "0.12"
    assert interval_text({}, "effect") == "–"


def test_verdicts_differ_in_symbol_and_marker():
    assert len({look.symbol for look in VERDICTS}) == len(VERDICTS)
    assert len({look.marker for look in VERDICTS}) == len(VERDICTS)
    assert verdict("partly").name == "partly"
    assert verdict(float("nan")).name == "not evaluated"
    assert verdict("perhaps").symbol == "?"


def test_words_of_missing_values():
    assert [words(value) for value in (None, float("nan"), pd.NA, " x ")] == ["", "", "", "x"]


def test_setting_by_path():
    config = {"a": {"b": 0}, "c": 1}
    assert setting(config, "a.b") == 0
    assert setting(config, "a.x") is None
    assert setting(config, "c.b", default="no") == "no"


def test_lists_and_cuts():
    assert enumerate_words([]) == ""
    assert enumerate_words(["a", "b", "c"]) == "a, b and c"
    assert shorten("abcdef", 4) == "abc…"
    assert page_name("gse_1") == "gse_1.html"
