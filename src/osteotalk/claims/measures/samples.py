"""A cohort as arrays, made from its samples one by one."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from osteotalk.claims.claim import Claim
from osteotalk.claims.measures.cell_tests import CellTest, active_claims
from osteotalk.claims.measures.cohort import Cohort
from osteotalk.claims.measures.programmes import cell_scores
from osteotalk.clusters import group_sums
from osteotalk.contract import UNASSIGNED
from osteotalk.interactions.support import EDGE, is_active

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SampleData:
    """One sample: its cells (stage `annotated`) and its table of interactions."""

    adata: AnnData
    interactions: pd.DataFrame


def build_cohort(
    samples: Iterable[SampleData],
    *,
    dataset: str,
    resource: pd.DataFrame,
    claims: Sequence[Claim],
    signatures: pd.DataFrame,
    vocabulary: pd.DataFrame,
    min_cells: int,
    expr_prop: float,
    alpha: float,
) -> Cohort:
    """Gather what the claims are tested on, sample by sample.

    Parameters
    ----------
    samples
        Samples of one cohort, each with the genes that it measured. Samples without a cell are
        left out.
    dataset
        Id of the cohort.
    resource
        Pairs that were scored and whose genes are all measured.
    claims
        Claims whose genes and programmes are compared between cells.
    signatures
        Table of signatures.
    vocabulary
        Table of populations.
    min_cells, expr_prop, alpha
        As in scoring.
    """
    order = [str(name) for name in vocabulary["population"]]
    states = [str(p) for p in vocabulary.loc[vocabulary["level"] == "state", "population"]]
    parts = sorted(
        (
            _summarise(
                sample,
                order=order,
                states=states,
                tests=CellTest(claims, signatures, expr_prop, alpha, min_cells),
            )
            for sample in samples
            if sample.adata.n_obs
        ),
        key=lambda part: part.sample,
    )
    if not parts:
        msg = f"cohort {dataset} has no cell left to test claims on"
        raise ValueError(msg)
    total = sum(part.sizes for part in parts)
    found = np.flatnonzero(total > 0)
    known = [name for name in parts[0].programmes if all(name in p.programmes for p in parts)]
    return Cohort(
        dataset=dataset,
        samples=tuple(part.sample for part in parts),
        patients=tuple(part.patient for part in parts),
        conditions=tuple(part.condition for part in parts),
        populations=tuple(order[i] for i in found),
        sizes=np.array([part.sizes[found] for part in parts]),
        states={
            name: np.array([part.states[i] for part in parts]) for i, name in enumerate(states)
        },
        state_parents=dict(zip(vocabulary["population"], vocabulary["parent"], strict=True)),
        **_of_genes(parts, found),
        pairs=resource.reset_index(drop=True),
        active=_active_edges(
            [part.edges for part in parts], [order[i] for i in found], resource, alpha=alpha
        ),
        programmes={name: np.stack([p.programmes[name][found] for p in parts]) for name in known},
        tested=tuple(part.tested for part in parts),
        min_cells=min_cells,
        expr_prop=expr_prop,
        alpha=alpha,
        partners=np.arange(len(parts)),
        unnamed=pd.concat([part.unnamed for part in parts], ignore_index=True),
    )


@dataclass(frozen=True)
class _Part:
    sample: str
    patient: str
    condition: str
    n_cells: int
    sizes: np.ndarray
    states: np.ndarray
    genes: pd.Index
    means: np.ndarray
    shares: np.ndarray
    n_expressing: np.ndarray
    edges: pd.DataFrame
    programmes: Mapping[str, np.ndarray]
    tested: frozenset[str]
    unnamed: pd.DataFrame


def _of_genes(parts: Sequence[_Part], found: np.ndarray) -> dict[str, Any]:
    """Fields of a cohort by gene: genes, measured, means, shares and detection."""
    genes = pd.Index(list(dict.fromkeys(gene for part in parts for gene in part.genes)))
    places = [genes.get_indexer(part.genes) for part in parts]
    measured = np.array([np.isin(np.arange(len(genes)), place) for place in places])
    cells = measured.T @ np.array([part.n_cells for part in parts])

    def spread(values: Sequence[np.ndarray]) -> np.ndarray:
        """Values of each sample's genes (last axis) among all genes, 0 for the others."""
        result = np.zeros((len(parts), *values[0].shape[:-1], len(genes)))
        for row, place, own in zip(result, places, values, strict=True):
            row[..., place] = own
        return result

    return {
        "genes": genes,
        "measured": measured,
        "means": spread([part.means[found] for part in parts]),
        "shares": spread([part.shares[found] for part in parts]),
        "detection": spread([part.n_expressing for part in parts]).sum(axis=0) / cells,
    }


