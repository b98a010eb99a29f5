"""Claims against what was measured: all that is wrong, in one error."""

from collections import Counter

import pandas as pd
import pytest

from osteotalk.claims.check import WHOLE, Known, check_claims
from osteotalk.ingest.gene_tables import SymbolTable
from osteotalk.tables import TableError

PATHS = {"claims": "config/claims.tsv", "published": "config/published.tsv",
         "signatures": "config/signatures.tsv"}  # fmt: skip
# Two cohorts of whole transcriptomes, as far as their number of genes tells.
FILL = {f"AC{i:06d}.1" for i in range(WHOLE)}
MEASURED = {
    "x": FILL | {"VEGFA", "KDR", "CD47", *(f"G{i}" for i in range(9))},
    "y": FILL | {"CD274", "G20"},
}


def known(**other):
    parts = {
        "resource": pd.DataFrame(
            {"ligand": ["VEGFA", "CXCL12"], "receptor": ["FLT1_KDR", "CXCR4"]}
        ),
        "elsewhere": pd.DataFrame({"ligand": ["VEGFC"], "receptor": ["FLT4"]}),
        "directions": Counter(),
        "symbols": SymbolTable("genes.tsv", frozenset({"MRC1"}), {}, {}),
        "measured": MEASURED,
    }
    return Known(**parts | other)


def numbered(frame, first=2):
    return frame.set_index(pd.Index(range(first, first + len(frame))))


def signatures(*rows, first=2):
    frame = pd.DataFrame(rows, columns=["signature", "gene"], dtype=object)
    return numbered(frame, first)


FINE = [("nfkb", f"G{i}") for i in range(5)]


def run(kit, *rows, published=(), genes=FINE, **other):
    tables = {
        "claims": numbered(kit.claims_table(*rows)),
        "published": numbered(kit.claims_table(*published), first=10),
    }
    check_claims(tables, signatures(*genes), known(**other), paths=PATHS)


def problems(kit, *rows, **other):
    with pytest.raises(TableError) as error:
        run(kit, *rows, **other)
    return str(error.value)


def test_a_pair_that_only_this_resource_turns_round_is_no_fault_of_the_claim(kit):
    """Most of LIANA's resources have it as the claim does."""
    turned = {"claim_id": "C1", "pairs": "CXCR4^CXCL12"}
    others = pd.DataFrame({"ligand": ["CXCR4"], "receptor": ["CXCL12"]})
    run(kit, turned, elsewhere=others, directions=Counter({("CXCR4", "CXCL12"): 1}))
    few = Counter({("CXCR4", "CXCL12"): 1, ("CXCL12", "CXCR4"): 2})
    assert "the wrong way round" in problems(kit, turned, elsewhere=others, directions=few)


def test_sound_claims_pass(kit):
    run(
        kit,
        {"pairs": "VEGFA^FLT1_KDR;CXCL12^CXCR4"},
        {"pairs": "VEGFA^FLT4;VEGFC^CXCR4"},  # sides of other pairs, of any resource of LIANA
        {"genes": "VEGFA;CD274;MRC1;CXCR4;FLT1"},  # measured in one cohort, symbols, the resource
        {"signature": "nfkb"},
        {"response": "nfkb", "pairs": "CXCL12^CXCR4"},
        {"contrast": "correlation", "contrast_with": "gene:MRC1@tam"},
        {"contrast": "correlation", "contrast_with": "share:tam"},
        {"contrast": "correlation", "contrast_with": "signature:nfkb@tam"},
        {"contrast": "conditions", "contrast_with": "lung_metastasis>primary"},
    )


def test_all_problems_come_in_one_error_by_file_and_line(kit):
    told = problems(
        kit,
        {"pairs": "VEGFA^FLT1_KDR"},
        {"pairs": "CXCR4^CXCL12;VEGFX^CXCR4"},
        {"genes": "CD47;CD2744"},
        {"signature": "short"},
        published=[{"pairs": "KDR^VEGFA"}],
        genes=[*FINE, *(("short", f"G{i}") for i in range(4)), ("short", "VEGFB"), ("nfkb", "G88")],
    )
    assert told.splitlines() == [
        "config/claims.tsv has 3 problems:",
        "  line 3: pair 'CXCR4^CXCL12' stands the wrong way round: the resource has "
        "'CXCL12^CXCR4'; write the ligand first",
        "  line 3: 'VEGFX' of 'VEGFX^CXCR4' is no ligand in the resource; closest: 'VEGFC'; "
        "correct it, or add the pair to the table of interactions",
        "  line 4: gene 'CD2744' is measured in no cohort of this run and is not in the table of "
        "gene symbols; closest: 'CD274'; correct it, or add it to that table",
        "config/published.tsv has 2 problems:",
        "  line 10: 'KDR' of 'KDR^VEGFA' is no ligand in the resource; known: CXCL12, VEGFA, "
        "VEGFC; correct it, or add the pair to the table of interactions",
        "  line 10: 'VEGFA' of 'KDR^VEGFA' is no receptor in the resource; known: CXCR4, "
        "FLT1_KDR, FLT4; correct it, or add the pair to the table of interactions",
        "config/signatures.tsv has 3 problems:",
        "  line 11: gene 'VEGFB' is measured in no cohort of this run and is not in the table of "
        "gene symbols; closest: 'VEGFA'; correct it, or add it to that table",
        "  line 12: gene 'G88' is measured in no cohort of this run and is not in the table of "
        "gene symbols; closest: 'G8'; correct it, or add it to that table",
        "  line 7: of signature 'short' at most 4 of 5 genes are measured in a cohort of this run, "
        "5 are needed; add genes, or drop the claims that use it",
    ]


@pytest.mark.parametrize("column", ["signature", "response"])
def test_a_signature_must_be_measured_where_it_is_used(kit, column):
    """Five genes of one cohort, not of all cohorts together."""
    genes = [("s", g) for g in ("G0", "G1", "G2", "G3", "G20", "CD274")]
    told = problems(kit, {column: "s"}, genes=genes)
    assert "line 2: of signature 's' at most 4 of 6 genes are measured" in told
    run(kit, {}, genes=genes)  # nobody uses it
    run(kit, {column: "s"}, genes=[*genes, ("s", "G4")])


def test_the_gene_of_a_correlation_is_checked(kit):
    told = problems(kit, {"contrast": "correlation", "contrast_with": "gene:VEGFAA@tam"})
    assert "line 2: gene 'VEGFAA' is measured in no cohort" in told
    assert "closest: 'VEGFA'" in told


def test_one_problem_is_one_problem(kit):
    assert problems(kit, {"genes": "NOPE"}).startswith("config/claims.tsv has 1 problem:\n")


def test_a_panel_of_genes_says_nothing_about_a_signature(kit):
    genes = [("s", g) for g in ("VEGFA", "KDR", "FLT1", "CXCR4", "MRC1")]
    panel = {"panel": {"VEGFA", "KDR"}}
    run(kit, {"signature": "s"}, genes=genes, measured=panel)
    told = problems(kit, {"signature": "s"}, genes=genes, measured=panel | MEASURED)
    assert "at most 2 of 5 genes are measured" in told


def test_nothing_to_check(kit):
    run(kit)
    run(kit, genes=[], measured={})
