import gzip
import io
import tarfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osteotalk.ingest import IngestError
from osteotalk.ingest.archive import Listing, Member, list_members
from osteotalk.ingest.layout import find_matrices, match_samples

TRIPLET = ("barcodes.tsv.gz", "features.tsv.gz", "matrix.mtx.gz")
# The published names, see the series GSE152048, GSE162454, GSE169396 and GSE198896 of GEO.
BC = [f"BC{i}" for i in (2, 3, 5, 6, 10, 11, 16, 17, 20, 21, 22)]
OS = {f"OS_{i}": f"GSM{n}" for i, n in enumerate(
    (4952363, 4952364, 4952365, 5155198, 5155199, 5155200), 1
)}  # fmt: skip


def listing(*names, archive="GSE1_RAW.tar", inner=""):
    return Listing(archive, tuple(Member(archive, name, inner, 10) for name in names), {})


def row(sample, **fields):
    return {"sample": sample, "accession": "", "member": "", "status": "", **fields}


def match(found, samples):
    return match_samples(found, samples, dataset="d", archives=["GSE1_RAW.tar"])


def keys(matched):
    return {sample: found.key for sample, found in matched.items()}


def names(found):
    return {role: member.full_name for role, member in found.files.items()}


def flat(prefixes):
    return listing(*(f"{prefix}_{name}" for prefix in prefixes for name in TRIPLET))


def test_folders_of_gse152048():
    archives = [
        listing(*(f"{bc}/{name}" for name in TRIPLET), archive=f"GSE152048_{bc}.matrix.tar.gz")
        for bc in BC
    ]
    found = find_matrices(archives)
    assert [entry.key for entry in found] == [f"{bc}/" for bc in BC]
    assert {entry.kind for entry in found} == {"triplet"}
    assert names(found[0]) == {
        "barcodes": "BC2/barcodes.tsv.gz",
        "features": "BC2/features.tsv.gz",
        "matrix": "BC2/matrix.mtx.gz",
    }
    assert keys(match(found, [row(bc) for bc in BC])) == {bc: f"{bc}/" for bc in BC}


def test_flat_files_of_gse162454():
    found = find_matrices([flat(f"{gsm}_{sample}" for sample, gsm in OS.items())])
    samples = [row(sample, accession=gsm) for sample, gsm in reversed(OS.items())]
    expected = {sample: f"{gsm}_{sample}" for sample, gsm in OS.items()}
    matched = match(found, samples)
    assert keys(matched) == expected
    assert list(matched) == list(reversed(OS))
    assert keys(match(found, [row(sample) for sample in OS])) == expected  # by name alone
    assert names(matched["OS_4"])["features"] == "GSM5155198_OS_4_features.tsv.gz"


def test_plain_triplets_in_nested_archives_of_gse198896(tmp_path):
    def tar(contents):
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as stream:
            for name, content in contents.items():
                info = tarfile.TarInfo(name)
                info.size = len(content)
                stream.addfile(info, io.BytesIO(content))
        return buffer.getvalue()

    plain = ("barcodes.tsv", "features.tsv", "matrix.mtx")
    (tmp_path / "GSE198896_RAW.tar").write_bytes(
        tar({
            f"GSM{i}_OS{i}.tar.gz": gzip.compress(tar({f"OS{i}/{n}": b"x" for n in plain}))
            for i in (1, 2, 11)
        })
    )  # fmt: skip
    found = find_matrices([list_members(tmp_path / "GSE198896_RAW.tar")])
    matched = match(found, [row(f"OS{i}") for i in (1, 2, 11)])
    assert keys(matched) == {f"OS{i}": f"GSM{i}_OS{i}.tar.gz/OS{i}/" for i in (1, 2, 11)}
    assert matched["OS11"].files["matrix"].inner == "GSM11_OS11.tar.gz"
    assert matched["OS11"].files["matrix"].name == "OS11/matrix.mtx"


