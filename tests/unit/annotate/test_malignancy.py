"""Calls on toy samples with known copy number, and on real cells."""

import importlib.util

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse
from sklearn.metrics import roc_auc_score

from osteotalk import contract_checks, io
from osteotalk.annotate.malignancy import (
    call_malignant,
    cell_roles,
    in_private_cluster,
    patient_shares,
)
from osteotalk.ingest.gtf import arms

POPULATIONS = pd.DataFrame(
    [
        ("malignant", "", "malignant"),
        ("malignant_a", "malignant", "malignant"),
        ("stroma", "", ""),
        ("fibroblast", "stroma", ""),
        ("endothelial", "", "reference"),
        ("tam", "", "reference"),
    ],
    columns=["population", "parent", "cnv_role"],
)
TOP = {"malignant_a": "malignant", "fibroblast": "stroma"}
SETTINGS = {"window": 20, "min_reference": 20, "min_genes": 100, "seed": 0}
CHANGES = {"P1": {"3p": 0.5, "2q": 1.5, "1p": 0.5}, "P2": {"1q": 1.5, "2p": 0.5, "3q": 1.5}}


def cohort(*rows, seed=0):
    """Cells of rows (sample, patient, cluster, population, is tumour, number)."""
    rng = np.random.default_rng(seed)
    genes = [(f"chr{c}", s + i) for c in (1, 2, 3) for s in (10**6, 150 * 10**6) for i in range(60)]
    var = pd.DataFrame(genes, columns=["chromosome", "start"])
    var["end"] = var["start"] + 1
    var.index = [f"g{i}" for i in range(len(var))]
    arm = arms(var["chromosome"], var["start"])
    mean = np.exp(np.random.default_rng(99).normal(0.5, 0.7, len(var)))
    counts, obs = [], []
    for sample, patient, cluster, population, tumour, n in rows:
        fold = np.array([CHANGES[patient].get(a, 1.0) if tumour else 1.0 for a in arm])
        counts.append(rng.poisson(np.broadcast_to(mean * fold, (n, len(var)))))
        obs += [(sample, patient, cluster, population, bool(tumour))] * n
    counts = np.vstack(counts)
    x = np.log1p(counts * (1e4 / counts.sum(axis=1, keepdims=True)))
    obs = pd.DataFrame(obs, columns=["sample", "patient", "cluster", "population", "truth"])
    obs.index = [f"c{i}" for i in range(len(obs))]
    obs["population_major"] = [TOP.get(name, name) for name in obs["population"]]
    obs["population_state"], obs["population_reason"], obs["lineage_doublet"] = "", "", "no"
    obs["population_probability"] = obs["major_probability"] = 1.0
    return AnnData(sparse.csr_matrix(x, dtype=np.float32), obs=obs, var=var)


def call(adata, **changed):
    return call_malignant(adata, populations=POPULATIONS, **SETTINGS | changed)


def calls(adata, **where):
    rows = np.logical_and.reduce([adata.obs[k] == v for k, v in where.items()])
    return adata.obs.loc[rows, "malignant"].value_counts().to_dict()


NORMAL = [
    (s, p, c, n, False, 20)
    for s, p in (("S1", "P1"), ("S2", "P2"))
    for c, n in (("e", "endothelial"), ("t", "tam"))
]


