"""Inputs that users really have (../shared/cases/readers): read right, or refused with the cause.

Each folder is a cohort with one fault of a public report; EXPECTED.txt there says what a user may
expect. The cohorts are made of simulated counts of 3,000 genes, whose sums are known.
"""

import re
from pathlib import Path
from typing import NamedTuple

import pytest
from snakemake.exceptions import WorkflowError

from osteotalk.ingest import IngestError

TOTAL = 477_939  # counts of the 150 cells of OS1 that most cases hold


class Read(NamedTuple):
    """What is read: cells, genes and the sum of counts per sample, and what is told besides."""

    shapes: dict
    left_out: dict = {}  # noqa: RUF012
    lost: dict = {}  # noqa: RUF012
    changed: dict = {}  # noqa: RUF012
    counts_from: str = "X"
    turned: bool = False


def one(total=TOTAL, n_cells=150, n_genes=3000, **more):
    return Read({"S1": (n_cells, n_genes, total)}, **more)


TWO = {"S1": (60, 3000, 195_002), "S2": (60, 3000, 195_430)}
PARTED = {"S1": (60, 3000, 195_002), "S2": (30, 3000, 96_064)}
S3 = {"cells of 'S3', which is not in the table of samples": 30}
DOTS = {"hyphen restored": 23}
CASES = {
    "01a_mtx_cells_by_genes": one(turned=True),
    "01b_mtx_cells_by_genes_square": "as many genes as cells .* whether it is transposed",
    "02a_barnyard_triplet": one(
        lost={"genes of another genome": 1000}, changed={"name of the genome removed": 4000}
    ),
    "02b_prefix_hg19_only_triplet": one(changed={"name of the genome removed": 3000}),
    "02d_prefix_h5ad": one(changed={"name of the genome removed": 3000}),
    "03a_third_column_genome": one(),
    "03b_third_column_biotype": one(),
    "03c_third_column_small_letters": one(),
    "04a_quoted_fields": one(),
    "04b_quoted_fields_two_columns": one(),
    "05a_na_symbols_triplet": one(changed={"id instead of the name (no name)": 400}),
    "05c_na_rows_table": one(429_920, n_genes=2600, lost={"genes without a name and an id": 400}),
    "06_symbol_first_id_second": one(changed={"symbols taken from the column of ids": 3000}),
    "06c_symbol_column_of_another_name": one(),
    "07a_excel_dates_table": one(
        476_824,
        n_genes=2988,
        lost={"genes whose name a spreadsheet turned into a date": 12},
    ),
    "07b_dates_triplet": one(
        477_300,
        n_genes=2992,
        lost={
            "genes whose name a spreadsheet turned into a date": 7,
            "genes whose name is a number": 1,
        },
    ),
    "08_make_names": one(changed=DOTS),
    "08b_underscores": one(changed=DOTS),
    "09a_rhapsody_numbers_in_rows": one(turned=True),
    "09b_rhapsody_with_comments": one(turned=True),
    "09c_cells_in_rows_plain_names": one(turned=True),
    "10a_length_column": one(left_out={"columns that are no cells (Length)": 1}),
    "10b_featurecounts": r"counts.txt.gz line 3: 'chr1' .*column 'Chr'\) is no number",
    "10c_htseq_rows": one(left_out={"summary rows of the program that counted": 5}),
    "10d_total_column": one(left_out={"columns that are no cells (Total)": 1}),
    "11a_h5ad_x_absent": one(counts_from="layers['counts']"),
    "11b_h5ad_x_zeros": one(counts_from="layers['counts']"),
    "11c_h5ad_x_counts_of_hvg_raw_all": one(counts_from="raw.X"),
    "11e_x_absent_other_layer": r"no counts: .* X \(absent\).* layers\['raw_counts'\] \(whole num",
    "11f_other_layer": r"no counts: .* = adata.layers\['raw_counts'\]",
    "12a_seuratdisk_scaled_and_lognorm": r"no counts: .* X \(negative.*raw.X \(values that are not",
    "12b_seuratdisk_raw_index_numbers": one(counts_from="raw.X"),
    "13a_h5mu_as_h5ad": r"holds several modalities \(MuData: rna\); write out .* as h5ad",
    "13b_h5ad_as_h5": r"x.h5 is an h5ad file \(AnnData\); give it the role h5ad",
    "13c_10x_h5_as_h5ad": "is a 10x h5 file .*; give it the role h5 ",
    "13e_rds_as_table": r"seurat.rds .* is an R object \(RDS or RData\)",
    "13f_h5ad_gz": one(),
    "14a_aggr_suffix_metadata": Read(
        {"S1": (150, 3000, TOTAL), "S2": (150, 3000, 495_864)},
    ),
    "14b_dot_suffix_metadata": one(),
    "14c_labels_of_one_sample_only": "cells.tsv knows 3 of 150 of the cells of sample 'S2'",
    "15a_archive_sample_after": Read(TWO),
    "15b_archive_shared_features": Read(TWO),
    "15c_archive_plain_txt": Read(TWO),
    "15d_archive_h5ad_gz": Read(TWO),
    "15e_archive_other_names": Read(TWO),
    "16a_mtx_pattern": "a header of kind 'pattern', .* holds no counts",
    "16b_rounded_cpm": "do not look like counts: the smallest value .* column odd_counts",
    "16c_binary_h5ad": "every value is 1: presence and absence.* column odd_counts",
    "16d_int32_overflow": r"a value of 3000000000, above 2147483647 \(2\^31 - 1\)",
    "16e_soupx_decimals": r"not whole numbers .*corrected for ambient RNA, .* may be rounded",
    "16f_overflow_table": "a value of 5000000000, above 2147483647",
    "16g_overflow_sum": r"a value of 3000000000, .* same gene were added up \(A2M\)",
    "18_gz_in_gz": one(),
    "20a_values_with_spaces": "sample 'Patient 1' is not allowed .* unless sample_value says so",
    "20b_values_float": Read({"1": TWO["S1"], "2": TWO["S2"]}),
    "20c_sample_not_in_table": Read(PARTED, left_out=S3),
    "20d_sample_missing_value": Read(
        {"S1": (40, 3000, 131_216), "S2": TWO["S2"]},
        left_out={"cells without a value in 'patient'": 20},
    ),
    "20e_values_trailing_space": Read(TWO),
    "20f_table_with_metadata": Read(PARTED, left_out=S3),
    "23_ids_like_numbers": Read(
        {
            "01": (100, 3000, 334_675),
            "1": (100, 3000, 315_746),
            "NA": (100, 3000, 329_520),
            "TRUE": (100, 3000, 313_685),
            "1e5": (100, 3000, 345_051),
            "2020-01-01": (100, 3000, 330_330),
        }
    ),
    "24_path_with_spaces": "path 'Daten Müller {neu} .*' is not allowed .* no braces",
    "24c_h5ad_with_braces": r"my_files.tsv .*\n  line 2: path 'cohort\{1\}.h5ad' .* no braces",
    "27a_id_underscore_symbol": one(changed={"id and symbol parted": 3000}),
    "27c_id_version_colon_symbol": one(changed={"id and symbol parted": 3000}),
    "27d_small_letters": one(changed={"small letters put into capitals": 3000}),
    "27e_entrez": r"3000 of 3000 gene names are numbers \(1000, .* Entrez .* symbols",
    "28_refseq_mito": one(changed={"mitochondrial genes named MT-": 13}),
    "29a_html_matrix": r"matrix.mtx.gz \(role matrix\) is a web page, not data; download it again",
    "29c_html_barcodes": r"barcodes.tsv.gz \(role barcodes\) is a web page",
    "29d_barcodes_header": r"\(the first line of .*, 'x', looks like a header: remove it\)",
    "31a_antibodies_h5ad": one(left_out={"features of kind 'Antibody Capture'": 5}),
    "31b_antibodies_triplet": one(left_out={"features of kind 'Antibody Capture'": 5}),
    "31d_peaks_h5ad": one(left_out={"features of kind 'Peaks'": 2000}),
    "32_one_sample_with_dots": Read({"S1": (300, 3000, 943_007), "S2": (300, 3000, 1_026_000)}),
    "33_duplicate_obs_names": "barcode 'AAAATTAACCCGAGAA-1' appears more than once .* library",
}


