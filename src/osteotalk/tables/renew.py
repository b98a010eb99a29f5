"""Bring the gene symbols of the tables up to date, as those of the data are."""

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType

import pandas as pd

from osteotalk.ingest.gene_tables import SymbolTable
from osteotalk.tables.model import Tables

# Columns that hold a gene, a complex, or pairs of these.
_GENES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "markers": ("gene",),
        "interactions": ("ligand", "receptor"),
        "claims": ("pairs",),
        "simulation_edges": ("ligand", "receptor"),
    }
)


def renew_text(text: str, symbols: SymbolTable) -> str:
    """Replace previous symbols in 'A', 'A_B', 'A_B^C' or several of these joined by ';'."""
    for separator in (";", "^", "_"):
        if separator in text:
            return separator.join(renew_text(part, symbols) for part in text.split(separator))
    return symbols.current(text)


def renew(tables: Tables, symbols: SymbolTable) -> Tables:
    """Give the genes of markers, pairs, claims and planted edges their approved symbols.

    The data are renamed by the same table, so that the two keep matching. Symbols that the table
    does not know stay.
    """

    def renewed(frame: pd.DataFrame, columns: tuple[str, ...]) -> pd.DataFrame:
        return frame.assign(
            **{column: [renew_text(text, symbols) for text in frame[column]] for column in columns}
        )

    return dataclasses.replace(
        tables,
        **{name: renewed(getattr(tables, name), columns) for name, columns in _GENES.items()},
    )
