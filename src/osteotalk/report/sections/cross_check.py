"""The section on the check of the scores against squidpy."""

import math
from collections.abc import Mapping

import pandas as pd

from osteotalk.interactions.cross_check import CALL
from osteotalk.report.inputs import Cohort
from osteotalk.report.model import Column, Section, Table
from osteotalk.report.words.text import (
    count,
    enumerate_words,
    number_setting,
    plural,
    setting,
    significant,
)

# Largest share by which two programs may differ in a mean: both sum in single or double precision.
SAME_MEAN = 1e-5
SOURCE = "squidpy (doi:10.1038/s41592-021-01358-2)"


def section(cohort: Cohort) -> Section | None:
    """The section of a cohort's page; None where the check was not run."""
    cross_check = cohort.results.cross_check
    if cross_check.empty:
        return None
    order = {str(name): place for place, name in enumerate(cohort.samples["sample"])}
    rows = cross_check.sort_values("sample", key=lambda names: names.map(order), kind="stable")
    rows = rows.reset_index(drop=True)
    return Section(
        anchor="cross-check",
        title="Check against squidpy",
        question="Does a program written by others give the same scores?",
        body=(_found(rows), _apart(rows)),
        tables=(_table(rows, cohort),),
        caveats=(
            "The two programs share an idea, the mean of two means under shuffled labels "
            "(CellPhoneDB, doi:10.1038/s41596-020-0292-x), and agree by construction unless one of "
            "them is in error. That they agree says that the sums are right, not that a pair "
            "signals.",
            _scatter(cohort.parameters),
            "Complexes are not compared: of their subunits, squidpy follows the one with the "
            "lowest mean over all cells, osteotalk the one with the lowest in the population.",
        ),
    )


def _found(rows: pd.DataFrame) -> str:
    """What was compared, and how far it agrees."""
    edges = int(rows["n_edges"].sum())
    left = int(rows["n_complex"].sum())
    told = (
        f"The pairs of single genes were scored once more with {SOURCE} in "
        f"{plural(len(rows), 'sample')}: {plural(edges, 'edge')} "
        f"{'was' if edges == 1 else 'were'} compared, {count(left)} with a complex "
        f"{'was' if left == 1 else 'were'} not."
    )
    if not edges:
        return told
    differ = int(rows["n_calls_differ"].sum())
    most = rows["max_mean_difference"].max()
    apart = f"differ by at most {significant(most)} of the larger one" if most else "are equal"
    return (
        f"{told} The strengths {apart}. The p-values differ by at most "
        f"{significant(rows['max_p_difference'].max())}; {(edges - differ) / edges:.2%} of the "
        f"edges lie on the same side of p = {CALL:g}."
    )


def _apart(rows: pd.DataFrame) -> str:
    """Samples in which something differs that must not."""
    means = rows["max_mean_difference"] > SAME_MEAN
    only = (rows["n_only_ours"] + rows["n_only_squidpy"]) > 0
    text = []
    for wrong, what in (
        (means, "strengths differ"),
        (only, "an edge was scored by one program only"),
    ):
        if wrong.any():
            names = enumerate_words([str(name) for name in rows.loc[wrong, "sample"]])
            text.append(f"In {names} {what}, which must not be: do not rely on the scores there.")
    return " ".join(text) or "Both scored the same edges, with the same strengths in all samples."


def _scatter(config: Mapping[str, object]) -> str:
    """How far p-values that are drawn may differ by chance."""
    n_perms = number_setting(config, "interactions.n_perms", math.nan)
    if math.isfinite(n_perms):
        shuffles = f" with {plural(n_perms, 'shuffle')}"
        widest = f", here by {significant(math.sqrt(0.25 / n_perms), 2)} at p = 0.5"
    else:
        shuffles = widest = ""
    drawn = setting(config, "interactions.null") == "permutation"
    both = " osteotalk's were drawn as well, so differences scatter 1.4 times as wide." * drawn
    return (
        f"squidpy draws its p-values{shuffles}, so that they scatter by about "
        f"√(p(1 − p)/shuffles){widest}.{both} Among thousands of edges the largest difference is "
        "four to five times that, and calls near the limit differ by chance. squidpy counts "
        "shuffles that are stronger than what was observed, osteotalk those at least as strong: "
        "with few cells and many ties, p-values of osteotalk are higher."
    )


def _table(rows: pd.DataFrame, cohort: Cohort) -> Table:
    none = "no edge compared"
    return Table(
        "table-cross-check",
        rows,
        "Edges of single genes, osteotalk against squidpy. Largest difference of strengths: as a "
        f"share of the larger one. Calls: on which side of p = {CALL:g} an edge lies.",
        (
            Column("sample", "Sample"),
            Column("n_edges", "Compared", "integer"),
            Column("n_complex", "With a complex, not compared", "integer"),
            Column("n_only_ours", "Only osteotalk", "integer"),
            Column("n_only_squidpy", "Only squidpy", "integer"),
            Column(
                "max_mean_difference", "Largest difference of strengths", "number", missing=none
            ),
            Column("p_correlation", "Rank correlation of p", "number", missing="p does not vary"),
            Column("max_p_difference", "Largest difference of p", "number", missing=none),
            Column("n_calls_differ", "Calls that differ", "integer"),
            Column("share_calls_agree", "Share of calls that agree", "number", missing=none),
        ),
        download=f"assets/{cohort.dataset}_cross_check.tsv",
    )
