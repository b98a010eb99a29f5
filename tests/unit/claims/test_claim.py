"""Taking the rows of the table of claims apart."""

import pytest

from osteotalk.claims.claim import Quantity, parse_conditions, parse_quantity


def test_a_population_stands_for_all_below_it_and_not_for_states(kit):
    (claim,) = kit.read({"kind": "interaction", "source": "myeloid;tam", "target": "tam;t_nk"})
    assert claim.source == ("myeloid", "tam", "monocyte", "dc")  # each once, no tam_spp1
    assert claim.target == ("tam", "t_nk", "cd4_t", "cd8_t")
    assert (claim.named_source, claim.named_target) == (("myeloid", "tam"), ("tam", "t_nk"))


def test_a_state_stands_for_itself(kit):
    (claim,) = kit.read({"kind": "composition", "source": "tam_spp1", "target": "tam"})
    assert claim.source == ("tam_spp1",)


def test_pairs_and_genes_come_once_in_table_order(kit):
    (claim,) = kit.read({"pairs": "B^C;A^B_C;B^C", "genes": "Z;A;Z"})
    assert (claim.pairs, claim.genes) == (("B^C", "A^B_C"), ("Z", "A"))


@pytest.mark.parametrize(("direction", "sign"), [("present", 1), ("higher", 1), ("lower", -1)])
def test_the_direction_is_a_sign(kit, direction, sign):
    assert kit.read({"direction": direction})[0].sign == sign


def test_contrasts(kit):
    cells = {"contrast": "conditions", "contrast_with": "lung_metastasis+recurrence>primary"}
    along = {"contrast": "correlation", "contrast_with": "share:myeloid+b_cell"}
    first, second, plain = kit.read(cells, along, {})
    assert (first.first, first.second) == (("lung_metastasis", "recurrence"), ("primary",))
    assert first.quantity is None
    assert second.quantity == Quantity("share", "", ("myeloid", "tam", "monocyte", "dc", "b_cell"))
    assert (plain.first, plain.second, plain.quantity) == ((), (), None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("gene:VEGFA@malignant", ("gene", "VEGFA", ("malignant",))),
        ("gene:HLA-A@tam+dc", ("gene", "HLA-A", ("tam", "dc"))),
        ("signature:nfkb@tam", ("signature", "nfkb", ("tam",))),
        ("share:tam+monocyte", ("share", "", ("tam", "monocyte"))),
    ],
)
def test_quantities(text, expected):
    assert parse_quantity(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "VEGFA", "gene:VEGFA", "gene:@tam", "gene:VEGFA@", "share:", "share:x@tam", "level:A@tam"],
)
def test_a_quantity_of_another_form_is_refused(text):
    with pytest.raises(ValueError, match=r"is none of gene:NAME@POPULATION"):
        parse_quantity(text)


@pytest.mark.parametrize("text", ["", "primary", "primary>", ">primary", "a>b>c", "+>b"])
def test_a_contrast_needs_two_sides(text):
    with pytest.raises(ValueError, match="does not have the form CONDITION>CONDITION"):
        parse_conditions(text)
