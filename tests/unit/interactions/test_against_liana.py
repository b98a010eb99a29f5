"""Our table against LIANA itself, squidpy and brute force, on LIANA's toy data."""

import math
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from osteotalk.interactions.consensus import MAGNITUDE
from osteotalk.interactions.liana_adapter import KEYS, SCORES
from osteotalk.interactions.permutation import count_exceedances
from osteotalk.interactions.resource import liana_resource
from osteotalk.interactions.score import score_sample

SETTINGS = {"expr_prop": 0.1, "min_cells": 10, "n_perms": 200, "seed": 3}


@pytest.fixture(scope="module")
def resource():
    return liana_resource("consensus")


@pytest.fixture
def ours(pbmc, resource):
    return score_sample(pbmc, resource=resource, **SETTINGS)


@pytest.fixture
def theirs(pbmc, resource):
    """LIANA called here with its own permutations, ranks and filters."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import liana

        pbmc.obs["population"] = pbmc.obs["population"].astype("category")
        arguments = {
            "groupby": "population",
            "resource": resource.copy(),
            "expr_prop": 0.1,
            "min_cells": 10,
            "use_raw": False,
            "n_perms": SETTINGS["n_perms"],
            "seed": SETTINGS["seed"],
            "inplace": False,
            "verbose": False,
        }
        ranked = liana.mt.rank_aggregate(pbmc, base=math.e, n_jobs=1, **arguments)
        detailed = liana.mt.cellphonedb(pbmc, n_jobs=1, **arguments)
    columns = [*KEYS, "ligand", "receptor", "ligand_props", "receptor_props"]
    return ranked.merge(detailed[columns], on=KEYS).sort_values(KEYS).reset_index(drop=True)


def test_every_column_of_liana_is_unchanged(ours, theirs):
    pd.testing.assert_frame_equal(ours[KEYS], theirs[KEYS])
    assert len(ours) > 1000
    for column in SCORES:
        np.testing.assert_array_equal(ours[column], theirs[column].astype(np.float64), column)
    assert list(ours["ligand"]) == list(theirs["ligand"])
    assert list(ours["receptor"]) == list(theirs["receptor"])
    np.testing.assert_allclose(ours["ligand_props"], theirs["ligand_props"], rtol=1e-12)
    np.testing.assert_allclose(ours["receptor_props"], theirs["receptor_props"], rtol=1e-12)


def test_p_value_is_lianas_with_one_added_on_both_sides(ours, theirs):
    n = SETTINGS["n_perms"]
    exceedances = theirs["cellphone_pvals"] * n
    np.testing.assert_allclose(ours["p_value"], (exceedances + 1) / (n + 1), rtol=1e-12)
    assert ours["p_value"].min() > 0


def naive_rra(ranks):
    """Robust rank aggregation for one row at a time, from the order statistics' binomial tail."""
    results = []
    for row in ranks:
        k, best = len(row), 1.0
        for j, r in enumerate(sorted(row), start=1):
            # the j-th smallest of k uniform numbers is at most r if at least j of them are
            best = min(best, sum(stats.binom.pmf(i, k, r) for i in range(j, k + 1)))
        results.append(min(best * k, 1.0))
    return results


def test_magnitude_rank_is_the_aggregate_over_distinct_columns(ours, theirs):
    ranks = np.column_stack([stats.rankdata(-theirs[c].to_numpy()) for c in MAGNITUDE])
    expected = naive_rra(ranks / ranks.max(axis=0))
    np.testing.assert_allclose(ours["magnitude_rank"], expected, rtol=1e-9, atol=1e-15)
    # and that is not what LIANA 1.10 prints, which is why it is computed again
    assert stats.spearmanr(ours["magnitude_rank"], theirs["magnitude_rank"]).statistic < 0.9


def test_specificity_rank_is_lianas(ours, theirs):
    np.testing.assert_allclose(
        ours["specificity_rank"], theirs["specificity_rank"], rtol=1e-9, atol=1e-15
    )


