"""Claims in words: what is tested, what came out, and against which controls."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from osteotalk.claims.claim import (
    COMPOSITION,
    CONDITIONS,
    CORRELATION,
    EXPRESSION,
    INTERACTION,
    LOWER,
    SIGNATURE,
    UNTESTABLE,
    parse_conditions,
    parse_quantity,
)
from osteotalk.report.words.text import (
    DASH,
    VERDICTS,
    count,
    enumerate_words,
    interval_text,
    number,
    plural,
    probability,
    share,
    shorten,
    support_text,
    verdict,
    words,
)
from osteotalk.report.words.vocabulary import Vocabulary
from osteotalk.tables import split

NOT_TESTABLE = "not testable"
NOT_EVALUATED = "not evaluated"
_THEMES = {"msc": "Mesenchymal stromal cells", "immune": "Immune cells", "tumour": "Tumour cells"}
_CONTRASTS = {CONDITIONS: "between conditions", CORRELATION: "correlation"}
_EFFECTS = {CONDITIONS: "difference", CORRELATION: "rho"}

Row = Mapping[Any, Any]


@dataclass(frozen=True)
class Names:
    """Labels of the populations and of the gene programmes."""

    palette: Vocabulary
    programmes: Mapping[str, str] = field(default_factory=dict)

    def populations(self, cell: object) -> str:
        """Labels of populations joined by ';' or '+' in a table."""
        listed = words(cell).replace("+", ";")
        return enumerate_words([self.palette.label(name) for name in split(listed)])

    def programme(self, name: str) -> str:
        """Label of a gene programme; its id where the table has none."""
        return self.programmes.get(name) or name


def programme_labels(signatures: pd.DataFrame | None) -> dict[str, str]:
    """Labels of the gene programmes by id, from the table of signatures."""
    if signatures is None:
        return {}
    pairs = zip(signatures["signature"].map(words), signatures["label"].map(words), strict=True)
    return dict(pairs)


def theme_words(theme: object) -> str:
    """Title of a theme of the review: ``Vessels``."""
    name = words(theme)
    return _THEMES.get(name) or name.capitalize() or "Without a theme"


def is_contrast(row: Row) -> bool:
    """Whether a claim compares patients rather than cells within them."""
    return bool(words(row.get("contrast")))


def kind_words(row: Row) -> str:
    """Kind of a claim with its contrast: ``expression, between conditions``."""
    kind, contrast = words(row.get("kind")), words(row.get("contrast"))
    if kind == UNTESTABLE:
        return "not testable"
    return f"{kind}, {_CONTRASTS.get(contrast, contrast)}" if contrast else kind


def measured_words(row: Row, names: Names) -> str:
    """What is measured to test a claim, with the direction it wants; empty if nothing is."""
    kind = words(row.get("kind"))
    source, target = (names.populations(row.get(side)) for side in ("source", "target"))
    if kind == INTERACTION:
        pairs = enumerate_words(split(words(row.get("pairs"))))
        text = f"{pairs} from {source or 'any'} to {target or 'any'}"
    elif kind in (EXPRESSION, SIGNATURE):
        genes = enumerate_words(split(words(row.get("genes"))))
        what = genes or f"programme {names.programme(words(row.get('signature')))}"
        text = f"{what} in {source}"
        if not is_contrast(row):
            text += f", compared with {target or 'all other populations'}"
    elif kind == COMPOSITION:
        text = f"share of {source} among {target or 'all cells that have a name'}"
    else:
        return ""
    return text + _direction_words(row, names)


def _direction_words(row: Row, names: Names) -> str:
    contrast, along = words(row.get("contrast")), words(row.get("contrast_with"))
    lower = words(row.get("direction")) == LOWER
    if contrast == CONDITIONS and ">" in along:
        first, second = (" or ".join(side) for side in parse_conditions(along))
        return f": {'lower' if lower else 'higher'} in {first} than in {second}"
    if contrast == CORRELATION and ":" in along:
        return f": {'falls' if lower else 'rises'} with {quantity_words(along, names)}"
    return ""


def quantity_words(text: str, names: Names) -> str:
    """Name in words what a claim is correlated with, from ``gene:VEGFA@malignant``."""
    form, name, populations = parse_quantity(text)
    where = names.populations(";".join(populations))
    if form == "share":
        return f"the share of {where}"
    return f"{name if form == 'gene' else 'programme ' + names.programme(name)} in {where}"


def wants_lower(row: Row) -> bool:
    """Whether a claim states a decrease."""
    return words(row.get("direction")) == LOWER


def effect_words(row: Row) -> str:
    """Effect of a contrast with interval, p and patients: ``rho 0.7 (0.1 to 0.9), p = 0.03``."""
    text = interval_text(row, "effect")
    if text == DASH:
        return ""
    p = probability(row.get("direction_p"))
    head = f"{_EFFECTS.get(words(row.get('contrast')), 'effect')} {text}"
    told = f"{head}, p = {p}" if p != DASH else head
    return f"{told}; {plural(row.get('n_informative'), 'patient')}"


def result_words(row: Row) -> str:
    """Support of a plain claim or effect of a contrast; empty if nothing was measured."""
    look = verdict(row.get("verdict")).name
    if is_contrast(row):
        return effect_words(row)
    if look == NOT_TESTABLE and not number(row.get("n_informative")) > 0:
        return ""
    told = support_text(row)
    return "" if told == DASH else told


def result_order(row: Row) -> float:
    """Number to sort results by: plain claims by support, then contrasts by effect."""
    if is_contrast(row):
        return 1000 + number(row.get("effect"))
    return number(row.get("support"))


def plain_effect_words(row: Row) -> str:
    """Effect of a plain claim over its decoys; empty for a contrast, whose effect is its result."""
    text = interval_text(row, "effect")
    return "" if is_contrast(row) or text == DASH else text


def wants_decoys(row: Row) -> bool:
    """Whether a claim was measured so far that decoys should stand beside it."""
    if verdict(row.get("verdict")).name in {NOT_TESTABLE, NOT_EVALUATED}:
        return False
    return not is_contrast(row) or math.isfinite(number(row.get("direction_p")))


def against_words(row: Row, p: str, n: str, what: str) -> str:
    """P against one kind of decoys with their number: ``p = 0.014 against 217 other pairs``."""
    text = probability(row.get(p))
    if text != DASH:
        return f"p = {text} against {count(row.get(n))} {what}"
    return f"not tested: too few {what} match" if wants_decoys(row) else ""


def matched_words(row: Row) -> str:
    """P against decoys that are matched in detection; for compositions, other populations."""
    several = {name: len(split(words(row.get(name)))) > 1 for name in ("pairs", "genes")}
    what = {
        INTERACTION: "sets of other pairs" if several["pairs"] else "other pairs",
        EXPRESSION: "sets of other genes" if several["genes"] else "other genes",
        SIGNATURE: "sets of other genes",
        COMPOSITION: "other populations",
    }
    return against_words(row, "decoy_p", "n_decoys", what.get(words(row.get("kind")), "decoys"))


def population_words(row: Row) -> str:
    """P of an interaction against other populations; empty for other kinds."""
    if words(row.get("kind")) != INTERACTION:
        return ""
    return against_words(row, "population_p", "n_population_decoys", "other sets of populations")


def response_words(row: Row, names: Names) -> str:
    """Correlation with the programme of the receivers: ``rho 0.4 (-0.2 to 0.8) in 7 patients``."""
    patients = number(row.get("n_response"))
    if not patients > 0:
        return ""
    name = names.programme(words(row.get("response")))
    head = f"{name} in the receivers: " if name else ""
    rho = number(row.get("response_effect"))
    if not math.isfinite(rho):
        return f"{head}{plural(patients, 'patient')}, too few or without variation"
    low, high = number(row.get("response_low")), number(row.get("response_high"))
    bounds = f" ({low:.2g} to {high:.2g})" if math.isfinite(low) and math.isfinite(high) else ""
    text = f"{head}rho {rho:.2g}{bounds} in {plural(patients, 'patient')}"
    if low > 0:
        return f"{text}; goes with the claim, which proves no signalling"
    if high < 0:
        return f"{text}; goes against the claim"
    return f"{text}; neither for nor against the claim"


def combined_words(row: Row) -> str:
    """How many cohorts were combined, the verdict of each, and how much they differ."""
    n = number(row.get("n_datasets"))
    if not n > 0:
        return ""
    differ = number(row.get("i_squared"))
    each = words(row.get("cohorts")).replace("; ", ", ")
    told = plural(n, "cohort") + (f" ({each})" if "," in each else "")
    if not math.isfinite(differ):
        return told
    return f"{told}; I² {share(differ)}: share of the effects' spread that is between cohorts"


def edge_words(edge: object, palette: Vocabulary) -> str:
    """Edge for reading: ``tam>malignant:SPP1^CD44`` becomes labels, arrow and pair."""
    text = words(edge)
    populations, colon, pair = text.partition(":")
    source, arrow, target = populations.partition(">")
    if not colon or not arrow:
        return text
    return f"{palette.label(source)} → {palette.label(target)}: {pair}"


def short_name(row: Row, *, width: int = 30) -> str:
    """What a claim is on, in few letters: its first pair, gene or programme and how many follow."""
    for column in ("pairs", "genes"):
        items = split(words(row.get(column)))
        if items:
            more = f" +{len(items) - 1}" if len(items) > 1 else ""
            return shorten(items[0], width) + more
    if signature := words(row.get("signature")):
        return shorten(signature, width)
    if words(row.get("kind")) == COMPOSITION and (source := words(row.get("source"))):
        return shorten(f"share of {source}", width)
    return shorten(words(row.get("statement")), width)


def headline(frame: pd.DataFrame, *, mark: str = "") -> str:
    """Say what could be tested, and then the count of every verdict.

    Parameters
    ----------
    frame
        Columns verdict and contrast, one row per claim.
    mark
        Goes before it, so that a sentence on simulated data says so wherever it is quoted.
    """
    sizes = {str(name): int(size) for name, size in frame["verdict"].value_counts().items()}
    unknown = sizes.pop(NOT_EVALUATED, 0)
    untestable = sizes.pop(NOT_TESTABLE, 0)
    tested = sum(sizes.values())
    order = [look.name for look in VERDICTS if look.name != NOT_TESTABLE]
    listed = [*order, *sorted(set(sizes) - set(order))]
    parts = [f"{count(sizes[name])} {name}" for name in listed if sizes.get(name)]
    text = f"{mark.capitalize()}: " if mark else ""
    text += f"{count(tested)} of {plural(len(frame), 'claim')} could be tested"
    text += f": {enumerate_words(parts)}." if parts else "."
    text += f" {count(untestable)} could not be tested."
    if unknown:
        text += f" {count(unknown)} {'has' if unknown == 1 else 'have'} no result at all."
    return text + _contrast_sentence(frame)


def _contrast_sentence(frame: pd.DataFrame) -> str:
    verdicts = [row["verdict"] for row in frame.to_dict("records") if is_contrast(row)]
    if not verdicts:
        return ""
    tested = sum(name not in {NOT_TESTABLE, NOT_EVALUATED} for name in verdicts)
    what = "is a contrast" if len(verdicts) == 1 else "are contrasts"
    return (
        f" {plural(len(verdicts), 'claim')} {what} between patients, which asks for more of them: "
        f"{count(tested)} of {count(len(verdicts))} could be tested."
    )


def listed_ids(ids: Sequence[object], *, most: int = 20) -> str:
    """Ids for a sentence, the first ones and how many more there are."""
    names = [str(name) for name in ids]
    if len(names) <= most:
        return enumerate_words(names)
    return f"{', '.join(names[:most])} and {len(names) - most} more"
