import numpy as np
import pandas as pd
import pytest
from scipy import stats

from osteotalk.claims.combine import combine_evidence, independent_datasets
from osteotalk.claims.decoys import (
    MIN_POOL,
    claim_rng,
    decoy_p_value,
    draw_decoys,
    pair_detection,
    pool_of,
)
from osteotalk.claims.evidence import gather_evidence, prepare_cohort
from osteotalk.claims.verdicts import Rules, verdict
from osteotalk.contract import check_frame, conform, empty_frame
from osteotalk.interactions.support import summarise_support, wilson_interval

RULES = Rules(min_patients=3, min_support=0.5, max_decoy_q=0.05)
NAN = float("nan")
NONE = np.zeros(60, dtype=bool)


@pytest.mark.parametrize(
    ("informative", "active", "decoy_q", "expected", "words"),
    [
        (2, 2, 0.01, "not testable", "too few patients: 2 informative, 3 are needed"),
        (0, 0, NAN, "not testable", "too few patients: 0 informative"),
        (4, 2, 0.05, "supported", "stronger than matched decoys"),
        (4, 2, 0.051, "present, not specific", "matched decoys are as strong"),
        (4, 4, NAN, "present, not specific", "too few matched decoys"),
        (5, 2, 0.01, "partly", "active in 2 of 5"),
        (3, 0, 1.0, "not testable", "too few patients to rule it out"),
        (4, 0, 1.0, "not supported", "active in 0 of 4"),
    ],
)
def test_every_branch_of_the_verdict(informative, active, decoy_q, expected, words):
    high = wilson_interval(np.array([active]), np.array([informative]))[1][0]
    name, reason = verdict(
        n_informative=informative, n_active=active, support_high=high, decoy_q=decoy_q, rules=RULES
    )
    assert name == expected
    assert words in reason


def test_detection_of_a_complex_is_that_of_its_rarest_subunit():
    pairs = pd.DataFrame({"ligand": ["A", "A_B"], "receptor": ["C", "C"]})
    shares = pd.Series({"A": 0.5, "B": 0.1, "C": 0.3})
    np.testing.assert_allclose(pair_detection(pairs, shares), [[0.5, 0.3], [0.1, 0.3]])


def test_pool_keeps_to_a_factor_of_two_nearest_first():
    detection = np.array(
        [[0.2, 0.2], [0.11, 0.2], [0.2, 0.39], [0.09, 0.2], [0.2, 0.41], [0.2, 0.2]]
    )
    forbidden = np.array([True, False, False, False, False, False])
    assert list(pool_of(0, detection, forbidden=forbidden, size=9)) == [5, 1, 2]
    assert list(pool_of(0, detection, forbidden=forbidden, size=2)) == [5, 1]


@pytest.fixture
def many_pairs():
    n = 60
    return pd.DataFrame(
        {"ligand": [f"L{i}" for i in range(n)], "receptor": [f"R{i}" for i in range(n)]}
    )


def test_decoys_share_no_gene_with_the_claim_and_are_distinct(many_pairs):
    many_pairs.loc[5, "ligand"] = "L0"
    many_pairs.loc[6, "receptor"] = "R0"
    detection = np.full((60, 2), 0.2)
    drawn = draw_decoys(
        np.array([0]),
        many_pairs,
        detection,
        claimed=NONE,
        pool_size=100,
        n_decoys=50,
        rng=claim_rng(0, "x"),
    )
    assert drawn.shape == (50, 1)
    assert len(np.unique(drawn)) == 50
    assert not {0, 5, 6} & set(drawn[:, 0])


def test_a_claimed_pair_is_no_decoy(many_pairs):
    claimed = NONE.copy()
    claimed[[0, 7]] = True
    drawn = draw_decoys(
        np.array([0]),
        many_pairs,
        np.full((60, 2), 0.2),
        claimed=claimed,
        pool_size=100,
        n_decoys=100,
        rng=claim_rng(0, "x"),
    )
    assert set(drawn[:, 0]) == set(range(1, 60)) - {7}


