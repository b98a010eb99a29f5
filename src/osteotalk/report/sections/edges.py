"""Section of a cohort's page with the table of its best supported edges."""

import pandas as pd

from osteotalk.report.inputs import Cohort
from osteotalk.report.model import Column, Section, Table
from osteotalk.report.words.text import count, number, number_setting, plural, support_text

TOP_EDGES = 200


def section(cohort: Cohort) -> Section:
    """The section of a cohort's page."""
    support, palette, dataset = cohort.results.support, cohort.palette, cohort.dataset
    patients = number_setting(cohort.parameters, "claims.min_patients", 3)
    frame = top_edges(support, min_patients=patients)
    frame["source_label"] = [palette.label(str(name)) for name in frame["source"]]
    frame["target_label"] = [palette.label(str(name)) for name in frame["target"]]
    frame["_support_text"] = [support_text(row) for row in frame.to_dict("records")]
    scored = int((support["n_informative"].map(number) >= patients).sum())
    return Section(
        anchor="edges",
        title="Edges with the most support",
        question="Which ligand-receptor pairs recur from patient to patient?",
        body=(
            f"The table shows {count(len(frame))} of {plural(len(support), 'edge')}; all are in "
            f"the file offered below (results/{dataset}/support.parquet). The {count(scored)} "
            "edges with at least "
            f"{patients:g} informative patients come first, by support, then by median "
            "specificity rank.",
        ),
        tables=(_edge_table(frame, dataset=dataset),),
        caveats=(
            "The list is sorted, not tested: with this many edges some reach full support by "
            "abundance alone. Collagen, fibronectin and MHC pairs are typical.",
        ),
    )


def top_edges(
    support: pd.DataFrame, *, min_patients: float, limit: int = TOP_EDGES
) -> pd.DataFrame:
    """Best supported edges: enough patients first, then support, then specificity rank."""
    keyed = support.assign(
        _few=support["n_informative"].map(number) < min_patients,
        _support=-support["support"].map(number),
        _rank=support["median_specificity_rank"].map(number),
    )
    edge = ["source", "target", "ligand_complex", "receptor_complex"]
    ordered = keyed.sort_values(["_few", "_support", "_rank", *edge], kind="stable")
    return ordered.head(limit).drop(columns=["_few", "_support", "_rank"]).reset_index(drop=True)


def _edge_table(frame: pd.DataFrame, *, dataset: str) -> Table:
    return Table(
        "table-edges",
        frame,
        "Edges across patients. Support counts the patients in whom the edge is active; Detected "
        "in, those in whom both genes are detected, active or not. Both are of the informative "
        "patients. Ranks are medians over samples of osteotalk's consensus ranks; smaller is "
        "stronger. The specificity rank says how far the pair is concentrated in these two "
        "populations within a sample.",
        (
            Column("source_label", "Source"),
            Column("target_label", "Target"),
            Column("ligand_complex", "Ligand", "code"),
            Column("receptor_complex", "Receptor", "code"),
            Column(
                "_support_text",
                "Support",
                "estimate",
                sort="support",
                missing="no informative patient",
            ),
            Column("n_detected", "Detected in", "integer"),
            Column("median_specificity_rank", "Specificity rank", "probability"),
            Column("median_magnitude_rank", "Magnitude rank", "probability"),
            Column("patients", "Active in", "list", missing="no patient"),
        ),
        download=f"assets/{dataset}_edges.tsv",
        filters=("source_label", "target_label"),
    )
