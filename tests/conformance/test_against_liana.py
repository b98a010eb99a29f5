"""Every number of the fast engine against LIANA itself, called here on its own.

LIANA takes minutes for all pairs of the larger data sets. A random part of the pairs is scored, as
no score of one pair depends on another; OSTEOTALK_ALL_PAIRS=1 in the environment scores all.
"""

import math
import os
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from osteotalk.interactions import score
from osteotalk.interactions.pairs.resource_files import liana_resource

KEYS = ["source", "target", "ligand_complex", "receptor_complex"]
SCORES = ["lr_means", "expr_prod", "lrscore", "scaled_weight", "lr_logfc", "spec_weight"]
N_PERMS, SEED = 40, 7
PAIRS = 600
# LIANA computes in single precision (1.2e-7). Fold changes and standardised means are differences,
# near 0 of which only their absolute size means something.
RELATIVE = 1e-6
ABSOLUTE = {"scaled_weight": 1e-6, "lr_logfc": 1e-6}
SETTINGS = {
    "defaults": {},
    "few cells, low threshold": {"min_cells": 5, "expr_prop": 0.02},
    "many cells, high threshold": {"min_cells": 20, "expr_prop": 0.3},
    "another resource": {"resource": "cellchatdb"},
    "some pairs of populations": {"pairs": True},
}


def by_liana(adata, pairs, groupby_pairs, *, expr_prop, min_cells):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import liana

        adata = adata.copy()
        adata.obs["population"] = adata.obs["population"].astype("category")
        arguments = {
            "groupby": "population",
            "groupby_pairs": groupby_pairs,
            "expr_prop": expr_prop,
            "min_cells": min_cells,
            "use_raw": False,
            "base": math.e,
            "seed": SEED,
            "n_jobs": 1,
            "inplace": False,
            "verbose": False,
        }
        result = liana.mt.rank_aggregate(
            adata, resource=pairs.copy(), n_perms=N_PERMS, return_all_lrs=False, **arguments
        )
        gmeans = liana.mt.geometric_mean(adata, resource=pairs.copy(), n_perms=None, **arguments)
        columns = ["ligand", "receptor", "ligand_props", "receptor_props", "lr_gmeans"]
        result = result.merge(gmeans[[*KEYS, *columns]], on=KEYS, validate="1:1")
        probs = liana.mt.cellchat(adata, resource=pairs.copy(), n_perms=None, **arguments)
        result = result.merge(probs[[*KEYS, "lr_probs"]], on=KEYS, validate="1:1")
    return result.sort_values(KEYS).reset_index(drop=True)


@pytest.fixture(scope="module", params=list(SETTINGS))
def both(request, data):
    adata, pairs = data
    setting = {"min_cells": 10, "expr_prop": 0.1} | SETTINGS[request.param]
    if "resource" in setting:
        pairs = liana_resource(setting.pop("resource"))
    if not os.environ.get("OSTEOTALK_ALL_PAIRS") and adata.n_vars > 1000:
        pairs = pairs.sample(min(PAIRS, len(pairs)), random_state=1)
    some = None
    if setting.pop("pairs", False):
        names = sorted(adata.obs["population"].value_counts().index[:4])
        some = pd.DataFrame(
            [
                (names[0], names[1]),
                (names[1], names[0]),
                (names[2], names[0]),
                (names[3], names[3]),
            ],
            columns=["source", "target"],
        )
    theirs = by_liana(adata, pairs, some, **setting)
    methods = ["cellphonedb", "connectome", "log2fc", "natmi", "singlecellsignalr"]
    ours = score(
        adata,
        resource=pairs,
        groupby_pairs=some,
        null="like_liana",
        n_perms=N_PERMS,
        seed=SEED,
        methods=[*methods, "cellchat", "geometric_mean"],
        **setting,
    )
    return ours, theirs


def test_the_same_edges(both):
    ours, theirs = both
    assert len(ours) > 20
    pd.testing.assert_frame_equal(ours[KEYS], theirs[KEYS].astype(object))
    for column in ("ligand_props", "receptor_props"):
        np.testing.assert_allclose(ours[column], theirs[column], rtol=1e-12)


def test_the_same_limiting_subunits(both):
    """But for ties in single precision, where either subunit has the same mean."""
    ours, theirs = both
    for side in ("ligand", "receptor"):
        assert (ours[side] != theirs[side]).mean() < 0.001


@pytest.mark.parametrize("column", [*SCORES, "lr_probs", "lr_gmeans"])
def test_the_same_scores(both, column):
    ours, theirs = both
    expected = theirs[column].astype(np.float64)
    atol = ABSOLUTE.get(column, 0)
    np.testing.assert_allclose(ours[column], expected, rtol=RELATIVE, atol=atol)


def test_the_same_p_values(both):
    """Equal, but for ties that turn on the rounding of single precision."""
    ours, theirs = both
    reached = ours["p_value"] * (N_PERMS + 1) - 1
    difference = np.abs(reached - theirs["cellphone_pvals"] * N_PERMS)
    assert (difference > 1e-6).mean() <= 0.001
    assert difference.max() <= 2 + 1e-6


def same_ranks(ours, theirs):
    """Where two scores are equal but for rounding, their ranks may change places."""
    np.testing.assert_allclose(ours, theirs, rtol=0.05, atol=1e-6)
    assert (~np.isclose(ours, theirs, rtol=1e-3, atol=1e-6)).mean() <= 0.002


def test_the_same_specificity_rank(both):
    ours, theirs = both
    same_ranks(ours["specificity_rank"], theirs["specificity_rank"])


def test_the_magnitude_rank_that_liana_meant(both):
    """LIANA 1.10 ranks `expr_prod` twice, the second time reversed; over LIANA's own columns."""
    ours, theirs = both
    columns = ["lr_means", "expr_prod", "lrscore", "lr_probs", "lr_gmeans"]
    ranks = np.column_stack([stats.rankdata(-theirs[c].to_numpy(np.float64)) for c in columns])
    ordered = np.sort(ranks / ranks.max(axis=0), axis=1)
    k = len(columns)
    tails = [stats.binom.sf(j, k, ordered[:, j]) for j in range(k)]
    expected = np.minimum(np.min(tails, axis=0) * k, 1)
    same_ranks(ours["magnitude_rank"], expected)


@pytest.mark.parametrize("name", ["blood"])
def test_the_engine_liana_gives_the_same_table(name, load, request):
    adata, pairs = load(name, request)
    settings = {"resource": pairs, "null": "like_liana", "n_perms": 50, "seed": 3}
    fast, slow = (score(adata, engine=engine, **settings) for engine in ("fast", "liana"))
    assert list(fast) == list(slow)
    for column in fast:
        if fast[column].dtype == object:
            assert list(fast[column]) == list(slow[column])
        else:
            atol = ABSOLUTE.get(column, 0)
            np.testing.assert_allclose(fast[column], slow[column], rtol=RELATIVE, atol=atol)
