"""What groups that express alike say of each other, against numpy and by hand."""

import numpy as np
import pandas as pd
import pytest

from osteotalk.annotate import alike as module
from osteotalk.annotate.alike import ALIKE, SAY, group_correlation, weigh_with_alike
from osteotalk.annotate.decide import Decision, only_as_parent, say_what_changed
from osteotalk.annotate.evidence import Evidence, probabilities
from osteotalk.annotate.levels import LEAST, SCALE
from osteotalk.annotate.tree import build_tree

NONE = 2.0


@pytest.fixture
def tree():
    populations = pd.DataFrame(
        [("my", "", ""), ("tam", "my", ""), ("mono", "my", ""), ("t", "", "")],
        columns=["population", "parent", "level"],
    )
    rows = [("tam", "A", ""), ("tam", "B", ""), ("mono", "C", ""), ("mono", "D", "")]
    rows += [("t", "E", ""), ("t", "F", "")]
    markers = pd.DataFrame(rows, columns=["population", "gene", "sign"])
    return build_tree(
        populations, markers=markers, measured=pd.Index(list("ABCDEF")), min_measured=2
    )


def evidence(*rows):
    ratio = np.array(rows, dtype=float)
    return Evidence(("tam", "mono", "t"), ratio, probabilities(ratio, none=NONE))


def pair(value):
    return np.array([[0, value], [value, 0]])


def counts(seed=0, n_groups=6, n_genes=60):
    rng = np.random.default_rng(seed)
    kinds = rng.gamma(1, 20, (2, n_genes))
    return rng.poisson(kinds[np.arange(n_groups) % 2] * rng.uniform(0.9, 1.1, (n_groups, n_genes)))


def test_likeness_is_the_correlation_of_levels_less_their_mean():
    made = counts().astype(float)
    skip = np.arange(60) % 7 == 0
    depth = made.sum(axis=1, keepdims=True)
    level = np.log2(made / depth * SCALE + LEAST + SCALE / depth)
    used = level[:, (made.sum(axis=0) >= 20) & ~skip]
    expected = np.corrcoef(used - used.mean(axis=0))
    np.fill_diagonal(expected, 0)
    np.testing.assert_allclose(group_correlation(made, skip=skip), expected, atol=1e-12)


def test_genes_that_vary_most_are_compared(monkeypatch):
    made, none = counts(n_genes=200).astype(float), np.zeros(200, dtype=bool)
    made[:, :150] = 100 + 8 * (np.arange(6) % 3)[:, None]  # the same in all, and of other kinds
    depth = made.sum(axis=1, keepdims=True)
    level = np.log2(made / depth * SCALE + LEAST + SCALE / depth)
    level -= level.mean(axis=0)
    seen = [gene for gene in range(200) if made[:, gene].sum() >= 20]
    most = sorted(seen, key=lambda gene: -level[:, gene].var())[:50]
    expected = np.corrcoef(level[:, most])
    np.fill_diagonal(expected, 0)
    of_all = group_correlation(made, skip=none)
    monkeypatch.setattr(module, "MOST_GENES", 50)
    np.testing.assert_allclose(group_correlation(made, skip=none), expected, atol=1e-12)
    assert np.abs(of_all - expected).max() > 0.01


def test_groups_of_one_kind_are_alike_whatever_the_order():
    made, none = counts().astype(float), np.zeros(60, dtype=bool)
    found = group_correlation(made, skip=none)
    same = np.add.outer(np.arange(6), np.arange(6)) % 2 == 0
    np.fill_diagonal(same, False)
    assert found[same].min() > 0.8
    assert found[~same].max() < 0.01
    order = np.random.default_rng(1).permutation(6)
    genes = np.random.default_rng(2).permutation(60)
    again = group_correlation(made[np.ix_(order, genes)], skip=none)
    np.testing.assert_allclose(again, found[np.ix_(order, order)], atol=1e-9)


@pytest.mark.parametrize("made", [np.full((1, 5), 30.0), np.zeros((3, 5)), np.full((2, 5), 30.0)])
def test_where_nothing_varies_nothing_is_alike(made):
    np.testing.assert_array_equal(group_correlation(made, skip=np.zeros(5, dtype=bool)), 0)


