"""The table of claims and those that belong to it: what is shipped, and what is refused."""

import re

import pandas as pd
import pytest
import yaml

from osteotalk import tables
from osteotalk.ingest.gene_tables import SymbolTable
from osteotalk.interactions.pairs.resource import liana_resource
from osteotalk.tables.renew import renew_text

IDS = {
    "tgfb_response",
    "hypoxia",
    "nfkb",
    "jak_stat3",
    "interferon",
    "m2_like",
    "exhaustion",
    "emt",
    "stemness",
    "proliferation",
    "osteoclast_activity",
}


@pytest.fixture
def config(repository):
    return yaml.safe_load((repository / "config" / "config.yaml").read_text())


@pytest.fixture
def paths(repository, config, tmp_path):
    """Copies of the shipped tables, free to be spoiled."""
    copies = {}
    for name, path in config["tables"].items():
        copies[name] = tmp_path / f"{name}.tsv"
        copies[name].write_bytes((repository / path).read_bytes())
    return copies


@pytest.fixture
def load(repository, paths):
    def run():
        schemas = repository / "workflow" / "schemas"
        return tables.load_tables(paths, schemas, datasets=["simulated_os"], workdir=".")

    return run


@pytest.fixture
def refused(load):
    """Text of the error that loading the tables raises."""

    def run():
        with pytest.raises(tables.TableError) as error:
            load()
        return str(error.value)

    return run


def append(path, **cells):
    """Add a row; the number of its line."""
    header = path.read_text().splitlines()[0].split("\t")
    assert set(cells) <= set(header)
    with path.open("a") as stream:
        stream.write("\t".join(cells.get(column, "") for column in header) + "\n")
    return len(path.read_text().splitlines())


COMMON = {
    "claim_id": "X1",
    "theme": "immune",
    "route": "contact",
    "statement": "A statement that is long enough.",
    "direction": "present",
    "evidence_tier": "D",
    "named_in_review": "no",
}
# A good row of every kind, unlike any that is shipped.
GOOD = {
    "interaction": {"pairs": "CD47^SIRPA", "source": "mast", "target": "dc", "response": "nfkb"},
    "expression": {"genes": "CD47;CD24", "source": "mast", "target": "dc"},
    "signature": {"signature": "emt", "source": "mast", "target": "dc;tam"},
    "composition": {"source": "tam_resident", "target": "myeloid"},
    "not_testable": {"reason": "it cannot be seen", "direction": ""},
}


def row(like, /, **cells):
    """A good row of this kind, with some cells changed."""
    return {**COMMON, "kind": like, **GOOD[like], **cells}


# --- what is shipped ---


def test_ledger_is_complete(load):
    claims = load().claims
    assert claims["claim_id"].tolist() == [f"C{i:03d}" for i in range(1, 102)]
    assert claims["kind"].value_counts().to_dict() == {
        "interaction": 72,
        "expression": 18,
        "not_testable": 6,
        "signature": 4,
        "composition": 1,
    }
    assert set(claims["contrast"]) == {"", "conditions", "correlation"}
    assert set(claims.loc[claims["contrast"] == "conditions", "direction"]) == {"higher", "lower"}
    tested = claims[claims["kind"] != "not_testable"]
    assert not tested["reason"].any()
    assert not claims["reason"].str.contains("this version").any()
    assert claims["statement"].is_unique
    assert claims["named_in_review"].isin(["yes", "no"]).all()
    themes = {"vessels", "fibroblasts", "msc", "immune", "osteoclasts", "tumour", "matrix", "drugs"}
    assert set(claims["theme"]) == themes


def test_what_was_not_checked_stays_visible(load):
    claims = load().claims
    assert claims.loc[claims["evidence_tier"] == "D", "caveat"].str.contains("UNVERIFIED").all()
    assert claims.loc[claims["sources"] == "", "caveat"].str.contains("UNVERIFIED").all()
    assert claims.loc[claims["sources"] == "", "evidence_tier"].eq("D").all()
    assert claims["caveat"].ne("").all()


