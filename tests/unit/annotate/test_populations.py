"""A toy cohort with planted populations, states and doublets."""

import logging
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from osteotalk.annotate.levels import On
from osteotalk.annotate.majors import name_majors
from osteotalk.annotate.settle import check_cells
from osteotalk.annotate.states import cell_states
from osteotalk.annotate.tree import build_tree
from osteotalk.contract_checks import check_frame

COLUMNS = ["population", "population_major", "population_state", "cycling", "lineage_doublet"]


@pytest.fixture(scope="module")
def plain(toy):
    """Six populations in clusters of their own, and one that is not in the vocabulary."""
    adata = toy.cohort([*toy.ALL, ("6", "foreign", 40)])
    return adata, *toy.named(adata)


def test_clusters_get_their_population_and_unclear_ones_none(toy, plain):
    adata, annotated, table = plain
    assert toy.calls(annotated, "population_major") == {
        "tam": ["my"],
        "mono": ["my"],
        "cd4": ["t"],
        "cd8": ["t"],
        "ec": ["ec"],
        "mal": ["mal"],
        "foreign": ["unassigned"],
    }
    obs = annotated.obs
    for kind in ("tam", "mono", "cd4", "cd8"):
        assert (obs.loc[obs["kind"] == kind, "population"] == kind).mean() >= 0.9
        assert set(obs.loc[obs["kind"] == kind, "population"]) <= {kind, toy.LINE[kind]}
    unclear = obs["kind"] == "foreign"
    assert obs.loc[unclear, ["population_probability", "major_probability"]].isna().all(axis=None)
    assert set(obs.loc[unclear, "best_match"]) == set(table.loc[table["within"] == "6", "best"])
    assert set(obs.loc[obs["kind"] == "ec", "best_match"]) == {""}
    reason = obs.loc[unclear, "population_reason"].iloc[0]
    assert reason.startswith("none of the populations ")
    assert (obs.loc[~unclear, "major_probability"] > 0.99).all()
    assert (obs["population_probability"] <= obs["major_probability"])[~unclear].all()
    assert set(obs["lineage_doublet"]) == {"no"}
    assert "population" not in adata.obs
    record = annotated.uns["osteotalk"]["annotate"]
    assert record["n_unassigned"] == 40
    assert record["n_moved"] == record["n_groups_taken_out"] == 0
    check_frame(table, table="annotation", where="the table")


def test_a_cluster_leans_on_one_that_expresses_alike(toy):
    """Few of its markers are on, but all else is as in another cluster."""
    adata = toy.cohort([*toy.ALL, ("6", "ec", 40)])
    counts = adata.layers["counts"].toarray()
    rows = np.flatnonzero(adata.obs["cluster"] == "6")
    counts[np.ix_(rows, adata.var_names.get_indexer(toy.LISTS["ec"][4:]))] = 0
    found, table = toy.named(
        toy.with_counts(counts, adata.obs["cluster"].tolist(), adata.obs["kind"].tolist())
    )
    assert toy.calls(found)["ec"] == ["ec"]
    reason = table.set_index("cluster")["reason"]
    assert reason["6"].startswith("by its own markers ec ")
    assert reason["6"].endswith("; groups that express alike are ec")
    assert reason["2"] == ""


def test_the_table_has_a_row_per_group_with_its_markers(toy, plain):
    _, annotated, table = plain
    major, fine = (table[table["level"] == level] for level in ("major", "fine"))
    assert major["cluster"].tolist() == ["3", "0", "1", "4", "5", "2", "6"]  # largest first
    assert major["n_unassigned"].tolist() == [0, 0, 0, 0, 0, 0, 40]
    assert fine.groupby("within")["n_cells"].sum().to_dict() == {"my": 110, "t": 110}
    rows = major.set_index("cluster")
    assert set(rows.loc["3", "markers_for"].split(", ")) == set(toy.LISTS["mal"])
    assert rows.loc["3", "markers_against"] == ""
    # of the cells without a name, the best list is shown with what is missing
    missing = rows.loc["6", "markers_against"].split(", ")
    assert missing
    assert all(text.startswith("no ") and text[3:] in toy.LISTED for text in missing)
    groups = annotated.obs.groupby("subcluster")["population"].agg(["nunique", "first", "size"])
    assert (groups["nunique"] == 1).all()
    wide = fine.set_index("cluster")
    assert groups.loc[wide.index, "first"].equals(wide["population"].rename("first"))
    assert groups.loc[wide.index, "size"].tolist() == wide["n_cells"].tolist()


