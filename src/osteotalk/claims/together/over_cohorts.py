"""The tables over all cohorts of a run, from those of each."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from osteotalk import io
from osteotalk.claims.together.combine import combine_evidence, independent_datasets
from osteotalk.claims.together.therapies import therapy_table
from osteotalk.claims.verdicts import Rules

# Contract of each table where it is not that of its own name.
_CONTRACTS = {"published": "verdicts"}


def combine_cohorts(
    chosen: Sequence[str],
    files: Mapping[str, Sequence[str]],
    *,
    datasets: pd.DataFrame,
    claims: pd.DataFrame,
    published: pd.DataFrame,
    therapies: pd.DataFrame,
    rules: Mapping[str, Any],
) -> dict[str, pd.DataFrame]:
    """Combine what cohorts say into one verdict per claim.

    Parameters
    ----------
    chosen
        Cohorts to combine.
    files
        Under `claims` and `published` the tables `evidence` of each cohort, under `calibration` its
        table of that name.
    datasets, claims, published, therapies
        Tables of the config.
    rules
        Thresholds of the verdicts.

    Returns
    -------
    The tables evidence, verdicts, published, therapies and calibration.
    """
    independent = independent_datasets(datasets, list(chosen))
    thresholds = Rules(**rules)
    evidence = _joined(files["claims"], "evidence")
    verdicts = combine_evidence(evidence, claims=claims, independent=independent, rules=thresholds)
    return {
        "evidence": evidence,
        "verdicts": verdicts,
        "published": combine_evidence(
            _joined(files["published"], "evidence"),
            claims=published,
            independent=independent,
            rules=thresholds,
        ),
        "therapies": therapy_table(therapies, verdicts),
        "calibration": _joined(files["calibration"], "calibration"),
    }


def write_combined(tables: Mapping[str, pd.DataFrame], paths: Mapping[str, str]) -> None:
    """Write the tables of `combine_cohorts`, each to the path of its name."""
    for name, frame in tables.items():
        io.write_tsv(frame, paths[name], table=_CONTRACTS.get(name, name))


def _joined(paths: Sequence[str], table: str) -> pd.DataFrame:
    return pd.concat([io.read_tsv(path, table=table) for path in paths], ignore_index=True)