def test_by_hand(tree):
    found = weigh_with_alike(evidence([9, 0, 0], [0, 1, 1]), pair(1.0), tree=tree, none=NONE)
    of_first = probabilities(np.array([[9.0, 0, 0]]), none=NONE)[0]
    myeloid, t, none = of_first[0] + of_first[1], of_first[2], of_first[3]
    odds = np.exp([SAY * myeloid, 1 + SAY * myeloid, 1 + SAY * t, NONE + SAY * none])
    np.testing.assert_allclose(found.probability[1], odds / odds.sum())
    np.testing.assert_array_equal(found.ratio[1], [0, 1, 1])


def test_an_unsure_group_leans_on_one_that_is_sure(tree):
    rows = evidence([12, 0, 0], [2, 0, 2])
    before = rows.of(["tam", "mono"])[1]
    after = weigh_with_alike(rows, pair(ALIKE[1]), tree=tree, none=NONE).of(["tam", "mono"])[1]
    assert before < 0.4
    assert after > 0.9


def test_groups_without_a_name_speak_for_none(tree):
    rows = evidence([5, 0, 0], [-4, -4, -4])
    after = weigh_with_alike(rows, pair(1.0), tree=tree, none=NONE)
    assert rows.probability[0, 0] > 0.9
    assert after.probability[0, 0] < 0.5


def test_what_is_not_alike_says_nothing(tree):
    rows = evidence([12, 0, 0], [2, 0, 2])
    for value in (ALIKE[0], 0.0, -1.0):
        after = weigh_with_alike(rows, pair(value), tree=tree, none=NONE)
        np.testing.assert_allclose(after.probability, rows.probability)


def test_two_unsure_groups_do_not_talk_each_other_into_a_name(tree):
    rows = evidence([4, -9, 3.8], [4, -9, 3.8])
    after = weigh_with_alike(rows, pair(1.0), tree=tree, none=NONE)
    assert rows.probability[0, 0] == pytest.approx(0.51, abs=0.02)
    assert after.probability[0, 0] < 0.7


def test_many_say_no_more_than_one(tree):
    one = evidence([2, 0, 2], [12, 0, 0])
    many = evidence([2, 0, 2], *[[12, 0, 0]] * 9)
    alike = np.zeros((10, 10))
    alike[0, 1:] = alike[1:, 0] = 1
    np.testing.assert_allclose(
        weigh_with_alike(many, alike, tree=tree, none=NONE).probability[0],
        weigh_with_alike(one, pair(1.0), tree=tree, none=NONE).probability[0],
    )


def decision(name, chance, reason=""):
    return Decision(name, chance, "my", chance, "t", 1 - chance, reason)


def test_words_where_the_name_changed():
    open_ = decision("unassigned", 0.7, "my 70%, t 30%")
    found = say_what_changed(open_, open_, decision("my", 0.95))
    assert found.reason == "by its own markers my 70%, t 30%; groups that express alike are my"
    sure, lost = decision("my", 0.9), decision("unassigned", 0.6, "my 60%, t 40%")
    assert say_what_changed(sure, sure, lost).reason == (
        "by its own markers my 90%; groups that express alike speak against it; my 60%, t 40%"
    )
    assert say_what_changed(sure, lost, lost).reason == (
        "by its own markers my 90%; permuted lists of markers often say as much; my 60%, t 40%"
    )
    for kept in (decision("my", 0.99), lost):
        assert say_what_changed(kept, lost, kept) is kept
    assert say_what_changed(sure, lost, sure) is sure  # taken by one, given back by the other


def test_what_a_name_rests_on_is_no_reason_to_have_no_finer_one():
    reasons = {
        "": False,
        "by its own markers my 70%; groups that express alike are my": False,
        "by markers my 50%, t 40%; 90% of its cells fit it best": False,
        "by its own markers my 70%; groups that express alike are my; dc 60%; named as my": True,
        "dc 60%, other my 30%; named as my": True,
        "fits my better than its cluster, which is t": True,
    }
    assert only_as_parent(pd.Series([*reasons])).tolist() == [*reasons.values()]
