"""The panel of a claim says what the tables say, and no more."""

import io
import json
import re

import numpy as np
import pandas as pd
import pytest

from osteotalk.claims.claim import read_claims
from osteotalk.report import Report, render, write_report
from osteotalk.report.html.render import script_json
from osteotalk.report.sections.claim_edges import TOP_EDGES, edges_of_claims
from osteotalk.report.sections.references import works
from osteotalk.report.tables.timings import read_timings
from osteotalk.report.words.references import WORKS, cited


def panel(inputs, claim_id):
    report = inputs.report()
    (page,) = [page for page in report.claims if page.file == f"claims/{claim_id}.html"]
    return page, render(Report(index=page, datasets=()))


def section(page, anchor):
    found = [part for part in page.sections if part.anchor == anchor]
    return found[0] if found else None


def test_one_panel_per_claim_in_table_order(inputs):
    pages = inputs.report().claims
    assert [page.file for page in pages] == [
        f"claims/{claim_id}.html" for claim_id in inputs.claims["claim_id"]
    ]
    assert [page.lead for page in pages] == [(text,) for text in inputs.claims["statement"]]
    assert pages[0].links == (
        ("In the table of all claims", "index.html#row-C001"),
        ("C002 →", "claims/C002.html"),
    )
    assert pages[-1].links[0] == ("← C006", "claims/C006.html")


@pytest.mark.parametrize("claim_id", ["C001", "C003", "C004"])
def test_panel_equals_the_tables(inputs, claim_id):
    page, files = panel(inputs, claim_id)
    table = pd.read_csv(io.StringIO(files[f"assets/claims_{claim_id}_cohorts.tsv"]), sep="\t")
    own = inputs.evidence.set_index("claim_id").loc[claim_id]
    assert list(table["cohort"]) == ["All cohorts", "Toy cohort"]
    assert set(table["verdict"]) == {own["verdict"]}
    for name in ("n_active", "n_informative", "support", "effect_low", "decoy_q"):
        np.testing.assert_allclose(table[name].astype(float), float(own[name]), rtol=1e-12)
    patients = pd.read_csv(io.StringIO(files[f"assets/claims_{claim_id}_patients.tsv"]), sep="\t")
    assert len(patients) == own["n_informative"]
    assert (patients["active"] == "yes").sum() == own["n_active"]
    figure = section(page, "patients").figures[0]
    assert f"{own['n_informative']} patients, mean 0.2" in figure.alt


def test_route_is_printed_in_the_words_of_the_network(inputs):
    _, files = panel(inputs, "C001")
    assert set(inputs.claims["route"]) == {"soluble"}
    text = files["claims/C001.html"]
    assert re.search(r"<dt>Route</dt>\s*<dd>secreted</dd>", text)
    assert "soluble" not in text


def test_decoys_at_least_as_strong_are_counted(inputs):
    alts = {}
    for claim_id in ("C001", "C002"):
        page, _ = panel(inputs, claim_id)
        alts[claim_id] = section(page, "decoys").figures[0].alt
    # decoys are 0.01 to 0.20 in steps of 0.01
    assert "matched decoys: claim 0.5, 0 of 20 decoys at least as strong" in alts["C001"]
    assert "populations: claim 0.125, 8 of 20 decoys at least as strong" in alts["C002"]


def test_untestable_claim_says_why_and_draws_nothing(inputs):
    page, files = panel(inputs, "C006")
    assert [part.anchor for part in page.sections] == ["verdict"]
    assert page.title == "C006: Matrix"
    assert page.sections[0].title == "Verdict: not testable"
    assert "not visible in RNA: vesicles" in files["claims/C006.html"]
    page, files = panel(inputs, "C007")
    assert page.sections[0].title == "Verdict: not evaluated"


def test_links_lead_out_of_the_folder_of_claims(inputs):
    _, files = panel(inputs, "C002")
    links = re.findall(r'href="([^"]+)"', files["claims/C002.html"])
    inner = [link for link in links if not link.startswith(("https:", "#"))]
    assert inner
    assert all(link.startswith("../") for link in inner)


