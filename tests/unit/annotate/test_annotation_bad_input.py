"""Cohorts that lack something: each says what follows, and nothing is forced."""

import logging

import numpy as np
import pytest


def panel(toy, adata, genes):
    """The counts of some of the genes alone, with the names of the cells' populations."""
    part = adata[:, genes]
    counts = part.layers["counts"].toarray()
    kept = counts.sum(axis=1) > 0
    part = part[kept].copy()
    counts = counts[kept]
    part.obs["n_counts"] = counts.sum(axis=1).astype(float)
    part.X = type(part.X)(np.log1p(counts / counts.sum(axis=1, keepdims=True) * 1e4, dtype="f4"))
    return part


def majors(toy, obs):
    return obs["kind"].map(lambda kind: toy.LINE.get(kind, kind)).replace("foreign", "unassigned")


def assert_fine_is_right(toy, obs):
    """A finer name is the right one, or it is the parent's."""
    named = obs["population"] != obs["population_major"]
    assert (obs["population"] != obs["kind"])[named].sum() <= 0.05 * named.sum()


def test_a_panel_of_300_genes_that_holds_the_markers(toy, caplog):
    """Names come from the markers; states need other genes to compare with, and this is said."""
    adata = toy.cohort([*toy.ALL, ("6", "foreign", 40)])
    genes = [*toy.LISTED, *toy.USUAL[: 300 - len(toy.LISTED)]]
    annotated, _ = toy.named(panel(toy, adata, genes))
    obs = annotated.obs
    assert annotated.n_vars == 300
    assert (obs["population_major"] == majors(toy, obs)).mean() >= 0.97
    assert_fine_is_right(toy, obs)
    with caplog.at_level(logging.WARNING):
        only = toy.named(panel(toy, adata[adata.obs["kind"] != "foreign"], toy.LISTED))[0].obs
    assert (only["population_major"] == majors(toy, only)).mean() >= 0.97
    assert_fine_is_right(toy, only)
    assert set(only["population_state"]) == {""}
    assert "no states are told: the markers cannot be scored: too few genes" in caplog.text


def test_a_panel_that_cannot_part_cells_names_the_parent(toy):
    """With fifty counts per cell two populations stay one group, which shows both lists."""
    adata = toy.cohort([*toy.ALL[:4], ("1", "cd4", 60)], depth=400)
    genes = [*toy.LISTED, *toy.USUAL[: 300 - len(toy.LISTED)]]
    obs = toy.named(panel(toy, adata, genes))[0].obs
    mixed = obs["cluster"] == "1"
    assert set(obs.loc[mixed, "population_major"]) == {"t"}
    assert set(obs.loc[mixed, "population"]) == {"t"}
    assert obs.loc[mixed, "population_reason"].str.endswith("; named as t").all()


def test_a_panel_without_the_markers_is_refused(toy):
    adata = toy.cohort(toy.ALL)
    with pytest.raises(ValueError, match="markers of only 0 populations are among the 300 genes"):
        toy.named(panel(toy, adata, toy.USUAL[:300]))


@pytest.mark.parametrize("clusters", [1, 2])
def test_tumour_cells_alone(toy, clusters):
    """A cell line: all are malignant, whatever they are compared with."""
    groups = [("0", "mal", 60), ("1", "mal", 50)][:clusters]
    annotated, table = toy.named(toy.cohort(groups))
    assert set(annotated.obs["population"]) == {"mal"}
    assert set(annotated.obs["lineage_doublet"]) == {"no"}
    assert len(table) == clusters


def test_immune_cells_alone(toy):
    groups = [group for group in toy.ALL if group[1] in toy.LINE]
    obs = toy.named(toy.cohort(groups))[0].obs
    assert (obs["population_major"] == majors(toy, obs)).all()
    assert_fine_is_right(toy, obs)


@pytest.mark.parametrize("kinds", [["tam"], ["foreign"], ["tam", "cd8", "mal"]])
def test_one_cluster(toy, kinds):
    """It is named if it is of one lineage, parted if it is of more, and else left open."""
    obs = toy.named(toy.cohort([("0", kind, 70) for kind in kinds]))[0].obs
    expected = majors(toy, obs)
    named = obs["population_major"] != "unassigned"
    assert (obs["population_major"] == expected)[named].all()
    assert named.mean() >= (0.9 if kinds != ["foreign"] else 0)
    assert not (named & (obs["kind"] == "foreign")).any()


def test_a_population_whose_markers_are_all_missing(toy, caplog):
    """Its cells are left unassigned, not given to the next best; the log and the record say so."""
    adata = toy.cohort(toy.ALL)
    measured = ~adata.var_names.isin(toy.LISTS["ec"])
    with caplog.at_level(logging.WARNING):
        annotated, _ = toy.named(adata[:, measured].copy())
    calls = toy.calls(annotated, "population_major")
    assert calls.pop("ec") == ["unassigned"]
    assert calls == {"tam": ["my"], "mono": ["my"], "cd4": ["t"], "cd8": ["t"], "mal": ["mal"]}
    lost = annotated.obs[annotated.obs["kind"] == "ec"]
    assert lost["population_reason"].str.startswith("none of the populations").all()
    assert "only 0 of 8 markers of ec are measured (at least 3 are needed)" in caplog.text
    assert annotated.uns["osteotalk"]["annotate"]["too_few_markers"] == "ec"


def test_a_finer_population_whose_markers_are_all_missing(toy):
    """Its cells keep the name of the population above."""
    adata = toy.cohort([*toy.ALL, ("6", "dc", 40)])
    adata = adata[:, ~adata.var_names.isin([*toy.LISTS["dc"], *toy.LISTS["dc1"]])].copy()
    calls = toy.calls(toy.named(adata)[0])
    assert calls["dc"] == ["my"]
    assert "tam" in calls["tam"]


def test_another_species_without_orthologs(toy):
    adata = toy.cohort([("0", "tam", 30)])
    adata.var_names = [name.lower() + "x" for name in adata.var_names]
    expected = "markers of only 0 populations are among .* are the gene names human symbols?"
    with pytest.raises(ValueError, match=expected):
        toy.named(adata)


def test_clusters_of_a_single_cell_and_few_genes(toy):
    """Neither stops the run; a cell alone in its cluster is named by its markers or not at all."""
    adata = toy.cohort([*toy.ALL[:3], ("7", "mal", 1), ("8", "foreign", 1)])
    obs = toy.named(adata)[0].obs
    assert set(obs.loc[obs["cluster"] == "7", "population_major"]) <= {"mal", "unassigned"}
    assert set(obs.loc[obs["cluster"] == "8", "population_major"]) == {"unassigned"}
    one = toy.named(toy.cohort([("0", "ec", 1)]))[0].obs
    assert set(one["population"]) <= {"ec", "unassigned"}
