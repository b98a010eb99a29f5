"""What one cohort says about each claim."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from osteotalk.claims.circularity import circularity
from osteotalk.claims.claim import CONDITIONS, UNTESTABLE, Claim, read_claims
from osteotalk.claims.controls.candidates import Ledger, Settings
from osteotalk.claims.controls.decoys import decoy_p_value
from osteotalk.claims.measures.cohort import Cohort
from osteotalk.claims.measures.contrasts import (
    MIN_CORRELATED,
    Outcome,
    Split,
    compare,
    correlate,
    mean_interval,
    rank_correlations,
)
from osteotalk.claims.measures.design import Design, difference, read_design
from osteotalk.claims.measures.measure import Measurement, measure
from osteotalk.claims.measures.programmes import measured_genes
from osteotalk.claims.measures.response import NO_RESPONSE, response_check
from osteotalk.claims.measures.values import quantity_values
from osteotalk.claims.panels import (
    ELSEWHERE,
    MATCHED,
    Compared,
    Panel,
    match_rows,
    statistic_table,
    value_rows,
)
from osteotalk.claims.unnamed import tell_unnamed
from osteotalk.claims.verdicts import INCONCLUSIVE, NOT_SUPPORTED, Rules, verdict
from osteotalk.contract import conform, empty_frame, table_of
from osteotalk.interactions.support import wilson_interval

NAN = float("nan")
NOTHING: Mapping[str, Any] = {
    "reason": "",
    "given": "",
    "reason_given": "",
    "n_sides": "",
    "sign": 1,
    "n_informative": 0,
    "n_active": 0,
    "best_edge": "",
    "effect": NAN,
    "effect_low": NAN,
    "effect_high": NAN,
    "direction_p": NAN,
    "decoy_p": NAN,
    "population_p": NAN,
    "n_decoys": 0,
    "n_population_decoys": 0,
    **NO_RESPONSE,
}


@dataclass(frozen=True)
class Findings:
    """What one cohort says about a table of claims: tables of `osteotalk.contract`.

    Attributes
    ----------
    evidence
        One row per claim, in the order of the claims.
    decoys
        How well the decoys match: table `decoys`.
    values
        What entered the tests, by claim and patient: table `values`.
    statistics
        What was compared with decoys: table `decoy_statistics`.
    """

    evidence: pd.DataFrame
    decoys: pd.DataFrame
    values: pd.DataFrame
    statistics: pd.DataFrame


def gather_evidence(
    table: pd.DataFrame,
    cohort: Cohort,
    *,
    vocabulary: pd.DataFrame,
    markers: pd.DataFrame,
    signatures: pd.DataFrame,
    rules: Rules,
    settings: Settings,
    named: pd.DataFrame | None = None,
) -> Findings:
    """Evidence for every claim in one cohort.

    Every claim has one number per patient (`values`), and so has each of its decoys (`decoys`). A
    plain claim is judged by the mean over the informative patients, a contrast by the difference
    between two conditions or the correlation with another quantity; the p-value against the decoys
    is the share of them that do at least as well (Phipson and Smyth 2010,
    doi:10.2202/1544-6115.1585). An interaction has two kinds of decoys, and both have to be
    beaten: other pairs (with a q-value over all claims) and other populations.

    Parameters
    ----------
    table
        Table of claims.
    cohort
        From `osteotalk.claims.measures.cohort.build_cohort`.
    vocabulary, markers, signatures
        Tables of populations, of markers by which they were named, of gene programmes.
    rules, settings
        Thresholds, and numbers of decoys.
    named
        More claims whose pairs, edges and genes must not serve as decoys.
    """
    if table.empty:
        names = ("evidence", "decoys", "values", "decoy_statistics")
        return Findings(*(empty_frame(name) for name in names))
    claims = read_claims(table, vocabulary=vocabulary)
    others = [] if named is None else read_claims(named, vocabulary=vocabulary)
    ledger = read_ledger([*claims, *others], cohort, signatures=signatures)
    circular = circularity(table, markers=markers, populations=vocabulary, signatures=signatures)
    rows, matches, values, panels = [], [], [], []
    for claim, circle in zip(claims, circular, strict=True):
        row, found, panel = _judge(claim, cohort, ledger, rules=rules, settings=settings)
        rows.append(row | {"circular": circle})
        matches += match_rows(claim, cohort, found)
        values += value_rows(claim, cohort, found, panel)
        panels.append((claim.claim_id, panel))
    evidence = conclude(pd.DataFrame(rows), rules=rules, table="evidence")
    return Findings(
        evidence=_tell_lost(evidence, claims, cohort, min_patients=rules.min_patients),
        decoys=table_of(matches, table="decoys"),
        values=table_of(values, table="values"),
        statistics=statistic_table(panels, cohort.dataset),
    )


def read_ledger(claims: Sequence[Claim], cohort: Cohort, *, signatures: pd.DataFrame) -> Ledger:
    """Gather what the claims name together, see `Ledger`."""
    n = len(cohort.populations)
    pairs = np.zeros(len(cohort.pairs), dtype=bool)
    genes = np.zeros(len(cohort.genes), dtype=bool)
    edges: dict[int, np.ndarray] = {}
    for claim in claims:
        for gene in claim.genes:
            if gene in cohort.genes:
                genes[cohort.genes.get_loc(gene)] = True
        ends = np.ix_(cohort.columns(claim.source), cohort.columns(claim.target))
        for row in (cohort.pair_row[p] for p in claim.pairs if p in cohort.pair_row):
            pairs[row] = True
            edges.setdefault(row, np.zeros((n, n), dtype=bool))[ends] = True
    weights = {
        name: (cohort.genes.get_indexer(own.index), own.to_numpy())
        for name, own in measured_genes(signatures, cohort.genes).items()
    }
    return Ledger(pairs, edges, genes, weights)


def conclude(evidence: pd.DataFrame, *, rules: Rules, table: str) -> pd.DataFrame:
    """Add interval, q-value and verdict to measured claims.

    `decoy_q` is Benjamini-Hochberg over all rows that have a decoy p-value and could be tested.
    A row that comes with a reason is not testable for that reason; `given` holds a verdict that
    is certain without the rules.
    """
    evidence = evidence.copy()
    plain = (evidence["contrast"] == "").to_numpy()
    n, active = (evidence[c].to_numpy(dtype=np.int64) for c in ("n_informative", "n_active"))
    evidence["support"] = np.where(plain & (n > 0), active / np.maximum(n, 1), np.nan)
    low, high = wilson_interval(active, np.where(plain, n, 0))
    evidence["support_low"], evidence["support_high"] = low, high
    evidence["decoy_q"] = np.nan
    tested = evidence["decoy_p"].notna() & (evidence["reason"] == "") & (n >= rules.min_patients)
    if tested.any():
        evidence.loc[tested, "decoy_q"] = stats.false_discovery_control(
            evidence.loc[tested, "decoy_p"].to_numpy(dtype=np.float64)
        )
    told = [verdict(row, rules=rules) for row in evidence.to_dict("records")]
    evidence["verdict"] = [name for name, _ in told]
    evidence["reason"] = [reason for _, reason in told]
    return conform(evidence, table=table)


def _judge(
    claim: Claim, cohort: Cohort, ledger: Ledger, *, rules: Rules, settings: Settings
) -> tuple[dict[str, Any], Measurement, Panel]:
    """Evidence of one claim, without what needs all claims; its measurement; what was tested."""
    row: dict[str, Any] = {
        **NOTHING,
        "claim_id": claim.claim_id,
        "dataset": cohort.dataset,
        "kind": claim.kind,
        "contrast": claim.contrast,
    }
    if claim.kind == UNTESTABLE:
        return row | {"reason": claim.reason}, Measurement(), Panel()
    found = measure(claim, cohort, ledger, settings)
    if found.reason:
        return row | {"reason": found.reason}, found, Panel()
    row |= {"best_edge": found.best_edge}
    if not claim.contrast:
        told, panel = _plain(found, cohort)
        return row | told | response_check(claim, cohort), found, panel
    test = _between_conditions if claim.contrast == CONDITIONS else _correlation
    told, panel = test(claim, found, cohort, rules, settings)
    return row | told, found, panel


def _plain(found: Measurement, cohort: Cohort) -> tuple[dict[str, Any], Panel]:
    if not len(found.samples):
        return {}, Panel()
    value, patients = cohort.by_patient(found.value, found.samples)
    controls, _ = cohort.by_patient(found.controls, found.samples)
    active, _ = cohort.by_patient(found.active.astype(float), found.samples)
    effect = mean_interval(value - controls.mean(axis=1)) if controls.size else (NAN, NAN, NAN)
    compared = _statistics(float(value.mean()), controls, _of_patients(found, cohort), _mean)
    row = {
        "n_informative": len(patients),
        "n_active": int((active > 0).sum()),
        **dict(zip(("effect", "effect_low", "effect_high"), effect, strict=True)),
        **_against_decoys(compared),
    }
    return row, Panel([np.arange(len(found.samples))], statistics=compared)


def _between_conditions(
    claim: Claim, found: Measurement, cohort: Cohort, rules: Rules, settings: Settings
) -> tuple[dict[str, Any], Panel]:
    condition = np.array(cohort.conditions, dtype=object)[found.samples]
    on = [np.isin(condition, side) for side in (claim.first, claim.second)]
    own = np.array(cohort.patients, dtype=object)[found.samples]
    design = read_design(own, on, least=rules.min_patients, most_p=rules.max_direction_p)
    on = [side & np.isin(own, list(design.patients)) for side in on]
    names = ["+".join(side) for side in (claim.first, claim.second)]
    result: dict[str, Any] = {"n_informative": len(design.patients)}
    panel = Panel([np.flatnonzero(side) for side in on])
    if not design.testable:
        return result | {"reason": design.too_few(*names)}, panel
    values, controls, elsewhere = _by_side(found, cohort, on, design)
    if not any(found.value[side].any() for side in on):
        return result | {"given": NOT_SUPPORTED, "reason_given": "detected in no patient"}, panel
    outcome = compare(values, sign=claim.sign, seed=settings.seed)

    def statistic(split: Split) -> np.ndarray:
        with np.errstate(invalid="ignore"):
            return claim.sign * difference(split, _mean)

    compared = _statistics(claim.sign * outcome.effect, controls, elsewhere, statistic)
    told = _of_contrast(claim, outcome, compared, n_sides=design.told(*names))
    return result | told, replace(panel, statistics=compared)


def _by_side(
    found: Measurement, cohort: Cohort, on: Sequence[np.ndarray], design: Design
) -> tuple[Split, Split, Split | None]:
    """Values of claim, controls and population decoys, of the patients on two sides."""
    sides = [_patients(found, cohort, side) for side in on]
    own = np.array(cohort.patients, dtype=object)[found.samples]
    names = [sorted(set(own[side])) for side in on]
    values, controls = (
        design.split(first, second, names)
        for first, second in zip(sides[0][:2], sides[1][:2], strict=True)
    )
    first, second = sides[0][2], sides[1][2]
    if first is None or second is None:
        return values, controls, None
    return values, controls, design.split(first, second, names)


def _correlation(
    claim: Claim, found: Measurement, cohort: Cohort, rules: Rules, settings: Settings
) -> tuple[dict[str, Any], Panel]:
    if claim.quantity is None:
        msg = f"claim {claim.claim_id} is a correlation with nothing"
        raise ValueError(msg)
    along, reason = quantity_values(cohort, claim.quantity)
    if reason:
        return {"reason": reason}, Panel()
    along = along[cohort.partners]
    on = ~np.isnan(along[found.samples])
    value, controls, elsewhere = _patients(found, cohort, on)
    x, _ = cohort.by_patient(along[found.samples[on]], found.samples[on])
    least = max(rules.min_patients, MIN_CORRELATED)
    result: dict[str, Any] = {"n_informative": len(value)}
    panel = Panel([np.flatnonzero(on)], along)
    if len(value) < least:
        reason = f"too few patients: {len(value)} with both, {least} are needed"
        return result | {"reason": reason}, panel
    if not value.any():
        return result | {"given": NOT_SUPPORTED, "reason_given": "detected in no patient"}, panel
    if np.ptp(value) == 0 or np.ptp(x) == 0:
        told = {"given": INCONCLUSIVE, "reason_given": "no variation between patients"}
        return result | told, panel
    outcome = correlate(value, x, sign=claim.sign, seed=settings.seed)
    compared = _statistics(
        claim.sign * outcome.effect,
        controls,
        elsewhere,
        lambda values: claim.sign * rank_correlations(values, x),
    )
    told = _of_contrast(claim, outcome, compared, n_sides=f"{len(value)} patients")
    return result | told, replace(panel, statistics=compared)


def _of_contrast(
    claim: Claim, outcome: Outcome, compared: Mapping[str, Compared], *, n_sides: str
) -> dict[str, Any]:
    """Evidence of a claim with a contrast."""
    return {
        "n_sides": n_sides,
        "sign": claim.sign,
        "effect": outcome.effect,
        "effect_low": outcome.low,
        "effect_high": outcome.high,
        "direction_p": outcome.p_value,
        **_against_decoys(compared),
    }


def _patients(
    found: Measurement, cohort: Cohort, on: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Values of claim, controls and population decoys by patient, over some of the samples."""
    rows = found.samples[on]
    parts = [cohort.by_patient(part[on], rows)[0] for part in (found.value, found.controls)]
    return parts[0], parts[1], _of_patients(found, cohort, on)


