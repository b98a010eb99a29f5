"""Scores of gene programmes by sample and population."""

import itertools

import numpy as np
import pandas as pd

from osteotalk.claims.measures.cohort import Cohort
from osteotalk.contract import table_of


def programme_table(cohort: Cohort) -> pd.DataFrame:
    """Mean score of every programme in every population that has enough cells in a sample.

    Returns
    -------
    The table `programmes`, sorted by signature, sample and population (in the order of the
    vocabulary). Scores are log1p units: the weighted mean expression of the programme's genes.
    """
    rows = [
        {
            "dataset": cohort.dataset,
            "signature": name,
            "sample": cohort.samples[s],
            "patient": cohort.patients[s],
            "condition": cohort.conditions[s],
            "population": cohort.populations[k],
            "n_cells": int(cohort.sizes[s, k]),
            "score": float(scores[s, k]),
        }
        for name, scores in sorted(cohort.programmes.items())
        for s, k in itertools.product(*map(range, scores.shape))
        if not np.isnan(scores[s, k])
    ]
    return table_of(rows, table="programmes")
