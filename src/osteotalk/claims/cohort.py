"""What the claims are tested on: a cohort as arrays of samples, populations and genes."""

import logging
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from osteotalk.claims.cell_tests import CellTest, active_claims
from osteotalk.claims.claim import Claim
from osteotalk.claims.programmes import cell_scores
from osteotalk.contract import UNASSIGNED
from osteotalk.interactions.support import EDGE, is_active

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Cohort:
    """A cohort as the claims see it.

    Attributes
    ----------
    dataset
        Id of the cohort.
    samples, patients, conditions
        One entry per sample (S), sorted by sample.
    populations
        Populations that cells of the cohort carry (K), in the order of the vocabulary.
    sizes
        Cells (S x K).
    states, state_parents
        Cells of each state of a population (S each) and that population, by state.
    genes
        Genes that at least one sample measured (G).
    measured
        Whether a sample measured a gene (S x G).
    means, shares
        Mean log1p expression and share of expressing cells of populations that have `min_cells`
        cells in the sample, 0 in others (S x K x G).
    detection
        Share of all cells of the cohort that express each gene, of the samples that measured it
        (G).
    pairs
        Measured pairs of the resource: ligand, receptor (P).
    active
        Whether an edge is active: S x P x K x K, source before target.
    programmes
        Mean score of each signature in populations that have `min_cells` cells, NaN in others
        (S x K), by signature; those with too few measured genes are left out.
    tested
        Per sample the claims on genes or programmes that are active there, see `cell_tests`.
    min_cells, expr_prop, alpha
        As in scoring.
    partners
        Sample whose other quantity a correlation takes (S); the same sample, unless shuffled.
    unnamed
        Cells whose group was not sure enough of its best match, see `unnamed_cells`.
    """

    dataset: str
    samples: tuple[str, ...]
    patients: tuple[str, ...]
    conditions: tuple[str, ...]
    populations: tuple[str, ...]
    sizes: np.ndarray
    states: Mapping[str, np.ndarray]
    state_parents: Mapping[str, str]
    genes: pd.Index
    measured: np.ndarray
    means: np.ndarray
    shares: np.ndarray
    detection: np.ndarray
    pairs: pd.DataFrame
    active: np.ndarray
    programmes: Mapping[str, np.ndarray]
    tested: tuple[frozenset[str], ...]
    min_cells: int
    expr_prop: float
    alpha: float
    partners: np.ndarray
    unnamed: pd.DataFrame

    @cached_property
    def enough(self) -> np.ndarray:
        """Whether a population can be tested in a sample: S x K."""
        kept: np.ndarray = self.sizes >= self.min_cells
        return kept & (kept.sum(axis=1, keepdims=True) > 1)

    @cached_property
    def complexes(self) -> pd.Index:
        """Ligands and receptors of the pairs, sorted, each once."""
        return pd.Index(sorted(set(self.pairs["ligand"]) | set(self.pairs["receptor"])))

    @cached_property
    def ligands(self) -> np.ndarray:
        """Position of each pair's ligand in `complexes`."""
        return self.complexes.get_indexer(pd.Index(self.pairs["ligand"]))

    @cached_property
    def receptors(self) -> np.ndarray:
        """Position of each pair's receptor in `complexes`."""
        return self.complexes.get_indexer(pd.Index(self.pairs["receptor"]))

    @cached_property
    def levels(self) -> np.ndarray:
        """Mean of the lowest subunit, 0 where detected in too few cells (S x K x C)."""
        detected = self._lowest(self.shares) >= self.expr_prop
        return np.where(detected, self._lowest(self.means), 0.0)

    @cached_property
    def weights(self) -> np.ndarray:
        """Share of a complex's level that a population holds, 0 if not detected (S x K x C)."""
        means = self._lowest(self.means)
        total = means.sum(axis=1, keepdims=True)
        return np.where(self.levels > 0, means / np.where(total > 0, total, 1.0), 0.0)

    @cached_property
    def complex_detection(self) -> np.ndarray:
        """Detection of a complex over the cohort, that of its rarest subunit (C)."""
        return self._lowest(self.detection)

    @cached_property
    def pair_detection(self) -> np.ndarray:
        """Detection of ligand and receptor over the cohort (P x 2)."""
        lowest = self.complex_detection
        return np.column_stack([lowest[self.ligands], lowest[self.receptors]])

    @cached_property
    def complex_measured(self) -> np.ndarray:
        """Whether a sample measured all subunits of a complex (S x C)."""
        return self._lowest(self.measured).astype(bool)

    @cached_property
    def pair_measured(self) -> np.ndarray:
        """Whether a sample measured all subunits of ligand and receptor (S x P)."""
        found = self.complex_measured
        return found[:, self.ligands] & found[:, self.receptors]

    def pairs_of(self, names: Iterable[str]) -> np.ndarray:
        """Rows of those of the pairs that can be tested together.

        Pairs that less than half as many samples measured as the best of them are left out: a
        sample takes part only if it measured all.
        """
        rows = np.array([self.pair_row[name] for name in names if name in self.pair_row], dtype=int)
        n_samples = self.pair_measured[:, rows].sum(axis=0)
        return rows[2 * n_samples >= n_samples.max(initial=0)]

    @cached_property
    def pair_row(self) -> dict[str, int]:
        """Row of each pair, by LIGAND^RECEPTOR."""
        names = self.pairs["ligand"] + "^" + self.pairs["receptor"]
        return dict(zip(names, range(len(names)), strict=True))

    def columns(self, names: Iterable[str]) -> np.ndarray:
        """Positions of those of the populations that the cohort has, in its order."""
        wanted = set(names)
        return np.array([i for i, name in enumerate(self.populations) if name in wanted], dtype=int)

    def by_patient(self, values: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, list[str]]:
        """Average samples of a patient.

        Parameters
        ----------
        values
            Samples (those of `rows`) x anything; NaN does not count.
        rows
            Positions of the samples.

        Returns
        -------
        Patients (sorted) x anything, and the patients.
        """
        own = np.array(self.patients, dtype=object)[rows]
        patients = sorted(set(own))
        member = np.equal.outer(np.array(patients, dtype=object), own).astype(float)
        flat = values.reshape(len(rows), math.prod(values.shape[1:]))
        known = ~np.isnan(flat)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = (member @ np.where(known, flat, 0.0)) / (member @ known)
        return mean.reshape(len(patients), *values.shape[1:]), patients

    def _lowest(self, of_genes: np.ndarray) -> np.ndarray:
        """Lowest value over the subunits of each complex; the last axis of the input is genes."""
        columns = [self.genes.get_indexer(name.split("_")) for name in self.complexes]
        parts = [of_genes[..., own].min(axis=-1) for own in columns]
        return np.stack(parts, axis=-1) if parts else np.zeros((*of_genes.shape[:-1], 0))


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
    member = sparse.csr_matrix(
        (np.ones((codes >= 0).sum()), (codes[codes >= 0], np.flatnonzero(codes >= 0))),
        shape=(len(order), adata.n_obs),
    )
    scale = np.where(kept, 1 / np.maximum(sizes, 1), 0.0)[:, None]
    on = matrix.copy()
    on.data = (on.data > 0).astype(np.float64)
    scores = cell_scores(adata, tests.signatures)
    with np.errstate(invalid="ignore"):
        averages = {
            column: np.where(kept, (member @ values) * scale[:, 0], np.nan)
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
        means=(member @ matrix).toarray() * scale,
        shares=(member @ on).toarray() * scale,
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
