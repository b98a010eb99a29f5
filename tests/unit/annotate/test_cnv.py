import infercnvpy
import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse

from osteotalk.annotate import cnv
from osteotalk.ingest.gtf import arms

WINDOW = 20


@pytest.fixture
def sample():
    """60 reference cells of two lineages, 20 tumour cells with 3p lost and 2q gained."""
    rng = np.random.default_rng(4)
    genes = [(f"chr{c}", s + i) for c in (1, 2, 3) for s in (10**6, 150 * 10**6) for i in range(60)]
    var = pd.DataFrame(genes, columns=["chromosome", "start"])
    var["end"] = var["start"] + 1
    var.index = [f"g{i}" for i in range(len(var))]
    arm = arms(var["chromosome"], var["start"])
    mean = np.exp(rng.normal(0.5, 0.7, len(var)))
    tumour = np.repeat([False, True], [60, 20])
    fold = np.select([arm == "3p", arm == "2q"], [0.5, 1.5], 1.0)
    counts = rng.poisson(np.where(tumour[:, None], mean * fold, mean))
    counts = counts * (1e4 / counts.sum(axis=1, keepdims=True))
    obs = pd.DataFrame(index=[f"c{i}" for i in range(80)])
    adata = AnnData(sparse.csr_matrix(np.log1p(counts), dtype=np.float32), obs=obs, var=var)
    lineage = np.array(["t", "m"] * 30 + ["x"] * 20, dtype=object)
    return adata, tumour, lineage


def windows_of(adata, tumour, lineage, **changed):
    given = {"reference": ~tumour, "lineages": lineage, "window": WINDOW, "seed": 0}
    return cnv.infer_windows(adata, **given | changed)


def test_tumour_cells_are_what_infercnvpy_gives(sample):
    adata, tumour, lineage = sample
    lineage[:20] = "t"  # 40 of one lineage and 20 of the other, which counts the same
    means = [adata.X.toarray()[lineage == name].mean(axis=0) for name in ("m", "t")]
    _, expected, _ = infercnvpy.tl.infercnv(
        adata,
        reference=np.mean(means, axis=0),
        window_size=WINDOW,
        dynamic_threshold=None,
        n_jobs=1,
        inplace=False,
    )
    found = windows_of(adata, tumour, lineage)
    np.testing.assert_allclose(found[tumour], expected.toarray()[tumour], atol=1e-5)
    assert len(cnv.window_table(adata.var, window=WINDOW)) == found.shape[1]


def test_a_reference_cell_is_judged_without_itself(sample):
    """A change of one reference cell moves its own windows, but no cell of its part's reference."""
    adata, tumour, lineage = sample
    before = windows_of(adata, tumour, lineage)
    fold = cnv.fold_of(adata.obs_names[:60].tolist(), lineage[:60], seed=0)
    changed = adata.copy()
    extreme = changed.X.toarray()
    extreme[0] = extreme[0, ::-1]
    changed.X = sparse.csr_matrix(extreme)
    after = windows_of(changed, tumour, lineage)
    same_part = np.flatnonzero(fold == fold[0])
    assert len(same_part) == 12
    others = same_part[same_part != 0]
    np.testing.assert_array_equal(before[others], after[others])
    assert np.abs(before[0] - after[0]).max() > 0.1
    elsewhere = np.flatnonzero(fold != fold[0])
    assert np.abs(before[elsewhere] - after[elsewhere]).max() > 0


def test_order_of_cells_and_dense_input_do_not_matter(sample):
    adata, tumour, lineage = sample
    before = windows_of(adata, tumour, lineage)
    order = np.random.default_rng(1).permutation(80)
    after = windows_of(adata[order].copy(), tumour[order], lineage[order])
    np.testing.assert_allclose(before[order], after, atol=1e-5)
    dense = adata.copy()
    dense.X = adata.X.toarray()
    assert np.array_equal(cnv.usable_genes(dense), cnv.usable_genes(adata))


