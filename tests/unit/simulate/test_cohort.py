import numpy as np
import pytest

from osteotalk.simulate import cohort as sim
from osteotalk.simulate import genes, truth

BACKGROUND = 1500


@pytest.fixture
def elevated(populations, markers, planted):
    return truth.elevation_by_condition(
        populations, markers=markers, planted=planted, conditions=["primary", "metastasis"]
    )


@pytest.fixture
def cohort(populations, elevated):
    return build(populations, elevated, seed=3)


def build(populations, elevated, *, seed):
    classes = genes.gene_classes(
        5000,
        elevated=elevated["primary"].columns,
        resource=[f"PAIR{i}" for i in range(300)],
        families={
            "mitochondrial": ["MT-1", "MT-2"],
            "ribosomal": ["RP1", "RP2"],
            "housekeeping": ["HK1"],
            "background": [f"BG{i}" for i in range(BACKGROUND)],
        },
        seed=seed,
    )
    return sim.build_cohort(classes, populations=populations, elevated=elevated, seed=seed)


def draw(cohort, shares, *, sample="S1", patient="P1", condition="primary", cells=800):
    here = shares[shares["condition"] == condition]
    return sim.simulate_sample(
        cohort,
        sample=sample,
        patient=patient,
        condition=condition,
        shares=here.set_index("population")[["share", "patient_sd"]].astype(float),
        cells=cells,
    )


def test_counts_barcodes_and_truth_fit_together(cohort, shares):
    counts, barcodes, found = draw(cohort, shares)
    assert counts.shape == (800, len(cohort.genes))
    assert counts.dtype == np.int32
    assert counts.data.min() > 0
    assert barcodes == found["barcode"].tolist() == sorted(set(barcodes))
    assert all(set(b[:16]) <= set("ACGT") and b[16:] == "-1" for b in barcodes)
    assert list(found) == ["sample", "barcode", "population", "state", "second_population"]
    assert found["state"].value_counts().to_dict() == {"single": 728, "doublet": 40, "dying": 32}
    assert ((found["second_population"] != "") == (found["state"] == "doublet")).all()


def test_same_seed_same_counts_and_other_seed_other_counts(populations, elevated, shares):
    first = draw(build(populations, elevated, seed=3), shares, cells=50)
    again = draw(build(populations, elevated, seed=3), shares, cells=50)
    other = draw(build(populations, elevated, seed=4), shares, cells=50)
    assert (first[0] != again[0]).nnz == 0
    assert first[2].equals(again[2])
    assert first[1] != other[1]


def test_other_samples_do_not_change_a_sample(cohort, shares):
    alone = draw(cohort, shares, cells=50)
    draw(cohort, shares, sample="S0", patient="P0", cells=60)
    after = draw(cohort, shares, cells=50)
    assert (alone[0] != after[0]).nnz == 0


def test_composition_follows_the_table(cohort, shares):
    _, _, found = draw(cohort, shares, condition="metastasis")
    share = found["population"].value_counts(normalize=True)
    assert set(share.index) == {"tumour_a", "macrophage"}  # tumour_b has no row there
    assert share["tumour_a"] == pytest.approx(0.5, abs=0.1)
    assert share["tumour_a"] != 0.5


def test_raised_genes_are_seen_where_they_are_raised(cohort, shares, elevated):
    for condition in ("primary", "metastasis"):
        counts, _, found = draw(cohort, shares, condition=condition)
        detected = counts.toarray() > 0
        single = (found["state"] == "single").to_numpy()
        for gene in elevated[condition]:
            column = detected[:, cohort.genes.index(gene)]
            for population in sorted(set(found["population"])):
                here = single & (found["population"] == population).to_numpy()
                if elevated[condition].loc[population, gene]:
                    assert column[here].mean() > 0.6
                else:
                    assert column[here].mean() < 0.15


def test_level_of_raised_genes_is_the_configured_mean(populations, elevated):
    cohort = build(populations, elevated, seed=1)
    position = [cohort.genes.index(gene) for gene in elevated["primary"]]
    level = cohort.means["primary"][:, position]
    raised = elevated["primary"].to_numpy()
    assert np.exp(np.log(level[raised]).mean()) == pytest.approx(2.5, rel=0.25)
    assert level[~raised].max() < 0.05


def test_genes_of_the_resource_are_equal_in_all_populations(cohort):
    pairs = [i for i, gene in enumerate(cohort.genes) if gene.startswith("PAIR")]
    means = cohort.means["primary"][:, pairs]
    assert np.array_equal(means, np.broadcast_to(means[0], means.shape))
    detection = 1 - (1 + 0.5 * means[0]) ** -2.0
    assert 0.0005 <= detection.min() < 0.004
    assert 0.25 < detection.max() <= 0.4


def test_programmes_are_shared_with_relatives(cohort):
    background = [i for i, gene in enumerate(cohort.genes) if gene.startswith("BG")]
    a, b, other = np.log(cohort.means["primary"][:, background])
    low = np.minimum(np.minimum(a, b), other)
    up_a, up_b, up_other = (x - low > 0.1 for x in (a, b, other))
    assert 90 <= up_a.sum() <= 100  # 50 of its own and 50 of its parent
    assert (up_a & up_b).sum() >= 50 > (up_a & up_other).sum()


def test_dying_cells_are_small_and_mitochondrial(cohort, shares):
    counts, _, found = draw(cohort, shares)
    total = np.asarray(counts.sum(axis=1)).ravel()
    mito = np.asarray(counts[:, cohort.mitochondrial].sum(axis=1)).ravel() / total
    state = found["state"].to_numpy()
    assert np.median(total[state == "dying"]) < 0.4 * np.median(total[state == "single"])
    assert np.median(total[state == "doublet"]) > 1.6 * np.median(total[state == "single"])
    assert np.median(mito[state == "single"]) == pytest.approx(0.05, abs=0.025)
    assert np.median(mito[state == "dying"]) > 0.25
    assert np.log(total[state == "single"]).std() == pytest.approx(0.35, abs=0.06)


def test_counts_are_overdispersed():
    rng = np.random.default_rng(0)
    drawn = sim._negative_binomial(np.full(100_000, 4.0), dispersion=0.5, rng=rng)
    assert drawn.mean() == pytest.approx(4, rel=0.02)
    assert drawn.var() == pytest.approx(4 + 0.5 * 16, rel=0.04)
