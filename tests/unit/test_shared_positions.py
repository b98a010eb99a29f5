"""The keys genes.positions and genes.positions_sha256: what they name, and for which cohorts."""

import re
from dataclasses import replace

import pytest
import yaml

from osteotalk import tables, workflow
from osteotalk.tables import TableError, shared_positions, takes_shared_positions

GTF = '1\tx\tgene\t5\t9\t.\t+\t.\tgene_id "G1"; gene_name "TP53";\n'
SHA = "AB" * 32


@pytest.fixture
def place(tmp_path, monkeypatch):
    """The folder of a run and that of the Snakefile, and a way to look in both."""
    run, beside = tmp_path / "run", tmp_path / "beside"
    run.mkdir()
    beside.mkdir()
    monkeypatch.chdir(run)
    return run, beside, lambda path: workflow.find_file(path, beside)


def test_an_address_is_put_where_no_cohort_can_be(place, repository):
    for url, name in (
        ("https://ftp.example.org/a/gencode.v44.gtf.gz", "gencode.v44.gtf.gz"),
        ("http://example.org/x%20y.GTF?version=1", "x_y.GTF"),
    ):
        found = shared_positions(url, sha256=SHA, find=place[2])
        assert found.path == f"resources/all-cohorts/{name}"
        assert (found.url, found.sha256) == (url, SHA.lower())
        (row,) = found.downloads().values()
        assert row["url"] == url
    schema = tables.read_schema(repository / "workflow/schemas/datasets.schema.yaml")
    assert not re.search(schema["properties"]["dataset"]["pattern"], tables.SHARED)


def test_a_file_is_looked_for_in_both_places(place):
    run, beside, find = place
    (beside / "genes.gtf").write_text("#!genome\n" + GTF)
    found = shared_positions("genes.gtf", sha256="", find=find)
    assert (found.path, found.downloads()) == (str(beside / "genes.gtf"), {})
    (run / "genes.gtf").write_text(GTF)
    assert shared_positions("genes.gtf", sha256="", find=find).path == "genes.gtf"
    assert shared_positions("", sha256="", find=find) is None


@pytest.mark.parametrize(
    ("value", "sha256", "message"),
    [
        ("none.gtf", "", r"file 'none.gtf' does not exist \(looked for .*run/none.gtf and .*beside/"
         r"none.gtf\). Give a GTF file of the human genome, an address that begins with https://"),
        (".", "", r"file '\.' is a folder"),
        ("table.tsv", "", r"of the config: table.tsv line 1: 2 fields, not 9: 'a\tb'; a GTF file"),
        ("exons.gtf", "", "exons.gtf: no row of feature gene; a GTF of the human genome"),
        ("genes.gff3", "", "genes.gff3 line 1: this is GFF3"),
        ("empty.gtf", "", "empty.gtf: no row of feature gene"),
        ("ftp://x.org/a.gtf.gz", "", "begins with ftp://, but only https:// and http:// can"),
        ("https://x.org/a.gff3.gz", "", "'a.gff3.gz'; a GTF is needed, whose name ends in .gtf or"),
        ("https://x.org", "", "is called ''; a GTF is needed"),
        ("genes.gtf", SHA, "checksum of a download, but genes.positions is the file 'genes.gtf'"),
        ("infercnvpy", SHA, "checksum of a download, but genes.positions is infercnvpy; set"),
        ("", SHA, "checksum of a download, but genes.positions is empty; set genes.positions_sha"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused(place, value, sha256, message):
    run, _, find = place
    (run / "table.tsv").write_text("a\tb\n")
    (run / "exons.gtf").write_text(GTF.replace("\tgene\t", "\texon\t"))
    (run / "genes.gff3").write_text("1\tx\tgene\t5\t9\t.\t+\t.\tID=gene:G1\n")
    (run / "empty.gtf").write_text("")
    (run / "genes.gtf").write_text(GTF)
    with pytest.raises(TableError, match=message):
        shared_positions(value, sha256=sha256, find=find)


@pytest.fixture
def shipped_tables(repository):
    config = yaml.safe_load((repository / "config" / "config.yaml").read_text())
    paths = {name: repository / path for name, path in config["tables"].items()}
    schemas = repository / "workflow" / "schemas"
    return tables.load_tables(paths, schemas, datasets=["simulated_os"], workdir=repository)


def test_real_human_cohorts_without_a_file_of_their_own_share_one(shipped_tables):
    def takes(loaded):
        return {d: takes_shared_positions(loaded, d) for d in loaded.datasets["dataset"]}

    in_use = shipped_tables.datasets["status"] != tables.RETIRED
    loaded = replace(shipped_tables, datasets=shipped_tables.datasets[in_use])
    assert not any(
        takes(loaded).values()
    )  # own rows win; dogs and the simulation have none to take
    files = loaded.files[loaded.files["role"] != "gtf"]
    without = takes(replace(loaded, files=files))
    assert {name for name, found in without.items() if not found} == {"simulated_os", "gse252470"}
    unsaid = loaded.datasets.assign(species="")
    assert takes_shared_positions(replace(loaded, files=files, datasets=unsaid), "gse252470")


def test_by_default_positions_come_with_a_package_and_nothing_is_downloaded(place, repository):
    genes = yaml.safe_load((repository / "config" / "config.yaml").read_text())["genes"]
    assert genes["positions"] == "infercnvpy"
    found = shared_positions(genes["positions"], sha256=genes["positions_sha256"], find=place[2])
    assert (found.path, found.downloads()) == ("", {})


def test_the_address_that_the_documentation_names_is_that_of_the_catalogue(
    shipped_tables, repository
):
    rows = shipped_tables.files[shipped_tables.files["role"] == "gtf"]
    (url,) = set(rows["url"]) - {""}
    for name in ("config.yaml", "README.md"):
        assert url in (repository / "config" / name).read_text()


@pytest.mark.parametrize("value", ["abc", "0" * 63, "0" * 65, "g" * 64])
def test_a_checksum_of_the_wrong_form_is_refused(repository, value):
    config = yaml.safe_load((repository / "config" / "config.yaml").read_text())
    config["genes"]["positions_sha256"] = value
    schema = tables.read_schema(repository / "workflow/schemas/config.schema.yaml")
    with pytest.raises(TableError, match="genes.positions_sha256"):
        tables.check_config(config, schema)
