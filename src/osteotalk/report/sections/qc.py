"""Section on the samples: what was dropped and why, doublets, ambient RNA."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from osteotalk.report.figures.qc import (
    ambient_figure,
    distributions_figure,
    doublet_figure,
    qc_figure,
)
from osteotalk.report.inputs import Cohort
from osteotalk.report.model import Column, Figure, Section, Table
from osteotalk.report.words.text import (
    count,
    enumerate_words,
    number,
    plural,
    significant,
    whole,
    words,
)

Record = Mapping[str, Any]

EMPTY = "empty"
REASONS: Mapping[str, str] = {
    EMPTY: "empty droplet",
    "low_counts": "too few counts",
    "high_counts": "too many counts",
    "low_genes": "too few genes",
    "high_genes": "too many genes",
    "high_mito": "mitochondrial share",
    "doublet": "doublet",
    "ambient_only": "nothing left after ambient RNA",
}
RULES: Mapping[str, str] = {
    "scrublet": "Scrublet's",
    "expected share": "as many as expected",
    "none": "not called",
}


def section(cohort: Cohort) -> Section:
    """The section of a cohort's page."""
    samples, qc, stamp = cohort.samples, cohort.results.qc, cohort.stamp
    frame, reasons = qc_table(samples, qc)
    kept = set(cohort.cells["sample"].astype(str))
    lost = [str(name) for name in samples["sample"] if str(name) not in kept]
    caveats = shared_notes([str(name) for name in samples["sample"]], qc)
    if lost:
        caveats.insert(
            0,
            f"{plural(len(lost), 'sample')} dropped entirely, without a kept cell: "
            f"{enumerate_words(lost)}.",
        )
    figures = [
        *_bars(frame, reasons, stamp=stamp),
        *_distributions(frame, qc, stamp=stamp),
        *_doublets(frame, qc, stamp=stamp),
        *_ambient(frame, stamp=stamp),
    ]
    return Section(
        anchor="samples",
        title="Samples and quality control",
        question="How many cells of which patients is everything below based on?",
        body=_body(frame, qc),
        figures=tuple(figures),
        tables=(_sample_table(frame, reasons, dataset=cohort.dataset),),
        caveats=tuple(caveats),
    )


def qc_table(samples: pd.DataFrame, qc: Sequence[Record]) -> tuple[pd.DataFrame, dict[str, str]]:
    """Quality control of every sample, and the reasons for which cells were dropped.

    Returns
    -------
    One row per sample, in the order of `samples`, with ``label``, the counts, one column per
    reason, doublets and ambient RNA; and the words for each reason column. Samples without a
    record have zero cells.
    """
    records = {str(record["sample"]): record for record in qc}
    seen = {str(reason) for record in qc for reason in (record.get("dropped") or {})}
    names = [reason for reason in REASONS if reason in seen] + sorted(seen - set(REASONS))
    reasons = {name: REASONS.get(name, name.replace("_", " ")) for name in names}
    rows = []
    for sample in samples.to_dict("records"):
        record = records.get(str(sample["sample"]), {})
        dropped = record.get("dropped") or {}
        row = {
            "sample": str(sample["sample"]),
            "patient": words(sample.get("patient")),
            "condition": words(sample.get("condition")),
            "histology": words(sample.get("histology")),
            "suspension": words(record.get("suspension")),
            "label": f"{words(sample.get('patient'))} · {sample['sample']}",
            "n_cells_raw": whole(record.get("n_cells_raw")),
            "n_cells_kept": whole(record.get("n_cells_kept")),
        }
        row |= {name: whole(dropped.get(name)) for name in names}
        for name in ("median_counts", "median_genes", "median_pct_mito"):
            row[name] = number(record.get(name))
        row |= _doublet_row(record.get("doublets") or {})
        row |= _ambient_row(record.get("ambient") or {})
        rows.append(row | {"limits": limits_text(record)})
    fixed = ["sample", "patient", "condition", "histology", "suspension", "label"]
    fixed += ["n_cells_raw", "n_cells_kept", *names]
    fixed += ["median_counts", "median_genes", "median_pct_mito"]
    fixed += [*_doublet_row({}), *_ambient_row({}), "limits"]
    return pd.DataFrame(rows, columns=fixed), reasons


def shared_notes(samples: Sequence[str], qc: Sequence[Record]) -> list[str]:
    """Notes of the records, each once, with the samples it is about."""
    found: dict[str, list[str]] = {}
    for record in qc:
        for note in record.get("notes") or []:
            found.setdefault(str(note), []).append(str(record["sample"]))
    lines = []
    for note, names in found.items():
        if len(names) == len(samples) > 1:
            lines.append(f"All samples: {note}.")
        else:
            noun = "Sample" if len(names) == 1 else "Samples"
            lines.append(f"{noun} {enumerate_words(names)}: {note}.")
    return lines


