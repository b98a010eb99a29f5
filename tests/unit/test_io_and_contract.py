import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse

from osteotalk import contract, contract_checks, io


@pytest.fixture
def support():
    frame = contract.empty_frame("support")
    frame.loc[0] = ["d", "a", "b", "L", "R", 3, 3, 2, 0.6, 0.2, 0.9, 0.1, 0.2, "P1;P2"]
    return contract.conform(frame, table="support")


def test_parquet_round_trip(support, tmp_path):
    io.write_parquet(support, tmp_path / "x.parquet", table="support")
    pd.testing.assert_frame_equal(io.read_parquet(tmp_path / "x.parquet", table="support"), support)


def test_tsv_round_trip_keeps_na_text_and_missing_numbers(tmp_path):
    frame = contract.empty_frame("annotation")
    frame.loc[0] = [
        *("0", "major", "0", 5, "NA", 0.5, "tam", np.nan, "dc", 0.25),
        *("CD68", "no VWF", 0, 0, 1, ""),
    ]
    frame = contract.conform(frame, table="annotation")
    io.write_tsv(frame, tmp_path / "x.tsv", table="annotation")
    pd.testing.assert_frame_equal(io.read_tsv(tmp_path / "x.tsv", table="annotation"), frame)


@pytest.fixture
def cohort(tmp_path):
    """A cohort with the samples S1 and S2, whose cells alternate."""
    rng = np.random.default_rng(0)
    obs = pd.DataFrame(
        {
            name: np.full(6, 1.5) if kind == contract.NUMBER else ["x"] * 6
            for name, kind in contract.OBS["annotated"].items()
        },
        index=[f"c{i}" for i in range(6)],
    )
    obs["n_genes"] = np.arange(6)
    obs["sample"] = ["S1", "S2"] * 3
    counts = sparse.csr_matrix(rng.poisson(1, (6, 4)).astype(np.float32))
    adata = AnnData(
        sparse.csr_matrix(np.log1p(counts.toarray())),
        obs=obs,
        var=pd.DataFrame(index=list("abcd")),
        layers={"counts": counts},
        obsm={name: np.zeros((6, 2)) for name in contract.OBSM},
    )
    path = tmp_path / "cohort.h5ad"
    io.write_stage(adata, path, stage="annotated")
    return adata, path


def test_a_sample_is_read_alone(cohort):
    adata, path = cohort
    found = io.read_sample(path, "S2")
    expected = adata[adata.obs["sample"] == "S2"]
    np.testing.assert_array_equal(found.X.toarray(), expected.X.toarray())
    assert list(found.obs_names) == ["c1", "c3", "c5"]
    assert list(found.obs["n_genes"]) == [1, 3, 5]
    assert list(found.var_names) == list("abcd")
    assert not found.layers
    assert io.read_sample(path, "S3").shape == (0, 4)


def test_what_a_sample_did_not_measure_is_left_out(cohort, tmp_path):
    adata, _ = cohort
    adata.uns["osteotalk"] = {"not_measured": {"S2": np.array(["d", "a"], dtype=object)}}
    io.write_stage(adata, tmp_path / "x.h5ad", stage="annotated")
    assert list(io.read_sample(tmp_path / "x.h5ad", "S2").var_names) == ["b", "c"]
    assert list(io.read_sample(tmp_path / "x.h5ad", "S1").var_names) == list("abcd")
    assert io.read_not_measured(tmp_path / "x.h5ad") == {"S2": ["d", "a"]}


def test_a_sample_of_a_wrong_file_is_refused(cohort, tmp_path):
    adata, _ = cohort
    adata.X = adata.X.astype(np.float64)
    del adata.obs["population"]
    adata.write_h5ad(tmp_path / "bad.h5ad")
    with pytest.raises(contract.ContractError, match=r"'population' is missing(.|\n)*float64"):
        io.read_sample(tmp_path / "bad.h5ad", "S1")


