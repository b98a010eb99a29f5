"""Limits, overrides and the record of quality control."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from osteotalk.contract_checks import check_adata
from osteotalk.prepare.histograms import histogram
from osteotalk.prepare.qc import (
    MITO_FLOOR,
    Limits,
    _broken_rules,
    filter_cells,
    log_limits,
    measure,
    mito_limit,
)

SETTINGS = {
    "min_counts": 50,
    "min_genes": 20,
    "n_mads": 5,
    "max_pct_mito": 20,
    "max_pct_mito_nucleus": 5,
    "n_mads_mito": 4,
    "doublets_per_1000": 0.0,
    "ambient": "report",
    "seed": 0,
}
REASONS = ["empty", "low_counts", "high_counts", "low_genes", "high_genes", "high_mito", "doublet"]


def run(adata, *, row=None, **changes):
    row = {"sample": "S1", "suspension": "cell"} | (row or {})
    return filter_cells(adata, sample_row=row, **{**SETTINGS, **changes})


def test_log_limits_by_hand():
    values = np.expm1(np.array([1.0, 2.0, 3.0, 4.0, 10.0]))  # logs: median 3, deviations 2 1 0 1 7
    low, high = log_limits(values, n_mads=2, floor=0)
    assert np.log1p([low, high]) == pytest.approx([3 - 2 * 1.4826, 3 + 2 * 1.4826], abs=1e-4)
    assert log_limits(values, n_mads=2, floor=100)[0] == 100
    assert log_limits(values[:0], n_mads=2, floor=7) == (7, 7)


def test_mito_limit_stays_between_floor_and_ceiling():
    bounds = {"floor": MITO_FLOOR["cell"], "ceiling": 20.0}
    assert mito_limit(np.zeros(9), n_mads=4, **bounds) == 5
    assert mito_limit(np.linspace(0, 90, 9), n_mads=4, **bounds) == 20
    middle = mito_limit(np.array([6.0, 7.0, 8.0]), n_mads=2, **bounds)
    assert middle == pytest.approx(7 + 2 * 1.4826, abs=1e-3)
    assert mito_limit(np.zeros(9), n_mads=4, floor=5.0, ceiling=3.0) == 3


def test_each_rule_drops_what_it_should(make_sample):
    adata = make_sample()
    dense = adata.X.toarray()
    dense[0] = 0
    dense[0, 0] = 30  # few counts
    dense[1] = 0
    dense[1, :3] = 130  # enough counts, few genes
    dense[2] *= 60  # far too many counts
    dense[3, -1] = 3000  # dying, and too many counts
    dense[4, -1] = 120  # dying
    dense[5] = 0
    dense[5, 0] = 9  # under a fifth of the floor: no cell
    adata.X = sparse.csr_matrix(dense)
    kept, report = run(adata)
    assert report["dropped"] == dict(zip(REASONS, [1, 1, 2, 1, 0, 1, 0], strict=True))
    assert list(kept.obs_names) == list(adata.obs_names[6:])
    assert list(kept.var_names) == list(adata.var_names)
    assert report["n_cells_raw"] == report["n_cells_kept"] + sum(report["dropped"].values())
    row, first = dense[6], kept.obs.iloc[0]
    assert first["n_counts"] == row.sum()
    assert first["n_genes"] == (row > 0).sum()
    assert first["pct_mito"] == pytest.approx(100 * row[-2:].sum() / row.sum())
    np.testing.assert_array_equal(kept.X.toarray(), dense[6:])
    check_adata(kept, stage="filtered", where="x")


def test_a_droplet_at_a_limit_is_kept(make_sample):
    limits = Limits(empty=10, counts=(50, 100), genes=(20, 40), mito=5)
    droplets = [  # counts, genes, mitochondrial share, the rule it breaks first
        (50, 20, 5, ""),
        (100, 40, 5, ""),
        (9, 1, 50, "empty"),
        (10, 30, 0, "low_counts"),
        (49, 30, 0, "low_counts"),
        (101, 30, 0, "high_counts"),
        (60, 19, 0, "low_genes"),
        (60, 41, 6, "high_genes"),
        (60, 30, 5.1, "high_mito"),
    ]
    adata = make_sample(cells=len(droplets))
    adata.obs[["n_counts", "n_genes", "pct_mito", "rule"]] = droplets
    keep, dropped = _broken_rules(adata, limits)
    assert keep.tolist() == [rule == "" for *_, rule in droplets]
    assert dropped == adata.obs.loc[~keep, "rule"].value_counts().to_dict()


@pytest.mark.parametrize(("counts", "genes"), [(1, 40), (60, 3)])
def test_debris_moves_no_limit_and_no_expected_share(make_sample, counts, genes):
    """Droplets below a floor, of counts or of genes, are no cells."""
    adata = make_sample(cells=160, genes=120)
    debris = np.zeros((300, 120), dtype=np.int32)
    debris[:, :genes] = counts
    both = type(adata)(
        sparse.vstack([adata.X, sparse.csr_matrix(debris)]).tocsr(),
        obs=pd.DataFrame(index=[f"d{i}" for i in range(460)]),
        var=adata.var,
    )
    alone, together = (run(a, doublets_per_1000=0.1)[1] for a in (adata, both))
    assert together["limits"] == alone["limits"]
    assert together["n_cells_kept"] == alone["n_cells_kept"]
    assert together["doublets"]["expected_share"] == pytest.approx(0.016)
    assert together["doublets"]["expected_from"] == "160 droplets"


def test_what_was_subtracted_is_counted(soup_sample):
    adata, _ = soup_sample(0.1)
    kept, report = run(adata, ambient="subtract")
    before = adata[kept.obs_names].X.sum()
    assert report["ambient"]["counts_removed"] == before - kept.X.sum() > 0
    np.testing.assert_array_equal(kept.obs["n_counts"], np.asarray(kept.X.sum(axis=1)).ravel())
    np.testing.assert_array_equal(kept.obs["n_genes"], np.diff(kept.X.tocsr().indptr))
    assert run(adata)[1]["ambient"]["counts_removed"] is None


def test_mitochondrial_genes_are_found_in_small_letters(make_sample):
    adata = make_sample()
    expected = measure(adata).obs["pct_mito"]
    assert expected.max() > 0
    adata.var_names = adata.var_names.str.lower()
    pd.testing.assert_series_equal(measure(adata).obs["pct_mito"], expected)


def test_result_does_not_depend_on_the_order_of_cells_and_genes(make_sample):
    adata = make_sample(cells=160, genes=120, shift=2.0)
    settings = {"doublets_per_1000": 0.1, "ambient": "subtract"}
    kept, report = run(adata, **settings)
    other, shuffled = run(adata[::-1, ::-1].copy(), **settings)
    assert report == shuffled
    assert list(other.obs_names) == list(kept.obs_names[::-1])
    pd.testing.assert_frame_equal(other.obs.loc[kept.obs_names], kept.obs)
    again = other[kept.obs_names, kept.var_names]
    np.testing.assert_array_equal(again.X.toarray(), kept.X.toarray())


def test_no_cell_left_is_a_result_not_a_crash(make_sample):
    kept, report = run(make_sample(), min_counts=10**6)
    assert kept.n_obs == 0
    assert report["n_cells_kept"] == 0
    assert report["median_counts"] is None
    assert report["ambient"]["share"] is None
    json.dumps(report, allow_nan=False)
    check_adata(kept, stage="filtered", where="x")


def test_a_sample_without_droplets(make_sample):
    kept, report = run(make_sample()[:0].copy())
    assert kept.n_obs == 0
    assert report["limits"]["n_counts"] == [50, 50]


def test_genes_without_mito_are_noted(make_sample):
    adata = make_sample()
    adata.var_names = [f"G{i}" for i in range(adata.n_vars)]
    _, report = run(adata)
    assert "no gene is named MT-" in report["notes"][0]


def test_equal_cells_are_no_outliers(make_sample):
    """Counts downsampled to one depth have no spread at all."""
    adata = make_sample()
    rng = np.random.default_rng(0)
    dense = np.array([rng.permutation([9] * 60 + [1] * 20) for _ in range(adata.n_obs)])
    adata.X = sparse.csr_matrix(dense.astype(np.int32))
    kept, report = run(adata, max_pct_mito=100, n_mads_mito=50)
    assert sum(report["dropped"].values()) == 0
    assert kept.n_obs == adata.n_obs


def test_nuclei_have_limits_of_their_own(make_sample):
    adata = make_sample()
    dense = adata.X.toarray()
    dense[:, -2:] = 0
    dense[0, -1] = round(dense[0].sum() * 0.03)  # 3 %: too much in a nucleus, little in a cell
    adata.X = sparse.csr_matrix(dense)
    _, cells = run(adata)
    _, nuclei = run(adata, row={"suspension": "nucleus"})
    _, unsaid = run(adata, row={"suspension": ""})
    assert (cells["limits"]["pct_mito_max"], nuclei["limits"]["pct_mito_max"]) == (5, 1)
    assert (cells["dropped"]["high_mito"], nuclei["dropped"]["high_mito"]) == (0, 1)
    assert (cells["suspension"], nuclei["suspension"], unsaid["suspension"]) == (
        "cell",
        "nucleus",
        "cell",
    )
    assert "single nuclei: the limit on mitochondrial counts is that for nuclei" in nuclei["notes"]
    assert "cells or nuclei is not said: treated as cells" in unsaid["notes"]


def test_ceiling_of_nuclei_holds(make_sample):
    _, report = run(make_sample(), row={"suspension": "nucleus"}, max_pct_mito_nucleus=0.2)
    assert report["limits"]["pct_mito_max"] == 0.2


def test_overrides_of_a_sample_are_used_and_named(make_sample):
    row = {"min_counts": "300", "min_genes": "", "max_pct_mito": "0.5", "doublet_rate": "0"}
    _, report = run(make_sample(), row=row, doublets_per_1000=0.05)
    assert report["overrides"] == {"min_counts": 300, "max_pct_mito": 0.5, "doublet_rate": 0}
    assert report["limits"]["n_counts"][0] >= 300
    assert report["limits"]["pct_mito_max"] == 0.5
    assert report["doublets"]["expected_share"] == 0
    assert report["doublets"]["expected_from"] == "table of samples"
    assert report["notes"][0] == (
        "limits of its own in the table of samples: min_counts 300, max_pct_mito 0.5, "
        "doublet_rate 0"
    )


def test_histograms_hold_every_droplet_once(make_sample):
    adata = make_sample(cells=200)
    dense = adata.X.toarray()
    dense[:5] = 0
    dense[:5, 0] = 3
    adata.X = sparse.csr_matrix(dense)
    _, report = run(adata)
    for name, shape in report["distributions"].items():
        expected = 195 if name == "pct_mito" else 200
        assert sum(shape["droplets"]) + shape["below"] + shape["above"] == expected
        assert len(shape["edges"]) == len(shape["droplets"]) + 1 <= 51
    assert report["distributions"]["n_counts"]["below"] == 5


def test_histogram_by_hand():
    shape = histogram(np.array([0.5, 1, 10, 99, 100, 101]), low=1, high=100, log=True)
    assert shape["below"] == 1
    assert shape["above"] == 1
    assert shape["droplets"][0] == 1
    assert shape["droplets"][20] == 1  # 10 is in the middle of 1 to 100 on the log scale
    assert shape["droplets"][-1] == 2


def test_empty_droplets_of_an_unfiltered_file_give_the_fluid(make_sample):
    adata = make_sample(cells=200, genes=120, shift=4.0)
    low = adata.X.sum(axis=1).min()
    assert low > 1000
    settings = {"min_counts": 1000, "row": {"suspension": "cell", "max_pct_mito": "100"}}
    debris = np.tile((np.arange(120) < 110).astype(np.int32), (60, 1))  # 110 counts: small cells?
    empty = np.tile((np.arange(120) < 95).astype(np.int32), (120, 1))  # 95 counts: no cell

    def together(more):
        counts = sparse.vstack([adata.X, sparse.csr_matrix(more)]).tocsr()
        obs = pd.DataFrame(index=[f"d{i}" for i in range(counts.shape[0])])
        return type(adata)(counts, obs=obs, var=adata.var)

    _, report = run(together(debris), **settings)
    assert (report["dropped"]["empty"], report["dropped"]["low_counts"]) == (0, 60)
    assert report["ambient"]["soup"] == "all cells"
    _, report = run(together(empty), **settings)
    assert (report["dropped"]["empty"], report["dropped"]["low_counts"]) == (120, 0)
    assert report["ambient"]["soup"] == "empty droplets"  # 120 x 95 counts
    assert report["n_cells_kept"] == 200
