"""The one exception of the readers."""


class IngestError(ValueError):
    """A count matrix cannot be read; the message names the file and what to do."""
