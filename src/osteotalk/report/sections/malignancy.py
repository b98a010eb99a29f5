"""The section on malignancy: which cells are tumour cells, and by what evidence."""

import math

import pandas as pd
from anndata import AnnData

from osteotalk.annotate.malignancy import SHOWN_CELLS
from osteotalk.annotate.malignancy_sample import (
    COMPUTED,
    NO_CHANGE,
    NOT_COMPUTED,
    NOT_WEIGHED,
    ONE_ARM,
)
from osteotalk.interactions.clone_genes import MIN_CELLS
from osteotalk.report.figures.clones import clones_figure, private_arms
from osteotalk.report.figures.cnv import cnv_heatmap
from osteotalk.report.figures.populations import facet_umap
from osteotalk.report.inputs import Cohort
from osteotalk.report.model import Figure, Section
from osteotalk.report.tables.malignancy import (
    CALLS,
    call_table,
    clone_gene_table,
    clone_table,
    renamed_table,
    rule_words,
    sample_states,
    sample_table,
)
from osteotalk.report.words.text import count, enumerate_words, number, plural, setting, words

_COLOURS = {"yes": "#B5421A", "no": "#1F4E79", "undetermined": "#8A6D1F"}


def section(cohort: Cohort) -> Section:
    """The section of a cohort's page."""
    malignancy, clone_genes = cohort.results.malignancy, cohort.results.clone_genes
    calls = cohort.cells["malignant"].astype(str)
    return Section(
        anchor="malignancy",
        title="Malignant cells",
        question="Which cells are tumour cells, and is that borne out by their copy number?",
        body=(*_body(cohort, calls, malignancy), *_clone_words(cohort, clone_genes)),
        definitions=rule_words(),
        figures=(*_map(cohort, calls), *_clones(cohort), *_heatmap(cohort, cohort.results.cnv)),
        tables=(
            sample_table(cohort, calls, malignancy),
            *clone_table(cohort),
            *clone_gene_table(cohort, clone_genes),
            *renamed_table(cohort),
            call_table(cohort, malignancy),
        ),
        caveats=_caveats(malignancy),
    )


def _body(cohort: Cohort, calls: pd.Series, malignancy: pd.DataFrame) -> tuple[str, ...]:
    sizes = {call: int((calls == call).sum()) for call in CALLS}
    total = max(len(calls), 1)
    listed = ", ".join(
        f"{plural(sizes[call], 'cell')} {label} ({sizes[call] / total:.1%})"
        for call, label in CALLS.items()
    )
    return (
        f"{listed[0].upper()}{listed[1:]}. {_copy_number(cohort, malignancy)}",
        _scored_as_malignant(cohort, calls),
        _renamed(cohort),
    )


def _clone_words(cohort: Cohort, clone_genes: pd.DataFrame) -> list[str]:
    """Say in how many ligands and receptors the clones of a sample differ, if one has several."""
    noted = cohort.noted("malignancy").get("samples", {})
    several = [
        name for name in cohort.sample_titles() if len(noted.get(name, {}).get("clones", {})) > 1
    ]
    if not several:
        return []
    n_genes = clone_genes.groupby(clone_genes["sample"].astype(str))["gene"].nunique()
    listed = [f"{name} {count(int(n_genes.get(name, 0)))}" for name in several]
    least = f"Clones of fewer than {MIN_CELLS} malignant cells are not compared."
    return [
        f"{plural(len(several), 'sample')} with several clones. Ligands and receptors in which a "
        f"clone differs from the others of its sample: {enumerate_words(listed)}. {least}"
    ]


def _copy_number(cohort: Cohort, malignancy: pd.DataFrame) -> str:
    """Say in which samples copy number was computed, and what it needs where it was not."""
    states = sample_states(malignancy)
    by_state = {
        state: [name for name in cohort.sample_titles() if states.get(name) == state]
        for state in (COMPUTED, ONE_ARM, NOT_WEIGHED, NO_CHANGE, NOT_COMPUTED)
    }
    every = cohort.cells["sample"].astype(str).nunique()
    told = sum(len(by_state[state]) for state in by_state if state != NOT_COMPUTED)
    text = f"Copy number could be computed in {count(told)} of {plural(every, 'sample')}."
    if single := by_state[ONE_ARM]:
        text += f" One arm only is changed in {enumerate_words(single)}, which does not settle it."
    if several := by_state[NOT_WEIGHED]:
        text += (
            f" Arms are changed in {enumerate_words(several)}, but too few of them have enough "
            "genes to weigh single cells by."
        )
    if unchanged := by_state[NO_CHANGE]:
        text += f" No cluster has a gained or lost arm in {enumerate_words(unchanged)}."
    if missing := by_state[NOT_COMPUTED]:
        least = number(setting(cohort.parameters, "malignancy.min_reference"))
        enough = f"at least {count(least)}" if math.isfinite(least) else "enough"
        text += (
            f" It could not in {enumerate_words(missing)}: it needs positions of the genes and "
            f"{enough} reference cells of the same sample to compare with. The table of samples "
            "has the reason."
        )
    return text


