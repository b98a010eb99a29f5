"""The response check: does a programme of the receivers rise with the edge, over patients?"""

import math

import numpy as np
import pytest
from scipy import stats

from osteotalk.claims.measures.contrasts import spearman_interval
from osteotalk.claims.measures.response import response_check

N = 7


@pytest.fixture
def made(kit):
    """Seven patients, the first with two samples: level of the pair, score of the receivers."""
    rng = np.random.default_rng(0)
    means = rng.gamma(2, 1, size=(N + 1, 3, 2))
    score = rng.normal(size=(N + 1, 3))
    return {
        "means": means,
        "populations": ("malignant", "endothelial", "tam"),
        "pairs": [("G0", "G1")],
        "programmes": {"nfkb": score},
        "patients": ("P0", *(f"P{i}" for i in range(N))),
    }


def check(kit, made, **other):
    cells = {"kind": "interaction", "pairs": "G0^G1", "source": "malignant", "response": "nfkb"}
    (claim,) = kit.read(cells | {"target": "endothelial"} | other)
    return response_check(claim, kit.light_cohort(**made))


def test_rho_is_that_of_scipy_over_patients(kit, made):
    level = np.sqrt(made["means"][:, 0, 0] * made["means"][:, 1, 1])
    score = made["programmes"]["nfkb"][:, 1]
    x, y = (np.array([v[:2].mean(), *v[2:]]) for v in (level, score))
    got = check(kit, made)
    rho = stats.spearmanr(x, y).statistic
    assert got["response_effect"] == pytest.approx(rho)
    assert (got["response_low"], got["response_high"]) == pytest.approx(spearman_interval(rho, N))
    assert got["n_response"] == N


def test_a_programme_that_follows_the_edge(kit, made):
    made["programmes"] = {"nfkb": np.tile(made["means"][:, 0, :1] * made["means"][:, 1, 1:], 3)}
    made["patients"] = tuple(f"P{i}" for i in range(N + 1))
    assert check(kit, made)["response_effect"] == 1.0
    made["programmes"]["nfkb"] *= -1
    assert check(kit, made)["response_effect"] == -1.0


def test_a_receiver_without_a_score_is_left_out(kit, made):
    made["programmes"]["nfkb"][4, 1] = np.nan
    assert check(kit, made)["n_response"] == N - 1


def blank(got):
    return all(math.isnan(got[f"response_{x}"]) for x in ("effect", "low", "high"))


def test_fewer_than_five_patients_say_nothing(kit, made):
    made["programmes"]["nfkb"][5:, 1] = np.nan
    got = check(kit, made)
    assert got["n_response"] == 4
    assert blank(got)


def test_nothing_to_correlate(kit, made):
    for other in ({"response": "emt"}, {"response": ""}, {"pairs": "NO^PE"}):
        got = check(kit, made, **other)
        assert got["n_response"] == 0
        assert blank(got)
    made["programmes"]["nfkb"][:] = 1
    got = check(kit, made)
    assert (got["n_response"], blank(got)) == (N, True)


def test_no_informative_sample(kit, made):
    made["sizes"] = np.tile([3, 50, 50], (N + 1, 1))
    got = check(kit, made)
    assert (got["n_response"], blank(got)) == (0, True)
