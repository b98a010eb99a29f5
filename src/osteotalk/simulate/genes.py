"""Gene names of the simulated cohort and the class of expression each belongs to."""

import logging
from collections.abc import Iterable, Mapping
from importlib import resources

import numpy as np
import pandas as pd

from osteotalk.simulate.seeds import generator

LOGGER = logging.getLogger(__name__)

MITOCHONDRIAL = "mitochondrial"
RIBOSOMAL = "ribosomal"
HOUSEKEEPING = "housekeeping"
BACKGROUND = "background"
RESOURCE = "resource"  # could be part of a pair, and is elevated nowhere
ELEVATED = "elevated"  # a marker or a planted gene
PACKAGED = (MITOCHONDRIAL, RIBOSOMAL, HOUSEKEEPING, BACKGROUND)


def parse_families(text: str) -> dict[str, list[str]]:
    """Read the compact list of gene families.

    Parameters
    ----------
    text
        Lines `PREFIX suffix suffix ...`; `[class]` opens a class, `#` a comment, and the prefix
        `.` is empty.

    Returns
    -------
    Class to symbols, in the order of the text.

    Raises
    ------
    ValueError
        If a line stands before the first class, a class is unknown, a family has no suffix, or a
        symbol comes twice.
    """
    symbols: dict[str, list[str]] = {}
    problems, seen, current = [], set(), ""
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if not words or line.startswith("#"):
            continue
        if line.startswith("["):
            current = line.strip("[] ")
            symbols.setdefault(current, [])
            if current not in PACKAGED:
                problems.append(f"line {number}: class '{current}' is not one of {PACKAGED}")
            continue
        if not current or len(words) == 1:
            rule = "a family needs a suffix" if current else "a family must follow a [class] line"
            problems.append(f"line {number}: '{line}': {rule}")
            continue
        prefix = "" if words[0] == "." else words[0]
        for symbol in (prefix + suffix for suffix in words[1:]):
            if symbol in seen:
                problems.append(f"line {number}: {symbol} is in the list already")
            seen.add(symbol)
            symbols[current].append(symbol)
    if problems:
        msg = f"the gene families have {len(problems)} problem(s):\n  " + "\n  ".join(problems)
        raise ValueError(msg)
    return symbols


def packaged_families() -> dict[str, list[str]]:
    """Gene families that come with the package, by class."""
    path = resources.files("osteotalk.simulate") / "gene_families.txt"
    return parse_families(path.read_text(encoding="utf-8"))


def gene_classes(
    size: int,
    *,
    elevated: Iterable[str],
    resource: Iterable[str],
    families: Mapping[str, Iterable[str]],
    seed: int,
) -> pd.Series:
    """Choose the genes of the cohort.

    Parameters
    ----------
    size
        Number of genes wanted. The background is cut to fit; nothing else is.
    elevated
        Genes raised somewhere: markers and planted genes.
    resource
        Genes of all pairs that may be scored.
    families
        Packaged genes by class.
    seed
        Chooses which background genes stay.

    Returns
    -------
    Class of each gene; index: symbols, sorted. Longer than `size` if the tables need more.
    """
    classes: dict[str, str] = {}
    for name in (MITOCHONDRIAL, RIBOSOMAL, HOUSEKEEPING):
        classes.update(dict.fromkeys(families[name], name))
    classes.update(dict.fromkeys(resource, RESOURCE))
    classes.update(dict.fromkeys(elevated, ELEVATED))
    background = sorted(set(families[BACKGROUND]) - set(classes))
    room = max(size - len(classes), 0)
    if room == 0 and len(classes) > size:
        LOGGER.warning(
            "%d genes were asked for, but the tables need %d; no background gene is added",
            size,
            len(classes),
        )
    elif room > len(background):
        LOGGER.warning(
            "%d genes were asked for, but only %d are known; all are used",
            size,
            len(classes) + len(background),
        )
    order = generator(seed, "background").permutation(len(background))[:room]
    classes.update({background[i]: BACKGROUND for i in order})
    chosen = pd.Series(classes, dtype=object).sort_index()
    counts = {str(k): int(v) for k, v in chosen.value_counts(sort=False).sort_index().items()}
    LOGGER.info("simulated genes: %d (%s)", len(chosen), counts)
    return chosen


def mean_of_detection(detection: np.ndarray, *, dispersion: float) -> np.ndarray:
    """Mean count at which a negative binomial gene is seen in a given share of cells.

    Parameters
    ----------
    detection
        Share of cells with at least one count, in [0, 1).
    dispersion
        phi of the variance mean + phi * mean^2.
    """
    return np.asarray(((1 - detection) ** -dispersion - 1) / dispersion)