def _of_patients(
    found: Measurement, cohort: Cohort, on: np.ndarray | None = None
) -> np.ndarray | None:
    if found.elsewhere is None:
        return None
    rows = np.ones(len(found.samples), dtype=bool) if on is None else on
    return cohort.by_patient(found.elsewhere[rows], found.samples[rows])[0]


def _mean(values: np.ndarray) -> np.ndarray:
    """Mean over patients that have a value; NaN where none has."""
    known = ~np.isnan(values)
    n = known.sum(axis=0)
    total = np.where(known, values, 0.0).sum(axis=0)
    result: np.ndarray = np.where(n > 0, total / np.maximum(n, 1), np.nan)
    return result


def _statistics(claim: float, controls: Any, elsewhere: Any, statistic: Any) -> dict[str, Compared]:
    """Statistics of a claim and of its decoys, by control."""
    of_sets = np.full(1, np.nan) if elsewhere is None else statistic(elsewhere)
    return {
        MATCHED: Compared(claim, statistic(controls)),
        ELSEWHERE: Compared(float(of_sets[0]), of_sets[1:]),
    }


def _against_decoys(compared: Mapping[str, Compared]) -> dict[str, Any]:
    """p-values of a claim against both kinds of decoys, and how many there are."""
    matched, elsewhere = compared[MATCHED], compared[ELSEWHERE]
    return {
        "decoy_p": decoy_p_value(matched.claim, matched.decoys),
        "population_p": decoy_p_value(elsewhere.claim, elsewhere.decoys),
        "n_decoys": matched.n_known,
        "n_population_decoys": elsewhere.n_known,
    }


def _tell_lost(
    evidence: pd.DataFrame, claims: Sequence[Claim], cohort: Cohort, *, min_patients: int
) -> pd.DataFrame:
    """Add to the reason which pairs of a claim could not be scored, and which cells it lacks."""
    notes = []
    for claim, verdict_ in zip(claims, evidence["verdict"], strict=True):
        tested = set(cohort.pairs_of(claim.pairs))
        lost = [pair for pair in claim.pairs if cohort.pair_row.get(pair) not in tested]
        told = 0 < len(lost) < len(claim.pairs)
        note = f"; not measured, or not in the resource: {', '.join(lost)}" if told else ""
        cells = tell_unnamed(claim, cohort, verdict=verdict_, min_patients=min_patients)
        notes.append(f"{note}{cells}")
    reason = [f"{text}{note}" for text, note in zip(evidence["reason"], notes, strict=True)]
    return evidence.assign(reason=reason)
