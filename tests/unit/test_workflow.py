import logging
import os
import shutil
import sys
import warnings
from pathlib import Path
from types import SimpleNamespace

import h5py
import pandas as pd
import pytest
import yaml
from anndata import AnnData
from snakemake.exceptions import WorkflowError
from snakemake.path_modifier import PathModifier

from osteotalk import needs, workflow
from osteotalk.ingest import IngestError


@pytest.fixture
def job(tmp_path):
    return SimpleNamespace(log=[str(tmp_path / "logs" / "job.log")])


def text(job):
    with open(job.log[0]) as stream:  # noqa: PTH123
        return stream.read()


def test_job_log_takes_everything_and_restores_the_streams(job):
    before = (sys.stdout, sys.stderr, logging.getLogger().handlers[:])
    with workflow.job_log(job):
        print("printed")  # noqa: T201
        sys.stderr.write("error stream\n")
        logging.getLogger("osteotalk.x").info("logged")
        warnings.simplefilter("always")
        warnings.warn("warned", UserWarning, stacklevel=1)
    for word in ("printed", "error stream", "logged", "warned"):
        assert word in text(job)
    assert (sys.stdout, sys.stderr, logging.getLogger().handlers) == before


def test_job_log_keeps_the_traceback_and_tells_the_terminal_the_reason(job, capsys):
    with pytest.raises(SystemExit), workflow.job_log(job):
        msg = "matrix is empty"
        raise ValueError(msg)
    assert "Traceback" in text(job)
    assert "ValueError: matrix is empty" in capsys.readouterr().err


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A small package with the layout that `code_digest` follows."""
    root = tmp_path / "osteotalk"
    (root / "sub" / "templates").mkdir(parents=True)
    (root / "__init__.py").write_text("")
    (root / "used.py").write_text("from osteotalk.sub import deep\n")
    (root / "unused.py").write_text("x = 1\n")
    (root / "sub" / "__init__.py").write_text("")
    (root / "sub" / "deep.py").write_text("x = 1\n")
    (root / "sub" / "templates" / "page.html").write_text("<p>")
    script = tmp_path / "script.py"
    script.write_text("def f():\n    import osteotalk.used\n")
    monkeypatch.setattr(workflow, "PACKAGE", root)
    return SimpleNamespace(root=root, script=script)


@pytest.mark.parametrize(
    ("edited", "changes"),
    [
        ("osteotalk/used.py", True),
        ("osteotalk/sub/deep.py", True),
        ("osteotalk/sub/__init__.py", True),
        ("osteotalk/sub/templates/page.html", True),
        ("script.py", True),
        ("osteotalk/unused.py", False),
    ],
)
def test_digest_changes_with_what_a_script_reaches_and_nothing_else(package, edited, changes):
    before = workflow.code_digest(package.script)
    path = package.root.parent / edited
    path.write_text(path.read_text() + "\n# edited\n")
    assert (workflow.code_digest(package.script) != before) == changes


def test_digest_ignores_file_times(package):
    before = workflow.code_digest(package.script)
    os.utime(package.root / "used.py", (1, 1))
    assert workflow.code_digest(package.script) == before


def test_digest_ignores_where_the_script_lies(package, tmp_path):
    """Snakemake copies the scripts of a git host into its cache."""
    digests = set()
    for folder in ("aa", "zz"):  # before and after the package
        (tmp_path / folder).mkdir()
        copy = Path(shutil.copy(package.script, tmp_path / folder))
        digests.add(workflow.code_digest(copy))
    assert len(digests) == 1


def test_digest_ignores_what_compilers_keep_beside_the_code(package):
    """Numba writes into __pycache__ while a job runs; a package's own data files count."""
    (package.root / "part").mkdir(exist_ok=True)
    (package.root / "part" / "__init__.py").touch()
    package.script.write_text("import osteotalk.part\n")
    workflow._imports.cache_clear()
    before = workflow.code_digest(package.script)
    compiled = package.root / "part" / "__pycache__"
    compiled.mkdir(exist_ok=True)
    for name in ("tails.f-1.py311.nbi", "tails.f-1.py311.1.nbc", "tails.cpython-311.pyc"):
        (compiled / name).write_bytes(b"x")
    assert workflow.code_digest(package.script) == before
    (package.root / "part" / "words.txt").write_text("x")
    assert workflow.code_digest(package.script) != before


def test_real_scripts_reach_their_modules(repository):
    scripts = repository / "workflow" / "scripts"
    reached = {p.name for p in workflow._imports(scripts / "score_interactions.py")}
    assert {"io.py", "scoring.py", "workflow.py", "__init__.py"} <= reached


def reached_from(path):
    """All files of the package that a script reaches through imports."""
    reached, pending = set(), [path]
    while pending:
        path = pending.pop()
        reached.add(path)
        pending += [p for p in workflow._imports(path) if p not in reached]
    return reached


def test_only_the_scoring_depends_on_the_code_that_scores(repository):
    package = workflow.PACKAGE / "interactions"
    scoring = {package / "scoring.py", package / "nulls" / "tails.py"}
    scripts = sorted((repository / "workflow" / "scripts").glob("*.py"))
    found = {script.stem: scoring & reached_from(script) for script in scripts}
    assert len(found) > 15
    for name in (
        *("simulate_cohort", "build_resource", "gather_evidence", "summarise_support"),
        "render_report",
    ):
        assert not found[name]
    for name in ("score_interactions", "calibrate_cohort", "test_setting"):  # the last score again
        assert found.pop(name) == scoring
    assert not any(found.values())


