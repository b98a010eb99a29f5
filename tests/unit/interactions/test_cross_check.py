"""The check against squidpy: its numbers against plain loops, and disagreement that is planted."""

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from osteotalk import io, needs
from osteotalk.contract import TABLES, empty_frame
from osteotalk.contract_checks import check_frame
from osteotalk.interactions.cross_check import KEYS, compare, cross_check_sample, run_squidpy
from osteotalk.interactions.scoring import score
from osteotalk.needs import MissingPackageError, need_squidpy

NAMES = {"dataset": "pbmc", "sample": "S1"}
EDGE = ["source", "target", "ligand_complex", "receptor_complex"]


@pytest.fixture
def pairs(pbmc):
    """Forty pairs of genes that some cells express and some do not."""
    share = np.asarray((pbmc.X > 0).mean(axis=0)).ravel()
    genes = np.random.default_rng(1).permutation(pbmc.var_names[(share > 0.1) & (share < 0.9)])
    return pd.DataFrame({"ligand": genes[:40], "receptor": genes[40:80]})


def plain_table(adata, pairs, *, expr_prop=0.1, n_perms=1000, seed=3):
    """The columns of our table that are compared, by dense arithmetic and shuffles."""
    x = pd.DataFrame(adata.X.toarray().astype(float), columns=adata.var_names)
    labels = adata.obs["population"].to_numpy().astype(str)
    names = sorted(set(labels))
    ligand, receptor = (x[list(pairs[side])].to_numpy() for side in ("ligand", "receptor"))

    def strengths(labels):
        members = np.array([labels == name for name in names], dtype=float)
        members /= members.sum(axis=1, keepdims=True)
        return ((members @ ligand)[:, None] + (members @ receptor)[None]) / 2

    observed = strengths(labels)
    rng, reached = np.random.default_rng(seed), np.zeros(observed.shape)
    for _ in range(n_perms):
        reached += strengths(rng.permutation(labels)) >= observed
    rows = []
    for i, source in enumerate(names):
        for j, target in enumerate(names):
            for k, (left, right) in enumerate(pairs[["ligand", "receptor"]].to_numpy()):
                shares = (
                    (ligand[labels == source, k] > 0).mean(),
                    (receptor[labels == target, k] > 0).mean(),
                )
                if min(shares) >= expr_prop:
                    p = (reached[i, j, k] + 1) / (n_perms + 1)
                    rows.append((source, target, left, right, observed[i, j, k], p))
    return pd.DataFrame(rows, columns=[*EDGE, "lr_means", "p_value"])


def as_squidpy(table):
    """The same rows, as if squidpy had given them."""
    return table.set_axis([*KEYS, "squidpy_mean", "squidpy_p"], axis=1)


def table_of(n=60, seed=0):
    """A made-up table of single genes with p-values on both sides of 0.05."""
    rng = np.random.default_rng(seed)
    rows = [(f"a{i % 3}", f"b{i % 4}", f"L{i}", f"R{i}") for i in range(n)]
    table = pd.DataFrame(rows, columns=EDGE)
    return table.assign(lr_means=rng.uniform(0.1, 3, n), p_value=rng.uniform(0, 0.1, n))


def only_row(frame):
    check_frame(frame, table="cross_check", where="x")
    (row,) = frame.to_dict("records")
    return row


def test_squidpy_gives_the_numbers_of_plain_loops(pbmc, pairs):
    n = 1000
    found = run_squidpy(pbmc, pairs=pairs, expr_prop=0.1, n_perms=n, seed=0)
    ours = plain_table(pbmc, pairs, n_perms=n).sort_values(EDGE).reset_index(drop=True)
    assert len(found) > 500
    pd.testing.assert_frame_equal(found[KEYS], ours[EDGE].set_axis(KEYS, axis=1))
    np.testing.assert_allclose(found["squidpy_mean"], ours["lr_means"], rtol=1e-6)
    p = (found["squidpy_p"] + ours["p_value"]) / 2
    sd = np.sqrt(2 * p * (1 - p) / n)
    # both are drawn, independently; 2/n for (b + 1)/(n + 1) against b/n
    assert (abs(found["squidpy_p"] - ours["p_value"]) <= 5 * sd + 2 / n).all()


