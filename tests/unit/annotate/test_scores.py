import warnings

import numpy as np
import pandas as pd
import pytest
import scanpy as sc
from anndata import AnnData
from scipy import sparse

from osteotalk.annotate import scores
from osteotalk.annotate.scores import is_seen, levels, marker_excess

GENES = ["M1", "M2", "M3"]


@pytest.fixture
def adata():
    rng = np.random.default_rng(0)
    level = rng.gamma(1, 1, 203)
    x = np.log1p(rng.poisson(level, (80, 203))).astype(np.float32)
    names = [*GENES, *(f"G{i}" for i in range(200))]
    return AnnData(sparse.csr_matrix(x), var=pd.DataFrame(index=names))


def one_group(adata):
    return pd.Series("0", index=adata.obs_names)


def by_scanpy(adata, gene, others):
    """scanpy's own score of one gene against all others of its bin."""
    pool = [name for name in adata.var_names if name == gene or name not in others]
    toy = adata.copy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sc.tl.score_genes(
            toy, [gene], gene_pool=pool, ctrl_size=1000, ctrl_as_ref=False, use_raw=False
        )
    return toy.obs["score"].to_numpy()


def test_with_one_group_and_no_limit_the_excess_is_the_score_of_scanpy(adata, monkeypatch):
    monkeypatch.setattr(scores, "HIGHEST", 1.0)
    excess = marker_excess(adata, GENES, others=GENES, groups=one_group(adata))
    for gene in GENES:
        np.testing.assert_allclose(excess[gene], by_scanpy(adata, gene, GENES), atol=1e-5)


def test_order_of_cells_and_genes_and_chunks_do_not_matter(adata, monkeypatch):
    groups = pd.Series(["a"] * 30 + ["b"] * 41 + ["c"] * 9, index=adata.obs_names)
    excess = marker_excess(adata, GENES, others=GENES, groups=groups)
    turned = marker_excess(
        adata[::-1, ::-1].copy(), GENES, others=GENES, groups=groups[::-1].astype("category")
    )
    np.testing.assert_allclose(turned.loc[excess.index], excess, atol=1e-5)
    monkeypatch.setattr(scores, "CHUNK", 7)
    again = marker_excess(adata, GENES, others=GENES, groups=groups)
    pd.testing.assert_frame_equal(again, excess)


def test_levels_are_those_of_the_clusters_that_show_a_gene_least(adata):
    groups = pd.Series(["a"] * 60 + ["b"] * 11 + ["c"] * 9, index=adata.obs_names)
    x = adata.X.toarray().astype(float)
    low, high = np.sort([x[:60].mean(axis=0), x[60:71].mean(axis=0)], axis=0)
    expected = low + 0.1 * (high - low)  # c has too few cells
    np.testing.assert_allclose(levels(adata, groups), expected, atol=1e-8)
    few = pd.Series([f"c{i % 9}" for i in range(80)], index=adata.obs_names)
    np.testing.assert_allclose(levels(adata, few), x.mean(axis=0), atol=1e-8)


def test_the_score_does_not_depend_on_how_many_cells_show_the_marker(adata):
    """Copies of the cells that show M1 leave the excess of the cells as it was."""
    x = adata.X.toarray()
    x[:20, 0] += 3
    adata.X = sparse.csr_matrix(x)
    groups = pd.Series(["a"] * 20 + ["b"] * 60, index=adata.obs_names)
    excess = marker_excess(adata, ["M1"], others=GENES, groups=groups)
    rows = [*range(20)] * 40 + [*range(20, 80)]
    many = AnnData(sparse.csr_matrix(x[rows]), var=adata.var)
    repeated = pd.Series(groups.to_numpy()[rows], index=many.obs_names)
    found = marker_excess(many, ["M1"], others=GENES, groups=repeated)
    np.testing.assert_allclose(found["M1"], excess["M1"].to_numpy()[rows], atol=1e-5)


def test_a_marker_that_all_cells_show_is_not_compared_with_the_loudest_genes(adata):
    x = adata.X.toarray()
    x[:, 0] = 5
    adata.X = sparse.csr_matrix(x)
    excess = marker_excess(adata, ["M1"], others=GENES, groups=one_group(adata))
    others = np.sort(x[:, 3:].mean(axis=0))
    around = others[150 - 10 : 150 + 10]  # three quarters of the 200 other genes
    assert around[0] <= 5 - excess["M1"].mean() <= around[-1]


def test_a_small_gene_panel_is_refused_with_a_reason(adata):
    with pytest.raises(ValueError, match="too few genes of similar expression.*30 genes, of which"):
        marker_excess(adata[:, :30].copy(), GENES, others=GENES, groups=one_group(adata))


def test_seen_is_a_count(adata):
    seen = is_seen(adata, ["M2", "M1"])
    np.testing.assert_array_equal(seen["M1"], adata.X.toarray()[:, 0] > 0)
    assert list(seen.columns) == ["M2", "M1"]
