"""Tests between the cells of one sample, gene by gene with scipy."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse, stats

from osteotalk.claims.measures.cell_tests import CellTest, active_claims

LABEL = np.array(["tam"] * 12 + ["cd4_t"] * 12 + ["b_cell"] * 12 + ["dc"] * 4 + ["unassigned"] * 6)


@pytest.fixture
def values():
    """46 cells and five genes: A in tam, B in tam and cd4_t, C nowhere, D constant, E in few."""
    rng = np.random.default_rng(3)
    matrix = rng.poisson(0.6, size=(len(LABEL), 5)).astype(float)
    matrix[:12, :2] += rng.poisson(3, size=(12, 2))
    matrix[12:24, 1] += 3
    matrix[:, 3] = 1.5
    matrix[:, 4] = 0
    matrix[0, 4] = 9
    return np.log1p(matrix)


def run(kit, values, *rows, label=LABEL, scores=None, signatures=None, **limits):
    settings = {"expr_prop": 0.1, "alpha": 0.05, "min_cells": 5} | limits
    tests = CellTest(kit.read(*rows), kit.NO_SIGNATURES, **settings)
    genes = pd.Index(list("ABCDE"))
    return active_claims(tests, sparse.csr_matrix(values), genes, label, scores or {})


def gene(name, **cells):
    return {
        "claim_id": name,
        "kind": "expression",
        "genes": ";".join(name),
        "source": "tam",
    } | cells


def mann_whitney(values, column, inside, outside):
    x, y = (values[np.isin(LABEL, side), column] for side in (inside, outside))
    return stats.mannwhitneyu(x, y, alternative="greater", method="asymptotic").pvalue


def test_active_is_what_scipy_and_bh_say(kit, values):
    others = ["cd4_t", "b_cell"]  # dc is too small, unassigned cells never count
    p = [mann_whitney(values, i, ["tam"], others) for i in range(3)]
    # gene D does not vary, E is seen in 1 of 12 cells: both are tests that fail
    q = stats.false_discovery_control([*p, 1.0, 1.0])
    for alpha in (0.05, q[0], q[0] * 0.99, q[1], q[1] * 0.99):
        expected = {name for name, value in zip("ABCDE", q, strict=True) if value <= alpha}
        rows = [gene(name) for name in "ABCDE"]
        assert run(kit, values, *rows, alpha=alpha, expr_prop=0.1) == expected
    assert q[0] < 0.05 < q[2]


def test_the_family_is_all_tests_of_the_sample(kit, values):
    """A q-value depends on how many hopeless tests stand beside it."""
    p = mann_whitney(values, 0, ["tam"], ["cd4_t"])
    row = gene("A", target="cd4_t")
    assert run(kit, values, row, alpha=p) == {"A"}
    assert run(kit, values, row, gene("D", target="cd4_t"), alpha=p) == set()
    assert run(kit, values, row, gene("D", target="cd4_t"), alpha=2 * p) == {"A"}


def test_a_claim_on_two_genes_needs_both(kit, values):
    assert run(kit, values, gene("A"), gene("AC"), gene("AD")) == {"A"}
    assert run(kit, values, gene("A"), gene("AB", target="b_cell")) == {"A", "AB"}


def test_each_gene_must_be_detected_in_one_population_of_the_claim(kit, values):
    values[:12, 0] = 0
    values[:2, 0] = 5  # in 2 of 12 cells of tam, nowhere else
    values[12:, 0] = 0
    row = gene("A", source="tam;cd4_t")
    # not in 2 of the 24 cells of both: one population is enough
    assert run(kit, values, row, expr_prop=2 / 12, alpha=0.2) == {"A"}
    assert run(kit, values, row, expr_prop=2.01 / 12, alpha=0.2) == set()


def test_populations_compared_with(kit, values):
    assert run(kit, values, gene("B", target="b_cell")) == {"B"}
    assert run(kit, values, gene("B", target="cd4_t")) == set()
    # one's own population is never among those compared with
    assert run(kit, values, gene("B", target="tam;b_cell")) == {"B"}
    assert run(kit, values, gene("B", target="tam")) == set()


def test_small_populations_and_unassigned_cells_take_no_part(kit, values):
    values[36:, 0] = 99  # dc and unassigned: would hide A, were they compared with
    assert run(kit, values, gene("A"), min_cells=5) == {"A"}
    assert run(kit, values, gene("A", source="dc")) == set()
    assert run(kit, values, gene("A", source="dc"), min_cells=4) == {"A"}
    assert run(kit, values, gene("A", target="dc")) == set()
    everyone = np.where(LABEL == "tam", "tam", "unassigned")
    assert run(kit, values, gene("A"), label=everyone) == set()  # nothing to compare with


def test_programmes_are_tested_by_their_score(kit, values):
    row = {"claim_id": "P", "kind": "signature", "signature": "s", "source": "tam"}
    score = values[:, 0] - 5  # never above 0: a score is not detected or undetected
    assert run(kit, values, row, scores={"s": score}) == {"P"}
    assert run(kit, values, row, scores={"s": -score}) == set()
    assert run(kit, values, row, scores={"other": score}) == set()


def test_contrasts_and_other_kinds_are_not_tested_here(kit, values):
    contrast = gene("A", contrast="conditions", contrast_with="a>b")
    assert run(kit, values, contrast, {"kind": "interaction"}, {"kind": "composition"}) == set()
    assert run(kit, values, {"kind": "expression", "genes": "ABSENT", "source": "tam"}) == set()
