"""The table of claims and its figures: kinds, contrasts, decoys and response in words."""

import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from skimage.color import deltaE_ciede2000, rgb2lab

from osteotalk.contract import TABLES, empty_frame
from osteotalk.report import Page, Report, Section, render
from osteotalk.report.figures.contrasts import LEVELS, RHO, SHARES, contrast_figure, panel_names
from osteotalk.report.html.render import TEMPLATES
from osteotalk.report.sections import verdicts as verdicts_of
from osteotalk.report.sections.claims import few_patients, section, undecoyed
from osteotalk.report.sections.verdicts import per_cohort
from osteotalk.report.tables.claims import claims_table, with_verdicts
from osteotalk.report.words.claims import (
    Names,
    combined_words,
    headline,
    kind_words,
    listed_ids,
    matched_words,
    measured_words,
    population_words,
    programme_labels,
    response_words,
    result_words,
    short_name,
)
from osteotalk.report.words.text import VERDICTS
from osteotalk.report.words.vocabulary import vocabulary

NAN = float("nan")
BLANK = {
    **dict.fromkeys(
        ("pairs", "genes", "signature", "source", "target", "contrast", "contrast_with",
         "response", "reason", "theme", "route", "caveat"), ""
    ),
    "direction": "present",
    "kind": "interaction",
    "statement": "A statement on cells of a tumour.",
}  # fmt: skip
CONTRASTS = [
    {"claim_id": "K1", "kind": "expression", "genes": "FAS", "source": "malignant",
     "contrast": "conditions", "direction": "lower", "contrast_with": "lung_metastasis>primary"},
    {"claim_id": "K2", "kind": "composition", "source": "tam", "contrast": "conditions",
     "direction": "higher", "contrast_with": "lung_metastasis>primary"},
    {"claim_id": "K3", "kind": "signature", "signature": "hypoxia", "source": "malignant",
     "contrast": "correlation", "direction": "higher", "contrast_with": "gene:VEGFA@malignant"},
    {"claim_id": "K4", "kind": "interaction", "pairs": "A^B;C^D", "source": "tam",
     "target": "malignant", "contrast": "conditions", "direction": "higher",
     "contrast_with": "lung_metastasis>primary"},
]  # fmt: skip


def result(claim_id, verdict, kind="interaction", contrast="", **numbers):
    empty = {name: NAN if kind_ == "number" else 0 for name, kind_ in TABLES["evidence"].items()}
    texts = {name: "" for name, kind_ in TABLES["evidence"].items() if kind_ == "text"}
    known = {"claim_id": claim_id, "dataset": "toy", "kind": kind, "contrast": contrast}
    return empty | texts | known | {"verdict": verdict, "reason": "so it is"} | numbers


def effects(claim_id, verdict, kind, contrast, effect, low, high, p, n=8):
    bounds = {"effect": effect, "effect_low": low, "effect_high": high, "direction_p": p}
    return result(claim_id, verdict, kind, contrast, n_informative=n, decoy_p=0.01, decoy_q=0.02,
                  n_decoys=300, **bounds)  # fmt: skip


RESULTS = [
    effects("K1", "supported", "expression", "conditions", -1.25, -2.0, -0.5, 0.0179),
    effects("K2", "contradicted", "composition", "conditions", -0.8, -1.2, -0.3, 0.99),
    effects("K3", "inconclusive", "signature", "correlation", 0.4, -0.3, 0.82, 0.12),
    result("K4", "not testable", "interaction", "conditions", n_informative=4),
]


@pytest.fixture
def names(inputs):
    return Names(vocabulary(inputs.populations), {"hypoxia": "Hypoxia", "nfkb": "NF-kB response"})


@pytest.fixture
def claims():
    return pd.DataFrame([BLANK | row for row in CONTRASTS])


@pytest.fixture
def frame(claims, names):
    return with_verdicts(claims, pd.DataFrame(RESULTS), names=names)


def html_of(section):
    page = Page(file="index.html", title="t", lead=(), sections=(section,))
    return render(Report(index=page, datasets=()))["index.html"]


