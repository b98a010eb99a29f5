"""Matrices and labels of every type: the same table, or a message of our own."""

import anndata
import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse

from osteotalk.interactions import score
from osteotalk.interactions.checks.labels import checked_labels, only_value
from osteotalk.interactions.checks.matrix import checked_matrix
from osteotalk.interactions.checks.settings import ScoringError

KEYS = ["source", "target", "ligand_complex", "receptor_complex"]


def with_matrix(toy, matrix):
    return AnnData(matrix, obs=toy.obs, var=toy.var)


def with_labels(toy, labels):
    return AnnData(toy.X, obs=pd.DataFrame({"population": labels}, toy.obs_names), var=toy.var)


def quick(adata, pairs, **settings):
    return score(adata, resource=pairs, null="none", **settings)


@pytest.fixture
def expected(toy, toy_pairs):
    return quick(toy, toy_pairs)


def big_endian(x):
    return x.toarray().astype(">f8")


def of_objects(x):
    dense = x.toarray().astype(object)
    dense[0, 0] = int(dense[0, 0]) if dense[0, 0] == 0 else dense[0, 0]
    return dense


@pytest.mark.parametrize(
    "change",
    [of_objects, big_endian, sparse.csr_array, lambda x: x.toarray().astype(np.longdouble)],
    ids=["objects", "big endian", "sparse array", "long double"],
)
@pytest.mark.parametrize("engine", ["fast", "liana"])
def test_numbers_of_any_type_give_the_same_table(toy, toy_pairs, expected, change, engine):
    found = quick(with_matrix(toy, change(toy.X)), toy_pairs, engine=engine)
    near = 1e-6 if engine == "liana" else 1e-12
    pd.testing.assert_frame_equal(found, expected, rtol=near, atol=near)


def test_half_precision_is_read_as_it_is(toy, toy_pairs):
    half = toy.X.toarray().astype(np.float16)
    found = quick(with_matrix(toy, half), toy_pairs)
    pd.testing.assert_frame_equal(found, quick(with_matrix(toy, half.astype(float)), toy_pairs))


@pytest.mark.parametrize("form", [sparse.csr_matrix, sparse.csc_matrix, np.asarray])
def test_a_file_that_backs_the_data_is_read(toy, toy_pairs, expected, form, tmp_path):
    dense = toy.X.toarray()
    with_matrix(toy, form(dense)).write_h5ad(tmp_path / "x.h5ad")
    backed = anndata.read_h5ad(tmp_path / "x.h5ad", backed="r")
    try:
        pd.testing.assert_frame_equal(quick(backed, toy_pairs), expected)
        part = quick(backed[:80], toy_pairs)
        pd.testing.assert_frame_equal(part, quick(toy[:80], toy_pairs))
    finally:
        backed.file.close()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda x: x.toarray() + 1j,
            r"^X holds complex128, 4,920 values with an imaginary part, not real numbers. Put",
        ),
        (lambda x: x.astype(complex), "^X holds complex128, 0 values with an imaginary part, not "),
        (lambda x: x.astype(np.complex64), "^X holds complex64, 0 values with an imaginary"),
        (lambda x: x.toarray().astype(str), "^X holds <U32, not numbers. Put log-normalised"),
        (
            lambda x: np.where(x.toarray() == 0, None, x.toarray()),
            r"^X holds objects, and [\d,]+ of 4,920 are no real numbers: None. Put log-normalised",
        ),
        (
            lambda x: np.where(np.eye(120, 41) > 0, "NA", x.toarray().astype(object)),
            "^X holds objects, and 41 of 4,920 are no real numbers: 'NA'. Put log-normalised",
        ),
        (
            lambda x: np.where(np.eye(120, 41) > 0, 1j, x.toarray().astype(object)),
            "^X holds objects, and 41 of 4,920 are no real numbers: 1j. Put",
        ),
        (
            lambda x: np.ma.masked_less(x.toarray(), 0.5),
            r"^X is a masked array: what is masked is neither a value nor 0. Fill it \(X.filled",
        ),
    ],
)
def test_what_is_no_matrix_of_real_numbers(toy, toy_pairs, change, message):
    with pytest.raises(ScoringError, match=message):
        quick(with_matrix(toy, change(toy.X)), toy_pairs)


def test_a_matrix_that_is_not_in_memory(toy, toy_pairs):
    array = pytest.importorskip("dask.array", reason="dask is not installed")
    lazy = with_matrix(toy, array.from_array(toy.X.toarray()))
    with pytest.raises(
        ScoringError,
        match=r"^X is a dask.array.*Array, which is not in memory. Load it \(adata = adata.to_mem",
    ):
        quick(lazy, toy_pairs)
    assert len(quick(lazy.to_memory(), toy_pairs))


