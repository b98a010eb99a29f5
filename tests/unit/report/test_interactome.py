"""The data of the interactive network, counted again edge by edge; its section and figures."""

import json
import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

from osteotalk.report.figures.edges import JOINS, PAIRS, chosen_edges, edges_figure
from osteotalk.report.figures.flows import CHORDS, chord_figure, sankey_figure, strongest_flows
from osteotalk.report.figures.network import supported_edges
from osteotalk.report.sections import network
from osteotalk.report.tables.interactome import BEST_PAIRS, CLAIM_EDGES, Limits, interactome
from osteotalk.report.words.routes import ROUTES, read_routes
from osteotalk.report.words.vocabulary import vocabulary

NAMES = ["malignant", "malignant_osteoblastic", "endothelial", "tam", "osteoclast", "cd8_t", "odd"]
ROUTE_ROWS = [("L1*", "secreted"), ("L2", "contact"), ("L3", "matrix"), ("L12", "contact")]
EVIL = "<b>\"Ω' & </script>"


def make_support(n=3000, seed=7):
    """Random edges between all populations, each once; some with too few patients or no score."""
    rng = np.random.default_rng(seed)
    every = [(s, t, f"L{i}", f"R{i % 5}") for s in NAMES for t in NAMES for i in range(80)]
    chosen = [every[i] for i in rng.choice(len(every), n, replace=False)]
    frame = pd.DataFrame(chosen, columns=["source", "target", "ligand_complex", "receptor_complex"])
    frame["n_informative"] = rng.integers(0, 11, n)
    frame["n_active"] = rng.integers(0, frame["n_informative"] + 1)
    with np.errstate(invalid="ignore"):
        frame["support"] = frame["n_active"] / frame["n_informative"]
    rank = rng.random(n).round(2)
    frame["median_specificity_rank"] = np.where(rng.random(n) < 0.1, np.nan, rank)
    return frame.assign(dataset="toy", n_detected=1, support_low=0.1, support_high=0.9,
                        median_magnitude_rank=0.5, patients="")  # fmt: skip


def make_claims():
    rows = [
        ("C1", "immune", "interaction", "L1^R1;L2^R2", "malignant", "tam;cd8_t", "One."),
        ("C2", "immune", "interaction", "L1^R1", "malignant", "tam", "Two."),
        ("C3", "vessels", "interaction", ";".join(f"L{i}^R{i % 5}" for i in range(80)),
         ";".join(NAMES[:-1]), ";".join(NAMES[:-1]), f"Three {EVIL}" + "x" * 200),
        ("C4", "vessels", "interaction", "NOT^THERE", "tam", "tam", "Four."),
        ("C5", "matrix", "expression", "", "tam", "", "Five."),
    ]  # fmt: skip
    names = ["claim_id", "theme", "kind", "pairs", "source", "target", "statement"]
    return pd.DataFrame(rows, columns=names).assign(route="soluble")


@pytest.fixture
def populations(inputs):
    return inputs.populations


@pytest.fixture
def routes():
    return read_routes(pd.DataFrame(ROUTE_ROWS, columns=["ligand", "route"]), make_claims())


@pytest.fixture
def build(populations, routes):
    def make(support, *, limits=Limits(0.5, 3), claims=None):  # noqa: B008
        claims = make_claims() if claims is None else claims
        return interactome(
            support, names=NAMES, cells={"tam": 7}, claims=claims,
            populations=populations, routes=routes, words_of=vocabulary(populations), limits=limits,
        )  # fmt: skip

    return make


def told(data, rows):
    """Counts of rows by name instead of position."""
    found = {}
    for source, target, route, lowest, *counts in rows:
        assert counts[0] > 0
        assert counts[-1] > 0
        for level, edges in enumerate(counts, lowest):
            key = (NAMES[source], NAMES[target], data["routes"][route], data["supports"][level])
            assert key not in found
            if edges:
                found[key] = edges
    return found


def shown_from(data, level):
    """Edges of all rows in a class of support or above."""
    return sum(sum(row[4:][max(level - row[3], 0) :]) for row in data["rows"])


def counted(edges, routes, bounds):
    """The same, edge by edge."""
    found = Counter()
    for edge in edges:
        below = [bound for bound in bounds if edge["support"] >= bound]
        found[edge["source"], edge["target"], routes.of(edge["ligand_complex"]), max(below)] += 1
    return dict(found)


def key_of(edge):
    rank = edge["median_specificity_rank"]
    return (-edge["support"], math.isnan(rank), rank if rank == rank else 0,
            edge["ligand_complex"], edge["receptor_complex"])  # fmt: skip


