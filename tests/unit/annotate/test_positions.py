import gzip
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

from osteotalk.annotate.positions import add_positions
from osteotalk.ingest import packaged
from osteotalk.ingest.errors import IngestError
from osteotalk.ingest.gene_tables import SymbolTable
from osteotalk.ingest.gtf import (
    SHORT_ARM_MB,
    arms,
    check_gtf_start,
    chromosome_name,
    gtf_problem,
    read_gtf,
)
from osteotalk.ingest.packaged import packaged_positions

GTF = """\
#!genome-build GRCh38
1\thavana\tgene\t11869\t14409\t.\t+\t.\tgene_id "ENSG00000290825"; gene_name "DDX11L2";
1\thavana\ttranscript\t11869\t14409\t.\t+\t.\tgene_id "ENSG00000290825"; gene_name "DDX11L2";
17\tensembl\tgene\t7661779\t7687546\t.\t-\t.\tgene_id "ENSG00000141510.19"; gene_name "TP53";
chrX\tensembl\tgene\t1000\t2000\t.\t-\t.\tgene_id "ENSG00000000001"; gene_name "SAME";
chrY\tensembl\tgene\t3000\t4000\t.\t-\t.\tgene_id "ENSG00000000001_PAR_Y"; gene_name "SAME";
MT\tensembl\tgene\t1\t99\t.\t-\t.\tgene_id "ENSG00000198888"; gene_name "MT-ND1";
8\tensembl\tgene\t127735434\t127742951\t.\t+\t.\tgene_id "ENSG00000136997";
NC_000012.12\tRefSeq\tgene\t5\t9\t.\t+\t.\tgene_id "OLDNAME_1"; gene "OLDNAME";
"""


@pytest.fixture
def gtf(tmp_path):
    path = tmp_path / "genes.gtf"
    path.write_text(GTF)
    return path


def data(names, **columns):
    var = pd.DataFrame(columns, index=list(names))
    return AnnData(np.ones((2, len(names)), dtype=np.float32), var=var)


def positions(adata):
    columns = ["chromosome", "start", "end"]
    return {name: row[columns].tolist() for name, row in adata.var.iterrows()}


def test_rows_of_genes_are_read_whatever_the_names_of_chromosomes(gtf):
    found = read_gtf(gtf)
    assert found.values.tolist() == [
        ["ENSG00000290825", "DDX11L2", "chr1", 11869, 14409],
        ["ENSG00000141510", "TP53", "chr17", 7661779, 7687546],
        ["ENSG00000000001", "SAME", "chrX", 1000, 2000],
        ["ENSG00000000001", "SAME", "chrY", 3000, 4000],
        ["ENSG00000136997", "ENSG00000136997", "chr8", 127735434, 127742951],
        ["OLDNAME_1", "OLDNAME", "chr12", 5, 9],
    ]
    assert found.attrs == {"n_rows": 7, "n_elsewhere": 1}


def test_gzip_is_told_by_content_and_previous_symbols_are_renewed(gtf, tmp_path):
    packed = tmp_path / "genes.txt"
    packed.write_bytes(gzip.compress(gtf.read_bytes()))
    assert read_gtf(packed).equals(read_gtf(gtf))
    symbols = SymbolTable("t", frozenset(["NEW"]), {}, {"OLDNAME": ("NEW",)})
    assert read_gtf(packed, symbols=symbols)["gene"].tolist()[-1] == "NEW"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no row of feature gene on chromosomes 1 to 22, X or Y"),
        (b"gene\tchr\n", "line 1: 2 fields, not 9: 'gene\tchr'"),
        (b"1\ta\tgene\t1\t2\t.\t+\t.\tID=gene:X;Name=Y\n", "line 1: this is GFF3"),
        (b'1\ta\tgene\t9\t2\t.\t+\t.\tgene_id "X";\n', "start '9' and end '2' are no positions"),
        (b'1\ta\tgene\tx\t2\t.\t+\t.\tgene_id "X";\n', "start 'x' and end '2' are no positions"),
        (b'1\ta\tgene\t1\t2\t.\t+\t.\tother "X";\n', "line 1: no gene_id or gene_name"),
        (b'1\ta\texon\t1\t2\t.\t+\t.\tgene_id "X";\n', "no row of feature gene"),
        (b'GL1\ta\tgene\t1\t2\t.\t+\t.\tgene_id "X";\n', "1 rows of feature gene, none on chrom"),
        (gzip.compress(GTF.encode())[:-30], "is a truncated or damaged gzip file"),
        (b"\x1f\x8bnot gzip", "is a truncated or damaged gzip file"),
    ],
)
def test_what_is_no_gtf_is_refused_with_the_place(tmp_path, content, message):
    path = tmp_path / "genes.gtf"
    path.write_bytes(content)
    with pytest.raises(IngestError) as error:
        read_gtf(path)
    assert message in str(error.value)
    assert str(path) in str(error.value)
    assert gtf_problem(path) == f"it is no usable GTF ({error.value}); correct the url"


