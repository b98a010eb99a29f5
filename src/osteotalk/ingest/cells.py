"""Which cell belongs to which sample, and to which row of a table of cells."""

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pandas as pd

from osteotalk.ingest.errors import IngestError

MIN_SHARE = 0.9  # of the cells of a sample that have to be found, or of its rows in the table
_LIKELY = 100  # counts of a droplet that probably holds a cell
_FEW = 20  # of less cells, a share says nothing
# How tables of cells name a cell; {s}: id or accession of the sample, {b}: barcode of the matrix.
NAMES = ("{b}", "{s}_{b}", "{s}-{b}", "{s}@{b}", "{s}:{b}", "{s}#{b}", "{b}_{s}", "{b}-{s}")
_CORE = re.compile(r"(?P<before>.*?)(?P<core>(?<![A-Za-z])[ACGTN]{12,}(?![A-Za-z]))(?P<after>.*)")
UNLISTED = "\0"  # value of a cell that the table of cells does not list
_ZEROS = re.compile(r"([+-]?\d+)\.0+")
_MIDNIGHT = re.compile(r"[ T]00:00:00(\.0+)?$")


def value_texts(column: pd.Series) -> pd.Series:
    """Values of a column as text: whole numbers without '.0', no spaces at the ends, '' if missing.

    The text 'NA' stays, as it may name a sample.
    """
    values = column.astype(object)
    texts = [
        "" if missing else value.strip() if type(value) is str else _text(value)
        for value, missing in zip(values, values.isna(), strict=True)
    ]
    return pd.Series(texts, index=column.index, dtype=object)


def _text(value: object) -> str:
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return _MIDNIGHT.sub("", str(value).strip())


def _loose(text: str) -> str:
    """A form in which texts agree that programs make of one value: 1.0 and 1, TRUE and True."""
    whole = _ZEROS.fullmatch(text)
    return whole[1] if whole else re.sub(r"\s+", " ", text).casefold()


def same_value(texts: pd.Series, wanted: str, *, column: str, where: str) -> np.ndarray:
    """Tell which texts are the wanted value, as it stands or else in another spelling of it.

    Raises
    ------
    IngestError
        If there is none, with those that are there, or if several are spellings of it.
    """
    exact: np.ndarray = (texts == wanted.strip()).to_numpy()
    if exact.any():
        return exact
    there = [str(text) for text in texts.unique() if text]
    similar = [text for text in there if _loose(text) == _loose(wanted.strip())]
    if len(similar) == 1:
        return np.asarray(texts == similar[0])
    shown = ", ".join(f"'{text}'" for text in sorted(there)[:20]) or "no value at all"
    found = (
        f"several spellings of sample '{wanted}'" if similar else f"no cell of sample '{wanted}'"
    )
    msg = (
        f"{where} has {found} in its column '{column}'; it has: {shown}. Where the value is not "
        "the id of the sample, write it into the column sample_value of the table of samples"
    )
    raise IngestError(msg)


def cells_elsewhere(
    texts: Sequence[str], *, column: str, values: Collection[str]
) -> dict[str, int]:
    """Count the cells of a file that belong to no sample of the table, by reason.

    Parameters
    ----------
    texts
        Value of each cell in the column of samples, '' if it has none.
    column
        Name of the column.
    values
        Values of all samples of the dataset, also retired ones.
    """
    known = {_loose(value.strip()) for value in values}
    left_out: Counter[str] = Counter()
    for text, n in Counter(texts).items():
        if text == UNLISTED:
            left_out["cells that the table of cells does not list"] += n
        elif not text:
            left_out[f"cells without a value in '{column}'"] += n
        elif _loose(text) not in known:
            left_out[f"cells of '{text}', which is not in the table of samples"] += n
    return dict(sorted(left_out.items()))


def match_cells(
    barcodes: Sequence[str],
    cells: Sequence[str],
    *,
    names: Sequence[str],
    totals: np.ndarray,
    where: str,
) -> np.ndarray:
    """Find the row of a table of cells for each cell of a matrix.

    A cell may be named by its barcode alone, joined with a name of the sample, with '.' for '-', or
    with another number or word before or behind the barcode, which then is the same for the sample.

    Parameters
    ----------
    barcodes, totals
        Name and counts of each cell of the matrix.
    cells
        Names in the table; unique.
    names
        Id and accession of the sample.
    where
        The table, for messages.

    Returns
    -------
    Position in the table of each cell, -1 where it has none.

    Raises
    ------
    IngestError
        If fewer than 90 % are found, of the cells of the matrix (with 100 counts or more, if some
        have) or of the rows that can be those of the sample, whichever are fewer.
    """
    likely = totals >= _LIKELY
    if not likely.any():
        likely = np.ones(len(barcodes), dtype=bool)
    best, best_fit, best_hits = np.full(len(barcodes), -1), -1.0, 0
    for places, n_rows in _proposals(barcodes, cells, names):
        hits = int((places[likely] >= 0).sum())
        fit = hits / max(1, min(int(likely.sum()), n_rows))
        if best_fit < MIN_SHARE and (fit >= MIN_SHARE or hits > best_hits):
            best, best_fit, best_hits = places, fit, hits
    if not best_hits or (best_fit < MIN_SHARE and min(len(barcodes), len(cells)) >= _FEW):
        found = f"{best_hits} of {int(likely.sum())}" if best_hits else "none"
        msg = (
            f"{where} knows {found} of the cells of sample '{names[0]}' (at least "
            f"{MIN_SHARE:.0%} are needed, fewer fit by chance): barcodes of the matrix look like "
            f"'{barcodes[0]}', those of the table like '{cells[0]}'. Is it the table of another "
            "sample, or are two samples exchanged? If it has several, name the column of the "
            "sample as sample_key in the table of datasets"
        )
        raise IngestError(msg)
    return best


def _proposals(
    barcodes: Sequence[str], cells: Sequence[str], names: Sequence[str]
) -> list[tuple[np.ndarray, int]]:
    """Ways to match: rows of the cells, and how many rows can be of the sample."""
    index = pd.Index([cell.replace(".", "-") for cell in cells])
    proposals = []
    named = False  # rows say by name that they are of the sample; then no others can be
    if index.is_unique:
        for form in NAMES:
            for name in [n for n in names if n] if "{s}" in form else names[:1]:
                ours = [form.format(s=name, b=b).replace(".", "-") for b in barcodes]
                before, after = form.format(s=name, b="\0").replace(".", "-").split("\0")
                n_rows = sum(c.startswith(before) and c.endswith(after) for c in index)
                named |= "{s}" in form and n_rows > 0
                proposals.append((index.get_indexer(pd.Index(ours)), n_rows))
    cores = [m["core"] if (m := _CORE.fullmatch(b)) else b for b in barcodes]
    if named or len(set(cores)) < len(cores):
        return proposals
    core_index = pd.Index(cores)
    for rows in _by_rest(cells).values():
        own = pd.Index([m["core"] for row in rows if (m := _CORE.fullmatch(cells[row]))])
        if own.is_unique:
            at = own.get_indexer(core_index)
            proposals.append((np.where(at >= 0, np.asarray(rows)[at], -1), len(rows)))
    return proposals


def _by_rest(cells: Sequence[str]) -> Mapping[tuple[str, str], list[int]]:
    """Rows of a table by what stands before and behind the barcode."""
    groups: dict[tuple[str, str], list[int]] = {}
    for row, cell in enumerate(cells):
        if match := _CORE.fullmatch(cell):
            groups.setdefault((match["before"], match["after"]), []).append(row)
    return groups