def test_a_claim_has_its_route_in_the_words_of_the_network(names):
    routes = ("soluble", "vesicle", "contact", "matrix", "intracellular", "")
    claims = pd.DataFrame([BLANK | {"claim_id": f"K{i}", "route": r} for i, r in enumerate(routes)])
    results = pd.DataFrame([result(name, "supported") for name in claims["claim_id"]])
    frame = with_verdicts(claims, results, names=names)
    assert list(frame["_route"]) == [
        "secreted", "secreted, in vesicles", "contact", "matrix", "intracellular", ""
    ]  # fmt: skip
    assert list(frame["route"]) == list(routes)  # downloads keep the words of config/claims.tsv


@pytest.mark.parametrize(
    ("row", "text"),
    [
        (
            {"pairs": "A^B;C^D_E", "source": "malignant;tam", "target": "endothelial"},
            "A^B and C^D_E from Malignant and Tumour-associated macrophage to Endothelial cell",
        ),
        (
            {"kind": "expression", "genes": "MRC2;MMP14", "source": "tam", "target": ""},
            "MRC2 and MMP14 in Tumour-associated macrophage, compared with all other populations",
        ),
        (
            {"kind": "signature", "signature": "nfkb", "source": "tam", "target": "cd8_t"},
            "programme NF-kB response in Tumour-associated macrophage, compared with CD8 T cell",
        ),
        (
            {"kind": "composition", "source": "tam_spp1", "target": "tam"},
            "share of SPP1+ macrophage among Tumour-associated macrophage",
        ),
        (CONTRASTS[0], "FAS in Malignant: lower in lung_metastasis than in primary"),
        (
            CONTRASTS[1],
            "share of Tumour-associated macrophage among all cells that have a name: higher in "
            "lung_metastasis than in primary",
        ),
        (CONTRASTS[2], "programme Hypoxia in Malignant: rises with VEGFA in Malignant"),
        (
            CONTRASTS[2] | {"contrast_with": "share:tam+cd8_t", "direction": "lower"},
            "programme Hypoxia in Malignant: falls with the share of Tumour-associated macrophage "
            "and CD8 T cell",
        ),
        (
            CONTRASTS[2] | {"contrast_with": "signature:nfkb@tam"},
            "programme Hypoxia in Malignant: rises with programme NF-kB response in "
            "Tumour-associated macrophage",
        ),
        ({"kind": "not_testable", "source": "tam"}, ""),
    ],
)
def test_what_is_measured_is_said(row, text, names):
    assert measured_words(BLANK | row, names) == text


def test_kinds_and_short_names():
    assert kind_words(CONTRASTS[1]) == "composition, between conditions"
    assert kind_words(CONTRASTS[2]) == "signature, correlation"
    assert kind_words({"kind": "interaction", "contrast": NAN}) == "interaction"
    assert [short_name(BLANK | row) for row in CONTRASTS] == [
        "FAS", "share of tam", "hypoxia", "A^B +1"
    ]  # fmt: skip
    assert short_name(BLANK | {"pairs": "LONGLIGAND^LONGRECEPTOR"}, width=9) == "LONGLIGA…"
    assert listed_ids(list("abcd"), most=2) == "a, b and 2 more"
    table = pd.DataFrame({"signature": ["x", "x"], "label": ["X rays"] * 2, "gene": ["A", "B"]})
    assert programme_labels(table) == {"x": "X rays"}
    assert programme_labels(None) == {}


def test_results_of_plain_claims_and_contrasts():
    assert result_words(RESULTS[0]) == "difference -1.2 (-2 to -0.5), p = 0.018; 8 patients"
    assert result_words(RESULTS[2]) == "rho 0.4 (-0.3 to 0.82), p = 0.12; 8 patients"
    assert result_words(RESULTS[3]) == ""
    plain = {"n_informative": 7, "n_active": 5, "support_low": 0.3589, "support_high": 0.9178}
    assert result_words(result("C1", "partly", **plain)) == "5 of 7 patients (0.36–0.92)"
    assert result_words(result("C1", "not testable", n_informative=0)) == ""
    combined = RESULTS[0] | {"effect_low": NAN, "effect_high": NAN}
    assert result_words(combined) == "difference -1.2, p = 0.018; 8 patients"


