"""Run the evidence engine on decoy claims and on shuffled labels of a cohort."""

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from osteotalk.claims.calibrate import (
    PAIRS,
    POPULATIONS,
    SHUFFLED,
    count_verdicts,
    decoy_claims,
    disturbed_by_shuffling,
    shuffle_labels,
    shuffle_patients,
)
from osteotalk.claims.rescore import rescored
from osteotalk.claims.run import Basis
from osteotalk.progress import progress

log = logging.getLogger(__name__)


def calibrate(
    claims: pd.DataFrame,
    basis: Basis,
    *,
    evidence: pd.DataFrame,
    interactions: Sequence[str | Path],
    n_decoy_tables: int,
    n_shuffles: int,
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

    Returns
    -------
    The table `calibration` of this cohort.
    """
    found: dict[str, list[pd.DataFrame]] = {SHUFFLED: [], PAIRS: [], POPULATIONS: []}
    with progress(2 * n_decoy_tables + n_shuffles, "calibration", unit="runs") as done:
        cohort = basis.cohort(basis.from_files(interactions), claims)
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
            for table in tables:
                drawn = cohort
                if control == PAIRS:  # cells are compared in one family with those of the claims
                    drawn = here.cohort(here.from_files(interactions), claims, table)
                found[control].append(here.evidence(table, drawn, named=claims).evidence)
                done.update(1)
        disturbed = disturbed_by_shuffling(claims)
        for i in range(n_shuffles if len(disturbed) else 0):
            rng = np.random.default_rng([basis.settings.seed, i])
            samples = rescored(basis, shuffle_labels(basis.cells(), rng=rng))
            shuffled = shuffle_patients(basis.cohort(samples, disturbed), rng=rng)
            found[SHUFFLED].append(basis.evidence(disturbed, shuffled).evidence)
            done.update(1)
    table = count_verdicts(evidence, found, claims)
    positive = table[(table["theme"] == "all") & (table["verdict"] == "supported")]
    for row in positive.to_dict("records"):
        log.info(
            "%s: %d of %d supported; real claims: %d of %d",
            *(row[name] for name in ("control", "k_control", "n_control", "k_real", "n_real")),
        )
    return table
