import json

import pandas as pd
import pytest

from osteotalk.simulate import compare_with_truth
from osteotalk.simulate.evaluate import compare_cells, compare_claims, compare_malignancy
from osteotalk.simulate.recovery import Rules, half_planted, patient_support, summarise
from osteotalk.simulate.truth import EDGE, edge_truth, elevation_by_condition

RULES = Rules(alpha=0.05, min_cells=2, min_patients=2, min_support=0.5)


def cells_of(sample, patient, condition, **counts):
    return [
        {
            "sample": sample,
            "patient": patient,
            "condition": condition,
            "population": population,
            "malignant": "yes" if population.startswith("tumour") else "no",
            "lineage_doublet": "no",
        }
        for population, n in counts.items()
        for _ in range(n)
    ]


@pytest.fixture
def obs():
    """Three patients; P1 has two samples; macrophages are too few in P3."""
    rows = [
        *cells_of("A", "P1", "primary", tumour_a=2, tumour_b=2, macrophage=2),
        *cells_of("B", "P1", "primary", tumour_a=2, tumour_b=2, macrophage=2),
        *cells_of("C", "P2", "metastasis", tumour_a=3, tumour_b=2, macrophage=3),
        *cells_of("D", "P3", "primary", tumour_a=2, tumour_b=2, macrophage=1, unassigned=1),
    ]
    return pd.DataFrame(rows)


def barcodes(obs):
    letters = str.maketrans("01", "AC")
    return [f"ACGTACGTACGT{i:06b}".translate(letters) + "-1" for i in range(len(obs))]


@pytest.fixture
def annotated(obs):
    codes = barcodes(obs)
    return obs.set_axis(
        [f"{sample}_{code}" for sample, code in zip(obs["sample"], codes, strict=True)]
    )


def scored(*rows):
    return pd.DataFrame(rows, columns=["sample", *EDGE, "q_value"])


L1R1 = ("tumour_a", "macrophage", "L1", "R1")


def test_support_counts_patients_once_and_only_informative_ones(obs):
    edges = pd.DataFrame([(*L1R1, "all"), (*L1R1, "metastasis")], columns=[*EDGE, "where"])
    interactions = scored(("A", *L1R1, 0.01), ("B", *L1R1, 0.5), ("C", *L1R1, 0.06))
    found = patient_support(edges, interactions=interactions, obs=obs, rules=RULES)
    assert found["n_informative"].tolist() == [2, 1]  # P3 has a single macrophage
    assert found["n_active"].tolist() == [1, 0]
    assert found["support"].tolist() == [0.5, 0.0]


def test_summary_keeps_edges_that_are_not_informative():
    edges = pd.DataFrame(
        {
            "n_informative": [3, 2, 2, 1, 0],
            "n_active": [3, 1, 0, 1, 0],
            "support": [1.0, 0.5, 0.0, 1.0, float("nan")],
        }
    )
    assert summarise(edges, rules=RULES) == {
        "edges": 5,
        "informative": 3,
        "not_informative": 2,
        "not_informative_recovered": 1,
        "recovered": 2,
        "rate": 2 / 3,
        "rate_of_patients": 5 / 8,
    }
    assert summarise(edges.iloc[:0], rules=RULES)["rate"] is None


def test_half_planted_edges(populations, markers, planted):
    elevated = elevation_by_condition(
        populations, markers=markers, planted=planted, conditions=["primary", "metastasis"]
    )
    resource = pd.DataFrame(
        [("L1", "R1"), ("L2", "R2_R3"), ("X", "Y")], columns=["ligand", "receptor"]
    )
    found = half_planted(populations, resource=resource, elevated=elevated)
    rows = {tuple(row[:4]): row[4] for row in found.to_numpy().tolist()}
    everywhere = "metastasis;primary"
    assert rows == {
        # L1 is raised in tumour_a, R1 in macrophages; the edge with both is left out.
        ("tumour_a", "tumour_a", "L1", "R1"): everywhere,
        ("tumour_a", "tumour_b", "L1", "R1"): everywhere,
        ("tumour_b", "macrophage", "L1", "R1"): everywhere,
        ("macrophage", "macrophage", "L1", "R1"): everywhere,
        # L2 in macrophages and R2, R3 in both tumours, in metastases alone.
        ("macrophage", "macrophage", "L2", "R2_R3"): "metastasis",
        ("tumour_a", "tumour_a", "L2", "R2_R3"): "metastasis",
        ("tumour_a", "tumour_b", "L2", "R2_R3"): "metastasis",
        ("tumour_b", "tumour_a", "L2", "R2_R3"): "metastasis",
        ("tumour_b", "tumour_b", "L2", "R2_R3"): "metastasis",
    }


