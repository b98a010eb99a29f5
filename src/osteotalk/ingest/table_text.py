"""Counts as text: genes in rows, cells in columns, separated by commas, tabs or semicolons."""

import csv
import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import IO

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from osteotalk.ingest.errors import IngestError
from osteotalk.ingest.plain import plain_bytes

log = logging.getLogger(__name__)

_BLOCK_VALUES = 4_000_000  # dense values in memory at a time
_Lines = list[tuple[int, str]]  # number of the line in the file, and the line


def read(files: Mapping[str, str], *, sample: str, sample_key: str) -> AnnData:
    """Read a table of counts of one sample, gzipped or plain.

    Parameters
    ----------
    files
        Path by role `table`. The first line names the cells, the first column the genes; the first
        line may lack a name for the first column, as R writes it. Names may be quoted.
    sample, sample_key
        Not used: the table holds one sample.

    Returns
    -------
    Cells x genes (CSR, float64) with names as in the file. Only a block of rows is ever dense.

    Raises
    ------
    IngestError
        If the file is missing or damaged, if a line has a value too many or too few, or one that is
        no number.
    """
    del sample, sample_key
    path = files["table"]
    with plain_bytes(path) as stream:
        lines = _lines(stream, path)
        n_comments, (number, header), lines = _after_comments(lines)
        separator = _separator(header, path, line=number)
        cells = _fields(header, separator)
        first = next(lines, None)
        if first is None:
            msg = f"{path} has no line after line {number}: expected one line per gene"
            raise IngestError(msg)
        cells = _cells(cells, len(_fields(first[1], separator)) - 1, path=path, line=first[0])
        genes: list[str] = []
        blocks = []
        n_rows = max(1, _BLOCK_VALUES // len(cells))
        block = [first, *islice(lines, n_rows - 1)]
        while block:
            names, values = _values(block, separator, cells=cells, path=path)
            genes += names
            blocks.append(sparse.csr_matrix(values))
            block = list(islice(lines, n_rows))
    counts = sparse.csr_matrix(sparse.vstack(blocks).T)
    log.info("%s: %d genes x %d cells", path, len(genes), len(cells))
    if n_comments:
        log.info("%s: %d lines of comments (#) before the header", path, n_comments)
    return AnnData(counts, obs=pd.DataFrame(index=cells), var=pd.DataFrame(index=genes))


def _lines(stream: IO[bytes], path: str) -> Iterator[tuple[int, str]]:
    """Lines that are not blank, with their numbers from 1."""
    for number, raw in enumerate(stream, 1):
        try:
            line = raw.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
        except UnicodeDecodeError as error:
            msg = f"{path} line {number} is not text ({error})"
            raise IngestError(msg) from None
        if "\r" in line:
            msg = (
                f"{path} line {number}: a carriage return in the middle of the line; save the file "
                "with line ends of Unix or Windows"
            )
            raise IngestError(msg)
        if line.strip(" "):
            yield number, line


def _after_comments(
    lines: Iterator[tuple[int, str]],
) -> tuple[int, tuple[int, str], Iterator[tuple[int, str]]]:
    """Number of the comments (#) before the header, the header, and the lines below.

    A header may begin with # too; then its fields are those of the line below.
    """
    comments: list[tuple[int, str]] = []
    for line in lines:
        if not line[1].lstrip('"').startswith("#"):
            break
        comments.append(line)
    else:
        return 0, (comments or [(1, "")])[0], iter(comments[1:])
    if comments:
        number, last = comments[-1]
        separator = max("\t,;", key=last.count)
        numbers = line[1].split(separator)[1:]
        if (
            last.count(separator)
            and last.count(separator) == line[1].count(separator)
            and all(_is_number(value) for value in numbers[:5])
        ):
            return len(comments) - 1, (number, last.lstrip("# ")), chain([line], lines)
    return len(comments), line, lines


def _is_number(value: str) -> bool:
    try:
        float(value.strip('" '))
    except ValueError:
        return False
    return True


def _separator(header: str, path: str, *, line: int) -> str:
    bare = re.sub(r'"[^"]*"', "", header)
    separator = max("\t,;", key=bare.count)
    if not bare.count(separator):
        msg = (
            f"{path} line {line}: no tab, comma or semicolon between names of cells; found "
            f"'{header[:60]}'"
        )
        raise IngestError(msg)
    return separator


def _fields(line: str, separator: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=separator))
    except csv.Error as error:
        msg = f"a line of a table cannot be parted into fields ({error}): '{line[:60]}'"
        raise IngestError(msg) from None


def _cells(header: list[str], n_values: int, *, path: str, line: int) -> list[str]:
    if len(header) not in (n_values, n_values + 1) or n_values < 1:
        msg = (
            f"{path} line {line}: {n_values} values after the name of the gene, but the first line "
            f"has {len(header)} names; it should have as many, or one more for the first column"
        )
        raise IngestError(msg)
    return header[len(header) - n_values :]


def _values(
    block: _Lines, separator: str, *, cells: Sequence[str], path: str
) -> tuple[list[str], np.ndarray]:
    """Names and values of a block of lines, genes x cells."""
    names, rest = [], []
    for _, line in block:
        name, _, values = line.partition(separator)
        if name.startswith('"'):
            name = _fields(line, separator)[0]
            values = line[len(name) + 2 + name.count('"') + 1 :]
        names.append(name)
        rest.append(values)
    if not all(rest):
        raise _bad_line(block, separator, cells=cells, path=path)
    try:
        matrix = np.loadtxt(rest, delimiter=separator, quotechar='"', comments=None, ndmin=2)
    except ValueError as error:
        raise _bad_line(block, separator, cells=cells, path=path) from error
    if matrix.shape != (len(block), len(cells)):
        raise _bad_line(block, separator, cells=cells, path=path)
    return names, matrix


def _bad_line(block: _Lines, separator: str, *, cells: Sequence[str], path: str) -> IngestError:
    for number, line in block:
        gene, *values = _fields(line, separator)
        if len(values) != len(cells):
            msg = (
                f"{path} line {number}: {len(values)} values for gene '{gene}', but there are "
                f"{len(cells)} cells; the file may be cut off: download or copy it again"
            )
            return IngestError(msg)
        for cell, value in zip(cells, values, strict=True):
            try:
                float(value)
            except ValueError:
                msg = (
                    f"{path} line {number}: '{value}' (gene '{gene}', column '{cell}') is no "
                    "number; a table of counts has names in its first line and column only"
                )
                return IngestError(msg)
    msg = f"{path} lines {block[0][0]} to {block[-1][0]} cannot be read as numbers"
    return IngestError(msg)
