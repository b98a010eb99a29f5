"""The positions of genes that cohorts of a run share: key genes.positions."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from osteotalk.ingest.errors import IngestError
from osteotalk.ingest.gtf import check_gtf_start
from osteotalk.ingest.packaged import PACKAGE
from osteotalk.tables.model import TableError, Tables
from osteotalk.tables.selection import HUMAN, cohort_files

KEY = "genes.positions"
# Stands for the cohort where files go by cohort; no cohort can have this id, as it has a hyphen.
SHARED = "all-cohorts"
_ENDINGS = (".gtf", ".gtf.gz")
_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")


@dataclass(frozen=True)
class SharedPositions:
    """A GTF file for all cohorts: where it is, or is put, and where it is downloaded from, if so.

    `path` is '' for the positions that come with infercnvpy (`osteotalk.ingest.packaged`), `sha256`
    what the download must have, '' if it is not known.
    """

    path: str = ""
    url: str = ""
    sha256: str = ""

    def downloads(self) -> dict[str, dict[str, str]]:
        """Give the download by path, as rows of the table of files are; {} if there is none."""
        row = {"dataset": SHARED, "source": SHARED, "role": "gtf", "bytes": "", "path": self.path}
        return {self.path: {**row, "url": self.url, "sha256": self.sha256}} if self.url else {}


def shared_positions(
    value: str, *, sha256: str, find: Callable[[str], Path]
) -> SharedPositions | None:
    """Understand the keys genes.positions and genes.positions_sha256 of the config.

    Parameters
    ----------
    value
        infercnvpy for what comes with that package, a file, an address that begins with https:// or
        http://, or '' for none.
    sha256
        What a download must have; '' if it is not known.
    find
        Gives the place of a file of the config.

    Returns
    -------
    None for none.

    Raises
    ------
    TableError
        If the file is not there or is no GTF, the address cannot be that of one, or a checksum is
        given for what is not downloaded.
    """
    if address := _ADDRESS.match(value):
        name = _name_of(value, scheme=address[1].lower())
        return SharedPositions(f"resources/{SHARED}/{name}", url=value, sha256=sha256.lower())
    if sha256:
        named = f"the file '{value}'" if value else "empty"
        named = PACKAGE if value == PACKAGE else named
        msg = (
            f"{KEY}_sha256 of the config is the checksum of a download, but {KEY} is {named}; set "
            f"{KEY}_sha256 to ''"
        )
        raise TableError(msg)
    if not value:
        return None
    if value == PACKAGE:
        return SharedPositions()
    path = find(value)
    if not path.is_file():
        places = dict.fromkeys([str(Path.cwd() / value), str(path)])
        what = "is a folder" if path.is_dir() else "does not exist"
        msg = (
            f"{KEY} of the config: file '{value}' {what} (looked for {' and '.join(places)}). Give "
            f"a GTF file of the human genome, an address that begins with https://, {PACKAGE} for "
            "what comes with that package, or '' for none"
        )
        raise TableError(msg)
    try:
        check_gtf_start(path)
    except IngestError as error:
        msg = f"{KEY} of the config: {error}"
        raise TableError(msg) from None
    return SharedPositions(str(path))


def _name_of(url: str, *, scheme: str) -> str:
    """Name of the file at an address, in letters that are safe in a path."""
    if scheme not in ("http", "https"):
        msg = (
            f"{KEY} of the config: '{url}' begins with {scheme}://, but only https:// and http:// "
            "can be downloaded; most archives serve the same file under https://"
        )
        raise TableError(msg)
    name = PurePosixPath(unquote(urlsplit(url).path)).name
    if not name.lower().endswith(_ENDINGS):
        msg = (
            f"{KEY} of the config: the file at '{url}' is called '{name}'; a GTF is needed, whose "
            f"name ends in {' or '.join(_ENDINGS)}"
        )
        raise TableError(msg)
    return re.sub(r"[^A-Za-z0-9._+-]", "_", name)


def takes_shared_positions(tables: Tables, dataset: str) -> bool:
    """Whether a cohort takes the positions of genes that all cohorts share.

    Real human cohorts do that have no file of role gtf. Genes of another species lie in another
    order, also those named by their human orthologs, and those of a simulated cohort anywhere.
    """
    (row,) = tables.datasets[tables.datasets["dataset"] == dataset].to_dict("records")
    real_and_human = row["source"] != "simulated" and row["species"] in HUMAN
    return real_and_human and "gtf" not in cohort_files(tables, dataset)
