"""How often does a verdict come up by chance?"""

import logging
import math
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import optimize, stats

from osteotalk.claims.claim import (
    COMPOSITION,
    EXPRESSION,
    INTERACTION,
    SIGNATURE,
    UNTESTABLE,
    Claim,
    read_claims,
)
from osteotalk.claims.controls.candidates import (
    Items,
    Ledger,
    Settings,
    items_of,
    other_populations,
)
from osteotalk.claims.controls.decoys import MOST_SETS, claim_rng
from osteotalk.claims.evidence import read_ledger
from osteotalk.claims.measures.cohort import Cohort
from osteotalk.claims.verdicts import VERDICTS
from osteotalk.contract import UNASSIGNED, table_of
from osteotalk.interactions.cell_order import order_of
from osteotalk.interactions.support import wilson_interval

log = logging.getLogger(__name__)

SHUFFLED, PAIRS, POPULATIONS = "shuffled labels", "matched decoys", "population decoys"
EVERY_THEME = "all"
MARK = "~"


def shuffle_labels(samples: Iterable[AnnData], *, rng: np.random.Generator) -> Iterator[AnnData]:
    """Give the samples with populations shuffled between the cells of each.

    Population and state of a cell stay together; cells without a name take no part. No order of
    cells or genes changes which cell gets which.
    """
    for adata in samples:
        obs = adata.obs.copy()
        names = obs["population"].astype(str)
        order = order_of(adata, names + " " + obs["population_state"].astype(str))
        named = order[(names != UNASSIGNED).to_numpy()[order]]
        given = rng.permutation(named)
        for column in ("population", "population_state"):
            values = obs[column].astype(str).to_numpy(dtype=object, copy=True)
            values[named] = values[given]
            obs[column] = pd.Categorical(values)
        yield AnnData(adata.X, obs=obs, var=adata.var)


def shuffle_patients(cohort: Cohort, *, rng: np.random.Generator) -> Cohort:
    """Give the cohort with conditions, and what claims are correlated with, of other patients.

    A patient's samples stay together. Where they have several conditions, these are exchanged among
    them, so that as many patients are compared with themselves as before.
    """
    patients = np.array(cohort.patients, dtype=object)
    conditions = np.array(cohort.conditions, dtype=object)
    partners = _of_others(patients, rng)
    mixed = np.array([len(set(conditions[patients == own])) > 1 for own in patients])
    given = partners
    if mixed.any():
        given = np.arange(len(patients))
        given[~mixed] = given[~mixed][_of_others(patients[~mixed], rng)]
        for name in sorted(set(patients[mixed])):
            own = np.flatnonzero(patients == name)
            given[own] = rng.permutation(own)
    return replace(cohort, conditions=tuple(conditions[given]), partners=partners)


