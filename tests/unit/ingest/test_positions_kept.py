"""Positions of genes that an h5ad file holds reach the counts of the sample."""

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

from osteotalk.ingest.gene_tables import SymbolTable
from osteotalk.ingest.sample import read_sample

ROW = {"dataset": "d", "sample": "S1", "patient": "P1", "condition": "primary", "accession": ""}
SYMBOLS = SymbolTable("t", frozenset(["B", "C"]), {}, {"OLDB": ("B",)})


@pytest.fixture
def write(tmp_path):
    def written(**columns):
        var = pd.DataFrame(columns, index=["A", "OLDB", "C", "B"])
        adata = AnnData(np.arange(1.0, 13).reshape(3, 4), var=var)
        adata.obs_names = ["x", "y", "z"]
        path = tmp_path / "x.h5ad"
        adata.write_h5ad(path)
        return {"h5ad": str(path)}

    return written


def read(files):
    return read_sample(files, sample_row=ROW, symbols=SYMBOLS)[0]


def test_positions_follow_their_genes_through_the_naming(write):
    found = read(write(chromosome=["1", "chr2", "chrUn", "chr3"], start=[5, 7, 9, 11], end=6))
    assert list(found.var_names) == ["A", "B", "C"]  # OLDB is B, and is added to it
    assert found.var[["chromosome", "start", "end"]].to_numpy().tolist() == [
        ["chr1", 5, 6],
        ["chr2", 7, 6],
        ["", -1, -1],
    ]
    assert found.var["start"].dtype == np.int64
    assert found[:, "B"].X.toarray().ravel().tolist() == [2 + 4, 6 + 8, 10 + 12]


def test_half_a_position_is_none(write):
    assert list(read(write(chromosome=["1", "2", "3", "4"])).var) == ["ensembl_id"]


def test_positions_of_another_species_are_not_human(write, tmp_path, monkeypatch):
    monkeypatch.setattr("osteotalk.ingest.genes.MIN_ORTHOLOGS", 1)
    table = tmp_path / "orthologs.tsv"
    table.write_text("gene_name\thuman_symbol\nA\tB\nC\tC\n")
    files = write(chromosome=["1", "2", "3", "4"], start=1, end=2) | {"orthologs": str(table)}
    assert list(read(files).var) == ["ensembl_id"]