def test_sources_can_be_cited(load):
    """DOIs, PMC and PMID numbers, or pages of a publisher or repository."""
    loaded = load()
    hosts = set()
    for frame, column in (
        (loaded.claims, "sources"),
        (loaded.published, "sources"),
        (loaded.signatures, "source"),
        (loaded.therapies, "source"),
    ):
        for source in {item for cell in frame[column] for item in cell.split(";") if item}:
            address = re.fullmatch(r"https?://([^/]+)/.+", source)
            if address:
                hosts.add(address[1])
            else:
                assert re.fullmatch(r"10\.\d{4,9}/\S+[^.,)]|PMC\d{6,8}|PMID:\d{6,8}", source)
    assert hosts == {
        "aacr.figshare.com",
        "aacrjournals.org",
        "ashpublications.com",
        "keio.elsevierpure.com",
        "tcr.amegroups.org",
        "www.biomedcentral.com",
        "www.mdpi.com",
    }


def test_programmes(load):
    loaded = load()
    signatures = loaded.signatures
    assert set(signatures["signature"]) == IDS
    sizes = signatures.groupby("signature").size()
    assert sizes.between(8, 25).all()
    # Neither what names a population nor what claims score as a pair may be part of a programme.
    pairs = {gene for cell in loaded.claims["pairs"] for gene in re.split("[;^_]", cell) if gene}
    assert not set(signatures["gene"]) & set(loaded.markers["gene"])
    assert not set(signatures["gene"]) & pairs
    assert signatures["note"].str.startswith("INF: ").all()


def test_programme_does_not_hold_the_gene_it_is_compared_with(load):
    loaded = load()
    genes = loaded.signatures.groupby("signature")["gene"].agg(set)
    compared = loaded.claims[loaded.claims["contrast"] == "correlation"]
    assert len(compared) == 5
    for claim in compared.itertuples():
        form, name, _ = tables.quantity_of(claim.contrast_with)
        if form == "gene" and claim.signature:
            assert name not in genes[claim.signature]


def test_therapies_and_claims_name_the_same_drugs(load):
    loaded = load()
    therapies = loaded.therapies.set_index("drug")
    named = {
        (drug, claim.claim_id)
        for claim in loaded.claims.itertuples()
        for drug in tables.split(claim.drugs)
    }
    listed = {(drug, c) for drug, cell in therapies["claims"].items() for c in tables.split(cell)}
    assert listed == named
    assert therapies.loc[therapies["source"] == "", "note"].str.contains("UNVERIFIED").all()
    asked = {
        "plerixafor": "CXCR4",
        "pembrolizumab": "PDCD1",
        "nivolumab": "PDCD1",
        "atezolizumab": "CD274",
        "durvalumab": "CD274",
        "apatinib": "KDR",
        "denosumab": "TNFSF11",
        "zoledronic acid": "FDPS",
    }
    assert therapies.loc[list(asked), "target_genes"].to_dict() == asked
    assert {"KDR", "FLT1", "FLT4", "PDGFRB"} <= set(
        therapies.loc["regorafenib", "target_genes"].split(";")
    )
    assert "UNVERIFIED" in therapies.loc["DCC-2036", "note"]
    in_index = {"apatinib", "regorafenib", "DCC-2036", "denosumab", "zoledronic acid"}
    assert therapies.loc[list(in_index), "named_in_review"].eq("yes").all()
    assert therapies.loc[["plerixafor", "pembrolizumab"], "named_in_review"].eq("no").all()


