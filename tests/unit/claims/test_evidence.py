"""What one cohort says: planted truth, and the numbers behind it by loops."""

import math

import numpy as np
import pytest
from scipy import stats

from osteotalk.claims.evidence import conclude
from osteotalk.contract_checks import check_frame
from osteotalk.interactions.support import wilson_interval


def test_planted_claims_get_the_verdicts_they_were_made_for(kit, planted_evidence):
    evidence, _ = planted_evidence
    wanted = {name: verdict for name, (_, verdict) in kit.CLAIMS.items()}
    assert evidence["verdict"].to_dict() == wanted
    assert set(wanted.values()) == {
        *("supported", "present, not specific", "partly", "not supported"),
        *("contradicted", "inconclusive", "not testable"),
    }


def test_the_tables_keep_to_their_contract(planted_evidence, planted_claims):
    evidence, decoys = planted_evidence
    check_frame(evidence.reset_index(drop=True), table="evidence", where="x")
    check_frame(decoys, table="decoys", where="x")
    assert list(evidence["claim_id"]) == list(planted_claims["claim_id"])  # each once, in order
    assert (evidence["reason"] != "").all()


@pytest.mark.parametrize(
    ("claim", "words"),
    [
        ("edge", "active in 8 of 8 informative patients; stronger than matched pairs (q = "),
        ("edges", "; not measured, or not in the resource: NO^PE"),
        ("everywhere", "8 of 8 informative patients; as strong between other populations (p = "),
        ("few", "active in 0 of 3 informative patients: too few to rule it out"),
        ("too_few", "too few patients: 2 informative, 3 are needed"),
        ("absent", "none of the sources (osteoclast) was found"),
        ("unscored", "no pair could be scored: not measured, or not in the resource: NO^PE"),
        ("vesicle", "not visible in RNA"),
        ("like_others", "matched decoys are as strong"),
        ("no_gene", "not measured: ABSENT1"),
        ("short", "only 4 genes of the signature short are measured, 5 are needed"),
        ("large", "too few matched decoys to test specificity"),
        ("lower_edge", "in 4 patients with lung_metastasis, 4 with primary: the other direction"),
        ("same_gene", "no difference is not ruled out"),
        ("one_arm", "too few patients: 0 with recurrence against 4 with primary; 3 of each are"),
        ("along_none", "not measured: NO"),
        ("along_nowhere", "too few patients: 2 with both, 5 are needed"),
    ],
)
def test_reasons(planted_evidence, claim, words):
    assert words in planted_evidence[0].loc[claim, "reason"]


def test_an_edge_by_loops(kit, planted, planted_evidence):
    """L0^R0 from malignant to endothelial cells, from the means of the populations on."""
    row = planted_evidence[0].loc["edge"]
    a, b = (planted.populations.index(name) for name in ("malignant", "endothelial"))

    def strength(pair, ends=(a, b)):
        by_patient = {}
        for s, patient in enumerate(planted.patients):
            parts = []
            for end, gene in zip(ends, pair, strict=True):
                g = planted.genes.get_loc(gene)
                seen = planted.shares[s, end, g] >= planted.expr_prop
                parts.append(planted.means[s, end, g] / planted.means[s, :, g].sum() * seen)
            there = planted.enough[s, ends[0]] and planted.enough[s, ends[1]]
            by_patient.setdefault(patient, []).append(parts[0] * parts[1] if there else np.nan)
        return [float(np.mean(values)) for values in by_patient.values()]

    claim = strength(("L0", "R0"))
    claimed = set("012345")
    detection = dict(zip(planted.genes, planted.detection, strict=True))
    matched = [
        i for i in range(70) if str(i) not in claimed
        and all(0.5 <= detection[f"{side}{i}"] / detection[f"{side}0"] <= 2 for side in "LR")
    ]  # fmt: skip
    decoys = np.array([strength((f"L{i}", f"R{i}")) for i in matched])
    assert row["n_decoys"] == len(matched)
    stronger = (decoys.mean(axis=1) >= np.mean(claim)).sum()
    assert row["decoy_p"] == pytest.approx((1 + stronger) / (1 + len(matched)))
    gain = np.array(claim) - decoys.mean(axis=0)
    low, high = stats.t.interval(0.95, 7, loc=gain.mean(), scale=stats.sem(gain))
    told = row[["effect", "effect_low", "effect_high"]].to_list()
    assert told == pytest.approx([gain.mean(), low, high])
    # of the populations elsewhere, those that another claim names are left out
    k = len(planted.populations)
    named = {("endothelial", "malignant"), ("dc", "tam"), ("plasma", "tam")}
    ends = [
        (i, j) for i in range(k) for j in range(k)
        if (planted.populations[i], planted.populations[j]) not in named and (i, j) != (a, b)
    ]  # fmt: skip
    others = np.array([np.nanmean(strength(("L0", "R0"), end)) for end in ends])
    assert row["n_population_decoys"] == len(ends)
    expected = (1 + (others >= np.mean(claim)).sum()) / (1 + len(ends))
    assert row["population_p"] == pytest.approx(expected)
    assert row["best_edge"] == "malignant>endothelial:L0^R0"
    assert row["circular"] == "ligand L0 is a marker of malignant"