def test_scripts_import_scoring_where_the_digest_sees_it(repository):
    for script in (repository / "workflow" / "scripts").glob("*.py"):
        assert "from osteotalk.interactions import score" not in script.read_text()


@pytest.mark.parametrize("name", ["TYPE_CHECKING", "typing.TYPE_CHECKING"])
def test_imports_for_type_checkers_do_not_count(package, name):
    typed = f"if {name}:\n    import osteotalk.unused\n"
    package.script.write_text(f"{typed}else:\n    import osteotalk.used\n")
    names = {path.name for path in reached_from(package.script)}
    assert {"used.py", "deep.py"} <= names
    assert "unused.py" not in names
    package.script.write_text("if not TYPE_CHECKING:\n    import osteotalk.unused\n")
    workflow._imports.cache_clear()
    assert "unused.py" in {path.name for path in reached_from(package.script)}


def test_environment_is_single_threaded_and_finds_the_package_once(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "elsewhere")
    for name in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "PYTHONHASHSEED"):
        monkeypatch.setenv(name, "4")
    workflow.prepare_environment()
    workflow.prepare_environment()
    source = str(workflow.PACKAGE.parent)
    assert os.environ["PYTHONPATH"].split(os.pathsep) == [source, "elsewhere"]
    assert os.environ["OMP_NUM_THREADS"] == os.environ["NUMBA_NUM_THREADS"] == "1"


def test_what_is_installed_with_the_package_stays_out_of_the_environment_of_jobs(
    monkeypatch, tmp_path
):
    monkeypatch.setattr(workflow, "_PACKED", tmp_path)  # a folder that only a wheel has
    monkeypatch.setenv("PYTHONPATH", "elsewhere")
    monkeypatch.setenv("PYTHONHASHSEED", "4")
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
        monkeypatch.setenv(name, "4")
    workflow.prepare_environment()
    assert os.environ["PYTHONPATH"] == "elsewhere"
    assert os.environ["NUMBA_NUM_THREADS"] == "1"


def test_a_config_gets_the_keys_that_it_leaves_out(repository):
    shipped = yaml.safe_load((repository / "config" / "config.yaml").read_text())
    given = {"datasets": ["my_cohort"], "simulation": {"cells": 7}}
    full = workflow.with_defaults(given)
    assert full["datasets"] == ["my_cohort"]
    assert full["simulation"] == {"cells": 7, "genes": 6000, "seed": 1}
    same = set(shipped) - set(given)
    assert {key: full[key] for key in same} == {key: shipped[key] for key in same}
    assert list(full) == list(shipped)
    assert given == {"datasets": ["my_cohort"], "simulation": {"cells": 7}}
    assert workflow.with_defaults(full) == full


@pytest.mark.parametrize(
    ("replaced", "prefix", "outer"),
    [
        (None, "os/", None),
        ({"results/": "os/results/"}, None, None),
        ({"results/claims/": "claims/"}, None, None),
        (None, None, "os/"),
    ],
)
def test_a_module_whose_files_are_moved_is_refused(replaced, prefix, outer):
    around = PathModifier(None, outer, workflow=None)
    with pytest.raises(WorkflowError, match="cannot be a module with prefix or replace_prefix"):
        workflow.refuse_prefix(PathModifier(replaced, prefix, workflow=None, inner_modifier=around))


def test_a_module_whose_files_stay_is_taken():
    workflow.refuse_prefix(PathModifier(None, None, workflow=None))


def test_load_reports_config_problems_as_workflow_error(repository):
    with pytest.raises(WorkflowError, match="'datasets' is a required property"):
        workflow.load({}, repository)


def test_squidpy_is_asked_for_at_load_if_it_is_to_be_used(repository, monkeypatch):
    config = yaml.safe_load((repository / "config" / "config.yaml").read_text())
    monkeypatch.setattr(needs, "find_spec", lambda _: None)
    workflow.load(config, repository)
    config["interactions"]["squidpy"] = True
    with pytest.raises(WorkflowError, match="needs the Python package squidpy, and that is not"):
        workflow.load(config, repository)


def test_jobs_do_not_depend_on_the_check_of_the_scores(repository):
    """Every script imports the workflow module, and would run again when the check is edited."""
    reached = reached_from(workflow.PACKAGE / "workflow.py")
    assert workflow.PACKAGE / "needs.py" in reached
    assert not [p for p in reached if p.parent.name == "interactions"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: path.write_text("cell\tlabel\n"), "text that begins 'cell.tlabel', but ann"),
        (lambda path: h5py.File(path, "w").create_group("mod/rna"), "several modalities"),
        (lambda path: path.write_bytes(b"\x89HDF\r\n\x1a\n12"), "cut off or damaged"),
        (lambda path: labelled(path, column="cell_type"), "'kind' in obs; its columns are: cell_t"),
        (lambda path: labelled(path, column="kind"), ""),
        (lambda path: None, ""),  # missing: Snakemake says so
    ],
)
def test_a_reference_is_looked_at_before_any_job(tmp_path, make, message):
    path = tmp_path / "reference.h5ad"
    make(path)
    asked = {"celltypist": "", "reference": str(path), "reference_label": "kind"}
    if not message:
        workflow._check_opinions(asked)
        return
    with pytest.raises(IngestError, match=message) as caught:
        workflow._check_opinions(asked)
    assert str(path) in str(caught.value)


def labelled(path, *, column):
    AnnData(obs=pd.DataFrame({column: ["a"]}, index=["c"])).write_h5ad(path)
