"""The bridge to Snakemake: the only module that knows about rules, jobs and wildcards."""

import ast
import atexit
import contextlib
import functools
import hashlib
import io
import logging
import os
import shlex
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from snakemake.exceptions import WorkflowError
from snakemake.utils import update_config

from osteotalk import tables
from osteotalk.failures import BEGAN, ENDED, FailedJob, summary
from osteotalk.ingest.errors import IngestError
from osteotalk.ingest.gene_tables import read_symbols
from osteotalk.ingest.hdf5 import check_reference_start
from osteotalk.ingest.kinds import MODEL, REFERENCE, check_kinds
from osteotalk.ingest.plain import is_gzip
from osteotalk.needs import MissingPackageError, need_squidpy
from osteotalk.prepare.align import MethodError, need_method
from osteotalk.visible import visible

PACKAGE = Path(__file__).parent
# The shipped config, tables and schemas: an installed package carries them, a clone has them at its
# top. A Snakefile may have neither beside it, as one that Snakemake reads from a git host.
_PACKED = PACKAGE / "data"
HOME = _PACKED if _PACKED.is_dir() else PACKAGE.parents[1]
# Libraries that would otherwise use every core, and then sum in another order on another machine.
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
_FOR_TYPES = ("TYPE_CHECKING", "typing.TYPE_CHECKING")


def with_defaults(config: Mapping[str, Any]) -> dict[str, Any]:
    """Give a config the keys that it leaves out, as in the shipped one."""
    full = yaml.safe_load((HOME / "config" / "config.yaml").read_text(encoding="utf-8"))
    update_config(full, config)
    return full


def refuse_prefix(paths: Any) -> None:
    """Refuse to be a module whose files are moved: scripts find some of them by params.

    Parameters
    ----------
    paths
        Snakemake's modifier of the paths of a module.

    Raises
    ------
    WorkflowError
        If the module, or one around it, has a prefix or replaces one.
    """
    moved = paths.replace_prefix("results/report")
    if paths.modifies_prefixes or moved != "results/report":
        msg = (
            "osteotalk cannot be a module with prefix or replace_prefix, as its rules name some "
            "files in params, which Snakemake does not move. Leave it out, and name the folder of "
            "the results with snakemake --directory"
        )
        raise WorkflowError(msg)


def prepare_environment() -> None:
    """Let every job use the package beside the Snakefile, with one thread and a fixed hash seed.

    An installed package is found without help: a path to it would bring all that is installed
    with it into the environment of a job. One thread makes the results independent of `--cores`;
    samples run side by side instead.
    """
    if not _PACKED.is_dir():
        source = str(PACKAGE.parent)
        paths = [p for p in os.environ.get("PYTHONPATH", "").split(os.pathsep) if p and p != source]
        os.environ["PYTHONPATH"] = os.pathsep.join([source, *paths])
    os.environ["PYTHONHASHSEED"] = "0"
    for name in _THREADS:
        os.environ[name] = "1"


def load(config: Mapping[str, Any], home: Path = HOME) -> tables.Tables:
    """Check the config and the tables it names, before any job starts.

    A relative table path is looked for in the working directory, then among the shipped. The gene
    symbols in the tables are brought up to date by the same table as those of the data.

    Raises
    ------
    WorkflowError
        Listing all problems of the config, or else of all tables.
    """
    schemas = home / "workflow" / "schemas"
    try:
        tables.check_config(config, tables.read_schema(schemas / "config.schema.yaml"))
        need_method(config["integration"]["method"])
        if config["interactions"]["squidpy"]:
            need_squidpy()
        _check_opinions(config["annotation"])
        paths = {name: find_file(path, home) for name, path in config["tables"].items()}
        loaded = tables.load_tables(paths, schemas, datasets=config["datasets"], workdir=Path.cwd())
        return tables.renew(loaded, read_symbols(find_file(config["genes"]["symbols"], home)))
    except (tables.TableError, IngestError, MethodError, MissingPackageError) as error:
        raise WorkflowError(visible(str(error))) from None


def _check_opinions(annotation: Mapping[str, Any]) -> None:
    """Refuse files of second opinions that are something else, as far as their beginning tells.

    They are read hours later. One that is missing is Snakemake's to report.
    """
    files = {MODEL: annotation["celltypist"], REFERENCE: annotation["reference"]}
    check_kinds({key: path for key, path in files.items() if path})
    reference = files[REFERENCE]
    if reference and Path(reference).is_file() and not is_gzip(reference):
        check_reference_start(reference, column=annotation["reference_label"])


def needs_token(loaded: tables.Tables, datasets: list[str]) -> bool:
    """Whether a file of the scPCA portal is to be downloaded."""
    portal = loaded.datasets.loc[loaded.datasets["source"] == "scpca", "dataset"]
    files = loaded.files[loaded.files["role"] == "archive"]
    paths = files.loc[files["dataset"].isin(set(portal) & set(datasets)), "path"]
    return not all(Path(path).is_file() for path in paths)


def find_file(path: str, home: Path = HOME) -> Path:
    """Find a file of the config: in the folder of the run, else among the shipped."""
    here = Path(path)
    return here if here.exists() or here.is_absolute() else home / path


_COMPILED = "__pycache__"


def code_digest(script: str | Path) -> str:
    """Digest of a script and of all the package's code that it reaches through imports.

    As a param of a rule it makes the rule run again when code it depends on is edited, and only
    then. Imports are read from the source, also those inside functions, but not those for type
    checkers only (``if TYPE_CHECKING:``). An import by name (importlib) is not seen: a script
    imports `score` from osteotalk.interactions.scoring. Files that are not Python (templates, word
    lists) count with the package they lie in.
    """
    pending, seen = [Path(script)], set[Path]()
    while pending:
        path = pending.pop()
        if path not in seen:
            seen.add(path)
            pending += _imports(path)
    digest = hashlib.sha256()
    # In an order that does not depend on where script and package lie.
    for name, content in sorted((p.name, p.read_bytes()) for p in seen | _data_files(seen)):
        digest.update(name.encode() + b"\0" + content + b"\0")
    return digest.hexdigest()[:16]


