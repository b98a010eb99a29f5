"""Does the programme that a signal should switch on rise with the signal?"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from osteotalk.claims.claim import Claim
from osteotalk.claims.measures.cohort import Cohort
from osteotalk.claims.measures.contrasts import MIN_CORRELATED, rank_correlations, spearman_interval
from osteotalk.claims.measures.values import informative, interaction_values, programme_level, sides

NO_RESPONSE: Mapping[str, Any] = {
    "response_effect": float("nan"),
    "response_low": float("nan"),
    "response_high": float("nan"),
    "n_response": 0,
}


def response_check(claim: Claim, cohort: Cohort) -> dict[str, Any]:
    """Correlate a claim's level with its programme in the receivers, over patients.

    It supports a claim and never proves signalling: both may follow a third thing, and the
    programme has other causes. It takes no part in the verdict.

    Returns
    -------
    Spearman's rho with a 95 % interval and the number of patients; NaN with fewer than five
    patients, without variation, or without a programme.
    """
    rows = cohort.pairs_of(claim.pairs)
    if claim.response not in cohort.programmes or not len(rows):
        return dict(NO_RESPONSE)
    own = sides(claim, cohort)
    score = programme_level(cohort, claim.response, own.target)
    samples = informative(cohort, own, cohort.pair_measured[:, rows])
    samples = samples[~np.isnan(score[samples])]
    level = interaction_values(cohort, samples, own, rows[None], level=True)[:, 0]
    x, patients = cohort.by_patient(level, samples)
    y, _ = cohort.by_patient(score[samples], samples)
    if len(patients) < MIN_CORRELATED or np.ptp(x) == 0 or np.ptp(y) == 0:
        return {**NO_RESPONSE, "n_response": len(patients)}
    rho = float(rank_correlations(x[:, None], y)[0])
    low, high = spearman_interval(rho, len(patients))
    return {
        "response_effect": rho,
        "response_low": low,
        "response_high": high,
        "n_response": len(patients),
    }
