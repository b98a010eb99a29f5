"""How often shuffled cell labels give a pair as strong as the one observed.

The numbers are those of LIANA's CellPhoneDB p-value, for the same seed: same generator and same
order of shuffles. LIANA keeps the means of all shuffles for all rows at once, which takes gigabytes
for a tumour of 20 populations; here they are counted as they come.

The sums of a batch of shuffles are gathered gene by gene in double precision. LIANA adds up in
single precision, cell by cell in the order of the shuffle: where a strength comes so close to the
observed one that this could decide, its sums are done again in that way.
"""

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
from numba import njit
from scipy import sparse

from osteotalk.interactions.places import Places, by_gene_pair
from osteotalk.progress import progress

BATCH = 16  # shuffles that are gathered together
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

    Edges are sorted by pair of genes.
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
                if abs(off) <= close * observed[edge]:
                    place = places[shuffle]
                    x = _mean_in_order(indptr, indices, data, ligand, a, codes, place, sizes[a])
                    y = _mean_in_order(indptr, indices, data, receptor, b, codes, place, sizes[b])
                    off = (np.float64(x) + np.float64(y)) / 2 - observed[edge]
                reached[edge] += off >= 0
    return reached


@njit(nogil=True, cache=True, error_model="numpy")
def _observed(indptr, indices, data, codes, sizes, pairs, ends, source, target):
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


def count_exceedances(
    matrix: sparse.spmatrix, places: Places, *, n_perms: int, seed: int, threads: int = 1
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

    Returns
    -------
    Whole numbers from 0 to `n_perms`, one per edge.

    References
    ----------
    Efremova et al. 2020, Nat. Protoc. 15, 1484, doi:10.1038/s41596-020-0292-x (CellPhoneDB).
    """
    columns = sparse.csc_matrix(matrix, dtype=np.float32)
    columns.sort_indices()
    n_cells = columns.shape[0]
    codes, sizes = places.codes, np.bincount(places.codes)
    pairs, ends, order = by_gene_pair(places)
    source, target = places.source[order], places.target[order]
    arrays = (columns.indptr, columns.indices, columns.data, codes, sizes)
    observed = _observed(*arrays, pairs, ends, source, target)
    close = CLOSE * max(1.0, (n_cells / CLOSE_CELLS) ** 0.5)
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
