"""What is true in the simulated cohort: raised genes and planted edges."""

import itertools
from collections.abc import Collection, Hashable, Mapping

import pandas as pd

from osteotalk.tables import SIGNATURE, above, leaves, split

EVERYWHERE = "all"
EDGE = ["source", "target", "ligand_complex", "receptor_complex"]


def subunits(complex_: str) -> list[str]:
    """Genes of a complex such as ITGAV_ITGB3."""
    return complex_.split("_")


def leaf_populations(populations: pd.DataFrame) -> list[str]:
    """List the populations that cells are labelled with, in table order; states are none."""
    real = populations[populations["level"] != "state"]
    parents = set(real["parent"])
    return [p for p in real["population"] if p not in parents]


def drawn_populations(populations: pd.DataFrame, *, shares: pd.DataFrame) -> pd.DataFrame:
    """Give the vocabulary without what is below a population that is drawn itself.

    Dendritic cells are drawn as such, and plasmacytoid ones are not: then the former are a leaf.

    Parameters
    ----------
    populations
        Columns population, parent, level.
    shares
        Column population: those that cells are drawn for.
    """
    drawn = set(shares["population"])
    finer = [
        name not in drawn and not drawn.isdisjoint(above(populations, name))
        for name in populations["population"]
    ]
    state = populations["level"] == "state"
    return populations[state | ~pd.Series(finer, index=populations.index)]


def tumour_populations(populations: pd.DataFrame) -> list[str]:
    """List the leaf populations of tumour cells, those with `cnv_role` malignant."""
    role = dict(zip(populations["population"], populations["cnv_role"], strict=True))
    return [name for name in leaf_populations(populations) if role[name] == "malignant"]


def planted_in(where: str, condition: str) -> bool:
    """Whether a cell of the column `where` covers `condition`."""
    return condition in split(where) or EVERYWHERE in split(where)


def edge_truth(planted: pd.DataFrame, *, populations: pd.DataFrame) -> pd.DataFrame:
    """Planted edges, each once.

    Parameters
    ----------
    planted
        Columns claim_id, source, target, ligand, receptor, where; a parent population stands for
        its leaves.
    populations
        Columns population, parent.

    Returns
    -------
    Columns source, target, ligand_complex, receptor_complex, where, claim_ids (';'-joined).
    """
    rows: dict[tuple[str, ...], tuple[list[str], list[str]]] = {}
    for row in planted.to_dict("records"):
        sources = leaves(populations, row["source"])
        targets = leaves(populations, row["target"])
        for source, target in itertools.product(sources, targets):
            edge = (source, target, row["ligand"], row["receptor"])
            claims, where = rows.setdefault(edge, ([], []))
            claims.append(row["claim_id"])
            where.extend(split(row["where"]))
    records = []
    for key, (claims, where) in rows.items():
        place = EVERYWHERE if EVERYWHERE in where else ";".join(sorted(set(where)))
        records.append((*key, place, ";".join(dict.fromkeys(claims))))
    return pd.DataFrame(records, columns=[*EDGE, "where", "claim_ids"], dtype=object)


def raised_genes(raised: pd.DataFrame | None, *, signatures: pd.DataFrame | None) -> pd.DataFrame:
    """Genes that are raised beside markers and planted edges, one a row.

    Parameters
    ----------
    raised
        Columns population, genes, where (config/simulation_genes.tsv): genes joined by ';', where
        signature:<id> stands for the genes of weight 1 of a programme. None: nothing is raised.
    signatures
        Columns signature, gene, weight; may be None if none is named.

    Returns
    -------
    Columns population, gene, where.
    """
    records = [] if raised is None else raised.to_dict("records")
    rows = []
    for row in records:
        for item in split(row["genes"]):
            genes = [item]
            if item.startswith(SIGNATURE):
                genes = programme_genes(signatures, item.removeprefix(SIGNATURE))
            rows += [(row["population"], gene, row["where"]) for gene in genes]
    return pd.DataFrame(rows, columns=["population", "gene", "where"], dtype=object)


def programme_genes(signatures: pd.DataFrame | None, name: str) -> list[str]:
    """Genes of weight 1 of a programme; none if it is not known."""
    if signatures is None:
        return []
    rows = signatures[(signatures["signature"] == name) & (signatures["weight"].astype(int) == 1)]
    return [str(gene) for gene in rows["gene"]]


