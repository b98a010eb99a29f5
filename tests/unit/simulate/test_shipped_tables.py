"""The tables in config/ that the embedded cohort is made from."""

import itertools

import pandas as pd
import pytest

from osteotalk.interactions.resource import liana_resource
from osteotalk.simulate import check, genes, truth
from osteotalk.tables import split


@pytest.fixture
def elevated(shipped):
    return truth.elevation_by_condition(
        shipped("populations"),
        markers=shipped("markers"),
        planted=shipped("simulation_edges"),
        conditions=shipped("samples")["condition"],
    )


@pytest.fixture
def pairs(shipped):
    resource = liana_resource("consensus")
    changes = shipped("interactions")
    added = changes.loc[changes["action"] == "add", ["ligand", "receptor"]]
    dropped = set(
        changes.loc[changes["action"] == "drop", ["ligand", "receptor"]].itertuples(
            index=False, name=None
        )
    )
    rows = pd.concat([resource[["ligand", "receptor"]], added]).itertuples(index=False, name=None)
    return {pair for pair in rows if pair not in dropped}


def test_shares_are_valid(shipped):
    shares = shipped("simulation_populations")
    samples = shipped("samples")
    drawn = samples[samples["dataset"] == "simulated_os"]
    problems = check.share_problems(shares, drawn, shipped("populations"))
    assert problems == []
    sums = shares["share"].astype(float).groupby([shares["condition"], shares["histology"]]).sum()
    assert sums.to_numpy() == pytest.approx(1)


def test_every_leaf_population_occurs(shipped):
    leaves = set(truth.leaf_populations(shipped("populations")))
    assert len(leaves) == 19
    assert set(shipped("simulation_populations")["population"]) == leaves


def test_planted_edges_are_valid(shipped, pairs):
    planted = shipped("simulation_edges")
    known = {gene for pair in pairs for side in pair for gene in side.split("_")}
    assert check.planted_problems(planted, shipped("samples"), shipped("populations"), known) == []
    assert not planted.duplicated().any()
    assert set(planted[["ligand", "receptor"]].itertuples(index=False, name=None)) <= pairs
    assert 60 <= len(planted) <= 110
    assert planted.groupby("claim_id").size().max() <= 4


def test_planted_edges_belong_to_their_claims(shipped):
    claims, populations = shipped("claims").set_index("claim_id"), shipped("populations")
    for row in shipped("simulation_edges").to_dict("records"):
        edge = (row["source"], row["target"], row["ligand"], row["receptor"])
        assert edge in truth.claim_edges(
            claims.loc[row["claim_id"]].to_dict(), populations=populations
        )


def test_exactly_the_listed_claims_are_planted(shipped, elevated):
    found = truth.claim_truth(
        shipped("claims"), populations=shipped("populations"), elevated=elevated
    )
    planted = found[found["planted"]]
    listed = shipped("simulation_edges")
    assert set(planted["claim_id"]) == set(listed["claim_id"])
    assert len(found) == 77
    assert 36 <= len(planted) <= 42
    # Where a claim holds is where its rows say.
    said = listed.groupby("claim_id")["where"].agg(
        lambda w: "all" if "all" in set(w) else w.iloc[0]
    )
    assert dict(zip(planted["claim_id"], planted["where"], strict=True)) == said.to_dict()
    assert (planted["where"] == "lung_metastasis").sum() >= 5


def test_claims_that_are_not_planted_have_no_raised_edge(shipped):
    """The same statement by brute force over the text of the tables."""
    populations = shipped("populations")
    parent = dict(zip(populations["population"], populations["parent"], strict=True))
    states = set(populations.loc[populations["level"] == "state", "population"])
    parents = {above for name, above in parent.items() if name not in states}

    def opened(name):
        below = [p for p in parent if parent[p] == name and p not in states]
        return [leaf for p in below for leaf in opened(p)] if name in parents else [name]

    markers = [row for row in shipped("markers").itertuples() if row.population not in states]
    raised = set()
    for row in markers:
        leaves = opened(row.population)
        told = any(m.gene == row.gene and m.population in leaves for m in markers)
        if row.sign != "-" and not (row.population in parents and told):
            raised |= {(leaf, row.gene) for leaf in leaves}
    listed = shipped("simulation_edges")
    for row in listed.itertuples():
        raised |= {(row.source, gene) for gene in row.ligand.split("_")}
        raised |= {(row.target, gene) for gene in row.receptor.split("_")}
    claims = shipped("claims")
    claims = claims[
        (claims["kind"] == "interaction") & ~claims["claim_id"].isin(listed["claim_id"])
    ]
    assert len(claims) >= 35
    for claim in claims.itertuples():
        for source, target, pair in itertools.product(
            split(claim.source), split(claim.target), split(claim.pairs)
        ):
            ligand, receptor = pair.split("^")
            for s, t in itertools.product(opened(source), opened(target)):
                assert not (
                    all((s, gene) in raised for gene in ligand.split("_"))
                    and all((t, gene) in raised for gene in receptor.split("_"))
                ), (claim.claim_id, s, t, pair)


def test_six_thousand_genes_can_be_had(shipped, elevated, pairs):
    classes = genes.gene_classes(
        6000,
        elevated=next(iter(elevated.values())).columns,
        resource={gene for pair in pairs for side in pair for gene in side.split("_")},
        families=genes.packaged_families(),
        seed=1,
    )
    assert len(classes) == 6000
    assert set(shipped("markers")["gene"]) <= set(classes.index)
