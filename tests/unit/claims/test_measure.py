"""One claim in one cohort: values, activity and decoys, by kind."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from osteotalk.claims.evidence import read_ledger
from osteotalk.claims.measures.measure import measure

MANY = tuple(f"p{i:02d}" for i in range(26))


def measured(kit, cohort, row, *, vocabulary=None, signatures=None, **settings):
    (claim,) = kit.read(row, vocabulary=kit.VOCABULARY if vocabulary is None else vocabulary)
    signatures = kit.NO_SIGNATURES if signatures is None else signatures
    ledger = read_ledger([claim], cohort, signatures=signatures)
    return measure(claim, cohort, ledger, kit.replace(kit.SETTINGS, **settings))


def words(names):
    return pd.DataFrame({"population": names, "parent": "", "level": ""})


@pytest.fixture
def mixed(kit):
    """26 populations in three samples; p00 is the largest."""
    sizes = np.random.default_rng(0).integers(5, 60, size=(3, 26))
    sizes[:, 0] = [150, 30, 9]
    sizes[2] = 0
    sizes[2, 1] = 9  # fewer cells than min_cells in all
    return kit.light_cohort(np.ones((3, 26, 1)), populations=MANY, sizes=sizes)


def test_composition_by_hand(kit, mixed):
    row = {"kind": "composition", "source": "p00", "target": ""}
    got = measured(kit, mixed, row, vocabulary=words(MANY))
    assert got.samples.tolist() == [0, 1]
    part, whole = mixed.sizes[:2, 0], mixed.sizes[:2].sum(axis=1)
    np.testing.assert_allclose(got.value, part / whole)
    np.testing.assert_allclose(got.controls, mixed.sizes[:2, 1:] / whole[:, None])
    p = [stats.binomtest(int(k), int(n), 1 / 26, alternative="greater").pvalue
         for k, n in zip(part, whole, strict=True)]  # fmt: skip
    assert got.active.tolist() == [x <= 0.05 for x in p] == [True, False]
    assert (got.elsewhere, got.n_pool) == (None, 25)


def test_composition_between_conditions_takes_logits(kit, mixed):
    row = {"kind": "composition", "source": "p00", "contrast": "conditions", "contrast_with": "a>b"}
    got = measured(kit, mixed, row, vocabulary=words(MANY))
    part, whole = mixed.sizes[:2], mixed.sizes[:2].sum(axis=1, keepdims=True)
    expected = np.log((part + 0.5) / (whole - part + 0.5))
    np.testing.assert_allclose(got.value, expected[:, 0])
    np.testing.assert_allclose(got.controls, expected[:, 1:])


def test_a_denominator_leaves_other_populations_out(kit, mixed):
    row = {"kind": "composition", "source": "p00", "target": ";".join(MANY[:22])}
    got = measured(kit, mixed, row, vocabulary=words(MANY))
    whole = mixed.sizes[:2, :22].sum(axis=1)
    np.testing.assert_allclose(got.value, mixed.sizes[:2, 0] / whole)
    assert got.controls.shape == (2, 21)
    row["target"] = ";".join(MANY[:20])  # 19 others: no control
    got = measured(kit, mixed, row, vocabulary=words(MANY))
    assert (got.controls.shape, got.n_pool) == ((2, 0), 19)


def test_several_populations_are_compared_with_as_many(kit, mixed):
    row = {"kind": "composition", "source": "p00;p03"}
    got = measured(kit, mixed, row, vocabulary=words(MANY))
    others = [i for i in range(26) if i not in (0, 3)]
    expected = [mixed.sizes[:2, list(c)].sum(axis=1) for c in itertools.combinations(others, 2)]
    assert got.n_pool == math.comb(24, 2)
    np.testing.assert_allclose(
        got.controls, np.array(expected).T / mixed.sizes[:2].sum(axis=1)[:, None]
    )


def test_where_there_are_too_many_sets_they_are_spread_over_all_populations(kit, mixed):
    sizes = np.zeros((1, 26), dtype=int)
    sizes[0, 0], sizes[0, 1], sizes[0, -1] = 50, 30, 20
    cohort = kit.light_cohort(np.ones((1, 26, 1)), populations=MANY, sizes=sizes)
    row = {"kind": "composition", "source": "p00;p02;p03;p04"}
    got = measured(kit, cohort, row, vocabulary=words(MANY), n_decoys=500)
    assert 400 < got.n_pool <= 500
    assert got.controls.shape[1] == got.n_pool
    share = (got.controls[0] > 0.25).mean()  # those with the second largest population
    assert abs(share - 4 / 22) < 0.05


def test_states_are_compared_with_states_of_the_same_population(kit):
    names = ["tam", *(f"s{i:02d}" for i in range(22)), "b_cell"]
    vocabulary = pd.DataFrame(
        {"population": names, "parent": ["", *["tam"] * 22, ""], "level": ["", *["state"] * 22, ""]}
    )
    states = {f"s{i:02d}": np.array([i, 3]) for i in range(22)} | {"other": np.array([99, 99])}
    parents = dict(zip(names, vocabulary["parent"], strict=True)) | {"other": "b_cell"}
    cohort = kit.light_cohort(
        np.ones((2, 2, 1)), populations=("tam", "b_cell"), sizes=np.array([[231, 50], [66, 9]]),
        states=states, state_parents=parents,
    )  # fmt: skip
    row = {"kind": "composition", "source": "s20", "target": "tam"}
    got = measured(kit, cohort, row, vocabulary=vocabulary)
    np.testing.assert_allclose(got.value, [20 / 231, 3 / 66])
    assert got.controls.shape == (2, 21)
    np.testing.assert_allclose(got.controls[0], [i / 231 for i in range(22) if i != 20])
    assert got.active.tolist() == [True, False]  # above 1 in 22


def test_a_population_that_is_all_of_the_denominator_is_never_active(kit, mixed):
    row = {"kind": "composition", "source": "p00", "target": "p00"}
    got = measured(kit, mixed, row, vocabulary=words(MANY))
    assert (got.value == 1).all()
    assert not got.active.any()


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (
            {"kind": "interaction", "pairs": "A^B;C^D", "source": "tam", "target": "tam"},
            "no pair could be scored: not measured, or not in the resource: A^B, C^D",
        ),
        (
            {"kind": "interaction", "pairs": "G0^G1", "source": "dc", "target": "tam"},
            "population absent from the cohort: none of the sources (dc) was found",
        ),
        (
            {"kind": "interaction", "pairs": "G0^G1", "source": "tam", "target": "t_nk;dc"},
            "population absent from the cohort: none of the targets (t_nk, dc) was found",
        ),
        (
            {"kind": "expression", "genes": "G0;B;A", "source": "tam"},
            "not measured: B, A",
        ),
        (
            {"kind": "expression", "genes": "G0", "source": "tam", "target": "tam"},
            "population absent from the cohort: none of the targets (tam) was found",
        ),
        (
            {"kind": "expression", "genes": "G0", "source": "tam;malignant"},
            "population absent from the cohort: none of the targets (any other population) was "
            "found",
        ),
        (
            {"kind": "signature", "signature": "short", "source": "tam"},
            "only 0 genes of the signature short are measured, 5 are needed",
        ),
        (
            {"kind": "composition", "source": "dc", "target": "myeloid"},
            "population absent from the cohort: dc",
        ),
        (
            {"kind": "composition", "source": "tam_c1q", "target": "tam"},
            "population absent from the cohort: tam_c1q",
        ),
    ],
)  # fmt: skip
def test_reasons(kit, row, reason):
    cohort = kit.light_cohort(
        np.ones((3, 2, 2)), populations=("malignant", "tam"), pairs=[("G0", "G1")],
        states={"tam_c1q": np.zeros(3, dtype=int), "tam_spp1": np.full(3, 5)},
    )  # fmt: skip
    assert measured(kit, cohort, row).reason == reason


def test_genes_and_programmes_are_compared_with_matched_ones(kit, planted, planted_claims):
    row = planted_claims[planted_claims["claim_id"] == "gene"].iloc[0].to_dict()
    got = measured(kit, planted, row)
    (match,) = got.matches
    own = planted.detection[planted.genes.get_loc("G0")]
    assert (match.control, match.quantity) == ("genes", "gene detection")
    assert match.claim == pytest.approx(own)
    assert len(match.decoys) == got.n_pool == got.controls.shape[1] > 100
    assert own / 2 <= match.decoys.min() <= match.decoys.max() <= own * 2
    assert got.active.tolist() == ["gene" in tested for tested in planted.tested]
    row = planted_claims[planted_claims["claim_id"] == "programme"].iloc[0].to_dict()
    got = measured(kit, planted, row, signatures=kit.SIGNATURES)
    assert got.controls.shape == (9, kit.SETTINGS.n_decoys)
    assert abs(np.log2(got.matches[0].decoys / got.matches[0].claim)).max() < 1


def test_pairs_are_matched_on_both_sides(kit, planted, planted_claims):
    row = planted_claims[planted_claims["claim_id"] == "edges"].iloc[0].to_dict()
    got = measured(kit, planted, row)
    told = {(match.control, match.quantity): match for match in got.matches}
    assert list(told) == [
        ("pairs", "ligand detection"), ("pairs", "receptor detection"),
        ("populations", "source cells"), ("populations", "target cells"),
    ]  # fmt: skip
    ligands = planted.detection[planted.genes.get_indexer(["L0", "L1"])]
    match = told["pairs", "ligand detection"]
    assert match.claim == pytest.approx(math.sqrt(ligands[0] * ligands[1]))
    assert abs(np.log2(match.decoys / match.claim)).max() <= 1 + 1e-9
    cells = told["populations", "source cells"]
    assert cells.claim == 9 * 40
    assert len(cells.decoys) == got.elsewhere.shape[1] - 1


def test_the_best_edge_is_active_in_most_patients_then_most_specific(kit):
    """Two samples of P0 do not outvote two patients."""
    means = np.ones((4, 3, 4))
    means[:, 0, 0] = means[:, 1, 1] = 9  # by strength G0^G1 from a to b
    active = np.zeros((4, 2, 3, 3), dtype=bool)
    active[[0, 1], 0, 0, 1] = True
    active[[2, 3], 1, 2, 1] = True  # G2^G3 from c to b
    cohort = kit.light_cohort(
        means, populations=("malignant", "endothelial", "tam"), pairs=[("G0", "G1"), ("G2", "G3")],
        patients=("P0", "P0", "P1", "P2"), active=active,
    )  # fmt: skip
    row = {"kind": "interaction", "pairs": "G0^G1;G2^G3", "source": "malignant;tam",
           "target": "endothelial"}  # fmt: skip
    got = measured(kit, cohort, row)
    assert got.best_edge == "tam>endothelial:G2^G3"
    assert got.active.all()
    active[2:] = False
    assert measured(kit, cohort, row).best_edge == "malignant>endothelial:G0^G1"
    active[:] = False
    assert measured(kit, cohort, row).best_edge == "malignant>endothelial:G0^G1"
    nothing = kit.replace(cohort, means=means * 0, shares=means * 0)
    assert measured(kit, nothing, row).best_edge == ""
