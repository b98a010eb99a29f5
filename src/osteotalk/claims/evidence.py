"""What one cohort says about each claim."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from osteotalk.claims.circularity import circularity
from osteotalk.claims.decoys import claim_rng, decoy_p_value, draw_decoys, pair_detection
from osteotalk.claims.verdicts import NOT_TESTABLE, Rules, verdict
from osteotalk.contract import conform
from osteotalk.interactions.support import EDGE, informative_patients, is_active, wilson_interval
from osteotalk.tables import split, within

log = logging.getLogger(__name__)

STATISTIC = "spec_weight"


@dataclass(frozen=True)
class Cohort:
    """What the claims are tested on.

    Attributes
    ----------
    dataset
        Id of the cohort.
    pairs
        Measured pairs of the resource: ligand, receptor.
    detection
        Their detection over the cohort, pairs x 2.
    interactions
        Tables of all samples, with columns patient, pair (row in `pairs`) and active.
    informative
        From `informative_patients`.
    support
        Table `support` of the cohort, with column pair.
    populations
        Populations found in the cohort.
    """

    dataset: str
    pairs: pd.DataFrame
    detection: np.ndarray
    interactions: pd.DataFrame
    informative: pd.DataFrame
    support: pd.DataFrame
    populations: frozenset[str]


def prepare_cohort(
    *,
    dataset: str,
    resource: pd.DataFrame,
    interactions: pd.DataFrame,
    support: pd.DataFrame,
    obs: pd.DataFrame,
    shares: pd.Series,
    min_cells: int,
    alpha: float,
) -> Cohort:
    """Gather what `gather_evidence` needs.

    Parameters
    ----------
    dataset
        Id of the cohort.
    resource
        Pairs that were scored and whose genes were all measured.
    interactions, support
        Result tables of the cohort.
    obs
        `obs` of the annotated cohort.
    shares
        Share of the cohort's cells in which each measured gene is detected.
    min_cells, alpha
        As in scoring.
    """
    informative = informative_patients(obs, min_cells=min_cells)
    row = {
        pair: i for i, pair in enumerate(zip(resource["ligand"], resource["receptor"], strict=True))
    }
    table = interactions[["sample", *EDGE, STATISTIC, "q_value"]].copy()
    for frame in (table, support := support.copy()):
        keys = zip(frame["ligand_complex"], frame["receptor_complex"], strict=True)
        frame["pair"] = np.array([row[key] for key in keys], dtype=np.int64)
    table["patient"] = table["sample"].map(
        informative.drop_duplicates("sample").set_index("sample")["patient"]
    )
    table["active"] = is_active(table, alpha=alpha)
    sides = ["source", "target"]
    table[sides] = table[sides].astype("category")  # every claim looks them up
    return Cohort(
        dataset=dataset,
        pairs=resource,
        detection=pair_detection(resource, shares),
        interactions=table,
        informative=informative,
        support=support,
        populations=frozenset(obs["population"].astype(str)),
    )


def gather_evidence(
    claims: pd.DataFrame,
    cohort: Cohort,
    *,
    vocabulary: pd.DataFrame,
    markers: pd.DataFrame,
    rules: Rules,
    n_decoys: int,
    decoy_pool: int,
    seed: int,
) -> pd.DataFrame:
    """Evidence for every claim in one cohort.

    A claim's edges are all its pairs between all its sources and targets. It is active in a patient
    if one of its edges is. Its statistic in a patient is the highest `spec_weight` (NATMI: the
    source's share of the ligand's expression times the target's share of the receptor's, 0 to 1)
    over its edges, 0 where none is detected; samples of one patient are averaged. The statistic is
    compared with that of matched decoys (see `decoys`).

    Parameters
    ----------
    claims
        Table of claims.
    cohort
        From `prepare_cohort`.
    vocabulary
        Table of populations.
    markers
        Table of markers, by which the populations were named.
    rules, n_decoys, decoy_pool, seed
        See `verdicts` and `decoys`.

    Returns
    -------
    The table `evidence` (see `osteotalk.contract`), one row per claim in the order of the table.
    `effect` is the mean over informative patients of the claim's statistic less the mean of its
    decoys, with a 95 % t interval over patients. `circular` names genes of the claim that are also
    markers of its populations (see `circularity`).
    """
    names = cohort.pairs["ligand"] + "^" + cohort.pairs["receptor"]
    claimed = names.isin([pair for cell in claims["pairs"] for pair in split(cell)]).to_numpy()
    circular = circularity(claims, markers=markers, populations=vocabulary)
    rows = []
    for claim, circle in zip(claims.astype(str).to_dict("records"), circular, strict=True):
        row: dict[str, Any] = {
            "claim_id": claim["claim_id"],
            "dataset": cohort.dataset,
            "kind": claim["kind"],
            "circular": circle,
        }
        if claim["kind"] == "interaction":
            row |= _measure(
                claim,
                cohort,
                vocabulary,
                claimed=claimed,
                n_decoys=n_decoys,
                decoy_pool=decoy_pool,
                seed=seed,
            )
        else:
            row |= {**_NOTHING, "reason": claim["reason"]}
        rows.append(row)
    table = conclude(pd.DataFrame(rows), rules=rules, table="evidence")
    scored = set(names)
    notes = []
    for pairs in claims["pairs"].map(split):
        lost = [pair for pair in pairs if pair not in scored]
        told = 0 < len(lost) < len(pairs)
        notes.append(f"; not measured, or not in the resource: {', '.join(lost)}" if told else "")
    table["reason"] = [
        f"{reason}{note}" for reason, note in zip(table["reason"], notes, strict=True)
    ]
    return table


def conclude(evidence: pd.DataFrame, *, rules: Rules, table: str) -> pd.DataFrame:
    """Add interval, q-value and verdict to measured claims.

    `decoy_q` is Benjamini-Hochberg over all rows that have a decoy p-value and enough patients.
    A row that comes with a reason is not testable for that reason.
    """
    evidence = evidence.copy()
    n, active = (evidence[c].to_numpy(dtype=np.int64) for c in ("n_informative", "n_active"))
    evidence["support"] = np.where(n > 0, active / np.maximum(n, 1), np.nan)
    evidence["support_low"], evidence["support_high"] = wilson_interval(active, n)
    evidence["decoy_q"] = np.nan
    tested = evidence["decoy_p"].notna() & (n >= rules.min_patients)
    if tested.any():
        evidence.loc[tested, "decoy_q"] = stats.false_discovery_control(
            evidence.loc[tested, "decoy_p"].to_numpy(dtype=np.float64)
        )
    outcome = [
        (NOT_TESTABLE, row["reason"])
        if row["reason"]
        else verdict(
            n_informative=int(row["n_informative"]),
            n_active=int(row["n_active"]),
            support_high=float(row["support_high"]),
            decoy_q=float(row["decoy_q"]),
            rules=rules,
        )
        for row in evidence.to_dict("records")
    ]
    evidence["verdict"] = [name for name, _ in outcome]
    evidence["reason"] = [reason for _, reason in outcome]
    return conform(evidence, table=table)


_NOTHING: Mapping[str, Any] = {
    "reason": "",
    "n_informative": 0,
    "n_active": 0,
    "best_edge": "",
    "effect": float("nan"),
    "effect_low": float("nan"),
    "effect_high": float("nan"),
    "decoy_p": float("nan"),
    "n_decoys": 0,
}


def _measure(
    claim: Mapping[Any, str],
    cohort: Cohort,
    vocabulary: pd.DataFrame,
    *,
    claimed: np.ndarray,
    n_decoys: int,
    decoy_pool: int,
    seed: int,
) -> dict[str, Any]:
    """Numbers of one interaction claim, or the reason why there are none."""
    pairs, missing = _claim_pairs(claim, cohort.pairs)
    sources, targets = (
        {leaf for name in split(claim[side]) for leaf in within(vocabulary, name)}
        for side in ("source", "target")
    )
    reason = _why_not(
        claim,
        pairs=pairs,
        missing=missing,
        sources=sources,
        targets=targets,
        present=cohort.populations,
    )
    if reason:
        return {**_NOTHING, "reason": reason}
    informative = cohort.informative[
        cohort.informative["source"].isin(sources) & cohort.informative["target"].isin(targets)
    ]
    samples = informative.drop_duplicates("sample").set_index("sample")["patient"].sort_index()
    if samples.empty:
        return {**_NOTHING}
    between = cohort.interactions[
        cohort.interactions["source"].isin(sources) & cohort.interactions["target"].isin(targets)
    ]
    own = between[between["pair"].isin(pairs)]
    edges = cohort.support[
        cohort.support["source"].isin(sources)
        & cohort.support["target"].isin(targets)
        & cohort.support["pair"].isin(pairs)
    ]
    statistic = _patient_statistic(between, samples, len(cohort.pairs))
    decoys = draw_decoys(
        pairs,
        cohort.pairs,
        cohort.detection,
        claimed=claimed,
        pool_size=decoy_pool,
        n_decoys=n_decoys,
        rng=claim_rng(seed, cohort.dataset, claim["claim_id"]),
    )
    of_claim = statistic[:, pairs].max(axis=1)
    of_decoys = statistic[:, decoys].max(axis=2)  # patients x decoys
    effect, low, high = (
        _mean_interval(of_claim - of_decoys.mean(axis=1)) if decoys.size else ((float("nan"),) * 3)
    )
    return {
        **_NOTHING,
        "n_informative": samples.nunique(),
        "n_active": own.loc[own["active"], "patient"].nunique(),
        "best_edge": _best_edge(edges),
        "effect": effect,
        "effect_low": low,
        "effect_high": high,
        "decoy_p": decoy_p_value(float(of_claim.mean()), of_decoys.mean(axis=0)),
        "n_decoys": len(decoys),
    }


def _claim_pairs(claim: Mapping[str, str], pairs: pd.DataFrame) -> tuple[np.ndarray, list[str]]:
    """Rows of the claim's pairs, and those of its pairs that could not be scored."""
    row = dict(zip(pairs["ligand"] + "^" + pairs["receptor"], range(len(pairs)), strict=True))
    wanted = split(claim["pairs"])
    found = np.array(sorted({row[pair] for pair in wanted if pair in row}), dtype=np.int64)
    return found, [pair for pair in wanted if pair not in row]


