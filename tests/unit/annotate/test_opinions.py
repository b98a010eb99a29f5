import gzip
import importlib
import os
import pickle
import warnings

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from osteotalk.annotate import model_file, opinions, reference_file
from osteotalk.annotate.opinions import OpinionError
from osteotalk.ingest.gene_tables import SymbolTable
from osteotalk.liana_file import human_genes

GENES = sorted(human_genes())[:400]
SYMBOLS = SymbolTable("symbols.tsv", frozenset(GENES), {}, {"OLD1": (GENES[0],)})


def add_opinions(adata, *, celltypist=None, reference=None, reference_label="kind"):
    files = {"celltypist": celltypist, "reference": reference}
    label = reference_label
    return opinions.add_opinions(adata, **files, reference_label=label, symbols=SYMBOLS)


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
    monkeypatch.setattr(reference_file, "PER_LABEL", 20)
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


NO_VALUES = "holds neither counts nor log1p of counts scaled to 10,000, one of which is needed"


def rounded(adata):
    adata.X = np.rint(np.expm1(adata.X))


def per_million(adata):
    adata.X = np.log1p(np.expm1(adata.X) * 1.2)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda a: a.obs.pop("kind"), r"no column 'kind' in obs; its columns are: n, other \(4 "),
        (lambda a: a.obs.__setitem__("kind", "one"), "'kind': one label, 'one', in 80 cells; its"),
        (lambda a: a.obs.__setitem__("kind", np.nan), "'kind': no label at all in 80 cells"),
        (lambda a: a.obs.__setitem__("kind", "NA"), "'kind': no label at all in 80 cells"),
        (lambda a: setattr(a, "X", a.X - 1), f"{NO_VALUES}. Looked at: X: negative values"),
        (lambda a: setattr(a, "X", np.where(a.X > 3, np.nan, a.X)), "that are no numbers"),
        (lambda a: setattr(a, "X", np.where(a.X > 3, np.inf, a.X)), "that are no numbers"),
        (lambda a: setattr(a, "X", None), f"{NO_VALUES}. Looked at: X: absent. Store"),
        (lambda a: setattr(a, "X", a.X * 0), "X: only zeros"),
        (lambda a: setattr(a, "X", a.X * 7.5), "X: values up to .*, above what log1p"),
        (per_million, "X: log1p of counts scaled to about 12,000, or another logarithm"),
        (rounded, "X: whole numbers that do not look like counts: .* scaled and rounded"),
        (lambda a: setattr(a, "X", np.minimum(a.X, 1).round()), "every value is 1: presence"),
        (lambda a: setattr(a, "obs_names", [*GENES[:80]]), "is transposed: genes"),
        (lambda a: setattr(a, "var_names", [n.title() for n in GENES]), "as in mouse .*; give a "),
        (lambda a: setattr(a, "var_names", [f"{i}" for i in range(400)]), "names .* are numbers"),
        (lambda a: setattr(a, "var_names", [f"ENSG{i:011d}" for i in range(400)]), "no symbol for"),
    ],
)
def test_a_reference_that_cannot_be_used(tmp_path, spoil, message):
    reference = cells(80, seed=1)
    reference.X = reference.X.toarray()
    reference.obs["n"] = np.linspace(0, 1, 80)
    reference.obs["other"] = np.repeat(["a", "b", "c", "d"], 20)
    spoil(reference)
    if "transposed" in message:
        reference.var_names = ["ACGT" * 3 + f"-{i}" for i in range(400)]
    path = write(reference, tmp_path / "r.h5ad")
    with pytest.raises(OpinionError, match=message) as caught:
        add_opinions(cells(), reference=path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("place", ["counts", "raw", "log in raw"])
def test_the_place_with_values_that_can_be_used_is_taken(tmp_path, place):
    reference = cells(80, seed=1, log=place == "log in raw")
    if place == "counts":
        reference.layers["counts"] = reference.X.copy()
    else:
        reference.raw = reference.copy()
    reference.X = reference.X.toarray() - 0.7
    found = add_opinions(cells(), reference=write(reference, tmp_path / "r.h5ad"))
    assert found.obs["reference_label"].tolist() == found.obs["kind"].tolist()
    expected = {"counts": "counts from layers['counts']", "raw": "counts from raw.X"}
    told = found.uns["osteotalk"]["opinions"]["reference"]["values"]
    assert told == expected.get(place, "log1p from raw.X")


def test_a_reference_is_named_as_the_cohort(tmp_path):
    """Quotes, an older symbol, ids beside symbols, antibodies of the same name, and gzip."""
    plain, odd = cells(80, seed=1, log=False), cells(80, seed=1, log=False)
    odd.var["symbol"] = ["OLD1", f'"{GENES[1]}"', *GENES[2:]]
    odd.var["feature_types"] = "Gene Expression"
    odd.var_names = [f"ENSG{i:011d}" for i in range(400)]
    antibody = odd[:, :1].copy()
    antibody.var["feature_types"] = "Antibody Capture"
    antibody.var_names, antibody.X = ["ab"], antibody.X * 1000
    odd = ad.concat([odd, antibody], axis=1, merge="same")
    packed = tmp_path / "odd.h5ad.gz"
    packed.write_bytes(gzip.compress(write(odd, tmp_path / "odd.h5ad").read_bytes()))
    found = [
        reference_file.read_reference(
            path, column="kind", measured=pd.Index(GENES), symbols=SYMBOLS
        )
        for path in (write(plain, tmp_path / "plain.h5ad"), packed)
    ]
    assert found[1].cells.var_names.tolist() == GENES
    np.testing.assert_allclose(found[1].cells.X.toarray(), found[0].cells.X.toarray())
    assert found[1].labels.tolist() == found[0].labels.tolist()


def test_numbers_as_labels_and_cells_without_one(tmp_path):
    reference = cells(80, seed=1)
    reference.obs["kind"] = np.where(np.arange(80) < 40, 1.0, 2.0)
    reference.obs.iloc[[0, 79], 0] = np.nan
    found = add_opinions(cells(), reference=write(reference, tmp_path / "r.h5ad"))
    assert set(found.obs["reference_label"]) == {"1", "2"}
    assert found.uns["osteotalk"]["opinions"]["reference"]["reference_cells"] == 78


def hdf5(**groups):
    def make(path):
        with h5py.File(path, "w") as file:
            for name, inside in groups.items():
                for item in inside:
                    file.create_group(name).create_group(item)

    return make


def linked(path):
    write(cells(80, seed=1), path)
    with h5py.File(path, "a") as file:
        file["obs/author"] = h5py.ExternalLink("/etc/hostname", "x")


def damaged(path):
    write(cells(80, seed=1), path)
    with h5py.File(path, "a") as file:
        file["X/indptr"][3] = 10**6


def outside(path):
    write(cells(80, seed=1), path)
    with h5py.File(path, "a") as file:
        file["X/indices"][3] = 400


def pickled(content):
    return lambda path: path.write_bytes(pickle.dumps(content))


class Asks:
    """What runs a program when it is read."""

    def __init__(self, call, *arguments):
        self.call, self.arguments = call, arguments

    def __reduce__(self):
        return self.call, self.arguments


WEB_PAGE = b"<!DOCTYPE html><html><body>Sign in</body></html>"
KINDS = {
    "page": (lambda path: path.write_bytes(WEB_PAGE), "a web page, not data", "a web page, not"),
    "packed page": (
        lambda path: path.write_bytes(gzip.compress(WEB_PAGE)),
        "a web page, not data",
        "a web page, not data",
    ),
    "text": (
        lambda path: path.write_text("no\n"),
        "text that begins 'no', but annotation.reference needs an HDF5 file",
        r"text that begins 'no', but annotation.celltypist needs a CellTypist model \(a pickle\)",
    ),
    "rds": (
        lambda path: path.write_bytes(gzip.compress(b"X\n\0\0\0\3")),
        "write it from R as h5ad, with the labels in obs",
        r"an R object .* can read, but a CellTypist model \(a pickle\) is needed",
    ),
    "archive": (
        lambda path: path.write_bytes(b"PK\3\4" + bytes(40)),
        "an archive, but an HDF5 file is needed",
        "an archive, but a CellTypist model",
    ),
    "pickle": (pickled({"a": 1}), "a CellTypist model belongs into annotation.celltypist", "'a'"),
    "list": (pickled([1, 2]), "a Python pickle, but an annotated h5ad", "it holds list, not Model"),
    "h5ad": (
        lambda path: write(cells(80).T, path),
        "no column 'kind' in obs; its columns are: none",
        "an annotated h5ad file belongs into annotation.reference",
    ),
    "mudata": (hdf5(mod=["rna"]), r"several modalities \(MuData: rna\)", "an HDF5 file, but"),
    "linked": (linked, "'obs/author' is a link to another file", "an HDF5 file, but"),
    "damaged": (damaged, r"r.any: X is damaged: its pointers", "an HDF5 file, but"),
    "outside": (outside, "X is damaged: it has an index of 400, outside 0 to 399", "an HDF5 file"),
    "cut": (lambda path: path.write_bytes(b"\x89HDF\r\n\x1a\n12"), "cut off or damaged", "HDF5"),
    "cut pickle": (lambda path: path.write_bytes(b"\x80\x04\x95ab"), "pickle", "cannot be read as"),
    "empty": (lambda path: path.write_bytes(b""), "cannot be read", "cannot be read as a CellTyp"),
    "absent": (lambda path: None, "does not exist", "does not exist"),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("key", ["reference", "celltypist"])
def test_a_file_of_another_kind_is_named(tmp_path, kind, key):
    make, *messages = KINDS[kind]
    path = tmp_path / "r.any"
    make(path)
    with pytest.raises(OpinionError, match=messages[key == "celltypist"]) as caught:
        add_opinions(cells(), **{key: path})
    assert str(path) in str(caught.value)


def test_a_10x_file_has_no_labels(tmp_path):
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        file.create_group("matrix")
    with pytest.raises(OpinionError, match=r"a 10x h5 file \(.*\), which has no labels"):
        add_opinions(cells(), reference=path)


@pytest.mark.parametrize(
    ("call", "name"), [(os.system, "system"), (eval, "builtins.eval"), (np.load, "numpy.*load")]
)
def test_a_model_that_asks_for_a_program_is_refused_and_runs_nothing(tmp_path, call, name):
    made = tmp_path / "made"
    path = tmp_path / "m.pkl"
    argument = {"system": f"touch {made}", "builtins.eval": f"open({str(made)!r}, 'w')"}
    path.write_bytes(pickle.dumps({"Model": Asks(call, argument.get(name, str(made)))}))
    with pytest.raises(OpinionError, match=f"it asks for .*{name}, which a model does not need"):
        add_opinions(cells(), celltypist=path)
    assert not made.exists()


def test_a_name_within_an_allowed_module_is_no_way_out(tmp_path):
    # of the fourth protocol a name may lead through attributes: sklearn.base -> warnings -> sys
    path = tmp_path / "m.pkl"
    for name in (b"warnings.sys.exit", b"clone", b"warnings"):
        path.write_bytes(b"\x80\x04\x8c\x0csklearn.base\x8c" + bytes([len(name)]) + name + b"\x93.")
        with pytest.raises(OpinionError, match="it asks for sklearn.base"):
            add_opinions(cells(), celltypist=path)


def test_the_reference_is_checked_before_any_cell_is_labelled(tmp_path, monkeypatch):
    monkeypatch.setattr(opinions, "read_model", lambda path, **_: "a model")
    monkeypatch.setattr(opinions, "_celltypist_labels", lambda *_: pytest.fail("labelled"))
    absent = tmp_path / "absent.h5ad"
    with pytest.raises(OpinionError, match="absent.h5ad does not exist"):
        add_opinions(cells(), celltypist="m.pkl", reference=absent, reference_label="kind")


def test_nothing_is_added_where_nothing_is_asked_for():
    adata = cells()
    found = add_opinions(adata, celltypist="", reference=None, reference_label="kind")
    assert found.obs.equals(adata.obs)
    assert "osteotalk" not in found.uns


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


def test_celltypist_missing(model, monkeypatch):
    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(OpinionError, match="needs CellTypist, which is not installed"):
        add_opinions(cells(), celltypist=model)


def test_a_celltypist_model_of_other_genes(model):
    adata = cells()
    adata.var_names = [name.lower() if i > 9 else name for i, name in enumerate(GENES)]
    with pytest.raises(OpinionError, match="shares only 10 of its 400 genes"):
        add_opinions(adata, celltypist=model, reference=None, reference_label="kind")


def rewritten(model, spoil):
    content = pickle.loads(model.read_bytes())
    spoil(content["Model"], content["Scaler_"])
    model.write_bytes(pickle.dumps(content))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda c, s: delattr(c, "features"), "its LogisticRegression has no features"),
        (lambda c, s: delattr(s, "scale_"), "its StandardScaler has no scale_"),
        (lambda c, s: setattr(c, "features", c.features[:-1]), "its coefficients are .* 399 genes"),
        (lambda c, s: setattr(s, "scale_", s.scale_[:7]), r"its scales are \(7,\), but 400 genes"),
        (lambda c, s: setattr(s, "mean_", s.mean_[:7]), r"its means are \(7,\), but 400 genes"),
        (lambda c, s: setattr(c, "classes_", c.classes_[:1]), "it has 1 labels"),
        (lambda c, s: setattr(c, "coef_", c.coef_ * np.nan), "not finite numbers"),
        (lambda c, s: c.features.__setitem__(1, GENES[0]), "not a list of different names"),
        (lambda c, s: setattr(c, "features", np.char.title(c.features)), "as in mouse"),
    ],
)
def test_a_model_whose_parts_do_not_fit(model, spoil, message):
    rewritten(model, spoil)
    with pytest.raises(OpinionError, match=message):
        add_opinions(cells(), celltypist=model)


def test_a_model_of_mostly_other_genes(model, monkeypatch):
    monkeypatch.setattr(model_file, "MIN_SHARED", 10)
    adata = cells()[:, :30].copy()
    with pytest.raises(OpinionError, match="only 30 of its 400 genes with the 30 .* at least 40"):
        add_opinions(adata, celltypist=model)


@pytest.mark.parametrize("protocol", [2, 5])
def test_a_model_with_an_older_symbol_and_in_gzip(model, protocol):
    rewritten(model, lambda c, s: c.features.__setitem__(0, "OLD1"))
    content = pickle.dumps(pickle.loads(model.read_bytes()), protocol=protocol)
    model.write_bytes(gzip.compress(content))
    adata = cells()
    found = add_opinions(adata, celltypist=model)
    assert found.obs["celltypist_label"].tolist() == adata.obs["kind"].tolist()
    assert found.uns["osteotalk"]["opinions"]["celltypist"]["shared_genes"] == 400
