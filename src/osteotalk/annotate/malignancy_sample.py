"""Copy number of one sample: what it says of each cell and of each cluster."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from osteotalk.annotate import cnv
from osteotalk.annotate.malignancy_rules import (
    ABERRANT,
    NO_CANDIDATE,
    NO_CHANGE,
    NORMAL,
    NORMAL_LINEAGE,
    OTHER,
    TUMOUR,
    UNCLEAR,
    UNKNOWN,
    UNNAMED,
)
from osteotalk.ingest.gtf import arms

CANDIDATES = (TUMOUR, OTHER, UNNAMED)  # cells that could be tumour
MIN_GROUP = 10  # cells of a group whose arms are looked at
# Arms that must be gained or lost. One alone may be due to the lineage; cells of a tumour without a
# second are left undetermined.
MIN_ARMS = 2
# Score of a cluster (0: as the reference, 1: as the tumour) from which it is aberrant, and up to
# which it is normal. Between them it is mixed, of another clone, or too noisy.
GROUP_ABERRANT, GROUP_NORMAL = 0.6, 0.25
HALF = 0.5  # a cell above is nearer to the tumour than to the reference
# What was found of the copy number of a sample; the third is `NO_CHANGE`.
COMPUTED, NOT_COMPUTED = "computed", "not computed"


@dataclass(frozen=True)
class SampleCopyNumber:
    """What copy number says of the cells of a sample.

    `score` and `cell_state` have one value per cell, `group_state` and `group_score` one per
    cluster. `limit` is the score above which a cell is aberrant, and `floor` that below which it is
    normal; NaN where nothing could be computed, which `problem` then explains, and where no arm is
    gained or lost.
    """

    problem: str
    n_reference: int
    n_candidates: int
    lineages: tuple[str, ...]
    score: np.ndarray
    cell_state: np.ndarray
    group_state: Mapping[str, str]
    group_score: Mapping[str, float]
    limit: float = np.nan
    floor: float = np.nan
    changes: Mapping[str, str] = field(default_factory=dict)
    windows: np.ndarray | None = None

    @property
    def copy_number(self) -> str:
        """'computed', 'no change' (no arm is gained or lost) or 'not computed'."""
        if self.problem:
            return NOT_COMPUTED
        return COMPUTED if self.changes else NO_CHANGE


def judge_sample(
    adata: AnnData,
    *,
    role: np.ndarray,
    lineage: np.ndarray,
    cluster: np.ndarray,
    window: int,
    min_reference: int,
    seed: int,
    problem: str = "",
) -> SampleCopyNumber:
    """Score the cells of a sample against its reference cells.

    First the arms that groups of candidate cells (the clusters; cells of small clusters by role)
    have gained or lost are found. Groups with at least two such arms make up the tumour's profile,
    on which every cell is projected. The limit for a cell comes from the reference cells, each
    judged without itself (see `cnv.upper_limit`), and is no less than half of the tumour's score.
    In a sample of reference cells only no arm can be found gained or lost.

    Parameters
    ----------
    adata
        Log-normalised expression (CSR) of the sample, genes as `cnv.usable_genes` orders them.
    role
        What the markers say of each cell, see `malignancy_rules.ROLES`.
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
    reference = role == NORMAL_LINEAGE
    candidate = np.isin(role, CANDIDATES)
    n_reference = int(reference.sum())
    lineages = tuple(np.unique(lineage[reference].astype(str)).tolist())
    if not problem and n_reference < min_reference:
        problem = (
            f"the sample has {n_reference} cells of reference populations; "
            f"{min_reference} are needed"
        )
    nothing = _nothing_found(
        cluster, n_reference=n_reference, n_candidates=int(candidate.sum()), lineages=lineages
    )
    if problem:
        return replace(nothing, problem=problem)
    windows = cnv.infer_windows(
        adata, reference=reference, lineages=lineage, window=window, seed=seed
    )
    profile = _find_profile(
        adata,
        windows,
        groups=_groups(cluster, role, candidate),
        reference=reference,
        lineage=lineage,
        window_arm=cnv.window_table(adata.var, window=window)["arm"].to_numpy(str),
    )
    if profile is None:
        state = NO_CHANGE if candidate.any() else NO_CANDIDATE
        groups = dict.fromkeys(nothing.group_state, state)
        return replace(nothing, group_state=groups, windows=windows)
    score = cnv.score_cells(windows, profile)
    held_out = cnv.upper_limit(score[reference])
    limit, floor = max(held_out, HALF), min(1 - held_out, HALF)
    means = pd.Series(score).groupby(cluster, sort=True).mean()
    return replace(
        nothing,
        score=score,
        cell_state=np.select([score > limit, score < floor], [ABERRANT, NORMAL], UNCLEAR),
        group_state={str(name): group_state(float(mean)) for name, mean in means.items()},
        group_score={str(name): float(mean) for name, mean in means.items()},
        limit=limit,
        floor=floor,
        changes=profile.changes,
        windows=windows,
    )


