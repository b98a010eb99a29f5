"""What was done to counts, told from the values: nothing good is refused, nothing bad is missed."""

import re

import numpy as np
import pytest
from anndata import AnnData
from scipy import sparse

from osteotalk.interactions import score
from osteotalk.interactions.checks.scale import Scale, find_scale
from osteotalk.interactions.checks.settings import ScoringError


@pytest.fixture(scope="module")
def counts():
    """Counts of 120 cells of unequal depth and 600 genes of unequal abundance."""
    rng = np.random.default_rng(3)
    abundance = rng.lognormal(0, 1.5, size=600)
    depth = rng.lognormal(0, 0.6, size=(120, 1))
    return rng.poisson(2 * depth * abundance / abundance.mean()).astype(float)


@pytest.fixture(scope="module")
def decimals(counts):
    """The same with decimals, as after taking away ambient RNA."""
    return counts * np.random.default_rng(4).uniform(0.7, 1, size=counts.shape)


def scaled(counts, total):
    return counts / counts.sum(axis=1, keepdims=True) * total


def found(values):
    return find_scale(sparse.csr_matrix(values))


SCALED = {
    "CPM": 1e6,
    "10,000": 1e4,
    "median depth": 1100.0,
    "1": 1.0,
}


@pytest.mark.parametrize("total", SCALED.values(), ids=SCALED)
@pytest.mark.parametrize("genes", [600, 200, 30, 5])
@pytest.mark.parametrize("made_of", ["counts", "decimals"])
def test_natural_logarithms_are_fine(request, total, genes, made_of):
    """All genes, or a panel of some, chosen before or after the scaling."""
    raw = request.getfixturevalue(made_of)
    assert found(np.log1p(scaled(raw, total)[:, :genes])) == Scale()
    panel = raw[:, :genes]
    panel = panel[panel.sum(axis=1) > 0]
    assert found(np.log1p(scaled(panel, total))) == Scale()


@pytest.mark.parametrize(
    "change",
    [
        lambda x: x.astype(np.float32),
        lambda x: x.astype(np.float16).astype(np.float32),
        lambda x: x.round(2),
        lambda x: x.round(1),
        lambda x: x[:12],
        lambda x: x[:3],
        lambda x: x * (x > np.median(x)),
        lambda x: 0.7 * x + 0.3 * x.mean(axis=0),
        lambda x: np.log1p(np.expm1(x) * np.random.default_rng(1).lognormal(0, 0.3, (len(x), 1))),
        lambda x: x * 0,
    ],
    ids=[
        *("float32", "float16", "2 digits", "1 digit", "12 cells", "3 cells", "few", "smoothed"),
        *("other size factors", "nothing"),
    ],
)
def test_what_is_done_to_logarithms_is_fine(counts, change):
    assert found(change(np.log1p(scaled(counts, 1e4)))) == Scale()


def test_equal_depth_needs_no_scaling():
    """Logarithms of counts that were drawn down to 200 per cell."""
    rng = np.random.default_rng(5)
    drawn = rng.multinomial(200, rng.dirichlet(np.full(100, 0.3)), size=60)
    assert found(np.log1p(drawn)) == Scale()


@pytest.mark.parametrize(
    ("undone", "message"),
    [
        (lambda x: x / np.log(2), r"to base 2: undone with 2\^x - 1, .*np.log\(2\)\)$"),
        (lambda x: x / np.log(10), r"to base 10: undone with 10\^x - 1, .*np.log\(10\)\)$"),
        (np.log1p, r"of logarithms: undone with exp\(exp\(x\) - 1\) - 1, .*second sc.pp.log1p\)$"),
    ],
    ids=["base 2", "base 10", "twice"],
)
def test_other_logarithms_are_refused(counts, decimals, undone, message):
    """By the totals of all genes, or by the multiples in some of them."""
    for raw in (counts, decimals):
        text = found(undone(np.log1p(scaled(raw, 1e4)))).wrong
        assert re.match("X holds logarithms " + message, text)
        assert ", cells add up to 10,000 each; undone with exp(x) - 1 they do not." in text
    text = found(undone(np.log1p(scaled(counts, 1e4)[:, ::3]))).wrong
    assert "the values of a cell are whole multiples of its smallest; undone with exp(x)" in text


