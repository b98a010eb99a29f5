"""Doublets of the same two lineages that make a group of their own."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse

from osteotalk.annotate.cells import fit_cells
from osteotalk.annotate.majors import Groups
from osteotalk.annotate.mixtures import leave_out_mixtures, mixture_groups, mixtures

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


def planted(*, mixed=12, kind=(0, 1), size=0.3, seed=0):
    """Three lineages, and a group of mixtures that bears the name of the second."""
    kinds = [(0,)] * 80 + [(1,)] * 80 + [(2,)] * 40 + [kind] * mixed
    code = np.repeat([0, 1, 2, 3], [80, 80, 40, mixed])
    adata = cohort(kinds, seed=seed)
    sizes = np.where(code == 3, size, np.random.default_rng(1).normal(0, 0.2, len(code)))
    return adata, code, np.array([0, 1, 2, 1]), sizes


def found_in(adata, code, lineage, sizes, n_real=3):
    """Groups that are mixtures, and the two lineages of each cell."""
    skip = np.zeros(N_GENES, dtype=bool)
    fits = fit_cells(adata, code, lineage=lineage, skip=skip)
    groups = mixture_groups(fits, code, lineage, n_real=n_real, size=sizes)
    left = np.where(np.isin(code, groups), -1, code)
    fits = fit_cells(adata, left, lineage=lineage, skip=skip)
    first, second = mixtures(adata, fits, lineage, n_real=n_real, size=sizes)
    return groups.tolist(), first, second


@pytest.mark.parametrize(("kind", "least"), [((0, 1), 0.9), ((0, 1, 1), 0.6), ((1, 2), 0.9)])
def test_a_group_of_mixtures_is_known_and_its_cells_are_found(kind, least):
    adata, code, lineage, sizes = planted(kind=kind)
    groups, first, second = found_in(adata, code, lineage, sizes)
    assert groups == [3]
    both = np.sort(np.stack([first, second], axis=1)[code == 3], axis=1)
    assert (both == sorted(set(kind))).all(axis=1).mean() >= least
    assert (second[code != 3] >= 0).mean() <= 0.01


def test_a_subtype_with_genes_of_its_own_is_no_mixture():
    adata, code, lineage, sizes = planted(kind=(1.5,), mixed=20)
    groups, _, second = found_in(adata, code, lineage, sizes)
    assert groups == []
    assert (second >= 0).mean() <= 0.01


def test_small_cells_and_most_of_a_lineage_are_no_group_of_mixtures():
    """RNA from around comes into small cells; and what most cells are is no accident."""
    assert found_in(*planted(size=-0.5))[0] == []
    assert found_in(*planted(mixed=100))[0] == []


def test_small_cells_need_more_to_be_mixtures():
    adata, code, lineage, _ = planted()
    skip = np.zeros(N_GENES, dtype=bool)
    left = np.where(code == 3, -1, code)
    fits = fit_cells(adata, left, lineage=lineage, skip=skip)
    large = mixtures(adata, fits, lineage, n_real=3, size=np.zeros(len(code)))[1]
    small = mixtures(adata, fits, lineage, n_real=3, size=np.full(len(code), -1.0))[1]
    assert set(np.flatnonzero(small >= 0)) < set(np.flatnonzero(large >= 0))


def test_lineages_without_a_name_are_not_mixed():
    adata, code, _, sizes = planted()
    groups, _, second = found_in(adata, code, np.array([0, 1, 2, 3]), sizes, n_real=1)
    assert groups == []
    assert (second == -1).all()


def test_the_order_of_cells_and_genes_does_not_matter():
    adata, code, lineage, sizes = planted()
    _, first, second = found_in(adata, code, lineage, sizes)
    rng = np.random.default_rng(3)
    rows, genes = rng.permutation(adata.n_obs), rng.permutation(N_GENES)
    turned = found_in(adata[rows, genes].copy(), code[rows], lineage, sizes[rows])
    np.testing.assert_array_equal(turned[1], first[rows])
    np.testing.assert_array_equal(turned[2], second[rows])


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


def test_cells_of_two_lineages_lose_their_name_and_say_why():
    adata, code, _, sizes = planted()
    adata.obs["sample"] = "s1"
    adata.obs["n_counts"] = 500 * np.exp(sizes)
    names = [*NAMES, "macrophage"]
    groups = SimpleNamespace(
        code=code, decisions=[SimpleNamespace(population=name) for name in names]
    )
    groups.of_cells = lambda values: Groups.of_cells(groups, values)
    cells = cells_like(code, names)
    leave_out_mixtures(adata, cells, groups, tree=SimpleNamespace(cycle_genes=[]))
    twice = cells["lineage_doublet"] == "yes"
    assert twice[code == 3].mean() >= 0.9
    assert set(cells.loc[twice, "population"]) == {"unassigned"}
    assert cells.loc[twice, "major_probability"].isna().all()
    told = set(cells.loc[twice, "population_reason"])
    assert told == {"looks like fibroblast and macrophage at once"}
    alone = cells_like(code, ["fibroblast"] * 4)
    groups.decisions = [SimpleNamespace(population="fibroblast")] * 4
    leave_out_mixtures(adata, alone, groups, tree=SimpleNamespace(cycle_genes=[]))
    assert (alone["lineage_doublet"] == "no").all()
