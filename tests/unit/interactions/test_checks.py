"""Input that cannot be scored: what the messages say, and that nothing is changed."""

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse

from osteotalk.interactions import score
from osteotalk.interactions.checks.labels import checked_labels
from osteotalk.interactions.checks.matrix import checked_matrix
from osteotalk.interactions.checks.settings import ScoringError


def with_values(adata, **places):
    """The toy data with values put into X (row_column=value)."""
    dense = adata.X.toarray()
    for place, value in places.items():
        row, column = place.strip("_").split("_")
        dense[int(row), int(column)] = value
    adata.X = sparse.csr_matrix(dense)
    return adata


def refused(adata, pairs, *lines, groupby="population", **settings):
    """Score, and compare the message with regular expressions, one per line."""
    with pytest.raises(ScoringError) as error:
        score(adata, groupby, resource=pairs, **settings)
    text = str(error.value)
    assert len(text.splitlines()) == len(lines), text
    for line in lines:
        error.match(line)


def test_values_that_are_not_finite(toy, toy_pairs):
    toy = with_values(toy, _3_4=np.nan, _5_6=np.inf, _7_8=np.nan)
    refused(toy, toy_pairs, r"^3 of [12],\d{3} values of X are not finite \(NaN or infinite\)")


def test_negative_values_look_scaled(toy, toy_pairs):
    toy = with_values(toy, _3_4=-1.5, _5_6=-0.25)
    expected = (
        "^2 values of X are negative, the lowest is -1.5: X looks scaled or centred. Put "
        r"log-normalised expression \(log1p of counts scaled per cell\) into X$"
    )
    refused(toy, toy_pairs, expected)


def test_all_problems_of_the_matrix_at_once(toy, toy_pairs):
    toy = with_values(toy, _3_4=-1.5, _5_6=np.nan)
    names = list(toy.var_names)
    names[1:3], names[5:7] = ["G0", "G0"], ["G4", "G4"]
    toy.var_names = names
    refused(
        toy,
        toy_pairs,
        "^1 of .* not finite",
        "\n1 values of X are negative",
        r"\n2 gene names twice or more: 'G0', 'G4'. Sum or rename them \(adata.var_names_make_un",
    )


def test_long_lists_are_cut(toy, toy_pairs):
    toy.var_names = [f"G{i // 2}" for i in range(41)]
    refused(toy, toy_pairs, "^20 gene names twice or more: 'G0', 'G1', 'G2', 'G3', 'G4', ...")


def test_whole_numbers_are_scored_with_a_warning(toy, toy_pairs):
    counts = sparse.csr_matrix(np.rint(toy.X.toarray() * 4))
    counts.data = np.append(counts.data[:-1], 0.0)  # a zero that is stored is no value
    toy.X = counts
    n = np.count_nonzero(counts.data)
    message = (
        rf"^all {n:,} values of X above 0 are whole numbers \(up to \d+\): they look like counts. "
        r"Scores are made for log-normalised expression \(sc.pp.normalize_total, then sc.pp.log1p"
    )
    with pytest.warns(UserWarning, match=message):
        assert len(score(toy, resource=toy_pairs))
    toy.X = counts.astype(np.int64)
    with pytest.warns(UserWarning, match=message):
        assert len(score(toy, resource=toy_pairs))


def test_the_warning_names_the_line_that_scores(toy, toy_pairs):
    toy.X = sparse.csr_matrix(np.rint(toy.X.toarray() * 4))
    with pytest.warns(UserWarning, match="they look like counts") as caught:
        score(toy, resource=toy_pairs)
    assert [warning.filename for warning in caught] == [__file__]


@pytest.mark.parametrize("value", [51.0, 400.25, 5000.0])
def test_values_that_no_logarithm_has(toy, toy_pairs, value):
    expected = (
        rf"^the largest value of X is {value:g}, and no logarithm of counts per cell is above 50: "
        r"X looks like counts themselves. Put log-normalised expression \(sc.pp.normalize_total, "
        r"then sc.pp.log1p\) into X$"
    )
    refused(with_values(toy, _3_4=value), toy_pairs, expected)


def test_the_largest_logarithm_is_allowed(toy, toy_pairs):
    assert len(score(with_values(toy, _3_4=50.0), resource=toy_pairs))


def test_one_value_that_is_not_whole_is_enough():
    values = np.ones((4, 3))
    values[2, 2] = 1.5
    assert checked_matrix(AnnData(values))[0].nnz == 12
    assert checked_matrix(AnnData(np.zeros((4, 3))))[0].nnz == 0


def test_text_and_nothing_are_no_matrix(toy, toy_pairs):
    refused(
        AnnData(np.ones((120, 41), dtype=bool), obs=toy.obs, var=toy.var),
        toy_pairs,
        "^X holds bool, not numbers. Put log-normalised",
    )
    refused(AnnData(obs=toy.obs, var=toy.var), toy_pairs, "^X is empty. Put log-normalised")


