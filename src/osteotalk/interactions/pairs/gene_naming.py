"""Which kind of names genes have, for messages on a resource and data that do not fit."""

import re
from collections import defaultdict
from collections.abc import Iterable

import pandas as pd

from osteotalk.ingest.gene_tables import bare_id

HUMAN = "human symbols"
MOUSE = "mouse or rat symbols"
ENSEMBL = "Ensembl ids"
ENTREZ = "Entrez gene numbers"
UNKNOWN = "names of an unknown kind"

# Start of an Ensembl gene id. https://www.ensembl.org/info/genome/stable_ids/prefixes.html
_SPECIES = {"ENSG": "human", "ENSMUSG": "mouse", "ENSRNOG": "rat"}
# Symbols are in capitals in human genes (C1orf112 apart), and begin with one in those of mouse and
# rat (mitochondrial genes, and mouse genes named by a clone, apart).
# https://www.genenames.org/about/guidelines, https://www.informatics.jax.org/mgihome/nomen/gene.shtml
_HUMAN_SYMBOL = re.compile(r"(?=.*[A-Z])[A-Z0-9][A-Z0-9.@/-]*|C[0-9XY]+orf[0-9]+")
_MOUSE_SYMBOL = re.compile(r"[A-Z][A-Za-z0-9.-]*[a-z][A-Za-z0-9.-]*|mt-\S+|[0-9A-Z]+Rik[0-9]*")


def _kind(gene: str) -> str:
    bare, ensembl, _ = bare_id(gene)
    if ensembl:
        species = _SPECIES.get(bare.rstrip("0123456789"), "")
        return f"{species} {ENSEMBL}".strip()
    if gene.isdecimal():
        return ENTREZ
    if _HUMAN_SYMBOL.fullmatch(gene):
        return HUMAN
    return MOUSE if _MOUSE_SYMBOL.fullmatch(gene) else UNKNOWN


def _naming(genes: Iterable[str]) -> tuple[str, str]:
    """Kind of more than half of the names, else `UNKNOWN`; and the first such name of the sort."""
    names = sorted(set(genes))
    by_kind = defaultdict(list)
    for gene in names:
        by_kind[_kind(gene)].append(gene)
    for kind, found in by_kind.items():
        if 2 * len(found) > len(names):
            return kind, found[0]
    return UNKNOWN, names[0] if names else ""


def looks_like(genes: Iterable[str]) -> str:
    """Tell which naming most genes follow, with an example: "mouse or rat symbols (e.g. Cxcl12)".

    Symbols in capitals are called human; those of some other species, such as dog and chicken, look
    the same.
    """
    kind, example = _naming(genes)
    return f"{kind} (e.g. {example})" if example else "no genes"


def require_measured(resource: pd.DataFrame, genes: Iterable[str]) -> None:
    """Refuse data in which no pair of the resource has all its genes measured.

    Parameters
    ----------
    resource
        Columns ligand and receptor; subunits of a complex are joined by '_'.
    genes
        Names of the measured genes.

    Raises
    ------
    ValueError
        Says how many genes of the resource are measured, how the genes are named on both sides, and
        what to do.
    """
    known = set(genes)
    pairs = [
        set(f"{ligand}_{receptor}".split("_"))
        for ligand, receptor in zip(resource["ligand"], resource["receptor"], strict=True)
    ]
    if any(pair <= known for pair in pairs):
        return
    wanted = set().union(*pairs)
    msg = (
        "no pair of the resource can be scored, as none has all its genes measured: "
        f"{len(wanted & known)} of its {len(wanted)} genes are among the {len(known)} measured. "
        f"The resource has {looks_like(wanted)}, the data have {looks_like(known)}. "
        f"{_advice(_naming(wanted)[0], _naming(known)[0])}"
    )
    raise ValueError(msg)


def _advice(resource: str, data: str) -> str:
    if resource == data:
        return (
            "The naming is the same, so the data lack these genes: take counts of all genes, or a "
            "resource (interactions.resource) of genes that are measured"
        )
    if resource == HUMAN and data == MOUSE:
        return (
            "Give the cohort a file of role orthologs in the table of files, so that its genes get "
            "human symbols"
        )
    if resource == HUMAN:
        return (
            "Give the genes of the data their symbols (a column of symbols in the files, or ids in "
            "the table genes.symbols), and for another species a file of role orthologs"
        )
    return (
        "Choose a resource of human genes (interactions.resource), such as consensus, or write the "
        "pairs with the names that the data have"
    )