def _why_not(
    claim: Mapping[Any, str],
    *,
    pairs: np.ndarray,
    missing: list[str],
    sources: set[str],
    targets: set[str],
    present: frozenset[str],
) -> str:
    if not pairs.size:
        return (
            f"no pair could be scored: not measured, or not in the resource: {', '.join(missing)}"
        )
    for side, wanted in (("source", sources), ("target", targets)):
        if not wanted & present:
            named = ", ".join(split(claim[side]))
            return f"population absent from the cohort: none of the {side}s ({named}) was found"
    return ""


def _patient_statistic(between: pd.DataFrame, samples: pd.Series, n_pairs: int) -> np.ndarray:
    """Highest statistic over the edges of each pair, patients (sorted) x pairs."""
    order = {sample: i for i, sample in enumerate(samples.index)}
    best = np.zeros((len(samples), n_pairs))
    rows = between[between["sample"].isin(order)]
    np.maximum.at(
        best,
        (rows["sample"].map(order).to_numpy(dtype=np.int64), rows["pair"].to_numpy()),
        rows[STATISTIC].to_numpy(),
    )
    return pd.DataFrame(best).groupby(samples.to_numpy(), sort=True).mean().to_numpy()


def _mean_interval(values: np.ndarray) -> tuple[float, float, float]:
    """Mean and 95 % t interval; the interval is NaN for fewer than two values."""
    mean = float(values.mean())
    if len(values) < 2:
        return mean, float("nan"), float("nan")
    width = float(stats.t.ppf(0.975, len(values) - 1) * stats.sem(values))
    return mean, mean - width, mean + width


def _best_edge(edges: pd.DataFrame) -> str:
    """The claim's edge with the highest support, then the best median specificity rank."""
    if edges.empty:
        return ""
    best = edges.sort_values(
        ["n_active", "median_specificity_rank", *EDGE],
        ascending=[False, True, True, True, True, True],
        kind="stable",
    ).iloc[0]
    return f"{best['source']}>{best['target']}:{best['ligand_complex']}^{best['receptor_complex']}"