def test_support_counts_patients_with_wilsons_interval(planted, planted_evidence):
    evidence, _ = planted_evidence
    ends = [planted.populations.index(name) for name in ("malignant", "endothelial")]
    row = planted.pair_row["L4^R4"]
    seen = {p for p, on in zip(planted.patients, planted.active[:, row, *ends], strict=True) if on}
    some = evidence.loc["some"]
    assert (some["n_informative"], some["n_active"], some["support"]) == (8, len(seen), 3 / 8)
    assert seen == {"P0", "P1", "P2"}
    plain = evidence[(evidence["contrast"] == "") & (evidence["n_informative"] > 0)]
    low, high = wilson_interval(plain["n_active"].to_numpy(), plain["n_informative"].to_numpy())
    np.testing.assert_allclose(plain["support_low"].astype(float), low)
    np.testing.assert_allclose(plain["support_high"].astype(float), high)
    contrasts = evidence[evidence["contrast"] != ""]
    assert contrasts[["support", "support_low", "support_high"]].isna().all(axis=None)


def test_q_values_are_bh_over_what_was_tested(kit, planted_evidence):
    evidence, _ = planted_evidence
    tested = evidence["decoy_p"].notna() & (evidence["verdict"] != "not testable")
    p = evidence.loc[tested, "decoy_p"].sort_values()
    q, least = {}, 1.0
    for rank, (name, value) in reversed(list(enumerate(p.items(), start=1))):
        least = min(least, value * len(p) / rank)
        q[name] = least
    assert evidence.loc[tested, "decoy_q"].to_dict() == pytest.approx(q)
    assert evidence.loc[~tested, "decoy_q"].isna().all()
    assert np.isfinite(evidence.loc["too_few", "decoy_p"])  # has a p-value, but is in no family


def test_contrasts_by_hand(kit, planted, planted_evidence):
    row = planted_evidence[0].loc["higher_gene"]
    tam, gene = planted.populations.index("tam"), planted.genes.get_loc("G5")
    level = dict.fromkeys(planted.patients)
    for patient in level:
        rows = [s for s, p in enumerate(planted.patients) if p == patient]
        level[patient] = float(np.mean([planted.means[s, tam, gene] for s in rows]))
    lung, primary = ([v for p, v in level.items() if (p in kit.LUNG) == on] for on in (True, False))
    test = stats.ttest_ind(lung, primary, equal_var=False)
    interval = test.confidence_interval()
    expected = [np.mean(lung) - np.mean(primary), interval.low, interval.high, 1 / 70]
    names = ["effect", "effect_low", "effect_high", "direction_p"]
    assert row[names].to_list() == pytest.approx(expected)
    assert (row["n_informative"], row["n_active"]) == (8, 0)
    assert row["decoy_p"] == pytest.approx(1 / (1 + row["n_decoys"]))
    lower = planted_evidence[0].loc["lower_gene"]
    assert lower[names[:3]].to_list() == pytest.approx(expected[:3])  # first less second, still
    assert (lower["direction_p"], lower["decoy_p"]) == (1, 1)


