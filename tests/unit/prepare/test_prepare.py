import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse

from osteotalk.contract import check_adata
from osteotalk.prepare.integrate import integrate, merge_samples
from osteotalk.prepare.qc import MITO_FLOOR, filter_cells, log_limits, mito_limit

SETTINGS = {
    "min_counts": 50,
    "min_genes": 20,
    "n_mads": 5,
    "max_pct_mito": 20,
    "n_mads_mito": 4,
    "doublet_rate": 0.0,
    "seed": 0,
}


def sample(name="S1", *, cells=60, genes=80, seed=0, shift=1.0):
    """Two cell types, told apart by the halves of the genes; the last two genes are MT-."""
    rng = np.random.default_rng(seed)
    rate = np.full((cells, genes), 2.0)
    rate[: cells // 2, : genes // 2] = 8.0 * shift
    rate[cells // 2 :, genes // 2 :] = 8.0 * shift
    rate[:, -2:] = 2.0
    counts = sparse.csr_matrix(rng.poisson(rate).astype(np.int32))
    names = [f"G{i}" for i in range(genes - 2)] + ["MT-CO1", "MT-CO2"]
    obs = pd.DataFrame(index=[f"{name}_{i}" for i in range(cells)])
    for column, value in {"dataset": "d", "sample": name, "patient": name}.items():
        obs[column] = value
    obs["condition"] = "primary"
    adata = AnnData(counts, obs=obs, var=pd.DataFrame(index=names))
    # the keys that osteotalk.ingest writes and this stage reads
    adata.uns["ingest"] = {"file": f"{name}.h5", "sample": name, "n_droplets": cells}
    return adata


def test_log_limits_by_hand():
    values = np.expm1(np.array([1.0, 2.0, 3.0, 4.0, 10.0]))  # logs: median 3, deviations 2 1 0 1 7
    low, high = log_limits(values, n_mads=2, floor=0)
    assert np.log1p([low, high]) == pytest.approx([3 - 2 * 1.4826, 3 + 2 * 1.4826], abs=1e-4)
    assert log_limits(values, n_mads=2, floor=100)[0] == 100


def test_mito_limit_stays_between_floor_and_ceiling():
    assert mito_limit(np.zeros(9), n_mads=4, ceiling=20) == MITO_FLOOR
    assert mito_limit(np.linspace(0, 90, 9), n_mads=4, ceiling=20) == 20
    middle = mito_limit(np.array([6.0, 7.0, 8.0]), n_mads=2, ceiling=20)
    assert middle == pytest.approx(7 + 2 * 1.4826, abs=1e-3)


def test_each_rule_drops_what_it_should():
    adata = sample()
    dense = adata.X.toarray()
    dense[0] = 0
    dense[0, 0] = 30  # few counts
    dense[1] = 0
    dense[1, :3] = 130  # enough counts, few genes
    dense[2] *= 60  # far too many counts
    dense[3, -1] = 3000  # dying, and too many counts
    dense[4, -1] = 150  # dying
    adata.X = sparse.csr_matrix(dense)
    kept, report = filter_cells(adata, **SETTINGS)
    assert report["dropped"] == {
        "low_counts": 1,
        "high_counts": 2,
        "low_genes": 1,
        "high_genes": 0,
        "high_mito": 1,
        "doublet": 0,
    }
    assert list(kept.obs_names) == list(adata.obs_names[5:])
    assert report["n_cells_raw"] == report["n_cells_kept"] + sum(report["dropped"].values())
    row = dense[5]
    first = kept.obs.iloc[0]
    assert first["n_counts"] == row.sum()
    assert first["n_genes"] == (row > 0).sum()
    assert first["pct_mito"] == pytest.approx(100 * row[-2:].sum() / row.sum())


def test_result_does_not_depend_on_the_order_of_cells():
    adata = sample()
    _, report = filter_cells(adata, **SETTINGS)
    _, shuffled = filter_cells(adata[::-1].copy(), **SETTINGS)
    assert report == shuffled


def test_no_cell_left_is_a_result_not_a_crash():
    kept, report = filter_cells(sample(), **{**SETTINGS, "min_counts": 10**6})
    assert kept.n_obs == 0
    assert report["n_cells_kept"] == 0
    assert report["median_counts"] is None
    check_adata(kept, stage="filtered", where="x")


def test_scrublet_finds_made_doublets():
    singlets = sample(cells=400, genes=300, shift=3.0)
    rng = np.random.default_rng(1)
    first, second = rng.integers(0, 200, 25), rng.integers(200, 400, 25)
    pairs = sparse.csr_matrix(singlets.X[first] + singlets.X[second])
    obs = singlets.obs.iloc[:25].copy()
    obs.index = [f"doublet_{i}" for i in range(25)]
    adata = AnnData(
        sparse.vstack([singlets.X, pairs]).tocsr(),
        obs=pd.concat([singlets.obs, obs]),
        var=singlets.var,
    )
    settings = {**SETTINGS, "doublet_rate": 0.06, "n_mads": 50}
    kept, report = filter_cells(adata, **settings)
    left = kept.obs_names.str.startswith("doublet_").sum()
    assert report["dropped"]["doublet"] >= 20
    assert left <= 8  # of 25
    assert kept.n_obs - left >= 340  # of 400
    assert report["doublet_threshold"] > 0


def test_too_few_cells_for_doublets_is_noted():
    _, report = filter_cells(sample(), **{**SETTINGS, "doublet_rate": 0.05})
    assert report["notes"] == ["doublets were not called: fewer than 100 cells"]


def test_genes_without_mito_are_noted():
    adata = sample()
    adata.var_names = [f"G{i}" for i in range(adata.n_vars)]
    _, report = filter_cells(adata, **SETTINGS)
    assert "no gene is named MT-" in report["notes"][0]


def filtered(*args, **kwargs):
    return filter_cells(sample(*args, **kwargs), **SETTINGS)[0]


INTEGRATION = {
    "n_top_genes": 60,
    "n_pcs": 10,
    "harmony": True,
    "n_neighbors": 10,
    "resolution": 0.3,
    "seed": 0,
}


def test_merge_keeps_shared_genes_and_names_empty_samples():
    one, two = filtered("S1"), filtered("S2", seed=1)
    two = two[:, :-1].copy()
    two.uns["ingest"] = {"file": "b", "sample": "S2", "n_droplets": 60}
    empty = one[:0].copy()
    empty.uns["ingest"] = {"file": "c", "sample": "S3", "n_droplets": 4}
    merged = merge_samples([one, two, empty])
    assert merged.n_vars == one.n_vars - 1
    assert merged.uns["merge"] == {"empty_samples": ["S3"], "genes_not_in_all_samples": 1}


def test_all_samples_empty_is_an_error():
    empty = filtered()[:0].copy()
    empty.uns["ingest"] = {"file": "c.h5", "sample": "S3", "n_droplets": 4}
    with pytest.raises(ValueError, match=r"no sample has a cell left .*c.h5: 4 droplets"):
        merge_samples([empty])


def test_samples_of_different_species_share_nothing():
    one, two = filtered("S1"), filtered("S2")
    two.var_names = [f"mouse{i}" for i in range(two.n_vars)]
    with pytest.raises(ValueError, match="the samples share no gene name"):
        merge_samples([one, two])


def test_too_few_cells():
    with pytest.raises(ValueError, match="only 10 cells are left"):
        integrate([filtered(cells=10)], **INTEGRATION)


def test_integration_normalises_and_separates_the_types():
    samples = [filtered("S1"), filtered("S2", seed=1, shift=1.4)]
    adata = integrate(samples, **INTEGRATION)
    check_adata(adata, stage="integrated", where="x")
    counts = adata.layers["counts"].toarray()
    expected = np.log1p(counts / counts.sum(axis=1, keepdims=True) * 1e4)
    np.testing.assert_allclose(adata.X.toarray(), expected, rtol=1e-5)
    kind = (counts[:, :40].sum(axis=1) > counts[:, 40:78].sum(axis=1)).astype(int)
    table = pd.crosstab(adata.obs["cluster"], kind)
    assert (table.min(axis=1) == 0).all()  # no cluster mixes the types
    # Harmony: cells of one type and different samples are in one cluster
    samples_per_cluster = adata.obs.groupby("cluster")["sample"].nunique()
    assert samples_per_cluster.max() == 2


def test_same_seed_same_result():
    samples = [filtered("S1"), filtered("S2", seed=1)]
    one, two = (integrate(samples, **INTEGRATION) for _ in range(2))
    np.testing.assert_array_equal(one.obsm["X_umap"], two.obsm["X_umap"])
    assert list(one.obs["cluster"]) == list(two.obs["cluster"])


def test_one_sample_runs_without_harmony():
    adata = integrate([filtered()], **INTEGRATION)
    assert adata.uns["osteotalk"]["integrate"]["harmony"] is False


def test_equal_cells_are_no_outliers():
    """Counts downsampled to one depth have no spread at all."""
    adata = sample()
    rng = np.random.default_rng(0)
    dense = np.array([rng.permutation([9] * 60 + [1] * 20) for _ in range(adata.n_obs)])
    adata.X = sparse.csr_matrix(dense.astype(np.int32))
    kept, report = filter_cells(adata, **{**SETTINGS, "max_pct_mito": 100, "n_mads_mito": 50})
    assert report["dropped"]["low_counts"] == report["dropped"]["high_counts"] == 0
    assert report["dropped"]["low_genes"] == report["dropped"]["high_genes"] == 0
    assert kept.n_obs == adata.n_obs


def test_a_sample_without_droplets():
    kept, report = filter_cells(sample()[:0].copy(), **SETTINGS)
    assert kept.n_obs == 0
    assert report["limits"]["n_counts"] == [50, 50]