def test_published_findings(load, repository):
    loaded = load()
    published = loaded.published
    assert published["claim_id"].tolist() == [f"P{i:03d}" for i in range(1, len(published) + 1)]
    assert set(published["kind"]) == {"interaction"}
    assert published["caveat"].str.startswith("Not independent: found on the same samples").all()
    networks = published[published["sources"] == "10.3389/fgene.2022.1013737"]
    assert len(networks) == 17
    assert networks["caveat"].str.contains("INF").all()
    resource = liana_resource("consensus")[["ligand", "receptor"]]
    changes = loaded.interactions
    known = {
        *resource.itertuples(index=False, name=None),
        *changes.loc[changes["action"] == "add", ["ligand", "receptor"]].itertuples(
            index=False, name=None
        ),
    }
    for frame in (published, loaded.claims):
        pairs = {tuple(pair.split("^")) for cell in frame["pairs"] for pair in tables.split(cell)}
        assert pairs <= known


def test_claims_and_published_findings_have_the_same_columns(repository):
    schemas = [
        yaml.safe_load((repository / "workflow" / "schemas" / f"{name}.schema.yaml").read_text())
        for name in ("claims", "published")
    ]
    ours, others = ({**schema, "description": ""} for schema in schemas)
    assert ours == others


def test_genes_of_claims(load):
    loaded = load()
    genes = tables.genes_of_claims(loaded)
    assert genes == sorted(set(genes))
    assert {"MRC2", "HLA-A", "EPOR", "CXCR4", "VEGFA", "SOCS3"} <= set(genes)
    assert "nfkb" not in genes
    assert "tam" not in genes


# --- what is refused ---


@pytest.mark.parametrize("kind", GOOD)
def test_good_rows_of_every_kind_load(load, paths, kind):
    append(paths["claims"], **row(kind))
    append(paths["published"], **row(kind, claim_id="X2"))
    assert load().claims["claim_id"].iloc[-1] == "X1"


@pytest.mark.parametrize(
    "with_what",
    [
        ("conditions", "lung_metastasis+recurrence>primary"),
        ("correlation", "gene:VEGFA@malignant"),
        ("correlation", "gene:HLA-A@malignant+tam"),
        ("correlation", "signature:nfkb@malignant"),
        ("correlation", "share:tam+monocyte"),
    ],
)
@pytest.mark.parametrize("kind", ["interaction", "expression", "signature", "composition"])
def test_good_contrasts_load(load, paths, kind, with_what):
    contrast, text = with_what
    for i, direction in enumerate(("higher", "lower")):
        cells = {"contrast": contrast, "contrast_with": text, "direction": direction}
        append(paths["claims"], **row(kind, claim_id=f"X{i}", **cells))
    load()


CONDITIONS = {"contrast": "conditions", "direction": "higher"}
CORRELATION = {"contrast": "correlation", "direction": "higher"}
FORM = "a correlation is with gene:VEGFA@malignant, signature:nfkb@malignant or share:tam"