def limits_text(record: Record) -> str:
    """Limits of a sample in words; empty where there is no record."""
    limits = record.get("limits")
    if not isinstance(limits, Mapping):
        return ""
    parts = _bounds(limits)
    threshold = number((record.get("doublets") or {}).get("threshold"))
    parts.append(
        f"doublet score up to {significant(threshold)}"
        if math.isfinite(threshold)
        else "no doublet threshold"
    )
    if overrides := record.get("overrides"):
        listed = ", ".join(f"{name} {significant(value)}" for name, value in overrides.items())
        parts.append(f"from the table of samples: {listed}")
    return "; ".join(parts)


def _bounds(limits: Mapping[str, Any]) -> list[str]:
    """Limits on counts, genes and mitochondrial share, those that are recorded."""
    parts = []
    for name, label in (("n_counts", "counts"), ("n_genes", "genes")):
        bounds = limits.get(name)
        if isinstance(bounds, Sequence) and len(bounds) == 2:
            parts.append(f"{label} {count(bounds[0])} to {count(bounds[1])}")
    if math.isfinite(number(limits.get("pct_mito_max"))):
        parts.append(f"mito. up to {significant(limits['pct_mito_max'])} %")
    return parts


def _doublet_row(record: Record) -> dict[str, object]:
    expected, called = number(record.get("expected_share")), number(record.get("called_share"))
    rule = words(record.get("rule"))
    told = math.isfinite(called)
    return {
        "doublet_expected": expected,
        "doublet_called": called,
        "doublets": f"{called:.1%} called, {expected:.1%} expected" if told else "",
        "doublet_rule": RULES.get(rule, rule),
    }


def _ambient_row(record: Record) -> dict[str, object]:
    shares = [number(record.get(f"share{end}")) for end in ("", "_low", "_high")]
    text = "{:.1f} % ({:.1f} to {:.1f})".format(*(100 * value for value in shares))
    return {
        **dict(zip(("ambient_share", "ambient_low", "ambient_high"), shares, strict=True)),
        "ambient_genes": whole(record.get("n_genes")),
        "ambient_soup": words(record.get("soup")),
        "ambient_removed": whole(record.get("counts_removed")),
        "ambient": text if math.isfinite(shares[0]) else "",
    }


def _body(frame: pd.DataFrame, qc: Sequence[Record]) -> tuple[str, ...]:
    total, raw = int(frame["n_cells_kept"].sum()), int(frame["n_cells_raw"].sum())
    text = [f"{count(total)} of {count(raw)} droplets were kept."]
    if EMPTY in frame and (empty := int(frame[EMPTY].sum())):
        text.append(f"{count(empty)} of the droplets hold no cell; they are not drawn below.")
    known = frame["ambient_share"].dropna()
    if len(known):
        text.append(
            f"Ambient RNA makes up {known.min():.1%} to {known.max():.1%} of the counts in the "
            f"{plural(len(known), 'sample')} where it can be told."
        )
    removed = [r for r in qc if (r.get("ambient") or {}).get("counts_removed") is not None]
    if removed:
        names = [str(record["sample"]) for record in removed]
        text.append(
            f"{count(frame['ambient_removed'].sum())} counts were subtracted as ambient RNA in "
            f"{plural(len(names), 'sample')}: {enumerate_words(names)}."
        )
    return (" ".join(text),)


def _bars(frame: pd.DataFrame, reasons: Mapping[str, str], *, stamp: str) -> list[Figure]:
    if frame.empty:
        return []
    alt = "Cells kept per sample: " + "; ".join(
        f"{label}: {count(k)} of {count(r)}"
        for label, k, r in zip(
            frame["label"], frame["n_cells_kept"], frame["n_cells_raw"], strict=True
        )
    )
    drawn = {name: wording for name, wording in reasons.items() if name != EMPTY}
    svg = qc_figure(frame, reasons=drawn, uid="qc", alt=alt, stamp=stamp)
    caption = (
        "Droplets of each sample, kept and dropped by reason. A droplet that breaks several "
        "rules is counted once. Compare samples: one that loses far more than the others was "
        "processed or preserved differently. The limits adapt to each sample, so a kept cell "
        "is not a certified one."
    )
    return [Figure("figure-qc", svg, alt, caption, table="table-qc")]


def _in_order(
    frame: pd.DataFrame, qc: Sequence[Record], key: str, inner: str = ""
) -> tuple[list[Record], list[str]]:
    """Records that have an entry, in the order of the table, and the labels of their samples."""
    records = {str(record["sample"]): record for record in qc}
    found, labels = [], []
    for name, label in zip(frame["sample"], frame["label"], strict=True):
        record = records.get(name, {})
        entry = record.get(key)
        if entry and (not inner or entry.get(inner)):
            found.append(record)
            labels.append(str(label))
    return found, labels


