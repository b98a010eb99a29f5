import csv
import json
import logging
from collections import Counter

import h5py
import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse

from osteotalk.ingest import IngestError
from osteotalk.ingest.genes import (
    Orthologs,
    current_names,
    name_genes,
    read_orthologs,
    read_symbols,
)
from osteotalk.liana_file import liana_table

# Files do repeat names; what comes out must not (test_the_result_is_unique).
pytestmark = pytest.mark.filterwarnings("ignore:Variable names are not unique")

SYMBOLS = """symbol\tprev_symbol\tensembl_gene_id\tsource
CCN2\tCTGF\tENSG00000118523\ta
CCN4\tWISP1|OLDW\t\tb
CD99\t\tENSG00000002586\tc
STING1\tTMEM173|TWICE\tENSG00000184584\td
SPP1\tTWICE|BOTH\tENSG00000118785\te
BOTH\t\t\tf
"""
COUNTS = np.array([[1, 0, 2, 4], [0, 3, 0, 5], [7, 0, 0, 6]])


@pytest.fixture
def symbols(tmp_path):
    return read_symbols(write(tmp_path / "symbols.tsv", SYMBOLS))


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def data(names, ids=None, *, counts=None, dtype=np.int32):
    if counts is None:
        counts = np.random.default_rng(5).poisson(1.0, size=(6, len(names)))
    var = pd.DataFrame(index=pd.Index(names, dtype=object))
    if ids is not None:
        var["gene_id"] = ids
    obs = pd.DataFrame({"label": "x"}, index=[f"c{i}" for i in range(len(counts))])
    return AnnData(sparse.csr_matrix(np.asarray(counts), dtype=dtype), obs=obs, var=var)


def named(names, symbols, ids=None, **more):
    result, report = name_genes(data(names, ids), symbols=symbols, **more)
    return list(result.var_names), report


# --- the table of symbols


def test_table_of_symbols(symbols):
    assert symbols.approved == {"CCN2", "CCN4", "CD99", "STING1", "SPP1", "BOTH"}
    assert symbols.by_id["ENSG00000118523"] == ("CCN2",)
    assert symbols.by_previous["OLDW"] == ("CCN4",)
    assert symbols.by_previous["TWICE"] == ("SPP1", "STING1")
    assert "BOTH" not in symbols.by_previous  # an approved symbol today


def test_hgncs_own_file_is_read_as_it_is(tmp_path):
    text = (
        "hgnc_id\tsymbol\tname\tstatus\talias_symbol\tprev_symbol\tensembl_gene_id\r\n"
        'HGNC:2654\tCCN1\t"a ""quoted"" name"\tApproved\tGIG1\t"IGFBP10|CYR61"\tENSG00000142871\r\n'
        "HGNC:2500\tCCN2\t5'-name\tApproved\tIGFBP8\tCTGF\tENSG00000118523\r\n"
    )
    path = tmp_path / "hgnc.txt"
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    table = read_symbols(path)
    assert table.by_previous == {"IGFBP10": ("CCN1",), "CYR61": ("CCN1",), "CTGF": ("CCN2",)}
    assert table.by_id == {"ENSG00000142871": ("CCN1",), "ENSG00000118523": ("CCN2",)}


def test_a_mark_before_the_header_is_no_part_of_it(tmp_path):
    path = tmp_path / "symbols.tsv"
    path.write_bytes(b"\xef\xbb\xbf" + SYMBOLS.encode())
    assert "CCN2" in read_symbols(path).approved


def test_all_wrong_lines_are_listed_at_once(tmp_path):
    header = "symbol\tprev_symbol\tensembl_gene_id\n"
    path = write(tmp_path / "s.tsv", header + "A\t\t\n\tOLD\t\nA\t\t\nB\t\tENSMUSG00000000001\n")
    with pytest.raises(IngestError) as error:
        read_symbols(path)
    assert str(error.value).splitlines() == [
        f"{path} line 3: the symbol is empty; fill it in or remove the line",
        f"{path} line 4: 'A' is repeated from line 2; keep one",
        f"{path} line 5: 'ENSMUSG00000000001' is no human Ensembl gene id (ENSG and 11 digits)",
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"symbol\tensembl_gene_id\nA\t\n", "line 1: no column prev_symbol among symbol, ensembl"),
        (b"A1BG\tX\tENSG00000121410\nA2M\t\t\n", "no column symbol, prev_symbol, ensembl_gene_id"),
        (b"symbol,prev_symbol,ensembl_gene_id\nA,,\n", "separated by tabs"),
        (b"", "has 0 lines; a header and at least one gene are needed"),
        (b"symbol\tprev_symbol\tensembl_gene_id\n", "has 1 lines; a header and at least one"),
        (b"\x1f\x8b\x08\x00\xff\xff", "is not a text table .*; unpack it, or save it as UTF-8"),
    ],
)
def test_a_table_of_another_form_is_refused(tmp_path, content, message):
    path = tmp_path / "symbols.tsv"
    path.write_bytes(content)
    with pytest.raises(IngestError, match=message) as error:
        read_symbols(path)
    assert str(path) in str(error.value)


