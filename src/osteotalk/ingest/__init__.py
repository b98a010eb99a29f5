"""Read the count matrix of one sample, whatever the format it comes in.

A format is one module with a function `read(files, sample, sample_key) -> AnnData` and one line
in `READERS`.
"""

from osteotalk.ingest.errors import IngestError
from osteotalk.ingest.sample import READERS, read_sample

__all__ = ["READERS", "IngestError", "read_sample"]
