"""Edges against a loop over everything, and the formulas of the scores by hand."""

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from osteotalk.interactions.edges import detected_edges, limiting_subunits, sides_of
from osteotalk.interactions.groups import gather, trimeans
from osteotalk.interactions.methods import (
    DEFAULT,
    METHODS,
    Sides,
    chosen_methods,
    rank_columns,
)

LABELS = ["a", "b", "c", "d"]


@pytest.fixture
def pairs(toy_pairs):
    wanted = ~toy_pairs["receptor"].str.contains("ABSENT") & (toy_pairs["ligand"] != "SILENT")
    return toy_pairs[wanted]


@pytest.fixture
def dense(toy):
    return pd.DataFrame(toy.X.toarray(), columns=toy.var_names)


@pytest.fixture
def label(toy):
    return toy.obs["population"].to_numpy()


@pytest.fixture
def groups(toy, pairs, label):
    genes = sorted({g for name in [*pairs["ligand"], *pairs["receptor"]] for g in name.split("_")})
    codes = pd.Index(LABELS).get_indexer(pd.Index(label))
    return gather(toy.X, toy.var_names, codes=codes, labels=LABELS, genes=genes)


def everything():
    return np.ones((4, 4), dtype=bool)


def one_by_one(pairs, dense, label, expr_prop, allowed):
    """Edges and scores in a plain loop."""
    rows, matrix_mean = [], dense.iloc[:, :40].mean(axis=None)
    means = {a: dense[label == a].mean() for a in LABELS}
    shares = {a: (dense[label == a] > 0).mean() for a in LABELS}
    for source, target in itertools.product(LABELS, LABELS):
        if not allowed[LABELS.index(source), LABELS.index(target)]:
            continue
        senders = [a for a in LABELS if allowed[LABELS.index(a), LABELS.index(target)]]
        receivers = [b for b in LABELS if allowed[LABELS.index(source), LABELS.index(b)]]
        for ligand, receptor in sorted(pairs[["ligand", "receptor"]].itertuples(index=False)):
            ligands, receptors = ligand.split("_"), receptor.split("_")
            if min(shares[source][g] for g in ligands) < expr_prop:
                continue
            if min(shares[target][g] for g in receptors) < expr_prop:
                continue
            low_l, low_r = (
                min(ligands, key=means[source].get),
                min(receptors, key=means[target].get),
            )
            x, y = means[source][low_l], means[target][low_r]
            x_all, y_all = (
                sum(means[a][low_l] for a in senders),
                sum(means[b][low_r] for b in receivers),
            )
            rows.append(
                {
                    "source": source,
                    "target": target,
                    "ligand_complex": ligand,
                    "receptor_complex": receptor,
                    "ligand": low_l,
                    "receptor": low_r,
                    "lr_means": (x + y) / 2,
                    "expr_prod": x * y,
                    "lr_gmeans": (x * y) ** 0.5,
                    "spec_weight": x / x_all * y / y_all,
                    "lrscore": (x * y) ** 0.5 / ((x * y) ** 0.5 + matrix_mean),
                }
            )
    return pd.DataFrame(rows)


@pytest.mark.parametrize("expr_prop", [0.01, 0.3, 0.55])
@pytest.mark.parametrize("which", ["all", "some"])
def test_edges_and_scores_by_a_plain_loop(pairs, groups, dense, label, expr_prop, which):
    allowed = everything()
    if which == "some":
        allowed[[0, 1, 3], [2, 1, 0]] = False
        allowed[2] = False
    found = detected_edges(pairs, groups, expr_prop=expr_prop, allowed=allowed)
    expected = one_by_one(pairs, dense, label, expr_prop, allowed)
    assert 0 < len(found) < allowed.sum() * len(pairs) or expr_prop < 0.1
    pd.testing.assert_frame_equal(found, expected[list(found)])
    assert (found["ligand_complex"] != found["ligand"]).any()
    sides = sides_of(found, groups, allowed=allowed)
    for name in ("cellphonedb", "connectome", "natmi", "singlecellsignalr", "geometric_mean"):
        for column, values in METHODS[name].function(sides).items():
            if column in expected:
                np.testing.assert_allclose(values, expected[column], rtol=1e-10, err_msg=column)
    again = limiting_subunits(found.drop(columns=["ligand", "receptor"]), groups)
    pd.testing.assert_frame_equal(again, found)


