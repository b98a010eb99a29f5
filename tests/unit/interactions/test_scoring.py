"""The table of one sample: what is in it, and what must not matter."""

import doctest
import logging
import warnings

import numpy as np
import pandas as pd
import pytest
import yaml
from anndata import AnnData
from scipy import sparse, stats

import osteotalk.interactions
from osteotalk.contract import OPTIONAL
from osteotalk.contract_checks import check_frame
from osteotalk.interactions import score
from osteotalk.interactions.consensus import mean_rank, robust_rank_aggregate
from osteotalk.interactions.scoring import score_sample

KEYS = ["source", "target", "ligand_complex", "receptor_complex"]
FIXED = ["lr_means", "expr_prod", "scaled_weight", "lr_logfc", "spec_weight", "lrscore"]
FIXED += ["ligand_props", "receptor_props", "n_source", "n_target"]


@pytest.fixture
def ours(toy, toy_pairs):
    return score(toy, resource=toy_pairs)


def same_scores(found, expected, columns=FIXED):
    """Equal but for rounding; drawn p-values may differ by what their errors allow."""
    pd.testing.assert_frame_equal(found[[*KEYS, *columns]], expected[[*KEYS, *columns]], rtol=1e-9)
    off = np.abs(np.log10(found["p_value"] / expected["p_value"]))
    error = np.hypot(found["p_error"], expected["p_error"])
    assert (off <= 4 * error + 1e-4).all()
    assert (off < 1e-4).mean() > 0.5


def test_the_table_follows_its_contract(toy, toy_pairs, ours, caplog):
    check_frame(ours, table="interactions", where="x")
    assert len(ours) > 150
    pd.testing.assert_frame_equal(ours, ours.sort_values(KEYS, ignore_index=True))
    assert not ours.duplicated(KEYS).any()
    sizes = toy.obs["population"].value_counts()
    assert (ours["n_source"] == ours["source"].map(sizes)).all()
    assert (ours["n_target"] == ours["target"].map(sizes)).all()
    assert ours[["ligand_props", "receptor_props"]].min(axis=None) >= 0.1
    assert ours["p_value"].between(0, 1, inclusive="right").all()
    assert (ours["q_value"] >= ours["p_value"]).all()
    assert (ours["p_error"] >= 0).all()
    for rank in ("magnitude_rank", "specificity_rank"):
        assert ours[rank].between(0, 1, inclusive="right").all()
    with caplog.at_level(logging.INFO):
        score(toy, resource=toy_pairs)
    # one pair has a gene that is not measured, one a gene that no cell expresses
    assert "20 of 21 pairs have all their genes measured, 19 of them expressed" in caplog.text
    assert f"{len(ours)} edges scored between 4 populations" in caplog.text


def test_sample_and_condition_are_copied_if_there_is_one(toy, toy_pairs, ours):
    assert (ours[["dataset", "sample", "condition"]] == "").all(axis=None)
    toy.obs["dataset"] = pd.Categorical(["d1"] * 120, categories=["d0", "d1"])
    toy.obs["sample"] = "s1"
    toy.obs["condition"] = ["x", "y"] * 60
    found = score(toy, resource=toy_pairs)
    assert (found[["dataset", "sample", "condition"]] == ["d1", "s1", ""]).all(axis=None)


@pytest.mark.parametrize("engine", ["fast", "liana"])
@pytest.mark.parametrize("null", ["moments", "permutation", "like_liana", "none"])
def test_the_data_are_not_changed(toy, toy_pairs, engine, null):
    toy.uns["log1p"], toy.obs["population"] = (
        {"base": None},
        toy.obs["population"].astype("category"),
    )
    toy.layers["counts"] = toy.X.copy()
    before, pairs = toy.copy(), toy_pairs.copy()
    score(toy, resource=toy_pairs, engine=engine, null=null, n_perms=5, methods=["cellchat"])
    assert (toy.X != before.X).nnz == 0
    assert (toy.layers["counts"] != before.layers["counts"]).nnz == 0
    pd.testing.assert_frame_equal(toy.obs, before.obs)
    pd.testing.assert_frame_equal(toy.var, before.var)
    assert toy.uns == before.uns
    for field in ("obsm", "layers", "varm"):
        assert list(getattr(toy, field)) == list(getattr(before, field)), field
    pd.testing.assert_frame_equal(toy_pairs, pairs)


