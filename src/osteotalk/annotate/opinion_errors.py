"""What goes wrong with a second opinion, and the check that both kinds of it have in common."""

from collections.abc import Iterator
from contextlib import contextmanager

import pandas as pd

from osteotalk.ingest.errors import IngestError
from osteotalk.ingest.gene_tables import some

# Genes that a model or a reference must share with the data.
MIN_SHARED = 200


class OpinionError(ValueError):
    """A second opinion cannot be had from its file."""


@contextmanager
def as_opinion(what: str) -> Iterator[None]:
    """Tell an error of the readers as one of a second opinion."""
    try:
        yield
    except IngestError as error:
        msg = f"{what}{error}"
        raise OpinionError(msg) from error


def shared_genes(
    measured: pd.Index, wanted: pd.Index, *, what: str, least: float = MIN_SHARED
) -> int:
    """Count the genes that both have.

    Raises
    ------
    OpinionError
        If they are fewer than `least`.
    """
    shared = len(wanted.unique().intersection(measured))
    if shared < least:
        others = wanted[~wanted.isin(measured)]
        msg = (
            f"{what} shares only {shared} of its {len(wanted)} genes with the {len(measured)} of "
            f"the data; at least {least:.0f} are needed. Genes that the data lack: {some(others)}; "
            f"genes of the data: {some(measured)}. Are both named by human gene symbols?"
        )
        raise OpinionError(msg)
    return shared
