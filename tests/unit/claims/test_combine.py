"""One verdict over independent cohorts."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, stats

from osteotalk.claims.measures.contrasts import spearman_interval
from osteotalk.claims.together.combine import combine_evidence, independent_datasets, stouffer
from osteotalk.contract import conform, dtypes
from osteotalk.contract_checks import check_frame
from osteotalk.interactions.support import wilson_interval

NAN = float("nan")


def row_of(dataset, n=0, active=0, **given):
    """Evidence of a plain interaction claim that one cohort has measured."""
    row = dict.fromkeys(dtypes("evidence"), NAN)
    row |= dict.fromkeys(("contrast", "reason", "circular"), "")
    row |= dict.fromkeys(("n_decoys", "n_population_decoys", "n_response"), 0)
    row |= {"claim_id": "C0", "dataset": dataset, "kind": "interaction", "verdict": "partly"}
    row |= {"n_informative": n, "n_active": active, "support": active / n if n else NAN}
    return row | {"best_edge": f"a>b:{dataset}"} | given


def contrast_row(dataset, n, effect, low, high, p, **given):
    numbers = {"effect": effect, "effect_low": low, "effect_high": high, "direction_p": p}
    row = row_of(dataset, n, 0, kind="expression", contrast="conditions", **numbers)
    return row | {"support": NAN, "decoy_p": 0.01} | given


def combined(kit, *rows, independent=None, **claim):
    evidence = conform(pd.DataFrame(rows), table="evidence")
    table = combine_evidence(
        evidence,
        claims=kit.claims_table(*({"claim_id": c} | claim for c in evidence["claim_id"].unique())),
        independent=[r["dataset"] for r in rows] if independent is None else independent,
        rules=kit.RULES,
    )
    check_frame(table, table="verdicts", where="x")
    return table.set_index("claim_id")


def test_one_cohort_is_its_own_verdict(kit, planted_evidence, planted_claims):
    evidence = planted_evidence[0].reset_index(drop=True)
    table = combine_evidence(evidence, claims=planted_claims, independent=["d"], rules=kit.RULES)
    for column in set(evidence) - {"dataset", "reason"}:
        pd.testing.assert_series_equal(table[column], evidence[column])
    assert set(table["dataset"]) == {"all"}
    assert (table["cohorts"] == "d: " + evidence["verdict"]).all()
    plain = evidence["contrast"] == ""
    tested = plain & (evidence["verdict"] != "not testable")
    told = evidence["reason"].str.partition("; not measured, or not in")[0]
    assert (table["reason"] == told)[tested].all()
    assert (table["reason"] == evidence["reason"])[plain & ~tested].all()


def test_patients_add_up(kit):
    row = combined(
        kit,
        row_of("x", 4, 1, decoy_p=0.1, population_p=0.2, n_decoys=30, n_population_decoys=50),
        row_of("y", 6, 6, decoy_p=0.02, population_p=0.01, n_decoys=40, n_population_decoys=60),
        row_of("z", reason="no pair", verdict="not testable"),
    ).loc["C0"]
    assert (row["n_informative"], row["n_active"], row["n_datasets"]) == (10, 7, 2)
    assert (row["n_decoys"], row["n_population_decoys"]) == (70, 110)
    low, high = wilson_interval(np.array([7]), np.array([10]))
    told = row[["support", "support_low", "support_high"]].to_list()
    assert told == pytest.approx([0.7, low[0], high[0]])
    weights = np.sqrt([4, 6])
    for name, p in (("decoy_p", (0.1, 0.02)), ("population_p", (0.2, 0.01))):
        z = (weights * stats.norm.isf(p)).sum() / math.sqrt((weights**2).sum())
        assert row[name] == pytest.approx(stats.norm.sf(z))
    assert row["decoy_q"] == row["decoy_p"]  # one claim
    assert row["best_edge"] == "a>b:y"  # of the cohort with the highest support
    assert row["verdict"] == "supported"
    assert row["cohorts"] == "x: partly; y: partly; z: not testable"


def test_stouffer():
    assert math.isnan(stouffer(np.array([NAN, NAN]), np.array([3, 4])))
    assert stouffer(np.array([NAN, 0.03]), np.array([3, 4])) == 0.03  # alone: as it is
    got = stouffer(np.array([0.03, NAN, 0.2]), np.array([9, 5, 4]))
    z = (3 * stats.norm.isf(0.03) + 2 * stats.norm.isf(0.2)) / math.sqrt(13)
    assert got == pytest.approx(stats.norm.sf(z))
    assert 0 < stouffer(np.array([0.0, 1.0]), np.array([5, 5])) < 1
    assert stouffer(np.array([1.0, 1.0]), np.array([5, 5])) > 0.99


def test_a_cohort_of_few_patients_counts_only_if_all_are_small(kit):
    small, large = row_of("x", 2, 2, decoy_p=0.9), row_of("y", 5, 5, decoy_p=0.02)
    row = combined(kit, small, large).loc["C0"]
    assert row["decoy_p"] == 0.02
    assert row["n_informative"] == 7
    both = combined(kit, small, row_of("y", 2, 2, decoy_p=0.02)).loc["C0"]
    assert both["decoy_p"] == pytest.approx(stouffer(np.array([0.9, 0.02]), np.array([2, 2])))
    assert both["verdict"] == "present, not specific"  # four patients together


def paule_mandel(effects, variances):
    """Random-effects mean and interval, from the papers' equations."""
    y, v = np.array(effects), np.array(variances)
    k = len(y)

    def generalised_q(tau2):
        w = 1 / (v + tau2)
        return (w * (y - (w * y).sum() / w.sum()) ** 2).sum() - (k - 1)

    fixed = generalised_q(0.0)
    tau2 = optimize.brentq(generalised_q, 0, 100) if fixed > 0 else 0.0
    w = 1 / (v + tau2)
    mean = (w * y).sum() / w.sum()
    spread = (w * (y - mean) ** 2).sum() / (k - 1) / w.sum()
    width = stats.t.ppf(0.975, k - 1) * math.sqrt(spread)
    total = fixed + k - 1
    return mean, mean - width, mean + width, max((total - (k - 1)) / total, 0)