def test_genes_are_put_in_genomic_order_whatever_their_order(sample):
    adata, _, _ = sample
    adata.var.iloc[1, 1] = adata.var.iloc[0, 1]  # two genes at one place: by name
    everything = np.arange(adata.n_vars)
    for order in (np.random.default_rng(2).permutation(everything), everything[::-1]):
        shuffled = adata[:, order].copy()
        found = shuffled.var_names[cnv.usable_genes(shuffled)]
        assert found.tolist() == adata.var_names.tolist()


def test_genes_without_position_on_sex_chromosomes_or_rarely_seen_are_left_out(sample):
    adata, _, _ = sample
    adata.var["chromosome"] = adata.var["chromosome"].astype(object)
    adata.var.iloc[0, 0], adata.var.iloc[1, 0], adata.var.iloc[2, 0] = "", "chrX", "chrM"
    rare = adata.X.toarray()
    rare[:, 3], rare[0, 3] = 0, 1  # one cell of 80: 1.25 %
    rare[:, 4], rare[:2, 4] = 0, 1
    adata.X = sparse.csr_matrix(rare)
    assert cnv.usable_genes(adata).tolist() == list(range(4, adata.n_vars))


def test_windows_are_in_the_arm_of_their_middle_gene(sample):
    adata, _, _ = sample
    found = cnv.window_table(adata.var, window=WINDOW)
    # 120 genes: windows begin at 0, 10, ..., 100; the 60th gene opens the long arm
    assert found.loc[found["chromosome"] == "chr1", "arm"].tolist() == ["1p"] * 5 + ["1q"] * 6
    short = cnv.window_table(adata.var, window=200)
    assert short["chromosome"].tolist() == ["chr1", "chr2", "chr3"]


def test_lineages_with_few_cells_are_taken_together():
    a, b, c, d = ["a"] * 12, ["b"] * 6, ["c"] * 5, ["d"] * 11
    pooled = cnv.pooled_lineages(np.array(a + b + c, dtype=object))
    assert pooled.tolist() == a + ["small lineages"] * 11
    assert cnv.pooled_lineages(np.array(a + d + b)).tolist() == a + d + ["a"] * 6
    assert cnv.pooled_lineages(np.array(b)).tolist() == ["small lineages"] * 6


def test_arm_shifts_by_hand(sample):
    adata, _, lineage = sample
    counts = adata.X.expm1()
    arm = arms(adata.var["chromosome"], adata.var["start"])
    level = cnv.reference_level(counts[:60], lineage[:60])
    shown = np.ones(adata.n_vars, dtype=bool)
    found = cnv.arm_shifts(counts[60:], level=level, shown=shown, arm=arm).set_index("arm")
    assert found["change"].to_dict() == {
        **dict.fromkeys(["1p", "1q", "2p", "3q"], ""),
        "2q": "gain",
        "3p": "loss",
    }
    dense = counts.toarray()
    logs = [np.log2(dense[:60][lineage[:60] == n].mean(axis=0) + 0.1) for n in "mt"]
    ratio = np.log2(dense[60:].mean(axis=0) + 0.1) - np.mean(logs, axis=0)
    middle = np.median(ratio)
    shift = np.median(ratio[arm == "3p"]) - middle
    mad = np.median(np.abs(ratio - middle)) * 1.4826
    assert found.loc["3p", "shift"] == pytest.approx(shift, abs=1e-6)
    assert found.loc["3p", "z"] == pytest.approx(shift / (1.2533 * mad / 60**0.5), abs=1e-4)
    assert shift == pytest.approx(-1, abs=0.25)
    held_out = cnv.arm_shifts(
        counts[:30], level=cnv.reference_level(counts[30:60], lineage[30:60]), shown=shown, arm=arm
    )
    assert not held_out["change"].any()


def test_parts_are_even_over_all_lineages():
    lineage = np.repeat(list("abcd"), [3, 4, 6, 11])
    names = [f"c{i}" for i in range(24)]
    fold = cnv.fold_of(names, lineage, seed=0)
    assert sorted(np.bincount(fold, minlength=5)) == [4, 5, 5, 5, 5]
    for name, sizes in {"a": [0, 0, 1, 1, 1], "d": [2, 2, 2, 2, 3]}.items():
        assert sorted(np.bincount(fold[lineage == name], minlength=5)) == sizes


