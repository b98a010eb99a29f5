"""P-values of edges under shuffled labels, computed instead of drawn."""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from osteotalk.interactions.nulls.draws import drawn_tail
from osteotalk.interactions.nulls.pair_cells import MAX_POINTS, bins, expressing, in_order, merged
from osteotalk.interactions.nulls.places import Places, by_gene_pair
from osteotalk.interactions.nulls.steps import half_steps
from osteotalk.interactions.nulls.tails import (
    COUNTED,
    ENUMERATE_ALL,
    ENUMERATE_ONE,
    ERROR_OF_ONE,
    ERROR_WITHOUT_SADDLEPOINT,
    edge_tails,
    rare_tails,
)
from osteotalk.progress import progress

log = logging.getLogger(__name__)

# Edges are drawn as well if that is more exact and either the error is larger than this ...
LARGE_ERROR = 0.1
LARGE_P = 0.3  # (of p-values that could matter, and of all without a saddlepoint)
# ... or the decision at the false discovery rate lies within this many errors.
UNSURE = 3.0
# Standard errors of log10(p), chosen on simulated edges of few values: of the correction for steps,
# as a share of it, and of the saddlepoint, times the cells of the smaller population.
ERROR_OF_STEP, ERROR_OF_SIZE = 0.3, 0.2
TIED = 0.5  # different values of a gene over its cells, from which on they are not said to tie
MOST_DRAWS = 50_000
EXCEEDANCES = 100  # draws at least as strong that make a p-value exact to a tenth
LOWEST_P = 1e-300  # in print; ranks are made of logarithms
_BLOCK = 64  # pairs of genes handed to a thread at once


@dataclass(frozen=True)
class Tails:
    """P-values of edges.

    Attributes
    ----------
    log_p
        Natural logarithm of the p-value, one per edge.
    error
        Estimated standard error of log10(p).
    drawn
        Whether it was drawn.
    """

    log_p: np.ndarray
    error: np.ndarray
    drawn: np.ndarray

    @property
    def p(self) -> np.ndarray:
        """P-values, no lower than `LOWEST_P`."""
        return np.maximum(np.exp(self.log_p), LOWEST_P)


def null_tails(
    matrix: sparse.csr_matrix,
    places: Places,
    strengths: np.ndarray,
    *,
    cut: Callable[[np.ndarray], float],
    seed: int,
    threads: int = 1,
) -> Tails:
    """Compute the p-value of each edge under label shuffles.

    The null distribution is that of `permutation`: labels are dealt anew to all cells, populations
    keep their sizes. Its tail is computed (see `tails`); the few edges for which that is not exact
    enough are drawn, by dealing labels to their expressing cells.

    Parameters
    ----------
    matrix
        Log-normalised expression, labelled cells x genes.
    places
        Where the edges are in it.
    strengths
        Observed mean of the ligand in the source plus that of the receptor in the target.
    cut
        Gives the p-value up to which edges pass, of all p-values.
    seed
        Seed of the draws.
    threads
        Threads; they do not change the result.
    """
    if not len(strengths):
        return Tails(np.empty(0), np.empty(0), np.empty(0, dtype=bool))
    columns = sparse.csc_matrix(matrix)
    if not columns.data.all():  # stored zeros are no expression
        columns = columns.copy()
        columns.eliminate_zeros()
    columns.sort_indices()
    pairs, ends, order = by_gene_pair(places)
    sizes = np.bincount(places.codes)
    source, target = places.source[order], places.target[order]
    wanted = np.asarray(strengths, dtype=np.float64)[order]
    log_p, effective = np.empty(len(order)), np.empty(len(order))
    arrays = (columns.indptr, columns.indices, columns.data, sizes)
    tied = _tied_genes(columns)

    def compute(first: int) -> int:
        last = min(first + _BLOCK, len(pairs))
        for pair in range(first, last):
            own = slice(ends[pair], ends[pair + 1])
            x, y = expressing(*arrays[:3], *pairs[pair])
            ends_of_pair = source[own], target[own]
            edges = (sizes, *ends_of_pair, wanted[own], log_p[own], effective[own])
            _fill(x, y, *edges, tied=bool(tied[pairs[pair]].any()))
        return last - first

    with (
        progress(len(pairs), "null distributions", unit="pairs") as done,
        ThreadPoolExecutor(threads) as pool,
    ):
        for n in pool.map(compute, range(0, len(pairs), _BLOCK)):
            done.update(n)
    back = np.empty_like(order)
    back[order] = np.arange(len(order))
    tails = Tails(
        np.minimum(log_p[back], 0.0), _error(effective[back]), np.zeros(len(order), dtype=bool)
    )
    return _refined(tails, arrays, places, strengths, cut=cut, seed=seed, threads=threads)


def _tied_genes(columns: sparse.csc_matrix) -> np.ndarray:
    """Genes of which many cells have the same value."""
    values = np.split(columns.data, columns.indptr[1:-1])
    return np.array([len(np.unique(own)) <= TIED * len(own) for own in values])


