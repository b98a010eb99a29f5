"""A row of the table of files: its download, its manifest, its line in messages."""

import hashlib

import pytest

from osteotalk.retrieve import RetrieveError, download_row, read_manifest

TABLE = (
    "Gene stable ID\tGene name\tHuman gene name\tHuman homology type\n"
    "ENSCAFG00000000001\tSPP1\tSPP1\tortholog_one2one\n"
)


@pytest.fixture
def row(server, tmp_path):
    """How to download one row, and the files it touches."""
    return Row(server, tmp_path)


class Row:
    def __init__(self, server, folder):
        self.server, self.folder = server, folder
        self.target = folder / "resources" / "d" / "file.tsv"
        self.manifest = self.target.parent / "manifest.tsv"
        self.table = folder / "files.tsv"

    def get(self, content, *, role="metadata", query="", **cells):
        url = f"https://ftp.example.org/x/file.tsv{query}"
        self.table.write_text(f"# a comment\ndataset\turl\nother\thttps://x.org\nd\t{url}\n")
        if content is not None:
            self.server.put("/ftp.example.org/x/file.tsv", content.encode())
        download_row(
            {"url": url, "bytes": "", "sha256": "", "role": role, "source": "public", **cells},
            target=self.target,
            settings={
                "cache": str(self.folder / "cache"),
                "attempts": 2,
                "timeout": 5,
                "backoff": 0.001,
                "mirrors": self.server.mirrors("https://ftp.example.org/"),
            },
            table=self.table,
        )


def test_the_manifest_grows_with_each_download(row):
    row.get("a\n")
    (row.target.parent / "manifest.tsv").write_text(
        row.manifest.read_text().replace("file.tsv\t", "older.tsv\t", 1)
    )
    row.get("a\n")
    found = read_manifest(row.manifest)
    assert sorted(found) == ["file.tsv", "older.tsv"]
    assert found["file.tsv"]["sha256"] == hashlib.sha256(b"a\n").hexdigest()


def test_the_message_names_the_line_where_the_url_stands_now(row):
    with pytest.raises(RetrieveError, match=r"404.*status\s+retired.*files.tsv line 4"):
        row.get(None)
    assert not row.manifest.exists()


def test_a_download_that_differs_from_the_manifest(row):
    row.get("a\n")
    row.target.unlink()
    for path in (row.folder / "cache").rglob("file.tsv*"):
        path.unlink()
    with pytest.raises(RetrieveError) as error:
        row.get("b\n")
    for content in (b"a\n", b"b\n"):
        assert hashlib.sha256(content).hexdigest() in str(error.value)
    assert not row.target.exists()
    row.get("a\n")
    assert row.target.read_text() == "a\n"


@pytest.mark.parametrize(
    ("content", "query", "message"),
    [
        (
            "Query ERROR: caught BioMart::Exception: no dataset",
            "?query=x",
            "answered with an error",
        ),
        (TABLE, "?query=completionStamp%3D1", r"cut off \(it does not end in \[success\]\)"),
        ("Gene name\tNothing\nSPP1\tx\n", "?query=x", "no table of orthologs"),
    ],
)
def test_what_is_no_table_of_orthologs_is_refused_and_a_rerun_completes(
    row, content, query, message
):
    with pytest.raises(RetrieveError, match=message):
        row.get(content, role="orthologs", query=query)
    assert not row.target.exists()
    row.get(TABLE + "[success]\n", role="orthologs", query=query)
    assert row.target.read_text().startswith("Gene stable ID")


def test_what_is_no_gtf_is_refused_and_a_rerun_completes(row):
    with pytest.raises(RetrieveError, match=r"no usable GTF .*line 1: 2 fields, not 9"):
        row.get("gene\tname\n", role="gtf")
    assert not row.target.exists()
    line = '1\thavana\tgene\t5\t9\t.\t+\t.\tgene_id "G1"; gene_name "TP53";\n'
    row.get(line, role="gtf")
    assert row.target.read_text() == line


def test_an_archive_that_is_cut_off_at_its_source_is_not_recorded(server, tmp_path, tar):
    """Its length is what the server says; still it must not become the truth."""
    url = "https://ftp.example.org/x/RAW.tar"
    row = {"url": url, "bytes": "", "sha256": "", "role": "archive", "source": "public"}
    settings = {
        "cache": str(tmp_path / "cache"),
        "attempts": 2,
        "timeout": 5,
        "backoff": 0.001,
        "mirrors": server.mirrors("https://ftp.example.org/"),
    }
    target = tmp_path / "d" / "RAW.tar"
    for content in (tar[:-20_000], tar):
        server.put("/ftp.example.org/x/RAW.tar", content)
        if content is not tar:
            with pytest.raises(RetrieveError, match=r"no usable archive .*truncated or damaged"):
                download_row(row, target=target, settings=settings, table=tmp_path / "none.tsv")
            assert not target.exists()
            assert not (target.parent / "manifest.tsv").exists()
    download_row(row, target=target, settings=settings, table=tmp_path / "none.tsv")
    assert target.read_bytes() == tar


def test_positions_of_the_config_may_be_another_file_of_the_same_name(row):
    """What was noted of the address counts, not what was noted of the name."""
    line = '1\thavana\tgene\t5\t9\t.\t+\t.\tgene_id "G1"; gene_name "TP53";\n'
    of_config = {"role": "gtf", "source": "all-cohorts"}
    row.get(line, **of_config)
    row.get(line + line, query="?release=2", **of_config)
    assert row.target.read_text() == line + line
    (noted,) = read_manifest(row.manifest).values()
    assert noted["url"].endswith("?release=2")
    # the same address with other content is refused, as ever
    (row.folder / "cache").rename(row.folder / "old")
    with pytest.raises(RetrieveError, match=r"manifest of an earlier download .* set genes.posi"):
        row.get(line, query="?release=2", **of_config)


def test_what_is_wrong_with_the_positions_of_the_config_is_said_of_the_config(row):
    of_config = {"role": "gtf", "source": "all-cohorts"}
    for content, cells, message in (
        (None, {}, r"no such file: check the url in the config \(genes.positions, .* or to '' to"),
        ("gene\tname\n", {}, r"no usable GTF .*asked for in genes.positions of the config\)\. Hum"),
        ("a\n", {"sha256": "0" * 64}, r"positions_sha256\) says 0{64}: .* correct it there, else"),
    ):
        with pytest.raises(RetrieveError, match=message) as error:
            row.get(content, **of_config, **cells)
        assert "table" not in str(error.value)
        assert not row.target.exists()


def test_size_and_checksum_of_the_table_are_asked_for(row):
    with pytest.raises(RetrieveError, match=r"table of files says 5"):
        row.get("a\n", bytes="5")
    with pytest.raises(RetrieveError, match=f"table of files says {'0' * 64}"):
        row.get("a\n", sha256="0" * 64)
    row.get("a\n", bytes="2", sha256=hashlib.sha256(b"a\n").hexdigest())
