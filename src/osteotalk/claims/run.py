"""The evidence engine on the files of a cohort."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
from anndata import AnnData

from osteotalk import io
from osteotalk.claims.claim import read_claims
from osteotalk.claims.controls.candidates import Settings
from osteotalk.claims.evidence import Findings, gather_evidence
from osteotalk.claims.measures.cohort import Cohort
from osteotalk.claims.measures.samples import SampleData, build_cohort
from osteotalk.claims.verdicts import Rules
from osteotalk.interactions.pairs.resource import measured
from osteotalk.interactions.support import EDGE
from osteotalk.measured import partly_measured


@dataclass(frozen=True)
class Basis:
    """All that stays the same while claims are tested in one cohort.

    Attributes
    ----------
    dataset
        Id of the cohort.
    annotated
        Its file of stage `annotated`.
    samples
        Its samples.
    resource
        Pairs that were scored.
    vocabulary, markers, signatures
        Tables of the config.
    scoring
        Section `interactions` of the config.
    rules, settings
        Thresholds of the verdicts; numbers of decoys.
    """

    dataset: str
    annotated: str | Path
    samples: tuple[str, ...]
    resource: pd.DataFrame
    vocabulary: pd.DataFrame
    markers: pd.DataFrame
    signatures: pd.DataFrame
    scoring: Mapping[str, Any]
    rules: Rules
    settings: Settings

    def cells(self) -> Iterator[AnnData]:
        """Read the samples one by one."""
        for sample in self.samples:
            yield io.read_sample(self.annotated, sample)

    def from_files(self, interactions: Sequence[str | Path]) -> Iterator[SampleData]:
        """Read samples with the edges that were scored in them, in the order of `samples`."""
        columns = ["sample", *EDGE, "q_value"]
        for adata, path in zip(self.cells(), interactions, strict=True):
            table = io.read_columns(path, columns, table="interactions")
            names = {*adata.obs["sample"].astype(str)}
            if not set(table["sample"].astype(str)) <= names:
                msg = f"{path} holds another sample than {', '.join(sorted(names))}"
                raise ValueError(msg)
            yield SampleData(adata, table)

    def cohort(self, samples: Iterable[SampleData], *claims: pd.DataFrame) -> Cohort:
        """Gather what these tables of claims are tested on."""
        parsed = [c for table in claims for c in read_claims(table, vocabulary=self.vocabulary)]
        return build_cohort(
            samples,
            dataset=self.dataset,
            resource=self.resource,
            claims=parsed,
            signatures=self.signatures,
            vocabulary=self.vocabulary,
            min_cells=self.scoring["min_cells"],
            expr_prop=self.scoring["expr_prop"],
            alpha=self.scoring["alpha"],
        )

    def evidence(
        self, claims: pd.DataFrame, cohort: Cohort, *, named: pd.DataFrame | None = None
    ) -> Findings:
        """See `gather_evidence`."""
        return gather_evidence(
            claims,
            cohort,
            vocabulary=self.vocabulary,
            markers=self.markers,
            signatures=self.signatures,
            rules=self.rules,
            settings=self.settings,
            named=named,
        )

    def with_signatures(self, signatures: pd.DataFrame) -> "Basis":
        """The same with another table of signatures."""
        return replace(self, signatures=signatures)


def basis_of(
    annotated: str | Path,
    resource: str | Path,
    *,
    dataset: str,
    samples: Sequence[str],
    tables: Mapping[str, Mapping[str, list[str]]],
    scoring: Mapping[str, Any],
    rules: Mapping[str, Any],
    decoys: Mapping[str, int],
    seed: int,
) -> Basis:
    """Read what a rule of the workflow gives.

    Parameters
    ----------
    annotated, resource
        Files of stage `annotated` and of table `resource`.
    dataset, samples
        Ids.
    tables
        populations, markers and signatures of the config, by column.
    scoring, rules, decoys, seed
        From the config.
    """
    pairs = io.read_tsv(resource, table="resource")
    genes = io.read_var_names(annotated)
    frames = {name: pd.DataFrame(columns) for name, columns in tables.items()}
    # a programme is compared between samples, so it is of genes that all of them measured
    partly = partly_measured(io.read_not_measured(annotated))
    programmes = frames["signatures"][~frames["signatures"]["gene"].isin(partly)]
    return Basis(
        dataset=dataset,
        annotated=annotated,
        samples=tuple(samples),
        resource=measured(pairs, genes),
        vocabulary=frames["populations"],
        markers=frames["markers"],
        signatures=programmes.reset_index(drop=True),
        scoring=scoring,
        rules=Rules(**rules),
        settings=Settings(**decoys, seed=seed),
    )