@pytest.mark.parametrize("limit", [0.5, 0.35, 0.0, 1.0])
def test_every_edge_is_counted_once(build, routes, limit):
    support = make_support()
    data = build(support, limits=Limits(limit, 3))
    edges = support.to_dict("records")
    enough = [edge for edge in edges if edge["n_informative"] >= 3]
    active = [edge for edge in enough if edge["n_active"] >= 1]
    bounds = sorted({0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, limit})
    assert data["supports"] == bounds
    assert told(data, data["rows"]) == counted(active, routes, bounds)
    assert data["few"] == len(edges) - len(enough)
    assert data["inactive"] == len(enough) - len(active)
    assert data["edges"] == len(edges)
    assert shown_from(data, 0) + data["few"] + data["inactive"] == len(edges)
    strong = supported_edges(support, min_support=limit, min_patients=3)
    assert shown_from(data, bounds.index(limit)) == (strong["n_active"] > 0).sum()
    assert json.loads(json.dumps(data, allow_nan=False)) == data


def test_bounds_take_in_their_lower_end(build):
    support = make_support().head(3)
    support["n_informative"], support["n_active"] = 10, [1, 7, 10]
    support["support"] = [0.1, 0.7, 1.0]
    data = build(support)
    assert sorted(data["supports"][row[3]] for row in data["rows"]) == [0.1, 0.7, 1.0]
    support["support"] = [math.nextafter(0.1, 0), 0.7 - 1e-12, 0.999]
    data = build(support)
    assert sorted(data["supports"][row[3]] for row in data["rows"]) == [0.0, 0.6, 0.9]


def test_best_pairs_of_every_source_target_and_route(build, routes):
    support = make_support()
    data = build(support)
    active = [
        e for e in support.to_dict("records") if e["n_active"] >= 1 <= e["n_informative"] // 3
    ]
    groups = {}
    for edge in sorted(active, key=key_of):
        route = routes.of(edge["ligand_complex"])
        groups.setdefault((edge["source"], edge["target"], route), []).append(edge)
    found = {}
    for source, target, pair, n_active, n_informative in data["best"]:
        ligand, receptor, route = data["pairs"][pair]
        listed = found.setdefault((NAMES[source], NAMES[target], ROUTES[route]), [])
        listed.append((ligand, receptor, n_active, n_informative))
    names = ["ligand_complex", "receptor_complex", "n_active", "n_informative"]
    expected = {k: [tuple(e[n] for n in names) for e in g[:BEST_PAIRS]] for k, g in groups.items()}
    assert found == expected
    joined = {}  # the best of all routes together are in order too
    for source, target, _, n_active, n_informative in data["best"]:
        joined.setdefault((source, target), []).append(n_active / n_informative)
    assert all(shares == sorted(shares, reverse=True) for shares in joined.values())


def test_claims_have_their_own_edges_and_themes_count_them_once(build, routes):
    support = make_support()
    data = build(support)
    below = {"malignant": {"malignant", "malignant_osteoblastic"}}
    own = {}
    for claim in make_claims().to_dict("records")[:4]:
        sides = [
            {leaf for name in claim[side].split(";") for leaf in below.get(name, {name})}
            for side in ("source", "target")
        ]
        own[claim["claim_id"]] = [
            i
            for i, edge in enumerate(support.to_dict("records"))
            if f"{edge['ligand_complex']}^{edge['receptor_complex']}" in claim["pairs"].split(";")
            and edge["source"] in sides[0]
            and edge["target"] in sides[1]
            and edge["n_active"] >= 1
        ]
    edges = support.to_dict("records")
    assert [claim["id"] for claim in data["claims"]] == list(own)
    for claim in data["claims"]:
        active = [edges[i] for i in own[claim["id"]]]
        enough = [edge for edge in active if edge["n_informative"] >= 3]
        assert told(data, claim["rows"]) == counted(enough, routes, data["supports"])
        assert claim["few"] == len(active) - len(enough)
        assert len(claim["edges"]) == min(len(enough), CLAIM_EDGES)
        assert claim["more"] == len(enough) - len(claim["edges"])
        best = sorted(-e["support"] for e in enough)[: len(claim["edges"])]
        assert [-a / n for _, _, _, a, n in claim["edges"]] == best
    assert data["claims"][2]["more"] > 0
    assert len(data["claims"][2]["label"]) <= 110
    assert [theme["id"] for theme in data["themes"]] == ["immune", "vessels"]
    for theme, members in zip(data["themes"], (("C1", "C2"), ("C3", "C4")), strict=True):
        together = {i for name in members for i in own[name] if edges[i]["n_informative"] >= 3}
        expected = counted([edges[i] for i in together], routes, data["supports"])
        assert told(data, theme["rows"]) == expected


