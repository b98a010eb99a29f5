"""The section on how often a verdict comes up by chance."""

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from osteotalk.report.figures.calibration import calibration_figure
from osteotalk.report.inputs import Run
from osteotalk.report.model import Column, Figure, Section, Table
from osteotalk.report.words.text import (
    VERDICTS,
    count,
    enumerate_words,
    number,
    plural,
    probability,
    significant,
    words,
)

EVERY_THEME = "all"
_SHARED: dict[str, Any] = {
    "anchor": "calibration",
    "title": "Calibration",
    "question": "How often would these verdicts come up by chance?",
}
_CONTROLS: Mapping[str, str] = {
    "shuffled labels": "the claims themselves, tested after the names of populations were dealt "
    "anew to the cells of each sample, and conditions to the patients",
    "matched decoys": "claims whose pairs, genes or programme were replaced by others of similar "
    "detection",
    "pair decoys": "claims whose pairs, genes or programme were replaced by others of similar "
    "detection",
    "population decoys": "interaction claims whose populations were replaced by others of similar "
    "numbers of cells",
}


def section(run: Run) -> Section:
    """The section of the page on how sure the verdicts are; it says so where it was not run."""
    calibration, stamp = run.overall.calibration, run.stamp
    titles = {str(row["dataset"]): words(row["title"]) for row in run.datasets.to_dict("records")}
    if calibration is None or calibration.empty:
        return Section(
            **_SHARED,
            body=(
                "The calibration was not run, so this report does not say how often its verdicts "
                "come up by chance.",
            ),
        )
    rank = {look.name: place for place, look in enumerate(VERDICTS)}
    rows = calibration.assign(_rank=calibration["verdict"].map(rank).fillna(len(rank)))
    rows = rows.sort_values("_rank", kind="stable")
    order = list(dict.fromkeys(calibration["dataset"].astype(str)))
    parts = [(name, rows[rows["dataset"].astype(str) == name]) for name in order]
    overall = [(name, part[part["theme"] == EVERY_THEME]) for name, part in parts]
    return Section(
        **_SHARED,
        body=(
            *(_supported(part, titles.get(name, name), stamp) for name, part in overall),
            "A ratio well above 1 says that real claims get a verdict more often than chance "
            "gives it; an interval that holds 1 says that they do not stand out.",
        ),
        definitions=_definitions(rows),
        figures=tuple(
            figure
            for place, (name, part) in enumerate(overall)
            for figure in _figure(part, titles.get(name, name), place, stamp=stamp)
        ),
        tables=_tables(rows, titles),
        caveats=(
            "Claims share pairs, genes and patients, so that they are no independent draws and "
            "the intervals are somewhat too narrow.",
            "Shuffled labels take away all structure of the cells: few verdicts there show that "
            "the tests hold their level, not that a verdict on ordered cells is right. Decoy "
            "claims keep the structure and are the harder control; some of them may be true "
            "interactions that no claim names, which makes their rate too high rather than too "
            "low.",
        ),
    )


def by_chance(calibration: pd.DataFrame | None) -> str:
    """How often claims come out as supported by chance, over all cohorts, in one sentence."""
    if calibration is None or calibration.empty:
        return (
            "How often verdicts come up by chance was not computed, so take every 'supported' with "
            "reserve."
        )
    rows = calibration[
        (calibration["theme"] == EVERY_THEME) & (calibration["verdict"] == "supported")
    ]
    sums = rows.groupby("control", sort=False)[["k_control", "n_control"]].sum()
    parts = [
        f"{count(row['k_control'])} of {plural(row['n_control'], 'claim')} with {name}"
        for name, row in sums.iterrows()
    ]
    return (
        f"By chance, in the same cohorts, {enumerate_words(parts) or 'no claim'} came out as "
        "supported; details are on the page How sure."
    )


def _supported(rows: pd.DataFrame, title: str, stamp: str) -> str:
    """Rate of the verdict supported under each control beside that of the real claims."""
    parts = [
        f"with {row['control']} {count(row['k_control'])} of {plural(row['n_control'], 'claim')} "
        f"come out as supported ({_percent(row['rate'])}; 95 % interval "
        f"{_percent(row['rate_low'])} to {_percent(row['rate_high'])}), of the real ones "
        f"{count(row['k_real'])} of {count(row['n_real'])}"
        for row in rows[rows["verdict"] == "supported"].to_dict("records")
    ]
    head = f"{stamp.capitalize()}: " if stamp else ""
    return f"{head}{title}: {'; '.join(parts) or 'no claim could be drawn by chance'}."


def _percent(value: object) -> str:
    share = number(value)
    return f"{100 * share:.1f} %" if math.isfinite(share) else "unknown"


