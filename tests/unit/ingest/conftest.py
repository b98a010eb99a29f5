"""Read a cohort of a folder as the workflow would, in this process."""

import os
from pathlib import Path

import pytest
import yaml

from osteotalk import io, tables, workflow
from osteotalk.ingest.gene_tables import read_symbols
from osteotalk.ingest.members import list_dataset_members
from osteotalk.ingest.sample import read_sample

REPOSITORY = Path(__file__).parents[3]
SYMBOLS = REPOSITORY / "config" / "gene_symbols.tsv"


def _load(folder):
    """The tables of a cohort whose my.yaml lies in the folder; relative to it."""
    config = yaml.safe_load((REPOSITORY / "config" / "config.yaml").read_text(encoding="utf-8"))
    own = yaml.safe_load((folder / "my.yaml").read_text(encoding="utf-8"))
    for key, value in own.items():  # as Snakemake merges them
        config[key] = {**config[key], **value} if isinstance(value, dict) else value
    before = Path.cwd()
    os.chdir(folder)
    try:
        return workflow.load(config, REPOSITORY)
    finally:
        os.chdir(before)


def _read(folder, scratch, *, samples=None):
    """Matrix and report of each sample (or of some), by sample."""
    loaded = _load(folder)
    symbols = read_symbols(SYMBOLS)
    (dataset_row,) = loaded.datasets[loaded.datasets["dataset"] == "mine"].to_dict("records")
    rows = loaded.samples[loaded.samples["dataset"] == "mine"].to_dict("records")
    values = [row["sample_value"] or row["sample"] for row in rows]
    before = Path.cwd()
    os.chdir(folder)
    try:
        files = tables.records_of(loaded.files, "mine")
        members = Path(scratch) / "members.tsv"
        if any(row["role"] == "archive" for row in files):
            found = list_dataset_members(files, samples=rows, dataset="mine")
            io.write_tsv(found, members, table="members")
        result = {}
        for row in rows:
            if samples is None or row["sample"] in samples:
                own = tables.sample_files(loaded, "mine", row["sample"])
                if "archive" in own:
                    own["members"] = str(members)
                result[row["sample"]] = read_sample(
                    own,
                    sample_row=row,
                    symbols=symbols,
                    dataset_row=dataset_row,
                    sample_values=values,
                    scratch=scratch,
                )
        return result
    finally:
        os.chdir(before)


@pytest.fixture(scope="session")
def read_cohort():
    """The function that reads the cohort of a folder."""
    return _read