@pytest.mark.parametrize(
    ("kind", "cells", "message"),
    [
        ("interaction", {"kind": "expresion"}, "kind 'expresion' is not one of interaction, expre"),
        ("interaction", {"pairs": ""}, "a claim of kind interaction needs a value in pairs"),
        ("interaction", {"target": ""}, "a claim of kind interaction needs a value in target"),
        ("interaction", {"genes": "A"}, "kind interaction has no genes, but genes is 'A'"),
        ("interaction", {"reason": "why"}, "kind interaction has no reason, but reason is 'why'"),
        ("expression", {"genes": ""}, "a claim of kind expression needs a value in genes"),
        ("expression", {"pairs": "A^B"}, "kind expression has no pairs, but pairs is 'A^B'"),
        ("expression", {"response": "nfkb"}, "has no response, but response is 'nfkb'"),
        ("expression", {"signature": "emt"}, "kind expression has no signature"),
        ("expression", {"genes": "A,B"}, "genes 'A,B' is not allowed"),
        ("signature", {"signature": ""}, "a claim of kind signature needs a value in signature"),
        ("signature", {"genes": "A"}, "a claim of kind signature has no genes"),
        (
            "signature",
            {"signature": "tgf_response"},
            "signature 'tgf_response' is not in the table of signatures; closest: 'tgfb_response'",
        ),
        (
            "interaction",
            {"response": "nfkb1"},
            "response 'nfkb1' is not in the table of signatures; closest: 'nfkb'",
        ),
        ("composition", {"source": ""}, "a claim of kind composition needs a value in source"),
        ("composition", {"genes": "A"}, "a claim of kind composition has no genes"),
        ("not_testable", {"reason": ""}, "a claim of kind not_testable needs a value in reason"),
        ("not_testable", {"pairs": "A^B"}, "a claim of kind not_testable has no pairs"),
        ("not_testable", {"direction": "present"}, "a claim of kind not_testable has no direction"),
        ("not_testable", {"contrast": "conditions"}, "kind not_testable has no contrast, but"),
        ("expression", {"direction": "higher"}, "direction 'higher' needs a contrast"),
        ("expression", {"direction": ""}, "direction '' needs a contrast"),
        (
            "expression",
            {**CONDITIONS, "direction": "present", "contrast_with": "recurrence>primary"},
            "direction 'present' does not go with the contrast 'conditions'",
        ),
        (
            "expression",
            {"contrast_with": "share:tam"},
            "contrast_with 'share:tam' needs a contrast",
        ),
        ("expression", {"contrast": "condition"}, "contrast 'condition' is not one of conditions"),
        (
            "expression",
            {**CONDITIONS, "contrast_with": "lung_metastases>primary"},
            "'lung_metastases' is not in the table of samples; closest: 'lung_metastasis'",
        ),
        (
            "expression",
            {**CONDITIONS, "contrast_with": "primary+recurrence>primary"},
            "condition 'primary' is on both sides of 'primary+recurrence>primary'",
        ),
        (
            "expression",
            {**CONDITIONS, "contrast_with": "primary"},
            "'primary' is not allowed; cond",
        ),
        (
            "expression",
            {**CONDITIONS, "contrast_with": ""},
            "contrast_with '' is not allowed; cond",
        ),
        (
            "expression",
            {**CONDITIONS, "contrast_with": "recurrence>primary>x"},
            "contrast_with 'recurrence>primary>x' is not allowed; conditions are written as",
        ),
        ("expression", {**CORRELATION, "contrast_with": "VEGFA@malignant"}, FORM),
        ("expression", {**CORRELATION, "contrast_with": "gene:VEGFA"}, FORM),
        ("expression", {**CORRELATION, "contrast_with": "gen:VEGFA@malignant"}, FORM),
        ("expression", {**CORRELATION, "contrast_with": "share:nfkb@malignant"}, FORM),
        ("expression", {**CORRELATION, "contrast_with": "gene:A_B@malignant"}, FORM),
        ("expression", {**CORRELATION, "contrast_with": "share:tam+"}, FORM),
        (
            "expression",
            {**CORRELATION, "contrast_with": "gene:VEGFA@tam+malignent"},
            "population 'malignent' is not in the table of populations; closest: 'malignant'",
        ),
        (
            "expression",
            {**CORRELATION, "contrast_with": "share:tam_spp1"},
            "contrast_with: 'tam_spp1' is a state of a population and cannot stand here",
        ),
        (
            "expression",
            {**CORRELATION, "contrast_with": "signature:hypoxya@tam"},
            "signature 'hypoxya' is not in the table of signatures; closest: 'hypoxia'",
        ),
        ("expression", {**CORRELATION, "contrast_with": "gene:2-Sep@tam"}, "(SEPTIN2)?"),
        ("expression", {"genes": "CD47;Mar-1"}, "genes 'Mar-1' looks like a date"),
        ("interaction", {"pairs": "A_3-Dec^B"}, "pairs '3-Dec' looks like a date"),
        ("interaction", {"source": "tumor"}, "source 'tumor' is not in the table of populations"),
        ("expression", {"target": "makrophage"}, "target 'makrophage' is not in the table"),
        (
            "expression",
            {"source": "mregdc"},
            "source 'mregdc' is a state of a population; only the source of a composition can be",
        ),
        ("composition", {"target": "tam_resident"}, "target 'tam_resident' is a state of a popul"),
        (
            "composition",
            {"target": "t_nk;malignant"},
            "source 'tam_resident' is no part of target 't_nk;malignant'",
        ),
        ("composition", {"source": "myeloid"}, "source 'myeloid' is the target too"),
        (
            "composition",
            {"source": "tam;tam_resident"},
            "source 'tam_resident' is a part of source 'tam'; its cells would count twice",
        ),
        ("signature", {"source": "myeloid"}, "target 'dc;tam' is all in source 'myeloid'"),
    ],
)
@pytest.mark.parametrize("table", ["claims", "published"])
def test_bad_claims_are_named_with_their_line(paths, refused, table, kind, cells, message):
    line = append(paths[table], **row(kind, **cells))
    text = refused()
    assert f"{paths[table]} has " in text
    found = [told for told in text.splitlines() if f"line {line}: " in told]
    assert any(message in told for told in found), text


