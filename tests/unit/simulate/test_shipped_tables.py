"""The tables in config/ that the embedded cohort is made from."""

import itertools

import pandas as pd
import pytest

from osteotalk.interactions.pairs.resource import liana_resource
from osteotalk.simulate import check, genes, truth
from osteotalk.simulate.claim_truth import claim_truth
from osteotalk.tables import split


@pytest.fixture
def shipped(shipped):
    """The shipped tables; the vocabulary is that of the cells that are drawn."""

    def read(name):
        table = shipped(name)
        if name != "populations":
            return table
        return truth.drawn_populations(table, shares=shipped("simulation_populations"))

    return read


@pytest.fixture
def elevated(shipped):
    samples = shipped("samples")
    return truth.elevation_by_condition(
        shipped("populations"),
        markers=shipped("markers"),
        planted=shipped("simulation_edges"),
        conditions=samples.loc[samples["dataset"] == "simulated_os", "condition"],
        genes=truth.raised_genes(shipped("simulation_genes"), signatures=shipped("signatures")),
    )


@pytest.fixture
def found(shipped, elevated):
    """Truth of the shipped claims, by their id."""
    return claim_truth(
        shipped("claims"),
        populations=shipped("populations"),
        elevated=elevated,
        signatures=shipped("signatures"),
        shares=shipped("simulation_populations"),
    ).set_index("claim_id")


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


def opened(shipped, name):
    """Leaf populations below a name, from the text of the table."""
    rows = shipped("populations")
    below = rows.loc[(rows["parent"] == name) & (rows["level"] == ""), "population"]
    return [leaf for child in below for leaf in opened(shipped, child)] or [name]


def raised_by_hand(shipped, condition):
    """Population and gene of all that the tables raise in a condition, by brute force."""
    populations = shipped("populations")
    real = set(populations.loc[populations["level"] != "state", "population"])
    markers = [row for row in shipped("markers").itertuples() if row.population in real]
    raised = set()
    for row in markers:
        below = opened(shipped, row.population)
        told = any(m.gene == row.gene and m.population in below for m in markers)
        if row.sign != "-" and not (below != [row.population] and told):
            raised |= {(leaf, row.gene) for leaf in below}
    for row in shipped("simulation_edges").itertuples():
        if row.where in ("all", condition):
            raised |= {(row.source, gene) for gene in row.ligand.split("_")}
            raised |= {(row.target, gene) for gene in row.receptor.split("_")}
    programmes = shipped("signatures").groupby("signature")["gene"].agg(list)
    for row in shipped("simulation_genes").itertuples():
        if row.where in ("all", condition):
            for item in row.genes.split(";"):
                genes = programmes[item[10:]] if item.startswith("signature:") else [item]
                raised |= {(p, g) for p in opened(shipped, row.population) for g in genes}
    return raised


def test_raised_genes_are_those_of_the_tables(shipped, elevated):
    assert list(elevated) == ["lung_metastasis", "primary"]
    for condition, frame in elevated.items():
        stacked = frame.stack()
        assert set(stacked[stacked].index) == raised_by_hand(shipped, condition)


def test_exactly_the_listed_claims_are_planted(shipped, found):
    claims = shipped("claims").set_index("claim_id")
    assert list(found.index) == [i for i in claims.index if claims["kind"][i] != "not_testable"]
    listed = pd.concat(
        [shipped(name)[["claim_id", "where"]] for name in ("simulation_edges", "simulation_genes")]
    )
    planted = found[found["planted"]]
    assert set(planted.index) == set(listed["claim_id"])
    assert not found.loc[~found["planted"], "where"].any()
    # Where a claim holds is where its rows say.
    said = listed.groupby("claim_id")["where"].agg(
        lambda w: "all" if "all" in set(w) else w.iloc[0]
    )
    assert planted["where"].to_dict() == said.to_dict()


def test_both_planted_and_not_in_every_kind(shipped, found):
    claims = shipped("claims").set_index("claim_id").loc[found.index]
    plain = claims["contrast"] == ""
    conditions = claims["contrast"] == "conditions"
    for kind, rows in (
        ("interaction", plain),
        ("expression", plain),
        ("expression", conditions),
    ):
        truths = found.loc[rows & (claims["kind"] == kind), "planted"]
        assert 0.3 <= truths.mean() <= 0.7, kind
    assert not found.loc[claims["contrast"] == "correlation", "planted"].any()
    assert {"higher", "lower"} == set(claims.loc[found["planted"] & conditions, "direction"])
    # A plain claim holds everywhere; one of them shows what holding in a part looks like.
    partly = found[found["planted"] & plain & (found["where"] != "all")]
    assert list(partly.index) == ["C001"]


def test_claims_that_are_not_planted_have_no_raised_edge(shipped, found):
    """The same statement by brute force over the text of the tables."""
    raised = raised_by_hand(shipped, "primary") | raised_by_hand(shipped, "lung_metastasis")
    claims = shipped("claims").set_index("claim_id", drop=False).loc[found.index]
    claims = claims[(claims["kind"] == "interaction") & (claims["contrast"] == "")]
    claims = claims[~found.loc[claims.index, "planted"]]
    assert len(claims) >= 30
    for claim in claims.itertuples():
        for source, target, pair in itertools.product(
            split(claim.source), split(claim.target), split(claim.pairs)
        ):
            ligand, receptor = pair.split("^")
            for s, t in itertools.product(opened(shipped, source), opened(shipped, target)):
                assert not (
                    all((s, gene) in raised for gene in ligand.split("_"))
                    and all((t, gene) in raised for gene in receptor.split("_"))
                ), (claim.claim_id, s, t, pair)


def test_genes_of_a_claim_are_raised_where_the_claim_is(shipped):
    """Only the claimed genes, only in claimed populations, and the markers of no other one."""
    claims, signatures = shipped("claims").set_index("claim_id"), shipped("signatures")
    populations, markers = shipped("populations"), shipped("markers")
    real = populations.loc[populations["level"] == "", "population"]
    markers = markers[markers["population"].isin(real)]
    for row in shipped("simulation_genes").itertuples():
        claim = claims.loc[row.claim_id]
        allowed = {leaf for name in split(claim["source"]) for leaf in opened(shipped, name)}
        here = opened(shipped, row.population)
        assert set(here) <= allowed
        wanted = claim["genes"] or f"signature:{claim['signature']}"
        assert row.genes == wanted
        genes = truth.raised_genes(pd.DataFrame([row._asdict()]), signatures=signatures)["gene"]
        named = markers[markers["gene"].isin(genes)]
        for other in named.itertuples():
            assert other.sign != "-" or other.population not in here
            assert other.sign == "-" or set(opened(shipped, other.population)) & set(here)


def test_shipped_raised_genes_are_valid(shipped):
    arguments = (shipped("samples"), shipped("populations"), shipped("signatures"))
    assert check.raised_problems(shipped("simulation_genes"), *arguments) == []


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
