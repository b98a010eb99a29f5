import logging

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from osteotalk.contract import check_frame, empty_frame
from osteotalk.interactions import resource as res
from osteotalk.interactions.consensus import robust_rank_aggregate
from osteotalk.interactions.groups import group_statistics, limiting_subunits
from osteotalk.interactions.network import to_graphml
from osteotalk.interactions.score import score_sample
from osteotalk.interactions.support import (
    cell_counts,
    informative_patients,
    summarise_support,
    supported,
    wilson_interval,
)

PAIRS = pd.DataFrame({"ligand": ["HLA-DRA", "CCL5"], "receptor": ["CD4", "CCR7"]})
SETTINGS = {"expr_prop": 0.1, "min_cells": 10, "n_perms": 100, "seed": 0}


def test_small_and_unassigned_populations_take_no_part(pbmc, caplog):
    pbmc.obs.loc[pbmc.obs_names[:50], "population"] = "unassigned"
    pbmc.obs.loc[pbmc.obs_names[50:55], "population"] = "rare"
    resource = res.liana_resource("consensus")
    with caplog.at_level(logging.INFO):
        table = score_sample(pbmc, resource=resource, **SETTINGS)
    assert not {"unassigned", "rare"} & {*table["source"], *table["target"]}
    assert "fewer than 10 cells take no part: " in caplog.text
    assert "rare (5)" in caplog.text
    assert "50 unassigned cells take no part" in caplog.text
    sizes = pbmc.obs["population"].value_counts()
    assert (table["n_source"] == table["source"].map(sizes)).all()


@pytest.mark.parametrize("keep", ["one population", "no genes", "nothing detected"])
def test_a_sample_with_nothing_to_score_gives_an_empty_table(pbmc, keep, caplog):
    resource = PAIRS
    if keep == "one population":
        pbmc = pbmc[pbmc.obs["population"] == "Dendritic"].copy()
    elif keep == "no genes":
        resource = pd.DataFrame({"ligand": ["XXX"], "receptor": ["YYY"]})
    else:
        pbmc.X = pbmc.X * 0
    table = score_sample(pbmc, resource=resource, **SETTINGS)
    assert table.empty
    check_frame(table, table="interactions", where="x")
    assert "nothing to score" in caplog.text


def test_group_statistics_by_pandas(pbmc):
    means, shares = group_statistics(pbmc[:, :20], "population")
    dense = pd.DataFrame(pbmc[:, :20].X.toarray(), columns=pbmc.var_names[:20])
    grouped = dense.groupby(pbmc.obs["population"].to_numpy())
    np.testing.assert_allclose(means, grouped.mean(), rtol=1e-5)
    np.testing.assert_allclose(shares, grouped.agg(lambda x: (x > 0).mean()), rtol=1e-12)


def test_limiting_subunit_is_the_least_expressed_of_its_population():
    means = pd.DataFrame({"A": [1.0, 3.0], "B": [2.0, 1.0], "C": [1.0, 9.0]}, index=["x", "y"])
    found = limiting_subunits(
        pd.Series(["A_B", "A_B", "A_C", "B"]), pd.Series(["x", "y", "x", "x"]), means
    )
    assert list(found) == ["A", "B", "A", "B"]  # a tie goes to the first


def test_ranks_of_three_rows_by_hand():
    scores = pd.DataFrame({"up": [3.0, 2.0, 1.0], "down": [0.1, 0.2, 0.3]})
    # normalised ranks 1/3, 2/3, 1 in both columns; P(both < r) = r^2, P(one < r) = 1 - (1 - r)^2
    expected = [min(1, 2 * min(1 - (1 - r) ** 2, r**2)) for r in (1 / 3, 2 / 3, 1)]
    found = robust_rank_aggregate(scores, {"up": False, "down": True})
    np.testing.assert_allclose(found, expected)