def elevation(
    populations: pd.DataFrame,
    *,
    markers: pd.DataFrame,
    planted: pd.DataFrame,
    condition: str,
    genes: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Which gene is raised in which population, in the samples of one condition.

    Parameters
    ----------
    populations
        Columns population, parent, level.
    markers
        Columns population, gene and, if any is negative, sign; raised in every condition. A gene
        of a parent is raised in all its leaves, unless rows of these leaves say where. Negative
        markers and those of states raise nothing.
    planted
        Columns source, target, ligand, receptor, where. All subunits of the ligand are raised in
        the source, all subunits of the receptor in the target.
    condition
        Condition of the samples.
    genes
        Columns population, gene, where, as `raised_genes` gives them: other genes that are raised,
        those of a parent in all its leaves.

    Returns
    -------
    True where raised: leaf populations in rows (table order), genes in columns (sorted). The
    columns are the same for every condition.
    """
    raised = _marker_truth(populations, markers=markers)
    named = set(markers["gene"])
    for row in edge_truth(planted.assign(claim_id=""), populations=populations).to_dict("records"):
        ligand, receptor = subunits(row["ligand_complex"]), subunits(row["receptor_complex"])
        named.update(ligand, receptor)
        if planted_in(row["where"], condition):
            raised.update((row["source"], gene) for gene in ligand)
            raised.update((row["target"], gene) for gene in receptor)
    for row in [] if genes is None else genes.to_dict("records"):
        named.add(row["gene"])
        if planted_in(row["where"], condition):
            raised.update((leaf, row["gene"]) for leaf in leaves(populations, row["population"]))
    frame = pd.DataFrame(data=False, index=leaf_populations(populations), columns=sorted(named))
    for population, gene in raised:
        frame.loc[population, gene] = True
    return frame


def _marker_truth(populations: pd.DataFrame, *, markers: pd.DataFrame) -> set[tuple[str, str]]:
    """Leaf population and gene of every marker that is raised."""
    names = set(populations.loc[populations["level"] != "state", "population"])
    rows = markers[markers["population"].isin(names)]
    negative = rows["sign"] == "-" if "sign" in rows else pd.Series(data=False, index=rows.index)
    listed = set(zip(rows["population"], rows["gene"], strict=True))
    raised: set[tuple[str, str]] = set()
    for population, gene in rows.loc[~negative, ["population", "gene"]].itertuples(index=False):
        below = leaves(populations, population)
        said = any((leaf, gene) in listed for leaf in below if leaf != population)
        raised.update((leaf, gene) for leaf in below if leaf == population or not said)
    return raised


def elevation_by_condition(
    populations: pd.DataFrame,
    *,
    markers: pd.DataFrame,
    planted: pd.DataFrame,
    conditions: Collection[str],
    genes: pd.DataFrame | None = None,
) -> dict[str, pd.DataFrame]:
    """Give the frame of `elevation` for each condition, in sorted order."""
    return {
        condition: elevation(
            populations, markers=markers, planted=planted, condition=condition, genes=genes
        )
        for condition in sorted(set(conditions))
    }


def is_raised(elevated: pd.DataFrame, *, population: str, complex_: str) -> bool:
    """Whether every subunit of a complex is raised in a population."""
    genes = subunits(complex_)
    return set(genes) <= set(elevated.columns) and bool(elevated.loc[population, genes].all())


def claim_edges(
    claim: Mapping[Hashable, str], *, populations: pd.DataFrame
) -> list[tuple[str, ...]]:
    """Edges a claim stands for: its sources x targets x pairs, parents opened to their leaves."""
    sources = [leaf for p in split(claim["source"]) for leaf in leaves(populations, p)]
    targets = [leaf for p in split(claim["target"]) for leaf in leaves(populations, p)]
    pairs = [tuple(pair.split("^")) for pair in split(claim["pairs"])]
    edges = itertools.product(dict.fromkeys(sources), dict.fromkeys(targets), dict.fromkeys(pairs))
    return [(source, target, *pair) for source, target, pair in edges]
