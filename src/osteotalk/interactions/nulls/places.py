"""Where the edges of a table are in a matrix of cells x genes."""

import zlib
from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Places:
    """Positions of edges.

    Attributes
    ----------
    codes
        Population of each cell (0 to K - 1).
    source, target
        Population of sender and receiver of each edge.
    ligand, receptor
        Columns of the two genes of each edge; of a complex, of its limiting subunit.
    labels, genes
        Names of the populations and columns, if known.
    """

    codes: np.ndarray
    source: np.ndarray
    target: np.ndarray
    ligand: np.ndarray
    receptor: np.ndarray
    labels: pd.Index | None = None
    genes: pd.Index | None = None

    def key(self, edge: int) -> list[int]:
        """Numbers that stand for an edge whatever else is scored: of its names, if known."""
        ends, sides = (
            (self.source[edge], self.target[edge]),
            (self.ligand[edge], self.receptor[edge]),
        )
        if self.labels is None or self.genes is None:
            return [int(place) for place in (*ends, *sides)]
        names = [*self.labels[list(ends)], *self.genes[list(sides)]]
        return [zlib.crc32(str(name).encode()) for name in names]


def by_gene_pair(places: Places) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sort edges by their pair of genes.

    Returns
    -------
    The distinct pairs (ligand, receptor), where the edges of each end among the sorted edges (one
    more, the first is 0), and the order that sorts the edges.
    """
    n_genes = max(places.receptor.max(initial=0), places.ligand.max(initial=0)) + 1
    number = places.ligand * n_genes + places.receptor
    distinct, pair = np.unique(number, return_inverse=True)
    ends = np.concatenate([[0], np.cumsum(np.bincount(pair, minlength=len(distinct)))])
    pairs = np.column_stack([distinct // n_genes, distinct % n_genes])
    return pairs, ends, np.argsort(pair, kind="stable")


def locate(edges: pd.DataFrame, *, labels: pd.Index, genes: pd.Index, codes: np.ndarray) -> Places:
    """Find the edges: source, target, ligand and receptor (gene symbols) by position."""
    return Places(
        codes=np.asarray(codes, dtype=np.int64),
        source=labels.get_indexer(pd.Index(edges["source"])).astype(np.int64),
        target=labels.get_indexer(pd.Index(edges["target"])).astype(np.int64),
        ligand=genes.get_indexer(pd.Index(edges["ligand"])).astype(np.int64),
        receptor=genes.get_indexer(pd.Index(edges["receptor"])).astype(np.int64),
        labels=labels,
        genes=genes,
    )
