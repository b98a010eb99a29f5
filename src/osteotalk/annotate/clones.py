"""Clones of the tumour in one sample, and how likely each cell belongs to one of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy.stats
from scipy import sparse

from osteotalk.annotate import cnv

MIN_GROUP = 10  # cells of a group whose arms are looked at
# Arms that must be gained or lost, and in which two clones must differ. One alone may be due to
# the lineage or the state of the cells.
MIN_ARMS = 2
HALF = 0.5  # a cell above is nearer to the clone than to the reference
ROUNDS = 3  # times that the cells which no clone explains are looked at again
# Scores are taken as Student's t with so many degrees of freedom around their median: heavy tails,
# so that one score far out is no proof.
FREEDOM = 4
MIN_SD = 1e-3  # of scores
STEPS, CONVERGED = 200, 1e-6  # of the shares of a cluster


@dataclass(frozen=True)
class Genome:
    """Expression of the cells of a sample along the genome.

    `counts` are per 10,000 (CSR, cells x genes), `arm` is that of each gene, `level` and `shown`
    are those of the reference (see `cnv.arm_shifts`), `windows` are cells x windows.
    """

    counts: sparse.csr_matrix
    arm: np.ndarray
    level: np.ndarray
    shown: np.ndarray
    windows: np.ndarray
    window_arm: np.ndarray

    def shifts(self, cells: np.ndarray, *, level: np.ndarray | None = None) -> pd.DataFrame:
        """Shift of each arm in some cells against the reference, or another level of the genes."""
        against = self.level if level is None else level
        return cnv.arm_shifts(self.counts[cells], level=against, shown=self.shown, arm=self.arm)

    def changes(self, cells: np.ndarray) -> dict[str, str]:
        """Arms that some cells have gained or lost, in genomic order."""
        table = self.shifts(cells)
        changed = table[table["change"] != ""]
        return dict(zip(changed["arm"], changed["change"], strict=True))


@dataclass(frozen=True)
class Clone:
    """Cells that share gains and losses: those it was found in, and their profile."""

    cells: np.ndarray
    profile: cnv.Profile

    @property
    def changes(self) -> Mapping[str, str]:
        """Its arms, gain or loss."""
        return self.profile.changes


@dataclass(frozen=True)
class Odds:
    """What copy number says of each cell of a sample.

    `score`: 0 as the reference, 1 as the clone that fits best, which is `clone` (its number).
    `ratio`: likelihood of the score in the tumour over that in the reference. `share`: part of the
    cell's cluster that is tumour, by copy number. `limit` and `floor`: scores (of the largest
    clone) at which the ratio is 9 and 1/9, as probabilities of 0.9 and 0.1 are from even odds.
    """

    score: np.ndarray
    clone: np.ndarray
    ratio: np.ndarray
    share: np.ndarray
    limit: float
    floor: float


def find_clones(
    genome: Genome, groups: Sequence[np.ndarray], parts: Sequence[np.ndarray]
) -> list[Clone]:
    """Find the clones in groups of cells that could be tumour, the largest first.

    A part with enough gained or lost arms gives its cells that are nearer to its own profile than
    to the reference. They join the clone from which they differ in fewer than two arms, or are a
    clone. Cells of a group that are near to no clone are looked at again: another may share it.

    Parameters
    ----------
    genome
        The sample.
    groups
        Positions of the cells of each group.
    parts
        From `split_groups`.
    """
    clones: list[Clone] = []
    left = list(parts)
    for _ in range(ROUNDS):
        own = [clone for group in left if (clone := own_clone(genome, group)) is not None]
        if not own:
            break
        for clone in sorted(own, key=lambda c: -len(c.cells)):
            clones = _add(genome, clones, clone)
        left = [_unexplained(genome, group, clones) for group in groups]
    return sorted(clones, key=lambda c: -len(c.cells))


def split_groups(genome: Genome, groups: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Split groups whose cells differ in their arms, if a part is a clone by itself.

    Parameters
    ----------
    genome
        The sample.
    groups
        Positions of the cells of each group.

    Returns
    -------
    Positions of the cells of each part, in the order of the groups.
    """
    found = []
    for group in groups:
        parts = split_by_arms(genome, group)
        apart = any(own_clone(genome, part) is not None for part in parts)
        found += parts if apart else [group]
    return found