def _fill(x, y, sizes, source, target, strength, log_p, effective, *, tied):
    """Fill in the tails of the edges of one pair of genes, given its expressing cells."""
    n_x, n_y = (x > 0).sum(), (y > 0).sum()
    different = merged(x, y) if tied else None
    if different is not None and len(different[2]) > MAX_POINTS:
        different = None  # so many that one gene blurs the steps of the other
    few = len(x) > ENUMERATE_ALL and min(n_x, n_y) <= ENUMERATE_ONE
    if few:
        ends, cells = (source, target), (x, y)
        if n_y < n_x:  # the receptor is the rare one
            ends, cells = (target, source), (y, x)
        rare = cells[0] > 0
        others, _, weight = _points(cells[1][~rare], np.zeros((~rare).sum()))
        own = in_order(cells[0][rare], cells[1][rare])
        rare_tails(*own, others, weight, sizes, *ends, strength, log_p, effective)
    else:
        points = different if different is not None and len(x) > MAX_POINTS else _points(x, y)
        edge_tails(*points, sizes, source, target, strength, log_p, effective)
        # The rarer gene's few cells make lumps that many cells of the other only blur.
        effective[:] = np.minimum(effective, min(n_x, n_y))
    error = ERROR_OF_SIZE / np.minimum(sizes[source], sizes[target])
    if different is not None:
        error = np.hypot(
            error, _add_steps(different, sizes, source, target, strength, log_p, effective, few=few)
        )
    known = effective > 0
    effective[known] = ERROR_OF_ONE / np.hypot(ERROR_OF_ONE / effective[known], error[known])


def _add_steps(points, sizes, source, target, strength, log_p, effective, *, few):
    """Add half of the probability of the observed strength where it goes in steps.

    Where the cells of a rare gene are placed one by one, it only says how large the error may be.
    Gives the error of log10(p); where it cannot be known, `effective` becomes 0.
    """
    more = np.empty(len(source))
    half_steps(*points, sizes, source, target, strength, more)
    known = (effective > 0) & (more < np.inf)
    effective[(effective > 0) & ~known] = 0.0
    larger = np.minimum(np.logaddexp(log_p, np.where(known, more, -np.inf)), np.maximum(log_p, 0.0))
    error = (larger - log_p) / np.log(10)
    if few:
        return error
    log_p[:] = larger
    return ERROR_OF_STEP * error


def _points(x, y):
    """Values of cells and how many have them; cells of similar expression together if many."""
    return bins(x, y) if len(x) > MAX_POINTS else (*in_order(x, y), np.ones(len(x)))


def _error(effective: np.ndarray) -> np.ndarray:
    """Standard error of log10(p) by the effective number of cells."""
    known = [effective == COUNTED, effective == 0]
    with np.errstate(divide="ignore"):
        return np.select(known, [0.0, ERROR_WITHOUT_SADDLEPOINT], ERROR_OF_ONE / np.abs(effective))


def drawing_error(p: Any, n: int) -> Any:
    """Standard error of log10(p) if p is the share of `n` draws."""
    return np.sqrt((1 - p) / (p * n)) / np.log(10)


def _refined(tails, arrays, places, strengths, *, cut, seed, threads) -> Tails:
    """Draw the edges for which that is more exact, if it matters."""
    limit = cut(tails.p)
    better = tails.error > drawing_error(tails.p, MOST_DRAWS)
    missing = tails.error == ERROR_WITHOUT_SADDLEPOINT
    large = (tails.error > LARGE_ERROR) & ((tails.p < LARGE_P) | missing)
    near = np.abs(np.log10(tails.p / max(limit, LOWEST_P))) < UNSURE * tails.error
    chosen = np.flatnonzero((better & (large | near)) | (missing & (tails.p > LARGE_P)))
    log.info("%d of %d p-values are drawn, the others computed", len(chosen), len(tails.p))
    if not len(chosen):
        return tails
    indptr, indices, data, sizes = arrays
    n_cells = int(sizes.sum())

    def draw(edge: int) -> tuple[float, int]:
        a, b = places.source[edge], places.target[edge]
        x, y = expressing(indptr, indices, data, places.ligand[edge], places.receptor[edge])
        own = np.random.SeedSequence([seed, *places.key(edge)]).generate_state(1)[0]
        sample = (sizes[a], sizes[b], a == b, n_cells, strengths[edge])
        return drawn_tail(*in_order(x, y), *sample, limit, EXCEEDANCES, MOST_DRAWS, own)

    log_p, error, drawn = tails.log_p.copy(), tails.error.copy(), tails.drawn.copy()
    with progress(len(chosen), "draws", unit="edges") as done, ThreadPoolExecutor(threads) as pool:
        for edge, (value, n) in zip(chosen, pool.map(draw, chosen), strict=True):
            log_p[edge], error[edge], drawn[edge] = np.log(value), drawing_error(value, n), True
            done.update(1)
    return Tails(log_p, error, drawn)
