"""Computed p-values of edges against brute-force label shuffles.

Run from the repository: python benchmarks/null.py [--shuffles 1000000] [--threads 2]
or, with labels dealt to the cells of single edges instead: python benchmarks/null.py --single 200

For each data set of the conformance suite, and for lung cancer cells whose values tie (all thinned
to 500, 1,000 or 2,000 counts, presence and absence alone, values rounded to halves), it prints how
far log10(p) is off, for p-values that were computed and for those of 1,000 shuffles; how many edges
are within three standard errors of the long shuffles, and within two; and how many calls at a false
discovery rate of 0.05 agree. Edges of a population with itself are a line apart. Below 1e-4 a few
edges are drawn for longer, by dealing labels to their cells alone.

With --single so many edges with p between 1e-4 and 0.2 are drawn at random, half of them of a
population with itself, and labels are dealt to the cells of each, until ENOUGH deals reach it.
"""

import argparse
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import scanpy as sc
from anndata import AnnData
from numba import njit
from scipy import sparse
from scipy.stats import false_discovery_control

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "conformance"))
import datasets

from osteotalk.interactions import score
from osteotalk.interactions.nulls.moments import MOST_DRAWS
from osteotalk.interactions.nulls.places import locate

ALPHA = 0.05
BLOCK = 20_000
ENOUGH, MOST_DEALS = 4000, 40_000_000
RANGES = ((1e-4, 0.2), (1e-4, 1e-3), (1e-3, 1e-2), (1e-2, 0.2))


@njit(nogil=True)
def shuffled(indptr, indices, data, codes, sizes, n_genes, sides, least, n, seed):
    """Count the shuffles in which each edge is at least as strong, with a generator of its own."""
    np.random.seed(seed)
    source, target, ligand, receptor = sides
    order = codes.copy()
    reached = np.zeros(len(least), np.int64)
    sums = np.zeros((len(sizes), n_genes))
    for _ in range(n):
        for i in range(len(order) - 1, 0, -1):
            j = np.random.randint(0, i + 1)
            order[i], order[j] = order[j], order[i]
        sums[:] = 0
        for cell in range(len(order)):
            row = sums[order[cell]]
            for k in range(indptr[cell], indptr[cell + 1]):
                row[indices[k]] += data[k]
        for e in range(len(least)):
            a, b = source[e], target[e]
            strength = sums[a, ligand[e]] / sizes[a] + sums[b, receptor[e]] / sizes[b]
            reached[e] += strength >= least[e]
    return reached


@njit(nogil=True)
def dealt(x, y, n_a, n_b, same, n_cells, least, n, seed):
    """Count the deals of labels to the expressing cells of one edge that are at least as strong."""
    np.random.seed(seed)
    reached = 0
    for _ in range(n):
        a, b, left, total = n_a, 0 if same else n_b, n_cells, 0.0
        for i in range(len(x)):
            place = np.random.randint(0, left)
            if place < a:
                a -= 1
                total += x[i] / n_a + (y[i] / n_b if same else 0.0)
            elif place < a + b:
                b -= 1
                total += y[i] / n_b
            left -= 1
        reached += total >= least
    return reached


def cells_of(adata, table):
    """Cells that take part with the genes of a table, and what is needed to deal single edges."""
    groups = adata.obs["population"]
    taking_part = groups.isin({*table["source"], *table["target"]})
    genes = sorted({*table["ligand"], *table["receptor"]})
    adata = adata[taking_part, genes]
    matrix = sparse.csr_matrix(adata.X, dtype=np.float64)
    labels, codes = np.unique(adata.obs["population"], return_inverse=True)
    sizes = np.bincount(codes)
    at = locate(table, labels=pd.Index(labels), genes=pd.Index(genes), codes=codes)
    means = np.array([matrix[codes == k].mean(axis=0).A1 for k in range(len(labels))])
    least = (means[at.source, at.ligand] + means[at.target, at.receptor]) * (1 - 1e-9)
    return matrix, sizes, at, least


def brute_force(adata, table, *, shuffles, threads):
    """Exceedances of each row of a table."""
    matrix, sizes, at, least = cells_of(adata, table)
    sides = (at.source, at.target, at.ligand, at.receptor)
    n_genes = matrix.shape[1]
    arrays = (matrix.indptr, matrix.indices, matrix.data, at.codes, sizes, n_genes, sides, least)
    blocks = [min(BLOCK, shuffles - first) for first in range(0, shuffles, BLOCK)]
    with ThreadPoolExecutor(threads) as pool:
        jobs = [pool.submit(shuffled, *arrays, n, 1000 + i) for i, n in enumerate(blocks)]
        return sum(job.result() for job in jobs)