def test_decoys_of_several_pairs(many_pairs):
    detection = np.full((60, 2), 0.2)
    detection[40:] = 0.01
    draw = {"claimed": NONE, "pool_size": 100, "n_decoys": 500}
    claim = np.array([0, 1])
    drawn = draw_decoys(claim, many_pairs, detection, **draw, rng=claim_rng(0, "d", "C1"))
    assert drawn.shape == (500, 2)
    assert set(np.unique(drawn)) == set(range(40))  # not the rarely detected ones
    again = draw_decoys(claim, many_pairs, detection, **draw, rng=claim_rng(0, "d", "C1"))
    np.testing.assert_array_equal(drawn, again)
    other = draw_decoys(claim, many_pairs, detection, **draw, rng=claim_rng(0, "d", "C2"))
    assert (drawn != other).any()


@pytest.mark.parametrize("k", [1, 2, 4])
def test_p_values_of_null_claims_are_not_too_small(k):
    """Claims of k random pairs, nothing special about them, at every small level."""
    rng, p = np.random.default_rng(0), []
    pairs = pd.DataFrame(
        {"ligand": [f"L{i}" for i in range(61)], "receptor": [f"R{i}" for i in range(61)]}
    )
    detection = np.full((61, 2), 0.2)
    for trial in range(600):
        strength = rng.random(61)
        claim = rng.choice(61, size=k, replace=False)
        drawn = draw_decoys(
            claim,
            pairs,
            detection,
            claimed=NONE[:1].repeat(61),
            pool_size=60,
            n_decoys=300,
            rng=claim_rng(trial, "x"),
        )
        p.append(decoy_p_value(strength[claim].max(), strength[drawn].max(axis=1)))
    for level in (0.01, 0.02, 0.05, 0.2):
        allowed = level + 3 * np.sqrt(level * (1 - level) / len(p))
        assert np.mean(np.array(p) <= level) <= allowed


def test_too_small_a_pool_gives_no_decoys(many_pairs):
    detection = np.full((60, 2), 0.2)
    detection[MIN_POOL:] = 0.9  # MIN_POOL - 1 pairs are left beside the claim
    drawn = draw_decoys(
        np.array([0]),
        many_pairs,
        detection,
        claimed=NONE,
        pool_size=100,
        n_decoys=50,
        rng=claim_rng(0, "x"),
    )
    assert len(drawn) == 0


def test_decoy_p_value_by_hand():
    assert decoy_p_value(3.0, np.array([1.0, 2.0, 3.0, 4.0])) == 3 / 5
    assert decoy_p_value(99.0, np.arange(19.0)) == 1 / 20
    assert np.isnan(decoy_p_value(1.0, np.array([])))


# A cohort of four patients, populations a and b, 60 pairs. L0^R0 is strong and active from a to b
# in the first three patients; all other pairs are weak and never active.
PATIENTS = ["P1", "P2", "P3", "P4"]
VOCABULARY = pd.DataFrame(
    [("ab", "", ""), ("a", "ab", ""), ("b", "ab", ""), ("c", "", "")],
    columns=["population", "parent", "level"],
)
MARKERS = pd.DataFrame([("a", "L0", "+")], columns=["population", "gene", "sign"])


@pytest.fixture
def cohort(many_pairs):
    rng = np.random.default_rng(0)
    frame = empty_frame("interactions")
    rows = []
    for patient in PATIENTS:
        for i in range(60):
            real = i == 0 and patient != "P4"
            values = dict.fromkeys(frame.columns, 0.5) | {"dataset": "d", "sample": patient}
            values |= dict.fromkeys(("condition", "ligand", "receptor"), "x")
            values |= {"source": "a", "target": "b", "n_source": 10, "n_target": 10}
            values |= {"ligand_complex": f"L{i}", "receptor_complex": f"R{i}"}
            values |= {
                "q_value": 0.01 if real else 0.8,
                "spec_weight": 0.5 if real else rng.uniform(0, 0.1),
            }
            rows.append(values)
    table = conform(pd.DataFrame(rows), table="interactions")
    obs = pd.DataFrame(
        [(p, p, population) for p in PATIENTS for population in "ab" for _ in range(10)],
        columns=["sample", "patient", "population"],
    )
    genes = [*many_pairs["ligand"], *many_pairs["receptor"]]
    return prepare_cohort(
        dataset="d",
        resource=many_pairs,
        interactions=table,
        support=summarise_support(table, obs, min_cells=10, alpha=0.05),
        obs=obs,
        shares=pd.Series(0.2, index=genes),
        min_cells=10,
        alpha=0.05,
    )


