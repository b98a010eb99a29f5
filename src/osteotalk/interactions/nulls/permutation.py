"""How often shuffled cell labels give a pair as strong as the one observed.

The sums of a batch of shuffles are gathered gene by gene in double precision. Cells of equal values
make sums tie, so they are compared with a tolerance that rounding cannot reach: the sums of n cells
are off by n * 1.1e-16 of themselves at most. Nothing depends on the order of the cells.

LIANA keeps the means of all shuffles for all rows at once, which takes gigabytes for a tumour of 20
populations; here they are counted as they come. LIANA adds up in single precision, cell by cell in
the order of the shuffle, and compares without tolerance: of the shuffles that tie with the data,
rounding decides which count, so that p-values are too low where many do. To be compared with LIANA
(`like_liana`), where a strength comes so close to the observed one that this could decide, its sums
are done again in that way.
"""

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
from numba import njit
from scipy import sparse

from osteotalk.interactions.cell_order import cell_order
from osteotalk.interactions.nulls.places import Places, by_gene_pair
from osteotalk.progress import progress

BATCH = 16  # shuffles that are gathered together
SLACK = 1e-9  # relative; equal sums may differ by rounding
# Relative difference below which single precision could decide, at CLOSE_CELLS cells; rounding
# errors grow with the square root of the cells.
CLOSE, CLOSE_CELLS = 2e-5, 50_000


@njit(nogil=True, cache=True, error_model="numpy")
def _gather(indptr, indices, data, slots, sizes, means):
    """Mean of each gene in each population for a batch of shuffles (genes x shuffles x K).

    `slots` is where the sum of each cell's population is in each shuffle: shuffle * K + population.
    """
    batch, n_labels = slots.shape[1], sizes.shape[0]
    sums = np.empty(batch * n_labels)
    for gene in range(means.shape[0]):
        sums[:] = 0
        for entry in range(indptr[gene], indptr[gene + 1]):
            value, own = np.float64(data[entry]), slots[np.uint32(indices[entry])]
            for shuffle in range(batch):
                sums[own[shuffle]] += value
        for shuffle in range(batch):
            for k in range(n_labels):
                means[gene, shuffle, k] = sums[shuffle * n_labels + k] / sizes[k]


@njit(nogil=True, cache=True, error_model="numpy")
def _mean_in_order(indptr, indices, data, gene, code, codes, place, size):
    """Mean of a gene in a population as LIANA rounds it: single precision, in order of the cells.

    `place` is the place of each cell in the order.
    """
    first, last = indptr[gene], indptr[gene + 1]
    where = np.empty(last - first, np.int64)
    own = np.empty(last - first, np.float32)
    n = 0
    for entry in range(first, last):
        i = place[indices[entry]]
        if codes[i] == code:
            where[n], own[n] = i, data[entry]
            n += 1
    weight = np.float32(1.0 / size)
    mean = np.float32(0)
    for i in np.argsort(where[:n]):
        mean += own[i] * weight
    return mean


@njit(nogil=True, cache=True, error_model="numpy")
def _count(indptr, indices, data, codes, sizes, orders, pairs, ends, edges, close):
    """Count the shuffles `orders` in which an edge is at least as strong as observed.

    Edges are sorted by pair of genes. With `close` = 0 sums within `SLACK` are equal; else those
    within `close` are done again as LIANA does them.
    """
    source, target, observed = edges
    batch, n_cells = orders.shape
    places = np.empty((batch, n_cells), np.int32)
    slots = np.empty((n_cells, batch), np.uint16)
    for shuffle in range(batch):
        for i in range(n_cells):
            places[shuffle, orders[shuffle, i]] = i
            slots[orders[shuffle, i], shuffle] = shuffle * sizes.shape[0] + codes[i]
    means = np.empty((indptr.shape[0] - 1, batch, sizes.shape[0]))
    _gather(indptr, indices, data, slots, sizes, means)
    reached = np.zeros(source.shape[0], np.int64)
    for pair in range(pairs.shape[0]):
        ligand, receptor = pairs[pair]
        for shuffle in range(batch):
            left, right = means[ligand, shuffle], means[receptor, shuffle]
            for edge in range(ends[pair], ends[pair + 1]):
                a, b = source[edge], target[edge]
                off = (left[a] + right[b]) / 2 - observed[edge]
                if close == 0:
                    off += SLACK * observed[edge]
                elif abs(off) <= close * observed[edge]:
                    place = places[shuffle]
                    x = _mean_in_order(indptr, indices, data, ligand, a, codes, place, sizes[a])
                    y = _mean_in_order(indptr, indices, data, receptor, b, codes, place, sizes[b])
                    off = (np.float64(x) + np.float64(y)) / 2 - observed[edge]
                reached[edge] += off >= 0
    return reached


