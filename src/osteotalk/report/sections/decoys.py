"""The section on how well decoys match the claims they stand beside."""

from typing import Any

import pandas as pd

from osteotalk.claims.controls.decoys import CALIPER, CELL_CALIPER, MIN_POOL
from osteotalk.report.figures.decoys import decoy_match_figure, outside
from osteotalk.report.inputs import Cohort
from osteotalk.report.model import Column, Figure, Section, Table
from osteotalk.report.words.claims import listed_ids, wants_decoys
from osteotalk.report.words.text import count, number, plural, significant, words

INTERACTIONS = ("ligand detection", "receptor detection", "source cells", "target cells")
GENES = ("gene detection",)


def section(cohort: Cohort) -> Section | None:
    """The section of a cohort's page; None where no table of decoys was made."""
    decoys, evidence = cohort.results.decoys, cohort.results.evidence
    dataset, stamp = cohort.dataset, cohort.stamp
    if decoys is None:
        return None
    rows = decoys[decoys["dataset"].astype(str) == dataset].reset_index(drop=True)
    own = evidence[evidence["dataset"].astype(str) == dataset]
    shared: dict[str, Any] = {
        "anchor": "decoys",
        "title": "Match of the decoys",
        "question": "Are the decoys as abundant as the claims they stand beside?",
    }
    if rows.empty:
        return Section(**shared, body=("No claim of this cohort has decoys.", *_without(own)))
    return Section(
        **shared,
        body=(_told(rows), *_without(own)),
        figures=(
            *_figure(rows, INTERACTIONS, "decoys", stamp=stamp),
            *_figure(rows, GENES, "decoy-genes", stamp=stamp),
        ),
        tables=(_table(rows, dataset=dataset),),
        caveats=(
            "Decoys are matched in how many cells show a gene, and in numbers of cells. They are "
            "not matched in how strongly the few cells express it, in how many populations share "
            "it, or in how genes are regulated together; of several items of a claim the mean is "
            "shown. A claim outside its bar was compared with decoys that are too rare or too "
            "common, which makes its p against them doubtful.",
        ),
    )


def _told(rows: pd.DataFrame) -> str:
    out = int(outside(rows).sum())
    claims = len(set(rows["claim_id"]))
    worst = rows.iloc[int(rows["difference"].abs().to_numpy().argmax())]
    factor = 2 ** abs(float(worst["difference"]))
    way = "higher" if worst["difference"] > 0 else "lower"
    return (
        f"{plural(claims, 'claim')} {'has' if claims == 1 else 'have'} decoys. In {count(out)} of "
        f"{plural(len(rows), 'comparison')} the claim lies outside 5 to 95 % of its decoys. The "
        f"largest mean difference is {significant(float(worst['difference']), 2)} on the scale of "
        f"log2, a factor of {significant(factor, 2)}: in {worst['quantity']}, decoys of "
        f"{worst['claim_id']} are {way} than the claim. A single gene or pair may differ from what "
        f"it replaces by a factor of {CALIPER:g} at most, the cells of other populations by one of "
        f"{CELL_CALIPER:g}."
    )


def _without(evidence: pd.DataFrame) -> tuple[str, ...]:
    """Name claims that were measured, but have too few decoys of a kind."""
    sides = {"n_decoys": "matched decoys", "n_population_decoys": "population decoys"}
    told = []
    for column, what in sides.items():
        bare = [
            row["claim_id"]
            for row in evidence.to_dict("records")
            if wants_decoys(row)
            and not number(row[column]) > 0
            and (column == "n_decoys" or words(row["kind"]) == "interaction")
        ]
        if bare:
            told.append(f"{plural(len(bare), 'tested claim')} without {what}: {listed_ids(bare)}.")
    if not told:
        return ()
    return (
        " ".join(told) + f" Fewer than {MIN_POOL} candidates were found for each, so that its "
        "specificity could not be tested.",
    )


def _figure(
    rows: pd.DataFrame, wanted: tuple[str, ...], uid: str, *, stamp: str
) -> tuple[Figure, ...]:
    own = rows[rows["quantity"].isin(wanted)]
    if own.empty:
        return ()
    shown = [name for name in wanted if (own["quantity"] == name).any()]
    out = own[outside(own)]
    parts = ", ".join(
        f"{name} {count((out['quantity'] == name).sum())} of "
        f"{count((own['quantity'] == name).sum())} outside"
        for name in shown
    )
    alt = f"Decoys of {plural(own['claim_id'].nunique(), 'claim')} against the claim: {parts}"
    what = (
        "Ligand and receptor are matched by pair decoys (share of all cells in which they are "
        "detected), numbers of source and target cells by population decoys."
        if wanted == INTERACTIONS
        else "Share of all cells in which the genes of a claim are detected; of a programme the "
        "geometric mean over its genes."
    )
    caption = (
        f"{what} Each row is a claim: the dot is the claim, the bar 5 to 95 % of its decoys, the "
        "tick their median, on a logarithmic axis. Where the dot lies on the bar the decoys are "
        "like the claim; an orange triangle marks a claim that lies outside. A match in abundance "
        "says nothing yet about the verdict."
    )
    svg = decoy_match_figure(own, quantities=shown, uid=uid, alt=alt, stamp=stamp)
    return (Figure(f"figure-{uid}", svg, alt, caption, table="table-decoys"),)


def _table(rows: pd.DataFrame, *, dataset: str) -> Table:
    frame = rows.assign(
        _range=[
            f"{significant(row['decoy_median'])} ({significant(row['decoy_low'])} to "
            f"{significant(row['decoy_high'])})"
            for row in rows.to_dict("records")
        ],
        _outside=["outside" if flag else "inside" for flag in outside(rows)],
        _apart=rows["difference"].abs(),
    )
    return Table(
        "table-decoys",
        frame,
        "Match of the decoys: the claim, its decoys, and the mean of log2(decoy / claim).",
        (
            Column("claim_id", "Claim", "code"),
            Column("control", "Control"),
            Column("quantity", "Quantity"),
            Column("claim", "Claim's value", "number"),
            Column("_range", "Decoys: median (5 to 95 %)", "estimate", sort="decoy_median"),
            Column("_outside", "Claim lies"),
            Column("difference", "Mean log2 ratio", "number", sort="_apart"),
            Column("n_pool", "Candidates", "integer"),
            Column("n_decoys", "Decoys", "integer"),
        ),
        download=f"assets/{dataset}_decoys.tsv",
        filters=("control", "quantity", "_outside"),
        collapsed=True,
    )