def evidence_of(cohort, *claims):
    columns = ["claim_id", "kind", "pairs", "source", "target", "reason"]
    return gather_evidence(
        pd.DataFrame(claims, columns=columns),
        cohort,
        vocabulary=VOCABULARY,
        markers=MARKERS,
        rules=RULES,
        n_decoys=200,
        decoy_pool=100,
        seed=0,
    ).set_index("claim_id")


def test_a_true_claim_is_supported_with_the_numbers_a_loop_gives(cohort):
    row = evidence_of(cohort, ("C1", "interaction", "L0^R0", "a", "b", "")).loc["C1"]
    assert (row["n_informative"], row["n_active"], row["support"]) == (4, 3, 0.75)
    assert row["best_edge"] == "a>b:L0^R0"
    assert row["n_decoys"] == 59  # all others, each once
    table = cohort.interactions.set_index(["patient", "ligand_complex"])["spec_weight"]
    claim = np.array([table[p, "L0"] for p in PATIENTS])
    decoys = np.array([[table[p, f"L{i}"] for p in PATIENTS] for i in range(1, 60)])
    stronger = sum(decoy.mean() >= claim.mean() for decoy in decoys)
    assert row["decoy_p"] == pytest.approx((1 + stronger) / 60)
    gain = claim - decoys.mean(axis=0)
    assert row["effect"] == pytest.approx(gain.mean())
    low, high = stats.t.interval(0.95, 3, loc=gain.mean(), scale=stats.sem(gain))
    assert (row["effect_low"], row["effect_high"]) == pytest.approx((low, high))
    assert row["verdict"] == "supported"
    assert row["circular"] == "ligand L0 is a marker of a"


def test_a_false_claim_and_a_reversed_one_are_not_supported(cohort):
    found = evidence_of(
        cohort,
        ("C1", "interaction", "L7^R7", "a", "b", ""),
        ("C2", "interaction", "L0^R0", "b", "a", ""),
    )
    assert list(found["verdict"]) == ["not supported", "not supported"]
    assert found.loc["C2", "decoy_p"] == 1.0


def test_reasons_of_claims_that_cannot_be_tested(cohort):
    found = evidence_of(
        cohort,
        ("C1", "not_testable", "", "", "", "not visible in RNA: vesicles"),
        ("C2", "interaction", "XX^YY", "a", "b", ""),
        ("C3", "interaction", "L0^R0", "c", "b", ""),
        ("C4", "interaction", "L0^R0;XX^YY", "a", "b", ""),
    )
    assert list(found["verdict"]) == ["not testable"] * 3 + ["supported"]
    assert found.loc["C1", "reason"] == "not visible in RNA: vesicles"
    assert "not in the resource: XX^YY" in found.loc["C2", "reason"]
    assert "none of the sources (c) was found" in found.loc["C3", "reason"]
    assert found.loc["C4", "reason"].endswith("; not measured, or not in the resource: XX^YY")
    assert found["decoy_q"].notna().tolist() == [False, False, False, True]


def test_a_parent_stands_for_its_children(cohort):
    found = evidence_of(
        cohort,
        ("C1", "interaction", "L0^R0", "ab", "ab", ""),
        ("C2", "interaction", "L0^R0", "a;b", "b;a", ""),
    )
    columns = ["n_informative", "n_active", "effect", "best_edge"]
    assert found.loc["C1", columns].tolist() == found.loc["C2", columns].tolist()


def test_evidence_of_a_claim_does_not_depend_on_the_others(cohort):
    claim = ("C1", "interaction", "L0^R0;L1^R1", "a", "b", "")
    alone = evidence_of(cohort, claim).loc["C1"]
    among = evidence_of(cohort, ("C0", "interaction", "L1^R1", "b", "a", ""), claim).loc["C1"]
    assert alone["decoy_p"] == among["decoy_p"]
    assert alone["effect"] == among["effect"]