def test_all_problems_are_in_one_error(paths, refused):
    line = append(
        paths["claims"], **row("expression", source="tumor", direction="higher", pairs="A^B")
    )
    drug = {"target_genes": "1-Mar", "claims": "C001;C1002", "named_in_review": "no"}
    therapy = append(paths["therapies"], drug="x", **drug)
    programme = append(
        paths["signatures"],
        signature="short",
        label="Short",
        gene="A",
        weight="1",
        source="10.1000/x",
    )
    text = refused()
    assert f"{paths['claims']} has 3 problems" in text
    assert text.count(f"line {line}: ") == 3
    assert f"{paths['therapies']} has 2 problems" in text
    assert f"line {therapy}: claims 'C1002' is not in the table of claims; closest: 'C1" in text
    assert f"line {therapy}: target_genes '1-Mar' looks like a date" in text
    assert f"line {programme}: signature 'short' has 1 genes and needs at least 5" in text


def test_the_same_test_under_two_ids(paths, refused):
    """The order of lists does not make another claim; the direction does."""
    cells = {
        "pairs": "CD47^SIRPA;CD24^SIGLEC10",
        "source": "mast;dc",
        "contrast": "conditions",
        "direction": "higher",
    }
    other = {
        **cells,
        "pairs": "CD24^SIGLEC10;CD47^SIRPA",
        "source": "dc;mast",
        "contrast_with": "recurrence+lung_metastasis>primary",
    }
    cells["contrast_with"] = "lung_metastasis+recurrence>primary"
    first = append(paths["claims"], **row("interaction", **cells))
    line = append(paths["claims"], **row("interaction", **{**other, "claim_id": "X2"}))
    append(
        paths["claims"], **row("interaction", **{**other, "claim_id": "X3", "direction": "lower"})
    )
    append(paths["published"], **row("interaction", **{**other, "claim_id": "X4"}))
    text = refused()
    assert "has 1 problem:" in text
    assert f"line {line}: 'X2' is the same test as 'X1' (line {first})" in text


def test_the_same_correlation_under_two_ids(paths, refused):
    for i, where in enumerate(("tam+dc", "dc+tam", "mast+dc")):
        cells = {**CORRELATION, "contrast_with": f"gene:CD47@{where}"}
        append(paths["claims"], **row("expression", claim_id=f"X{i}", **cells))
    text = refused()
    assert "has 1 problem:" in text
    assert "'X1' is the same test as 'X0'" in text


def test_the_sides_of_a_contrast_make_two_claims(paths, load):
    for i, text in enumerate(("lung_metastasis>primary", "primary>lung_metastasis")):
        cells = {**CONDITIONS, "contrast_with": text}
        append(paths["claims"], **row("expression", claim_id=f"X{i}", **cells))
    load()


