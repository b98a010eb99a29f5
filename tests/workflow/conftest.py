"""Runs of the workflow in a copy of the repository, on small cohorts."""

import functools
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

PARTS = ("Snakefile", "config", "envs", "src", "workflow")
# Few cells, so that a run takes minutes, and genes enough for copy number.
SMALL = {
    "simulation": {"cells": 2100, "genes": 4000, "seed": 1},
    "interactions": {"min_cells": 10},
    "integration": {"n_top_genes": 800},
    "claims": {"n_decoys": 200, "n_decoy_tables": 1, "n_shuffles": 1},
}
# Scores a few cells, for which numba compiles all it needs, and keeps it beside the code.
COMPILE = """
import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse
from osteotalk.interactions import score

values = np.log1p(np.random.default_rng(0).poisson(1.0, (60, 20)))
cells = AnnData(
    sparse.csr_matrix(values, dtype=np.float32),
    obs=pd.DataFrame({"population": ["a", "b", "c"] * 20}, index=[f"c{i}" for i in range(60)]),
    var=pd.DataFrame(index=[f"G{i}" for i in range(20)]),
)
pairs = pd.DataFrame({"ligand": cells.var_names[:10], "receptor": cells.var_names[10:]})
for null in ("moments", "permutation"):
    score(cells, resource=pairs, min_cells=5, null=null, n_perms=10)
"""


@functools.cache
def compile_once(repository: Path) -> None:
    """Let numba compile before the code is copied: each copy would do it again, job by job."""
    environment = os.environ | {"PYTHONPATH": str(repository / "src")}
    subprocess.run([sys.executable, "-W", "ignore", "-c", COMPILE], env=environment, check=True)


class Project:
    """A copy of the repository and a folder to run it in."""

    def __init__(self, root: Path, repository: Path) -> None:
        compile_once(repository)
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

    def same_age(self):
        """Let no result be older than what it is made from."""
        now = time.time()
        for path in self.run.rglob("*"):
            os.utime(path, (now, now))

    def snakemake(
        self,
        *words,
        config=None,
        overlay="",
        fails=False,
        folder=None,
        cores=2,
        environment=None,
        snakefile=None,
        timeout=None,
    ):
        """Run Snakemake, with an overlay of config/ and then `config`; give what it printed."""
        folder = folder or self.run
        folder.mkdir(exist_ok=True)
        snakefile = snakefile or self.copy / "Snakefile"
        command = [sys.executable, "-m", "snakemake", "-s", str(snakefile)]
        command += ["--directory", str(folder), "--nocolor"]
        command += ["--cores", str(cores)] if cores else []  # a profile may say how many
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
            timeout=timeout,
            check=False,
        )
        text = done.stdout + done.stderr
        assert (done.returncode != 0) == fails, text[-6000:]
        return text


@pytest.fixture(scope="session")
def slurm(repository):
    """A Slurm cluster of one node with 2 CPUs, without accounting."""
    spec = importlib.util.spec_from_file_location("cluster", repository / "tests" / "cluster.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    absent = module.missing()
    if importlib.util.find_spec("snakemake_executor_plugin_slurm") is None:
        absent.append("snakemake-executor-plugin-slurm")
    if absent:
        pytest.skip(f"not installed: {', '.join(absent)} (slurm-wlm and munge of Debian, pip)")
    with module.Cluster() as cluster:
        yield cluster


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


@pytest.fixture(scope="session")
def made(tmp_path_factory, repository):
    """All files of a run of the embedded cohort, without content; `all` are those of rule all."""
    project = Project(tmp_path_factory.mktemp("made"), repository)
    text = project.snakemake("-n")
    project.all = re.search(r"^rule all:\n    input: (.*)$", text, re.MULTILINE)[1].split(", ")
    for line in re.findall(r"^    output: (.*)$", text, re.MULTILINE):
        for path in map(project.run.joinpath, line.split(", ")):
            if path.name == "report":
                path.mkdir(parents=True)
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text("x")
    project.same_age()
    assert "Nothing to be done" in project.snakemake("-n", "--rerun-triggers", "mtime")
    return project