def test_a_missing_table_is_named(tmp_path):
    with pytest.raises(IngestError, match=r"gone\.tsv does not exist; check the path"):
        read_symbols(tmp_path / "gone.tsv")


# --- human genes


def test_each_rule_of_human_genes(symbols):
    names = ["X1", "CCN4", "OLDW", "TWICE", "ENSG00000999999.3", "MYGENE", "ENSG00000118785.1"]
    ids = ["ENSG00000118523.12", "SIM1", "SIM2", "SIM3", "SIM4", "SIM5", "SIM6"]
    result, report = name_genes(data(names, ids), symbols=symbols)
    assert list(result.var_names) == ["CCN2", "CCN4", "TWICE", "ENSG00000999999", "MYGENE", "SPP1"]
    assert list(result.var["ensembl_id"]) == [
        "ENSG00000118523", "SIM1", "SIM3", "ENSG00000999999", "SIM5", "ENSG00000118785",
    ]  # fmt: skip
    assert report == {
        "n_genes_file": 7,
        "n_genes": 6,
        "by_ensembl_id": 2,
        "par_y": 0,
        "renamed": 2,
        "renamed_list": [["OLDW", "CCN4"], ["X1", "CCN2"]],
        "summed": 1,
        "summed_symbols": ["CCN4"],
        "ambiguous": ["TWICE"],
        "conflicts": [],
        "unmapped": ["ENSG00000999999"],
        "n_orthologs": 0,
        "no_ortholog": [],
        "known": 4,
        "names_changed": {},
        "names_changed_examples": {},
        "names_lost": {},
        "names_lost_examples": {},
    }
    assert json.loads(json.dumps(report)) == report


def test_the_id_decides_before_the_name(symbols):
    found, report = named(["CCN4", "SPP1"], symbols, ids=["ENSG00000118523", "ENSG00000118785"])
    assert found == ["CCN2", "SPP1"]
    assert report["renamed_list"] == [["CCN4", "CCN2"]]


def test_an_approved_symbol_that_was_once_anothers_is_kept(symbols):
    assert named(["BOTH"], symbols)[0] == ["BOTH"]


def test_an_id_of_two_symbols_leaves_the_choice_to_the_name(tmp_path):
    table = read_symbols(
        write(
            tmp_path / "s.tsv",
            "symbol\tprev_symbol\tensembl_gene_id\nA\t\tENSG00000000001\nB\tC\tENSG00000000001\n",
        )
    )
    names, report = named(["B", "C"], table, ids=["ENSG00000000001"] * 2)
    assert names == ["B"]
    assert report["by_ensembl_id"] == 1


@pytest.mark.parametrize(
    ("names", "ids", "expected", "conflicts"),
    [
        # The same gene under both names: equal ids, or one of them unknown.
        (["WISP1", "CCN4"], ["ENSG00000104415"] * 2, ["CCN4"], []),
        (["WISP1", "CCN4"], ["SIM1", "ENSG00000104415"], ["CCN4"], []),
        (["WISP1", "CCN4"], ["ENSG00000104415", "SIM1"], ["CCN4"], []),
        (["WISP1", "CCN4"], None, ["CCN4"], []),
        # Two real ids: the old name is that of another gene.
        (
            ["WISP1", "CCN4"],
            ["ENSG00000900000.2", "ENSG00000104415.7"],
            ["WISP1", "CCN4"],
            ["WISP1"],
        ),
        # A version is no difference.
        (["WISP1", "CCN4"], ["ENSG00000104415.2", "ENSG00000104415.7"], ["CCN4"], []),
        # The id of the approved symbol comes from the table's id, not its name.
        (["TMEM173", "OTHER"], ["ENSG00000900000", "ENSG00000184584"], ["TMEM173", "STING1"], 1),
        # Two previous names of one symbol with different ids, and no row of the symbol itself.
        (
            ["WISP1", "OLDW"],
            ["ENSG00000900000", "ENSG00000104415"],
            ["WISP1", "OLDW"],
            ["OLDW", "WISP1"],
        ),
        # One previous name twice is summed in any case.
        (["WISP1", "WISP1"], ["ENSG00000900000", "ENSG00000104415"], ["CCN4"], []),
    ],
)
def test_a_previous_symbol_of_another_gene_is_left_alone(symbols, names, ids, expected, conflicts):
    found, report = named(names, symbols, ids)
    assert found == expected
    assert report["conflicts"] == (["TMEM173"] if conflicts == 1 else conflicts)


