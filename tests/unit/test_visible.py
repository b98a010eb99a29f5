"""Characters that hide or reorder text, and cells that a spreadsheet would compute."""

import csv
import io
import json
import logging
import sys
import unicodedata
import xml.etree.ElementTree as ET
from types import SimpleNamespace

import networkx as nx
import pandas as pd
import pytest

from osteotalk import workflow
from osteotalk.interactions.network import to_graphml
from osteotalk.report.html.render import downloads, render
from osteotalk.report.html.svg import drawing_style, to_svg
from osteotalk.report.model import Column, Figure, Interactive, Page, Report, Section, Table
from osteotalk.visible import defused, visible

HIDDEN = ("Cc", "Cf", "Cs", "Zl", "Zp")
NAMES = ["OS\u202e1SO", "a\u2066b\u2069", "CD\u200b44", "x\x9by", "l\u200er", "\ufeff"]
SHOWN = [
    "OS\\u202e1SO",
    "a\\u2066b\\u2069",
    "CD\\u200b44",
    "x\\x9by",
    "l\\u200er",
    "\\ufeff",
]


def test_every_hidden_character_of_unicode_is_shown_and_no_other():
    for code in range(0x110000):
        char = chr(code)
        category = unicodedata.category(char)
        if category in HIDDEN and char not in "\t\n":
            assert visible(char).isascii(), hex(code)
            assert visible(char).encode().decode("unicode_escape") == char
        elif category != "Cn":  # what newer versions of Unicode may have assigned
            assert visible(char) == char, hex(code)


def test_names_are_shown():
    assert [visible(name) for name in NAMES] == SHOWN
    for name in ("HLA-A", "Patient 3, métastase", "骨肉瘤", "γδ T", "95 %\u00a0CI", "–1"):
        assert visible(name) == name


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\tx", "\r=1", " =1", "＝1", "-DLK1"],
)
def test_formulas_get_an_apostrophe(text):
    assert defused(text) == f"'{text}"


@pytest.mark.parametrize(
    "value",
    [
        "-1.5",
        "+3",
        "-1e-9",
        "-.5",
        "-inf",
        "-",
        "+",
        "COL1A1",
        "HLA-A",
        "a=b",
        "'=1",
        "",
        2.5,
        None,
    ],
)
def test_numbers_names_and_signs_stay(value):
    assert defused(value) is value


@pytest.fixture(scope="module")
def page():
    """A page with odd names wherever a name can stand."""
    with drawing_style():
        from matplotlib.figure import Figure as Drawing

        drawing = Drawing(figsize=(3, 2))
        axes = drawing.add_subplot()
        axes.set_title(NAMES[0])
        axes.set_xlabel(NAMES[1])
        svg = to_svg(drawing, uid="f", alt=f"Figure of {NAMES[2]}")
    frame = pd.DataFrame(
        {
            "name": ['=HYPERLINK("http://x")', *NAMES],
            "value": [-1.5, *range(len(NAMES))],
            "text": ["-1.5", "+x", "plain", "@a", "1", "", None],
            "mixed": pd.Series([1, None, "=2", 3, 4, 5, 6], dtype=object),
            "=kind": pd.Categorical(["-a"] * (1 + len(NAMES))),
        }
    )
    columns = (Column("name", f"Name {NAMES[0]}"), Column("value", "Value", "number"))
    table = Table("table-x", frame, NAMES[3], columns, download="assets/x.tsv", filters=("name",))
    data = {"names": NAMES, NAMES[0]: [{"a": NAMES[1]}]}
    view = Interactive("view", "network", NAMES[4], data, "")
    section = Section(
        "s",
        NAMES[0],
        NAMES[1],
        body=(f"see doi:10.1/x{NAMES[2]}",),
        figures=(Figure("fig", svg, "", NAMES[3]),),
        tables=(table,),
        verbatim=((NAMES[4], NAMES[5]),),
        interactive=view,
    )
    return Page("index.html", NAMES[0], (NAMES[1],), (section,), banner=NAMES[2], nav=NAMES[3])


def test_no_file_of_a_report_has_a_hidden_character(page):
    files = {n: t for n, t in render(Report(page, ())).items() if not n.endswith(".js")}
    assert {"index.html", "assets/x.tsv", "assets/index_fig.svg"} == set(files)
    for name, text in files.items():
        assert not [c for c in text if unicodedata.category(c) in HIDDEN and c not in "\t\n"], name
    for shown in SHOWN:
        assert shown in files["index.html"]
        assert shown in files["assets/x.tsv"]
    assert "Figure of CD\\u200b44" in files["assets/index_fig.svg"]
    assert SHOWN[0] in "".join(ET.fromstring(files["assets/index_fig.svg"]).itertext())


def test_the_data_of_a_drawn_view_hold_codes_and_not_the_characters(page):
    html = render(Report(page, ()))["index.html"]
    start = html.index(">", html.index('<script type="application/json"')) + 1
    data = json.loads(html[start : html.index("</script>", start)])
    assert data == {"names": SHOWN, SHOWN[0]: [{"a": SHOWN[1]}]}


def test_downloads_are_no_formulas_and_stay_what_they_were_otherwise(page):
    rows = list(csv.reader(io.StringIO(downloads(page)["assets/x.tsv"]), delimiter="\t"))
    assert rows[0] == ["name", "value", "text", "mixed", "'=kind"]
    assert rows[1] == ['\'=HYPERLINK("http://x")', "-1.5", "-1.5", "1", "'-a"]
    assert [row[2] for row in rows[2:]] == ["'+x", "plain", "'@a", "1", "", ""]
    assert [row[3] for row in rows[2:]] == ["", "'=2", "3", "4", "5", "6"]
    assert page.sections[0].tables[0].frame["name"][0].startswith("=")  # only the download


def test_logs_and_the_terminal_show_them(tmp_path, capsys):
    job = SimpleNamespace(log=[str(tmp_path / "job.log")])
    with pytest.raises(SystemExit), workflow.job_log(job):
        logging.getLogger("osteotalk.x").warning("sample %s", NAMES[0])
        sys.stdout.write("50 %\r100 %\r\nhalf \ud800\n")
        raise ValueError(NAMES[1])
    said = (tmp_path / "job.log").read_bytes().decode()
    assert f"sample {SHOWN[0]}\n50 %\n100 %\nhalf \\ud800\n" in said
    assert f"ValueError: {SHOWN[1]}\n" in said
    assert f"ValueError: {SHOWN[1]}\n" in capsys.readouterr().err


def test_a_graph_shows_them_and_stays_xml():
    edge = dict.fromkeys(("support", "support_low", "support_high"), 0.5) | dict.fromkeys(
        ("median_magnitude_rank", "median_specificity_rank"), 0.1
    )
    edge |= {"source": "tam", "target": NAMES[0], "n_active": 1, "n_informative": 2}
    edge |= {"ligand_complex": "SPP1", "receptor_complex": "CD44\x01"}
    known = pd.DataFrame({"population": ["tam"], "label": ["TAM\u202e\x02"], "colour": ["#123456"]})
    text = to_graphml(pd.DataFrame([edge]), cells={"tam": 3, NAMES[0]: 4}, populations=known)
    graph = nx.parse_graphml(text)
    assert graph.nodes["tam"]["label"] == "TAM\\u202e\\x02"
    assert set(graph) == {"tam", SHOWN[0]}
    ((_, target, found),) = graph.edges(data=True)
    assert (target, found["receptor"]) == (SHOWN[0], "CD44\\x01")