def test_q_value_by_hand(ours):
    p = ours["p_value"].to_numpy()
    order = np.argsort(p)
    expected = np.empty(len(p))
    smallest = 1.0
    for rank in range(len(p), 0, -1):
        smallest = min(smallest, p[order[rank - 1]] * len(p) / rank)
        expected[order[rank - 1]] = smallest
    np.testing.assert_allclose(ours["q_value"], expected, rtol=1e-12)


def test_shuffles_against_a_naive_loop(pbmc):
    cells = pbmc[pbmc.obs["population"].isin(["Dendritic", "CD56+ NK"])].copy()
    edges = pd.DataFrame(
        [("Dendritic", "CD56+ NK", "HLA-DRA", "CD4"), ("CD56+ NK", "CD56+ NK", "CCL5", "CCR7")],
        columns=["source", "target", "ligand", "receptor"],
    )
    edges = edges[edges["ligand"].isin(pbmc.var_names) & edges["receptor"].isin(pbmc.var_names)]
    assert len(edges)
    dense = pd.DataFrame(cells.X.toarray(), columns=cells.var_names)
    labels = cells.obs["population"].to_numpy()

    def strength(labels, row):
        ligand = dense.loc[labels == row.source, row.ligand].mean()
        receptor = dense.loc[labels == row.target, row.receptor].mean()
        return (ligand + receptor) / 2

    edges["lr_means"] = [strength(labels, row) for row in edges.itertuples()]
    rng, expected = np.random.default_rng(5), np.zeros(len(edges))
    for _ in range(50):
        shuffled = rng.permutation(len(labels))
        moved = np.empty_like(labels)
        moved[shuffled] = labels  # cell shuffled[i] gets the label of position i
        expected += [strength(moved, row) >= row.lr_means for row in edges.itertuples()]
    found = count_exceedances(cells, edges, groupby="population", n_perms=50, seed=5)
    np.testing.assert_array_equal(found, expected)


def test_means_and_p_values_agree_with_squidpy(pbmc, ours):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import squidpy as sq

        simple = ours[~(ours["ligand_complex"] + ours["receptor_complex"]).str.contains("_")]
        pairs = simple[["ligand", "receptor"]].drop_duplicates()
        pbmc.obs["population"] = pbmc.obs["population"].astype("category")
        found = sq.gr.ligrec(
            pbmc,
            "population",
            interactions=pairs.rename(columns={"ligand": "source", "receptor": "target"}),
            use_raw=False,
            threshold=0.1,
            n_perms=1000,
            seed=0,
            copy=True,
            show_progress_bar=False,
            n_jobs=1,
        )
    means = found["means"].stack([0, 1], future_stack=True)
    p_values = found["pvalues"].stack([0, 1], future_stack=True)
    keys = list(simple[["ligand", "receptor", "source", "target"]].itertuples(index=False))
    np.testing.assert_allclose(simple["lr_means"], [means[tuple(k)] for k in keys], rtol=1e-5)
    # two independent sets of shuffles, of 200 and of 1,000
    assert np.abs(simple["p_value"].to_numpy() - [p_values[tuple(k)] for k in keys]).max() < 0.15


def test_scores_do_not_depend_on_the_order_of_cells_or_genes(pbmc, resource, ours):
    turned = score_sample(pbmc[::-1, ::-1].copy(), resource=resource, **SETTINGS)
    fixed = ["lr_means", "expr_prod", "lrscore", "scaled_weight", "lr_logfc", "spec_weight"]
    pd.testing.assert_frame_equal(
        turned[[*KEYS, *fixed]], ours[[*KEYS, *fixed]], rtol=1e-4, atol=1e-5
    )


def test_the_same_seed_gives_the_same_table(pbmc, resource, ours):
    pd.testing.assert_frame_equal(score_sample(pbmc, resource=resource, **SETTINGS), ours)
