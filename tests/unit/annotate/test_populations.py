"""Clusters and cells of a toy cohort with planted populations, states and doublets."""

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse

from osteotalk.annotate import annotate
from osteotalk.contract_checks import check_frame

POPULATIONS = pd.DataFrame(
    [
        ("my", "", ""),
        ("tam", "my", ""),
        ("mono", "my", ""),
        ("spp1", "tam", "state"),
        ("t", "", ""),
        ("cd4", "t", ""),
        ("cd8", "t", ""),
        ("ec", "", ""),
    ],
    columns=["population", "parent", "level"],
)
OWN = {
    "tam": ["TA", "TB", "TC", "TD"],
    "mono": ["OA", "OB", "OC", "OD"],
    "cd4": ["CD3", "C3E", "C4A", "C4B"],
    "cd8": ["CD3", "C3E", "C8A", "C8B"],
    "ec": ["EA", "EB", "EC", "ED"],
    "spp1": ["SA", "SB", "SC"],
}
MARKERS = pd.DataFrame(
    [(p, g, "") for p, genes in OWN.items() for g in genes] + [("cd4", "C8A", "-")],
    columns=["population", "gene", "sign"],
)
LIMITS = {
    "min_score": 0.25,
    "min_margin": 0.1,
    "min_markers": 0.6,
    "min_agree": 0.6,
    "min_measured": 3,
}
GENES = sorted({*MARKERS["gene"]}) + [f"G{i}" for i in range(150)]


def cohort(groups, *, seed=0):
    """Log counts of groups of cells: (cluster, populations whose markers are raised, cells)."""
    rng = np.random.default_rng(seed)
    blocks, clusters, sizes = [], [], []
    for cluster, raised, n in groups:
        mean = np.full(len(GENES), 0.3)
        mean[: len(GENES) - 150] = 0.03
        for name in raised:
            mean[[GENES.index(gene) for gene in OWN[name]]] = 6 / len(raised)
        counts = rng.poisson(mean, (n, len(GENES)))
        blocks.append(np.log1p(counts * 10000 / 3000))
        clusters += [cluster] * n
        sizes += [3000.0 * len(raised) if len(raised) > 1 else 3000.0] * n
    x = np.vstack(blocks).astype(np.float32)
    adata = AnnData(sparse.csr_matrix(x), var=pd.DataFrame(index=GENES))
    adata.obs_names = [f"cell{i}" for i in range(len(x))]
    adata.obs["cluster"], adata.obs["n_counts"] = clusters, sizes
    adata.obs["sample"] = "s1"
    adata.uns["osteotalk"] = {}
    return adata


def named(adata, **changes):
    return annotate(adata, **{"markers": MARKERS, "populations": POPULATIONS} | LIMITS | changes)


def test_clusters_get_their_population_and_unclear_ones_none():
    adata = cohort([("0", ["tam"], 40), ("1", ["cd8"], 30), ("2", [], 30), ("3", ["ec"], 20)])
    annotated, clusters = named(adata)
    check_frame(clusters, table="annotation", where="the clusters")
    obs = annotated.obs
    calls = obs.groupby("cluster")["population"].unique().map(list).to_dict()
    assert calls == {"0": ["tam"], "1": ["cd8"], "2": ["unassigned"], "3": ["ec"]}
    assert set(obs.loc[obs["cluster"] == "1", "population_major"]) == {"t"}
    assert set(obs.loc[obs["cluster"] == "2", "population_major"]) == {"unassigned"}
    assert obs.loc[obs["cluster"] == "2", "population_score"].isna().all()
    assert "is below 0.25" in obs.loc[obs["cluster"] == "2", "population_reason"].iloc[0]
    assert (obs.loc[obs["cluster"] == "0", "population_margin"] > 0.5).all()
    assert set(obs["lineage_doublet"]) == {"no"}
    assert clusters["cluster"].tolist() == ["0", "1", "2", "3"]  # largest first
    assert clusters["share_agree"].tolist()[:2] == [1.0, 1.0]
    assert clusters["n_unassigned"].tolist() == [0, 0, 30, 0]
    assert "population" not in adata.obs
    assert annotated.uns["osteotalk"]["annotate"]["n_unassigned"] == 30


