"""Which verdicts move when a setting changes."""

from collections.abc import Mapping, Sequence

import pandas as pd

from osteotalk import io
from osteotalk.contract import conform, empty_frame


def compare_verdicts(
    baseline: Mapping[str, pd.DataFrame], variants: Sequence[tuple[str, str, str, pd.DataFrame]]
) -> pd.DataFrame:
    """Set the verdicts under changed settings beside those of the run.

    Parameters
    ----------
    baseline
        Table `evidence` of each cohort.
    variants
        Dataset, setting, value and table `evidence` of each variant.

    Returns
    -------
    The table `sensitivity`: one row per cohort, setting, value and claim.
    """
    parts = []
    for dataset, setting, value, evidence in variants:
        both = baseline[dataset][["claim_id", "verdict"]].merge(
            evidence[["claim_id", "verdict"]], on="claim_id", suffixes=("_before", "")
        )
        same = both["verdict"] == both["verdict_before"]
        part = both.rename(columns={"verdict_before": "baseline"}).assign(
            dataset=dataset,
            setting=setting,
            value=value,
            moved=same.map({True: "no", False: "yes"}),
        )
        parts.append(part)
    if not parts:
        return empty_frame("sensitivity")
    return conform(pd.concat(parts, ignore_index=True), table="sensitivity")


def compare_files(
    baseline: Mapping[str, str], variants: Mapping[tuple[str, str, str], str]
) -> pd.DataFrame:
    """Do the same from files: `baseline` by dataset, `variants` by dataset, setting and value."""
    tables = {dataset: io.read_tsv(path, table="evidence") for dataset, path in baseline.items()}
    changed = [(*of, io.read_tsv(path, table="evidence")) for of, path in variants.items()]
    return compare_verdicts(tables, changed)
