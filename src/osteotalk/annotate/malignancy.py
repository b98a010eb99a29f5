"""Which cells are tumour cells, by copy number, markers and clusters private to a patient."""

import logging
from collections.abc import Mapping
from copy import copy
from dataclasses import replace

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from osteotalk.annotate import cnv
from osteotalk.annotate.malignancy_rules import (
    MARKER_WORDS,
    NO,
    NORMAL_LINEAGE,
    OTHER,
    SURE_REFERENCE,
    TO_TUMOUR,
    TO_UNASSIGNED,
    TUMOUR,
    TWO_LINEAGES,
    UNDETERMINED,
    UNNAMED,
    YES,
    calls_of,
    copy_number_words,
    malignant_probability,
    new_names,
)
from osteotalk.annotate.malignancy_sample import (
    ARM_REASONS,
    NO_CHANGE,
    SampleCopyNumber,
    arm_words,
    changed_words,
    judge_sample,
)
from osteotalk.annotate.malignancy_table import cluster_table, record
from osteotalk.contract import UNASSIGNED

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

    The copy number of a sample is judged against those of its cells whose population has the
    cnv_role reference and a probability of at least 0.95 by the markers (`malignancy_sample`). It
    joins the markers, and how private the cluster is to the patient, in one probability, from which
    the call follows (`malignancy_rules`). Where the sample shows no gain or loss, or nothing could
    be computed, the reason says so and the markers are left.

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
        Fewest reference cells of a sample; with fewer copy number is not computed.
    min_genes
        Fewest genes with a known position on an autosome that at least 2 % of the cells show; with
        fewer copy number is not computed.
    seed
        Seed of the parts in which reference cells are judged, and of the cells in the heat map.

    Returns
    -------
    The cohort with `obs` malignant (yes, no, undetermined), malignant_probability (NaN where
    nothing is known), malignant_reason, clone (of the cells that are malignant by copy number, else
    '') and cnv_score (0 as the reference, 1 as the clone that fits best; NaN if it could not be
    computed), names of populations changed where copy number contradicts them, and
    `uns["osteotalk"]["malignancy"]`; the contract table `malignancy`; and at most 200 cells of each
    sample x windows for the heat map.

    References
    ----------
    Patel et al. 2014, Science 344, 1396, doi:10.1126/science.1254257. Tirosh et al. 2016, Science
    352, 189, doi:10.1126/science.aad0501. Neftel et al. 2019, Cell 178, 835,
    doi:10.1016/j.cell.2019.06.024.
    """
    adata = _shallow(adata)
    role = cell_roles(adata.obs, populations)
    sure = adata.obs["major_probability"].to_numpy(dtype=float)
    reference = (role == NORMAL_LINEAGE) & (sure >= SURE_REFERENCE)
    genes = cnv.usable_genes(adata)
    problem = "" if len(genes) >= min_genes else _too_few_genes(adata, len(genes), min_genes)
    share = patient_shares(adata.obs)
    private = in_private_cluster(adata.obs, share=share)
    samples = adata.obs["sample"].astype(str).to_numpy()
    calls, judged, shown = _empty_calls(adata.n_obs), {}, []
    for sample in sorted(set(samples)):
        cells = np.flatnonzero(samples == sample)
        obs = adata.obs.iloc[cells]
        found = judge_sample(
            AnnData(
                sparse.csr_matrix(adata.X[cells][:, genes]),
                obs=obs[[]].copy(),
                var=adata.var.iloc[genes][["chromosome", "start", "end"]].copy(),
            ),
            sample=sample,
            role=role[cells],
            reference=reference[cells],
            lineage=obs["population_major"].astype(str).to_numpy(object),
            cluster=obs["cluster"].astype(str).to_numpy(object),
            window=window,
            min_reference=min_reference,
            seed=seed,
            problem=problem,
        )
        own = _decide(role[cells], sure[cells], found, private[cells])
        for name, values in own.items():
            calls[name][cells] = values
        judged[sample] = replace(found, windows=None)  # they are large
        shown.append(_shown(obs.index, found, reference[cells], seed=seed))
        log.info("sample %s: %s", sample, _summary(found, calls["malignant"][cells]))
    before = adata.obs["population"].astype(str).copy()
    _apply(adata, calls, populations=populations)
    table = cluster_table(adata.obs.assign(one_arm=calls["one_arm"]), judged, share)
    adata.uns.setdefault("osteotalk", {})["malignancy"] = record(
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
    text = ("malignant", "malignant_reason", "clone", "one_arm", "rename")
    number = ("malignant_probability", "cnv_score")
    return {name: np.full(n_cells, "", dtype=object) for name in text} | {
        name: np.full(n_cells, np.nan) for name in number
    }


def _decide(
    role: np.ndarray, sure: np.ndarray, found: SampleCopyNumber, private: np.ndarray
) -> dict[str, np.ndarray]:
    """Probability, call, reason, clone and new name of every cell of a sample."""
    odds = found.odds
    nothing = np.full(len(role), np.nan)
    probability = malignant_probability(
        role=role,
        probability=sure,
        copy_number=odds.ratio * odds.share / (1 - odds.share) if odds else nothing,
        one_arm=found.one_arm != "",
        private=private,
    )
    call = calls_of(probability)
    malignant = call == YES
    return {
        "malignant": call,
        "malignant_probability": probability,
        "malignant_reason": _reasons(role, found, private),
        "clone": np.where(malignant, found.clone_names(), "").astype(object),
        "one_arm": found.one_arm,
        "rename": new_names(role=role, call=call, probability=probability),
        "cnv_score": odds.score if odds else nothing,
    }


def _reasons(role: np.ndarray, found: SampleCopyNumber, private: np.ndarray) -> np.ndarray:
    """What was known of each cell, in words."""
    reasons = []
    for place, (who, arm, own) in enumerate(zip(role, found.one_arm, private, strict=True)):
        parts = [MARKER_WORDS[who]]
        if found.odds is not None:
            parts.append(copy_number_words(found.odds.ratio[place], found.odds.share[place]))
        elif found.problem:
            parts.append(f"copy number was not computed: {found.problem}")
        elif not found.n_candidates:
            parts.append("no cell of the sample could be a tumour cell")
        elif found.copy_number == NO_CHANGE:
            parts.append("no gain or loss was found in the sample")
        elif not arm:
            parts.append("no gain or loss was found in its group")
        if arm:
            parts.append(ARM_REASONS[changed_words(arm)].format(arm))
        if own and who in (OTHER, UNNAMED, TUMOUR):
            parts.append("its cluster is private to its patient")
        reasons.append("; ".join(parts))
    return np.array(reasons, dtype=object)


def _apply(adata: AnnData, calls: Mapping[str, np.ndarray], *, populations: pd.DataFrame) -> None:
    """Write the calls into `obs`, and correct the names that copy number contradicts."""
    obs = adata.obs
    for name, values in calls.items():
        if name not in ("rename", "one_arm"):
            obs[name] = values
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
    clones = ", ".join(f"{name} ({arm_words(own)})" for name, own in found.clones.items())
    return f"malignant: {numbers}; {found.problem or clones or found.copy_number}"


def _shown(
    cells: pd.Index, found: SampleCopyNumber, reference: np.ndarray, *, seed: int
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
        reference[rows],
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
