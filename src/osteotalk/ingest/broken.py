"""A sample whose files cannot be read: it stops the run, or is left out and told of everywhere.

Only an `IngestError` makes a sample broken: it says that a file is not what a sample needs. Any
other error (of our code, the disk, the memory) says nothing about the sample and stops the run.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from osteotalk.ingest.errors import IngestError
from osteotalk.ingest.sample import SAMPLE_COLUMNS, read_sample
from osteotalk.left_out import KEY, analysed

log = logging.getLogger(__name__)

SKIP, STOP = "skip", "stop"


def read_or_leave_out(
    files: Mapping[str, str],
    *,
    sample_row: Mapping[str, str],
    on_failure: str,
    table: str,
    **given: Any,
) -> tuple[AnnData, dict[str, Any]]:
    """Read a sample, see `osteotalk.ingest.sample.read_sample`; leave it out if that is wished.

    Parameters
    ----------
    files, sample_row, given
        As in `read_sample`.
    on_failure
        `SKIP` to go on without a sample that cannot be read, or `STOP`.
    table
        Table of samples, for the message.

    Returns
    -------
    Counts and report. Those of a sample that is left out have no cell and no gene, and the report
    says why under `osteotalk.left_out.KEY`.

    Raises
    ------
    IngestError
        If the sample cannot be read and is not to be left out; names both ways on.
    """
    try:
        return read_sample(files, sample_row=sample_row, **given)
    except IngestError as error:
        reason = str(error)
    sample, named = sample_row["sample"], ", ".join(dict.fromkeys(files.values()))
    if on_failure == SKIP:
        log.warning("sample %s (%s) is left out: %s", sample, named, reason)
        return _nothing(sample_row, reason=reason, files=named)
    msg = (
        f"sample '{sample}' of cohort '{sample_row['dataset']}' ({named}) cannot be read: "
        f"{reason}\n{ways_on(table)}"
    )
    raise IngestError(msg)


def ways_on(table: str) -> str:
    """What to do about a sample that cannot be read."""
    return (
        "There are two ways on: repair the file and run the same command again; or go on without "
        f"the sample, by status retired in its row of {table}, or by on_sample_failure: {SKIP} in "
        "the config for all samples that cannot be read"
    )


def _nothing(
    sample_row: Mapping[str, str], *, reason: str, files: str
) -> tuple[AnnData, dict[str, Any]]:
    report = {
        **{name: sample_row[name] for name in SAMPLE_COLUMNS},
        "file": files,
        "n_droplets": 0,
        KEY: reason,
    }
    none = pd.Index([], dtype=str)
    obs = pd.DataFrame({name: pd.Series(dtype=object) for name in SAMPLE_COLUMNS}, index=none)
    empty = sparse.csr_matrix((0, 0), dtype=np.int32)
    adata = AnnData(empty, obs=obs, var=pd.DataFrame(index=none))
    adata.uns["ingest"] = report
    return adata, report


def check_samples(
    reports: Sequence[Mapping[str, Any]],
    *,
    samples: Sequence[Mapping[str, str]],
    min_patients: int,
    on_failure: str,
    table: str,
) -> list[dict[str, str]]:
    """Tell which samples of a cohort are left out, and refuse a cohort that lost too many.

    Parameters
    ----------
    reports
        Of all samples of the cohort.
    samples
        Their rows in the table of samples.
    min_patients
        Fewest patients for a verdict. A cohort that had as many and lost them to samples that
        cannot be read can say nothing any more.
    on_failure
        As in `read_or_leave_out`; with `STOP` a sample that an earlier run left out is an error.
    table
        Table of samples, for the message.

    Returns
    -------
    Dataset, sample, patient, condition, file and reason of each sample that is left out.

    Raises
    ------
    IngestError
        If samples were left out and must not be, or if too few are left; with every reason.
    """
    kept = {report["sample"] for report in analysed(reports)}
    gone = [report for report in reports if report["sample"] not in kept]
    if not gone:
        return []
    patients = {row["patient"] for row in samples if row["sample"] in kept}
    all_of = {row["patient"] for row in samples}
    what = f"{len(gone)} of {len(reports)} samples of cohort '{gone[0]['dataset']}' cannot be read"
    reasons = "".join(f"\n- {r['sample']} ({r['file']}): {r[KEY]}" for r in gone)
    if on_failure == STOP:
        msg = f"{what} and were left out by an earlier run:{reasons}\n{ways_on(table)}"
        raise IngestError(msg)
    if not kept:
        msg = f"{what}, so there is nothing to analyse; repair the files and run again:{reasons}"
        raise IngestError(msg)
    if len(patients) < min_patients <= len(all_of):
        msg = (
            f"{what}; {len(patients)} of {len(all_of)} patients are left, and claims.min_patients "
            f"({min_patients}) are needed for a verdict; repair the files and run again, or take "
            f"the cohort out of datasets in the config:{reasons}"
        )
        raise IngestError(msg)
    log.warning("%s and are left out:%s", what, reasons)
    names = ("dataset", "sample", "patient", "condition", "file")
    return [{**{name: str(r[name]) for name in names}, "reason": str(r[KEY])} for r in gone]