def test_probabilities_are_between_0_and_1_and_the_least_is_kept(toy):
    adata = toy.cohort([*toy.ALL, ("6", "foreign", 40)], depth=600, seed=4)
    for least in (0.5, 0.99):
        annotated, table = toy.named(adata, min_probability=least)
        chance = annotated.obs["major_probability"].dropna()
        assert chance.between(least, 1).all()
        numbers = table.filter(like="probability")
        assert ((numbers >= 0) & (numbers <= 1 + 1e-9)).all(axis=None)
        named = table[table["population"] != "unassigned"]
        assert (named["probability"] >= least).all()


def test_a_cluster_of_two_lineages_is_parted_and_both_are_named(toy):
    adata = toy.cohort([*toy.ALL, ("0", "ec", 25)])
    annotated, table = toy.named(adata)
    assert toy.calls(annotated, "population_major")["ec"] == ["ec"]
    assert toy.calls(annotated, "population_major")["tam"] == ["my"]
    assert annotated.uns["osteotalk"]["annotate"]["n_groups_taken_out"] == 1
    row = table.set_index("cluster").loc["0 ec"]
    assert (row["within"], row["n_cells"], row["population"]) == ("0", 25, "ec")
    inside = annotated.obs[(annotated.obs["kind"] == "ec") & (annotated.obs["cluster"] == "0")]
    assert set(inside["subcluster"]) == {"0 ec"}


def test_cd4_and_cd8_that_share_a_cluster_are_told_apart(toy):
    adata = toy.cohort([*toy.ALL[:1], *toy.ALL[2:4], ("1", "cd8", 60), ("1", "cd4", 60)])
    obs = toy.named(adata)[0].obs
    for kind in ("cd4", "cd8"):
        called = obs.loc[obs["kind"] == kind, "population"]
        assert (called == kind).mean() >= 0.9
        assert set(called) <= {kind, "t"}


def test_where_they_cannot_be_told_apart_they_keep_the_name_of_the_parent(toy):
    """Too few and too shallow to be parted, the cells are one group with both lists on."""
    groups = [*toy.ALL[:1], *toy.ALL[2:4], ("1", "cd8", 15), ("1", "cd4", 15)]
    obs = toy.named(toy.cohort(groups, depth=500))[0].obs
    shared = obs[obs["cluster"] == "1"]
    assert set(shared["population"]) == {"t"}
    assert set(shared["population_state"]) == {""}
    assert set(shared["best_match"]) <= {"", "cd4", "cd8"}
    assert shared["population_reason"].str.endswith("; named as t").all()


def test_a_cell_of_another_lineage_moves_and_says_so(toy):
    adata = toy.cohort([*toy.ALL, ("3", "ec", 1), ("4", "cd8", 1)])
    annotated, table = toy.named(adata)
    obs = annotated.obs
    strays = obs[(obs["kind"] == "ec") & (obs["cluster"] == "3")]
    assert set(strays["population"]) == {"ec"}
    assert set(strays["population_reason"]) == {"fits ec better than its cluster, which is mal"}
    usual = obs.loc[obs["cluster"] == "2", "major_probability"].mean()
    assert strays["major_probability"].tolist() == pytest.approx([usual])
    others = obs[(obs["kind"] == "cd8") & (obs["cluster"] == "4")]
    assert set(others["population_major"]) == {"t"}
    assert annotated.uns["osteotalk"]["annotate"]["n_moved"] >= 1
    assert table.set_index("cluster").loc["3", "n_moved"] == 1
    own = obs[obs["cluster"].isin(["0", "1", "2", "5"])]
    assert (own["population_reason"].str.contains("fits")).sum() == 0


