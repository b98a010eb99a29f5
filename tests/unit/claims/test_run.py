"""The engine on files: calibration, a changed setting, and drugs beside verdicts."""

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from anndata import concat
from scipy import sparse

from osteotalk import io
from osteotalk.claims.controls.calibrate import PAIRS, POPULATIONS, SHUFFLED, disturbed_by_shuffling
from osteotalk.claims.controls.chance import calibrate
from osteotalk.claims.controls.rescore import rescored
from osteotalk.claims.measures.programme_table import programme_table
from osteotalk.claims.run import Basis, basis_of
from osteotalk.claims.together.moved import compare_verdicts
from osteotalk.claims.together.sensitivity import variant_evidence
from osteotalk.claims.together.therapies import therapy_table
from osteotalk.contract import OBSM, conform, dtypes
from osteotalk.contract_checks import check_frame


def annotated(samples):
    """The samples as one file of stage `annotated` would hold them."""
    adata = concat(samples)
    text = (
        "cluster",
        "population_major",
        "cycling",
        "population_reason",
        "lineage_doublet",
        "malignant",
    )
    for name in (*text, "malignant_reason", "clone"):
        adata.obs[name] = "x"
    numbers = (
        "n_counts",
        "pct_mito",
        "doublet_score",
        "population_probability",
        "major_probability",
    )
    for name in (*numbers, "malignant_probability", "cnv_score"):
        adata.obs[name] = 0.5
    adata.obs["n_genes"] = 100
    adata.obsm.update({name: np.zeros((adata.n_obs, 2), dtype=np.float32) for name in OBSM})
    adata.X = sparse.csr_matrix(adata.X)
    adata.layers["counts"] = adata.X.copy()
    adata.layers["counts"].data = np.round(np.expm1(adata.X.data))
    return adata


@dataclass(frozen=True)
class Files:
    """A cohort on disk, and what reads it."""

    annotated: Path
    interactions: list
    basis: Basis


def write_files(kit, folder, scored):
    """Write a cohort as the workflow does, and read it with `basis_of`."""
    samples = [part.adata for part in scored]
    names = [adata.obs["sample"].iloc[0] for adata in samples]
    io.write_stage(annotated(samples), folder / "annotated.h5ad", stage="annotated")
    for name, part in zip(names, scored, strict=True):
        io.write_parquet(part.interactions, folder / f"{name}.parquet", table="interactions")
    pairs = kit.PAIRS.assign(origin="x")
    pairs.loc[len(pairs)] = ["L0", "ABSENT", "x"]
    io.write_tsv(pairs, folder / "resource.tsv", table="resource")
    tables = {
        "populations": kit.VOCABULARY, "markers": kit.MARKERS, "signatures": kit.SIGNATURES,
    }  # fmt: skip
    basis = basis_of(
        folder / "annotated.h5ad",
        folder / "resource.tsv",
        dataset="d",
        samples=names,
        tables={name: table.to_dict("list") for name, table in tables.items()},
        scoring=kit.SCORING,
        rules=asdict(kit.RULES),
        decoys={"n_decoys": kit.SETTINGS.n_decoys, "decoy_pool": kit.SETTINGS.decoy_pool},
        seed=0,
    )
    return Files(folder / "annotated.h5ad", [folder / f"{n}.parquet" for n in names], basis)


@pytest.fixture(scope="module")
def planted_files(kit, planted_cells, tmp_path_factory):
    return write_files(kit, tmp_path_factory.mktemp("cohort"), planted_cells)


def same(one, two):
    pd.testing.assert_frame_equal(one.reset_index(drop=True), two.reset_index(drop=True))


def test_evidence_from_files_is_that_of_the_cells(
    planted_files, planted_claims, planted_evidence, planted_findings
):
    basis = planted_files.basis
    cohort = basis.cohort(basis.from_files(planted_files.interactions), planted_claims)
    found = basis.evidence(planted_claims, cohort)
    same(found.evidence, planted_evidence[0])
    same(found.decoys, planted_evidence[1])
    same(found.values, planted_findings.values)
    same(found.statistics, planted_findings.statistics)


def test_scoring_again_gives_the_tables_of_the_files(planted_files, planted_cells):
    basis = planted_files.basis
    again = next(iter(rescored(basis, basis.cells())))
    same(again.interactions, planted_cells[0].interactions)


def test_pairs_that_are_not_measured_are_no_part_of_the_basis(planted_files):
    assert "ABSENT" not in set(planted_files.basis.resource["receptor"])
    assert len(planted_files.basis.resource) == 70