def _of_others(patients: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Position of the first sample of another patient for each sample, a patient's together."""
    names = sorted(set(patients))
    first = {name: int(np.flatnonzero(patients == name)[0]) for name in names}
    other = dict(zip(names, rng.permutation(names), strict=True))
    return np.array([first[other[name]] for name in patients], dtype=int)


def decoy_claims(
    table: pd.DataFrame,
    cohort: Cohort,
    *,
    vocabulary: pd.DataFrame,
    signatures: pd.DataFrame,
    settings: Settings,
    n: int,
    control: str,
) -> tuple[list[pd.DataFrame], pd.DataFrame]:
    """Draw tables of claims that are decoys of the real ones.

    Parameters
    ----------
    table
        Table of claims.
    cohort
        The cohort in which decoys have to match.
    vocabulary, signatures
        Tables of populations and signatures.
    settings
        As for the evidence.
    n
        Tables wanted.
    control
        `PAIRS`: pairs, genes or programmes are swapped for matched ones. `POPULATIONS`: the
        populations of interactions are swapped.

    Returns
    -------
    The tables, with ids such as ``C001~3``; a claim without enough candidates is left out.
    And the signatures, with those of the decoys added.
    """
    claims = read_claims(table, vocabulary=vocabulary)
    ledger = read_ledger(claims, cohort, signatures=signatures)
    rows: list[list[dict[Hashable, Any]]] = [[] for _ in range(n)]
    programmes = [signatures]
    for claim, (_, row) in zip(claims, table.iterrows(), strict=True):
        rng = claim_rng(settings.seed + 1, cohort.dataset, claim.claim_id, control)
        drawn: list[dict[str, str]] = []
        if control == POPULATIONS:
            drawn = _population_swaps(claim, cohort, ledger, rng, n, vocabulary=vocabulary)
        elif claim.kind in (INTERACTION, EXPRESSION, SIGNATURE):
            items = items_of(claim, cohort, ledger)
            if claim.kind == EXPRESSION and len(items.rows) < len(claim.genes):
                continue  # the claim cannot be tested, its decoys could
            drawn, own = _matched_swaps(claim, items, settings, rng, n)
            programmes += own
        for i, swap in enumerate(drawn):
            new = row.to_dict()
            new.update(swap)
            new["claim_id"] = f"{claim.claim_id}{MARK}{i}"
            rows[i].append(new)
    tables = [pd.DataFrame(part, columns=table.columns) for part in rows if part]
    return tables, pd.concat(programmes, ignore_index=True)


def _matched_swaps(
    claim: Claim, items: Items, settings: Settings, rng: np.random.Generator, n: int
) -> tuple[list[dict[str, str]], list[pd.DataFrame]]:
    """What replaces the pairs, genes or signature of a claim, `n` times."""
    drawn = items.draw(settings, rng).rows
    drawn = drawn[~np.isin(drawn, items.rows).any(axis=1)]  # these hold a part of the claim
    chosen = drawn[rng.permutation(len(drawn))[:n]]
    if claim.kind != SIGNATURE:
        column = "pairs" if claim.kind == INTERACTION else "genes"
        return [{column: ";".join(items.names[row])} for row in chosen], []
    ids = [f"{claim.signature}{MARK}{claim.claim_id}{MARK}{i}" for i in range(len(chosen))]
    tables = [
        pd.DataFrame({"signature": name, "gene": items.names[row], "weight": items.weights})
        for name, row in zip(ids, chosen, strict=True)
    ]
    return [{"signature": name} for name in ids], tables


def _population_swaps(
    claim: Claim,
    cohort: Cohort,
    ledger: Ledger,
    rng: np.random.Generator,
    n: int,
    *,
    vocabulary: pd.DataFrame,
) -> list[dict[str, str]]:
    """What replaces the populations of an interaction claim, `n` times.

    Sets with a population that has others below it are left out: in a claim its name stands for
    all of them.
    """
    if not any(pair in cohort.pair_row for pair in claim.pairs):
        return []
    members = other_populations(claim, cohort, ledger, n_decoys=MOST_SETS, rng=rng)
    names = np.array(cohort.populations, dtype=object)
    parents = vocabulary.loc[vocabulary["level"] != "state", "parent"]
    wide = np.isin(names.astype(str), parents.to_numpy(dtype=str))
    usable = 1 + np.flatnonzero(~(members[0] | members[1])[1:, wide].any(axis=1))
    chosen = rng.permutation(usable)[:n]
    return [
        {"source": ";".join(names[members[0][i]]), "target": ";".join(names[members[1][i]])}
        for i in chosen
    ]


def count_verdicts(
    real: pd.DataFrame, controls: Mapping[str, Sequence[pd.DataFrame]], claims: pd.DataFrame
) -> pd.DataFrame:
    """Compare the verdicts of real claims with those that come up by chance.

    Parameters
    ----------
    real
        Table `evidence` of the real claims in one cohort.
    controls
        Evidence of control runs, by kind of control.
    claims
        Table of claims, with their themes.

    Returns
    -------
    The table `calibration`: per control, theme and verdict the numbers of real and control claims
    with that verdict, of all that the control was made for; the rate with its Wilson interval, and
    the ratio of the real share to that rate with a score interval. Claims of a table stand together
    in one BH family and share pairs, so that the intervals are somewhat narrow.
    """
    theme = dict(zip(claims["claim_id"], claims["theme"], strict=True))
    dataset = str(real["dataset"].iloc[0])
    rows = []
    for control, tables in controls.items():
        if not tables:
            continue
        drawn = pd.concat(tables, ignore_index=True)
        drawn["claim_id"] = drawn["claim_id"].str.partition(MARK)[0]
        same = real[real["claim_id"].isin(set(drawn["claim_id"]))]
        for name in (EVERY_THEME, *sorted(set(same["claim_id"].map(theme)))):
            here, there = (
                part if name == EVERY_THEME else part[part["claim_id"].map(theme) == name]
                for part in (same, drawn)
            )
            for verdict in VERDICTS:
                counts = {
                    "k_real": int((here["verdict"] == verdict).sum()),
                    "n_real": len(here),
                    "k_control": int((there["verdict"] == verdict).sum()),
                    "n_control": len(there),
                }
                known = {"dataset": dataset, "control": control, "theme": name}
                rows.append(known | {"verdict": verdict} | counts | _rates(**counts))
    return table_of(rows, table="calibration")


def _rates(*, k_real: int, n_real: int, k_control: int, n_control: int) -> dict[str, float]:
    low, high = wilson_interval(np.array([k_control]), np.array([n_control]))
    rate = k_control / n_control
    ratio = (k_real / n_real) / rate if rate else float("inf") if k_real else float("nan")
    bounds = ratio_interval(k_real, n_real, k_control, n_control)
    return {
        "rate": rate,
        "rate_low": float(low[0]),
        "rate_high": float(high[0]),
        "ratio": ratio,
        "ratio_low": bounds[0],
        "ratio_high": bounds[1],
    }


def ratio_interval(k1: int, n1: int, k2: int, n2: int) -> tuple[float, float]:
    """95 % score interval of the ratio of two shares.

    By inverting the test of Miettinen and Nurminen 1985 (Stat. Med. 4, 213,
    doi:10.1002/sim.4780040211): the closed form of statsmodels 0.15 is wrong where a share is 1.
    NaN if neither happened; 0 or infinite where the data give no bound.
    """
    if not k1 and not k2:
        return float("nan"), float("nan")
    limit = stats.norm.ppf(0.975)

    def z(ratio: float) -> float:
        a, b, c = (n1 + n2) * ratio, n1 * ratio + k1 + n2 + k2 * ratio, k1 + k2
        share = min((b - math.sqrt(max(b * b - 4 * a * c, 0.0))) / (2 * a), 1.0, 1 / ratio)
        first = share * ratio
        variance = first * (1 - first) / n1 + ratio**2 * share * (1 - share) / n2
        variance *= (n1 + n2) / (n1 + n2 - 1)
        gap = k1 / n1 - ratio * k2 / n2
        if gap == 0:
            return 0.0
        return gap / math.sqrt(variance) if variance > 0 else math.copysign(math.inf, gap)

    def solve(target: float) -> float:
        return math.exp(optimize.bisect(lambda x: z(math.exp(x)) - target, -20, 20, xtol=1e-16))

    return solve(limit) if k1 else 0.0, solve(-limit) if k2 else math.inf


def disturbed_by_shuffling(claims: pd.DataFrame) -> pd.DataFrame:
    """Claims whose truth is gone once labels are shuffled: all but plain compositions."""
    kept = (claims["kind"] != COMPOSITION) | (claims["contrast"] != "")
    return claims[kept & (claims["kind"] != UNTESTABLE)]
