"""The tables over cohorts, from files, against those made from tables in memory."""

import pandas as pd
import pytest

from osteotalk import io
from osteotalk.claims.together.combine import combine_evidence
from osteotalk.claims.together.moved import compare_files, compare_verdicts
from osteotalk.claims.together.over_cohorts import combine_cohorts, write_combined
from osteotalk.claims.verdicts import Rules
from osteotalk.contract import empty_frame

RULES = {
    "min_patients": 3,
    "min_support": 0.5,
    "max_decoy_q": 0.05,
    "max_direction_p": 0.05,
    "max_population_p": 0.05,
}
DATASETS = pd.DataFrame(
    {"dataset": ["a", "b", "copy"], "source": "local", "patients_of": ["", "", "a"], "combine": ""}
)


@pytest.fixture
def files(tmp_path, planted_evidence):
    """Evidence of cohort a, of b, of other patients, and of a copy of a."""
    found, evidence = {}, planted_evidence[0].reset_index(drop=True)
    for name in DATASETS["dataset"]:
        found[name] = str(tmp_path / f"{name}.tsv")
        io.write_tsv(evidence.assign(dataset=name), found[name], table="evidence")
    calibration = tmp_path / "calibration.tsv"
    io.write_tsv(empty_frame("calibration"), calibration, table="calibration")
    return found | {"calibration": str(calibration)}


def combine(files, claims, chosen):
    therapies = pd.DataFrame(columns=["drug", "target_genes", "claims", "note"])
    return combine_cohorts(
        chosen,
        {
            "claims": [files[name] for name in chosen],
            "published": [files[name] for name in chosen],
            "calibration": [files["calibration"]],
        },
        datasets=DATASETS,
        claims=claims,
        published=claims,
        therapies=therapies,
        rules=RULES,
    )


def test_cohorts_of_different_patients_are_combined(files, planted_evidence, planted_claims):
    tables = combine(files, planted_claims, ["a", "b", "copy"])
    every = [io.read_tsv(files[name], table="evidence") for name in ("a", "b", "copy")]
    joined = pd.concat(every, ignore_index=True)
    pd.testing.assert_frame_equal(tables["evidence"], joined)
    expected = combine_evidence(
        joined, claims=planted_claims, independent=["a", "b"], rules=Rules(**RULES)
    )
    pd.testing.assert_frame_equal(tables["verdicts"], expected)
    pd.testing.assert_frame_equal(tables["published"], expected)
    n = planted_evidence[0]["n_informative"].sum()
    assert tables["verdicts"]["n_informative"].sum() == 2 * n > 0


def test_they_are_written_under_their_names(files, planted_claims, tmp_path):
    tables = combine(files, planted_claims, ["a"])
    paths = {name: str(tmp_path / "out" / f"{name}.tsv") for name in tables}
    write_combined(tables, paths)
    assert set(paths) == {"evidence", "verdicts", "published", "therapies", "calibration"}
    read = io.read_tsv(paths["published"], table="verdicts")
    assert read["verdict"].tolist() == tables["verdicts"]["verdict"].tolist()


def test_settings_are_compared_from_files(files):
    read = io.read_tsv(files["a"], table="evidence")
    found = compare_files({"a": files["a"]}, {("a", "alpha", "0.01"): files["b"]})
    expected = compare_verdicts({"a": read}, [("a", "alpha", "0.01", read)])
    pd.testing.assert_frame_equal(found, expected)
    assert set(found["moved"]) == {"no"}
