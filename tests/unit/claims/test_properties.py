"""What must not change a verdict, on the cohort with planted truth."""

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData, concat

from osteotalk.claims.measures.samples import SampleData

# Verdicts from better to worse, for claims without a direction to contradict.
STRENGTH = ("supported", "present, not specific", "partly", "inconclusive", "not supported")


@pytest.fixture(scope="module")
def judge(kit, planted_claims):
    """Evidence of scored samples."""

    def evidence(scored, claims=planted_claims, **other):
        build = {name: other.pop(name) for name in ("vocabulary", "resource") if name in other}
        words = {"vocabulary": build["vocabulary"]} if "vocabulary" in build else {}
        cohort = kit.build(scored, claims, **build)
        return kit.evidence_of(cohort, claims, signatures=kit.SIGNATURES, **words, **other)[0]

    return evidence


def close(one, two, *, but=()):
    """The same, but for rounding."""
    kept = [name for name in one.columns if name not in but]
    pd.testing.assert_frame_equal(one[kept], two[kept], rtol=1e-6, atol=1e-9)


def test_the_order_of_samples_changes_nothing(judge, planted_cells, planted_evidence):
    order = np.random.default_rng(0).permutation(len(planted_cells))
    got = judge([planted_cells[i] for i in order])
    pd.testing.assert_frame_equal(got, planted_evidence[0])


def test_the_order_of_cells_changes_nothing(kit, judge, planted_cells, planted_evidence):
    rng = np.random.default_rng(0)
    cells = [part.adata[rng.permutation(part.adata.n_obs)].copy() for part in planted_cells]
    close(judge(kit.score(cells)), planted_evidence[0], but=["reason"])


def test_the_order_of_rows_in_tables_changes_nothing(kit, judge, planted_cells, planted_evidence):
    """Edges in the tables of interactions, and pairs in the resource for claims of one pair."""
    rng = np.random.default_rng(0)
    shuffled = [
        SampleData(part.adata, part.interactions.sample(frac=1, random_state=1))
        for part in planted_cells
    ]
    pd.testing.assert_frame_equal(judge(shuffled), planted_evidence[0])
    pairs = kit.PAIRS.iloc[rng.permutation(len(kit.PAIRS))].reset_index(drop=True)
    got = judge(planted_cells, resource=pairs)
    drawn = ["edges"]  # its decoys are drawn by position: others, and the verdict is the same
    close(got.drop(drawn), planted_evidence[0].drop(drawn), but=["decoy_q", "reason"])
    assert got["verdict"].equals(planted_evidence[0]["verdict"])


def test_the_order_of_genes_changes_no_verdict(kit, judge, planted_cells, planted_evidence):
    order = np.random.default_rng(0).permutation(len(kit.GENES))
    cells = [part.adata[:, order].copy() for part in planted_cells]
    got = judge(kit.score(cells))
    before = planted_evidence[0]
    assert got["verdict"].equals(before["verdict"])
    measured = ["n_informative", "n_active", "best_edge", "direction_p", "population_p"]
    measured += ["response_effect", "n_decoys", "circular"]
    close(got[measured], before[measured])
    # decoys of several genes are drawn by position, those of one gene or pair are all there are
    alone = ["edge", "parent", "some", "gene", "gene_of_some", "higher_gene", "along_gene"]
    numbers = ["effect", "effect_low", "effect_high", "decoy_p"]
    close(got.loc[alone, numbers], before.loc[alone, numbers])


def renamed(kit, planted_cells, planted_claims):
    """Every population under another name, in the same order of the vocabulary."""
    names = [*kit.VOCABULARY["population"]]
    new = {name: f"{chr(ord('a') + (7 * i) % 17)}_{i}" for i, name in enumerate(names)}

    def cell(text):
        return ";".join(new[item] for item in text.split(";") if item)

    def quantity(text):
        for name in sorted(names, key=len, reverse=True):
            if text.endswith((f"@{name}", f":{name}")):
                return text[: -len(name)] + new[name]
        return text

    claims = planted_claims.assign(
        source=planted_claims["source"].map(cell), target=planted_claims["target"].map(cell),
        contrast_with=planted_claims["contrast_with"].map(quantity),
    )  # fmt: skip
    vocabulary = kit.VOCABULARY.assign(
        population=kit.VOCABULARY["population"].map(new),
        parent=kit.VOCABULARY["parent"].map(new).fillna(""),
    )
    new["unassigned"] = "unassigned"
    cells = []
    for part in planted_cells:
        obs = part.adata.obs.copy()
        for column in ("population", "population_state"):
            obs[column] = obs[column].map(new)
        cells.append(AnnData(part.adata.X, obs=obs, var=part.adata.var))
    return new, claims, vocabulary, cells


