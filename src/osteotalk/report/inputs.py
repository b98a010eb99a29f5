"""What the report is made of: a cohort as its sections see it, and the run as a whole."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData

from osteotalk import io
from osteotalk.report.model import Page
from osteotalk.report.tables.claims import with_verdicts
from osteotalk.report.tables.cohort import order_samples
from osteotalk.report.tables.positions import CohortPositions, positions_origins
from osteotalk.report.words.banners import STAMP, is_simulated, simulation_marks
from osteotalk.report.words.claims import Names, programme_labels
from osteotalk.report.words.text import words
from osteotalk.report.words.vocabulary import Vocabulary, vocabulary
from osteotalk.results import CohortResults


@dataclass(frozen=True)
class ConfigTables:
    """Tables of the config that the report shows.

    Without `signatures` gene programmes are named by their id, without `published` there is no
    section on published findings, without `routes` ligands have the routes that claims give.
    """

    datasets: pd.DataFrame
    samples: pd.DataFrame
    retired: pd.DataFrame
    claims: pd.DataFrame
    populations: pd.DataFrame
    markers: pd.DataFrame
    labels: pd.DataFrame
    interactions: pd.DataFrame
    signatures: pd.DataFrame | None = None
    published: pd.DataFrame | None = None
    routes: pd.DataFrame | None = None

    @cached_property
    def palette(self) -> Vocabulary:
        """Labels and colours of populations."""
        return vocabulary(self.populations)

    @cached_property
    def names(self) -> Names:
        """Labels of populations and programmes."""
        return Names(self.palette, programme_labels(self.signatures))


@dataclass(frozen=True)
class Cohort:
    """A cohort as the sections of its page see it.

    Attributes
    ----------
    results
        Its results, read when they are asked for.
    tables
        Tables of the config.
    parameters
        Merged config.
    """

    results: CohortResults
    tables: ConfigTables
    parameters: Mapping[str, object]

    @property
    def dataset(self) -> str:
        """Id of the cohort."""
        return self.results.dataset

    @cached_property
    def row(self) -> Mapping[Any, Any]:
        """Row of the cohort in the table of datasets."""
        table = self.tables.datasets
        return table[table["dataset"].astype(str) == self.dataset].iloc[0].to_dict()

    @property
    def title(self) -> str:
        """Title of the cohort."""
        return words(self.row.get("title")) or self.dataset

    @property
    def simulated(self) -> bool:
        """Whether its cells are made up."""
        return is_simulated(self.row)

    @property
    def stamp(self) -> str:
        """Words to print into its figures."""
        return STAMP if self.simulated else ""

    @cached_property
    def samples(self) -> pd.DataFrame:
        """Its analysed samples, in the order of the report."""
        found = order_samples(self.tables.samples, self.dataset)
        gone = {row["sample"] for row in self.results.left_out}
        return found[~found["sample"].isin(gone)].reset_index(drop=True)

    @cached_property
    def retired(self) -> pd.DataFrame:
        """Its samples that are not analysed."""
        table = self.tables.retired
        return table[table["dataset"].astype(str) == self.dataset]

    @property
    def adata(self) -> AnnData:
        """Its cells with their names, and the expression of the markers."""
        return self.results.annotated

    @property
    def palette(self) -> Vocabulary:
        """Labels and colours of populations."""
        return self.tables.palette

    @property
    def populations(self) -> pd.DataFrame:
        """Table of populations."""
        return self.tables.populations

    @property
    def cells(self) -> pd.DataFrame:
        """Cells with their names."""
        return self.adata.obs

    @property
    def named(self) -> pd.Series:
        """Population of each cell, as text."""
        return self.adata.obs["population"].astype(str)

    def points(self, key: str = "X_umap") -> np.ndarray | None:
        """Coordinates of the cells on a map; None where there is none."""
        if key not in self.adata.obsm or self.adata.n_obs == 0:
            return None
        return np.asarray(self.adata.obsm[key], dtype=float)[:, :2]

    def noted(self, step: str) -> Mapping[str, Any]:
        """What a step noted with the cells; empty where it did not."""
        steps = self.adata.uns.get("osteotalk", {})
        return steps.get(step, {}) if isinstance(steps, Mapping) else {}

    def renamed(self) -> dict[tuple[str, str], int]:
        """Cells by the name that copy number changed and the one they got, most first."""
        noted = self.noted("malignancy").get("renamed", {})
        changes = sorted(noted.items(), key=lambda change: (-int(change[1]), change[0]))
        return {
            (before, after): int(size)
            for (before, _, after), size in ((key.partition(" to "), n) for key, n in changes)
        }

    def sample_titles(self) -> dict[str, str]:
        """Sample with its patient, in the order of the report."""
        return {
            str(row["sample"]): f"{row['sample']} ({row['patient']})"
            for row in self.samples.to_dict("records")
        }


@dataclass(frozen=True)
class CohortEvidence:
    """What one cohort has on all claims.

    Attributes
    ----------
    dataset, title
        Id and title of the cohort.
    frame
        From `osteotalk.report.tables.claims.with_verdicts` for the cohort.
    patients, statistics
        Tables `values` and `decoy_statistics`, each split by claim.
    edges
        Rows of table `support` that belong to a claim, by claim, the best first.
    """

    dataset: str
    title: str
    frame: pd.DataFrame
    patients: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    statistics: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    edges: Mapping[str, pd.DataFrame] = field(default_factory=dict)


Parts = Sequence[tuple[str, pd.DataFrame]]


@dataclass(frozen=True)
class Claim:
    """A claim as the sections of its panel see it.

    Attributes
    ----------
    row
        Of `osteotalk.report.tables.claims.with_verdicts`, for all cohorts together.
    results
        Title and id of each cohort with the row of its own results, empty where it has none.
    patients, statistics, edges
        Title of each cohort with its rows of `values`, `decoy_statistics` and `support` (the best
        edges first) on the claim.
    names
        Labels of populations and programmes.
    stamp
        Words to print into figures.
    """

    row: Mapping[Any, Any]
    results: Sequence[tuple[str, str, Mapping[Any, Any]]]
    patients: Parts
    statistics: Parts
    edges: Parts
    names: Names
    stamp: str


@dataclass(frozen=True)
class CohortParts:
    """One cohort: its page, its row in the table of cohorts, and what it has on the claims.

    `positions` tells where its genes lie; None if that is not recorded. `left_out` are the samples
    that could not be read, see `osteotalk.ingest.broken.check_samples`.
    """

    page: Page
    summary: Mapping[str, object]
    evidence: CohortEvidence
    positions: CohortPositions | None = None
    left_out: Sequence[Mapping[str, str]] = ()


@dataclass(frozen=True)
class Overall:
    """Results over all cohorts.

    Attributes
    ----------
    verdicts, evidence
        Result tables: claims over all cohorts, claims by cohort.
    provenance
        Content of ``provenance.json``.
    calibration, sensitivity
        Result tables; None if they were not made, which the report says.
    therapies, published
        Result tables; without them the report has no such section.
    timings
        Run times, from `osteotalk.report.tables.timings.read_timings`.
    missing
        Cohorts that were asked for and are not in the report, with the reason.
    """

    verdicts: pd.DataFrame
    evidence: pd.DataFrame
    provenance: Mapping[str, object]
    calibration: pd.DataFrame | None = None
    therapies: pd.DataFrame | None = None
    published: pd.DataFrame | None = None
    sensitivity: pd.DataFrame | None = None
    timings: pd.DataFrame | None = None
    missing: Mapping[str, str] | None = None


# Files over all cohorts, with the table that each holds.
OVERALL_TABLES: Mapping[str, str] = {
    "verdicts": "verdicts",
    "evidence": "evidence",
    "calibration": "calibration",
    "therapies": "therapies",
    "published": "verdicts",
    "sensitivity": "sensitivity",
}


def read_overall(
    files: Mapping[str, str],
    *,
    timings: pd.DataFrame | None = None,
    missing: Mapping[str, str] | None = None,
) -> Overall:
    """Read the results over all cohorts.

    Parameters
    ----------
    files
        Of `OVERALL_TABLES` and provenance; those that may be None may be absent or ''.
    timings, missing
        As in `Overall`.
    """
    found = {
        name: io.read_tsv(files[name], table=table)
        for name, table in OVERALL_TABLES.items()
        if files.get(name)
    }
    provenance = io.read_json(files["provenance"])
    return Overall(**found, provenance=provenance, timings=timings, missing=missing)


@dataclass(frozen=True)
class Run:
    """All cohorts together, as the sections of the other pages see them.

    Attributes
    ----------
    cohorts
        In the order of the report.
    overall
        Results over all of them.
    tables
        Tables of the config.
    parameters
        Merged config.
    """

    cohorts: Sequence[CohortParts]
    overall: Overall
    tables: ConfigTables
    parameters: Mapping[str, object]

    def _own(self, table: pd.DataFrame) -> pd.DataFrame:
        return table[table["dataset"].isin([part.evidence.dataset for part in self.cohorts])]

    @cached_property
    def datasets(self) -> pd.DataFrame:
        """Rows of the cohorts in the table of datasets."""
        return self._own(self.tables.datasets)

    @cached_property
    def samples(self) -> pd.DataFrame:
        """Rows of the cohorts in the table of samples, without samples that were left out."""
        own = self._own(self.tables.samples)
        gone = {(row["dataset"], row["sample"]) for part in self.cohorts for row in part.left_out}
        pairs = zip(own["dataset"], own["sample"], strict=True)
        return own[[pair not in gone for pair in pairs]]

    @cached_property
    def frame(self) -> pd.DataFrame:
        """Every claim with its result over all cohorts."""
        return with_verdicts(self.tables.claims, self.overall.verdicts, names=self.tables.names)

    @cached_property
    def positions(self) -> list[CohortPositions | None]:
        """Where the genes of each cohort lie."""
        return [part.positions for part in self.cohorts]

    @cached_property
    def origins(self) -> list[str]:
        """Where the positions of genes are from."""
        return positions_origins(self.positions, self.overall.provenance)

    @property
    def stamp(self) -> str:
        """Words to print into figures."""
        return simulation_marks(self.datasets)[0]

    @property
    def banner(self) -> str | None:
        """Words over the pages where data are simulated."""
        return simulation_marks(self.datasets)[1]