def _summarise(
    sample: SampleData,
    *,
    order: Sequence[str],
    states: Sequence[str],
    tests: CellTest,
) -> _Part:
    adata, obs = sample.adata, sample.adata.obs
    name = obs["population"].astype(str)
    codes = pd.Index(order).get_indexer(name)
    unknown = sorted(set(name[codes < 0]) - {UNASSIGNED})
    if unknown:
        msg = f"cells carry populations that are not in the vocabulary: {', '.join(unknown)}"
        raise ValueError(msg)
    sizes = np.bincount(codes[codes >= 0], minlength=len(order))
    matrix = sparse.csr_matrix(adata.X, dtype=np.float64)
    kept = sizes >= tests.min_cells
    sums = partial(group_sums, groups=codes, n_groups=len(order))
    scale = np.where(kept, 1 / np.maximum(sizes, 1), 0.0)[:, None]
    on = matrix.copy()
    on.data = (on.data > 0).astype(np.float64)
    scores = cell_scores(adata, tests.signatures)
    with np.errstate(invalid="ignore"):
        averages = {
            column: np.where(kept, sums(values) * scale[:, 0], np.nan)
            for column, values in scores.items()
        }
    state = obs["population_state"].astype(str)
    return _Part(
        sample=_only(obs, "sample"),
        patient=_only(obs, "patient"),
        condition=_only(obs, "condition"),
        n_cells=adata.n_obs,
        sizes=sizes,
        states=np.array([(state == item).sum() for item in states]),
        genes=adata.var_names,
        means=sums(matrix) * scale,
        shares=sums(on) * scale,
        n_expressing=np.asarray(on.sum(axis=0)).ravel(),
        edges=sample.interactions[[*EDGE, "q_value"]],
        programmes=averages,
        tested=active_claims(tests, matrix, adata.var_names, name.to_numpy(), scores),
        unnamed=unnamed_cells(obs),
    )


def _only(obs: pd.DataFrame, column: str) -> str:
    values = obs[column].astype(str).unique()
    if len(values) != 1:
        msg = f"cells of one sample have several values of {column}: {', '.join(values)}"
        raise ValueError(msg)
    return str(values[0])


def _active_edges(
    tables: Sequence[pd.DataFrame],
    populations: Sequence[str],
    resource: pd.DataFrame,
    *,
    alpha: float,
) -> np.ndarray:
    n = len(populations)
    active = np.zeros((len(tables), len(resource), n, n), dtype=bool)
    index = pd.Index(populations)
    pairs = pd.MultiIndex.from_frame(resource[["ligand", "receptor"]])
    for i, table in enumerate(tables):
        rows = table[is_active(table, alpha=alpha).to_numpy()]
        keys = pd.MultiIndex.from_frame(rows[["ligand_complex", "receptor_complex"]].astype(str))
        at = (
            pairs.get_indexer(keys),
            index.get_indexer(pd.Index(rows["source"].astype(str))),
            index.get_indexer(pd.Index(rows["target"].astype(str))),
        )
        if any((part < 0).any() for part in at):
            msg = "the table of interactions names pairs or populations that the cohort lacks"
            raise ValueError(msg)
        active[i][at] = True
    return active


def unnamed_cells(obs: pd.DataFrame) -> pd.DataFrame:
    """Count cells whose group was not sure enough of its best match.

    Parameters
    ----------
    obs
        Cells of stage `annotated`.

    Returns
    -------
    One row per patient, subcluster, best_match and population (the name they have), with n_cells.
    """
    by = ["patient", "subcluster", "best_match", "population"]
    cells = obs[by].astype(str)
    open_ = cells[cells["best_match"] != ""]
    return open_.value_counts(by, sort=False).sort_index().rename("n_cells").reset_index()
