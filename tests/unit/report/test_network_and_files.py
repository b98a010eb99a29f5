"""Counting of edges, their order, figures and files on disk."""

import pandas as pd
import pytest

from osteotalk.report import write_report
from osteotalk.report.figures.base import ink, legend_label
from osteotalk.report.figures.network import (
    connected_pairs,
    matrix_figure,
    network_figure,
    population_matrix,
    supported_edges,
)
from osteotalk.report.sections.edges import top_edges
from osteotalk.report.words.vocabulary import vocabulary


def edges(rows):
    frame = pd.DataFrame(rows, columns=["source", "target", "support", "n_informative"])
    return frame.assign(ligand_complex="L", receptor_complex="R", median_specificity_rank=0.5)


def test_supported_edges_need_support_and_patients():
    table = edges([("a", "b", 0.5, 3), ("a", "b", 0.49, 9), ("b", "a", 1.0, 2), ("b", "b", 1.0, 4)])
    strong = supported_edges(table, min_support=0.5, min_patients=3)
    assert list(strong.index) == [0, 3]


def test_matrix_counts_every_pair_of_populations():
    table = edges([("a", "b", 1, 3), ("a", "b", 1, 3), ("b", "b", 1, 3)])
    matrix = population_matrix(table, populations=["b", "a", "c"])
    expected = pd.DataFrame(
        [[1, 0, 0], [2, 0, 0], [0, 0, 0]], index=["b", "a", "c"], columns=["b", "a", "c"]
    )
    pd.testing.assert_frame_equal(matrix, expected)
    assert connected_pairs(matrix) == [("b", "b", 1), ("a", "b", 2)]
    assert population_matrix(table.head(0), populations=["a"]).to_numpy().tolist() == [[0]]


def test_top_edges_put_well_founded_support_first():
    table = edges([("a", "b", 1.0, 1), ("c", "b", 0.6, 5), ("d", "b", 0.9, 4), ("e", "b", 0.9, 4)])
    table.loc[3, "median_specificity_rank"] = 0.1
    best = top_edges(table, min_patients=3, limit=4)
    assert list(best["source"]) == ["e", "d", "c", "a"]
    assert list(top_edges(table, min_patients=3, limit=2)["source"]) == ["e", "d"]


def test_network_draws_one_arrow_per_pair_and_rings_for_loops(inputs):
    words = vocabulary(inputs.populations)
    names = ["tam", "cd8_t", "osteoclast"]
    matrix = pd.DataFrame([[2, 5, 0], [0, 0, 0], [1, 0, 0]], index=names, columns=names)
    svg = network_figure(matrix, cells={"tam": 30}, words=words, uid="n", alt="x")
    assert "Tumour-associated macrophage" in svg
    assert "30 cells" in svg
    empty = network_figure(matrix * 0, cells={"tam": 30}, words=words, uid="n", alt="x")
    drawn, bare = svg.count('id="n-patch_'), empty.count('id="n-patch_')
    assert drawn - bare == 3
    heat = matrix_figure(matrix, words=words, uid="m", alt="x")
    assert heat.count(">5</text>") == 1


def test_vocabulary_orders_and_falls_back(inputs):
    words = vocabulary(inputs.populations)
    order = words.order(["zeta", "unassigned", "cd8_t", "tam", "tam"])
    assert order == ["tam", "cd8_t", "zeta", "unassigned"]
    assert words.colour("tam") == "#4477AA"
    assert words.label("zeta") == "zeta"
    assert words.unknown(order) == ["zeta"]


def test_labels_stay_visible():
    assert ink("#FFFFFF") == "#000000"
    assert ink("#332288") == "#FFFFFF"
    assert legend_label("_hidden").lstrip("\u2009") == "_hidden"
    assert not legend_label("_hidden").startswith("_")


def test_report_is_written_whole(tmp_path):
    folder = tmp_path / "results" / "report"
    write_report({"index.html": "old"}, folder)
    write_report({"index.html": "é", "assets/t.tsv": "a\tb\n"}, folder)
    assert (folder / "index.html").read_text(encoding="utf-8") == "é"
    assert (folder / "assets" / "t.tsv").read_bytes() == b"a\tb\n"
    assert sorted(p.name for p in folder.iterdir()) == [".files.txt", "assets", "index.html"]


def test_paths_out_of_the_folder_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"must lie inside .*; found \.\./evil\.html"):
        write_report({"../evil.html": "x"}, tmp_path / "report")
    assert list(tmp_path.iterdir()) == []