def test_tumour_and_stroma_of_two_patients():
    adata = cohort(
        *NORMAL,
        ("S1", "P1", "m1", "malignant_a", True, 30),
        ("S2", "P2", "m2", "malignant_a", True, 30),
        ("S1", "P1", "f", "fibroblast", False, 20),
        ("S2", "P2", "f", "fibroblast", False, 20),
    )
    before = adata.obs.copy()
    found, table, heat_map = call(adata)
    assert adata.obs.equals(before)
    assert "malignancy" not in adata.uns.get("osteotalk", {})
    assert calls(found, truth=True) == {"yes": 60}
    assert calls(found, truth=False) == {"no": 120}
    assert found.obs["population"].equals(before["population"])
    chance = found.obs["malignant_probability"]
    assert (chance[found.obs["truth"]] >= 0.9).all()
    assert (chance[~found.obs["truth"]] <= 0.1).all()
    clones = found.obs["clone"]
    expected = np.where(found.obs["truth"], found.obs["sample"] + " clone 1", "")
    assert clones.tolist() == expected.tolist()
    score = found.obs["cnv_score"]
    assert score[found.obs["truth"]].mean() == pytest.approx(1, abs=0.1)
    assert score[~found.obs["truth"]].mean() == pytest.approx(0, abs=0.1)
    record = found.uns["osteotalk"]["malignancy"]
    assert record["samples"]["S1"]["gained"] == "2q"
    assert record["samples"]["S1"]["lost"] == "1p;3p"
    assert record["samples"]["S2"]["gained"] == "1q;3q"
    assert record["calls"] == {"yes": 60, "no": 120, "undetermined": 0}
    assert record["renamed"] == {}
    contract_checks.check_frame(table, table="malignancy", where="test")
    contract_checks.check_adata(heat_map, stage="cnv", where="test")
    row = table.set_index(["sample", "cluster"]).loc[("S1", "m1")]
    assert row[["population", "n_cells", "n_reference"]].tolist() == ["malignant_a", 30, 40]
    assert row[["malignant", "n_yes", "n_no", "n_undetermined"]].tolist() == ["yes", 30, 0, 0]
    assert row["patient_share"] == 1.0
    assert set(table["copy_number"]) == {"computed"}
    assert {found["copy_number"] for found in record["samples"].values()} == {"computed"}
    assert row["cnv_score"] == pytest.approx(score[found.obs["cluster"] == "m1"].mean())
    assert 0 < row["cnv_limit"] < 1
    assert row["arms"] == "S1 clone 1: 1p lost;2q gained;3p lost"
    assert row["malignant_probability"] >= 0.99
    assert table.set_index(["sample", "cluster"]).loc[("S1", "f"), "patient_share"] == 0.5


def test_copy_number_corrects_names():
    adata = cohort(
        *NORMAL,
        ("S1", "P1", "m", "malignant_a", True, 30),
        ("S1", "P1", "x", "fibroblast", True, 20),
        ("S1", "P1", "y", "malignant_a", False, 20),
        ("S1", "P1", "z", "unassigned", True, 20),
    )
    found, _, _ = call(adata)
    assert calls(found, truth=True) == {"yes": 70}
    unsure = calls(found, cluster="y").get("undetermined", 0)  # the markers are as sure as can be
    assert unsure <= 1
    assert calls(found, cluster="y")["no"] == 20 - unsure
    obs = found.obs.drop_duplicates("cluster").set_index("cluster")
    columns = ["population", "population_major", "population_reason"]
    assert obs.loc["x", columns].tolist() == [
        "malignant",
        "malignant",
        "fibroblast by its markers; copy number says otherwise",
    ]
    assert obs.loc["y", columns].tolist() == [
        "unassigned",
        "unassigned",
        "malignant_a by its markers; copy number says otherwise",
    ]
    assert obs.loc["z", "population"] == "malignant"
    assert obs.loc["m", columns].tolist() == ["malignant_a", "malignant", ""]
    renamed = found.obs["population"] != adata.obs["population"]
    assert (
        found.obs.loc[renamed, ["population_probability", "major_probability"]]
        .isna()
        .all(axis=None)
    )
    assert found.obs.loc[~renamed, "population_probability"].notna().all()
    assert found.uns["osteotalk"]["malignancy"]["renamed"] == {
        "fibroblast to malignant": 20,
        "malignant_a to unassigned": 20 - unsure,
        "unassigned to malignant": 20,
    }