def test_a_group_of_another_lineage_inside_a_cluster_is_named_by_itself():
    adata = cohort([("0", ["tam"], 40), ("0", ["ec"], 6), ("1", ["cd8"], 30), ("1", ["ec"], 4)])
    obs = named(adata)[0].obs
    assert obs["population"].tolist()[40:46] == ["ec"] * 6
    expected = "one of 6 cells whose own markers say ec; its cluster 0 is tam"
    assert set(obs["population_reason"].iloc[40:46]) == {expected}
    assert obs["population"].tolist()[76:] == ["unassigned"] * 4  # too few to be sure
    assert set(obs["population_reason"].iloc[76:]) == {
        "its own markers say ec; its cluster 1 is cd8"
    }


def test_a_few_loud_cells_do_not_name_a_cluster():
    """The mean of the cluster is above the limit, but most of its cells show nothing."""
    adata = cohort([("0", ["ec"], 15), ("0", [], 25), ("1", ["tam"], 40), ("2", ["cd8"], 30)])
    annotated, clusters = named(adata)
    row = clusters.set_index("cluster").loc["0"]
    assert row["score"] > LIMITS["min_score"]
    assert row["population"] == "unassigned"
    assert row["reason"].startswith("only ")
    assert row["reason"].endswith("% of its cells show ec most")
    assert set(annotated.obs["population"].iloc[:15]) == {"ec"}
    assert set(annotated.obs["population"].iloc[15:40]) == {"unassigned"}
    agree = row["share_agree"]
    for least, name in ((agree, "ec"), (agree + 0.01, "unassigned")):
        clusters = named(adata, min_agree=least)[1]
        assert clusters.set_index("cluster").loc["0", "population"] == name


def test_cells_of_two_lineages_are_likely_doublets():
    adata = cohort([("0", ["tam"], 60), ("1", ["cd8"], 60), ("0", ["tam", "cd8"], 10)])
    annotated, clusters = named(adata)
    obs = annotated.obs
    flagged = (obs["lineage_doublet"] == "yes").to_numpy()
    assert flagged[:120].sum() == 0
    assert flagged[120:].sum() >= 6
    assert set(obs.loc[flagged, "population"]) == {"unassigned"}
    assert set(obs.loc[flagged, "population_reason"]) == {"looks like my and t at once"}
    assert clusters["n_lineage_doublets"].sum() == flagged.sum()


def test_small_cells_of_two_lineages_are_no_doublets():
    """Two cells in a droplet bring the counts of two: ambient RNA does not."""
    adata = cohort([("0", ["tam"], 60), ("1", ["cd8"], 60), ("0", ["tam", "cd8"], 10)])
    adata.obs.loc[adata.obs_names[120:], "n_counts"] = 1500.0
    assert set(named(adata)[0].obs["lineage_doublet"]) == {"no"}


def test_lineages_that_share_their_markers_cannot_make_doublets():
    """T cells that all show markers of macrophages too, but fewer of them."""
    adata = cohort([("0", ["tam"], 60), ("1", ["cd8"], 60), ("0", ["tam", "cd8"], 10)])
    x = adata.X.toarray()
    x[60:120, [GENES.index(g) for g in ("TA", "TB")]] += 2
    adata.X = sparse.csr_matrix(x)
    annotated, clusters = named(adata)
    assert set(clusters["population"]) == {"tam", "cd8"}
    assert set(annotated.obs["lineage_doublet"]) == {"no"}


def test_states_are_named_cell_by_cell():
    adata = cohort([("0", ["tam"], 40), ("0", ["tam", "spp1"], 20), ("1", ["cd8", "spp1"], 30)])
    obs = named(adata)[0].obs
    assert set(obs["population_state"].iloc[:40]) == {""}
    assert (obs["population_state"].iloc[40:60] == "spp1").sum() >= 16
    assert set(obs["population_state"].iloc[60:]) == {""}  # no state of T cells