@pytest.mark.parametrize("total", [1.0, 20.0, 100.0])
def test_scaled_without_a_logarithm_is_refused(counts, decimals, total):
    message = f"the values of each cell of X add up to {total:g}: they are scaled to equal depth, "
    for raw in (counts, decimals):
        assert found(scaled(raw, total)).wrong.startswith(message)


def test_scaled_without_a_logarithm_in_some_genes_is_doubtful(counts):
    text = found(scaled(counts, 500.0)[:, 1::3]).doubtful
    assert text.startswith("the values of a cell of X are whole multiples of its smallest (from ")
    assert found(counts[:, :200] / 3).doubtful.startswith("the values of a cell of X are whole")


def test_logarithms_of_unscaled_counts_are_doubtful(counts):
    totals = np.quantile(counts.sum(axis=1), [0.1, 0.9])
    assert found(np.log1p(counts)).doubtful.startswith(
        f"X holds logarithms of whole numbers that add up to {totals[0]:,.0f} to {totals[1]:,.0f} "
        "in a cell (10th to 90th percentile): counts that were not scaled to equal depth"
    )
    assert "not scaled to equal depth" in found(np.log1p(counts[:, :100])).doubtful


def test_decimals_are_doubtful_if_no_logarithms_are_that_large(decimals):
    large = decimals * 30 / decimals.max()
    assert found(large).doubtful.startswith(
        "values of X are up to 30: as natural logarithms they would stand for "
    )
    assert "base 2" in found(np.log2(1 + scaled(decimals, 1e9))[:, 100:400]).doubtful


def test_totals_that_differ_too_much_are_doubtful(decimals):
    """Decimals up to 10, and logarithms of decimals of 10,000 genes, that were not scaled."""
    small = np.minimum(decimals * np.geomspace(0.1, 1, 120)[:, None], 10)
    assert "cells were not scaled to equal depth, or no logarithm" in found(small).doubtful
    many = np.tile(decimals, (1, 17))
    text = found(np.log1p(many)).doubtful
    low, high = np.quantile(many.sum(axis=1), [0.1, 0.9])
    assert f"would stand for {low:,.0f} to {high:,.0f} counts in a cell" in text
    assert f"{np.count_nonzero(decimals.sum(axis=0)) * 17:,} genes" in text
    assert found(np.log1p(scaled(many, 1e4)[:, ::2])) == Scale()


def test_the_order_of_cells_and_genes_does_not_matter(counts):
    rng = np.random.default_rng(6)
    values = np.log2(1 + scaled(counts, 1e4))
    mixed = values[rng.permutation(120)][:, rng.permutation(600)]
    assert found(mixed) == found(values)


def test_score_refuses_and_warns(toy, toy_pairs):
    log2 = AnnData(toy.X / np.log(2), obs=toy.obs, var=toy.var)
    with pytest.raises(ScoringError, match="^X holds logarithms to base 2: .* add up to 30 each"):
        score(log2, resource=toy_pairs)
    log2.X = log2.X * np.log(2)  # as the message says
    assert len(score(log2, resource=toy_pairs))
    unscaled = AnnData(toy.X.copy(), obs=toy.obs, var=toy.var)
    least = np.array([row.data.min() for row in toy.X])
    of_cell = np.repeat(np.expm1(least), np.diff(toy.X.indptr))
    unscaled.X.data = np.log1p(np.rint(np.expm1(toy.X.data) / of_cell))
    with pytest.warns(UserWarning, match="not scaled to equal depth") as caught:
        assert len(score(unscaled, resource=toy_pairs))
    assert [warning.filename for warning in caught] == [__file__]