def test_an_edge_between_conditions_by_loops(kit, planted, planted_evidence):
    """L5^R5: the geometric mean of the two levels, for the claim and for every other pair."""
    row = planted_evidence[0].loc["higher_edge"]
    a, b = (planted.populations.index(name) for name in ("malignant", "endothelial"))

    def difference(i):
        sides = {True: [], False: []}
        for patient in kit.EVERYONE:
            values = []
            for s in (s for s, p in enumerate(planted.patients) if p == patient):
                parts = []
                for k, gene in ((a, f"L{i}"), (b, f"R{i}")):
                    g = planted.genes.get_loc(gene)
                    seen = planted.shares[s, k, g] >= planted.expr_prop
                    parts.append(planted.means[s, k, g] * seen)
                values.append(math.sqrt(parts[0] * parts[1]))
            sides[patient in kit.LUNG].append(np.mean(values))
        return np.mean(sides[True]) - np.mean(sides[False])

    detection = dict(zip(planted.genes, planted.detection, strict=True))
    others = [
        difference(i)
        for i in range(6, 70)
        if all(0.5 <= detection[f"{side}{i}"] / detection[f"{side}5"] <= 2 for side in "LR")
    ]
    assert row["effect"] == pytest.approx(difference(5))
    assert row["n_decoys"] == len(others)
    assert row["decoy_p"] == pytest.approx(1 / (1 + len(others)))
    weak = kit.claims_table(kit.CLAIMS["higher_edge"][0] | {"pairs": "L50^R50"})
    got = kit.evidence_of(planted, weak)[0].iloc[0]
    stronger = [difference(i) >= difference(50) - 1e-9 for i in range(70) if i != 50 and all(
        0.5 <= detection[f"{side}{i}"] / detection[f"{side}50"] <= 2 for side in "LR")]  # fmt: skip
    assert got["n_decoys"] == len(stronger)
    assert got["decoy_p"] == pytest.approx((1 + sum(stronger)) / (1 + len(stronger)))


def test_correlations_by_hand(kit, planted, planted_evidence):
    row = planted_evidence[0].loc["along_gene"]
    at = [
        (planted.populations.index(p), planted.genes.get_loc(g))
        for p, g in (("tam", "G6"), ("malignant", "G7"))
    ]
    x, y = (planted.means[:, k, g] for k, g in at)
    x, y = (np.array([v[:2].mean(), *v[2:]]) for v in (x, y))
    assert row["effect"] == pytest.approx(stats.spearmanr(x, y).statistic)
    assert row["direction_p"] < 0.001
    assert row["n_informative"] == 8


def test_response_stands_beside_an_interaction_only(planted_evidence):
    evidence, _ = planted_evidence
    assert evidence.loc["edge", "n_response"] == 8
    assert -1 <= evidence.loc["edge", "response_effect"] <= 1
    assert evidence["n_response"].sum() == 8


def test_decoys_of_all_claims_match(planted_evidence):
    _, decoys = planted_evidence
    detection = decoys[decoys["control"] != "populations"]
    for name in ("decoy_low", "decoy_median", "decoy_high"):
        assert (abs(np.log2(detection[name] / detection["claim"])) <= 1 + 1e-9).all()
    assert (abs(detection["difference"]) < 0.9).all()
    cells = decoys[decoys["control"] == "populations"]
    assert (abs(np.log10(cells["decoy_high"] / cells["claim"])) <= 1).all()
    assert (decoys["decoy_low"] <= decoys["decoy_median"]).all()


def test_numbers_of_the_table_of_decoys(kit, planted, planted_evidence, planted_claims):
    _, decoys = planted_evidence
    row = decoys[decoys["claim_id"] == "gene"].iloc[0]
    own = planted.detection[planted.genes.get_loc("G0")]
    pool = [
        value for gene, value in zip(planted.genes, planted.detection, strict=True)
        if 0.5 <= value / own <= 2
        and gene not in {g for cell in planted_claims["genes"] for g in cell.split(";")}
    ]  # fmt: skip
    assert row["n_decoys"] == row["n_pool"] == len(pool)
    numbers = row[["decoy_low", "decoy_median", "decoy_high"]].to_list()
    assert numbers == pytest.approx(np.quantile(pool, [0.05, 0.5, 0.95]))
    assert row["difference"] == pytest.approx(np.log2(pool).mean() - math.log2(own))


def test_what_other_tables_name_is_no_decoy(kit, planted, planted_claims):
    only = planted_claims[planted_claims["claim_id"] == "gene"]
    alone, _ = kit.evidence_of(planted, only)
    named = kit.claims_table(kit.EXPRESSION | {"genes": "G50;G51;G52", "source": "dc"})
    fewer, _ = kit.evidence_of(planted, only, named=named)
    assert fewer.loc["gene", "n_decoys"] == alone.loc["gene", "n_decoys"] - 3


