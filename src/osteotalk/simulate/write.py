"""Write a simulated sample as the files Cell Ranger would leave."""

import gzip
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
from scipy import sparse
from scipy.io import mmwrite

from osteotalk.io import atomic_path

COMPRESSION = 4  # of 9: near the smallest size at a third of the time
FEATURE_TYPE = "Gene Expression"


def matrix_market(counts: sparse.csr_matrix) -> bytes:
    """Give counts (cells x genes) as MatrixMarket text of genes x cells, integer, by cell."""
    buffer = io.BytesIO()
    # The transpose of a row-wise matrix is column-wise, so a cell's genes stay together.
    mmwrite(buffer, counts.T.tocsc(), field="integer", symmetry="general")
    return buffer.getvalue()


def gene_ids(genes: Sequence[str]) -> list[str]:
    """Ids of the genes. They are invented and look so."""
    return [f"SIM{i:05d}" for i in range(1, len(genes) + 1)]


def feature_lines(genes: Sequence[str]) -> bytes:
    """Lines of id, symbol and feature type."""
    named = zip(gene_ids(genes), genes, strict=True)
    lines = (f"{gene_id}\t{gene}\t{FEATURE_TYPE}\n" for gene_id, gene in named)
    return "".join(lines).encode()


def write_gzip(content: bytes, path: str | Path) -> None:
    """Write bytes gzipped: the same bytes give the same file (no time, no name), or none."""
    packed = gzip.compress(content, compresslevel=COMPRESSION, mtime=0)
    with atomic_path(path) as partial:
        partial.write_bytes(packed)


def write_triplet(
    counts: sparse.csr_matrix,
    *,
    barcodes: Sequence[str],
    genes: Sequence[str],
    paths: Mapping[str, str | Path],
) -> None:
    """Write matrix, barcodes and features.

    Parameters
    ----------
    counts
        Cells x genes.
    barcodes, genes
        Names of the rows and columns of `counts`.
    paths
        Files by role: matrix, barcodes, features. Folders are made.
    """
    write_gzip(matrix_market(counts), paths["matrix"])
    write_gzip("".join(f"{b}\n" for b in barcodes).encode(), paths["barcodes"])
    write_gzip(feature_lines(genes), paths["features"])


def write_truth(frame: pd.DataFrame, path: str | Path) -> None:
    """Write a truth table as tab-separated text."""
    with atomic_path(path) as partial:
        frame.to_csv(partial, sep="\t", index=False, lineterminator="\n")