def test_contrasts_are_drawn_by_condition_and_correlations_over_the_quantity(inputs):
    claims = inputs.claims.copy()
    claims.loc[0, ["contrast", "contrast_with", "direction"]] = [
        "conditions", "lung_metastasis>primary", "higher"
    ]  # fmt: skip
    claims.loc[1, ["contrast", "contrast_with", "direction"]] = [
        "correlation", "gene:VEGFA@malignant", "higher"
    ]  # fmt: skip
    patients = inputs.patients.assign(active="")
    chosen = patients["claim_id"] == "C002"
    patients.loc[chosen, "along"] = np.arange(chosen.sum())
    patients.loc[patients.index[chosen][0], "along"] = np.nan
    kinds = inputs.verdicts["contrast"].copy()
    kinds[:2] = ["conditions", "correlation"]
    changed = inputs.having(
        claims=claims, patients=patients, verdicts=inputs.verdicts.assign(contrast=kinds)
    )
    page, _ = panel(changed, "C001")
    assert "primary: 3 patients, mean 0.1; lung_metastasis: 2 patients, mean 0.35" in (
        section(page, "patients").figures[0].alt
    )
    page, files = panel(changed, "C002")
    figure = section(page, "patients").figures[0]
    assert "Toy cohort: 4 patients" in figure.alt
    assert "1 patient without a value not drawn." in figure.caption
    assert "VEGFA in Malignant" in figure.svg
    assert ">Other quantity<" in files["claims/C002.html"]


def test_the_two_values_of_a_patient_are_joined(inputs):
    """Rows of patients with both conditions of a contrast; a line is drawn for each of them."""
    claims = inputs.claims.copy()
    claims.loc[0, ["contrast", "contrast_with", "direction"]] = [
        "conditions", "lung_metastasis>primary", "higher"
    ]  # fmt: skip
    kinds = inputs.verdicts["contrast"].copy()
    kinds[0] = "conditions"
    own = inputs.patients[inputs.patients["claim_id"] == "C001"].assign(active="")
    first = own.head(3).assign(condition="lung_metastasis")
    lines = {}
    for n in (0, 2, 3):
        rows = pd.concat([own.assign(condition="primary"), first.head(n)], ignore_index=True)
        changed = inputs.having(
            claims=claims, patients=rows, verdicts=inputs.verdicts.assign(contrast=kinds)
        )
        figure = section(panel(changed, "C001")[0], "patients").figures[0]
        told = f"A line joins the two dots of each of {n} patients with both."
        assert (told in figure.caption) == ("the same patient" in figure.svg) == (n > 0)
        lines[n] = figure.svg.count("stroke: #b9c6d6")
    assert (lines[0], lines[3] - lines[2]) == (0, 1)


def test_values_that_are_absent_draw_no_figure(inputs):
    patients = inputs.patients.assign(value=np.nan)
    page, _ = panel(inputs.having(patients=patients), "C001")
    assert section(page, "patients").figures == ()
    assert len(section(page, "patients").tables[0].frame) == 5
    bare = inputs.having(
        patients=inputs.patients.head(0),
        statistics=inputs.statistics.head(0),
        support=inputs.support.head(0),
    )
    page, _ = panel(bare, "C001")
    assert [part.anchor for part in page.sections] == ["verdict"]


def test_decoys_all_alike_and_a_claim_without_decoys(inputs):
    same = inputs.statistics.assign(statistic=0.0)
    page, _ = panel(inputs.having(statistics=same), "C001")
    assert "claim 0, 20 of 20 decoys" in section(page, "decoys").figures[0].alt
    alone = inputs.statistics[inputs.statistics["role"] == "claim"]
    page, _ = panel(inputs.having(statistics=alone), "C001")
    assert "0 decoys" in section(page, "decoys").figures[0].alt


def naive_edges(support, claim):
    found = []
    for row in support.to_dict("records"):
        pair = f"{row['ligand_complex']}^{row['receptor_complex']}"
        fits = (not claim.source or row["source"] in claim.source) and (
            not claim.target or row["target"] in claim.target
        )
        if claim.kind == "interaction" and pair in claim.pairs and fits:
            found.append((row["source"], row["target"], pair))
    return sorted(found)


def test_edges_of_a_claim_by_a_naive_loop(inputs):
    rng = np.random.default_rng(1)
    support = inputs.support.assign(support=rng.choice([0.2, 0.4, np.nan], len(inputs.support)))
    table = inputs.claims.assign(pairs="LIG1^REC1_SUB;LIG2^REC2_SUB")
    table.loc[1, ["source", "target"]] = ["", "tam"]
    claims = read_claims(table, vocabulary=inputs.populations)
    found = edges_of_claims(support, claims)
    for claim in claims:
        own = found.get(claim.claim_id, support.head(0))
        pairs = own["ligand_complex"] + "^" + own["receptor_complex"]
        assert sorted(zip(own["source"], own["target"], pairs, strict=True)) == naive_edges(
            support, claim
        )
        known = own["support"].fillna(-1).to_numpy()
        assert (np.diff(known) <= 0).all()
    assert "C006" not in found
    assert edges_of_claims(support.head(0), claims) == {}