def test_several_tables_of_claims_share_a_cohort(planted_files, kit, planted_claims):
    basis = planted_files.basis
    other = kit.claims_table(kit.EXPRESSION | {"claim_id": "X1", "genes": "G1", "source": "tam"})
    cohort = basis.cohort(basis.from_files(planted_files.interactions), planted_claims, other)
    assert all("X1" in tested for tested in cohort.tested)
    assert all("gene" in tested for tested in cohort.tested)


def test_programmes_of_populations_that_have_enough_cells(kit, planted):
    table = programme_table(planted)
    check_frame(table, table="programmes", where="x")
    assert len(table) == 2 * planted.enough.sum()  # `short` is not scored
    keys = ["signature", "sample", "population"]
    score = table.set_index(keys).loc[("high", "S3", "cd8_t")]
    at = planted.samples.index("S3"), planted.populations.index("cd8_t")
    assert score["score"] == planted.programmes["high"][at]
    assert score[["patient", "condition", "n_cells"]].tolist() == ["P3", "primary", 20]
    assert not table.duplicated(keys).any()
    none = programme_table(kit.replace(planted, programmes={}))
    check_frame(none, table="programmes", where="x")
    assert none.empty


def test_a_file_of_another_sample_is_refused(planted_files):
    files = planted_files.interactions
    with pytest.raises(ValueError, match=r"S0b\.parquet holds another sample than S0$"):
        list(planted_files.basis.from_files([files[1], files[0], *files[2:]]))
    with pytest.raises(ValueError, match="zip"):
        list(planted_files.basis.from_files(files[:-1]))


@pytest.fixture(scope="module")
def small(kit, planted_files, planted_claims):
    """Four samples of three patients, and some claims."""
    basis = kit.replace(planted_files.basis, samples=planted_files.basis.samples[:4])
    chosen = ("edge", "parent", "few", "gene", "flat_gene", "programme")
    claims = planted_claims[planted_claims["claim_id"].isin(chosen)]

    def variant(setting, value, **other):
        files = planted_files.interactions[:4]
        return variant_evidence(
            claims, basis, setting=setting, value=value, interactions=files, **other
        ).set_index("claim_id")

    return variant


def test_alpha_changes_the_calls_and_nothing_is_scored_again(small, monkeypatch):
    def never(*args, **kwargs):
        raise AssertionError

    monkeypatch.setattr("osteotalk.claims.controls.rescore.score_sample", never)
    baseline, strict = small("alpha", 0.05), small("alpha", 1e-250)
    assert baseline.loc[["edge", "gene"], "n_active"].tolist() == [3, 3]
    assert strict["n_active"].tolist() == [0] * 6
    assert strict.loc["edge", "verdict"] == "inconclusive"
    numbers = ["effect", "decoy_p", "population_p", "n_informative"]
    same(strict[numbers], baseline[numbers])


def test_other_settings_score_again(small, kit):
    baseline = small("alpha", 0.05)
    larger = small("min_cells", 16)  # plasma and dc have 15
    assert (larger.loc["few", "n_informative"], baseline.loc["few", "n_informative"]) == (0, 3)
    fewer = small("expr_prop", 1.0)  # every cell
    assert (fewer["n_active"] <= baseline["n_active"]).all()
    assert fewer["n_active"].sum() < baseline["n_active"].sum()
    other = small("resource", "mine", resource=kit.PAIRS.iloc[:40].assign(origin="y"))
    assert other.loc["edge", "n_decoys"] < 40 < baseline.loc["edge", "n_decoys"]
    assert other.loc["gene", "decoy_p"] == baseline.loc["gene", "decoy_p"]
    for setting in ("resource", "resolution", "seed"):
        with pytest.raises(ValueError, match=f"what {setting} mine changes is not given"):
            small(setting, "mine")


def test_another_resolution_takes_the_cells_it_is_given(small, planted_files):
    adata = io.read_stage(planted_files.annotated, stage="annotated")
    same(small("resolution", 1.0, cells=adata), small("alpha", 0.05))
    name = adata.obs["population"].astype(str)
    adata.obs["population"] = name.mask(name == "endothelial", "fibroblast")
    got = small("resolution", 1.0, cells=adata)
    assert "none of the targets (endothelial)" in got.loc["edge", "reason"]
    assert got.loc["parent", "verdict"] == small("alpha", 0.05).loc["parent", "verdict"]