def test_copies_on_the_y_chromosome_are_counted_and_summed(symbols):
    ids = ["ENSG00000002586.20", "ENSG00000002586.20_PAR_Y", "ENSGR0000182378.10"]
    counts = [[1, 2, 4], [0, 8, 0]]
    result, report = name_genes(
        data(["CD99", "CD99", "PLCXD1"], ids, counts=counts), symbols=symbols
    )
    assert list(result.var_names) == ["CD99", "PLCXD1"]
    assert list(result.var["ensembl_id"]) == ["ENSG00000002586", "ENSG00000182378"]
    assert result.X.toarray().tolist() == [[3, 4], [8, 0]]
    assert (report["par_y"], report["summed"]) == (2, 1)


def test_counts_of_one_symbol_are_added_and_zero_genes_kept(symbols):
    adata = data(["CTGF", "NIL", "CCN2", "CTGF"], counts=COUNTS * [1, 0, 1, 1])
    adata.uns["counts_from"] = "raw.X"
    result, report = name_genes(adata, symbols=symbols)
    assert list(result.var_names) == ["CCN2", "NIL"]
    assert result.X.toarray().tolist() == [[7, 0], [5, 0], [13, 0]]
    assert result.X.dtype == np.int32
    assert (report["summed"], report["summed_symbols"]) == (2, ["CCN2"])
    assert list(result.obs["label"]) == ["x"] * 3
    assert result.uns["counts_from"] == "raw.X"


@pytest.mark.parametrize(
    ("dtype", "value"), [(np.float32, 2**24), (np.int32, 2**31 - 1), (np.uint8, 255), (np.int64, 2)]
)
def test_sums_are_exact_whatever_the_type(symbols, dtype, value):
    adata = data(["CTGF", "CCN2"], counts=[[value, 1]], dtype=dtype)
    result, _ = name_genes(adata, symbols=symbols)
    assert int(result.X.toarray()[0, 0]) == value + 1


def test_the_same_genes_in_another_order_or_form_give_the_same(symbols):
    names = ["CTGF", "CCN2", "G1", "G2", "OLDW", "CCN4", "TWICE", "G1", "TMEM173", "SPP1"]
    adata = data(names, counts=np.random.default_rng(1).poisson(2, size=(20, 10)))
    expected, report = name_genes(adata, symbols=symbols)
    frame = expected.to_df()
    for seed in range(5):
        rng = np.random.default_rng(seed)
        genes, cells = rng.permutation(adata.n_vars), rng.permutation(adata.n_obs)
        other = adata[cells][:, genes].copy()
        if seed % 2:
            other.X = other.X.toarray()
        result, again = name_genes(other, symbols=symbols)
        assert again == report
        pd.testing.assert_frame_equal(result.to_df().loc[frame.index, frame.columns], frame)
        first = list(dict.fromkeys(named([n], symbols)[0][0] for n in other.var_names))
        assert list(result.var_names) == first
    assert expected.X.sum() == adata.X.sum()


def test_the_result_is_unique_and_repeated_cells_are_left_to_the_caller(symbols):
    adata = data(["CTGF", "CCN2", "G1", "G1"])
    adata.obs_names = ["same"] * adata.n_obs
    result, _ = name_genes(adata, symbols=symbols)
    assert result.var_names.is_unique
    assert list(result.obs_names) == ["same"] * adata.n_obs


