import numpy as np
import pandas as pd
import pytest

from osteotalk.simulate import genes as gene_names
from osteotalk.simulate import karyotype, truth
from osteotalk.simulate.cohort import build_cohort, simulate_sample

ARM = np.array([name for name in ("1p", "1q", "2p", "2q", "10p", "10q") * 30 if name])


@pytest.fixture
def small(monkeypatch):
    """Two gains and two losses."""
    monkeypatch.setattr(karyotype, "N_CHANGED", 2)


def test_positions_that_are_packaged():
    found = karyotype.packaged_positions()
    assert found.index.is_unique
    assert len(found) == 9450
    # GRCh37, by Ensembl's archive of that assembly
    assert found.loc["TP53", ["chromosome", "start"]].tolist() == ["chr17", 7565097]
    arm = karyotype.gene_arms(["TP53", "MYC", "NOGENE", "XIST"], found)
    assert arm.tolist() == ["17p", "8q", "", ""]


def test_karyotypes_depend_on_the_patient_alone(small):
    both = karyotype.draw_karyotypes(["P2", "P1"], arm=ARM, seed=1)
    alone = karyotype.draw_karyotypes(["P2", "P2"], arm=ARM, seed=1)
    assert both[both["patient"] == "P2"].reset_index(drop=True).equals(alone)
    assert alone["arm"].is_unique
    assert alone["change"].value_counts().to_dict() == {"gain": 2, "loss": 2}
    assert not karyotype.draw_karyotypes(["P2"], arm=ARM, seed=2).equals(alone)


def test_arms_with_few_genes_do_not_change(small):
    few = np.append(ARM, ["3p"] * 19)
    found = karyotype.draw_karyotypes([f"P{i}" for i in range(30)], arm=few, seed=1)
    assert set(found["arm"]) == {"1p", "1q", "2p", "2q", "10p", "10q"}
    assert karyotype.draw_karyotypes(["P1"], arm=ARM[:19], seed=1).empty


def test_folds_act_on_all_genes_of_an_arm():
    table = pd.DataFrame(
        [("P1", "1q", "gain", 1.5, 30), ("P1", "10p", "loss", 0.5, 30)],
        columns=["patient", "arm", "change", "fold", "n_genes"],
    )
    fold = karyotype.gene_folds(table, arm=np.append(ARM, ""))["P1"]
    assert {name: set(fold[np.append(ARM, "") == name]) for name in ("1q", "10p", "1p", "")} == {
        "1q": {1.5},
        "10p": {0.5},
        "1p": {1.0},
        "": {1.0},
    }


def test_copy_number_moves_tumour_cells_only(populations, shares):
    """Mean counts on the changed arms, by cell type, in two patients of the same cohort."""
    names = [f"BG{i}" for i in range(900)]
    classes = pd.Series(gene_names.BACKGROUND, index=names, dtype=object)
    classes["MT-1"] = gene_names.MITOCHONDRIAL
    arm = np.append(np.resize(["1p", "1q", "2p"], 900), "")
    elevated = {"primary": pd.DataFrame(index=truth.leaf_populations(populations))}
    folds = {"P1": np.select([arm == "1p", arm == "1q"], [1.5, 0.5], 1.0)}
    assert truth.tumour_populations(populations) == ["tumour_a", "tumour_b"]
    cohort = build_cohort(
        classes,
        populations=populations,
        elevated=elevated,
        seed=1,
        tumour=truth.tumour_populations(populations),
        folds=folds,
    )
    mean = {}
    for patient in ("P1", "P2"):
        counts, _, found = simulate_sample(
            cohort,
            sample="S",
            patient=patient,
            condition="primary",
            shares=shares.set_index("population").assign(share=1 / 3, patient_sd=0.0)[:3][
                ["share", "patient_sd"]
            ],
            cells=600,
        )
        single = (found["state"] == "single").to_numpy()
        for name in ("tumour_a", "macrophage"):
            cells = single & (found["population"] == name).to_numpy()
            level = np.asarray(counts[cells].mean(axis=0)).ravel()
            mean[patient, name] = {a: level[arm == a].sum() for a in ("1p", "1q", "2p")}
    tumour, normal = mean["P1", "tumour_a"], mean["P1", "macrophage"]
    ratio = {a: tumour[a] / normal[a] for a in tumour}
    assert ratio["1p"] / ratio["2p"] == pytest.approx(1.5, rel=0.25)
    assert ratio["1q"] / ratio["2p"] == pytest.approx(0.5, rel=0.25)
    tumour, normal = mean["P2", "tumour_a"], mean["P2", "macrophage"]
    ratio = {a: tumour[a] / normal[a] for a in tumour}
    assert ratio["1p"] / ratio["2p"] == pytest.approx(1, rel=0.25)