def test_verdicts_beside_those_of_a_changed_setting(planted_evidence):
    baseline = planted_evidence[0].reset_index(drop=True)
    changed = baseline.copy()
    changed.loc[changed["claim_id"] == "gene", "verdict"] = "partly"
    table = compare_verdicts(
        {"d": baseline}, [("d", "alpha", "0.1", changed), ("d", "min_cells", "5", baseline)]
    )
    check_frame(table, table="sensitivity", where="x")
    assert len(table) == 2 * len(baseline)
    moved = table[table["moved"] == "yes"]
    assert moved.iloc[0].to_dict() == {
        "dataset": "d", "setting": "alpha", "value": "0.1", "claim_id": "gene",
        "baseline": "supported", "verdict": "partly", "moved": "yes",
    }  # fmt: skip
    assert len(moved) == 1
    none = compare_verdicts({"d": baseline}, [])
    check_frame(none, table="sensitivity", where="x")
    assert none.empty


def test_therapies_stand_beside_the_verdicts_of_their_claims():
    blank = dict.fromkeys(dtypes("verdicts"), np.nan)
    numbers = {"n_informative": 8, "n_active": 6, "n_decoys": 9, "n_population_decoys": 9,
               "n_response": 0, "n_datasets": 1, "support": 0.75}  # fmt: skip
    rows = [blank | numbers | {"claim_id": c, "verdict": v}
            for c, v in (("C1", "supported"), ("C2", "partly"))]  # fmt: skip
    verdicts = conform(pd.DataFrame(rows), table="verdicts")
    cells = {"named_in_review": "yes", "source": "10.1000/x", "note": "n"}
    therapies = pd.DataFrame(
        [
            {"drug": "b", "target_genes": "KDR;FLT1", "claims": "C2;C1"} | cells,
            {"drug": "a", "target_genes": "CXCR4", "claims": "C1"} | cells,
            {"drug": "none", "target_genes": "X", "claims": ""} | cells,
        ]
    )
    table = therapy_table(therapies, verdicts)
    check_frame(table, table="therapies", where="x")
    told = table[["drug", "target_gene", "claim_id", "verdict"]].to_numpy().tolist()
    assert told == [
        ["b", "KDR;FLT1", "C2", "partly"],
        ["b", "KDR;FLT1", "C1", "supported"],
        ["a", "CXCR4", "C1", "supported"],
    ]
    assert table["support"].tolist() == [0.75] * 3
    assert table[["n_informative", "n_active"]].iloc[0].tolist() == [8, 6]
    nothing = therapy_table(therapies[2:], verdicts)
    check_frame(nothing, table="therapies", where="x")
    assert nothing.empty


def test_little_is_supported_by_chance(planted_files, planted_claims, planted_evidence):
    """The whole calibration: planted truth is found, and nothing where it is gone."""
    table = calibrate(
        planted_claims, planted_files.basis, evidence=planted_evidence[0].reset_index(drop=True),
        interactions=planted_files.interactions, n_decoy_tables=1, n_shuffles=2,
    )  # fmt: skip
    check_frame(table, table="calibration", where="x")
    assert set(table["control"]) == {SHUFFLED, PAIRS, POPULATIONS}
    seen = table[table["theme"] == "all"].set_index(["control", "verdict"])
    shuffled = seen.loc[SHUFFLED]
    assert shuffled.loc["supported", "n_real"] == len(disturbed_by_shuffling(planted_claims))
    assert shuffled.loc["supported", "n_control"] == 2 * shuffled.loc["supported", "n_real"]
    found = shuffled.loc[["supported", "present, not specific"], "k_control"].sum()
    assert found <= 0.05 * shuffled.loc["supported", "n_control"]
    assert seen.loc[(PAIRS, "supported"), "k_control"] <= 2
    assert seen.loc[(PAIRS, "supported"), "k_real"] >= 10
    assert seen.loc[(PAIRS, "supported"), "ratio"] > 5
    totals = table.groupby(["control", "theme"])[
        ["k_real", "k_control", "n_real", "n_control"]
    ].agg({"k_real": "sum", "k_control": "sum", "n_real": "first", "n_control": "first"})
    assert (totals["k_real"] == totals["n_real"]).all()
    assert (totals["k_control"] == totals["n_control"]).all()


def test_processes_do_not_change_the_calibration(planted_files, planted_claims, planted_evidence):
    some = planted_claims.head(6)
    one, two = (
        calibrate(
            some, planted_files.basis, evidence=planted_evidence[0].head(6),
            interactions=planted_files.interactions, n_decoy_tables=1, n_shuffles=1, jobs=jobs,
        )
        for jobs in (1, 2)
    )  # fmt: skip
    assert len(one)
    pd.testing.assert_frame_equal(one, two)
