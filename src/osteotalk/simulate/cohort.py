"""Expected expression of the simulated cohort, and the counts of one sample."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pandas as pd
from scipy import sparse

from osteotalk.simulate import genes as gene_names
from osteotalk.simulate.seeds import generator
from osteotalk.simulate.truth import leaf_populations
from osteotalk.tables import above

SINGLE, DOUBLET, DYING = "single", "doublet", "dying"
_BASES = np.array(list("ACGT"))
_BARCODE_LENGTH = 16


@dataclass(frozen=True)
class Levels:
    """Numbers behind the simulation. Means are counts in a cell of median size.

    With 6,000 genes they add up to a median library of about 3,500 counts.
    """

    elevated_mean: float = 2.5  # of a marker or planted gene where it is raised
    elevated_log_sd: float = 0.2
    leak_detection: tuple[float, float] = (0.02, 0.04)  # of the same genes elsewhere
    resource_detection: tuple[float, float] = (0.0005, 0.4)  # log-uniform, the same everywhere
    background_mean: float = 0.26  # median of a log-normal
    background_log_sd: float = 1.1
    background_detection: tuple[float, float] = (0.01, 0.6)
    ribosomal_mean: float = 8.0
    housekeeping_mean: float = 5.0
    abundant_log_sd: float = 0.5
    mitochondrial_share: float = 0.05
    programme_genes: int = 50  # background genes raised in a population, and in each parent
    programme_fold: float = 3.5
    programme_log_sd: float = 0.3
    dispersion: float = 0.5  # phi: variance = mean + phi * mean^2
    library_log_sd: float = 0.35
    patient_log_sd: float = 0.15  # of every gene, in all cells of a patient
    composition: float = 800.0  # Dirichlet concentration: larger is closer to the table
    ambient: tuple[float, float] = (0.02, 0.05)
    doublets: float = 0.05
    dying: float = 0.04
    dying_size: float = 0.25
    dying_mitochondrial: tuple[float, float] = (0.3, 0.6)


@dataclass(frozen=True)
class Cohort:
    """All that the samples share."""

    genes: tuple[str, ...]
    populations: tuple[str, ...]
    means: Mapping[str, np.ndarray]  # condition: populations x genes
    mitochondrial: np.ndarray  # genes
    private: np.ndarray  # genes that patient effects of a single population may touch
    levels: Levels
    seed: int
    tumour: np.ndarray  # populations whose cells have gains and losses
    folds: Mapping[str, np.ndarray]  # patient: genes, by copy number


def build_cohort(
    classes: pd.Series,
    *,
    populations: pd.DataFrame,
    elevated: Mapping[str, pd.DataFrame],
    seed: int,
    tumour: Collection[str] = (),
    folds: Mapping[str, np.ndarray] = MappingProxyType({}),
    levels: Levels | None = None,
) -> Cohort:
    """Lay down the expected expression of every population.

    Parameters
    ----------
    classes
        Class of each gene as `gene_classes` gives it.
    populations
        Columns population, parent. Each row, parents too, gets a programme of background genes;
        a leaf has its own and those above it.
    elevated
        Condition to the frame of `elevation`.
    seed
        Seed of the cohort.
    tumour
        Leaf populations of tumour cells.
    folds
        Fold change of each gene in the tumour cells of a patient, by copy number; none: no change.
    levels
        Levels of expression; the defaults are tuned for 6,000 genes.
    """
    levels = levels or Levels()
    base = _baseline(classes, levels=levels, rng=generator(seed, "baseline"))
    programmes = _programmes(classes, populations=populations, levels=levels, seed=seed)
    names = leaf_populations(populations)
    columns = next(iter(elevated.values())).columns
    draw = generator(seed, "elevated").normal(0, levels.elevated_log_sd, len(columns))
    level = levels.elevated_mean * np.exp(draw)
    position = classes.index.get_indexer(columns)
    means = {}
    for condition, frame in elevated.items():
        mean = base * programmes
        mean[:, position] = np.where(frame.loc[names], level, base[position])
        means[condition] = mean
    return Cohort(
        genes=tuple(classes.index),
        populations=tuple(names),
        means=means,
        mitochondrial=(classes == gene_names.MITOCHONDRIAL).to_numpy(),
        private=(classes == gene_names.BACKGROUND).to_numpy(),
        levels=levels,
        seed=seed,
        tumour=np.array([name in tumour for name in names]),
        folds=folds,
    )


def _baseline(classes: pd.Series, *, levels: Levels, rng: np.random.Generator) -> np.ndarray:
    """Mean count of each gene where nothing raises it."""
    phi = levels.dispersion

    def log_uniform(bounds: tuple[float, float], size: int) -> np.ndarray:
        low, high = np.log(bounds)
        detection = np.exp(rng.uniform(low, high, size))
        return gene_names.mean_of_detection(detection, dispersion=phi)

    def log_normal(median: float, log_sd: float, size: int) -> np.ndarray:
        return np.asarray(median * np.exp(rng.normal(0, log_sd, size)))

    mean = np.zeros(len(classes))
    kind = {name: (classes == name).to_numpy() for name in sorted(set(classes))}
    for name, mask in kind.items():
        size = int(mask.sum())
        if name == gene_names.ELEVATED:
            mean[mask] = log_uniform(levels.leak_detection, size)
        elif name == gene_names.RESOURCE:
            mean[mask] = log_uniform(levels.resource_detection, size)
        elif name == gene_names.BACKGROUND:
            drawn = log_normal(levels.background_mean, levels.background_log_sd, size)
            bounds = np.array(levels.background_detection)
            low, high = gene_names.mean_of_detection(bounds, dispersion=phi)
            mean[mask] = np.clip(drawn, low, high)
        elif name == gene_names.RIBOSOMAL:
            mean[mask] = log_normal(levels.ribosomal_mean, levels.abundant_log_sd, size)
        elif name == gene_names.HOUSEKEEPING:
            mean[mask] = log_normal(levels.housekeeping_mean, levels.abundant_log_sd, size)
        else:
            mean[mask] = log_normal(1, levels.abundant_log_sd, size)
    mito = kind[gene_names.MITOCHONDRIAL]
    share = levels.mitochondrial_share
    mean[mito] *= mean[~mito].sum() * share / (1 - share) / mean[mito].sum()
    return mean


def _programmes(
    classes: pd.Series, *, populations: pd.DataFrame, levels: Levels, seed: int
) -> np.ndarray:
    """Fold change of each gene in each leaf population: leaves x genes."""
    background = np.flatnonzero(classes == gene_names.BACKGROUND)
    own = {}
    for name in populations["population"]:
        rng = generator(seed, "programme", name)
        size = min(levels.programme_genes, len(background))
        log_fold = np.zeros(len(classes))
        log_fold[rng.choice(background, size, replace=False)] = np.log(
            levels.programme_fold
        ) + rng.normal(0, levels.programme_log_sd, size)
        own[name] = log_fold
    rows = [
        np.max([own[name] for name in (leaf, *above(populations, leaf))], axis=0)
        for leaf in leaf_populations(populations)
    ]
    return np.asarray(np.exp(np.vstack(rows)))


def simulate_sample(
    cohort: Cohort,
    *,
    sample: str,
    patient: str,
    condition: str,
    shares: pd.DataFrame,
    cells: int,
) -> tuple[sparse.csr_matrix, list[str], pd.DataFrame]:
    """Draw the droplets of one sample.

    Parameters
    ----------
    cohort
        Shared expression.
    sample, patient, condition
        Their names choose the random streams and the planted edges.
    shares
        Index: population; columns share (mean of the Dirichlet) and patient_sd (log sd of patient
        effects that touch this population alone).
    cells
        Number of droplets.

    Returns
    -------
    Counts (cells x genes, int32), barcodes (sorted), and one row per droplet: sample, barcode,
    population, state (single, doublet, dying), second_population ('' unless a doublet).
    """
    levels, rng = cohort.levels, generator(cohort.seed, "sample", sample)
    shares = shares.reindex(list(cohort.populations)).fillna({"share": 0.0, "patient_sd": 0.0})
    means = _patient_means(cohort, patient=patient, condition=condition, shares=shares)
    size = _composition(shares["share"].to_numpy(float), cells=cells, levels=levels, rng=rng)
    first = rng.permutation(np.repeat(np.arange(len(size)), size))
    n_doublets, n_dying = round(levels.doublets * cells), round(levels.dying * cells)
    state = np.repeat([DOUBLET, DYING, SINGLE], [n_doublets, n_dying, cells - n_doublets - n_dying])
    state = rng.permutation(state.astype(object))
    ambient = (size / size.sum()) @ means
    expected = _expected(cohort, means[first], ambient=ambient, dying=state == DYING, rng=rng)
    counts = _negative_binomial(expected, dispersion=levels.dispersion, rng=rng)
    twice = np.flatnonzero(state == DOUBLET)
    second = rng.choice(first, len(twice))
    extra = _expected(
        cohort, means[second], ambient=ambient, dying=np.zeros(len(twice), bool), rng=rng
    )
    counts[twice] += _negative_binomial(extra, dispersion=levels.dispersion, rng=rng)
    names = np.array(cohort.populations, dtype=object)
    partner = np.full(cells, "", dtype=object)
    partner[twice] = names[second]
    barcodes = _barcodes(cells, rng=rng)
    truth = pd.DataFrame(
        {
            "sample": sample,
            "barcode": barcodes,
            "population": names[first],
            "state": state,
            "second_population": partner,
        }
    )
    return sparse.csr_matrix(counts), barcodes, truth


def _patient_means(
    cohort: Cohort, *, patient: str, condition: str, shares: pd.DataFrame
) -> np.ndarray:
    """Means of one patient: every gene varies; private genes also within a population.

    In tumour cells, copy number acts on all genes of the changed arms.
    """
    rng = generator(cohort.seed, "patient", patient)
    means = cohort.means[condition]
    common = rng.normal(0, cohort.levels.patient_log_sd, len(cohort.genes))
    own = rng.normal(0, 1, means.shape) * shares["patient_sd"].to_numpy(float)[:, None]
    means = means * np.exp(common + own * cohort.private)
    fold = cohort.folds.get(patient, np.ones(len(cohort.genes)))
    return np.asarray(np.where(cohort.tumour[:, None], means * fold, means))


def _composition(
    shares: np.ndarray, *, cells: int, levels: Levels, rng: np.random.Generator
) -> np.ndarray:
    """Cells per population; largest remainders, so that the sum is exact."""
    drawn = np.zeros(len(shares))
    present = shares > 0
    drawn[present] = rng.dirichlet(levels.composition * shares[present])
    exact = drawn * cells
    whole = np.floor(exact).astype(int)
    order = np.argsort(whole - exact, kind="stable")
    whole[order[: cells - whole.sum()]] += 1
    return whole


def _expected(
    cohort: Cohort,
    profiles: np.ndarray,
    *,
    ambient: np.ndarray,
    dying: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Add size and ambient RNA to profiles: expected counts, cells x genes."""
    levels, n, mito = cohort.levels, len(profiles), cohort.mitochondrial
    profiles = profiles.copy()
    if dying.any():
        kept = profiles[dying]
        total = kept.sum(axis=1, keepdims=True)
        share = rng.uniform(*levels.dying_mitochondrial, (len(kept), 1))
        leaking = kept[:, mito].sum(axis=1, keepdims=True)
        scale = np.where(mito, share * total / leaking, (1 - share) * total / (total - leaking))
        profiles[dying] = kept * scale
    size = np.exp(rng.normal(0, levels.library_log_sd, n)) * np.where(dying, levels.dying_size, 1)
    fraction = rng.uniform(*levels.ambient, n)
    soup = fraction * profiles.sum(axis=1) / ambient.sum()
    profiles *= ((1 - fraction) * size)[:, None]
    profiles += (soup * size)[:, None] * ambient
    return profiles


def _negative_binomial(
    mean: np.ndarray, *, dispersion: float, rng: np.random.Generator
) -> np.ndarray:
    """Gamma-Poisson draw: variance = mean + dispersion * mean^2."""
    rate = rng.standard_gamma(1 / dispersion, mean.shape, dtype=np.float32)
    return rng.poisson(rate * (mean * dispersion)).astype(np.int32)


def _barcodes(cells: int, *, rng: np.random.Generator) -> list[str]:
    """Draw unique barcodes of 16 bases with the suffix of one lane, sorted."""
    found: set[str] = set()
    while len(found) < cells:
        letters = _BASES[rng.integers(0, len(_BASES), (cells - len(found), _BARCODE_LENGTH))]
        found.update("".join(row) + "-1" for row in letters)
    return sorted(found)