def _definitions(rows: pd.DataFrame) -> tuple[tuple[str, str], ...]:
    used = list(dict.fromkeys(words(name) for name in rows["control"]))
    return tuple(
        (name.capitalize(), _CONTROLS[name].capitalize() + ".")
        for name in used
        if name in _CONTROLS
    )


def _figure(rows: pd.DataFrame, title: str, place: int, *, stamp: str) -> tuple[Figure, ...]:
    seen = rows.groupby("verdict")[["k_real", "k_control"]].sum().sum(axis=1)
    drawn = rows[rows["verdict"].map(seen) > 0]
    if drawn.empty:
        return ()
    controls = list(dict.fromkeys(drawn["control"].astype(str)))
    told = "; ".join(
        f"{row['verdict']}, {row['control']}: {count(row['k_real'])} of {count(row['n_real'])} "
        f"real, {count(row['k_control'])} of {count(row['n_control'])} by chance"
        for row in drawn.to_dict("records")
    )
    alt = f"Share of claims per verdict in {title}, real and by chance: {told}"
    caption = (
        f"{title}: share of the claims that get each verdict, for the real claims (filled, above) "
        "and under a control in which they should not hold (hollow, below), with 95 % Wilson "
        "intervals. 'Supported' should be far to the right of its control; 'not supported' and "
        "'not testable' may be more frequent under the control. Verdicts that were never given "
        "are left out."
    )
    uid = f"calibration-{place}"
    svg = calibration_figure(drawn, controls=controls, uid=uid, alt=alt, stamp=stamp)
    return (Figure(f"figure-{uid}", svg, alt, caption, table="table-calibration"),)


def _tables(rows: pd.DataFrame, titles: Mapping[str, str]) -> tuple[Table, ...]:
    frame = rows.assign(
        title=[titles.get(str(name), str(name)) for name in rows["dataset"]],
        _real=[_of(row, "real") for row in rows.to_dict("records")],
        _real_order=[_share(row) for row in rows.to_dict("records")],
        _control=[_of(row, "control") for row in rows.to_dict("records")],
        _ratio=[ratio_words(row) for row in rows.to_dict("records")],
    )
    every = frame["theme"] == EVERY_THEME
    rates = (
        "Claims with the verdict, of all of their kinds; the rate by chance with a 95 % Wilson "
        "interval; the ratio of the real share to it with a 95 % score interval."
    )
    found = [_table(frame[every], "", rates)]
    if not every.all():
        by_theme = "The same by theme; with few claims in a theme intervals are wide."
        found.append(_table(frame[~every], "_themes", by_theme))
    return tuple(found)


def _table(frame: pd.DataFrame, suffix: str, caption: str) -> Table:
    theme = (Column("theme", "Theme"),) if suffix else ()
    return Table(
        f"table-calibration{suffix.replace('_', '-')}",
        frame.reset_index(drop=True),
        caption,
        (
            Column("verdict", "Verdict", "verdict"),
            Column("title", "Cohort"),
            Column("control", "Control"),
            *theme,
            Column("_real", "Real", "estimate", sort="_real_order"),
            Column("_control", "By chance", "estimate", sort="rate"),
            Column("_ratio", "Ratio", "estimate", sort="ratio", missing="never given"),
        ),
        download=f"assets/calibration{suffix}.tsv",
        filters=("verdict", "title", "control", *(("theme",) if suffix else ())),
        collapsed=bool(suffix),
    )


def _share(row: Mapping[Any, Any]) -> float:
    n = number(row["n_real"])
    return number(row["k_real"]) / n if n > 0 else math.nan


def _of(row: Mapping[Any, Any], side: str) -> str:
    k, n = count(row[f"k_{side}"]), count(row[f"n_{side}"])
    if side == "real":
        return f"{k} of {n} ({_percent(_share(row))})"
    low, high = _percent(row["rate_low"]), _percent(row["rate_high"])
    return f"{k} of {n}: {_percent(row['rate'])} ({low} to {high})"


def ratio_words(row: Mapping[Any, Any]) -> str:
    """Ratio with its interval; at least so much where chance never gave the verdict."""
    names = ("ratio", "ratio_low", "ratio_high")
    # bounds of zero come with the error of their rounding
    ratio, low, high = (0.0 if abs(v) < 1e-9 else v for v in (number(row[n]) for n in names))
    if math.isfinite(ratio):
        bounds = f"{probability(low)} to {probability(high) if math.isfinite(high) else '∞'}"
        return (
            f"{significant(ratio, 2)} ({bounds})" if math.isfinite(low) else significant(ratio, 2)
        )
    if number(row["k_real"]) > 0 and math.isfinite(low):
        return f"above {significant(low, 2)}: never by chance"
    return "never by chance" if number(row["k_real"]) > 0 else ""
