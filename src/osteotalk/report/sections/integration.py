"""The section on integration: are the samples in one space, and were cell types kept apart."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from osteotalk.report.figures.populations import before_after_umap, facet_umap
from osteotalk.report.inputs import Cohort
from osteotalk.report.model import Column, Figure, Section, Table
from osteotalk.report.words.text import count, number, plural, significant, words

_METHODS = {
    "harmony": "Harmony",
    "scanorama": "Scanorama",
    "scvi": "scVI",
}
_NAMES = {
    "ilisi": "Samples mixed",
    "own_clisi": "Cell groups kept apart",
    "own_ari": "Cell groups kept",
    "own_nmi": "Cell groups kept",
    "author_clisi": "Authors' labels kept apart",
    "author_ari": "Authors' labels kept",
    "author_nmi": "Authors' labels kept",
    "author_silhouette": "Authors' labels kept apart",
    "sample_silhouette": "Samples mixed inside labels",
}


def section(cohort: Cohort) -> Section:
    """Build the section from what the step recorded in ``uns`` and from the maps of the cells."""
    done = _record(cohort)
    aligned = words(done.get("aligned")) == "yes"
    mixing = done.get("mixing") if isinstance(done.get("mixing"), Mapping) else {}
    table = _mixing_table(cohort, mixing or {}, aligned=aligned)
    figures = [*_facets(cohort), *_before_after(cohort, done, measured=table is not None)]
    return Section(
        anchor="integration",
        title="Samples in one space",
        question="Do cells lie together by type rather than by sample, without types being lost?",
        body=_body(cohort, done, mixing or {}, aligned=aligned),
        figures=tuple(figures),
        tables=(table,) if table else (),
        caveats=_caveats(mixing or {}, aligned=aligned),
    )


def _record(cohort: Cohort) -> Mapping[str, Any]:
    steps = cohort.adata.uns.get("osteotalk", {})
    found = steps.get("integrate", {}) if isinstance(steps, Mapping) else {}
    return found if isinstance(found, Mapping) else {}


def _body(
    cohort: Cohort, done: Mapping[str, Any], mixing: Mapping[str, Any], *, aligned: bool
) -> tuple[str, ...]:
    method = _METHODS.get(words(done.get("method")), words(done.get("method")))
    n_samples = cohort.cells["sample"].astype(str).nunique()
    if aligned:
        text = [f"The {plural(n_samples, 'sample')} were aligned with {method}."]
    elif n_samples < 2:
        text = ["The cohort has one sample with cells, so there was nothing to align."]
    else:
        text = [f"The {plural(n_samples, 'sample')} were not aligned, as the config says."]
    metrics = mixing.get("metrics", {})
    ilisi, kept = metrics.get("ilisi", {}), metrics.get("own_ari", {})
    if "after" in ilisi and "after" in kept:
        text.append(
            "Measured on the principal components: a cell had "
            f"{significant(ilisi['before'], 2)} samples around it before and "
            f"{significant(ilisi['after'], 2)} after, by the inverse Simpson's index (LISI, "
            "doi:10.1038/s41592-019-0619-0). The groups of cells that each sample shows by itself "
            "agree with the joint clusters by an adjusted Rand index "
            f"(doi:10.1038/s41592-021-01336-8) of {significant(kept['before'], 2)} before and "
            f"{significant(kept['after'], 2)} after."
        )
    if mixing and number(mixing.get("n_cells")) < number(mixing.get("n_cells_all")):
        text.append(
            f"The measures are of {count(mixing['n_cells'])} of {count(mixing['n_cells_all'])} "
            "cells, drawn at random with each sample's share kept."
        )
    return tuple(text)


def _caveats(mixing: Mapping[str, Any], *, aligned: bool) -> tuple[str, ...]:
    caveats = [
        "More mixing is not always better. Tumour cells differ between patients for good reasons, "
        "and samples that hold different cell types should not mix. Read the mixing together with "
        "the rows on what was kept: if samples mix while those fall, types were forced together.",
    ]
    if aligned:
        caveats.append(
            "Aligning changes the space in which clusters and maps are made. Counts, marker scores "
            "and ligand-receptor scores are not touched by it."
        )
    caveats += [_sentence(str(note)) for note in list(mixing.get("notes", ()))]
    return tuple(caveats)


def _sentence(note: str) -> str:
    return note[:1].upper() + note[1:].rstrip(".") + "."


def _mixing_table(cohort: Cohort, mixing: Mapping[str, Any], *, aligned: bool) -> Table | None:
    rows = [
        {
            "metric": name,
            "label": _NAMES.get(name, name),
            "what": words(metric.get("what")),
            "before": number(metric.get("before")),
            "after": number(metric.get("after")),
            "better": words(metric.get("better")),
            "change": _change(metric),
        }
        for name in [*_NAMES, *sorted(set(mixing.get("metrics", {})) - set(_NAMES))]
        if (metric := mixing.get("metrics", {}).get(name))
    ]
    if not rows:
        return None
    compared = (
        Column("before", "Before", "number"),
        Column("after", "After", "number"),
        Column("change", "Change"),
    )
    return Table(
        "table-mixing",
        pd.DataFrame(rows),
        "How well samples are mixed and cell types kept"
        + (", before and after aligning. " if aligned else ", without aligning. ")
        + "Labels come from elsewhere: the authors, or clusters of each sample alone. Clusters "
        "compared here, alone and joint, are all of resolution 1.",
        (
            Column("label", "Question"),
            Column("what", "Measure", wide=True),
            *(compared if aligned else (Column("before", "Value", "number"),)),
            Column("better", "Better if"),
        ),
        download=f"assets/{cohort.dataset}_mixing.tsv",
    )


def _change(metric: Mapping[str, Any]) -> str:
    before, after = number(metric.get("before")), number(metric.get("after"))
    if not math.isfinite(after):
        return ""
    if abs(after - before) < 0.01 * max(abs(before), abs(after)):
        return "about the same"
    return "better" if (after > before) == (metric.get("better") == "higher") else "worse"


def _facets(cohort: Cohort) -> list[Figure]:
    points = cohort.points()
    if points is None:
        return []
    samples = cohort.cells["sample"].astype(str).tolist()
    alt = f"UMAP in one panel per sample, for {plural(len(set(samples)), 'sample')}"
    svg = facet_umap(
        points, samples, labels=cohort.sample_titles(), uid="umaps", alt=alt, stamp=cohort.stamp
    )
    caption = (
        "The map of the populations, one panel per sample: its cells dark, all others grey. A "
        "population that only one sample fills may be a patient's own tumour, or an effect of that "
        "sample's handling; the map cannot tell which."
    )
    figures = [Figure("figure-umap-sample", svg, alt, caption, table="table-qc")]
    conditions = [words(c) or "not given" for c in cohort.cells["condition"].astype(object)]
    given = list(dict.fromkeys(words(c) or "not given" for c in cohort.samples["condition"]))
    labels = {name: name.replace("_", " ") for name in [*given, *sorted(set(conditions))]}
    if len(set(conditions)) > 1:
        alt = "UMAP in one panel per condition: " + ", ".join(labels.values())
        svg = facet_umap(
            points, conditions, labels=labels, uid="umapc", alt=alt, stamp=cohort.stamp
        )
        caption = (
            "The same map, one panel per condition. Conditions differ in patients as well: a "
            "population that only one condition shows may belong to a single patient, see the "
            "samples above."
        )
        figures.append(Figure("figure-umap-condition", svg, alt, caption, table="table-qc"))
    return figures


def _before_after(cohort: Cohort, done: Mapping[str, Any], *, measured: bool) -> list[Figure]:
    before, after = cohort.points("X_umap_unaligned"), cohort.points()
    if before is None or after is None:
        return []
    shown = np.isfinite(before).all(axis=1)
    if not shown.any():
        return []
    method = _METHODS.get(words(done.get("method")), words(done.get("method")))
    samples = cohort.cells.loc[shown, "sample"].astype(str)
    alt = (
        f"UMAPs of {count(shown.sum())} cells before and after aligning with {method}, by sample "
        "and by population"
    )
    rank = {name: place for place, name in enumerate(cohort.sample_titles())}
    svg = before_after_umap(
        {"before": before[shown], f"after {method}": after[shown]},
        samples=samples.tolist(),
        sample_order=sorted(set(samples), key=lambda name: (rank.get(name, len(rank)), name)),
        populations=cohort.named[shown].tolist(),
        words=cohort.palette,
        uid="aligned",
        alt=alt,
        stamp=cohort.stamp,
    )
    some = "" if shown.all() else f" {count(shown.sum())} cells drawn at random are shown."
    caption = (
        "The same cells before and after the samples were aligned. Above: samples; a group of one "
        "colour that takes in others after aligning was split by sample before. Below: "
        "populations, in the colours of the map above; colours that lay apart and lie on top of "
        f"each other after aligning would be types lost. The maps are for the eye, the table "
        f"measures it.{some}"
    )
    table = "table-mixing" if measured else None
    return [Figure("figure-aligned", svg, alt, caption, table=table)]
