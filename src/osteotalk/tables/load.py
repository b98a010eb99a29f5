"""Read and check all tables together."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from osteotalk.tables.ids import check_ids
from osteotalk.tables.model import NAMES, RETIRED, Tables, raise_problems
from osteotalk.tables.read import read_schema, read_table
from osteotalk.tables.references import check_references
from osteotalk.tables.selection import check_files, check_selection


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
        Folder that relative file names start from.

    Raises
    ------
    TableError
        Listing all problems, grouped by file.
    """
    read = {
        name: read_table(paths[name], read_schema(Path(schemas) / f"{name}.schema.yaml"))
        for name in NAMES
    }
    problems = {name: found for name, (_, found) in read.items()}
    frames = {name: frame for name, (frame, _) in read.items()}
    retired = frames["samples"][frames["samples"]["status"] == RETIRED]
    for name in ("samples", "files"):
        frames[name] = frames[name][frames[name]["status"] != RETIRED]
    gone = set(zip(retired["dataset"], retired["sample"], strict=True))
    own = list(zip(frames["files"]["dataset"], frames["files"]["sample"], strict=True))
    frames["files"] = frames["files"][[pair not in gone for pair in own]]
    tables = Tables(**frames, retired=retired)
    if not any(problems.values()):  # references between broken tables would only add noise
        for name, found in check_references(tables).items():
            problems[name] += found
        for name, found in check_ids(tables).items():
            problems[name] += found
        for name, found in check_selection(tables, datasets).items():
            problems[name] += found
        if not any(problems.values()):
            problems["files"] += check_files(tables, datasets, workdir)
    raise_problems(problems, paths)
    return tables