def deal_single(adata, table, chosen, *, threads):
    """Exceedances and number of deals of some edges."""
    matrix, sizes, at, least = cells_of(adata, table)
    columns = matrix.tocsc()

    def deal(e):
        both = columns[:, [at.ligand[e], at.receptor[e]]].toarray()
        both = both[both.any(axis=1)]
        a, b = at.source[e], at.target[e]
        arguments = (both[:, 0].copy(), both[:, 1].copy(), sizes[a], sizes[b], a == b)
        reached = done = 0
        while reached < ENOUGH and done < MOST_DEALS:
            reached += dealt(*arguments, sizes.sum(), least[e], BLOCK, 7 + done)
            done += BLOCK
        return max(reached, 1), done

    with ThreadPoolExecutor(threads) as pool:
        return np.array(list(pool.map(deal, chosen))).T


def within(table, p, shuffles, times):
    """Share of edges whose error is at most so many times the standard error that is given."""
    error = np.hypot(table["p_error"], np.sqrt((1 - p) / (p * shuffles)) / np.log(10))
    return (np.abs(np.log10(table["p_value"] / p)) <= times * error + 1e-9).mean()


def some_edges(table, n, *, seed):
    """Positions of edges drawn at random, half of them of a population with itself."""
    rng = np.random.default_rng(seed)
    usual = table["p_value"].between(*RANGES[0]).to_numpy()
    own = (table["source"] == table["target"]).to_numpy()
    chosen = [np.flatnonzero(usual & part) for part in (own, ~own)]
    return np.sort(np.concatenate([rng.permutation(part)[: n // 2] for part in chosen]))


def print_errors(name, tables, reached, shuffles):
    """Print a line for each range of p-values, and for each kind of edges of the whole range."""
    p, own = reached / shuffles, (tables[0]["source"] == tables[0]["target"]).to_numpy()
    shuffles = np.broadcast_to(shuffles, len(p))
    rows = [(*bounds, "all", own | True) for bounds in RANGES]
    rows[1:1] = [(*RANGES[0], "with itself", own), (*RANGES[0], "others", ~own)]
    for low, high, kind, part in rows:
        chosen = (p >= low) & (p <= high) & part
        if not chosen.any():
            continue
        cells = [name, f"{low:g} to {high:g}", kind, f"{chosen.sum():,}"]
        for table in tables:
            found, true = table[chosen], p[chosen]
            ratio = np.log10(found["p_value"] / true)
            # (b + 1) / (n + 1) is above the share of shuffles on purpose
            done = shuffles[chosen]
            shares = [f"{within(found, true, done, times):.1%}" for times in (3, 2)]
            cells += [f"{np.sqrt((ratio**2).mean()):.4f}", f"{ratio.mean():+.4f}", *shares]
        noise = np.sqrt(((1 - p[chosen]) / reached[chosen]).mean()) / np.log(10)
        print("| " + " | ".join([*cells, f"{noise:.4f}"]) + " |", flush=True)


def tied(folder):
    """Lung cancer cells whose values tie, by name."""
    counts = sc.read_h5ad(folder / "nsclc_zilionis_300.h5ad")
    usual, pairs = datasets.lung_cancer(folder)

    def thinned(depth):
        deep = np.asarray(counts.X.sum(axis=1)).ravel() >= depth
        part = counts[deep].copy()
        part.X = part.X.astype(np.float32)
        sc.pp.downsample_counts(part, counts_per_cell=depth, random_state=0)
        sc.pp.normalize_total(part, target_sum=1e4)
        sc.pp.log1p(part)
        return changed(usual[deep], part.X)

    def changed(cells, values):
        return AnnData(sparse.csr_matrix(values), obs=cells.obs.copy(), var=cells.var.copy()), pairs

    found = {f"{n:,} counts each": lambda n=n: thinned(n) for n in (500, 1000, 2000)}
    found["presence"] = lambda: changed(usual, (usual.X > 0).astype(np.float32))
    found["rounded to halves"] = lambda: changed(usual, np.ceil(usual.X.toarray() * 2) / 2)
    return found


def called(p):
    """Which edges pass the false discovery rate."""
    return false_discovery_control(p, method="bh") <= ALPHA


def deal_rare(adata, table, *, n, edges, threads):
    """Draw some edges with computed p-values from 1e-7 to 1e-5 for longer."""
    matrix, sizes, at, least = cells_of(adata, table)
    columns = matrix.tocsc()
    chosen = np.flatnonzero(table["p_value"].between(1e-7, 1e-5).to_numpy())
    cells = np.array([columns[:, [at.ligand[e], at.receptor[e]]].nnz for e in chosen])
    fewest = chosen[np.argsort(cells, kind="stable")[:edges]]
    for e in fewest:
        both = columns[:, [at.ligand[e], at.receptor[e]]].toarray()
        both = both[both.any(axis=1)]
        a, b = at.source[e], at.target[e]
        arguments = (both[:, 0].copy(), both[:, 1].copy(), sizes[a], sizes[b], a == b)
        with ThreadPoolExecutor(threads) as pool:
            jobs = [
                pool.submit(dealt, *arguments, sizes.sum(), least[e], n // 20, 7 + i)
                for i in range(20)
            ]
            reached = sum(job.result() for job in jobs)
        p = table["p_value"].iloc[e]
        print(f"  {len(both)} expressing cells: computed {p:.3g}, {reached} of {n:,} draws", end="")
        print(f" = {reached / n:.3g}, log10 ratio {np.log10(p / max(reached / n, 0.5 / n)):+.3f}")


def main():
    """Run all data sets and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shuffles", type=int, default=1_000_000)
    parser.add_argument("--single", type=int, help="edges to deal labels to, one by one")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--draws", type=int, default=100_000_000, help="for p-values below 1e-4")
    parser.add_argument("--sets", nargs="*", help="data sets, by name; all by default")
    parser.add_argument("--shared", type=Path, default=Path(__file__).parents[2] / "shared/data")
    parser.add_argument("--edges", type=int, default=3, help="how many edges of each data set")
    options = parser.parse_args()
    shared = options.shared
    sets = {"blood": (datasets.blood, 5), "embedded": (datasets.embedded, 10)}
    if shared.is_dir():
        sets["lung cancer"] = (lambda: datasets.lung_cancer(shared), 5)
        sets |= {name: (load, 5) for name, load in tied(shared).items()}
    sets = {name: sets[name] for name in options.sets or sets}
    print(f"{options.shuffles:,} shuffles; at most {MOST_DRAWS:,} draws for refined edges\n")
    columns = ["data", "p by shuffles", "source and target", "edges"]
    for title in ("computed", "1,000 shuffles"):
        columns += [f"{title}: RMS", "bias", "within 3", "within 2"]
    columns.append("error of the truth")
    print("| " + " | ".join(columns) + " |\n" + "| --- " * len(columns) + "|")
    notes, rare = [], []
    for name, (load, min_cells) in sets.items():
        adata, pairs = load()
        table = score(adata, resource=pairs, min_cells=min_cells, threads=options.threads)
        few = score(adata, resource=pairs, min_cells=min_cells, null="permutation", n_perms=1000)
        if options.single:
            chosen = some_edges(table, options.single, seed=0)
            reached, done = deal_single(adata, table, chosen, threads=options.threads)
            print_errors(name, (table.iloc[chosen], few.iloc[chosen]), reached, done)
            continue
        reached = brute_force(adata, table, shuffles=options.shuffles, threads=options.threads)
        computed, drawn = table["p_value"].to_numpy(), few["p_value"].to_numpy()
        print_errors(name, (table, few), reached, options.shuffles)
        right = called((reached + 1) / (options.shuffles + 1))
        agree = [(called(p) == right).mean() for p in (computed, drawn)]
        notes.append(
            f"{name}: {right.sum():,} of {len(table):,} edges called; {agree[0]:.4%} of calls "
            f"agree if computed, {agree[1]:.4%} with 1,000 shuffles; smallest p "
            f"{computed.min():.2g} and {drawn.min():.2g}"
        )
        if options.edges:
            rare.append((name, adata, table))
    print("\n" + "\n".join(notes))
    for name, adata, table in rare:
        print(f"\n{name}, p-values from 1e-7 to 1e-5:")
        deal_rare(adata, table, n=options.draws, edges=options.edges, threads=options.threads)


if __name__ == "__main__":
    main()
