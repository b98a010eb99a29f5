"""Support of edges over patients, and the network."""

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from osteotalk.contract import empty_frame
from osteotalk.interactions.network import to_graphml
from osteotalk.interactions.support import (
    cell_counts,
    informative_patients,
    summarise_support,
    supported,
    wilson_interval,
)


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
    assert found["n_detected"].to_dict() == {"a": 2, "b": 1}  # P1 and P2; P1
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


def test_a_sample_that_did_not_measure_a_gene_is_not_informative(obs):
    table = scored(("S1", "a", "a", 0.01, 0.1), ("S1", "a", "b", 0.01, 0.1))
    missing = {"S3": ["X", "R"], "S2": ["Y"]}
    found = summarise_support(table, obs, min_cells=10, alpha=0.05, not_measured=missing)
    assert found.set_index("target")["n_informative"].to_dict() == {"a": 2, "b": 1}
    assert found.set_index("target").loc["b", "support"] == 1