def test_the_order_of_cells_and_genes_does_not_matter(toy, toy_pairs, ours):
    rng = np.random.default_rng(1)
    turned = toy[rng.permutation(120)][:, rng.permutation(41)]
    same_scores(score(turned, resource=toy_pairs), ours)
    same_scores(score(toy, resource=toy_pairs[::-1]), ours)
    again = pd.concat([toy_pairs, toy_pairs[:4]]).assign(origin="x")
    pd.testing.assert_frame_equal(score(toy, resource=again), ours)


def test_dense_and_sparse_and_threads_and_repeats_give_the_same_table(toy, toy_pairs, ours):
    pd.testing.assert_frame_equal(score(toy, resource=toy_pairs, threads=3), ours)
    for matrix in (toy.X.toarray(), toy.X.tocsc(), sparse.csr_array(toy.X)):
        other = AnnData(matrix, obs=toy.obs, var=toy.var)
        pd.testing.assert_frame_equal(score(other, resource=toy_pairs), ours)
    single = AnnData(toy.X.astype(np.float32), obs=toy.obs, var=toy.var)
    found = score(single, resource=toy_pairs)
    pd.testing.assert_frame_equal(found[[*KEYS, *FIXED]], ours[[*KEYS, *FIXED]], rtol=1e-5)


def test_unassigned_cells_do_not_matter(toy, toy_pairs, ours, caplog):
    others = toy[:30].copy()
    others.obs_names = [f"other{i}" for i in range(30)]
    others.obs["population"] = ["unassigned", np.nan, ""] * 10
    both = AnnData(
        sparse.vstack([others.X, toy.X]).tocsr(), obs=pd.concat([others.obs, toy.obs]), var=toy.var
    )
    found = score(both, resource=toy_pairs)
    pd.testing.assert_frame_equal(found, ours)
    assert "30 cells that are unassigned or not asked for take no part" in caplog.text


def test_small_populations_take_no_part(toy, toy_pairs, caplog):
    toy.obs.loc[toy.obs_names[:5], "population"] = "rare"
    found = score(toy, resource=toy_pairs)
    assert not {"rare"} & {*found["source"], *found["target"]}
    assert "populations with fewer than 10 cells take no part: rare (5)" in caplog.text
    same_scores(found, score(toy[5:], resource=toy_pairs))
    assert "rare" in set(score(toy, resource=toy_pairs, min_cells=5)["source"])


def test_other_genes_matter_for_the_matrix_mean_only(toy, toy_pairs, ours):
    used = toy_pairs.map(lambda name: name.split("_")).to_numpy().ravel()
    genes = [g for g in toy.var_names if any(g in names for names in used)]
    assert len(genes) < toy.n_vars
    found = score(toy[:, genes], resource=toy_pairs)
    same_scores(found, ours, [c for c in FIXED if c != "lrscore"])
    assert (found["lrscore"] != ours["lrscore"]).all()


def test_names_of_populations_do_not_matter(toy, toy_pairs, ours):
    names = {"a": "z", "b": "Y (1)", "c": "3", "d": "a"}
    toy.obs["population"] = toy.obs["population"].replace(names)
    found = score(toy, resource=toy_pairs)
    expected = ours.assign(source=ours["source"].map(names), target=ours["target"].map(names))
    same_scores(found, expected.sort_values(KEYS, ignore_index=True))


def test_one_pair_has_the_scores_it_has_among_others(toy, toy_pairs, ours):
    """But for the ranks and q-values, which compare it with the others."""
    found = score(toy, resource=toy_pairs[4:5])
    expected = ours[ours["ligand_complex"] == "G4"].reset_index(drop=True)
    same_scores(found, expected)


