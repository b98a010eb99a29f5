"""Pairs from LIANA and from files, what is added and dropped, and each binding counted once."""

import hashlib
import itertools
import logging
import subprocess
import sys
import warnings
from collections import Counter

import pandas as pd
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from osteotalk import liana_file
from osteotalk.contract_checks import check_frame
from osteotalk.ingest.gene_tables import SymbolTable, read_symbols
from osteotalk.interactions.pairs import resource as res
from osteotalk.interactions.pairs import resource_files
from osteotalk.tables import TableError

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # LIANA's import warns about its own docstrings
    import liana

COLUMNS = ["action", "ligand", "receptor", "origin"]
NO_CHANGES = pd.DataFrame(columns=COLUMNS)
NO_SYMBOLS = SymbolTable("none", frozenset(), {}, {})


def pairs_of(text):
    """'A^B C^D' as a frame."""
    return pd.DataFrame([p.split("^") for p in text.split()], columns=["ligand", "receptor"])


def text_of(pairs):
    return " ".join(pairs["ligand"] + "^" + pairs["receptor"])


def write(folder, text, name="my_pairs.tsv"):
    path = folder / name
    path.write_text(text)
    return path


@pytest.fixture(scope="module")
def symbols(repository):
    return read_symbols(repository / "config" / "gene_symbols.tsv")


@pytest.fixture(scope="module")
def changes(repository):
    return pd.read_csv(repository / "config" / "interactions.tsv", sep="\t")


# LIANA's resources


def test_all_17_resources_are_those_of_liana():
    names = res.liana_names()
    assert names == sorted(liana.rs.show_resources())
    assert len(names) == 17
    for name in names:
        theirs = liana.rs.select_resource(name).drop_duplicates().reset_index(drop=True)
        pd.testing.assert_frame_equal(
            res.liana_resource(name).astype(object), theirs.astype(object)
        )


def test_a_resource_is_a_copy():
    mine = res.liana_resource("consensus")
    mine["ligand"] = "X"
    assert "X" not in set(res.liana_resource("consensus")["ligand"])


def test_liana_is_not_imported():
    code = (
        "import sys; from osteotalk.interactions.pairs.resource import liana_resource as get; "
        "print(len(get('consensus')), 'liana' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["4620", "False"]


def test_without_liana_the_message_says_so(monkeypatch):
    monkeypatch.setattr(liana_file, "find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match="liana, which holds .* is not installed"):
        liana_file.liana_table.__wrapped__()


@pytest.mark.parametrize(
    ("name", "near"), [("Consensus", "consensus"), ("celphonedb", "cellphonedb"), ("zzz", "")]
)
def test_unknown_resource_lists_the_known_and_the_near(name, near):
    with pytest.raises(ValueError, match=f"LIANA has no resource '{name}'") as error:
        res.liana_resource(name)
    text = str(error.value)
    assert all(known in text for known in res.liana_names())
    assert "give the path of a file that exists" in text
    assert ("Near matches" in text) == bool(near)
    if near:
        assert f"Near matches: {near}" in text


# A file of pairs


def test_a_file_is_read_with_what_is_not_used(tmp_path, caplog):
    text = "# mine\nreceptor\tnote\tligand\nR\tx\tL\nR2_R1\t\tL2-A\n"
    path = write(tmp_path, text)
    with caplog.at_level(logging.INFO):
        source = res.load_source("anything", path)
    assert text_of(source.pairs) == "L^R L2-A^R2_R1"
    assert list(source.pairs) == ["ligand", "receptor"]
    assert source.name == "my_pairs.tsv"
    assert source.origin == "file:my_pairs.tsv"
    assert source.sha256 == hashlib.sha256(text.encode()).hexdigest()
    assert source.ignored == ("note",)
    assert "columns that are not used (1): note" in caplog.text


def test_all_problems_of_a_file_come_at_once(tmp_path):
    rows = ["A\tB", "\tB", "A\t", "A b\tB", "A\tB_B_C", "A_\tB", "A\tB\tC", "2-Sep\tB", "A;C\tB"]
    path = write(tmp_path, "ligand\treceptor\n" + "\n".join(rows) + "\n")
    with pytest.raises(TableError) as error:
        res.read_pairs(path)
    head, *found = str(error.value).splitlines()
    assert head == f"the resource {path} has 8 problems:"
    expected = [
        "line 3: ligand is empty",
        "line 4: receptor is empty",
        "line 5: ligand 'A b' is not allowed (gene symbol, or the subunits of a complex joined",
        "line 6: receptor 'B_B_C' has B more than once; write each subunit once",
        "line 7: ligand 'A_' is not allowed",
        "line 8: 3 cells, but the header has 2",
        "line 9: ligand '2-Sep' looks like a date",
        "line 10: ligand 'A;C' is not allowed",
    ]
    for line, start in zip(found, expected, strict=True):
        assert line.startswith(f"  {start}")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["1 problem", "the file has no header line"]),
        ("ligand\treceptor\n", ["1 problem", "no pair below the header line"]),
        ("ligand\ttarget\nA\tB\n", ["'receptor' is missing; the file has target"]),
        ("from\tto\nA\tB\n", ["2 problems", "'ligand' is missing", "the file has from, to"]),
        ("ligand,receptor\nA,B\n", ["no tab; save the table as tab-separated text"]),
        ("ligand\treceptor\tligand\nA\tB\tC\n", ["column 'ligand' appears twice"]),
        ("ligand\treceptor\n" + "A b\tB\n" * 50, ["50 problems", "and 30 more"]),
    ],
)
def test_files_that_are_no_table_of_pairs(tmp_path, text, words):
    with pytest.raises(TableError) as error:
        res.read_pairs(write(tmp_path, text))
    for word in words:
        assert word in str(error.value)