@given(
    st.lists(
        st.tuples(*[st.floats(-5, 5, allow_nan=False)] * 3), min_size=2, max_size=30, unique=True
    )
)
def test_ranks_are_bounded_and_follow_the_rows(rows):
    frame = pd.DataFrame(rows, columns=["a", "b", "c"])
    columns = dict.fromkeys(frame, False)
    found = robust_rank_aggregate(frame, columns)
    assert ((found >= 0) & (found <= 1)).all()
    turned = robust_rank_aggregate(frame[::-1], columns)
    np.testing.assert_allclose(turned[::-1], found)


def test_ranks_refuse_missing_scores():
    with pytest.raises(ValueError, match="not numbers cannot be ranked: b"):
        robust_rank_aggregate(pd.DataFrame({"a": [1.0], "b": [np.nan]}), {"a": True, "b": True})
    assert robust_rank_aggregate(pd.DataFrame({"a": []}), {"a": True}).size == 0


def test_wilson_interval_agrees_with_scipy():
    k, n = np.array([0, 1, 4, 7, 3]), np.array([7, 7, 7, 7, 4])
    low, high = wilson_interval(k, n)
    for i in range(len(k)):
        expected = stats.binomtest(k[i], n[i]).proportion_ci(method="wilson")
        assert (low[i], high[i]) == pytest.approx((expected.low, expected.high), abs=1e-12)
    assert np.isnan(wilson_interval(np.array([0]), np.array([0]))).all()


def cells(sample, patient, **sizes):
    rows = [(sample, patient, p) for p, n in sizes.items() for _ in range(n)]
    return pd.DataFrame(rows, columns=["sample", "patient", "population"])


@pytest.fixture
def obs():
    """Patient P1 with two samples; P2 lacks enough b; P3 has all; P4 has unassigned cells only."""
    return pd.concat(
        [
            cells("S1", "P1", a=12, b=12),
            cells("S1b", "P1", a=12, b=3, c=12),
            cells("S2", "P2", a=12, b=9, c=12),
            cells("S3", "P3", a=12, b=10, unassigned=40),
            cells("S4", "P4", unassigned=30),
        ]
    )


def scored(*rows):
    frame = empty_frame("interactions")
    for i, (sample, source, target, q, rank) in enumerate(rows):
        values = dict.fromkeys(frame.columns, 0.5)
        values |= dict.fromkeys(("condition", "ligand", "receptor"), "x") | {"n_source": 12}
        values |= {"dataset": "d", "sample": sample, "source": source, "target": target}
        values |= {"ligand_complex": "L", "receptor_complex": "R", "n_target": 12}
        values |= {"q_value": q, "magnitude_rank": rank, "specificity_rank": rank}
        frame.loc[i] = values
    return frame


def test_informative_patients(obs):
    found = informative_patients(obs, min_cells=10)
    pairs = found[(found["source"] == "a") & (found["target"] == "b")]
    assert list(pairs["sample"]) == ["S1", "S3"]
    own = found[(found["source"] == "a") & (found["target"] == "a")]
    assert list(own["patient"]) == ["P1", "P1", "P2", "P3"]


def test_a_sample_of_one_population_is_not_informative():
    """It is not scored, so an edge cannot be active there, and must not count as absent."""
    found = informative_patients(cells("S1", "P1", a=50, b=9), min_cells=10)
    assert found.empty


def test_support_counts_patients_not_samples(obs):
    table = scored(
        ("S1", "a", "a", 0.01, 0.1),
        ("S1b", "a", "a", 0.02, 0.3),  # the same patient again
        ("S2", "a", "a", 0.9, 0.5),
        ("S1", "a", "b", 0.9, 0.9),
    )
    found = summarise_support(table, obs, min_cells=10, alpha=0.05).set_index("target")
    assert found.loc["a", ["n_informative", "n_active", "patients"]].tolist() == [3, 1, "P1"]
    assert found.loc["a", "median_magnitude_rank"] == pytest.approx(0.3)
    # P3 has both populations and no row for a > b: tested and not detected
    assert found.loc["b", ["n_informative", "n_active", "support"]].tolist() == [2, 0, 0.0]


