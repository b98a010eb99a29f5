"""How often a verdict comes up by chance."""

import math

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.proportion import confint_proportions_2indep

from osteotalk.claims.controls.calibrate import (
    PAIRS,
    POPULATIONS,
    SHUFFLED,
    count_verdicts,
    decoy_claims,
    disturbed_by_shuffling,
    shuffle_labels,
    shuffle_patients,
)
from osteotalk.claims.verdicts import VERDICTS
from osteotalk.contract_checks import check_frame
from osteotalk.interactions.support import wilson_interval


def test_shuffled_labels_keep_numbers_and_stay_with_their_state(planted_cells):
    samples = [part.adata for part in planted_cells[:3]]
    before = [adata.obs.copy() for adata in samples]
    shuffled = list(shuffle_labels(samples, rng=np.random.default_rng(0)))
    for adata, old, obs in zip(shuffled, samples, before, strict=True):
        new = adata.obs
        for name in ("population", "population_state"):
            counts = new[name].astype(str).value_counts().to_dict()
            assert counts == obs[name].value_counts().to_dict()
        together = new.groupby("population", observed=True)["population_state"].unique()
        assert set(together["tam"]) == {"tam_spp1", "tam_c1q"}
        assert together.drop("tam").map(len).eq(1).all()
        nameless = obs["population"] == "unassigned"
        assert (new["population"].astype(str) == "unassigned").equals(nameless)
        moved = new["population"].astype(str) != obs["population"]
        assert moved.mean() > 0.6
        assert (adata.X != old.X).nnz == 0
        assert list(new.index) == list(obs.index)
        assert (new["patient"] == obs["patient"]).all()
        assert old.obs.equals(obs)  # the input is left alone


def test_every_shuffle_differs_and_a_seed_repeats_it(planted_cells):
    def labels(seed):
        samples = [part.adata for part in planted_cells[:2]]
        found = shuffle_labels(samples, rng=np.random.default_rng(seed))
        return [adata.obs["population"].astype(str).tolist() for adata in found]

    assert labels(0) == labels(0)
    assert labels(0) != labels(1)


def test_the_order_of_cells_and_genes_does_not_change_who_gets_which_label(planted_cells):
    adata = next(iter(planted_cells)).adata
    rng = np.random.default_rng(3)
    turned = adata[rng.permutation(adata.n_obs), rng.permutation(adata.n_vars)].copy()
    before, after = (
        next(shuffle_labels([cells], rng=np.random.default_rng(0))).obs for cells in (adata, turned)
    )
    _, first = np.unique(adata.X.toarray(), axis=0, return_index=True)
    cells = adata.obs_names[np.sort(first)]  # cells with equal values are one and the same
    assert len(cells) > 0.9 * adata.n_obs
    for column in ("population", "population_state"):
        found = (obs.loc[cells, column].astype(str) for obs in (before, after))
        pd.testing.assert_series_equal(*found)


def test_patients_swap_conditions_as_blocks(kit):
    cohort = kit.light_cohort(
        np.ones((8, 2, 1)), populations="ab", patients=tuple("AABCDEFF"),
        conditions=("lung",) * 3 + ("primary",) * 5,
    )  # fmt: skip
    seen = set()
    for seed in range(40):
        got = shuffle_patients(cohort, rng=np.random.default_rng(seed))
        of_patient = {}
        for patient, condition in zip(cohort.patients, got.conditions, strict=True):
            of_patient.setdefault(patient, set()).add(condition)
        assert all(len(found) == 1 for found in of_patient.values())
        conditions = [found.copy().pop() for found in of_patient.values()]
        assert sorted(conditions) == ["lung"] * 2 + ["primary"] * 4
        # a correlation takes the other quantity of the same patient for all samples of one
        partners = np.array(cohort.patients)[got.partners]
        assert partners[0] == partners[1]
        assert partners[6] == partners[7]
        assert len(set(partners)) == 6
        assert got.patients == cohort.patients
        assert got.means is cohort.means
        seen.add(got.conditions)
    assert len(seen) > 5


