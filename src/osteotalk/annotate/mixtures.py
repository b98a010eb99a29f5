"""Find cells of two lineages at once: likely droplets with two cells.

Such cells are made from the cohort's own (the counts of two cells of two lineages, summed), and a
linear discriminant analysis learns to tell them from the single cells. Each cell is judged by a
model that saw neither it nor what was made of it. The idea of training on made doublets is that of
Wolock et al. 2019 (doi:10.1016/j.cels.2018.11.005) and Germain et al. 2021
(doi:10.12688/f1000research.73600.1); here each pair of lineages is a class, so that the answer
names the two.
"""

from itertools import combinations

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse
from sklearn.decomposition import TruncatedSVD
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.preprocessing import StandardScaler

from osteotalk.annotate.cells import group_profiles
from osteotalk.annotate.majors import Groups
from osteotalk.annotate.settle import lineages_of
from osteotalk.annotate.tree import Tree
from osteotalk.contract import UNASSIGNED

# Of each pair of lineages MADE cells are made in each of PARTS parts of the cohort, with this share
# of the counts of the two: two cells in a droplet yield less than twice what one does.
PARTS, MADE, KEPT = 5, 34, (0.5, 1.0)
# Cells are compared in so many components, of the genes that tell the lineages apart.
COMPONENTS = 40
# A cell is of two if that is the likelier for it when one cell in fifty is of this pair.
LEAD = float(np.log(49))


def leave_out_mixtures(
    adata: AnnData, cells: pd.DataFrame, groups: Groups, *, tree: Tree, seed: int
) -> None:
    """Leave cells of two lineages unassigned, in place, with a reason and `lineage_doublet`.

    Parameters
    ----------
    adata
        Cells x genes with `layers["counts"]` and `obs` sample.
    cells
        One row per cell, after `settle.check_cells`; changed.
    groups
        Groups with their major populations.
    tree
        Vocabulary and markers.
    seed
        Of the cells that are put together.
    """
    real, lineage = lineages_of(groups)
    number = {name: k for k, name in enumerate(real)}
    named = [d.population for d in groups.decisions]
    kept = cells["population"].to_numpy(str) == groups.of_cells(named).astype(str)
    moved = cells["population"].map(number).fillna(-1).to_numpy(dtype=int)
    first, second = mixtures(
        adata,
        np.where(kept, lineage[groups.code], moved),
        n_real=len(real),
        skip=np.isin(adata.var_names, tree.cycle_genes),
        seed=seed,
    )
    twice = first >= 0
    for column in ("population", "population_major"):
        cells.loc[twice, column] = UNASSIGNED
    for column in ("population_probability", "major_probability"):
        cells.loc[twice, column] = np.nan
    cells.loc[twice, "population_reason"] = [
        f"looks like {real[a]} and {real[b]} at once"
        for a, b in zip(first[twice], second[twice], strict=True)
    ]
    cells.loc[twice, "lineage_doublet"] = "yes"


