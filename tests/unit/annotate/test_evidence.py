"""Lists of markers as evidence, against scipy, numpy and plain loops."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from osteotalk.annotate.evidence import (
    Speaker,
    Standards,
    _beta_binomial,
    _share_ratio,
    _together,
    _usual,
    by_name,
    population_probability,
    probabilities,
    set_apart,
    speakers,
    weigh,
    weigh_again,
    with_mixtures,
)
from osteotalk.annotate.levels import On
from osteotalk.annotate.tree import build_tree

POPULATIONS = pd.DataFrame(
    [
        ("my", "", ""),
        ("tam", "my", ""),
        ("kind", "tam", "state"),
        ("mono", "my", ""),
        ("t", "", ""),
        ("cd8", "t", ""),
        ("cycling", "", "state"),
    ],
    columns=["population", "parent", "level"],
)
LISTS = {
    "my": ["M1", "M2", "T1"],
    "tam": ["T1", "T2", "S"],
    "kind": ["T2", "K1"],
    "mono": ["O1", "O2"],
    "t": ["X1", "X2", "X3"],
    "cd8": ["C1", "C2", "S"],
    "cycling": ["Y1", "Y2"],
}
AGAINST = {"my": ["X1", "T2"], "tam": ["O1"], "t": ["M1"]}
GENES = pd.Index(sorted({gene for own in LISTS.values() for gene in own}), dtype=object)


@pytest.fixture
def tree():
    rows = [(p, g, "") for p, own in LISTS.items() for g in own]
    rows += [(p, g, "-") for p, own in AGAINST.items() for g in own]
    markers = pd.DataFrame(rows, columns=["population", "gene", "sign"])
    return build_tree(POPULATIONS, markers=markers, measured=GENES, min_measured=2)


def columns(*genes):
    return sorted(GENES.get_loc(gene) for gene in genes)


def state(*rows, tells=1.0):
    """Groups in which some genes are on, and all others off."""
    on = np.array([[float(gene in row) for gene in GENES] for row in rows])
    return On(on, np.full(on.shape, tells))


def random_state(n_groups=9, seed=0):
    rng = np.random.default_rng(seed)
    shape = (n_groups, len(GENES))
    return On(rng.beta(0.4, 0.8, shape), rng.beta(2, 1, shape))


def plain_softmax(row, none):
    values = [math.exp(value) for value in [*row, none]]
    return [value / sum(values) for value in values]


@pytest.mark.parametrize(("seen", "listed"), [(0, 5), (3, 5), (5, 5), (1, 12), (0, 0)])
@pytest.mark.parametrize("beta", [(2.0, 1.0), (3.0, 20.0)])
def test_the_share_of_a_list_is_beta_binomial(seen, listed, beta):
    found = float(_beta_binomial(np.array(float(seen)), np.array(float(listed)), beta))
    ways = math.log(math.comb(listed, seen))
    assert found + ways == pytest.approx(stats.betabinom.logpmf(seen, listed, *beta), abs=1e-9)


@pytest.mark.parametrize("seen", range(5))
def test_the_ratio_of_a_list_of_four_is_that_of_two_beta_binomials(seen):
    on = np.array([[1.0] * seen + [0.0] * (4 - seen) + [1.0]])
    found = _share_ratio(on, np.ones((1, 5)), np.arange(4))
    right = stats.betabinom.logpmf(seen, 4, 2, 1)
    wrong = stats.betabinom.logpmf(seen, 4, 3, 20)
    assert found[0] == pytest.approx(right - wrong, abs=1e-9)


def test_a_long_list_counts_as_ten_markers():
    on = np.array([[1.0] * 15 + [0.0] * 5])
    found = _share_ratio(on, np.ones((1, 20)), np.arange(20))
    ten = _share_ratio(np.array([[1.0] * 7 + [0.5] + [0.0] * 2]), np.ones((1, 10)), np.arange(10))
    assert found[0] == pytest.approx(ten[0])
    weak = _share_ratio(on, np.full((1, 20), 0.25), np.arange(20))  # they tell as much as five
    five = _share_ratio(np.array([[1.0] * 3 + [0.75, 0.0]]), np.ones((1, 5)), np.arange(5))
    assert weak[0] == pytest.approx(five[0])


def test_markers_that_tell_nothing_say_nothing():
    assert _share_ratio(np.ones((2, 3)), np.zeros((2, 3)), np.arange(3)).tolist() == [0, 0]
    assert _share_ratio(np.ones((2, 3)), np.ones((2, 3)), np.array([], int)).tolist() == [0, 0]


def test_probabilities_are_a_softmax_with_none_beside_the_lists():
    ratio = np.random.default_rng(0).normal(0, 4, (6, 5))
    found = probabilities(ratio, none=2.0)
    expected = [plain_softmax(row, 2.0) for row in ratio]
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    np.testing.assert_allclose(found.sum(axis=1), 1)
    loud = probabilities(np.array([[1e4, -1e4]]), none=2.0)  # no overflow
    assert loud.tolist() == [[1, 0, 0]]


def test_markers_go_together_as_far_as_they_correlate():
    rng = np.random.default_rng(2)
    on = rng.normal(0, 50, (30, 4))  # varies so much that what is assumed has no weight
    on[:, 1] += on[:, 0]
    on[:, 2] += on[:, 0]
    tells = rng.uniform(0.2, 1, on.shape)
    weight = tells.mean(axis=0)
    single = []
    for g in range(3):
        others = [h for h in range(3) if h != g]
        rest = sum(on[:, h] * weight[h] for h in others) / sum(weight[h] for h in others)
        single.append(np.corrcoef(on[:, g], rest)[0, 1])
    found = _together(On(on, tells), np.arange(3))
    assert found == pytest.approx(np.average(single, weights=weight[:3]), abs=1e-4)


def test_where_nothing_varies_markers_are_taken_to_go_together():
    flat = On(np.full((4, 3), 0.3), np.ones((4, 3)))
    assert _together(flat, np.arange(3)) == pytest.approx(0.6)
    assert _together(flat, np.arange(1)) == 0.6  # one marker has no other
    silent = On(np.random.default_rng(0).random((4, 3)), np.zeros((4, 3)))
    assert _together(silent, np.arange(3)) == 0.6
    opposed = On(np.array([[0.0, 1.0], [1.0, 0.0]] * 3), np.ones((6, 2)))
    assert _together(opposed, np.arange(2)) == 0  # never below


def test_lists_and_those_above_without_what_they_share(tree):
    tam, kind, cd8 = speakers(tree, ["tam", "kind", "cd8"], GENES)
    assert (tam.name, tam.own.tolist()) == ("tam", columns("S", "T1", "T2"))
    assert [part.tolist() for part in tam.above] == [columns("M1", "M2")]  # T1 is its own
    assert tam.against.tolist() == columns("O1", "X1")  # T2 is for it, whatever its parent says
    # the list of the population of a kind is a rival of it, not above it
    assert [part.tolist() for part in kind.above] == [columns("M1", "M2", "T1")]
    assert kind.against.tolist() == columns("X1")
    assert cd8.against.tolist() == columns("M1")


def test_below_a_population_that_is_known_its_list_is_not_added(tree):
    (tam,) = speakers(tree, ["tam"], GENES, top="my")
    assert tam.above == ()
    assert tam.against.tolist() == columns("O1")


def test_a_marker_of_two_branches_counts_half_and_one_of_one_branch_whole(tree):
    apart = set_apart(state(["S"]), tree, ["tam", "kind", "cd8", "mono"], GENES, top="")
    part = dict(zip(GENES, apart.tells[0], strict=True))
    assert part["S"] == 0.5  # my and t
    assert part["T2"] == 1  # tam and its kind are one branch
    below = set_apart(state(["S"]), tree, ["tam", "kind", "mono"], GENES, top="my")
    assert (below.tells == 1).all()


def plain_weighing(on, tells, lists, usual, trust, none):
    """The evidence of one group by loops."""

    def ratio_of(genes):
        part = [
            tells[g] * min(max(math.log(0.8 / usual[g]) / math.log(0.8 / 0.12), 0.15), 1)
            for g in genes
        ]
        scale = min(1, 10 / max(sum(part), 1e-12))
        seen = sum(w * on[g] for w, g in zip(part, genes, strict=True)) * scale
        missed = sum(w * (1 - on[g]) for w, g in zip(part, genes, strict=True)) * scale

        def log_beta(a, b):
            return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)

        value = log_beta(seen + 2, missed + 1) - log_beta(2, 1)
        value -= log_beta(seen + 3, missed + 20) - log_beta(3, 20)
        return value * trust if value > 0 else value

    ratios = []
    for speaker in lists:
        no = 0.0
        for g in speaker.against:
            of_its_own = on[g] * 0.01 + (1 - on[g]) * 0.99
            of_others = on[g] * usual[g] + (1 - on[g]) * (1 - usual[g])
            no += min(math.log(of_its_own / of_others), 0) * tells[g]
        own = ratio_of(speaker.own) + max(no, -6.0)
        total = own
        for part in speaker.above:
            total += min(max(ratio_of(part), -0.1 * max(own, 0)), max(own, 0))
        ratios.append(2.0 * total)
    return ratios, plain_softmax(ratios, none)


@pytest.mark.parametrize("together", [0.1, 0.325, 0.9])
def test_evidence_against_loops(tree, together):
    lists = speakers(tree, ["tam", "kind", "mono", "t", "cd8"], GENES)
    groups = random_state()
    usual = np.random.default_rng(5).uniform(0.03, 0.5, len(GENES))
    keys = [part.tobytes() for s in lists for part in (s.own, *s.above)]
    found = weigh_again(groups, lists, Standards(usual, dict.fromkeys(keys, together), 2.0))
    trust = min(max((together - 0.2) / 0.25, 0), 1)
    for row in range(len(groups.on)):
        ratio, chance = plain_weighing(groups.on[row], groups.tells[row], lists, usual, trust, 2.0)
        np.testing.assert_allclose(found.ratio[row], ratio, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(found.probability[row], chance, rtol=1e-9, atol=1e-12)


def test_how_often_others_show_a_gene_against_a_loop(tree):
    lists = speakers(tree, ["tam", "mono", "t"], GENES)
    groups = random_state()
    found, _ = weigh(groups, lists)
    usual = _usual(groups, lists, found)
    marked = {s.name: {g for part in (s.own, *s.above) for g in part} for s in lists}
    for g in range(len(GENES)):
        shown, n = 4 * 0.12, 4.0
        for row in range(len(groups.on)):
            of_its_own = sum(
                found.probability[row, i] for i, s in enumerate(lists) if g in marked[s.name]
            )
            shown += (1 - of_its_own) * groups.on[row, g]
            n += 1 - of_its_own
        assert usual[g] == pytest.approx(min(max(shown / n, 0.03), 0.5), abs=1e-12)


def test_planted_groups_are_named_and_silent_ones_are_none(tree):
    groups = state(
        LISTS["tam"] + LISTS["my"],
        LISTS["mono"] + LISTS["my"],
        LISTS["cd8"] + LISTS["t"],
        [],
        LISTS["tam"] + LISTS["my"],
    )
    found, _ = weigh(groups, speakers(tree, ["tam", "mono", "t", "cd8"], GENES))
    assert found.probability.argmax(axis=1).tolist() == [0, 1, 3, 4, 0]
    chances = population_probability(found, tree=tree, names=["my", "t"])
    assert chances["my"][0] > 0.85
    assert chances["my"][2] < 0.05
    np.testing.assert_allclose(chances["t"], found.probability[:, 2:4].sum(axis=1))
    assert found.of(["tam", "mono"])[0] == pytest.approx(found.probability[0, :2].sum())
    assert by_name(chances, 2)[0][0] == "t"


def test_ties_stay_in_table_order():
    values = {"b": np.array([0.2]), "a": np.array([0.2]), "c": np.array([0.6])}
    assert by_name(values, 0) == [("c", 0.6), ("b", 0.2), ("a", 0.2)]


def test_a_marker_against_lowers_and_never_raises(tree):
    lists = speakers(tree, ["tam", "mono", "t"], GENES)
    clean = state(LISTS["tam"], LISTS["t"], [])
    denied = state([*LISTS["tam"], "O1"], LISTS["t"], [])
    standards = weigh(clean, lists)[1]
    before, after = (weigh_again(s, lists, standards).ratio[0, 0] for s in (clean, denied))
    assert after < before - 3
    without = [Speaker(s.name, s.own, s.above, np.array([], dtype=int)) for s in lists]
    assert weigh_again(clean, without, standards).ratio[0, 0] == pytest.approx(before)


def test_order_of_genes_groups_and_lists_does_not_matter(tree):
    names = ["tam", "kind", "mono", "t", "cd8"]
    groups = random_state()
    found, _ = weigh(groups, speakers(tree, names, GENES))
    rng = np.random.default_rng(3)
    genes, rows = rng.permutation(len(GENES)), rng.permutation(len(groups.on))
    turned = On(groups.on[np.ix_(rows, genes)], groups.tells[np.ix_(rows, genes)])
    other, _ = weigh(turned, speakers(tree, names[::-1], GENES[genes]))
    np.testing.assert_allclose(other.ratio[:, ::-1], found.ratio[rows], atol=1e-9)
    np.testing.assert_allclose(
        other.probability[:, [4, 3, 2, 1, 0, 5]], found.probability[rows], atol=1e-9
    )


def test_lists_that_do_not_go_together_need_not_be_trusted(tree):
    """On in turn, the markers of a list are of no population."""
    groups = state(["X1"], ["X2"], ["X3"], LISTS["mono"], [], ["X1", "X2"])
    lists = speakers(tree, ["mono", "t"], GENES)
    careful, trusting = weigh(groups, lists)[0], weigh(groups, lists, trust_all=True)[0]
    assert careful.probability[5, 1] < trusting.probability[5, 1]
    assert careful.probability[5, -1] > 0.5


def test_a_group_that_shows_the_lists_of_two_populations_is_of_neither(tree):
    """Against a plain softmax with the best pair beside none; what is against does not count."""
    names = ["tam", "kind", "mono", "my"]
    lists = speakers(tree, names, GENES, top="my")
    groups = random_state()
    standards = Standards(np.full(len(GENES), 0.12), {}, 1.0)
    keys = {part.tobytes(): 1.0 for s in lists for part in (s.own, *s.above)}
    standards = Standards(standards.usual, keys, 1.0)
    found = weigh_again(groups, lists, standards)
    mixed = with_mixtures(found, lists, groups, standards=standards, tree=tree)
    free = [Speaker(s.name, s.own, s.above, np.array([], dtype=int)) for s in lists]
    ratio = weigh_again(groups, free, standards).ratio
    # tam and its kind are one population, and my is above both
    pairs = [(0, 2), (1, 2)]
    for row in range(len(groups.on)):
        pair = max(ratio[row, a] + ratio[row, b] for a, b in pairs)
        none = math.log(math.exp(1.0) + math.exp(pair - 12))
        expected = plain_softmax(found.ratio[row], none)
        np.testing.assert_allclose(mixed.probability[row], expected, rtol=1e-9)
    assert mixed.ratio is found.ratio


def test_alone_a_population_has_nothing_to_be_mixed_with(tree):
    lists = speakers(tree, ["tam", "kind"], GENES, top="my")
    groups = random_state()
    found, standards = weigh(groups, lists, trust_all=True)
    assert with_mixtures(found, lists, groups, standards=standards, tree=tree) is found
