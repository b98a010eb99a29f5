"""The rendered pages: complete, escaped, self-contained, and true to the tables."""

import io
import math
import posixpath
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from osteotalk import io as io_
from osteotalk.contract import conform
from osteotalk.report import Page, render

VOID = {"meta", "link", "br", "img", "input", "hr", "source"}


class Node(HTMLParser):
    """Elements, table cells and attributes of a page; fails on unbalanced tags."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.stack: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.tables: dict[str, list[list[str]]] = {}
        self.table: list[list[str]] | None = None
        self.group = False  # in a row that is the title of others
        self.text = ""
        self.feed(html)
        assert self.stack == []

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.elements.append((tag, found))
        if tag not in VOID:
            self.stack.append(tag)
        if tag == "table":
            self.table = self.tables.setdefault(found["id"], [])
        if self.table is not None and tag == "tr":
            self.group = "group" in (found.get("class") or "")
            if not self.group:
                self.table.append([])
        if self.table is not None and tag in {"td", "th"} and not self.group:
            self.table[-1].append("")

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.stack.pop() == tag
        if tag == "table":
            self.table = None

    def handle_data(self, data):
        if not {"script", "style"} & set(self.stack):
            self.text += data
        if self.table and {"td", "th"} & set(self.stack) and not self.group:
            self.table[-1][-1] += data

    def rows(self, table):
        """Rows of a table as mappings from heading to text."""
        head, *body = self.tables[table]
        return [
            {name: " ".join(text.split()) for name, text in zip(head, row, strict=True)}
            for row in body
        ]


def test_every_claim_is_on_the_index_in_table_order(inputs):
    rows = Node(inputs.html()).rows("table-verdicts-body")
    assert [row["Claim"] for row in rows] == list(inputs.claims["claim_id"])
    assert [row["Statement"].partition("Details")[0] for row in rows] == list(
        inputs.claims["statement"]
    )


def test_verdicts_have_symbol_and_words(inputs):
    rows = Node(inputs.html()).rows("table-verdicts-body")
    assert [row["Verdict"] for row in rows] == [
        "● supported",
        "◐ present, not specific",
        "◔ partly",
        "○ not supported",
        "✕ contradicted",
        "□ not testable",
        "? not evaluated",
    ]


@pytest.mark.parametrize(
    ("file", "table"), [("index.html", "table-verdicts"), ("toy.html", "table-claims")]
)
def test_numbers_of_claims_equal_the_result_tables(inputs, file, table):
    rows = Node(inputs.files()[file]).rows(f"{table}-body")
    source = inputs.verdicts if file == "index.html" else inputs.evidence
    known = source.set_index("claim_id")
    assert len(known) == 6
    for row in rows[:5]:
        result = known.loc[row["Claim"]]
        assert row["Result"] == (
            f"{result['n_active']} of {result['n_informative']} patients "
            f"({result['support_low']:.2f}–{result['support_high']:.2f})"
        )
        shown = row["Decoy q"]
        if math.isnan(result["decoy_q"]):
            assert shown == "– no decoy test"
        else:
            assert float(shown) == pytest.approx(result["decoy_q"], rel=0.05)
        assert row["Reason"] == result["reason"]
    assert rows[5]["Result"] == "– not measured"
    assert rows[5]["Reason"] == "not visible in RNA: vesicles"
    assert rows[6]["Result"] == "– not measured"


def test_headline_counts_untestable_and_missing_claims(inputs):
    text = Node(inputs.html()).text
    assert (
        "5 of 7 claims could be tested: 1 supported, 1 present, not specific, 1 partly, 1 not "
        "supported and 1 contradicted. 1 could not be tested. 1 has no result at all."
    ) in " ".join(text.split())


def test_supported_without_decoys_is_flagged(inputs):
    verdicts = inputs.verdicts.assign(decoy_q=np.nan)
    text = Node(inputs.having(verdicts=verdicts).html()).text
    assert "No decoy test stands behind 1 supported claim: C001." in text
    assert "No decoy test stands behind" not in Node(inputs.html()).text


def test_result_without_a_claim_is_shown(inputs):
    stray = inputs.verdicts.tail(1).assign(claim_id="C999")
    verdicts = pd.concat([inputs.verdicts, stray], ignore_index=True)
    rows = Node(inputs.having(verdicts=verdicts).html()).rows("table-verdicts-body")
    assert rows[-1]["Claim"] == "C999"
    assert rows[-1]["Statement"].startswith("Not in the table of claims.")


HOSTILE = "<script>alert('x')</script> & \"q\" $\\alpha$ {{ 7*7 }} _漢字_ " + "very long " * 30


def test_hostile_labels_are_escaped(inputs):
    changed = inputs.having(
        claims=inputs.claims.assign(
            statement=HOSTILE, theme=HOSTILE, drugs=HOSTILE, sources=HOSTILE, pairs=HOSTILE
        ),
        populations=inputs.populations.assign(label=HOSTILE),
        datasets=inputs.datasets.assign(title=HOSTILE, note=HOSTILE, doi='10.1/"><b>'),
        samples=inputs.samples.assign(patient=HOSTILE, condition=HOSTILE, histology=HOSTILE),
        clusters=inputs.clusters.assign(reason=HOSTILE),
        verdicts=inputs.verdicts.assign(verdict=HOSTILE, reason=HOSTILE, best_edge=HOSTILE),
    )
    for name, html in changed.files().items():
        if name.endswith(".html"):
            page = Node(html)
            assert "<script>alert" not in html
            assert [attrs for tag, attrs in page.elements if tag == "script" and not attrs] == [{}]
            assert not any(tag == "b" for tag, _ in page.elements)
            if name in ("index.html", "toy.html", "claims/C001.html", "methods.html"):
                assert "<script>alert('x')</script> & \"q\"" in page.text
                assert "{{ 7*7 }}" in page.text


def test_pages_load_nothing_from_the_network(simulated):
    for name, html in simulated.files().items():
        if not name.endswith(".html"):
            continue
        for tag, attrs in Node(html).elements:
            for attribute, value in attrs.items():
                if value is None or not re.search(r"https?:|//", value):
                    continue
                if attribute == "content":
                    assert attrs["http-equiv"] == "Content-Security-Policy"
                elif attribute == "xlink:href":
                    assert value.startswith("data:image/png;base64,")
                else:
                    assert (tag, attribute) == ("a", "href")
                    assert value.startswith("https://doi.org/10.")
        style = html[html.index("<style>") : html.index("</style>")]
        assert "url(" not in style
        assert "@import" not in style
        script = html[html.index("<script>") : html.index("</script>")]
        assert not re.search(r"fetch|XMLHttp|import|https?:", script)


def test_dois_of_brackets_and_semicolons_link(inputs):
    html = inputs.html("claims/C001.html")
    assert 'href="https://doi.org/10.1016/S1470-2045(18)30742-3">doi:10.1016/S1470-20' in html
    html = inputs.html("methods.html")
    assert 'href="https://doi.org/10.48550/arXiv.1802.03426">arXiv:1802.03426</a>' in html


def test_ids_are_unique_and_links_resolve(simulated):
    files = simulated.files()
    ids = {}
    for name in (name for name in files if name.endswith(".html")):
        found = [attrs["id"] for _, attrs in Node(files[name]).elements if attrs.get("id")]
        assert len(found) == len(set(found))
        ids[name] = set(found)
    assert len(ids) == 5 + 7
    for name, own in ids.items():
        for tag, attrs in Node(files[name]).elements:
            for attribute in ("aria-labelledby", "data-for"):
                if attribute in attrs:
                    assert attrs[attribute] in own
            link = attrs.get("href") if tag == "a" else attrs.get("xlink:href")
            if link is None or link.startswith(("https:", "data:")):
                continue
            page, _, anchor = link.partition("#")
            page = posixpath.normpath(posixpath.join(posixpath.dirname(name), page)) if page else ""
            if page.startswith("assets/"):
                assert page in files
            elif anchor:
                assert anchor in ids[page or name]
            else:
                assert page in ids
        for used in re.findall(r"url\(#([^)]+)\)", files[name]):
            assert used in own


def test_figures_have_text_and_caption(inputs):
    for html in (inputs.html(), inputs.dataset_html()):
        figures = re.findall(r"<figure.*?</figure>", html, flags=re.S)
        assert figures
        for figure in figures:
            alt = re.search(r'<svg [^>]*role="img" aria-label="([^"]+)"', figure)
            assert alt is not None
            assert len(alt.group(1)) > 20
            caption = re.search(r"<figcaption>(.+?)</figcaption>", figure, flags=re.S)
            assert caption is not None
            assert len(caption.group(1)) > 80
            assert "<text" in figure


def test_tables_have_caption_scope_and_scroll_region(inputs):
    page = Node(inputs.dataset_html())
    tags = [tag for tag, _ in page.elements]
    assert tags.count("caption") == tags.count("table") > 5
    assert all(
        attrs.get("scope") in {"col", "row", "rowgroup"}
        for tag, attrs in page.elements
        if tag == "th"
    )
    regions = [attrs for _, attrs in page.elements if attrs.get("class", "") == "scroll"]
    assert len(regions) == tags.count("table")
    assert all(r["tabindex"] == "0" and r["role"] == "region" and r["aria-label"] for r in regions)


def test_same_input_same_bytes(simulated):
    assert simulated.files(again=True) == simulated.files(again=True)


def test_downloads_hold_unrounded_values(inputs):
    files = inputs.files()
    table = pd.read_csv(io.StringIO(files["assets/toy_edges.tsv"]), sep="\t")
    assert list(table.columns[:3]) == ["dataset", "source", "target"]
    assert not any(name.startswith("_") for name in table.columns)
    assert len(table) == len(inputs.support)
    verdicts = pd.read_csv(io.StringIO(files["assets/verdicts.tsv"]), sep="\t")
    assert list(verdicts["claim_id"]) == list(inputs.claims["claim_id"])
    np.testing.assert_allclose(
        verdicts["support_low"][:6], inputs.verdicts["support_low"], rtol=1e-12
    )


def test_banner_for_simulated_cohorts_only(inputs, simulated):
    real_files, made_up_files = inputs.files(), simulated.files()
    for name in ("index.html", "toy.html"):
        real, made_up = real_files[name], made_up_files[name]
        assert "SIMULATED DATA" not in real
        assert "SIMULATED DATA: the cells of 'Toy cohort'" in Node(made_up).text
        figures = re.findall(r"<figure.*?</figure>", made_up, flags=re.S)
        assert all("SIMULATED DATA" in figure for figure in figures)
    assert "Simulated data: 5 of 7 claims could be tested" in Node(made_up_files["index.html"]).text


def test_truth_only_for_simulated_cohorts(inputs, simulated):
    assert 'id="truth"' not in inputs.dataset_html()
    assert 'id="truth"' not in inputs.having(truth=simulated.truth).dataset_html()
    page = Node(simulated.dataset_html())
    rows = {row["Verdict"]: row for row in page.rows("truth-verdicts-body")}
    assert rows["● supported"]["Claims that hold"] == "2"
    assert rows["○ not supported"]["Claims that do not"] == "4"
    values = {
        (row["Compared"], row["Quantity"]): row["Value"] for row in page.rows("truth-all-body")
    }
    assert values["edges / planted", "recovered"] == "17"
    assert values["cells", "unassigned"] == "– nothing to count"
    assert "17 of 18 planted edges that could be tested were found" in page.text


def test_zero_supported_edges_are_said(inputs):
    support = inputs.support.assign(support=0.2, n_active=1)
    html = inputs.having(support=support).dataset_html()
    assert "No edge of this cohort is supported, so no network is drawn." in Node(html).text
    assert 'id="figure-network"' not in html


def test_edges_say_in_how_many_patients_they_are_detected(inputs):
    support = inputs.support.assign(n_detected=range(len(inputs.support)))
    page = Node(inputs.having(support=support).dataset_html())
    rows = {
        (row["Source"], row["Target"], row["Ligand"], row["Receptor"]): row["Detected in"]
        for row in page.rows("table-edges-body")
    }
    assert len(rows) == len(support)
    keys = ["source_label", "target_label", "ligand_complex", "receptor_complex"]
    table = pd.read_csv(
        io.StringIO(inputs.having(support=support).files()["assets/toy_edges.tsv"]), sep="\t"
    )
    expected = table.set_index(keys)["n_detected"].astype(str).to_dict()
    assert rows == expected
    text = page.text
    assert "Detected in, those in whom both genes are detected, active or not" in text
    assert "medians over samples of osteotalk's consensus ranks" in text
    assert "LIANA's aggregated" not in text


def test_no_edges_at_all(inputs):
    text = Node(inputs.having(support=inputs.support.head(0)).dataset_html()).text
    assert "No edge of this cohort is supported" in text
    assert "The table shows 0 of 0 edges" in text


def test_one_sample(inputs, resampled):
    page = Node(resampled(inputs, ["S2"]).dataset_html())
    assert "1 patient, 1 sample," in page.text
    assert [row["Sample"] for row in page.rows("table-qc-body")] == ["S2"]


def test_samples_dropped_entirely_are_named(inputs):
    adata = inputs.adata[(inputs.adata.obs["sample"] != "S3").to_numpy()].copy()
    qc = [
        record | {"n_cells_kept": 0, "median_counts": None} if record["sample"] == "S3" else record
        for record in inputs.qc
    ]
    page = Node(inputs.having(adata=adata, qc=qc).dataset_html())
    assert "1 sample dropped entirely, without a kept cell: S3." in page.text
    row = page.rows("table-qc-body")[2]
    assert (row["Sample"], row["Kept"], row["Median counts"]) == ("S3", "0", "– no cell kept")


def test_missing_probabilities_are_dashes_with_a_meaning(inputs):
    rows = Node(inputs.dataset_html()).rows("table-clusters-body")
    assert (rows[0]["Probability"], rows[1]["Probability"]) == ("0.97", "– no name")
    assert rows[1]["Why unsure"] == "osteoclast 60%, none of the populations 30%"
    assert rows[0]["Why unsure"] == "– sure by its markers"


def test_no_nan_or_none_is_printed(simulated):
    for name, html in simulated.files().items():
        if name.endswith(".html"):
            assert not re.search(r">\s*(nan|NaN|None|<NA>|inf)\s*<", html)


def test_population_without_a_row_is_named_by_id(inputs):
    known = inputs.populations[inputs.populations["population"] != "tam"]
    page = Node(inputs.having(populations=known).dataset_html())
    assert "Not in the table of populations, shown by id: tam." in page.text
    assert "tam" in [row["Population"] for row in page.rows("table-composition-body")]


def test_cohort_without_umap(inputs):
    del inputs.adata.obsm["X_umap"]
    assert "The cohort has no UMAP, so none is drawn." in Node(inputs.dataset_html()).text


def test_large_umaps_are_raster_images(inputs, many_cells):
    def images(html):
        """Of the maps; a heat map is an image whatever its size."""
        figures = re.findall(r'<figure id="figure-umap.*?</figure>', html, flags=re.S)
        return sum(figure.count("data:image/png;base64") for figure in figures)

    big = inputs.having(adata=many_cells).dataset_html()
    assert images(big) > 1
    assert images(inputs.dataset_html()) == 0
    assert len(big) < 8_000_000


def test_same_dataset_twice_is_refused(inputs):
    page = Page(file="toy.html", title="t", lead=(), sections=())
    report = replace(inputs.report(), datasets=(page, page))
    with pytest.raises(ValueError, match=r"toy\.html twice"):
        render(report)


@pytest.mark.parametrize("name", ["../evil", "index", "", "a b"])
def test_unfit_dataset_id_is_refused(inputs, name):
    bad = inputs.having(datasets=inputs.datasets.assign(dataset=name))
    with pytest.raises(ValueError, match="cannot name a report page"):
        bad.dataset_page()


def test_several_cohorts_show_each_verdict(inputs):
    datasets = pd.concat(
        [inputs.datasets, inputs.datasets.assign(dataset="other", title="Other", patients_of="toy")]
    )
    changed = inputs.having(datasets=datasets)
    page = Node(changed.html())
    first = page.rows("table-verdicts-body")[0]
    assert (first["toy"], first["other"]) == ("●supported", "?not evaluated")
    assert "Not independent, the patients being those of another cohort: Other." in page.text
    cohort = page.rows("table-cohorts-body")[1]
    assert cohort["Cells kept"] == "– not reported"


def test_cohort_table_equals_the_inputs(inputs):
    row = Node(inputs.html()).rows("table-cohorts-body")[0]
    kept = len(inputs.adata)
    unsure = int((inputs.adata.obs["population"] == "unassigned").sum())
    supported = inputs.support[
        (inputs.support["support"] >= 0.5) & (inputs.support["n_informative"] >= 3)
    ]
    assert row["Cells kept"] == str(kept)
    assert row["Droplets"] == str(kept + 150)
    assert row["Unassigned"] == str(unsure)
    assert row["Populations"] == "5"
    assert row["Edges"] == str(len(inputs.support))
    assert row["Supported edges"] == str(len(supported))


def test_tables_as_read_from_disk_give_the_same_pages(inputs, tmp_path):
    def through_disk(frame, table):
        io_.write_tsv(conform(frame, table=table), tmp_path / table, table=table)
        return io_.read_tsv(tmp_path / table, table=table)

    read = inputs.having(
        evidence=through_disk(inputs.evidence, "evidence"),
        verdicts=through_disk(inputs.verdicts, "verdicts"),
        clusters=through_disk(inputs.clusters, "annotation"),
        support=conform(inputs.support, table="support"),
    )
    assert str(read.evidence["n_active"].dtype) == "Int64"
    assert read.html() == inputs.html()
    assert read.dataset_html() == inputs.dataset_html()