def mixtures(
    adata: AnnData, lineage: np.ndarray, *, n_real: int, skip: np.ndarray, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Find cells that are more like two lineages summed than like any alone.

    Parameters
    ----------
    adata
        Cells x genes with `layers["counts"]` and `obs` sample; the names of cells and genes decide
        what is drawn, not their order.
    lineage
        Number of each cell's lineage, -1 for none. From `n_real` on it has no name: its cells can
        be single, but nothing is made of them.
    n_real
        Number of lineages that have a name.
    skip
        Genes to leave out (those of the cell cycle), boolean.
    seed
        Of the cells that are put together.

    Returns
    -------
    Numbers of the two lineages of each cell, the lower first; -1 twice for a single cell, and for
    cells of no lineage or of one with fewer than five cells.
    """
    first, second = np.full(adata.n_obs, -1), np.full(adata.n_obs, -1)
    n_lineages = max(n_real, int(lineage.max()) + 1)
    profiles = group_profiles(adata, lineage, n_groups=n_lineages, skip=skip)
    real = profiles.known[profiles.known < n_real]
    if len(real) < 2 or not profiles.tell:
        return first, second
    order = np.argsort(adata.obs_names.to_numpy(str), kind="stable")
    genes = profiles.genes[np.argsort(adata.var_names[profiles.genes].to_numpy(str), kind="stable")]
    x = _with_rest(sparse.csr_matrix(adata.layers["counts"]), genes)[order]
    of, sample = lineage[order], adata.obs["sample"].to_numpy(str)[order]
    rng = np.random.default_rng(seed)
    part = _parts(of, rng)
    pairs = list(combinations(real.tolist(), 2))
    made, of_made, part_made, sample_made = _made(x, of, pairs, part=part, sample=sample, rng=rng)
    features = _features(sparse.vstack([x, *made]), np.r_[sample, sample_made], seed=seed)
    # a pair is a class after those of the lineages
    label, part = np.r_[of, n_lineages + of_made], np.r_[part, part_made]
    lead, _ = _judge(features, label, part, n_single=n_lineages)
    label[: len(of)][lead[: len(of)] >= LEAD] = -1  # what is a mixture is no model of a lineage
    lead, pair = _judge(features, label, part, n_single=n_lineages)
    found = np.flatnonzero(np.isin(of, profiles.known) & (lead[: len(of)] >= LEAD))
    first[order[found]], second[order[found]] = np.array(pairs)[pair[found]].T
    return first, second


def _with_rest(counts: sparse.csr_matrix, genes: np.ndarray) -> sparse.csr_matrix:
    """Counts of some genes, and in one more column the sum of all others."""
    x = counts[:, genes]
    rest = np.asarray(counts.sum(axis=1) - x.sum(axis=1)).reshape(-1, 1)
    found = sparse.hstack([x, rest], format="csr").astype(np.int32)
    found.sort_indices()
    return found


def _parts(lineage: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Deal the cells of each lineage into `PARTS` parts."""
    part = np.empty(len(lineage), dtype=int)
    for k in np.unique(lineage):
        cells = np.flatnonzero(lineage == k)
        part[cells] = rng.permutation(np.arange(len(cells)) % PARTS)
    return part


def _made(
    x: sparse.csr_matrix,
    lineage: np.ndarray,
    pairs: list[tuple[int, int]],
    *,
    part: np.ndarray,
    sample: np.ndarray,
    rng: np.random.Generator,
) -> tuple[list[sparse.csr_matrix], np.ndarray, np.ndarray, np.ndarray]:
    """Counts of made cells; number of their pair, part, sample. Both are of one sample if any."""
    rows, of, parts, samples = [], [], [], []
    for number, (a, b) in enumerate(pairs):
        for k in range(PARTS):
            ones, others = (np.flatnonzero((lineage == c) & (part == k)) for c in (a, b))
            shared = ones[np.isin(sample[ones], sample[others])]
            chosen = rng.choice(shared if len(shared) else ones, MADE)
            partner = np.empty(MADE, dtype=int)
            for name in np.unique(sample[chosen]):
                here = sample[chosen] == name
                there = others[sample[others] == name]
                partner[here] = rng.choice(there if len(there) else others, here.sum())
            both = (x[chosen] + x[partner]).tocsr()
            share = np.repeat(rng.uniform(*KEPT, MADE), np.diff(both.indptr))
            both.data = rng.binomial(both.data, share).astype(np.int32)
            rows.append(both)
            of += [number] * MADE
            parts += [k] * MADE
            samples.append(sample[chosen])
    return rows, np.array(of), np.array(parts), np.concatenate(samples)


def _features(counts: sparse.csr_matrix, sample: np.ndarray, *, seed: int) -> np.ndarray:
    """Components of log-normalised expression, and the logarithm of the counts over the sample's.

    The last column of `counts` is of all other genes. Components are of mean 0 and variance 1.
    """
    total = np.maximum(np.asarray(counts.sum(axis=1)).ravel(), 1)
    size = np.log(total)
    size -= pd.Series(size).groupby(sample).transform("median").to_numpy()
    x = (sparse.diags_array(1e4 / total) @ counts.tocsr()[:, :-1]).tocsr().astype(np.float32)
    x.data = np.log1p(x.data)
    svd = TruncatedSVD(min(COMPONENTS, x.shape[1] - 1), random_state=seed)
    return StandardScaler().fit_transform(np.c_[svd.fit_transform(x), size])


def _judge(
    features: np.ndarray, label: np.ndarray, part: np.ndarray, *, n_single: int
) -> tuple[np.ndarray, np.ndarray]:
    """By how much the best pair is more likely than the best lineage, and which pair that is.

    In natural logarithms, for equally frequent classes; by models of the other parts. Rows with
    the label -1 are judged, but no model of a class.
    """
    lead, pair = np.empty(len(label)), np.empty(len(label), dtype=int)
    for k in range(PARTS):
        rows = (part != k) & (label >= 0)
        classes, n = np.unique(label[rows], return_counts=True)
        classes = classes[n >= 2]
        rows &= np.isin(label, classes)
        model = LinearDiscriminantAnalysis(
            solver="lsqr", shrinkage="auto", priors=np.full(len(classes), 1 / len(classes))
        )
        found = model.fit(features[rows], label[rows]).decision_function(features[part == k])
        single = model.classes_ < n_single
        lead[part == k] = found[:, ~single].max(axis=1) - found[:, single].max(axis=1)
        pair[part == k] = model.classes_[~single][found[:, ~single].argmax(axis=1)] - n_single
    return lead, pair