@pytest.fixture
def small_truth(make_table):
    return make_table(
        """
        sample barcode population state second_population
        S AAAAAAAAAAAAAAAA-1 tumour_a single -
        S AAAAAAAAAAAAAAAC-1 tumour_a single -
        S AAAAAAAAAAAAAAAG-1 macrophage single -
        S AAAAAAAAAAAAAAAT-1 macrophage single -
        S AAAAAAAAAAAAAACA-1 macrophage single -
        S AAAAAAAAAAAAAACC-1 tumour_a doublet macrophage
        S AAAAAAAAAAAAAACG-1 tumour_a doublet tumour_a
        S AAAAAAAAAAAAAACT-1 tumour_b dying -
        """
    )


def called(truth, names):
    kept = truth.iloc[list(names)]
    return pd.DataFrame(
        {"sample": "S", "population": list(names.values()), "lineage_doublet": "no"},
        index=("S:" + kept["barcode"]).tolist(),
    )


def test_cells(small_truth, populations):
    # Droplets kept: four single cells and one doublet.
    names = {0: "tumour_a", 1: "tumour_b", 2: "macrophage", 3: "unassigned", 5: "tumour_a"}
    found = compare_cells(
        called(small_truth, names), truth_cells=small_truth, populations=populations
    )
    assert found == {
        "two_lineages": {"kept": 1, "found": 0, "single_called_so": 0},
        "droplets": {"single": 5, "doublet": 2, "dying": 1},
        "kept": {"single": 4, "doublet": 1, "dying": 0},
        "removed_rate": {"single": 1 / 5, "doublet": 1 / 2, "dying": 1.0},
        "right_population": 2 / 4,
        "right_major": 3 / 4,
        "unassigned": 1 / 4,
        "right_by_population": {"macrophage": 0.5, "tumour_a": 0.5},
        "confusion_major": {
            "macrophage": {"macrophage": 1, "unassigned": 1},
            "tumour": {"tumour": 2},
        },
    }


def test_doublets_of_two_lineages(small_truth, populations):
    """The one of two tumour cells is of one lineage; a single cell called so is counted apart."""
    names = {0: "unassigned", 2: "macrophage", 5: "unassigned", 6: "unassigned"}
    cells = called(small_truth, names)
    cells["lineage_doublet"] = ["yes", "no", "yes", "yes"]
    found = compare_cells(cells, truth_cells=small_truth, populations=populations)
    assert found["two_lineages"] == {"kept": 1, "found": 1, "single_called_so": 1}
    assert found["kept"]["doublet"] == 2


def test_a_barcode_column_is_preferred_to_the_index(small_truth, populations):
    cells = called(small_truth, {0: "tumour_a", 2: "macrophage"})
    cells["barcode"] = [name.split(":")[1] for name in cells.index]
    cells.index = ["cell1", "cell2"]
    found = compare_cells(cells, truth_cells=small_truth, populations=populations)
    assert found["right_population"] == 1


def test_cells_without_a_barcode_are_an_error(small_truth, populations):
    cells = called(small_truth, {0: "tumour_a"}).set_axis(["cell1"])
    with pytest.raises(ValueError, match=r"1 annotated cells have no barcode .* 'cell1'"):
        compare_cells(cells, truth_cells=small_truth, populations=populations)


def test_cells_that_were_never_simulated_are_an_error(small_truth, populations):
    cells = called(small_truth, {0: "tumour_a"}).assign(sample="T")
    with pytest.raises(ValueError, match="1 annotated cells are not in the table of simulated"):
        compare_cells(cells, truth_cells=small_truth, populations=populations)


def test_claims():
    truth = pd.DataFrame(
        [
            ("K1", True, "all"),
            ("K2", True, "all"),
            ("K3", False, ""),
            ("K4", False, ""),
            ("K5", True, "metastasis"),
            ("K6", True, "metastasis"),
        ],
        columns=["claim_id", "planted", "where"],
    )
    evidence = pd.DataFrame(
        [("K1", "supported"), ("K2", "partly"), ("K3", "not supported"), ("K9", "supported")],
        columns=["claim_id", "verdict"],
    )
    assert compare_claims(truth, evidence=evidence, contrasts=["K6"]) == {
        "planted": {
            "claims": 3,
            "verdicts": {"no row": 1, "partly": 1, "supported": 1},
            "claim_ids": {"no row": ["K6"], "partly": ["K2"], "supported": ["K1"]},
        },
        "planted_partly": {
            "claims": 1,
            "verdicts": {"no row": 1},
            "claim_ids": {"no row": ["K5"]},
        },
        "unplanted": {
            "claims": 2,
            "verdicts": {"no row": 1, "not supported": 1},
            "claim_ids": {"no row": ["K4"], "not supported": ["K3"]},
        },
    }


