"""Which genes a sample of a cohort did not measure.

A cohort is one matrix with the genes of all its samples. Where a sample lacks a gene its cells hold
zeros, but these are no measurement: `uns["osteotalk"]["not_measured"]` has the names of such genes
by sample, and whoever scores a sample leaves them out.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import numpy as np
from anndata import AnnData

KEY = "not_measured"


def not_measured(uns: Mapping[str, Any]) -> dict[str, list[str]]:
    """Names of the genes that each sample did not measure; samples that lack none are left out."""
    found = uns.get("osteotalk", {}).get(KEY, {})
    return {str(sample): np.asarray(genes).astype(str).tolist() for sample, genes in found.items()}


def only_measured(adata: AnnData, missing: Collection[str]) -> AnnData:
    """Give the cells of a sample with the genes that it measured."""
    if not len(missing):
        return adata
    return adata[:, ~adata.var_names.isin(list(missing))].copy()


def partly_measured(missing: Mapping[str, Iterable[str]]) -> set[str]:
    """Genes that at least one sample did not measure."""
    return {gene for genes in missing.values() for gene in genes}
