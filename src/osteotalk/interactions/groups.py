"""Statistics of genes per population, gathered in one pass over the matrix."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from numba import njit
from scipy import sparse


@dataclass(frozen=True)
class Groups:
    """What is known of genes in populations.

    Attributes
    ----------
    labels, genes
        Names of populations (K, sorted) and genes (G).
    codes
        Population of each cell, by position in `labels`; -1 for cells that take no part.
    sizes
        Cells of each population.
    means, shares
        Mean of the log-normalised expression, and share of cells that express the gene (K x G).
    zscores
        Mean of the expression in standard deviations from its mean over all cells (K x G).
    logfc
        log2 fold change of normalised counts against all other cells, plus 1 each (K x G).
    matrix_mean, matrix_max
        Mean and largest value over cells of populations and all genes that some cell expresses.
    """

    labels: pd.Index
    genes: pd.Index
    codes: np.ndarray
    sizes: np.ndarray
    means: np.ndarray
    shares: np.ndarray
    zscores: np.ndarray
    logfc: np.ndarray
    matrix_mean: float
    matrix_max: float


@njit(nogil=True, cache=True, error_model="numpy")
def _largest(indptr, indices, data, codes, position, largest):
    """Fill in the largest value of each gene of interest per population.

    Gives the largest over all genes, and which genes any cell expresses.
    """
    top = 0.0
    seen = np.zeros(position.shape[0], np.bool_)
    for cell in range(codes.shape[0]):
        code = codes[cell]
        for entry in range(indptr[cell], indptr[cell + 1]):
            value = np.float64(data[entry])
            if value == 0.0:
                continue
            seen[indices[entry]] = True
            if code < 0:
                continue
            top = max(top, value)
            gene = position[indices[entry]]
            if gene >= 0:
                largest[code, gene] = max(largest[code, gene], value)
    return top, seen


@njit(nogil=True, cache=True, error_model="numpy")
def _sums(indptr, indices, data, codes, position, units, sums, squares, counts, n_expressing):
    """Add up each gene of interest per population, and all genes, in whole numbers of the units."""
    of_sums, of_squares, of_counts, of_total = units
    total = np.int64(0)
    for cell in range(codes.shape[0]):
        code = codes[cell]
        if code < 0:
            continue
        for entry in range(indptr[cell], indptr[cell + 1]):
            value = np.float64(data[entry])
            total += np.int64(np.rint(value * of_total))
            gene = position[indices[entry]]
            if gene >= 0 and value != 0.0:
                sums[code, gene] += np.int64(np.rint(value * of_sums[code, gene]))
                squares[gene] += np.int64(np.rint(value * value * of_squares[gene]))
                counts[code, gene] += np.int64(np.rint(np.expm1(value) * of_counts[code, gene]))
                n_expressing[code, gene] += 1
    return total


def _per_unit(largest: Any, n: Any) -> Any:
    """How many units are in 1, a power of two, so that `n` values up to `largest` fit 62 bits.

    Whole numbers add up to the same sum in any order; sums of floating-point numbers do not. A
    value is rounded to 2**-62 of the largest sum possible: values of single precision above a
    millionth of the largest are not rounded at all.
    """
    exponent = np.frexp(np.maximum(largest * n, 1e-250))[1]
    return np.exp2(62.0 - exponent)


def gather(
    matrix: sparse.csr_matrix,
    var_names: pd.Index,
    *,
    codes: np.ndarray,
    labels: Sequence[str],
    genes: Sequence[str],
) -> Groups:
    """Gather the statistics of `genes` in each population.

    Parameters
    ----------
    matrix
        Log-normalised expression (natural logarithm of 1 + counts), cells x all genes.
    var_names
        Names of its genes.
    codes
        Population of each cell, by position in `labels`; -1 for cells that take no part.
    labels
        Names of the populations, sorted.
    genes
        Genes wanted. Those that no cell expresses are left out.
    """
    wanted = var_names.get_indexer(pd.Index(genes))
    position = np.full(len(var_names), -1, dtype=np.int64)
    position[wanted] = np.arange(len(genes))
    codes = np.asarray(codes, dtype=np.int64)
    arrays = (matrix.indptr, matrix.indices, matrix.data, codes, position)
    sizes = np.bincount(codes[codes >= 0], minlength=len(labels))
    n, of_group = sizes.sum(), sizes[:, None]
    largest = np.zeros((len(labels), len(genes)))
    top, seen = _largest(*arrays, largest)
    of_all = largest.max(axis=0)
    units = (
        _per_unit(largest, of_group),
        _per_unit(of_all**2, n),
        _per_unit(np.expm1(largest), of_group),
        float(_per_unit(top, max(matrix.nnz, 1))),
    )
    whole = [np.zeros(shape, dtype=np.int64) for shape in (largest.shape, len(genes))]
    sums, squares, counts, n_expressing = whole[0], whole[1], whole[0].copy(), whole[0].copy()
    total = _sums(*arrays, units, sums, squares, counts, n_expressing)
    sums, squares, counts = (
        x / unit for x, unit in zip((sums, squares, counts), units, strict=False)
    )
    total = total / units[3]
    mean = sums.sum(axis=0) / n
    variance = np.maximum(squares - n * mean**2, 0) / max(n - 1, 1)
    # A gene without variance keeps its scale, as in scanpy and LIANA.
    spread = np.where(variance > 0, np.sqrt(variance), 1.0)
    with np.errstate(invalid="ignore"):
        elsewhere = _sum_of_others(counts) / (n - of_group)
    kept = seen[wanted]
    return Groups(
        labels=pd.Index(labels),
        genes=pd.Index(genes)[kept],
        codes=codes,
        sizes=sizes,
        means=(sums / of_group)[:, kept],
        shares=(n_expressing / of_group)[:, kept],
        zscores=((sums / of_group - mean) / spread)[:, kept],
        logfc=(np.log2(counts / of_group + 1) - np.log2(elsewhere + 1))[:, kept],
        matrix_mean=total / max(n * seen.sum(), 1),
        matrix_max=top,
    )


def _sum_of_others(counts: np.ndarray) -> np.ndarray:
    """Sum over all other rows, for each row; a difference from the sum over all loses digits."""
    before, after = np.zeros_like(counts), np.zeros_like(counts)
    before[1:] = np.cumsum(counts[:-1], axis=0)
    after[:-1] = np.cumsum(counts[:0:-1], axis=0)[::-1]
    result: np.ndarray = before + after
    return result


@njit(nogil=True, cache=True, error_model="numpy")
def _fill(indptr, indices, data, codes, position, ends, rows, values):
    """Copy the entries of chosen columns, cell by cell; `ends` is where each column goes on."""
    row = 0
    for cell in range(codes.shape[0]):
        if codes[cell] < 0:
            continue
        for entry in range(indptr[cell], indptr[cell + 1]):
            gene = position[indices[entry]]
            if gene >= 0 and data[entry] != 0:
                rows[ends[gene]] = row
                values[ends[gene]] = data[entry]
                ends[gene] += 1
        row += 1


@njit(nogil=True, cache=True, error_model="numpy")
def _column_sizes(indptr, indices, data, codes, position, n):
    """Count the entries above 0 of chosen columns in the cells that take part."""
    for cell in range(codes.shape[0]):
        if codes[cell] < 0:
            continue
        for entry in range(indptr[cell], indptr[cell + 1]):
            gene = position[indices[entry]]
            if gene >= 0 and data[entry] != 0:
                n[gene] += 1


def gene_columns(
    matrix: sparse.csr_matrix, columns: np.ndarray, codes: np.ndarray
) -> sparse.csc_matrix:
    """Take some columns of a matrix of cells, and the rows of the cells that take part.

    Parameters
    ----------
    matrix
        Cells x all genes.
    columns
        Columns wanted, each once.
    codes
        Population of each cell; -1 for cells that take no part.

    Returns
    -------
    Sorted, without zeros. As `matrix[codes >= 0][:, columns]`, but without the copies.
    """
    position = np.full(matrix.shape[1], -1, dtype=np.int64)
    position[columns] = np.arange(len(columns))
    codes = np.asarray(codes, dtype=np.int64)
    arrays = (matrix.indptr, matrix.indices, matrix.data, codes, position)
    sizes = np.zeros(len(columns), dtype=np.int64)
    _column_sizes(*arrays, sizes)
    indptr = np.concatenate([[0], np.cumsum(sizes)])
    rows = np.empty(indptr[-1], dtype=np.int32)
    values = np.empty(indptr[-1], dtype=matrix.dtype)
    _fill(*arrays, indptr[:-1].copy(), rows, values)
    shape = (int((codes >= 0).sum()), len(columns))
    return sparse.csc_matrix((values, rows, indptr), shape=shape)


@njit(nogil=True, cache=True, error_model="numpy")
def _order_statistic(ordered, n_zero, rank):
    """Value of a rank among `n_zero` zeros and the sorted values above them."""
    return ordered[rank - n_zero] if rank >= n_zero else 0.0


@njit(nogil=True, cache=True, error_model="numpy")
def _trimeans(indptr, data, n_cells, result):
    """Tukey's trimean of each column (CSC, values above 0)."""
    for gene in range(result.shape[0]):
        ordered = np.sort(data[indptr[gene] : indptr[gene + 1]])
        n_zero = n_cells - ordered.shape[0]
        total = 0.0
        for quarter in range(1, 4):
            place = (n_cells - 1) * quarter / 4
            low = int(place)
            below = _order_statistic(ordered, n_zero, low)
            above = _order_statistic(ordered, n_zero, min(low + 1, n_cells - 1))
            value = below + (above - below) * (place - low)
            total += 2 * value if quarter == 2 else value
        result[gene] = total / 4


def trimeans(matrix: sparse.csr_matrix, var_names: pd.Index, groups: Groups) -> np.ndarray:
    """Tukey's trimean of each gene in each population over the largest value of the matrix.

    CellChat's measure (Jin et al. 2021, Nat. Commun. 12, 1088, doi:10.1038/s41467-021-21246-9).

    Returns
    -------
    Populations x genes of `groups`.
    """
    result = np.zeros(groups.means.shape)
    columns = var_names.get_indexer(groups.genes)
    for code, size in enumerate(groups.sizes):
        own = np.where(groups.codes == code, 0, -1)
        part = gene_columns(matrix, columns, own).astype(np.float64)
        _trimeans(part.indptr, part.data, int(size), result[code])
    return result / (groups.matrix_max or 1.0)


def detection(adata: AnnData) -> pd.Series:
    """Share of all cells of a cohort in which each gene is detected, by gene symbol."""
    return pd.Series(
        np.asarray((adata.X > 0).sum(axis=0)).ravel() / adata.n_obs, index=adata.var_names
    )