def test_the_whole_comparison(annotated, populations, markers, planted, make_table):
    truth_cells = pd.DataFrame(
        {
            "sample": annotated["sample"],
            "barcode": barcodes(annotated),
            "population": annotated["population"].replace("unassigned", "tumour_a"),
            "state": "single",
            "second_population": "",
        }
    )
    back = ("macrophage", "tumour_a", "L2", "R2_R3")
    control = ("tumour_a", "macrophage", "X", "Y")
    half = ("tumour_a", "tumour_b", "L1", "R1")
    interactions = scored(
        ("A", *L1R1, 0.01),
        ("C", *L1R1, 0.01),
        ("C", *back, 0.2),
        ("B", *control, 0.01),
        ("A", *half, 0.01),
        ("C", *half, 0.01),
        ("D", *half, 0.3),
    )
    support = pd.DataFrame(
        [(*L1R1, 2, 2, 1.0)],
        columns=[*EDGE, "n_informative", "n_active", "support"],
    )
    claims = make_table(
        """
        claim_id kind pairs source target
        K1 interaction L1^R1 tumour macrophage
        K4 interaction X^Y tumour macrophage
        """
    )
    found = compare_with_truth(
        support=support,
        interactions=interactions,
        adata_obs=annotated,
        detection=pd.Series({"L1": 0.1, "R1": 0.1, "X": 0.1, "Y": 0.1}),
        truth_cells=truth_cells,
        truth_edges=edge_truth(planted, populations=populations),
        populations=populations,
        markers=markers,
        planted=planted,
        claims=claims,
        evidence=pd.DataFrame({"claim_id": ["K1", "K4"], "verdict": ["supported", "partly"]}),
        resource=pd.DataFrame(
            [("L1", "R1"), ("L2", "R2_R3"), ("X", "Y")], columns=["ligand", "receptor"]
        ),
        alpha=0.05,
        min_cells=2,
        min_patients=2,
        controls_per_edge=1,
    )
    json.dumps(found, allow_nan=False)
    edges = found["edges"]
    # The edges of metastases have one informative patient (P2) each, so only L1-R1 counts.
    assert edges["planted"]["edges"] == 3
    assert edges["planted"]["informative"] == 1
    assert edges["planted"]["not_informative"] == 2
    assert edges["planted"]["rate"] == 1
    assert set(edges["planted_by_where"]) == {"all", "metastasis"}
    assert edges["planted_by_where"]["metastasis"]["rate"] is None
    assert edges["missed"] == []
    # One control each; tumour_a to macrophage: X-Y is active in P1 of P1 and P2.
    assert edges["controls"]["edges"] == edges["controls"]["wanted"] == 3
    assert edges["controls"]["informative"] == 1
    assert edges["controls"]["rate"] == 1
    # tumour_a to tumour_b, L1-R1: two of three patients; the other eight are never active.
    assert edges["half_planted"]["edges"] == 9
    assert edges["half_planted"]["recovered"] == 1
    assert edges["in_support_table"]["not_listed"] == 0
    assert edges["in_support_table"]["rate"] == 1
    assert found["cells"]["unassigned"] == pytest.approx(1 / len(annotated))
    assert found["claims"]["planted"]["verdicts"] == {"supported": 1}
    assert found["claims"]["unplanted"]["verdicts"] == {"partly": 1}
    assert found["settings"]["min_support"] == 0.5


def test_calls_of_tumour_cells_by_hand(populations):
    """Ten tumour and ten normal single cells; a doublet called yes does not count."""
    calls = ["yes"] * 7 + ["no", "undetermined", "undetermined"] + ["yes"] + ["no"] * 8
    calls += ["undetermined", "yes"]
    names = ["tumour_a"] * 10 + ["macrophage"] * 10 + ["tumour_b"]
    obs = pd.DataFrame({"sample": "A", "population": names, "malignant": calls})
    obs["barcode"] = barcodes(obs)
    truth = obs[["sample", "barcode", "population"]].assign(
        state=["single"] * 20 + ["doublet"], second_population=""
    )
    found = compare_malignancy(obs, truth_cells=truth, populations=populations)
    assert found == {
        "calls": {
            "tumour": {"yes": 7, "no": 1, "undetermined": 2},
            "normal": {"yes": 1, "no": 8, "undetermined": 1},
        },
        "precision": 7 / 8,
        "recall": 0.7,
        "undetermined": 3 / 20,
    }
    nobody = compare_malignancy(obs[:0], truth_cells=truth, populations=populations)
    assert nobody["precision"] is None
    assert nobody["recall"] is None