def test_best_edges_are_few_and_counted(inputs):
    table = inputs.claims.assign(pairs="LIG0^REC0_SUB", source="", target="")
    page, _ = panel(inputs.having(claims=table), "C001")
    part = section(page, "edges")
    assert len(part.tables[0].frame) == TOP_EDGES
    assert "The claim has 25 edges in Toy cohort" in part.body[0]


def test_unfit_claim_id_is_refused(inputs):
    claims = inputs.claims.assign(claim_id=["../C1", *inputs.claims["claim_id"][1:]])
    with pytest.raises(ValueError, match=r"'../C1' cannot name a page.*config/claims.tsv"):
        inputs.having(claims=claims).report()


def test_works_are_listed_once_in_order():
    text = [
        "a (doi:10.1214/aoms/1177730491), b doi:10.1016/S1470-2045(18)30742-3).",
        "arXiv:1802.03426. c",
        "again doi:10.1214/aoms/1177730491",
    ]
    names = ["10.1214/aoms/1177730491", "10.1016/S1470-2045(18)30742-3", "arXiv:1802.03426"]
    assert cited(text) == names
    body = works(text, {})
    assert body[0].startswith("1. Cell-Cell Interactome-Based")
    assert body[2] == "3. Title not recorded. doi:10.1016/S1470-2045(18)30742-3"


def test_every_work_of_the_methods_has_a_title(inputs):
    page = next(page for page in inputs.report().background if page.file == "methods.html")
    (methods,) = [part for part in page.sections if part.anchor == "methods"]
    assert set(cited(methods.body)) - {"10.1000/toy"} <= set(WORKS)
    (works,) = [part for part in page.sections if part.anchor == "references"]
    assert any(line.endswith("Source of the cohort Toy cohort. doi:10.1000/toy")
               for line in works.body)  # fmt: skip


def test_timings_are_summed_by_rule(tmp_path):
    head = "s\th:m:s\tmax_rss\n"
    (tmp_path / "score" / "d").mkdir(parents=True)
    (tmp_path / "score" / "d" / "a.tsv").write_text(head + "2.5\t0:00:02\t100.5\n")
    (tmp_path / "score" / "d" / "b.tsv").write_text(head + "4\t0:00:04\t-\n")
    (tmp_path / "report.tsv").write_text(head + "1\t0:00:01\t-\n")
    found = read_timings(tmp_path).set_index("rule")
    assert list(found.index) == ["report", "score"]
    assert tuple(found.loc["score"]) == (2, 6.5, 4.0, 100.5)
    assert np.isnan(found.loc["report", "max_rss"])
    assert read_timings(tmp_path / "absent").empty


def test_data_of_a_script_cannot_end_it():
    text = script_json({"label": "</script><!-- & <b>", "n": [1, 2.5]})
    assert not {"<", ">", "&"} & set(text)
    assert json.loads(text) == {"label": "</script><!-- & <b>", "n": [1, 2.5]}
    with pytest.raises(ValueError, match="not JSON compliant"):
        script_json({"n": float("nan")})


def test_figures_are_files_of_their_own(inputs):
    files = inputs.files()
    html = files["toy.html"]
    links = set(re.findall(r'href="(assets/[^"]+\.svg)" download', html))
    assert links
    assert links <= set(files)
    for name in links:
        assert files[name].startswith('<?xml version="1.0"')
        assert 'xmlns="http://www.w3.org/2000/svg"' in files[name]


def test_copies_lie_beside_the_pages(inputs, tmp_path):
    source = tmp_path / "support.parquet"
    source.write_bytes(b"\x00\x01")
    _, files = panel(inputs, "C006")
    write_report(files, tmp_path / "report", copies={"assets/s.parquet": str(source)})
    assert (tmp_path / "report" / "assets" / "s.parquet").read_bytes() == b"\x00\x01"
    with pytest.raises(ValueError, match=r"must lie inside"):
        write_report(files, tmp_path / "report", copies={"../s.parquet": str(source)})


def test_a_correlation_that_is_no_longer_in_the_table_of_claims(inputs):
    stray = inputs.verdicts.tail(1).assign(claim_id="C999", contrast="correlation")
    rows = inputs.patients.head(5).assign(claim_id="C999", along=[1.0, 2.0, 3.0, 4.0, 5.0])
    changed = inputs.having(
        verdicts=pd.concat([inputs.verdicts, stray], ignore_index=True),
        patients=pd.concat([inputs.patients, rows], ignore_index=True),
    )
    assert "other quantity" in changed.html("claims/C999.html")
