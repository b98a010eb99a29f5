"""Load the tables of `config/` and check them, each alone and against each other.

A table is tab-separated UTF-8 text with a header line. Every cell is text (a gene or a sample may
be spelled NA). All problems of all tables are reported together, with file and line, before any
long work starts.
"""

import csv
import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from jsonschema import Draft202012Validator

NAMES = (
    "datasets",
    "samples",
    "files",
    "populations",
    "markers",
    "interactions",
    "claims",
    "simulation_populations",
    "simulation_edges",
)
# A sample comes as a 10x triplet, or as one file of another kind.
TRIPLET = ("matrix", "barcodes", "features")


class TableError(ValueError):
    """One or more tables, or the config, break a rule; the message lists every case."""


@dataclass(frozen=True)
class Tables:
    """The checked tables; frames of text whose index is the line number in the file."""

    datasets: pd.DataFrame
    samples: pd.DataFrame
    files: pd.DataFrame
    populations: pd.DataFrame
    markers: pd.DataFrame
    interactions: pd.DataFrame
    claims: pd.DataFrame
    simulation_populations: pd.DataFrame
    simulation_edges: pd.DataFrame


def split(cell: str) -> list[str]:
    """Items of a cell that holds several, joined by ';'."""
    return [item for item in cell.split(";") if item]


def leaves(populations: pd.DataFrame, population: str) -> list[str]:
    """Fine populations that `population` stands for: itself, or all below it, in table order."""
    children = populations.loc[populations["parent"] == population, "population"]
    if children.empty:
        return [population]
    return [leaf for child in children for leaf in leaves(populations, child)]


def closest(word: str, known: Iterable[str]) -> str:
    """A hint naming the known word most like `word`, or the known words if there are few."""
    known = [k for k in known if k]
    match = difflib.get_close_matches(word, known, n=1)
    if match:
        return f"; closest: '{match[0]}'"
    return f"; known: {', '.join(known)}" if 0 < len(known) <= 12 else ""


def read_schema(path: str | Path) -> dict[str, Any]:
    """Read a JSON schema written as YAML."""
    schema: dict[str, Any] = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    return schema


def check_config(config: Mapping[str, Any], schema: Mapping[str, Any]) -> None:
    """Check the configuration and list everything that is wrong with it.

    Raises
    ------
    TableError
        Naming each key, the value found, and the rule it breaks.
    """
    problems = []
    for error in Draft202012Validator(schema).iter_errors(config):
        key = ".".join(str(part) for part in error.absolute_path) or "the top level"
        hint = ""
        if error.validator == "additionalProperties":
            known = error.schema.get("properties", {})
            extra = [k for k in error.instance if k not in known]
            hint = "".join(closest(str(word), known) for word in extra)
        problems.append(f"  {key}: {error.message}{hint}")
    if problems:
        msg = f"the config has {_count(problems)}:\n" + "\n".join(sorted(problems))
        raise TableError(msg)