@njit(nogil=True, cache=True, error_model="numpy")
def _observed_by_liana(indptr, indices, data, codes, sizes, pairs, ends, source, target):
    """Strengths without a shuffle as LIANA rounds them."""
    place = np.arange(codes.shape[0])
    result = np.empty(source.shape[0])
    left = np.empty(sizes.shape[0], np.float32)
    right = np.empty(sizes.shape[0], np.float32)
    for pair in range(pairs.shape[0]):
        for k in range(sizes.shape[0]):
            left[k] = _mean_in_order(
                indptr, indices, data, pairs[pair, 0], k, codes, place, sizes[k]
            )
            right[k] = _mean_in_order(
                indptr, indices, data, pairs[pair, 1], k, codes, place, sizes[k]
            )
        for edge in range(ends[pair], ends[pair + 1]):
            # the observed strength is rounded once more, those of shuffles are not
            total = np.float32(left[source[edge]] + right[target[edge]])
            result[edge] = total / np.float32(2)
    return result


@njit(nogil=True, cache=True, error_model="numpy")
def _observed(indptr, indices, data, codes, sizes, pairs, ends, source, target):
    """Strengths without a shuffle."""
    slots = codes.astype(np.uint16).reshape(-1, 1)
    means = np.empty((indptr.shape[0] - 1, 1, sizes.shape[0]))
    _gather(indptr, indices, data, slots, sizes, means)
    result = np.empty(source.shape[0])
    for pair in range(pairs.shape[0]):
        left, right = means[pairs[pair, 0], 0], means[pairs[pair, 1], 0]
        for edge in range(ends[pair], ends[pair + 1]):
            result[edge] = (left[source[edge]] + right[target[edge]]) / 2
    return result


def _in_own_order(
    matrix: sparse.spmatrix, codes: np.ndarray
) -> tuple[sparse.csc_matrix, np.ndarray]:
    """Put cells into an order that does not depend on the one they came in."""
    columns = sparse.csc_matrix(matrix, copy=True)
    columns.eliminate_zeros()
    order = cell_order(columns, codes)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    columns.indices = rank[columns.indices].astype(columns.indices.dtype)
    columns.has_sorted_indices = False
    return columns, codes[order]


def count_exceedances(
    matrix: sparse.spmatrix,
    places: Places,
    *,
    n_perms: int,
    seed: int,
    threads: int = 1,
    like_liana: bool = False,
) -> np.ndarray:
    """Count the shuffles in which an edge is at least as strong as observed.

    The strength of an edge is the mean of two means: of the ligand in the source and of the
    receptor in the target. A shuffle deals the labels anew to all cells; populations keep their
    sizes, and of a complex the subunit that is limiting in the real data is followed.

    Parameters
    ----------
    matrix
        Log-normalised expression, labelled cells x genes.
    places
        Where the edges are in it.
    n_perms
        Shuffles.
    seed
        Seed of numpy's default generator.
    threads
        Threads; they do not change the result.
    like_liana
        Count what LIANA counts for the same seed: its order of the cells, and its rounding.

    Returns
    -------
    Whole numbers from 0 to `n_perms`, one per edge.

    References
    ----------
    Efremova et al. 2020, Nat. Protoc. 15, 1484, doi:10.1038/s41596-020-0292-x (CellPhoneDB).
    """
    codes, sizes = places.codes, np.bincount(places.codes)
    pairs, ends, order = by_gene_pair(places)
    source, target = places.source[order], places.target[order]
    if like_liana:
        columns = sparse.csc_matrix(matrix, dtype=np.float32)
    else:
        columns, codes = _in_own_order(matrix, codes)
    columns.sort_indices()
    n_cells = columns.shape[0]
    arrays = (columns.indptr, columns.indices, columns.data, codes, sizes)
    if like_liana:
        observed = _observed_by_liana(*arrays, pairs, ends, source, target)
        close = CLOSE * max(1.0, (n_cells / CLOSE_CELLS) ** 0.5)
    else:
        observed, close = _observed(*arrays, pairs, ends, source, target), 0.0
    edges = (source, target, observed)

    def count(orders: np.ndarray) -> np.ndarray:
        return _count(*arrays, orders, pairs, ends, edges, close)

    batch = max(1, min(BATCH, 65_535 // len(sizes)))  # places of sums are 16-bit numbers
    rng = np.random.default_rng(seed)
    reached = np.zeros(len(observed), dtype=np.int64)
    running: deque[tuple[int, Future[np.ndarray]]] = deque()
    with (
        progress(n_perms, "shuffles", unit="shuffles") as done,
        ThreadPoolExecutor(threads) as pool,
    ):
        for first in range(0, n_perms, batch):
            n = min(batch, n_perms - first)
            orders = np.array([rng.permutation(n_cells) for _ in range(n)])
            running.append((n, pool.submit(count, orders)))
            while len(running) > (2 * threads if first + n < n_perms else 0):
                counted, job = running.popleft()
                reached += job.result()
                done.update(counted)
    result = np.empty_like(reached)
    result[order] = reached
    return result
