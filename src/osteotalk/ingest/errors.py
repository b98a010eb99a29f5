"""The one exception of the readers, and how its messages name many things."""

from collections.abc import Sequence


class IngestError(ValueError):
    """A count matrix cannot be read; the message names the file and what to do."""


def listed(names: Sequence[str], *, most: int = 20) -> str:
    """Name the first `most`, and say how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