@pytest.mark.parametrize(
    ("shift", "spread", "change"),
    [
        (0.18, 0.05, "gain"),
        (-0.18, 0.05, "loss"),
        (0.14, 0.05, ""),  # many standard errors, but too small
        (0.3, 1.0, ""),  # large, but less than four standard errors
        (1.0, 1.0, "gain"),
    ],
)
def test_an_arm_changes_by_enough_and_by_enough_errors(shift, spread, change):
    """Five arms of 40 genes whose ratios are spread evenly around 0, or around the shift."""
    arm = np.repeat(["1p", "1q", "2p", "2q", "3p"], 40)
    ratio = np.tile(np.linspace(-spread, spread, 40), 5) + np.where(arm == "3p", shift, 0)
    counts = sparse.csr_matrix(np.ones((3, 200)))
    found = cnv.arm_shifts(
        counts,
        level=np.log2(1.1) - ratio,
        shown=np.zeros(200, dtype=bool),  # detected in these cells, if not in the reference
        arm=arm,
    ).set_index("arm")
    assert found["n_genes"].tolist() == [40] * 5
    assert found["change"].to_dict() == {**dict.fromkeys(arm, ""), "3p": change}


def test_a_cluster_of_lineage_genes_is_no_gain(sample):
    """Six neighbours raised tenfold (as HLA genes in myeloid cells) do not move the median."""
    adata, _, lineage = sample
    counts = adata.X.expm1().toarray()
    counts[30:60, 60:66] *= 10
    counts = sparse.csr_matrix(counts)
    arm = arms(adata.var["chromosome"], adata.var["start"])
    level = cnv.reference_level(counts[:30], lineage[:30])
    shown = np.ones(adata.n_vars, dtype=bool)
    assert not cnv.arm_shifts(counts[30:60], level=level, shown=shown, arm=arm)["change"].any()


def test_arms_with_few_genes_or_none_give_no_row(sample):
    adata, _, lineage = sample
    counts = adata.X.expm1()
    level = cnv.reference_level(counts[:60], lineage[:60])
    arm = np.where(np.arange(adata.n_vars) < 19, "1p", "")
    shown = np.ones(adata.n_vars, dtype=bool)
    assert cnv.arm_shifts(counts[60:], level=level, shown=shown, arm=arm).empty
    nowhere = np.full(adata.n_vars, "")
    assert cnv.arm_shifts(counts[60:], level=level, shown=shown, arm=nowhere).empty


def test_score_is_zero_in_the_reference_and_one_in_the_tumour(sample):
    adata, tumour, lineage = sample
    windows = windows_of(adata, tumour, lineage)
    arm = cnv.window_table(adata.var, window=WINDOW)["arm"].to_numpy(str)
    down = np.median(windows[tumour].mean(axis=0)[arm == "1q"]) < 0
    changes = {"3p": "loss", "2q": "gain", "1q": "gain" if down else "loss"}
    profile = cnv.tumour_profile(windows[tumour], window_arm=arm, changes=changes)
    assert profile.changes == {"3p": "loss", "2q": "gain"}  # 1q moves the other way
    assert set(arm[profile.weights != 0]) == {"3p", "2q"}
    score = cnv.score_cells(windows, profile)
    assert score[tumour].mean() == pytest.approx(1, abs=0.1)
    assert score[~tumour].mean() == pytest.approx(0, abs=0.1)
    assert score[tumour].min() > score[~tumour].max()
    by_hand = [w @ profile.weights / (profile.weights**2).sum() for w in windows]
    np.testing.assert_allclose(score, by_hand, rtol=1e-5)


def test_no_profile_without_a_window_that_moves_as_its_arm(sample):
    adata, tumour, lineage = sample
    windows = windows_of(adata, tumour, lineage)
    arm = cnv.window_table(adata.var, window=WINDOW)["arm"].to_numpy(str)
    assert cnv.tumour_profile(windows[tumour], window_arm=arm, changes={}) is None
    wrong = {"3p": "gain", "22q": "loss"}
    assert cnv.tumour_profile(windows[tumour], window_arm=arm, changes=wrong) is None