def test_against_a_plain_loop(symbols):
    rng = np.random.default_rng(8)
    pool = ["CTGF", "CCN2", "WISP1", "CCN4", "OLDW", "CD99", "TWICE", *(f"G{i}" for i in range(20))]
    names = rng.choice(pool, size=60).tolist()
    adata = data(names, counts=rng.poisson(0.7, size=(15, 60)))
    result, report = name_genes(adata, symbols=symbols)
    current = {"CTGF": "CCN2", "WISP1": "CCN4", "OLDW": "CCN4"}
    dense = adata.X.toarray()
    sums = {}
    for column, name in enumerate(names):
        key = current.get(name, name)
        sums[key] = sums.get(key, 0) + dense[:, column]
    assert list(result.var_names) == list(sums)
    np.testing.assert_array_equal(result.X.toarray(), np.column_stack(list(sums.values())))
    assert report["summed"] == 60 - len(sums)
    assert report["renamed"] == sum(name in current for name in names)


def test_invented_ids_and_missing_ones_are_no_fault(symbols):
    names, report = named(["A", "B"], symbols, ids=["SIM00001", "nan"])
    assert names == ["A", "B"]
    result, _ = name_genes(data(["A", "B"], ["SIM00001", "nan"]), symbols=symbols)
    assert list(result.var["ensembl_id"]) == ["SIM00001", ""]
    assert report["unmapped"] == []


def test_ids_without_any_symbol_are_refused_if_they_are_most(symbols):
    names = ["ENSG00000000001.1", "ENSG00000000002", "CCN2"]
    with pytest.raises(IngestError, match="x.h5ad: 2 of 3 gene names are Ensembl ids") as error:
        name_genes(data(names), symbols=symbols, where="x.h5ad")
    assert "through the config key genes.symbols" in str(error.value)
    assert "ENSG00000000001, ENSG00000000002" in str(error.value)
    assert named([*names, "CD99"], symbols)[1]["unmapped"] == [n.split(".")[0] for n in names[:2]]


def test_a_gene_without_name_takes_its_id_or_is_refused(symbols):
    ids = ["ENSG00000000001", "ENSG00000118523", "SIM1", ""]
    assert named(["", "nan", "C", "D"], symbols, ids)[0] == ["ENSG00000000001", "CCN2", "C", "D"]
    genes, report = named(["A", "B", ""], symbols, ["", "", ""])
    assert genes == ["A", "B"]
    assert report["names_lost"] == {"genes without a name and an id": 1}
    with pytest.raises(IngestError, match="most of its 3 genes have neither a name .*: 2 genes"):
        named(["A", "", "nan"], symbols, ["", "", ""])


@pytest.mark.parametrize(
    "names",
    [
        ["Col1a1", "Spp1", "Gm123", "Rik"],
        ["Col1a1", "Spp1", "mt-Nd1", "Ptprc", "H2-K1"],
    ],
)
def test_mouse_names_are_not_taken_for_human(symbols, names):
    with pytest.raises(IngestError, match="names are spelled as in mouse \\(Col1a1, Spp1") as error:
        named(names, symbols)
    assert "a file of role orthologs" in str(error.value)


@pytest.mark.parametrize(
    "names",
    [
        ["C1orf186", "C10orf54", "C9orf16", "CXorf36"],
        ["Y_RNA", "snoU13", "hsa-mir-1253", "7SK", "RP11-34P13.7"],
        ["Col1a1", "SPP1"],  # half is not most
    ],
)
def test_human_names_with_small_letters_pass(symbols, names):
    assert named(names, symbols)[0] == names


@pytest.mark.parametrize("in_names", [True, False])
def test_ids_of_another_species_are_not_taken_for_human(symbols, in_names):
    ids = ["ENSCAFG00000000001.3", "ENSCAFG00845000002", "ENSG00000118523"]
    names, given = (ids, None) if in_names else (["SPP1", "CD99", "CCN2"], ids)
    with pytest.raises(IngestError, match="2 of 3 gene ids are not human \\(ENSCAFG00000000001, "):
        named(names, symbols, given)


def test_what_was_done_is_logged(symbols, caplog):
    with caplog.at_level(logging.INFO, logger="osteotalk"):
        named(["CTGF", "CCN2", "TWICE"], symbols, where="x.h5")
    assert "x.h5: n_genes_file 3, n_genes 2, by_ensembl_id 0, renamed 1, summed 1" in caplog.text
    assert "x.h5: 1 gene names are previous symbols of several genes" in caplog.text


