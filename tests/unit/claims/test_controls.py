"""What may stand in the place of a claim."""

import math

import numpy as np
import pytest

from osteotalk.claims.controls.candidates import draw_pairs, items_of, other_populations
from osteotalk.claims.controls.decoys import claim_rng, decoy_p_value
from osteotalk.claims.evidence import read_ledger
from osteotalk.claims.measures.values import complex_values, sides

POPULATIONS = ("malignant", "endothelial", "tam", "cd4_t", "cd8_t", "b_cell")
# 30 pairs of their own, and three that share a ligand or a receptor with the first.
PAIRS = [(f"G{i}", f"G{i + 30}") for i in range(30)] + [
    ("G0", "G45"),
    ("G20", "G30"),
    ("G1_G2", "G50"),
]
EDGE = {"kind": "interaction", "source": "malignant", "target": "tam"}


@pytest.fixture(scope="module")
def cohort(kit):
    means = np.random.default_rng(0).gamma(1, 1, size=(3, 6, 70))
    return kit.light_cohort(means, populations=POPULATIONS, pairs=PAIRS)


def ledger_of(kit, cohort, *rows, signatures=None):
    signatures = kit.NO_SIGNATURES if signatures is None else signatures
    claims = kit.read(*rows)
    return claims, read_ledger(claims, cohort, signatures=signatures)


def test_pairs_that_share_a_side_or_are_claimed_are_no_decoys(kit, cohort):
    claims, ledger = ledger_of(
        kit, cohort, EDGE | {"pairs": "G0^G30;NO^PE"}, EDGE | {"pairs": "G7^G37", "source": "tam"}
    )
    items = items_of(claims[0], cohort, ledger)
    assert items.rows.tolist() == [0]
    assert np.flatnonzero(items.forbidden).tolist() == [0, 7, 30, 31]
    assert np.flatnonzero(items.claimed).tolist() == [0, 7]
    assert items.names[[0, 32]].tolist() == ["G0^G30", "G1_G2^G50"]


def test_genes_that_are_claimed_are_no_decoys(kit, cohort):
    expression = {"kind": "expression", "source": "tam"}
    programme = {"kind": "signature", "signature": "mixed", "source": "tam"}
    claims, ledger = ledger_of(
        kit, cohort, expression | {"genes": "G3;G4"}, expression | {"genes": "G9;NO"}, programme,
        signatures=kit.SIGNATURES,
    )  # fmt: skip
    items = items_of(claims[0], cohort, ledger)
    assert items.rows.tolist() == [3, 4]
    assert np.flatnonzero(items.forbidden).tolist() == [3, 4, 9]
    items = items_of(claims[2], cohort, ledger)
    assert items.rows.tolist() == list(range(30, 37))
    assert items.weights.tolist() == [1, 1, 1, 1, -1, -1, -1]
    assert np.flatnonzero(items.forbidden).tolist() == [3, 4, 9, *range(30, 37)]


def drawn(kit, cohort, pairs, *others, seed=0, **settings):
    claims, ledger = ledger_of(kit, cohort, EDGE | {"pairs": pairs}, *others)
    items = items_of(claims[0], cohort, ledger)
    chosen = kit.replace(kit.SETTINGS, **settings)
    decoys, n_pool = draw_pairs(items, cohort, chosen, claim_rng(seed, "x"))
    names = cohort.complexes.to_numpy()
    pairs = [list(zip(names[a], names[b], strict=True)) for a, b in zip(*decoys, strict=True)]
    return pairs, n_pool


def test_one_pair_is_replaced_by_every_other_that_may(kit, cohort):
    got, n_pool = drawn(kit, cohort, "G0^G30")
    assert [len(pairs) for pairs in got] == [1] * n_pool
    expected = {PAIRS[i] for i in range(33)} - {PAIRS[i] for i in (0, 30, 31)}
    assert {pairs[0] for pairs in got} == expected


def test_pairs_that_share_nothing_are_replaced_by_pairs_of_the_resource(kit, cohort):
    got, _ = drawn(kit, cohort, "G0^G30;G1^G31")
    assert len(got) == kit.SETTINGS.n_decoys
    assert all(set(pairs) <= set(PAIRS) and len(set(pairs)) == 2 for pairs in got)


def test_decoys_share_what_the_claim_shares(kit, cohort):
    # one ligand, two receptors; and one receptor of two ligands
    got, n_pool = drawn(kit, cohort, "G0^G30;G0^G45")
    assert n_pool >= 20
    assert len(got) > 300
    ligands, receptors = {a for a, _ in PAIRS}, {b for _, b in PAIRS}
    for (a, b), (c, d) in got:
        assert a == c in ligands
        assert b != d
        assert {b, d} <= receptors
    got, _ = drawn(kit, cohort, "G0^G30;G20^G30")
    assert all(pairs[0][1] == pairs[1][1] and pairs[0][0] != pairs[1][0] for pairs in got)


