"""Wrong input is refused with a clear message, before any job runs."""

import gzip
import hashlib
import json

import pandas as pd
import pytest


def refuse(project, config, *words):
    text = project.snakemake("-n", config=config, fails=True)
    for word in words:
        assert word in text
    assert "Traceback" not in text
    assert "Job stats" not in text


def test_unknown_config_key(project):
    refuse(
        project,
        {"interactions": {"expr_porp": 0.1}},
        "the config has 1 problem",
        "interactions: ",
        "closest: 'expr_prop'",
    )


def test_files_of_second_opinions_that_are_something_else(project):
    (project.run / "model.pkl").write_text("<!DOCTYPE html><html></html>")
    (project.run / "bone.h5ad").write_bytes(gzip.compress(b"X\n\0\0\0\3"))
    refuse(
        project,
        {"annotation": {"celltypist": "model.pkl", "reference": "bone.h5ad"}},
        "model.pkl (annotation.celltypist) is a web page, not data",
        "bone.h5ad (annotation.reference) is an R object (RDS or RData)",
    )


def test_dataset_that_is_not_in_the_table(project):
    refuse(
        project,
        {"datasets": ["simulated_oz"]},
        "dataset 'simulated_oz' of the config is not in it. Near matches: 'simulated_os'",
        "A new cohort needs a row in the table of datasets",
    )


def own_tables(folder, samples, files, *, sample_key=""):
    """Tables of a local cohort `mine`, and the config that uses them."""
    frames = {
        "datasets": [("mine", "My cohort", "local", sample_key)],
        "samples": samples,
        "files": files,
    }
    columns = {
        "datasets": ["dataset", "title", "source", "sample_key"],
        "samples": ["dataset", "sample", "patient", "condition"],
        "files": ["dataset", "sample", "role", "path"],
    }
    folder.mkdir(exist_ok=True)
    for name, rows in frames.items():
        frame = pd.DataFrame(rows, columns=columns[name])
        frame.to_csv(folder / f"my_{name}.tsv", sep="\t", index=False)
    return {"datasets": ["mine"], "tables": {name: f"my_{name}.tsv" for name in frames}}


def test_duplicate_sample(project):
    config = own_tables(
        project.run,
        [("mine", "A", "A", "primary"), ("mine", "A", "B", "primary")],
        [("mine", "A", "h5", "a.h5")],
    )
    refuse(project, config, "my_samples.tsv has", "line 3: dataset 'mine', sample 'A' is in the")


def test_missing_file(project):
    config = own_tables(
        project.run, [("mine", "A", "A", "primary")], [("mine", "A", "h5", "none.h5")]
    )
    refuse(project, config, "my_files.tsv has 1 problem", "line 2: file 'none.h5' does not exist")


def test_truncated_gzip_stops_with_its_name(project):
    names = ("matrix", "barcodes", "features")
    config = own_tables(
        project.run,
        [("mine", "A", "A", "primary")],
        [("mine", "A", name, f"{name}.gz") for name in names],
    )
    begins = {"matrix": b"%%MatrixMarket matrix coordinate integer general\n"}
    for name in names:
        content = begins.get(name, b"") + b"x" * 5000
        (project.run / f"{name}.gz").write_bytes(gzip.compress(content)[:-10])
    text = project.snakemake("results/mine/samples/A/counts.h5ad", config=config, fails=True)
    assert ".gz is a truncated or damaged gzip file" in text
    last = text.partition("At least one job did not complete successfully.\n")[2]
    assert last.startswith("\ningest_sample of sample A of cohort mine failed: sample 'A' of ")
    assert "by status retired in its row of my_samples.tsv, or by on_sample_failure: skip" in last
    assert "(log: logs/ingest_sample/mine/A.log)\nWhat is finished is kept. To go on, " in last
    assert f"--configfile {project.run / 'config.yaml'}\n" in last
    assert not (project.run / "results/mine/samples/A/counts.h5ad").exists()


@pytest.mark.parametrize("table", ["claims", "markers", "populations"])
def test_a_broken_table_is_named(project, table):
    path = project.copy / "config" / f"{table}.tsv"
    path.write_text(path.read_text() + "only one cell\n")
    lines = len(path.read_text().splitlines())
    refuse(project, {}, f"{table}.tsv has 1 problem", f"line {lines}: 1 cells, but the header has")


