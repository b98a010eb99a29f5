"""The cells, populations and pairs of one sample that take part in scoring."""

import logging
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from osteotalk.interactions.checks.inputs import checked_input
from osteotalk.interactions.checks.settings import ScoringError
from osteotalk.interactions.groups import Groups, gather, gene_columns
from osteotalk.interactions.pairs.resource import measured, subunits

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Sample:
    """What is scored.

    Attributes
    ----------
    matrix
        Log-normalised expression of the cells that have a label, cells x all genes.
    label
        Label of each of them; those of small populations too.
    var_names
        Names of the genes.
    groups
        Statistics of the genes of the resource in the populations that are large enough.
    pairs
        Pairs of which all genes are expressed by some cell: ligand, receptor.
    allowed
        Which populations are scored with each other (source by target).
    groupby_pairs
        The same as it was asked for, as text; None for all.
    origin
        Dataset, sample and condition of the cells, '' where unknown.
    """

    matrix: sparse.csr_matrix
    label: pd.Series
    var_names: pd.Index
    groups: Groups
    pairs: pd.DataFrame
    allowed: np.ndarray
    groupby_pairs: pd.DataFrame | None = None
    origin: Mapping[str, str] = field(default_factory=dict)

    def columns(self, genes: pd.Index) -> tuple[sparse.csc_matrix, np.ndarray]:
        """Expression of some genes in the cells that take part, and their populations."""
        codes = self.groups.codes
        return gene_columns(self.matrix, self.var_names.get_indexer(genes), codes), codes[
            codes >= 0
        ]


def read_sample(
    adata: AnnData,
    groupby: str,
    resource: pd.DataFrame,
    *,
    min_cells: int,
    groupby_pairs: pd.DataFrame | None,
) -> Sample:
    """Check the input and gather its statistics.

    Parameters
    ----------
    adata, groupby, min_cells, groupby_pairs
        See `osteotalk.interactions.score`.
    resource
        Columns ligand and receptor.

    Raises
    ------
    osteotalk.interactions.checks.settings.ScoringError
        If something cannot be used.
    """
    checked = checked_input(adata, groupby, resource, groupby_pairs)
    if checked.doubt:
        warnings.warn(checked.doubt, stacklevel=3)  # whoever called `score`
    matrix, label, groupby_pairs = checked.matrix, checked.label, checked.groupby_pairs
    named = (label != "").to_numpy()
    if not named.all():
        matrix, label = matrix[named], label[named]
    wanted = label
    if groupby_pairs is not None:
        wanted = label[label.isin([*groupby_pairs["source"], *groupby_pairs["target"]])]
    left_out = adata.n_obs - len(wanted)
    kept = kept_populations(wanted, n_left_out=left_out, min_cells=min_cells)
    if len(kept) < 2:
        msg = (
            f"{len(kept)} of {wanted.nunique()} populations in '{groupby}' "
            f"{'has' if len(kept) == 1 else 'have'} at least {min_cells} cells: two are needed, "
            "as a pair is specific only against others. Lower min_cells or merge populations"
        )
        raise ScoringError(msg)
    allowed = _allowed(kept, groupby_pairs, min_cells=min_cells)
    pairs = measured(resource, adata.var_names)[["ligand", "receptor"]].drop_duplicates()
    groups = gather(
        matrix,
        adata.var_names,
        codes=kept.get_indexer(pd.Index(label)),
        labels=list(kept),
        genes=subunits([*pairs["ligand"], *pairs["receptor"]]),
    )
    expressed = measured(pairs, groups.genes)
    log.info(
        "%d of %d pairs have all their genes measured, %d of them expressed",
        len(pairs),
        len(resource),
        len(expressed),
    )
    _tell_of_raw(adata, resource, n_pairs=len(pairs))
    return Sample(
        matrix,
        label,
        adata.var_names,
        groups,
        expressed,
        allowed,
        groupby_pairs,
        checked.origin,
    )


def _tell_of_raw(adata: AnnData, resource: pd.DataFrame, *, n_pairs: int) -> None:
    """Tell the log if `adata.raw`, which is not scored, has genes of more pairs."""
    if adata.raw is None:
        return
    pairs = measured(resource, adata.raw.var_names)[["ligand", "receptor"]].drop_duplicates()
    if len(pairs) > n_pairs:
        log.warning(
            "X has the genes of %d pairs, adata.raw those of %d: adata.raw.to_adata() has them all",
            n_pairs,
            len(pairs),
        )


def _allowed(kept: pd.Index, groupby_pairs: pd.DataFrame | None, *, min_cells: int) -> np.ndarray:
    """Which populations are scored with each other, source by target."""
    if groupby_pairs is None:
        return np.ones((len(kept), len(kept)), dtype=bool)
    asked = set(zip(groupby_pairs["source"], groupby_pairs["target"], strict=True))
    allowed = np.array([[(a, b) in asked for b in kept] for a in kept])
    if not allowed.any():
        msg = (
            f"in none of the {len(asked)} pairs of groupby_pairs have both populations at least "
            f"{min_cells} cells. Lower min_cells or ask for others; large enough are "
            f"{', '.join(kept)}"
        )
        raise ScoringError(msg)
    return allowed


def kept_populations(label: pd.Series, *, n_left_out: int, min_cells: int) -> pd.Index:
    """Names of the populations that are large enough, sorted; tells the log of the others."""
    sizes = label.value_counts().sort_index()
    small = sizes[sizes < min_cells]
    if len(small):
        listed = ", ".join(f"{name} ({n})" for name, n in small.items())
        log.warning("populations with fewer than %d cells take no part: %s", min_cells, listed)
    if n_left_out:
        log.warning("%d cells that are unassigned or not asked for take no part", n_left_out)
    return pd.Index(sizes.index[sizes >= min_cells])
