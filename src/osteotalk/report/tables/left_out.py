"""What of the files of a cohort was left out, and why: one table over all formats."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from osteotalk.report.model import Column, Table
from osteotalk.report.words.text import enumerate_words, plural

_JOINTS = re.compile("[;^_]")
_SHOWN = 12
NO_ORTHOLOG = "genes without a one-to-one human gene"
NO_COUNTS = "droplets without counts"
ELSEWHERE = "genes that other samples of the cohort measured and this one did not"


def genes_named(claims: pd.DataFrame) -> set[str]:
    """Genes that claims name, alone or in pairs."""
    cells = [cell for column in ("pairs", "genes") if column in claims for cell in claims[column]]
    return {gene for cell in cells for gene in _JOINTS.split(str(cell)) if gene}


def left_out_table(
    ingest: Sequence[Mapping[str, Any]],
    missing: Mapping[str, Sequence[str]],
    *,
    named: set[str],
    dataset: str,
) -> Table | None:
    """Table of what was left out, by sample and reason.

    Parameters
    ----------
    ingest
        Content of each sample's ``ingest.json``.
    missing
        Genes that a sample did not measure, by sample (`osteotalk.measured`).
    named
        Genes that claims name.
    dataset
        Id of the cohort.

    Returns
    -------
    None if nothing was left out.
    """
    rows = []
    for record in ingest:
        sample = str(record["sample"])
        rows += [(sample, *row) for row in _of_file(record)]
        if genes := list(missing.get(sample, ())):
            rows.append((sample, ELSEWHERE, len(genes), _examples(genes, named=named)))
    if not rows:
        return None
    return Table(
        "table-left-out",
        pd.DataFrame(rows, columns=["sample", "what", "n", "examples"]),
        "What was left out, and why. Counts of a file that holds several samples are those of the "
        "whole file, and stand at each of them. A gene that a sample did not measure counts there "
        "as not measured, not as zero: the sample takes no part in claims and edges with it. Cells "
        "dropped by quality control are in the next section.",
        (
            Column("sample", "Sample", "code"),
            Column("what", "Left out", wide=True),
            Column("n", "How many", "integer"),
            Column("examples", "For example", wide=True, missing="none named"),
        ),
        download=f"assets/{dataset}_left_out.tsv",
    )


def _of_file(record: Mapping[str, Any]) -> Iterator[tuple[str, int, str]]:
    genes = record["genes"]
    for what, n in record.get("left_out", {}).items():
        yield what, int(n), ""
    examples = genes.get("names_lost_examples", {})
    for what, n in genes.get("names_lost", {}).items():
        yield what, int(n), ", ".join(filter(None, examples.get(what, [])))
    if genes["no_ortholog"]:
        yield NO_ORTHOLOG, len(genes["no_ortholog"]), ", ".join(genes["no_ortholog"][:5])
    if record["empty_droplets"]:
        yield NO_COUNTS, int(record["empty_droplets"]), ""


def _examples(genes: Sequence[str], *, named: set[str]) -> str:
    own = [gene for gene in genes if gene in named]
    if not own:
        return f"none that a claim names; {', '.join(genes[:5])}"
    more = f" and {len(own) - _SHOWN} more" if len(own) > _SHOWN else ""
    return f"{plural(len(own), 'gene')} of claims: {enumerate_words(own[:_SHOWN])}{more}"