@pytest.mark.parametrize("pairs", ["G20^G35;G20^G30;G21^G35", "G20^G30;G20^G35", "G21^G35;G20^G35"])
def test_each_ligand_and_receptor_is_replaced_by_one_of_its_kind(kit, pairs):
    """Genes of even number are rare, those of odd number frequent."""
    means = np.ones((1, 6, 90))
    listed = [(f"G{i}", f"G{45 + i}") for i in range(45)]
    detection = np.where(np.arange(90) % 2 == 0, 0.05, 0.4)
    cohort = kit.light_cohort(
        means, populations=POPULATIONS, detection=detection,
        pairs=[*listed, *(tuple(p.split("^")) for p in pairs.split(";"))],
    )  # fmt: skip
    got, n_pool = drawn(kit, cohort, pairs)
    assert n_pool >= 20
    own = [tuple(pair.split("^")) for pair in pairs.split(";")]
    claimed = {gene for pair in own for gene in pair}  # may take each other's place
    for decoy in got:
        for new, old in zip(decoy, own, strict=True):
            for gene, replaced in zip(new, old, strict=True):
                assert gene in claimed or (int(gene[1:]) - int(replaced[1:])) % 2 == 0


def test_no_decoy_that_shares_holds_a_claimed_pair(kit, cohort):
    got, _ = drawn(kit, cohort, "G0^G30;G0^G45", EDGE | {"pairs": "G5^G35"}, n_decoys=20_000)
    found = {pair for pairs in got for pair in pairs}
    assert not found & {("G0", "G30"), ("G0", "G45"), ("G5", "G35")}
    assert {("G5", "G36"), ("G6", "G35"), ("G0", "G46")} <= found


def test_too_few_ligands_are_no_decoys(kit, cohort):
    detection = np.full(70, 0.2)
    detection[12:30] = 0.9  # ligands G0 to G11 and the complex are left
    few = kit.replace(cohort, detection=detection)
    for pairs in ("G0^G30;G0^G45", "G0^G30", "G0^G30;G1^G31"):
        got, n_pool = drawn(kit, few, pairs)
        assert got == []
        assert n_pool < 20


def null_claims(rng):
    """Claims of one pair, of three pairs, and of one ligand with two receptors."""
    one, two, three = rng.permutation(30)[:3]
    yield [(one, one)]
    yield [(one, one), (two, two), (three, three)]
    yield [(one, one), (one, (one + 7) % 30)]


def test_p_values_of_null_claims_are_not_too_small(kit):
    """Nothing special about any gene: at most as many small p-values as there should be."""
    pairs = [(f"G{i}", f"G{30 + (i + step) % 30}") for i in range(30) for step in (0, 7)]
    p = [[], [], []]
    for world in range(8):
        means = np.random.default_rng(world).gamma(0.5, 1, size=(1, 6, 60))
        cohort = kit.light_cohort(means, populations=POPULATIONS, pairs=pairs)
        for trial in range(20):
            rng = claim_rng(world, str(trial))
            for form, chosen in enumerate(null_claims(rng)):
                cell = ";".join(f"G{a}^G{30 + b}" for a, b in chosen)
                claims, ledger = ledger_of(kit, cohort, EDGE | {"pairs": cell})
                items = items_of(claims[0], cohort, ledger)
                decoys, _ = draw_pairs(items, cohort, kit.SETTINGS, rng)
                own = (cohort.ligands[items.rows][None], cohort.receptors[items.rows][None])
                value, others = (
                    complex_values(
                        cohort, np.array([0]), sides(claims[0], cohort), part, level=False
                    )[0]
                    for part in (own, decoys)
                )
                p[form].append(decoy_p_value(value[0], others))
    for values in p:
        for level in (0.02, 0.05, 0.1, 0.2):
            allowed = level + 3 * math.sqrt(level * (1 - level) / len(values))
            assert np.mean(np.array(values) <= level) <= allowed


def test_edges_of_other_claims_are_in_no_population_decoy(kit, cohort):
    rows = (
        EDGE | {"pairs": "G0^G30"},
        EDGE | {"pairs": "G0^G30;G3^G33", "source": "b_cell", "target": "cd4_t;cd8_t"},
        EDGE | {"pairs": "G4^G34", "source": "tam", "target": "malignant"},  # of another pair
        EDGE | {"pairs": "G0^G30", "target": "tam;endothelial"},  # holds the first claim's edge
    )
    claims, ledger = ledger_of(kit, cohort, *rows)
    members = other_populations(
        claims[0], cohort, ledger, n_decoys=99, rng=np.random.default_rng(0)
    )
    found = list(zip(*(part.argmax(axis=1).tolist() for part in members), strict=True))
    assert found[0] == (0, 2)
    assert len(found) == 36 - 3
    assert not {(5, 3), (5, 4), (0, 1)} & set(found)


def test_overlapping_sets_are_decoys_too(kit, cohort):
    row = EDGE | {"pairs": "G0^G30", "source": "malignant;tam", "target": "tam"}
    claims, ledger = ledger_of(kit, cohort, row)
    members = other_populations(
        claims[0], cohort, ledger, n_decoys=999, rng=np.random.default_rng(0)
    )
    assert len(members[0]) == math.comb(6, 2) * 6
    shared = members[0][:, 0] & members[1][:, 2]
    assert 1 < shared.sum() < len(shared)
