"""Compare what the analysis of a simulated cohort found with what was put in."""

import re
from collections.abc import Collection
from dataclasses import asdict
from typing import Any

import pandas as pd

from osteotalk.annotate.malignancy_rules import NO, UNDETERMINED, YES
from osteotalk.contract import UNASSIGNED
from osteotalk.simulate.claim_truth import claim_truth
from osteotalk.simulate.cohort import DOUBLET, DYING, SINGLE
from osteotalk.simulate.controls import matched_controls
from osteotalk.simulate.recovery import (
    Rules,
    half_planted,
    in_support_table,
    missed,
    patient_support,
    rate,
    summarise,
)
from osteotalk.simulate.truth import (
    EVERYWHERE,
    drawn_populations,
    elevation_by_condition,
    raised_genes,
    tumour_populations,
)
from osteotalk.tables import above

CONTROLS_PER_EDGE = 3
_BARCODE = re.compile(r"[ACGT]{8,}-\d+")


def compare_with_truth(
    *,
    support: pd.DataFrame,
    interactions: pd.DataFrame,
    adata_obs: pd.DataFrame,
    detection: pd.Series,
    truth_cells: pd.DataFrame,
    truth_edges: pd.DataFrame,
    populations: pd.DataFrame,
    markers: pd.DataFrame,
    planted: pd.DataFrame,
    claims: pd.DataFrame,
    evidence: pd.DataFrame,
    resource: pd.DataFrame,
    alpha: float,
    min_cells: int,
    min_patients: int,
    min_support: float = 0.5,
    controls_per_edge: int = CONTROLS_PER_EDGE,
    raised: pd.DataFrame | None = None,
    signatures: pd.DataFrame | None = None,
    shares: pd.DataFrame | None = None,
) -> dict[str, Any]:
    """Tell how well the analysis recovers the planted truth.

    Parameters
    ----------
    support
        One row per edge of the cohort (support.parquet).
    interactions
        Scored edges of all samples: columns sample, the edge, q_value.
    adata_obs
        Cells of the annotated cohort: sample, patient, condition, population, malignant,
        lineage_doublet, and the barcode in a column `barcode` or somewhere in the index.
    detection
        Share of the annotated cells in which each gene is detected; index: genes.
    truth_cells, truth_edges
        Written by `simulate_cohort`.
    populations, markers, planted, claims
        Tables of the analysis; `planted` is the table of planted edges.
    evidence
        One row per claim of this cohort: claim_id, verdict.
    resource
        Columns ligand, receptor: the pairs that were scored.
    alpha, min_cells, min_patients, min_support
        Settings of the analysis: a sample is informative for an edge if both populations have at
        least `min_cells` cells, and active if the edge was scored with q_value <= alpha.
    controls_per_edge
        Matched controls wanted for each planted edge.
    raised, signatures, shares
        Tables of the analysis: other genes that were raised (config/simulation_genes.tsv), gene
        programmes, and the make-up of the samples (config/simulation_populations.tsv). What is
        not given was not planted.

    Returns
    -------
    JSON-able: `edges` (planted, planted_by_where, controls, half_planted, in_support_table),
    `cells`, `malignancy`, `claims`. Rates are None where nothing could be counted. An edge counts
    as recovered if its support reaches `min_support` among the patients where it was planted and
    informative; edges with fewer than `min_patients` such patients are counted apart, not
    dropped.

    Raises
    ------
    ValueError
        If a cell of `adata_obs` has no barcode or is not in `truth_cells`.
    """
    rules = Rules(
        alpha=alpha, min_cells=min_cells, min_patients=min_patients, min_support=min_support
    )
    drawn = populations if shares is None else drawn_populations(populations, shares=shares)
    elevated = elevation_by_condition(
        drawn,
        markers=markers,
        planted=planted,
        conditions=set(adata_obs["condition"].astype(str)),
        genes=raised_genes(raised, signatures=signatures),
    )
    controls = matched_controls(
        truth_edges,
        resource=resource,
        elevated=elevated,
        detection=detection,
        k=controls_per_edge,
    )
    half = half_planted(drawn, resource=resource, elevated=elevated)
    found, found_controls, found_half = (
        patient_support(edges, interactions=interactions, obs=adata_obs, rules=rules)
        for edges in (truth_edges, controls, half)
    )
    return {
        "settings": asdict(rules) | {"controls_per_edge": controls_per_edge},
        "edges": {
            "planted": summarise(found, rules=rules),
            "planted_by_where": {
                str(where): summarise(rows, rules=rules)
                for where, rows in found.groupby("where", sort=True)
            },
            "missed": missed(found, rules=rules),
            "controls": summarise(found_controls, rules=rules)
            | {"wanted": controls_per_edge * len(truth_edges)},
            "half_planted": summarise(found_half, rules=rules),
            "in_support_table": in_support_table(truth_edges, support=support, rules=rules),
        },
        "cells": compare_cells(adata_obs, truth_cells=truth_cells, populations=populations),
        "malignancy": compare_malignancy(
            adata_obs, truth_cells=truth_cells, populations=populations
        ),
        "claims": compare_claims(
            claim_truth(
                claims,
                populations=drawn,
                elevated=elevated,
                signatures=signatures,
                shares=shares,
            ),
            evidence=evidence,
            contrasts=_contrasts(claims),
        ),
    }