def test_populations_that_are_asked_for(toy, toy_pairs, ours):
    wanted = pd.DataFrame({"source": ["a", "a", "b"], "target": ["b", "c", "a"]})
    found = score(toy, resource=toy_pairs, groupby_pairs=wanted)
    assert set(zip(found["source"], found["target"], strict=True)) == set(
        zip(wanted["source"], wanted["target"], strict=True)
    )
    # population d takes no part at all
    without = score(toy[toy.obs["population"] != "d"], resource=toy_pairs)
    both = found.merge(without, on=KEYS, suffixes=("", "_all"))
    assert len(both) == len(found)
    for column in ("lr_means", "scaled_weight", "lr_logfc", "lrscore"):
        np.testing.assert_allclose(both[column], both[f"{column}_all"], rtol=1e-12)
    # the shares of NATMI are of what is scored: b > a is the only edge into a
    alone = both[both["target"] == "a"]
    assert (alone["spec_weight"] > alone["spec_weight_all"]).all()


def test_ranks_are_those_of_the_chosen_methods(toy, toy_pairs, ours):
    magnitude = ["lr_means", "expr_prod", "lrscore"]
    specificity = ["p_value", "scaled_weight", "lr_logfc", "spec_weight"]
    np.testing.assert_array_equal(ours["magnitude_rank"], robust_rank_aggregate(ours, magnitude))
    np.testing.assert_array_equal(
        ours["specificity_rank"], robust_rank_aggregate(ours, specificity)
    )
    mean = score(toy, resource=toy_pairs, consensus="mean")
    np.testing.assert_array_equal(mean["magnitude_rank"], mean_rank(ours, magnitude))
    np.testing.assert_array_equal(mean["specificity_rank"], mean_rank(ours, specificity))
    few = score(toy, resource=toy_pairs, methods=["natmi", "cellchat"])
    assert list(few)[-2:] == ["specificity_rank", "lr_probs"]
    expected = robust_rank_aggregate(few, ["expr_prod", "lr_probs"])
    np.testing.assert_array_equal(few["magnitude_rank"], expected)
    np.testing.assert_array_equal(
        few["specificity_rank"], robust_rank_aggregate(few, ["spec_weight"])
    )
    pd.testing.assert_frame_equal(few[[*KEYS, *FIXED]], ours[[*KEYS, *FIXED]])
    none = score(toy, resource=toy_pairs, methods=["cellphonedb"], null="none")
    assert none[["specificity_rank", "p_value", "q_value"]].isna().all(axis=None)
    assert none["magnitude_rank"].notna().all()


def test_both_kinds_of_p_values_say_the_same(toy, toy_pairs, ours):
    drawn = score(toy, resource=toy_pairs, null="permutation", n_perms=2000)
    pd.testing.assert_frame_equal(drawn[[*KEYS, *FIXED]], ours[[*KEYS, *FIXED]])
    often = drawn["p_value"] > 0.01
    off = np.log10(ours["p_value"] / drawn["p_value"])[often]
    error = np.hypot(ours["p_error"], drawn["p_error"])[often]
    assert (off.abs() < 4 * error + 1e-9).all()


def test_both_engines_give_the_same_table(toy, toy_pairs, ours):
    settings = {"methods": ["natmi", "cellchat", "geometric_mean"], "expr_prop": 0.3}
    fast = score(toy, resource=toy_pairs, **settings)
    liana = score(toy, resource=toy_pairs, engine="liana", **settings)
    columns = [*FIXED, *OPTIONAL["interactions"]]
    pd.testing.assert_frame_equal(
        fast[[*KEYS, "ligand", "receptor", *columns]],
        liana[[*KEYS, "ligand", "receptor", *columns]],
        rtol=1e-5,
        atol=1e-6,  # LIANA rounds fold changes to single precision
    )
    assert 0 < len(fast) < len(ours)


@pytest.mark.parametrize("methods", [["natmi"], ["cellchat", "geometric_mean"]])
@pytest.mark.parametrize("engine", ["fast", "liana"])
@pytest.mark.parametrize("null", ["moments", "permutation", "like_liana", "none"])
def test_nothing_detected_gives_an_empty_table(toy, toy_pairs, engine, methods, null, caplog):
    settings = {"engine": engine, "methods": methods, "null": null, "n_perms": 5}
    for adata, expr_prop in ((toy, 1.0), (AnnData(toy.X * 0, obs=toy.obs, var=toy.var), 0.1)):
        caplog.clear()
        pairs = toy_pairs[["SILENT" in name for name in toy_pairs["ligand"]]]
        table = score(adata, resource=pairs, expr_prop=expr_prop, **settings)
        assert table.empty
        check_frame(table, table="interactions", where="x")
        assert f"nothing to score: no pair is detected in {expr_prop:g} of two po" in caplog.text