def test_decoys_in_words():
    row = result("C1", "supported", decoy_p=0.0138, n_decoys=217, population_p=0.00099,
                 n_population_decoys=1000, pairs="A^B")  # fmt: skip
    assert matched_words(row) == "p = 0.014 against 217 other pairs"
    assert matched_words(row | {"pairs": "A^B;C^D"}).endswith("sets of other pairs")
    assert population_words(row) == "p = 0.00099 against 1,000 other sets of populations"
    genes = row | {"kind": "expression", "genes": "FAS"}
    assert matched_words(genes) == "p = 0.014 against 217 other genes"
    assert population_words(genes) == ""
    bare = result("C1", "present, not specific", n_informative=5)
    assert matched_words(bare) == "not tested: too few other pairs match"
    assert matched_words(bare | {"verdict": "not testable"}) == ""
    # Detected in no patient: no test of direction, so none against decoys.
    assert matched_words(RESULTS[3] | {"verdict": "not supported"}) == ""


@pytest.mark.parametrize(
    ("low", "high", "ending"),
    [
        (-0.2, 0.8, "rho 0.4 (-0.2 to 0.8) in 7 patients; neither for nor against the claim"),
        (0.1, 0.8, "rho 0.4 (0.1 to 0.8) in 7 patients; goes with the claim, which proves no "
         "signalling"),
        (-0.9, -0.1, "rho 0.4 (-0.9 to -0.1) in 7 patients; goes against the claim"),
        (NAN, NAN, "rho 0.4 in 7 patients; neither for nor against the claim"),
    ],
)  # fmt: skip
def test_response_check_supports_at_most(low, high, ending, names):
    row = {"response": "nfkb", "n_response": 7, "response_effect": 0.4, "response_low": low,
           "response_high": high}  # fmt: skip
    assert response_words(row, names) == f"NF-kB response in the receivers: {ending}"


def test_response_check_without_a_number(names):
    row = {"response": "nfkb", "n_response": 3, "response_effect": NAN}
    assert response_words(row, names).endswith("3 patients, too few or without variation")
    assert response_words({"response": "nfkb", "n_response": 0}, names) == ""


def test_cohorts_and_their_spread():
    assert combined_words({"n_datasets": 1, "i_squared": NAN}) == "1 cohort"
    three = {"n_datasets": 3, "i_squared": 0.424, "cohorts": "a: partly; b: supported; c: partly"}
    assert combined_words(three).startswith(
        "3 cohorts (a: partly, b: supported, c: partly); I² 0.42:"
    )
    assert combined_words({"n_datasets": 0}) == ""
    assert combined_words({}) == ""


def test_every_claim_is_shown_once(claims, names):
    found = with_verdicts(claims, pd.DataFrame(RESULTS[:2]), names=names)
    assert list(found["claim_id"]) == list(claims["claim_id"])
    assert list(found["verdict"]) == ["supported", "contradicted", *["not evaluated"] * 2]
    # Kind and contrast are those of the table of claims where there is no result.
    assert list(found["_kind"])[2:] == ["signature, correlation", "interaction, between conditions"]
    assert list(found["reason"]) == ["so it is", "so it is", "", ""]


@pytest.mark.parametrize("which", ["table of claims", "result table"])
def test_claims_that_come_twice_are_refused(which, claims, names):
    results = pd.DataFrame(RESULTS)
    doubled = pd.concat([claims if which == "table of claims" else results] * 2).iloc[:5]
    tables = (doubled, results) if which == "table of claims" else (claims, doubled)
    with pytest.raises(ValueError, match=rf"the {which} holds K1 more than once.*5 rows in all"):
        with_verdicts(*tables, names=names)