def test_a_matrix_is_checked_in_any_format(toy):
    expected = toy.X.toarray()
    for matrix in (toy.X, toy.X.tocsc(), expected, np.asfortranarray(expected)):
        found, _ = checked_matrix(AnnData(matrix))
        assert found.format == "csr"
        assert found.dtype == np.float64
        np.testing.assert_array_equal(found.toarray(), expected)
    assert checked_matrix(AnnData(toy.X.astype(np.float32)))[0].dtype == np.float32


def test_values_that_are_stored_twice_are_added_up():
    """A matrix of coordinates may hold 0.5 + 0.25 in one place; it counts as one cell."""
    parts = (np.array([0.5, 0.25, 1.5]), np.array([1, 1, 0]), np.array([0, 2, 3]))
    adata = AnnData(sparse.csr_matrix(parts, shape=(2, 2)))
    found, _ = checked_matrix(adata)
    np.testing.assert_array_equal(found.data, [0.75, 1.5])
    assert adata.X.nnz == 3


def test_labels_with_separators(toy, toy_pairs):
    column = toy.obs["population"].astype(object)
    toy.obs["population"] = column.replace({"a": "T>B", "b": "x^y", "c": "a:b"})
    refused(
        toy,
        toy_pairs,
        "^3 labels of 'population' with a character that separates the parts of an edge in print "
        r"\('>' ':' '\^'\): 'T>B', 'a:b', 'x\^y'. Rename them$",
    )


@pytest.mark.parametrize("sign", [";", "\t", "\n"])
def test_other_separators(toy, sign):
    toy.obs["population"] = toy.obs["population"].replace({"a": f"a{sign}b"})
    with pytest.raises(ScoringError, match="1 label of 'population' with a character"):
        checked_labels(toy, "population")


def test_labels_may_have_other_signs(toy):
    toy.obs["population"] = toy.obs["population"].replace({"a": "CD8+ T_cell/NK (a, b) | é"})
    assert "CD8+ T_cell/NK (a, b) | é" in set(checked_labels(toy, "population"))


def test_cells_without_a_label(toy):
    column = toy.obs["population"].astype(object)
    column.iloc[:4] = [np.nan, None, "unassigned", ""]
    for labels in (column, column.astype("category")):
        toy.obs["population"] = labels
        found = checked_labels(toy, "population")
        assert list(found.iloc[:4]) == [""] * 4
        assert (found.iloc[4:] == column.iloc[4:]).all()
    toy.obs["number"] = [0, 1] * 60
    assert set(checked_labels(toy, "number")) == {"0", "1"}


def test_a_column_that_is_not_there(toy, toy_pairs):
    toy.obs["cluster"] = "0"
    refused(
        toy, toy_pairs, "^obs has no column 'type'; it has: population, cluster$", groupby="type"
    )
    bare = AnnData(toy.X, var=toy.var)
    refused(bare, toy_pairs, "^obs has no column 'population'; it has: none$")


def test_too_few_populations(toy, toy_pairs):
    refused(
        toy,
        toy_pairs,
        "^1 of 4 populations in 'population' has at least 31 cells: two are needed, as a pair is "
        "specific only against others. Lower min_cells or merge populations$",
        min_cells=31,
    )
    refused(toy, toy_pairs, "^0 of 4 populations in 'population' have at least 50 ", min_cells=50)
    toy.obs["population"] = "a"
    refused(toy, toy_pairs, "^1 of 1 populations in 'population' has at least 10 cells")
    toy.obs["population"] = "unassigned"
    refused(toy, toy_pairs, "^0 of 0 populations in 'population' have at least 10 cells")


def test_a_resource_of_another_organism(toy, toy_pairs):
    mouse = pd.DataFrame({"ligand": ["Cxcl12", "Tnf"], "receptor": ["Cxcr4", "Tnfrsf1a"]})
    toy.var_names = ["CXCL12", "CXCR4", *(f"GENE{i}" for i in range(39))]
    refused(
        toy,
        mouse,
        "^no pair of the resource can be scored.* 0 of its 4 genes are among the 41 measured.*"
        r"The resource has mouse or rat symbols \(e.g. Cxcl12\), the data have human symbols",
    )
    with pytest.raises(ScoringError, match="data have mouse or rat symbols"):
        toy.var_names = [f"Gene{i}" for i in range(41)]
        score(toy, resource="consensus")
    with pytest.raises(ScoringError, match="data have human Ensembl ids"):
        toy.var_names = [f"ENSG{i:011}" for i in range(41)]
        score(toy, resource="consensus")


def test_a_resource_without_its_columns(toy):
    refused(
        toy,
        pd.DataFrame({"source": ["A"], "target": ["B"]}),
        "^the resource has no column ligand and no column receptor; it has: source, target$",
    )
    refused(toy, pd.DataFrame({"ligand": ["A"]}), "^the resource has no column receptor; it has: l")
    refused(toy, pd.DataFrame(), "no column ligand and no column receptor; it has: none$")