def test_evidence_depends_on_seed_and_claim_and_not_on_order(kit, planted, planted_claims):
    chosen = planted_claims[planted_claims["claim_id"].isin(["edges", "two_genes", "programme"])]
    one, _ = kit.evidence_of(planted, chosen, signatures=kit.SIGNATURES)
    two, _ = kit.evidence_of(planted, chosen[::-1], signatures=kit.SIGNATURES)
    assert one.loc[two.index].equals(two)
    again, _ = kit.evidence_of(planted, chosen, signatures=kit.SIGNATURES)
    assert one.equals(again)


# ---- contrasts on a light cohort: one gene in tam, compared with other genes


def two_conditions(kit, levels, conditions, patients=None, **given):
    """A cohort in which G0 of tam has these levels, and other genes a level of their own."""
    rng = np.random.default_rng(0)
    means = np.repeat(rng.uniform(1, 2, size=(1, 2, 40)), len(levels), axis=0)
    means[:, 0, 1:] += rng.normal(0, 0.05, size=(len(levels), 39))
    means[:, 0, 0] = levels
    given = {"populations": ("tam", "b_cell"), "conditions": tuple(conditions)} | given
    if patients:
        given["patients"] = tuple(patients)
    return kit.light_cohort(means, **given)


GENE = {"kind": "expression", "genes": "G0", "source": "tam"}


def contrast(kit, cohort, **cells):
    row = GENE | kit.CONDITIONS | {"contrast_with": "b>a", "direction": "higher"} | cells
    return kit.evidence_of(cohort, kit.claims_table(row))[0].iloc[0]


def test_too_few_patients_with_both_conditions_are_left_out_and_counted(kit):
    cohort = two_conditions(
        kit, [1, 2, 1.5, 9, 0, 7, 8, 7.5], "aaaabbbb", ["A", "B", "C", "X", "X", "D", "E", "F"]
    )
    row = contrast(kit, cohort)
    assert row["effect"] == pytest.approx(7.5 - 1.5)
    assert (row["n_informative"], row["direction_p"]) == (6, 1 / 20)
    assert "in 3 patients with b, 3 with a; 1 with both is left out, p = 0.05" in row["reason"]


def paired(kit, first, second, *, only_b=(), only_a=()):
    """Patients P0.. with both conditions, then those with one."""
    levels = [*first, *second, *only_b, *only_a]
    conditions = "b" * len(first) + "a" * len(second) + "b" * len(only_b) + "a" * len(only_a)
    own = [f"P{i}" for i in range(len(first))]
    others = [f"Q{i}" for i in range(len(only_b) + len(only_a))]
    return two_conditions(kit, levels, conditions, [*own, *own, *others])


def test_patients_with_both_conditions_are_compared_with_themselves(kit):
    """Patients differ by far more than the conditions within one of them."""
    second = np.array([1, 10, 20, 30, 40.0])
    first = second + np.array([1, 2, 1.5, 1, 2])
    row = contrast(kit, paired(kit, first, second))
    assert (row["n_informative"], row["direction_p"], row["verdict"]) == (5, 1 / 32, "supported")
    low, high = stats.t.interval(0.95, 4, loc=1.5, scale=stats.sem(first - second))
    assert row[["effect", "effect_low", "effect_high"]].tolist() == pytest.approx([1.5, low, high])
    told = "in 5 patients with both b and a, each against itself, p = 0.031; stronger"
    assert told in row["reason"]
    lower = contrast(kit, paired(kit, second, first), direction="lower")
    assert (lower["direction_p"], lower["effect"]) == (1 / 32, pytest.approx(-1.5))
    worse = contrast(kit, paired(kit, second, first))
    assert worse["verdict"] == "contradicted"


def test_pairs_and_other_patients_are_tested_together(kit):
    """Of each only what is enough; the others are counted."""
    second, first = np.array([1, 10, 20.0]), np.array([2, 12, 21.5])
    cohort = paired(kit, first, second, only_b=[7, 8, 9], only_a=[1, 2, 3])
    row = contrast(kit, cohort)
    assert (row["n_informative"], row["direction_p"]) == (9, pytest.approx(1 / (8 * 20)))
    assert row["effect"] == pytest.approx((1.5 * 1.5 + 1.5 * 6) / 3)  # 3 / 2 and 9 / 6
    assert (
        "in 3 patients with both b and a, each against itself, and 3 patients with b only, 3 with "
        "a only, p = 0.0063"
    ) in row["reason"]
    second, first = np.arange(1, 12, 2.0), np.arange(2, 13, 2.0)
    row = contrast(kit, paired(kit, first, second, only_b=[7, 8, 9], only_a=[100]))
    assert (row["n_informative"], row["direction_p"], row["effect"]) == (6, 1 / 64, 1)
    assert "itself; 3 with b only and 1 with a only are left out, p = 0.016" in row["reason"]


