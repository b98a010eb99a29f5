import importlib
import warnings

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from osteotalk.annotate import add_opinions, opinions
from osteotalk.annotate.opinions import OpinionError

GENES = [f"GENE{i}" for i in range(400)]


def cells(n=60, *, seed=0, log=True):
    """Two kinds of cells, half each, with 40 raised genes each."""
    rng = np.random.default_rng(seed)
    mean = np.full((n, 400), 0.5)
    mean[: n // 2, :40] = 5
    mean[n // 2 :, 40:80] = 5
    counts = rng.poisson(mean).astype(np.float32)
    if log:
        counts = np.log1p(counts / counts.sum(axis=1, keepdims=True) * 1e4).astype(np.float32)
    adata = AnnData(sparse.csr_matrix(counts), var=pd.DataFrame(index=GENES))
    adata.obs_names = [f"c{seed}_{i}" for i in range(n)]
    adata.obs["kind"] = np.repeat(["left", "right"], [n // 2, n - n // 2])
    return adata


def write(adata, path):
    adata.write_h5ad(path)
    return path


@pytest.mark.parametrize("log", [True, False])
def test_labels_are_carried_over(tmp_path, log):
    path = write(cells(80, seed=1, log=log), tmp_path / "r.h5ad")
    adata = cells()
    found = add_opinions(adata, celltypist=None, reference=path, reference_label="kind")
    assert found.obs["reference_label"].tolist() == adata.obs["kind"].tolist()
    assert "celltypist_label" not in found.obs
    assert "reference_label" not in adata.obs
    record = found.uns["osteotalk"]["opinions"]["reference"]
    assert (record["shared_genes"], record["labels"], record["n_unassigned"]) == (400, 2, 0)


def test_frequent_labels_have_no_more_votes(tmp_path, monkeypatch):
    monkeypatch.setattr(opinions, "PER_LABEL", 20)
    reference = cells(100, seed=1)
    reference.obs["kind"] = np.repeat(["left", "right"], 50)
    path = write(reference, tmp_path / "r.h5ad")
    found = add_opinions(cells(), celltypist=None, reference=path, reference_label="kind")
    assert found.uns["osteotalk"]["opinions"]["reference"]["reference_cells"] == 40


def test_order_and_chunks_of_cells_do_not_matter(tmp_path, monkeypatch):
    path = write(cells(80, seed=1), tmp_path / "r.h5ad")
    asked = {"celltypist": None, "reference": path, "reference_label": "kind"}
    first = add_opinions(cells(), **asked).obs["reference_label"]
    monkeypatch.setattr(opinions, "CHUNK", 7)
    turned = add_opinions(cells()[::-1].copy(), **asked).obs["reference_label"]
    assert turned.loc[first.index].equals(first)


def test_genes_that_do_not_overlap(tmp_path):
    other = cells(80, seed=1)
    other.var_names = [f"ENSG{i}" if i > 11 else name for i, name in enumerate(GENES)]
    path = write(other, tmp_path / "r.h5ad")
    with pytest.raises(OpinionError, match="shares only 12 of its 400 genes with the 400 of the"):
        add_opinions(cells(), celltypist=None, reference=path, reference_label="kind")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda a: a.obs.pop("kind"), "has no column 'kind' in obs"),
        (lambda a: a.obs.__setitem__("kind", "one"), "fewer than two labels in its column 'kind'"),
        (lambda a: setattr(a, "X", a.X - 1), "holds negative values"),
        (lambda a: setattr(a, "X", np.where(a.X > 3, np.nan, a.X)), "that are no numbers"),
        (lambda a: setattr(a, "X", None), "holds no matrix: neither X nor a layer 'counts'"),
        (lambda a: setattr(a, "X", a.X * 7.5), "neither counts nor log1p"),
    ],
)
def test_a_reference_that_cannot_be_used(tmp_path, spoil, message):
    reference = cells(80, seed=1)
    reference.X = reference.X.toarray()
    spoil(reference)
    path = write(reference, tmp_path / "r.h5ad")
    with pytest.raises(OpinionError, match=message):
        add_opinions(cells(), celltypist=None, reference=path, reference_label="kind")


def test_a_file_that_is_no_h5ad(tmp_path):
    path = tmp_path / "r.h5ad"
    path.write_text("no")
    with pytest.raises(OpinionError, match="cannot be read as h5ad"):
        add_opinions(cells(), celltypist=None, reference=path, reference_label="kind")


def test_the_reference_is_checked_before_any_cell_is_labelled(tmp_path, monkeypatch):
    monkeypatch.setattr(opinions, "_read_model", lambda path, measured: "a model")
    monkeypatch.setattr(opinions, "_celltypist_labels", lambda *_: pytest.fail("labelled"))
    absent = tmp_path / "absent.h5ad"
    with pytest.raises(OpinionError, match="absent.h5ad cannot be read as h5ad"):
        add_opinions(cells(), celltypist="m.pkl", reference=absent, reference_label="kind")


def test_nothing_is_added_where_nothing_is_asked_for():
    adata = cells()
    found = add_opinions(adata, celltypist="", reference=None, reference_label="kind")
    assert found.obs.equals(adata.obs)
    assert "osteotalk" not in found.uns


def test_celltypist_missing(monkeypatch):
    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(OpinionError, match="needs CellTypist, which is not installed"):
        add_opinions(cells(), celltypist="m.pkl", reference=None, reference_label="kind")


@pytest.fixture
def model(tmp_path, monkeypatch):
    """A CellTypist model file of the two kinds of cells, fitted by hand."""
    monkeypatch.setenv("CELLTYPIST_FOLDER", str(tmp_path))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        models = pytest.importorskip("celltypist").models
    training = cells(120, seed=3)
    scaler = StandardScaler().fit(training.X.toarray())
    scaler.feature_names_in_ = None
    classifier = LogisticRegression(max_iter=500)
    classifier.fit(scaler.transform(training.X.toarray()), training.obs["kind"])
    classifier.features = np.array(GENES)
    path = tmp_path / "model.pkl"
    models.Model(classifier, scaler, {"details": "toy"}).write(str(path))
    return path


def test_labels_of_a_celltypist_model(model, monkeypatch):
    monkeypatch.setattr(opinions, "CHUNK", 25)
    adata = cells()
    found = add_opinions(adata, celltypist=model, reference=None, reference_label="kind")
    assert found.obs["celltypist_label"].tolist() == adata.obs["kind"].tolist()
    record = found.uns["osteotalk"]["opinions"]["celltypist"]
    assert record == {"shared_genes": 400, "model_genes": 400}


def test_a_celltypist_model_of_other_genes(model):
    adata = cells()
    adata.var_names = [name.lower() if i > 9 else name for i, name in enumerate(GENES)]
    with pytest.raises(OpinionError, match="shares only 10 of its 400 genes"):
        add_opinions(adata, celltypist=model, reference=None, reference_label="kind")


def test_a_file_that_is_no_model(model):
    model.write_text("no model")
    with pytest.raises(OpinionError, match="cannot be read as a CellTypist model"):
        add_opinions(cells(), celltypist=model, reference=None, reference_label="kind")