@pytest.mark.parametrize(("n", "name"), [(4, "my"), (12, "mal")])
def test_cells_of_a_cluster_too_small_for_a_profile_stay(toy, n, name):
    """What its cells look like is not known, so they cannot be told to fit badly."""
    adata = toy.cohort([("0", "mal", 80), ("1", "tam", 30), ("2", "mal", n), ("2", "tam", n * 2)])
    tree = build_tree(
        toy.POPULATIONS, markers=toy.MARKERS, measured=adata.var_names, min_measured=3
    )
    code = np.repeat([0, 1, 2, 3], [80, 30, n, n * 2])
    code[110 + n :] = 1 if n < 5 else 2
    names = ["mal", "my", "my"]
    genes = pd.Index(tree.genes(), dtype=object)
    groups = SimpleNamespace(
        code=code,
        decisions=[SimpleNamespace(population=p) for p in names],
        genes=genes,
        state=On(np.ones((len(names), len(genes))), np.ones((len(names), len(genes)))),
    )
    cells = pd.DataFrame(
        {
            "population": np.array(names, dtype=object)[code],
            "population_major": np.array(names, dtype=object)[code],
            "population_probability": 1.0,
            "major_probability": 1.0,
            "population_reason": "",
            "lineage_doublet": "no",
        },
        index=adata.obs_names,
    )
    check_cells(adata, cells, groups, tree=tree)
    assert set(cells["population"].iloc[110 : 110 + n]) == {name}


def test_cells_of_two_lineages_are_likely_doublets(toy):
    annotated, table = toy.named(toy.cohort([*toy.ALL, ("0", "tam+cd8", 12)]))
    obs = annotated.obs
    double = obs["kind"].str.contains("+", regex=False)
    flagged = obs["lineage_doublet"] == "yes"
    assert flagged[double].mean() >= 0.5
    assert flagged[~double].mean() <= 0.01
    assert set(obs.loc[flagged, "population"]) == {"unassigned"}
    assert set(obs.loc[flagged, "best_match"]) == {""}
    assert set(obs.loc[flagged & (obs["cluster"] == "0"), "population_reason"]) == {
        "looks like my and t at once"
    }
    assert obs.loc[flagged, "population_probability"].isna().all()
    assert table["n_lineage_doublets"].sum() == flagged.sum()
    assert annotated.uns["osteotalk"]["annotate"]["n_lineage_doublets"] == flagged.sum()


def test_a_cycling_cluster_is_named_by_what_it_is(toy):
    groups = [*toy.ALL, ("6", "cd8 cycling", 40), ("7", "mal cycling", 40)]
    annotated, _ = toy.named(toy.cohort(groups))
    obs = annotated.obs
    cycling = obs["kind"].str.endswith("cycling")
    assert toy.calls(annotated, "population_major")["cd8 cycling"] == ["t"]
    assert toy.calls(annotated, "population_major")["mal cycling"] == ["mal"]
    assert (obs.loc[cycling, "cycling"] == "yes").mean() >= 0.95
    assert (obs.loc[~cycling, "cycling"] == "yes").mean() <= 0.05
    assert (obs.loc[cycling, "population_state"] == "cycling").mean() >= 0.95
    assert annotated.uns["osteotalk"]["annotate"]["n_cycling"] == (obs["cycling"] == "yes").sum()