def test_a_file_that_is_not_text(tmp_path):
    path = tmp_path / "pairs.tsv.gz"
    path.write_bytes(b"\x1f\x8b\xff\xfe")
    with pytest.raises(TableError, match="not UTF-8 text"):
        res.read_pairs(path)


def test_names_are_allowed_as_in_the_table_of_interactions(repository):
    path = repository / "workflow" / "schemas" / "interactions.schema.yaml"
    schema = yaml.safe_load(path.read_text())
    for side in ("ligand", "receptor"):
        assert resource_files.NAME.pattern == schema["properties"][side]["pattern"]


def test_which_file_the_config_names(tmp_path):
    path = write(tmp_path, "ligand\treceptor\nA\tB\n")
    assert res.resource_file("cellphonedb", find=lambda name: tmp_path / name) is None
    assert res.resource_file("my_pairs.tsv", find=lambda name: tmp_path / name) == path
    write(tmp_path, "ligand\treceptor\n", name="none.tsv")
    with pytest.raises(TableError, match="no pair below the header"):
        res.resource_file("none.tsv", find=lambda name: tmp_path / name)
    with pytest.raises(TableError, match="there is no file 'concensus'") as error:
        res.resource_file("concensus", find=lambda name: tmp_path / name)
    assert "Near matches: consensus" in str(error.value)


# Adding and dropping


def test_pairs_are_dropped_and_added(changes):
    before = res.liana_resource("consensus")
    table = pd.DataFrame(
        [
            ("add", "PVR", "TIGIT", "liana:cellchatdb"),
            ("drop", "TIGIT", "PVR", "liana:consensus"),
            ("add", "CXCL12", "CXCR4", "literature"),  # there already
            ("drop", "NO", "SUCH", "literature"),
        ],
        columns=COLUMNS,
    )
    after = res.change_resource(before, table, origin="liana:consensus")
    keys = set(zip(after["ligand"], after["receptor"], strict=True))
    assert ("PVR", "TIGIT") in keys
    assert ("TIGIT", "PVR") not in keys
    assert len(after) == len(before) == len(keys)
    origin = after.set_index(["ligand", "receptor"])["origin"]
    assert origin["CXCL12", "CXCR4"] == "liana:consensus"
    assert origin["PVR", "TIGIT"] == "liana:cellchatdb"
    assert res.digest(after) == res.digest(after[::-1]) != res.digest(before)
    assert list(after["ligand"]) == sorted(after["ligand"])


def test_subunits_are_compared_in_any_order():
    table = pd.DataFrame(
        [("drop", "L", "R2_R1", "literature"), ("add", "K", "B_A", "literature")], columns=COLUMNS
    )
    after = res.change_resource(pairs_of("L^R1_R2 K^A_B"), table, origin="file:x")
    assert after.to_numpy().tolist() == [["K", "B_A", "file:x"]]  # spelled as the table asks


