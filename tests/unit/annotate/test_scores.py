import warnings

import numpy as np
import pandas as pd
import pytest
import scanpy as sc
from anndata import AnnData
from scipy import sparse

from osteotalk.annotate import scores
from osteotalk.annotate.scores import is_seen, list_scores, marker_excess, shares_detected
from osteotalk.annotate.tree import Markers

GENES = ["M1", "M2", "M3"]


@pytest.fixture
def adata():
    rng = np.random.default_rng(0)
    level = rng.gamma(1, 1, 203)
    x = np.log1p(rng.poisson(level, (80, 203))).astype(np.float32)
    names = [*GENES, *(f"G{i}" for i in range(200))]
    return AnnData(sparse.csr_matrix(x), var=pd.DataFrame(index=names))


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


def test_the_excess_of_a_gene_is_the_score_of_scanpy(adata):
    excess = marker_excess(adata, GENES, others=GENES)
    for gene in GENES:
        np.testing.assert_allclose(excess[gene], by_scanpy(adata, gene, GENES), atol=1e-5)


def test_order_of_cells_and_genes_and_chunks_do_not_matter(adata, monkeypatch):
    excess = marker_excess(adata, GENES, others=GENES)
    turned = marker_excess(adata[::-1, ::-1].copy(), GENES, others=GENES)
    np.testing.assert_allclose(turned.loc[excess.index], excess, atol=1e-5)
    monkeypatch.setattr(scores, "CHUNK", 7)
    pd.testing.assert_frame_equal(marker_excess(adata, GENES, others=GENES), excess)


def test_the_loudest_gene_is_compared_with_the_next_loudest(adata):
    x = adata.X.toarray()
    x[:, 0] = 50
    adata.X = sparse.csr_matrix(x)
    excess = marker_excess(adata, ["M1"], others=GENES)
    assert (excess["M1"] > 40).all()


def test_a_small_gene_panel_is_refused_with_a_reason(adata):
    with pytest.raises(ValueError, match="too few genes of similar expression.*30 genes, of which"):
        marker_excess(adata[:, :30].copy(), GENES, others=GENES)


def test_negative_markers_count_only_where_they_are_seen():
    excess = pd.DataFrame({"a": [2.0, 2.0], "b": [1.0, 1.0], "n": [1.0, -1.0]})
    found = list_scores(excess, {"p": Markers(("a", "b"), ("n",), 2), "q": Markers(("a",), (), 1)})
    assert found["p"].tolist() == [0.5, 1.5]
    assert found["q"].tolist() == [2.0, 2.0]


def test_shares_are_of_all_listed_markers():
    rates = pd.DataFrame({"a": [0.1, 0.09], "b": [0.5, 0.5]}, index=["0", "1"])
    found = shares_detected(rates, {"p": Markers(("a", "b"), (), 4)})
    assert found["p"].tolist() == [0.5, 0.25]


def test_seen_is_a_count(adata):
    seen = is_seen(adata, ["M2", "M1"])
    np.testing.assert_array_equal(seen["M1"], adata.X.toarray()[:, 0] > 0)
    assert list(seen.columns) == ["M2", "M1"]