def test_headline_says_what_could_be_tested(frame):
    text = headline(frame, mark="SIMULATED DATA")
    assert text == (
        "Simulated data: 3 of 4 claims could be tested: 1 supported, 1 contradicted and 1 "
        "inconclusive. 1 could not be tested. 4 claims are contrasts between patients, which asks "
        "for more of them: 3 of 4 could be tested."
    )
    assert headline(frame.head(0)) == "0 of 0 claims could be tested. 0 could not be tested."


def test_row_holds_little_and_leads_to_the_panel(inputs, claims):
    themed = claims.assign(theme=["immune", "msc", "msc", "matrix"])
    own = inputs.having(evidence=pd.DataFrame(RESULTS), claims=themed)
    html = html_of(section(own.view()))
    titles = re.findall(r'<th colspan="7" scope="rowgroup">(?:<span>)?([^<]+)<', html)
    assert titles == ["Immune cells", "Mesenchymal stromal cells", "Matrix"]
    ids = re.findall(r'<tr id="row-(K\d)" data-f0="[^"]+" data-f1="([^"]+)"', html)
    assert dict(ids) == {"K1": "Immune cells", "K2": "Mesenchymal stromal cells",
                         "K3": "Mesenchymal stromal cells", "K4": "Matrix"}  # fmt: skip
    assert '<a href="claims/K1.html">K1</a>' in html
    assert "<details" not in html


def test_without_panels_details_hold_the_rest(claims, names):
    results = pd.DataFrame(RESULTS).assign(circular=["gene FAS is a marker of tam", "", "", ""])
    themed = claims.assign(caveat="mind <this>", theme=["immune", "msc", "msc", "matrix"])
    frame = with_verdicts(themed, results, names=names)
    table = claims_table(frame, anchor="t", caption="c", download="assets/t.tsv", panels=False)
    html = html_of(Section("s", "s", "s", tables=(table,)))
    heads = re.findall(r'<th scope="col"[^>]*>([^<]+)</th>', html)
    assert heads == [
        "Claim", "Statement", "Verdict", "Kind", "Result", "Decoy q", "Reason"
    ]  # fmt: skip
    rows = re.findall(r"<tr data-f0.*?</tr>", html, flags=re.S)
    assert len(rows) == 4
    assert (
        'data-f0="supported" data-f1="immune" data-f2="expression, between conditions"' in rows[0]
    )
    folded = re.search(r"<details class=\"more\">.*?</details>", rows[0], flags=re.S).group()
    for text in ("gene FAS is a marker of tam", "mind &lt;this&gt;", "against 300 other genes",
                 "lower in lung_metastasis than in primary"):  # fmt: skip
        assert text in folded
    assert "<dt>Response check" not in folded  # nothing to say is not printed
    options = re.findall(r"<option>([^<]+)</option>", html)
    assert {"immune", "contradicted", "signature, correlation"} <= set(options)


def test_index_has_cohorts_only_if_there_are_several(claims, names):
    results = pd.DataFrame(RESULTS)
    verdicts = results.assign(n_datasets=2, i_squared=0.3, cohorts="toy: x; two: y")
    cohorts = pd.DataFrame({"dataset": ["toy", "two"]})
    both = pd.concat([results, results.head(1).assign(dataset="two", verdict="not testable")])
    told = per_cohort(claims["claim_id"], both, cohorts)
    assert told[0] == (
        "toy: ● supported, difference -1.2 (-2 to -0.5), p = 0.018; 8 patients; two: □ not testable"
    )
    for datasets, n in ((cohorts, 1), (cohorts.head(1), 0)):
        frame = with_verdicts(claims, verdicts, names=names)
        run = SimpleNamespace(
            frame=frame, overall=SimpleNamespace(evidence=both), datasets=datasets
        )
        section = verdicts_of.section(run)
        html = html_of(section)
        assert re.findall(r'<th scope="col" class="sym">(\w+)</th>', html) == ["toy", "two"] * n
        (row,) = re.findall(r'<tr id="row-K1".*?</tr>', html, flags=re.S)
        told = re.findall(r'<span class="vh">([^<]+)</span></span></td>', row)
        assert told == ["supported", "not testable"] * n
        assert section.tables[0].frame["per_cohort"].iloc[0].startswith("toy: ● supported")
        assert frame["_combined"].str.startswith("2 cohorts (toy: x, two: y); I² 0.30").all()