@functools.cache  # most scripts reach the same modules
def _imports(path: Path) -> list[Path]:
    found = []
    for node in _run_nodes(ast.parse(path.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names:
            found += _module_files(name)
    return found


def _run_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes of a syntax tree but the bodies of ``if TYPE_CHECKING:``, which never run."""
    yield node
    children = ast.iter_child_nodes(node)
    if isinstance(node, ast.If) and ast.unparse(node.test) in _FOR_TYPES:
        children = iter(node.orelse)
    for child in children:
        yield from _run_nodes(child)


def _module_files(name: str) -> list[Path]:
    """Files that `import name` runs: the packages above the module, and the module."""
    parts = name.split(".")
    if parts[0] != PACKAGE.name:
        return []
    files = []
    for depth in range(len(parts)):
        stem = PACKAGE.joinpath(*parts[1 : depth + 1])
        files += [f for f in (stem / "__init__.py", stem.with_suffix(".py")) if f.is_file()]
    return files


def _data_files(modules: set[Path]) -> set[Path]:
    folders = {path.parent for path in modules if path.is_relative_to(PACKAGE)} - {PACKAGE}
    return {
        path
        for folder in folders
        for path in folder.rglob("*")
        # numba, too, keeps what it compiled in __pycache__
        if path.is_file() and path.suffix not in (".py", ".typed") and path.parent.name != _COMPILED
    }


def per_sample(loaded: tables.Tables, pattern: str) -> Callable[[Any], list[str]]:
    """Input function: `pattern` with `{dataset}` and `{sample}` for each sample of a dataset."""

    def files(wildcards: Any) -> list[str]:
        rows = loaded.samples[loaded.samples["dataset"] == wildcards.dataset]
        if rows.empty:
            raise WorkflowError(tables.without_samples(wildcards.dataset))
        return [
            pattern.format(dataset=wildcards.dataset, sample=sample) for sample in rows["sample"]
        ]

    return files


def row_of(frame: Any, **keys: str) -> dict[str, str]:
    """The one row of a table in which each named column has the given value."""
    for column, value in keys.items():
        frame = frame[frame[column] == value]
    (record,) = frame.to_dict("records")
    return {str(k): str(v) for k, v in record.items()}


class _Log(io.TextIOWrapper):
    """A log in which no name can hide or turn round a part of a line."""

    def write(self, text: str) -> int:
        # libraries end the states of their bars with a carriage return
        super().write(visible(text.replace("\r\n", "\n").replace("\r", "\n")))
        return len(text)


@contextlib.contextmanager
def job_log(job: Any) -> Iterator[None]:
    """Send everything a job says to its log file; show the reason of a failure on the terminal.

    Standard output, standard error, warnings and logging go to `job.log[0]`. If the job fails, the
    traceback is the end of the log and its last line is also printed where Snakemake runs. The
    first line and, if the job succeeds, the last tell a job that was killed from the others, see
    `osteotalk.failures`.
    """
    path = Path(job.log[0])
    path.parent.mkdir(parents=True, exist_ok=True)
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    terminal = sys.stderr
    with _Log(path.open("wb"), encoding="utf-8", line_buffering=True) as log:
        log.write(BEGAN.format(os.getpid()) + "\n")
        handler = logging.StreamHandler(log)
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%H:%M:%S"))
        root.handlers, root.level = [handler], logging.INFO
        logging.captureWarnings(capture=True)
        try:
            with (
                contextlib.redirect_stdout(log),
                contextlib.redirect_stderr(log),
                warnings.catch_warnings(),
            ):
                yield
            log.write(ENDED + "\n")
        except BaseException as error:  # noqa: BLE001 - also an interrupt belongs in the log
            traceback.print_exc(file=log)
            reason = visible(f"{type(error).__name__}: {error}")
            terminal.write(f"{reason}\n(full log: {path})\n")
            raise SystemExit(1) from None
        finally:
            logging.captureWarnings(capture=False)
            root.handlers, root.level = before


def on_sample_failure(job: Any) -> dict[str, str]:
    """What a job does about a sample that cannot be read, see `osteotalk.ingest.broken`.

    It is no param: what was read does not depend on it, so a change reads nothing again.
    """
    return {
        "on_failure": job.config["on_sample_failure"],
        "table": job.config["tables"]["samples"],
    }


def failed_job(rule: str, wildcards: Mapping[str, str], logs: list[str]) -> FailedJob:
    """What `osteotalk.failures` needs to know of a job of Snakemake."""
    named = {name: value for name, value in wildcards.items() if name != "dataset"}
    words = [f"sample {v}" if name == "sample" else str(v) for name, v in named.items()]
    return FailedJob(
        rule,
        dataset=str(wildcards.get("dataset", "")),
        of=" ".join(words),
        log=str(logs[0]) if logs else "",
    )


def tell_failures(jobs: list[FailedJob], *, hint: str, since: float) -> None:
    """Print what failed and how to go on, after all that Snakemake prints.

    Snakemake ends with its own words ("At least one job did not complete"), so these wait until
    its process ends.
    """
    command = shlex.join(["snakemake", *sys.argv[1:]])
    text = summary(jobs, command=command, since=since) + hint
    atexit.register(lambda: sys.stderr.write("\n" + text))
