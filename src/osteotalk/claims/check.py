"""Do the claims name genes that exist, ligands that are ligands, and programmes that were measured?

Checked once the files of the cohorts have been read, before anything long starts.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import pandas as pd

from osteotalk.claims.measures.programmes import MIN_GENES
from osteotalk.ingest.gene_tables import SymbolTable
from osteotalk.interactions.pairs.resource_files import Pair, direction_key
from osteotalk.tables import split
from osteotalk.tables.model import closest, raise_problems

PAIR_COLUMNS = ("ligand", "receptor")
# A cohort that measures fewer genes is a panel, which may lack a whole programme.
WHOLE = 10_000


@dataclass(frozen=True)
class Known:
    """What a claim may name.

    Attributes
    ----------
    resource
        Pairs that are scored: ligand, receptor.
    elsewhere
        Pairs of all of LIANA's resources.
    directions
        How many of these resources list a pair in this direction, by `direction_key`.
    symbols
        Table of gene symbols.
    measured
        Genes of each real cohort of the run: the simulated one has every gene that is named.
    """

    resource: pd.DataFrame
    elsewhere: pd.DataFrame
    directions: Counter[Pair]
    symbols: SymbolTable
    measured: Mapping[str, Collection[str]]


def check_claims(
    tables: Mapping[str, pd.DataFrame],
    signatures: pd.DataFrame,
    known: Known,
    *,
    paths: Mapping[str, str],
) -> None:
    """Check the genes of the claims.

    A gene must be in the resource, in the table of symbols, or measured in some cohort of the run.
    The first of a pair must be a ligand, and the second a receptor, in the resource or in another
    one of LIANA, and a pair must not stand the other way round than most of these have it. A
    signature that a claim uses needs five genes that some cohort measures, where one measures
    10,000 genes or more.

    Parameters
    ----------
    tables
        Tables of claims by name; index: line number in the file.
    signatures
        Table of signatures, likewise.
    known
        What there is.
    paths
        File of each table, for the message.

    Raises
    ------
    TableError
        Listing all problems, by file.
    """
    everywhere = {gene for genes in known.measured.values() for gene in genes}
    genes = everywhere | set(known.symbols.approved)
    genes |= {
        gene for side in PAIR_COLUMNS for name in known.resource[side] for gene in name.split("_")
    }
    problems = {name: _claims(table, known, genes) for name, table in tables.items()}
    used = {s for table in tables.values() for column in ("signature", "response") for s in
            table[column]}  # fmt: skip
    problems["signatures"] = _signatures(signatures, used - {""}, known.measured, genes)
    raise_problems(problems, paths)


def _claims(table: pd.DataFrame, known: Known, genes: Collection[str]) -> list[str]:
    own = set(zip(known.resource["ligand"], known.resource["receptor"], strict=True))
    sides = {side: set(known.resource[side]) | set(known.elsewhere[side]) for side in PAIR_COLUMNS}
    problems = []
    for line, row in table.iterrows():
        for pair in split(row["pairs"]):
            ligand, _, receptor = pair.partition("^")
            if (ligand, receptor) in own:
                continue
            here, turned = direction_key(ligand, receptor), direction_key(receptor, ligand)
            if (receptor, ligand) in own and known.directions[turned] >= known.directions[here]:
                problems.append(
                    f"line {line}: pair '{pair}' stands the wrong way round: the resource has "
                    f"'{receptor}^{ligand}'; write the ligand first"
                )
                continue
            for side, name in zip(PAIR_COLUMNS, (ligand, receptor), strict=True):
                if name not in sides[side]:
                    hint = closest(name, sorted(sides[side]))
                    problems.append(
                        f"line {line}: '{name}' of '{pair}' is no {side} in the resource{hint}; "
                        "correct it, or add the pair to the table of interactions"
                    )
        for gene in split(row["genes"]):
            problems += _unknown_gene(line, gene, genes)
        form, _, rest = row["contrast_with"].partition(":")
        if form == "gene":
            problems += _unknown_gene(line, rest.partition("@")[0], genes)
    return problems


def _unknown_gene(line: object, gene: str, genes: Collection[str]) -> list[str]:
    if gene in genes:
        return []
    return [
        f"line {line}: gene '{gene}' is measured in no cohort of this run and is not in the table "
        f"of gene symbols{closest(gene, sorted(genes))}; correct it, or add it to that table"
    ]


def _signatures(
    table: pd.DataFrame,
    used: Collection[str],
    measured: Mapping[str, Collection[str]],
    genes: Collection[str],
) -> list[str]:
    problems = []
    for line, gene in table["gene"].items():
        problems += _unknown_gene(line, gene, genes)
    for name in sorted(used):
        own = set(table.loc[table["signature"] == name, "gene"])
        whole = [own & set(there) for there in measured.values() if len(there) >= WHOLE]
        most = max(map(len, whole), default=MIN_GENES)
        if most < MIN_GENES:
            line = table.index[table["signature"] == name].min()
            problems.append(
                f"line {line}: of signature '{name}' at most {most} of {len(own)} genes are "
                f"measured in a cohort of this run, {MIN_GENES} are needed; add genes, or drop the "
                "claims that use it"
            )
    return problems