def test_contrasts_have_one_axis_per_unit(frame):
    tested = frame[frame["verdict"] != "not testable"]
    assert panel_names(tested) == [LEVELS, SHARES, RHO]
    svg = contrast_figure(tested, uid="c", alt="x")
    for text in (LEVELS, SHARES, RHO, "lung_metastasis less primary", "← lower", "→ higher"):
        assert text in svg
    assert svg.count("stated") == 1
    assert panel_names(tested.head(1)) == [LEVELS]


def test_forests_keep_plain_claims_and_contrasts_apart(inputs, claims, names):
    every = pd.concat([inputs.claims, claims], ignore_index=True)
    results = pd.concat([inputs.evidence, pd.DataFrame(RESULTS)], ignore_index=True)
    own = inputs.having(evidence=results, claims=every, parameters={})
    support, contrasts = section(own.view()).figures
    assert (support.anchor, contrasts.anchor) == ("figure-support", "figure-contrasts")
    assert "K1" not in support.alt
    assert "C001" not in contrasts.alt
    assert "K2 contradicted, difference -0.8 (-1.2 to -0.3)" in contrasts.alt
    assert "K4" not in contrasts.alt
    assert "1 contrast could not be tested" in contrasts.caption
    (note,) = few_patients(with_verdicts(every, results, names=names))
    assert "the smallest here has 8 patients" in note


def test_nothing_to_draw_draws_nothing(inputs, claims, names):
    found = section(inputs.having(evidence=empty_frame("evidence"), claims=claims).view())
    assert found.figures == found.caveats == ()
    assert undecoyed(with_verdicts(claims, empty_frame("evidence"), names=names)) == ()


def linear(colour):
    parts = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def contrast(one, two):
    high, low = sorted((linear(c) @ [0.2126, 0.7152, 0.0722] for c in (one, two)), reverse=True)
    return (high + 0.05) / (low + 0.05)


# Machado et al. 2009, doi:10.1109/TVCG.2009.113, full severity, in linear RGB.
SIGHT = {
    "full": np.eye(3),
    "no red": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
               [-0.003882, -0.048116, 1.051998]],
    "no green": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                 [-0.011820, 0.042940, 0.968881]],
    "no blue": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
                [0.004733, 0.691367, 0.303900]],
}  # fmt: skip


@pytest.mark.parametrize("sight", SIGHT)
def test_colours_of_verdicts_can_be_told_apart(sight):
    seen = np.clip([np.array(SIGHT[sight]) @ linear(look.colour) for look in VERDICTS], 0, 1)
    gamma = np.where(seen <= 0.0031308, seen * 12.92, 1.055 * seen ** (1 / 2.4) - 0.055)
    lab = rgb2lab(gamma)
    apart = deltaE_ciede2000(lab[:, None], lab[None])[np.triu_indices(len(lab), 1)]
    assert apart.min() > 12


def test_verdicts_can_be_read_in_light_and_dark():
    assert [look.name for look in VERDICTS][-2:] == ["inconclusive", "not testable"]
    assert all(contrast(look.colour, "#FFFFFF") >= 4.5 for look in VERDICTS)
    style = (TEMPLATES / "style.css").read_text()
    light, dark = (dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", part))
                   for part in style.split("@media (prefers-color-scheme: dark)"))  # fmt: skip
    for look in VERDICTS:
        slug = re.sub(r"[^a-z]+", "-", look.name)
        rule = re.search(rf"\.v-{slug} {{ color: var\(--(\w+)\)", style)
        ink = rule.group(1) if rule else "none"
        for theme in (light, dark):
            assert contrast(theme[ink], theme["card"]) >= 4.5, (look.name, ink)
