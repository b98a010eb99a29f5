"""What the claims are tested on: a cohort as arrays of samples, populations and genes."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd


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
        if not len(self.complexes):
            return np.zeros((*of_genes.shape[:-1], 0))
        subunits = [name.split("_") for name in self.complexes]
        columns = self.genes.get_indexer(pd.Index([gene for own in subunits for gene in own]))
        first = np.cumsum([0, *[len(own) for own in subunits[:-1]]])
        return np.minimum.reduceat(of_genes[..., columns], first, axis=-1)
