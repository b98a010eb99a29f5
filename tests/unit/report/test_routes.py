"""Which way a ligand takes: rows of the table, beginnings, complexes, claims."""

import pandas as pd
import pytest

from osteotalk.interactions.pairs.resource import liana_resource
from osteotalk.report.words.routes import NOT_CLASSIFIED, ROUTES, Routes, read_routes
from osteotalk.tables import read_schema, read_table


def table(*rows):
    return pd.DataFrame(rows, columns=["ligand", "route"])


def claims(*rows):
    return pd.DataFrame(rows, columns=["pairs", "route"])


@pytest.fixture
def routes():
    return read_routes(
        table(
            ("FGF*", "secreted"), ("FGFR*", NOT_CLASSIFIED), ("FGFR9", "contact"),
            ("LTA", "secreted"), ("LTB", "contact"), ("LTA_LTB", "contact"), ("COL*", "matrix"),
            ("IL12A", "secreted"), ("IL27", "secreted"),
        ),
        claims(
            ("SPP1^CD44;TNF^TNFRSF1A", "soluble"), ("SPP1^ITGAV", "soluble"), ("TNF^X", "contact"),
            ("FGFR1^X;EXO^Y", "vesicle"), ("HRAS^Z", "intracellular"), ("", "matrix"),
            ("COL1A1^CD44", "soluble"), ("TNC_X^CD44", "matrix"),
        ),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("ligand", "route"),
    [
        ("FGF2", "secreted"),
        ("FGF", "secreted"),
        ("FG", NOT_CLASSIFIED),
        ("FGFR1", NOT_CLASSIFIED),  # in the table, so that the claim does not count
        ("FGFR9", "contact"),
        ("LTA", "secreted"),
        ("LTA_LTB", "contact"),
        ("LTB_LTA", NOT_CLASSIFIED),  # its subunits differ
        ("IL12A_IL27", "secreted"),
        ("IL12A_XYZ", NOT_CLASSIFIED),
        ("COL1A1", "matrix"),
        ("SPP1", "secreted"),
        ("EXO", "secreted"),
        ("TNC_X", "matrix"),
        ("TNF", NOT_CLASSIFIED),  # claims disagree
        ("HRAS", NOT_CLASSIFIED),
        ("", NOT_CLASSIFIED),
    ],
)
def test_the_most_specific_row_counts_then_the_claims(routes, ligand, route):
    assert routes.of(ligand) == route


def test_without_a_table_the_claims_decide():
    found = read_routes(None, claims(("A^B", "matrix")))
    assert found.of("A") == "matrix"
    assert found.of("B") == Routes().of("A") == NOT_CLASSIFIED


def naive(ligand, rows):
    """Route of a ligand by looking at every row."""
    if ligand in rows:
        return rows[ligand]
    if "_" in ligand:
        found = {naive(part, rows) for part in ligand.split("_")}
        return found.pop() if len(found) == 1 else None
    fitting = [p for p in rows if p.endswith("*") and ligand.startswith(p[:-1])]
    return rows[max(fitting, key=len)] if fitting else None


def test_ligands_of_the_resource_have_the_route_of_the_shipped_table(repository):
    schema = read_schema(repository / "workflow" / "schemas" / "routes.schema.yaml")
    shipped, problems = read_table(repository / "config" / "routes.tsv", schema)
    assert problems == []
    assert set(shipped["route"]) == set(ROUTES)
    rows = dict(zip(shipped["ligand"], shipped["route"], strict=True))
    found = read_routes(shipped, claims())
    ligands = sorted(set(liana_resource("consensus")["ligand"]))
    assert len(ligands) > 900
    for ligand in ligands:
        assert found.of(ligand) == (naive(ligand, rows) or NOT_CLASSIFIED), ligand
    told = pd.Series([found.of(ligand) for ligand in ligands]).value_counts(normalize=True)
    assert told[NOT_CLASSIFIED] < 0.2
    known = {"CXCL12": "secreted", "VEGFA": "secreted", "COL1A1": "matrix", "FN1": "matrix",
             "CD274": "contact", "CD47": "contact", "DLL4": "contact", "JAG1": "contact",
             "HLA-A": "contact", "SEMA3A": "secreted", "SEMA4D": "contact", "FGFR3": NOT_CLASSIFIED,
             "CX3CL1": NOT_CLASSIFIED, "TNF": NOT_CLASSIFIED, "CALM1": NOT_CLASSIFIED,
             "LTA_LTB": "contact", "IL12A_IL12B": "secreted"}  # fmt: skip
    assert {name: found.of(name) for name in known} == known
