"""The section on verdicts that move when a setting is changed."""

from typing import Any

import pandas as pd

from osteotalk.report.inputs import Run
from osteotalk.report.model import Column, Section, Table
from osteotalk.report.words.text import count, plural

MOVED = "yes"
_SHARED: dict[str, Any] = {
    "anchor": "sensitivity",
    "title": "Sensitivity to the settings",
    "question": "Which verdicts would be others under other settings?",
}


def section(run: Run) -> Section:
    """The section of the page on how sure the verdicts are; it says so where it was not run."""
    sensitivity, stamp = run.overall.sensitivity, run.stamp
    if sensitivity is None or sensitivity.empty:
        return Section(
            **_SHARED,
            body=(
                "The settings were not varied in this run: the verdicts are those of the settings "
                "under Provenance, and how many would move is not known.",
            ),
        )
    moved = sensitivity[sensitivity["moved"].astype(str) == MOVED].reset_index(drop=True)
    return Section(
        **_SHARED,
        body=(_told(sensitivity, moved, stamp),),
        tables=(_per_setting(sensitivity), _moved(moved)),
        caveats=(
            "One setting is changed at a time, the others keep their values. A verdict that moves "
            "between 'supported' and 'present, not specific' lies at a limit; one that becomes "
            "'not testable' lost patients, cells or pairs, not its evidence.",
        ),
    )


def _told(sensitivity: pd.DataFrame, moved: pd.DataFrame, stamp: str) -> str:
    runs = sensitivity[["dataset", "setting", "value"]].drop_duplicates()
    claims = sensitivity["claim_id"].nunique()
    stable = claims - moved["claim_id"].nunique()
    head = f"{stamp.capitalize()}: " if stamp else ""
    return (
        f"{head}{plural(len(runs), 'change')} of a setting tried: {count(len(moved))} of "
        f"{plural(len(sensitivity), 'verdict')} moved. {count(stable)} of "
        f"{plural(claims, 'claim')} kept their verdict under all of them."
    )


def _per_setting(sensitivity: pd.DataFrame) -> Table:
    keys = ["setting", "value", "dataset"]
    flags = sensitivity.assign(
        n_claims=1,
        n_moved=(sensitivity["moved"].astype(str) == MOVED).astype(int),
        n_gained=(
            (sensitivity["verdict"] == "supported") & (sensitivity["baseline"] != "supported")
        ).astype(int),
        n_lost=(
            (sensitivity["verdict"] != "supported") & (sensitivity["baseline"] == "supported")
        ).astype(int),
    )
    sums = ["n_claims", "n_moved", "n_gained", "n_lost"]
    frame = flags.groupby(keys, sort=False)[sums].sum().reset_index()
    return Table(
        "table-settings",
        frame,
        "How many verdicts move with each change of a setting, and how many of them become "
        "supported or are no longer.",
        (
            Column("setting", "Setting", "code"),
            Column("value", "Changed to", "code"),
            Column("dataset", "Cohort"),
            Column("n_claims", "Claims", "integer"),
            Column("n_moved", "Moved", "integer"),
            Column("n_gained", "Became supported", "integer"),
            Column("n_lost", "No longer supported", "integer"),
        ),
        download="assets/sensitivity_settings.tsv",
    )


def _moved(moved: pd.DataFrame) -> Table:
    return Table(
        "table-moved",
        moved,
        "Verdicts that moved: with the settings of this report, and with the changed one. Claims "
        "that are not listed kept their verdict.",
        (
            Column("claim_id", "Claim", "code"),
            Column("setting", "Setting", "code"),
            Column("value", "Changed to", "code"),
            Column("dataset", "Cohort"),
            Column("baseline", "Verdict here", "verdict"),
            Column("verdict", "Verdict then", "verdict"),
        ),
        download="assets/sensitivity.tsv",
        filters=("setting", "dataset", "baseline", "verdict"),
    )
