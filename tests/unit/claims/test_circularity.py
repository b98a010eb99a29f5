import itertools

import pandas as pd

from osteotalk.claims.circularity import circular_genes, circularity, naming_states
from osteotalk.tables import within

POPULATIONS = pd.DataFrame(
    [
        ("myeloid", "", ""),
        ("tam", "myeloid", ""),
        ("tam_spp1", "tam", "state"),
        ("tam_c1q", "tam", "state"),
        ("stroma", "", ""),
        ("msc", "stroma", ""),
        ("endothelial", "", ""),
        ("malignant", "", ""),
    ],
    columns=["population", "parent", "level"],
)
MARKERS = pd.DataFrame(
    [
        ("msc", "CXCL12", "+"),
        ("endothelial", "VWF", ""),
        ("myeloid", "CD74", "+"),
        ("tam", "C1QA", "+"),
        ("tam_spp1", "SPP1", "+"),
        ("tam_c1q", "C1QA", "+"),
        ("tam_c1q", "APOE", "+"),
        ("malignant", "CD44", "-"),
    ],
    columns=["population", "gene", "sign"],
)


SIGNATURES = pd.DataFrame(
    [("m2_like", "C1QA"), ("m2_like", "MRC1"), ("emt", "CXCL12")], columns=["signature", "gene"]
)
TABLES = {"markers": MARKERS, "populations": POPULATIONS, "signatures": SIGNATURES}


def claim(pairs="", source="", target="", **cells):
    empty = {"genes": "", "signature": ""}
    return {"pairs": pairs, "source": source, "target": target} | empty | cells


def found(*cells, **named):
    return circular_genes(claim(*cells, **named), **TABLES)


def test_the_gene_must_name_the_population_on_its_own_side():
    assert found("CXCL12^CXCR4", "msc;endothelial", "malignant") == [("ligand", "CXCL12", "msc")]
    # the same gene in another population, or on the other side, says nothing
    assert found("CXCL12^CXCR4", "endothelial", "msc") == []
    assert found("VWF^ITGAV_ITGB3", "endothelial", "malignant") == [
        ("ligand", "VWF", "endothelial")
    ]


def test_a_subunit_a_marker_against_and_a_parent_count():
    assert found("MIF^CD74_CXCR4", "malignant", "tam") == [("receptor", "CD74", "myeloid")]
    assert found("SPP1^CD44", "tam", "malignant") == [("receptor", "CD44", "malignant")]


def test_a_marker_below_the_population_counts_and_that_of_a_state_does_not():
    assert found("CXCL12^CXCR4", "stroma", "tam") == [("ligand", "CXCL12", "msc")]
    assert found("SPP1^ITGAV", "tam", "tam") == []


def test_a_state_that_is_a_kind_of_its_population_counts():
    """It shares C1QA with tam, so a cluster may be named tam by APOE as well."""
    assert found("APOE^TREM2", "tam", "malignant") == [("ligand", "APOE", "tam_c1q")]
    assert found("APOE^TREM2", "myeloid", "malignant") == [("ligand", "APOE", "tam_c1q")]
    assert naming_states(MARKERS, POPULATIONS) == {"tam": ["tam_c1q"]}


def test_genes_of_expression_claims_and_of_programmes():
    assert found(source="tam", genes="C1QA;CXCL12") == [
        ("gene", "C1QA", "tam"),
        ("gene", "C1QA", "tam_c1q"),
    ]
    assert found(source="tam", signature="m2_like") == found(source="tam", genes="C1QA")
    assert found(source="malignant", target="tam", genes="C1QA") == []  # only compared with
    assert found(source="msc;malignant", signature="emt") == [("gene", "CXCL12", "msc")]
    assert found(source="tam", signature="unknown") == []


def test_words_come_in_the_order_of_the_claims():
    claims = pd.DataFrame(
        [
            claim(),
            claim("CXCL12^CD74;CXCL12^CD44", "msc", "tam;malignant"),
        ]
    )
    assert circularity(claims, **TABLES) == [
        "",
        "ligand CXCL12 is a marker of msc; receptor CD44 is a marker of malignant; "
        "receptor CD74 is a marker of myeloid",
    ]


def test_the_shipped_claims_by_brute_force(shipped):
    """Every gene of a claim against every marker, walking up and down the vocabulary by hand."""
    claims, markers, populations = (shipped(n) for n in ("claims", "markers", "populations"))
    signatures = shipped("signatures")
    parent = dict(zip(populations["population"], populations["parent"], strict=True))
    level = dict(zip(populations["population"], populations["level"], strict=True))

    def line(name):
        return [name, *(line(parent[name]) if parent.get(name) else [])]

    def genes_of(name):
        rows = markers[(markers["population"] == name) & (markers["sign"] != "-")]
        return set(rows["gene"])

    def sides(row):
        pairs = [p.split("^") for p in row.pairs.split(";") if p]
        own = set(row.genes.split(";"))
        own |= {s.gene for s in signatures.itertuples() if s.signature == row.signature}
        yield row.source, {g for ligand, _ in pairs for g in ligand.split("_")} | own
        yield row.target, {g for _, receptor in pairs for g in receptor.split("_")}

    states = {n for n in level if level[n] == "state"}
    kinds = {n for n in states if genes_of(n) & genes_of(parent[n])}
    assert {"mregdc"} <= kinds
    assert "tam_spp1" not in kinds
    named = [m for m in markers.itertuples() if m.population not in states - kinds]
    flagged = set()
    for row in claims.itertuples():
        for cell, genes in sides(row):
            for marker, name in itertools.product(named, cell.split(";")):
                below = name in line(marker.population)
                above = marker.population in line(name) and marker.population not in states
                if name and marker.gene in genes and (below or above):
                    flagged.add(row.claim_id)
    words = circularity(claims, markers=markers, populations=populations, signatures=signatures)
    assert {c for c, w in zip(claims["claim_id"], words, strict=True) if w} == flagged
    told = dict(zip(claims["claim_id"], words, strict=True))
    assert "CXCL12 is a marker of msc" in told["C001"]
    assert "VWF is a marker of endothelial" in told["C010"]


def test_names_within_a_population():
    assert within(POPULATIONS, "myeloid") == ["myeloid", "tam"]  # and not the state
    assert within(POPULATIONS, "tam") == ["tam"]
