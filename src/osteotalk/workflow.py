"""The bridge to Snakemake: the only module that knows about rules, jobs and wildcards."""

import ast
import contextlib
import functools
import hashlib
import io
import logging
import os
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from snakemake.exceptions import WorkflowError

from osteotalk import tables
from osteotalk.ingest.errors import IngestError
from osteotalk.ingest.gene_tables import read_symbols
from osteotalk.ingest.hdf5 import check_reference_start
from osteotalk.ingest.kinds import MODEL, REFERENCE, check_kinds
from osteotalk.ingest.plain import is_gzip
from osteotalk.needs import MissingPackageError, need_squidpy
from osteotalk.prepare.align import MethodError, need_method
from osteotalk.visible import visible

PACKAGE = Path(__file__).parent
# Libraries that would otherwise use every core, and then sum in another order on another machine.
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
_FOR_TYPES = ("TYPE_CHECKING", "typing.TYPE_CHECKING")


def prepare_environment(basedir: str | Path) -> None:
    """Let every job use the package beside the Snakefile, with one thread and a fixed hash seed.

    One thread makes the results independent of `--cores`; samples run side by side instead.
    """
    source = str(Path(basedir) / "src")
    paths = [p for p in os.environ.get("PYTHONPATH", "").split(os.pathsep) if p and p != source]
    os.environ["PYTHONPATH"] = os.pathsep.join([source, *paths])
    os.environ["PYTHONHASHSEED"] = "0"
    for name in _THREADS:
        os.environ[name] = "1"


def load(config: Mapping[str, Any], basedir: str | Path) -> tables.Tables:
    """Check the config and the tables it names, before any job starts.

    A relative table path is looked for in the working directory, then beside the Snakefile. The
    gene symbols in the tables are brought up to date by the same table as those of the data.

    Raises
    ------
    WorkflowError
        Listing all problems of the config, or else of all tables.
    """
    schemas = Path(basedir) / "workflow" / "schemas"
    try:
        tables.check_config(config, tables.read_schema(schemas / "config.schema.yaml"))
        need_method(config["integration"]["method"])
        if config["interactions"]["squidpy"]:
            need_squidpy()
        _check_opinions(config["annotation"])
        paths = {name: find_file(path, basedir) for name, path in config["tables"].items()}
        loaded = tables.load_tables(paths, schemas, datasets=config["datasets"], workdir=Path.cwd())
        return tables.renew(loaded, read_symbols(find_file(config["genes"]["symbols"], basedir)))
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


def find_file(path: str, basedir: str | Path) -> Path:
    """Find a file of the config: in the folder of the run, else beside the Snakefile."""
    here = Path(path)
    return here if here.exists() or here.is_absolute() else Path(basedir) / path


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
    for path in sorted(seen | _data_files(seen)):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
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
    traceback is the end of the log and its last line is also printed where Snakemake runs.
    """
    path = Path(job.log[0])
    path.parent.mkdir(parents=True, exist_ok=True)
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    terminal = sys.stderr
    with _Log(path.open("wb"), encoding="utf-8", line_buffering=True) as log:
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
        except BaseException as error:  # noqa: BLE001 - also an interrupt belongs in the log
            traceback.print_exc(file=log)
            reason = visible(f"{type(error).__name__}: {error}")
            terminal.write(f"{reason}\n(full log: {path})\n")
            raise SystemExit(1) from None
        finally:
            logging.captureWarnings(capture=False)
            root.handlers, root.level = before