def split_by_arms(genome: Genome, group: np.ndarray) -> list[np.ndarray]:
    """Split a group in which cells differ in several arms, again and again.

    The cells are split by every second gene along the genome, and whether the parts differ is asked
    of the other genes: parts of noise differ in the genes they were made by, not in others.

    Parameters
    ----------
    genome
        The sample.
    group
        Positions of cells.

    Returns
    -------
    Positions of the cells of each part; the group itself if its cells do not differ.
    """
    if len(group) < 2 * MIN_GROUP:
        return [group]
    even = np.arange(len(genome.arm)) % 2 == 0
    upper = _otsu_split(_arm_means(genome, group, genes=even & genome.shown))
    parts = [group[~upper], group[upper]]
    if min(map(len, parts)) < MIN_GROUP:
        return [group]
    parts.sort(key=len)  # the larger one is the level
    mean = np.asarray(genome.counts[parts[1]].mean(axis=0)).ravel()
    often = genome.counts[parts[1]].getnnz(axis=0) >= cnv.ARM_DETECTED * len(parts[1])
    table = cnv.arm_shifts(
        genome.counts[parts[0]],
        level=np.log2(mean + cnv.PSEUDO),
        shown=(genome.shown | often) & ~even,
        arm=np.where(even, "", genome.arm),
    )
    if (table["change"] != "").sum() < MIN_ARMS:
        return [group]
    return [smaller for part in parts for smaller in split_by_arms(genome, part)]


def _arm_means(genome: Genome, cells: np.ndarray, *, genes: np.ndarray) -> np.ndarray:
    """Mean log expression of each arm in each cell, less that of the cell and of the arm."""
    code, names = pd.factorize(genome.arm[genes])
    used = np.bincount(code, minlength=len(names)) >= cnv.MIN_ARM_GENES // 2
    used &= names != ""
    if not used.any():
        return np.zeros((len(cells), 0))
    member = np.eye(len(names))[code][:, used]
    n_genes = member.sum(axis=0)
    level = np.asarray(genome.counts[cells][:, genes].log1p() @ member) / n_genes
    level -= level.mean(axis=1, keepdims=True)  # how deep the cell is
    level -= level.mean(axis=0)
    return np.asarray(level * np.sqrt(n_genes))  # arms of many genes are less noisy


def _otsu_split(values: np.ndarray) -> np.ndarray:
    """Which rows lie in the upper of two parts along the first principal component.

    The parts are those of the least variance within (Otsu 1979, doi:10.1109/TSMC.1979.4310076).
    """
    if not values.size:
        return np.zeros(len(values), dtype=bool)
    _, vectors = np.linalg.eigh(values.T @ values)
    along = values @ vectors[:, -1]
    ordered = np.sort(along)
    n = np.arange(1, len(ordered))
    below = np.cumsum(ordered)[:-1] / n
    above = (ordered.sum() - np.cumsum(ordered)[:-1]) / n[::-1]
    cut = int(np.argmax(n * n[::-1] * (above - below) ** 2))
    return np.asarray(along > ordered[cut])


def _clone(genome: Genome, cells: np.ndarray) -> Clone | None:
    """Clone of some cells; None if too few of their arms are changed."""
    if len(cells) < MIN_GROUP:
        return None
    changes = genome.changes(cells)
    profile = cnv.tumour_profile(
        genome.windows[cells], window_arm=genome.window_arm, changes=changes
    )
    enough = profile is not None and len(profile.changes) >= MIN_ARMS
    return Clone(cells, profile) if enough and profile is not None else None


def own_clone(genome: Genome, group: np.ndarray) -> Clone | None:
    """Clone of the cells of a group that are nearer to its profile than to the reference."""
    whole = _clone(genome, group)
    if whole is None:
        return None
    near = cnv.score_cells(genome.windows[group], whole.profile) > HALF
    return _clone(genome, group[near]) or whole


def _add(genome: Genome, clones: list[Clone], new: Clone) -> list[Clone]:
    """Join cells with the clone they differ least from, or add them as one."""
    differ = [_n_different(genome, new, clone) for clone in clones]
    if differ and min(differ) < MIN_ARMS:
        place = differ.index(min(differ))
        cells = np.union1d(clones[place].cells, new.cells)
        if (joined := _clone(genome, cells)) is not None:
            return [*clones[:place], joined, *clones[place + 1 :]]
    return [*clones, new]


