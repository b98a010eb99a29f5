"""Cells and edges as arrays, against loops over the cells."""

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

from osteotalk.claims.measures.samples import SampleData, build_cohort
from osteotalk.contract import empty_frame


def naive(adata, name, gene):
    """Cells of a population, their mean and their share that expresses a gene."""
    rows = np.flatnonzero(adata.obs["population"].to_numpy() == name)
    values = [float(adata.X[i, adata.var_names.get_loc(gene)]) for i in rows]
    return (
        len(values),
        sum(values) / max(len(values), 1),
        sum(v > 0 for v in values) / max(len(values), 1),
    )


def test_arrays_are_those_of_a_loop(kit, planted, planted_cells):
    assert planted.samples == tuple(sorted(name for name, _, _ in kit.SAMPLES))
    assert planted.patients[:3] == ("P0", "P0", "P1")
    assert planted.conditions.count("lung_metastasis") == 4
    # in the order of the vocabulary, without those that no cell carries, and without `unassigned`
    assert planted.populations == (
        *("malignant", "endothelial", "fibroblast", "tam", "monocyte", "dc"),
        *("cd4_t", "cd8_t", "b_cell", "plasma"),
    )
    by_name = {part.adata.obs["sample"].iloc[0]: part.adata for part in planted_cells}
    for s, k, gene in ((0, 0, "L0"), (1, 3, "G0"), (5, 8, "G99"), (0, 5, "G1"), (8, 5, "G1")):
        n, mean, share = naive(by_name[planted.samples[s]], planted.populations[k], gene)
        g = planted.genes.get_loc(gene)
        assert planted.sizes[s, k] == n
        assert planted.means[s, k, g] == pytest.approx(mean)
        assert planted.shares[s, k, g] == pytest.approx(share)
    seen = sum(int((part.adata[:, "L0"].X.toarray() > 0).sum()) for part in planted_cells)
    cells = sum(part.adata.n_obs for part in planted_cells)  # the unassigned ones too
    assert planted.detection[planted.genes.get_loc("L0")] == pytest.approx(seen / cells)


def test_states_are_counted_and_know_their_population(planted):
    assert planted.states["tam_spp1"].tolist() == [5] * 9
    assert planted.states["tam_c1q"].tolist() == [15] * 9
    assert planted.state_parents["tam_c1q"] == "tam"


def test_active_edges_are_those_of_the_tables(planted, planted_cells, kit):
    names = planted.populations
    got = {
        (planted.samples[s], names[a], names[b], planted.pairs["ligand"][p])
        for s, p, a, b in np.argwhere(planted.active)
    }
    rows = pd.concat([part.interactions for part in planted_cells])
    rows = rows[rows["q_value"] <= kit.SCORING["alpha"]]
    columns = ["sample", "source", "target", "ligand_complex"]
    assert got == set(rows[columns].astype(str).itertuples(index=False, name=None))
    assert ("S1", "malignant", "endothelial", "L0") in got


def tiny(kit, label=("malignant",) * 4 + ("tam",) * 4, *, sample="S1", min_cells=3, **given):
    """Eight cells of one sample; its resource is A^B."""
    values = np.arange(16, dtype=np.float32).reshape(8, 2) % 5
    obs = {"sample": sample, "patient": "P1", "condition": "primary", "population": list(label)}
    obs = pd.DataFrame(obs, index=[f"{sample}{i}" for i in range(8)])
    obs["population_state"] = obs["population"]
    obs["subcluster"], obs["best_match"] = "0", ""
    adata = AnnData(values, obs=obs, var=pd.DataFrame(index=["A", "B"]))
    return SampleData(given.pop("adata", adata), given.pop("interactions", edges()))


def edges(*rows):
    table = empty_frame("interactions")
    columns = ["source", "target", "ligand_complex", "receptor_complex", "q_value"]
    for row in rows:
        table.loc[len(table), columns] = row
    return table.astype({"q_value": float})


def gather(kit, *samples, min_cells=3):
    return build_cohort(
        samples,
        dataset="d",
        resource=pd.DataFrame({"ligand": ["A"], "receptor": ["B"]}),
        claims=[],
        signatures=kit.NO_SIGNATURES,
        vocabulary=kit.VOCABULARY,
        min_cells=min_cells,
        expr_prop=0.1,
        alpha=0.05,
    )


def test_a_population_below_min_cells_has_no_means(kit):
    label = ("malignant",) * 4 + ("tam",) * 2 + ("b_cell", "unassigned")
    cohort = gather(kit, tiny(kit, label))
    assert cohort.populations == ("malignant", "tam", "b_cell")
    assert cohort.sizes.tolist() == [[4, 2, 1]]
    assert (cohort.means[0, 0] > 0).all()
    assert (cohort.means[0, 1:] == 0).all()
    assert (cohort.shares[0, 1:] == 0).all()
    assert not cohort.enough.any()  # one population alone is not scored either
    assert gather(kit, tiny(kit)).enough.tolist() == [[True, True]]


def test_q_values_at_alpha_are_active_and_above_are_not(kit):
    rows = edges(("malignant", "tam", "A", "B", 0.05), ("tam", "malignant", "A", "B", 0.0501))
    active = gather(kit, tiny(kit, interactions=rows)).active
    assert active[0, 0].tolist() == [[False, True], [False, False]]


