"""The file with positions of genes that cohorts share: downloaded once, and checked."""

import re

import pandas as pd
import pytest

from osteotalk.retrieve import read_manifest

pytestmark = pytest.mark.slow

URL = "https://ftp.example.org/human/genes.gtf"
TARGET = "resources/all-cohorts/genes.gtf"
GTF = b"".join(
    b'chr%d\tx\tgene\t%d\t%d\t.\t+\t.\tgene_id "ENSG%011d"; gene_name "G%d";\n'
    % (i % 22 + 1, i, i + 9, i, i)
    for i in range(1, 50)
)


def cohorts(folder):
    """Two human cohorts without a file of positions, one with its own, one of dogs."""
    rows = {
        "datasets": [(name, name, "local", {"dogs": "dog", "one": "human"}.get(name, ""), "p")
                     for name in ("one", "two", "own", "dogs")],
        "samples": [(name, "S", "P", "primary") for name in ("one", "two", "own", "dogs")],
        "files": [(name, "", "h5ad", f"{name}.h5ad") for name in ("one", "two", "own", "dogs")]
        + [("own", "", "gtf", "own.gtf"), ("dogs", "", "orthologs", "dogs.tsv")],
    }  # fmt: skip
    columns = {
        "datasets": ["dataset", "title", "source", "species", "sample_key"],
        "samples": ["dataset", "sample", "patient", "condition"],
        "files": ["dataset", "sample", "role", "path"],
    }
    for *_, path in rows["files"]:
        (folder / path).write_bytes(b"x")
    for name, table in rows.items():
        frame = pd.DataFrame(table, columns=columns[name])
        frame.to_csv(folder / f"my_{name}.tsv", sep="\t", index=False)
    return {
        "datasets": ["one", "two", "own", "dogs"],
        "tables": {name: f"my_{name}.tsv" for name in rows},
    }


def settings(config, server, **genes):
    limits = {"attempts": 1, "backoff": 0.01, "timeout": 20}
    retrieve = {"mirrors": server.mirrors("https://ftp.example.org/"), **limits}
    return {**config, "retrieve": retrieve, "genes": {"positions": URL, **genes}}


def inputs(text, rule):
    """Input of each job of a rule in a dry run, by cohort."""
    jobs = re.findall(rf"^rule {rule}:\n    input: (.*)\n", text, re.MULTILINE)
    return {re.search(r"results/(\w+)/", job)[1]: job.split(", ") for job in jobs}


def test_cohorts_share_one_download_and_a_bad_one_is_refused(project, loopback):
    config = cohorts(project.run)
    path = "/ftp.example.org/human/genes.gtf"
    with loopback.serve({}) as server:
        targets = [f"results/{name}/annotated.h5ad" for name in config["datasets"]]
        changed = "results/one/sensitivity/resolution/1.0.tsv"
        text = project.snakemake("-n", *targets, changed, config=settings(config, server))
        assert re.findall(r"Download (\S+) to (\S+)", text) == [(URL, TARGET)]
        used = inputs(text, "annotate_cells")
        assert {name for name, files in used.items() if TARGET in files} == {"one", "two"}
        assert "own.gtf" in used["own"]
        assert TARGET in inputs(text, "test_setting")["one"]

        text = project.snakemake("-n", *targets, changed, config=config)  # as shipped
        assert "Download" not in text
        assert [len(inputs(text, "annotate_cells")[name]) for name in ("one", "own")] == [2, 3]

        text = project.snakemake(TARGET, config=settings(config, server), fails=True)
        assert f"{URL}: the server answered 404 Not Found" in text
        assert "(asked for in genes.positions of the config). Human cohorts without" in text
        assert "Without a network set genes.positions in the config to infercnvpy" in text

        server.put(path, GTF)
        wrong = settings(config, server, positions_sha256="0" * 64)
        text = project.snakemake(TARGET, config=wrong, fails=True)
        assert f"genes.positions_sha256) says {'0' * 64}" in text
        assert not (project.run / TARGET).exists()

        project.snakemake(TARGET, config=settings(config, server))
        assert (project.run / TARGET).read_bytes() == GTF
        assert [seen.code for seen in server.of(path)] == [404, 200, 200]
    told = read_manifest((project.run / TARGET).with_name("manifest.tsv"))
    assert {name: row["url"] for name, row in told.items()} == {"genes.gtf": URL}


@pytest.mark.parametrize(
    ("genes", "message"),
    [
        (
            {"positions": "none.gtf"},
            "of the config: file 'none.gtf' does not exist (looked for",
        ),
        ({"positions": "config.yaml"}, "config.yaml line 1: 1 fields, not 9"),
    ],
)
def test_what_is_no_file_of_positions_is_refused_before_any_job(project, genes, message):
    text = project.snakemake("-n", config={"genes": genes}, fails=True)
    assert message in text
    assert "Traceback" not in text
    assert "Job stats" not in text