# --- orthologs

PAIRS = [
    ("ENSCAFG00000000001", "COL1A1", "COL1A1", "ortholog_one2one"),
    ("ENSCAFG00000000002", "DLA-DRA", "HLA-DRA", "ortholog_one2one"),
    ("ENSCAFG00000000003", "TWO", "T1", "ortholog_one2many"),
    ("ENSCAFG00000000003", "TWO", "T2", "ortholog_one2many"),
    ("ENSCAFG00000000004", "PAR1", "P", "ortholog_one2one"),
    ("ENSCAFG00000000005", "PAR2", "P", "ortholog_one2one"),
    ("ENSCAFG00000000006", "", "NAMELESS", "ortholog_one2one"),
    ("ENSCAFG00000000007", "NOHUMAN", "", ""),
    ("ENSCAFG00000000008", "ONE2MANY", "Q", "ortholog_one2many"),
    ("ENSCAFG00000000009", "SHARED", "S1", "ortholog_one2one"),
    ("ENSCAFG00000000010", "SHARED", "S2", "ortholog_one2one"),
    ("ENSCAFG00000000001", "COL1A1", "COL1A1", "ortholog_one2one"),
]
LEFT_OUT = {
    "human_gene_of_several": 2,
    "no_human_gene": 1,
    "other_orthology_type": 1,
    "several_human_genes": 1,
}


@pytest.mark.parametrize(
    ("header", "delimiter"),
    [
        ("Gene stable ID|Gene name|Human gene name|Human homology type", "\t"),
        ("Gene stable ID|Gene name|Human gene name|Human homology type", ","),
        (
            "ensembl_gene_id|external_gene_name|hsapiens_homolog_associated_gene_name"
            "|hsapiens_homolog_orthology_type",
            "\t",
        ),
        ("gene_id|gene_name|human_symbol|orthology_type", ","),
    ],
)
def test_orthologs_under_every_header(tmp_path, header, delimiter):
    path = tmp_path / "orthologs.txt"
    with path.open("w", newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows([header.split("|"), *PAIRS])
    orthologs = read_orthologs(path)
    assert {k[-2:]: v for k, v in orthologs.by_id.items()} == {
        "01": "COL1A1", "02": "HLA-DRA", "03": "", "04": "", "05": "", "06": "NAMELESS",
        "07": "", "08": "", "09": "S1", "10": "S2",
    }  # fmt: skip
    assert {k: v for k, v in orthologs.by_name.items() if v} == {
        "COL1A1": "COL1A1",
        "DLA-DRA": "HLA-DRA",
    }
    assert orthologs.left_out == LEFT_OUT


def test_orthologs_with_names_only_and_no_type(tmp_path):
    text = "gene_name,human_symbol\nCol1a1,COL1A1\nA,X\nA,Y\nB,Z\nC,Z\nCol1a1,COL1A1\n"
    orthologs = read_orthologs(write(tmp_path / "o.csv", text))
    assert orthologs.by_name == {"Col1a1": "COL1A1", "A": "", "B": "", "C": ""}
    assert orthologs.by_id == {}
    assert orthologs.left_out == {"human_gene_of_several": 2, "several_human_genes": 1}


def test_ids_of_orthologs_may_have_versions(tmp_path):
    text = "gene_id\tgene_name\thuman_symbol\nENSCAFG00000000001.4\tA\tX\n"
    assert read_orthologs(write(tmp_path / "o.tsv", text)).by_id == {"ENSCAFG00000000001": "X"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ENSCAFG00000000001\tA\tB\nENSCAFG00000000002\tC\tD\n", "ask BioMart for a header"),
        ("gene_name\tother\nA\tB\n", "line 1: no column of human symbols among gene_name, other"),
        ("gene\thuman_symbol\nA\tB\n", "line 1: no column of genes among gene, human_symbol"),
        (
            "gene_name,human_symbol,orthology_type\nA,B,1:1\n",
            r"gives no gene a one-to-one human gene \(left out: \{'other_orthology_type': 1\}\); "
            "an orthology type must read ortholog_one2one or one2one",
        ),
    ],
)
def test_tables_that_are_no_orthologs_are_refused(tmp_path, text, message):
    with pytest.raises(IngestError, match=message):
        read_orthologs(write(tmp_path / "o.tsv", text))