def test_an_empty_resource_can_be_filled():
    table = pd.DataFrame([("add", "A", "B", "literature")], columns=COLUMNS)
    after = res.change_resource(pairs_of(""), table, origin="file:x")
    check_frame(after, table="resource", where="x")
    assert text_of(after) == "A^B"


# Repeated and reversed pairs


def test_repeated_pairs_are_kept_once():
    once = res.without_repeats(pairs_of("A^B A_B^C A^B B_A^C C^A_B B^A"))
    assert text_of(once) == "A^B A_B^C C^A_B B^A"


def test_the_direction_of_more_resources_stays():
    pairs = pairs_of("A^B B^A C^D D^C E^E F_G^H H^G_F I^J")
    listings = Counter({("A", "B"): 1, ("B", "A"): 2, ("H", "F_G"): 3})
    once, turned = res.one_direction(pairs, wanted=set(), listings=listings)
    assert text_of(once) == "B^A C^D E^E H^G_F I^J"
    assert [(t.removed, t.kept) for t in turned] == [
        ("A^B", "B^A"),
        ("D^C", "C^D"),
        ("F_G^H", "H^G_F"),
    ]
    assert turned[0].reason == "listed by 2 of LIANA's human resources, the reverse by 1"
    assert turned[1].reason.endswith("the reverse by 0; C sorts first")


def test_an_added_pair_stays_whatever_the_resources_say():
    pairs, listings = pairs_of("A^B B^A"), Counter({("A", "B"): 9})
    once, (turned,) = res.one_direction(pairs, wanted={("B", "A")}, listings=listings)
    assert text_of(once) == "B^A"
    assert turned.reason == "added by the table of interactions"


def test_mouse_pairs_are_judged_by_their_human_names(symbols):
    listings = resource_files.directions(symbols)
    once, _ = res.one_direction(pairs_of("Cd28^Cd86 Cd86^Cd28"), wanted=set(), listings=listings)
    assert text_of(once) == "Cd86^Cd28"


genes = st.sampled_from(["A", "B", "C", "A_B", "B_A", "C_A"])


@given(st.lists(st.tuples(genes, genes), max_size=12), st.randoms(use_true_random=False))
def test_each_binding_is_left_once(rows, random):
    listings = Counter({("A", "B"): 2, ("B", "A"): 3, ("A_B", "C"): 1})

    def run(order):
        pairs = pd.DataFrame(order, columns=["ligand", "receptor"], dtype=object)
        unique = res.without_repeats(pairs)
        once, turned = res.one_direction(unique, wanted=set(), listings=listings)
        assert len(once) + len(turned) == len(unique)
        return {tuple("_".join(sorted(side.split("_"))) for side in row) for row in once.to_numpy()}

    found = run(rows)
    # naive: every pair of distinct rows, compared as unordered sets of genes
    bindings = [frozenset((frozenset(a.split("_")), frozenset(b.split("_")))) for a, b in found]
    assert all(x != y for x, y in itertools.combinations(bindings, 2))
    assert set(bindings) == {
        frozenset((frozenset(a.split("_")), frozenset(b.split("_")))) for a, b in rows
    }
    shuffled = random.sample(rows, len(rows))
    assert run(shuffled) == found


def test_votes_by_a_loop_over_liana(symbols):
    listings = resource_files.directions(symbols)
    for ligand, receptor in [("CD47", "SIRPA"), ("SIRPA", "CD47"), ("TIGIT", "PVR"), ("X", "Y")]:
        expected = 0
        for name in liana.rs.show_resources():
            pairs = liana.rs.select_resource(name)
            expected += ((pairs["ligand"] == ligand) & (pairs["receptor"] == receptor)).any()
        assert listings[ligand, receptor] == expected


# The whole of it