def read_table(path: str | Path, schema: Mapping[str, Any]) -> tuple[pd.DataFrame, list[str]]:
    """Read one table.

    Parameters
    ----------
    path
        Tab-separated file.
    schema
        JSON schema of one row. `x-key` names the columns that make a row unique. Columns which the
        schema does not require may be absent and are then filled with ''.

    Returns
    -------
    The rows (text; index: line number in the file) and the problems found ("line 3: ...").
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return pd.DataFrame(columns=list(schema["properties"])), ["the file does not exist"]
    except UnicodeDecodeError as error:
        return pd.DataFrame(columns=list(schema["properties"])), [f"not UTF-8 text: {error}"]
    rows = list(csv.reader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE))
    numbered = [
        (i, row) for i, row in enumerate(rows, 1) if any(row) and not row[0].startswith("#")
    ]
    header = numbered[0][1] if numbered else []
    known = list(schema["properties"])
    problems = _header_problems(header, known, schema.get("required", []))
    if problems:
        return pd.DataFrame(columns=known), problems
    records, lines = [], []
    for line, row in numbered[1:]:
        if len(row) != len(header):
            problems.append(f"line {line}: {len(row)} cells, but the header has {len(header)}")
            continue
        records.append(dict(zip(header, row, strict=True)))
        lines.append(line)
    frame = pd.DataFrame(records, columns=header, index=lines, dtype=object)
    problems += _row_problems(frame, schema)
    for column in known:
        if column not in frame:
            frame[column] = ""
    return frame[known], problems


def _header_problems(header: Sequence[str], known: Sequence[str], needed: list[str]) -> list[str]:
    if not header:
        return ["the file has no header line"]
    problems = [
        f"line 1: column '{c}' is not known{closest(c, known)}" for c in header if c not in known
    ]
    problems += [f"line 1: column '{c}' is missing" for c in needed if c not in header]
    problems += [f"line 1: column '{c}' appears twice" for c in set(header) if header.count(c) > 1]
    return sorted(problems)


def _row_problems(frame: pd.DataFrame, schema: Mapping[str, Any]) -> list[str]:
    problems = []
    validator = Draft202012Validator(schema)
    for line, row in frame.iterrows():
        for error in validator.iter_errors(row.to_dict()):
            column = str(error.absolute_path[0]) if error.absolute_path else "the row"
            problems.append(f"line {line}: {column} {_explain(error)}")
    key = [c for c in schema.get("x-key", []) if c in frame]
    if key:
        repeated = frame[frame.duplicated(key, keep="first")]
        for line, row in repeated.iterrows():
            value = ", ".join(f"{c} '{row[c]}'" for c in key)
            problems.append(f"line {line}: {value} is in the table already")
    return problems


def _explain(error: Any) -> str:
    """Say what a schema error means to someone who edits a table."""
    rule = error.schema.get("description", "")
    rule = f" ({rule})" if rule else ""
    if error.validator == "enum":
        allowed = error.validator_value
        hint = closest(error.instance, allowed)
        return f"'{error.instance}' is not one of {', '.join(allowed)}{hint}"
    if error.validator == "minLength" or (error.validator == "pattern" and not error.instance):
        return f"is empty{rule}"
    return f"'{error.instance}' is not allowed{rule}"


def load_tables(
    paths: Mapping[str, Path], schemas: str | Path, *, datasets: Sequence[str], workdir: str | Path
) -> Tables:
    """Read and check every table.

    Parameters
    ----------
    paths
        Table name (see `NAMES`) to file.
    schemas
        Folder with `<name>.schema.yaml`.
    datasets
        Ids of the datasets that this run analyses.
    workdir
        Folder that relative file names of local datasets start from.

    Raises
    ------
    TableError
        Listing all problems, grouped by file.
    """
    frames: dict[str, pd.DataFrame] = {}
    problems: dict[str, list[str]] = {}
    for name in NAMES:
        schema = read_schema(Path(schemas) / f"{name}.schema.yaml")
        frames[name], problems[name] = read_table(paths[name], schema)
    tables = Tables(**frames)
    if not any(problems.values()):  # references between broken tables would only add noise
        for name, found in check_references(tables).items():
            problems[name] += found
        problems["datasets"] += check_selection(tables, datasets)
        if not any(problems.values()):
            problems["files"] += check_files(tables, datasets, workdir)
    report = [
        f"{paths[name]} has {_count(found)}:\n" + "\n".join(f"  {p}" for p in found)
        for name, found in problems.items()
        if found
    ]
    if report:
        raise TableError("\n".join(report))
    return tables


def _count(problems: Sequence[str]) -> str:
    return "1 problem" if len(problems) == 1 else f"{len(problems)} problems"


def _unknown(frame: pd.DataFrame, column: str, known: Sequence[str], home: str) -> list[str]:
    """Cells of a column (items joined by ';') that are not among the known values."""
    return [
        f"line {line}: {column} '{item}' is not in the table of {home}{closest(item, known)}"
        for line, cell in frame[column].items()
        for item in split(cell)
        if item not in known
    ]


def check_references(tables: Tables) -> dict[str, list[str]]:
    """Check what one table says of another; problems by table name."""
    datasets = list(tables.datasets["dataset"])
    populations = list(tables.populations["population"])
    parents = set(tables.populations["parent"])
    simulated = tables.datasets.loc[tables.datasets["source"] == "simulated", "dataset"]
    found: dict[str, list[str]] = {name: [] for name in NAMES}
    found["datasets"] += _unknown(tables.datasets, "patients_of", datasets, "datasets")
    found["samples"] += _unknown(tables.samples, "dataset", datasets, "datasets")
    found["files"] += _unknown(tables.files, "dataset", datasets, "datasets")
    found["populations"] += _unknown(tables.populations, "parent", populations, "populations")
    found["populations"] += _cycles(tables.populations)
    for name, columns in {
        "markers": ["population"],
        "claims": ["source", "target"],
        "simulation_populations": ["population"],
        "simulation_edges": ["source", "target"],
    }.items():
        for column in columns:
            found[name] += _unknown(getattr(tables, name), column, populations, "populations")
    found["markers"] += [
        f"line {line}: population '{p}' has populations below it; give its markers to those"
        for line, p in tables.markers["population"].items()
        if p in parents
    ]
    found["claims"] += _claim_problems(tables.claims)
    claims = list(tables.claims["claim_id"])
    found["simulation_edges"] += _unknown(tables.simulation_edges, "claim_id", claims, "claims")
    if len(simulated):  # a table of datasets without it leaves these tables unused
        drawn = tables.samples[tables.samples["dataset"].isin(simulated)]
        places = ["all", *sorted(set(drawn["condition"]))]
        found["simulation_edges"] += _unknown(
            tables.simulation_edges, "where", places, "sample conditions"
        )
    if len(simulated) > 1:
        found["datasets"].append(
            f"only one dataset can be simulated, but these are: {', '.join(simulated)}"
        )
    return found


def _cycles(populations: pd.DataFrame) -> list[str]:
    parent = dict(zip(populations["population"], populations["parent"], strict=True))
    problems = []
    for line, population in populations["population"].items():
        seen, above = {population}, parent[population]
        while above and above not in seen:
            seen.add(above)
            above = parent.get(above, "")
        if above == population:
            problems.append(f"line {line}: population '{population}' is its own ancestor")
    return problems


def _claim_problems(claims: pd.DataFrame) -> list[str]:
    problems = [] if len(claims) else ["the table has no claim"]
    for line, row in claims.iterrows():
        if row["kind"] == "interaction":
            empty = [c for c in ("pairs", "source", "target") if not row[c]]
            problems += [f"line {line}: an interaction claim needs a value in {c}" for c in empty]
        elif not row["reason"]:
            problems.append(f"line {line}: a claim that is not testable needs its reason")
    return problems


def check_selection(tables: Tables, datasets: Sequence[str]) -> list[str]:
    """Check that each selected dataset is known and has samples with a full set of files."""
    known = list(tables.datasets["dataset"])
    problems = []
    for dataset in datasets:
        if dataset not in known:
            problems.append(
                f"dataset '{dataset}' of the config is not in it{closest(dataset, known)}"
            )
            continue
        row = tables.datasets.set_index("dataset").loc[dataset]
        samples = tables.samples.loc[tables.samples["dataset"] == dataset, "sample"]
        files = tables.files[tables.files["dataset"] == dataset]
        if samples.empty:
            problems.append(f"dataset '{dataset}' has no row in the table of samples")
        if "" in set(files["sample"]) and not row["sample_key"]:
            problems.append(
                f"dataset '{dataset}' has a file for all its samples (empty sample cell in the "
                "table of files), so sample_key must name the obs column that tells them apart"
            )
        problems += _shared_files(files, dataset, str(row["sample_key"]), n_samples=len(samples))
        for sample in samples:
            roles = sorted(files.loc[files["sample"].isin([sample, ""]), "role"])
            if roles != sorted(TRIPLET) and roles not in (["h5"], ["h5ad"]):
                have = ", ".join(roles) or "none"
                problems.append(
                    f"sample '{sample}' of dataset '{dataset}' needs the files matrix, barcodes "
                    f"and features, or one h5, or one h5ad; the table of files has: {have}"
                )
    return problems


def _shared_files(
    files: pd.DataFrame, dataset: str, sample_key: str, *, n_samples: int
) -> list[str]:
    """One file read as several samples would count the same cells as several patients."""
    problems = [
        f"dataset '{dataset}': '{path}' is given for all {n_samples} samples, but only an h5ad "
        "file can hold several"
        for path in files.loc[(files["sample"] == "") & (files["role"] != "h5ad"), "path"]
        if n_samples > 1
    ]
    repeated = files[(files["sample"] != "") & files.duplicated("path", keep=False)]
    if not sample_key:
        problems += [
            f"dataset '{dataset}': '{path}' is given for more than one sample or role"
            for path in repeated["path"].unique()
        ]
    return problems


def check_files(tables: Tables, datasets: Sequence[str], workdir: str | Path) -> list[str]:
    """Check that the files of the selected local datasets exist and are not empty."""
    local = tables.datasets.loc[tables.datasets["source"] == "local", "dataset"]
    rows = tables.files[tables.files["dataset"].isin(set(local) & set(datasets))]
    problems = []
    for line, path in rows["path"].items():
        full = Path(workdir) / path
        if not full.is_file():
            problems.append(f"line {line}: file '{path}' does not exist (looked in {full.parent})")
        elif full.stat().st_size == 0:
            problems.append(f"line {line}: file '{path}' is empty")
    return problems


def sample_files(tables: Tables, dataset: str, sample: str) -> dict[str, str]:
    """Files of a sample by role."""
    files = tables.files[tables.files["dataset"] == dataset]
    rows = files[files["sample"].isin([sample, ""])]
    return dict(zip(rows["role"], rows["path"], strict=True))
