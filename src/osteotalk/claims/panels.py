"""What stands behind the evidence on a claim: its patients, and the decoys it was compared with."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from osteotalk.claims.claim import Claim
from osteotalk.claims.measures.cohort import Cohort
from osteotalk.claims.measures.measure import Measurement
from osteotalk.contract import conform, empty_frame

MATCHED, ELSEWHERE = "matched", "populations"  # as in column `control` of `decoy_statistics`


@dataclass(frozen=True)
class Compared:
    """Statistic of a claim, and of its decoys; NaN where one has none."""

    claim: float
    decoys: np.ndarray

    @property
    def n_known(self) -> int:
        """Decoys that have one."""
        return int((~np.isnan(self.decoys)).sum())


@dataclass(frozen=True)
class Panel:
    """What entered the test of one claim.

    Attributes
    ----------
    on
        Which of the informative samples of the `Measurement` entered, by position; for each side of
        a contrast between conditions apart.
    along
        The other quantity of a correlation, per sample of the cohort (S).
    statistics
        What was compared, by control; empty where nothing was.
    """

    on: Sequence[np.ndarray] = ()
    along: np.ndarray | None = None
    statistics: Mapping[str, Compared] = field(default_factory=dict)


def value_rows(
    claim: Claim, cohort: Cohort, found: Measurement, panel: Panel
) -> list[dict[str, Any]]:
    """Values of one claim by patient, sorted: rows of table `values`.

    Samples of a patient are averaged, as for the test; `condition` names those of the samples that
    entered. A patient with both conditions of a contrast has a row for each.
    """
    rows = [row for on in panel.on for row in _side_rows(claim, cohort, found, panel, on)]
    return sorted(rows, key=lambda row: (row["patient"], row["condition"]))


def _side_rows(
    claim: Claim, cohort: Cohort, found: Measurement, panel: Panel, on: np.ndarray
) -> list[dict[str, Any]]:
    """Rows of `value_rows` for some of the samples."""
    rows = found.samples[on]
    numbers = np.full((len(rows), 4), np.nan)
    numbers[:, 0], numbers[:, 1] = found.value[on], found.active[on]
    if found.controls.size:
        numbers[:, 2] = found.controls[on].mean(axis=1)
    if panel.along is not None:
        numbers[:, 3] = panel.along[rows]
    by_patient, patients = cohort.by_patient(numbers, rows)
    conditions: dict[str, set[str]] = {name: set() for name in patients}
    for row in rows:
        conditions[cohort.patients[row]].add(cohort.conditions[row])
    return [
        {
            "claim_id": claim.claim_id,
            "dataset": cohort.dataset,
            "patient": patient,
            "condition": ";".join(sorted(conditions[patient])),
            "value": value,
            "decoys": decoys,
            "active": "" if claim.contrast else "yes" if active > 0 else "no",
            "along": along,
        }
        for patient, (value, active, decoys, along) in zip(
            patients, by_patient.tolist(), strict=True
        )
    ]


def match_rows(claim: Claim, cohort: Cohort, found: Measurement) -> list[dict[str, Any]]:
    """How well the decoys of one claim match it: rows of table `decoys`."""
    rows = []
    for match in found.matches:
        if not len(match.decoys) or match.claim <= 0:
            continue
        low, median, high = np.quantile(match.decoys, [0.05, 0.5, 0.95])
        centre = np.log2(np.maximum(match.decoys, 1e-12)).mean()
        rows.append(
            {
                "claim_id": claim.claim_id,
                "dataset": cohort.dataset,
                "control": match.control,
                "quantity": match.quantity,
                "n_pool": found.n_pool if match.control != "populations" else len(match.decoys),
                "n_decoys": len(match.decoys),
                "claim": match.claim,
                "decoy_low": float(low),
                "decoy_median": float(median),
                "decoy_high": float(high),
                "difference": float(centre - math.log2(match.claim)),
            }
        )
    return rows


def statistic_table(panels: Iterable[tuple[str, Panel]], dataset: str) -> pd.DataFrame:
    """Table `decoy_statistics`: of each claim its own statistic, then those of its decoys.

    Parameters
    ----------
    panels
        Id and panel of each claim.
    dataset
        Id of the cohort.
    """
    keys, parts = [], []
    for claim_id, panel in panels:
        for control, compared in panel.statistics.items():
            sides = (("claim", np.array([compared.claim])), ("decoy", compared.decoys))
            for role, values in sides:
                keys.append((claim_id, dataset, control, role))
                parts.append(values[~np.isnan(values)])
    if not sum(map(len, parts)):
        return empty_frame("decoy_statistics")
    names = pd.DataFrame(keys, columns=["claim_id", "dataset", "control", "role"], dtype=object)
    table = names.loc[np.repeat(names.index, [len(part) for part in parts])]
    return conform(table.assign(statistic=np.concatenate(parts)), table="decoy_statistics")