def test_the_seed_decides_the_p_values(pbmc, pairs):
    settings = {"pairs": pairs[:10], "expr_prop": 0.1, "n_perms": 100}
    first = run_squidpy(pbmc, **settings, seed=0)
    pd.testing.assert_frame_equal(run_squidpy(pbmc, **settings, seed=0), first)
    other = run_squidpy(pbmc, **settings, seed=1)
    pd.testing.assert_series_equal(other["squidpy_mean"], first["squidpy_mean"])
    assert (other["squidpy_p"] != first["squidpy_p"]).any()


def test_the_order_of_cells_and_genes_does_not_matter(pbmc, pairs):
    rng = np.random.default_rng(0)
    turned = pbmc[rng.permutation(pbmc.n_obs), rng.permutation(pbmc.n_vars)].copy()
    found = [
        run_squidpy(cells, pairs=pairs, expr_prop=0.1, n_perms=50, seed=0)
        for cells in (pbmc, turned)
    ]
    exact = [*found[0].columns.drop("squidpy_mean")]
    pd.testing.assert_frame_equal(found[1][exact], found[0][exact], check_exact=True)
    pd.testing.assert_frame_equal(*found)


def test_the_input_is_not_changed_and_pairs_may_repeat(pbmc, pairs):
    before, told = pbmc.copy(), pd.concat([pairs[:5], pairs[:5]])
    settings = {"expr_prop": 0.1, "n_perms": 10, "seed": 0}
    found = run_squidpy(pbmc, pairs=told, **settings)
    pd.testing.assert_frame_equal(run_squidpy(pbmc, pairs=pairs[:5], **settings), found)
    pd.testing.assert_frame_equal(pbmc.obs, before.obs)
    assert (pbmc.X != before.X).nnz == 0
    assert list(pbmc.uns) == list(before.uns)


def test_genes_that_differ_in_case_alone_stay_apart_and_odd_names_are_kept():
    x = np.array([[1, 4, 2], [1, 4, 2], [3, 6, 1], [3, 6, 1]], dtype=np.float32)
    adata = AnnData(
        sparse.csr_matrix(x),
        obs=pd.DataFrame({"population": ["a", "a", "clusters", "clusters"]}, index=list("wxyz")),
        var=pd.DataFrame(index=["Orf1", "ORF1", "clusters"]),
    )
    told = pd.DataFrame({"ligand": ["Orf1", "ORF1"], "receptor": ["clusters", "clusters"]})
    found = run_squidpy(adata, pairs=told, expr_prop=0.1, n_perms=10, seed=0)
    strengths = found.set_index(KEYS)["squidpy_mean"]
    assert strengths["a", "clusters", "Orf1", "clusters"] == (1 + 1) / 2
    assert strengths["a", "clusters", "ORF1", "clusters"] == (4 + 1) / 2
    assert len(found) == 8


@pytest.mark.parametrize("lacking", ["populations", "pairs"])
def test_nothing_to_score_gives_no_rows(pbmc, pairs, lacking, caplog):
    if lacking == "populations":
        pbmc = pbmc[pbmc.obs["population"] == "Dendritic"]
    else:
        pairs = pairs[:0]
    found = run_squidpy(pbmc, pairs=pairs, expr_prop=0.1, n_perms=10, seed=0)
    assert found.empty
    assert list(found) == [*KEYS, "squidpy_mean", "squidpy_p"]
    assert "nothing for squidpy to score" in caplog.text


