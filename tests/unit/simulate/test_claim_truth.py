"""Which claims hold where genes are raised: every kind and contrast, on toy tables."""

import pandas as pd
import pytest
import scanpy

from osteotalk.simulate import check, simulate_cohort, truth
from osteotalk.simulate.claim_truth import claim_truth

CONDITIONS = ["primary", "metastasis"]


@pytest.fixture
def signatures(make_table):
    return make_table(
        """
        signature gene weight
        grow G1 1
        grow G2 1
        grow G3 1
        grow G4 1
        grow DOWN -1
        """
    )


@pytest.fixture
def raised(make_table):
    return make_table(
        """
        claim_id population genes where
        E1 tumour A;B all
        E2 macrophage A metastasis
        E3 tumour_a OFF primary
        E4 macrophage signature:grow all
        E5 tumour_a G1;G2 metastasis
        """
    )


@pytest.fixture
def elevated(populations, markers, planted, raised, signatures):
    return truth.elevation_by_condition(
        populations,
        markers=markers,
        planted=planted,
        conditions=CONDITIONS,
        genes=truth.raised_genes(raised, signatures=signatures),
    )


def test_a_programme_stands_for_its_genes_of_weight_one(raised, signatures):
    rows = truth.raised_genes(raised, signatures=signatures)
    assert rows.to_numpy().tolist() == [
        ["tumour", "A", "all"],
        ["tumour", "B", "all"],
        ["macrophage", "A", "metastasis"],
        ["tumour_a", "OFF", "primary"],
        ["macrophage", "G1", "all"],
        ["macrophage", "G2", "all"],
        ["macrophage", "G3", "all"],
        ["macrophage", "G4", "all"],
        ["tumour_a", "G1", "metastasis"],
        ["tumour_a", "G2", "metastasis"],
    ]
    assert truth.raised_genes(None, signatures=None).empty


def test_raised_genes_join_markers_and_edges(elevated, populations, markers, planted):
    plain = truth.elevation_by_condition(
        populations, markers=markers, planted=planted, conditions=CONDITIONS
    )
    own = {"A", "B", "OFF", "G1", "G2", "G3", "G4"}
    for condition, frame in elevated.items():
        assert set(frame.columns) == set(plain[condition].columns) | own
        pd.testing.assert_frame_equal(frame[plain[condition].columns], plain[condition])
    raised = {
        condition: {name: set(own & set(frame.columns[row])) for name, row in frame.iterrows()}
        for condition, frame in elevated.items()
    }
    grow = {"G1", "G2", "G3", "G4"}
    assert raised == {
        "primary": {"tumour_a": {"A", "B", "OFF"}, "tumour_b": {"A", "B"}, "macrophage": grow},
        "metastasis": {
            "tumour_a": {"A", "B", "G1", "G2"},
            "tumour_b": {"A", "B"},
            "macrophage": {"A", *grow},
        },
    }


def held(text, make_table, **arguments):
    """Truth of claims, by id, and the claims of which nothing holds."""
    found = claim_truth(make_table(text), **arguments).set_index("claim_id")
    assert list(found) == ["planted", "where"]
    assert (found["planted"] == (found["where"] != "")).all()
    return found["where"].to_dict()


def test_expression_and_signature(make_table, populations, elevated, signatures):
    text = """
        claim_id kind genes signature source target contrast direction contrast_with
        both expression A;B - tumour - - present -
        one_missing expression A;OFF - tumour_b - - present -
        there_in_primary expression A;OFF - tumour - - present -
        other_has_it expression A - tumour macrophage - present -
        not_all_others expression A - tumour_a tumour_b;macrophage - present -
        unknown_gene expression A;ZZ - tumour - - present -
        parent_has_it expression B - macrophage tumour - present -
        grow signature - grow macrophage tumour - present -
        half_of_it signature - grow tumour_a tumour_b - present -
        less_than_half signature - grow tumour_b - - present -
        untestable not_testable - - - - - - -
        """
    assert held(
        text, make_table, populations=populations, elevated=elevated, signatures=signatures
    ) == {
        "both": "all",
        "one_missing": "",
        "there_in_primary": "primary",
        "other_has_it": "primary",  # in metastases macrophages have it too
        "not_all_others": "primary",  # so there all compared ones have it
        "unknown_gene": "",
        "parent_has_it": "",
        "grow": "all",
        "half_of_it": "metastasis",
        "less_than_half": "",
    }


def test_without_a_target_all_others_are_compared(make_table, populations, elevated):
    text = """
        claim_id kind genes signature source target contrast direction contrast_with
        a expression A - tumour_a - - present -
        """
    # tumour_b has it in both conditions, macrophages in metastases only
    found = held(text, make_table, populations=populations, elevated=elevated)
    assert found == {"a": "primary"}


def test_contrasts_between_conditions(make_table, populations, elevated, signatures):
    """A is raised in macrophages of metastases, OFF in tumour_a of primaries; B everywhere."""
    text = """
        claim_id kind pairs genes signature source target contrast direction contrast_with
        up expression - A - macrophage - conditions higher metastasis>primary
        turned expression - A - macrophage - conditions higher primary>metastasis
        wrong_way expression - A - macrophage - conditions lower metastasis>primary
        down expression - OFF - tumour - conditions lower metastasis>primary
        same expression - B - tumour - conditions higher metastasis>primary
        never expression - OFF - macrophage - conditions higher metastasis>primary
        joined expression - A - macrophage - conditions higher metastasis+relapse>primary
        absent expression - A - macrophage - conditions higher metastasis>relapse
        programme signature - - grow tumour_a - conditions higher metastasis>primary
        edge interaction L2^R2_R3 - - macrophage tumour conditions higher metastasis>primary
        edge_lower interaction L2^R2_R3 - - macrophage tumour conditions lower metastasis>primary
        edge_of_both interaction L1^R1 - - tumour macrophage conditions higher metastasis>primary
        along expression - A - macrophage - correlation higher gene:B@tumour
        """
    assert held(
        text, make_table, populations=populations, elevated=elevated, signatures=signatures
    ) == {
        "up": "metastasis",
        "turned": "",
        "wrong_way": "",
        "down": "primary",
        "same": "",
        "never": "",
        "joined": "metastasis",
        "absent": "",
        "programme": "metastasis",
        "edge": "metastasis",
        "edge_lower": "",
        "edge_of_both": "",
        "along": "",
    }


