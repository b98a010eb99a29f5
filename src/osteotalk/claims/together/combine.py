"""One verdict per claim over independent cohorts."""

from typing import Any

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.stats.meta_analysis import combine_effects

from osteotalk.claims.claim import CORRELATION, LOWER
from osteotalk.claims.evidence import NOTHING, conclude
from osteotalk.claims.measures.contrasts import on_fishers_scale
from osteotalk.claims.measures.response import NO_RESPONSE
from osteotalk.claims.verdicts import (
    CONTRADICTED,
    INCONCLUSIVE,
    NOT_SPECIFIC,
    NOT_SUPPORTED,
    SUPPORTED,
    Rules,
)
from osteotalk.contract import empty_frame

COMBINED = "all"
NONE_COUNTS = "every cohort of this run is kept out of the combined verdicts"
NAN = float("nan")
# A p-value of 1 says that no decoy was weaker, which 1,000 decoys cannot tell from 0.999; as 1 it
# would outweigh any other cohort.
LARGEST = 0.999


def independent_datasets(datasets: pd.DataFrame, chosen: list[str]) -> list[str]:
    """Those of the chosen datasets that are of different patients, in the given order.

    A re-release names the original in `patients_of`; of the two, the first chosen counts. Simulated
    patients are never added to real ones: a simulated cohort counts only if all chosen are.
    Cohorts that say `combine` no, such as a control, never count: if there is no other real one,
    none does.
    """
    source, parent, combine = (
        dict(zip(datasets["dataset"], datasets[column], strict=True))
        for column in ("source", "patients_of", "combine")
    )
    real = [dataset for dataset in chosen if source[dataset] != "simulated"]
    counted = [dataset for dataset in real or chosen if combine[dataset] != "no"]
    kept: dict[str, str] = {}
    for dataset in counted:
        original, seen = dataset, {dataset}
        while parent[original] and parent[original] not in seen:
            original = parent[original]
            seen.add(original)
        kept.setdefault(original, dataset)
    return list(kept.values())


def combine_evidence(
    evidence: pd.DataFrame, *, claims: pd.DataFrame, independent: list[str], rules: Rules
) -> pd.DataFrame:
    """Combine what independent cohorts say of each claim.

    Cohorts that could not measure a claim do not count for it. Over the others,

    - patients are added up;
    - p-values against decoys, and those of a direction, are combined by Stouffer's method, weighted
      by the square root of the patients (a cohort below `min_patients` counts only if all are);
    - effects are combined by a random-effects model (Paule and Mandel) with the interval of Hartung
      and Knapp, never narrower than without their factor, or the normal one of two cohorts;
      correlations on Fisher's scale; `i_squared` is the share of their variation that is between
      cohorts.

    The rules of `verdicts` then apply to the sums, so that with one cohort the combined verdict is
    that of the cohort. Where cohorts say the opposite of each other, the reason says so.

    Parameters
    ----------
    evidence
        Table `evidence` of all cohorts.
    claims
        Table of claims.
    independent
        Datasets to combine.
    rules
        Thresholds.

    Returns
    -------
    The table `verdicts`, one row per claim in the order of `evidence`.

    References
    ----------
    Whitlock 2005, J. Evol. Biol. 18, 1368, doi:10.1111/j.1420-9101.2005.00917.x (Stouffer);
    Hartung and Knapp 2001, Stat. Med. 20, 3875, doi:10.1002/sim.1009; Roever, Knapp and Friede
    2015, BMC Med. Res. Methodol. 15, 99, doi:10.1186/s12874-015-0091-1 (its lower bound);
    Higgins and Thompson 2002, Stat. Med. 21, 1539, doi:10.1002/sim.1186 (I squared).
    """
    if evidence.empty:
        return empty_frame("verdicts")
    used = evidence[evidence["dataset"].isin(independent)] if independent else _uncounted(evidence)
    sign = {
        str(name): -1 if direction == LOWER else 1
        for name, direction in zip(claims["claim_id"], claims["direction"], strict=True)
    }
    rows = [
        {"claim_id": claim, "dataset": COMBINED, **_combine_claim(group, rules, sign[str(claim)])}
        for claim, group in used.groupby("claim_id", sort=False)
    ]
    table = conclude(pd.DataFrame(rows), rules=rules, table="verdicts")
    told = [
        f"{reason}{_disagreement(cohorts)}"
        for reason, cohorts in zip(table["reason"], table["cohorts"], strict=True)
    ]
    return table.assign(reason=told)


def _uncounted(evidence: pd.DataFrame) -> pd.DataFrame:
    """Give the evidence as if nothing had been seen, for a run without a cohort that counts."""
    testable = evidence["kind"] != "not_testable"
    numbers = ("support", "effect", "effect_low", "effect_high", "direction_p", "decoy_p")
    blank = dict.fromkeys((*numbers, "population_p"), np.nan)
    counts = dict.fromkeys(("n_informative", "n_active", "n_decoys", "n_population_decoys"), 0)
    none = evidence.assign(best_edge="", verdict="not testable", **counts, **blank, **NO_RESPONSE)
    return none.assign(reason=evidence["reason"].mask(testable, NONE_COUNTS))