def test_build_counts_everything(tmp_path, caplog):
    text = "ligand\treceptor\nA\tB\nA\tB\nB\tA\nOLD\tR\nNEW\tR\nX\tY2_Y1\nX\tY1_Y2\nD\tE\n"
    table = pd.DataFrame(
        [("add", "F", "G", "literature"), ("drop", "D", "E", "literature")], columns=COLUMNS
    )
    renaming = SymbolTable("t", frozenset({"NEW"}), {}, {"OLD": ("NEW",)})
    source = res.load_source("", write(tmp_path, text))
    with caplog.at_level(logging.INFO):
        result = res.build_resource(source, table, renaming)
    assert text_of(result.pairs) == "A^B F^G NEW^R X^Y2_Y1"
    assert set(result.pairs["origin"]) == {"file:my_pairs.tsv", "literature"}
    assert "lists 8 pairs; 3 repeated, 1 dropped, 1 added, 1 listed both ways round: 4 pairs" in (
        caplog.text
    )
    assert "B^A is left out, as A^B stays" in caplog.text
    summary = res.describe(result, source)
    digest = summary.pop("sha256")
    assert digest == hashlib.sha256(b"A\tB\nF\tG\nNEW\tR\nX\tY2_Y1").hexdigest()
    assert summary == {
        "name": "my_pairs.tsv",
        "kind": "file",
        "listed": 8,
        "duplicates": 3,
        "dropped": 1,
        "added": 1,
        "reversed": [
            {
                "removed": "B^A",
                "kept": "A^B",
                "reason": "listed by 0 of LIANA's human resources, the reverse by 0; A sorts first",
            }
        ],
        "pairs": 4,
        "file_sha256": hashlib.sha256(text.encode()).hexdigest(),
        "ignored_columns": [],
    }


@pytest.mark.parametrize("name", resource_files.liana_names())
def test_no_resource_of_liana_counts_a_binding_twice(name, changes, symbols, repository):
    source = res.load_source(name)
    result = res.build_resource(source, changes, symbols)
    check_frame(result.pairs, table="resource", where=name)
    bindings = [
        frozenset((frozenset(a.split("_")), frozenset(b.split("_"))))
        for a, b in result.pairs[["ligand", "receptor"]].to_numpy()
    ]
    assert len(set(bindings)) == len(bindings) == len(result.pairs)
    balance = result.listed - result.duplicates - result.dropped + result.added
    assert balance - len(result.turned) == len(result.pairs)
    assert "file_sha256" not in res.describe(result, source)
    # no pair that a claim names is left out for its reverse
    claims = pd.read_csv(repository / "config" / "claims.tsv", sep="\t", keep_default_na=False)
    wanted = {pair for cell in claims["pairs"] for pair in cell.split(";")}
    assert not wanted & {turned.removed for turned in result.turned}


def test_what_is_reversed_in_the_consensus(changes, symbols):
    """Ligand first, as in the literature of each pair; none is settled by the alphabet."""
    result = res.build_resource(res.load_source("consensus"), changes, symbols)
    kept = {turned.kept for turned in result.turned}
    neurexins = {f"NLGN{i}^NRXN{j}" for i, j in itertools.product((1, 2, 3), repeat=2)}
    checkpoints = {"CD80^CD28", "CD86^CD28", "CD47^SIRPA", "CD47^SIRPG", "CD200^CD200R1"}
    contacts = {"CADM1^CRTAM", "NECTIN1^CD96", "CXADR^JAML", "PODXL^SELL"}
    assert kept == neurexins | checkpoints | contacts
    assert not any("sorts first" in turned.reason for turned in result.turned)
    left = set(text_of(result.pairs).split())
    assert {"PVR^TIGIT", "NECTIN2^TIGIT", "PDPN^CLEC1B", "CDH2^CDH2"} <= left
    assert not {"TIGIT^PVR", "TIGIT^NECTIN2", "CLEC1B^PDPN", "SIRPA^CD47"} & left


def test_rows_of_the_table_come_from_where_it_says(changes):
    consensus = set(text_of(res.liana_resource("consensus")).split())
    for row in changes.itertuples():
        pair = f"{row.ligand}^{row.receptor}"
        assert (pair in consensus) == (row.action == "drop")
        if row.origin.startswith("liana:"):
            name = row.origin.removeprefix("liana:")
            assert pair in text_of(res.liana_resource(name)).split()


def test_every_pair_of_every_claim_and_planted_edge_can_be_scored(repository, changes, symbols):
    config = repository / "config"
    claims = pd.read_csv(config / "claims.tsv", sep="\t", keep_default_na=False)
    planted = pd.read_csv(config / "simulation_edges.tsv", sep="\t")
    result = res.build_resource(res.load_source("consensus"), changes, symbols)
    known = set(text_of(result.pairs).split())
    wanted = {pair for cell in claims["pairs"] for pair in cell.split(";") if pair}
    assert len(wanted) > 100
    assert wanted <= known
    assert set(text_of(planted).split()) <= known


def test_measured_needs_every_subunit():
    pairs = pairs_of("A^B_C A^B")
    assert list(res.measured(pairs, ["A", "B"])["receptor"]) == ["B"]
