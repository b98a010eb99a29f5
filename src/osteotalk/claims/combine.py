"""One verdict per claim over independent cohorts."""

from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from osteotalk.claims.evidence import conclude
from osteotalk.claims.verdicts import Rules

COMBINED = "all"
NONE_COUNTS = "every cohort of this run is kept out of the combined verdicts"


def independent_datasets(datasets: pd.DataFrame, chosen: list[str]) -> list[str]:
    """Those of the chosen datasets that are of different patients, in the given order.

    A re-release names the original in `patients_of`; of the two, the first chosen counts. Simulated
    patients are never added to real ones: a simulated cohort counts only if all chosen are. The
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
    evidence: pd.DataFrame, *, independent: list[str], rules: Rules
) -> pd.DataFrame:
    """Combine what independent cohorts say of each claim.

    Cohorts without an informative patient do not count for a claim. Over the others, patients are
    added up, decoy p-values of cohorts with `min_patients` (of all, if none has) are combined by
    Fisher's method, and effects are averaged weighted by informative patients (without an interval,
    unless there is one cohort). The rules of `verdicts` then apply to the sums, so that with one
    cohort the combined verdict is that of the cohort.

    Parameters
    ----------
    evidence
        Rows of all cohorts.
    independent
        Datasets to combine.
    rules
        Thresholds.

    Returns
    -------
    The table `verdicts`, one row per claim in the order of `evidence`.
    """
    used = evidence[evidence["dataset"].isin(independent)] if independent else _uncounted(evidence)
    rows = [
        {"claim_id": claim, "dataset": COMBINED, **_combine_claim(group, rules)}
        for claim, group in used.groupby("claim_id", sort=False)
    ]
    return conclude(pd.DataFrame(rows), rules=rules, table="verdicts")


def _uncounted(evidence: pd.DataFrame) -> pd.DataFrame:
    """Give the evidence as if nothing had been seen, for a run without a cohort that counts."""
    testable = evidence["kind"] != "not_testable"
    blank = dict.fromkeys(("support", "effect", "effect_low", "effect_high", "decoy_p"), np.nan)
    none = evidence.assign(n_informative=0, n_active=0, n_decoys=0, best_edge="", **blank)
    return none.assign(reason=evidence["reason"].mask(testable, NONE_COUNTS))


def _combine_claim(group: pd.DataFrame, rules: Rules) -> dict[str, Any]:
    counted = group[group["n_informative"] > 0]
    # A cohort too small for a verdict of its own still adds its patients.
    basis = counted if len(counted) else group
    first = basis.iloc[0]
    row = {
        "kind": first["kind"],
        "reason": "" if len(counted) else _reasons(group),
        "n_informative": int(basis["n_informative"].sum()),
        "n_active": int(basis["n_active"].sum()),
        "best_edge": first["best_edge"],
        "circular": first["circular"],
        "n_decoys": int(basis["n_decoys"].sum()),
        "n_datasets": len(counted),
    }
    if len(basis) == 1:
        return row | {c: first[c] for c in ("effect", "effect_low", "effect_high", "decoy_p")}
    strongest = basis.sort_values(["support", "n_active"], ascending=False, kind="stable")
    row["best_edge"] = strongest["best_edge"].iloc[0]
    effects = basis[basis["effect"].notna() & (basis["n_informative"] > 0)]
    large = basis[basis["n_informative"] >= rules.min_patients]
    p_values = (large if len(large) else basis)["decoy_p"].dropna().to_numpy(dtype=np.float64)
    weights = effects["n_informative"].to_numpy(dtype=np.float64)
    return row | {
        "effect": float(np.average(effects["effect"], weights=weights)) if len(effects) else np.nan,
        "effect_low": np.nan,
        "effect_high": np.nan,
        "decoy_p": float(stats.combine_pvalues(p_values, method="fisher").pvalue)
        if p_values.size
        else np.nan,
    }


def _reasons(group: pd.DataFrame) -> str:
    """Why no cohort had an informative patient."""
    given = [(row["dataset"], row["reason"]) for row in group.to_dict("records")]
    distinct = list(dict.fromkeys(reason for _, reason in given))
    if len(distinct) == 1:
        return distinct[0]
    return "; ".join(f"{dataset}: {reason}" for dataset, reason in given)