def test_nothing_to_show_is_shown_as_nothing(build):
    none = build(make_support().head(0))
    assert none["rows"] == none["best"] == none["pairs"] == []
    assert none["edges"] == none["few"] == none["inactive"] == 0
    assert [theme["rows"] for theme in none["themes"]] == [[], []]
    idle = make_support().assign(n_active=0, support=0.0, n_informative=5)
    assert build(idle)["inactive"] == len(idle)
    unscored = make_support().assign(support=np.nan, n_informative=0, n_active=pd.NA)
    assert build(unscored)["few"] == len(unscored)
    assert build(make_support(), claims=make_claims().head(0))["claims"] == []


def test_populations_carry_label_colour_and_cells(build):
    data = build(make_support())
    tam, odd = data["populations"][3], data["populations"][-1]
    assert tam == {"id": "tam", "label": "Tumour-associated macrophage", "colour": "#4477AA",
                   "cells": 7}  # fmt: skip
    assert odd["label"] == "odd"
    assert len(odd["colour"]) == 7
    assert odd["cells"] == 0


def test_data_of_a_large_cohort_stay_below_a_megabyte(populations, routes):
    rng = np.random.default_rng(1)
    names = [f"population_{i:02d}" for i in range(25)]
    pairs = [(f"LIGAND{i:04d}", f"RECEPTOR{i % 700:04d}") for i in range(800)]
    frame = pd.DataFrame(
        [(s, t, ligand, receptor) for s in names for t in names for ligand, receptor in pairs],
        columns=["source", "target", "ligand_complex", "receptor_complex"],
    )
    frame["n_informative"] = 100
    # In the embedded cohort a ninth of the edges is active in a patient; here a third.
    frame["n_active"] = np.where(
        rng.random(len(frame)) < 1 / 3, rng.integers(1, 101, len(frame)), 0
    )
    frame["support"] = frame["n_active"] / 100
    frame["median_specificity_rank"] = rng.random(len(frame))
    spread = pd.DataFrame(
        [(f"LIGAND{i:04d}", ROUTES[i % 4]) for i in range(800)], columns=["ligand", "route"]
    )
    claims = pd.concat(
        [make_claims().head(1).assign(
            claim_id=f"C{i}", pairs=";".join("^".join(pair) for pair in pairs[i : i + 3]),
            source=";".join(names[:8]), target=";".join(names), statement="word " * 30,
        ) for i in range(100)]
    )  # fmt: skip
    data = interactome(
        frame, names=names, cells=dict.fromkeys(names, 1), claims=claims, populations=populations,
        routes=read_routes(spread, claims), words_of=vocabulary(populations), limits=Limits(0.5, 3),
    )  # fmt: skip
    assert len(frame) == 500_000
    assert shown_from(data, 0) + data["inactive"] == len(frame)
    assert len(json.dumps(data, separators=(",", ":"))) < 1e6


@pytest.fixture
def section(populations, inputs):
    def make(support, *, named=populations, cells=("tam", "tam", "unassigned"), **parameters):
        obs = pd.DataFrame({"population": list(cells)}, index=[f"c{i}" for i in range(len(cells))])
        changed = inputs.having(
            support=support, claims=make_claims(), populations=named,
            adata=AnnData(obs=obs),
            parameters={"claims": parameters},
        )  # fmt: skip
        view = changed.view()
        routes = pd.DataFrame(ROUTE_ROWS, columns=["ligand", "route"])
        return network.section(replace(view, tables=replace(view.tables, routes=routes)))

    return make


def test_section_says_what_the_tables_say(section, routes):
    support = make_support()
    found = section(support)
    strong = supported_edges(support, min_support=0.5, min_patients=3)
    loops = (strong["source"] == strong["target"]).sum()
    assert f"{len(strong):,} of 3,000 edges are supported, {loops:,} of them" in found.body[0]
    for route, n in strong["ligand_complex"].map(routes.of).value_counts().items():
        assert f"{n:,} {route}" in found.body[1]
    assert [figure.anchor for figure in found.figures] == [
        "figure-network", "figure-chords", "figure-sankey", "figure-matrix", "figure-best-pairs",
    ]  # fmt: skip
    assert [table.anchor for table in found.tables] == ["table-network", "table-best-pairs"]
    for figure in found.figures:
        assert figure.table in {table.anchor for table in found.tables}
        assert figure.alt
        assert f'aria-label="{figure.alt[:20]}' in figure.svg
    matrix = found.tables[0].frame.drop(columns=["source", "label"]).to_numpy()
    assert matrix.sum() == len(strong)
    view = found.interactive
    assert (view.kind, view.anchor) == ("network", "network-view")
    assert shown_from(view.data, 5) == len(strong)


def test_no_supported_edge_leaves_the_view_with_the_others(section):
    weak = make_support().assign(support=0.2, n_informative=5, n_active=1)
    found = section(weak)
    assert found.figures == ()
    assert "No edge of this cohort is supported" in found.body[0]
    assert found.interactive is not None
    assert section(weak.assign(n_active=0, support=0.0)).interactive is None
    assert section(weak.head(0)).body[1].startswith("0 edges were found")
    assert section(weak.head(0)).interactive is None


