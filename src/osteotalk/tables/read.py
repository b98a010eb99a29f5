"""Read one table or the config and check it by itself."""

import csv
import re
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from jsonschema import Draft202012Validator

from osteotalk.tables.model import TableError, closest, told


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
        found = error.message
        if error.validator == "contains":
            found = f"{error.instance} {error.schema['description']}"
        problems.append(f"{key}: {found}{hint}")
    if problems:
        raise TableError(told("the config", sorted(problems)))


def read_table(path: str | Path, schema: Mapping[str, Any]) -> tuple[pd.DataFrame, list[str]]:
    """Read one table.

    Parameters
    ----------
    path
        Tab-separated file.
    schema
        JSON schema of one row. `x-key` names the columns that make a row unique. Columns which the
        schema does not require may be absent and are then filled with ''. Columns that the schema
        does not know are a problem, unless its `additionalProperties` is true.

    Returns
    -------
    The rows (text; index: line number in the file; columns that the schema does not know come
    last) and the problems found ("line 3: ...").
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return pd.DataFrame(columns=list(schema["properties"])), ["the file does not exist"]
    except UnicodeDecodeError as error:
        found = f"not UTF-8 text: {error}; save it as tab-separated text in UTF-8"
        return pd.DataFrame(columns=list(schema["properties"])), [found]
    rows = list(csv.reader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE))
    numbered = [
        (i, row) for i, row in enumerate(rows, 1) if any(row) and not row[0].startswith("#")
    ]
    header = numbered[0][1] if numbered else []
    known = list(schema["properties"])
    others = [c for c in header if c not in known] if schema.get("additionalProperties") else []
    problems = _header_problems(header, known, schema.get("required", []), others)
    if len(header) == 1 and re.search("[,; ]", header[0]):
        problems.insert(0, "line 1: no tab; save the table as tab-separated text")
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
    return frame[[*known, *others]], problems


def _header_problems(
    header: Sequence[str], known: Sequence[str], needed: list[str], others: Sequence[str]
) -> list[str]:
    if not header:
        return ["the file has no header line"]
    problems = [
        f"line 1: column '{c}' is not known{closest(c, known)}"
        for c in header
        if c not in known and c not in others
    ]
    there = f"; the file has {', '.join(others)}" if others else ""
    problems += [f"line 1: column '{c}' is missing{there}" for c in needed if c not in header]
    problems += [f"line 1: column '{c}' appears twice" for c in set(header) if header.count(c) > 1]
    return sorted(problems)


def _row_problems(frame: pd.DataFrame, schema: Mapping[str, Any]) -> list[str]:
    problems = []
    validator = Draft202012Validator(schema)
    for line, record in zip(frame.index, frame.to_dict("records"), strict=True):
        for error in validator.iter_errors(record):
            column = str(error.absolute_path[0]) if error.absolute_path else "the row"
            problems.append(f"line {line}: {column} {_explain(error)}")
    key = [c for c in schema.get("x-key", []) if c in frame]
    if key:
        first: dict[tuple[str, ...], Hashable] = {}
        for line, *cells in frame[key].itertuples(name=None):
            at = first.setdefault(tuple(cells), line)
            if at != line:
                value = ", ".join(f"{c} '{v}'" for c, v in zip(key, cells, strict=True))
                problems.append(f"line {line}: {value} is in the table already, in line {at}")
    return problems


def _explain(error: Any) -> str:
    """Say what a schema error means to someone who edits a table."""
    rule = error.schema.get("description", "")
    rule = f" ({rule})" if rule else ""
    if error.validator == "enum":
        allowed = error.validator_value
        near = closest(error.instance, allowed)
        hint = near if "closest" in near else ""
        return f"'{error.instance}' is not one of {', '.join(filter(None, allowed))}{hint}"
    if error.validator == "minLength" or (error.validator == "pattern" and not error.instance):
        return f"is empty{rule}"
    return f"'{error.instance}' is not allowed{rule}"
