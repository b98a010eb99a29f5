"""The file in which LIANA keeps its resources, read without importing LIANA."""

from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pandas as pd

MOUSE = "mouseconsensus"  # the only resource of LIANA that is not of human genes


@cache
def liana_table() -> pd.DataFrame:
    """All resources of LIANA: resource, ligand, receptor.

    Read from LIANA's own file, because importing LIANA takes seconds.
    """
    spec = find_spec("liana")
    if spec is None or not spec.submodule_search_locations:
        msg = "the package liana, which holds the ligand-receptor resources, is not installed"
        raise ModuleNotFoundError(msg)
    path = Path(spec.submodule_search_locations[0]) / "resource" / "omni_resource.csv"
    names = {"source_genesymbol": "ligand", "target_genesymbol": "receptor"}
    table = pd.read_csv(path, usecols=["resource", *names], dtype=str, keep_default_na=False)
    return table.rename(columns=names)[["resource", "ligand", "receptor"]]


@cache
def human_genes() -> frozenset[str]:
    """Symbols of all human genes that a resource of LIANA names."""
    table = liana_table()
    human = table[table["resource"] != MOUSE]
    complexes = {*human["ligand"], *human["receptor"]}
    return frozenset(gene for name in complexes for gene in name.split("_") if gene[:1].isalpha())
