"""Numbers that few patients, few cohorts and full shares give: no more certain than they are."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, stats

from osteotalk.claims.claim import read_claims
from osteotalk.claims.controls.calibrate import POPULATIONS, decoy_claims, ratio_interval
from osteotalk.claims.measures.contrasts import spearman_interval
from osteotalk.claims.together.combine import combine_evidence, stouffer
from osteotalk.contract import conform, dtypes

NAN = float("nan")


@pytest.mark.parametrize("n", [5, 8, 20])
def test_a_perfect_order_of_few_patients_is_no_certainty(n):
    low, high = spearman_interval(1.0, n)
    assert high == 1.0
    assert low < 1 - 12 / (n * (n**2 - 1))  # the next lower rho is not ruled out
    assert spearman_interval(-1.0, n) == pytest.approx((-1.0, -low))
    assert spearman_interval(1.0, 5)[0] < 0.2


def combined(kit, rows, **claim):
    blank = dict.fromkeys(dtypes("evidence"), NAN) | dict.fromkeys(("reason", "circular"), "")
    blank |= dict.fromkeys(("n_decoys", "n_population_decoys", "n_response", "n_active"), 0)
    blank |= {"claim_id": "C0", "kind": "expression", "verdict": "inconclusive", "best_edge": ""}
    evidence = conform(pd.DataFrame([blank | row for row in rows]), table="evidence")
    table = combine_evidence(
        evidence, claims=kit.claims_table(claim), independent=list(evidence["dataset"]),
        rules=kit.RULES,
    )  # fmt: skip
    return table.iloc[0]


def test_cohorts_that_agree_by_luck_rule_nothing_out(kit):
    """Each interval holds 0 by far, and so does that of both or of three."""
    for n in (2, 3):
        rows = [
            {"dataset": f"d{i}", "contrast": "conditions", "n_informative": 8, "effect": effect,
             "effect_low": effect - 1, "effect_high": effect + 1, "direction_p": 0.8}
            for i, effect in enumerate([-0.5, -0.51, -0.49][:n])
        ]  # fmt: skip
        row = combined(kit, rows, direction="higher")
        assert row["effect_low"] < 0 < row["effect_high"]
        assert row["verdict"] == "inconclusive"


def test_two_cohorts_can_rule_a_direction_out(kit):
    rows = [
        {"dataset": d, "contrast": "conditions", "n_informative": 8, "effect": effect,
         "effect_low": effect - 0.4, "effect_high": effect + 0.4, "direction_p": 0.99}
        for d, effect in (("x", -1.0), ("y", -1.2))
    ]  # fmt: skip
    assert combined(kit, rows, direction="higher")["verdict"] == "contradicted"


def test_a_perfect_order_does_not_outweigh_a_larger_cohort(kit):
    rows = [
        {"dataset": d, "contrast": "correlation", "n_informative": n, "effect": rho,
         "effect_low": spearman_interval(rho, n)[0], "effect_high": spearman_interval(rho, n)[1],
         "direction_p": 0.1}
        for d, n, rho in (("x", 5, 1.0), ("y", 40, 0.2))
    ]  # fmt: skip
    row = combined(kit, rows, direction="higher")
    assert 0.2 < row["effect"] < 0.9
    assert row["effect_low"] > -1


def test_a_p_value_of_1_does_not_outweigh_other_cohorts():
    assert stouffer(np.array([0.001, 1.0]), np.array([8, 8])) == pytest.approx(0.5)
    assert stouffer(np.array([0.0001, 1.0]), np.array([16, 4])) < 0.05


def brute(k1, n1, k2, n2):
    """Score interval of a ratio by root finding, with the shares that fit best by a search."""

    def z(log_ratio):
        ratio = math.exp(log_ratio)

        def unlikely(share):
            p = (share * ratio, share)
            parts = zip((k1, k2), (n1, n2), p, strict=True)
            return -sum(stats.binom.logpmf(k, n, min(max(q, 1e-300), 1.0)) for k, n, q in parts)

        share = optimize.minimize_scalar(
            unlikely, bounds=(1e-9, min(1, 1 / ratio) - 1e-9), method="bounded",
            options={"xatol": 1e-12},
        ).x  # fmt: skip
        variance = ratio * share * (1 - ratio * share) / n1 + ratio**2 * share * (1 - share) / n2
        variance *= (n1 + n2) / (n1 + n2 - 1)
        return (k1 / n1 - ratio * k2 / n2) / math.sqrt(variance)

    limit = stats.norm.ppf(0.975)
    low = math.exp(optimize.brentq(lambda x: z(x) - limit, -8, 8)) if k1 else 0.0
    high = math.exp(optimize.brentq(lambda x: z(x) + limit, -8, 8)) if k2 else math.inf
    return low, high


@pytest.mark.parametrize(
    "counts",
    [(5, 5, 25, 50), (4, 5, 50, 50), (5, 5, 49, 50), (2, 5, 9, 50), (0, 5, 9, 50), (3, 5, 0, 50)],
)
def test_the_interval_of_a_ratio_where_a_share_is_1(counts):
    low, high = ratio_interval(*counts)
    assert (low, high) == pytest.approx(brute(*counts), rel=1e-3)
    k1, n1, k2, n2 = counts
    ratio = (k1 / n1) / (k2 / n2) if k2 else math.inf
    assert low <= ratio <= high


def test_all_and_all_and_none_and_none():
    low, high = ratio_interval(5, 5, 50, 50)
    assert low < 1 < high
    assert all(math.isnan(bound) for bound in ratio_interval(0, 5, 0, 50))


def test_population_decoys_are_tested_between_the_populations_that_were_drawn(kit):
    """A cell may carry the name of a parent, which in a claim stands for all below it."""
    names = ("malignant", "endothelial", "myeloid", "tam", "monocyte", "cd4_t", "cd8_t", "b_cell")
    cohort = kit.light_cohort(
        np.random.default_rng(0).gamma(1, 1, size=(2, 8, 4)),
        populations=names,
        pairs=[("G0", "G1")],
    )
    row = {"kind": "interaction", "pairs": "G0^G1", "source": "tam", "target": "cd4_t"}
    tables, _ = decoy_claims(
        kit.claims_table(row), cohort, vocabulary=kit.VOCABULARY, signatures=kit.NO_SIGNATURES,
        settings=kit.SETTINGS, n=99, control=POPULATIONS,
    )  # fmt: skip
    assert len(tables) == 7 * 7 - 1
    for table in tables:
        (claim,) = read_claims(table, vocabulary=kit.VOCABULARY)
        assert len(cohort.columns(claim.source)) == len(cohort.columns(claim.target)) == 1