def _n_different(genome: Genome, new: Clone, clone: Clone) -> int:
    """Count the changed arms in which two clones differ, whatever part of the cells is tumour.

    The new one is compared with the other as far on as fits it best, from the reference (0) on: a
    group in which normal cells are left has the same arms, all of them weaker.
    """
    tables = [genome.shifts(c.cells)[["arm", "shift"]] for c in (new, clone)]
    both = tables[0].merge(tables[1], on="arm")
    both = both[both["arm"].isin([*clone.changes])]
    ours, theirs = both["shift_x"].to_numpy(float), both["shift_y"].to_numpy(float)
    far = max(float(ours @ theirs) / float(theirs @ theirs), 0.0) if len(both) else 0.0
    mean = np.asarray(genome.counts[clone.cells].mean(axis=0)).ravel()
    level = genome.level + far * (np.log2(mean + cnv.PSEUDO) - genome.level)
    table = genome.shifts(new.cells, level=level)
    changed = table.loc[table["change"] != "", "arm"]
    return int(changed.isin({*new.changes, *clone.changes}).sum())


def _unexplained(genome: Genome, group: np.ndarray, clones: Sequence[Clone]) -> np.ndarray:
    """Cells of a group that are nearer to the reference than to every clone."""
    scores = [cnv.score_cells(genome.windows[group], clone.profile) for clone in clones]
    return group[(np.array(scores) <= HALF).all(axis=0)]


def weigh_cells(
    genome: Genome, clones: Sequence[Clone], *, reference: np.ndarray, cluster: np.ndarray
) -> Odds:
    """Weigh each cell's scores in the reference against those in the clones.

    Scores of the reference are those of its held-out cells, of a clone those of the cells it was
    found in. A score below the middle of the reference or above that of the clone counts as the
    middle. The tumour's part of a cluster, clone by clone, is the most likely one given the scores
    of its cells (expectation and maximisation), with one cell of each kind added.

    Parameters
    ----------
    genome
        The sample.
    clones
        At least one.
    reference
        True for reference cells.
    cluster
        Cluster of each cell.
    """
    scores = np.array([cnv.score_cells(genome.windows, clone.profile) for clone in clones])
    fits = [_Fit.of(s[reference], s[c.cells]) for s, c in zip(scores, clones, strict=True)]
    ratios = np.array([fit.ratio(s) for fit, s in zip(fits, scores, strict=True)]).T
    code, names = pd.factorize(cluster.astype(str), sort=True)
    shares = _shares(ratios, code, len(names))[code]
    weighted = shares[:, 1:] * ratios
    best = weighted.argmax(axis=1)
    tumour = shares[:, 1:].sum(axis=1)
    grid = np.linspace(0, 1, 1001)
    along = fits[0].ratio(grid)
    return Odds(
        score=scores[best, np.arange(len(code))],
        clone=best,
        ratio=weighted.sum(axis=1) / tumour,
        share=tumour,
        limit=float(grid[min(int(np.searchsorted(along, 9)), 1000)]),
        floor=float(grid[max(int(np.searchsorted(along, 1 / 9, side="right")) - 1, 0)]),
    )


@dataclass(frozen=True)
class _Fit:
    """Middle and spread of the scores of the reference (0) and of a clone (1)."""

    middle: tuple[float, float]
    spread: tuple[float, float]

    @classmethod
    def of(cls, normal: np.ndarray, tumour: np.ndarray) -> "_Fit":
        (zero, narrow), (one, wide) = _centre(normal), _centre(tumour)
        return cls((zero, one), (narrow, max(narrow, wide)))  # tumour cells vary no less

    def ratio(self, scores: np.ndarray) -> np.ndarray:
        inside = np.clip(scores, min(self.middle), max(self.middle))
        normal, tumour = (
            scipy.stats.t.pdf(inside, FREEDOM, loc=m, scale=s)
            for m, s in zip(self.middle, self.spread, strict=True)
        )
        return np.asarray(tumour / normal)


def _centre(scores: np.ndarray) -> tuple[float, float]:
    """Median and robust standard deviation."""
    middle = float(np.median(scores))
    return middle, max(1.4826 * float(np.median(np.abs(scores - middle))), MIN_SD)


def _shares(ratios: np.ndarray, code: np.ndarray, n_clusters: int) -> np.ndarray:
    """Part of each cluster that is normal, and of each clone: clusters x (1 + clones)."""
    n_clones = ratios.shape[1]
    added = np.array([1.0] + [1 / n_clones] * n_clones)
    likelihood = np.column_stack([np.ones(len(ratios)), ratios])
    shares = np.tile(added / 2, (n_clusters, 1))
    for _ in range(STEPS):
        of_cell = shares[code] * likelihood
        of_cell /= of_cell.sum(axis=1, keepdims=True)
        found = np.zeros_like(shares)
        np.add.at(found, code, of_cell)
        found = (found + added) / (found.sum(axis=1, keepdims=True) + 2)
        done = np.abs(found - shares).max() < CONVERGED
        shares = found
        if done:
            break
    return shares
