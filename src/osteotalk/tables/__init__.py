"""Load the tables of `config/` and check them, each alone and against each other.

A table is tab-separated UTF-8 text with a header line. Every cell is text (a gene or a sample may
be spelled NA). All problems of all tables are reported together, with file and line, before any
long work starts.
"""

from osteotalk.tables.claims import (
    NOT_TESTABLE,
    SIGNATURE,
    genes_of_claims,
    quantity_of,
    sides_of,
)
from osteotalk.tables.load import load_tables
from osteotalk.tables.model import (
    NAMES,
    RETIRED,
    TRIPLET,
    TableError,
    Tables,
    above,
    closest,
    leaves,
    split,
    within,
)
from osteotalk.tables.positions import SHARED, shared_positions, takes_shared_positions
from osteotalk.tables.read import check_config, read_schema, read_table
from osteotalk.tables.renew import renew
from osteotalk.tables.selection import (
    cohort_files,
    records_of,
    remote_files,
    sample_files,
    without_samples,
)

__all__ = [
    "NAMES",
    "NOT_TESTABLE",
    "RETIRED",
    "SHARED",
    "SIGNATURE",
    "TRIPLET",
    "TableError",
    "Tables",
    "above",
    "check_config",
    "closest",
    "cohort_files",
    "genes_of_claims",
    "leaves",
    "load_tables",
    "quantity_of",
    "read_schema",
    "read_table",
    "records_of",
    "remote_files",
    "renew",
    "sample_files",
    "shared_positions",
    "sides_of",
    "split",
    "takes_shared_positions",
    "within",
    "without_samples",
]