def test_standardised_and_fold_change_scores_take_the_limiting_subunit(pairs, groups):
    edges = detected_edges(pairs, groups, expr_prop=0.05, allowed=everything())
    sides = sides_of(edges, groups, allowed=everything())
    weight = METHODS["connectome"].function(sides)["scaled_weight"]
    logfc = METHODS["log2fc"].function(sides)["lr_logfc"]
    known = {g: i for i, g in enumerate(groups.genes)}
    for i, row in enumerate(edges.itertuples()):
        a, b = LABELS.index(row.source), LABELS.index(row.target)
        for values, table in ((weight, groups.zscores), (logfc, groups.logfc)):
            expected = (table[a, known[row.ligand]] + table[b, known[row.receptor]]) / 2
            assert values[i] == pytest.approx(expected, rel=1e-12)


def test_cellchat_takes_the_lowest_trimean_of_the_subunits(toy, pairs, groups, dense, label):
    edges = detected_edges(pairs, groups, expr_prop=0.3, allowed=everything())
    middle = trimeans(toy.X, toy.var_names, groups)
    sides = sides_of(edges, groups, allowed=everything(), trimeans=middle)
    scores = METHODS["cellchat"].function(sides)["lr_probs"]

    def lowest(name, population):
        part = dense.loc[label == population, name.split("_")] / dense.to_numpy().max()
        low, middle, high = np.quantile(part, [0.25, 0.5, 0.75], axis=0)
        return ((low + 2 * middle + high) / 4).min()

    for score, row in zip(scores, edges.itertuples(), strict=True):
        product = lowest(row.ligand_complex, row.source) * lowest(row.receptor_complex, row.target)
        assert score == pytest.approx(product / (0.5 + product), abs=1e-14)
    assert scores.max() > 0


def test_a_share_at_the_bound_is_enough():
    """1 of 10 cells at expr_prop 0.1, 3 of 10 at 0.3: LIANA takes them as well."""
    values = np.zeros((20, 2))
    values[0, 0] = values[[10, 11, 12], 1] = 1.0
    groups = gather(
        sparse.csr_matrix(values),
        pd.Index(["L", "R"]),
        codes=np.repeat([0, 1], 10),
        labels=["a", "b"],
        genes=["L", "R"],
    )
    pairs, both = pd.DataFrame({"ligand": ["L"], "receptor": ["R"]}), np.ones((2, 2), dtype=bool)
    found = detected_edges(pairs, groups, expr_prop=0.1, allowed=both)
    assert found[["source", "target"]].to_numpy().tolist() == [["a", "b"]]
    assert detected_edges(pairs, groups, expr_prop=0.1 + 1e-9, allowed=both).empty
    turned = pairs.rename(columns={"ligand": "receptor", "receptor": "ligand"})
    assert len(detected_edges(turned, groups, expr_prop=0.1, allowed=both)) == 1


def test_of_equal_subunits_the_first_named_is_limiting():
    values = np.tile([[1.0, 1.0, 3.0], [2.0, 2.0, 0.5]], (5, 1))
    groups = gather(
        sparse.csr_matrix(values),
        pd.Index(["A", "B", "C"]),
        codes=np.tile([0, 1], 5),
        labels=["x", "y"],
        genes=["A", "B", "C"],
    )
    pairs = pd.DataFrame({"ligand": ["B_A", "A_B", "C_A"], "receptor": ["A", "B", "C_B_A"]})
    found = detected_edges(pairs, groups, expr_prop=0.1, allowed=np.ones((2, 2), dtype=bool))
    limiting = found.set_index(["source", "target", "ligand_complex"])
    assert limiting.loc[("x", "x", "B_A"), "ligand"] == "B"
    assert limiting.loc[("x", "x", "A_B"), "ligand"] == "A"
    assert limiting.loc[("x", "y", "C_A"), ["ligand", "receptor"]].tolist() == ["A", "C"]
    assert limiting.loc[("y", "x", "C_A"), ["ligand", "receptor"]].tolist() == ["C", "B"]


