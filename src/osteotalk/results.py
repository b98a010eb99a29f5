"""The result files of a cohort: where each lies, which table it holds, and how it is read.

The rules, the scripts and the report all go by `COHORT_FILES`; a new result is one line there, and
one property of `CohortResults`.
"""

from collections.abc import Collection, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any, Self

import pandas as pd
from anndata import AnnData

from osteotalk import io
from osteotalk.contract import empty_frame
from osteotalk.left_out import analysed

SIMULATED, SQUIDPY = "simulated cohorts", "the check against squidpy"
_DRAWN = ("claim_id", "control", "role", "statistic")  # columns of decoy_statistics


@dataclass(frozen=True)
class ResultFile:
    """A file of a cohort.

    Attributes
    ----------
    name
        Below ``results/{dataset}``, or below the folder of each sample.
    table
        What it holds, a table of `osteotalk.contract`; '' if it is none.
    per_sample
        Whether each sample has one.
    only
        What the file is made for, if not for every cohort.
    """

    name: str
    table: str = ""
    per_sample: bool = False
    only: str = ""


COHORT_FILES: Mapping[str, ResultFile] = MappingProxyType(
    {
        "annotated": ResultFile("annotated.h5ad"),
        "clusters": ResultFile("annotation.tsv", "annotation"),
        "malignancy": ResultFile("malignancy.tsv", "malignancy"),
        "clone_genes": ResultFile("clone_genes.tsv", "clone_genes"),
        "cnv": ResultFile("cnv.h5ad"),
        "agreement": ResultFile("agreement.tsv", "agreement"),
        "support": ResultFile("support.parquet", "support"),
        "evidence": ResultFile("evidence.tsv", "evidence"),
        "truth": ResultFile("truth.json", only=SIMULATED),
        "qc": ResultFile("qc.json", per_sample=True),
        "ingest": ResultFile("ingest.json", per_sample=True),
        "cross_check": ResultFile("cross_check.tsv", "cross_check", per_sample=True, only=SQUIDPY),
        "left_out": ResultFile("left_out.json"),
        "genes": ResultFile("genes.tsv"),
        "decoys": ResultFile("decoys.tsv", "decoys"),
        "values": ResultFile("values.tsv", "values"),
        "statistics": ResultFile("decoy_statistics.parquet", "decoy_statistics"),
        "network": ResultFile("network.graphml"),
        "published": ResultFile("published.tsv", "evidence"),
        "calibration": ResultFile("calibration.tsv", "calibration"),
    }
)


def cohort_paths(
    dataset: str, samples: Sequence[str], *, without: Collection[str] = ()
) -> dict[str, list[str]]:
    """Files of a cohort by name.

    Parameters
    ----------
    dataset, samples
        Id of the cohort and of its samples.
    without
        `SIMULATED`, `SQUIDPY` or both, if the cohort has no such files; their lists are empty.
    """
    return {
        key: _paths(file, dataset, samples) if file.only not in without else []
        for key, file in COHORT_FILES.items()
    }


def _paths(file: ResultFile, dataset: str, samples: Sequence[str]) -> list[str]:
    folder = f"results/{dataset}"
    if file.per_sample:
        return [f"{folder}/samples/{sample}/{file.name}" for sample in samples]
    return [f"{folder}/{file.name}"]


class CohortResults:
    """Results of a cohort; each is read when it is first asked for.

    Parameters
    ----------
    dataset
        Id of the cohort.
    files
        From `cohort_paths`.
    genes
        Genes whose expression is read with the annotated cells.
    """

    def __init__(
        self, dataset: str, files: Mapping[str, Sequence[str]], *, genes: Collection[str] = ()
    ) -> None:
        self.dataset = dataset
        self.files = {name: list(paths) for name, paths in files.items()}
        self.genes = set(genes)

    def having(self, **results: Any) -> Self:
        """The same, with results that are at hand instead of on disk, by name of the property."""
        found = copy(self)
        found.__dict__.update(results)
        return found

    def path(self, name: str) -> str | None:
        """The only file of this name; None where there is none."""
        paths = self.files.get(name, [])
        return paths[0] if len(paths) == 1 else None

    def _table(self, name: str) -> pd.DataFrame:
        table = COHORT_FILES[name].table
        found = [
            io.read_parquet(path, table=table)
            if path.endswith(".parquet")
            else io.read_tsv(path, table=table)
            for path in self.files.get(name, [])
        ]
        return pd.concat(found, ignore_index=True) if found else empty_frame(table)

    def _records(self, name: str) -> list[dict[str, Any]]:
        return [io.read_json(path) for path in self.files.get(name, [])]

    @cached_property
    def annotated(self) -> AnnData:
        """Cells with their names, and the expression of `genes`."""
        return io.read_genes(self.files["annotated"][0], self.genes)

    @cached_property
    def cnv(self) -> AnnData:
        """Copy number profiles of some cells."""
        return io.read_stage(self.files["cnv"][0], stage="cnv")

    @cached_property
    def truth(self) -> Mapping[str, Any] | None:
        """What was planted in a simulated cohort and found; None for others."""
        return next(iter(self._records("truth")), None)

    @cached_property
    def qc(self) -> list[dict[str, Any]]:
        """Quality control of each sample that was not left out."""
        return analysed(self._records("qc"))

    @cached_property
    def ingest(self) -> list[dict[str, Any]]:
        """How each sample was read that was not left out."""
        return analysed(self._records("ingest"))

    @cached_property
    def left_out(self) -> list[dict[str, str]]:
        """Samples that could not be read, see `osteotalk.ingest.broken.check_samples`."""
        return [row for found in self._records("left_out") for row in found["left_out"]]

    @cached_property
    def clusters(self) -> pd.DataFrame:
        """Table `annotation`."""
        return self._table("clusters")

    @cached_property
    def malignancy(self) -> pd.DataFrame:
        """Table `malignancy`."""
        return self._table("malignancy")

    @cached_property
    def clone_genes(self) -> pd.DataFrame:
        """Table `clone_genes`."""
        return self._table("clone_genes")

    @cached_property
    def agreement(self) -> pd.DataFrame:
        """Table `agreement`."""
        return self._table("agreement")

    @cached_property
    def support(self) -> pd.DataFrame:
        """Table `support`."""
        return self._table("support")

    @cached_property
    def evidence(self) -> pd.DataFrame:
        """Table `evidence`."""
        return self._table("evidence")

    @cached_property
    def cross_check(self) -> pd.DataFrame:
        """Table `cross_check` of all samples; without a row if it was not run."""
        return self._table("cross_check")

    @cached_property
    def decoys(self) -> pd.DataFrame | None:
        """Table `decoys`; None where it was not made."""
        return self._table("decoys") if self.files.get("decoys") else None

    @cached_property
    def values(self) -> pd.DataFrame:
        """Table `values`."""
        return self._table("values")

    @cached_property
    def statistics(self) -> pd.DataFrame:
        """Statistics of all decoys; repeated words as categories, which take a tenth of room."""
        found = io.read_columns(self.files["statistics"][0], _DRAWN, table="decoy_statistics")
        return found.astype(dict.fromkeys(("control", "role"), "category"))