def test_a_doublet_of_lineages_and_a_macrophage_with_the_tumours_copy_number():
    adata = cohort(
        *NORMAL,
        ("S1", "P1", "m", "malignant_a", True, 30),
        ("S1", "P1", "m", "tam", True, 3),
        ("S1", "P1", "m", "unassigned", True, 5),
    )
    adata.obs.loc[adata.obs["population"] == "unassigned", "lineage_doublet"] = "yes"
    found, _, _ = call(adata)
    assert calls(found, lineage_doublet="yes") == {"undetermined": 5}
    assert calls(found, population="unassigned") == {"undetermined": 5}
    tam = adata.obs["population"] == "tam"
    own = tam & (adata.obs["cluster"] == "m")
    assert set(found.obs.loc[own, "malignant"]) == {"yes"}
    assert set(found.obs.loc[own, "population"]) == {"malignant"}
    assert set(found.obs.loc[tam & ~own, "malignant"]) == {"no"}


@pytest.mark.parametrize(
    ("rows", "changed", "reason"),
    [
        (
            [("S1", "P1", "m", "malignant_a", True, 30), ("S1", "P1", "t", "tam", False, 19)],
            {},
            "the sample has 19 cells of reference populations that are named for sure; 20 are",
        ),
        (
            [("S1", "P1", "m", "malignant_a", True, 30)],
            {},
            "the sample has 0 cells of reference populations that are named for sure; 20 are",
        ),
        (
            [("S1", "P1", "t", "tam", False, 19)],  # no tumour cell either
            {},
            "the sample has 19 cells of reference populations that are named for sure; 20 are",
        ),
        (
            [*NORMAL, ("S1", "P1", "m", "malignant_a", True, 30)],
            {"min_genes": 361},
            "360 genes with a known position on an autosome are seen in enough cells; 361 are",
        ),
    ],
)
def test_without_copy_number_the_markers_are_left_and_the_reason_says_so(
    rows, changed, reason, tmp_path
):
    found, table, heat_map = call(cohort(*rows), **changed)
    tumour = found.obs["population"] == "malignant_a"
    assert (found.obs["malignant"] == np.where(tumour, "yes", "no")).all()
    several = len(set(found.obs["patient"])) > 1  # then the cluster is private, which counts for 5
    known = 95 / 96 if several else 0.95
    np.testing.assert_allclose(found.obs["malignant_probability"], np.where(tumour, known, 0.05))
    said = f"by its markers; copy number was not computed: {reason}"
    assert all(said in text for text in found.obs["malignant_reason"])
    assert set(found.obs["clone"]) == {""}
    assert found.obs["cnv_score"].isna().all()
    assert table["cnv_score"].isna().all()
    assert set(table["copy_number"]) == {"not computed"}
    record = found.uns["osteotalk"]["malignancy"]["samples"]
    assert {sample["copy_number"] for sample in record.values()} == {"not computed"}
    assert all(said in text for text in table["reason"])
    assert heat_map.n_obs == 0
    io.write_stage(heat_map, tmp_path / "cnv.h5ad", stage="cnv")
    assert io.read_stage(tmp_path / "cnv.h5ad", stage="cnv").n_obs == 0


def test_without_positions_nothing_is_guessed(tmp_path):
    adata = cohort(*NORMAL, ("S1", "P1", "m", "malignant_a", True, 30))
    adata.var["chromosome"], adata.var["start"] = "", -1
    adata.obs.loc[adata.obs["cluster"] == "e", "population"] = "unassigned"
    found, _, heat_map = call(adata)
    assert calls(found, population="unassigned") == {"undetermined": 40}
    nothing_known = found.obs["malignant_probability"].isna()
    assert nothing_known.equals(found.obs["population"] == "unassigned")
    said = "; copy number was not computed: the positions of the genes are not known"
    assert all(said in text for text in found.obs["malignant_reason"])
    assert heat_map.shape == (0, 0)
    io.write_stage(heat_map, tmp_path / "cnv.h5ad", stage="cnv")  # also read by the report
    assert io.read_stage(tmp_path / "cnv.h5ad", stage="cnv").n_vars == 0


