"""What a report lacks where genes have no positions: warnings, and a sentence for the methods."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from osteotalk.ingest.packaged import PACKAGE
from osteotalk.report.words.text import count, enumerate_words, plural, words
from osteotalk.tables.positions import KEY
from osteotalk.tables.selection import HUMAN

OWN, SHARED, DATA, NONE = "gtf", "shared", "var", "none"
_ROW = "a row of role gtf in the table of files"


@dataclass(frozen=True)
class CohortPositions:
    """Where the positions of a cohort's genes are from, and what copy number could make of them.

    Attributes
    ----------
    dataset, title
        Id of the cohort, and the name that is shown.
    takes_shared
        Whether it is a real human cohort, for which the positions named in the config are meant.
    source
        gtf (file of the cohort), shared (file of the config), var (came with the data), none, or
        the name of what comes with infercnvpy.
    n_genes, n_known
        Genes, and those with a position.
    n_used, min_genes
        Genes with a position that enough cells show, and the fewest that are needed; 0 both if it
        is not recorded.
    n_samples, without_reference, min_reference
        Samples, those with too few reference cells, and the fewest that are needed.
    """

    dataset: str
    title: str
    takes_shared: bool
    source: str
    n_genes: int
    n_known: int
    n_used: int = 0
    min_genes: int = 0
    n_samples: int = 0
    without_reference: tuple[str, ...] = ()
    min_reference: int = 0

    @property
    def packaged(self) -> bool:
        """Whether the positions are those that come with infercnvpy."""
        return self.source.startswith(PACKAGE)

    @property
    def lacking(self) -> bool:
        """Whether copy number could be computed in no sample for want of positions."""
        return self.n_known == 0 or self.n_used < self.min_genes


def cohort_positions(
    noted: Mapping[str, Any], dataset_row: Mapping[Any, Any]
) -> CohortPositions | None:
    """Read what the annotation noted; None if it noted nothing of positions.

    Parameters
    ----------
    noted
        `uns["osteotalk"]` of the annotated cohort: its steps positions and malignancy.
    dataset_row
        Row of the cohort in the table of datasets.
    """
    if "positions" not in noted:
        return None
    found, judged = noted["positions"], noted.get("malignancy", {})
    samples, least = judged.get("samples", {}), int(judged.get("min_reference", 0))
    dataset = str(dataset_row["dataset"])
    real = words(dataset_row.get("source")) != "simulated"
    return CohortPositions(
        dataset=dataset,
        title=words(dataset_row.get("title")) or dataset,
        takes_shared=real and words(dataset_row.get("species")) in HUMAN,
        source=str(found["source"]),
        n_genes=int(found["n_genes"]),
        n_known=int(found["n_known"]),
        n_used=int(judged.get("n_genes", 0)),
        min_genes=int(judged.get("min_genes", 0)),
        n_samples=len(samples),
        without_reference=tuple(
            sorted(
                str(name)
                for name, sample in samples.items()
                if words(sample.get("problem")) and int(sample.get("n_reference", least)) < least
            )
        ),
        min_reference=least,
    )


def positions_warning(cohorts: Iterable[CohortPositions | None]) -> tuple[str, ...]:
    """Warn on every page of cohorts without copy number, as positions of genes are missing."""
    by_lack: dict[tuple[str, str], list[str]] = {}
    for cohort in cohorts:
        if cohort is not None and cohort.lacking:
            by_lack.setdefault(_lack(cohort), []).append(f"'{cohort.title}'")
    return tuple(
        f"NO COPY NUMBER in {enumerate_words(titles)}: {reason}. Tumour cells were told by their "
        "markers alone there, and normal cells that share these markers are taken for tumour "
        f"cells. {advice}"
        for (reason, advice), titles in by_lack.items()
    )


def _lack(cohort: CohortPositions) -> tuple[str, str]:
    """Why positions are missing, and what to do."""
    own = f"{_ROW[0].upper()}{_ROW[1:]} names a file for the cohort alone."
    if cohort.source == NONE:
        reason = "no positions of genes are known"
        if cohort.takes_shared:
            return reason, (
                f"Set {KEY} in the config to {PACKAGE}, a GTF file or its address, or give "
                f"{_ROW}, and run again."
            )
        return f"{reason} ({KEY} is used for real human cohorts alone)", own
    if cohort.n_known == 0:
        where = cohort.source if cohort.packaged else f"the file named by {KEY}"
        reason = f"none of the {plural(cohort.n_genes, 'gene')} is in {where}"
        return reason, f"Is it of another species, or are the names of genes of another kind? {own}"
    reason = (
        f"too few genes have a position ({count(cohort.n_known)} of {count(cohort.n_genes)}; "
        f"{count(cohort.n_used)} of them are on an autosome and seen in enough cells, "
        f"{count(cohort.min_genes)} are needed: malignancy.min_genes)"
    )
    if cohort.source == DATA:
        return reason, f"Those that came with the data were used. {own}"
    if cohort.packaged:
        return reason, (
            f"{cohort.source} knows few genes, by their symbols alone; set {KEY} in the config to "
            "a GTF file or its address, which know more, also by their Ensembl ids. A panel of "
            "few genes has no copy number."
        )
    return reason, "A panel of few genes has no copy number; else check the names of the genes."


def reference_warning(cohort: CohortPositions | None) -> tuple[str, ...]:
    """Warn on a cohort's page of samples without cells to compare with."""
    if cohort is None or cohort.lacking or not cohort.without_reference:
        return ()
    return (
        f"NO COPY NUMBER in {len(cohort.without_reference)} of "
        f"{plural(cohort.n_samples, 'sample')} ({enumerate_words(list(cohort.without_reference))})"
        f": fewer than {count(cohort.min_reference)} reference cells (cnv_role reference in the "
        "table of populations). Tumour cells were told by their markers alone there.",
    )


def positions_sentence(origins: Sequence[str]) -> str:
    """Say in the methods where the positions of genes are from; '' if nothing is recorded."""
    return f" Positions of genes of {'; of '.join(origins)}." if origins else ""


def positions_origins(
    cohorts: Sequence[CohortPositions | None], provenance: Mapping[str, object]
) -> list[str]:
    """Say for cohorts with the same origin of positions what it is; nothing if it is not recorded.

    Parameters
    ----------
    cohorts
        Of the report.
    provenance
        Content of ``provenance.json``, for names and addresses of files.
    """
    listed = provenance.get("files")
    files = {
        str(row["dataset"]): words(row.get("url")) or words(row.get("path"))
        for row in (listed if isinstance(listed, list) else [])
        if row.get("role") == "gtf"
    }
    by_origin: dict[str, list[str]] = {}
    for cohort in cohorts:
        if cohort is None:
            continue
        file = files.get(cohort.dataset, "")
        origin = {
            OWN: f"from {file or 'a file of the cohort'}",
            SHARED: f"from {file or 'a file'}, which {KEY} names for all cohorts",
            DATA: "from what came with the data",
        }.get(cohort.source, "not known")
        if cohort.packaged:
            known = f"{count(cohort.n_known)} of {plural(cohort.n_genes, 'gene')}"
            origin = f"from {cohort.source}, {known}; only their order and arms count"
        by_origin.setdefault(origin, []).append(cohort.title)
    return [f"{enumerate_words(titles)}: {origin}" for origin, titles in by_origin.items()]
