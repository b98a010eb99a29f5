"""Which cells are tumour cells, by copy number, markers and clusters private to a patient."""

import logging
from collections.abc import Mapping
from copy import copy
from dataclasses import replace
from importlib.metadata import version
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from osteotalk.annotate import cnv
from osteotalk.annotate.malignancy_rules import (
    NO,
    NORMAL_LINEAGE,
    OTHER,
    TO_TUMOUR,
    TO_UNASSIGNED,
    TUMOUR,
    TWO_LINEAGES,
    UNDETERMINED,
    UNNAMED,
    YES,
    Rule,
    decide,
)
from osteotalk.annotate.malignancy_sample import SampleCopyNumber, judge_sample
from osteotalk.contract import UNASSIGNED, conform, empty_frame

log = logging.getLogger(__name__)

# Share of a cluster from which it is private to a patient, every patient weighted equally.
PRIVATE = 0.9
SHOWN_CELLS = 200  # of a sample, in the heat map
_ROLE = {"malignant": TUMOUR, "reference": NORMAL_LINEAGE, "": OTHER}


def cell_roles(obs: pd.DataFrame, populations: pd.DataFrame) -> np.ndarray:
    """What the markers say of each cell, by the `cnv_role` of its population.

    Parameters
    ----------
    obs
        Columns population and lineage_doublet ('yes' or 'no').
    populations
        Columns population, cnv_role.
    """
    known = dict(zip(populations["population"], populations["cnv_role"], strict=True))
    role = {name: _ROLE[cnv_role] for name, cnv_role in known.items()}
    found = [role.get(name, UNNAMED) for name in obs["population"].astype(str)]
    twice = obs["lineage_doublet"].astype(str).to_numpy() == "yes"
    return np.where(twice, TWO_LINEAGES, np.array(found, dtype=object))


def patient_shares(obs: pd.DataFrame) -> pd.DataFrame:
    """Share of each cluster that belongs to each patient, every patient weighted equally.

    The part of a patient's cells that lies in the cluster, over the sum of these parts: a cluster
    that all patients share alike is shared, however many cells each of them has.

    Parameters
    ----------
    obs
        Columns cluster and patient.

    Returns
    -------
    Clusters x patients, both sorted; rows add up to 1.
    """
    table = pd.crosstab(obs["cluster"].astype(str), obs["patient"].astype(str))
    parts = table / table.sum(axis=0)
    return parts.div(parts.sum(axis=1), axis=0)


def in_private_cluster(obs: pd.DataFrame, *, share: pd.DataFrame) -> np.ndarray:
    """Tell which cells lie in a cluster private to their own patient; none in a cohort of one.

    Parameters
    ----------
    obs
        Columns cluster and patient.
    share
        Of `patient_shares`.
    """
    row = share.index.get_indexer(pd.Index(obs["cluster"].astype(str)))
    column = share.columns.get_indexer(pd.Index(obs["patient"].astype(str)))
    return (share.to_numpy()[row, column] >= PRIVATE) & (share.shape[1] > 1)