def test_cells_that_are_no_anndata(toy, toy_pairs):
    with pytest.raises(ScoringError, match="^the cells are a DataFrame; they must be an AnnData"):
        score(toy.to_df(), resource=toy_pairs)
    toy.raw = toy
    with pytest.raises(ScoringError, match=r"a Raw; they must be .* \(adata.raw.to_adata\(\)\)$"):
        score(toy.raw, resource=toy_pairs)


def test_what_raw_holds_is_told(toy, toy_pairs, caplog):
    """Where X cannot be used, and where raw has more pairs; otherwise raw is not looked at."""
    logs, counts = toy.copy(), AnnData(sparse.csr_matrix(np.rint(toy.X.toarray() * 5)), var=toy.var)
    toy.X = toy.X.toarray() - 1.0
    toy.raw = logs
    told = (
        r"adata.raw has values that may be log-normalised of 41 genes: adata = adata.raw.to_adata"
    )
    with pytest.raises(ScoringError, match=f"negative, .* into X. {told}"):
        quick(toy, toy_pairs)
    toy.raw = counts
    told = r"adata.raw has counts of 41 genes: adata = adata.raw.to_adata\(\), then normalise them$"
    with pytest.raises(ScoringError, match=told):
        quick(toy, toy_pairs)
    toy.X = counts.X
    with pytest.warns(UserWarning, match=told):
        quick(toy, toy_pairs)
    counts.X.data *= 1000  # more than any logarithm
    toy.raw = counts
    toy.X = counts.X
    with pytest.raises(ScoringError, match=rf"looks like counts themselves. .*{told}"):
        quick(toy, toy_pairs)
    toy.X = None
    with pytest.raises(ScoringError, match=rf"^X is empty. .*{told}"):
        quick(toy, toy_pairs)
    few = logs[:, 20:].copy()
    few.raw = logs
    with pytest.raises(ScoringError, match="adata.raw has the genes of 18 pairs: adata = adata.r"):
        quick(few, toy_pairs[:-3])
    caplog.clear()
    more = logs[:, :25].copy()
    more.raw = logs
    quick(more, toy_pairs)
    assert "X has the genes of 7 pairs, adata.raw those of 20: adata.raw.to_adata()" in caplog.text


@pytest.mark.parametrize("change", [lambda x: x - 9.0, lambda x: x > 0, lambda x: x / 0.0])
@pytest.mark.filterwarnings("ignore:(divide|invalid)")
def test_raw_that_cannot_be_used_is_not_recommended(toy, toy_pairs, change):
    raw = AnnData(change(toy.X.toarray()), var=toy.var)
    toy.X = toy.X.toarray() - 1.0
    toy.raw = raw
    with pytest.raises(ScoringError, match=r"per cell\) into X$"):
        quick(toy, toy_pairs)


def test_raw_of_a_file_is_told_too(toy, toy_pairs, tmp_path):
    toy.raw = toy.copy()
    toy.X = toy.X.toarray() - 1.0
    toy.write_h5ad(tmp_path / "x.h5ad")
    backed = anndata.read_h5ad(tmp_path / "x.h5ad", backed="r")
    try:
        with pytest.raises(ScoringError, match="into X. adata.raw has values that may be log-norm"):
            quick(backed, toy_pairs)
    finally:
        backed.file.close()


LABELS = {
    "whole numbers": [1, 2, 3, 4],
    "small whole numbers": np.array([1, 2, 3, 4], dtype=np.int8),
    "decimals": [0.5, 1.5, 2.0, 10.25],
    "text": ["x", "y", "2", "03"],
    "numbers and text": [1, "y", 2.5, True],
}


@pytest.mark.parametrize("names", LABELS.values(), ids=LABELS)
@pytest.mark.parametrize("category", [False, True])
@pytest.mark.parametrize("engine", ["fast", "liana"])
def test_labels_of_any_type(toy, toy_pairs, names, category, engine):
    """Scored alike whatever they are, and named by the same values in groupby_pairs."""
    codes = pd.Categorical(toy.obs["population"]).codes
    names = names if isinstance(names, np.ndarray) else np.array(names, dtype=object)
    column = pd.Series(names[codes]).infer_objects()
    if category and names[-1] is not True:  # pandas takes 1 and True for one category
        column = column.astype("category")
    adata = with_labels(toy, column.to_numpy() if not category else column.array)
    asked = pd.DataFrame({"source": names[:2], "target": names[2:]})
    letters = pd.DataFrame({"source": ["a", "b"], "target": ["c", "d"]})
    found = quick(adata, toy_pairs, groupby_pairs=asked, engine=engine)
    told = dict(
        zip(
            (f"{name:g}" if isinstance(name, float) else str(name) for name in names),
            "abcd",
            strict=True,
        )
    )
    for end in ("source", "target"):
        found[end] = found[end].map(told)
    same = quick(toy, toy_pairs, groupby_pairs=letters, engine=engine)
    found = found.sort_values(KEYS).reset_index(drop=True)
    pd.testing.assert_frame_equal(found, same.sort_values(KEYS).reset_index(drop=True))


