"""Read the count matrix of one sample, whatever the format it comes in.

A format is one module with a function `read(files, sample, sample_key) -> AnnData` and one line
in `READERS` of `sample`.
"""

from osteotalk.ingest.errors import IngestError

__all__ = ["IngestError"]