def test_negative_markers_speak_against_a_population():
    """CD3 alone does not tell; a marker of the sibling speaks against cd4."""
    adata = cohort([("0", ["cd8"], 40), ("1", ["tam"], 40)])
    x = adata.X.toarray()
    x[:40, GENES.index("C8B")] = 0
    x[:40, GENES.index("C4A")] = x[:40, GENES.index("C8A")]
    adata.X = sparse.csr_matrix(x)
    without = MARKERS[MARKERS["sign"] != "-"]
    assert set(named(adata, markers=without)[0].obs["population"].iloc[:40]) == {"t"}
    assert set(named(adata)[0].obs["population"].iloc[:40]) == {"cd8"}


@pytest.mark.parametrize("own", [True, False])
def test_a_population_with_two_measured_markers_is_named_as_its_parent(own, caplog):
    adata = cohort([("0", ["tam", "spp1"], 40), ("1", ["cd8"], 30), ("2", ["mono"], 30)])
    adata = adata[:, [name for name in GENES if name not in ("TA", "TB")]].copy()
    parent = pd.DataFrame([("my", g, "") for g in ("TC", "SA", "SB")], columns=MARKERS.columns)
    markers = pd.concat([MARKERS, parent]) if own else MARKERS
    annotated, clusters = named(adata, min_markers=0.5, markers=markers)
    assert set(annotated.obs["population"].iloc[:40]) == {"my"}
    assert clusters["reason"].iloc[0] == "only 2 of 4 markers of tam are measured; named as my"
    assert set(annotated.obs["population"].iloc[70:]) == {"mono"}
    assert "only 2 of 4 markers of tam are measured (at least 3 are needed)" in caplog.text
    assert annotated.uns["osteotalk"]["annotate"]["too_few_markers"] == "tam"


def test_two_populations_of_one_major_that_cancel_in_one_cluster_are_told_apart():
    """Each has the other's markers against it, so the mean of the cluster shows neither."""
    adata = cohort([("0", ["tam"], 30), ("0", ["mono"], 30), ("1", ["cd8"], 40), ("2", [], 30)])
    against = [("tam", g, "-") for g in OWN["mono"]] + [("mono", g, "-") for g in OWN["tam"]]
    markers = pd.concat([MARKERS, pd.DataFrame(against, columns=MARKERS.columns)])
    annotated, clusters = named(adata, markers=markers)
    mixed = clusters.set_index("cluster").loc["0"]
    assert mixed["population"] == "unassigned"
    assert mixed["n_unassigned"] == 0
    assert set(annotated.obs["population"].iloc[:30]) == {"tam"}
    assert set(annotated.obs["population"].iloc[30:60]) == {"mono"}
    assert (
        "whose own markers say tam; its cluster 0 is" in annotated.obs["population_reason"].iloc[0]
    )


def test_one_population_and_one_cluster_only():
    annotated, clusters = named(cohort([("0", ["cd4"], 25)]))
    assert set(annotated.obs["population"]) == {"cd4"}
    assert len(clusters) == 1


def test_order_of_cells_and_genes_does_not_matter():
    adata = cohort([("0", ["tam"], 30), ("0", ["ec"], 6), ("1", ["cd8"], 30), ("2", [], 20)])
    first, table = named(adata)
    turned, other = named(adata[::-1, ::-1].copy())
    for column in ("population", "population_state", "population_reason", "lineage_doublet"):
        assert turned.obs.loc[first.obs_names, column].equals(first.obs[column]), column
    pd.testing.assert_frame_equal(other, table, atol=1e-6)
    adata.obs["cluster"] = adata.obs["cluster"].astype("category")
    assert named(adata)[0].obs["population"].equals(first.obs["population"])


def test_data_of_another_species():
    adata = cohort([("0", ["tam"], 30)])
    adata.var_names = [name.lower() for name in adata.var_names]
    with pytest.raises(ValueError, match="markers of only 0 populations.*human symbols"):
        named(adata)


def test_fields_survive_the_file(tmp_path):
    annotated, _ = named(cohort([("0", ["tam"], 30), ("1", ["cd8"], 30)]))
    annotated.write_h5ad(tmp_path / "a.h5ad")
