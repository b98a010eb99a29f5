"""The workflow as a module of another one: from a clone, and from a git host with a wheel."""

import os
import re
import shutil
import subprocess
import sys
import zipfile

import pytest
import yaml

pytestmark = pytest.mark.slow

HOST = "https://github.com/osteotalk/osteotalk"
HOSTED = 'github("osteotalk/osteotalk", path="workflow/Snakefile", tag="v1")'
# Keeps Python from finding the package anywhere but beside the Snakefile.
HIDE = """
import sys
from pathlib import Path

sys.path[:] = [p for p in sys.path if not (Path(p) / "osteotalk" / "__init__.py").is_file()]
"""


def snippet(repository, snakefile, settings):
    """The Snakefile of the documentation, for a clone or a host, with this place and config."""
    text = (repository / "docs" / "running.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(module osteotalk:.*?)^```$", text, re.M | re.S)
    (shown,) = [b for b in blocks if ("github(" in b) == (snakefile == HOSTED)]
    shown, places = re.subn(r"(?<=snakefile: ).*", snakefile.replace("\\", r"\\"), shown)
    shown, configs = re.subn(r"(?<=config: ).*", repr(settings), shown)
    assert (places, configs) == (1, 1)
    return shown


def snakemake(folder, *words, environment=None, fails=False):
    """Run Snakemake in a folder, with nothing of the clone around it, and give what it said."""
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--cores", "2", "--nocolor", *words],
        capture_output=True,
        text=True,
        cwd=folder,
        env={k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | (environment or {}),
        check=False,
    )
    text = done.stdout + done.stderr
    assert (done.returncode != 0) == fails, text[-6000:]
    return text


def jobs(text):
    """Rules of a dry run, with the number of their jobs."""
    table = re.search(r"^Job stats:\n(.*?)^total +\d+$", text, re.M | re.S)[0]
    return dict(re.findall(r"^(\w+) +(\d+)$", table, re.M))


@pytest.fixture(scope="module")
def plain(simulated):
    """Jobs of the workflow itself."""
    return jobs(
        simulated.snakemake("-n", config=simulated.small, folder=simulated.run.parent / "n")
    )


@pytest.fixture(scope="module")
def wheel(repository, tmp_path_factory):
    """The package as it is installed without a clone."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel"]
    done = subprocess.run(
        [*build, "--directory", str(folder)], cwd=repository, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    (built,) = folder.glob("*.whl")
    with zipfile.ZipFile(built) as packed:
        packed.extractall(folder / "site")
    return folder / "site"


@pytest.fixture
def hosted(simulated, tmp_path):
    """Environment in which git finds a copy of the repository for the address of the host."""
    clone = tmp_path / "clone"
    ignore = shutil.ignore_patterns("src", "config", "__pycache__")  # no part of them is read
    shutil.copytree(simulated.copy, clone, ignore=ignore)
    who = ["-c", "user.name=osteotalk", "-c", "user.email=osteotalk@localhost"]
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "all"], ["tag", "v1"]):
        subprocess.run(["git", *who, *words], cwd=clone, check=True)
    return {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{clone.as_uri()}.insteadOf",
        "GIT_CONFIG_VALUE_0": HOST,
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
    }


def same_files(folder, other):
    """Compare all files of a folder with those of another; give how many there are."""
    names = [p.relative_to(folder) for p in folder.rglob("*") if p.is_file()]
    for name in names:
        assert (folder / name).read_bytes() == (other / name).read_bytes(), name
    return len(names)


def test_a_module_from_a_clone_has_the_same_jobs_and_bytes(repository, simulated, plain, tmp_path):
    place = f'"{simulated.copy}/workflow/Snakefile"'
    (tmp_path / "Snakefile").write_text(snippet(repository, place, simulated.small))
    assert jobs(snakemake(tmp_path, "-n")) == plain
    targets = ["resources/simulated_os/truth_edges.tsv", "results/claims/checked.json"]
    snakemake(tmp_path, *targets)
    assert same_files(tmp_path / "resources", simulated.run / "resources") > 20
    for name in ("resource.tsv", "resource.json"):
        there, here = (root / "results" / name for root in (simulated.run, tmp_path))
        assert there.read_bytes() == here.read_bytes()
    # The workflow itself finds the same params and code, or it would make them again.
    text = simulated.snakemake("-n", *targets, config=simulated.small, folder=tmp_path)
    assert "Nothing to be done" in text


def test_a_module_from_a_git_host_runs_with_the_installed_package(
    repository, simulated, plain, wheel, hosted, tmp_path
):
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "Snakefile").write_text(snippet(repository, HOSTED, simulated.small))
    environment = {**hosted, "PYTHONPATH": str(wheel)}
    assert jobs(snakemake(folder, "-n", environment=environment)) == plain
    text = snakemake(folder, "results/resource.tsv", environment=environment)
    assert str(wheel / "osteotalk" / "data" / "config" / "gene_symbols.tsv") in text
    assert same_files(folder / "results", simulated.run / "results") == 2


def test_a_wheel_carries_the_shipped_config_tables_and_schemas(repository, wheel):
    data = wheel / "osteotalk" / "data"
    assert same_files(repository / "config", data / "config") >= 17
    assert same_files(repository / "workflow" / "schemas", data / "workflow" / "schemas") >= 16


def test_without_the_package_the_message_says_what_to_do(repository, simulated, hosted, tmp_path):
    folder, hiding = tmp_path / "run", tmp_path / "hiding"
    folder.mkdir()
    hiding.mkdir()
    (hiding / "sitecustomize.py").write_text(HIDE)
    (folder / "Snakefile").write_text(snippet(repository, HOSTED, {}))
    environment = {**hosted, "PYTHONPATH": str(hiding)}
    text = snakemake(folder, "-n", environment=environment, fails=True)
    assert "The package osteotalk is neither beside github.com/osteotalk/osteotalk/" in text
    assert "nor installed. Install it with pip from the same version" in text


def test_a_module_with_a_prefix_is_refused_at_once(repository, simulated, tmp_path):
    place = f'"{simulated.copy}/workflow/Snakefile"\n    prefix: "os"'
    (tmp_path / "Snakefile").write_text(snippet(repository, place, simulated.small))
    text = snakemake(tmp_path, "-n", fails=True)
    assert "osteotalk cannot be a module with prefix or replace_prefix" in text


def test_the_catalogue_finds_what_it_asks_for(repository):
    path = repository / ".snakemake-workflow-catalog.yml"
    usage = yaml.safe_load(path.read_text(encoding="utf-8"))["usage"]
    assert set(usage) == {"mandatory-flags", "software-stack-deployment", "report"}
    assert usage["report"] is True
    assert (repository / "workflow" / "Snakefile").is_file()
    first, *_ = (repository / "config" / "README.md").read_text(encoding="utf-8").splitlines()
    assert first == "# Configuration"
