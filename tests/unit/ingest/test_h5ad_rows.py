"""A sample of an h5ad file of several, against anndata, which reads the whole."""

import tracemalloc

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from osteotalk.ingest import h5ad
from osteotalk.ingest.errors import IngestError
from osteotalk.ingest.h5ad_rows import BLOCK, can_be_read_by_rows, read_rows

FORMATS = {"csr": sparse.csr_matrix, "csc": sparse.csc_matrix, "dense": lambda m: m.toarray()}


def stored(path, *, form="csr", n_cells=120, n_genes=60, n_samples=4, where="layers"):
    """Counts of cells of several samples, mixed; logarithms in X."""
    rng = np.random.default_rng(3)
    counts = sparse.csr_matrix(rng.poisson(0.7, (n_cells, n_genes)).astype(np.float32))
    genes = pd.DataFrame(index=[f"GENE{i}" for i in range(n_genes)])
    obs = pd.DataFrame(
        {"patient": pd.Categorical([f"P{i}" for i in rng.integers(n_samples, size=n_cells)])},
        index=[f"c{i}" for i in range(n_cells)],
    )
    adata = ad.AnnData(FORMATS[form](counts.log1p()), obs=obs, var=genes)
    if where == "layers":
        adata.layers["counts"] = FORMATS[form](counts)
    elif where == "raw":
        adata.raw = ad.AnnData(FORMATS[form](counts), obs=obs, var=genes)
        adata = adata[:, :20].copy()
    else:
        adata.X = FORMATS[form](counts)
    adata.write_h5ad(path)
    return counts, obs


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("where", ["layers", "raw", "X"])
def test_rows_are_those_of_the_whole(tmp_path, form, where):
    path = str(tmp_path / "all.h5ad")
    counts, obs = stored(path, form=form, where=where)
    with h5py.File(path) as file:
        assert can_be_read_by_rows(file)
    chosen = (obs["patient"] == "P2").to_numpy()
    found = h5ad.read({"h5ad": path}, sample="P2", sample_key="patient")
    assert list(found.obs_names) == list(obs.index[chosen])
    assert list(found.obs["patient"].cat.categories) == ["P2"]
    np.testing.assert_array_equal(found.X.toarray(), counts.toarray()[chosen])
    assert found.uns["counts_from"] == {"layers": "layers['counts']", "raw": "raw.X"}.get(
        where, "X"
    )
    assert found.uns["cells_by_sample"] == obs["patient"].tolist()
    alone = h5ad.read({"h5ad": path}, sample="", sample_key="")
    np.testing.assert_array_equal(alone.X.toarray(), counts.toarray())


@pytest.mark.parametrize("form", FORMATS)
def test_rows_of_many_blocks(tmp_path, form):
    path = str(tmp_path / "all.h5ad")
    counts, _ = stored(path, form=form, n_cells=2 * BLOCK + 7, n_genes=5, where="X")
    for chosen in ([0], [BLOCK - 1, BLOCK, 2 * BLOCK + 6], [], range(2 * BLOCK + 7)):
        rows = np.array(chosen, dtype=int)
        found = read_rows(path, "X", rows)
        assert found.shape == (len(rows), 5)
        np.testing.assert_array_equal(found.toarray(), counts.toarray()[rows])


@pytest.mark.parametrize("form", ["csr", "dense"])
def test_a_sample_takes_the_memory_of_a_sample(tmp_path, form):
    path = str(tmp_path / "all.h5ad")
    stored(path, form=form, n_cells=8000, n_genes=400, n_samples=20)
    h5ad.read({"h5ad": path}, sample="P1", sample_key="patient")  # what is loaded once
    tracemalloc.start()
    whole = ad.read_h5ad(path)
    most_whole = tracemalloc.get_traced_memory()[1]
    del whole
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    h5ad.read({"h5ad": path}, sample="P1", sample_key="patient")
    most = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    assert most < most_whole / 3


def test_a_damaged_index_of_the_sample_is_refused(tmp_path):
    path = str(tmp_path / "all.h5ad")
    _, obs = stored(path, where="X")
    row = int(np.flatnonzero(obs["patient"] == "P2")[0])
    with h5py.File(path, "r+") as file:
        file["X/indices"][file["X/indptr"][row]] = 60
    with pytest.raises(IngestError, match=r"X is damaged: it has an index of 60, outside 0 to 59"):
        h5ad.read({"h5ad": path}, sample="P2", sample_key="patient")


@pytest.mark.parametrize(
    ("part", "shape"), [("X", (120, 61)), ("layers/counts", (119, 60)), ("raw/X", (120, 59))]
)
def test_shapes_that_do_not_fit_are_left_to_anndata(tmp_path, part, shape):
    path = str(tmp_path / "all.h5ad")
    stored(path, where="raw" if "raw" in part else "layers")
    with h5py.File(path, "r+") as file:
        file[part].attrs["shape"] = shape
        assert not can_be_read_by_rows(file)
    with pytest.raises(IngestError, match="all.h5ad"):
        h5ad.read({"h5ad": path}, sample="P2", sample_key="patient")