def test_our_scores_agree_with_squidpy(pbmc, pairs, caplog):
    """The whole comparison, with complexes, unmeasured genes, small and unassigned populations."""
    pbmc.obs.loc[pbmc.obs_names[:50], "population"] = "unassigned"
    pbmc.obs.loc[pbmc.obs_names[50:55], "population"] = "rare"
    genes = [*pairs["ligand"], *pairs["receptor"]]
    more = pd.DataFrame(
        {"ligand": ["XXX", f"{genes[0]}_{genes[1]}"], "receptor": [genes[2], genes[45]]}
    )
    resource = pd.concat([pairs, more], ignore_index=True)
    ours = score(pbmc, resource=resource, expr_prop=0.1, min_cells=10, n_perms=1000, seed=0)
    row = only_row(
        cross_check_sample(
            pbmc,
            ours,
            **NAMES,
            resource=resource,
            expr_prop=0.1,
            min_cells=10,
            n_perms=1000,
            seed=0,
        )
    )
    with_complex = ours["ligand_complex"].str.contains("_")
    assert with_complex.sum() == row["n_complex"] > 0
    assert row["n_edges"] == (~with_complex).sum() > 500
    assert row["n_only_ours"] == row["n_only_squidpy"] == 0
    assert row["max_mean_difference"] < 1e-6
    assert row["p_correlation"] > 0.99
    assert row["max_p_difference"] < 0.1
    assert row["share_calls_agree"] > 0.97
    assert row["n_calls_differ"] == round((1 - row["share_calls_agree"]) * row["n_edges"])


def test_populations_that_are_swapped_are_found(pbmc, pairs):
    ours = plain_table(pbmc, pairs[:10], n_perms=50)
    settings = {"pairs": pairs[:10], "expr_prop": 0.1, "n_perms": 200, "seed": 0}
    right = only_row(compare(ours, run_squidpy(pbmc, **settings), **NAMES))
    two = {"Dendritic": "CD19+ B", "CD19+ B": "Dendritic"}
    pbmc.obs["population"] = pbmc.obs["population"].replace(two)
    wrong = only_row(compare(ours, run_squidpy(pbmc, **settings), **NAMES))
    assert right["max_mean_difference"] < 1e-6
    assert wrong["max_mean_difference"] > 0.1
    assert wrong["p_correlation"] < right["p_correlation"] - 0.05
    assert wrong["n_calls_differ"] > right["n_calls_differ"]


def test_equal_tables_agree():
    table = table_of()
    assert only_row(compare(table, as_squidpy(table), **NAMES)) == {
        **NAMES,
        "n_edges": 60,
        "n_complex": 0,
        "n_only_ours": 0,
        "n_only_squidpy": 0,
        "max_mean_difference": 0.0,
        "p_correlation": pytest.approx(1.0),
        "max_p_difference": 0.0,
        "n_calls_differ": 0,
        "share_calls_agree": 1.0,
    }


def test_one_changed_strength_is_found():
    table = table_of()
    other = as_squidpy(table)
    other.loc[7, "squidpy_mean"] *= 1.25
    row = only_row(compare(table, other, **NAMES))
    assert row["max_mean_difference"] == pytest.approx(0.2)
    assert row["n_calls_differ"] == 0


def test_changed_p_values_are_found_on_either_side():
    table = table_of().assign(p_value=0.04)
    other = as_squidpy(table)
    other.loc[:9, "squidpy_p"] = 0.9
    other.loc[10:11, "squidpy_p"] = 0.05  # the limit itself is called
    for ours, theirs in (
        (table, other),
        (
            other.set_axis([*EDGE, "lr_means", "p_value"], axis=1),
            as_squidpy(table),
        ),
    ):
        row = only_row(compare(ours, theirs, **NAMES))
        assert row["n_calls_differ"] == 10
        assert row["share_calls_agree"] == pytest.approx(50 / 60)
        assert row["max_p_difference"] == pytest.approx(0.86)
        assert np.isnan(row["p_correlation"])  # one side does not vary


def test_source_and_target_that_are_turned_round_are_found():
    table = table_of()
    other = as_squidpy(table).rename(columns={"source": "target", "target": "source"})
    row = only_row(compare(table, other, **NAMES))
    assert (row["n_edges"], row["n_only_ours"], row["n_only_squidpy"]) == (0, 60, 60)
    assert np.isnan(row["max_mean_difference"])
    assert np.isnan(row["share_calls_agree"])