def _combine_claim(group: pd.DataFrame, rules: Rules, sign: int) -> dict[str, Any]:
    contrast = bool(group["contrast"].iloc[0])
    counted = group[group["direction_p"].notna() if contrast else group["n_informative"] > 0]
    basis = counted if len(counted) else group
    n = basis["n_informative"].to_numpy(dtype=np.float64)
    large = n >= rules.min_patients
    enough = large if large.any() else np.ones(len(n), dtype=bool)
    strongest = basis.sort_values(["support", "n_active"], ascending=False, kind="stable").iloc[0]
    return {
        **NOTHING,
        "kind": basis["kind"].iloc[0],
        "contrast": basis["contrast"].iloc[0],
        "circular": basis["circular"].iloc[0],
        "sign": sign,
        "n_sides": f"{int(n.sum())} patients",
        "n_informative": int(n.sum()),
        "n_active": int(basis["n_active"].sum()),
        "best_edge": strongest["best_edge"],
        "n_decoys": int(basis["n_decoys"].sum()),
        "n_population_decoys": int(basis["n_population_decoys"].sum()),
        "n_datasets": len(counted),
        "cohorts": "; ".join(f"{r['dataset']}: {r['verdict']}" for r in group.to_dict("records")),
        **_uncountable(group, counted, contrast=contrast, min_patients=rules.min_patients),
        **{
            name: stouffer(basis[name].to_numpy(dtype=np.float64)[enough], n[enough])
            for name in ("direction_p", "decoy_p", "population_p")
        },
        **_effects(basis, "effect", correlation=basis["contrast"].iloc[0] == CORRELATION),
        **_responses(basis),
    }


def _uncountable(
    group: pd.DataFrame, counted: pd.DataFrame, *, contrast: bool, min_patients: int
) -> dict[str, str]:
    """What is certain without a number: why a claim was measured in no cohort, or too few."""
    if len(counted):
        few = not contrast and counted["n_informative"].sum() < min_patients
        return {"reason": _reasons(group)} if few else {}
    if contrast:
        for name in (NOT_SUPPORTED, INCONCLUSIVE):
            same = group[group["verdict"] == name]
            if len(same):
                return {"given": name, "reason_given": _reasons(same)}
    return {"reason": _reasons(group)}


def stouffer(p_values: np.ndarray, patients: np.ndarray) -> float:
    """One-sided p-values in one, weighted by the square root of the patients; NaN without any."""
    known = ~np.isnan(p_values)
    if not known.any():
        return NAN
    if known.sum() == 1:
        return float(p_values[known][0])
    bounded = np.clip(p_values[known], 1e-300, LARGEST)
    weights = np.sqrt(np.maximum(patients[known], 1))
    return float(stats.combine_pvalues(bounded, method="stouffer", weights=weights).pvalue)


def _effects(rows: pd.DataFrame, name: str, *, correlation: bool) -> dict[str, float]:
    """Random-effects mean of an effect with interval, and I squared."""
    columns = [name, f"{name}_low", f"{name}_high"]
    if len(rows) == 1:
        only = [float(rows[column].iloc[0]) for column in columns]
        return dict(zip(columns, only, strict=True)) | {"i_squared": NAN}
    known = rows[rows[columns].notna().all(axis=1)]
    effects = known[name].to_numpy(dtype=np.float64)
    widths = (known[columns[2]] - known[columns[1]]).to_numpy(dtype=np.float64)
    errors = widths / (2 * stats.norm.ppf(0.975))
    if correlation:
        pairs = zip(effects, known["n_informative"], strict=True)
        scaled = [on_fishers_scale(float(rho), int(n)) for rho, n in pairs]
        effects, errors = np.array(scaled).reshape(-1, 2).T
    usable = errors > 0
    if usable.sum() < 2:
        seen = rows[rows[name].notna()]
        weights = np.maximum(seen["n_informative"].to_numpy(dtype=np.float64), 1)
        mean = float(np.average(seen[name], weights=weights)) if len(seen) else NAN
        return {columns[0]: mean, columns[1]: NAN, columns[2]: NAN, "i_squared": NAN}
    with np.errstate(divide="ignore"):  # of I squared, where all effects are the same
        found = combine_effects(effects[usable], errors[usable] ** 2, method_re="iterated")
    # Where effects agree by luck, Hartung and Knapp's interval would have hardly any width; of two
    # cohorts it has one degree of freedom and rules out nothing.
    k, error = int(usable.sum()), max(found.sd_eff_w_re, found.sd_eff_w_re_hksj)
    width = (stats.t.ppf(0.975, k - 1) if k > 2 else stats.norm.ppf(0.975)) * error
    values = found.mean_effect_re + np.array([0.0, -width, width])
    if correlation:
        values = np.tanh(values)
    i_squared = float(max(found.i2, 0.0))
    return dict(zip(columns, map(float, values), strict=True)) | {"i_squared": i_squared}


def _responses(rows: pd.DataFrame) -> dict[str, float | int]:
    renamed = rows.rename(
        columns={
            "response_effect": "response",
            "n_informative": "_n",
            "n_response": "n_informative",
        }
    )
    found = _effects(renamed, "response", correlation=True)
    return {
        "response_effect": found["response"],
        "response_low": found["response_low"],
        "response_high": found["response_high"],
        "n_response": int(rows["n_response"].sum()),
    }


def _reasons(group: pd.DataFrame) -> str:
    """Why no cohort could tell."""
    given = [(row["dataset"], row["reason"]) for row in group.to_dict("records")]
    distinct = list(dict.fromkeys(reason for _, reason in given))
    if len(distinct) == 1:
        return distinct[0]
    return "; ".join(f"{dataset}: {reason}" for dataset, reason in given)


def _disagreement(cohorts: str) -> str:
    """A note where one cohort shows what another rules out."""
    verdicts = {part.partition(": ")[2] for part in cohorts.split("; ")}
    if verdicts & {SUPPORTED, NOT_SPECIFIC} and verdicts & {NOT_SUPPORTED, CONTRADICTED}:
        return "; cohorts disagree"
    return ""