def test_a_missing_file_is_named(tmp_path, gtf):
    with pytest.raises(IngestError, match="nowhere.gtf does not exist"):
        read_gtf(tmp_path / "nowhere.gtf")
    assert gtf_problem(gtf) == ""


def test_arms_at_the_centromere():
    """MYC is 8q24, TP53 17p13; the limit itself belongs to the long arm."""
    limit = int(SHORT_ARM_MB["chr8"] * 1e6)
    chromosome = pd.Series(["chr8", "chr17", "chr8", "chr8", "", "chrM", "chr1"])
    start = pd.Series([127735434, 7661779, limit - 1, limit, 5, 5, -1])
    assert arms(chromosome, start).tolist() == ["8q", "17p", "8p", "8q", "", "", ""]


@pytest.mark.parametrize(
    ("name", "expected"),
    [("1", "chr1"), ("chrX", "chrX"), ("NC_000023.11", "chrX"), ("NC_000009.12", "chr9")]
    + [(name, "") for name in ("MT", "chrM", "chr1_KI270706v1_random", "23", "NC_012920.1", "")],
)
def test_names_of_chromosomes(name, expected):
    assert chromosome_name(name) == expected


def test_ids_go_before_symbols_and_the_unknown_is_said(gtf):
    adata = data(
        ["OTHER", "DDX11L2", "SAME", "NOGENE"],
        ensembl_id=["ENSG00000141510.2", "", "", "ENSG00000099999"],
    )
    found = add_positions(adata, gtf=gtf)
    assert found is adata
    assert positions(adata) == {
        "OTHER": ["chr17", 7661779, 7687546],
        "DDX11L2": ["chr1", 11869, 14409],
        "SAME": ["chrX", 1000, 2000],
        "NOGENE": ["", -1, -1],
    }
    assert adata.var["start"].dtype == np.int64
    assert adata.uns["osteotalk"]["positions"] == {
        "source": "gtf",
        "n_genes": 4,
        "n_known": 3,
        "by_id": 1,
        "by_symbol": 2,
        "n_repeated": 1,
        "n_elsewhere": 1,
    }


def test_a_gtf_of_other_genes_is_refused(gtf):
    with pytest.raises(
        IngestError, match=r"has none of the 2 genes of the data \(data: a, b; file: DDX"
    ):
        add_positions(data(["a", "b"]), gtf=gtf)


def test_positions_that_came_with_the_counts_are_cleaned():
    adata = data(
        ["a", "b", "c", "d"],
        chromosome=pd.Categorical(["7", "chrX", "chrUn", None]),
        start=["5", 7.0, 9, 11],
        end=[6, np.nan, 10, 12],
    )
    add_positions(adata)
    assert positions(adata) == {
        "a": ["chr7", 5, 6],
        "b": ["", -1, -1],
        "c": ["", -1, -1],
        "d": ["", -1, -1],
    }
    assert adata.uns["osteotalk"]["positions"]["source"] == "var"


def test_without_any_source_nothing_is_known():
    adata = add_positions(data(["a", "b"]))
    assert positions(adata) == {"a": ["", -1, -1], "b": ["", -1, -1]}
    assert adata.uns["osteotalk"]["positions"] == {"source": "none", "n_genes": 2, "n_known": 0}


