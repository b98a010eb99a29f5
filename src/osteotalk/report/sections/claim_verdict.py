"""The section of a claim's panel with its verdict, over all cohorts and in each."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from osteotalk.report.inputs import Claim
from osteotalk.report.model import Column, Section, Table
from osteotalk.report.words.claims import result_words
from osteotalk.report.words.text import claim_stem, verdict, words
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


def section(claim: Claim) -> Section:
    """The section of a claim's panel."""
    row = claim.row
    rows = [_cohort_row(row, ALL_COHORTS, "index.html")]
    rows += [
        _cohort_row(result, title, f"{dataset}.html") for title, dataset, result in claim.results
    ]
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
        download=f"assets/{claim_stem(str(row['claim_id']))}_cohorts.tsv",
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