def test_other_names_of_populations_change_nothing_but_names(
    kit, judge, planted_cells, planted_claims, planted_evidence
):
    new, claims, vocabulary, cells = renamed(kit, planted_cells, planted_claims)
    markers = kit.MARKERS.assign(population=kit.MARKERS["population"].map(new))
    got = judge(kit.score(cells), claims, vocabulary=vocabulary, markers=markers)
    before = planted_evidence[0]
    close(got, before, but=["best_edge", "reason", "circular"])
    a, b = (new[name] for name in ("malignant", "endothelial"))
    assert got.loc["edge", "best_edge"] == f"{a}>{b}:L0^R0"
    assert got.loc["edge", "circular"] == f"ligand L0 is a marker of {a}"
    assert got.loc["absent", "reason"] == before.loc["absent", "reason"].replace(
        "osteoclast", new["osteoclast"]
    )


@pytest.mark.parametrize("first", [True, False])
def test_words_that_nobody_carries_change_nothing(
    kit, judge, planted_cells, planted_evidence, first
):
    more = pd.DataFrame(
        [("mast", "", ""), ("mast_x", "mast", "state")], columns=kit.VOCABULARY.columns
    )
    parts = [more, kit.VOCABULARY] if first else [kit.VOCABULARY, more]
    vocabulary = pd.concat(parts, ignore_index=True)
    got = judge(planted_cells, vocabulary=vocabulary)
    pd.testing.assert_frame_equal(got, planted_evidence[0])


def with_more_cells(kit, planted_cells, rate, n=25):
    """Each sample with cells of another population; `rate`: of all genes."""
    made = []
    for i, part in enumerate(planted_cells):
        values = np.log1p(np.random.default_rng(i).poisson(rate, size=(n, len(kit.GENES))))
        obs = pd.concat([part.adata.obs.iloc[:1]] * n)
        obs = obs.assign(population="stromal", population_state="stromal")
        obs.index = [f"new{c}" for c in range(n)]
        more = AnnData(values.astype(np.float32), obs=obs, var=part.adata.var)
        made.append(concat([part.adata, more]))
    return made


def test_a_population_that_expresses_nothing_changes_no_verdict(
    kit, judge, planted_cells, planted_evidence
):
    cells = with_more_cells(kit, planted_cells, 0.0)
    got, before = judge(kit.score(cells)), planted_evidence[0]
    assert got["verdict"].equals(before["verdict"])
    assert got["n_informative"].equals(before["n_informative"])
    # shares of a ligand are shares of what there is: the specificity is the same
    column = "effect"
    alone = ["edge", "parent", "some", "reversed"]
    np.testing.assert_allclose(got.loc[alone, column], before.loc[alone, column], rtol=0.02)


def test_a_population_like_the_others_changes_no_clear_verdict(
    kit, judge, planted_cells, planted_evidence
):
    got = judge(kit.score(with_more_cells(kit, planted_cells, 0.35)))
    assert got["verdict"].equals(planted_evidence[0]["verdict"])


def test_more_patients_with_the_same_pattern_never_weaken_a_verdict(
    kit, judge, planted_cells, planted_evidence
):
    again = []
    for part in planted_cells:
        obs = part.adata.obs.assign(
            sample=part.adata.obs["sample"] + "x", patient=part.adata.obs["patient"] + "x"
        )
        adata = AnnData(part.adata.X, obs=obs, var=part.adata.var)
        again.append(SampleData(adata, part.interactions))
    got, before = judge([*planted_cells, *again]), planted_evidence[0]
    assert (got["n_informative"] == 2 * before["n_informative"]).all()
    assert (got["n_active"] == 2 * before["n_active"]).all()
    plain = (before["contrast"] == "") & (before["n_informative"] > 0)
    np.testing.assert_allclose(
        got.loc[plain, "support"].astype(float), before.loc[plain, "support"].astype(float)
    )
    assert (got.loc[plain, "support_low"] >= before.loc[plain, "support_low"]).all()
    changed = got["verdict"] != before["verdict"]
    # what was too small to tell is told now; nothing else moves
    assert set(before.loc[changed, "verdict"]) <= {"inconclusive", "not testable"}
    assert before.loc[changed, "n_informative"].max() <= 8
    contrasts = before["direction_p"].notna() & (before["verdict"] != "inconclusive")
    assert (got.loc[contrasts, "direction_p"] <= before.loc[contrasts, "direction_p"] + 1e-12).all()


def test_fewer_patients_never_strengthen_a_verdict(kit, judge, planted_cells, planted_evidence):
    got = judge(planted_cells[:4])  # three patients
    before = planted_evidence[0]["verdict"]
    for claim in before.index[planted_evidence[0]["contrast"] == ""]:
        if "not testable" not in (before[claim], got.loc[claim, "verdict"]):
            told = before[claim], got.loc[claim, "verdict"]
            if claim in ("some", "gene_of_some"):  # these three are the ones that have it
                assert told == ("partly", "supported")
            elif told != ("not supported", "inconclusive"):
                assert STRENGTH.index(told[1]) >= STRENGTH.index(told[0])
    assert set(got.loc[planted_evidence[0]["contrast"] == "conditions", "verdict"]) == {
        "not testable"
    }