def test_untestable_claims_may_look_alike(paths, load):
    for i in range(2):
        append(paths["claims"], **row("not_testable", claim_id=f"X{i}"))
    load()


def test_ids_of_published_findings_are_their_own(paths, refused):
    line = append(paths["published"], **row("expression", claim_id="C001"))
    assert f"line {line}: claim_id 'C001' is in the table of claims already" in refused()


def test_programmes_are_refused(paths, refused):
    cells = {"label": "NF-kB response", "weight": "1", "source": "10.1000/x"}
    twice = append(paths["signatures"], signature="nfkb", gene="RELB", **cells)
    label = append(paths["signatures"], signature="emt", gene="XX1", **cells)
    date = append(paths["signatures"], signature="nfkb", gene="Sep-02", **cells)
    weight = append(paths["signatures"], signature="nfkb", gene="XX2", **{**cells, "weight": "2"})
    text = refused()
    assert f"line {twice}: signature 'nfkb', gene 'RELB' is in the table already" in text
    assert f"line {weight}: weight '2' is not one of 1, -1" in text
    # each table by itself comes first
    kept = [
        told
        for i, told in enumerate(paths["signatures"].read_text().splitlines(), 1)
        if i not in (twice, weight)
    ]
    paths["signatures"].write_text("\n".join(kept) + "\n")
    text = refused()
    assert f"line {label - 1}: signature 'emt' is labelled 'NF-kB response' here and 'Epi" in text
    assert f"line {date - 1}: gene 'Sep-02' looks like a date" in text


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({"claim_id": "C500"}, "claim_id 'C500' is not in the table of claims"),
        ({"population": "tumour"}, "population 'tumour' is not in the table of populations"),
        ({"population": "mregdc"}, "population 'mregdc' is a state of a population and cannot"),
        ({"genes": "signature:emd"}, "signature 'emd' is not in the table of signatures; closest"),
        ({"genes": "signature:"}, "genes 'signature:' is not allowed"),
        ({"genes": "A;2-Sep"}, "genes '2-Sep' looks like a date"),
        ({"where": "recurrence"}, "where 'recurrence' is not in the table of sample conditions"),
        ({"where": ""}, "where is empty"),
    ],
)
def test_raised_genes_are_refused(paths, refused, cells, message):
    good = {"claim_id": "C028", "population": "fibroblast", "genes": "LOXL2", "where": "all"}
    line = append(paths["simulation_genes"], **{**good, **cells})
    text = refused()
    assert f"line {line}: " in text
    assert message in text


def test_own_samples_need_not_have_the_conditions_of_the_claims(paths, load):
    """Those of the shipped simulation are known as well."""
    lines = paths["samples"].read_text().splitlines()
    kept = [line for line in lines if "lung_metastasis" not in line or "simulated" in line]
    assert len(kept) < len(lines)
    paths["samples"].write_text("\n".join(kept) + "\n")
    assert "lung_metastasis" in set(load().simulation_populations["condition"])


def test_a_circle_of_populations_is_told_without_following_it(paths, refused):
    text = paths["populations"].read_text()
    paths["populations"].write_text(
        text.replace("myeloid\tMyeloid cell\t\t", "myeloid\tMyeloid cell\ttam\t")
    )
    assert "population 'tam' is its own ancestor" in refused()


# --- words and symbols ---


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("gene:HLA-A@tam+dc", ("gene", "HLA-A", ["tam", "dc"])),
        ("signature:m2_like@tam", ("signature", "m2_like", ["tam"])),
        ("share:tam", ("share", "", ["tam"])),
        ("share:x@tam", None),
        ("gene:@tam", None),
        ("gene:A@", None),
        ("tam", None),
        ("", None),
    ],
)
def test_quantities(text, expected):
    assert tables.quantity_of(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a>b", (["a"], ["b"])),
        ("a+b>c+d", (["a", "b"], ["c", "d"])),
        ("a>b>c", None),
        (">b", None),
        ("a+>b", None),
        ("a", None),
    ],
)
def test_sides(text, expected):
    assert tables.sides_of(text) == expected


