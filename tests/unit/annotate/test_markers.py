import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse

from osteotalk.annotate.markers import annotate, decide_clusters, detected_markers, marker_scores

MARKERS = pd.DataFrame(
    [("tam", "C1QA"), ("tam", "CD163"), ("nk", "GNLY"), ("nk", "NKG7"), ("dc", "NOT_MEASURED")],
    columns=["population", "gene"],
)
POPULATIONS = pd.DataFrame(
    [("myeloid", ""), ("tam", "myeloid"), ("dc", "myeloid"), ("t_nk", ""), ("nk", "t_nk")],
    columns=["population", "parent"],
)


@pytest.fixture
def adata():
    """Clusters 0 (macrophages), 1 (NK) and 2 (neither)."""
    rng = np.random.default_rng(0)
    x = rng.uniform(0, 1, (90, 60)).astype(np.float32)
    genes = ["C1QA", "CD163", "GNLY", "NKG7", *(f"G{i}" for i in range(56))]
    x[:, :4] = rng.uniform(0, 0.2, (90, 4))
    x[:30, :2] += 3
    x[30:60, 2:4] += 3
    adata = AnnData(sparse.csr_matrix(x), var=pd.DataFrame(index=genes))
    adata.obs["cluster"] = np.repeat(["0", "1", "2"], 30)
    adata.uns["osteotalk"] = {}
    return adata


def test_clusters_get_their_population_and_unclear_ones_none(adata):
    annotated, clusters = annotate(
        adata,
        markers=MARKERS,
        populations=POPULATIONS,
        min_score=0.5,
        min_margin=0.5,
        min_markers=0.5,
        seed=0,
    )
    assert list(annotated.obs["population"].unique()) == ["tam", "nk", "unassigned"]
    assert list(annotated.obs["population_major"].unique()) == ["myeloid", "t_nk", "unassigned"]
    unclear = clusters.set_index("cluster").loc["2"]
    assert unclear["population"] == "unassigned"
    assert "is below 0.5" in unclear["reason"]
    assert annotated.obs.loc[annotated.obs["cluster"] == "2", "population_score"].isna().all()
    assert (annotated.obs["population_margin"].iloc[:60] > 1).all()
    assert "population" not in adata.obs


def test_missing_markers_are_reported(adata, caplog):
    scores = marker_scores(adata, MARKERS, seed=0)
    assert "markers of dc that were not measured: NOT_MEASURED" in caplog.text
    assert scores["dc"].isna().all()
    assert "_score" not in adata.obs


def test_scores_do_not_depend_on_the_order_of_cells(adata):
    scores = marker_scores(adata, MARKERS, seed=0)
    turned = marker_scores(adata[::-1].copy(), MARKERS, seed=0)
    np.testing.assert_allclose(turned.loc[scores.index, "tam"], scores["tam"], rtol=1e-5)


def test_two_equal_populations_leave_a_cluster_unassigned():
    scores = pd.DataFrame({"a": [1.0, 1.0], "b": [0.95, 0.95]})
    table = decide_clusters(
        scores,
        pd.Series(["0", "0"]),
        pd.DataFrame({"a": [1.0], "b": [1.0]}, index=["0"]),
        min_score=0.2,
        min_margin=0.1,
        min_markers=0.3,
    )
    assert table.loc[0, "population"] == "unassigned"
    assert table.loc[0, "reason"] == "only 0.05 ahead of b"
    assert table.loc[0, "best"] == "a"


def test_data_of_another_species(adata):
    adata.var_names = [name.capitalize() for name in adata.var_names]
    with pytest.raises(ValueError, match="markers of only 0 populations.*human symbols"):
        annotate(
            adata,
            markers=MARKERS,
            populations=POPULATIONS,
            min_score=0,
            min_margin=0,
            min_markers=0,
            seed=0,
        )


def test_one_loud_marker_is_not_enough(adata):
    """Epithelium with XBP1, a marker of plasma cells too, is no plasma cell."""
    markers = pd.DataFrame(
        [("a", "C1QA"), ("a", "GNLY"), ("a", "NKG7"), ("b", "CD163"), ("b", "ABSENT")],
        columns=["population", "gene"],
    )
    x = adata.X.toarray()
    x[:30, :4] = 0
    x[:30, 0] = 6  # every cell of cluster 0
    x[:2, 1] = 6  # fewer than a tenth of them
    adata.X = sparse.csr_matrix(x)
    detected = detected_markers(adata, markers, adata.obs["cluster"])
    assert detected.loc["0"].to_dict() == {"a": pytest.approx(1 / 3), "b": 0.0}
    scores = pd.DataFrame({"a": [2.0] * 30, "b": [0.1] * 30})
    clusters = pd.Series(["0"] * 30)
    limits = {"min_score": 0.5, "min_margin": 0.1}
    loose = decide_clusters(scores, clusters, detected, **limits, min_markers=0.3)
    strict = decide_clusters(scores, clusters, detected, **limits, min_markers=0.5)
    assert loose.loc[0, "population"] == "a"
    assert strict.loc[0, "population"] == "unassigned"
    assert strict.loc[0, "reason"] == "only 33% of the markers of a are detected"


def test_a_small_gene_panel_is_refused_with_a_reason(adata):
    with pytest.raises(ValueError, match="too few genes of similar expression.*59 genes"):
        marker_scores(
            adata[:, :-1].copy(),
            pd.DataFrame({"population": "a", "gene": adata.var_names[:-1]}),
            seed=0,
        )