def test_samples_are_sorted_and_those_without_a_cell_left_out(kit):
    nothing = tiny(kit)
    nothing = SampleData(nothing.adata[:0].copy(), nothing.interactions)
    cohort = gather(kit, tiny(kit, sample="S2"), nothing, tiny(kit, sample="S1"))
    assert cohort.samples == ("S1", "S2")
    assert cohort.partners.tolist() == [0, 1]
    with pytest.raises(ValueError, match="cohort d has no cell left to test claims on"):
        gather(kit, nothing)


def test_what_does_not_fit_together_is_refused(kit):
    with pytest.raises(ValueError, match="not in the vocabulary: alien, zebra$"):
        gather(kit, tiny(kit, ("zebra", "alien") * 3 + ("tam", "unassigned")))
    mixed = tiny(kit)
    mixed.adata.obs["patient"] = ["P1", "P2"] * 4
    with pytest.raises(ValueError, match="have several values of patient: P1, P2"):
        gather(kit, mixed)
    for row in (("malignant", "tam", "A", "C", 0.01), ("malignant", "dc", "A", "B", 0.01)):
        with pytest.raises(ValueError, match="names pairs or populations that the cohort lacks"):
            gather(kit, tiny(kit, interactions=edges(row)))


def test_dense_and_sparse_cells_are_the_same(kit, planted_cells, planted_claims):
    dense = [
        SampleData(
            AnnData(part.adata.X.toarray(), obs=part.adata.obs, var=part.adata.var),
            part.interactions,
        )
        for part in planted_cells[:3]
    ]
    one, two = (kit.build(cells, planted_claims) for cells in (dense, planted_cells[:3]))
    for name in ("means", "shares", "detection", "active", "sizes"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))
    np.testing.assert_array_equal(one.programmes["high"], two.programmes["high"])
    assert one.tested == two.tested


def test_a_complex_is_its_lowest_subunit(kit):
    means = np.array([[[1.0, 4, 2], [3, 2, 0], [0, 9, 2]]])
    shares = np.array([[[0.5, 0.5, 0.09], [0.5, 0.1, 0], [0, 0.9, 0.5]]])
    cohort = kit.light_cohort(
        means, populations=("a", "b", "c"), shares=shares, pairs=[("G0_G1", "G2"), ("G0", "G1")],
        detection=np.array([0.2, 0.1, 0.4]),
    )  # fmt: skip
    assert list(cohort.complexes) == ["G0", "G0_G1", "G1", "G2"]
    assert cohort.levels[0].tolist() == [[1, 1, 4, 0], [3, 2, 2, 0], [0, 0, 9, 2]]
    # the lowest subunits are 1, 2 and 0; G2 is detected in too few cells of the first population
    np.testing.assert_allclose(cohort.weights[0, :, 1], [1 / 3, 2 / 3, 0])
    np.testing.assert_allclose(cohort.weights[0, :, 3], [0, 0, 0.5])
    np.testing.assert_allclose(cohort.pair_detection, [[0.1, 0.4], [0.2, 0.1]])
    assert cohort.pair_row == {"G0_G1^G2": 0, "G0^G1": 1}


def test_samples_of_a_patient_are_averaged_without_nan(kit):
    cohort = kit.light_cohort(np.ones((4, 2, 1)), populations="ab", patients=("Q", "P", "Q", "P"))
    values = np.array([[1.0, 5], [2, np.nan], [3, 7], [4, np.nan]])
    mean, patients = cohort.by_patient(values, np.arange(4))
    assert patients == ["P", "Q"]
    np.testing.assert_array_equal(mean, [[3, np.nan], [2, 6]])
    mean, patients = cohort.by_patient(values[1:2], np.array([1]))
    assert (patients, mean[0, 0]) == (["P"], 2)


def test_no_sample_gives_no_patient(kit):
    cohort = kit.light_cohort(np.ones((2, 2, 1)), populations="ab")
    for shape in ((0,), (0, 3), (0, 0)):
        mean, patients = cohort.by_patient(np.zeros(shape), np.zeros(0, dtype=int))
        assert (mean.shape, patients) == (shape, [])


def test_a_gene_that_one_sample_did_not_measure(kit):
    """It is unknown there: neither zero in the detection nor informative for the pair."""
    whole, lacking = tiny(kit), tiny(kit, sample="S2")
    lacking = SampleData(lacking.adata[:, ["A"]].copy(), lacking.interactions)
    cohort = gather(kit, whole, lacking)
    assert list(cohort.genes) == ["A", "B"]
    assert cohort.measured.tolist() == [[True, True], [True, False]]
    expressing = [int((whole.adata[:, gene].X > 0).sum()) for gene in "AB"]
    assert cohort.detection.tolist() == [2 * expressing[0] / 16, expressing[1] / 8]
    assert cohort.means[1, :, 1].tolist() == [0, 0]
    np.testing.assert_array_equal(cohort.means[1, :, 0], cohort.means[0, :, 0])
    assert cohort.pair_measured.tolist() == [[True], [False]]
    assert cohort.pairs_of(["A^B", "B^A"]).tolist() == [0]
