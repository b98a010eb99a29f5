"""Tables of the section on malignancy: samples, clones, clusters and changed names."""

import pandas as pd

from osteotalk.annotate.clones import MIN_ARMS
from osteotalk.annotate.cnv import MIN_SHIFT, MIN_Z
from osteotalk.annotate.malignancy import PRIVATE
from osteotalk.annotate.malignancy_rules import HINT, MARKERS_AT_MOST, SURE, SURE_REFERENCE
from osteotalk.report.inputs import Cohort
from osteotalk.report.model import Column, Table
from osteotalk.report.words.text import words

CALLS = {"yes": "malignant", "no": "not malignant", "undetermined": "undetermined"}
REFERENCE = (
    "reference cells (cnv_role reference in the table of populations, and named with a probability "
    f"of at least {SURE_REFERENCE})"
)


def sample_states(malignancy: pd.DataFrame) -> dict[str, str]:
    """State of the copy number of each sample, see `SampleCopyNumber.copy_number`."""
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
        "of the same sample. One arm, no change: they and the positions of genes are there, but no "
        "cluster has more than one gained or lost arm, or none. Arms not weighed: several, but "
        "with too few genes in most of them to tell single cells. From the limit on a cell has the "
        "copy number of the tumour, up to the floor it is normal.",
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
        "The call of most cells of each cluster in each sample, and why. Score and probability are "
        "means of the cells; the score is 0 as the reference, 1 as the clone that fits best. "
        "Private share: this patient's share of the cluster's cells, every patient weighted "
        "equally.",
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
            Column("malignant_probability", "Probability", "share", missing="nothing known"),
            Column("arms", "Clones and their arms", missing="none found", wide=True),
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


def clone_table(cohort: Cohort) -> list[Table]:
    """Clones of each sample with their arms and malignant cells, where there is any."""
    cells = cohort.cells["clone"].astype(str).value_counts()
    noted = cohort.noted("malignancy").get("samples", {})
    rows = [
        (sample, clone, words(arms), int(cells.get(clone, 0)))
        for sample in cohort.sample_titles()
        for clone, arms in noted.get(sample, {}).get("clones", {}).items()
    ]
    if not rows:
        return []
    return [
        Table(
            "table-clones",
            pd.DataFrame(rows, columns=["sample", "clone", "arms", "n_cells"]),
            "Clones of the tumour in each sample: cells that share gained and lost arms, and "
            f"differ from other clones in at least {MIN_ARMS}.",
            (
                Column("sample", "Sample", "code"),
                Column("clone", "Clone"),
                Column("arms", "Gained and lost arms", "list", wide=True),
                Column("n_cells", "Malignant cells", "integer"),
            ),
            download=f"assets/{cohort.dataset}_clones.tsv",
        )
    ]


def clone_gene_table(cohort: Cohort, clone_genes: pd.DataFrame) -> list[Table]:
    """Ligands and receptors that differ between clones of a sample, where there is any."""
    if clone_genes.empty:
        return []
    return [
        Table(
            "table-clone-genes",
            clone_genes,
            "Ligands and receptors in which the malignant cells of a clone differ from those of "
            "the other clones of its sample: a description of these cells, not a test over "
            "patients.",
            (
                Column("clone", "Clone"),
                Column("gene", "Gene", "code"),
                Column("role", "Role"),
                Column("arm", "Arm", missing="position not known"),
                Column("log2_fold", "Fold (log2)", "number"),
                Column("auc", "Chance of more", "share"),
                Column("detected", "Detected in the clone", "share"),
                Column("detected_others", "In the others", "share"),
                Column("n_cells", "Cells", "integer"),
                Column("n_others", "Others", "integer"),
                Column("q", "q over cells", "probability"),
            ),
            download=f"assets/{cohort.dataset}_clone_genes.tsv",
            filters=("clone", "role"),
            collapsed=True,
        )
    ]


def rule_words() -> tuple[tuple[str, str], ...]:
    """Define the words of the calls, with the limits in use."""
    return (
        (
            "Gained or lost arm",
            "In a group of cells the median of the arm's genes differs from that of all genes by "
            f"at least {MIN_SHIFT} (log2) and {MIN_Z:g} standard errors.",
        ),
        (
            "Clone",
            f"Cells of a sample that share at least {MIN_ARMS} gained or lost arms. One arm alone "
            "may be due to the kind of the cells, and makes no clone.",
        ),
        (
            "Chance of more",
            "That a cell of a clone has more of a gene than one of the other clones of its sample: "
            "0.5 where nothing differs. Its q (Mann-Whitney, over the genes of a clone) says that "
            "these cells differ, as those of two clones mostly do, and nothing of other patients. "
            "A gene on an arm that one of the clones alone gained or lost may differ for that.",
        ),
        (
            "Probability",
            "Of being a tumour cell. The odds by the markers (no name counts for more than "
            f"{MARKERS_AT_MOST}), by the cell's copy number in the clones against the reference, "
            "and by the part of its cluster that is tumour are multiplied. A cluster private to a "
            f"patient, or one changed arm, multiplies them by {HINT:g}. Without a clone in the "
            "sample the markers are left, and the reason says so.",
        ),
        (
            "Malignant",
            f"From a probability of {SURE}; not malignant up to {1 - SURE:.1f}; undetermined "
            "between, and where nothing is known.",
        ),
        (
            "Private",
            f"At least {PRIVATE:.0%} of the cluster are cells of the cell's own patient, every "
            "patient weighted equally, in a cohort of several.",
        ),
    )