def test_effects_by_the_random_effects_model(kit):
    numbers = [(0.5, 0.1, 0.9, 5), (1.4, 0.9, 1.9, 8), (0.2, -0.6, 1.0, 7)]
    rows = [
        contrast_row(f"x{i}", n, effect, low, high, 0.01)
        for i, (effect, low, high, n) in enumerate(numbers)
    ]
    row = combined(kit, *rows, direction="higher").loc["C0"]
    variances = [((high - low) / (2 * stats.norm.ppf(0.975))) ** 2 for _, low, high, _ in numbers]
    expected = paule_mandel([effect for effect, *_ in numbers], variances)
    got = row[["effect", "effect_low", "effect_high", "i_squared"]].to_list()
    assert got == pytest.approx(expected, rel=1e-4)
    assert row["i_squared"] > 0.5
    assert row[["support", "support_low"]].isna().all()


def fisher(rho, n):
    """Fisher's z of rank correlations, and the variance of Bonett and Wright 2000."""
    rho, n = np.array(rho), np.array(n)
    return np.arctanh(rho), (1 + rho**2 / 2) / (n - 3)


def test_correlations_are_combined_on_fishers_scale(kit):
    rho, n = [0.5, 0.9, -0.4], [9, 12, 20]
    rows = [
        contrast_row(f"x{i}", k, r, *spearman_interval(r, k), 0.01, contrast="correlation")
        for i, (r, k) in enumerate(zip(rho, n, strict=True))
    ]
    row = combined(kit, *rows, direction="higher").loc["C0"]
    mean, low, high, i_squared = paule_mandel(*fisher(rho, n))
    got = row[["effect", "effect_low", "effect_high"]].to_list()
    assert got == pytest.approx(np.tanh([mean, low, high]), rel=1e-4)
    assert -1 <= got[1] <= got[0] <= got[2] <= 1
    assert row["i_squared"] == pytest.approx(i_squared)


