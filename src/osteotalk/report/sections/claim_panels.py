"""The sections of a claim's panel that show its evidence: patients, decoys, edges."""

from collections.abc import Mapping, Sequence
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
from osteotalk.report.figures.panels import correlation_figure, decoys_figure, patients_figure
from osteotalk.report.model import Column, Figure, Section, Table
from osteotalk.report.words.claims import Names, is_contrast, quantity_words
from osteotalk.report.words.text import (
    claim_file,
    count,
    enumerate_words,
    plural,
    support_text,
    words,
)

TOP_EDGES = 10  # of each cohort
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
_CONTROLS = {"matched": "matched decoys", "populations": "between other populations"}

Row = Mapping[Any, Any]
Parts = Sequence[tuple[str, pd.DataFrame]]


def unit_words(row: Row) -> str:
    """Name what the value of a claim is."""
    kind = words(row.get("kind"))
    if is_contrast(row) and kind in _LEVELS:
        return _LEVELS[kind]
    return _UNITS.get(kind, "value")


def _stem(row: Row) -> str:
    return claim_file(str(row["claim_id"])).removesuffix(".html").replace("/", "_")


def patient_section(row: Row, parts: Parts, *, names: Names, stamp: str) -> Section | None:
    """Section with every patient behind the claim; None where there is none.

    Parameters
    ----------
    row
        Of `osteotalk.report.tables.claims.with_verdicts`.
    parts
        Title of each cohort with its rows of table `values`.
    names
        Labels of populations and programmes.
    stamp
        Words to print into the figure.
    """
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
                download=f"assets/{_stem(row)}_patients.tsv",
                collapsed=True,
            ),
        ),
    )


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


def decoy_section(row: Row, parts: Parts, *, stamp: str) -> Section | None:
    """Section with the decoys of the claim; None where it has none.

    Parameters
    ----------
    row
        Of `osteotalk.report.tables.claims.with_verdicts`.
    parts
        Title of each cohort with its rows of table `decoy_statistics`.
    stamp
        Words to print into the figure.
    """
    split = [
        (title, {str(name): part for name, part in own.groupby("control", observed=True)})
        for title, own in parts
    ]
    seen = {name for _, by_control in split for name in by_control}
    controls = {name: title for name, title in _CONTROLS.items() if name in seen}
    if not controls:
        return None
    told = "; ".join(
        f"{title}, {controls[name]}: {_told(part)}"
        for title, by_control in split
        for name, part in by_control.items()
        if name in controls
    )
    alt = f"Decoys of {row['claim_id']}. {told}"
    svg = decoys_figure(split, controls=controls, uid="decoys", alt=alt, stamp=stamp)
    return Section(
        anchor="decoys",
        title="Against decoys",
        question="Would other pairs, genes or populations do as well?",
        figures=(
            Figure(
                "figure-decoys",
                svg,
                alt,
                "Histogram of the statistic of the decoys in each cohort, with that of the claim "
                "as a line with a diamond. The statistic is the mean over patients of a plain "
                "claim, the difference or rank correlation of a contrast, turned so that larger is "
                "in the stated direction. A claim inside the hill of its decoys is nothing "
                "special; to stand out is to be unusual, not to be true.",
            ),
        ),
    )


def _told(part: pd.DataFrame) -> str:
    role = part["role"].to_numpy() == "claim"
    values = part["statistic"].to_numpy(float)
    claim, decoys = values[role], values[~role]
    if not claim.size or not decoys.size:
        return f"{count(decoys.size)} decoys"
    return (
        f"claim {claim[0]:.3g}, {count((decoys >= claim[0]).sum())} of {count(decoys.size)} "
        "decoys at least as strong"
    )


def edge_section(row: Row, parts: Parts, *, names: Names) -> Section | None:
    """Section with the best edges of an interaction claim; None where none was scored.

    Parameters
    ----------
    row
        Of `osteotalk.report.tables.claims.with_verdicts`.
    parts
        Title of each cohort with its edges of the claim, rows of table `support`, the best first.
    names
        Labels of populations and programmes.
    """
    total = sum(len(own) for _, own in parts)
    if not total:
        return None
    frame = pd.concat(
        [own.head(TOP_EDGES).assign(cohort=title) for title, own in parts if len(own)],
        ignore_index=True,
    )
    frame = frame.assign(
        _source=[names.palette.label(str(name)) for name in frame["source"]],
        _target=[names.palette.label(str(name)) for name in frame["target"]],
        _support=[support_text(edge) for edge in frame.to_dict("records")],
    )
    each = [f"{plural(len(own), 'edge')} in {title}" for title, own in parts]
    return Section(
        anchor="edges",
        title="Best edges",
        question="Which pairs, between which populations, carry the claim?",
        body=(
            f"The claim has {enumerate_words(each)} that were found in at least one sample; the "
            f"table shows the best {TOP_EDGES} of each cohort, by support, then by median "
            "specificity rank. All are in the file of the cohort.",
        ),
        tables=(
            Table(
                "table-edges",
                frame,
                "Best edges. Support counts the patients in whom the edge is active, Detected in "
                "those in whom both genes are detected; smaller ranks are stronger.",
                (
                    Column("_source", "Source"),
                    Column("_target", "Target"),
                    Column("ligand_complex", "Ligand", "code"),
                    Column("receptor_complex", "Receptor", "code"),
                    Column("cohort", "Cohort"),
                    Column("_support", "Support", "estimate", sort="support", missing="none"),
                    Column("n_detected", "Detected in", "integer"),
                    Column("median_specificity_rank", "Specificity rank", "probability"),
                    Column("median_magnitude_rank", "Magnitude rank", "probability"),
                ),
                download=f"assets/{_stem(row)}_edges.tsv",
            ),
        ),
    )


def edges_of_claims(support: pd.DataFrame, claims: Sequence[Any]) -> dict[str, pd.DataFrame]:
    """Edges that belong to each interaction claim, the best supported first.

    Parameters
    ----------
    support
        Table `support` of a cohort.
    claims
        From `osteotalk.claims.claim.read_claims`. A side that names no population takes any.

    Returns
    -------
    Rows of `support` by claim; claims without one are left out.
    """
    pairs = support["ligand_complex"].astype(str) + "^" + support["receptor_complex"].astype(str)
    wanted = {pair for claim in claims for pair in claim.pairs}
    chosen = support[pairs.isin(wanted).to_numpy()].assign(_pair=pairs[pairs.isin(wanted)])
    chosen = chosen.sort_values(
        ["support", "n_active", "median_specificity_rank", "source", "target", "_pair"],
        ascending=[False, False, True, True, True, True],
        kind="stable",
    )
    found = {}
    for claim in claims:
        if claim.kind != INTERACTION:
            continue
        mask = chosen["_pair"].isin(claim.pairs)
        for column, side in (("source", claim.source), ("target", claim.target)):
            if side:
                mask &= chosen[column].isin(side)
        if mask.any():
            found[claim.claim_id] = chosen[mask].drop(columns="_pair")
    return found