def test_a_sample_of_a_dense_matrix_is_refused(cohort, tmp_path):
    adata, _ = cohort
    adata.X = adata.X.toarray()
    adata.write_h5ad(tmp_path / "dense.h5ad")
    for sample in ("S1", "S3"):
        with pytest.raises(contract.ContractError, match=r"dense.h5ad does(.|\n)*X is not a CSR"):
            io.read_sample(tmp_path / "dense.h5ad", sample)


def test_some_genes_are_read_alone(cohort, tmp_path, monkeypatch):
    adata, path = cohort
    monkeypatch.setattr(io, "BLOCK", 4)  # of six cells
    adata.obsm["X_umap"] = np.arange(12.0).reshape(6, 2)
    adata.uns["osteotalk"] = {"annotate": {"n_unassigned": 3}}
    io.write_stage(adata, path, stage="annotated")
    found = io.read_genes(path, {"d", "b", "unknown"})
    assert list(found.var_names) == ["b", "d"]
    np.testing.assert_array_equal(found.X.toarray(), adata[:, ["b", "d"]].X.toarray())
    pd.testing.assert_frame_equal(found.obs, io.read_stage(path, stage="annotated").obs)
    np.testing.assert_array_equal(found.obsm["X_umap"], adata.obsm["X_umap"])
    assert list(found.obsm) == ["X_umap"]
    assert found.uns["osteotalk"]["annotate"]["n_unassigned"] == 3
    assert not found.layers
    assert io.read_genes(path, set()).shape == (6, 0)


def test_genes_of_a_wrong_file_are_refused(cohort, tmp_path):
    adata, _ = cohort
    dense = adata.copy()
    dense.X = adata.X.toarray()
    dense.write_h5ad(tmp_path / "dense.h5ad")
    with pytest.raises(contract.ContractError, match=r"dense.h5ad does(.|\n)*X is not a CSR"):
        io.read_genes(tmp_path / "dense.h5ad", {"a"})
    adata.X = adata.X.astype(np.float64)
    del adata.obs["population"]
    adata.write_h5ad(tmp_path / "bad.h5ad")
    with pytest.raises(contract.ContractError, match=r"'population' is missing(.|\n)*float64"):
        io.read_genes(tmp_path / "bad.h5ad", {"a"})


def test_a_cohort_without_cells_is_read(cohort, tmp_path):
    adata, _ = cohort
    io.write_stage(adata[:0].copy(), tmp_path / "none.h5ad", stage="annotated")
    assert io.read_genes(tmp_path / "none.h5ad", {"a"}).shape == (0, 1)


def test_obs_is_read_alone(cohort, tmp_path):
    adata, path = cohort
    found = io.read_obs(path, stage="annotated")
    pd.testing.assert_frame_equal(found, io.read_stage(path, stage="annotated").obs)
    bare = AnnData(obs=adata.obs.drop(columns="population").assign(patient=1))
    bare.write_h5ad(tmp_path / "bare.h5ad")
    expected = (
        r"bare.h5ad does not follow the contract of stage 'annotated':\n.*'population' is missing"
        r"\n.*'patient' should hold text"
    )
    with pytest.raises(contract.ContractError, match=expected):
        io.read_obs(tmp_path / "bare.h5ad", stage="annotated")


def test_some_columns_and_rows_are_read(support, tmp_path):
    path = tmp_path / "x.parquet"
    both = pd.concat([support, support.assign(source="c")], ignore_index=True)
    io.write_parquet(both, path, table="support")
    found = io.read_columns(path, ["source", "support"], table="support", source="c")
    assert found.to_dict("list") == {"source": ["c"], "support": [0.6]}
    assert len(io.read_columns(path, ["source"], table="support")) == 2


def test_columns_asked_for_may_be_there(tmp_path):
    frame = contract.empty_frame("interactions").assign(lr_probs=pd.Series(dtype="float64"))
    assert "lr_probs" in contract.conform(frame, table="interactions")
    contract_checks.check_frame(frame, table="interactions", where="x")
    with pytest.raises(contract.ContractError, match="'lr_gmeans' should hold number"):
        text = frame.assign(lr_gmeans=pd.Series(dtype="object"))
        contract_checks.check_frame(text, table="interactions", where="x")


