"""The section of a claim's panel on the patients behind it."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from osteotalk.claims.claim import (
    COMPOSITION,
    CONDITIONS,
    CORRELATION,
    EXPRESSION,
    INTERACTION,
    SIGNATURE,
)
from osteotalk.report.figures.panels import correlation_figure, patients_figure
from osteotalk.report.inputs import Claim, Parts
from osteotalk.report.model import Column, Figure, Section, Table
from osteotalk.report.words.claims import Names, is_contrast, quantity_words
from osteotalk.report.words.text import claim_stem, plural, words

_UNITS = {
    INTERACTION: "source's share of the ligand times target's share of the receptor",
    EXPRESSION: "share of the expression that is in the named populations",
    SIGNATURE: "score in the named populations, less that in the others",
    COMPOSITION: "share of cells",
}
_LEVELS = {
    EXPRESSION: "mean log1p expression",
    SIGNATURE: "score of the programme",
    COMPOSITION: "logit of the share of cells",
}
Row = Mapping[Any, Any]


def section(claim: Claim) -> Section | None:
    """The section of a claim's panel; None where no patient has a value."""
    row, parts, names, stamp = claim.row, claim.patients, claim.names, claim.stamp
    kept = [(title, own) for title, own in parts if len(own)]
    if not kept:
        return None
    table = pd.concat([own.assign(cohort=title) for title, own in kept], ignore_index=True)
    return Section(
        anchor="patients",
        title="Patient by patient",
        question="Is it the same in all patients, or does one carry the result?",
        figures=_patient_figure(row, kept, names=names, stamp=stamp),
        tables=(
            Table(
                "table-patients",
                table,
                f"Values by patient: {unit_words(row)}; the mean over the matched decoys of the "
                "claim beside it. Samples of a patient are averaged.",
                (
                    Column("cohort", "Cohort"),
                    Column("patient", "Patient", "code"),
                    Column("condition", "Condition", missing="not given"),
                    Column("value", "Value", "number", missing="not measured"),
                    Column("decoys", "Decoys", "number", missing="no decoys"),
                    Column("active", "Active", missing="a contrast has no active patients"),
                    *(
                        [Column("along", "Other quantity", "number", missing="not measured")]
                        if words(row.get("contrast")) == CORRELATION
                        else []
                    ),
                ),
                download=f"assets/{claim_stem(str(row['claim_id']))}_patients.tsv",
                collapsed=True,
            ),
        ),
    )


def unit_words(row: Row) -> str:
    """Name what the value of a claim is."""
    kind = words(row.get("kind"))
    if is_contrast(row) and kind in _LEVELS:
        return _LEVELS[kind]
    return _UNITS.get(kind, "value")


def _patient_figure(row: Row, parts: Parts, *, names: Names, stamp: str) -> tuple[Figure, ...]:
    contrast = words(row.get("contrast"))
    needed = ["value", "along"] if contrast == CORRELATION else ["value"]
    known = [(title, own.dropna(subset=needed)) for title, own in parts]
    known = [(title, own) for title, own in known if len(own)]
    if not known:
        return ()
    lost = sum(len(own) for _, own in parts) - sum(len(own) for _, own in known)
    pairs = sum(int(own["patient"].duplicated().sum()) for _, own in known)
    if contrast == CONDITIONS:
        known = [
            (f"{title}: {words(name)}" if len(known) > 1 else words(name), group)
            for title, own in known
            for name, group in own.groupby("condition", sort=False)
        ]
    unit = unit_words(row)
    told = "; ".join(
        f"{label}: {plural(len(own), 'patient')}, mean {own['value'].mean():.3g}"
        for label, own in known
    )
    alt = f"Values of {row['claim_id']} by patient. {told}"
    mark = {"uid": "patients", "alt": alt, "stamp": stamp}
    caption = f"Each dot is a patient ({unit}). "
    if contrast == CORRELATION:
        other = words(row.get("contrast_with"))  # empty in a result without a claim
        along = quantity_words(other, names) if other else "other quantity"
        svg = correlation_figure(known, unit=unit, along=along, **mark)
        caption += "A correlation over patients does not say what causes what."
    else:
        svg = patients_figure(known, unit=unit, plain=not contrast, **mark)
        caption += (
            "The grey tick beside a dot is the mean over the matched decoys in the same patient, "
            "the black line the mean of the patients. Where ticks are as far right as the dots, "
            "other pairs or genes of the same detection do as well."
        )
    if pairs:
        caption += f" A line joins the two dots of each of {plural(pairs, 'patient')} with both."
    if lost:
        caption += f" {plural(lost, 'patient')} without a value not drawn."
    return (Figure("figure-patients", svg, alt, caption, table="table-patients"),)
