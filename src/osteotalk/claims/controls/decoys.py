"""Controls that look like a claim in everything but the claim.

Pair decoys keep the populations and swap each pair for another one of the resource whose ligand and
receptor are detected in a similar share of all cells of the cohort: what is left is where the two
genes are expressed, not how much. Where pairs of a claim share a ligand or a receptor, those of a
decoy share it too; with independent pairs a claim that hangs on one gene would look stronger than
it is.

Population decoys keep the pairs and swap the populations: what is left is between which
populations. Claims on genes have other genes of similar detection as controls, programmes other
sets of such genes, and compositions other populations.
"""

import itertools
import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# Detection may differ by this factor, at most, from that of what is replaced.
CALIPER = 2.0
# With fewer controls no p-value of a single claim can be below 0.05.
MIN_POOL = 20
# Detection below this share of cells is as good as none.
FLOOR = 1e-3
# The same for the number of cells of other populations.
CELL_CALIPER = 10.0
# Sets of populations up to which all are taken; of more, so many are drawn.
MOST_SETS = 10_000


@dataclass(frozen=True)
class Draws:
    """Decoys of one claim.

    Attributes
    ----------
    rows
        Decoys x items of the claim (rows of pairs or genes).
    n_pool
        Fewest candidates that an item of the claim has.
    """

    rows: np.ndarray
    n_pool: int


def pool_of(item: int, detection: np.ndarray, *, forbidden: np.ndarray, size: int) -> np.ndarray:
    """Items nearest in detection to one item.

    Parameters
    ----------
    item
        Row in `detection`.
    detection
        Items x what is matched (ligand and receptor, or gene): shares from 0 to 1.
    forbidden
        Per item: may not be drawn.
    size
        Most items to return.

    Returns
    -------
    Rows of items that lie within a factor of two in each column, nearest first.
    """
    logs = np.log2(np.maximum(detection, FLOOR))
    distance = np.abs(logs - logs[item]).max(axis=1)
    distance[forbidden] = np.inf
    order = np.argsort(distance, kind="stable")
    return order[distance[order] <= np.log2(CALIPER)][:size]


def draw_matched(
    own: np.ndarray,
    detection: np.ndarray,
    *,
    forbidden: np.ndarray,
    pool_size: int,
    n_decoys: int,
    rng: np.random.Generator,
    exhaust: bool = True,
) -> Draws:
    """Draw decoys of a claim on some items (pairs or genes), matched item by item.

    A claim of one item has its whole pool as decoys, each once, unless told otherwise. For a claim
    of several, each item is replaced from its own pool, `n_decoys` times, an item at most once
    within a decoy where its pool allows; there the claim's own items are put back into every pool,
    as the claim is one of the draws that chance could have made. Without them a claim that beats
    its pools would get a p-value of 1 / (n_decoys + 1), however small the pools.

    Parameters
    ----------
    own
        Rows of the claim's items.
    detection
        Items x what is matched.
    forbidden
        Per item: may not be drawn.
    pool_size, n_decoys
        Limits; a claim of one item may use a pool of `n_decoys`.
    rng
        Source of randomness.
    exhaust
        Whether a claim of one item has its pool as decoys; else they are drawn as for several.

    Returns
    -------
    Draws; without a row if the pool of an item has fewer than 20 items.
    """
    alone = exhaust and len(own) == 1
    size = n_decoys if alone else pool_size
    pools = [pool_of(int(item), detection, forbidden=forbidden, size=size) for item in own]
    n_pool = min((len(pool) for pool in pools), default=0)
    if n_pool < MIN_POOL:
        return Draws(np.empty((0, len(own)), dtype=np.int64), n_pool)
    if alone:
        return Draws(pools[0][:n_decoys, None], n_pool)
    filled = [np.append(pool, own) for pool in pools]
    drawn = np.column_stack([rng.choice(pool, size=n_decoys) for pool in filled])
    for _ in range(20):  # an item that a decoy holds twice is drawn again
        twice = _repeats(drawn)
        if not twice.any():
            break
        for column, pool in enumerate(filled):
            again = twice[:, column]
            drawn[again, column] = rng.choice(pool, size=int(again.sum()))
    return Draws(drawn, n_pool)