def _distributions(frame: pd.DataFrame, qc: Sequence[Record], *, stamp: str) -> list[Figure]:
    records, labels = _in_order(frame, qc, "distributions")
    if not records:
        return []
    hidden = sum(whole(r["distributions"]["n_counts"].get("below")) for r in records)
    alt = f"Distributions before filtering in {plural(len(records), 'sample')}, with the limits: "
    alt += "; ".join(
        f"{label}: {', '.join(_bounds(record['limits']))}"
        for label, record in zip(labels, records, strict=True)
    )
    svg = distributions_figure(records, labels=labels, uid="qcshape", alt=alt, stamp=stamp)
    caption = (
        "Droplets before filtering: counts and genes on a log scale, mitochondrial share of those "
        "above the floors. Lines are the limits, unless beyond all droplets; what lies outside is "
        "dropped. Heights are scaled panel by panel. A limit in the middle of a hump cuts into "
        "real cells; two humps on one side of it may be two kinds of cells, or debris that was "
        "kept."
    )
    if hidden:
        caption += f" {count(hidden)} droplets far below the floor of counts are not drawn."
    return [Figure("figure-qc-limits", svg, alt, caption, table="table-qc")]


def _doublets(frame: pd.DataFrame, qc: Sequence[Record], *, stamp: str) -> list[Figure]:
    records, labels = _in_order(frame, qc, "doublets", "histogram")
    if not records:
        return []
    calls = [record["doublets"] for record in records]
    told = {
        name: (text, rule)
        for name, text, rule in zip(
            frame["label"], frame["doublets"], frame["doublet_rule"], strict=True
        )
    }
    alt = "Doublet scores per sample; " + "; ".join(
        f"{label}: {told[label][0]}, threshold {told[label][1]}" for label in labels
    )
    trusted = sum(call["rule"] == "scrublet" for call in calls)
    svg = doublet_figure(calls, labels=labels, uid="doublets", alt=alt, stamp=stamp)
    caption = (
        "Share of simulated doublets among the neighbours of each cell, on which Scrublet's score "
        "rests, and the same for the simulated doublets. The threshold is good where it stands in "
        "a valley between two humps of the simulated doublets; the left hump are doublets of "
        "two cells of one kind, which nobody can tell. Scrublet's own threshold passed the check "
        f"in {trusted} of {plural(len(calls), 'sample')}; in the others the table says what was "
        "done. Doublets of one kind of cell stay in the data."
    )
    return [Figure("figure-doublets", svg, alt, caption, table="table-qc")]


def _ambient(frame: pd.DataFrame, *, stamp: str) -> list[Figure]:
    if not frame["ambient_share"].notna().any():
        return []
    alt = "Ambient RNA per sample: " + "; ".join(
        f"{label}: {text or 'cannot be told'}"
        for label, text in zip(frame["label"], frame["ambient"], strict=True)
    )
    svg = ambient_figure(frame, uid="ambient", alt=alt, stamp=stamp)
    caption = (
        "Share of the counts of the kept cells that comes from the fluid around them, from genes "
        "that some clusters make and others do not. It puts the genes of abundant populations at "
        "a low level into all others. The range covers the choice of genes, not clusters that "
        "mix populations or doublets, which push the share up."
    )
    return [Figure("figure-ambient", svg, alt, caption, table="table-qc")]


def _sample_table(frame: pd.DataFrame, reasons: Mapping[str, str], *, dataset: str) -> Table:
    return Table(
        "table-qc",
        frame,
        "Samples and their quality control. Medians are over kept cells. Doublets: share of the "
        "scored cells, and the share expected from the number of droplets or the table of samples. "
        "Ambient RNA: share of the counts, with its range over the choice of genes.",
        (
            Column("sample", "Sample", "code"),
            Column("patient", "Patient"),
            Column("condition", "Condition", missing="not given"),
            Column("histology", "Histology", missing="not given"),
            Column("suspension", "Treated as", missing="no quality control record"),
            Column("n_cells_raw", "Droplets", "integer", missing="no quality control record"),
            Column("n_cells_kept", "Kept", "integer", missing="no quality control record"),
            *[Column(key, f"Dropped: {label}", "integer") for key, label in reasons.items()],
            Column("median_counts", "Median counts", "integer", missing="no cell kept"),
            Column("median_genes", "Median genes", "integer", missing="no cell kept"),
            Column("median_pct_mito", "Median mito. %", "number", missing="no cell kept"),
            Column("doublets", "Doublets", sort="doublet_called", missing="not called"),
            Column("doublet_rule", "Doublet threshold", missing="not recorded"),
            Column("ambient", "Ambient RNA", sort="ambient_share", missing="cannot be told"),
            Column("limits", "Limits applied", wide=True, missing="not recorded"),
        ),
        download=f"assets/{dataset}_samples.tsv",
    )
