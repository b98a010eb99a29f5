"""How genes are named, and a resource that does not fit the data."""

import pandas as pd
import pytest

from osteotalk.interactions.pairs import resource as res
from osteotalk.interactions.pairs.resource_files import MOUSE
from osteotalk.tables import TableError


def pairs_of(text):
    """'A^B C^D' as a frame."""
    return pd.DataFrame([p.split("^") for p in text.split()], columns=["ligand", "receptor"])


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["CXCL12", "C1orf112", "HLA-DRA", "MT-CO1", "Actb"], "human symbols (e.g. C1orf112)"),
        (["Cxcl12", "H2-Ab1", "mt-Co1", "1700001A02Rik", "ACTB"], "mouse or rat symbols (e.g. 170"),
        (["ENSG00000107562.17", "ENSG00000121966"], "human Ensembl ids (e.g. ENSG00000107562.17)"),
        (["ENSMUSG00000061353", "Cxcl12", "ENSMUSG00000045382"], "mouse Ensembl ids (e.g. ENSMU"),
        (["ENSRNOG00000013589"], "rat Ensembl ids"),
        (["ENSCAFG00000006866"], "Ensembl ids (e.g. ENSCAFG00000006866)"),
        (["6387", "7852"], "Entrez gene numbers (e.g. 6387)"),
        (["cxcl12a", "tp53"], "names of an unknown kind (e.g. cxcl12a)"),
        (["CXCL12", "Cxcl12"], "names of an unknown kind"),  # neither has more than half
        ([], "no genes"),
    ],
)
def test_naming_is_told(names, expected):
    assert res.looks_like(names).startswith(expected)
    assert res.looks_like(reversed(names)) == res.looks_like(iter(names))


def test_the_resources_look_like_what_they_are():
    for name in res.liana_names():
        pairs = res.liana_resource(name)
        looks = res.looks_like(res.subunits([*pairs["ligand"], *pairs["receptor"]]))
        assert looks.startswith("mouse" if name == MOUSE else "human symbols")


def test_the_workflow_takes_pairs_of_human_symbols_only(tmp_path):
    with pytest.raises(TableError, match="'mouseconsensus' has mouse or rat symbols") as error:
        res.resource_file(MOUSE, find=lambda name: tmp_path / name)
    assert "Choose a resource of human genes, such as consensus" in str(error.value)
    for name in set(res.liana_names()) - {MOUSE}:
        assert res.resource_file(name, find=lambda name: tmp_path / name) is None
    path = tmp_path / "p.tsv"
    path.write_text("ligand\treceptor\nENSG00000107562\tENSG00000121966\n")
    with pytest.raises(TableError, match=r"'p.tsv' has human Ensembl ids \(e.g. ENSG00000107562"):
        res.resource_file("p.tsv", find=lambda name: tmp_path / name)
    path.write_text("ligand\treceptor\n6387\t7852\n")
    with pytest.raises(TableError, match="Entrez gene numbers"):
        res.resource_file("p.tsv", find=lambda name: tmp_path / name)
    path.write_text("ligand\treceptor\nodd1\tOdd2\n")  # cannot be told: left to the data
    assert res.resource_file("p.tsv", find=lambda name: tmp_path / name) == path


def test_one_measured_pair_is_enough():
    res.require_measured(pairs_of("A^B_C D^E"), iter(["D", "E"]))


@pytest.mark.parametrize(
    ("resource", "names", "words"),
    [
        (
            "CXCL12^CXCR4 CCL2^CCR2",
            ["Cxcl12", "Cxcr4", "Actb"],
            [
                "0 of its 4 genes are among the 3 measured",
                "The resource has human symbols (e.g. CCL2), the data have mouse or rat symbols",
                "(e.g. Actb)",
                "role orthologs",
            ],
        ),
        (
            "CXCL12^CXCR4",
            ["ENSG00000107562", "ENSG00000121966"],
            ["the data have human Ensembl ids", "a column of symbols", "genes.symbols"],
        ),
        ("CXCL12^CXCR4", ["6387"], ["the data have Entrez gene numbers", "genes.symbols"]),
        ("Cxcl12^Cxcr4", ["CXCL12", "CXCR4"], ["Choose a resource of human genes"]),
        (
            "CXCL12^CXCR4_CD4",
            ["CXCL12", "CXCR4", "ACTB"],
            ["2 of its 3 genes are among the 3", "The naming is the same, so the data lack these"],
        ),
        ("CXCL12^CXCR4", [], ["among the 0 measured", "the data have no genes"]),
        ("", ["A"], ["0 of its 0 genes", "The resource has no genes"]),
    ],
)
def test_a_resource_that_does_not_fit_the_data(resource, names, words):
    with pytest.raises(ValueError, match="no pair of the resource can be scored") as error:
        res.require_measured(pairs_of(resource), names)
    for word in words:
        assert word in str(error.value)