def test_own_file_then_the_data_then_the_shared_file(gtf, tmp_path):
    shared = tmp_path / "shared.gtf"
    shared.write_text(GTF.replace("7661779\t7687546", "100\t200"))

    def found(*, own=None, shared=shared, **columns):
        adata = add_positions(data(["TP53", "NOGENE"], **columns), gtf=own, shared=shared)
        return adata.uns["osteotalk"]["positions"]["source"], positions(adata)["TP53"]

    given = {"chromosome": ["2", ""], "start": [7, -1], "end": [8, -1]}
    empty = {"chromosome": ["", ""], "start": [-1, -1], "end": [-1, -1]}
    assert found(own=gtf, **given) == ("gtf", ["chr17", 7661779, 7687546])
    assert found(**given) == ("var", ["chr2", 7, 8])
    assert found(**empty) == found() == ("shared", ["chr17", 100, 200])
    assert found(shared=None, **empty) == ("none", ["", -1, -1])


def test_a_shared_file_of_other_genes_is_told_and_stops_nothing(gtf, caplog):
    adata = add_positions(data(["a", "b"]), shared=gtf)
    noted = adata.uns["osteotalk"]["positions"]
    assert (noted["source"], noted["n_known"], noted["by_symbol"]) == ("shared", 0, 0)
    assert "has none of the 2 genes of the data (data: a, b; file: DDX" in caplog.text


def test_without_a_network_positions_come_with_a_package(gtf):
    """TP53 by Ensembl's archive of GRCh37; three of the genes are among them."""

    def found(**columns):
        adata = data(["TP53", "NOGENE", "EGFR", "RENAMED"], **columns)
        return add_positions(adata, shared="infercnvpy", symbols=symbols)

    symbols = SymbolTable("t", frozenset(["RENAMED"]), {}, {"MYC": ("RENAMED",)})
    adata = found(ensembl_id=["", "", "ENSG00000141510", ""])
    assert positions(adata)["TP53"][:2] == ["chr17", 7565097]
    assert adata.var["chromosome"].tolist() == ["chr17", "", "chr7", "chr8"]
    assert adata.uns["osteotalk"]["positions"] == {
        "source": f"infercnvpy {version('infercnvpy')}, GRCh37",
        "n_genes": 4,
        "n_known": 3,
        "by_id": 0,
        "by_symbol": 3,
        "n_repeated": 0,
        "n_elsewhere": 0,
    }
    own = found(chromosome=["2", "", "", ""], start=[7, -1, -1, -1], end=[8, -1, -1, -1])
    assert own.uns["osteotalk"]["positions"]["source"] == "var"


def test_packaged_positions_are_on_the_arms_of_their_own_genome():
    """Limits of GRCh37: UCSC, hg19, cytoBand (doi:10.1101/gr.229102)."""
    ends = (
        "125 93.3 91 50.4 48.4 61 59.9 45.6 49 40.2 53.7 35.8 "
        "17.9 17.6 19 36.6 24 17.2 26.5 27.5 13.2 14.7 60.6 12.5"
    )
    limit = dict(zip(SHORT_ARM_MB, map(float, ends.split()), strict=True))
    genes = packaged_positions()
    assert len(genes) == 9450
    side = np.where(genes["start"] < genes["chromosome"].map(limit) * 1e6, "p", "q")
    expected = genes["chromosome"].str.removeprefix("chr") + side
    assert arms(genes["chromosome"], genes["start"]).tolist() == expected.tolist()


def test_packaged_positions_that_are_gone_are_told(monkeypatch):
    monkeypatch.setattr(packaged, "_FILE", Path("gone.h5ad"))
    with pytest.raises(IngestError, match=r"not here \(.*gone.h5ad\); install .* to a GTF file"):
        packaged_positions()
    monkeypatch.setattr(packaged, "find_spec", lambda name: None)
    with pytest.raises(IngestError, match=r"that come with infercnvpy are not here"):
        packaged_positions()


def test_the_start_of_a_file_is_enough(tmp_path, gtf):
    check_gtf_start(gtf)
    longer = tmp_path / "longer.gtf"
    longer.write_text(GTF + "not looked at\tgene\tyet\n")
    check_gtf_start(longer)
    with pytest.raises(IngestError, match="line 10: 3 fields"):
        read_gtf(longer)
