"""Tables of the section on malignancy: samples, clusters, changed names, and the rule."""

from collections.abc import Iterator

import pandas as pd

from osteotalk.annotate import malignancy_rules as rules
from osteotalk.annotate.cnv import LIMIT_SDS, MIN_SHIFT, MIN_Z
from osteotalk.annotate.malignancy import PRIVATE
from osteotalk.annotate.malignancy_sample import (
    GROUP_ABERRANT,
    GROUP_NORMAL,
    HALF,
    MIN_ARMS,
    NOT_COMPUTED,
)
from osteotalk.report.cohort import Cohort
from osteotalk.report.model import Column, Table
from osteotalk.report.text import words

CALLS = {"yes": "malignant", "no": "not malignant", "undetermined": "undetermined"}
REFERENCE = "reference cells (cnv_role reference in the table of populations)"

ANY = "any"
_ROLES = {
    rules.TUMOUR: "malignant",
    rules.NORMAL_LINEAGE: "reference",
    rules.OTHER: "another population",
    rules.UNNAMED: "unassigned",
    rules.TWO_LINEAGES: "two lineages",
}
_STATES = {rules.UNKNOWN: NOT_COMPUTED}
_RENAMES = {
    rules.KEEP: "kept",
    rules.TO_TUMOUR: "becomes the malignant population",
    rules.TO_UNASSIGNED: "becomes unassigned",
}


def sample_states(malignancy: pd.DataFrame) -> dict[str, str]:
    """State of the copy number of each sample: computed, no change or not computed."""
    pairs = malignancy[["sample", "copy_number"]].astype(str).drop_duplicates("sample")
    return dict(zip(pairs["sample"], pairs["copy_number"], strict=True))


def sample_table(cohort: Cohort, calls: pd.Series, malignancy: pd.DataFrame) -> Table:
    """Cells of each call per sample, with what copy number could be told by."""
    counts = pd.crosstab(cohort.cells["sample"].astype(str), calls)
    order = [name for name in cohort.sample_titles() if name in counts.index]
    counts = counts.reindex(index=order, columns=list(CALLS), fill_value=0)
    by_sample = malignancy.groupby(malignancy["sample"].astype(str))
    reference = by_sample["n_reference"].max().reindex(order)
    states, noted = sample_states(malignancy), cohort.noted("malignancy").get("samples", {})
    patients = dict(zip(cohort.samples["sample"], cohort.samples["patient"], strict=True))
    own = [noted.get(name, {}) for name in order]
    frame = pd.DataFrame(
        {
            "sample": order,
            "patient": [str(patients[name]) for name in order],
            "n_reference": reference.to_numpy(),
            "copy_number": [states.get(name, "") for name in order],
            "gained": [words(found.get("gained")) for found in own],
            "lost": [words(found.get("lost")) for found in own],
            "limit": [found.get("limit", float("nan")) for found in own],
            "floor": [found.get("floor", float("nan")) for found in own],
            **{call: counts[call].to_numpy() for call in CALLS},
            "problem": [words(found.get("problem")) for found in own],
        }
    )
    return Table(
        "table-malignant",
        frame,
        f"Calls per sample, and the copy number of its tumour. It is inferred against {REFERENCE} "
        "of the same sample. No change: they and the positions of genes are there, but no cluster "
        "has enough gained or lost arms. Above the limit a cell has the copy number of the tumour, "
        "below the floor it is normal.",
        (
            Column("sample", "Sample", "code"),
            Column("patient", "Patient"),
            Column("n_reference", "Reference cells", "integer", missing="not counted"),
            Column("copy_number", "Copy number", missing="not recorded"),
            Column("gained", "Gained arms", "list", missing="none found"),
            Column("lost", "Lost arms", "list", missing="none found"),
            Column("limit", "Limit of a cell", "number", missing="not computed"),
            Column("floor", "Floor of a cell", "number", missing="not computed"),
            *[Column(call, label.capitalize(), "integer") for call, label in CALLS.items()],
            *([Column("problem", "Why not computed", wide=True)] if any(frame["problem"]) else []),
        ),
        download=f"assets/{cohort.dataset}_malignant.tsv",
    )