def test_p_values_of_shuffled_labels_are_uniform(toy):
    """150 samples without any structure, one edge of each: none is more specific than chance."""
    rng, p = np.random.default_rng(2), []
    pairs = pd.DataFrame({"ligand": ["G1"], "receptor": ["G21"]})
    genes = toy[:, ["G1", "G21", "G2"]]
    assert (genes.X > 0).mean() > 0.3
    for _ in range(150):
        labels = pd.DataFrame({"population": rng.permutation(toy.obs["population"])})
        shuffled = AnnData(genes.X, obs=labels.set_index(toy.obs_names), var=genes.var)
        found = score(shuffled, resource=pairs, expr_prop=1e-6)
        p.append(found.set_index(["source", "target"]).loc[("b", "c"), "p_value"])
    assert stats.kstest(p, "uniform").pvalue > 0.05


def test_resources_by_name_and_by_file(pbmc, tmp_path):
    pairs = pd.DataFrame({"ligand": ["HLA-DRA", "CCL5"], "receptor": ["CD4", "CCR7"]})
    pairs.to_csv(tmp_path / "pairs.tsv", sep="\t", index=False)
    by_table = score(pbmc, resource=pairs)
    for file in (tmp_path / "pairs.tsv", str(tmp_path / "pairs.tsv")):
        pd.testing.assert_frame_equal(score(pbmc, resource=file), by_table)
    assert len(score(pbmc, resource="cellphonedb")) > 10


@pytest.fixture
def settings(repository):
    config = (repository / "config" / "config.yaml").read_text(encoding="utf-8")
    return yaml.safe_load(config)["interactions"]


def test_a_sample_of_a_cohort(toy, toy_pairs, ours, settings):
    toy.obs["sample"] = "S1"
    found = score_sample(toy, resource=toy_pairs, settings=settings, seed=0)
    pd.testing.assert_frame_equal(found, ours.assign(sample="S1"))
    del settings["n_perms"]  # as the workflow does where nothing is drawn
    found = score_sample(toy, resource=toy_pairs, settings=settings, seed=0)
    pd.testing.assert_frame_equal(found, ours.assign(sample="S1"))
    other = settings | {"null": "none", "methods": ["natmi"], "consensus": "mean", "min_cells": 21}
    found = score_sample(toy, resource=toy_pairs, settings=other, seed=0)
    assert set(found["source"]) == {"b", "c", "d"}
    assert found["p_value"].isna().all()
    np.testing.assert_array_equal(found["magnitude_rank"], mean_rank(found, ["expr_prod"]))


@pytest.mark.parametrize("what", ["one population", "no cells", "no genes", "nothing detected"])
def test_a_sample_with_nothing_to_score_does_not_stop_a_cohort(
    toy, toy_pairs, settings, what, caplog
):
    if what == "one population":
        toy = toy[toy.obs["population"] == "a"]
    elif what == "no cells":
        toy.obs["population"] = "unassigned"
    elif what == "no genes":
        toy.var_names = [f"X{i}" for i in range(41)]
    else:
        toy = AnnData(toy.X * 0, obs=toy.obs, var=toy.var)
    table = score_sample(toy, resource=toy_pairs, settings=settings, seed=0)
    assert table.empty
    check_frame(table, table="interactions", where="x")
    assert "nothing to score: " in caplog.text


def test_the_example_of_the_manual_runs():
    finder, runner = doctest.DocTestFinder(), doctest.DocTestRunner()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scanpy reads an old file
        examples = finder.find(score, "score", globs={})
        assert sum(len(example.examples) for example in examples) == 6
        for example in examples:
            runner.run(example)
    assert (runner.failures, runner.tries) == (0, 6)


def test_the_package_offers_score_only():
    assert osteotalk.interactions.__all__ == ["score"]
    with pytest.raises(AttributeError, match="has no attribute 'scores'"):
        _ = osteotalk.interactions.scores
