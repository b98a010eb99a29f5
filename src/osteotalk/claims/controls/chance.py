"""Run the evidence engine on decoy claims and on shuffled labels of a cohort."""

import logging
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from osteotalk.claims.controls.calibrate import (
    PAIRS,
    POPULATIONS,
    SHUFFLED,
    count_verdicts,
    decoy_claims,
    disturbed_by_shuffling,
    shuffle_labels,
    shuffle_patients,
)
from osteotalk.claims.controls.rescore import rescored
from osteotalk.claims.measures.cohort import Cohort
from osteotalk.claims.run import Basis
from osteotalk.parallel import in_order

log = logging.getLogger(__name__)


def calibrate(
    claims: pd.DataFrame,
    basis: Basis,
    *,
    evidence: pd.DataFrame,
    interactions: Sequence[str | Path],
    n_decoy_tables: int,
    n_shuffles: int,
    jobs: int = 1,
) -> pd.DataFrame:
    """How often each verdict comes up where there is nothing to find.

    Decoy claims are tested like real ones, by the same code, from the cells on. For shuffled labels
    the populations are shuffled between the cells of each sample, which is then scored again, and
    conditions between the patients.

    Parameters
    ----------
    claims
        Table of claims.
    basis
        Of the cohort.
    evidence
        Table `evidence` of the cohort.
    interactions
        Tables of its samples.
    n_decoy_tables, n_shuffles
        How often a table of decoys is drawn, and labels are shuffled.
    jobs
        Processes; they do not change the result.

    Returns
    -------
    The table `calibration` of this cohort.
    """
    cohort = basis.cohort(basis.from_files(interactions), claims)
    work: list[tuple[str, Callable[[], pd.DataFrame]]] = []
    disturbed = disturbed_by_shuffling(claims)
    if len(disturbed):  # first, as these take longest
        work += [(SHUFFLED, partial(_shuffled, basis, disturbed, i)) for i in range(n_shuffles)]
    for control in (PAIRS, POPULATIONS):
        tables, signatures = decoy_claims(
            claims,
            cohort,
            vocabulary=basis.vocabulary,
            signatures=basis.signatures,
            settings=basis.settings,
            n=n_decoy_tables,
            control=control,
        )
        here = basis.with_signatures(signatures)
        # cells are compared in one family with those of the claims
        given = {"interactions": interactions} if control == PAIRS else {"cohort": cohort}
        work += [(control, partial(_of_decoys, here, claims, table, **given)) for table in tables]
    tested = in_order(_call, [run for _, run in work], jobs=jobs, what="calibration", unit="runs")
    found = {
        control: [table for (kind, _), table in zip(work, tested, strict=True) if kind == control]
        for control in (SHUFFLED, PAIRS, POPULATIONS)
    }
    table = count_verdicts(evidence, found, claims)
    positive = table[(table["theme"] == "all") & (table["verdict"] == "supported")]
    for row in positive.to_dict("records"):
        log.info(
            "%s: %d of %d supported; real claims: %d of %d",
            *(row[name] for name in ("control", "k_control", "n_control", "k_real", "n_real")),
        )
    return table


def _call(run: Callable[[], pd.DataFrame]) -> pd.DataFrame:
    return run()


def _shuffled(basis: Basis, claims: pd.DataFrame, place: int) -> pd.DataFrame:
    """Evidence on claims after labels and conditions were shuffled."""
    rng = np.random.default_rng([basis.settings.seed, place])
    samples = rescored(basis, shuffle_labels(basis.cells(), rng=rng))
    shuffled = shuffle_patients(basis.cohort(samples, claims), rng=rng)
    return basis.evidence(claims, shuffled).evidence


def _of_decoys(
    basis: Basis,
    claims: pd.DataFrame,
    decoys: pd.DataFrame,
    *,
    cohort: Cohort | None = None,
    interactions: Sequence[str | Path] = (),
) -> pd.DataFrame:
    """Evidence on decoys of claims, in a cohort, or in one that is gathered anew."""
    if cohort is None:
        cohort = basis.cohort(basis.from_files(interactions), claims, decoys)
    return basis.evidence(decoys, cohort, named=claims).evidence
