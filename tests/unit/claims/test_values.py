"""The number that a claim is judged by, against loops and against other code."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest

from osteotalk.claims.claim import Quantity
from osteotalk.claims.measures import values as v
from osteotalk.claims.measures.programmes import cell_scores, measured_genes
from osteotalk.claims.measures.values import Sides

NAMES = ("malignant", "endothelial", "tam", "monocyte", "b_cell")
PAIRS = [("G0", "G5"), ("G1_G2", "G6"), ("G3", "G7_G8"), ("G0", "G9")]


@pytest.fixture
def cohort(kit):
    """Four samples, five populations, ten genes; the third sample lacks monocytes."""
    rng = np.random.default_rng(0)
    means = rng.gamma(1, 1, size=(4, 5, 10))
    shares = rng.uniform(0.2, 1, size=means.shape)
    sizes = np.full((4, 5), 30)
    sizes[2, 3], means[2, 3], shares[2, 3] = 9, 0, 0
    return kit.light_cohort(
        means, shares=shares, populations=NAMES, pairs=PAIRS, sizes=sizes, expr_prop=0.3
    )


def part(cohort, s, k, name, *, level):
    """Level or share of one complex in one population of one sample."""
    genes = [int(g[1:]) for g in name.split("_")]
    means = [min(cohort.means[s, i, g] for g in genes) for i in range(len(NAMES))]
    if min(cohort.shares[s, k, g] for g in genes) < cohort.expr_prop:
        return 0.0
    return means[k] if level else means[k] / sum(means)


def edge(cohort, s, a, b, pair, *, level):
    product = part(cohort, s, a, pair[0], level=level) * part(cohort, s, b, pair[1], level=level)
    return math.sqrt(product) if level else product


@pytest.mark.parametrize("level", [False, True])
def test_interactions_by_a_loop(cohort, level):
    own = Sides(np.array([0, 3]), np.array([1, 2, 4]))
    sets = np.array([[0, 1], [2, 3], [1, 1]])
    samples = np.array([0, 2, 3])
    got = v.interaction_values(cohort, samples, own, sets, level=level)
    for i, s in enumerate(samples):
        for j, rows in enumerate(sets):
            best = [
                max(
                    edge(cohort, s, a, b, PAIRS[row], level=level)
                    for a, b in itertools.product(own.source, own.target)
                )
                for row in rows
            ]
            assert got[i, j] == pytest.approx(sum(best) / 2)
    assert (got > 0).any()


@pytest.mark.parametrize("level", [False, True])
def test_ligands_and_receptors_that_are_no_pairs(cohort, level):
    own, samples = Sides(np.array([0]), np.array([1, 2])), np.arange(4)
    position = cohort.complexes.get_indexer
    sets = (position(["G0", "G3"])[None], position(["G7_G8", "G5"])[None])
    got = v.complex_values(cohort, samples, own, sets, level=level)
    for s in samples:
        parts = [
            max(edge(cohort, s, 0, b, pair, level=level) for b in (1, 2))
            for pair in (("G0", "G7_G8"), ("G3", "G5"))
        ]
        assert got[s, 0] == pytest.approx(sum(parts) / 2)
    of_pairs = v.interaction_values(cohort, samples, own, np.array([[0, 1]]), level=level)
    sets = (cohort.ligands[[[0, 1]]], cohort.receptors[[[0, 1]]])
    np.testing.assert_array_equal(
        of_pairs, v.complex_values(cohort, samples, own, sets, level=level)
    )


@pytest.mark.parametrize("level", [False, True])
def test_interactions_elsewhere_by_a_loop(cohort, level):
    """The mean over the pairs and the edges between populations that have enough cells."""
    source = np.array([[1, 1, 0, 0, 0], [0, 0, 0, 1, 0], [0, 0, 1, 1, 0]], dtype=bool)
    target = np.array([[0, 0, 1, 0, 1], [1, 0, 0, 0, 0], [0, 0, 0, 1, 1]], dtype=bool)
    rows, samples = np.array([0, 1]), np.arange(4)
    got = v.interaction_elsewhere(cohort, samples, (source, target), rows, level=level)
    for s, j in itertools.product(samples, range(3)):
        ends = itertools.product(np.flatnonzero(source[j]), np.flatnonzero(target[j]), rows)
        strength = [
            edge(cohort, s, a, b, PAIRS[row], level=level)
            for a, b, row in ends
            if not (s == 2 and 3 in (a, b))
        ]
        if s == 2 and j == 1:  # no monocytes there: not 0, but unknown
            assert np.isnan(got[s, j])
        else:
            assert got[s, j] == pytest.approx(sum(strength) / len(strength))


def test_specificity_is_spec_weight_of_the_scorer(kit, planted, planted_cells):
    """For pairs of single genes, on real tables of interactions (NATMI as LIANA computes it)."""
    compared = 0
    for s, cells in enumerate(planted_cells):
        sample = planted.samples.index(cells.adata.obs["sample"].iloc[0])
        for row in cells.interactions.iloc[:: 97 + s].to_dict("records"):
            ends = [planted.columns([row[side]]) for side in ("source", "target")]
            pair = planted.pair_row[f"{row['ligand_complex']}^{row['receptor_complex']}"]
            got = v.interaction_values(
                planted, np.array([sample]), Sides(*ends), np.array([[pair]]), level=False
            )
            assert got[0, 0] == pytest.approx(row["spec_weight"], rel=1e-5)  # X is float32
            compared += 1
    assert compared > 200


@pytest.mark.parametrize("level", [False, True])
def test_genes_by_a_loop(cohort, level):
    own, samples = Sides(np.array([2, 3]), np.array([0, 1, 4])), np.array([1, 2])
    got = v.gene_values(cohort, samples, own, level=level)
    for i, s in enumerate(samples):
        there = [2, 3] if s == 1 else [2]  # the mean over populations with enough cells
        for g in range(10):
            inside = sum(cohort.means[s, k, g] for k in there) / len(there)
            outside = sum(cohort.means[s, k, g] for k in own.target) / 3
            seen = any(cohort.shares[s, k, g] >= 0.3 for k in (2, 3))
            expected = inside if level else inside / (inside + outside) if seen else 0
            assert got[i, g] == pytest.approx(expected)


def test_a_gene_that_nobody_has_is_0(kit):
    cohort = kit.light_cohort(np.zeros((1, 2, 1)), populations="ab", shares=np.ones((1, 2, 1)))
    own = Sides(np.array([0]), np.array([1]))
    assert v.gene_values(cohort, np.array([0]), own, level=False).tolist() == [[0.0]]


@pytest.mark.parametrize("level", [False, True])
def test_programmes_by_a_loop(cohort, level):
    own, samples = Sides(np.array([2, 3]), np.array([0, 4])), np.array([0, 2])
    sets, weights = np.array([[0, 1, 2], [7, 8, 2]]), np.array([1.0, 1.0, -1.0])
    got = v.programme_values(cohort, samples, own, level=level)(sets, weights)
    for i, s in enumerate(samples):
        for j, genes in enumerate(sets):
            score = {
                k: sum(w * cohort.means[s, k, g] for w, g in zip(weights, genes, strict=True)) / 3
                for k in range(5)
            }
            inside = (score[2] + score[3]) / 2 if s == 0 else score[2]
            expected = inside if level else inside - (score[0] + score[4]) / 2
            assert got[i, j] == pytest.approx(expected)


@pytest.mark.parametrize("signature", ["high", "mixed"])
def test_decouplers_scores_averaged_are_the_score_of_the_means(kit, planted, signature):
    """So the claim (scored in cells) and its decoys (scored on means) are on one scale."""
    samples, columns = np.arange(9), planted.columns(["tam", "cd8_t", "b_cell"])
    weights = measured_genes(kit.SIGNATURES, planted.genes)[signature]
    by_means = v.programme_values(planted, samples, Sides(columns, columns), level=True)(
        planted.genes.get_indexer(weights.index)[None], weights.to_numpy()
    )[:, 0]
    by_cells = v.programme_level(planted, signature, columns)
    np.testing.assert_allclose(by_cells, by_means, atol=1e-12)
    assert np.ptp(by_cells) > 0


def test_cell_scores_by_hand(kit, planted_cells):
    adata = planted_cells[0].adata
    scores = cell_scores(adata, kit.SIGNATURES)
    assert set(scores) == {"high", "mixed"}  # of `short` only four genes are measured
    genes = [f"G{i}" for i in range(30, 37)]
    signs = np.array([1, 1, 1, 1, -1, -1, -1])
    expected = adata[:, genes].X.toarray().astype(float) @ signs / 7
    np.testing.assert_allclose(scores["mixed"], expected, atol=1e-12)
    assert cell_scores(adata, kit.NO_SIGNATURES) == {}
    assert cell_scores(adata[:0], kit.SIGNATURES) == {}
    five = kit.SIGNATURES[kit.SIGNATURES["signature"] == "high"].iloc[:5]
    assert set(cell_scores(adata, five)) == {"high"}
    assert cell_scores(adata, five.iloc[:4]) == {}


def test_programme_level_is_unknown_without_a_population(kit):
    score = np.array([[1.0, 3, np.nan], [2, np.nan, np.nan], [5, np.nan, np.nan]])
    sizes = np.array([[30, 30, 3], [30, 3, 30], [30, 3, 3]])  # the last: nothing to compare with
    cohort = kit.light_cohort(
        np.ones((3, 3, 1)), populations="abc", programmes={"x": score}, sizes=sizes
    )
    got = v.programme_level(cohort, "x", np.array([0, 1, 2]))
    np.testing.assert_array_equal(got, [2, 2, np.nan])
    got = v.programme_level(cohort, "x", np.array([1]))
    np.testing.assert_array_equal(got, [3, np.nan, np.nan])


def test_sides_and_informative_samples(kit, cohort):
    edge_claim, gene, other = kit.read(
        {"kind": "interaction", "source": "tam", "target": "tam;monocyte"},
        {"kind": "expression", "source": "myeloid", "target": "monocyte;b_cell"},
        {"kind": "signature", "source": "b_cell"},
    )
    own = v.sides(edge_claim, cohort)
    assert (own.source.tolist(), own.target.tolist()) == ([2], [2, 3])  # a population to itself
    own = v.sides(gene, cohort)
    assert (own.source.tolist(), own.target.tolist()) == ([2, 3], [4])
    own = v.sides(other, cohort)
    assert (own.source.tolist(), own.target.tolist()) == ([4], [0, 1, 2, 3])
    measured = np.ones((len(cohort.samples), 2), dtype=bool)
    one, many = Sides(np.array([3]), np.array([0])), Sides(np.array([0]), np.array([3, 4]))
    assert v.informative(cohort, one, measured).tolist() == [0, 1, 3]
    assert v.informative(cohort, many, measured).tolist() == [0, 1, 2, 3]
    measured[1, 0] = False  # a gene that one sample did not measure
    assert v.informative(cohort, one, measured).tolist() == [0, 3]


def test_shares_of_populations_and_states(kit):
    cohort = kit.light_cohort(
        np.ones((3, 3, 1)), populations=("tam", "monocyte", "b_cell"),
        sizes=np.array([[6, 4, 90], [5, 4, 90], [20, 0, 0]]),
        states={"tam_spp1": np.array([2, 3, 4]), "tam_c1q": np.array([1, 0, 9])},
    )  # fmt: skip
    rows = kit.read(
        {"source": "tam", "target": "myeloid"}, {"source": "tam"},
        {"source": "tam_spp1", "target": "tam"},
        {"source": "tam_spp1;tam_c1q", "target": "myeloid"},
        kind="composition",
    )  # fmt: skip
    expected = [
        ([0, 2], [6, 20], [10, 20]),  # in the second sample the denominator has 9 cells
        ([0, 1, 2], [6, 5, 20], [100, 99, 20]),
        ([2], [4], [20]),
        ([0, 2], [3, 13], [10, 20]),
    ]
    for claim, numbers in zip(rows, expected, strict=True):
        assert tuple(part.tolist() for part in v.shares_of(cohort, claim)) == numbers


def test_logit_is_finite_and_that_of_halves():
    assert v.logit(np.array([0]), np.array([10]))[0] == pytest.approx(math.log(0.5 / 10.5))
    assert v.logit(np.array([10]), np.array([10]))[0] == pytest.approx(math.log(10.5 / 0.5))
    assert v.logit(np.array([5]), np.array([10]))[0] == 0


def test_quantities_by_hand(kit, cohort):
    def value(*quantity):
        return v.quantity_values(cohort, Quantity(*quantity))

    got, reason = value("gene", "G4", ("tam", "monocyte"))
    expected = cohort.means[:, 2:4, 4].mean(axis=1)
    expected[2] = cohort.means[2, 2, 4]
    np.testing.assert_allclose(got, expected)
    assert reason == ""
    got, _ = value("gene", "G4", ("monocyte",))
    np.testing.assert_array_equal(np.isnan(got), [False, False, True, False])
    got, _ = value("share", "", ("tam", "b_cell"))
    np.testing.assert_allclose(got, np.log([60.5 / 90.5] * 2 + [60.5 / 69.5] + [60.5 / 90.5]))
    for quantity, words in (
        (("gene", "XX", ("tam",)), "not measured: XX"),
        (("gene", "G4", ("dc",)), "population absent from the cohort: dc"),
        (("signature", "nfkb", ("tam",)), "fewer than 5 genes of nfkb are measured"),
    ):
        got, reason = value(*quantity)
        assert reason == words
        assert np.isnan(got).all()


def test_the_share_of_a_tiny_sample_is_unknown(kit):
    cohort = kit.light_cohort(
        np.ones((2, 2, 1)), populations=("tam", "dc"), sizes=np.array([[4, 5], [5, 5]])
    )
    got, _ = v.quantity_values(cohort, Quantity("share", "", ("tam",)))
    np.testing.assert_array_equal(got, [np.nan, 0])


def test_weights_are_read_by_gene(kit):
    found = measured_genes(kit.SIGNATURES, pd.Index(["G34", "G30", "G40"]))
    assert {name: own.to_dict() for name, own in found.items()} == {
        "mixed": {"G30": 1.0, "G34": -1.0},
        "short": {"G40": 1.0},
    }
