"""Computed p-values against brute force: labels shuffled by another program, 20,000 times.

benchmarks/null.py does the same with a million shuffles and prints the figures.
"""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse, stats

from osteotalk.interactions import score

N = 20_000
SETTINGS = {"blood": {"min_cells": 5}, "lung_cancer": {"min_cells": 5}, "embedded": {}}
EDGES = 400


def shuffled_p(adata, edges, *, seed):
    """Share of shuffles in which an edge is at least as strong; a loop over numpy alone."""
    genes = sorted({*edges["ligand"], *edges["receptor"]})
    dense = sparse.csr_matrix(adata[:, genes].X).toarray().astype(np.float64)
    labels, codes = np.unique(adata.obs["population"], return_inverse=True)
    member = np.zeros((len(labels), len(codes)))
    member[codes, np.arange(len(codes))] = 1
    member /= member.sum(axis=1, keepdims=True)
    place = {name: i for i, name in enumerate(labels)}, {name: i for i, name in enumerate(genes)}
    source, target = ([place[0][name] for name in edges[end]] for end in ("source", "target"))
    ligand, receptor = ([place[1][name] for name in edges[side]] for side in ("ligand", "receptor"))

    def strengths(order):
        means = member @ dense[order]
        return means[source, ligand] + means[target, receptor]

    observed = strengths(np.arange(len(codes))) * (1 - 1e-9)
    rng = np.random.default_rng(seed)
    reached = sum(strengths(rng.permutation(len(codes))) >= observed for _ in range(N))
    return reached / N


@pytest.fixture(scope="module", params=list(SETTINGS))
def both(request, load):
    """Some edges of a data set, with small and with large p-values, and their share of shuffles."""
    adata, pairs = load(request.param, request)
    setting = {"min_cells": 10} | SETTINGS[request.param]
    table = score(adata, resource=pairs, **setting)
    sizes = adata.obs["population"].value_counts()
    adata = adata[adata.obs["population"].isin(sizes.index[sizes >= setting["min_cells"]])]
    chosen = table[table["p_value"].between(1e-3, 0.3)]
    edges = chosen.sample(min(EDGES, len(chosen)), random_state=0)
    return edges, shuffled_p(adata, edges, seed=11)


def test_computed_p_values_are_those_of_shuffles(both):
    edges, p = both
    seen = p >= 2e-3  # 40 shuffles or more: the error of drawing is below 0.07
    ratio = np.log10(edges["p_value"].to_numpy()[seen] / p[seen])
    drawing = np.sqrt((1 - p[seen]) / (p[seen] * N)) / np.log(10)
    own = np.sqrt(max((ratio**2).mean() - (drawing**2).mean(), 0))
    assert own < 0.05
    assert abs(ratio.mean()) < 0.01


def test_the_error_that_is_given_covers_the_error_that_is_made(both):
    edges, p = both
    seen = p >= 2e-3
    ratio = np.log10(edges["p_value"].to_numpy()[seen] / p[seen])
    drawing = np.sqrt((1 - p[seen]) / (p[seen] * N)) / np.log(10)
    away = np.abs(ratio) / np.sqrt(edges["p_error"].to_numpy()[seen] ** 2 + drawing**2)
    assert (away > 3).mean() < 0.03


@pytest.mark.parametrize("name", ["embedded", "blood"])
def test_shuffled_labels_give_uniform_p_values(name, load, request):
    """Nothing is specific once labels mean nothing.

    The pairs are of common genes, which are detected however the labels fall: of rare genes only
    those edges are listed that chance has made strong.
    """
    adata, _ = load(name, request)
    share = np.asarray((adata.X > 0).mean(axis=0)).ravel()
    rng = np.random.default_rng(5)
    genes = rng.permutation(adata.var_names[(share > 0.35) & (share < 0.9)])[:8]
    pairs = pd.DataFrame({"ligand": genes[:4], "receptor": genes[4:]})
    adata = adata.copy()
    drawn, with_active = [], 0
    for i in range(100):
        adata.obs["population"] = rng.permutation(adata.obs["population"])
        table = score(adata, resource=pairs, expr_prop=0.01)
        # edges of one pair are not independent of each other
        drawn.append(table.groupby("ligand").sample(1, random_state=i)["p_value"])
        with_active += (table["q_value"] <= 0.05).any()
    p = np.concatenate(drawn)
    assert len(p) == 400
    # Where nothing is true, Benjamini-Hochberg calls any edge in 5 % of the tables at most; more
    # than this bound chance alone draws once in a thousand times.
    assert with_active <= stats.binom.ppf(0.999, 100, 0.05)
    assert stats.kstest(p, "uniform").pvalue > 0.01
    assert (p <= 0.05).mean() == pytest.approx(0.05, abs=3 * np.sqrt(0.05 * 0.95 / len(p)))