def test_one_loud_gene_of_the_cycle_is_no_cycle(toy):
    adata = toy.cohort(toy.ALL)
    x = adata.X.toarray()
    for cell, n in (("cell0", 2), ("cell1", 3)):
        genes = adata.var_names.get_indexer(toy.LISTS["cycling"])
        row = adata.obs_names.get_loc(cell)
        x[row, genes], x[row, genes[:n]] = 0, 5
    adata.X = sparse.csr_matrix(x)
    tree = build_tree(
        toy.POPULATIONS, markers=toy.MARKERS, measured=adata.var_names, min_measured=3
    )
    _, cycling = cell_states(adata, pd.Series("tam", index=adata.obs_names), tree=tree)
    assert cycling[["cell0", "cell1"]].tolist() == ["no", "yes"]


def test_strangers_that_outnumber_a_group_do_not_make_its_profile(toy):
    """T cells in a group that is named endothelium by a few endothelial cells among them."""
    groups = [("0", "cd8", 60), ("1", "ec", 8), ("1", "cd8", 30), ("2", "mal", 60)]
    adata = toy.cohort(groups, depth=400)
    annotated = adata.obs["cluster"].astype(int).to_numpy()
    tree = build_tree(
        toy.POPULATIONS, markers=toy.MARKERS, measured=adata.var_names, min_measured=3
    )
    majors = ["t", "ec", "mal"]
    found = name_majors(adata, tree=tree, min_probability=0.85, seed=0)
    found = replace(
        found,
        code=annotated,
        names=("0", "1", "2"),
        decisions=tuple(SimpleNamespace(population=name) for name in majors),
    )
    cells = pd.DataFrame(
        {
            "population": np.array(majors, dtype=object)[annotated],
            "population_major": np.array(majors, dtype=object)[annotated],
            "population_probability": 1.0,
            "major_probability": 1.0,
            "population_reason": "",
            "lineage_doublet": "no",
        },
        index=adata.obs_names,
    )
    check_cells(adata, cells, found, tree=tree)
    inside = adata.obs["cluster"] == "1"
    strangers = cells.loc[inside & (adata.obs["kind"] == "cd8"), "population"]
    own = cells.loc[inside & (adata.obs["kind"] == "ec"), "population"]
    assert (strangers == "t").mean() >= 0.9
    assert (own == "ec").mean() >= 0.9


def test_states_are_named_cell_by_cell_in_their_population_only(toy):
    groups = [*toy.ALL, ("0", "tam spp1", 30), ("1", "cd8 spp1", 20), ("6", "tam spp1 cycling", 20)]
    obs = toy.named(toy.cohort(groups))[0].obs
    state = obs["population_state"]
    assert (state[obs["kind"] == "tam"] == "").mean() >= 0.95
    assert (state[obs["kind"] == "tam spp1"] == "spp1").mean() >= 0.9
    assert not (state[obs["kind"] == "cd8 spp1"] == "spp1").any()  # no state of T cells
    both = obs["kind"] == "tam spp1 cycling"
    assert (state[both] == "spp1").mean() >= 0.9  # a state of its own comes before cycling
    assert (obs.loc[both, "cycling"] == "yes").mean() >= 0.9


def test_a_kind_speaks_for_its_population_and_is_its_state(toy):
    """The cells show the list of the kind, and of that of the population what both share."""
    adata = toy.cohort([*toy.ALL, ("6", "dc1", 30)])
    own, shared = toy.LISTS["dc"][1:], toy.LISTS["dc1"]
    x = adata.layers["counts"].toarray()
    rows = (adata.obs["kind"] == "dc1").to_numpy()
    x[np.ix_(rows, [toy.GENES.index(g) for g in [*own, *toy.LISTS["my"]]])] = 0
    adata = toy.with_counts(x, adata.obs["cluster"].tolist(), adata.obs["kind"].tolist())
    annotated, table = toy.named(adata)
    assert toy.calls(annotated)["dc1"] in (["dc"], ["dc", "my"])
    assert toy.calls(annotated, "population_major")["dc1"] == ["my"]
    assert (annotated.obs.loc[rows, "population_state"] == "dc1").mean() >= 0.9
    row = table.set_index("cluster").loc["6"]
    assert set(row["markers_for"].split(", ")) <= set(shared)