def call_table(cohort: Cohort, malignancy: pd.DataFrame) -> Table:
    """Call of each cluster in each sample."""
    palette, frame = cohort.palette, malignancy.copy()
    frame["label"] = [palette.label(str(name)) for name in frame["population"]]
    return Table(
        "table-malignant-clusters",
        frame,
        "The call of each cluster in each sample, and why. The score is the mean of the cells: 0 "
        "as the reference, 1 as the sample's tumour. The cluster is judged by this score, from "
        f"{GROUP_ABERRANT} and up to {GROUP_NORMAL}; the limit is for single cells, comes from "
        f"reference cells held back, and is at least {HALF}. Private share: this patient's share "
        "of the cluster's cells, every patient weighted equally.",
        (
            Column("sample", "Sample", "code"),
            Column("patient", "Patient"),
            Column("cluster", "Cluster", "code"),
            Column("label", "Population"),
            Column("n_cells", "Cells", "integer"),
            Column("copy_number", "Copy number", missing="not recorded"),
            Column("cnv_score", "Score of the cluster", "number", missing="not computed"),
            Column("cnv_limit", "Limit of a cell", "number", missing="not computed"),
            Column("patient_share", "Private share", "share"),
            Column("malignant", "Malignant"),
            Column("n_yes", "Yes", "integer"),
            Column("n_no", "No", "integer"),
            Column("n_undetermined", "Undetermined", "integer"),
            Column("reason", "Why", wide=True),
        ),
        download=f"assets/{cohort.dataset}_malignant_clusters.tsv",
        filters=("sample", "label", "malignant"),
        collapsed=True,
    )


def renamed_table(cohort: Cohort) -> list[Table]:
    """Cells that copy number renamed, where there is any."""
    label = cohort.palette.label
    rows = [
        (before, after, label(before), label(after), size)
        for (before, after), size in cohort.renamed().items()
    ]
    if not rows:
        return []
    names = ["before", "after", "before_label", "after_label", "n_cells"]
    return [
        Table(
            "table-renamed",
            pd.DataFrame(rows, columns=names),
            "Cells whose copy number contradicts their markers, and the name they got.",
            (
                Column("before_label", "By the markers"),
                Column("after_label", "Now"),
                Column("n_cells", "Cells", "integer"),
            ),
            download=f"assets/{cohort.dataset}_renamed.tsv",
        )
    ]


def rule_table(cohort: Cohort) -> Table:
    """Table of rules by which cells are called."""
    return Table(
        "table-malignant-rule",
        pd.DataFrame(_rule_rows()),
        "The rule: what markers, the copy number of the cluster in its sample and that of the cell "
        "make of it. The first row that fits counts.",
        (
            Column("number", "Row", "integer"),
            Column("markers", "Markers say"),
            Column("cluster", "Cluster"),
            Column("cell", "Cell"),
            Column("private", "Private cluster"),
            Column("call", "Malignant"),
            Column("name", "Name"),
            Column("reason", "Why", wide=True),
        ),
        download=f"assets/{cohort.dataset}_malignant_rule.tsv",
        collapsed=True,
    )


def _rule_rows() -> Iterator[dict[str, object]]:
    for number, rule in enumerate(rules.RULES, start=1):
        yield {
            "number": number,
            "markers": " or ".join(_ROLES.get(role, role) for role in rule.role) or ANY,
            "cluster": " or ".join(_STATES.get(state, state) for state in rule.group) or ANY,
            "cell": " or ".join(_STATES.get(state, state) for state in rule.cell) or ANY,
            "private": " or ".join("yes" if p else "no" for p in rule.private) or ANY,
            "call": rule.call,
            "name": _RENAMES[rule.population],
            "reason": rule.reason,
        }


def rule_words() -> tuple[tuple[str, str], ...]:
    """Define the words of the rule, with the limits in use."""
    return (
        (
            "Gained or lost arm",
            "In the cells of a cluster the median of the arm's genes differs from that of all "
            f"genes by at least {MIN_SHIFT} (log2) and {MIN_Z:g} standard errors. Clusters with at "
            f"least {MIN_ARMS} such arms make up the tumour of the sample.",
        ),
        (
            "Aberrant, normal, unclear",
            "By the score: 0 as the reference, 1 as the tumour of the sample. A cluster is "
            f"aberrant from a mean of {GROUP_ABERRANT}, normal up to {GROUP_NORMAL} and unclear "
            "between. A cell is aberrant above the limit of its sample, the median of its held-out "
            f"reference cells plus {LIMIT_SDS} robust standard deviations and at least {HALF}; "
            f"normal below the floor, at most {HALF}; unclear between.",
        ),
        (
            "Private",
            f"At least {PRIVATE:.0%} of the cluster are cells of the cell's own patient, every "
            "patient weighted equally, in a cohort of several.",
        ),
    )