@pytest.mark.parametrize(
    ("pairs", "only_b", "only_a", "n"), [(4, 0, 0, 4), (3, 2, 4, 9), (2, 3, 2, 7)]
)
def test_too_few_pairs_say_how_many_are_needed(kit, pairs, only_b, only_a, n):
    first, second = np.arange(pairs) + 2.0, np.arange(pairs) + 1.0
    cohort = paired(kit, first, second, only_b=np.ones(only_b), only_a=np.ones(only_a))
    row = contrast(kit, cohort)
    assert (row["verdict"], row["n_informative"]) == ("not testable", n)
    assert row["reason"].startswith(
        f"too few patients: {only_b} with b only against {only_a} with a only, {pairs} with both; "
        "3 of each are needed, and enough that chance alone would order them so in at most 0.05 "
        "of all cases (5 with both are enough by themselves)"
    )


def test_several_samples_of_a_pair_are_averaged_on_each_side(kit):
    levels = [3, 5, 1, *[2.0, 1.0] * 4]  # P0: two of b, one of a
    names = ["P0", "P0", "P0", *[f"P{i}" for i in range(1, 5) for _ in "ba"]]
    row = contrast(kit, two_conditions(kit, levels, "bba" + "ba" * 4, names))
    assert row["effect"] == pytest.approx((3 + 4 * 1) / 5)
    assert row["direction_p"] == 1 / 32


def test_decoys_of_pairs_are_compared_in_the_same_way(kit):
    """By loops over genes of the same detection: the mean difference within patients."""
    rng = np.random.default_rng(0)
    cohort = paired(kit, np.arange(2, 8.0), np.arange(1, 7.0))
    means = rng.gamma(2, 1, size=cohort.means.shape)
    means[:, 0, 0] = cohort.means[:, 0, 0]
    cohort = kit.replace(cohort, means=means)
    table = kit.claims_table(
        GENE | kit.CONDITIONS | {"contrast_with": "b>a", "direction": "higher"}
    )
    found = kit.findings_of(cohort, table)
    own = found.statistics[found.statistics["role"] == "decoy"]["statistic"]
    expected = (means[:6, 0] - means[6:, 0]).mean(axis=0)[1:]
    assert sorted(own) == pytest.approx(sorted(expected))
    p = (1 + np.sum(expected >= 1 - 1e-9)) / (1 + len(expected))
    assert found.evidence["decoy_p"].iloc[0] == pytest.approx(p)


def test_samples_of_a_patient_are_averaged_before_they_are_compared(kit):
    cohort = two_conditions(kit, [1, 3, 2.5, 1.5, 5, 6, 7], "aaaabbb", "AABCDEF")
    row = contrast(kit, cohort)
    assert row["effect"] == pytest.approx(6 - 2)
    assert row["n_informative"] == 6


def test_two_against_four_patients_have_no_p_value(kit):
    row = contrast(kit, two_conditions(kit, [1, 2, 5, 6, 7, 8], "aabbbb"))
    assert row["verdict"] == "not testable"
    assert row["reason"].startswith("too few patients: 4 with b against 2 with a; 3 of each")
    assert row[["direction_p", "decoy_p", "effect"]].isna().all()
    assert row["n_informative"] == 6


def test_two_against_many_patients_are_too_few_too(kit):
    """By the order of patients alone, two against twelve could give a p-value of 1 in 91."""
    row = contrast(kit, two_conditions(kit, [1, 2, *range(5, 17)], "aa" + "b" * 12))
    assert row["verdict"] == "not testable"
    assert row["reason"].startswith("too few patients: 12 with b against 2 with a; 3 of each")


def test_a_stricter_p_needs_more_patients(kit):
    cohort = two_conditions(kit, [1, 2, 1.5, 5, 6, 7], "aaabbb")
    strict = kit.replace(kit.RULES, max_direction_p=0.049)  # 3 against 3 can give 0.05 at best
    row = GENE | kit.CONDITIONS | {"contrast_with": "b>a", "direction": "higher"}
    table = kit.claims_table(row)
    assert kit.evidence_of(cohort, table)[0]["verdict"].iloc[0] == "supported"
    got = kit.evidence_of(cohort, table, rules=strict)[0].iloc[0]
    assert got["verdict"] == "not testable"
    assert "chance alone would order them so in at most 0.049 of all cases" in got["reason"]