def _scored_as_malignant(cohort: Cohort, calls: pd.Series) -> str:
    """How many of the cells that scoring takes for tumour cells are called so."""
    table = cohort.populations
    names = set(table.loc[table["cnv_role"] == "malignant", "population"])
    scored = calls[cohort.named.isin(names).to_numpy()]
    if scored.empty:
        return (
            "No cell bears the name of a malignant population, so none is scored as a tumour cell."
        )
    unsure = int((scored == "undetermined").sum())
    against = int((scored == "no").sum())
    also = f" and {count(against)} not malignant" if against else ""
    alone = (
        " They count as tumour cells all the same, by their markers." if unsure + against else ""
    )
    return (
        "Scoring and claims go by the name of the population, not by this call: "
        f"{count(unsure)} of {plural(len(scored), 'cell')} scored as malignant populations "
        "(cnv_role malignant in the table of populations) "
        f"{'is' if unsure == 1 else 'are'} undetermined ({unsure / len(scored):.1%}){also}.{alone}"
    )


def _renamed(cohort: Cohort) -> str:
    changes = cohort.renamed()
    if not changes:
        return "Copy number changed the name of no cell."
    label, total = cohort.palette.label, sum(changes.values())
    listed = [f"{label(a)} to {label(b)} {count(n)}" for (a, b), n in changes.items()]
    return f"Copy number changed the names of {plural(total, 'cell')}: {enumerate_words(listed)}."


def _caveats(malignancy: pd.DataFrame) -> tuple[str, ...]:
    caveats = [
        "Copy number is inferred from expression in windows of neighbouring genes. It sees "
        "gains and losses of chromosome arms, not small ones, and a tumour without large ones "
        "looks normal.",
        "Undetermined is not 'not malignant': markers and copy number disagree, or do not settle "
        "it. Where positions of genes or normal cells to compare with were missing, or no gain or "
        "loss was found, the call goes by the markers alone. The table of clusters has the reason.",
    ]
    if NO_CHANGE in set(sample_states(malignancy).values()):
        caveats.append(
            "In samples without gained or lost arms copy number cannot name tumour cells, and a "
            "normal osteoblast would be called malignant by its markers. That no change was found "
            "does not show that the cells are normal."
        )
    return tuple(caveats)


def _map(cohort: Cohort, calls: pd.Series) -> list[Figure]:
    points = cohort.points()
    if points is None:
        return []
    alt = "UMAP by malignancy: " + "; ".join(
        f"{label} {count((calls == call).sum())}" for call, label in CALLS.items()
    )
    svg = facet_umap(
        points,
        calls.tolist(),
        labels=CALLS,
        colours=_COLOURS,
        uid="umapm",
        alt=alt,
        stamp=cohort.stamp,
    )
    caption = (
        "The map of the populations, one panel per call. Tumour cells of different patients often "
        "lie apart, normal cells of all patients together. Called cells scattered among others of "
        "another call deserve a look at the heat map below."
    )
    return [Figure("figure-umap-malignancy", svg, alt, caption, table="table-malignant")]


def _heatmap(cohort: Cohort, cnv: AnnData) -> list[Figure]:
    if cnv.n_obs == 0 or cnv.n_vars == 0:
        return []
    patients = cnv.obs["patient"].astype(str).nunique()
    alt = (
        f"Copy number profiles of {plural(cnv.n_obs, 'cell')} of {plural(patients, 'patient')} "
        f"in {plural(cnv.n_vars, 'window')} along the genome"
    )
    svg = cnv_heatmap(cnv, words=cohort.palette, uid="cnv", alt=alt, stamp=cohort.stamp)
    caption = (
        "Inferred copy number, chromosomes from left to right, cells in rows by patient and call; "
        f"at most {SHOWN_CELLS} cells of each sample are drawn at random. Red: more expression "
        "than in the reference cells of the same sample (cnv_role reference in the table of "
        "populations); blue: less. Tumour cells share whole arms of one colour, which differ from "
        "patient to patient; normal cells stay pale. A stripe in normal cells of all patients is a "
        "cluster of genes of their cell type, not a copy number change."
    )
    return [Figure("figure-cnv", svg, alt, caption, table="table-malignant-clusters")]


def _clones(cohort: Cohort) -> list[Figure]:
    """Arms of the clones, where there is any."""
    noted = cohort.noted("malignancy").get("samples", {})
    changes: dict[str, dict[str, str]] = {}
    patients: dict[str, str] = {}
    order = sorted(cohort.samples.to_dict("records"), key=lambda row: str(row["patient"]))
    for row in order:
        clones = noted.get(str(row["sample"]), {}).get("clones", {})
        for clone, arms in clones.items():
            changes[clone] = dict(part.split() for part in words(arms).split(";") if part)
            patients[clone] = str(row["patient"])
    if not changes:
        return []
    private = private_arms(changes, patients)
    alt = (
        f"Gained and lost arms of {plural(len(changes), 'clone')} of "
        f"{plural(len(set(patients.values())), 'patient')}; {count(len(private))} of "
        f"{plural(sum(map(len, changes.values())), 'change')} in one clone of its patient only"
    )
    svg = clones_figure(
        changes,
        patients=patients,
        labels=[f"{clone} ({patients[clone]})" for clone in changes],
        uid="clones",
        alt=alt,
        stamp=cohort.stamp,
    )
    caption = (
        "Clones in rows, patients apart by a line, and the arms that they gained or lost. A frame "
        "says that no other clone of the patient, in any of its samples, has the change; without "
        "one it is shared, or the patient has one clone. Clones of two samples with the same arms "
        "may be one."
    )
    return [Figure("figure-clones", svg, alt, caption, table="table-clones")]
