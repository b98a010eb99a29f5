"""Tables and notes of the calls of tumour cells."""

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import pandas as pd

from osteotalk.annotate.malignancy_rules import NO, UNDETERMINED, YES
from osteotalk.annotate.malignancy_sample import SampleCopyNumber, arm_words, changed_words
from osteotalk.contract import UNASSIGNED, conform, empty_frame


def _most_common(values: pd.Series, *, tie: str = "") -> str:
    """Most common value; of equally common ones `tie` if it is among them, else the first."""
    counts = values.astype(str).value_counts()
    top = sorted(counts.index[counts == counts.max()])
    return tie if tie in top else top[0]


def _call(cells: pd.DataFrame) -> tuple[str, str]:
    """Call and reason of a cluster: the most common; undetermined if no call is."""
    counts = cells["malignant"].value_counts()
    top = counts.index[counts == counts.max()]
    call = str(top[0]) if len(top) == 1 else UNDETERMINED
    reasons = cells.loc[cells["malignant"] == call, "malignant_reason"]
    return call, _most_common(reasons) if len(reasons) else "as many cells are tumour as are not"


def _arms(found: SampleCopyNumber, clones: list[str], one_arm: pd.Series) -> list[str]:
    """Arms of the clones of a cluster, and one that is changed in it alone."""
    named = [f"{name}: {arm_words(found.clones[name])}" for name in clones]
    return named + [f"{changed_words(arm)}: {arm}" for arm in sorted(set(one_arm) - {""})]


def cluster_table(
    obs: pd.DataFrame, judged: Mapping[str, SampleCopyNumber], share: pd.DataFrame
) -> pd.DataFrame:
    """One row per sample and cluster; the call and the reason are the most common ones.

    Parameters
    ----------
    obs
        Called cells, with a column one_arm: changed arms of the group that make no clone, or ''.
    judged
        Copy number of each sample.
    share
        Of each cluster, by patient.
    """
    rows = []
    keys = [obs["sample"].astype(str), obs["cluster"].astype(str)]
    for key, cells in obs.groupby(keys, sort=True, observed=True):
        sample, cluster = map(str, key)
        found = judged[sample]
        patient = _most_common(cells["patient"])
        call, reason = _call(cells)
        clones = sorted(set(cells["clone"].astype(str)) - {""})
        counts = cells["malignant"].value_counts()
        rows.append(
            {
                "sample": sample,
                "patient": patient,
                "cluster": cluster,
                "population": _most_common(cells["population"], tie=UNASSIGNED),
                "n_cells": len(cells),
                "n_reference": found.n_reference,
                "copy_number": found.copy_number,
                "cnv_score": float(cells["cnv_score"].mean()),
                "cnv_limit": found.limits[0],
                "patient_share": float(share[patient][cluster]),
                "clone": ";".join(clones),
                "arms": "; ".join(_arms(found, clones, cells["one_arm"])),
                "malignant": call,
                "malignant_probability": float(cells["malignant_probability"].mean()),
                "n_yes": int(counts.get(YES, 0)),
                "n_no": int(counts.get(NO, 0)),
                "n_undetermined": int(counts.get(UNDETERMINED, 0)),
                "reason": reason,
            }
        )
    if not rows:
        return empty_frame("malignancy")
    table = pd.DataFrame(rows)
    order = table.sort_values(
        ["sample", "n_cells", "cluster"], ascending=[True, False, True], kind="stable"
    )
    return conform(order, table="malignancy")


def record(
    obs: pd.DataFrame,
    before: pd.Series,
    judged: Mapping[str, SampleCopyNumber],
    *,
    settings: Mapping[str, int],
    n_genes: int,
) -> dict[str, Any]:
    """What was done, in a form that h5ad files hold."""
    after = obs["population"].astype(str)
    renamed = (before + " to " + after)[before != after].value_counts()
    return {
        **settings,
        "n_genes": n_genes,
        "calls": {c: int((obs["malignant"] == c).sum()) for c in (YES, NO, UNDETERMINED)},
        "renamed": {str(name): int(renamed[name]) for name in sorted(renamed.index)},
        "samples": {
            sample: {
                "problem": found.problem,
                "copy_number": found.copy_number,
                "n_reference": found.n_reference,
                "n_candidates": found.n_candidates,
                "lineages": ";".join(found.lineages),
                "clones": {name: arm_words(own) for name, own in found.clones.items()},
                "gained": ";".join(found.arms("gain")),
                "lost": ";".join(found.arms("loss")),
                "limit": found.limits[0],
                "floor": found.limits[1],
            }
            for sample, found in judged.items()
        },
        "versions": {"infercnvpy": version("infercnvpy")},
    }