def test_several_conditions_on_one_side(kit):
    cohort = two_conditions(kit, [1, 2, 3, 7, 8, 9, 50], "aaabbcz")
    row = contrast(kit, cohort, contrast_with="b+c>a")
    assert row["effect"] == pytest.approx(8 - 2)
    assert "3 patients with b+c, 3 with a" in row["reason"]


def test_what_is_detected_in_no_patient(kit):
    cohort = two_conditions(kit, [0] * 6, "aaabbb")
    row = contrast(kit, cohort)
    assert (row["verdict"], row["reason"]) == ("not supported", "detected in no patient")
    cells = {"contrast": "correlation", "contrast_with": "gene:G1@tam"}
    row = contrast(kit, cohort, **cells)
    assert (row["verdict"], row["reason"]) == ("not supported", "detected in no patient")


def test_correlations_that_cannot_be(kit):
    cells = {"contrast": "correlation", "contrast_with": "gene:G1@tam"}
    row = contrast(kit, two_conditions(kit, [1, 2, 3, 4], "aaaa"), **cells)
    assert row["reason"] == "too few patients: 4 with both, 5 are needed"
    row = contrast(kit, two_conditions(kit, [2] * 6, "aaaaaa"), **cells)
    assert (row["verdict"], row["reason"]) == ("inconclusive", "no variation between patients")
    cells["contrast_with"] = "share:tam"  # the same in all samples
    row = contrast(kit, two_conditions(kit, [1, 2, 3, 4, 5, 6], "aaaaaa"), **cells)
    assert (row["verdict"], row["reason"]) == ("inconclusive", "no variation between patients")
    cells["contrast_with"] = "gene:G1@dc"
    row = contrast(kit, two_conditions(kit, [1, 2, 3, 4, 5, 6], "aaaaaa"), **cells)
    assert row["reason"] == (
        "population absent from the cohort: dc; dc has 10 cells in 0 of 6 patients, 5 more are "
        "needed (at the least 50 more cells in all)"
    )


@pytest.mark.parametrize("kind", ["expression", "interaction"])
@pytest.mark.parametrize("form", ["", "conditions", "correlation"])
def test_a_claim_that_no_sample_can_inform(kit, kind, form):
    """The populations are there, but nowhere with enough cells."""
    sizes = np.tile([3, 50, 50], (6, 1))
    cohort = kit.light_cohort(
        np.ones((6, 3, 60)), populations=("malignant", "tam", "b_cell"), sizes=sizes,
        pairs=[(f"G{i}", f"G{i + 30}") for i in range(30)], programmes={"high": np.ones((6, 3))},
    )  # fmt: skip
    row = {"kind": kind, "source": "malignant", "target": "tam", "contrast": form, "response": ""}
    row |= {"pairs": "G0^G30", "response": "high"} if kind == "interaction" else {"genes": "G0"}
    row |= {"contrast_with": {"conditions": "a>b", "correlation": "gene:G1@tam"}.get(form, "")}
    got = kit.evidence_of(cohort, kit.claims_table(row))[0].iloc[0]
    assert got["verdict"] == "not testable"
    assert got["reason"].startswith("too few patients: 0")
    assert got["n_informative"] == 0


def test_a_correlation_with_nothing_is_refused(kit, planted):
    with pytest.raises(ValueError, match="'' is none of gene:NAME@POPULATION"):
        kit.evidence_of(planted, kit.claims_table(GENE | {"contrast": "correlation"}))


def test_a_table_without_a_claim(kit, planted):
    """As a table of published findings may be."""
    evidence, decoys = kit.evidence_of(planted, kit.claims_table())
    assert (len(evidence), len(decoys)) == (0, 0)
    check_frame(evidence.reset_index(drop=True), table="evidence", where="x")
    check_frame(decoys, table="decoys", where="x")


def test_conclude_leaves_its_input_alone(kit, planted_evidence):
    evidence = planted_evidence[0].reset_index(drop=True)
    more = evidence.assign(given="", reason_given="", n_sides="", sign=1, reason="")
    before = more.copy()
    conclude(more, rules=kit.RULES, table="evidence")
    assert more.equals(before)
