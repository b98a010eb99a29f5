"""Merging, normalising, aligning and clustering the samples of a cohort."""

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse

from osteotalk import io
from osteotalk.contract_checks import check_adata
from osteotalk.prepare.align import MethodError
from osteotalk.prepare.integrate import _reduce, integrate, merge_samples


def filtered(name="S1", *, cells=60, genes=80, seed=0, shift=1.0):
    """Two cell types after quality control, told apart by the halves of the genes."""
    rng = np.random.default_rng(seed)
    rate = np.full((cells, genes), 2.0)
    rate[: cells // 2, : genes // 2] = 8.0 * shift
    rate[cells // 2 :, genes // 2 : -2] = 8.0 * shift
    counts = sparse.csr_matrix(rng.poisson(rate).astype(np.int32))
    obs = pd.DataFrame(index=[f"{name}_{i}" for i in range(cells)])
    for column, value in {"dataset": "d", "sample": name, "patient": name}.items():
        obs[column] = value
    obs["condition"] = "primary"
    obs["n_counts"] = np.asarray(counts.sum(axis=1)).ravel().astype(float)
    obs["n_genes"] = np.diff(counts.indptr).astype(int)
    obs["pct_mito"] = obs["doublet_score"] = 0.0
    adata = AnnData(counts, obs=obs, var=pd.DataFrame(index=[f"G{i}" for i in range(genes)]))
    adata.uns["ingest"] = {"file": f"{name}.h5", "sample": name, "n_droplets": cells}
    return adata


INTEGRATION = {
    "n_top_genes": 60,
    "n_pcs": 10,
    "method": "harmony",
    "n_neighbors": 10,
    "resolution": 0.3,
    "seed": 0,
}


def test_merge_keeps_all_genes_and_names_empty_samples():
    one, two = filtered("S1"), filtered("S2", seed=1)
    two = two[:, :-1].copy()
    two.uns["ingest"] = {"file": "b", "sample": "S2", "n_droplets": 60}
    empty = one[:0].copy()
    empty.uns["ingest"] = {"file": "c", "sample": "S3", "n_droplets": 4}
    merged = merge_samples([one, two, empty])
    assert merged.var_names.tolist() == one.var_names.tolist()
    assert merged.uns["not_measured"] == {"S2": ["G79"]}
    own = (merged.obs["sample"] == "S1").to_numpy()
    np.testing.assert_array_equal(merged.X[own].toarray(), one.X.toarray())
    np.testing.assert_array_equal(merged.X[~own][:, :-1].toarray(), two.X.toarray())
    assert merged.X[~own][:, -1].nnz == 0
    assert merged.uns["merge"] == {
        "empty_samples": ["S3"],
        "genes_not_in_all_samples": 1,
        "genes_with_differing_ids": 0,
        "samples_without_positions": ["S1", "S2"],
        "genes_with_differing_positions": 0,
    }
    assert list(merged.var.columns) == []


def test_genes_of_some_samples_do_not_decide_the_clusters(tmp_path):
    one, two = filtered("S1"), filtered("S2", seed=1)
    two = two[:, 4:].copy()
    two.uns["ingest"] = {"file": "b", "sample": "S2", "n_droplets": 60}
    merged = integrate([one, two], **{**INTEGRATION, "n_top_genes": 20})
    assert merged.uns["osteotalk"]["not_measured"]["S2"].tolist() == ["G0", "G1", "G2", "G3"]
    assert merged.uns["osteotalk"]["integrate"]["genes_not_in_all_samples"] == 4
    io.write_stage(merged, tmp_path / "x.h5ad", stage="integrated")
    assert io.read_not_measured(tmp_path / "x.h5ad") == {"S2": ["G0", "G1", "G2", "G3"]}
    raw = merge_samples([one, two])
    _reduce(raw, n_top_genes=20, n_pcs=5, seed=0)
    assert not raw.var["highly_variable"].iloc[:4].any()


def test_all_samples_empty_is_an_error():
    empty = filtered()[:0].copy()
    empty.uns["ingest"] = {"file": "c.h5", "sample": "S3", "n_droplets": 4}
    with pytest.raises(ValueError, match=r"no sample has a cell left .*c.h5: 4 droplets"):
        merge_samples([empty])


def test_samples_of_different_species_share_nothing():
    one, two = filtered("S1"), filtered("S2")
    two.var_names = [f"mouse{i}" for i in range(two.n_vars)]
    with pytest.raises(ValueError, match="no gene name is in all samples"):
        merge_samples([one, two])


def test_samples_that_share_next_to_nothing():
    """One gene, no gene with a count, and two genes, which are enough."""
    one = filtered("S1")

    def other(shared, *, zero=0):
        two = filtered("S2", seed=1)
        two.var_names = [f"G{i}" if i < shared else f"mouse{i}" for i in range(two.n_vars)]
        for sample in (one, two):
            dense = sample.X.toarray()
            dense[:, :zero] = 0
            sample.X = sparse.csr_matrix(dense)
        return two

    settings = {**INTEGRATION, "method": "none"}
    assert integrate([one, other(2)], **settings).n_vars == 158
    start = "^the samples share {} of {} genes, and cells have counts of {} of these "
    for shared, zero, left in ((1, 0, "G0"), (3, 3, "none"), (4, 3, "G3")):
        n = left != "none"
        message = start.format(shared, 160 - shared, int(n)) + rf"\({left}\); at least 2 are needed"
        with pytest.raises(ValueError, match=message):
            integrate([one, other(shared, zero=zero)], **settings)
    with pytest.raises(ValueError, match=r"1 of the 80 genes .* variable; .*n_top_genes: 1\)$"):
        integrate([filtered("S1"), filtered("S2")], **{**settings, "n_top_genes": 1})


def test_too_few_cells():
    with pytest.raises(ValueError, match="only 10 cells are left"):
        integrate([filtered(cells=10)], **INTEGRATION)


def test_few_cells_have_fewer_neighbours():
    adata = integrate([filtered(cells=20)], **{**INTEGRATION, "n_neighbors": 30, "n_pcs": 40})
    done = adata.uns["osteotalk"]["integrate"]
    assert (done["n_cells"], done["n_neighbors"], done["n_pcs"]) == (20, 19, 19)


def test_genes_that_vary_in_each_sample_are_chosen_first():
    """Ten genes tell cell types in each sample, ten others only the samples."""
    rng = np.random.default_rng(2)
    samples = [filtered("S1"), filtered("S2")]
    for sample, rate in zip(samples, (2, 10), strict=True):
        mean = np.full(sample.shape, 5.0)
        mean[:30, :10], mean[30:, :10] = 3, 8
        mean[:, 10:20] = rate
        sample.X = sparse.csr_matrix(rng.poisson(mean).astype(np.int32))
    adata = merge_samples(samples)
    _reduce(adata, n_top_genes=20, n_pcs=5, seed=0)
    chosen = set(adata.var_names[adata.var["highly_variable"]])
    alone = []
    for sample in samples:
        _reduce(sample, n_top_genes=20, n_pcs=5, seed=0)
        alone.append(set(sample.var_names[sample.var["highly_variable"]]))
    assert len(chosen) == 20
    assert alone[0] & alone[1] <= chosen
    assert len(alone[0] & alone[1]) >= 8


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


def test_one_sample_is_not_aligned():
    adata = integrate([filtered()], **INTEGRATION)
    done = adata.uns["osteotalk"]["integrate"]
    assert (done["method"], done["aligned"]) == ("harmony", "no")
    assert "X_pca_unaligned" not in adata.obsm
    assert "ilisi" not in done["mixing"]["metrics"]


def test_the_space_before_aligning_is_kept():
    samples = [filtered("S1"), filtered("S2", seed=1, shift=1.4)]
    adata = integrate(samples, **INTEGRATION)
    plain = integrate(samples, **{**INTEGRATION, "method": "none"})
    done = adata.uns["osteotalk"]["integrate"]
    np.testing.assert_array_equal(adata.obsm["X_pca_unaligned"], plain.obsm["X_pca"])
    np.testing.assert_array_equal(adata.obsm["X_umap_unaligned"], plain.obsm["X_umap"])
    assert plain.uns["osteotalk"]["integrate"]["aligned"] == "no"
    assert set(plain.obsm) == {"X_pca", "X_umap"}
    assert "harmonypy" not in plain.uns["osteotalk"]["integrate"]["versions"]
    ilisi = done["mixing"]["metrics"]["ilisi"]
    assert ilisi["after"] > ilisi["before"]
    before = plain.uns["osteotalk"]["integrate"]["mixing"]["metrics"]["ilisi"]
    assert before == {key: ilisi[key] for key in ("before", "better", "what")}


def test_the_map_before_aligning_is_of_few_cells(monkeypatch):
    monkeypatch.setattr("osteotalk.prepare.integrate.MAX_BEFORE", 40)
    adata = integrate([filtered("S1"), filtered("S2", seed=1)], **INTEGRATION)
    shown = np.isfinite(adata.obsm["X_umap_unaligned"]).all(axis=1)
    assert shown.sum() == 40
    assert list(adata.obs.loc[shown, "sample"].value_counts()) == [20, 20]


def test_a_method_that_is_not_installed_stops_before_any_work(monkeypatch):
    monkeypatch.setattr("osteotalk.prepare.align.find_spec", lambda _: None)
    with pytest.raises(MethodError, match="needs the Python package scanorama"):
        integrate([], **{**INTEGRATION, "method": "scanorama"})


@pytest.mark.parametrize("kind", [object, "category"])
def test_ids_are_merged_gene_by_gene(kind, caplog):
    ids = {
        "S1": ["ENSG1", "ENSG2", "ENSG3", "", "", "ENSG6"],
        "S2": ["ENSG1", "ENSG7", "", "ENSG4", "", "ENSG6"],
        "S3": ["ENSG1", "ENSG2", "", "ENSG4", "", "ENSG8"],
    }
    samples = [filtered(name, genes=80, seed=seed) for seed, name in enumerate(ids)]
    for sample, first in zip(samples, ids.values(), strict=True):
        sample.var["ensembl_id"] = [*first, *[f"ENSG{i}" for i in range(100, 174)]]
        sample.var["ensembl_id"] = sample.var["ensembl_id"].astype(kind)
    samples[1] = samples[1][:, ::-1].copy()
    samples[1].uns["ingest"] = {"file": "b", "sample": "S2", "n_droplets": 60}
    without = filtered("S4")  # says nothing of ids
    for together in (samples, samples[::-1], [without, *samples]):
        caplog.clear()
        merged = merge_samples(together)
        assert merged.var.loc[[f"G{i}" for i in range(7)], "ensembl_id"].to_list() == [
            "ENSG1",
            "",  # S2 differs
            "ENSG3",  # only S1 knows it
            "ENSG4",
            "",
            "",  # S3 differs
            "ENSG100",
        ]
        assert merged.uns["merge"]["genes_with_differing_ids"] == 2
        assert "ids of 2 genes differ between samples" in caplog.text
    adata = integrate(samples, **INTEGRATION)
    assert adata.var.loc["G2", "ensembl_id"] == "ENSG3"
    assert adata.uns["osteotalk"]["integrate"]["genes_with_differing_ids"] == 2


def test_positions_of_genes_are_kept():
    one = filtered("S1")
    one.var["chromosome"], one.var["start"], one.var["end"] = "chr1", range(80), range(80)
    adata = integrate([one], **INTEGRATION)
    assert list(adata.var.columns) == ["chromosome", "start", "end"]
    assert adata.var.loc["G3", "start"] == 3


def placed(name, chromosome, start, *, kind=object):
    """Sample whose first genes have these positions, the others those of all."""
    sample = filtered(name, seed=int(name[1:]))
    names = np.array(["chr2"] * sample.n_vars, dtype=object)
    starts = np.arange(sample.n_vars) * 1000
    names[: len(chromosome)], starts[: len(start)] = chromosome, start
    sample.var["chromosome"], sample.var["start"] = pd.Series(names).astype(kind).values, starts
    sample.var["end"] = np.where(starts < 0, -1, starts + 10)
    return sample


@pytest.mark.parametrize("kind", [object, "category"])
def test_positions_are_merged_gene_by_gene(kind, caplog):
    one = placed("S1", ["chr1", "chr1", "", "", "chr1"], [5, 6, -1, -1, 9], kind=kind)
    two = placed("S2", ["chr1", "chr1", "chr3", "", "chr4"], [5, 7, 8, -1, 9], kind=kind)
    three = filtered("S3")[:, ::-1].copy()
    three.uns["ingest"] = {"file": "c", "sample": "S3", "n_droplets": 60}
    for samples in ([one, two, three], [three, two, one]):
        caplog.clear()
        merged = merge_samples(samples)
        assert merged.var.loc[["G0", "G1", "G2", "G3", "G4", "G5"]].values.tolist() == [
            ["chr1", 5, 15],
            ["", -1, -1],  # the starts differ
            ["chr3", 8, 18],  # S2 knows it
            ["", -1, -1],
            ["", -1, -1],  # the chromosomes differ
            ["chr2", 5000, 5010],
        ]
        assert merged.var["start"].dtype == np.int64
        assert (merged.var["chromosome"] == "chr2").sum() == 75
        assert merged.uns["merge"]["samples_without_positions"] == ["S3"]
        assert merged.uns["merge"]["genes_with_differing_positions"] == 2
        assert "positions of 2 genes differ between samples" in caplog.text
        assert "without positions: S3" in caplog.text
    caplog.clear()
    merge_samples([one, three])
    assert "positions of 0 genes differ between samples" in caplog.text
    assert "without positions: S3" in caplog.text


def test_samples_that_agree_on_positions_are_not_warned_about(caplog):
    adata = integrate([placed("S1", [], []), placed("S2", [], [])], **INTEGRATION)
    assert (adata.var["chromosome"] == "chr2").all()
    assert adata.uns["osteotalk"]["integrate"]["genes_with_differing_positions"] == 0
    assert "positions" not in caplog.text