def call_malignant(
    adata: AnnData,
    *,
    populations: pd.DataFrame,
    window: int,
    min_reference: int,
    min_genes: int,
    seed: int,
) -> tuple[AnnData, pd.DataFrame, AnnData]:
    """Tell tumour cells from normal ones, sample by sample.

    Copy number is judged against the cells of the same sample whose population has the cnv_role
    reference (`malignancy_sample`); the table of `malignancy_rules` joins it with the markers and
    with how private the cluster is to the patient of the sample.

    Parameters
    ----------
    adata
        Annotated cohort: log-normalised `X` (CSR); `obs` sample, patient, cluster, population,
        population_major, population_state, population_probability, major_probability,
        population_reason, lineage_doublet; `var` chromosome and start. Not changed.
    populations
        Columns population, parent, cnv_role.
    window
        Genes in a window along the chromosome.
    min_reference
        Fewest reference cells of a sample; with fewer its cells are undetermined.
    min_genes
        Fewest genes with a known position on an autosome that at least 2 % of the cells show; with
        fewer all cells are undetermined.
    seed
        Seed of the parts in which reference cells are judged, and of the cells in the heat map.

    Returns
    -------
    The cohort with `obs` malignant (yes, no, undetermined), malignant_reason and cnv_score (0 as
    the reference, 1 as the sample's tumour; NaN if it could not be computed), names of populations
    changed where copy number contradicts them, and `uns["osteotalk"]["malignancy"]`; the contract
    table `malignancy`; and at most 200 cells of each sample x windows for the heat map.

    References
    ----------
    Patel et al. 2014, Science 344, 1396, doi:10.1126/science.1254257. Tirosh et al. 2016, Science
    352, 189, doi:10.1126/science.aad0501. Neftel et al. 2019, Cell 178, 835,
    doi:10.1016/j.cell.2019.06.024.
    """
    adata = _shallow(adata)
    role = cell_roles(adata.obs, populations)
    genes = cnv.usable_genes(adata)
    problem = "" if len(genes) >= min_genes else _too_few_genes(adata, len(genes), min_genes)
    share = patient_shares(adata.obs)
    private = in_private_cluster(adata.obs, share=share)
    samples = adata.obs["sample"].astype(str).to_numpy()
    calls, judged, shown = _empty_calls(adata.n_obs), {}, []
    for sample in sorted(set(samples)):
        cells = np.flatnonzero(samples == sample)
        obs = adata.obs.iloc[cells]
        cluster = obs["cluster"].astype(str).to_numpy(object)
        found = judge_sample(
            AnnData(
                sparse.csr_matrix(adata.X[cells][:, genes]),
                obs=obs[[]].copy(),
                var=adata.var.iloc[genes][["chromosome", "start", "end"]].copy(),
            ),
            role=role[cells],
            lineage=obs["population_major"].astype(str).to_numpy(object),
            cluster=cluster,
            window=window,
            min_reference=min_reference,
            seed=seed,
            problem=problem,
        )
        for name, values in _decide(role[cells], cluster, found, private[cells]).items():
            calls[name][cells] = values
        judged[sample] = replace(found, windows=None)  # they are large
        shown.append(_shown(obs.index, found, role[cells], seed=seed))
        log.info("sample %s: %s", sample, _summary(found, calls["malignant"][cells]))
    before = adata.obs["population"].astype(str).copy()
    _apply(adata, calls, populations=populations)
    table = _table(adata.obs, judged, share)
    adata.uns.setdefault("osteotalk", {})["malignancy"] = _record(
        adata.obs,
        before,
        judged,
        settings={"window": window, "min_reference": min_reference, "min_genes": min_genes},
        n_genes=len(genes),
    )
    heat_map = _heat_map(adata, shown, cnv.window_table(adata.var.iloc[genes], window=window))
    return adata, table, heat_map


def _too_few_genes(adata: AnnData, n_genes: int, min_genes: int) -> str:
    known = int((adata.var["chromosome"].astype(str) != "").sum())
    if not known:
        return "the positions of the genes are not known"
    return (
        f"{n_genes} genes with a known position on an autosome are seen in enough cells; "
        f"{min_genes} are needed"
    )


def _shallow(adata: AnnData) -> AnnData:
    """Give the same cells with tables of their own; matrices are shared, as nobody changes them."""
    uns = {key: copy(value) for key, value in adata.uns.items()}
    return AnnData(
        adata.X,
        obs=adata.obs.copy(),
        var=adata.var.copy(),
        layers=dict(adata.layers),
        obsm=dict(adata.obsm),
        uns=uns,
    )


def _empty_calls(n_cells: int) -> dict[str, np.ndarray]:
    text = ("malignant", "malignant_reason", "rename")
    return {name: np.full(n_cells, "", dtype=object) for name in text} | {
        "cnv_score": np.full(n_cells, np.nan)
    }