def test_a_sample_without_gains_and_losses():
    """The markers are left; a cluster private to a patient is undetermined."""
    adata = cohort(
        *NORMAL,
        ("S1", "P1", "m", "malignant_a", False, 30),
        ("S1", "P1", "own", "fibroblast", False, 20),
        ("S1", "P1", "f", "fibroblast", False, 20),
        ("S2", "P2", "f", "fibroblast", False, 20),
        ("S1", "P1", "u", "unassigned", False, 20),
    )
    found, table, heat_map = call(adata)
    assert calls(found, cluster="m") == {"yes": 30}
    assert calls(found, cluster="own") == {"undetermined": 20}
    assert calls(found, cluster="u") == {"undetermined": 20}
    assert calls(found, cluster="f") == {"no": 40}
    assert calls(found, population="tam") == {"no": 40}
    assert found.obs["cnv_score"].isna().all()
    assert heat_map.n_obs == 190
    assert table["cnv_limit"].isna().all()
    assert set(table["copy_number"]) == {"no change"}
    record = found.uns["osteotalk"]["malignancy"]["samples"]["S1"]
    assert (record["copy_number"], record["problem"]) == ("no change", "")
    assert found.obs.loc[found.obs["cluster"] == "m", "malignant_reason"].iloc[0] == (
        "tumour by its markers; no gain or loss was found in the sample; its cluster is private to "
        "its patient"
    )


def test_a_sample_of_reference_cells_only():
    """They are no tumour cells, as in a sample with a cell of another kind."""
    more = ("S2", "P2", "f", "fibroblast", False, 1)
    adata = cohort(*NORMAL, more)
    adata.obs.loc[adata.obs_names[0], "lineage_doublet"] = "yes"
    found, table, heat_map = call(adata)
    assert calls(found, sample="S1") == {"no": 39, "undetermined": 1}
    assert calls(found, sample="S2") == {"no": 40, "undetermined": 1}  # a cluster of its own
    reason = "of a normal lineage by its markers; no cell of the sample could be a tumour cell"
    rows = table.set_index("sample")
    assert rows.loc["S1", "reason"].tolist() == [reason, reason]
    assert set(table["copy_number"]) == {"no change"}
    record = found.uns["osteotalk"]["malignancy"]["samples"]
    assert [record[name]["n_candidates"] for name in ("S1", "S2")] == [0, 1]
    assert heat_map.n_obs == 81


def test_a_patient_with_most_of_the_cells():
    """What both patients share is not private to the one with 92 % of the cells."""
    adata = cohort(
        ("S1", "P1", "e", "endothelial", False, 200),
        ("S1", "P1", "f", "fibroblast", False, 200),
        ("S1", "P1", "own", "fibroblast", False, 20),
        ("S2", "P2", "e", "endothelial", False, 21),
        ("S2", "P2", "f", "fibroblast", False, 15),
    )
    found, table, _ = call(adata)
    assert calls(found, cluster="f") == {"no": 215}
    assert calls(found, cluster="own") == {"undetermined": 20}
    share = table.set_index(["sample", "cluster"])["patient_share"]
    f1, f2 = 200 / 420, 15 / 36
    assert share["S1", "f"] == pytest.approx(f1 / (f1 + f2))
    assert share["S2", "f"] == pytest.approx(f2 / (f1 + f2))
    assert share["S1", "own"] == 1.0


def test_a_cell_in_the_private_cluster_of_another_patient():
    """Its cluster is foreign to it: that nothing is gained in its sample settles it."""
    adata = cohort(
        *NORMAL,
        ("S1", "P1", "own", "fibroblast", False, 100),
        ("S1", "P1", "own", "unassigned", False, 20),
        ("S2", "P2", "own", "fibroblast", False, 3),
        ("S2", "P2", "f", "fibroblast", False, 60),
    )
    found, table, _ = call(adata)
    assert calls(found, cluster="own", patient="P1") == {"undetermined": 120}
    assert calls(found, cluster="own", patient="P2") == {"no": 3}
    share = table.set_index(["sample", "cluster"])["patient_share"]
    p1, p2 = 120 / 160, 3 / 103
    assert share["S1", "own"] == pytest.approx(p1 / (p1 + p2))
    assert share["S2", "own"] == pytest.approx(p2 / (p1 + p2))