def test_a_population_with_one_measured_marker_is_named_as_its_parent(toy, caplog):
    adata = toy.cohort(toy.ALL)
    gone = toy.LISTS["tam"][1:]
    adata = adata[:, ~adata.var_names.isin(gone)].copy()
    with caplog.at_level(logging.WARNING):
        annotated, _ = toy.named(adata)
    tam = annotated.obs["kind"] == "tam"
    assert (annotated.obs["population"] == "tam").sum() == 0
    assert (annotated.obs["population"] == "my")[tam].mean() >= 0.9
    assert "mono" in toy.calls(annotated)["mono"]
    assert "only 1 of 8 markers of tam are measured (at least 2 are needed)" in caplog.text
    assert annotated.uns["osteotalk"]["annotate"]["too_few_markers"] == "tam"


def assert_same_names(found, other, columns=COLUMNS):
    other = other.obs.loc[found.obs_names]
    for column in columns:
        assert other[column].equals(found.obs[column]), column


def test_the_same_input_gives_the_same_bytes(toy, plain, tmp_path):
    adata, annotated, table = plain
    again, other = toy.named(adata.copy())
    for number, cells in enumerate((annotated, again)):
        cells.obs.to_csv(tmp_path / f"{number}.tsv", sep="\t")
    assert (tmp_path / "0.tsv").read_bytes() == (tmp_path / "1.tsv").read_bytes()
    pd.testing.assert_frame_equal(other, table, check_exact=True)


def test_order_of_genes_does_not_matter(toy, plain):
    adata, annotated, _ = plain
    genes = np.random.default_rng(5).permutation(adata.n_vars)
    assert_same_names(annotated, toy.named(adata[:, genes].copy())[0])


def test_order_of_cells_does_not_matter(toy, plain):
    adata, annotated, _ = plain
    turned = toy.named(adata[::-1].copy())[0]
    assert_same_names(annotated, turned, ["population_major", "cycling", "lineage_doublet"])
    other = turned.obs.loc[annotated.obs_names, "population"]
    assert (other == annotated.obs["population"]).mean() >= 0.97  # parts are not quite the same
    kinds = annotated.obs["kind"]
    line = kinds.map(toy.LINE).fillna("")
    assert ((other == kinds) | (other == line) | (other == "unassigned")).all()


def test_sparse_and_dense_counts_are_the_same(toy, plain):
    adata, annotated, table = plain
    dense = adata.copy()
    dense.layers["counts"] = adata.layers["counts"].toarray()
    found, other = toy.named(dense)
    assert_same_names(annotated, found)
    pd.testing.assert_frame_equal(other, table)
    columns = adata.copy()
    columns.layers["counts"] = sparse.csc_matrix(adata.layers["counts"])
    assert_same_names(annotated, toy.named(columns)[0])


def test_names_of_clusters_do_not_matter(toy, plain):
    adata, annotated, _ = plain
    renamed = adata.copy()
    names = dict(zip("0123456", ["4611", "zz", "03", "x", "2", "b"], strict=False)) | {"6": "a"}
    renamed.obs["cluster"] = adata.obs["cluster"].map(names).astype("category")
    assert_same_names(annotated, toy.named(renamed)[0])


def test_copies_of_the_cells_of_one_population_rename_no_other(toy):
    """How much there is of a population does not decide what the others are."""
    groups = [(c, k, n * 4 if k == "mal" else n) for c, k, n in toy.ALL]
    calls = toy.calls(toy.named(toy.cohort(groups))[0], "population_major")
    assert {kind: names for kind, names in calls.items() if kind != "mal"} == {
        "tam": ["my"],
        "mono": ["my"],
        "cd4": ["t"],
        "cd8": ["t"],
        "ec": ["ec"],
    }


def test_fields_survive_the_file(plain, tmp_path):
    plain[1].write_h5ad(tmp_path / "a.h5ad")