def test_responses_are_combined_on_fishers_scale(kit):
    rho, n = [-0.5, 0.8, 0.1], [9, 14, 20]
    names = ("response_effect", "response_low", "response_high")
    rows = (
        row_of(
            d, 9, 9, n_response=k, **dict(zip(names, (r, *spearman_interval(r, k)), strict=True))
        )
        for d, r, k in zip("xyw", rho, n, strict=True)
    )
    row = combined(kit, *rows, row_of("z", 9, 9)).loc["C0"]
    expected = paule_mandel(*fisher(rho, n))
    assert row[list(names)].to_list() == pytest.approx(np.tanh(expected[:3]), rel=1e-4)
    assert row["n_response"] == 43


def test_effects_without_interval_are_averaged_by_patients(kit):
    rows = [row_of("x", 1, 1, effect=0.4), row_of("y", 3, 3, effect=0.8)]
    row = combined(kit, *rows).loc["C0"]
    assert row["effect"] == pytest.approx(0.7)
    assert row[["effect_low", "effect_high", "i_squared"]].isna().all()


def test_the_wanted_direction_is_that_of_the_claim(kit):
    rows = [
        contrast_row("x", 8, -1.0, -1.5, -0.5, 0.01),
        contrast_row("y", 8, -1.1, -2, -0.2, 0.01),
    ]
    assert combined(kit, *rows, direction="lower").loc["C0", "verdict"] == "supported"
    assert combined(kit, *rows, direction="higher").loc["C0", "verdict"] == "contradicted"


def test_cohorts_with_the_same_effect(kit):
    row = combined(
        kit, *(contrast_row(d, 8, 1.0, 0.5, 1.5, 0.01) for d in "xy"), direction="higher"
    )
    assert row.loc["C0", "effect"] == pytest.approx(1.0)
    assert row.loc["C0", "i_squared"] == 0


def test_a_cohort_without_a_p_value_does_not_count_for_a_contrast(kit):
    few = contrast_row("y", 5, NAN, NAN, NAN, NAN, reason="too few", verdict="not testable")
    row = combined(kit, contrast_row("x", 8, 1.0, 0.5, 1.5, 0.01), few, direction="higher")
    assert row.loc["C0", ["n_informative", "n_datasets"]].to_list() == [8, 1]
    assert row.loc["C0", "verdict"] == "supported"


def test_what_was_certain_without_a_number_stays(kit):
    nothing = {"verdict": "not supported", "reason": "detected in no patient"}
    few = {"verdict": "not testable", "reason": "too few patients"}
    blank = [NAN] * 4
    got = combined(
        kit, contrast_row("x", 8, *blank, **nothing), contrast_row("y", 4, *blank, **few)
    )
    assert got.loc["C0", ["verdict", "reason"]].to_list() == list(nothing.values())
    got = combined(kit, contrast_row("x", 8, *blank, **few), contrast_row("y", 4, *blank, **few))
    assert got.loc["C0", ["verdict", "reason"]].to_list() == list(few.values())


def test_reasons_are_kept_when_no_cohort_can_test(kit):
    rows = [
        row_of(d, reason=r, verdict="not testable") for d, r in (("x", "absent"), ("y", "no gene"))
    ]
    row = combined(kit, *rows).loc["C0"]
    assert (row["verdict"], row["reason"]) == ("not testable", "x: absent; y: no gene")
    assert (row["n_datasets"], row["n_informative"]) == (0, 0)