def test_claims_on_what_does_not_exist_are_refused_before_anything_is_scored(project):
    """All of them at once, with their lines."""
    path = project.copy / "config" / "claims.tsv"
    lines = path.read_text().splitlines()
    header = next(line for line in lines if not line.startswith("#")).split("\t")
    first = next(line for line in lines if line.startswith("C001\t")).split("\t")

    def row(claim_id, **cells):
        given = dict(zip(header, first, strict=True)) | {"claim_id": claim_id} | cells
        return "\t".join(given[name] for name in header)

    wrong = [
        row("X001", pairs="CXCR4^CXCL12"),
        row("X002", pairs="CXCL122^CXCR4"),
        row("X003", kind="expression", pairs="", genes="CD2766", target=""),
    ]
    path.write_text("\n".join([*lines, *wrong]) + "\n")
    n = len(lines)
    text = project.snakemake("results/claims/checked.json", fails=True)
    assert "claims.tsv has 3 problems" in text
    assert f"line {n + 1}: pair 'CXCR4^CXCL12' stands the wrong way round" in text
    assert f"line {n + 2}: 'CXCL122' of 'CXCL122^CXCR4' is no ligand in the resource" in text
    assert f"line {n + 3}: gene 'CD2766' is measured in no cohort of this run" in text
    assert text.count("closest: 'CXCL12'") + text.count("closest: 'CD276'") >= 2
    assert not (project.run / "results/claims/checked.json").exists()


def test_a_wrong_value_of_every_kind_is_refused(project):
    config = {"interactions": {"alpha": 2}, "integration": {"method": "combat"}, "seed": -1}
    refuse(project, config, "3 problems", "interactions.alpha", "integration.method", "seed")


def test_a_resource_that_is_neither_known_nor_a_file(project):
    refuse(
        project,
        {"interactions": {"resource": "concensus"}},
        "interactions.resource: there is no file 'concensus', and LIANA has no resource",
        "Near matches: consensus",
        "mouseconsensus",
    )


def test_a_resource_of_mouse_genes(project):
    refuse(
        project,
        {"interactions": {"resource": "mouseconsensus"}},
        "'mouseconsensus' has mouse or rat symbols (e.g. ",
        "the genes of all cohorts have human symbols",
    )


def test_a_broken_file_of_pairs_is_named_with_its_lines(project):
    text = "ligand\treceptor\nCXCL12\tCXCR4\n\tCXCR4\nSPP1\tITGAV_ITGAV\nA b\tCD44\n"
    (project.run / "my_pairs.tsv").write_text(text)
    refuse(
        project,
        {"interactions": {"resource": "my_pairs.tsv"}},
        "the resource my_pairs.tsv has 3 problems",
        "line 3: ligand is empty",
        "line 4: receptor 'ITGAV_ITGAV' has ITGAV more than once",
        "line 5: ligand 'A b' is not allowed",
    )


def test_a_file_of_pairs_is_used_and_an_edit_runs_again(project):
    path = project.run / "my_pairs.tsv"
    path.write_text("ligand\treceptor\tnote\nCXCL12\tCXCR4\tx\nCXCR4\tCXCL12\ty\n")
    config = {"interactions": {"resource": "my_pairs.tsv"}}
    target = "results/resource.tsv"
    project.snakemake(target, config=config)
    pairs = pd.read_csv(project.run / target, sep="\t")
    assert "file:my_pairs.tsv" in set(pairs["origin"])
    assert ((pairs["ligand"] == "CXCL12") & (pairs["receptor"] == "CXCR4")).any()
    assert not (pairs["ligand"] == "CXCR4").any()
    told = json.loads((project.run / "results/resource.json").read_text())
    assert told["file_sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (told["name"], told["listed"], told["ignored_columns"]) == ("my_pairs.tsv", 2, ["note"])
    assert (
        "columns that are not used (1): note"
        in (project.run / "logs/build_resource.log").read_text()
    )
    assert "Nothing to be done" in project.snakemake("-n", target, config=config)
    path.write_text(path.read_text() + "SPP1\tCD44\tz\n")
    assert "my_pairs.tsv" in project.snakemake("-n", target, config=config)
