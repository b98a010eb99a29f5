"""Copy number of one sample: its clones, and what it says of each cell."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from osteotalk.annotate import cnv
from osteotalk.annotate.clones import (
    MIN_GROUP,
    Clone,
    Genome,
    Odds,
    find_clones,
    own_clone,
    split_groups,
    weigh_cells,
)
from osteotalk.annotate.malignancy_rules import ROLES, TWO_LINEAGES
from osteotalk.ingest.gtf import arms

# What was found of the copy number of a sample.
COMPUTED, NO_CHANGE, NOT_COMPUTED = "computed", "no change", "not computed"
ONE_ARM, NOT_WEIGHED = "one arm", "arms not weighed"
# What is told of a cell whose group has such arms.
ARM_REASONS = {
    ONE_ARM: "one arm is changed in its group ({}), which may be due to its kind",
    NOT_WEIGHED: "arms are changed in its group ({}), by too few of which cells can be weighed",
}


@dataclass(frozen=True)
class SampleCopyNumber:
    """What copy number says of the cells of a sample.

    `clones` has the arms of each clone by its name, the largest first; `odds` is None without one.
    `one_arm` has, per cell, the arm in which alone its group differs from the reference, with its
    change, or several arms if too few of them have windows to weigh cells by (arms of few genes
    have none), and '' in other cells. `problem` says why nothing could be computed, if so.
    """

    problem: str
    n_reference: int
    n_candidates: int
    lineages: tuple[str, ...]
    one_arm: np.ndarray
    clones: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    odds: Odds | None = None
    windows: np.ndarray | None = None

    @property
    def copy_number(self) -> str:
        """'computed', 'one arm', 'arms not weighed', 'no change' (of any arm) or 'not computed'."""
        if self.problem:
            return NOT_COMPUTED
        if self.clones:
            return COMPUTED
        told = {changed_words(text) for text in self.one_arm if text}
        return max(told, default=NO_CHANGE, key=(ONE_ARM, NOT_WEIGHED).index)

    @property
    def limits(self) -> tuple[float, float]:
        """Scores from which and up to which copy number alone tells a cell; NaN without a clone."""
        return (self.odds.limit, self.odds.floor) if self.odds else (np.nan, np.nan)

    def arms(self, change: str) -> list[str]:
        """Arms that a clone, or a group with no other change, has gained or lost."""
        found = [arm for own in self.clones.values() for arm, how in own.items() if how == change]
        groups = [text.split(";") for text in dict.fromkeys(self.one_arm) if text]
        words = [one.split() for group in groups for one in group]
        found += [arm for arm, how in words if how == _WORDS[change]]
        return list(dict.fromkeys(found))

    def clone_names(self) -> np.ndarray:
        """Name of the clone that each cell is nearest to; '' without one."""
        if self.odds is None:
            return np.full(len(self.one_arm), "", dtype=object)
        return np.array(list(self.clones), dtype=object)[self.odds.clone]


_WORDS = {"gain": "gained", "loss": "lost"}


def arm_words(changes: Mapping[str, str]) -> str:
    """Arms with their changes, such as '1p lost;8q gained'."""
    return ";".join(f"{arm} {_WORDS[change]}" for arm, change in changes.items())


def changed_words(text: str) -> str:
    """Whether the arms of `SampleCopyNumber.one_arm` are one or several."""
    return NOT_WEIGHED if ";" in text else ONE_ARM


def judge_sample(
    adata: AnnData,
    *,
    sample: str,
    role: np.ndarray,
    reference: np.ndarray,
    lineage: np.ndarray,
    cluster: np.ndarray,
    window: int,
    min_reference: int,
    seed: int,
    problem: str = "",
) -> SampleCopyNumber:
    """Find the clones of a sample, and weigh its cells against them and the reference.

    The arms that groups of candidate cells have gained or lost make up the clones (see
    `clones.find_clones`). Candidates are all but the reference cells and likely doublets, grouped
    by cluster; those of small clusters by role.

    Parameters
    ----------
    adata
        Log-normalised expression (CSR) of the sample, genes as `cnv.usable_genes` orders them.
    sample
        Its name, with which the names of its clones begin.
    role
        What the markers say of each cell, see `malignancy_rules.ROLES`.
    reference
        True for the cells that serve as reference.
    lineage
        Major population of each cell.
    cluster
        Cluster of each cell.
    window
        Genes in a window.
    min_reference
        Fewest reference cells.
    seed
        Seed of the parts in which reference cells are judged.
    problem
        Why copy number cannot be computed for any sample, if so.
    """
    candidate = ~reference & (role != TWO_LINEAGES)
    n_reference = int(reference.sum())
    if not problem and n_reference < min_reference:
        problem = (
            f"the sample has {n_reference} cells of reference populations that are named for sure; "
            f"{min_reference} are needed"
        )
    nothing = SampleCopyNumber(
        problem=problem,
        n_reference=n_reference,
        n_candidates=int(candidate.sum()),
        lineages=tuple(np.unique(lineage[reference].astype(str)).tolist()),
        one_arm=np.full(len(cluster), "", dtype=object),
    )
    if problem:
        return nothing
    genome = _genome(adata, reference=reference, lineage=lineage, window=window, seed=seed)
    groups = _groups(cluster, role, candidate)
    parts = split_groups(genome, groups)
    clones = find_clones(genome, groups, parts)
    return replace(
        nothing,
        one_arm=_one_arm(genome, parts, clones),
        clones={f"{sample} clone {i}": dict(c.changes) for i, c in enumerate(clones, start=1)},
        odds=weigh_cells(genome, clones, reference=reference, cluster=cluster) if clones else None,
        windows=genome.windows,
    )


def _genome(
    adata: AnnData, *, reference: np.ndarray, lineage: np.ndarray, window: int, seed: int
) -> Genome:
    counts = sparse.csr_matrix(adata.X).expm1()
    normal = counts[np.flatnonzero(reference)]
    return Genome(
        counts=counts,
        arm=arms(adata.var["chromosome"].astype(str), adata.var["start"]),
        level=cnv.reference_level(normal, cnv.pooled_lineages(lineage[reference])),
        shown=normal.getnnz(axis=0) / normal.shape[0] >= cnv.ARM_DETECTED,
        windows=cnv.infer_windows(
            adata, reference=reference, lineages=lineage, window=window, seed=seed
        ),
        window_arm=cnv.window_table(adata.var, window=window)["arm"].to_numpy(str),
    )


def _groups(cluster: np.ndarray, role: np.ndarray, candidate: np.ndarray) -> list[np.ndarray]:
    """Candidate cells by cluster; those of clusters with few of them by role."""
    sizes = pd.Series(cluster[candidate]).value_counts()
    large = sorted(sizes.index[sizes >= MIN_GROUP])
    groups = [np.flatnonzero(candidate & (cluster == name)) for name in large]
    rest = candidate & ~np.isin(cluster, large)
    groups += [np.flatnonzero(rest & (role == name)) for name in ROLES]
    return [group for group in groups if len(group) >= MIN_GROUP]


def _one_arm(genome: Genome, groups: list[np.ndarray], clones: list[Clone]) -> np.ndarray:
    """Changed arms of the group of a cell that make no clone, unless a clone has the changes."""
    found = np.full(genome.counts.shape[0], "", dtype=object)
    for group in groups:
        changes = genome.changes(group)
        known = any(changes.items() <= clone.changes.items() for clone in clones)
        if changes and not known and own_clone(genome, group) is None:
            found[group] = arm_words(changes)
    return found
