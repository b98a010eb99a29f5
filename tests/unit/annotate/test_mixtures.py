"""Cells of two lineages at once."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse

from osteotalk.annotate import mixtures as mixtures_module
from osteotalk.annotate.majors import Groups
from osteotalk.annotate.mixtures import (
    _features,
    _judge,
    _made,
    _with_rest,
    leave_out_mixtures,
    mixtures,
)

N_GENES = 900
NAMES = ["fibroblast", "macrophage", "t_cell"]


def profile(k):
    """Every lineage has a hundred and fifty genes of its own, and a subtype thirty more."""
    rate = np.full(N_GENES, 1.0)
    rate[150 * int(k) : 150 * (int(k) + 1)] = 12.0
    if k != int(k):
        rate[600:630] = 12.0
    return rate / rate.sum()


def cohort(kinds, *, depth=500, seed=0):
    """Counts of cells of these profiles; a mixture has the counts of two halves, times `depth`."""
    rng = np.random.default_rng(seed)
    mean = [depth * np.mean([profile(k) for k in kind], axis=0) for kind in kinds]
    x = sparse.csr_matrix(rng.poisson(mean))
    return AnnData(x, layers={"counts": x})


def planted(*, mixed=12, kind=(0, 1), seed=0):
    """Three lineages, and cells of another kind that bear the name of the second."""
    kinds = [(0,)] * 80 + [(1,)] * 80 + [(2,)] * 40 + [kind] * mixed
    adata = cohort(kinds, seed=seed)
    adata.obs["sample"] = np.random.default_rng(seed).choice(["s1", "s2"], adata.n_obs)
    return adata, np.repeat([0, 1, 2, 1], [80, 80, 40, mixed])


def found_in(adata, lineage, *, n_real=3, skip=None, seed=0):
    """The two lineages of each cell."""
    skip = np.zeros(N_GENES, dtype=bool) if skip is None else skip
    first, second = mixtures(adata, lineage, n_real=n_real, skip=skip, seed=seed)
    return np.stack([first, second], axis=1)


@pytest.mark.parametrize("kind", [(0, 1), (0, 1, 1), (1, 2), (0, 2)])
def test_cells_of_two_lineages_are_found_with_their_names(kind):
    """Whichever of the two they bear the name of, or none, and if one has the larger part."""
    adata, lineage = planted(kind=kind)
    both = found_in(adata, lineage)
    assert (both[200:] == sorted(set(kind))).all(axis=1).mean() >= 0.9
    assert (both[:200] >= 0).any(axis=1).mean() <= 0.01


def test_a_subtype_with_genes_of_its_own_is_no_mixture():
    adata, lineage = planted(kind=(1.5,), mixed=20)
    assert (found_in(adata, lineage) >= 0).any(axis=1).mean() <= 0.01


def test_a_little_rna_from_around_makes_no_mixture():
    rng = np.random.default_rng(2)
    adata, lineage = planted(mixed=0)
    around = rng.poisson(500 * 0.1 * np.mean([profile(k) for k in range(3)], axis=0), adata.shape)
    adata.layers["counts"] = sparse.csr_matrix(adata.layers["counts"] + around)
    assert (found_in(adata, lineage) >= 0).any(axis=1).mean() <= 0.01


def test_cells_without_a_name_can_be_single_but_nothing_is_made_of_them():
    """A population that the vocabulary lacks, between two others, is not taken for their sum."""
    adata, lineage = planted(mixed=60)
    lineage[200:] = 3
    assert (found_in(adata, lineage) >= 0).any(axis=1).mean() <= 0.05
    lineage[:] = np.repeat([0, 1, 2, 1], [80, 80, 40, 60])
    assert (found_in(adata, lineage, n_real=1) == -1).all()


def test_a_lineage_of_few_cells_is_not_judged():
    adata, _ = planted(mixed=0)
    lineage = np.zeros(200, dtype=int)
    lineage[[80, 81, 82, 83]] = 1
    assert (found_in(adata, lineage, n_real=2) == -1).all()
    lineage[84] = 1  # five can be
    both = found_in(adata, lineage, n_real=2)
    assert set(map(tuple, both)) <= {(-1, -1), (0, 1)}


def test_cells_of_no_lineage_are_not_judged():
    adata, lineage = planted()
    lineage[200:] = -1
    assert (found_in(adata, lineage)[200:] == -1).all()


def test_shallow_cells_are_not_taken_for_two():
    """With a dozen counts a third of them look a little more like the sum of two than like one."""
    kinds = [(0,)] * 150 + [(1,)] * 150 + [(2,)] * 150
    adata = cohort(kinds, depth=12)
    adata.obs["sample"] = "s1"
    assert (found_in(adata, np.repeat([0, 1, 2], 150)) >= 0).any(axis=1).mean() <= 0.02


def test_classes_count_as_equally_frequent():
    """Halfway between a lineage and a ten times rarer pair of the same spread, nothing leads."""
    rng = np.random.default_rng(5)
    label = np.repeat([0, 1, 2], [1000, 1000, 100])
    at = np.array([[0.0, 0.0], [6.0, 0.0], [3.0, 3.0]])[label] + rng.normal(size=(2100, 2))
    halfway = np.tile([1.5, 1.5], (5, 1))
    lead, pair = _judge(
        np.r_[at, halfway], np.r_[label, np.full(5, -1)], np.arange(2105) % 5, n_single=2
    )
    assert np.abs(lead[2100:]).max() < 0.5  # 2.3 if the rare one were less likely
    assert (pair[2100:] == 0).all()
    assert (lead[2000:2100] > 0).mean() > 0.9


def test_a_deeper_sample_has_no_larger_cells():
    rng = np.random.default_rng(6)
    counts = rng.poisson(np.repeat([2.0, 8.0], 50)[:, None], (100, 30))
    features = _features(sparse.csr_matrix(counts), np.repeat(["a", "b"], 50), seed=0)
    assert abs(np.median(features[:50, -1]) - np.median(features[50:, -1])) < 1e-9
    np.testing.assert_allclose(features.std(axis=0), 1)


def test_left_out_genes_tell_nothing():
    adata, lineage = planted()
    skip = np.zeros(N_GENES, dtype=bool)
    skip[:300] = True  # the genes of the two
    assert (found_in(adata, lineage, skip=skip)[200:] >= 0).any(axis=1).mean() <= 0.1


def test_the_order_of_cells_and_genes_does_not_matter():
    adata, lineage = planted()
    rng = np.random.default_rng(3)
    rows, genes = rng.permutation(adata.n_obs), rng.permutation(N_GENES)
    turned = found_in(adata[rows, genes].copy(), lineage[rows])
    np.testing.assert_array_equal(turned, found_in(adata, lineage)[rows])


def test_nothing_depends_on_the_order_of_cells_or_genes(monkeypatch):
    """What the models are given is equal, not only what they say of clear cells."""
    adata, lineage = planted()
    seen = []
    judge = mixtures_module._judge

    def listen(features, label, part, **rest):
        seen.append((features.copy(), label.copy(), part.copy()))
        return judge(features, label, part, **rest)

    monkeypatch.setattr(mixtures_module, "_judge", listen)
    found_in(adata, lineage)
    rng = np.random.default_rng(4)
    rows, genes = rng.permutation(adata.n_obs), rng.permutation(N_GENES)
    found_in(adata[rows, genes].copy(), lineage[rows])
    for before, after in zip(seen[:2], seen[2:], strict=True):
        for one, other in zip(before, after, strict=True):
            np.testing.assert_array_equal(one, other)


def test_counts_of_other_genes_stay_in_the_total():
    counts = sparse.csr_matrix(np.array([[5, 0, 2, 1], [0, 0, 0, 9]], dtype=np.float32))
    found = _with_rest(counts, np.array([2, 0]))
    assert found.toarray().tolist() == [[2, 5, 1], [0, 0, 9]]


def test_parts_are_of_one_sample_where_they_can_be():
    adata, lineage = planted(mixed=0)
    sample = np.where(np.arange(200) % 2, "s1", "s2").astype(object)
    sample[:10] = "s4"  # cells of the first lineage alone
    adata.obs["sample"] = np.where(lineage == 2, "s3", sample)
    x = sparse.csr_matrix(np.eye(200, dtype=np.int64) * 1000)  # a gene per cell: whom it is made of
    part = np.arange(200) % 5
    rng = np.random.default_rng(0)
    of_sample = adata.obs["sample"].to_numpy(str)
    made, of, parts, samples = _made(
        x, lineage, [(0, 1), (0, 2)], part=part, sample=of_sample, rng=rng
    )
    who = sparse.vstack(made).toarray() > 0
    assert (who.sum(axis=1) == 2).all()
    assert (part[np.nonzero(who)[1].reshape(-1, 2)] == parts[:, None]).all()
    ones, others = np.nonzero(who)[1].reshape(-1, 2).T
    assert (lineage[others] == np.where(of == 0, 1, 2)).all()
    assert (of_sample[ones] == samples).all()
    assert (of_sample[others] == samples)[of == 0].all()
    assert "s4" not in samples[of == 0]
    assert (of_sample[others] == "s3")[of == 1].all()  # no sample has both


def cells_like(code, names):
    """What `settle.check_cells` leaves."""
    population = np.array(names, dtype=object)[code]
    return pd.DataFrame(
        {
            "population": population,
            "population_major": population,
            "population_probability": 0.99,
            "major_probability": 0.99,
            "population_reason": "",
            "lineage_doublet": "no",
        }
    )


def named_groups(code, names):
    """Groups of cells with these names."""
    groups = SimpleNamespace(
        code=code, decisions=[SimpleNamespace(population=name) for name in names]
    )
    groups.of_cells = lambda values: Groups.of_cells(groups, values)
    return groups


def test_cells_of_two_lineages_lose_their_name_and_say_why():
    adata, _ = planted()
    code = np.repeat([0, 1, 2, 3], [80, 80, 40, 12])
    names = [*NAMES, "macrophage"]
    cells = cells_like(code, names)
    leave_out_mixtures(
        adata, cells, named_groups(code, names), tree=SimpleNamespace(cycle_genes=[]), seed=0
    )
    twice = cells["lineage_doublet"] == "yes"
    assert twice[code == 3].mean() >= 0.9
    assert set(cells.loc[twice, "population"]) == {"unassigned"}
    assert cells.loc[twice, "major_probability"].isna().all()
    told = set(cells.loc[twice, "population_reason"])
    assert told == {"looks like fibroblast and macrophage at once"}


def test_one_lineage_alone_has_no_mixtures():
    adata, _ = planted()
    code = np.repeat([0, 1], [180, 32])
    for names in (["fibroblast", "fibroblast"], ["fibroblast", "unassigned"]):
        cells = cells_like(code, names)
        leave_out_mixtures(
            adata, cells, named_groups(code, names), tree=SimpleNamespace(cycle_genes=[]), seed=0
        )
        assert (cells["lineage_doublet"] == "no").all()


def test_a_cell_that_moved_counts_with_its_new_lineage():
    adata, _ = planted()
    code = np.repeat([0, 1, 2, 0], [80, 80, 40, 12])
    cells = cells_like(code, NAMES)
    cells.loc[200:, "population"] = "macrophage"
    leave_out_mixtures(
        adata, cells, named_groups(code, NAMES), tree=SimpleNamespace(cycle_genes=[]), seed=0
    )
    assert (cells.loc[200:, "lineage_doublet"] == "yes").mean() >= 0.9
