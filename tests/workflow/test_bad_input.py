"""Wrong input is refused with a clear message, before any job runs."""

import gzip

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
    for name in names:
        (project.run / f"{name}.gz").write_bytes(gzip.compress(b"x" * 5000)[:-10])
    text = project.snakemake("results/mine/samples/A/counts.h5ad", config=config, fails=True)
    assert ".gz is a truncated or damaged gzip file" in text
    assert not (project.run / "results/mine/samples/A/counts.h5ad").exists()


@pytest.mark.parametrize("table", ["claims", "markers", "populations"])
def test_a_broken_table_is_named(project, table):
    path = project.copy / "config" / f"{table}.tsv"
    path.write_text(path.read_text() + "only one cell\n")
    lines = len(path.read_text().splitlines())
    refuse(project, {}, f"{table}.tsv has 1 problem", f"line {lines}: 1 cells, but the header has")


def test_a_wrong_value_of_every_kind_is_refused(project):
    config = {"interactions": {"alpha": 2}, "integration": {"method": "combat"}, "seed": -1}
    refuse(project, config, "3 problems", "interactions.alpha", "integration.method", "seed")