def dog(n=120):
    """`n` genes with a counterpart, and table rows for genes the file need not have."""
    by_id = {f"ENSCAFG{i:011d}": f"HUM{i}" for i in range(n)} | {"ENSCAFG00000009999": ""}
    by_name = {f"DOG{i}": f"HUM{i}" for i in range(n)} | {"KNOWN": "WRONG", "ORPHAN": ""}
    return Orthologs(path="dog.tsv", by_id=by_id, by_name=by_name, left_out={})


def test_dog_genes_become_human_ones(symbols):
    names = [f"DOG{i}" for i in range(120)]
    ids = [""] * 120
    names[0], ids[0] = "RENAMED", "ENSCAFG00000000000.4"  # found by its id
    names[1] = "ENSCAFG00000000001.2"  # found by an id in place of a name
    names += ["ORPHAN", "UNKNOWN", "KNOWN", "DOG5"]
    ids += ["", "", "ENSCAFG00000009999", ""]  # the id says: no human gene
    adata = data(names, ids)
    result, report = name_genes(adata, symbols=symbols, orthologs=dog())
    assert list(result.var_names) == [f"HUM{i}" for i in range(120)]
    assert report["no_ortholog"] == ["KNOWN", "ORPHAN", "UNKNOWN"]
    assert (report["n_genes_file"], report["n_genes"], report["n_orthologs"]) == (124, 120, 121)
    assert (report["summed"], report["summed_symbols"]) == (1, ["HUM5"])
    dense = adata.X.toarray()
    np.testing.assert_array_equal(result.X.toarray()[:, 5], dense[:, 5] + dense[:, 123])
    np.testing.assert_array_equal(result.X.toarray()[:, 6], dense[:, 6])
    assert list(result.var["ensembl_id"][:3]) == ["ENSCAFG00000000000", "ENSCAFG00000000001", ""]


def test_outdated_human_symbols_of_an_ortholog_table_are_renewed(symbols):
    orthologs = dog()
    orthologs.by_name.update({"DOG0": "CTGF", "DOG1": "ENSG00000777777"})
    names, report = named([f"DOG{i}" for i in range(120)], symbols, orthologs=orthologs)
    assert names[:2] == ["CCN2", "ENSG00000777777"]
    assert report["renamed_list"] == [["CTGF", "CCN2"]]
    assert report["unmapped"] == ["ENSG00000777777"]


@pytest.mark.parametrize(
    ("n_found", "n_other"),
    [(99, 0), (100, 901)],
)
def test_a_table_that_hardly_fits_is_refused(symbols, n_found, n_other):
    names = [f"DOG{i}" for i in range(n_found)] + [f"CAT{i}" for i in range(n_other)]
    with pytest.raises(IngestError) as error:
        named(names, symbols, orthologs=dog(), where="x.mtx")
    start = f"x.mtx: {n_found} of {n_found + n_other} genes have a one-to-one human gene in dog.tsv"
    assert str(error.value).startswith(start)
    assert "at least 100 and 10% are needed" in str(error.value)
    assert ("CAT0, CAT1, CAT10" in str(error.value)) == bool(n_other)


def test_a_table_that_just_fits_passes(symbols):
    names = [f"DOG{i}" for i in range(100)] + [f"CAT{i}" for i in range(900)]
    result, report = name_genes(data(names), symbols=symbols, orthologs=dog())
    assert (result.n_vars, len(report["no_ortholog"])) == (100, 900)


# --- the shipped table


@pytest.fixture(scope="module")
def shipped(repository):
    path = repository / "config" / "gene_symbols.tsv"
    with path.open(encoding="utf-8", newline="") as file:
        return path, list(csv.DictReader(file, delimiter="\t"))


def test_a_list_of_names_is_named_as_the_genes_of_a_file(symbols):
    names = ["'CXCL12'", "HLA.A", "1-Mar", "CYR61", "XYZ1"]
    found, report = current_names(names, symbols=symbols, where="the list", todo="take another")
    adata = AnnData(sparse.csr_matrix(np.ones((1, 5))), var=pd.DataFrame(index=names))
    result, _ = name_genes(adata, symbols=symbols)
    assert [name for name in found if name] == result.var_names.tolist()
    assert (found[0], found[1], found[2]) == ("CXCL12", "HLA-A", "")
    assert report["names_lost"] == {"genes whose name a spreadsheet turned into a date": 1}
    with pytest.raises(IngestError, match="the list: 3 of 3 names .*, but take another"):
        current_names(
            ["Cd3e", "Cxcl12", "Actb"], symbols=symbols, where="the list", todo="take another"
        )