def test_a_resource_that_does_not_exist(toy, tmp_path):
    with pytest.raises(
        ScoringError, match="LIANA has no resource 'consensu'. Near matches: consens"
    ):
        score(toy, resource="consensu")
    with pytest.raises(ScoringError, match="give the path of a file that exists"):
        score(toy, resource=tmp_path / "pairs.tsv")
    (tmp_path / "pairs.tsv").write_text("ligand\treceptor\nG1\tG2_G2\n")
    with pytest.raises(ScoringError, match="line 2: receptor 'G2_G2' has G2 more than once"):
        score(toy, resource=tmp_path / "pairs.tsv")


def test_names_of_a_resource_that_are_missing_or_repeat_a_subunit(toy):
    pairs = pd.DataFrame(
        {"ligand": ["G1", None, "G3_G4", "G3_G3"], "receptor": ["G2_G2", "G5", "", np.nan]}
    )
    refused(
        toy,
        pairs,
        r"^the resource has no name of a ligand or receptor in 3 rows \(counted from 0\): '1', "
        "'2', '3'. Fill or remove them\n",
        "\n2 complex names of the resource with a subunit more than once: 'G2_G2', 'G3_G3'. Write "
        "each subunit once$",
    )
    refused(
        toy, pairs[:1], "^1 complex name of the resource with a subunit more than once: 'G2_G2'. W"
    )
    assert len(score(toy, resource=pd.DataFrame({"ligand": ["G1"], "receptor": ["G1"]})))


def test_choices(toy, toy_pairs):
    refused(
        toy,
        toy_pairs,
        "^engine is 'slow'; it must be one of fast, liana",
        "\nnull is 'normal'; it must be one of moments, permutation, like_liana, none",
        "\nconsensus is 'median'; it must be one of rra, mean$",
        engine="slow",
        null="normal",
        consensus="median",
    )
    refused(toy, toy_pairs, "^methods: there is no method natmy. Methods are", methods=["natmy"])
    refused(
        toy,
        toy_pairs,
        r"^methods is the text 'natmi'; give a list of names, such as \['natmi'\]$",
        methods="natmi",
    )


@pytest.mark.parametrize(
    ("settings", "lines"),
    [
        ({"expr_prop": 0}, ["^expr_prop is 0; it must be a number above 0 and at most 1$"]),
        ({"expr_prop": 2}, ["^expr_prop is 2; it must be a number above 0 and at most 1$"]),
        ({"expr_prop": float("nan")}, ["^expr_prop is nan; it must"]),
        ({"alpha": 0}, ["^alpha is 0; it must be a number above 0 and at most 1$"]),
        ({"min_cells": 0}, ["^min_cells is 0; it must be a whole number of 1 or more$"]),
        ({"expr_prop": "0.1"}, ["^expr_prop is '0.1'; it must be a number above 0 and at most 1$"]),
        ({"alpha": None}, ["^alpha is None; it must be a number above 0 and at most 1$"]),
        ({"alpha": True}, ["^alpha is True; it must be a number above 0 and at most 1$"]),
        ({"n_perms": True}, ["^n_perms is True; it must be a whole number of 1 or more$"]),
        ({"min_cells": "10"}, ["^min_cells is '10'; it must be a whole number of 1 or more$"]),
        ({"seed": False}, ["^seed is False; it must be a whole number of 0 or more$"]),
        ({"seed": -1}, ["^seed is -1; it must be a whole number of 0 or more$"]),
        (
            {"min_cells": 2.5, "n_perms": 0, "threads": -1, "expr_prop": -0.1},
            ["^expr_prop is -0.1", "\nmin_cells is 2.5; ", "\nn_perms is 0; ", "\nthreads is -1; "],
        ),
    ],
)
def test_settings_out_of_bounds(toy, toy_pairs, settings, lines):
    refused(toy, toy_pairs, *lines, **settings)


def test_populations_to_score_that_are_too_small(toy, toy_pairs):
    """a has 20 cells and b 25, c and d have more: of each pair asked for one is too small."""
    pairs = pd.DataFrame({"source": ["a", "d"], "target": ["c", "b"]})
    assert len(score(toy, resource=toy_pairs, groupby_pairs=pairs, min_cells=25))
    refused(
        toy,
        toy_pairs,
        "^in none of the 2 pairs of groupby_pairs have both populations at least 26 cells. Lower "
        "min_cells or ask for others; large enough are c, d$",
        groupby_pairs=pairs,
        min_cells=26,
    )


def test_populations_to_score_that_are_not_there(toy, toy_pairs):
    toy.obs["population"] = toy.obs["population"].replace({"d": "unassigned"})
    pairs = pd.DataFrame({"source": ["a", "x", "d"], "target": ["b", "b", "unassigned"]})
    refused(
        toy,
        toy_pairs,
        "^groupby_pairs names populations that no cell has: 'd', 'unassigned', 'x'; there are "
        "a, b, c$",
        groupby_pairs=pairs,
    )
    refused(toy, toy_pairs, "'1'; there are", groupby_pairs=pairs.assign(source=[1, "a", "b"])[:1])
    refused(
        toy,
        toy_pairs,
        "^groupby_pairs has no column source and no column target$",
        groupby_pairs=pd.DataFrame({"from": ["a"]}),
    )
