"""Ligands and receptors that differ between clones, against scipy and planted ones."""

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from anndata import AnnData
from scipy import sparse

from osteotalk.contract import empty_frame
from osteotalk.interactions.clone_genes import LEVEL, MIN_CELLS, compare_clones

RESOURCE = pd.DataFrame(
    [("L1", "R1"), ("L2", "R2_R3"), ("B", "R1"), ("L1", "B"), ("NOT", "THERE")],
    columns=["ligand", "receptor"],
)
GENES = ["R1", "B", "OTHER", "L2", "R3", "L1", "R2", "SILENT"]


def cohort(sizes=(60, 40), *, other=30, fold=4.0, seed=0):
    """Clones of sample S, of which the second has more of R2 and less of L1; normal cells; T."""
    rng = np.random.default_rng(seed)
    clones = [f"S clone {i}" for i, n in enumerate(sizes, start=1) for _ in range(n)]
    obs = pd.DataFrame({"clone": clones, "malignant": "yes", "sample": "S", "patient": "P"})
    normal = obs.iloc[:other].assign(malignant="no")
    single = obs.iloc[:other].assign(clone="T clone 1", sample="T")
    obs = pd.concat([obs, normal, single], ignore_index=True)
    obs.index = [f"c{i}" for i in range(len(obs))]
    mean = np.full((len(obs), len(GENES)), 3.0)
    mean[:, GENES.index("SILENT")] = 0.0
    second = ((obs["clone"] == "S clone 2") & (obs["malignant"] == "yes")).to_numpy()
    mean[second, GENES.index("R2")] *= fold
    mean[second, GENES.index("L1")] /= fold
    mean[second, GENES.index("OTHER")] *= fold
    x = np.log1p(rng.poisson(mean).astype(float))
    var = pd.DataFrame({"chromosome": "chr1", "start": 10**6}, index=GENES)
    var.loc["L1", ["chromosome", "start"]] = ["", -1]
    return AnnData(sparse.csr_matrix(x), obs=obs, var=var)


def compare(adata, **changed):
    return compare_clones(adata, resource=RESOURCE, **{"expr_prop": 0.1, "alpha": 0.05} | changed)


def test_planted_differences_are_found_and_no_other():
    found = compare(cohort())
    assert set(found["clone"]) == {"S clone 1", "S clone 2"}
    assert set(found["gene"]) == {"R2", "L1"}  # OTHER is in no pair
    second = found[found["clone"] == "S clone 2"].set_index("gene")
    assert second.loc["R2", "auc"] > 0.9
    assert second.loc["L1", "auc"] < 0.2
    assert second.loc["R2", "log2_fold"] == pytest.approx(2, abs=0.4)
    assert second["role"].to_dict() == {"R2": "receptor", "L1": "ligand"}
    assert second["arm"].to_dict() == {"R2": "1p", "L1": ""}
    assert second[
        ["n_cells", "n_others", "sample", "patient"]
    ].drop_duplicates().to_numpy().tolist() == [[40, 60, "S", "P"]]


def test_numbers_are_those_of_scipy_and_of_counting():
    adata = cohort(seed=3)
    found = compare(adata, alpha=1.0)
    x = pd.DataFrame(adata.X.toarray(), index=adata.obs_names, columns=GENES)
    tumour = adata.obs["malignant"] == "yes"
    for clone, rows in found.groupby("clone"):
        own = x[tumour & (adata.obs["clone"] == clone)]
        rest = x[tumour & (adata.obs["sample"] == "S") & (adata.obs["clone"] != clone)]
        genes = sorted(rows["gene"])
        assert genes == ["B", "L1", "L2", "R1", "R2", "R3"]
        p = [scipy.stats.mannwhitneyu(own[g], rest[g]).pvalue for g in genes]
        expected = dict(zip(genes, scipy.stats.false_discovery_control(p), strict=True))
        for row in rows.itertuples():
            a, b = own[row.gene].to_numpy(), rest[row.gene].to_numpy()
            more = (a[:, None] > b).mean() + (a[:, None] == b).mean() / 2
            assert row.auc == pytest.approx(more)
            assert row.q == pytest.approx(expected[row.gene])
            assert row.detected == pytest.approx((a > 0).mean())
            assert row.detected_others == pytest.approx((b > 0).mean())
            fold = (np.expm1(a).mean() + LEVEL) / (np.expm1(b).mean() + LEVEL)
            assert row.log2_fold == pytest.approx(np.log2(fold))
        assert rows["q"].is_monotonic_increasing
    assert found.set_index(["clone", "gene"])["role"]["S clone 1", "B"] == "both"


def test_nothing_differs_between_halves_of_one_clone():
    n = sum(len(compare(cohort(fold=1.0, seed=seed))) > 0 for seed in range(20))
    assert n <= 3  # 5 % of 20, twice


@pytest.mark.parametrize("sizes", [(60,), (60, MIN_CELLS - 1)])
def test_one_clone_or_too_few_cells_leave_an_empty_table(sizes):
    found = compare(cohort(sizes))
    pd.testing.assert_frame_equal(found, empty_frame("clone_genes"))


def test_the_order_of_cells_and_genes_does_not_matter():
    adata = cohort(seed=5)
    rng = np.random.default_rng(0)
    turned = adata[rng.permutation(adata.n_obs), rng.permutation(adata.n_vars)].copy()
    pd.testing.assert_frame_equal(compare(turned), compare(adata))


def test_genes_hardly_shown_and_data_without_positions():
    adata = cohort()
    del adata.var["chromosome"]
    found = compare(adata, expr_prop=1.1)
    assert found.empty
    assert set(compare(adata)["arm"]) == {""}