def test_shipped_table_is_consistent(shipped):
    path, rows = shipped
    assert list(rows[0]) == ["symbol", "prev_symbol", "ensembl_gene_id", "source"]
    table = read_symbols(path)
    previous = [name for row in rows for name in row["prev_symbol"].split("|") if name]
    assert 100 <= len(rows) == len(table.approved)
    assert not [name for name, n in Counter(previous).items() if n > 1], "one name, two targets"
    assert not set(previous) & table.approved, "a previous symbol is approved"
    assert all(len(found) == 1 for found in table.by_id.values())
    assert not [r["symbol"] for r in rows if not r["source"]]
    # a row says how a gene was called, or that there is such a gene
    assert not [r["symbol"] for r in rows if not r["prev_symbol"] and not r["ensembl_gene_id"]]
    assert [r["symbol"] for r in rows] == sorted(r["symbol"] for r in rows)


def test_shipped_table_renames_no_gene_that_the_tables_or_the_consensus_name(shipped, repository):
    pairs = liana_table().query("resource == 'consensus'")  # LIANA's own file, without its import
    used = {part for c in ("ligand", "receptor") for name in pairs[c] for part in name.split("_")}
    for table, column in (("markers", "gene"), ("interactions", "ligand")):
        frame = pd.read_csv(repository / "config" / f"{table}.tsv", sep="\t", dtype=str)
        used |= {part for name in frame[column].dropna() for part in name.split("_")}
    _, rows = shipped
    assert not {name for row in rows for name in row["prev_symbol"].split("|") if name} & used
    assert {"CCN2", "CXCL8", "NECTIN2", "VSIR", "ACKR3"} <= {row["symbol"] for row in rows} & used


def test_ids_of_the_shipped_table_agree_with_10x(shipped, shared_data):
    with h5py.File(shared_data / "breast_idc_10x_filtered_feature_bc_matrix.h5") as file:
        features = file["matrix/features"]
        ids, names = features["id"].asstr()[:], features["name"].asstr()[:]
    name_of = dict(zip(ids, names, strict=True))
    id_of = {name: gene_id for gene_id, name in name_of.items()}
    _, rows = shipped
    checked = 0
    for row in rows:
        known = {row["symbol"], *row["prev_symbol"].split("|")} - {""}
        if row["ensembl_gene_id"]:
            assert name_of[row["ensembl_gene_id"]] in known, row["symbol"]
            checked += 1
        for name in known & set(id_of):
            assert id_of[name] == row["ensembl_gene_id"], f"{name} is another gene in the file"
    assert checked > 200


def test_the_shipped_table_on_a_real_file(shipped, shared_data):
    import anndata as ad

    adata = ad.read_h5ad(shared_data / "nsclc_zilionis_300.h5ad")
    result, report = name_genes(adata, symbols=read_symbols(shipped[0]))
    assert {"CCN1", "CCN2", "CCN3", "STING1"} <= set(result.var_names)
    assert not {"CYR61", "CTGF", "NOV", "TMEM173"} & set(result.var_names)
    assert report["n_genes"] + report["summed"] == adata.n_vars
    assert result.X.sum() == adata.X.sum()


def test_a_previous_name_on_another_id_than_the_tables_is_left_alone(tmp_path):
    path = tmp_path / "s.tsv"
    path.write_text("symbol\tprev_symbol\tensembl_gene_id\nAAA\tBBB\tENSG00000000001\n")
    adata = AnnData(
        sparse.csr_matrix(np.array([[1, 2]])),
        var=pd.DataFrame({"gene_id": ["ENSG00000000099", "ENSG00000000005"]}, index=["BBB", "CCC"]),
    )
    result, report = name_genes(adata, symbols=read_symbols(path))
    assert list(result.var_names) == ["BBB", "CCC"]
    assert report["conflicts"] == ["BBB"]
    adata.var["gene_id"] = ["", ""]
    result, report = name_genes(adata, symbols=read_symbols(path))
    assert list(result.var_names) == ["AAA", "CCC"]