def test_a_patient_with_both_conditions_exchanges_its_own(kit):
    """So there are as many pairs as before; the others exchange theirs among each other."""
    patients, conditions = "AABBCCCDE", "xyxyxxyxy"
    cohort = kit.light_cohort(
        np.ones((9, 2, 1)), populations="ab", patients=tuple(patients), conditions=tuple(conditions)
    )
    seen = set()
    for seed in range(60):
        got = shuffle_patients(cohort, rng=np.random.default_rng(seed))
        for name in "ABC":
            own = [i for i in range(9) if patients[i] == name]
            assert sorted(got.conditions[i] for i in own) == sorted(conditions[i] for i in own)
        assert sorted(got.conditions[7:]) == ["x", "y"]
        partners = np.array(list(patients))[got.partners]
        assert partners[0] == partners[1]
        assert len(set(partners)) == 5
        seen.add(got.conditions)
    assert len(seen) > 20  # of 2 x 2 x 3 x 2


@pytest.fixture(scope="module")
def drawn(kit, planted, planted_claims):
    def draw(control, n=4, claims=planted_claims):
        return decoy_claims(
            claims, planted, vocabulary=kit.VOCABULARY, signatures=kit.SIGNATURES,
            settings=kit.SETTINGS, n=n, control=control,
        )  # fmt: skip

    return draw


def test_decoy_claims_match_and_hold_nothing_that_is_claimed(drawn, planted, planted_claims):
    tables, signatures = drawn(PAIRS, n=25)
    assert len(tables) == 25
    real = planted_claims.set_index("claim_id")
    claimed = {
        column: {item for cell in real[column] for item in cell.split(";")}
        for column in ("pairs", "genes")
    }
    detection = dict(zip(planted.genes, planted.detection, strict=True))

    def close(one, other):
        return 0.5 <= detection[one] / detection[other] <= 2

    kinds = set()
    for i, table in enumerate(tables):
        assert list(table.columns) == list(planted_claims.columns)
        for row in table.to_dict("records"):
            name, _, number = row["claim_id"].partition("~")
            assert number == str(i)
            own = real.loc[name]
            kinds.add(row["kind"])
            same = ["kind", "theme", "source", "target", "contrast", "direction", "contrast_with"]
            assert [row[c] for c in same] == own[same].tolist()
            for column in ("pairs", "genes"):
                items = [item for item in row[column].split(";") if item]
                assert not claimed[column] & set(items)
                measured = [
                    x for x in own[column].split(";") if x and x not in ("NO^PE", "ABSENT1")
                ]
                assert len(items) == len(set(items)) == len(measured)
                for new, old in zip(items, measured, strict=True):
                    assert all(map(close, new.split("^"), old.split("^")))
    assert kinds == {"interaction", "expression", "signature"}
    for table in tables:
        for row in table[table["kind"] == "signature"].to_dict("records"):
            own = signatures[signatures["signature"] == row["signature"]]
            old = real.loc[row["claim_id"].partition("~")[0], "signature"]
            before = signatures[signatures["signature"] == old]
            before = before[before["gene"].isin(planted.genes)]
            assert own["weight"].astype(float).tolist() == before["weight"].astype(float).tolist()
            assert not set(own["gene"]) & (set(before["gene"]) | claimed["genes"])
            assert all(map(close, own["gene"], before["gene"]))


def test_population_decoys_keep_the_pairs(drawn, planted, planted_claims):
    tables, _ = drawn(POPULATIONS, n=10)
    real = planted_claims.set_index("claim_id")
    named = {
        (pair, row["source"], row["target"])
        for row in planted_claims.to_dict("records")
        for pair in row["pairs"].split(";")
    }
    for row in pd.concat(tables).to_dict("records"):
        own = real.loc[row["claim_id"].partition("~")[0]]
        assert row["kind"] == "interaction"
        assert row["pairs"] == own["pairs"]
        assert all((p, row["source"], row["target"]) not in named for p in row["pairs"].split(";"))
    assert {c.partition("~")[0] for c in tables[0]["claim_id"]} == {
        "edge", "edges", "parent", "everywhere", "some", "reversed", "few", "too_few",
        "higher_edge", "lower_edge",
    }  # fmt: skip