def test_empty_tables_round_trip(tmp_path):
    for table in contract.TABLES:
        frame = contract.empty_frame(table)
        io.write_parquet(frame, tmp_path / "x.parquet", table=table)
        io.write_tsv(frame, tmp_path / "x.tsv", table=table)
        assert io.read_parquet(tmp_path / "x.parquet", table=table).empty
        assert io.read_tsv(tmp_path / "x.tsv", table=table).empty
    assert io.read_parquets([tmp_path / "x.parquet"], table=table).empty


def test_a_table_without_a_column_is_named(tmp_path):
    path = tmp_path / "values.tsv"
    path.write_text("claim_id\tdataset\nC001\ttoy\n")
    with pytest.raises(
        contract.ContractError, match=r"(?s)values.tsv.*column 'patient' is missing"
    ):
        io.read_tsv(path, table="values")


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    target = tmp_path / "x.txt"
    io.write_text("old", target)

    def fail():
        with io.atomic_path(target) as partial:
            partial.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_written_files_are_readable_by_others(tmp_path):
    io.write_text("x", tmp_path / "x.txt")
    assert (tmp_path / "x.txt").stat().st_mode & 0o444 == 0o444


def test_frame_contract_names_every_fault(support):
    spoiled = support.drop(columns="patients").assign(n_active="two", extra=1)
    with pytest.raises(contract.ContractError) as error:
        contract_checks.check_frame(spoiled, table="support", where="x.parquet")
    text = str(error.value)
    assert "x.parquet does not follow the contract of table 'support'" in text
    assert "column 'patients' is missing" in text
    assert "column 'n_active' should hold integer" in text
    assert "column 'extra' is not known" in text


def annotated(x=None, counts=None):
    n = 3
    obs = pd.DataFrame(
        {
            name: ["a"] * n if kind == "text" else [1] * n if kind == "integer" else [0.5] * n
            for name, kind in contract.OBS["annotated"].items()
        },
        index=[f"c{i}" for i in range(n)],
    )
    counts = np.array([[1, 0], [0, 2], [3, 0]]) if counts is None else counts
    adata = AnnData(sparse.csr_matrix(counts, dtype=np.float32) if x is None else x, obs=obs)
    adata.layers["counts"] = sparse.csr_matrix(counts)
    adata.obsm["X_pca"] = adata.obsm["X_umap"] = np.zeros((n, 2))
    return adata


def test_annotated_stage_passes():
    contract_checks.check_adata(annotated(), stage="annotated", where="x")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda a: a.obs.pop("population"), "column 'population' is missing"),
        (lambda a: a.obsm.pop("X_umap"), r"obsm\['X_umap'\] is missing"),
        (lambda a: a.layers.pop("counts"), r"layers\['counts'\] is missing"),
        (lambda a: setattr(a, "X", a.X.toarray()), "X is not a CSR matrix"),
        (lambda a: setattr(a, "X", a.X.astype(np.float64)), "X is float64, not float32"),
        (lambda a: a.layers["counts"].data.__imul__(-1), "whole, non-negative counts"),
        (lambda a: setattr(a, "var_names", ["x", "x"]), "gene names are not unique"),
    ],
)
@pytest.mark.filterwarnings("ignore:Variable names are not unique")
def test_annotated_stage_faults(spoil, message):
    adata = annotated()
    spoil(adata)
    with pytest.raises(contract.ContractError, match=message):
        contract_checks.check_adata(adata, stage="annotated", where="x")


def test_counts_must_be_whole():
    adata = annotated(counts=np.array([[0.5, 1], [1, 1], [1, 1]]))
    with pytest.raises(contract.ContractError, match="whole, non-negative counts"):
        contract_checks.check_adata(adata, stage="annotated", where="x")