def test_edges_of_one_side_and_complexes_are_counted():
    table = table_of()
    other = as_squidpy(table).drop(index=[0, 1, 2]).reset_index(drop=True)
    extra = other[:1].assign(ligand="NEW")
    table.loc[[10, 11], "ligand_complex"] += "_X"
    table.loc[[11, 12], "receptor_complex"] += "_Y"
    row = only_row(compare(table, pd.concat([other, extra]), **NAMES))
    assert row["n_complex"] == 3
    assert row["n_only_ours"] == 3
    assert row["n_only_squidpy"] == 3 + 1  # the complexes' rows are single genes for the other
    assert row["n_edges"] == 54


def test_a_missing_p_value_of_ours_is_a_call_that_differs():
    table = table_of()
    table.loc[[3, 4], "p_value"] = np.nan
    row = only_row(compare(table, as_squidpy(table_of()), **NAMES))
    assert row["n_edges"] == 60
    assert row["n_calls_differ"] == 2
    assert row["p_correlation"] == pytest.approx(1.0)


@pytest.mark.parametrize("empty", ["ours", "squidpy", "both"])
def test_empty_tables(empty, tmp_path):
    ours = empty_frame("interactions") if empty != "squidpy" else table_of()
    other = as_squidpy(table_of())[: 0 if empty != "ours" else None]
    frame = compare(ours, other, **NAMES)
    row = only_row(frame)
    assert row["n_edges"] == row["n_calls_differ"] == 0
    assert (row["n_only_ours"], row["n_only_squidpy"]) == {
        "ours": (0, 60), "squidpy": (60, 0), "both": (0, 0)
    }[empty]  # fmt: skip
    io.write_tsv(frame, tmp_path / "x.tsv", table="cross_check")
    pd.testing.assert_frame_equal(io.read_tsv(tmp_path / "x.tsv", table="cross_check"), frame)


def test_a_sample_without_cells_gives_a_row(pbmc, pairs):
    frame = cross_check_sample(
        pbmc[:0],
        empty_frame("interactions"),
        **NAMES,
        resource=pairs,
        expr_prop=0.1,
        min_cells=10,
        n_perms=10,
        seed=0,
    )
    assert only_row(frame)["n_edges"] == 0
    assert list(frame) == list(TABLES["cross_check"])


def test_an_edge_that_is_listed_twice_is_refused():
    table = table_of()
    with pytest.raises(pd.errors.MergeError, match="not a one-to-one merge"):
        compare(pd.concat([table, table[:1]]), as_squidpy(table), **NAMES)


@given(st.integers(0, 2**32 - 1), st.integers(1, 40))
def test_measures_keep_their_bounds(seed, n):
    rng = np.random.default_rng(seed)
    table, other = table_of(n, seed), as_squidpy(table_of(n, seed + 1))
    other = other[rng.random(n) < 0.7]
    other["squidpy_mean"] *= rng.integers(0, 2, len(other))
    row = only_row(compare(table, other, **NAMES))
    assert row["n_edges"] + row["n_only_ours"] == n
    assert row["n_edges"] + row["n_only_squidpy"] == len(other)
    assert 0 <= row["n_calls_differ"] <= row["n_edges"]
    for name, low in {"share_calls_agree": 0, "max_mean_difference": 0, "max_p_difference": 0,
                      "p_correlation": -1 - 1e-9}.items():  # fmt: skip
        assert np.isnan(row[name]) or low <= row[name] <= 1 + 1e-9


def test_the_order_of_rows_does_not_matter():
    table, other = table_of(seed=1), as_squidpy(table_of(seed=2))
    pd.testing.assert_frame_equal(
        compare(table[::-1], other.sample(frac=1, random_state=0), **NAMES),
        compare(table, other, **NAMES),
    )


def test_squidpy_that_is_not_installed_is_told_before_the_work(monkeypatch, pbmc, pairs):
    need_squidpy()
    monkeypatch.setattr(needs, "find_spec", lambda _: None)
    told = r"interactions\.squidpy is true .*pip install .*'\.\[squidpy\]'.* set .* to false"
    with pytest.raises(MissingPackageError, match=told):
        need_squidpy()
    with pytest.raises(MissingPackageError, match=told):
        cross_check_sample(
            pbmc,
            empty_frame("interactions"),
            **NAMES,
            resource=pairs,
            expr_prop=0.1,
            min_cells=10,
            n_perms=10,
            seed=0,
        )