@pytest.mark.parametrize(
    ("one", "two", "told"),
    [
        ("supported", "contradicted", True),
        ("present, not specific", "not supported", True),
        ("supported", "partly", False),
        ("inconclusive", "not supported", False),
        ("supported", "not testable", False),
    ],
)
def test_disagreement_is_told(kit, one, two, told):
    rows = [row_of("x", 4, 4, verdict=one), row_of("y", 4, 0, verdict=two)]
    row = combined(kit, *rows).loc["C0"]
    assert row["reason"].endswith("; cohorts disagree") == told
    assert row["cohorts"] == f"x: {one}; y: {two}"


def test_q_values_are_over_the_combined_claims(kit):
    p = {"C0": 0.01, "C1": 0.04, "C2": 0.5}
    rows = [row_of("x", 9, 9, claim_id=c, decoy_p=value) for c, value in p.items()]
    few = row_of("x", 2, 2, claim_id="C3", decoy_p=0.001)
    got = combined(kit, *rows, few, independent=["x"])["decoy_q"]
    assert got.iloc[:3].to_list() == pytest.approx([0.03, 0.06, 0.5])
    assert math.isnan(got["C3"])


def datasets(**columns):
    empty = dict.fromkeys(("source", "patients_of", "combine"), "")
    return pd.DataFrame([{"dataset": name} | empty | cells for name, cells in columns.items()])


def test_a_re_release_is_not_counted_again(kit):
    known = datasets(
        x={}, copy={"patients_of": "x"}, y={}, copy_of_copy={"patients_of": "copy"},
        ring={"patients_of": "gnir"}, gnir={"patients_of": "ring"}, made={"source": "simulated"},
    )  # fmt: skip
    assert independent_datasets(known, ["copy_of_copy", "y", "x"]) == ["copy_of_copy", "y"]
    assert independent_datasets(known, ["copy", "y", "x", "copy_of_copy"]) == ["copy", "y"]
    assert independent_datasets(known, ["made", "x"]) == ["x"]  # never with simulated patients
    assert independent_datasets(known, ["made"]) == ["made"]
    assert len(independent_datasets(known, ["ring", "y"])) == 2  # ends
    rows = [row_of("copy", 4, 4), row_of("x", 4, 0)]
    row = combined(kit, *rows, independent=["x"]).loc["C0"]
    assert row[["n_informative", "n_active", "cohorts"]].to_list() == [4, 0, "x: partly"]


def test_a_control_is_never_combined(kit):
    known = datasets(x={}, bone={"combine": "no"}, made={"source": "simulated"})
    assert independent_datasets(known, ["bone", "x"]) == ["x"]
    assert independent_datasets(known, ["bone"]) == []
    assert independent_datasets(known, ["bone", "made"]) == []
    rows = [
        row_of("bone", 4, 4, decoy_p=0.01, population_p=0.01, response_effect=0.9, n_response=9),
        contrast_row("bone", 8, 1.0, 0.5, 1.5, 0.01) | {"claim_id": "C1"},
        row_of("bone", claim_id="C2", kind="not_testable", reason="vesicles"),
    ]
    got = combined(kit, *rows, independent=[])
    kept_out = "every cohort of this run is kept out of the combined verdicts"
    assert got["reason"].to_list() == [kept_out, kept_out, "vesicles"]
    assert set(got["verdict"]) == {"not testable"}
    assert (got[["n_informative", "n_active", "n_datasets", "n_response"]] == 0).all(axis=None)
    numbers = ["support", "effect", "decoy_p", "decoy_q", "population_p", "response_effect"]
    assert got[numbers].isna().all(axis=None)


def test_no_evidence_gives_no_verdict(kit):
    evidence = conform(pd.DataFrame(columns=list(dtypes("evidence"))), table="evidence")
    table = combine_evidence(
        evidence, claims=kit.claims_table(), independent=["x"], rules=kit.RULES
    )
    check_frame(table, table="verdicts", where="x")
    assert table.empty
