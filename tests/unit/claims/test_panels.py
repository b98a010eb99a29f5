"""What stands behind the evidence: patients, and statistics of decoys, by loops."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from osteotalk import io
from osteotalk.contract import dtypes
from osteotalk.contract_checks import check_frame

TABLES = {
    "evidence": "evidence",
    "decoys": "decoys",
    "values": "values",
    "statistics": "decoy_statistics",
}


@pytest.fixture(scope="module")
def told(planted_findings):
    """Rows of table `values` by patient, for a claim."""
    by_claim = dict(iter(planted_findings.values.groupby("claim_id")))
    return lambda claim: by_claim[claim].set_index("patient")


@pytest.fixture(scope="module")
def by_loops(planted, planted_claims):
    """Per gene and patient, of tam: the level, or the share beside all other populations."""
    tam = planted.populations.index("tam")

    def values(gene, *, level):
        g = planted.genes.get_loc(gene)
        by_patient = {}
        for s, patient in enumerate(planted.patients):
            own = planted.means[s, tam, g]
            if not level:
                others = [
                    planted.means[s, k, g]
                    for k in range(len(planted.populations))
                    if k != tam and planted.enough[s, k]
                ]
                own = own / (own + np.mean(others))
                own *= planted.shares[s, tam, g] >= planted.expr_prop
            by_patient.setdefault(patient, []).append(own)
        return {patient: float(np.mean(found)) for patient, found in by_patient.items()}

    def matched(gene, *, level):
        named = {g for cell in planted_claims["genes"] for g in cell.split(";")}
        own = planted.detection[planted.genes.get_loc(gene)]
        pool = [
            other
            for other, seen in zip(planted.genes, planted.detection, strict=True)
            if 0.5 <= seen / own <= 2 and other not in named
        ]
        return [values(other, level=level) for other in pool]

    return values, matched


def test_the_tables_keep_to_their_contract(planted_findings, planted_claims, tmp_path):
    for name, table in TABLES.items():
        frame = getattr(planted_findings, name)
        check_frame(frame, table=table, where="x")
        order = list(dict.fromkeys(frame["claim_id"]))
        assert order == [claim for claim in planted_claims["claim_id"] if claim in set(order)]
        assert set(frame["dataset"]) == {"d"}
    values, statistics = planted_findings.values, planted_findings.statistics
    assert not values.duplicated(["claim_id", "patient"]).any()
    for _, rows in values.groupby("claim_id"):
        assert rows["patient"].is_monotonic_increasing
    io.write_tsv(values, tmp_path / "x.tsv", table="values")
    pd.testing.assert_frame_equal(io.read_tsv(tmp_path / "x.tsv", table="values"), values)
    path = tmp_path / "x.parquet"
    io.write_parquet(statistics, path, table="decoy_statistics")
    pd.testing.assert_frame_equal(io.read_parquet(path, table="decoy_statistics"), statistics)
    edge = io.read_columns(path, ["statistic"], table="decoy_statistics", claim_id="edge")
    assert len(edge) == (statistics["claim_id"] == "edge").sum()


def test_without_claims_there_are_empty_tables(kit, planted):
    found = kit.findings_of(planted, kit.claims_table())
    assert {field.name for field in dataclasses.fields(found)} == set(TABLES)
    for name, table in TABLES.items():
        frame = getattr(found, name)
        check_frame(frame, table=table, where="x")
        assert frame.empty
        assert list(frame) == list(dtypes(table))


def test_what_was_not_measured_has_no_rows(kit, planted):
    table = kit.claims_table(kit.CLAIMS["vesicle"][0], kit.CLAIMS["no_gene"][0])
    found = kit.findings_of(planted, table)
    assert len(found.evidence) == 2
    for name, table in TABLES.items():
        if name != "evidence":
            check_frame(getattr(found, name), table=table, where="x")
            assert getattr(found, name).empty


def test_patients_are_those_that_the_evidence_counts(planted_findings):
    evidence, values = planted_findings.evidence, planted_findings.values
    n = values.groupby("claim_id").size()
    active = (values["active"] == "yes").groupby(values["claim_id"]).sum()
    for row in evidence.to_dict("records"):
        assert n.get(row["claim_id"], 0) == row["n_informative"]
        assert active.get(row["claim_id"], 0) == row["n_active"]
    contrast = dict(zip(evidence["claim_id"], evidence["contrast"], strict=True))
    kind = values["claim_id"].map(contrast)
    assert set(values.loc[kind == "", "active"]) == {"yes", "no"}
    assert set(values.loc[kind != "", "active"]) == {""}
    assert (values["along"].notna() == (kind == "correlation")).all()
    assert n.sum() > 150


def test_values_less_those_of_decoys_are_the_effect_of_plain_claims(planted_findings):
    evidence = planted_findings.evidence.set_index("claim_id")
    gain = planted_findings.values.set_index("claim_id").eval("value - decoys")
    mean = gain.groupby(level=0, sort=False).mean()
    plain = evidence.index[(evidence["contrast"] == "") & evidence["effect"].notna()]
    assert len(plain) > 15
    np.testing.assert_allclose(mean[plain], evidence.loc[plain, "effect"], rtol=1e-12, atol=1e-15)
    none = ["large", "small", "state"]  # shares of cells have too few decoys here
    assert evidence.loc[none, "n_decoys"].tolist() == [0, 0, 0]
    assert gain[none].isna().all()


@pytest.mark.parametrize(
    ("claim", "gene", "level"),
    [("gene", "G0", False), ("gene_of_some", "G2", False), ("flat_gene", "G98", False),
     ("higher_gene", "G5", True), ("same_gene", "G97", True), ("along_gene", "G6", True)],
)  # fmt: skip
def test_genes_by_loops(kit, told, by_loops, planted_findings, claim, gene, level):
    """P0 has two samples; its value is their mean."""
    values, matched = by_loops
    rows, decoys = told(claim), matched(gene, level=level)
    evidence = planted_findings.evidence.set_index("claim_id").loc[claim]
    assert len(decoys) == evidence["n_decoys"] > 20
    assert rows["value"].to_dict() == pytest.approx(values(gene, level=level))
    for patient, mean in rows["decoys"].items():
        assert mean == pytest.approx(np.mean([decoy[patient] for decoy in decoys]))
    expected = {p: "lung_metastasis" if p in kit.LUNG else "primary" for p in kit.EVERYONE}
    assert rows["condition"].to_dict() == expected
    assert list(rows.index) == list(kit.EVERYONE)


def test_an_edge_by_loops(told, planted):
    """L4^R4 from malignant to endothelial cells: strong in three patients."""
    by_patient = {}
    for s, patient in enumerate(planted.patients):
        product = 1.0
        for name, gene in (("malignant", "L4"), ("endothelial", "R4")):
            k, g = planted.populations.index(name), planted.genes.get_loc(gene)
            product *= planted.means[s, k, g] / planted.means[s, :, g].sum()
            product *= planted.shares[s, k, g] >= planted.expr_prop
        by_patient.setdefault(patient, []).append(product)
    expected = {patient: np.mean(found) for patient, found in by_patient.items()}
    rows = told("some")
    assert rows["value"].to_dict() == pytest.approx(expected)
    assert set(rows.index[rows["active"] == "yes"]) == {"P0", "P1", "P2"}
    assert rows["along"].isna().all()


def test_correlations_show_both_quantities(told, planted):
    malignant, gene = planted.populations.index("malignant"), planted.genes.get_loc("G7")
    by_patient = {}
    for s, patient in enumerate(planted.patients):
        by_patient.setdefault(patient, []).append(planted.means[s, malignant, gene])
    expected = {patient: np.mean(found) for patient, found in by_patient.items()}
    assert told("along_gene")["along"].to_dict() == pytest.approx(expected)
    b_cell = planted.populations.index("b_cell")
    part, whole = planted.sizes[:, b_cell], planted.sizes.sum(axis=1)
    logit = np.log((part + 0.5) / (whole - part + 0.5))
    at = planted.patients.index("P5")
    assert told("along_share").loc["P5", "along"] == pytest.approx(logit[at])


def light_values(kit, levels, conditions, patients, **row):
    """Values of a claim on G0 of tam, where it has these levels."""
    means = np.ones((len(levels), 2, 40))
    means[:, 0, 0] = levels
    cohort = kit.light_cohort(
        means, populations=("tam", "b_cell"), conditions=tuple(conditions), patients=tuple(patients)
    )
    claim = {"kind": "expression", "genes": "G0", "source": "tam"} | row
    found = kit.findings_of(cohort, kit.claims_table(claim))
    return found, found.values[["patient", "condition", "value"]].to_numpy().tolist()


def test_a_contrast_shows_the_patients_on_either_side(kit):
    """X has both conditions, Z another one, and one sample of A and F counts for no side."""
    found, rows = light_values(
        kit, [1, 2, 3, 9, 0, 7, 8, 6, 4, 99, 99, 99], "aaaabbcbczzz", "ABCXXDEFFZAF",
        contrast="conditions", contrast_with="b+c>a", direction="higher",
    )  # fmt: skip
    assert rows == [
        ["A", "a", 1], ["B", "a", 2], ["C", "a", 3], ["D", "b", 7], ["E", "c", 8], ["F", "b;c", 5],
    ]  # fmt: skip
    evidence = found.evidence.iloc[0]
    assert (evidence["n_informative"], evidence["verdict"]) == (6, "supported")
    assert set(found.values["decoys"]) == {1.0}


def test_a_patient_with_both_conditions_is_shown_on_either_side(kit):
    _, rows = light_values(
        kit, [2, 1, 3, 2, 4, 3, 5, 4, 6, 4], "ba" * 5, "AABBCCDDEE",
        contrast="conditions", contrast_with="b>a", direction="higher",
    )  # fmt: skip
    assert rows[:4] == [["A", "a", 1], ["A", "b", 2], ["B", "a", 2], ["B", "b", 3]]
    assert len(rows) == 10


def test_a_plain_claim_names_all_conditions_of_a_patient(kit):
    _, rows = light_values(kit, [1, 1, 1, 1], "baab", "AABC")
    assert [row[:2] for row in rows] == [["A", "a;b"], ["B", "a"], ["C", "b"]]


def test_what_was_not_compared_shows_its_patients_and_no_statistics(kit):
    words = {"contrast": "conditions", "contrast_with": "b>a", "direction": "higher"}
    found, rows = light_values(kit, [1, 2, 5, 6, 7], "aabbb", "ABCDE", **words)
    assert found.evidence["reason"].iloc[0].startswith("too few patients: 3 with b against 2")
    assert [row[0] for row in rows] == list("ABCDE")
    assert found.statistics.empty
    check_frame(found.statistics, table="decoy_statistics", where="x")
    found, rows = light_values(kit, [0] * 6, "aaabbb", "ABCDEF", **words)
    assert found.evidence["reason"].iloc[0] == "detected in no patient"
    assert [row[2] for row in rows] == [0] * 6
    assert found.statistics.empty


def test_p_values_follow_from_the_statistics(planted_findings):
    """Values that differ by rounding only are the same."""
    groups = dict(iter(planted_findings.statistics.groupby(["claim_id", "control"])))
    assert {control for _, control in groups} == {"matched", "populations"}
    seen = 0
    for row in planted_findings.evidence.to_dict("records"):
        for control, p, n in (
            ("matched", "decoy_p", "n_decoys"),
            ("populations", "population_p", "n_population_decoys"),
        ):
            rows = groups.get((row["claim_id"], control))
            if rows is None:
                assert np.isnan(row[p])
                assert row[n] == 0
                continue
            claim = rows.loc[rows["role"] == "claim", "statistic"]
            decoys = rows.loc[rows["role"] == "decoy", "statistic"]
            assert len(claim) == 1
            assert rows["role"].iloc[0] == "claim"
            assert len(decoys) == row[n]
            own = claim.iloc[0]
            stronger = (decoys >= own - 1e-9 * max(1.0, abs(own))).sum()
            assert len(decoys) == 0 or row[p] == (1 + stronger) / (1 + len(decoys))
            assert len(decoys) > 0 or np.isnan(row[p])
            seen += len(decoys) > 0
    assert seen > 30
    assert planted_findings.statistics["statistic"].notna().all()


def test_the_statistic_of_a_claim_is_the_mean_of_its_values_or_its_effect(planted_findings, told):
    evidence = planted_findings.evidence.set_index("claim_id")
    own = planted_findings.statistics.query("role == 'claim' and control == 'matched'")
    for claim, statistic in zip(own["claim_id"], own["statistic"], strict=True):
        rows, wanted = told(claim), evidence.loc[claim]
        if wanted["contrast"]:
            sign = -1 if claim.startswith("lower") else 1
            assert statistic == sign * wanted["effect"]
        else:
            assert statistic == pytest.approx(rows["value"].mean(), rel=1e-12)
    assert {"edge", "lower_gene", "along_gene"} <= set(own["claim_id"])


def test_shuffled_patients_carry_the_quantity_of_their_partners(kit, planted, planted_claims):
    """What calibration hands the engine goes through the same code."""
    only = planted_claims[planted_claims["claim_id"] == "along_gene"]
    other = kit.replace(planted, partners=planted.partners[::-1].copy())
    plain = kit.findings_of(planted, only).values.set_index("patient")
    turned = kit.findings_of(other, only).values.set_index("patient")
    pd.testing.assert_series_equal(turned["value"], plain["value"])
    assert turned.loc["P7", "along"] != plain.loc["P7", "along"]
    assert turned.loc["P5", "along"] == plain.loc["P1", "along"]