@pytest.fixture
def symbols():
    """The previous symbol OLD of NEW; `like` is a symbol too, and nfkb a previous one."""
    return SymbolTable("test", frozenset({"NEW", "like"}), {}, {"OLD": ("NEW",), "nfkb": ("NEW",)})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("OLD;B", "NEW;B"),
        ("OLD_B^OLD", "NEW_B^NEW"),
        ("gene:OLD@tam", "gene:NEW@tam"),
        ("gene:OLD@nfkb+OLD", "gene:NEW@nfkb+OLD"),
        ("signature:nfkb@OLD", "signature:nfkb@OLD"),
        ("OLD;signature:nfkb", "NEW;signature:nfkb"),
        ("share:nfkb", "share:nfkb"),
        ("OLD>nfkb", "OLD>nfkb"),
        ("", ""),
    ],
)
def test_only_genes_are_renewed(symbols, text, expected):
    assert renew_text(text, symbols) == expected


def test_all_tables_of_claims_are_renewed(paths, load, symbols):
    cells = {**CORRELATION, "contrast_with": "gene:OLD@tam"}
    append(paths["claims"], **row("expression", genes="OLD;CD47", **cells))
    append(paths["published"], **row("interaction", claim_id="X2", pairs="OLD^B"))
    append(
        paths["signatures"],
        signature="emt",
        label="Epithelial-mesenchymal transition",
        gene="OLD",
        weight="1",
        source="10.1000/x",
    )
    append(paths["therapies"], drug="x", target_genes="OLD", claims="C001", named_in_review="no")
    append(
        paths["simulation_genes"], claim_id="C028", population="tam", genes="OLD;CD47", where="all"
    )
    renewed = tables.renew(load(), symbols)
    assert renewed.claims[["genes", "contrast_with"]].iloc[-1].tolist() == [
        "NEW;CD47",
        "gene:NEW@tam",
    ]
    assert renewed.published["pairs"].iloc[-1] == "NEW^B"
    assert renewed.signatures["gene"].iloc[-1] == "NEW"
    assert renewed.therapies["target_genes"].iloc[-1] == "NEW"
    assert renewed.simulation_genes["genes"].iloc[-1] == "NEW;CD47"
    kept = renewed.claims.loc[renewed.claims["claim_id"] == "C065", "contrast_with"]
    assert kept.tolist() == ["signature:nfkb@tam+cd8_t+endothelial+malignant"]


def test_genes_of_a_programme_that_become_one(paths, load, symbols):
    cells = {
        "signature": "emt",
        "label": "Epithelial-mesenchymal transition",
        "weight": "1",
        "source": "10.1000/x",
    }
    append(paths["signatures"], gene="NEW", **cells)
    line = append(paths["signatures"], gene="OLD", **cells)
    message = f"line {line}: gene 'OLD' is NEW today, which signature 'emt' has already"
    with pytest.raises(tables.TableError, match=message):
        tables.renew(load(), symbols)


def test_ligands_of_routes_that_become_one(paths, load, symbols):
    cells = {"route": "secreted", "basis": "a family", "source": "INF"}
    append(paths["routes"], ligand="OLD*", **cells)
    append(paths["routes"], ligand="NEW", **cells)
    line = append(paths["routes"], ligand="OLD", **cells)
    message = f"line {line}: ligand 'OLD' is NEW today, which is in the table already"
    with pytest.raises(tables.TableError, match=message) as error:
        tables.renew(load(), symbols)
    assert "the table of routes has 1 problem" in str(error.value)


def test_frames_are_text(load):
    for name in ("claims", "signatures", "therapies", "published", "simulation_genes"):
        frame = getattr(load(), name)
        assert isinstance(frame, pd.DataFrame)
        assert all(isinstance(cell, str) for cell in frame.to_numpy().ravel())