def compare_cells(
    obs: pd.DataFrame, *, truth_cells: pd.DataFrame, populations: pd.DataFrame
) -> dict[str, Any]:
    """Accuracy of quality control and annotation.

    Parameters
    ----------
    obs
        Annotated cells: sample, population, lineage_doublet, and a barcode.
    truth_cells
        Columns sample, barcode, population, state, second_population.
    populations
        Columns population, parent.

    Returns
    -------
    droplets and kept cells by state; the share of doublets and dying cells that were removed; of
    the kept doublets those of two lineages, how many of these were found when cells were named, and
    how many single cells were called so; and for the kept true single cells the share with the
    right fine and major population (`unassigned` is wrong), the share unassigned, the accuracy by
    population and the confusion of majors (true, then called, then cells).
    """
    top = _majors(populations)
    called = _called(obs).assign(twice=(obs["lineage_doublet"].astype(str) == YES).to_numpy())
    cells = truth_cells.astype(str).merge(called, on=["sample", "barcode"], how="left")
    lost = len(obs) - int(cells["called"].notna().sum())
    if lost:
        msg = f"{lost} annotated cells are not in the table of simulated cells"
        raise ValueError(msg)
    kept = cells[cells["called"].notna()]
    single = kept[kept["state"] == SINGLE]
    true_major = single["population"].map(top)
    called_major = single["called"].map(lambda name: top.get(name, name))
    fine = single["called"] == single["population"]
    n = len(single)
    droplets = cells["state"].value_counts().to_dict()
    left = kept["state"].value_counts().to_dict()
    confusion = pd.crosstab(true_major, called_major)
    doublets = kept[kept["state"] == DOUBLET]
    of_two = doublets["population"].map(top) != doublets["second_population"].map(top)
    return {
        "droplets": {state: int(droplets.get(state, 0)) for state in (SINGLE, DOUBLET, DYING)},
        "kept": {state: int(left.get(state, 0)) for state in (SINGLE, DOUBLET, DYING)},
        "removed_rate": {
            state: rate(droplets.get(state, 0) - left.get(state, 0), droplets.get(state, 0))
            for state in (SINGLE, DOUBLET, DYING)
        },
        "two_lineages": {
            "kept": int(of_two.sum()),
            "found": int((of_two & doublets["twice"].astype(bool)).sum()),
            "single_called_so": int(single["twice"].astype(bool).sum()),
        },
        "right_population": rate(int(fine.sum()), n),
        "right_major": rate(int((true_major == called_major).sum()), n),
        "unassigned": rate(int((single["called"] == UNASSIGNED).sum()), n),
        "right_by_population": {
            str(name): float(share)
            for name, share in fine.groupby(single["population"]).mean().items()
        },
        "confusion_major": {
            str(true): {str(called): int(count) for called, count in row.items() if count}
            for true, row in confusion.to_dict("index").items()
        },
    }