def test_scpca_takes_the_processed_file(caplog):
    library = "SCPCS000001/SCPCL000001"
    states = [f"{library}_{state}_rna.h5ad" for state in ("unfiltered", "filtered", "processed")]
    others = [f"{library}_qc.html", f"{library}_processed_adt.h5ad", "single-cell_metadata.tsv"]
    second = ["SCPCS000002/SCPCL000002_unfiltered_rna.h5ad",
              "SCPCS000002/SCPCL000002_filtered_rna.h5ad"]  # fmt: skip
    with caplog.at_level("INFO"):
        found = find_matrices([listing(*states, *others, *second, archive="SCPCP000017.zip")])
    assert [(entry.key, entry.kind, names(entry)["h5ad"]) for entry in found] == [
        (library, "h5ad", states[2]),
        ("SCPCS000002/SCPCL000002", "h5ad", second[1]),
    ]
    for text in (others[1], others[2], "not a matrix", f"{library}_filtered_rna (h5ad) is ignored"):
        assert text in caplog.text
    matched = match(found, [row("SCPCS000001"), row("b", accession="SCPCL000002")])
    assert keys(matched) == {"SCPCS000001": library, "b": "SCPCS000002/SCPCL000002"}


@pytest.mark.parametrize(
    ("files", "taken"),
    [
        (["S1/raw_feature_bc_matrix/", "S1/filtered_feature_bc_matrix/"], "S1/filtered"),
        (["raw_feature_bc_matrix/", "filtered_feature_bc_matrix/"], "filtered"),
        (["S1/outs/raw_gene_bc_matrices/GRCh38/", "S1/outs/filtered_gene_bc_matrices/GRCh38/"],
         "S1/outs/filtered"),
        (["GSM1_raw_", "GSM1_filtered_"], "GSM1_filtered_"),
        (["S1/raw_feature_bc_matrix/"], "S1/raw"),
        (["filtered/S1_raw_feature_bc_matrix/", "filtered/S1_filtered_feature_bc_matrix/"],
         "filtered/S1_filtered"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("turned", [False, True])
def test_filtered_is_preferred_to_raw(files, taken, turned, caplog):
    members = [place + name for place in (files[::-1] if turned else files) for name in TRIPLET]
    with caplog.at_level("INFO"):
        (found,) = find_matrices([listing(*members)])
    assert all(name.startswith(taken) for name in names(found).values())
    assert ("is ignored beside" in caplog.text) == (len(files) > 1)


def test_nested_archives_of_raw_and_filtered():
    parts = [
        Member(
            "a", f"{state}_feature_bc_matrix/{name}", f"GSM1_S1_{state}_feature_bc_matrix.tgz", 1
        )
        for state in ("raw", "filtered")
        for name in TRIPLET
    ]
    (found,) = find_matrices([Listing("a", tuple(parts), {})])
    assert found.files["matrix"].inner == "GSM1_S1_filtered_feature_bc_matrix.tgz"
    assert keys(match([found], [row("S1"), row("S2", status="retired")])) == {"S1": found.key}


def test_h5_of_cell_ranger(caplog):
    files = ["GSM1_S1_raw_feature_bc_matrix.h5", "GSM1_S1_filtered_feature_bc_matrix.h5",
             "GSM1_S1_molecule_info.h5", "GSM2_S2.h5"]  # fmt: skip
    with caplog.at_level("INFO"):
        found = find_matrices([listing(*files)])
    assert [(entry.key, entry.kind, names(entry)["h5"]) for entry in found] == [
        ("GSM1_S1", "h5", files[1]),
        ("GSM2_S2", "h5", files[3]),
    ]
    assert "GSM1_S1_raw_feature_bc_matrix (h5) is ignored beside" in caplog.text
    assert "not a matrix: GSM1_S1_molecule_info.h5" in caplog.text


def test_whole_output_folder_of_cell_ranger_is_one_matrix():
    files = [f"S1/outs/{state}_feature_bc_matrix" for state in ("raw", "filtered")]
    members = [f"{f}/{name}" for f in files for name in TRIPLET] + [f"{f}.h5" for f in files]
    (found,) = find_matrices([listing(*members)])
    assert names(found) == {"h5": "S1/outs/filtered_feature_bc_matrix.h5"}
    assert found.key == "S1/outs/"


def test_h5_is_preferred_to_the_folder_of_the_same_name():
    name = "S1_filtered_feature_bc_matrix"
    (found,) = find_matrices([listing(*(f"{name}/{part}" for part in TRIPLET), f"{name}.h5")])
    assert names(found) == {"h5": f"{name}.h5"}


def test_gzipped_and_plain_copies_and_old_names(caplog):
    members = ["BC2/matrix.mtx", "BC2/matrix.mtx.gz", "BC2/genes.tsv", "BC2/features.tsv.gz",
               "BC2/features.tsv", "BC2/barcodes.tsv"]  # fmt: skip
    with caplog.at_level("INFO"):
        (found,) = find_matrices([listing(*members)])
    assert names(found) == {
        "matrix": "BC2/matrix.mtx.gz",
        "features": "BC2/features.tsv.gz",
        "barcodes": "BC2/barcodes.tsv",
    }
    assert "BC2/matrix.mtx is ignored beside BC2/matrix.mtx.gz" in caplog.text
    assert caplog.text.count("is ignored beside") == 3
    (old,) = find_matrices([listing("S-genes.tsv", "S-matrix.mtx", "S-barcodes.tsv")])
    assert (old.key, names(old)["features"]) == ("S", "S-genes.tsv")


def test_tables(caplog):
    members = [
        "GSM1_A_counts.csv.gz",
        "GSM2_B.dge.txt.gz",
        "GSM3_C_UMI.tsv",
        "x_expression.csv",
        "GSE1_series_matrix.txt.gz",
        "cell_metadata_counts.csv",
        "cells.csv",
        "readme.txt",
    ]
    with caplog.at_level("INFO"):
        found = find_matrices([listing(*members)])
    assert [names(entry)["table"] for entry in found] == members[:4]
    assert [entry.key for entry in found][:2] == ["GSM1_A_counts", "GSM2_B.dge"]
    assert f"not a matrix: {', '.join(members[4:])}" in caplog.text


def test_triplets_that_lack_a_file_are_all_named():
    with pytest.raises(IngestError) as caught:
        find_matrices([
            listing("BC2/matrix.mtx.gz", "BC2/features.tsv.gz", *(f"BC3/{n}" for n in TRIPLET)),
            listing("GSM1_A_barcodes.tsv", "GSM1_A_genes.tsv", "B/matrix.mtx", archive="b.tar"),
        ])  # fmt: skip
    message = str(caught.value)
    assert (
        "GSE1_RAW.tar: 'BC2/' has BC2/matrix.mtx.gz, BC2/features.tsv.gz, but no barcodes"
        in message
    )
    assert "b.tar: 'GSM1_A' has GSM1_A_barcodes.tsv, GSM1_A_genes.tsv, but no matrix;" in message
    assert "'B/' has B/matrix.mtx, but no barcodes and no features. The matrix" in message
    assert "BC3" not in message


def test_a_lone_list_of_genes_is_no_triplet(caplog):
    with caplog.at_level("INFO"):
        assert find_matrices([listing("marker_genes.tsv", "S1.h5ad")])[0].key == "S1"
    assert "not a matrix: marker_genes.tsv" in caplog.text


def test_keys_are_unique_whatever_the_archives_hold():
    same = [listing(*TRIPLET, archive=f"data/GSE152048_{bc}.matrix.tar.gz") for bc in BC]
    found = find_matrices(same)
    assert [entry.key for entry in found] == [f"GSE152048_{bc}.matrix.tar.gz/" for bc in BC]
    assert keys(match(found, [row(bc) for bc in BC]))["BC2"] == "GSE152048_BC2.matrix.tar.gz/"
    parts = [listing(*(f"out/{n}" for n in TRIPLET), archive=f"{bc}.tar") for bc in BC]
    matched = match(find_matrices(parts), [row(bc) for bc in BC])
    assert matched["BC20"].files["matrix"].archive == "BC20.tar"
    other = [listing(*(f"out{i}/{n}" for n in TRIPLET), archive=f"A_{i}.tar") for i in (1, 11)]
    matched = match(find_matrices(other), [row("A_11"), row("A_1")])
    assert keys(matched) == {"A_11": "out11/", "A_1": "out1/"}
    mixed = find_matrices([listing("S1_counts.csv", "S1_counts.h5", "S1_counts.h5ad")])
    assert len({entry.key for entry in mixed}) == 3


def test_single_sample_needs_no_name_unless_member_is_given():
    found = find_matrices([flat(["whatever"])])
    assert keys(match(found, [row("BC2")])) == {"BC2": "whatever"}
    with pytest.raises(IngestError, match=r"not in the archive: BC2 \(member 'BC2/\*'\)"):
        match(found, [row("BC2", member="BC2/*")])
    assert match(found, [row("BC2", status="retired")]) == {}


@pytest.mark.parametrize("pattern", ["*_patient7_*", "x/*patient7*", "a_patient7_matrix.mtx.gz"])
def test_member_patterns(pattern):
    found = find_matrices([flat(["x/a_patient7", "x/a_patient70"])])
    samples = [row("OS1", member=pattern), row("OS2", member="*patient70*")]
    if pattern.startswith("x/"):
        with pytest.raises(IngestError, match="sample OS1 fits several: x/a_patient7, x/a_pat"):
            match(found, samples)
    else:
        assert keys(match(found, samples)) == {"OS1": "x/a_patient7", "OS2": "x/a_patient70"}


def test_everything_that_does_not_fit_is_said_at_once():
    found = find_matrices([flat(["GSM1_OS_1", "GSM2_OS_2", "GSM3_new", "GSM4_x_OS_5"])])
    samples = [
        row("OS_1"),
        row("again", accession="GSM1"),
        row("OS_7"),
        row("two", member="GSM[24]*"),
        row("gone", status="retired"),
    ]
    with pytest.raises(IngestError) as caught:
        match(found, samples)
    message = str(caught.value)
    assert message.startswith(
        "dataset d: the table of samples and GSE1_RAW.tar do not agree: "
        "in the table but not in the archive: OS_7 (correct accession, or give a pattern"
    )
    assert "in the archive but not in the table: GSM3_new (add a row to the table" in message
    assert "status retired if it is not to be analysed" in message
    assert "sample two fits several: GSM2_OS_2, GSM4_x_OS_5 (give a pattern" in message
    assert "GSM1_OS_1 fits several samples: OS_1, again (give each its own member)" in message
    assert message.endswith("Found there: GSM1_OS_1, GSM2_OS_2, GSM3_new, GSM4_x_OS_5")
    assert "gone" not in message


def test_retired_samples_account_for_their_matrix():
    found = find_matrices([flat(["GSM1_OS_1", "GSM2_OS_2"])])
    assert list(match(found, [row("OS_1"), row("OS_2", status="retired")])) == ["OS_1"]


def test_ids_are_whole_words():
    ids = ["OS_1", "S_1", "OS_11", "BC2", "BC20", "2"]
    found = find_matrices([flat(f"GSM{n}-{i}" for n, i in enumerate(ids, 100))])
    expected = {i: f"GSM{n}-{i}" for n, i in enumerate(ids, 100)}
    assert keys(match(found, [row(i) for i in ids])) == expected


def test_no_matrix_at_all():
    with pytest.raises(
        IngestError, match=r"not in the archive: OS_1 .*Found there: no matrix at all"
    ):
        match(find_matrices([listing("readme.txt")]), [row("OS_1")])


def test_rows_without_the_optional_columns():
    assert list(
        match(find_matrices([flat(["A"]), flat(["B"])]), [{"sample": "A"}, {"sample": "B"}])
    )


@settings(max_examples=50, deadline=None)
@given(
    ids=st.lists(st.from_regex(r"[A-Z]{1,2}_?[0-9]{1,2}", fullmatch=True), min_size=1, unique=True),
    layout=st.sampled_from(
        ["{}/", "GSM9_{}_", "{}/outs/filtered_feature_bc_matrix/", "{}.", "x-{}-"]
    ),
    order=st.randoms(use_true_random=False),
)
def test_every_sample_gets_its_own_matrix_in_any_order(ids, layout, order):
    # An id that is a whole word in another (A_1 in X_A_1) cannot come up in this alphabet.
    members = [layout.format(i) + name for i in ids for name in TRIPLET]
    order.shuffle(members)
    found = find_matrices([listing(*members)])
    matched = match(found, [row(i) for i in ids])
    assert list(matched) == ids
    for i in ids:
        assert set(names(matched[i]).values()) == {layout.format(i) + name for name in TRIPLET}