def test_a_tie_of_calls_is_undetermined():
    """Half of a cluster named tumour has the tumour's copy number, half has not."""
    adata = cohort(
        *NORMAL,
        ("S1", "P1", "m", "malignant_a", True, 30),
        ("S1", "P1", "x", "tam", False, 20),
        ("S1", "P1", "x", "malignant_a", True, 20),
    )
    found, table, _ = call(adata)
    assert calls(found, cluster="x") == {"no": 20, "yes": 20}
    row = table.set_index(["sample", "cluster"]).loc[("S1", "x")]
    columns = ["malignant", "n_yes", "n_no", "n_undetermined", "reason"]
    reason = "as many cells are tumour as are not"
    assert row[columns].tolist() == ["undetermined", 20, 20, 0, reason]
    assert row["population"] == "malignant_a"


def test_one_sample_has_no_private_clusters():
    adata = cohort(*NORMAL[:2], ("S1", "P1", "own", "fibroblast", False, 20))
    found, table, _ = call(adata)
    assert calls(found, cluster="own") == {"no": 20}
    assert table["patient_share"].tolist() == [1.0, 1.0, 1.0]


def test_small_clusters_are_looked_at_together():
    """Thirty tumour cells in ten clusters of three."""
    adata = cohort(*NORMAL[:2], *[("S1", "P1", f"m{i}", "malignant_a", True, 3) for i in range(10)])
    found, _, _ = call(adata)
    assert calls(found, truth=True) == {"yes": 30}


def test_order_of_cells_and_genes_does_not_matter():
    adata = cohort(
        *NORMAL,
        ("S1", "P1", "m", "malignant_a", True, 30),
        ("S1", "P1", "f", "fibroblast", False, 20),
    )
    found, table, heat_map = call(adata)
    rng = np.random.default_rng(3)
    shuffled = adata[rng.permutation(adata.n_obs), rng.permutation(adata.n_vars)].copy()
    again, table2, heat_map2 = call(shuffled)
    columns = ["malignant", "malignant_reason", "population"]
    assert found.obs[columns].equals(again.obs.loc[found.obs_names, columns])
    np.testing.assert_allclose(
        found.obs["cnv_score"], again.obs.loc[found.obs_names, "cnv_score"], atol=1e-5
    )
    pd.testing.assert_frame_equal(table, table2, atol=1e-5)
    assert heat_map.obs.equals(heat_map2.obs)
    np.testing.assert_allclose(heat_map.X.toarray(), heat_map2.X.toarray(), atol=1e-5)
    same, table3, _ = call(adata)
    assert found.obs.equals(same.obs)
    assert table.equals(table3)


def test_the_heat_map_shows_at_most_200_cells_of_a_sample():
    adata = cohort(
        *NORMAL, ("S1", "P1", "m", "malignant_a", True, 250), ("S2", "P2", "f", "fibroblast", 0, 20)
    )
    _, _, heat_map = call(adata)
    assert heat_map.obs["sample"].value_counts().to_dict() == {"S1": 200, "S2": 60}
    assert heat_map.X.dtype == np.float32
    assert heat_map.X.format == "csr"
    marks = heat_map.obs["population"].isin(["tam", "endothelial"]).map({True: "yes", False: "no"})
    assert heat_map.obs["reference"].equals(marks.rename("reference"))