@pytest.mark.parametrize("dtype", [bool, "boolean", "category"])
def test_truth_values_are_labels(toy, toy_pairs, dtype):
    adata = with_labels(toy, pd.array((toy.obs["population"] == "a").to_numpy(), dtype=dtype))
    found = quick(adata, toy_pairs)
    assert set(found["source"]) == {"True", "False"}
    asked = pd.DataFrame({"source": [True], "target": [False]})
    assert set(quick(adata, toy_pairs, groupby_pairs=asked)["source"]) == {"True"}


@pytest.mark.parametrize("dtype", [float, "Int64", object, "category"])
def test_whole_numbers_keep_their_names_where_some_are_missing(toy, dtype):
    codes = pd.Categorical(toy.obs["population"]).codes
    column = pd.Series(codes, dtype="Int64").mask(codes == 3)
    label = checked_labels(with_labels(toy, column.astype(dtype).array), "population")
    assert set(label) == {"0", "1", "2", ""}
    assert ((label == "") == (codes == 3)).all()


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (
            [1, "1"],
            r"^1 label of 'population' in more than one type \(number and text\): '1'. They",
        ),
        ([True, "True"], r"^1 label .* in more than one type \(text and truth value\): 'True'."),
        ([2.0, "2", "x", 7, "7"], "^2 labels .* in more than one type .*: '2', '7'. They would be"),
        ([pd.Timestamp("2026-01-01"), "2026-01-01 00:00:00"], r"\(Timestamp and text\)"),
    ],
)
@pytest.mark.parametrize("category", [False, True])
def test_labels_that_print_alike_are_not_merged(toy, names, message, category):
    column = pd.Series([names[i % len(names)] for i in range(120)], dtype=object)
    column = column.astype("category") if category else column
    with pytest.raises(ScoringError, match=message):
        checked_labels(with_labels(toy, column.array), "population")


def test_equal_numbers_are_one_population(toy):
    column = pd.Series([(1, 1.0, np.int64(1), np.float32(2), 2)[i % 5] for i in range(120)])
    assert set(checked_labels(with_labels(toy, column.astype(object).array), "population")) == {
        "1",
        "2",
    }


@pytest.mark.parametrize("lost", ["nan", "None", "<NA>"])
def test_missing_values_turned_into_text_are_refused(toy, toy_pairs, lost):
    toy.obs["population"] = toy.obs["population"].replace({"a": lost})
    with pytest.raises(
        ScoringError,
        match=f"^1 label of 'population' that is a missing value turned into text: '{lost}'. Make",
    ):
        quick(toy, toy_pairs)


def test_doubled_columns(toy, toy_pairs):
    """Of obs, of the resource and of the pairs asked for; all problems at once."""
    doubled = pd.concat([toy_pairs, toy_pairs[["ligand"]]], axis=1)
    asked = pd.DataFrame([["a", "b", "b"]], columns=["source", "target", "target"])
    with pytest.raises(ScoringError) as error:
        quick(toy, doubled, groupby_pairs=asked)
    assert str(error.value).splitlines() == [
        f"{what} has 2 columns '{name}'. Remove or rename all but one of them"
        for what, name in (("groupby_pairs", "target"), ("the resource", "ligand"))
    ]
    more = toy.obs.assign(sample="S1")
    toy.obs = pd.concat([more, more, more[["population"]]], axis=1)
    with pytest.raises(ScoringError) as error:
        quick(toy, toy_pairs)
    assert str(error.value).splitlines() == [
        f"obs has {n} columns '{name}'. Remove or rename all but one of them"
        for n, name in ((3, "population"), (2, "sample"))
    ]


@pytest.mark.parametrize("groupby", [["population"], None, 0])
def test_groupby_is_one_name(toy, toy_pairs, groupby):
    with pytest.raises(ScoringError, match="^groupby is .*; it must be the name of one column of"):
        score(toy, groupby, resource=toy_pairs)


def test_pairs_asked_for_without_a_population(toy, toy_pairs):
    asked = pd.DataFrame({"source": ["a", None, "b"], "target": ["b", "a", np.nan]})
    with pytest.raises(
        ScoringError, match="groupby_pairs has no source or no target in 2 rows: fill or remove"
    ):
        quick(toy, toy_pairs, groupby_pairs=asked)


def test_the_sample_is_named_if_all_cells_agree():
    obs = pd.DataFrame({"one": "S1", "two": ["S1", "S2"], "part": ["S1", None], "none": np.nan})
    assert [only_value(obs, name) for name in (*obs, "absent")] == ["S1", "", "", "", ""]
    assert only_value(pd.DataFrame({"sample": [3, 3]}), "sample") == "3"


def test_x_is_not_changed(toy):
    for matrix in (toy.X, toy.X.toarray(), toy.X.toarray().astype(np.float16)):
        before = matrix.copy()
        checked_matrix(AnnData(matrix))
        assert before.dtype == matrix.dtype
        assert abs(matrix - before).max() == 0
