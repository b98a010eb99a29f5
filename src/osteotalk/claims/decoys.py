"""Pairs that look like those of a claim in everything but the claim.

A decoy of a claim keeps its populations and swaps each of its pairs for another pair of the
resource whose ligand and receptor are detected in a similar share of all cells of the cohort. What
is left to tell the claim from its decoys is where the two genes are expressed, not how much.
"""

import zlib

import numpy as np
import pandas as pd

# Ligand and receptor detection may each differ by this factor, at most, from the pair replaced.
CALIPER = 2.0
# With fewer pairs to draw from no p-value of a single pair can be below 0.05.
MIN_POOL = 20
# Detection below this share of cells is as good as none.
FLOOR = 1e-3


def pair_detection(pairs: pd.DataFrame, shares: pd.Series) -> np.ndarray:
    """Detection of ligand and receptor over the cohort: that of the least detected subunit.

    Parameters
    ----------
    pairs
        ligand and receptor, one pair per row.
    shares
        Share of the cohort's cells in which each gene is detected.

    Returns
    -------
    Array, pairs x 2, shares from 0 to 1.
    """
    lookup = shares.to_dict()

    def least(name: str) -> float:
        return min(lookup[gene] for gene in name.split("_"))

    return np.array(
        [
            (least(ligand), least(receptor))
            for ligand, receptor in zip(pairs["ligand"], pairs["receptor"], strict=True)
        ]
    ).reshape(-1, 2)


def pool_of(pair: int, detection: np.ndarray, *, forbidden: np.ndarray, size: int) -> np.ndarray:
    """Pairs nearest in detection to one pair.

    Parameters
    ----------
    pair
        Row of the pair in `detection`.
    detection
        Pairs x 2, from `pair_detection`.
    forbidden
        Per pair: may not be drawn.
    size
        Most pairs to return.

    Returns
    -------
    Rows of pairs whose ligand and receptor detection each lie within a factor of two, nearest
    first.
    """
    logs = np.log2(np.maximum(detection, FLOOR))
    distance = np.abs(logs - logs[pair]).max(axis=1)
    distance[forbidden] = np.inf
    order = np.argsort(distance, kind="stable")
    return order[distance[order] <= np.log2(CALIPER)][:size]


def draw_decoys(
    claim_pairs: np.ndarray,
    pairs: pd.DataFrame,
    detection: np.ndarray,
    *,
    claimed: np.ndarray,
    pool_size: int,
    n_decoys: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Draw decoys of a claim.

    Pairs that share a ligand or a receptor with the claim, and pairs that any claim names, are not
    in the pools: they may well be true. A claim of one pair
    has its whole pool as decoys, each once. For a claim of several pairs, each pair is replaced
    from its own pool, `n_decoys` times; there the claim's own pairs are put back into every pool,
    as the claim is one of the draws that chance could have made. Without them a claim that beats
    its pools would get a p-value of 1 / (n_decoys + 1), however small the pools.

    Parameters
    ----------
    claim_pairs
        Rows of the claim's pairs.
    pairs, detection
        All measured pairs of the resource, and their detection.
    claimed
        Per pair: whether some claim names it.
    pool_size, n_decoys
        Limits.
    rng
        Source of randomness.

    Returns
    -------
    Rows of pairs, decoys x pairs of the claim; no row if a pair's pool is too small.
    """
    ligands = pairs["ligand"].to_numpy()
    receptors = pairs["receptor"].to_numpy()
    forbidden = claimed | np.isin(ligands, ligands[claim_pairs])
    forbidden |= np.isin(receptors, receptors[claim_pairs])
    pools = [
        pool_of(int(pair), detection, forbidden=forbidden, size=pool_size) for pair in claim_pairs
    ]
    if not pools or min(len(pool) for pool in pools) < MIN_POOL:
        return np.empty((0, len(claim_pairs)), dtype=np.int64)
    if len(pools) == 1:
        return pools[0][:n_decoys, None]
    return np.column_stack(
        [rng.choice(np.append(pool, claim_pairs), size=n_decoys) for pool in pools]
    )


def claim_rng(seed: int, *names: str) -> np.random.Generator:
    """Generator that depends on the seed and on names, not on the order of the claims."""
    return np.random.default_rng([seed, *(zlib.crc32(name.encode()) for name in names)])


def decoy_p_value(claim: float, decoys: np.ndarray) -> float:
    """Share of decoys at least as strong as the claim, the claim counted among them.

    NaN without decoys.
    """
    if decoys.size == 0:
        return float("nan")
    return float((1 + (decoys >= claim).sum()) / (1 + decoys.size))
