"""Words and numbers of the report: formatting, verdict vocabulary, settings.

Everything here returns plain text; escaping is the business of the templates.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

DASH = "–"
SLUG = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")


@dataclass(frozen=True)
class Verdict:
    """A verdict: its name in the tables, a symbol, a colour and what it means."""

    name: str
    symbol: str
    colour: str
    marker: str
    meaning: str


VERDICTS: tuple[Verdict, ...] = (
    Verdict(
        "supported",
        "●",
        "#1E6349",
        "o",
        "A plain claim is active in at least {min_support} of the informative patients; a "
        "contrast goes in the stated direction (one-sided p at most {max_direction_p}). Both are "
        "stronger than matched decoys (decoy q at most {max_decoy_q}), interactions also than the "
        "same pairs between other populations (p at most {max_population_p}). The transcripts are "
        "where the claim puts them; that the cells signal is not shown.",
    ),
    Verdict(
        "present, not specific",
        "◐",
        "#8F6C0E",
        "D",
        "Active in at least {min_support} of the informative patients, or in the stated "
        "direction, but decoys do as well, or there were too few decoys to tell. Presence alone "
        "is weak evidence: many pairs of abundant genes would show it.",
    ),
    Verdict(
        "partly",
        "◔",
        "#276CD6",
        "^",
        "A plain claim, active in some informative patients, but in less than {min_support} of "
        "them.",
    ),
    Verdict(
        "not supported",
        "○",
        "#25272C",
        "s",
        "A plain claim, active in no informative patient, and there were enough of them: the "
        "interval of the support stays below {min_support}. A contrast whose genes or cells are "
        "found in no patient.",
    ),
    Verdict(
        "contradicted",
        "✕",
        "#7D0A14",
        "X",
        "A contrast whose whole interval lies on the other side of no effect: the data show the "
        "opposite of what is stated. A plain claim states no direction and cannot be "
        "contradicted.",
    ),
    Verdict(
        "inconclusive",
        "▽",
        "#6E717F",
        "v",
        "Measured, but the data do not decide: active in none of too few patients to rule it "
        "out, or a contrast whose direction is not shown although its interval leaves room for "
        "it. It counts neither for nor against the claim.",
    ),
    Verdict(
        "not testable",
        "□",
        "#41228F",
        "P",
        "The data cannot answer, and the row says why: a gene not measured, a population absent, "
        "fewer than {min_patients} informative patients, too few patients on one side of a "
        "contrast, or a route that leaves no trace in RNA. It counts neither for nor against the "
        "claim.",
    ),
)
NOT_EVALUATED = Verdict(
    "not evaluated", "?", "#5A5F66", "*", "No row for this claim in the verdict table."
)


def verdict(name: object) -> Verdict:
    """Verdict of that name; one with the symbol "?" for a name outside the vocabulary."""
    text = "" if name is None else str(name).strip()
    if text in {"", "nan"}:
        return NOT_EVALUATED
    for known in VERDICTS:
        if known.name == text:
            return known
    return Verdict(text, "?", NOT_EVALUATED.colour, NOT_EVALUATED.marker, "Unknown verdict.")


def number(value: object) -> float:
    """Value as a float; NaN where there is none (empty text, None, a word)."""
    if value is None:
        return math.nan
    try:
        return float(str(value))
    except ValueError:
        return math.nan


def whole(value: object) -> int:
    """Value as a whole number; 0 where there is none."""
    parsed = number(value)
    return int(parsed) if math.isfinite(parsed) else 0


def words(value: object) -> str:
    """Value as text; empty where there is none (None, NaN)."""
    if value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return ""
    return str(value).strip()


def count(value: object) -> str:
    """Whole number with thousands separated: ``1,204``."""
    parsed = number(value)
    return f"{round(parsed):,}" if math.isfinite(parsed) else DASH


def plural(value: object, noun: str, many: str | None = None) -> str:
    """Count with its noun: ``1 patient``, ``7 patients``."""
    one = number(value) == 1
    return f"{count(value)} {noun if one else many or noun + 's'}"


def share(value: object) -> str:
    """Fraction with two decimals: ``0.71``."""
    parsed = number(value)
    return f"{parsed:.2f}" if math.isfinite(parsed) else DASH


def significant(value: object, digits: int = 3) -> str:
    """Give a number with that many significant digits, without a superfluous exponent."""
    parsed = number(value)
    if not math.isfinite(parsed):
        return DASH
    text = f"{parsed:.{digits}g}"
    if "e" in text and 1 <= abs(parsed) < 1e7:
        return f"{parsed:,.0f}"
    return text


def probability(value: object) -> str:
    """P or q value with two significant digits."""
    return significant(value, 2)


def support_text(row: Mapping[Any, Any]) -> str:
    """Support in words: ``5 of 7 patients (0.36–0.92)``.

    Parameters
    ----------
    row
        With ``n_active``, ``n_informative``, ``support_low`` and ``support_high``.
    """
    informative = number(row.get("n_informative"))
    active = number(row.get("n_active"))
    if not math.isfinite(informative):
        return DASH
    if informative == 0:
        return "no informative patient"
    head = f"{count(active)} of {plural(informative, 'patient')}"
    low, high = share(row.get("support_low")), share(row.get("support_high"))
    return head if DASH in {low, high} else f"{head} ({low}–{high})"


def interval_text(row: Mapping[Any, Any], name: str) -> str:
    """Estimate with its interval: ``0.12 (0.05 to 0.19)``."""
    middle = significant(row.get(name), 2)
    low, high = significant(row.get(f"{name}_low"), 2), significant(row.get(f"{name}_high"), 2)
    if middle == DASH or DASH in {low, high}:
        return middle
    return f"{middle} ({low} to {high})"


def shorten(text: str, width: int) -> str:
    """Text cut to a number of characters, with an ellipsis where something went."""
    return text if len(text) <= width else text[: width - 1].rstrip() + "…"


def enumerate_words(items: list[str]) -> str:
    """Items joined for reading: ``a, b and c``."""
    if len(items) < 2:
        return "".join(items)
    return ", ".join(items[:-1]) + " and " + items[-1]


def setting(config: Mapping[str, object], path: str, default: object = None) -> object:
    """Value at a dotted path of the merged config, or the default where it is absent."""
    here: object = config
    for key in path.split("."):
        if not isinstance(here, Mapping) or key not in here:
            return default
        here = here[key]
    return here


def number_setting(config: Mapping[str, object], path: str, default: float) -> float:
    """Numeric setting at a dotted path, or the default where it is absent or not a number."""
    parsed = number(setting(config, path))
    return parsed if math.isfinite(parsed) else default


def claim_file(claim_id: str) -> str:
    """Path of a claim's panel below the folder of the report.

    Raises
    ------
    ValueError
        If the id is not fit for a file name.
    """
    if not SLUG.match(claim_id):
        msg = (
            f"claim id {claim_id!r} cannot name a page of the report: use letters, digits, '_', "
            "'-' or '.'; change it in config/claims.tsv"
        )
        raise ValueError(msg)
    return f"claims/{claim_id}.html"


def claim_stem(claim_id: object) -> str:
    """Beginning of the names of files of a claim's panel."""
    return claim_file(str(claim_id)).removesuffix(".html").replace("/", "_")


def page_name(dataset: str) -> str:
    """File name of a cohort's page.

    Raises
    ------
    ValueError
        If the id is not fit for a file name, or would overwrite the index.
    """
    if not SLUG.match(dataset) or dataset.lower() == "index":
        msg = (
            f"dataset id {dataset!r} cannot name a report page: use letters, digits, '_', '-' "
            "or '.', and not 'index'; change it in config/datasets.tsv"
        )
        raise ValueError(msg)
    return f"{dataset}.html"