def test_decoy_claims_depend_on_the_seed_only(drawn, planted_claims):
    one, two = drawn(PAIRS)[0], drawn(PAIRS, claims=planted_claims[::-1])[0]
    assert one[0].set_index("claim_id").loc[two[0]["claim_id"]].equals(two[0].set_index("claim_id"))
    assert not one[0]["pairs"].equals(one[1]["pairs"])


def evidence_with(verdicts, claim="C"):
    return pd.DataFrame(
        {"claim_id": [f"{claim}{i}" for i in range(len(verdicts))], "dataset": "d",
         "verdict": verdicts}
    )  # fmt: skip


def test_rates_by_hand(kit):
    claims = kit.claims_table({"theme": "immune"}, {"theme": "immune"}, {"theme": "vessels"}, {})
    real = evidence_with(["supported", "supported", "partly", "supported"])
    tables = [
        evidence_with(["supported", "partly", "partly"]).assign(
            claim_id=[f"C{i}~{t}" for i in range(3)]
        )
        for t in range(2)
    ]
    found = count_verdicts(real, {PAIRS: tables, SHUFFLED: []}, claims)
    check_frame(found, table="calibration", where="x")
    assert set(found["control"]) == {PAIRS}
    assert list(found["theme"].unique()) == ["all", "immune", "vessels"]
    assert list(found["verdict"].unique()) == list(VERDICTS)
    index = found.set_index(["theme", "verdict"])
    counts = ["k_real", "n_real", "k_control", "n_control"]
    # the fourth claim has no control, and is not counted
    assert index.loc[("all", "supported"), counts].tolist() == [2, 3, 2, 6]
    assert index.loc[("all", "partly"), counts].tolist() == [1, 3, 4, 6]
    assert index.loc[("immune", "supported"), counts].tolist() == [2, 2, 2, 4]
    assert index.loc[("vessels", "supported"), counts].tolist() == [0, 1, 0, 2]
    row = index.loc[("all", "supported")]
    low, high = wilson_interval(np.array([2]), np.array([6]))
    numbers = row[["rate", "rate_low", "rate_high", "ratio"]].tolist()
    assert numbers == pytest.approx([2 / 6, low[0], high[0], 2.0])
    bounds = confint_proportions_2indep(2, 3, 2, 6, method="score", compare="ratio")
    assert row[["ratio_low", "ratio_high"]].tolist() == pytest.approx(bounds)
    nothing = index.loc[("vessels", "supported"), ["ratio", "ratio_low", "ratio_high"]]
    assert nothing.isna().all()


@pytest.mark.parametrize("k_real", [0, 1, 4])
@pytest.mark.parametrize("k_control", [0, 3, 40])
def test_the_interval_of_a_ratio_holds_the_ratio(kit, k_real, k_control):
    real = evidence_with(["supported"] * k_real + ["partly"] * (5 - k_real))
    drawn = evidence_with(["supported"] * k_control + ["partly"] * (50 - k_control))
    drawn["claim_id"] = [f"C{i % 5}~{i // 5}" for i in range(50)]
    real.loc[4, "verdict"] = drawn.loc[49, "verdict"] = "not supported"
    found = count_verdicts(real, {SHUFFLED: [drawn]}, kit.claims_table(*[{}] * 5))
    row = found[(found["theme"] == "all") & (found["verdict"] == "supported")].iloc[0]
    assert row[["k_real", "k_control", "n_control"]].tolist() == [k_real, k_control, 50]
    assert 0 <= row["rate_low"] <= row["rate"] <= row["rate_high"] <= 1
    if k_real or k_control:
        assert row["ratio_low"] - 1e-9 <= row["ratio"] <= row["ratio_high"]
        expected = math.inf if not k_control else (k_real / 5) / (k_control / 50)
        assert row["ratio"] == pytest.approx(expected)
    else:
        assert math.isnan(row["ratio"])


def test_claims_that_shuffling_disturbs(kit):
    claims = kit.claims_table(
        {"kind": "interaction"}, {"kind": "composition"}, {"kind": "not_testable"},
        {"kind": "composition", "contrast": "conditions"}, {"kind": "signature"},
    )  # fmt: skip
    assert list(disturbed_by_shuffling(claims)["claim_id"]) == ["C0", "C3", "C4"]
