import logging

import numpy as np
import pytest

from osteotalk.simulate import genes, seeds

TOY = "# comment\n[mitochondrial]\nMT- X Y\n[ribosomal]\nRP L1\n[housekeeping]\n. ACT GAP\n"
BACKGROUND = "[background]\nZ 1 2 3 4 5 6\n"


def test_families_are_prefix_plus_suffix():
    assert genes.parse_families(TOY + BACKGROUND) == {
        "mitochondrial": ["MT-X", "MT-Y"],
        "ribosomal": ["RPL1"],
        "housekeeping": ["ACT", "GAP"],
        "background": ["Z1", "Z2", "Z3", "Z4", "Z5", "Z6"],
    }


def test_families_report_every_problem():
    with pytest.raises(ValueError, match="4 problem") as error:
        genes.parse_families("A 1\n[other]\nB 1 1\n[background]\nC\n")
    assert "line 1: 'A 1': a family must follow a [class] line" in str(error.value)
    assert "line 2: class 'other' is not one of" in str(error.value)
    assert "line 3: B1 is in the list already" in str(error.value)
    assert "line 5: 'C': a family needs a suffix" in str(error.value)


def test_packaged_families_hold_real_looking_symbols():
    families = genes.packaged_families()
    assert len(families["mitochondrial"]) == 13
    assert {"RPL3", "RPS6", "RPLP0"} <= set(families["ribosomal"])
    assert {"ACTB", "GAPDH"} <= set(families["housekeeping"])
    assert len(families["background"]) > 3800
    symbols = [symbol for group in families.values() for symbol in group]
    assert all(symbol.replace("-", "").isalnum() and symbol.isupper() for symbol in symbols)


def test_table_genes_take_precedence_and_background_fills_up():
    classes = genes.gene_classes(
        9,
        elevated=["MARK"],
        resource=["MARK", "PAIR", "RPL1"],
        families=genes.parse_families(TOY + BACKGROUND),
        seed=1,
    )
    assert len(classes) == 9
    assert list(classes.index) == sorted(classes.index)
    assert classes["MARK"] == "elevated"
    assert classes["RPL1"] == classes["PAIR"] == "resource"
    assert (classes == "background").sum() == 2


@pytest.mark.parametrize(
    ("size", "expected", "message"),
    [(3, 6, "the tables need 6"), (50, 12, "only 12 are known")],
)
def test_size_that_cannot_be_met_is_logged(size, expected, message, caplog):
    with caplog.at_level(logging.WARNING):
        classes = genes.gene_classes(
            size,
            elevated=["MARK"],
            resource=[],
            families=genes.parse_families(TOY + BACKGROUND),
            seed=1,
        )
    assert len(classes) == expected
    assert message in caplog.text


def test_mean_of_detection_inverts_the_zero_probability():
    mean = genes.mean_of_detection(np.array([0.3]), dispersion=0.5)[0]
    rng = np.random.default_rng(0)
    drawn = rng.negative_binomial(2, 2 / (2 + mean), 200_000)
    assert (drawn > 0).mean() == pytest.approx(0.3, abs=0.005)


def test_streams_depend_on_the_name_only():
    first = seeds.generator(1, "sample", "A").random(3)
    seeds.generator(1, "sample", "B").random(3)
    assert np.array_equal(first, seeds.generator(1, "sample", "A").random(3))
    assert not np.array_equal(first, seeds.generator(1, "sample", "B").random(3))
    assert not np.array_equal(first, seeds.generator(2, "sample", "A").random(3))