def test_no_edge_has_all_columns(pairs, groups):
    found = detected_edges(pairs[:0], groups, expr_prop=0.1, allowed=everything())
    assert found.empty
    assert list(found)[:4] == ["source", "target", "ligand_complex", "receptor_complex"]


def numbers(**given):
    """Sides of two edges."""
    names = ("ligand", "receptor", "ligand_sum", "receptor_sum", "ligand_z", "receptor_z")
    names += ("ligand_logfc", "receptor_logfc", "ligand_trimean", "receptor_trimean")
    values = dict.fromkeys(names) | {"matrix_mean": 0.0}
    return Sides(**{**values, **{k: np.array(v) for k, v in given.items()}})


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("cellphonedb", {"ligand": [1.0, 0.5], "receptor": [3.0, 0.25]}, {"lr_means": [2, 0.375]}),
        (
            "connectome",
            {
                "ligand": [1.0, 0.5],
                "receptor": [3.0, 0.25],
                "ligand_z": [1.0, -1.0],
                "receptor_z": [0.5, 0.0],
            },
            {"expr_prod": [3, 0.125], "scaled_weight": [0.75, -0.5]},
        ),
        (
            "log2fc",
            {"ligand_logfc": [2.0, -1.0], "receptor_logfc": [1.0, 1.0]},
            {"lr_logfc": [1.5, 0]},
        ),
        (
            "natmi",
            {
                "ligand": [1.0, 0.5],
                "receptor": [3.0, 0.25],
                "ligand_sum": [4.0, 0.5],
                "receptor_sum": [6.0, 1.0],
            },
            {"expr_prod": [3, 0.125], "spec_weight": [0.125, 0.25]},
        ),
        (
            "singlecellsignalr",
            {"ligand": [4.0, 1.0], "receptor": [1.0, 0.25], "matrix_mean": 0.5},
            {"lrscore": [0.8, 0.5]},
        ),
        (
            "cellchat",
            {"ligand_trimean": [0.5, 0.0], "receptor_trimean": [1.0, 0.3]},
            {"lr_probs": [0.5, 0]},
        ),
        (
            "geometric_mean",
            {"ligand": [4.0, 1.0], "receptor": [1.0, 0.25]},
            {"lr_gmeans": [2, 0.5]},
        ),
    ],
)
def test_formulas_by_hand(name, given, expected):
    found = METHODS[name].function(numbers(**given))
    assert list(found) == list(expected)
    for column, values in expected.items():
        np.testing.assert_allclose(found[column], values, rtol=1e-15)


def test_cellchat_without_trimeans_is_a_mistake():
    with pytest.raises(ValueError, match="CellChat's score needs the trimeans"):
        METHODS["cellchat"].function(numbers(ligand=[1.0], receptor=[1.0]))


def test_methods_compute_the_columns_they_name():
    sides = Sides(*[np.ones(1)] * 10, matrix_mean=1.0)
    for method in METHODS.values():
        named = {method.magnitude, method.specificity} - {None, "p_value"}
        assert set(method.function(sides)) == named
        assert method.reference.startswith("10.")


def test_columns_that_methods_share_are_ranked_once():
    magnitude, specificity = rank_columns(DEFAULT, p_value=True)
    assert magnitude == ["lr_means", "expr_prod", "lrscore"]
    assert specificity == ["p_value", "scaled_weight", "lr_logfc", "spec_weight"]
    assert rank_columns(["natmi", "connectome"], p_value=True) == (
        ["expr_prod"],
        ["spec_weight", "scaled_weight"],
    )
    assert rank_columns(["cellphonedb"], p_value=False) == (["lr_means"], [])
    assert rank_columns(["cellchat"], p_value=True) == (["lr_probs"], [])


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["natmi", "natmy"], "there is no method natmy. Methods are cellphonedb, connectome"),
        (["x", "natmi", "natmi", "y"], "there is no method x, y; named twice: natmi. Methods are"),
        ([], "no method is named. Methods are .*geometric_mean"),
    ],
)
def test_names_of_methods_that_cannot_be_used(names, message):
    with pytest.raises(ValueError, match=f"^methods: {message}"):
        chosen_methods(names)
