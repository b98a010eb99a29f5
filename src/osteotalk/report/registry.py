"""Which sections each page has, in their order.

A section is a module of `osteotalk.report.sections` with a function ``section`` that takes the
cohort, the claim or the run, and gives the section, or None where there is nothing to say.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

from osteotalk.report.inputs import Claim, Cohort, Run
from osteotalk.report.model import Section
from osteotalk.report.sections import (
    agreement,
    calibration,
    claim_decoys,
    claim_edges,
    claim_patients,
    claim_verdict,
    claims,
    cohorts,
    cross_check,
    decoys,
    edges,
    effects,
    integration,
    limits,
    malignancy,
    methods,
    missing,
    network,
    origin,
    populations,
    provenance,
    published,
    qc,
    reading,
    references,
    sensitivity,
    summary,
    therapies,
    truth,
    verdicts,
)

T = TypeVar("T")
Build = Callable[[T], Section | None]

COHORT: Sequence[Build[Cohort]] = (
    origin.section,
    qc.section,
    populations.section,
    integration.section,
    malignancy.section,
    agreement.section,
    network.section,
    edges.section,
    cross_check.section,
    claims.section,
    decoys.section,
    truth.section,
)
INDEX: Sequence[Build[Run]] = (
    summary.section,
    cohorts.section,
    missing.section,
    verdicts.section,
    therapies.section,
    limits.section,
)
CONFIDENCE: Sequence[Build[Run]] = (
    effects.section,
    calibration.section,
    sensitivity.section,
    published.section,
)
CLAIM: Sequence[Build[Claim]] = (
    claim_verdict.section,
    claim_patients.section,
    claim_decoys.section,
    claim_edges.section,
)
METHODS: Sequence[Build[Run]] = (reading.section, methods.section, references.section)
PROVENANCE: Sequence[Build[Run]] = (provenance.section,)


def sections_of(subject: T, builders: Sequence[Build[T]]) -> tuple[Section, ...]:
    """Sections of a page; those with nothing to say are left out."""
    found = [build(subject) for build in builders]
    return tuple(section for section in found if section is not None)
