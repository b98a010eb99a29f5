"""What does scoring say of a matrix that is log-normalised, and of one that is not?

Run from the repository: python benchmarks/normalised.py [--data ../shared/data]
Counts of real cells are made into matrices that can be scored (other totals, genes and rounding)
and into such that cannot, and `osteotalk.interactions.checks.matrix.checked_matrix` says of each
whether it is refused, warned of or passes. The data sets are not shipped.
"""

import argparse
import warnings
from collections import Counter
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import scanpy as sc
from anndata import AnnData
from scipy import sparse

from osteotalk.interactions.checks.matrix import checked_matrix
from osteotalk.interactions.checks.settings import ScoringError

REPOSITORY = Path(__file__).resolve().parents[1]
SHARED = REPOSITORY.parent / "shared" / "data"
FILES = {
    "lung cancer": "nsclc_zilionis_300.h5ad",
    "ovarian cancer": "ovarian_two_patients.h5ad",
    "breast cancer": "breast_idc_10x_filtered_feature_bc_matrix.h5",
    "canine osteosarcoma": "canine_osteosarcoma_standin.h5ad",
}
MOST_CELLS = 700


def read_counts(path):
    """Counts of some of the cells, cells x genes that are seen."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        adata = sc.read_10x_h5(path) if path.suffix == ".h5" else anndata.read_h5ad(path)
    matrix = sparse.csr_matrix(adata.layers.get("counts", adata.X), dtype=np.float64)
    step = max(matrix.shape[0] // MOST_CELLS, 1)
    matrix = matrix[::step]
    return matrix[:, matrix.getnnz(axis=0) > 0]


def changed(matrix, function):
    """A matrix with a function of its values above 0."""
    result = sparse.csr_matrix(matrix, copy=True)
    result.data = function(result.data)
    return result


def scaled(counts, target=None):
    """Counts scaled to the same total per cell; to the median of the totals."""
    depth = np.maximum(np.asarray(counts.sum(axis=1)).ravel(), 1e-12)
    return sparse.csr_matrix(sparse.diags((target or np.median(depth)) / depth) @ counts)


def logs(counts, target=1e4):
    """What should be scored."""
    return changed(scaled(counts, target), np.log1p)


def panels(counts, rng):
    """Columns of all genes, of the 2,000 seen most often, and of small panels."""
    seen = counts.getnnz(axis=0)
    often = np.flatnonzero(seen > 20)
    drawn = {n: np.sort(rng.choice(often, n, replace=False)) for n in (300, 30, 5)}
    return {"2,000 genes": np.sort(np.argsort(-seen, kind="stable")[:2000])} | {
        f"{n} genes": columns for n, columns in drawn.items()
    }


def fine(counts, decimals, genes, rng):
    """Matrices that can be scored, by name."""
    size = sparse.diags(rng.lognormal(0, 0.2, counts.shape[0]))
    half = logs(counts)
    smooth = scaled(counts, 1e4)[:, genes["2,000 genes"]].toarray()
    yield from ((f"total {t:g}", logs(counts, t)) for t in (1, 100, 1e4, 1e5, 1e6))
    yield "median total", logs(counts, None)
    yield from ((name, half[:, columns]) for name, columns in genes.items())
    yield "300 genes, scaled alone", logs(counts[:, genes["300 genes"]])
    yield "30 genes, scaled alone", logs(counts[:, genes["30 genes"]])
    yield "every second gene", half[:, ::2]
    yield "genes of 20 cells", half[:, counts.getnnz(axis=0) >= 20]
    yield "other size factors", changed(size @ scaled(counts, 1e4), np.log1p)
    yield "decimals", logs(decimals)
    yield from ((f"decimals, {name}", logs(decimals)[:, genes[name]]) for name in list(genes)[:3])
    yield "float32", half.astype(np.float32)
    yield "float16", changed(half, lambda x: x.astype(np.float16).astype(np.float32))
    yield "two digits", changed(half, lambda x: x.round(2))
    yield "one digit", changed(half, lambda x: x.round(1))
    yield "20 cells", half[:20]
    yield "5 cells", half[:5]
    yield "smoothed", sparse.csr_matrix(np.log1p(0.7 * smooth + 0.3 * smooth.mean(axis=0)))


def wrong(counts, decimals, genes):
    """Matrices that cannot, by name."""
    chosen = genes["2,000 genes"]
    for name, raw in (("counts", counts), ("decimals", decimals)):
        made = {
            "as they are": raw,
            "scaled to 1": scaled(raw, 1.0),
            "scaled to 100": scaled(raw, 100.0),
            "log1p, not scaled": changed(raw, np.log1p),
            "log1p twice": changed(logs(raw), np.log1p),
            "log2": changed(logs(raw), lambda x: x / np.log(2)),
            "log2 of CPM": changed(logs(raw, 1e6), lambda x: x / np.log(2)),
            "log10": changed(logs(raw), lambda x: x / np.log(10)),
        }
        for how, matrix in made.items():
            yield f"{name}, {how}", matrix
            yield f"{name}, {how}, 2,000 genes", matrix[:, chosen]
    yield "scaled with negatives", sparse.csr_matrix(logs(counts)[:, chosen].toarray() - 0.5)


def answer(matrix):
    """Whether a matrix is refused, warned of, or passes."""
    names = pd.DataFrame(index=[f"G{i}" for i in range(matrix.shape[1])])
    try:
        _, doubt = checked_matrix(AnnData(sparse.csr_matrix(matrix), var=names))
    except ScoringError:
        return "refused"
    return "warned of" if doubt else "passes"


def main():
    """Print the answers in numbers, and each that is not as it should be."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=SHARED)
    folder = parser.parse_args().data
    found = {"fine": [], "wrong": []}
    for title, file in FILES.items():
        rng = np.random.default_rng(0)
        counts = read_counts(folder / file)
        decimals = changed(counts, lambda x, rng=rng: x * rng.uniform(0.7, 1, len(x)))
        genes = panels(counts, rng)
        kinds = {
            "fine": fine(counts, decimals, genes, rng),
            "wrong": wrong(counts, decimals, genes),
        }
        for kind, matrices in kinds.items():
            for name, matrix in matrices:
                found[kind].append((title, name, answer(matrix)))
    for kind, rows in found.items():
        print(f"{kind}: {len(rows)} matrices, {dict(Counter(told for *_, told in rows))}")
        unexpected = [row for row in rows if (row[2] == "passes") != (kind == "fine")]
        for title, name, told in unexpected:
            print(f"  {told}: {title}, {name}")


if __name__ == "__main__":
    main()