def test_roles_and_shares_by_hand():
    obs = pd.DataFrame(
        {
            "population": ["malignant_a", "tam", "stroma", "unassigned", "unassigned"],
            "lineage_doublet": ["no", "no", "no", "no", "yes"],
            "cluster": ["0", "0", "0", "1", "1"],
            "patient": ["A", "A", "B", "B", "C"],
        }
    )
    roles = cell_roles(obs, POPULATIONS).tolist()
    assert roles == ["tumour", "reference", "other", "unassigned", "two lineages"]
    share = patient_shares(obs)  # A lies in cluster 0, C in cluster 1, B half in each
    by_hand = pd.DataFrame(
        {"A": [2 / 3, 0], "B": [1 / 3, 1 / 3], "C": [0, 2 / 3]}, index=["0", "1"]
    )
    pd.testing.assert_frame_equal(share, by_hand, check_names=False)
    assert not in_private_cluster(obs, share=share).any()
    obs["cluster"] = ["0", "0", "1", "1", "1"]
    private = in_private_cluster(obs, share=patient_shares(obs))
    assert private.tolist() == [True, True, False, False, False]
    alone = obs.assign(patient="A")
    assert not in_private_cluster(alone, share=patient_shares(alone)).any()


@pytest.fixture(scope="module")
def real(repository):
    path = repository / "benchmarks" / "malignancy.py"
    spec = importlib.util.spec_from_file_location("benchmark_malignancy", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def judge(real, adata):
    settings = {"window": 100, "min_reference": 10, "min_genes": 1000, "seed": 0}
    return call_malignant(adata, populations=real.POPULATIONS, **settings)


def test_real_oligodendrogliomas_by_copy_number_alone(real):
    """Microglia are the only reference; oligodendrocytes are told from 142 tumour cells."""
    adata = real.oligodendroglioma()
    assert adata.obs["truth"].value_counts()[real.NORMAL] == 23
    found, table, _ = judge(real, adata)
    judged = found.obs["truth"] != real.REFERENCE
    tumour = found.obs["truth"].str.startswith("malignant")
    auc = roc_auc_score(tumour[judged], found.obs.loc[judged, "cnv_score"])
    assert (judged.sum(), tumour.sum(), table["n_reference"].iloc[0]) == (165, 142, 19)
    assert auc >= 0.97
    lost = found.uns["osteotalk"]["malignancy"]["samples"]["oligodendroglioma"]["lost"]
    assert {"1p", "19q"} <= set(lost.split(";"))  # what defines the disease
    assert (found.obs.loc[tumour, "malignant"] == "yes").mean() >= 0.95
    assert not (found.obs.loc[~tumour, "malignant"] == "yes").any()


def test_real_oligodendrocytes_in_a_cluster_of_their_own(real):
    adata = real.apart(real.oligodendroglioma())
    found, table, _ = judge(real, adata)
    assert calls(found, truth=real.NORMAL) == {"no": 23}
    reasons = found.obs.loc[found.obs["truth"] == real.NORMAL, "malignant_reason"]
    assert all(text.startswith("no population by its markers; its copy") for text in reasons)
    assert all(text.endswith("its cluster is normal") for text in reasons)
    assert calls(found, cluster="0") == {"yes": 142}
    assert table.set_index("cluster").loc["2", "cnv_score"] < 0.25


@pytest.mark.parametrize("apart", [False, True])
def test_real_cells_without_a_tumour_cell(real, apart):
    """Oligodendrocytes and microglia alone: nothing is found, and no cell is called tumour."""
    adata = real.without_tumour(real.oligodendroglioma())
    adata = real.apart(adata) if apart else adata
    found, table, _ = judge(real, adata)
    assert calls(found, truth=real.NORMAL) == {"undetermined": 23}
    assert calls(found, truth=real.REFERENCE) == {"no": 19}
    assert set(table["copy_number"]) == {"no change"}


def test_cells_without_a_sure_name_are_no_reference():
    adata = cohort(*NORMAL, ("S1", "P1", "m1", "malignant_a", True, 30))
    adata.obs.loc[adata.obs["cluster"] == "t", "major_probability"] = 0.94
    found, _, _ = call(adata)
    samples = found.uns["osteotalk"]["malignancy"]["samples"]
    assert {name: row["n_reference"] for name, row in samples.items()} == {"S1": 20, "S2": 20}
