"""Methods of alignment: what they need, what they move, and that threads do not matter."""

import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse

from osteotalk.prepare import align as module
from osteotalk.prepare.align import METHODS, MethodError, align, method_version, need_method
from osteotalk.prepare.mixing import lisi


def cells(*, n=120, seed=0):
    """Two types in two samples, the second sample shifted away from the first."""
    rng = np.random.default_rng(seed)
    kind, sample = np.arange(2 * n) % 2, np.arange(2 * n) // n
    space = rng.normal(scale=0.3, size=(2 * n, 5))
    space[:, 0] += 6 * kind
    space[:, 1] += 3 * sample
    obs = pd.DataFrame({"sample": np.array(["S1", "S2"])[sample]}, index=map(str, range(2 * n)))
    counts = sparse.csr_matrix(rng.poisson(1, (2 * n, 8)).astype(np.int32))
    adata = AnnData(counts.astype(np.float32), obs=obs, layers={"counts": counts})
    adata.obsm["X_pca"] = space.astype(np.float32)
    adata.var["highly_variable"] = [True] * 6 + [False] * 2
    return adata, kind


@pytest.mark.parametrize("method", ["harmony", "scanorama"])
def test_samples_come_together_and_types_stay_apart(method):
    pytest.importorskip(module.PACKAGES[method][0], reason=f"{method} is not installed")
    adata, kind = cells()
    before = adata.obsm["X_pca"].copy()
    aligned = align(adata, method=method, seed=0)
    np.testing.assert_array_equal(adata.obsm["X_pca"], before)
    assert aligned.shape == before.shape
    assert aligned.dtype == np.float32
    sample = adata.obs["sample"].to_numpy()
    assert np.median(lisi(before, sample)) < 1.1
    assert np.median(lisi(aligned, sample)) > 1.3
    assert np.median(lisi(aligned, kind)) < 1.1
    np.testing.assert_array_equal(align(adata, method=method, seed=0), aligned)


def test_a_method_that_is_not_installed_is_refused(monkeypatch):
    monkeypatch.setattr(module, "find_spec", lambda _: None)
    with pytest.raises(MethodError, match="'scvi' in the config, which needs .* scvi-tools, and"):
        need_method("scvi")
    with pytest.raises(MethodError, match="choose harmony or none"):
        align(cells()[0], method="scanorama", seed=0)
    need_method("none")


def test_a_method_that_is_not_known_is_refused():
    with pytest.raises(MethodError, match=f"'magic' is not known; choose one of {METHODS[0]}"):
        need_method("magic")
    with pytest.raises(MethodError, match="'none' aligns nothing"):
        align(cells()[0], method="none", seed=0)


def test_versions():
    assert method_version("none") == {}
    assert list(method_version("harmony")) == ["harmonypy"]


def test_scvi_is_given_counts_of_variable_genes(monkeypatch):
    """The call alone: scvi-tools is no dependency, so a stand-in takes its place."""
    seen = {}

    class Model:
        @staticmethod
        def setup_anndata(adata, *, batch_key):
            seen["cells"], seen["batch"] = adata, batch_key

        def __init__(self, adata, *, n_latent):
            seen["n_latent"] = n_latent

        def train(self, **options):
            seen["options"] = options

        def get_latent_representation(self):
            return np.ones((240, 5))

    stand_in = SimpleNamespace(
        settings=SimpleNamespace(seed=None), model=SimpleNamespace(SCVI=Model)
    )
    monkeypatch.setitem(sys.modules, "scvi", stand_in)
    monkeypatch.setattr(module, "find_spec", lambda _: True)
    adata, _ = cells()
    assert align(adata, method="scvi", seed=4).shape == (240, 5)
    assert stand_in.settings.seed == 4
    assert seen["batch"] == "sample"
    assert seen["n_latent"] == 5
    np.testing.assert_array_equal(
        seen["cells"].X.toarray(), adata.layers["counts"].toarray()[:, :6]
    )
    assert seen["options"]["accelerator"] == "cpu"
