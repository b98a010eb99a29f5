"""The panel of one claim: statement, verdicts, patients, decoys and edges, on a page of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pandas as pd

from osteotalk.claims.claim import COMPOSITION, INTERACTION
from osteotalk.parallel import in_order
from osteotalk.report.model import Column, Page, Section, Table
from osteotalk.report.sections.claim_panels import (
    Parts,
    decoy_section,
    edge_section,
    patient_section,
)
from osteotalk.report.words.claims import Names, result_words, short_name
from osteotalk.report.words.text import claim_file, verdict, words
from osteotalk.tables import split

ALL_COHORTS = "All cohorts"
# What the panel says of a claim, from the columns of `with_verdicts`; absent values are left out.
_FACTS = (
    ("_tested", "Measured"),
    ("reason", "Reason of the verdict"),
    ("_best_edge", "Best edge"),
    ("_effect", "Effect: the claim's value less that of its decoys (95 % interval)"),
    ("_matched", "Against matched decoys"),
    ("_populations", "Against population decoys"),
    ("_response", "Response check (supports at most, never proves signalling)"),
    ("_combined", "Cohorts combined"),
    ("circular", "Named by its own gene: partly true by construction"),
    ("caveat", "Caveat"),
    ("_theme", "Theme"),
    ("_route", "Route"),
    ("evidence_tier", "Tier of the statement's source (A best, D unverified)"),
)


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


def claim_pages(
    frame: pd.DataFrame,
    cohorts: Sequence[CohortEvidence],
    *,
    names: Names,
    stamp: str,
    banner: str | None,
    jobs: int = 1,
) -> tuple[Page, ...]:
    """Build the panels of all claims, in the order of the table.

    Parameters
    ----------
    frame
        From `osteotalk.report.tables.claims.with_verdicts`, for all cohorts together.
    cohorts
        What each cohort has on the claims.
    names
        Labels of populations and programmes.
    stamp, banner
        Words to print into figures and over the pages.
    jobs
        Processes that draw panels at the same time.
    """
    rows = frame.to_dict("records")
    of = [{str(r["claim_id"]): r for r in cohort.frame.to_dict("records")} for cohort in cohorts]
    ids = [str(row["claim_id"]) for row in rows]
    draw = partial(_evidence_sections, names=names, stamp=stamp)
    evidence = [_evidence_of(row, cohorts) for row in rows]
    drawn = in_order(draw, evidence, jobs=jobs, what="panels of claims", unit="claims")
    return tuple(
        Page(
            file=claim_file(name),
            title=f"{name}: {_topic(row)}",
            lead=(words(row["statement"]),),
            sections=(
                _verdict_section(row, cohorts, [table.get(name, {}) for table in of]),
                *sections,
            ),
            banner=banner,
            links=_links(ids, place),
        )
        for place, (name, row, sections) in enumerate(zip(ids, rows, drawn, strict=True))
    )


def _topic(row: Mapping[Any, Any]) -> str:
    """What a claim is on; its theme, where it names no gene, programme or share of cells."""
    named = any(words(row.get(name)) for name in ("pairs", "genes", "signature"))
    if named or words(row.get("kind")) == COMPOSITION:
        return short_name(row, width=60)
    return words(row.get("_theme"))


def _links(ids: Sequence[str], place: int) -> tuple[tuple[str, str], ...]:
    before = [(f"← {ids[place - 1]}", claim_file(ids[place - 1]))] if place else []
    after = [(f"{ids[place + 1]} →", claim_file(ids[place + 1]))] if place + 1 < len(ids) else []
    return (*before, ("In the table of all claims", f"index.html#row-{ids[place]}"), *after)


def _verdict_section(
    row: Mapping[Any, Any],
    cohorts: Sequence[CohortEvidence],
    own: Sequence[Mapping[Any, Any]],
) -> Section:
    rows = [_cohort_row(row, ALL_COHORTS, "index.html")]
    rows += [
        _cohort_row(result, cohort.title, f"{cohort.dataset}.html")
        for cohort, result in zip(cohorts, own, strict=True)
    ]
    stem = claim_file(str(row["claim_id"])).removesuffix(".html").replace("/", "_")
    table = Table(
        "table-cohorts",
        pd.DataFrame(rows),
        "The verdict on the claim, of all cohorts together and of each by itself.",
        (
            Column("cohort", "Cohort", "page"),
            Column("verdict", "Verdict", "verdict"),
            Column("_result", "Result", "result", missing="not measured"),
            Column("decoy_q", "Decoy q", "probability", missing="no decoy test"),
            Column("_effect", "Effect", "estimate", missing="none"),
            Column("reason", "Reason", wide=True, missing="none given"),
        ),
        download=f"assets/{stem}_cohorts.tsv",
    )
    facts = [(label, words(row.get(key))) for key, label in _FACTS]
    facts.append(("Drugs on the axis", "; ".join(split(words(row.get("drugs"))))))
    facts.append(("Sources of the statement", _sources(row.get("sources"))))
    return Section(
        anchor="verdict",
        title=f"Verdict: {verdict(row['verdict']).name}",
        question="Do the data bear the statement out, and why?",
        definitions=tuple((label, text) for label, text in facts if text),
        tables=(table,),
    )


def _cohort_row(result: Mapping[Any, Any], title: str, page: str) -> dict[str, object]:
    return {
        "cohort": title,
        "_page": page,
        "verdict": words(result.get("verdict")),
        "_result": result_words(result) if result else "",
        "n_informative": result.get("n_informative"),
        "n_active": result.get("n_active"),
        "support": result.get("support"),
        "support_low": result.get("support_low"),
        "support_high": result.get("support_high"),
        "effect": result.get("effect"),
        "effect_low": result.get("effect_low"),
        "effect_high": result.get("effect_high"),
        "decoy_p": result.get("decoy_p"),
        "decoy_q": result.get("decoy_q"),
        "population_p": result.get("population_p"),
        "_effect": words(result.get("_effect")),
        "reason": words(result.get("reason")),
    }


def _sources(cell: object) -> str:
    return "; ".join(f"doi:{part}" if part[:3] == "10." else part for part in split(words(cell)))


@dataclass(frozen=True)
class _ClaimEvidence:
    """What all cohorts have on one claim: title of the cohort and rows of each kind."""

    row: Mapping[Any, Any]
    patients: Parts
    statistics: Parts
    edges: Parts


def _evidence_of(row: Mapping[Any, Any], cohorts: Sequence[CohortEvidence]) -> _ClaimEvidence:
    def parts(kind: str) -> Parts:
        found = [(cohort.title, getattr(cohort, kind).get(claim_id)) for cohort in cohorts]
        return [(title, own) for title, own in found if own is not None]

    claim_id = str(row["claim_id"])
    return _ClaimEvidence(row, parts("patients"), parts("statistics"), parts("edges"))


def _evidence_sections(evidence: _ClaimEvidence, *, names: Names, stamp: str) -> list[Section]:
    row = evidence.row
    sections = [
        patient_section(row, evidence.patients, names=names, stamp=stamp),
        decoy_section(row, evidence.statistics, stamp=stamp),
    ]
    if words(row.get("kind")) == INTERACTION:
        sections.append(edge_section(row, evidence.edges, names=names))
    return [section for section in sections if section is not None]
