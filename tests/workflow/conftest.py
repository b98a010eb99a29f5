"""Runs of the workflow in a copy of the repository, on small cohorts."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

PARTS = ("Snakefile", "config", "envs", "src", "workflow")
# Few cells, so that a run takes minutes, and genes enough for copy number.
SMALL = {
    "simulation": {"cells": 2100, "genes": 4000, "seed": 1},
    "interactions": {"min_cells": 6},
    "integration": {"n_top_genes": 800},
    "claims": {"n_decoys": 200, "n_decoy_tables": 1, "n_shuffles": 1},
}


class Project:
    """A copy of the repository and a folder to run it in."""

    def __init__(self, root: Path, repository: Path) -> None:
        self.copy = root / "copy"
        self.copy.mkdir(parents=True)
        for part in PARTS:
            source = repository / part
            ignore = shutil.ignore_patterns("*.pyc")  # what numba has compiled comes along
            if source.is_dir():
                shutil.copytree(source, self.copy / part, ignore=ignore)
            else:
                shutil.copy(source, self.copy)
        self.run = root / "run"
        self.run.mkdir()

    def snakemake(
        self, *words, config=None, overlay="", fails=False, folder=None, cores=2, environment=None
    ):
        """Run Snakemake, with an overlay of config/ and then `config`; give what it printed."""
        folder = folder or self.run
        folder.mkdir(exist_ok=True)
        command = [sys.executable, "-m", "snakemake", "-s", str(self.copy / "Snakefile")]
        command += ["--directory", str(folder), "--cores", str(cores), "--nocolor"]
        command += words  # before --configfile, which takes all words that follow
        if config is not None:
            (folder / "config.yaml").write_text(yaml.safe_dump(config))
            overlays = [str(self.copy / "config" / overlay)] if overlay else []
            command += ["--configfile", *overlays, str(folder / "config.yaml")]
        inherited = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "SCPCA_TOKEN")}
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            cwd=folder,
            env={**inherited, **(environment or {})},
            check=False,
        )
        text = done.stdout + done.stderr
        assert (done.returncode != 0) == fails, text[-6000:]
        return text


@pytest.fixture
def project(tmp_path, repository):
    return Project(tmp_path, repository)


@pytest.fixture(scope="session")
def simulated(tmp_path_factory, repository):
    """The files of the reduced simulated cohort, without any analysis."""
    project = Project(tmp_path_factory.mktemp("workflow"), repository)
    project.small = SMALL
    project.snakemake("resources/simulated_os/truth_edges.tsv", config=SMALL)
    return project
