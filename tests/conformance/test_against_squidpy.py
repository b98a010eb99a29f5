"""Means and p-values against squidpy, which shuffles with another generator."""

import warnings

import numpy as np
import pytest

from osteotalk.interactions import score

N_PERMS = 1000


@pytest.fixture(scope="module")
def both(data):
    adata, pairs = data
    single = pairs[~(pairs["ligand"] + pairs["receptor"]).str.contains("_")]
    ours = score(adata, resource=single)
    sizes = adata.obs["population"].value_counts()
    adata = adata[adata.obs["population"].isin(sizes.index[sizes >= 10])].copy()
    adata.obs["population"] = adata.obs["population"].astype("category")
    listed = ours[["ligand", "receptor"]].drop_duplicates()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import squidpy

        found = squidpy.gr.ligrec(
            adata,
            "population",
            interactions=listed.rename(columns={"ligand": "source", "receptor": "target"}),
            threshold=0.1,
            n_perms=N_PERMS,
            seed=1,
            n_jobs=1,
            use_raw=False,
            copy=True,
            show_progress_bar=False,
        )
    rows = list(zip(ours["ligand"], ours["receptor"], strict=True))
    columns = list(zip(ours["source"], ours["target"], strict=True))
    means, p = (
        np.array([table.at[row, column] for row, column in zip(rows, columns, strict=True)])
        for table in (found["means"], found["pvalues"])
    )
    return ours, means.astype(float), p.astype(float)


def test_the_same_means(both):
    ours, means, _ = both
    assert len(ours) > 500
    np.testing.assert_allclose(ours["lr_means"], means, rtol=1e-5)


def test_p_values_agree_within_the_error_of_drawing(both):
    """squidpy's are shares of shuffles above the observed mean, ours count ties as well."""
    ours, _, theirs = both
    p = ours["p_value"].to_numpy()
    known = ~np.isnan(theirs)
    assert known.mean() > 0.95
    spread = np.sqrt(p * (1 - p) / N_PERMS) + 1 / N_PERMS
    away = np.abs(p - theirs)[known] / spread[known]
    # rare genes have ties, which squidpy does not count: a few edges may be further away
    assert np.median(away) < 1.0
    assert (away > 5).mean() < 0.02