def row_of(dataset, n, active, p, *, reason="", claim="C1"):
    return {
        "claim_id": claim,
        "dataset": dataset,
        "kind": "interaction",
        "verdict": "not testable" if reason else "partly",
        "reason": reason,
        "n_informative": n,
        "n_active": active,
        "support": active / n if n else NAN,
        "support_low": 0.0,
        "support_high": 1.0,
        "best_edge": f"a>b:{dataset}",
        "effect": 0.1 * n,
        "effect_low": 0.0,
        "effect_high": 0.2,
        "decoy_p": p,
        "decoy_q": p,
        "n_decoys": 100,
        "circular": "",
    }


def combined(rows, independent):
    evidence = conform(pd.DataFrame(rows), table="evidence")
    table = combine_evidence(evidence, independent=independent, rules=RULES)
    check_frame(table, table="verdicts", where="x")
    return table.iloc[0]


def test_one_cohort_is_its_own_verdict(cohort):
    evidence = evidence_of(cohort, ("C1", "interaction", "L0^R0", "a", "b", "")).reset_index()
    table = combine_evidence(evidence, independent=["d"], rules=RULES)
    for column in set(evidence) - {"dataset"}:
        assert table[column].tolist() == evidence[column].tolist(), column


def test_cohorts_add_up():
    rows = [row_of("x", 4, 1, 0.1), row_of("y", 6, 6, 0.02), row_of("z", 0, 0, NAN, reason="none")]
    row = combined(rows, ["x", "y", "z"])
    assert (row["n_informative"], row["n_active"], row["n_datasets"]) == (10, 7, 2)
    assert row["decoy_p"] == pytest.approx(stats.chi2.sf(-2 * np.log(0.1 * 0.02), 4))
    assert row["effect"] == pytest.approx((4 * 0.4 + 6 * 0.6) / 10)
    assert np.isnan(row["effect_low"])
    assert row["best_edge"] == "a>b:y"
    assert row["verdict"] == "supported"


def test_a_re_release_is_not_counted_again():
    datasets = pd.DataFrame(
        {
            "dataset": ["x", "copy_of_x", "y", "copy_of_copy", "made"],
            "patients_of": ["", "x", "", "copy_of_x", ""],
            "source": ["local"] * 4 + ["simulated"],
            "combine": [""] * 5,
        }
    )
    assert independent_datasets(datasets, ["copy_of_copy", "y", "x"]) == ["copy_of_copy", "y"]
    assert independent_datasets(datasets, ["made", "x"]) == ["x"]  # never with simulated patients
    assert independent_datasets(datasets, ["made"]) == ["made"]
    assert independent_datasets(datasets, ["copy_of_x", "y", "x"]) == ["copy_of_x", "y"]
    rows = [row_of("copy_of_x", 4, 4, 0.01), row_of("x", 4, 4, 0.01)]
    assert combined(rows, ["x"])["n_informative"] == 4


def test_a_control_is_not_combined_with_tumours():
    datasets = pd.DataFrame(
        {
            "dataset": ["x", "bone", "made"],
            "patients_of": ["", "", ""],
            "source": ["public", "public", "simulated"],
            "combine": ["", "no", ""],
        }
    )
    assert independent_datasets(datasets, ["bone", "x"]) == ["x"]
    assert independent_datasets(datasets, ["bone"]) == []
    assert independent_datasets(datasets, ["bone", "made"]) == []
    row = combined([row_of("bone", 4, 4, 0.01)], [])
    assert (row["verdict"], row["n_informative"]) == ("not testable", 0)
    assert row["reason"] == "every cohort of this run is kept out of the combined verdicts"


def test_reasons_are_kept_when_no_cohort_can_test():
    rows = [row_of("x", 0, 0, NAN, reason="absent"), row_of("y", 0, 0, NAN, reason="not measured")]
    row = combined(rows, ["x", "y"])
    assert row["verdict"] == "not testable"
    assert row["reason"] == "x: absent; y: not measured"
    assert row["n_datasets"] == 0
