"""The panel of one claim: statement, verdicts, patients, decoys and edges, on a page of its own."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from osteotalk.claims.claim import COMPOSITION
from osteotalk.parallel import in_order
from osteotalk.report.inputs import Claim, CohortEvidence, Parts, Run
from osteotalk.report.model import Page
from osteotalk.report.registry import CLAIM, sections_of
from osteotalk.report.words.claims import short_name
from osteotalk.report.words.text import claim_file, words


def claim_pages(run: Run, *, jobs: int = 1) -> tuple[Page, ...]:
    """Build the panels of all claims, in the order of the table.

    Parameters
    ----------
    run
        All cohorts together.
    jobs
        Processes that draw panels at the same time.
    """
    claims = _claims(run)
    draw = partial(sections_of, builders=CLAIM)
    drawn = in_order(draw, claims, jobs=jobs, what="panels of claims", unit="claims")
    ids = [str(claim.row["claim_id"]) for claim in claims]
    return tuple(
        Page(
            file=claim_file(ids[place]),
            title=f"{ids[place]}: {_topic(claim.row)}",
            lead=(words(claim.row["statement"]),),
            sections=sections,
            banner=run.banner,
            links=_links(ids, place),
        )
        for place, (claim, sections) in enumerate(zip(claims, drawn, strict=True))
    )


def _claims(run: Run) -> list[Claim]:
    """Each claim with what the cohorts have on it."""
    cohorts = [part.evidence for part in run.cohorts]
    own = [{str(r["claim_id"]): r for r in cohort.frame.to_dict("records")} for cohort in cohorts]
    claims = []
    for row in run.frame.to_dict("records"):
        name = str(row["claim_id"])
        results = [
            (cohort.title, cohort.dataset, rows.get(name, {}))
            for cohort, rows in zip(cohorts, own, strict=True)
        ]
        claims.append(
            Claim(
                row=row,
                results=results,
                patients=_parts(cohorts, "patients", name),
                statistics=_parts(cohorts, "statistics", name),
                edges=_parts(cohorts, "edges", name),
                names=run.tables.names,
                stamp=run.stamp,
            )
        )
    return claims


def _parts(cohorts: Sequence[CohortEvidence], kind: str, claim_id: str) -> Parts:
    found = [(cohort.title, getattr(cohort, kind).get(claim_id)) for cohort in cohorts]
    return [(title, own) for title, own in found if own is not None]


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