def _decide(
    role: np.ndarray, cluster: np.ndarray, found: SampleCopyNumber, private: np.ndarray
) -> dict[str, np.ndarray]:
    """Look every cell of a sample up in the table of rules."""
    rules: dict[tuple[str, str, str, bool], Rule] = {}
    chosen = []
    for who, where, state, own in zip(role, cluster, found.cell_state, private, strict=True):
        key = (str(who), found.group_state[str(where)], str(state), bool(own))
        if key not in rules:
            rules[key] = decide(role=key[0], group=key[1], cell=key[2], private=key[3])
        chosen.append(rules[key])
    reasons = [found.problem or rule.reason for rule in chosen]
    return {
        "malignant": np.array([rule.call for rule in chosen], dtype=object),
        "malignant_reason": np.array(reasons, dtype=object),
        "rename": np.array([rule.population for rule in chosen], dtype=object),
        "cnv_score": found.score,
    }


def _apply(adata: AnnData, calls: Mapping[str, np.ndarray], *, populations: pd.DataFrame) -> None:
    """Write the calls into `obs`, and correct the names that copy number contradicts."""
    obs = adata.obs
    for name in ("malignant", "malignant_reason", "cnv_score"):
        obs[name] = calls[name]
    tumour = _top_tumour(populations)
    parent = dict(zip(populations["population"], populations["parent"], strict=True))
    major = tumour
    while parent.get(major):
        major = parent[major]
    targets = {TO_TUMOUR: (tumour, major), TO_UNASSIGNED: (UNASSIGNED, UNASSIGNED)}
    for rename, (name, top) in targets.items():
        cells = calls["rename"] == rename
        if not name or not cells.any():
            continue
        was = obs.loc[cells, "population"].astype(str)
        texts = [f"{old} by its markers; copy number says otherwise" for old in was]
        changed = {
            "population": name,
            "population_major": top,
            "population_state": "",
            "population_reason": np.array(texts, dtype=object),
        }
        for column, value in changed.items():
            values = obs[column].astype(str).to_numpy(object)
            values[cells] = value
            obs[column] = values
        obs.loc[cells, ["population_probability", "major_probability"]] = np.nan


def _top_tumour(populations: pd.DataFrame) -> str:
    """Topmost population of tumour cells, the first in the table; '' if there is none."""
    tumour = populations.loc[populations["cnv_role"] == "malignant"]
    top = tumour.loc[~tumour["parent"].isin(tumour["population"]), "population"]
    return str(top.iloc[0]) if len(top) else ""


def _summary(found: SampleCopyNumber, calls: np.ndarray) -> str:
    numbers = ", ".join(f"{int((calls == call).sum())} {call}" for call in (YES, NO, UNDETERMINED))
    arms = "; ".join(f"{arm} {change}" for arm, change in found.changes.items()) or "none"
    return found.problem or f"malignant: {numbers}; arms gained or lost: {arms}"


def _most_common(values: pd.Series, *, tie: str = "") -> str:
    """Most common value; of equally common ones `tie` if it is among them, else the first."""
    counts = values.astype(str).value_counts()
    top = sorted(counts.index[counts == counts.max()])
    return tie if tie in top else top[0]


def _call(cells: pd.DataFrame) -> tuple[str, str]:
    """Call and reason of a cluster: the most common; undetermined if no call is."""
    counts = cells["malignant"].value_counts()
    top = counts.index[counts == counts.max()]
    call = str(top[0]) if len(top) == 1 else UNDETERMINED
    reasons = cells.loc[cells["malignant"] == call, "malignant_reason"]
    return call, _most_common(reasons) if len(reasons) else "as many cells are tumour as are not"


