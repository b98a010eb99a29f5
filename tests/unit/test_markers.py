"""The shipped marker genes: enough for each population, with a source, and shared on purpose."""

import itertools
import re

import pytest

LEAST = 8
# Populations that only group others, and have no gene that all of these have and no others.
NO_LIST = {
    "malignant": "osteoblastic and chondroblastic tumour cells share no gene that stroma lacks",
    "stromal": "pericytes, fibroblasts, mesenchymal stromal cells and myoblasts share none",
    "b_plasma": "plasma cells have lost what marks B cells",
}
T_CELLS = {"CD3D", "CD3E", "CD3G", "TRAC"}  # of the T cell receptor; NK cells lack them
SHARED = {
    ("cd4_t", "cd8_t"): T_CELLS,
    ("cd4_t", "treg"): T_CELLS | {"ICOS"},
    ("cd8_t", "treg"): T_CELLS,
    ("myeloid", "nk"): {"TYROBP"},
    # S100A9, VCAN, FCN1 and FCGR3B tell them apart
    ("monocyte", "neutrophil"): {"S100A8", "S100A12"},
}
KINDS = {
    "cdc1": "dc",
    "cdc2": "dc",
    "malignant_osteocytic": "malignant_osteoblastic",
    "mregdc": "dc",
    "smooth_muscle": "pericyte",
}
S_PHASE = {"MCM5", "MCM6", "PCNA", "TYMS", "GINS2", "FEN1", "PCLAF"}
G2_M_PHASE = {"MKI67", "TOP2A", "CDK1", "CENPF", "AURKB", "CDC20", "NDC80", "ASPM"}


@pytest.fixture
def markers(shipped):
    return shipped("markers")


@pytest.fixture
def populations(shipped):
    return shipped("populations")


def genes_of(markers, populations, *, level, sign=""):
    """Genes by population or state, in table order."""
    names = populations.loc[populations["level"] == level, "population"]
    rows = markers[(markers["sign"].replace("+", "") == sign) & markers["population"].isin(names)]
    return {name: set(rows.loc[rows["population"] == name, "gene"]) for name in names}


def test_every_population_has_eight_markers_or_a_reason(markers, populations):
    genes = genes_of(markers, populations, level="")
    few = {name for name, own in genes.items() if len(own) < LEAST}
    assert few == set(NO_LIST)
    assert not any(genes[name] for name in NO_LIST)
    parents = set(populations.loc[populations["level"] == "", "parent"])
    assert set(NO_LIST) <= parents


def test_every_pair_of_populations_that_shares_a_marker_is_named(markers, populations):
    genes = genes_of(markers, populations, level="")
    pairs = itertools.combinations(sorted(genes), 2)
    assert {(a, b): genes[a] & genes[b] for a, b in pairs if genes[a] & genes[b]} == SHARED


def test_no_gene_is_listed_twice_for_a_population(markers):
    assert not markers.duplicated(["population", "gene"]).any()


def test_every_marker_has_the_doi_of_a_source(markers):
    doi = re.compile(r"10\.\d{4,9}/[^\s;]+[^\s;.,)](;10\.\d{4,9}/[^\s;]+[^\s;.,)])*")
    assert all(doi.fullmatch(source) for source in markers["source"])


def test_what_is_inferred_or_not_verified_says_what(markers):
    for note in markers["note"]:
        for tag in ("INF", "UNVERIFIED"):
            assert note.count(tag) == note.count(f"{tag}: ") <= 1
    against = markers["sign"] == "-"
    told = markers["note"].str.contains("negative because")
    assert told.equals(against)


def test_states_that_name_their_population_share_a_marker_with_it(markers, populations):
    own, states = (genes_of(markers, populations, level=level) for level in ("", "state"))
    parent = dict(zip(populations["population"], populations["parent"], strict=True))
    kinds = {s: parent[s] for s, genes in states.items() if genes & own.get(parent[s], set())}
    assert kinds == KINDS
    assert all(len(states[name]) >= 6 for name in KINDS)
    assert len(states) >= 25
    assert all(len(genes) >= 3 for genes in states.values())


def test_cycling_is_a_state_of_any_population_and_names_none(markers, populations):
    row = populations.set_index("population").loc["cycling"]
    assert (row["parent"], row["level"]) == ("", "state")
    cycling = genes_of(markers, populations, level="state").pop("cycling")
    assert cycling == S_PHASE | G2_M_PHASE
    others = markers[markers["population"] != "cycling"]
    assert not cycling & set(others["gene"])


def test_lineages_that_are_confused_deny_what_the_other_has(markers, populations):
    own, against = (genes_of(markers, populations, level="", sign=sign) for sign in ("", "-"))
    for name, other in [
        ("nk", "cd8_t"), ("cd8_t", "nk"), ("cd4_t", "cd8_t"), ("cd8_t", "cd4_t"),
        ("treg", "cd8_t"), ("cd4_t", "treg"), ("pericyte", "fibroblast"),
        ("fibroblast", "pericyte"), ("monocyte", "tam"), ("tam", "monocyte"),
        ("monocyte", "neutrophil"), ("neutrophil", "monocyte"), ("b_cell", "plasma"),
        ("plasma", "b_cell"), ("pdc", "b_cell"), ("dc", "tam"), ("osteoclast", "tam"),
        ("malignant_osteoblastic", "malignant_chondroblastic"),
        ("malignant_chondroblastic", "malignant_osteoblastic"),
    ]:  # fmt: skip
        assert against[name] & own[other], (name, other)
        assert not own[name] & against[name]
