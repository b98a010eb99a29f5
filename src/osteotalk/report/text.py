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
        "#0B6E4F",
        "o",
        "Active in at least {min_support} of the informative patients, and concentrated between "
        "the claim's populations more than matched decoys (decoy q at most {max_decoy_q}). The "
        "transcripts are where the claim puts them; that the cells signal is not shown.",
    ),
    Verdict(
        "present, not specific",
        "◐",
        "#8A5A00",
        "D",
        "Active in at least {min_support} of the informative patients, but decoys do as well, or "
        "there were too few decoys to tell. Presence alone is weak evidence: many pairs of "
        "abundant genes would show it.",
    ),
    Verdict(
        "partly",
        "◔",
        "#3B5BA5",
        "^",
        "Active in some informative patients, but in less than {min_support} of them.",
    ),
    Verdict(
        "not supported",
        "○",
        "#5A5F66",
        "s",
        "Active in no informative patient, and there were enough of them: the interval of the "
        "support stays below {min_support}.",
    ),
    Verdict(
        "contradicted",
        "✕",
        "#A61C3C",
        "X",
        "The claim states a direction and the interval of the data excludes it. A claim that "
        "states no direction cannot be contradicted.",
    ),
    Verdict(
        "not testable",
        "□",
        "#6B4E8E",
        "P",
        "The data cannot answer, and the row says why: a gene not measured, a population absent, "
        "fewer than {min_patients} informative patients or too few to rule it out, or a route "
        "that leaves no trace in RNA. It counts neither for nor against the claim.",
    ),
)
NOT_EVALUATED = Verdict(
    "not evaluated", "?", "#5A5F66", "v", "No row for this claim in the verdict table."
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