def _table(
    obs: pd.DataFrame, judged: Mapping[str, SampleCopyNumber], share: pd.DataFrame
) -> pd.DataFrame:
    """One row per sample and cluster; the call and the reason are the most common ones."""
    rows = []
    keys = [obs["sample"].astype(str), obs["cluster"].astype(str)]
    for key, cells in obs.groupby(keys, sort=True, observed=True):
        sample, cluster = map(str, key)
        found = judged[sample]
        patient = _most_common(cells["patient"])
        call, reason = _call(cells)
        counts = cells["malignant"].value_counts()
        rows.append(
            {
                "sample": sample,
                "patient": patient,
                "cluster": cluster,
                "population": _most_common(cells["population"], tie=UNASSIGNED),
                "n_cells": len(cells),
                "n_reference": found.n_reference,
                "copy_number": found.copy_number,
                "cnv_score": found.group_score[cluster],
                "cnv_limit": found.limit,
                "patient_share": float(share[patient][cluster]),
                "malignant": call,
                "n_yes": int(counts.get(YES, 0)),
                "n_no": int(counts.get(NO, 0)),
                "n_undetermined": int(counts.get(UNDETERMINED, 0)),
                "reason": reason,
            }
        )
    if not rows:
        return empty_frame("malignancy")
    table = pd.DataFrame(rows)
    order = table.sort_values(
        ["sample", "n_cells", "cluster"], ascending=[True, False, True], kind="stable"
    )
    return conform(order, table="malignancy")


def _record(
    obs: pd.DataFrame,
    before: pd.Series,
    judged: Mapping[str, SampleCopyNumber],
    *,
    settings: Mapping[str, int],
    n_genes: int,
) -> dict[str, Any]:
    """What was done, in a form that h5ad files hold."""
    after = obs["population"].astype(str)
    renamed = (before + " to " + after)[before != after].value_counts()
    return {
        **settings,
        "n_genes": n_genes,
        "calls": {c: int((obs["malignant"] == c).sum()) for c in (YES, NO, UNDETERMINED)},
        "renamed": {str(name): int(renamed[name]) for name in sorted(renamed.index)},
        "samples": {
            sample: {
                "problem": found.problem,
                "copy_number": found.copy_number,
                "n_reference": found.n_reference,
                "n_candidates": found.n_candidates,
                "lineages": ";".join(found.lineages),
                "gained": ";".join(a for a, c in found.changes.items() if c == "gain"),
                "lost": ";".join(a for a, c in found.changes.items() if c == "loss"),
                "limit": float(found.limit),
                "floor": float(found.floor),
            }
            for sample, found in judged.items()
        },
        "versions": {"infercnvpy": version("infercnvpy")},
    }


def _shown(
    cells: pd.Index, found: SampleCopyNumber, role: np.ndarray, *, seed: int
) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Names, windows and reference marks of the cells of a sample that the heat map shows."""
    if found.windows is None:
        return [], np.zeros((0, 0), dtype=np.float32), np.zeros(0, dtype=bool)
    names = np.argsort(cells.to_numpy(str), kind="stable")
    chosen = np.random.default_rng(seed).permutation(len(names))[:SHOWN_CELLS]
    rows = names[np.sort(chosen)]
    return (
        cells[rows].tolist(),
        found.windows[rows],
        role[rows] == NORMAL_LINEAGE,
    )


def _heat_map(
    adata: AnnData,
    shown: list[tuple[list[str], np.ndarray, np.ndarray]],
    windows: pd.DataFrame,
) -> AnnData:
    names = [name for part, _, _ in shown for name in part]
    values = [part for _, part, _ in shown if len(part)]
    matrix = np.vstack(values) if values else np.zeros((0, len(windows)), dtype=np.float32)
    columns = ["sample", "patient", "cluster", "population", "malignant"]
    obs = adata.obs.loc[names, columns].astype(str).astype(object)
    marks = [mark for _, _, part in shown for mark in part]
    obs["reference"] = np.array(["yes" if mark else "no" for mark in marks], dtype=object)
    var = windows[["chromosome", "start"]].copy()
    var.index = pd.Index([f"window_{i}" for i in range(len(windows))], dtype=object)
    return AnnData(sparse.csr_matrix(matrix, dtype=np.float32), obs=obs, var=var)