def group_state(score: float) -> str:
    """State of a cluster by the mean score of its cells."""
    if score >= GROUP_ABERRANT:
        return ABERRANT
    return NORMAL if score <= GROUP_NORMAL else UNCLEAR


def _nothing_found(
    cluster: np.ndarray, *, n_reference: int, n_candidates: int, lineages: tuple[str, ...]
) -> SampleCopyNumber:
    names = np.unique(cluster.astype(str)).tolist()
    return SampleCopyNumber(
        problem="",
        n_reference=n_reference,
        n_candidates=n_candidates,
        lineages=lineages,
        score=np.full(len(cluster), np.nan),
        cell_state=np.full(len(cluster), UNKNOWN, dtype=object),
        group_state=dict.fromkeys(names, UNKNOWN),
        group_score=dict.fromkeys(names, np.nan),
    )


def _groups(cluster: np.ndarray, role: np.ndarray, candidate: np.ndarray) -> list[np.ndarray]:
    """Candidate cells by cluster; those of clusters with few of them by role."""
    sizes = pd.Series(cluster[candidate]).value_counts()
    large = sorted(sizes.index[sizes >= MIN_GROUP])
    groups = [np.flatnonzero(candidate & (cluster == name)) for name in large]
    rest = candidate & ~np.isin(cluster, large)
    groups += [np.flatnonzero(rest & (role == name)) for name in CANDIDATES]
    return [group for group in groups if len(group) >= MIN_GROUP]


def _find_profile(
    adata: AnnData,
    windows: np.ndarray,
    *,
    groups: list[np.ndarray],
    reference: np.ndarray,
    lineage: np.ndarray,
    window_arm: np.ndarray,
) -> cnv.Profile | None:
    """Profile of all groups with enough gained or lost arms; None if there is no such group."""
    arm = arms(adata.var["chromosome"].astype(str), adata.var["start"])
    counts = sparse.csr_matrix(adata.X[np.flatnonzero(reference)]).expm1()
    level = cnv.reference_level(counts, cnv.pooled_lineages(lineage[reference]))
    shown = counts.getnnz(axis=0) / counts.shape[0] >= cnv.ARM_DETECTED
    strongest: dict[str, tuple[float, str]] = {}
    members = []
    for group in groups:
        own = sparse.csr_matrix(adata.X[group]).expm1()
        table = cnv.arm_shifts(own, level=level, shown=shown, arm=arm)
        changed = table[table["change"] != ""]
        if len(changed) < MIN_ARMS:
            continue
        members.append(group)
        for row in changed.to_dict("records"):
            found = (abs(row["z"]), str(row["change"]))
            strongest[row["arm"]] = max(strongest.get(row["arm"], (0.0, "")), found)
    if not members:
        return None
    changes = {name: strongest[name][1] for name in dict.fromkeys(arm) if name in strongest}
    return cnv.tumour_profile(
        windows[np.concatenate(members)], window_arm=window_arm, changes=changes
    )