def test_support_of_nothing_is_empty(obs):
    found = summarise_support(empty_frame("interactions"), obs, min_cells=10, alpha=0.05)
    assert found.empty
    assert supported(found, min_patients=3, min_support=0.5).empty


def test_supported_needs_enough_patients(obs):
    table = scored(("S1", "a", "a", 0.01, 0.1), ("S2", "a", "a", 0.01, 0.1))
    found = summarise_support(table, obs, min_cells=10, alpha=0.05)
    assert len(supported(found, min_patients=3, min_support=0.5)) == 1
    assert supported(found, min_patients=4, min_support=0.5).empty


def test_network_holds_every_supported_edge(obs):
    table = scored(("S1", "a", "b", 0.01, 0.1), ("S3", "a", "b", 0.01, 0.1))
    edges = summarise_support(table, obs, min_cells=10, alpha=0.05)
    populations = pd.DataFrame(
        [("a", "Cell <a> & co", "#112233")], columns=["population", "label", "colour"]
    )
    text = to_graphml(edges, cells=cell_counts(obs, ["b", "a"]), populations=populations)
    graph = nx.parse_graphml(text, force_multigraph=True)
    assert graph.nodes["a"]["label"] == "Cell <a> & co"
    assert graph.nodes["b"]["label"] == "b"  # not in the vocabulary
    (edge,) = graph.get_edge_data("a", "b").values()
    assert (edge["ligand"], edge["n_active"], edge["support"]) == ("L", 2, 1.0)


def test_resource_changes():
    changes = pd.DataFrame(
        [
            ("add", "PVR", "TIGIT", "liana:cellchatdb"),
            ("drop", "TIGIT", "PVR", "liana:consensus"),
            ("add", "CXCL12", "CXCR4", "literature"),  # there already
        ],
        columns=["action", "ligand", "receptor", "origin"],
    )
    before = res.liana_resource("consensus")
    after = res.change_resource(before, changes, name="consensus")
    keys = set(zip(after["ligand"], after["receptor"], strict=True))
    assert ("PVR", "TIGIT") in keys
    assert ("TIGIT", "PVR") not in keys
    assert len(after) == len(before) == len(keys)
    origin = after.set_index(["ligand", "receptor"])["origin"]
    assert origin["CXCL12", "CXCR4"] == "liana:consensus"
    summary = res.describe(after, before, name="consensus")
    assert (summary["added"], summary["dropped"]) == (1, 1)
    assert res.digest(after) == res.digest(after[::-1]) != res.digest(before)


def test_unknown_resource_lists_the_known():
    with pytest.raises(ValueError, match="no human resource 'mouseconsensus'.*cellphonedb"):
        res.liana_resource("mouseconsensus")


def test_measured_needs_every_subunit():
    pairs = pd.DataFrame({"ligand": ["A", "A"], "receptor": ["B_C", "B"]})
    assert list(res.measured(pairs, ["A", "B"])["receptor"]) == ["B"]


def test_added_pairs_come_from_where_the_table_says(repository):
    table = pd.read_csv(repository / "config" / "interactions.tsv", sep="\t")
    consensus = set(res.liana_resource("consensus").itertuples(index=False, name=None))
    for row in table.itertuples():
        pair = (row.ligand, row.receptor)
        assert (pair in consensus) == (row.action == "drop")
        if row.origin.startswith("liana:"):
            name = row.origin.removeprefix("liana:")
            assert pair in set(res.liana_resource(name).itertuples(index=False, name=None))


def test_every_pair_of_every_claim_can_be_scored(repository):
    config = repository / "config"
    claims = pd.read_csv(config / "claims.tsv", sep="\t", keep_default_na=False)
    changes = pd.read_csv(config / "interactions.tsv", sep="\t")
    original = res.liana_resource("consensus")
    resource = res.change_resource(original, changes, name="consensus")
    known = set(resource["ligand"] + "^" + resource["receptor"])
    wanted = {pair for cell in claims["pairs"] for pair in cell.split(";") if pair}
    assert wanted
    assert wanted <= known