def compare_malignancy(
    obs: pd.DataFrame, *, truth_cells: pd.DataFrame, populations: pd.DataFrame
) -> dict[str, Any]:
    """Precision and recall of the calls of tumour cells, among kept true single cells.

    Parameters
    ----------
    obs
        Annotated cells: sample, population, malignant, and a barcode.
    truth_cells
        Columns sample, barcode, population, state.
    populations
        Columns population, parent, level, cnv_role.

    Returns
    -------
    calls: tumour and normal cells by call; precision (of the calls yes), recall (undetermined
    tumour cells are missed), undetermined (share of all).
    """
    called = _called(obs).assign(malignant=obs["malignant"].astype(str).to_numpy())
    cells = called.merge(truth_cells.astype(str), on=["sample", "barcode"])
    cells = cells[cells["state"] == SINGLE]
    tumour = cells["population"].isin(tumour_populations(populations))
    yes = cells["malignant"] == YES
    calls = (YES, NO, UNDETERMINED)
    return {
        "calls": {
            name: {call: int((cells.loc[rows, "malignant"] == call).sum()) for call in calls}
            for name, rows in (("tumour", tumour), ("normal", ~tumour))
        },
        "precision": rate(int((tumour & yes).sum()), int(yes.sum())),
        "recall": rate(int((tumour & yes).sum()), int(tumour.sum())),
        "undetermined": rate(int((cells["malignant"] == UNDETERMINED).sum()), len(cells)),
    }


def _majors(populations: pd.DataFrame) -> dict[str, str]:
    """Map each population to the one at the top above it."""
    return {name: [name, *above(populations, name)][-1] for name in populations["population"]}


def _called(obs: pd.DataFrame) -> pd.DataFrame:
    """Sample, barcode and called population of annotated cells, as text."""
    if "barcode" in obs:
        barcodes = obs["barcode"].astype(str).tolist()
    else:
        found = [_BARCODE.search(str(name)) for name in obs.index]
        missing = [str(name) for name, match in zip(obs.index, found, strict=True) if not match]
        if missing:
            msg = (
                f"{len(missing)} annotated cells have no barcode in their name (first: "
                f"'{missing[0]}'); keep the barcode in the cell name or in a column 'barcode'"
            )
            raise ValueError(msg)
        barcodes = [match.group() for match in found if match]
    return pd.DataFrame(
        {
            "sample": obs["sample"].astype(str).to_numpy(),
            "barcode": barcodes,
            "called": obs["population"].astype(str).to_numpy(),
        }
    )


def _contrasts(claims: pd.DataFrame) -> list[str]:
    """Ids of claims with a contrast; a table without that column has none."""
    if "contrast" not in claims:
        return []
    return [str(claim_id) for claim_id in claims.loc[claims["contrast"] != "", "claim_id"]]


def compare_claims(
    truth: pd.DataFrame, *, evidence: pd.DataFrame, contrasts: Collection[str] = ()
) -> dict[str, Any]:
    """Verdicts of claims that hold in the simulated cohort, and of those that do not.

    Parameters
    ----------
    truth
        Columns claim_id, planted, where, as `claim_truth` gives them.
    evidence
        Columns claim_id, verdict.
    contrasts
        Ids of the claims that compare patients: these hold or not, wherever genes are raised.

    Returns
    -------
    planted (everywhere, or as a contrast), planted_partly (in the samples of some conditions) and
    unplanted: verdict to the ids of claims, and their number as `claims`; a claim without a row
    has the verdict `no row`.
    """
    verdicts = dict(zip(evidence["claim_id"], evidence["verdict"].astype(str), strict=True))
    result: dict[str, Any] = {}
    holds = truth["planted"].astype(bool)
    whole = holds & ((truth["where"] == EVERYWHERE) | truth["claim_id"].isin(list(contrasts)))
    parts = {"planted": whole, "planted_partly": holds & ~whole, "unplanted": ~holds}
    for name, chosen in parts.items():
        rows = truth[chosen]
        groups: dict[str, list[str]] = {}
        for claim_id in rows["claim_id"]:
            groups.setdefault(verdicts.get(claim_id, "no row"), []).append(claim_id)
        result[name] = {
            "claims": len(rows),
            "verdicts": {verdict: len(ids) for verdict, ids in sorted(groups.items())},
            "claim_ids": dict(sorted(groups.items())),
        }
    return result
