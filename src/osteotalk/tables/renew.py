"""Bring the gene symbols of the tables up to date, as those of the data are."""

import dataclasses
import re
from collections.abc import Mapping
from types import MappingProxyType

import pandas as pd

from osteotalk.ingest.gene_tables import SymbolTable
from osteotalk.tables.model import Tables, raise_problems

# Columns that hold a gene, a complex, pairs of these, or a quantity such as gene:A@population.
_GENES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "markers": ("gene",),
        "interactions": ("ligand", "receptor"),
        "claims": ("pairs", "genes", "contrast_with"),
        "published": ("pairs", "genes", "contrast_with"),
        "signatures": ("gene",),
        "therapies": ("target_genes",),
        "routes": ("ligand",),
        "simulation_edges": ("ligand", "receptor"),
        "simulation_genes": ("genes",),
    }
)


# In these only a gene has a symbol to renew: ids of signatures and conditions have none.
_QUANTITY = re.compile(r"(?P<before>gene:)(?P<gene>[^@]+)(?P<after>@.*)")
_NO_GENE = re.compile(r"(signature|share):.*|.*>.*")


def renew_text(text: str, symbols: SymbolTable) -> str:
    """Replace previous symbols in 'A', 'A_B', 'A_B^C' or several of these joined by ';'.

    Of a quantity (``gene:A@population``) the gene is replaced; signatures, shares and conditions
    stay as they are.
    """
    if ";" in text:
        return ";".join(renew_text(part, symbols) for part in text.split(";"))
    if _NO_GENE.fullmatch(text):
        return text
    if quantity := _QUANTITY.fullmatch(text):
        return quantity["before"] + symbols.current(quantity["gene"]) + quantity["after"]
    for separator in ("^", "_"):
        if separator in text:
            return separator.join(renew_text(part, symbols) for part in text.split(separator))
    return symbols.current(text)


def renew(tables: Tables, symbols: SymbolTable) -> Tables:
    """Give the genes of all tables their approved symbols.

    The data are renamed by the same table, so that the two keep matching. Symbols that the table
    does not know stay.

    Raises
    ------
    TableError
        If two genes of a signature become one, which would count twice, or two ligands of the
        table of routes.
    """

    def renewed(frame: pd.DataFrame, columns: tuple[str, ...]) -> pd.DataFrame:
        return frame.assign(
            **{column: [renew_text(text, symbols) for text in frame[column]] for column in columns}
        )

    renamed = dataclasses.replace(
        tables,
        **{name: renewed(getattr(tables, name), columns) for name, columns in _GENES.items()},
    )
    rows = renamed.signatures.assign(before=tables.signatures["gene"])
    problems = {
        "signatures": [
            f"line {line}: gene '{row['before']}' is {row['gene']} today, which signature "
            f"'{row['signature']}' has already"
            for line, row in rows[rows.duplicated(["signature", "gene"])].iterrows()
        ]
    }
    rows = renamed.routes.assign(before=tables.routes["ligand"])
    problems["routes"] = [
        f"line {line}: ligand '{row['before']}' is {row['ligand']} today, which is in the table "
        "already"
        for line, row in rows[rows.duplicated("ligand")].iterrows()
    ]
    raise_problems(problems, {name: f"the table of {name}" for name in problems})
    return renamed
