"""How a ligand reaches its receptor: secreted, by contact, through the matrix, or not known."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import pandas as pd

from osteotalk.tables import split

SECRETED = "secreted"
CONTACT = "contact"
MATRIX = "matrix"
NOT_CLASSIFIED = "not classified"
ROUTES = (SECRETED, CONTACT, MATRIX, NOT_CLASSIFIED)
_OF_CLAIMS: Mapping[str, str] = MappingProxyType(
    {"soluble": SECRETED, "vesicle": SECRETED, "contact": CONTACT, "matrix": MATRIX}
)


def claim_route(name: str) -> str:
    """Route of a claim in the words of the network; ``intracellular`` stays as it is."""
    route = _OF_CLAIMS.get(name, name)
    return f"{route}, in vesicles" if name == "vesicle" else route


@dataclass(frozen=True)
class Routes:
    """Routes of ligands.

    Attributes
    ----------
    exact, beginnings
        Rows of the table of routes: by ligand, and by the beginning of symbols.
    claimed
        Route by ligand that all claims with the ligand give.
    """

    exact: Mapping[str, str] = field(default_factory=dict)
    beginnings: Mapping[str, str] = field(default_factory=dict)
    claimed: Mapping[str, str] = field(default_factory=dict)

    def of(self, ligand: str) -> str:
        """Route of a ligand, one of `ROUTES`.

        The row of the ligand itself counts, else that of the longest beginning. A complex without
        a row has the route that the rows of all its subunits give. Where no row fits, the claims
        decide.
        """
        return self._listed(ligand) or self.claimed.get(ligand, NOT_CLASSIFIED)

    def _listed(self, ligand: str) -> str:
        """Route by the table; '' for a ligand that is not in it."""
        if ligand in self.exact:
            return self.exact[ligand]
        if "_" in ligand:
            found = {self._listed(subunit) for subunit in ligand.split("_")}
            return found.pop() if len(found) == 1 else ""
        lengths = range(len(ligand), 0, -1)
        return next(
            (self.beginnings[ligand[:n]] for n in lengths if ligand[:n] in self.beginnings), ""
        )


def read_routes(table: pd.DataFrame | None, claims: pd.DataFrame) -> Routes:
    """Read the table of routes and the routes of claims.

    Parameters
    ----------
    table
        Columns ligand (a symbol, a complex, or the beginning of symbols with ``*``) and route.
        None: only the claims are used.
    claims
        Table of claims. Soluble ligands and those in vesicles count as secreted; claims on what
        stays in the cell say nothing. A ligand on whose route claims disagree has none.
    """
    rows = {} if table is None else dict(zip(table["ligand"], table["route"], strict=True))
    told: dict[str, set[str]] = {}
    for pairs, route in zip(claims["pairs"], claims["route"], strict=True):
        if route in _OF_CLAIMS:
            for pair in split(str(pairs)):
                told.setdefault(pair.partition("^")[0], set()).add(_OF_CLAIMS[route])
    return Routes(
        exact={name: route for name, route in rows.items() if not name.endswith("*")},
        beginnings={name[:-1]: route for name, route in rows.items() if name.endswith("*")},
        claimed={ligand: next(iter(found)) for ligand, found in told.items() if len(found) == 1},
    )