@pytest.fixture(scope="module")
def cases(repository):
    folder = repository.parent / "shared" / "cases" / "readers"
    if not folder.is_dir():
        pytest.skip("the cases are not beside the repository (../shared/cases/readers)")
    return folder


def test_every_case_is_a_test(cases):
    assert {path.name for path in cases.iterdir() if path.is_dir()} == set(CASES)


@pytest.mark.parametrize("name", CASES)
def test_case(cases: Path, read_cohort, name, tmp_path):
    expected = CASES[name]
    if isinstance(expected, str):
        with pytest.raises((IngestError, WorkflowError)) as caught:
            read_cohort(cases / name, tmp_path)
        assert re.search(expected, str(caught.value), re.DOTALL)
        return
    found = read_cohort(cases / name, tmp_path)
    assert {s: (*a.shape, int(a.X.sum())) for s, (a, _) in found.items()} == expected.shapes
    for sample, (adata, report) in found.items():
        genes = report["genes"]
        assert report["left_out"] == expected.left_out
        assert genes["names_lost"] == expected.lost
        changed = {} if name.startswith("32") and sample == "S1" else expected.changed
        assert genes["names_changed"] == (
            DOTS if name.startswith("32") and sample == "S2" else changed
        )
        assert (report["counts_from"], report["turned"]) == (expected.counts_from, expected.turned)
        if not name.startswith("05"):
            assert "CXCL12" in adata.var_names
            assert adata.var_names.str.startswith("MT-").sum() == 13
        assert adata.obs_names[0].startswith(f"{sample}_")


def test_labels_go_to_their_samples(cases, read_cohort, tmp_path):
    found = read_cohort(cases / "14a_aggr_suffix_metadata", tmp_path)
    labels = {sample: set(adata.obs["author_label"]) for sample, (adata, _) in found.items()}
    assert labels == {"S1": {"A_label"}, "S2": {"B_label"}}


def test_counts_of_an_antibody_are_not_those_of_the_gene(cases, read_cohort, tmp_path):
    ((adata, _),) = read_cohort(cases / "31a_antibodies_h5ad", tmp_path).values()
    ((plain, _),) = read_cohort(cases / "11a_h5ad_x_absent", tmp_path).values()
    assert adata[:, "CD274"].X.sum() == plain[:, "CD274"].X.sum()