@pytest.fixture
def makeup(make_table):
    """Macrophages: 0.2 and 0.4 of primaries (0.3), 0.5 of metastases; tumour_a a half, or 0.3."""
    return make_table(
        """
        population condition histology share
        tumour_a primary usual 0.5
        tumour_b primary usual 0.3
        macrophage primary usual 0.2
        tumour_a primary rare 0.3
        tumour_b primary rare 0.3
        macrophage primary rare 0.4
        tumour_a metastasis usual 0.3
        tumour_b metastasis usual 0.2
        macrophage metastasis usual 0.5
        """
    )


def test_composition(make_table, populations, elevated, makeup):
    text = """
        claim_id kind source target contrast direction contrast_with
        more composition macrophage - conditions higher metastasis>primary
        fewer composition macrophage - conditions lower primary>metastasis
        turned composition macrophage - conditions higher primary>metastasis
        too_little composition tumour - conditions lower metastasis>primary
        within composition tumour_a tumour conditions lower metastasis>primary
        unknown composition macrophage - conditions higher relapse>primary
        equal_split composition macrophage - - present -
        along composition macrophage - correlation higher gene:B@tumour
        """
    # 0.5 / 0.3 = 1.67; 0.7 / 0.5 = 1.4; an equal split is 1/3, so 0.5 is 1.5 times as much.
    assert held(text, make_table, populations=populations, elevated=elevated, shares=makeup) == {
        "more": "metastasis",
        "fewer": "metastasis",
        "turned": "",
        "too_little": "",
        "within": "",
        "unknown": "",
        "equal_split": "metastasis",
        "along": "",
    }
    unknown = held(text, make_table, populations=populations, elevated=elevated)
    assert not any(unknown.values())


def test_states_have_no_cells(make_table, populations, elevated, makeup):
    states = pd.concat(
        [populations, make_table("population parent level cnv_role\ncycling macrophage state -")]
    )
    text = """
        claim_id kind source target contrast direction contrast_with
        state composition cycling macrophage - present -
        """
    assert held(text, make_table, populations=states, elevated=elevated, shares=makeup) == {
        "state": ""
    }


def test_raised_genes_are_checked(raised, samples, populations, signatures):
    assert check.raised_problems(raised, samples, populations, signatures) == []
    raised.loc[0, "population"] = "tumor"
    raised.loc[2, "where"] = "all;relapse"
    raised.loc[3, "where"] = ""
    raised.loc[4, "genes"] = "G1;signature:grw"
    assert check.raised_problems(raised, samples, populations, signatures) == [
        "A;B in tumor: 'tumor' is no population of cells; closest: 'tumour'",
        "OFF in tumour_a: where 'relapse' is not one of all, metastasis, primary",
        "signature:grow in macrophage: where '' is not one of all, metastasis, primary",
        "G1;signature:grw in tumour_a: 'grw' is not in the table of signatures; closest: 'grow'",
    ]


def test_raised_genes_are_drawn(
    samples, files, populations, markers, shares, planted, raised, signatures, tmp_path
):
    """In the counts, a raised gene is seen where the table says, and hardly elsewhere."""
    simulate_cohort(
        samples=samples,
        files=files,
        populations=populations,
        markers=markers,
        shares=shares,
        planted=planted,
        resource_genes=["L1", "L2", "R1", "R2", "R3", "DOWN"],
        cells=300,
        genes=400,
        seed=1,
        raised=raised,
        signatures=signatures,
        **{f"truth_{name}": tmp_path / f"{name}.tsv" for name in ("cells", "edges", "cnv")},
    )
    cells = pd.read_csv(tmp_path / "cells.tsv", sep="\t", dtype=str, keep_default_na=False)
    cells = cells[cells["state"] == "single"].set_index("barcode")
    seen = {}
    for condition, sample, folder, prefix in (
        ("primary", "S1", "flat", "GEO_S1_"),
        ("metastasis", "S2", "S2", None),
    ):
        counts = scanpy.read_10x_mtx(tmp_path / folder, prefix=prefix).to_df()
        own = cells[cells["sample"] == sample]
        detected = counts.loc[own.index] > 0
        seen[condition] = detected.groupby(own["population"].to_numpy()).mean()
    assert "DOWN" in seen["primary"]
    high, low = 0.6, 0.25
    assert seen["primary"].loc[["tumour_a", "tumour_b"], ["A", "B"]].to_numpy().min() > high
    assert seen["primary"].loc["macrophage", ["A", "B"]].max() < low
    assert seen["metastasis"].loc["macrophage", "A"] > high
    assert seen["primary"].loc["tumour_a", "OFF"] > high
    assert seen["metastasis"].loc["tumour_a", "OFF"] < low
    assert seen["primary"].loc["macrophage", ["G1", "G2", "G3", "G4"]].min() > high
    assert seen["primary"].loc["tumour_a", "G1"] < low
    assert seen["metastasis"].loc["tumour_a", ["G1", "G2"]].min() > high
    assert seen["metastasis"].loc["tumour_a", ["G3", "G4"]].max() < low
