"""Names are looked at quickly first; nothing that the full look would find may be passed over."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from osteotalk.ingest import counts, features, gene_names, gene_tables

ASCII = st.characters(max_codepoint=126, min_codepoint=32)
PARTS = [(pattern, parts) for _, pattern, parts in features._NO_GENES]
PARTS.append((features._NO_CELLS, features._IN_NO_CELLS))


@pytest.mark.parametrize(("pattern", "parts"), PARTS)
def test_every_name_of_a_pattern_is_found_among_others(pattern, parts):
    @settings(max_examples=40)
    @given(name=st.from_regex(pattern, fullmatch=True, alphabet=ASCII))
    def check(name):
        lines = features._Lines(["CXCL12", name, "ADTRP", "SUMO1"])
        assert features._those_like(pattern, lines, parts) == [name]

    check()


def test_names_with_rare_letters_are_looked_at_too():
    # the capital has two characters in small letters, so that places in the text shift
    found = features._told_by_names(["İ1", "CXCL12", "__no_feature", "CD3_ADT"])
    assert sorted(found) == ["CD3_ADT", "__no_feature"]


@pytest.mark.parametrize(
    ("pattern", "looks_so"),
    [
        (gene_names._DATE, lambda name: gene_names._ODD_HEAD.match(name[:2])),
        (gene_names._NUMBER, lambda name: gene_names._ODD_HEAD.match(name[:2])),
        (gene_names._GENOME, lambda name: name[:2] in gene_names._GENOME_HEADS),
        (
            gene_names._HYPHENED,
            lambda name: (
                name[:2] in gene_names._HYPHEN_HEADS
                or name.rstrip(gene_names._DIGITS)[-3:] in gene_names._HYPHEN_ENDS
            ),
        ),
    ],
)
def test_the_beginning_of_a_name_says_what_it_may_be(pattern, looks_so):
    @settings(max_examples=60)
    @given(name=st.from_regex(pattern, fullmatch=True, alphabet=ASCII))
    def check(name):
        assert looks_so(name)

    check()


@pytest.mark.parametrize("name", sorted(gene_names._NOTHING))
def test_what_stands_for_nothing_is_seen_by_its_beginning(name):
    for text in (name, name.upper(), name.title()):
        assert gene_names._ODD_HEAD.match(text[:2])


@settings(max_examples=60)
@given(name=st.from_regex(gene_tables._ENSEMBL, fullmatch=True, alphabet=ASCII))
def test_a_plain_id_is_parsed_as_any_other(name):
    whole = re.fullmatch(r"(ENS[A-Z]*G)(R?)(\d+)(\.\d+)?(_PAR_Y)?", name)
    bare = whole[1] + ("0" if whole[2] else "") + whole[3]
    assert gene_tables.bare_id(name) == (bare, True, bool(whole[2] or whole[5]))
    assert gene_tables.are_ids([name, f"{name}x", "CXCL12"]) == [True, False, False]


@pytest.mark.parametrize("place", [0, counts._BLOCK - 1, counts._BLOCK, 2 * counts._BLOCK + 4])
@pytest.mark.parametrize(
    ("value", "found"),
    [
        (0.5, "not whole numbers (for example 0.5; range 0.5 to 3)"),
        (-1.0, "negative values (lowest: -1)"),
        (np.nan, "not finite"),
        (-np.inf, "not finite"),
        (2.0**31, "a value of 2147483648"),
    ],
)
def test_a_value_is_found_wherever_it_stands(place, value, found):
    values = np.resize([1.0, 2.0, 3.0], 2 * counts._BLOCK + 5)
    values[place] = value
    assert found in counts.count_problem(values[None])
    assert found in counts.count_problem(sparse.csr_matrix(values))
    assert not counts.count_problem(np.resize([0.0, 2.0], values.shape)[None])
