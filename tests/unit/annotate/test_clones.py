"""Planted clones: found, named, and no normal cell among them."""

import importlib.util

import numpy as np
import pandas as pd
import pytest
import scipy.optimize
import scipy.stats
from scipy import sparse

from osteotalk.annotate import clones
from osteotalk.annotate.malignancy import call_malignant


@pytest.fixture(scope="module")
def simulate(repository):
    path = repository / "benchmarks" / "malignancy_clones.py"
    spec = importlib.util.spec_from_file_location("benchmark_clones", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def call(simulate, cells, **changed):
    settings = {"window": 100, "min_reference": 20, "min_genes": 1000, "seed": 0} | changed
    return call_malignant(cells, populations=simulate.POPULATIONS, **settings)


ARMS = ["1p", "2p", "3q", "4q", "5q", "6p", "7q", "8q", "9q", "10q", "11q", "12q"]


@pytest.mark.parametrize(
    ("sizes", "shared", "opposite"),
    [
        ((200, 30), 0, False),
        ((400, 40), 2, False),
        ((40, 40), 4, False),
        ((40, 40), 0, True),
        ((100, 30), 2, True),
        ((60, 50, 40), 0, False),
    ],
)
def test_each_clone_is_found_in_a_cluster_of_its_own(simulate, sizes, shared, opposite):
    folds = simulate.planted(len(sizes), shared=shared, opposite=opposite, names=ARMS)
    cells = simulate.sample(sizes, folds, name="malignant", together=False, seed=3)
    found, table, _ = call(simulate, cells)
    truth = found.obs["truth"]
    assert (found.obs.loc[truth != "", "malignant"] == "yes").mean() >= 0.99
    assert set(found.obs.loc[truth == "", "malignant"]) == {"no"}
    assert set(found.obs.loc[truth == "", "clone"]) == {""}
    record = found.uns["osteotalk"]["malignancy"]["samples"]["S"]["clones"]
    for number, fold in enumerate(folds):
        name = found.obs.loc[truth == f"clone {number}", "clone"].value_counts().index[0]
        planted = {f"{a} {'gained' if f > 1 else 'lost'}" for a, f in fold.items()}
        assert set(record[name].split(";")) == planted
        row = table[table["cluster"] == f"m{number}"].iloc[0]
        assert f"{name}: {record[name]}" in row["arms"]
    assert len(record) == len(folds)


@pytest.mark.parametrize("name", ["malignant", "unassigned"])
def test_two_clones_in_one_cluster(simulate, name):
    folds = simulate.planted(2, shared=0, opposite=False, names=ARMS)
    cells = simulate.sample((200, 40), folds, name=name, together=True, seed=1)
    found, _, _ = call(simulate, cells)
    yes = found.obs["malignant"] == "yes"
    recall = yes.groupby(found.obs["truth"]).mean()
    assert recall.drop("").min() >= 0.9
    assert recall[""] == 0


@pytest.mark.parametrize(
    ("name", "calls"),
    [("malignant", {"yes"}), ("stroma", {"undetermined"}), ("unassigned", {"undetermined"})],
)
def test_one_arm_is_told_as_one_arm(simulate, name, calls):
    cells = simulate.sample((60,), [{"1p": 0.5}], name=name, together=False, seed=2)
    found, table, _ = call(simulate, cells)
    own = found.obs["truth"] != ""
    assert set(found.obs.loc[own, "malignant"]) == calls
    assert set(found.obs.loc[~own, "malignant"]) == {"no"}
    said = "one arm is changed in its group (1p lost), which may be due to its kind"
    assert found.obs.loc[own, "malignant_reason"].str.contains(said, regex=False).all()
    assert not found.obs["malignant_reason"].str.contains("in the sample").any()
    assert set(table["copy_number"]) == {"one arm"}
    assert table.set_index("cluster").loc["m0", "arms"] == "one arm: 1p lost"
    record = found.uns["osteotalk"]["malignancy"]["samples"]["S"]
    assert (record["lost"], record["gained"], record["clones"]) == ("1p", "", {})
    assert set(found.obs["clone"]) == {""}


@pytest.mark.parametrize("second", ["21q", "22q"])
def test_arms_without_a_window_are_told(simulate, second):
    """Few genes are never the middle of a window: no cell is weighed, but no change is denied."""
    folds = {"1p": 0.5, second: 0.5}
    cells = simulate.sample((60,), [folds], name="stroma", together=False, seed=2)
    arm = simulate.arms(cells.var["chromosome"], cells.var["start"])
    cells = cells[:, np.delete(np.arange(cells.n_vars), np.flatnonzero(arm == second)[45:])].copy()
    found, table, _ = call(simulate, cells)
    own = found.obs["truth"] != ""
    told = f"1p lost;{second} lost"
    said = f"arms are changed in its group ({told}), by too few of which cells can be weighed"
    assert found.obs.loc[own, "malignant_reason"].str.contains(said, regex=False).all()
    assert set(found.obs.loc[own, "malignant"]) == {"undetermined"}
    assert set(found.obs.loc[~own, "malignant"]) == {"no"}
    assert set(table["copy_number"]) == {"arms not weighed"}
    assert table.set_index("cluster").loc["m0", "arms"] == f"arms not weighed: {told}"
    record = found.uns["osteotalk"]["malignancy"]["samples"]["S"]
    assert (record["lost"], record["gained"]) == (f"1p;{second}", "")


def test_cells_with_a_weak_name_are_no_reference(simulate):
    """Tumour cells that are named endothelial, not for sure, do not hide their own changes."""
    fold = dict.fromkeys(ARMS[:4], 1.5)
    cells = simulate.sample((80,), [fold], name="endothelial", together=False, seed=5)
    own = cells.obs["truth"] != ""
    cells.obs.loc[own, "major_probability"] = 0.9
    found, table, _ = call(simulate, cells)
    assert set(table["n_reference"]) == {120}
    assert (found.obs.loc[own, "malignant"] == "yes").mean() >= 0.9
    assert set(found.obs.loc[~own, "malignant"]) == {"no"}
    assert set(found.obs.loc[own & (found.obs["malignant"] == "yes"), "population"]) == {
        "malignant"
    }
    cells.obs.loc[cells.obs["population"] != "stroma", "major_probability"] = 0.9
    found, table, _ = call(simulate, cells)
    assert set(table["copy_number"]) == {"not computed"}
    assert found.obs["malignant_reason"].str.contains("0 cells of reference populations").all()


def test_normal_cells_left_in_a_tumour_cluster_stay_normal(simulate):
    fold = {"1p": 0.5, "2p": 1.5, "3q": 1.5, "8q": 0.5, "10q": 1.5}
    cells = simulate.sample((60,), [fold], name="unassigned", together=True, seed=6)
    stroma = cells.obs["population"] == "stroma"
    cells.obs.loc[stroma, ["population", "population_major"]] = "unassigned"
    cells.obs.loc[stroma, "cluster"] = "m"
    found, _, _ = call(simulate, cells)
    own = found.obs["truth"] != ""
    assert (found.obs.loc[own, "malignant"] == "yes").mean() >= 0.9
    assert not (found.obs.loc[~own, "malignant"] == "yes").any()
    assert (found.obs.loc[stroma, "malignant"] == "no").mean() >= 0.7  # the rest: undetermined


def test_share_of_a_cluster_is_the_most_likely_one():
    """Against a search for the greatest likelihood with one cell of each kind added."""
    rng = np.random.default_rng(0)
    scores = np.append(rng.normal(0, 0.3, 30), rng.normal(1, 0.3, 50))
    normal, tumour = (scipy.stats.norm.pdf(scores, m, 0.3) for m in (0, 1))
    found = clones._shares((tumour / normal)[:, None], np.zeros(80, dtype=int), 1)[0]

    def badness(share):
        return -np.log(share * tumour + (1 - share) * normal).sum() - np.log(share * (1 - share))

    best = scipy.optimize.minimize_scalar(badness, bounds=(0.01, 0.99), method="bounded").x
    assert found[1] == pytest.approx(best, abs=1e-3)
    flat = clones._shares(np.ones((80, 2)), pd.factorize(rng.integers(0, 3, 80))[0], 3)
    np.testing.assert_allclose(flat, [[0.5, 0.25, 0.25]] * 3, atol=1e-6)


def test_cells_of_one_kind_are_not_parted():
    rng = np.random.default_rng(0)
    var_arm = np.repeat(ARMS, 100)
    mean = np.exp(rng.normal(0, 1, len(var_arm)))
    for fold in (np.ones(len(var_arm)), np.where(np.isin(var_arm, ARMS[:4]), 1.5, 1.0)):
        genome = genome_of(rng.poisson(mean * fold, (120, len(var_arm))), var_arm)
        (only,) = clones.split_by_arms(genome, np.arange(120))
        np.testing.assert_array_equal(only, np.arange(120))


@pytest.mark.parametrize("sizes", [(40, 40), (100, 30), (40, 40, 40)])
def test_cells_are_parted_by_their_arms_whatever_their_order(sizes):
    rng = np.random.default_rng(1)
    arm = np.repeat(ARMS, 100)
    mean = np.exp(rng.normal(0, 1, len(arm)))
    counts, truth = [], np.repeat(np.arange(len(sizes)), sizes)
    for number, size in enumerate(sizes):
        own = np.isin(arm, ARMS[4 * number : 4 * number + 4])
        counts.append(rng.poisson(mean * np.where(own, 2.0, 1.0), (size, len(arm))))
    order = rng.permutation(len(truth))
    for rows in (np.arange(len(truth)), order):
        genome = genome_of(np.vstack(counts)[rows], arm)
        parts = clones.split_by_arms(genome, np.arange(len(truth)))
        assert sorted(len(part) for part in parts) == sorted(sizes)
        assert all(len(set(truth[rows][part])) == 1 for part in parts)


@pytest.mark.parametrize("n", [1, 5, 19])
def test_few_cells_are_not_parted(n):
    genome = genome_of(np.ones((n, 200)), np.repeat(["1p", "2p"], 100))
    assert [len(part) for part in clones.split_by_arms(genome, np.arange(n))] == [n]


def genome_of(counts, arm):
    x = sparse.csr_matrix(counts * (1e4 / counts.sum(axis=1, keepdims=True)))
    level = np.log2(np.asarray(x.mean(axis=0)).ravel() + 0.1)
    nothing = np.zeros((len(counts), 1), dtype=np.float32)
    shown = np.ones(len(arm), dtype=bool)
    return clones.Genome(x, arm.astype(object), level, shown, nothing, np.array(["1p"]))


@pytest.mark.parametrize("opposite", [False, True])
def test_clones_of_one_size_in_one_cluster(simulate, opposite):
    folds = simulate.planted(2, shared=0, opposite=opposite, names=ARMS)
    cells = simulate.sample((40, 40), folds, name="stroma", together=True, seed=0)
    found, _, _ = call(simulate, cells)
    yes = (found.obs["malignant"] == "yes").groupby(found.obs["truth"]).mean()
    assert yes.drop("").min() >= 0.9
    assert yes[""] == 0
    assert len(found.uns["osteotalk"]["malignancy"]["samples"]["S"]["clones"]) == 2


@pytest.mark.parametrize("name", ["stroma", "unassigned"])
def test_clones_of_one_arm_each_are_not_called_normal(simulate, name):
    cells = simulate.sample((80, 80), [{"1p": 0.5}, {"5q": 0.5}], name=name, together=True, seed=1)
    found, _, _ = call(simulate, cells)
    calls = found.obs.groupby("truth")["malignant"].agg(set)
    assert not any("no" in calls[clone] for clone in ("clone 0", "clone 1"))
    assert calls[""] == {"no"}
    record = found.uns["osteotalk"]["malignancy"]["samples"]["S"]["clones"]
    assert record == {"S clone 1": "1p lost;5q lost"}  # neither part is a clone by itself


def test_cells_of_one_arm_beside_a_clone_are_told(simulate):
    folds = [{"1p": 0.5, "3q": 1.5}, {"5q": 0.5}]
    cells = simulate.sample((80, 80), folds, name="stroma", together=True, seed=1)
    found, table, _ = call(simulate, cells)
    (row,) = table[table["cluster"] == "m"].itertuples()
    assert row.arms == "one arm: 5q lost"
    record = found.uns["osteotalk"]["malignancy"]["samples"]["S"]
    assert (record["clones"], record["lost"]) == ({"S clone 1": "1p lost;3q gained"}, "1p;5q")
    assert (found.obs.loc[found.obs["truth"] == "clone 1", "malignant"] != "no").mean() >= 0.95


def test_the_sign_of_a_component_does_not_matter(monkeypatch):
    rng = np.random.default_rng(6)
    arm = np.repeat(ARMS, 100)
    mean = np.exp(rng.normal(0, 1, len(arm)))
    fold = np.ones((2, len(arm)))
    fold[1, np.isin(arm, ARMS[:2])] = 1.6
    genome = genome_of(rng.poisson(mean * np.repeat(fold, [60, 25], axis=0)), arm)
    before = clones.split_by_arms(genome, np.arange(85))
    eigh = np.linalg.eigh
    monkeypatch.setattr(np.linalg, "eigh", lambda x: (eigh(x)[0], -eigh(x)[1]))
    after = clones.split_by_arms(genome, np.arange(85))
    assert [part.tolist() for part in before] == [part.tolist() for part in after]
    assert len(before) == 2


def test_depth_does_not_part_cells():
    rng = np.random.default_rng(4)
    sizes = rng.integers(40, 600, len(ARMS))
    arm = np.repeat(ARMS, sizes)
    mean = np.exp(rng.normal(0, 1, len(arm)))
    depth = np.exp(rng.normal(0, 0.9, (100, 1)))
    fold = np.ones((2, len(arm)))
    fold[0, np.isin(arm, ARMS[:3])] = 1.5
    fold[1, np.isin(arm, ARMS[3:6])] = 1.5
    made = rng.poisson(mean / mean.sum() * 4000 * depth * np.repeat(fold, 50, axis=0))
    parts = clones.split_by_arms(genome_of(made, arm), np.arange(100))
    assert len(parts) == 2
    assert all(max((part < 50).mean(), (part >= 50).mean()) > 0.9 for part in parts)


def test_what_parts_the_cells_does_not_prove_that_they_differ():
    """A difference in every second gene alone, by which cells are parted."""
    rng = np.random.default_rng(5)
    arm = np.repeat(ARMS, 100)
    mean = np.exp(rng.normal(0, 1, len(arm)))
    fold = np.ones((2, len(arm)))
    fold[1, np.isin(arm, ARMS[:4]) & (np.arange(len(arm)) % 2 == 0)] = 2.0
    genome = genome_of(rng.poisson(mean * np.repeat(fold, 40, axis=0)), arm)
    assert len(clones.split_by_arms(genome, np.arange(80))) == 1


def test_without_arms_of_enough_genes_cells_are_not_parted():
    genome = genome_of(np.ones((40, 12)), np.repeat(["1p", "2p"], 6))
    assert len(clones.split_by_arms(genome, np.arange(40))) == 1