def test_one_population_and_one_edge_are_drawn(section):
    one = make_support().head(1).assign(
        source="tam", target="tam", n_active=4, n_informative=4, support=1.0,
        median_specificity_rank=np.nan,
    )  # fmt: skip
    found = section(one)
    assert len(found.figures) == 5
    assert "1 ordered pair of populations" in found.figures[1].caption
    assert "Left out" not in found.figures[1].caption


def test_labels_are_escaped_and_shortened(section, populations):
    evil = populations.assign(label=EVIL + "long " * 40)
    found = section(make_support(), named=evil)
    for figure in found.figures:
        assert "<b>" not in figure.svg
        assert "</script" not in figure.svg
        assert "&lt;b&gt;" in figure.svg
        assert "long " * 12 not in figure.svg.split(">", 1)[1]
    assert max(len(p["label"]) for p in found.interactive.data["populations"]) <= 60


def test_page_carries_the_view_escaped(inputs):
    named = inputs.populations.assign(label=EVIL)
    files = inputs.having(populations=named).files()
    html = files["toy.html"]
    start = html.index('<script type="application/json">') + len('<script type="application/json">')
    data = json.loads(html[start : html.index("</script>", start)])
    assert data["populations"][0]["label"] == EVIL
    for name in ("network_views.js", "network.js"):
        assert f"assets/{name}" in files
        assert f'<script src="assets/{name}"></script>' in html
    assert "assets/plotly.min.js" in files  # fetched by network.js when it is needed
    assert "plotly.min.js" in files["assets/network.js"]


def test_chords_leave_out_the_weakest(populations):
    names = [f"p{i}" for i in range(12)]
    matrix = pd.DataFrame(
        np.arange(144).reshape(12, 12) // 2, index=names, columns=names, dtype=int
    )
    flows, rest = strongest_flows(matrix)
    assert len(flows) == CHORDS
    assert min(size for _, _, size in flows) >= max(size for _, _, size in rest)
    assert sum(size for *_, size in [*flows, *rest]) == matrix.to_numpy().sum()
    words = vocabulary(populations)
    svg = chord_figure(flows, words=words, uid="c", alt="x")
    assert svg == chord_figure(flows, words=words, uid="c", alt="x")
    for name in {name for flow in flows for name in flow[:2]}:
        assert f">{name}</text>" in svg


def test_sankey_shows_the_sums_of_both_sides(populations):
    names = ["tam", "cd8_t", "odd"]
    matrix = pd.DataFrame([[2, 5, 0], [0, 0, 0], [1, 0, 4]], index=names, columns=names)
    svg = sankey_figure(matrix, words=vocabulary(populations), uid="s", alt="x")
    shown = [part.rsplit(">", 1)[-1] for part in svg.split("</text>")[:-1]]
    assert shown == [
        "Tumour-associated macrophage (7)", "odd (5)", "Tumour-associated macrophage (3)",
        "CD8 T cell (5)", "odd (4)", "ligand from", "receptor on",
    ]  # fmt: skip


def test_edges_of_the_dot_plot_are_the_best(populations):
    support = make_support()
    strong = supported_edges(support, min_support=0.5, min_patients=3)
    best = chosen_edges(support, strong, min_patients=3)
    pairs, joins = [], []
    for edge in sorted(
        strong.to_dict("records"), key=lambda e: (*key_of(e), e["source"], e["target"])
    ):
        pair = f"{edge['ligand_complex']} – {edge['receptor_complex']}"
        join = (edge["source"], edge["target"])
        if len(pairs) < PAIRS and pair not in pairs and (join in joins or len(joins) < JOINS):
            pairs.append(pair)
            joins += [join] * (join not in joins)
    assert list(dict.fromkeys(best["pair"])) == pairs
    assert set(best["join"]) == set(joins)
    expected = [
        edge
        for edge in support.to_dict("records")
        if f"{edge['ligand_complex']} – {edge['receptor_complex']}" in pairs
        and (edge["source"], edge["target"]) in joins
        and edge["n_active"] >= 1
        and edge["n_informative"] >= 3
    ]
    assert len(best) == len(expected)
    known = best["median_specificity_rank"].notna()
    assert np.allclose(
        best["strength"][known],
        -np.log10(np.maximum(best["median_specificity_rank"][known], 1e-12)),
    )
    assert best["strength"][~known].isna().all()
    svg = edges_figure(best, words=vocabulary(populations), uid="e", alt="x")
    assert svg.count("<path ") >= len(best)
    blank = edges_figure(
        best.assign(strength=np.nan), words=vocabulary(populations), uid="e", alt="x"
    )
    assert "specificity rank" not in blank