def _repeats(drawn: np.ndarray) -> np.ndarray:
    """Whether an earlier column of the row holds the same item."""
    twice = np.zeros(drawn.shape, dtype=bool)
    for column in range(1, drawn.shape[1]):
        twice[:, column] = (drawn[:, :column] == drawn[:, [column]]).any(axis=1)
    return twice


def population_sets(
    cells: np.ndarray,
    own: tuple[np.ndarray, np.ndarray],
    *,
    forbidden: np.ndarray,
    n_decoys: int,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Other populations for the same pairs.

    A set may overlap with that of the claim: if none did, a claim that holds the strongest edge by
    chance would beat all others. Each side has the claim's number of populations, and their cells
    differ from the claim's by a factor of ten at most.

    Parameters
    ----------
    cells
        Cells of each population of the cohort (K).
    own
        Positions of the claim's sources and targets.
    forbidden
        Edges between populations that no decoy may hold (K x K): those that other claims name for
        one of the pairs.
    n_decoys
        Most sets, where there are too many to take all.
    rng
        Source of randomness there.

    Returns
    -------
    Membership of sources and of targets (sets x K), each combination once; the first row is the
    claim. No other row if there are fewer than 20.
    """
    k, sizes = len(cells), (len(own[0]), len(own[1]))
    claim = [_members([side], k) for side in own]
    every = math.comb(k, sizes[0]) * math.comb(k, sizes[1]) <= MOST_SETS
    if every:
        sources, targets = (list(itertools.combinations(range(k), n)) for n in sizes)
        both = list(itertools.product(sources, targets))
        source = _members([s for s, _ in both], k)
        target = _members([t for _, t in both], k)
    else:
        source, target = (_random_members(MOST_SETS, n, k, rng) for n in sizes)
        packed = np.packbits(np.hstack([source, target]), axis=1)
        distinct = np.sort(np.unique(packed, axis=0, return_index=True)[1])
        source, target = source[distinct], target[distinct]
    kept = ~np.einsum("da,ab,db->d", source, forbidden, target, optimize=True).astype(bool)
    kept &= (source != claim[0]).any(axis=1) | (target != claim[1]).any(axis=1)
    for side, member in zip(claim, (source, target), strict=True):
        ratio = np.log(np.maximum(member @ cells, 1) / np.maximum(side @ cells, 1))
        kept &= np.abs(ratio) <= np.log(CELL_CALIPER)
    chosen = np.flatnonzero(kept)
    chosen = chosen if every else chosen[:n_decoys]
    if len(chosen) < MIN_POOL:
        chosen = chosen[:0]
    return np.vstack([claim[0], source[chosen]]), np.vstack([claim[1], target[chosen]])


def _members(sets: Sequence[Sequence[int] | np.ndarray], k: int) -> np.ndarray:
    member = np.zeros((len(sets), k), dtype=bool)
    for row, items in enumerate(sets):
        member[row, list(items)] = True
    return member


def _random_members(n_sets: int, size: int, k: int, rng: np.random.Generator) -> np.ndarray:
    member = np.zeros((n_sets, k), dtype=bool)
    keys = rng.random((n_sets, k))  # the smallest, in any order, are a random set
    chosen = keys.argpartition(min(size, k - 1), axis=1)[:, :size]
    np.put_along_axis(member, chosen, values=True, axis=1)
    return member


def claim_rng(seed: int, *names: str) -> np.random.Generator:
    """Generator that depends on the seed and on names, not on the order of the claims."""
    return np.random.default_rng([seed, *(zlib.crc32(name.encode()) for name in names)])


def decoy_p_value(claim: float, decoys: np.ndarray) -> float:
    """Share of decoys at least as strong as the claim, the claim counted among them.

    NaN without decoys. Values that differ by rounding only are the same.
    """
    known = decoys[~np.isnan(decoys)]
    if known.size == 0 or math.isnan(claim):
        return float("nan")
    slack = 1e-9 * max(1.0, abs(claim))
    return float((1 + (known >= claim - slack).sum()) / (1 + known.size))
